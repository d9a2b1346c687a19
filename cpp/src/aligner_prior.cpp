// The string prior: words that look alike tend to be translations of each other (names, numbers, cognates).
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "aligner_index.hpp"
#include "xner/parallel.hpp"

namespace xner::aligner {

namespace {

using Text = std::span<const std::uint32_t>;

// A set of characters, hashed to 64 bits: disjoint sets share no character.
std::uint64_t character_set(Text text) {
  std::uint64_t set = 0;
  for (const std::uint32_t character : text) set |= std::uint64_t{1} << (character % 64);
  return set;
}

// Levenshtein distances from one pattern to many texts.
// Bit-parallel for patterns of up to 64 characters (Myers 1999, in the form of Hyyrö 2003): O(text) each.
class EditDistance {
 public:
  void set_pattern(Text pattern) {
    for (const std::size_t slot : used_) keys_[slot] = kFree;
    used_.clear();
    pattern_ = pattern;
    if (pattern.size() > 64) return;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
      const std::size_t slot = find(pattern[i]);
      if (keys_[slot] == kFree) {
        keys_[slot] = pattern[i];
        bits_[slot] = 0;
        used_.push_back(slot);
      }
      bits_[slot] |= std::uint64_t{1} << i;
    }
  }

  std::size_t distance(Text text) { return pattern_.size() > 64 ? by_rows(text) : by_bits(text); }

 private:
  static constexpr std::size_t kSlots = 256;  // well above 64, so that probing always ends at a free slot
  static constexpr std::uint32_t kFree = 0xFFFFFFFF;  // no code point

  [[nodiscard]] std::size_t find(std::uint32_t character) const {
    std::size_t slot = character % kSlots;
    while (keys_[slot] != character && keys_[slot] != kFree) slot = (slot + 1) % kSlots;
    return slot;
  }

  [[nodiscard]] std::size_t by_bits(Text text) const {
    if (pattern_.empty()) return text.size();
    std::uint64_t up = ~std::uint64_t{0};
    std::uint64_t down = 0;
    std::size_t distance = pattern_.size();
    const std::uint64_t last = std::uint64_t{1} << (pattern_.size() - 1);
    for (const std::uint32_t character : text) {
      const std::size_t slot = find(character);
      const std::uint64_t match = keys_[slot] == kFree ? 0 : bits_[slot];
      const std::uint64_t diagonal = (((match & up) + up) ^ up) | match | down;
      std::uint64_t right = down | ~(diagonal | up);
      std::uint64_t left = diagonal & up;
      if ((right & last) != 0) ++distance;
      if ((left & last) != 0) --distance;
      right = (right << 1U) | 1U;
      left <<= 1U;
      up = left | ~(diagonal | right);
      down = right & diagonal;
    }
    return distance;
  }

  std::size_t by_rows(Text text) {
    row_.resize(text.size() + 1);
    for (std::size_t j = 0; j <= text.size(); ++j) row_[j] = j;
    for (std::size_t i = 1; i <= pattern_.size(); ++i) {
      std::size_t corner = row_[0];
      row_[0] = i;
      for (std::size_t j = 1; j <= text.size(); ++j) {
        const std::size_t replaced = corner + (pattern_[i - 1] == text[j - 1] ? 0 : 1);
        corner = row_[j];
        row_[j] = std::min({row_[j] + 1, row_[j - 1] + 1, replaced});
      }
    }
    return row_.back();
  }

  Text pattern_;
  std::vector<std::size_t> used_;
  std::vector<std::uint32_t> keys_ = std::vector<std::uint32_t>(kSlots, kFree);
  std::vector<std::uint64_t> bits_ = std::vector<std::uint64_t>(kSlots);
  std::vector<std::size_t> row_;
};

}  // namespace

std::vector<float> string_prior(const AlignerLevel& level, const Pairs& types, const AlignerOptions& options,
                                std::size_t threads) {
  std::vector<float> prior(types.targets.size(), 0.0F);
  if (options.prior_weight <= 0) return prior;
  std::vector<std::uint64_t> target_sets(level.target_text.size());
  for (std::size_t type = 0; type < target_sets.size(); ++type) {
    target_sets[type] = character_set(level.target_text[type]);
  }
  const double floor = options.similarity_floor;
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
        if (similarity <= floor) continue;
        const double strength = std::pow((similarity - floor) / (1.0 - floor), options.similarity_power);
        prior[pair] = static_cast<float>(options.prior_weight * strength);
      }
    }
  });
  return prior;
}

}  // namespace xner::aligner
