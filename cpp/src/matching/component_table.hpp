// Dynamic programming over start positions and the uses of every entity, for components with few entities.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "matching/component_items.hpp"

namespace xner {

class UsesTable {
 public:
  // Whether the table for so many items over so many words is small enough; to be asked before solve().
  [[nodiscard]] bool fits(std::size_t items, std::size_t words, std::span<const Limits> limits);

  // The optimum. Value minus infinity when no choice has every entity's least number of projections.
  Incumbent solve(const Items& items, std::span<const Limits> limits);

 private:
  struct Digit {  // an entity's place in the number that tells all entities' uses
    std::size_t stride = 1;
    std::size_t radix = 1;
    bool saturates = false;  // uses beyond the last digit are allowed and change nothing
  };

  void take(const Item& item, std::int32_t index, std::size_t position);

  std::vector<Digit> digits_;
  std::size_t uses_ = 1;              // how many combinations of uses there are
  std::vector<double> best_;          // [position][uses]: the best value from there on
  std::vector<std::int32_t> choice_;  // [position][uses]: the item to take, -1 to skip the position
};

}  // namespace xner
