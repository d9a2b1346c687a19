// Good choices quickly: greedy by reduced value, then ejections.
#pragma once

#include <cstddef>
#include <span>

#include "matching/component_effort.hpp"
#include "matching/component_items.hpp"
#include "matching/component_relaxation.hpp"

namespace xner {

// One of so many parts of the effort goes into improving.
inline constexpr std::size_t parts_to_improve = 4;

// What improve() takes at least: sorting an item is so much work.
[[nodiscard]] inline std::size_t improve_units(const Items& items) { return 40 * items.list.size(); }

// Takes items greedily in the order of their reduced values, which know what an item's words are worth to
// others, and then tries each item that is left out: put in, it ejects what is in its way; the ejected
// entities and the words that have become free are filled greedily; what does not help is taken back.
// Entities short of their least number of projections come before any value; where they stay short, the
// incumbent is improved instead. `relaxation` is settled for `items`. Improves the incumbent where it can.
void improve(const Items& items, std::span<const Limits> limits, const Relaxation& relaxation, Effort& effort,
             Incumbent& incumbent);

}  // namespace xner
