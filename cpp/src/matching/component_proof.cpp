#include "matching/component_proof.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "matching/component_improve.hpp"
#include "matching/component_search.hpp"

namespace xner {

namespace {

// One of so many parts of the effort goes into telling ties apart, before the score alone is to be proven.
constexpr std::size_t parts_for_ties = 4;
// Subgradient steps of a round take one of so many parts of the effort.
constexpr std::size_t parts_to_descend = 16;
constexpr std::size_t least_steps = 5;
constexpr std::size_t most_steps = 100;
constexpr std::size_t first_width = 8;
constexpr std::size_t widening = 4;
// Wider searches take more memory than they should.
constexpr std::size_t most_width = std::size_t{1} << 15U;

}  // namespace

void Proof::drop_hopeless(double tolerance) {
  Items left;
  for (std::size_t position = 0; position < items.positions(); ++position) {
    for (const Item& item : items.at(position)) {
      if (relaxation.value_with(item) > incumbent.value + tolerance) left.list.push_back(item);
    }
    left.begin.push_back(static_cast<std::uint32_t>(left.list.size()));
  }
  items = std::move(left);
}

void Proof::round(std::size_t width, double tolerance, Effort& effort) {
  drop_hopeless(tolerance);
  if (items.list.empty()) {
    bound = std::max(outside, incumbent.value);
    return;
  }
  const std::size_t steps =
      std::clamp(effort.left() / parts_to_descend / items.list.size(), least_steps, most_steps);
  effort.spend((2 + steps) * items.list.size());
  if (effort.exhausted()) return;
  relaxation.descend(items, incumbent.value, steps);
  relaxation.settle(items);
  if (width == first_width && parts_to_improve * improve_units(items) <= effort.left()) {
    Effort part = effort.take_part(parts_to_improve);
    improve(items, limits, relaxation, part, incumbent);
    effort.put_back(part);
  }
  const double open = search(items, limits, relaxation, tolerance, width, effort, incumbent);
  bound = std::min(bound, std::max({std::min(open, relaxation.bound()), outside, incumbent.value}));
}

bool Proof::run(Effort& effort) {
  const auto closed = [&](double tolerance) { return !(bound > incumbent.value + tolerance); };
  const Effort::Mark ties_end = effort.mark_part(parts_for_ties);
  for (std::size_t width = first_width; width <= most_width; width *= widening) {
    const double tolerance = effort.past(ties_end) ? tolerances.ties : tolerances.exact;
    if (closed(tolerance) || effort.exhausted() || items.list.empty()) break;
    round(width, tolerance, effort);
  }
  return closed(tolerances.ties);
}

}  // namespace xner
