// Choosing pairs of source entities and target spans: at most so many an entity, no two spans overlapping.
#pragma once

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
  // Whether it only bounds from above, so that choosing nothing is allowed.
  [[nodiscard]] bool is_upper_bound() const noexcept {
    return relation == Relation::less_equal || relation == Relation::less;
  }
};

// A chosen pair: its index, and the objective lost when this pair is forbidden and the rest chosen anew.
// Where the exact matcher cannot prove the optimum without the pair, the margin is a lower bound of that
// loss.
struct Match {
  std::uint32_t pair = 0;
  double margin = 0;
};

struct Matching {
  std::vector<Match> chosen;
  double objective = 0;  // sum of the chosen scores
  double bound = 0;    // exact: no choice has a higher objective; greedy, which claims nothing: the objective
  bool proven = true;  // exact matching only: the objective is the optimum
};

// Solves the matching problem of section 3.3 of Politov et al. 2025. Keep one a thread: it owns the scratch
// memory; results live until the next call.
class Matcher {
 public:
  // Their greedy algorithm: take the first largest score in row-major order (entity, then candidate), drop
  // what overlaps it and, once the entity has its number of projections, the entity; until no positive score
  // is left. The chosen pairs come in the order of choice. Lower bounds on the number of projections are not
  // enforced. O(pairs) for every pair chosen; O(pairs) in all when the entities' best candidates do not
  // overlap.
  const Matching& greedy(const ScoredPairs& pairs, Constraint constraint);

  // The optimum for upper bounds (`<=`, `<`); throws Error for the other relations. Weighted job interval
  // selection: components of entities with overlapping candidates are solved one by one, by dynamic
  // programming over start positions and sets of entities when small, else by searches over the same states
  // that a Lagrangian relaxation of the entities' limits (interval scheduling) bounds. `proven` is false when
  // the search gave up after `search_limit` units of work; `bound` says how much could be missing. The chosen
  // pairs are sorted by span. Equal objectives (within 2^-30) are decided by `Pair::value`; what ties there
  // too, by the first pair found in a fixed order.
  const Matching& exact(const ScoredPairs& pairs, Constraint constraint);

  // Units of work, each about what looking at a candidate takes, that the exact search may spend on a
  // component, and after that on all its margins together: so that 25 entities over 200 words take less than
  // 50 ms.
  static constexpr std::size_t search_limit = 6'000'000;
  static constexpr std::size_t margins_limit = 3'000'000;

 private:
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

  // First largest pair of an entity, leaving out `forbidden`.
  static std::uint32_t best_pair(const ScoredPairs& pairs, std::size_t entity, std::uint32_t forbidden);
  bool take_disjoint_bests(const ScoredPairs& pairs, std::uint32_t limit);
  void find_components(const ScoredPairs& pairs);
  void run_greedy(const ScoredPairs& pairs, std::uint32_t limit, std::uint32_t forbidden,
                  std::vector<std::uint32_t>& chosen);
  void solve_component(Component& component, const ScoredPairs& pairs,
                       std::span<const std::uint32_t> entities, std::uint32_t limit);
  [[nodiscard]] static double score_of(const ScoredPairs& pairs, std::span<const std::uint32_t> chosen);

  Matching result_;
  std::vector<std::uint32_t> best_;
  std::vector<std::uint32_t> component_;  // entity -> component
  std::vector<std::uint32_t> word_owner_;
  std::vector<char> alive_;
  std::vector<std::uint32_t> used_;
};

}  // namespace xner
