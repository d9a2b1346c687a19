#include "matching/component_improve.hpp"

#include <algorithm>
#include <compare>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

namespace xner {

namespace {

constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
// Differences of value below this one come from the order of summing.
constexpr double least_gain = 1e-13;

// A choice under change.
class Choice {
 public:
  Choice(const Items& items, std::span<const Limits> limits)
      : items_(&items), limits_(limits), taker_(items.positions(), none), used_(limits.size(), 0) {}

  [[nodiscard]] bool has(std::uint32_t i) const { return taker_[items_->list[i].position] == i; }
  [[nodiscard]] bool full(std::uint32_t entity) const { return used_[entity] >= limits_[entity].most; }
  [[nodiscard]] std::uint32_t taker(std::uint32_t position) const { return taker_[position]; }
  [[nodiscard]] bool fits(std::uint32_t i) const {
    const Item& item = items_->list[i];
    if (full(item.entity)) return false;
    return std::all_of(taker_.begin() + item.position, taker_.begin() + item.next,
                       [](std::uint32_t taker) { return taker == none; });
  }
  void put(std::uint32_t i) {
    const Item& item = items_->list[i];
    std::fill(taker_.begin() + item.position, taker_.begin() + item.next, i);
    if (used_[item.entity]++ < limits_[item.entity].least) ++required_;
    value_ += item.value;
  }
  void remove(std::uint32_t i) {
    const Item& item = items_->list[i];
    std::fill(taker_.begin() + item.position, taker_.begin() + item.next, none);
    if (--used_[item.entity] < limits_[item.entity].least) --required_;
    value_ -= item.value;
  }

  // How good it is: required projections that are there, then value.
  struct Worth {
    std::uint32_t required;
    double value;
    [[nodiscard]] bool above(Worth other) const {
      return required != other.required ? required > other.required : value > other.value + least_gain;
    }
  };
  [[nodiscard]] Worth worth() const { return {.required = required_, .value = value_}; }
  // Summed anew, without what put() and remove() have lost.
  [[nodiscard]] double value() const {
    double value = 0;
    for (std::uint32_t position = 0; position < taker_.size(); ++position) {
      if (taker_[position] != none && items_->list[taker_[position]].position == position)
        value += items_->list[taker_[position]].value;
    }
    return value;
  }
  [[nodiscard]] std::vector<std::uint32_t> pairs() const {
    std::vector<std::uint32_t> pairs;
    for (std::uint32_t position = 0; position < taker_.size(); ++position) {
      if (taker_[position] != none && items_->list[taker_[position]].position == position)
        pairs.push_back(items_->list[taker_[position]].pair);
    }
    return pairs;
  }

 private:
  const Items* items_;
  std::span<const Limits> limits_;
  std::vector<std::uint32_t> taker_;  // of each position: the item that covers it
  std::vector<std::uint32_t> used_;
  std::uint32_t required_ = 0;
  double value_ = 0;
};

class Ejection {
 public:
  Ejection(const Items& items, std::span<const Limits> limits, const Relaxation& relaxation)
      : items_(items),
        limits_(limits),
        choice_(items, limits),
        by_value_(items.list.size()),
        order_(items.list.size()) {
    std::iota(by_value_.begin(), by_value_.end(), 0U);
    std::ranges::sort(by_value_, [&](std::uint32_t a, std::uint32_t b) {
      const Item& left = items.list[a];
      const Item& right = items.list[b];
      if (left.entity != right.entity) return left.entity < right.entity;
      return left.value != right.value ? left.value > right.value : a < b;
    });
    of_entity_.assign(limits.size() + 1, 0);
    for (const Item& item : items.list) ++of_entity_[item.entity + 1];
    std::partial_sum(of_entity_.begin(), of_entity_.end(), of_entity_.begin());
    std::iota(order_.begin(), order_.end(), 0U);
    std::vector<double> reduced;
    reduced.reserve(items.list.size());
    for (const Item& item : items.list) reduced.push_back(relaxation.reduced_value(item));
    std::ranges::stable_sort(order_, std::ranges::greater{}, [&](std::uint32_t i) { return reduced[i]; });
  }

  // Starts anew from a choice of pairs.
  void start_from(std::span<const std::uint32_t> pairs) {
    choice_ = Choice(items_, limits_);
    for (std::uint32_t i = 0; i < items_.list.size(); ++i) {
      if (std::ranges::find(pairs, items_.list[i].pair) != pairs.end()) choice_.put(i);
    }
  }
  // Improves the choice until no item helps.
  void improve(Effort& effort) {
    take_greedily();
    while (!effort.exhausted() && sweep(effort)) {
    }
  }
  [[nodiscard]] const Choice& choice() const noexcept { return choice_; }

