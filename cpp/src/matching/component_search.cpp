#include "matching/component_search.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace xner {

namespace {

// Work on a state or on extending it, in units of looking at an item.
constexpr std::size_t units_a_state = 8;

// Uses of each entity, in `Words` words of 64 bits.
template <std::size_t Words>
using Uses = std::array<std::uint64_t, Words>;

// Where an entity's count stands in Uses; no bits: its uses need not be counted.
struct Field {
  std::uint32_t word = 0;
  std::uint32_t shift = 0;
  std::uint64_t mask = 0;
};

// An item that can be part of a better choice, and where taking it leads.
struct Arc {
  double gain;
  double value;
  std::uint32_t entity;
  std::uint32_t next;
  std::uint32_t pair;
};

// The arcs by position, those with the highest gain first, and where each entity's last one starts.
struct Arcs {
  std::vector<Arc> list;
  std::vector<std::uint32_t> begin{0};
  std::vector<std::uint32_t> expiring;        // entities by the position of their last arc
  std::vector<std::uint32_t> expiring_begin;  // those of position p: [p] .. [p + 1]

  Arcs(const Items& items, std::size_t entities, const Relaxation& relaxation, double floor) {
    constexpr std::uint32_t never = std::numeric_limits<std::uint32_t>::max();
    std::vector<std::uint32_t> last(entities, never);
    for (std::uint32_t position = 0; position < items.positions(); ++position) {
      for (const Item& item : items.at(position)) {
        if (!(relaxation.value_with(item) > floor)) continue;
        list.push_back({.gain = relaxation.gain(item),
                        .value = item.value,
                        .entity = item.entity,
                        .next = item.next,
                        .pair = item.pair});
        last[item.entity] = position;
      }
      std::stable_sort(list.begin() + begin.back(), list.end(),
                       [](const Arc& a, const Arc& b) { return a.gain > b.gain; });
      begin.push_back(static_cast<std::uint32_t>(list.size()));
    }
    expiring_begin.assign(items.positions() + 1, 0);
    for (const std::uint32_t position : last) {
      if (position != never) ++expiring_begin[position + 1];
    }
    for (std::size_t p = 0; p < items.positions(); ++p) expiring_begin[p + 1] += expiring_begin[p];
    expiring.resize(expiring_begin.back());
    std::vector<std::uint32_t> slot(expiring_begin.begin(), expiring_begin.end() - 1);
    for (std::uint32_t entity = 0; entity < entities; ++entity) {
      if (last[entity] != never) expiring[slot[last[entity]]++] = entity;
    }
  }
};

// A field for every entity that has arcs and is counted; none if they take more than `words` words.
std::optional<std::vector<Field>> make_fields(const Arcs& arcs, std::span<const Limits> limits,
                                              std::size_t words) {
  std::vector<Field> fields(limits.size());
  std::uint32_t word = 0;
  std::uint32_t shift = 0;
  for (const std::uint32_t entity : arcs.expiring) {
    const auto bits = static_cast<std::uint32_t>(std::bit_width(limits[entity].counted()));
    if (bits == 0) continue;
    if (shift + bits > 64) {
      ++word;
      shift = 0;
    }
    if (word >= words) return std::nullopt;
    fields[entity] = {.word = word, .shift = shift, .mask = (std::uint64_t{1} << bits) - 1};
    shift += bits;
  }
  return fields;
}

template <std::size_t Words>
class Search {
 public:
  Search(const Items& items, std::span<const Limits> limits, const Relaxation& relaxation, double tolerance,
         const Arcs& arcs, std::span<const Field> fields)
      : limits_(limits),
        relaxation_(relaxation),
        tolerance_(tolerance),
        arcs_(arcs),
        fields_(fields),
        states_(items.positions() + 1) {
    any_prefix_ = std::ranges::all_of(limits, [](Limits limit) { return limit.least == 0; });
  }

  double operator()(std::size_t width, Effort& effort, Incumbent& incumbent) {
    best_ = incumbent.value;
    double open = nothing;
    double rest = 0;
    for (const std::uint32_t entity : arcs_.expiring) rest += relaxation_.rest(entity, 0);
    const std::size_t positions = states_.size() - 1;
    states_[0].push_back({.uses = {}, .value = 0, .potential = rest, .node = -1});
    for (std::uint32_t position = 0; position < positions; ++position) {
      auto& here = states_[position];
      std::size_t steps = here.size();
      merge(here, position);
      open = std::max(open, narrow(here, position, width));
      for (const State& state : here) steps += extend(state, position);
      effort.spend(units_a_state * steps);
      std::vector<State>().swap(here);
      if (effort.exhausted()) {
        for (std::size_t p = position + 1; p < positions; ++p) {
          for (const State& state : states_[p]) open = std::max(open, bound(state, p));
        }
        break;
      }
    }
    for (const State& state : states_[positions]) note(state);
    if (best_node_ >= 0) {
      incumbent.value = best_;
      incumbent.pairs.clear();
      for (std::int32_t node = best_node_; node >= 0; node = nodes_[static_cast<std::size_t>(node)].parent) {
        incumbent.pairs.push_back(nodes_[static_cast<std::size_t>(node)].pair);
      }
    }
    return open > best_ + tolerance_ ? open : nothing;
  }

 private:
  struct State {
    Uses<Words> uses;  // of entities that have arcs from this position on
    double value;
    double potential;  // value + what the relaxation gives those entities for the uses they have left
    std::int32_t node;
  };
  struct Node {  // the last pair of a partial choice, and the one before it
    std::uint32_t pair;
    std::int32_t parent;
  };

