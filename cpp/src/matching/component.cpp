#include "matching/component.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "matching/component_improve.hpp"
#include "matching/component_price.hpp"
#include "matching/component_proof.hpp"

namespace xner {

namespace {

// Exact: below the smallest difference that evidence between ties makes, above what summing doubles loses.
// Ties: above all evidence of a component, so that choices that tie in score are not told apart.
constexpr Tolerances value_tolerances{.exact = 1e-13, .ties = 1e-8};
// Numbers of projections differ by 1.
constexpr Tolerances number_tolerances{.exact = 1 - 1e-6, .ties = 1 - 1e-6};
constexpr std::size_t core_size = 8192;
constexpr std::size_t most_in_core = 4 * core_size;
constexpr int most_cores = 3;
constexpr std::size_t parts_to_find_required = 4;
constexpr std::size_t root_steps = 100;
constexpr std::size_t later_steps = 25;
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
  solution_ = {};
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
    if (limits_[local].least > room && solution_.shortage.entities.empty()) {
      solution_.shortage = {.entities = {local}, .required = limits_[local].least, .possible = room};
    }
    if (limits_[local].most >= room) limits_[local].most = Limits::unlimited;
    needed_begin_.push_back(static_cast<std::uint32_t>(needed_.size()));
  }
  const int exponent = largest > 0 ? std::clamp(std::ilogb(largest), -largest_exponent, largest_exponent) : 0;
  scale_ = std::scalbn(1.0, -exponent);
}

// How many projections the entities need together.
std::uint32_t Component::required() const {
  std::uint32_t sum = 0;
  for (const Limits limit : limits_) sum += limit.least;
  return sum;
}

void Component::finish(bool proven, double bound) {
  const bool found = incumbent_.value > nothing;
  solution_.pairs = incumbent_.pairs;
  solution_.bound = (proven ? incumbent_.value : bound) / scale_;
  solution_.status = found ? (proven ? MatchStatus::optimal : MatchStatus::feasible)
                           : (proven ? MatchStatus::infeasible : MatchStatus::unknown);
}

const ComponentSolution& Component::solve(Effort& effort) {
  incumbent_ = {.pairs = {}, .value = required() > 0 ? nothing : 0};
  if (!solution_.shortage.entities.empty()) {
    finish(true, nothing);
    return solution_;
  }
  outside_ = nothing;
  small_ = table_.fits(needed_.size(), static_cast<std::size_t>(words_.length()), limits_);
  if (small_) {
    index_(pairs_->pairs, needed_, entity_of_, scale_, items_);
    incumbent_ = table_.solve(items_, limits_);
    if (incumbent_.value == nothing) find_required(effort);
    finish(true, nothing);
  } else {
    solve_large(effort);
  }
  return solution_;
}

// Looks for a choice that has the required projections, which becomes the incumbent; a shortage, if there is
// none.
void Component::find_required(Effort& effort) {
  std::vector<Limits> limits;
  limits.reserve(limits_.size());
  for (const Limits limit : limits_) limits.push_back({.least = 0, .most = limit.least});
  std::vector<std::uint32_t> candidates;
  for (const std::uint32_t pair : needed_) {
    if (limits[entity_of_[pairs_->pairs[pair].entity]].most > 0) candidates.push_back(pair);
  }
  Items items;
  ItemIndex index;
  index(pairs_->pairs, candidates, entity_of_, scale_, items);
  for (Item& item : items.list) item.value = 1;

  Incumbent most;
  double bound = 0;
  if (table_.fits(items.list.size(), items.positions(), limits)) {
    most = table_.solve(items, limits);
    bound = most.value;
  } else {
    Proof proof{.items = std::move(items),
                .limits = limits,
                .relaxation = Relaxation(limits),
                .incumbent = {},
                .bound = static_cast<double>(required()),
                .outside = nothing,
                .tolerances = number_tolerances};
    proof.relaxation.settle(proof.items);
    const bool proven = proof.run(effort);
    most = std::move(proof.incumbent);
    bound = proven ? most.value : proof.bound;
  }
  if (most.value > required() - 0.5) {
    incumbent_ = {.pairs = most.pairs, .value = 0};
    for (const std::uint32_t pair : most.pairs) incumbent_.value += pairs_->pairs[pair].value * scale_;
  } else if (bound < required() - 0.5) {
    solution_.shortage = {.entities = {},
                          .required = required(),
                          .possible = static_cast<std::uint64_t>(std::max(0.0, std::floor(bound + 0.5)))};
    for (std::uint32_t local = 0; local < limits_.size(); ++local) {
      if (limits_[local].least > 0) solution_.shortage.entities.push_back(local);
    }
  }
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
  return excess < value_tolerances.exact;
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
  relaxation_->settle(items_);
}

