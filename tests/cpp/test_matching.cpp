#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <random>

#include "fixtures.hpp"
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

MatchOptions with(Constraint constraint) {
  MatchOptions options;
  options.constraint = constraint;
  return options;
}
MatchOptions at_most(std::uint32_t n) { return with({Constraint::Relation::less_equal, n}); }

// The optimum by trying everything; minus infinity if no choice meets the constraint.
double brute_force(const ScoredPairs& scored, Constraint constraint, std::uint32_t forbidden,
                   std::size_t at = 0, const std::vector<std::uint32_t>& chosen = {}) {
  const auto uses = [&](std::uint32_t entity) {
    return static_cast<std::uint32_t>(std::ranges::count_if(
        chosen, [&](std::uint32_t pair) { return scored.pairs[pair].entity == entity; }));
  };
  if (at == scored.pairs.size()) {
    for (std::uint32_t entity = 0; entity < scored.entities(); ++entity) {
      if (uses(entity) < constraint.least()) return -std::numeric_limits<double>::infinity();
    }
    return 0;
  }
  double best = brute_force(scored, constraint, forbidden, at + 1, chosen);
  const Pair& candidate = scored.pairs[at];
  const bool fits = std::ranges::none_of(
      chosen, [&](std::uint32_t other) { return scored.pairs[other].span.overlaps(candidate.span); });
  if (at == forbidden || !fits || uses(candidate.entity) >= constraint.most()) return best;
  std::vector<std::uint32_t> more = chosen;
  more.push_back(static_cast<std::uint32_t>(at));
  return std::max(best, candidate.score + brute_force(scored, constraint, forbidden, at + 1, more));
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

// The first largest value again and again, by looking at all pairs.
std::vector<std::uint32_t> plain_greedy(const ScoredPairs& scored, const MatchOptions& options,
                                        std::uint32_t without) {
  std::vector<std::uint32_t> chosen(options.forced.begin(), options.forced.end());
  const auto fits = [&](std::uint32_t candidate) {
    if (candidate == without || (!options.forbidden.empty() && options.forbidden[candidate] != 0))
      return false;
    std::uint32_t uses = 0;
    for (const std::uint32_t other : chosen) {
      if (scored.pairs[other].span.overlaps(scored.pairs[candidate].span)) return false;
      uses += scored.pairs[other].entity == scored.pairs[candidate].entity ? 1 : 0;
    }
    return uses < options.constraint.most();
  };
  while (true) {
    std::uint32_t best = nothing;
    double value = 0;
    for (std::uint32_t i = 0; i < scored.pairs.size(); ++i) {
      if (!(scored.pairs[i].value > value) || !fits(i)) continue;
      value = scored.pairs[i].value;
      best = i;
    }
    if (best == nothing) return chosen;
    chosen.push_back(best);
  }
}

}  // namespace

TEST_CASE("exact is brute force, with its margins") {
  std::mt19937 random(1);
  Matcher matcher;
  int infeasible = 0;
  for (int round = 0; round < 1000; ++round) {
    const std::uint32_t entities = static_cast<std::uint32_t>(1 + random() % (round % 2 == 0 ? 12 : 3));
    const ScoredPairs scored = problem(random_pairs(random, entities, 9, 11), entities);
    const Constraint constraint{static_cast<Constraint::Relation>(random() % 5),
                                static_cast<std::uint32_t>(1 + random() % 3)};
    const double optimum = brute_force(scored, constraint, nothing);
    const Matching matching = matcher.exact(scored, with(constraint));
    if (std::isinf(optimum)) {
      CHECK(matching.status == MatchStatus::infeasible);
      ++infeasible;
      continue;
    }
    CHECK(matching.status == MatchStatus::optimal);
    CHECK(matching.objective == doctest::Approx(optimum));
    CHECK(matching.bound == matching.objective);
    for (const Match& match : matching.chosen) {
      const double without = brute_force(scored, constraint, match.pair);
      if (std::isinf(without)) {
        CHECK(std::isinf(match.margin));
      } else {
        CHECK(match.margin == doctest::Approx(optimum - without).epsilon(1e-9));
      }
    }
  }
  CHECK(infeasible > 100);
  CHECK(infeasible < 900);
}

TEST_CASE("a component goes through tables and searches alike") {
  // With 12 entities the table is too large; dropping the entities that nothing is left for must not matter.
  std::mt19937 random(4);
  Matcher matcher;
  for (int round = 0; round < 50; ++round) {
    std::vector<Pair> pairs = random_pairs(random, 12, 20, 70);
    const ScoredPairs scored = problem(pairs, 12);
    const Matching all = matcher.exact(scored, at_most(1));
    CHECK(all.status == MatchStatus::optimal);
    MatchOptions options = at_most(1);
    std::vector<std::uint32_t> forced;
    for (std::size_t i = 0; i + 6 < all.chosen.size(); ++i) forced.push_back(all.chosen[i].pair);
    options.forced = forced;
    const Matching& rest = matcher.exact(scored, options);
    CHECK(rest.status == MatchStatus::optimal);
    CHECK(rest.objective == doctest::Approx(all.objective));
  }
}

