// Leaves out the pairs of an entity whose spans hold better ones of the same entity. Internal.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "xner/matching.hpp"

namespace xner {

// What a matcher knows of the spans within one at hand: their highest value, or the two that come first.
// `passes`: a pair around them is needed. `covers`: taking in the other would change nothing.
struct HighestValue {
  double value = 0;

  [[nodiscard]] bool passes(double other, std::uint32_t) const noexcept { return other > value; }
  [[nodiscard]] bool covers(const HighestValue& other) const noexcept { return value >= other.value; }
  void add(double other, std::uint32_t) noexcept { value = std::max(value, other); }
  void add(const HighestValue& other) noexcept { value = std::max(value, other.value); }
};

struct FirstTwo {
  struct Place {
    double value = 0;
    std::uint32_t pair = std::numeric_limits<std::uint32_t>::max();

    // Greedy matching looks at higher values first, and at equal ones in the order of the pairs.
    [[nodiscard]] bool before(const Place& other) const noexcept {
      return value != other.value ? value > other.value : pair < other.pair;
    }
  };
  Place first;
  Place second;

  [[nodiscard]] bool passes(double value, std::uint32_t pair) const noexcept {
    return Place{value, pair}.before(second);
  }
  [[nodiscard]] bool covers(const FirstTwo& other) const noexcept { return !other.first.before(second); }
  void add(double value, std::uint32_t pair) noexcept {
    const Place place{value, pair};
    if (place.before(first)) {
      second = first;
      first = place;
    } else if (place.before(second)) {
      second = place;
    }
  }
  void add(const FirstTwo& other) noexcept {
    add(other.first.value, other.first.pair);
    add(other.second.value, other.second.pair);
  }
};

// Linear for pairs that are sorted by span and have their ends close to each other, as candidates do.
template <class Known>
class NestedSpans {
 public:
  // Appends those of an entity's pairs, `begin` to `end`, that are needed; as if there were none without a
  // positive value, and none for which left_out(pair) holds.
  template <class LeftOut>
  void append(std::span<const Pair> pairs, std::uint32_t begin, std::uint32_t end, const LeftOut& left_out,
              std::vector<std::uint32_t>& needed);

 private:
  std::vector<std::uint32_t> order_;
  std::vector<Known> known_;  // for each end: of the spans that start later and end by there
};

template <class Known>
template <class LeftOut>
void NestedSpans<Known>::append(std::span<const Pair> pairs, std::uint32_t begin, std::uint32_t end,
                                const LeftOut& left_out, std::vector<std::uint32_t>& needed) {
  order_.clear();
  std::int32_t first = std::numeric_limits<std::int32_t>::max();
  std::int32_t last = 0;
  for (std::uint32_t i = begin; i < end; ++i) {
    if (!(pairs[i].value > 0) || left_out(i)) continue;
    order_.push_back(i);
    first = std::min(first, pairs[i].span.start);
    last = std::max(last, pairs[i].span.end);
  }
  if (order_.empty()) return;
  const auto span_of = [&](std::uint32_t i) { return pairs[i].span; };
  if (!std::ranges::is_sorted(order_, {}, span_of)) std::ranges::stable_sort(order_, {}, span_of);
  known_.assign(static_cast<std::size_t>(last - first) + 1, {});
  for (std::size_t group_end = order_.size(); group_end > 0;) {
    const std::int32_t start = pairs[order_[group_end - 1]].span.start;
    std::size_t at = group_end;
    while (at > 0 && pairs[order_[at - 1]].span.start == start) --at;
    const std::size_t group_begin = at;
    Known here;  // of the spans that start here
    for (std::int32_t word = pairs[order_[at]].span.end; word <= last; ++word) {
      Known& later = known_[static_cast<std::size_t>(word - first)];
      for (; at < group_end && pairs[order_[at]].span.end == word; ++at) {
        const double value = pairs[order_[at]].value;
        Known within = later;
        within.add(here);
        if (within.passes(value, order_[at])) needed.push_back(order_[at]);
        here.add(value, order_[at]);
      }
      if (at == group_end && later.covers(here)) break;  // and so it is for all words beyond
      later.add(here);
    }
    group_end = group_begin;
  }
}

}  // namespace xner
