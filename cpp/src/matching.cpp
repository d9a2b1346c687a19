#include "xner/matching.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "component.hpp"
#include "xner/error.hpp"
#include "xner/scores.hpp"

namespace xner {

namespace {

bool overlaps_any(Span span, const ScoredPairs& pairs, std::span<const std::uint32_t> chosen) {
  return std::ranges::any_of(chosen,
                             [&](std::uint32_t pair) { return pairs.pairs[pair].span.overlaps(span); });
}

}  // namespace

std::uint32_t Matcher::best_pair(const ScoredPairs& pairs, std::size_t entity, std::uint32_t forbidden) {
  std::uint32_t best = none;
  double value = 0;
  for (std::uint32_t pair = pairs.begin[entity]; pair < pairs.begin[entity + 1]; ++pair) {
    if (pairs.pairs[pair].value > value && pair != forbidden) {
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

// With one projection an entity, the entities' best candidates are the optimum, and the greedy choice, when
// no two of them overlap: nothing can be better. Leaves them in best_ and says whether that is so.
bool Matcher::take_disjoint_bests(const ScoredPairs& pairs, std::uint32_t limit) {
  best_.clear();
  if (limit != 1) return false;
  for (std::size_t entity = 0; entity < pairs.entities(); ++entity) {
    const std::uint32_t best = best_pair(pairs, entity, none);
    if (best == none) continue;
    if (overlaps_any(pairs.pairs[best].span, pairs, best_)) return false;
    best_.push_back(best);
  }
  return true;
}

const Matching& Matcher::greedy(const ScoredPairs& pairs, Constraint constraint) {
  result_ = Matching{};
  const std::uint32_t limit = constraint.most();
  if (limit == 0 || pairs.pairs.empty()) return result_;
  const bool disjoint = take_disjoint_bests(pairs, limit);
  if (disjoint) {
    std::ranges::stable_sort(best_, std::ranges::greater{},
                             [&](std::uint32_t pair) { return pairs.pairs[pair].value; });
  } else {
    run_greedy(pairs, limit, none, best_);
  }
  const double objective = score_of(pairs, best_);
  std::vector<std::uint32_t> without;
  for (const std::uint32_t pair : best_) {
    double margin = pairs.pairs[pair].score;
    if (disjoint) {
      const std::uint32_t second = best_pair(pairs, pairs.pairs[pair].entity, pair);
      const bool fits = second == none || std::ranges::none_of(best_, [&](std::uint32_t other) {
                          return other != pair && pairs.pairs[other].span.overlaps(pairs.pairs[second].span);
                        });
      if (fits) {
        if (second != none) margin -= pairs.pairs[second].score;
        result_.chosen.push_back({pair, margin});
        continue;
      }
    }
    run_greedy(pairs, limit, pair, without);
    result_.chosen.push_back({pair, objective - score_of(pairs, without)});
  }
  result_.objective = result_.bound = objective;
  return result_;
}

void Matcher::run_greedy(const ScoredPairs& pairs, std::uint32_t limit, std::uint32_t forbidden,
                         std::vector<std::uint32_t>& chosen) {
  chosen.clear();
  alive_.assign(pairs.pairs.size(), 1);
  if (forbidden != none) alive_[forbidden] = 0;
  used_.assign(pairs.entities(), 0);
  for (;;) {
    std::uint32_t best = none;
    double value = 0;
    for (std::uint32_t pair = 0; pair < pairs.pairs.size(); ++pair) {
      if (alive_[pair] != 0 && pairs.pairs[pair].value > value) {
        value = pairs.pairs[pair].value;
        best = pair;
      }
    }
    if (best == none) return;
    chosen.push_back(best);
    const Pair& taken = pairs.pairs[best];
    const bool full = ++used_[taken.entity] >= limit;
    for (std::uint32_t pair = 0; pair < pairs.pairs.size(); ++pair) {
      const Pair& other = pairs.pairs[pair];
      if (other.span.overlaps(taken.span) || (full && other.entity == taken.entity)) alive_[pair] = 0;
    }
  }
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
    Span covered;  // marked so far from the current start on; candidates often come in order, so few words
                   // are seen twice
    for (const Pair& pair : pairs.of(entity)) {
      std::int32_t word = pair.span.start;
      if (covered.contains(word)) word = covered.end;
      for (; word < pair.span.end; ++word) {
        std::uint32_t& owner = word_owner_[static_cast<std::size_t>(word)];
        if (owner == none) {
          owner = entity;
        } else {
          component_[root(owner)] = root(entity);
        }
      }
      if (!covered.contains(pair.span.start)) covered = pair.span;
      covered.end = std::max(covered.end, pair.span.end);
    }
  }
  for (std::uint32_t entity = 0; entity < pairs.entities(); ++entity) component_[entity] = root(entity);
}

// Adds the best choice among the pairs of `entities` to the result, with the margin of each chosen pair.
void Matcher::solve_component(Component& component, const ScoredPairs& pairs,
                              std::span<const std::uint32_t> entities, std::uint32_t limit) {
  const std::vector<Limits> limits(entities.size(), {.least = 0, .most = limit});
  component.set(pairs, entities, limits, {});
  Effort effort(search_limit);
  const ComponentSolution solution = component.solve(effort);
  const double objective = score_of(pairs, solution.pairs);
  double value = 0;
  for (const std::uint32_t pair : solution.pairs) value += pairs.pairs[pair].value;
  result_.objective += objective;
  result_.bound += solution.proven ? objective : std::max(objective, solution.bound);
  result_.proven = result_.proven && solution.proven;
  Effort margins(margins_limit);
  std::size_t to_do = solution.pairs.size();
  for (const std::uint32_t pair : solution.pairs) {
    Effort part = margins.take(margins.left() / to_do--);
    const double margin = value - component.without(pair, part).bound;
    margins.put_back(part);
    result_.chosen.push_back({pair, solution.proven ? std::max(0.0, margin) : margin});
  }
}

const Matching& Matcher::exact(const ScoredPairs& pairs, Constraint constraint) {
  if (!constraint.is_upper_bound()) {
    throw Error(
        "exact matching takes the constraints '<=' and '<'; use matcher='greedy' for '=', '>=' and '>'");
  }
  result_ = Matching{};
  const std::uint32_t limit = constraint.most();
  if (limit == 0 || pairs.pairs.empty()) return result_;
  const bool disjoint = take_disjoint_bests(pairs, limit);

  // A pair whose entity has a second choice that fits beside everybody's best loses just the difference.
  const auto simple_margin = [&](std::uint32_t pair, double& margin) {
    const std::uint32_t second = best_pair(pairs, pairs.pairs[pair].entity, pair);
    margin = pairs.pairs[pair].score - (second == none ? 0 : pairs.pairs[second].score);
    return second == none || std::ranges::none_of(best_, [&](std::uint32_t other) {
             return other != pair && pairs.pairs[other].span.overlaps(pairs.pairs[second].span);
           });
  };
  if (disjoint) {
    bool simple = true;
    for (const std::uint32_t pair : best_) {
      double margin = 0;
      simple = simple && simple_margin(pair, margin);
      result_.chosen.push_back({pair, margin});
    }
    result_.objective = result_.bound = score_of(pairs, best_);
    if (simple) {
      std::ranges::sort(result_.chosen, {}, [&](Match match) { return pairs.pairs[match.pair].span; });
      return result_;
    }
    result_ = Matching{};
  }

  find_components(pairs);
  Component component;
  std::vector<std::uint32_t> members;
  for (std::uint32_t leader = 0; leader < pairs.entities(); ++leader) {
    if (component_[leader] != leader) continue;
    members.clear();
    for (std::uint32_t entity = 0; entity < pairs.entities(); ++entity) {
      if (component_[entity] == leader && pairs.begin[entity] < pairs.begin[entity + 1])
        members.push_back(entity);
    }
    if (members.empty()) continue;
    solve_component(component, pairs, members, limit);
  }
  std::ranges::sort(result_.chosen, {}, [&](Match match) { return pairs.pairs[match.pair].span; });
  return result_;
}

}  // namespace xner
