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

// The pairs that can be chosen, with any one of them forbidden too, in the order in which they are looked at.
std::vector<std::uint32_t> open_pairs(const ScoredPairs& pairs, std::span<const char> forbidden) {
  NestedSpans<FirstTwo> nested;
  const auto left_out = [&](std::uint32_t pair) { return !forbidden.empty() && forbidden[pair] != 0; };
  std::vector<std::uint32_t> open;
  for (std::size_t entity = 0; entity < pairs.entities(); ++entity) {
    nested.append(pairs.pairs, pairs.begin[entity], pairs.begin[entity + 1], left_out, open);
  }
  std::ranges::sort(open, [&](std::uint32_t a, std::uint32_t b) {
    return FirstTwo::Place{pairs.pairs[a].value, a}.before({pairs.pairs[b].value, b});
  });
  return open;
}

}  // namespace

double choose_greedily(const ScoredPairs& pairs, const MatchOptions& options, std::vector<Match>& chosen) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  std::int32_t words = 0;
  for (const Pair& pair : pairs.pairs) words = std::max(words, pair.span.end);
  Room room(static_cast<std::size_t>(words), pairs.entities(), options.constraint.most());
  double score = 0;
  for (const std::uint32_t pair : options.forced) {
    room.take(pairs.pairs[pair]);
    score += pairs.pairs[pair].score;
    chosen.push_back({pair, infinity});
  }
  const std::size_t forced = chosen.size();
  std::vector<std::uint32_t> open = open_pairs(pairs, options.forbidden);
  const auto drop_misfits = [&] {
    std::erase_if(open, [&](std::uint32_t pair) { return !room.fits(pairs.pairs[pair]); });
  };
  Room other = room;
  for (drop_misfits(); !open.empty(); drop_misfits()) {
    double without = 0;
    if (options.margins) {
      other = room;
      without = score;
      for (std::size_t i = 1; i < open.size(); ++i) {
        const Pair& pair = pairs.pairs[open[i]];
        if (!other.fits(pair)) continue;
        other.take(pair);
        without += pair.score;
      }
    }
    room.take(pairs.pairs[open.front()]);
    score += pairs.pairs[open.front()].score;
    chosen.push_back({open.front(), without});
  }
  for (std::size_t i = forced; i < chosen.size(); ++i) {
    chosen[i].margin = options.margins ? score - chosen[i].margin : 0;
  }
  return score;
}

}  // namespace xner
