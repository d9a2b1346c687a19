#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "fixtures.hpp"
#include "xner/error.hpp"
#include "xner/matching.hpp"
#include "xner/scores.hpp"

using namespace xner;
using namespace xner::test;

namespace {

// Pairs sorted by entity.
ScoredPairs problem(const std::vector<Pair>& pairs, std::uint32_t entities) {
  ScoredPairs scored;
  for (std::uint32_t entity = 0; entity < entities; ++entity) {
    scored.begin.push_back(static_cast<std::uint32_t>(scored.pairs.size()));
    for (const Pair& pair : pairs) {
      if (pair.entity == entity) scored.pairs.push_back(pair);
    }
  }
  scored.begin.push_back(static_cast<std::uint32_t>(scored.pairs.size()));
  return scored;
}

Pair pair(std::uint32_t entity, Span span, double score) { return {entity, span, score, score}; }

// The optimum by trying everything.
double brute_force(const ScoredPairs& scored, std::uint32_t limit, std::uint32_t forbidden,
                   std::size_t at = 0, std::vector<std::uint32_t> chosen = {}) {
  if (at == scored.pairs.size()) return 0;
  double best = brute_force(scored, limit, forbidden, at + 1, chosen);
  const Pair& candidate = scored.pairs[at];
  const auto uses = std::ranges::count_if(
      chosen, [&](std::uint32_t other) { return scored.pairs[other].entity == candidate.entity; });
  const bool fits = std::ranges::none_of(
      chosen, [&](std::uint32_t other) { return scored.pairs[other].span.overlaps(candidate.span); });
  if (at == forbidden || !fits || uses >= static_cast<std::ptrdiff_t>(limit)) return best;
  chosen.push_back(static_cast<std::uint32_t>(at));
  best = std::max(best, candidate.score + brute_force(scored, limit, forbidden, at + 1, chosen));
  return best;
}

std::vector<Pair> random_pairs(std::mt19937& random, std::uint32_t entities, std::int32_t words, int count) {
  const auto below = [&](int limit) { return static_cast<int>(random() % static_cast<unsigned>(limit)); };
  std::vector<Pair> pairs;
  for (int i = 0; i < count; ++i) {
    const std::int32_t start = below(words);
    const std::int32_t end = std::min(words, start + 1 + below(4));
    pairs.push_back(pair(static_cast<std::uint32_t>(below(static_cast<int>(entities))), {start, end},
                         (1 + below(6)) / (1.0 + below(4))));
  }
  return pairs;
}

constexpr std::uint32_t nothing = 0xFFFFFFFF;

}  // namespace

TEST_CASE("exact is brute force, with its margins") {
  std::mt19937 random(1);
  Matcher matcher;
  for (int round = 0; round < 400; ++round) {
    const std::uint32_t entities = static_cast<std::uint32_t>(1 + random() % 12);
    const ScoredPairs scored = problem(random_pairs(random, entities, 9, 11), entities);
    const std::uint32_t limit = static_cast<std::uint32_t>(1 + random() % 3);
    const double optimum = brute_force(scored, limit, nothing);
    const Matching matching = matcher.exact(scored, {Constraint::Relation::less_equal, limit});
    CHECK(matching.proven);
    CHECK(matching.objective == doctest::Approx(optimum));
    CHECK(matching.bound == matching.objective);
    for (const Match& match : matching.chosen) {
      CHECK(match.margin == doctest::Approx(optimum - brute_force(scored, limit, match.pair)).epsilon(1e-9));
    }
  }
}

TEST_CASE("greedy takes the first largest") {
  const ScoredPairs scored =
      problem({pair(0, {2, 3}, 1), pair(0, {0, 1}, 1), pair(1, {0, 1}, 1), pair(1, {2, 3}, 2)}, 2);
  Matcher matcher;
  const Matching& matching = matcher.greedy(scored, {});
  REQUIRE(matching.chosen.size() == 2);
  CHECK(matching.chosen[0].pair == 3);
  CHECK(matching.chosen[1].pair == 1);
  CHECK(matching.objective == 3);
}

TEST_CASE("the relations' limits") {
  using enum Constraint::Relation;
  CHECK(Constraint{less_equal, 2}.most() == 2);
  CHECK(Constraint{equal, 2}.most() == 2);
  CHECK(Constraint{less, 2}.most() == 1);
  CHECK(Constraint{less, 0}.most() == 0);
  CHECK(Constraint{greater, 0}.most() == Constraint::unlimited);
  CHECK(Constraint{greater_equal, 3}.most() == Constraint::unlimited);
  const ScoredPairs scored = problem({pair(0, {0, 1}, 1), pair(0, {1, 2}, 1), pair(0, {2, 3}, 1)}, 1);
  Matcher matcher;
  CHECK(matcher.greedy(scored, {equal, 2}).chosen.size() == 2);
  CHECK(matcher.greedy(scored, {greater, 0}).chosen.size() == 3);
  CHECK(matcher.exact(scored, {less, 3}).chosen.size() == 2);
  CHECK(matcher.exact(scored, {less, 1}).chosen.empty());
  CHECK(message_of<Error>([&] { matcher.exact(scored, {equal, 1}); }).find("use matcher='greedy'") !=
        std::string::npos);
}

TEST_CASE("more entities than a set of 64 bits holds") {
  std::mt19937 random(2);
  const ScoredPairs scored = problem(random_pairs(random, 90, 120, 600), 90);
  Matcher matcher;
  for (const std::uint32_t limit : {1U, 2U, 1000U}) {
    const double greedy = matcher.greedy(scored, {Constraint::Relation::less_equal, limit}).objective;
    const Matching& exact = matcher.exact(scored, {Constraint::Relation::less_equal, limit});
    CHECK(exact.objective >= greedy - 1e-9);
    CHECK(exact.bound >= exact.objective);
    CHECK(exact.proven == (exact.bound == exact.objective));
  }
}

TEST_CASE("tiny scores are not proven by being tiny") {
  std::mt19937 random(3);
  std::vector<Pair> pairs = random_pairs(random, 12, 30, 60);
  Matcher matcher;
  const double expected = matcher.exact(problem(pairs, 12), {}).objective;
  for (Pair& small : pairs) small.score = small.value = small.score * 1e-20;
  const Matching& matching = matcher.exact(problem(pairs, 12), {});
  CHECK(matching.proven);
  CHECK(matching.objective * 1e20 == doctest::Approx(expected));
}
