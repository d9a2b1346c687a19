#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "matching/component.hpp"
#include "matching/greedy.hpp"
#include "xner/matching.hpp"
#include "xner/scores.hpp"

namespace xner {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

bool overlaps_any(Span span, const ScoredPairs& pairs, std::span<const std::uint32_t> chosen) {
  return std::ranges::any_of(chosen,
                             [&](std::uint32_t pair) { return pairs.pairs[pair].span.overlaps(span); });
}

bool fixes_nothing(const MatchOptions& options) {
  return options.forced.empty() && options.forbidden.empty();
}

}  // namespace

// Deals out work, or time, to components: each the same part of what the others before it have left.
class Matcher::Clock {
 public:
  Clock(std::chrono::nanoseconds limit, std::size_t components)
      : timed_(limit.count() > 0), end_(Effort::Clock::now() + limit), components_(components) {}

  // To be called for one component after the other.
  void start_component() {
    if (!timed_) return;
    const Effort::Clock::time_point now = Effort::Clock::now();
    const auto part = (end_ - now) / static_cast<Effort::Clock::rep>(components_--);
    choice_end_ = now + part / 2;
    margins_end_ = now + part;
  }
  [[nodiscard]] Effort for_choice() const { return timed_ ? Effort(choice_end_) : Effort(search_limit); }
  [[nodiscard]] Effort for_margins() const { return timed_ ? Effort(margins_end_) : Effort(margins_limit); }

 private:
  bool timed_;
  Effort::Clock::time_point end_;
  std::size_t components_;
  Effort::Clock::time_point choice_end_;
  Effort::Clock::time_point margins_end_;
};

std::uint32_t Matcher::best_pair(const ScoredPairs& pairs, std::size_t entity, std::uint32_t without) {
  std::uint32_t best = none;
  double value = 0;
  for (std::uint32_t pair = pairs.begin[entity]; pair < pairs.begin[entity + 1]; ++pair) {
    if (pairs.pairs[pair].value > value && pair != without) {
      value = pairs.pairs[pair].value;
      best = pair;
    }
  }
  return best;
}

double Matcher::score_of(const ScoredPairs& pairs, std::span<const std::uint32_t> chosen) {
  double score = 0;
  for (const std::uint32_t pair : chosen) score += pairs.pairs[pair].score;
  return score;
}

// With at most one projection an entity, the entities' best candidates are the optimum, and the greedy
// choice, when no two of them overlap: nothing can be better. Leaves them in best_ and says whether that is
// so.
bool Matcher::take_disjoint_bests(const ScoredPairs& pairs, const MatchOptions& options) {
  best_.clear();
  if (options.constraint.most() != 1 || !fixes_nothing(options)) return false;
  for (std::size_t entity = 0; entity < pairs.entities(); ++entity) {
    const std::uint32_t best = best_pair(pairs, entity, none);
    if (best == none) continue;
    if (overlaps_any(pairs.pairs[best].span, pairs, best_)) return false;
    best_.push_back(best);
  }
  return true;
}

// Puts best_ into the result. A pair whose entity has a second choice that fits beside everybody's best loses
// just the difference. False where that does not tell all margins; looked at even if none are asked for,
// which must not change the choice.
bool Matcher::margins_of_disjoint_bests(const ScoredPairs& pairs, const MatchOptions& options) {
  const bool required = options.constraint.least() > 0;
  for (const std::uint32_t pair : best_) {
    const std::uint32_t second = best_pair(pairs, pairs.pairs[pair].entity, pair);
    double margin = required ? infinity : pairs.pairs[pair].score;
    if (second != none) {
      const bool fits = std::ranges::none_of(best_, [&](std::uint32_t other) {
        return other != pair && pairs.pairs[other].span.overlaps(pairs.pairs[second].span);
      });
      if (!fits) return false;
      // Of scores that tie within what evidence can decide, the chosen one may be the lower one.
      margin = std::max(0.0, pairs.pairs[pair].score - pairs.pairs[second].score);
    }
    result_.chosen.push_back({pair, options.margins ? margin : 0});
  }
  return true;
}

// Marks in blocked_ what forced pairs leave no room for, themselves, and what is forbidden.
void Matcher::block(const ScoredPairs& pairs, const MatchOptions& options) {
  blocked_.assign(options.forbidden.begin(), options.forbidden.end());
  forced_uses_.assign(pairs.entities(), 0);
  if (options.forced.empty()) return;
  blocked_.resize(pairs.pairs.size(), 0);
  for (std::uint32_t pair = 0; pair < pairs.pairs.size(); ++pair) {
    if (overlaps_any(pairs.pairs[pair].span, pairs, options.forced)) blocked_[pair] = 1;
  }
  for (const std::uint32_t pair : options.forced) ++forced_uses_[pairs.pairs[pair].entity];
}

