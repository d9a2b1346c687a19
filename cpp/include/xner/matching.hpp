// Choosing pairs of source entities and target spans: so many an entity, no two spans overlapping.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "xner/span.hpp"

namespace xner {

struct ScoredPairs;
class Component;

// A source entity, a target span, and what choosing them adds to the objective.
struct Pair {
  std::uint32_t entity = 0;
  Span span;
  double score = 0;
  // What is maximised: the score, times at most 1 + 2^-30 by the evidence that decides between equal scores.
  double value = 0;
};

// How many projections an entity must have.
struct Constraint {
  enum class Relation { less_equal, equal, greater_equal, less, greater };
  static constexpr std::uint32_t unlimited = std::numeric_limits<std::uint32_t>::max();

  Relation relation = Relation::less_equal;
  std::uint32_t n = 1;

  // The most projections an entity may have.
  [[nodiscard]] std::uint32_t most() const noexcept {
    switch (relation) {
      case Relation::less:
        return n == 0 ? 0 : n - 1;
      case Relation::greater:
      case Relation::greater_equal:
        return unlimited;
      default:
        return n;
    }
  }
  // The least number of projections an entity must have.
  [[nodiscard]] std::uint32_t least() const noexcept {
    switch (relation) {
      case Relation::equal:
      case Relation::greater_equal:
        return n;
      case Relation::greater:
        return n == unlimited ? n : n + 1;
      default:
        return 0;
    }
  }
  // Whether it only bounds from above, so that choosing nothing is allowed.
  [[nodiscard]] bool is_upper_bound() const noexcept {
    return relation == Relation::less_equal || relation == Relation::less;
  }
  // No number is below 0.
  [[nodiscard]] bool impossible() const noexcept { return relation == Relation::less && n == 0; }
};

enum class MatcherKind { exact, greedy };

// What is asked of a matcher.
struct MatchOptions {
  Constraint constraint;
  // Indices of pairs that every choice has, whatever their score; they must not overlap or be more than an
  // entity may have. Empty: none.
  std::span<const std::uint32_t> forced;
  // Of every pair whether no choice has it. Empty: none.
  std::span<const char> forbidden;
  bool margins = true;
  // Exact matching: zero for a limit on work, the same on every machine; else on time, half of it for the
  // choice and half for its margins, with which the result may vary.
  std::chrono::nanoseconds time_limit{0};
};

// A chosen pair: its index, and the objective lost when this pair is forbidden and the rest chosen anew;
// infinite when the constraint cannot be met then, and for forced pairs; 0 when no margins were asked for.
// Where the exact matcher cannot prove the optimum without the pair, the margin is a lower bound of that
// loss.
struct Match {
  std::uint32_t pair = 0;
  double margin = 0;
};

enum class MatchStatus : std::uint8_t {
  optimal,     // no choice has a higher objective
  feasible,    // greedy choices; exact ones that were not proven
  infeasible,  // no choice meets the constraint
  unknown,     // no choice that meets the constraint was found, and none was ruled out
};

// Why no choice meets the constraint: these entities need so many projections together, and so many there can
// be.
struct Shortage {
  std::vector<std::uint32_t> entities;
  std::uint64_t required = 0;
  std::uint64_t possible = 0;
};

struct Matching {
  std::vector<Match> chosen;
  double objective = 0;  // sum of the chosen scores
  double bound = 0;      // no choice has a higher objective; infinite where nothing is known
  MatchStatus status = MatchStatus::optimal;
  Shortage shortage;
};

// Solves the matching problem of section 3.3 of Politov et al. 2025. Keep one a thread: it owns the scratch
// memory; results live until the next call. Only pairs with a positive score are chosen, forced ones apart.
class Matcher {
 public:
  // Their greedy algorithm: take the first largest score in row-major order (entity, then candidate), drop
  // what overlaps it and, once the entity has its number of projections, the entity; until no positive score
  // is left. The chosen pairs come in the order of choice, forced ones first. Lower bounds on the number of
  // projections are not enforced. O(pairs) and sorting those that may be chosen: few, where spans hold better
  // ones of the same entity.
  const Matching& greedy(const ScoredPairs& pairs, const MatchOptions& options);

  // The optimum. Weighted job interval selection: components of entities with overlapping candidates are
  // solved one by one, by dynamic programming over start positions and sets of entities when small, else by
  // searches over the same states that a Lagrangian relaxation of the entities' limits (interval scheduling)
  // bounds. The status is `feasible` when the search gave up; `bound` says how much could be missing. The
  // chosen pairs are sorted by span. Equal objectives (within 2^-30) are decided by `Pair::value`; what ties
  // there too, by the first pair found in a fixed order.
  const Matching& exact(const ScoredPairs& pairs, const MatchOptions& options);

  // The `count` best choices, best first, fewer if there are no more; without margins. Each differs from the
  // others in at least one pair; dropping a pair makes another choice. The bound is what choices that come
  // later can reach at most. Lawler 1972: the choices other than the best one fall into those without its
  // first pair, those with its first but without its second pair, and so on; each part is solved exactly.
  // Throws nothing for infeasible problems: the only result then has that status.
  std::vector<Matching> best(const ScoredPairs& pairs, const MatchOptions& options, std::size_t count);

  // Units of work, each about what looking at a candidate takes, that the exact search may spend on a
  // component, and after that on all its margins together: so that 25 entities over 200 words take less than
  // 50 ms.
  static constexpr std::size_t search_limit = 8'000'000;
  static constexpr std::size_t margins_limit = 3'000'000;

 private:
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

  class Clock;

  // First largest pair of an entity, leaving out `without`.
  static std::uint32_t best_pair(const ScoredPairs& pairs, std::size_t entity, std::uint32_t without);
  bool take_disjoint_bests(const ScoredPairs& pairs, const MatchOptions& options);
  bool margins_of_disjoint_bests(const ScoredPairs& pairs, const MatchOptions& options);
  void block(const ScoredPairs& pairs, const MatchOptions& options);
  [[nodiscard]] bool blocked(std::uint32_t pair) const { return !blocked_.empty() && blocked_[pair] != 0; }
  void find_components(const ScoredPairs& pairs);
  bool solve_component(Component& component, const ScoredPairs& pairs, const MatchOptions& options,
                       std::span<const std::uint32_t> entities, Clock& clock);
  [[nodiscard]] static double score_of(const ScoredPairs& pairs, std::span<const std::uint32_t> chosen);

  Matching result_;
  std::vector<std::uint32_t> best_;
  std::vector<char> blocked_;               // of every pair whether it cannot be chosen any more; empty: none
  std::vector<std::uint32_t> forced_uses_;  // of every entity
  std::vector<std::uint32_t> component_;    // entity -> component
  std::vector<std::uint32_t> word_owner_;
};

}  // namespace xner