TEST_CASE("the best choices, and a limit on time") {
  const ScoredPairs scored =
      problem({pair(0, {0, 2}, 3), pair(0, {2, 3}, 2), pair(1, {1, 3}, 4), pair(1, {0, 1}, 1)}, 2);
  Matcher matcher;
  const std::vector<Matching> found = matcher.best(scored, at_most(1), 4);
  REQUIRE(found.size() == 4);
  CHECK(found[0].objective == 4);
  CHECK(found[1].objective == 3);
  CHECK(found[2].objective == 3);
  CHECK(found[3].objective == 2);
  CHECK(matcher.best(scored, at_most(1), 100).size() == 6);
  CHECK(matcher.best(scored, with({Constraint::Relation::equal, 2}), 4).front().status ==
        MatchStatus::infeasible);

  std::mt19937 random(5);
  const ScoredPairs large = problem(random_pairs(random, 20, 60, 400), 20);
  MatchOptions options = at_most(1);
  options.time_limit = std::chrono::nanoseconds(1);
  const double quick = matcher.exact(large, options).objective;
  const double bound = matcher.exact(large, options).bound;
  options.time_limit = std::chrono::seconds(20);
  const Matching& proven = matcher.exact(large, options);
  CHECK(proven.status == MatchStatus::optimal);
  CHECK(quick <= proven.objective + 1e-9);
  CHECK(bound >= proven.objective - 1e-9);
}

TEST_CASE("greedy takes the first largest") {
  const ScoredPairs scored =
      problem({pair(0, {2, 3}, 1), pair(0, {0, 1}, 1), pair(1, {0, 1}, 1), pair(1, {2, 3}, 2)}, 2);
  Matcher matcher;
  const Matching& matching = matcher.greedy(scored, at_most(1));
  REQUIRE(matching.chosen.size() == 2);
  CHECK(matching.chosen[0].pair == 3);
  CHECK(matching.chosen[1].pair == 1);
  CHECK(matching.objective == 3);
}

TEST_CASE("greedy is the plain algorithm, with its margins") {
  std::mt19937 random(6);
  Matcher matcher;
  for (int round = 0; round < 1000; ++round) {
    // Few choices are looked for, many sorted.
    const auto entities = static_cast<std::uint32_t>(1 + random() % (round % 2 == 0 ? 6 : 24));
    const std::int32_t words = round % 2 == 0 ? 12 : 40;
    const ScoredPairs scored =
        problem(random_pairs(random, entities, words, static_cast<int>(random() % 80)), entities);
    MatchOptions options =
        with({static_cast<Constraint::Relation>(random() % 5), static_cast<std::uint32_t>(1 + random() % 3)});
    std::vector<std::uint32_t> forced;
    std::vector<char> forbidden(scored.pairs.size(), 0);
    if (round % 3 == 0 && !scored.pairs.empty() && options.constraint.most() > 0) {
      forced.push_back(static_cast<std::uint32_t>(random() % scored.pairs.size()));
      for (std::size_t i = 0; i < forbidden.size(); ++i) forbidden[i] = i != forced[0] && random() % 5 == 0;
    }
    options.forced = forced;
    options.forbidden = forbidden;
    if (options.constraint.most() == 0) continue;
    const auto score_of = [&](const std::vector<std::uint32_t>& chosen) {
      double sum = 0;
      for (const std::uint32_t index : chosen) sum += scored.pairs[index].score;
      return sum;
    };
    const Matching& matching = matcher.greedy(scored, options);
    const std::vector<std::uint32_t> expected = plain_greedy(scored, options, nothing);
    REQUIRE(matching.chosen.size() == expected.size());
    CHECK(matching.objective == score_of(expected));
    for (std::size_t i = 0; i < expected.size(); ++i) {
      CHECK(matching.chosen[i].pair == expected[i]);
      if (i < forced.size()) {
        CHECK(std::isinf(matching.chosen[i].margin));
      } else {
        const double without = score_of(plain_greedy(scored, options, expected[i]));
        CHECK(matching.chosen[i].margin == doctest::Approx(matching.objective - without));
      }
    }
  }
}