const Matching& Matcher::greedy(const ScoredPairs& pairs, const MatchOptions& options) {
  result_ = Matching{};
  if (options.constraint.most() == 0 || pairs.pairs.empty()) return result_;
  const bool disjoint = take_disjoint_bests(pairs, options);
  if (disjoint) {
    std::ranges::stable_sort(best_, std::ranges::greater{},
                             [&](std::uint32_t pair) { return pairs.pairs[pair].value; });
  }
  if (disjoint && margins_of_disjoint_bests(pairs, options)) {
    result_.objective = score_of(pairs, best_);
  } else {
    result_.chosen.clear();
    result_.objective = choose_greedily(pairs, options, result_.chosen);
  }
  const bool complete = options.constraint.least() == 0 || best_.size() == pairs.entities();
  result_.status = disjoint && complete ? MatchStatus::optimal : MatchStatus::feasible;
  result_.bound = disjoint && complete ? result_.objective : infinity;
  return result_;
}

// Entities share a component when candidates of theirs cover the same word, directly or through others.
void Matcher::find_components(const ScoredPairs& pairs) {
  component_.resize(pairs.entities());
  std::iota(component_.begin(), component_.end(), 0U);
  const auto root = [&](std::uint32_t entity) {
    while (component_[entity] != entity) entity = component_[entity] = component_[component_[entity]];
    return entity;
  };
  std::int32_t words = 0;
  for (const Pair& pair : pairs.pairs) words = std::max(words, pair.span.end);
  word_owner_.assign(static_cast<std::size_t>(words), none);
  for (std::uint32_t entity = 0; entity < pairs.entities(); ++entity) {
    // Marked so far from the current start on; candidates often come in order, so few words are seen twice.
    Span covered;
    for (std::uint32_t i = pairs.begin[entity]; i < pairs.begin[entity + 1]; ++i) {
      if (blocked(i)) continue;
      const Span span = pairs.pairs[i].span;
      std::int32_t word = span.start;
      if (covered.contains(word)) word = covered.end;
      for (; word < span.end; ++word) {
        std::uint32_t& owner = word_owner_[static_cast<std::size_t>(word)];
        if (owner == none) {
          owner = entity;
        } else {
          component_[root(owner)] = root(entity);
        }
      }
      if (!covered.contains(span.start)) covered = span;
      covered.end = std::max(covered.end, span.end);
    }
  }
  for (std::uint32_t entity = 0; entity < pairs.entities(); ++entity) component_[entity] = root(entity);
}

// Adds the best choice among the pairs of `entities` to the result, with the margin of each chosen pair.
// False if there is none, or none was found; the result says so then.
bool Matcher::solve_component(Component& component, const ScoredPairs& pairs, const MatchOptions& options,
                              std::span<const std::uint32_t> entities, Clock& clock) {
  clock.start_component();
  std::vector<Limits> limits;
  for (const std::uint32_t entity : entities) {
    const std::uint32_t least = options.constraint.least();
    const std::uint32_t most = options.constraint.most();
    const std::uint32_t forced = forced_uses_[entity];
    limits.push_back({.least = least - std::min(least, forced),
                      .most = most == Limits::unlimited ? most : most - std::min(most, forced)});
  }
  component.set(pairs, entities, limits, blocked_);
  Effort effort = clock.for_choice();
  const ComponentSolution& solution = component.solve(effort);
  const bool found = solution.status == MatchStatus::optimal || solution.status == MatchStatus::feasible;
  if (!found) {
    result_ = Matching{};
    result_.status = solution.status;
    result_.shortage = solution.shortage;
    for (std::uint32_t& entity : result_.shortage.entities) entity = entities[entity];
    return false;
  }
  const bool proven = solution.status == MatchStatus::optimal;
  const double objective = score_of(pairs, solution.pairs);
  double value = 0;
  for (const std::uint32_t pair : solution.pairs) value += pairs.pairs[pair].value;
  result_.objective += objective;
  result_.bound += proven ? objective : std::max(objective, solution.bound);
  if (!proven) result_.status = MatchStatus::feasible;
  Effort margins = clock.for_margins();
  std::size_t to_do = solution.pairs.size();
  for (const std::uint32_t pair : solution.pairs) {
    double margin = 0;
    if (options.margins) {
      Effort part = margins.take_part(to_do--);
      margin = value - component.bound_without(pair, part);
      margins.put_back(part);
    }
    result_.chosen.push_back({pair, proven ? std::max(0.0, margin) : margin});
  }
  return true;
}