 private:
  void take_greedily() {
    for (const std::uint32_t i : order_) {
      if (choice_.fits(i)) choice_.put(i);
    }
  }
  // Tries every item that is left out. True if one helped.
  bool sweep(Effort& effort) {
    bool better = false;
    for (const std::uint32_t i : order_) {
      if (effort.exhausted()) return false;
      if (!choice_.has(i)) better = try_item(i, effort) || better;
    }
    return better;
  }
  bool try_item(std::uint32_t i, Effort& effort) {
    const Item& item = items_.list[i];
    const Choice::Worth before = choice_.worth();
    removed_.clear();
    added_.clear();
    for (std::uint32_t position = item.position; position < item.next;) {
      const std::uint32_t taker = choice_.taker(position);
      if (taker == none) {
        ++position;
        continue;
      }
      position = items_.list[taker].next;
      eject(taker);
    }
    if (choice_.full(item.entity)) eject_cheapest(item.entity, effort);
    if (!choice_.full(item.entity)) add(i);
    for (const std::uint32_t other : removed_) fill_entity(items_.list[other].entity, effort);
    for (const std::uint32_t other : removed_) fill_gap(items_.list[other], effort);
    effort.spend(1 + removed_.size() + added_.size());
    if (choice_.worth().above(before)) return true;
    for (const std::uint32_t other : added_) choice_.remove(other);
    for (const std::uint32_t other : removed_) choice_.put(other);
    return false;
  }

  void add(std::uint32_t i) {
    choice_.put(i);
    added_.push_back(i);
  }
  void eject(std::uint32_t i) {
    choice_.remove(i);
    removed_.push_back(i);
  }

  [[nodiscard]] std::span<const std::uint32_t> of(std::uint32_t entity) const {
    return std::span(by_value_).subspan(of_entity_[entity], of_entity_[entity + 1] - of_entity_[entity]);
  }
  void eject_cheapest(std::uint32_t entity, Effort& effort) {
    const auto own = of(entity);
    for (std::size_t k = own.size(); k-- > 0;) {
      effort.spend(1);
      if (choice_.has(own[k])) {
        eject(own[k]);
        return;
      }
    }
  }
  // The best items of an entity that find room.
  void fill_entity(std::uint32_t entity, Effort& effort) {
    for (const std::uint32_t i : of(entity)) {
      if (choice_.full(entity)) return;
      effort.spend(1);
      if (choice_.fits(i)) add(i);
    }
  }
  // The best items, again and again, that start where an ejected one was.
  void fill_gap(const Item& gap, Effort& effort) {
    for (;;) {
      std::uint32_t best = none;
      for (std::uint32_t i = items_.begin[gap.position]; i < items_.begin[gap.next]; ++i) {
        const bool promising = best == none || items_.list[i].value > items_.list[best].value;
        if (promising && choice_.fits(i)) best = i;
      }
      effort.spend(items_.begin[gap.next] - items_.begin[gap.position]);
      if (best == none) return;
      add(best);
    }
  }

  const Items& items_;
  std::span<const Limits> limits_;
  Choice choice_;
  std::vector<std::uint32_t> by_value_;   // items by entity, the most valuable first
  std::vector<std::uint32_t> of_entity_;  // those of entity e: of_entity_[e] .. of_entity_[e + 1]
  std::vector<std::uint32_t> order_;      // items by reduced value
  std::vector<std::uint32_t> removed_;
  std::vector<std::uint32_t> added_;
};

}  // namespace

void improve(const Items& items, std::span<const Limits> limits, const Relaxation& relaxation, Effort& effort,
             Incumbent& incumbent) {
  effort.spend(improve_units(items));
  std::uint32_t required = 0;
  for (const Limits limit : limits) required += limit.least;
  Ejection ejection(items, limits, relaxation);
  ejection.improve(effort);
  if (ejection.choice().worth().required < required && !incumbent.pairs.empty()) {
    ejection.start_from(incumbent.pairs);
    ejection.improve(effort);
  }
  const double value = ejection.choice().value();
  if (ejection.choice().worth().required == required && value > incumbent.value) {
    incumbent = {.pairs = ejection.choice().pairs(), .value = value};
  }
}

}  // namespace xner