TEST_CASE("the relations' limits") {
  using enum Constraint::Relation;
  CHECK(Constraint{less_equal, 2}.most() == 2);
  CHECK(Constraint{equal, 2}.most() == 2);
  CHECK(Constraint{less, 2}.most() == 1);
  CHECK(Constraint{less, 0}.most() == 0);
  CHECK(Constraint{greater, 0}.most() == Constraint::unlimited);
  CHECK(Constraint{greater_equal, 3}.most() == Constraint::unlimited);
  CHECK(Constraint{less_equal, 2}.least() == 0);
  CHECK(Constraint{equal, 2}.least() == 2);
  CHECK(Constraint{greater_equal, 2}.least() == 2);
  CHECK(Constraint{greater, 2}.least() == 3);
  const ScoredPairs scored = problem({pair(0, {0, 1}, 1), pair(0, {1, 2}, 1), pair(0, {2, 3}, 1)}, 1);
  Matcher matcher;
  CHECK(matcher.greedy(scored, with({equal, 2})).chosen.size() == 2);
  CHECK(matcher.greedy(scored, with({greater, 0})).chosen.size() == 3);
  CHECK(matcher.exact(scored, with({less, 3})).chosen.size() == 2);
  CHECK(matcher.exact(scored, with({less, 1})).chosen.empty());
  CHECK(matcher.exact(scored, with({equal, 2})).chosen.size() == 2);
  CHECK(matcher.exact(scored, with({greater, 1})).chosen.size() == 3);
  CHECK(matcher.exact(scored, with({less, 0})).status == MatchStatus::infeasible);
  const Matching& infeasible = matcher.exact(scored, with({equal, 4}));
  CHECK(infeasible.status == MatchStatus::infeasible);
  CHECK(infeasible.chosen.empty());
  CHECK(infeasible.shortage.entities == std::vector<std::uint32_t>{0});
  CHECK(infeasible.shortage.required == 4);
  CHECK(infeasible.shortage.possible == 3);
}

TEST_CASE("more entities than a set of 64 bits holds") {
  std::mt19937 random(2);
  const ScoredPairs scored = problem(random_pairs(random, 90, 120, 600), 90);
  Matcher matcher;
  for (const std::uint32_t limit : {1U, 2U, 1000U}) {
    const double greedy = matcher.greedy(scored, at_most(limit)).objective;
    const Matching& exact = matcher.exact(scored, at_most(limit));
    CHECK(exact.objective >= greedy - 1e-9);
    CHECK(exact.bound >= exact.objective);
    CHECK((exact.status == MatchStatus::optimal) == (exact.bound == exact.objective));
  }
}

TEST_CASE("tiny scores are not proven by being tiny") {
  std::mt19937 random(3);
  std::vector<Pair> pairs = random_pairs(random, 12, 30, 60);
  Matcher matcher;
  const double expected = matcher.exact(problem(pairs, 12), at_most(1)).objective;
  for (Pair& small : pairs) small.score = small.value = small.score * 1e-20;
  const Matching& matching = matcher.exact(problem(pairs, 12), at_most(1));
  CHECK(matching.status == MatchStatus::optimal);
  CHECK(matching.objective * 1e20 == doctest::Approx(expected));
}

TEST_CASE("an entity whose uses are not counted comes after 64 that are") {
  Matcher matcher;
  MatchOptions options = at_most(1);
  options.margins = false;
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> score(0.5, 1.0);
    std::vector<Pair> pairs;
    for (std::uint32_t entity = 0; entity < 64; ++entity) {
      for (int i = 0; i < 6; ++i) {
        const auto start = static_cast<std::int32_t>(random() % 86);
        const auto words = static_cast<std::int32_t>(1 + random() % 4);
        pairs.push_back(pair(entity, {start, start + words}, score(random)));
      }
    }
    // Each has one span, so that no limit can bind.
    for (std::int32_t start = 87; start > 79; --start) {
      pairs.push_back(pair(static_cast<std::uint32_t>(151 - start), {start, start + 3}, score(random)));
    }
    const ScoredPairs scored = problem(pairs, 72);
    const double greedy = matcher.greedy(scored, at_most(1)).objective;
    const Matching& exact = matcher.exact(scored, options);
    CHECK(exact.objective >= greedy - 1e-9);
    CHECK(exact.bound >= exact.objective);
  }
}

TEST_CASE("no margin is below 0 where evidence decides between scores that all but tie") {
  const double score = 0.5;
  const double higher = score * (1 + 1e-10);
  const ScoredPairs scored =
      problem({{0, {0, 1}, score, score * (1 + 0x1p-30)}, {0, {2, 3}, higher, higher}}, 1);
  Matcher matcher;
  for (const Matching& matching : {matcher.exact(scored, at_most(1)), matcher.greedy(scored, at_most(1))}) {
    REQUIRE(matching.chosen.size() == 1);
    CHECK(matching.chosen[0].pair == 0);
    CHECK(matching.chosen[0].margin == 0);
  }
}
