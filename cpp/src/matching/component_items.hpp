// What a component can choose from: its pairs without those that no optimum needs, by position.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "matching/nested_spans.hpp"
#include "xner/matching.hpp"

namespace xner {

// Value of what cannot be chosen.
inline constexpr double nothing = -std::numeric_limits<double>::infinity();

// How many projections an entity must and may have.
struct Limits {
  static constexpr std::uint32_t unlimited = std::numeric_limits<std::uint32_t>::max();

  std::uint32_t least = 0;
  std::uint32_t most = 1;

  // A projection beyond so many makes no difference to what else is allowed.
  [[nodiscard]] std::uint32_t counted() const noexcept { return most == unlimited ? least : most; }
};

// An entity and the positions that choosing it takes: `position` up to `next`.
struct Item {
  double value = 0;
  std::uint32_t entity = 0;  // within the component
  std::uint32_t position = 0;
  std::uint32_t next = 0;
  std::uint32_t pair = 0;
};

// Items by position, then entity. Positions number the words at which an item starts; `next` is the first one
// at or after an item's end. Two items overlap exactly when their positions do.
struct Items {
  std::vector<Item> list;
  std::vector<std::uint32_t> begin{0};  // items of position p: begin[p] .. begin[p + 1]

  [[nodiscard]] std::size_t positions() const noexcept { return begin.size() - 1; }
  [[nodiscard]] std::span<const Item> at(std::size_t position) const {
    return std::span(list).subspan(begin[position], begin[position + 1] - begin[position]);
  }
};

// The best choice known so far.
struct Incumbent {
  std::vector<std::uint32_t> pairs;
  double value = 0;  // minus infinity: none that has every entity's least number of projections
};

// Finds the pairs of an entity that an optimum can need: a span that holds another one of the same entity
// with at least its value is not among them, since the shorter one blocks a subset of what the longer one
// blocks.
class NeededPairs {
 public:
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

  // Appends indices into `pairs`, of those from `begin` to `end`, that have a positive value and are neither
  // `without` nor marked in `banned` (empty: none is).
  void append(std::span<const Pair> pairs, std::uint32_t begin, std::uint32_t end, std::uint32_t without,
              std::span<const char> banned, std::vector<std::uint32_t>& needed);

 private:
  NestedSpans<HighestValue> nested_;
};

// Sorts pairs (indices into `all`) into items: counting sort by start. `entity_of` numbers entities within
// the component; values are multiplied by `scale`.
class ItemIndex {
 public:
  void operator()(std::span<const Pair> all, std::span<const std::uint32_t> pairs,
                  std::span<const std::uint32_t> entity_of, double scale, Items& items);

  // The first position at or after a word, for the items of the last call.
  [[nodiscard]] std::uint32_t position_of(std::int32_t word) const;

 private:
  std::int32_t first_word_ = 0;
  std::vector<std::uint32_t> position_;  // of first_word_, first_word_ + 1, ...
  std::vector<std::uint32_t> slot_;
};

}  // namespace xner
