#include "component.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace xner {

namespace {

constexpr std::size_t table_entities = 8;
constexpr std::size_t table_cells = std::size_t{1} << 16U;
constexpr std::size_t table_steps = std::size_t{1} << 22U;
// Subgradient steps: few where a step is long, so that a component takes a bounded time.
constexpr std::size_t fewest_subgradient_steps = 3;
constexpr std::size_t most_subgradient_steps = 120;
constexpr std::size_t items_seen_a_search_step = 5;
// Below the smallest difference that evidence between ties makes, above what summing doubles loses.
constexpr double exact_tolerance = 1e-13;
// Above all evidence of a component: solutions that tie in score are then not told apart.
constexpr double tie_tolerance = 1e-8;

}  // namespace

void Component::add(std::uint32_t entity, Span span, double value, std::uint32_t pair) {
  items_.push_back({.span = span, .entity = entity, .pair = pair, .value = value, .position = 0, .next = 0});
}

// A span that holds another one of the same entity with at least its value is never needed: the shorter one
// blocks a subset of what the longer one blocks.
void Component::drop_dominated() {
  std::ranges::sort(items_, [](const Item& a, const Item& b) {
    if (a.entity != b.entity) return a.entity < b.entity;
    if (a.span.start != b.span.start) return a.span.start > b.span.start;
    if (a.span.end != b.span.end) return a.span.end < b.span.end;
    return a.value > b.value;
  });
  // For the entity at hand: kept spans' ends (ascending) and values (ascending too), among starts seen so
  // far.
  std::vector<std::pair<std::int32_t, double>> stairs;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    const Item item = items_[i];
    if (i == 0 || items_[i - 1].entity != item.entity) stairs.clear();
    const auto above =
        std::ranges::upper_bound(stairs, item.span.end, {}, &std::pair<std::int32_t, double>::first);
    if (above != stairs.begin() && std::prev(above)->second >= item.value) continue;
    auto last = above;
    while (last != stairs.end() && last->second <= item.value) ++last;
    auto first = above;
    if (first != stairs.begin() && std::prev(first)->first == item.span.end) --first;
    const auto at = stairs.erase(first, last);
    stairs.insert(at, {item.span.end, item.value});
    items_[kept++] = item;
  }
  items_.resize(kept);
}

void Component::index_positions() {
  std::ranges::sort(items_, [](const Item& a, const Item& b) {
    if (a.span != b.span) return a.span < b.span;
    if (a.entity != b.entity) return a.entity < b.entity;
    return a.pair < b.pair;
  });
  std::vector<std::int32_t> starts;
  for (std::uint32_t i = 0; i < items_.size(); ++i) {
    if (starts.empty() || starts.back() != items_[i].span.start) {
      starts.push_back(items_[i].span.start);
      position_begin_.push_back(i);
    }
    items_[i].position = static_cast<std::uint32_t>(starts.size() - 1);
  }
  position_begin_.push_back(static_cast<std::uint32_t>(items_.size()));
  for (Item& item : items_) {
    item.next = static_cast<std::uint32_t>(std::ranges::lower_bound(starts, item.span.end) - starts.begin());
  }
}

// best[position][set]: the best value from `position` on with the entities of `set` still to be used.
void Component::solve_by_table(ComponentSolution& solution) const {
  const std::size_t positions = position_begin_.size() - 1;
  const std::size_t sets = std::size_t{1} << entities_;
  std::vector<double> best((positions + 1) * sets, 0);
  std::vector<std::int32_t> choice(positions * sets, -1);
  for (std::size_t position = positions; position-- > 0;) {
    double* here = &best[position * sets];
    std::copy_n(&best[(position + 1) * sets], sets, here);
    for (std::uint32_t i = position_begin_[position]; i < position_begin_[position + 1]; ++i) {
      const Item& item = items_[i];
      const std::size_t bit = std::size_t{1} << item.entity;
      const double* after = &best[item.next * sets];
      for (std::size_t set = bit; set < sets; set = (set + 1) | bit) {
        const double value = item.value + after[set ^ bit];
        if (value > here[set]) {
          here[set] = value;
          choice[position * sets + set] = static_cast<std::int32_t>(i);
        }
      }
    }
  }
  std::size_t set = sets - 1;
  for (std::size_t position = 0; position < positions;) {
    const std::int32_t i = choice[position * sets + set];
    if (i < 0) {
      ++position;
      continue;
    }
    const Item& item = items_[static_cast<std::size_t>(i)];
    solution.pairs.push_back(item.pair);
    set ^= std::size_t{1} << item.entity;
    position = item.next;
  }
  solution.value = solution.bound = best[sets - 1];
}

