// Search over start positions and sets of entities, with bounds and a limited width.
#pragma once

#include <cstddef>
#include <span>

#include "matching/component_effort.hpp"
#include "matching/component_items.hpp"
#include "matching/component_relaxation.hpp"

namespace xner {

// Goes through the positions in order and keeps the partial choices (states) that can still beat the
// incumbent by more than `tolerance`: of those with the same number of uses of every entity that has items
// left, the most valuable one; of these at most `width` a position, those with the highest bounds. What is
// left to gain is bounded by the relaxation, settled for these items. With a small width this is a beam
// search; the bounds of the states it drops tell how much it can have missed, so that it proves optimality
// where nothing is missed: bounded dynamic programming (Bautista, Pereira 2009).
//
// Improves the incumbent where it can. Returns the highest value that a choice it has not looked at can have;
// minus infinity if there is none that beats the incumbent by more than `tolerance`.
double search(const Items& items, std::span<const Limits> limits, const Relaxation& relaxation,
              double tolerance, std::size_t width, Effort& effort, Incumbent& incumbent);

}  // namespace xner
