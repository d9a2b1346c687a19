// The string prior: words that look alike tend to be translations of each other (names, numbers, cognates).
#include "aligner/prior.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "aligner/elementary.hpp"
#include "xner/edit_distance.hpp"
#include "xner/parallel.hpp"

namespace xner::aligner {

namespace {

// A set of characters, hashed to 64 bits: disjoint sets share no character.
std::uint64_t character_set(Text text) {
  std::uint64_t set = 0;
  for (const std::uint32_t character : text) set |= std::uint64_t{1} << (character % 64);
  return set;
}

}  // namespace

std::vector<float> similarities(const AlignerLevel& level, const Pairs& types, const AlignerOptions& options,
                                std::size_t threads) {
  std::vector<float> result(types.targets.size(), 0.0F);
  if (options.prior_weight <= 0 && options.letter_weight <= 0) return result;
  const double floor = options.similarity_floor;
  std::vector<std::uint64_t> target_sets(level.target_text.size());
  for (std::size_t type = 0; type < target_sets.size(); ++type) {
    target_sets[type] = character_set(level.target_text[type]);
  }
  parallel_for(types.rows(), 64, threads, [&](std::size_t first, std::size_t last, std::size_t) {
    EditDistance edit;
    for (std::size_t row = first; row < last; ++row) {
      const Text source = level.source_text[row];
      const std::uint64_t source_set = character_set(source);
      edit.set_pattern(source);
      for (std::size_t pair = types.begin(row); pair < types.end(row); ++pair) {
        const auto type = static_cast<std::size_t>(types.targets[pair]);
        if ((source_set & target_sets[type]) == 0) continue;
        const Text target = level.target_text[type];
        const auto longer = static_cast<double>(std::max(source.size(), target.size()));
        const auto shorter = static_cast<double>(std::min(source.size(), target.size()));
        if (shorter <= floor * longer) continue;  // even if it were contained in the other
        const double similarity = 1.0 - static_cast<double>(edit.distance(target)) / longer;
        if (similarity > floor) result[pair] = static_cast<float>(similarity);
      }
    }
  });
  return result;
}

std::vector<float> string_prior(std::vector<float> similarities, const AlignerOptions& options) {
  const double floor = options.similarity_floor;
  for (float& value : similarities) {
    if (value <= 0.0F) continue;
    const double excess = std::max(0.0, static_cast<double>(value) - floor) / (1.0 - floor);
    value = options.prior_weight > 0
                ? static_cast<float>(options.prior_weight * power(excess, options.similarity_power))
                : 0.0F;
  }
  return similarities;
}

void add_lexicon(const AlignerLevel& level, const Pairs& types, std::vector<float>& prior) {
  std::size_t entry = 0;
  for (std::size_t type = 0; type < level.lexicon.size(); ++type) {
    const auto begin = types.targets.begin() + types.offsets[type];
    const auto end = types.targets.begin() + types.offsets[type + 1];
    for (const std::int32_t target : level.lexicon[type]) {
      const float weight = level.lexicon_weights[entry++];
      const auto found = std::lower_bound(begin, end, target);
      if (found != end && *found == target) {
        prior[static_cast<std::size_t>(found - types.targets.begin())] += weight;
      }
    }
  }
}

void add_lexicon(const AlignerLevel& level, AlignerTable& table) {
  if (level.lexicon.size() == 0) return;
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int32_t> targets;
  std::vector<float> counts;
  std::size_t entry = 0;
  for (std::size_t type = 0; type + 1 < table.offsets.size(); ++type) {
    const auto said = type < level.lexicon.size() ? level.lexicon[type] : std::span<const std::int32_t>();
    auto other = said.begin();
    const auto add = [&](std::int32_t target, float count) {
      targets.push_back(target);
      counts.push_back(count);
    };
    const auto end = static_cast<std::size_t>(table.offsets[type + 1]);
    for (auto at = static_cast<std::size_t>(table.offsets[type]); at < end; ++at) {
      const std::int32_t target = table.targets[at];
      for (; other != said.end() && *other < target; ++other) add(*other, level.lexicon_weights[entry++]);
      const bool both = other != said.end() && *other == target;
      add(target, table.counts[at] + (both ? level.lexicon_weights[entry++] : 0.0F));
      if (both) ++other;
    }
    for (; other != said.end(); ++other) add(*other, level.lexicon_weights[entry++]);
    offsets.push_back(static_cast<std::int64_t>(targets.size()));
  }
  table.offsets = std::move(offsets);
  table.targets = std::move(targets);
  table.counts = std::move(counts);
}

}  // namespace xner::aligner