// The best schedule of the reduced values, entities' limits dropped; reach[p] is its value from position p
// on.
double Component::schedule(std::span<const double> multipliers, std::vector<double>& reach,
                           std::vector<std::int32_t>& choice) const {
  const std::size_t positions = position_begin_.size() - 1;
  reach.assign(positions + 1, 0);
  choice.assign(positions, -1);
  for (std::size_t position = positions; position-- > 0;) {
    reach[position] = reach[position + 1];
    for (std::uint32_t i = position_begin_[position]; i < position_begin_[position + 1]; ++i) {
      const double value = items_[i].value - multipliers[items_[i].entity] + reach[items_[i].next];
      if (value > reach[position]) {
        reach[position] = value;
        choice[position] = static_cast<std::int32_t>(i);
      }
    }
  }
  return reach[0];
}

// Makes a schedule keep the entities' limits (best items first), fills what is free, and remembers the result
// when it is the best so far.
void Component::repair(std::vector<std::uint32_t>& items) {
  const auto better = [&](std::uint32_t a, std::uint32_t b) { return items_[a].value > items_[b].value; };
  std::ranges::stable_sort(items, better);
  std::vector<std::uint32_t> used(entities_, 0);
  std::vector<std::uint32_t> kept;
  // Two items overlap if and only if their ranges of positions do: taken_before[p] counts the positions below
  // p that are taken.
  std::vector<std::uint32_t> taken_before(position_begin_.size(), 0);
  const auto try_add = [&](std::uint32_t i) {
    const Item& item = items_[i];
    if (used[item.entity] >= limit_ || taken_before[item.next] != taken_before[item.position]) return;
    for (std::size_t p = item.position + 1; p < taken_before.size(); ++p) {
      taken_before[p] += std::min<std::uint32_t>(static_cast<std::uint32_t>(p), item.next) - item.position;
    }
    ++used[item.entity];
    kept.push_back(i);
  };
  for (const std::uint32_t i : items) try_add(i);
  for (const std::uint32_t i : by_value_) try_add(i);
  double value = 0;
  for (const std::uint32_t i : kept) value += items_[i].value;
  if (value > best_value_) {
    best_value_ = value;
    best_items_ = std::move(kept);
  }
}

void Component::relax(std::size_t steps) {
  by_value_.resize(items_.size());
  std::iota(by_value_.begin(), by_value_.end(), 0U);
  std::ranges::stable_sort(by_value_, std::ranges::greater{},
                           [&](std::uint32_t i) { return items_[i].value; });
  std::vector<double> multipliers = multipliers_;
  multipliers.resize(entities_, 0);
  std::vector<double> reach;
  std::vector<std::int32_t> choice;
  std::vector<std::uint32_t> scheduled;
  std::vector<double> slack(entities_);
  relaxed_ = std::numeric_limits<double>::infinity();
  double scale = 1;
  int since_better = 0;
  for (std::size_t step = 0; step < steps; ++step) {
    double bound = schedule(multipliers, reach, choice);
    for (const double multiplier : multipliers) bound += limit_ * multiplier;
    scheduled.clear();
    std::ranges::fill(slack, static_cast<double>(limit_));
    for (std::size_t position = 0; position < choice.size();) {
      if (choice[position] < 0) {
        ++position;
        continue;
      }
      const auto i = static_cast<std::uint32_t>(choice[position]);
      scheduled.push_back(i);
      slack[items_[i].entity] -= 1;
      position = items_[i].next;
    }
    if (bound < relaxed_) {
      relaxed_ = bound;
      multipliers_ = multipliers;
      reach_ = reach;
      since_better = 0;
    } else if (++since_better == 5) {
      scale /= 2;
      since_better = 0;
    }
    repair(scheduled);
    if (relaxed_ - best_value_ <= exact_tolerance) return;
    double norm = 0;
    for (std::size_t e = 0; e < entities_; ++e) {
      if (multipliers[e] > 0 || slack[e] < 0) norm += slack[e] * slack[e];
    }
    if (norm == 0) return;
    const double length = scale * (bound - best_value_) / norm;
    for (std::size_t e = 0; e < entities_; ++e)
      multipliers[e] = std::max(0.0, multipliers[e] - length * slack[e]);
  }
}

