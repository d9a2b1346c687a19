#include "component.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "component_improve.hpp"
#include "component_search.hpp"

namespace xner {

namespace {

constexpr double nothing = -std::numeric_limits<double>::infinity();
// Below the smallest difference that evidence between ties makes, above what summing doubles loses.
constexpr double exact_tolerance = 1e-13;
// Above all evidence of a component: solutions that tie in score are then not told apart.
constexpr double tie_tolerance = 1e-8;
// Of the effort, what is spent on telling ties apart before the score alone is to be proven.
constexpr std::size_t tie_share = 4;
// Of the effort, what improving the first choice may take.
constexpr std::size_t improve_share = 4;
// Of the effort, what a round's subgradient steps may take.
constexpr std::size_t descent_share = 16;
constexpr std::size_t core_size = 8192;
constexpr std::size_t most_in_core = 4 * core_size;
constexpr int most_cores = 3;
constexpr std::size_t root_steps = 100;
constexpr std::size_t later_steps = 25;
constexpr std::size_t first_width = 8;
constexpr std::size_t widening = 4;
// Powers of two that the scale stays within, so that it is a finite number for every score.
constexpr int largest_exponent = 1000;

// Finds a cut that `count` or a few fewer of the values lie above; more only where they tie.
double cut_for(std::span<const double> values, std::size_t count) {
  constexpr std::size_t bins = 1024;
  constexpr int rounds = 3;
  auto [low, high] = std::ranges::minmax(values);
  std::size_t above = 0;
  for (int round = 0; round < rounds && high > low; ++round) {
    std::vector<std::size_t> histogram(bins, 0);
    const double width = (high - low) / bins;
    for (const double value : values) {
      if (value < low || value > high) continue;
      ++histogram[std::min(bins - 1, static_cast<std::size_t>((high - value) / width))];
    }
    std::size_t bin = 0;
    while (bin + 1 < bins && above + histogram[bin] <= count) above += histogram[bin++];
    high -= static_cast<double>(bin) * width;
    low = high - width;
  }
  return above > 0 ? high : low;
}

}  // namespace

void Component::set(const ScoredPairs& pairs, std::span<const std::uint32_t> entities,
                    std::span<const Limits> limits, std::span<const char> banned) {
  pairs_ = &pairs;
  banned_ = banned;
  limits_.assign(limits.begin(), limits.end());
  entity_of_.resize(pairs.entities());
  needed_.clear();
  needed_begin_.assign(1, 0);
  words_ = {.start = std::numeric_limits<std::int32_t>::max(), .end = 0};
  double largest = 0;
  for (std::uint32_t local = 0; local < entities.size(); ++local) {
    const std::uint32_t entity = entities[local];
    entity_of_[entity] = local;
    filter_.append(pairs.pairs, pairs.begin[entity], pairs.begin[entity + 1], NeededPairs::none, banned,
                   needed_);
    // Taking the span that starts last, again and again, gives the most disjoint ones. An entity that has no
    // more of them than it may have projections needs no limit.
    std::uint32_t room = 0;
    std::int32_t free_up_to = std::numeric_limits<std::int32_t>::max();
    for (std::size_t i = needed_begin_.back(); i < needed_.size(); ++i) {
      const Pair& pair = pairs.pairs[needed_[i]];
      largest = std::max(largest, pair.value);
      words_.start = std::min(words_.start, pair.span.start);
      words_.end = std::max(words_.end, pair.span.end);
      if (pair.span.end > free_up_to) continue;
      free_up_to = pair.span.start;
      ++room;
    }
    if (limits_[local].most >= room) limits_[local].most = Limits::unlimited;
    needed_begin_.push_back(static_cast<std::uint32_t>(needed_.size()));
  }
  const int exponent = largest > 0 ? std::clamp(std::ilogb(largest), -largest_exponent, largest_exponent) : 0;
  scale_ = std::scalbn(1.0, -exponent);
}

ComponentSolution Component::solution(const Incumbent& incumbent, double bound, bool proven) const {
  return {.pairs = incumbent.pairs,
          .bound = (proven ? incumbent.value : std::max(bound, incumbent.value)) / scale_,
          .proven = proven,
          .found = incumbent.value > nothing};
}

ComponentSolution Component::solve(Effort& effort) {
  const bool required = std::ranges::any_of(limits_, [](Limits limit) { return limit.least > 0; });
  incumbent_ = {.pairs = {}, .value = required ? nothing : 0};
  small_ = table_.fits(needed_.size(), static_cast<std::size_t>(words_.length()), limits_);
  if (small_) {
    index_(pairs_->pairs, needed_, entity_of_, scale_, items_);
    incumbent_ = table_.solve(items_, limits_);
    proven_ = true;
  } else {
    solve_large(effort);
  }
  return solution(incumbent_, bound_, proven_);
}

// The number of words that needed pairs cover.
std::int32_t Component::covered_words() const {
  std::vector<std::int32_t> change(static_cast<std::size_t>(words_.length()) + 1, 0);
  for (const std::uint32_t pair : needed_) {
    const Span span = pairs_->pairs[pair].span;
    ++change[static_cast<std::size_t>(span.start - words_.start)];
    --change[static_cast<std::size_t>(span.end - words_.start)];
  }
  std::int32_t words = 0;
  std::int32_t over = 0;
  for (const std::int32_t more : change) words += (over += more) > 0 ? 1 : 0;
  return words;
}

// Makes the core of those needed pairs that have the highest reduced values in a dual solution of value
// `dual` (where far too many tie, of an even sample of them), and notes how much choices with the others can
// reach: at most `dual`, less what the pair falls short of its words and entity. Where reduced values are
// above 0 the solution is feasible once the entities' multipliers rise by as much. `all`: a bound for
// everything. True if none was above 0.
template <class ReducedValue>
bool Component::choose_core(double dual, double all, ReducedValue&& reduced_value) {
  std::vector<double> values;
  values.reserve(needed_.size());
  double excess = 0;
  for (std::size_t local = 0; local < limits_.size(); ++local) {
    double highest = 0;
    for (std::uint32_t i = needed_begin_[local]; i < needed_begin_[local + 1]; ++i) {
      values.push_back(reduced_value(needed_[i]));
      highest = std::max(highest, values.back());
    }
    if (highest > 0) excess += highest * limits_[local].most;
  }
  const double cut = cut_for(values, core_size);
  std::vector<std::uint32_t> core;
  double outside = nothing;
  for (std::size_t i = 0; i < needed_.size(); ++i) {
    if (values[i] > cut) {
      core.push_back(needed_[i]);
    } else {
      outside = std::max(outside, values[i]);
    }
  }
  if (core.size() > most_in_core) {
    outside = 0;
    const std::size_t stride = (core.size() + core_size - 1) / core_size;
    for (std::size_t i = 0; i * stride < core.size(); ++i) core[i] = core[i * stride];
    core.resize((core.size() + stride - 1) / stride);
  }
  outside_ = std::min(all, dual + excess + outside);
  for (const std::uint32_t pair : incumbent_.pairs) {
    if (std::ranges::find(core, pair) == core.end()) core.push_back(pair);
  }
  index_(pairs_->pairs, core, entity_of_, scale_, items_);
  return excess < exact_tolerance;
}

void Component::start_relaxation() {
  const WordPrice price(pairs_->pairs, needed_, entity_of_, limits_, scale_, covered_words());
  if (needed_.size() > core_size) {
    choose_core(price.bound(), price.bound(),
                [&](std::uint32_t pair) { return -price.shortfall(pairs_->pairs[pair]); });
  } else {
    index_(pairs_->pairs, needed_, entity_of_, scale_, items_);
  }
  relaxation_.emplace(limits_);
  relaxation_->start(items_, price.multipliers());
}

void Component::solve_large(Effort& effort) {
  start_relaxation();
  relaxation_->settle(items_);
  Effort part = effort.take(effort.left() / improve_share);
  improve(items_, limits_, *relaxation_, part, incumbent_);
  effort.put_back(part);
  effort.spend((2 + root_steps) * items_.list.size());
  relaxation_->descend(items_, incumbent_.value, root_steps);
  relaxation_->settle(items_);
  bound_ = std::max(relaxation_->bound(), outside_);
  for (int round = 0; round < most_cores && outside_ > incumbent_.value + tie_tolerance; ++round) {
    const bool feasible = choose_core(relaxation_->bound(), bound_, [&](std::uint32_t pair) {
      const Pair& from = pairs_->pairs[pair];
      return relaxation_->reduced_value({.value = from.value * scale_,
                                         .entity = entity_of_[from.entity],
                                         .position = index_.position_of(from.span.start),
                                         .next = index_.position_of(from.span.end),
                                         .pair = pair});
    });
    effort.spend((2 + later_steps) * items_.list.size());
    relaxation_->descend(items_, incumbent_.value, later_steps);
    relaxation_->settle(items_);
    bound_ = std::min(bound_, std::max(relaxation_->bound(), outside_));
    if (feasible) break;
  }
  Relaxation relaxation = *relaxation_;
  proven_ = prove(items_, relaxation, incumbent_, bound_, effort);
  std::ranges::sort(incumbent_.pairs);
  chosen_.clear();
  for (const Item& item : items_.list) {
    if (std::ranges::binary_search(incumbent_.pairs, item.pair)) chosen_.push_back(item);
  }
}

// Searches with growing width until nothing better can be left, or the effort is used up. Lowers `bound` to
// what is then open.
bool Component::prove(Items items, Relaxation& relaxation, Incumbent& incumbent, double& bound,
                      Effort& effort) const {
  const std::size_t effort_for_ties = effort.left() - effort.left() / tie_share;
  for (std::size_t width = first_width;; width *= widening) {
    const double tolerance = effort.left() > effort_for_ties ? exact_tolerance : tie_tolerance;
    if (!(bound > incumbent.value + tolerance)) return true;
    if (effort.exhausted()) return false;
    Items left;
    for (std::size_t position = 0; position < items.positions(); ++position) {
      for (const Item& item : items.at(position)) {
        if (relaxation.value_with(item) > incumbent.value + tolerance) left.list.push_back(item);
      }
      left.begin.push_back(static_cast<std::uint32_t>(left.list.size()));
    }
    items = std::move(left);
    if (items.list.empty()) {
      bound = std::max(outside_, incumbent.value);
      return !(outside_ > incumbent.value + tolerance);
    }
    const std::size_t steps =
        std::clamp(effort.left() / descent_share / items.list.size(), std::size_t{5}, root_steps);
    effort.spend((2 + steps) * items.list.size());
    if (effort.exhausted()) return false;
    relaxation.descend(items, incumbent.value, steps);
    relaxation.settle(items);
    if (width == first_width && improve_share * improve_units(items) <= effort.left()) {
      Effort part = effort.take(effort.left() / improve_share);
      improve(items, limits_, relaxation, part, incumbent);
      effort.put_back(part);
    }
    bound = std::min(bound, std::max({relaxation.bound(), outside_, incumbent.value}));
    const double open = search(items, limits_, relaxation, tolerance, width, effort, incumbent);
    if (open == nothing) {
      bound = std::max(outside_, incumbent.value);
      return !(outside_ > incumbent.value + tolerance);
    }
    bound = std::min(bound, std::max({open, outside_, incumbent.value}));
  }
}

// The value of the incumbent without an item, and with the best other one in its place.
double Component::without_nearby(const Item& without) const {
  std::uint32_t begin = 0;
  auto end = static_cast<std::uint32_t>(items_.positions());
  std::vector<std::uint32_t> used(limits_.size(), 0);
  for (const Item& item : chosen_) {
    if (item.pair == without.pair) continue;
    ++used[item.entity];
    if (item.next <= without.position) begin = std::max(begin, item.next);
    if (item.position >= without.next) end = std::min(end, item.position);
  }
  const bool must = used[without.entity] < limits_[without.entity].least;
  double best = must ? nothing : 0;
  for (std::uint32_t position = begin; position < end; ++position) {
    for (const Item& item : items_.at(position)) {
      const bool fits =
          item.next <= end && item.pair != without.pair && used[item.entity] < limits_[item.entity].most;
      if (fits && (!must || item.entity == without.entity)) best = std::max(best, item.value);
    }
  }
  return incumbent_.value - without.value + best;
}

ComponentSolution Component::without(std::uint32_t pair, Effort& effort) {
  const std::uint32_t entity = pairs_->pairs[pair].entity;
  const std::uint32_t local = entity_of_[entity];
  // Pairs of its entity that are not needed beside it are needed without it. They hold its span, so a choice
  // has at most one of them.
  std::vector<std::uint32_t> own;
  filter_.append(pairs_->pairs, pairs_->begin[entity], pairs_->begin[entity + 1], pair, banned_, own);
  auto known = needed_.begin() + needed_begin_[local];  // these come in the same order
  std::erase_if(own, [&](std::uint32_t other) {
    if (known != needed_.end() && *known == pair) ++known;
    if (known == needed_.end() || *known != other) return false;
    ++known;
    return true;
  });

  Incumbent incumbent{.pairs = {}, .value = nothing};
  double bound = outside_;
  std::vector<std::uint32_t> candidates;
  if (small_) {
    for (const std::uint32_t other : needed_) {
      if (other != pair) candidates.push_back(other);
    }
  } else {
    const auto item = std::ranges::find(chosen_, pair, &Item::pair);
    incumbent.value = without_nearby(*item);
    bound = std::max(bound, relaxation_->bound_without(items_, *item));
    for (const std::uint32_t other : own) {
      const Span span = pairs_->pairs[other].span;
      const Item extra{.value = pairs_->pairs[other].value * scale_,
                       .entity = local,
                       .position = index_.position_of(span.start),
                       .next = index_.position_of(span.end),
                       .pair = other};
      bound = std::max(bound, relaxation_->value_with(extra));
    }
    if (!(bound > incumbent.value + exact_tolerance)) return solution(incumbent, bound, true);
    for (const Item& other : items_.list) {
      if (other.pair != pair && relaxation_->value_with(other) > incumbent.value + exact_tolerance)
        candidates.push_back(other.pair);
    }
  }
  candidates.insert(candidates.end(), own.begin(), own.end());

  Items items;
  ItemIndex index;
  index(pairs_->pairs, candidates, entity_of_, scale_, items);
  if (small_) return solution(table_.solve(items, limits_), 0, true);
  Relaxation relaxation = relaxation_ ? *relaxation_ : Relaxation(limits_);
  relaxation.settle(items);
  bound = std::min(bound, std::max(relaxation.bound(), outside_));
  const bool proven = prove(std::move(items), relaxation, incumbent, bound, effort);
  return solution(incumbent, bound, proven);
}

}  // namespace xner
