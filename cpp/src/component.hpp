// One connected part of a matching problem, solved exactly: weighted job interval selection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "xner/span.hpp"

namespace xner {

struct ComponentSolution {
  std::vector<std::uint32_t> pairs;  // what add() was given as `pair`
  double value = 0;
  double bound = 0;  // no solution has a higher value
  bool proven = true;
  // For solving nearly the same problem again: the pairs that any solution can need, and the relaxation's
  // multipliers (none where it was not used).
  std::vector<std::uint32_t> needed;
  std::vector<double> multipliers;
};

// Maximises the value of disjoint spans, at most `limit` an entity.
//
// Two ways: for few entities a table over (start position, set of entities used); else a search over the same
// states that keeps only those which can still beat the best known solution. What a state can still reach is
// bounded by the Lagrangian relaxation of the entities' limits: with multipliers lambda,
//   H(position) + sum over entities of lambda * (uses left),
// where H is the best interval schedule of the reduced values v - lambda from that position on, found for all
// positions in one backward pass. Subgradient steps choose the multipliers; since interval matrices are
// totally unimodular the bound tends to that of the clique linear programme (Nemhauser, Wolsey 1988, II.3.6).
class Component {
 public:
  explicit Component(std::uint32_t limit) : limit_(limit) {}

  // Entities are numbered from 0 within the component.
  void add(std::uint32_t entity, Span span, double value, std::uint32_t pair);

  // Call once. Gives up after about `steps` extensions of states and then says what could be missing.
  // `multipliers`, from a problem that is nearly the same, are where the relaxation starts; empty for zeros.
  [[nodiscard]] ComponentSolution solve(std::size_t entities, std::size_t steps,
                                        std::span<const double> multipliers = {});

 private:
  struct Item {
    Span span;
    std::uint32_t entity;
    std::uint32_t pair;
    double value;
    std::uint32_t position;  // index of span.start among the distinct starts
    std::uint32_t next;      // first position at or after span.end
  };
  struct State {
    std::uint64_t used;
    double value;
    double rest;  // sum over entities of lambda * (uses left)
    std::int32_t node;
  };
  struct Node {  // the last item of a partial solution, and the one before it
    std::uint32_t item;
    std::int32_t parent;
  };

  void drop_dominated();
  void solve_scaled(ComponentSolution& solution, std::size_t steps);
  void index_positions();
  void solve_by_table(ComponentSolution& solution) const;
  void relax(std::size_t steps);
  double schedule(std::span<const double> multipliers, std::vector<double>& reach,
                  std::vector<std::int32_t>& choice) const;
  void repair(std::vector<std::uint32_t>& items);
  bool search(double tolerance, std::size_t steps, double& open_bound);

  std::uint32_t limit_;
  std::size_t entities_ = 0;
  std::vector<Item> items_;  // sorted by start, then end, then entity
  std::vector<std::uint32_t>
      position_begin_;                   // items of position p: position_begin_[p] .. position_begin_[p + 1]
  std::vector<std::uint32_t> by_value_;  // items, largest value first
  std::vector<double> multipliers_;
  std::vector<double> reach_;              // H for multipliers_
  double relaxed_ = 0;                     // the relaxation's bound for the whole component
  std::vector<std::uint32_t> best_items_;  // the best known solution
  double best_value_ = 0;
};

}  // namespace xner