const Matching& Matcher::exact(const ScoredPairs& pairs, const MatchOptions& options) {
  result_ = Matching{};
  if (options.constraint.impossible()) {
    result_.status = MatchStatus::infeasible;
    return result_;
  }
  const auto sort_by_span = [&]() -> const Matching& {
    std::ranges::sort(result_.chosen, {}, [&](Match match) { return pairs.pairs[match.pair].span; });
    return result_;
  };
  if (options.constraint.most() == 0) return result_;
  const std::uint32_t least = options.constraint.least();
  if (take_disjoint_bests(pairs, options) && (least == 0 || best_.size() == pairs.entities())) {
    result_.objective = result_.bound = score_of(pairs, best_);
    if (margins_of_disjoint_bests(pairs, options)) return sort_by_span();
    result_ = Matching{};
  }

  block(pairs, options);
  find_components(pairs);
  std::vector<std::vector<std::uint32_t>> components;
  std::vector<std::uint32_t> number(pairs.entities(), none);
  for (std::uint32_t entity = 0; entity < pairs.entities(); ++entity) {
    if (least == 0 && pairs.begin[entity] == pairs.begin[entity + 1]) continue;
    std::uint32_t& at = number[component_[entity]];
    if (at == none) {
      at = static_cast<std::uint32_t>(components.size());
      components.emplace_back();
    }
    components[at].push_back(entity);
  }
  Component component;
  Clock clock(options.time_limit, components.size());
  for (const auto& entities : components) {
    if (!solve_component(component, pairs, options, entities, clock)) return result_;
  }
  for (const std::uint32_t pair : options.forced) {
    result_.chosen.push_back({pair, infinity});
    result_.objective += pairs.pairs[pair].score;
    result_.bound += pairs.pairs[pair].score;
  }
  return sort_by_span();
}

std::vector<Matching> Matcher::best(const ScoredPairs& pairs, const MatchOptions& options,
                                    std::size_t count) {
  // A part of all choices, and the best one in it.
  struct Part {
    std::vector<std::uint32_t> forced;
    std::vector<char> forbidden;
    Matching matching;
    std::size_t number;
  };
  const auto later = [](const Part& a, const Part& b) {
    const double left = a.matching.objective;
    const double right = b.matching.objective;
    return left != right ? left < right : a.number > b.number;
  };
  std::vector<Part> open;
  std::size_t made = 0;
  bool all_proven = true;
  const auto add = [&](std::vector<std::uint32_t> forced, std::vector<char> forbidden) {
    MatchOptions part = options;
    part.forced = forced;
    part.forbidden = forbidden;
    part.margins = false;
    Matching matching = exact(pairs, part);
    const MatchStatus status = matching.status;
    if (status == MatchStatus::unknown || status == MatchStatus::feasible) all_proven = false;
    if (status == MatchStatus::unknown || status == MatchStatus::infeasible) return;
    open.push_back({std::move(forced), std::move(forbidden), std::move(matching), made++});
    std::ranges::push_heap(open, later);
  };
  add({options.forced.begin(), options.forced.end()}, {options.forbidden.begin(), options.forbidden.end()});
  std::vector<Matching> found;
  if (open.empty() && count > 0) found.push_back(result_);
  std::size_t proven = 0;
  while (!open.empty() && found.size() < count) {
    double bound = -infinity;
    for (const Part& part : open) bound = std::max(bound, part.matching.bound);
    std::ranges::pop_heap(open, later);
    Part part = std::move(open.back());
    open.pop_back();
    found.push_back(part.matching);
    found.back().bound = all_proven ? part.matching.objective : bound;
    found.back().status = all_proven ? MatchStatus::optimal : MatchStatus::feasible;
    proven += all_proven ? 1 : 0;
    if (found.size() == count) break;
    part.forbidden.resize(pairs.pairs.size(), 0);
    for (const Match match : part.matching.chosen) {
      if (std::ranges::find(part.forced, match.pair) != part.forced.end()) continue;
      part.forbidden[match.pair] = 1;
      add(part.forced, part.forbidden);
      part.forbidden[match.pair] = 0;
      part.forced.push_back(match.pair);
    }
  }
  // Where a part's best choice is not known, a better one can turn up in the parts that it is divided into.
  const auto unproven = std::span(found).subspan(std::min(proven, found.size()));
  std::ranges::stable_sort(unproven, std::ranges::greater{}, &Matching::objective);
  for (std::size_t i = unproven.size(); i-- > 1;) {
    unproven[i - 1].bound = std::max(unproven[i - 1].bound, unproven[i].bound);
  }
  return found;
}

}  // namespace xner