  [[nodiscard]] double bound(const State& state, std::size_t position) const {
    return state.potential + relaxation_.reach(position);
  }
  [[nodiscard]] bool hopeless(const State& state, std::size_t position) const {
    return !(bound(state, position) > best_ + tolerance_);
  }

  void note(const State& state) {
    if (state.value > best_) {
      best_ = state.value;
      best_node_ = state.node;
    }
  }

  // Of states with the same uses keeps the most valuable one, the first of equals.
  void merge(std::vector<State>& here, std::uint32_t position) {
    if (here.size() < 2) return;
    constexpr std::uint32_t empty = std::numeric_limits<std::uint32_t>::max();
    const std::size_t size = std::bit_ceil(2 * here.size());
    table_.assign(size, empty);
    std::uint32_t kept = 0;
    for (const State& state : here) {
      if (hopeless(state, position)) continue;
      std::size_t slot = 0;
      for (const std::uint64_t word : state.uses) slot = (slot ^ word) * 0x9E3779B97F4A7C15U;
      slot = (slot >> 32U) & (size - 1);
      while (table_[slot] != empty && here[table_[slot]].uses != state.uses) slot = (slot + 1) & (size - 1);
      if (table_[slot] == empty) {
        table_[slot] = kept;
        here[kept++] = state;
      } else if (state.value > here[table_[slot]].value) {
        here[table_[slot]] = state;
      }
    }
    here.resize(kept);
  }

  // Keeps the `width` states with the highest bounds; returns the highest bound among the others.
  double narrow(std::vector<State>& here, std::uint32_t position, std::size_t width) const {
    if (here.size() <= width) return nothing;
    std::ranges::nth_element(
        here, here.begin() + static_cast<std::ptrdiff_t>(width), [](const State& a, const State& b) {
          return a.potential != b.potential ? a.potential > b.potential : a.uses < b.uses;
        });
    const double dropped = bound(here[width], position);
    here.resize(width);
    return dropped;
  }

  // Skips the position, and takes each arc from there. Returns the number of states and arcs looked at.
  std::size_t extend(const State& state, std::uint32_t position) {
    if (hopeless(state, position)) return 1;
    std::uint32_t a = arcs_.begin[position];
    for (; a < arcs_.begin[position + 1]; ++a) {
      const Arc& arc = arcs_.list[a];
      if (!(state.potential + arc.gain > best_ + tolerance_)) break;
      const Field field = fields_[arc.entity];
      const Limits limits = limits_[arc.entity];
      const auto used = static_cast<std::uint32_t>((state.uses[field.word] >> field.shift) & field.mask);
      if (used >= limits.most) continue;
      State after = state;
      after.value += arc.value;
      after.potential += arc.value;
      if (used < limits.counted()) {
        after.uses[field.word] += std::uint64_t{1} << field.shift;
        after.potential += relaxation_.rest(arc.entity, used + 1) - relaxation_.rest(arc.entity, used);
      }
      if (!move(after, position, arc.next)) continue;
      after.node = static_cast<std::int32_t>(nodes_.size());
      nodes_.push_back({arc.pair, state.node});
      if (any_prefix_) note(after);
      states_[arc.next].push_back(after);
    }
    State after = state;
    if (move(after, position, position + 1)) states_[position + 1].push_back(after);
    return 1 + a - arcs_.begin[position];
  }

  // Forgets the entities that have no arcs left at `to`. False if that leaves one with too few projections,
  // or nothing to gain.
  bool move(State& state, std::uint32_t from, std::uint32_t to) const {
    for (std::uint32_t i = arcs_.expiring_begin[from]; i < arcs_.expiring_begin[to]; ++i) {
      const std::uint32_t entity = arcs_.expiring[i];
      const Field field = fields_[entity];
      const auto used = static_cast<std::uint32_t>((state.uses[field.word] >> field.shift) & field.mask);
      if (used < limits_[entity].least) return false;
      state.potential -= relaxation_.rest(entity, used);
      state.uses[field.word] &= ~(field.mask << field.shift);
    }
    return !hopeless(state, to);
  }

  std::span<const Limits> limits_;
  const Relaxation& relaxation_;
  double tolerance_;
  const Arcs& arcs_;
  std::span<const Field> fields_;
  bool any_prefix_;  // whether a partial choice is a choice
  std::vector<std::vector<State>> states_;
  std::vector<Node> nodes_;
  std::vector<std::uint32_t> table_;
  double best_ = 0;
  std::int32_t best_node_ = -1;
};

}  // namespace

double search(const Items& items, std::span<const Limits> limits, const Relaxation& relaxation,
              double tolerance, std::size_t width, Effort& effort, Incumbent& incumbent) {
  const Arcs arcs(items, limits.size(), relaxation, incumbent.value + tolerance);
  effort.spend(items.list.size() + units_a_state * arcs.list.size());
  for (std::uint32_t entity = 0; entity < limits.size(); ++entity) {
    const bool has_arcs = std::ranges::find(arcs.expiring, entity) != arcs.expiring.end();
    if (limits[entity].least > 0 && !has_arcs) return nothing;
  }
  const auto run = [&]<std::size_t Words>() -> std::optional<double> {
    const auto fields = make_fields(arcs, limits, Words);
    if (!fields) return std::nullopt;
    return Search<Words>(items, limits, relaxation, tolerance, arcs, *fields)(width, effort, incumbent);
  };
  if (const auto open = run.template operator()<1>()) return *open;
  if (const auto open = run.template operator()<4>()) return *open;
  return relaxation.bound();
}

}  // namespace xner
