// One connected part of a matching problem, solved exactly: weighted job interval selection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "matching/component_effort.hpp"
#include "matching/component_items.hpp"
#include "matching/component_relaxation.hpp"
#include "matching/component_table.hpp"
#include "xner/scores.hpp"

namespace xner {

// The best choice found, and what is known of better ones.
struct ComponentSolution {
  std::vector<std::uint32_t> pairs;
  double bound = 0;  // no choice has a higher value
  MatchStatus status = MatchStatus::optimal;
  Shortage shortage;  // entities as the component numbers them
};

// Maximises the value of disjoint spans, each entity with at least and at most so many of them.
//
// Small components go through a table over (start position, uses of every entity). Larger ones:
//  1. Of each entity only pairs are kept that an optimum can need (NeededPairs), and of these, where they are
//     very many, the core: those that a single price for all words (WordPrice) leaves the best chance. The
//     same dual solution bounds what the others can reach (as in Balas, Zemel 1980, for knapsacks).
//  2. A greedy choice by reduced values is improved by ejections; subgradient steps improve the relaxation.
//  3. Proof: items that no choice better than the incumbent can hold are dropped; on what is left, searches
//     of growing width improve the incumbent or prove it.
// Where entities need projections and step 2 finds no choice that has them, the choice with the most of them
// is sought in the same way, with each of them worth 1. Work is limited by an Effort; what is open when it
// ends is in the bound.
class Component {
 public:
  // `entities` are those of the component; `limits` has one entry for each; pairs marked in `banned` (empty:
  // none) are left out. What is referred to must outlive the calls of solve() and bound_without().
  void set(const ScoredPairs& pairs, std::span<const std::uint32_t> entities, std::span<const Limits> limits,
           std::span<const char> banned);

  // The best choice.
  const ComponentSolution& solve(Effort& effort);

  // The most that choices without one of the pairs that solve() chose can reach, at most the bound of
  // solve(); minus infinity if there is none.
  double bound_without(std::uint32_t pair, Effort& effort);

 private:
  [[nodiscard]] std::int32_t covered_words() const;
  void start_relaxation();
  template <class ReducedValue>
  bool choose_core(double dual, double all, ReducedValue&& reduced_value);
  void solve_large(Effort& effort);
  [[nodiscard]] std::uint32_t required() const;
  void find_required(Effort& effort);
  void add_to_core(std::span<const std::uint32_t> pairs);
  void finish(bool proven, double bound);
  [[nodiscard]] std::vector<std::uint32_t> needed_without(std::uint32_t pair);
  [[nodiscard]] double bound_without_small(std::uint32_t pair, std::span<const std::uint32_t> own);
  [[nodiscard]] double without_nearby(const Item& without) const;

  const ScoredPairs* pairs_ = nullptr;
  std::span<const char> banned_;
  std::vector<Limits> limits_;
  std::vector<std::uint32_t> entity_of_;  // number within the component
  double scale_ = 1;                      // brings values to around 1, which tolerances are made for
  Span words_;                            // from the first to the last word of needed pairs
  NeededPairs filter_;
  std::vector<std::uint32_t> needed_;  // entity by entity
  std::vector<std::uint32_t> needed_begin_;
  ItemIndex index_;
  Items items_;
  UsesTable table_;
  bool small_ = true;  // whether the table is used
  std::optional<Relaxation> relaxation_;
  double outside_ = 0;  // no choice with a needed pair outside the core has a higher value
  Incumbent incumbent_;
  std::vector<Item> chosen_;  // the incumbent's items
  ComponentSolution solution_;
};

}  // namespace xner
