#include "matching/component_relaxation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace xner {

namespace {

constexpr std::uint32_t skip = std::numeric_limits<std::uint32_t>::max();
// Steps without a better bound after which steps get half as long.
constexpr int patience = 5;
// Of the last direction, what is kept in the next one: it dampens zigzagging.
constexpr double momentum = 0.3;
// Where no choice is known, steps aim at a bound that is lower by this part.
constexpr double blind_aim = 0.05;

}  // namespace

double Relaxation::clip(std::uint32_t entity, double multiplier) const {
  if (limits_[entity].least == 0) multiplier = std::max(0.0, multiplier);
  if (limits_[entity].most == Limits::unlimited) multiplier = std::min(0.0, multiplier);
  return multiplier;
}

double Relaxation::rest_of_all(std::span<const double> multipliers) const {
  double sum = 0;
  for (std::size_t e = 0; e < limits_.size(); ++e) sum += rest(limits_[e], 0, multipliers[e]);
  return sum;
}

double Relaxation::schedule(const Items& items, std::span<const double> multipliers) {
  const std::size_t positions = items.positions();
  reach_.resize(positions + 1);
  choice_.resize(positions);
  reach_[positions] = 0;
  for (std::size_t position = positions; position-- > 0;) {
    double best = reach_[position + 1];
    std::uint32_t choice = skip;
    for (std::uint32_t i = items.begin[position]; i < items.begin[position + 1]; ++i) {
      const Item& item = items.list[i];
      const double value = item.value - multipliers[item.entity] + reach_[item.next];
      if (value > best) {
        best = value;
        choice = i;
      }
    }
    reach_[position] = best;
    choice_[position] = choice;
  }
  return reach_[0];
}

void Relaxation::start(const Items& items, std::span<const double> multipliers) {
  const std::vector<double> zeros(limits_.size(), 0);
  const double with_zeros = schedule(items, zeros);
  const bool better = schedule(items, multipliers) + rest_of_all(multipliers) < with_zeros;
  if (better) {
    multipliers_.assign(multipliers.begin(), multipliers.end());
  } else {
    multipliers_ = zeros;
  }
}

void Relaxation::descend(const Items& items, double aim, std::size_t steps) {
  std::vector<double> multipliers = multipliers_;
  step_.assign(limits_.size(), 0);
  double best = std::numeric_limits<double>::infinity();
  double scale = 1;
  int since_better = 0;
  for (std::size_t step = 0; step < steps; ++step) {
    const double bound = schedule(items, multipliers) + rest_of_all(multipliers);
    if (bound < best) {
      best = bound;
      multipliers_ = multipliers;
      since_better = 0;
    } else if (++since_better == patience) {
      scale /= 2;
      since_better = 0;
    }
    used_.assign(limits_.size(), 0);
    for (std::size_t position = 0; position < choice_.size();) {
      if (choice_[position] == skip) {
        ++position;
        continue;
      }
      const Item& item = items.list[choice_[position]];
      ++used_[item.entity];
      position = item.next;
    }
    double norm = 0;
    for (std::size_t e = 0; e < limits_.size(); ++e) {
      const auto [least, most] = limits_[e];
      const std::uint32_t target = multipliers[e] > 0   ? most
                                   : multipliers[e] < 0 ? least
                                                        : std::clamp(used_[e], least, most);
      const double excess = static_cast<double>(used_[e]) - static_cast<double>(target);
      step_[e] = momentum * step_[e] + (1 - momentum) * excess;
      norm += step_[e] * step_[e];
    }
    const double goal = std::isfinite(aim) ? aim : bound - blind_aim * std::max(1.0, std::abs(bound));
    if (norm == 0 || !(bound > goal)) break;
    const double length = scale * (bound - goal) / norm;
    for (std::uint32_t e = 0; e < limits_.size(); ++e) {
      multipliers[e] = clip(e, multipliers[e] + length * step_[e]);
    }
  }
}

void Relaxation::settle(const Items& items) {
  rest_ = rest_of_all(multipliers_);
  bound_ = schedule(items, multipliers_) + rest_;
  before_.assign(items.positions() + 1, 0);
  for (std::size_t position = 0; position < items.positions(); ++position) {
    const double before = before_[position];
    before_[position + 1] = std::max(before_[position + 1], before);
    for (const Item& item : items.at(position)) {
      double& after = before_[item.next];
      after = std::max(after, before + item.value - multipliers_[item.entity]);
    }
  }
}

// Every choice without the item leaves its first position free or covers it with another item.
double Relaxation::bound_without(const Items& items, const Item& without) const {
  double best = before_[without.position] + reach_[without.position + 1];
  for (std::size_t position = without.position + 1; position-- > 0;) {
    for (const Item& item : items.at(position)) {
      if (item.next > without.position && item.pair != without.pair) {
        best = std::max(best, before_[position] + gain(item));
      }
    }
  }
  return rest_ + best;
}

}  // namespace xner