void Component::add_to_core(std::span<const std::uint32_t> pairs) {
  std::vector<std::uint32_t> core;
  core.reserve(items_.list.size() + pairs.size());
  for (const Item& item : items_.list) core.push_back(item.pair);
  for (const std::uint32_t pair : pairs) {
    if (std::ranges::find(core, pair) == core.end()) core.push_back(pair);
  }
  index_(pairs_->pairs, core, entity_of_, scale_, items_);
}

void Component::solve_large(Effort& effort) {
  start_relaxation();
  Effort part = effort.take_part(parts_to_improve);
  improve(items_, limits_, *relaxation_, part, incumbent_);
  effort.put_back(part);
  if (incumbent_.value == nothing) {
    part = effort.take_part(parts_to_find_required);
    find_required(part);
    effort.put_back(part);
    if (!solution_.shortage.entities.empty()) {
      finish(true, nothing);
      return;
    }
    add_to_core(incumbent_.pairs);
    relaxation_->settle(items_);
    part = effort.take_part(parts_to_improve);
    improve(items_, limits_, *relaxation_, part, incumbent_);
    effort.put_back(part);
  }
  effort.spend((2 + root_steps) * items_.list.size());
  relaxation_->descend(items_, incumbent_.value, root_steps);
  relaxation_->settle(items_);
  double bound = std::max(relaxation_->bound(), outside_);
  for (int round = 0; round < most_cores && outside_ > incumbent_.value + value_tolerances.ties; ++round) {
    const bool feasible = choose_core(relaxation_->bound(), bound, [&](std::uint32_t pair) {
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
    bound = std::min(bound, std::max(relaxation_->bound(), outside_));
    if (feasible) break;
  }
  Proof proof{.items = items_,
              .limits = limits_,
              .relaxation = *relaxation_,
              .incumbent = std::move(incumbent_),
              .bound = bound,
              .outside = outside_,
              .tolerances = value_tolerances};
  const bool proven = proof.run(effort);
  incumbent_ = std::move(proof.incumbent);
  finish(proven, proof.bound);
  std::ranges::sort(incumbent_.pairs);
  chosen_.clear();
  for (const Item& item : items_.list) {
    if (std::ranges::binary_search(incumbent_.pairs, item.pair)) chosen_.push_back(item);
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

// Pairs of its entity that are not needed beside a pair, but without it. They hold its span, so a choice has
// at most one of them.
std::vector<std::uint32_t> Component::needed_without(std::uint32_t pair) {
  const std::uint32_t entity = pairs_->pairs[pair].entity;
  std::vector<std::uint32_t> own;
  filter_.append(pairs_->pairs, pairs_->begin[entity], pairs_->begin[entity + 1], pair, banned_, own);
  auto known = needed_.begin() + needed_begin_[entity_of_[entity]];  // these come in the same order
  std::erase_if(own, [&](std::uint32_t other) {
    if (known != needed_.end() && *known == pair) ++known;
    if (known == needed_.end() || *known != other) return false;
    ++known;
    return true;
  });
  return own;
}

double Component::bound_without_small(std::uint32_t pair, std::span<const std::uint32_t> own) {
  std::vector<std::uint32_t> candidates(own.begin(), own.end());
  for (const std::uint32_t other : needed_) {
    if (other != pair) candidates.push_back(other);
  }
  index_(pairs_->pairs, candidates, entity_of_, scale_, items_);
  return table_.solve(items_, limits_).value / scale_;
}

double Component::bound_without(std::uint32_t pair, Effort& effort) {
  const std::vector<std::uint32_t> own = needed_without(pair);
  if (small_) return bound_without_small(pair, own);

  const Item item = *std::ranges::find(chosen_, pair, &Item::pair);
  const double nearby = without_nearby(item);
  double bound = std::max(outside_, relaxation_->bound_without(items_, item));
  for (const std::uint32_t other : own) {
    const Span span = pairs_->pairs[other].span;
    bound = std::max(bound, relaxation_->value_with({.value = pairs_->pairs[other].value * scale_,
                                                     .entity = item.entity,
                                                     .position = index_.position_of(span.start),
                                                     .next = index_.position_of(span.end),
                                                     .pair = other}));
  }
  if (!(bound > nearby + value_tolerances.exact)) return nearby / scale_;
  std::vector<std::uint32_t> candidates = own;
  for (const Item& other : items_.list) {
    if (other.pair != pair && relaxation_->value_with(other) > nearby + value_tolerances.exact)
      candidates.push_back(other.pair);
  }
  Proof proof{.items = {},
              .limits = limits_,
              .relaxation = *relaxation_,
              .incumbent = {.pairs = {}, .value = nearby},
              .bound = std::min(bound, solution_.bound * scale_),
              .outside = outside_,
              .tolerances = value_tolerances};
  ItemIndex index;
  index(pairs_->pairs, candidates, entity_of_, scale_, proof.items);
  proof.relaxation.settle(proof.items);
  const bool proven = proof.run(effort);
  return (proven ? proof.incumbent.value : proof.bound) / scale_;
}

}  // namespace xner
