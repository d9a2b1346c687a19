#include "matching/greedy.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>

#include "matching/nested_spans.hpp"

namespace xner {

namespace {

// What a choice leaves free.
class Room {
 public:
  Room(std::size_t words, std::size_t entities, std::uint32_t most)
      : next_taken_(words, std::numeric_limits<std::int32_t>::max()), uses_(entities, 0), most_(most) {}

  [[nodiscard]] bool fits(const Pair& pair) const {
    return uses_[pair.entity] < most_ &&
           next_taken_[static_cast<std::size_t>(pair.span.start)] >= pair.span.end;
  }
  void take(const Pair& pair) {
    ++uses_[pair.entity];
    const Span span = pair.span;
    for (std::int32_t word = span.start; word < span.end; ++word)
      next_taken_[static_cast<std::size_t>(word)] = word;
    for (std::int32_t word = span.start - 1; word >= 0; --word) {
      std::int32_t& next = next_taken_[static_cast<std::size_t>(word)];
      if (next <= span.start) break;
      next = span.start;
    }
  }

 private:
  std::vector<std::int32_t> next_taken_;  // for each word the first taken one that is not before it
  std::vector<std::uint32_t> uses_;       // by entity
  std::uint32_t most_;
};

using Place = FirstTwo::Place;

// Above so many choices sorting costs less than looking for the first pair again and again.
constexpr std::uint64_t few_choices = 16;

// The pairs that still fit.
class OpenPairs {
 public:
  OpenPairs(const ScoredPairs& pairs, std::span<const char> forbidden, bool sorted)
      : pairs_(&pairs), sorted_(sorted) {
    const auto left_out = [&](std::uint32_t pair) { return !forbidden.empty() && forbidden[pair] != 0; };
    const auto add = [&](std::uint32_t pair) { open_.push_back({pairs.pairs[pair].value, pair}); };
    if (sorted) {
      NestedSpans<FirstTwo> nested;
      std::vector<std::uint32_t> needed;
      for (std::size_t entity = 0; entity < pairs.entities(); ++entity) {
        nested.append(pairs.pairs, pairs.begin[entity], pairs.begin[entity + 1], left_out, needed);
      }
      std::ranges::for_each(needed, add);
      std::ranges::sort(open_, [](const Place& a, const Place& b) { return a.before(b); });
    } else {
      open_.reserve(pairs.pairs.size());
      for (std::uint32_t pair = 0; pair < pairs.pairs.size(); ++pair) {
        if (pairs.pairs[pair].value > 0 && !left_out(pair)) add(pair);
      }
    }
  }

  [[nodiscard]] bool empty() const { return open_.empty(); }

  std::uint32_t take_first() {
    // Unsorted pairs keep their order, so that of equal values the first one is found.
    const auto higher = [](const Place& a, const Place& b) { return a.value > b.value; };
    const auto first = sorted_ ? open_.begin() : std::ranges::min_element(open_, higher);
    const std::uint32_t pair = first->pair;
    open_.erase(first);
    return pair;
  }

  void drop_misfits(const Room& room) {
    std::erase_if(open_, [&](const Place& place) { return !room.fits(pairs_->pairs[place.pair]); });
  }

  // Takes pairs until none is left; `score` and theirs.
  double take_all(Room& room, double score) {
    const auto take = [&](std::uint32_t pair) {
      room.take(pairs_->pairs[pair]);
      score += pairs_->pairs[pair].score;
    };
    if (sorted_) {
      for (const Place& place : open_) {
        if (room.fits(pairs_->pairs[place.pair])) take(place.pair);
      }
    } else {
      for (; !open_.empty(); drop_misfits(room)) take(take_first());
    }
    return score;
  }

 private:
  const ScoredPairs* pairs_;
  bool sorted_;
  std::vector<Place> open_;
};

}  // namespace

double choose_greedily(const ScoredPairs& pairs, const MatchOptions& options, std::vector<Match>& chosen) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  std::int32_t words = 0;
  for (const Pair& pair : pairs.pairs) words = std::max(words, pair.span.end);
  const std::uint32_t most = options.constraint.most();
  Room room(static_cast<std::size_t>(words), pairs.entities(), most);
  double score = 0;
  for (const std::uint32_t pair : options.forced) {
    room.take(pairs.pairs[pair]);
    score += pairs.pairs[pair].score;
    chosen.push_back({pair, infinity});
  }
  const std::size_t forced = chosen.size();
  const auto choices = std::min(static_cast<std::uint64_t>(words), std::uint64_t{most} * pairs.entities());
  OpenPairs open(pairs, options.forbidden, choices > few_choices);
  for (open.drop_misfits(room); !open.empty(); open.drop_misfits(room)) {
    const std::uint32_t best = open.take_first();
    double without = 0;
    if (options.margins) {
      OpenPairs other_open = open;
      Room other_room = room;
      without = other_open.take_all(other_room, score);
    }
    room.take(pairs.pairs[best]);
    score += pairs.pairs[best].score;
    chosen.push_back({best, without});
  }
  for (std::size_t i = forced; i < chosen.size(); ++i) {
    chosen[i].margin = options.margins ? score - chosen[i].margin : 0;
  }
  return score;
}

}  // namespace xner
