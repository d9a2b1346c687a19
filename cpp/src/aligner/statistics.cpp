// What blocks of a corpus have taught: adding it up, and the model that it makes.
#include "aligner/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "aligner/check.hpp"
#include "aligner/evidence.hpp"
#include "aligner/jumps.hpp"
#include "aligner/prior.hpp"
#include "xner/aligner.hpp"

namespace xner {

namespace aligner {

namespace {

using Level = AlignerStatistics::Level;

// The number in the sums of what is `at` in a block.
std::size_t number_of(std::span<const std::int32_t> numbers, std::size_t at) {
  return numbers.empty() ? at : static_cast<std::size_t>(numbers[at]);
}

// Numbers lead from all of a block to different ones, of which there are no more than both have.
void check_numbers(std::span<const std::int32_t> numbers, std::size_t block, std::size_t sums) {
  if (numbers.empty()) return;
  check(numbers.size() == block, "expected as many numbers as the block has words or types");
  std::vector<bool> taken(sums + block, false);
  for (const std::int32_t number : numbers) {
    const bool is_free =
        number >= 0 && std::cmp_less(number, taken.size()) && !taken[static_cast<std::size_t>(number)];
    check(is_free, "numbers of words or types must differ, and go on from those of the sums");
    taken[static_cast<std::size_t>(number)] = true;
  }
}

std::size_t size_with(std::span<const std::int32_t> numbers, std::size_t block, std::size_t sums) {
  if (numbers.empty()) return std::max(block, sums);
  const auto last = std::ranges::max_element(numbers);
  return std::max(sums, static_cast<std::size_t>(*last) + 1);
}

void add(std::vector<double>& sums, const std::vector<double>& more, std::span<const std::int32_t> numbers) {
  sums.resize(size_with(more.empty() ? std::span<const std::int32_t>() : numbers, more.size(), sums.size()),
              0.0);
  for (std::size_t at = 0; at < more.size(); ++at) sums[number_of(numbers, at)] += more[at];
}

void meet(std::vector<double>& met, const std::vector<double>& more, std::span<const std::int32_t> numbers) {
  met.resize(size_with(more.empty() ? std::span<const std::int32_t>() : numbers, more.size(), met.size()),
             0.0);
  for (std::size_t at = 0; at < more.size(); ++at) {
    double& of_type = met[number_of(numbers, at)];
    of_type = met_in_either(of_type, more[at]);
  }
}

// The entries of a block as the sums number them.
struct Entries {
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int32_t> targets;
  std::vector<float> counts, pseudo;
};

Entries numbered(const Level& block, const AlignerTypeMap& numbers) {
  const std::size_t types = block.offsets.size() - 1;
  std::vector<std::size_t> type_of(
      size_with(types == 0 ? std::span<const std::int32_t>() : numbers.source, types, 0), types);
  for (std::size_t type = 0; type < types; ++type) type_of[number_of(numbers.source, type)] = type;
  Entries entries;
  entries.targets.reserve(block.targets.size());
  entries.counts.reserve(block.targets.size());
  entries.pseudo.reserve(block.targets.size());
  std::vector<std::size_t> order;
  const auto target = [&](std::size_t at) {
    return number_of(numbers.target, static_cast<std::size_t>(block.targets[at]));
  };
  for (const std::size_t type : type_of) {
    if (type < types) {
      order.resize(static_cast<std::size_t>(block.offsets[type + 1] - block.offsets[type]));
      std::iota(order.begin(), order.end(), static_cast<std::size_t>(block.offsets[type]));
      std::ranges::sort(order, {}, target);
      for (const std::size_t at : order) {
        entries.targets.push_back(static_cast<std::int32_t>(target(at)));
        entries.counts.push_back(block.counts[at]);
        entries.pseudo.push_back(block.pseudo.empty() ? 0.0F : block.pseudo[at]);
      }
    }
    entries.offsets.push_back(static_cast<std::int64_t>(entries.targets.size()));
  }
  return entries;
}

// Calls body(type, target type, count, pseudo) for every pair that the sums or the block know, in order; `pseudo` is that of
// a pair that the sums do not know.
template <class Body>
void each_merged(const Level& sums, const Entries& block, const Body& body) {
  const std::size_t known = sums.offsets.size() - 1;
  const std::size_t more = block.offsets.size() - 1;
  for (std::size_t type = 0; type < std::max(known, more); ++type) {
    auto at = type < known ? static_cast<std::size_t>(sums.offsets[type]) : 0;
    const auto end = type < known ? static_cast<std::size_t>(sums.offsets[type + 1]) : 0;
    auto other = type < more ? static_cast<std::size_t>(block.offsets[type]) : 0;
    const auto last = type < more ? static_cast<std::size_t>(block.offsets[type + 1]) : 0;
    for (; other < last; ++other) {
      const std::int32_t target = block.targets[other];
      for (; at < end && sums.targets[at] < target; ++at) body(type, sums.targets[at], sums.counts[at], 0.0F);
      const bool both = at < end && sums.targets[at] == target;
      body(type, target, block.counts[other] + (both ? sums.counts[at] : 0.0F),
           both ? 0.0F : block.pseudo[other]);
      if (both) ++at;
    }
    for (; at < end; ++at) body(type, sums.targets[at], sums.counts[at], 0.0F);
  }
}

// The fewest expected links of which at most so many entries have as many.
float least_kept(const Level& sums, const Entries& block, std::size_t most_entries) {
  // How many pairs have expected links of which power of two: what is left out is decided by these.
  std::vector<std::size_t> by_exponent(std::numeric_limits<float>::max_exponent -
                                       std::numeric_limits<float>::min_exponent + 2);
  each_merged(sums, block, [&](std::size_t, std::int32_t, float count, float) {
    if (count < kNegligible) return;
    const int exponent = std::ilogb(count) - std::numeric_limits<float>::min_exponent + 2;
    ++by_exponent[static_cast<std::size_t>(exponent)];
  });
  std::size_t kept = 0;
  std::size_t exponent = by_exponent.size();
  while (exponent > 0 && kept + by_exponent[exponent - 1] <= most_entries) kept += by_exponent[--exponent];
  return std::max(kNegligible, std::ldexp(1.0F, static_cast<int>(exponent) +
                                                    std::numeric_limits<float>::min_exponent - 2));
}

void add_level(Level& sums, const Level& block, const AlignerTypeMap& numbers, std::size_t most_entries) {
  add(sums.source_links, block.source_links, numbers.source);
  add(sums.target_links, block.target_links, numbers.target);
  add(sums.source_pseudo, block.source_pseudo, numbers.source);
  add(sums.target_pseudo, block.target_pseudo, numbers.target);
  add(sums.source_tokens, block.source_tokens, numbers.source);
  add(sums.target_tokens, block.target_tokens, numbers.target);
  meet(sums.source_met, block.source_met, numbers.source);
  meet(sums.target_met, block.target_met, numbers.target);

  const Entries entries = numbered(block, numbers);
  const float least = least_kept(sums, entries, most_entries);
  Level merged;
  std::size_t row = 0;
  each_merged(sums, entries, [&](std::size_t type, std::int32_t target, float count, float pseudo) {
    for (; row < type; ++row) merged.offsets.push_back(static_cast<std::int64_t>(merged.targets.size()));
    sums.source_pseudo[type] += static_cast<double>(pseudo);
    sums.target_pseudo[static_cast<std::size_t>(target)] += static_cast<double>(pseudo);
    if (count < least) return;
    merged.targets.push_back(target);
    merged.counts.push_back(count);
  });
  for (; row < sums.source_links.size(); ++row) {
    merged.offsets.push_back(static_cast<std::int64_t>(merged.targets.size()));
  }
  sums.offsets = std::move(merged.offsets);
  sums.targets = std::move(merged.targets);
  sums.counts = std::move(merged.counts);
}

void check_values(std::span<const double> values, std::size_t size) {
  check(values.size() == size, "statistics have other numbers of values than of words or types");
  check(std::ranges::all_of(values, [](double value) { return std::isfinite(value) && value >= 0; }),
        "statistics must be finite and not below 0");
}

void check_level(const Level& level) {
  const std::size_t sources = level.source_links.size();
  const std::size_t targets = level.target_links.size();
  for (const auto* values :
       {&level.source_links, &level.source_pseudo, &level.source_tokens, &level.source_met})
    check_values(*values, sources);
  for (const auto* values :
       {&level.target_links, &level.target_pseudo, &level.target_tokens, &level.target_met})
    check_values(*values, targets);
  bool sound = level.offsets.size() == sources + 1 && level.offsets.front() == 0 &&
               std::ranges::is_sorted(level.offsets) &&
               std::cmp_equal(level.offsets.back(), level.targets.size()) &&
               level.counts.size() == level.targets.size() &&
               (level.pseudo.empty() || level.pseudo.size() == level.targets.size());
  for (std::size_t type = 0; sound && type < sources; ++type) {
    const auto first = static_cast<std::size_t>(level.offsets[type]);
    const auto last = static_cast<std::size_t>(level.offsets[type + 1]);
    for (std::size_t at = first; sound && at < last; ++at) {
      sound = level.targets[at] >= 0 && std::cmp_less(level.targets[at], targets) &&
              (at == first || level.targets[at - 1] < level.targets[at]);
    }
  }
  check(sound, "entries of statistics must ascend, and be pairs of types");
  const auto is_count = [](float count) { return std::isfinite(count) && count >= 0; };
  check(std::ranges::all_of(level.counts, is_count) && std::ranges::all_of(level.pseudo, is_count),
        "statistics must be finite and not below 0");
}

}  // namespace

}  // namespace aligner

void check_statistics(const AlignerStatistics& statistics) {
  using aligner::check_values;
  for (const AlignerStatistics::Level& level : statistics.levels) aligner::check_level(level);
  check_values(statistics.source_words, statistics.source_words.size());
  check_values(statistics.target_words, statistics.target_words.size());
  const bool has_levels = !statistics.levels.empty();
  check_values(statistics.source_null, has_levels ? statistics.levels.back().source_links.size() : 0);
  check_values(statistics.target_null, has_levels ? statistics.levels.back().target_links.size() : 0);
  check_values(statistics.source_jumps, statistics.source_jumps.size());
  check_values(statistics.target_jumps, statistics.source_jumps.size());
  for (const double far : {statistics.source_far_jumps, statistics.target_far_jumps})
    aligner::check(std::isfinite(far) && far > 0, "statistics must be finite and not below 0");
  aligner::check(statistics.sentence_pairs >= 0 && statistics.blocks >= 0, "statistics must not be below 0");
}

void add_statistics(AlignerStatistics& sums, const AlignerStatistics& block, const AlignerNumbers& numbers,
                    std::size_t most_entries) {
  using aligner::add;
  using aligner::check_numbers;
  aligner::check(sums.levels.empty() || sums.levels.size() == block.levels.size(),
                 "the block has other levels than those before it");
  aligner::check(sums.source_jumps.empty() || sums.source_jumps.size() == block.source_jumps.size(),
                 "jump_clip differs from that of the blocks before");
  aligner::check(numbers.levels.empty() || numbers.levels.size() == block.levels.size(),
                 "expected the numbers of every level");
  check_numbers(numbers.source_words, block.source_words.size(), sums.source_words.size());
  check_numbers(numbers.target_words, block.target_words.size(), sums.target_words.size());
  const auto of_level = [&](std::size_t l) {
    return numbers.levels.empty() ? AlignerTypeMap{} : numbers.levels[l];
  };
  for (std::size_t l = 0; l < block.levels.size(); ++l) {
    const AlignerStatistics::Level none;
    const AlignerStatistics::Level& before = sums.levels.empty() ? none : sums.levels[l];
    check_numbers(of_level(l).source, block.levels[l].source_links.size(), before.source_links.size());
    check_numbers(of_level(l).target, block.levels[l].target_links.size(), before.target_links.size());
  }

  sums.levels.resize(block.levels.size());
  for (std::size_t l = 0; l < block.levels.size(); ++l)
    aligner::add_level(sums.levels[l], block.levels[l], of_level(l), most_entries);
  add(sums.source_words, block.source_words, numbers.source_words);
  add(sums.target_words, block.target_words, numbers.target_words);
  if (!block.levels.empty()) {
    const AlignerTypeMap finest = of_level(block.levels.size() - 1);
    add(sums.source_null, block.source_null, finest.source);
    add(sums.target_null, block.target_null, finest.target);
  }
  add(sums.source_jumps, block.source_jumps, {});
  add(sums.target_jumps, block.target_jumps, {});
  sums.source_far_jumps = block.source_far_jumps;
  sums.target_far_jumps = block.target_far_jumps;
  sums.sentence_pairs += block.sentence_pairs;
  sums.blocks += block.blocks;
}

AlignerModel aligner_of(const AlignerStatistics& statistics, const AlignerOptions& options,
                        std::span<const AlignerLevel> levels) {
  const auto as_floats = [](const std::vector<double>& values) {
    return std::vector<float>(values.begin(), values.end());
  };
  AlignerModel model;
  model.options = options;
  model.sentence_pairs = statistics.sentence_pairs;
  for (const AlignerStatistics::Level& level : statistics.levels) {
    const auto totals = [&](const std::vector<double>& links, const std::vector<double>& pseudo,
                            const std::vector<double>& met) {
      std::vector<float> sums(links.size());
      for (std::size_t type = 0; type < sums.size(); ++type) {
        sums[type] = static_cast<float>(links[type] + pseudo[type] + options.base_weight * met[type]);
      }
      return sums;
    };
    model.levels.push_back(
        {.offsets = level.offsets,
         .targets = level.targets,
         .counts = level.counts,
         .source_frequency = as_floats(level.source_tokens),
         .target_frequency = as_floats(level.target_tokens),
         .source_totals = totals(level.source_links, level.source_pseudo, level.source_met),
         .target_totals = totals(level.target_links, level.target_pseudo, level.target_met)});
  }
  for (std::size_t l = 0; l < std::min(levels.size(), model.levels.size()); ++l) {
    aligner::add_lexicon(levels[l], model.levels[l]);
  }
  model.source_null = as_floats(statistics.source_null);
  model.target_null = as_floats(statistics.target_null);
  model.source_jumps =
      aligner::jump_weights(statistics.source_jumps, options.jump_smoothing, statistics.source_far_jumps);
  model.target_jumps =
      aligner::jump_weights(statistics.target_jumps, options.jump_smoothing, statistics.target_far_jumps);
  return model;
}

}  // namespace xner
