// Levenshtein distances from one pattern to many texts.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace xner {

// Code points.
using Text = std::span<const std::uint32_t>;

// Distances to a text that grows at its end, one character at a time. Bit-parallel for patterns of up to 64
// characters (Myers 1999, in the form of Hyyrö 2003): O(1) a character; O(pattern) for longer ones.
class EditDistance {
 public:
  void set_pattern(Text pattern) {
    for (const std::size_t slot : used_) keys_[slot] = kFree;
    used_.clear();
    pattern_.assign(pattern.begin(), pattern.end());
    if (pattern.size() > kBits) return restart();
    for (std::size_t i = 0; i < pattern.size(); ++i) {
      const std::size_t slot = find(pattern[i]);
      if (keys_[slot] == kFree) {
        keys_[slot] = pattern[i];
        bits_[slot] = 0;
        used_.push_back(slot);
      }
      bits_[slot] |= std::uint64_t{1} << i;
    }
    restart();
  }

  // Back to the empty text.
  void restart() {
    state_ = {.up = ~std::uint64_t{0}, .down = 0, .distance = pattern_.size()};
    if (pattern_.size() <= kBits) return;
    column_.resize(pattern_.size() + 1);
    for (std::size_t i = 0; i <= pattern_.size(); ++i) column_[i] = i;
  }

  // Appends a character to the text.
  void push(std::uint32_t character) {
    if (pattern_.size() <= kBits) {
      step(state_, character);
    } else {
      step(column_, character);
    }
  }

  // Between the pattern and the text pushed so far.
  [[nodiscard]] std::size_t distance() const {
    return pattern_.size() <= kBits ? state_.distance : column_.back();
  }

  // Between the pattern and a whole text.
  std::size_t distance(Text text) {
    restart();
    if (pattern_.size() <= kBits) {
      State state = state_;
      for (const std::uint32_t character : text) step(state, character);
      return state.distance;
    }
    for (const std::uint32_t character : text) step(column_, character);
    return column_.back();
  }

 private:
  static constexpr std::size_t kBits = 64;
  static constexpr std::size_t kSlots = 256;  // well above 64, so that probing always ends at a free slot
  static constexpr std::uint32_t kFree = 0xFFFFFFFF;  // no code point

  // The last column of the distances' table as differences: bit i is set where row i + 1 is one more (`up`)
  // or one less (`down`) than row i.
  struct State {
    std::uint64_t up = 0;
    std::uint64_t down = 0;
    std::size_t distance = 0;
  };

  [[nodiscard]] std::size_t find(std::uint32_t character) const {
    std::size_t slot = character % kSlots;
    while (keys_[slot] != character && keys_[slot] != kFree) slot = (slot + 1) % kSlots;
    return slot;
  }

  void step(State& state, std::uint32_t character) const {
    if (pattern_.empty()) {
      ++state.distance;
      return;
    }
    const std::uint64_t last = std::uint64_t{1} << (pattern_.size() - 1);
    const std::size_t slot = find(character);
    const std::uint64_t match = keys_[slot] == kFree ? 0 : bits_[slot];
    const std::uint64_t diagonal = (((match & state.up) + state.up) ^ state.up) | match | state.down;
    std::uint64_t right = state.down | ~(diagonal | state.up);
    std::uint64_t left = diagonal & state.up;
    if ((right & last) != 0) ++state.distance;
    if ((left & last) != 0) --state.distance;
    right = (right << 1U) | 1U;
    left <<= 1U;
    state.up = left | ~(diagonal | right);
    state.down = right & diagonal;
  }

  void step(std::vector<std::size_t>& column, std::uint32_t character) const {
    std::size_t corner = column[0]++;
    for (std::size_t i = 1; i <= pattern_.size(); ++i) {
      const std::size_t replaced = corner + (pattern_[i - 1] == character ? 0 : 1);
      corner = column[i];
      column[i] = std::min({column[i] + 1, column[i - 1] + 1, replaced});
    }
  }

  std::vector<std::uint32_t> pattern_;
  State state_;
  std::vector<std::size_t> column_;
  std::vector<std::size_t> used_;
  std::vector<std::uint32_t> keys_ = std::vector<std::uint32_t>(kSlots, kFree);
  std::vector<std::uint64_t> bits_ = std::vector<std::uint64_t>(kSlots);
};

}  // namespace xner
