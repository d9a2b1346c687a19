// A bound for a component: the Lagrangian relaxation of its entities' limits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "matching/component_items.hpp"

namespace xner {

// With a multiplier lambda for each entity, whatever is chosen has at most the value
//   best schedule of disjoint items with the values v - lambda
//   + sum over entities of lambda * most (lambda >= 0) or lambda * least (lambda < 0),
// and the schedule is found for all positions in one backward pass. Since interval matrices are totally
// unimodular, the best multipliers give the bound of the linear programme that has a constraint for every
// word (Nemhauser, Wolsey 1988, II.3.6). They are sought by subgradient steps (Held, Wolfe, Crowder 1974).
class Relaxation {
 public:
  // `limits` must outlive this.
  explicit Relaxation(std::span<const Limits> limits) : limits_(limits), multipliers_(limits.size(), 0) {}

  // Starts from these multipliers if their bound is below that of zeros.
  void start(const Items& items, std::span<const double> multipliers);

  // Improves the multipliers in at most `steps` subgradient steps; `aim` is the value of a known choice.
  void descend(const Items& items, double aim, std::size_t steps);

  // Computes what bound(), value_with() and reach() say, for these items.
  void settle(const Items& items);

  // No choice among the items has a higher value.
  [[nodiscard]] double bound() const noexcept { return bound_; }
  // No choice with this item has a higher value.
  [[nodiscard]] double value_with(const Item& item) const {
    return rest_ + before_[item.position] + gain(item);
  }
  // What an item adds to the schedule of what comes before it.
  [[nodiscard]] double gain(const Item& item) const {
    return item.value - multipliers_[item.entity] + reach_[item.next];
  }
  // Value of the best schedule from a position on.
  [[nodiscard]] double reach(std::size_t position) const { return reach_[position]; }
  // What `left` more projections of an entity are worth at most, beyond what the schedule says: the entity's
  // part of the bound when `used` of them are chosen.
  [[nodiscard]] double rest(std::uint32_t entity, std::uint32_t used) const {
    return rest(limits_[entity], used, multipliers_[entity]);
  }
  // Negative: by how much the item falls short of paying for its entity and positions; the bound falls by as
  // much at least when it is chosen.
  [[nodiscard]] double reduced_value(const Item& item) const { return gain(item) - reach_[item.position]; }
  // No choice without this item has a higher value. O(items).
  [[nodiscard]] double bound_without(const Items& items, const Item& without) const;

  [[nodiscard]] std::span<const double> multipliers() const noexcept { return multipliers_; }

 private:
  static double rest(Limits limits, std::uint32_t used, double multiplier) {
    if (multiplier >= 0) return limits.most == Limits::unlimited ? 0 : multiplier * (limits.most - used);
    return used < limits.least ? multiplier * (limits.least - used) : 0;
  }
  [[nodiscard]] double clip(std::uint32_t entity, double multiplier) const;
  double schedule(const Items& items, std::span<const double> multipliers);
  [[nodiscard]] double rest_of_all(std::span<const double> multipliers) const;

  std::span<const Limits> limits_;
  std::vector<double> multipliers_;
  double bound_ = 0;
  double rest_ = 0;
  std::vector<double> reach_;
  std::vector<double> before_;
  std::vector<std::uint32_t> choice_;
  std::vector<std::uint32_t> used_;
  std::vector<double> step_;
};

}  // namespace xner