// Visits states position by position and keeps those that can beat the best known solution by more than
// `tolerance`. True when all were visited; else `open_bound` is the most that the unvisited ones can reach.
bool Component::search(double tolerance, std::size_t steps, double& open_bound) {
  const auto bits = static_cast<std::uint32_t>(std::bit_width(limit_));
  if (bits * entities_ > 64) {
    open_bound = relaxed_;
    return false;
  }
  const std::uint64_t field = (std::uint64_t{1} << bits) - 1;
  const std::size_t positions = position_begin_.size() - 1;
  std::vector<std::vector<State>> states(positions + 1);
  std::vector<Node> nodes;
  double rest = 0;
  for (const double multiplier : multipliers_) rest += limit_ * multiplier;
  states[0].push_back({.used = 0, .value = 0, .rest = rest, .node = -1});
  const auto bound_of = [&](const State& state, std::size_t position) {
    return state.value + reach_[position] + state.rest;
  };
  std::int32_t best_node = -1;
  double best_value = best_value_;
  std::size_t taken = 0;
  for (std::size_t position = 0; position < positions; ++position) {
    auto& here = states[position];
    std::ranges::sort(here, [](const State& a, const State& b) {
      return a.used != b.used ? a.used < b.used : a.value > b.value;
    });
    for (std::size_t k = 0; k < here.size(); ++k) {
      const State state = here[k];
      if (k > 0 && here[k - 1].used == state.used) continue;
      if (bound_of(state, position) <= best_value + tolerance) continue;
      if (taken > steps) {
        open_bound = best_value;
        for (std::size_t p = position; p <= positions; ++p) {
          for (const State& open : states[p]) open_bound = std::max(open_bound, bound_of(open, p));
        }
        open_bound = std::min(open_bound, relaxed_);
        break;
      }
      states[position + 1].push_back(state);
      ++taken;
      for (std::uint32_t i = position_begin_[position]; i < position_begin_[position + 1]; ++i) {
        const Item& item = items_[i];
        const std::uint32_t shift = bits * item.entity;
        if (((state.used >> shift) & field) >= limit_) continue;
        ++taken;
        const State after{.used = state.used + (std::uint64_t{1} << shift),
                          .value = state.value + item.value,
                          .rest = state.rest - multipliers_[item.entity],
                          .node = static_cast<std::int32_t>(nodes.size())};
        if (bound_of(after, item.next) <= best_value + tolerance) continue;
        nodes.push_back({i, state.node});
        if (after.value > best_value) {
          best_value = after.value;
          best_node = after.node;
        }
        states[item.next].push_back(after);
      }
    }
    if (taken > steps) break;
    std::vector<State>().swap(here);
  }
  if (best_node >= 0) {
    best_value_ = best_value;
    best_items_.clear();
    for (std::int32_t node = best_node; node >= 0; node = nodes[static_cast<std::size_t>(node)].parent) {
      best_items_.push_back(nodes[static_cast<std::size_t>(node)].item);
    }
  }
  return taken <= steps;
}

ComponentSolution Component::solve(std::size_t entities, std::size_t steps,
                                   std::span<const double> multipliers) {
  entities_ = entities;
  ComponentSolution solution;
  std::erase_if(items_, [](const Item& item) { return !(item.value > 0); });
  drop_dominated();
  if (items_.empty()) return solution;
  index_positions();
  // The tolerances are made for values around 1: a power of two brings them there and back without rounding.
  double largest = 0;
  for (const Item& item : items_) largest = std::max(largest, item.value);
  const int exponent = std::ilogb(largest);
  for (Item& item : items_) item.value = std::scalbn(item.value, -exponent);
  for (const double multiplier : multipliers) multipliers_.push_back(std::scalbn(multiplier, -exponent));
  solve_scaled(solution, steps);
  for (const Item& item : items_) solution.needed.push_back(item.pair);
  for (const double multiplier : multipliers_) {
    solution.multipliers.push_back(std::scalbn(multiplier, exponent));
  }
  solution.value = std::scalbn(solution.value, exponent);
  solution.bound = std::scalbn(solution.bound, exponent);
  return solution;
}

void Component::solve_scaled(ComponentSolution& solution, std::size_t steps) {
  const bool small = entities_ <= table_entities && position_begin_.size() << entities_ <= table_cells &&
                     items_.size() << entities_ <= table_steps;
  if (limit_ == 1 && small) {
    solve_by_table(solution);
    return;
  }
  relax(std::clamp(steps * items_seen_a_search_step / items_.size(), fewest_subgradient_steps,
                   most_subgradient_steps));
  double open_bound = relaxed_;
  bool proven = relaxed_ - best_value_ <= exact_tolerance || search(exact_tolerance, steps / 4, open_bound);
  // Ties by the thousand can keep the search from ending; then prove the score alone.
  if (!proven) proven = relaxed_ - best_value_ <= tie_tolerance || search(tie_tolerance, steps, open_bound);
  for (const std::uint32_t i : best_items_) solution.pairs.push_back(items_[i].pair);
  solution.value = best_value_;
  solution.proven = proven;
  solution.bound = proven ? best_value_ : std::max(open_bound, best_value_);
}

}  // namespace xner
