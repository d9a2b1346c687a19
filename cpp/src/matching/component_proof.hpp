// Closing the gap between the best known choice and a bound.
#pragma once

#include <cstddef>
#include <span>

#include "matching/component_effort.hpp"
#include "matching/component_items.hpp"
#include "matching/component_relaxation.hpp"

namespace xner {

// Differences of value that are not told apart.
struct Tolerances {
  double exact;  // while the first part of the effort lasts
  double ties;   // then
};

// Searches of growing width on the items that a choice better than the incumbent can hold, with ever better
// multipliers, until nothing better can be left or the effort is used up.
struct Proof {
  Items items;
  std::span<const Limits> limits;
  Relaxation relaxation;  // settled for `items`
  Incumbent incumbent;
  double bound;    // no choice has a higher value
  double outside;  // the same of choices that hold something else than `items`
  Tolerances tolerances;

  // Improves incumbent and bound. True when no choice can be better by more than the tolerance.
  bool run(Effort& effort);

 private:
  void drop_hopeless(double tolerance);
  void round(std::size_t width, double tolerance, Effort& effort);
};

}  // namespace xner
