#include <doctest/doctest.h>

#include "xner/scores.hpp"

using namespace xner;

namespace {

struct Sentence {
  std::vector<Span> entities;
  std::vector<std::int32_t> sources;
  std::vector<std::int32_t> targets;
  std::vector<float> scores;
  std::int32_t words;

  [[nodiscard]] ScoreInput input() const {
    ScoreInput result;
    result.target_words = words;
    result.entities = entities;
    result.links = {.source = sources, .target = targets, .score = scores};
    return result;
  }
};

ScoreOptions options(CandidateKind kind, Count count = Count::links) {
  return {.candidates = kind, .limits = {}, .count = count, .ties = Ties::first, .links_are_a_set = true};
}

}  // namespace

TEST_CASE("kinds of candidates") {
  const Sentence sentence{{{0, 2}}, {0, 1}, {1, 3}, {}, 5};
  AlignmentScorer scorer;
  const auto spans = [&](CandidateKind kind) {
    std::vector<Span> found;
    for (const Pair& pair : scorer(sentence.input(), options(kind)).pairs) found.push_back(pair.span);
    return found;
  };
  CHECK(spans(CandidateKind::aligned_ends) == std::vector<Span>{{1, 2}, {1, 4}, {3, 4}});
  CHECK(spans(CandidateKind::aligned) == std::vector<Span>{{1, 2}, {1, 3}, {1, 4}, {2, 4}, {3, 4}});
  CHECK(spans(CandidateKind::ngram).size() == 12);
  CHECK(spans(CandidateKind::given).empty());
}

TEST_CASE("scores") {
  const Sentence sentence{{{0, 2}}, {0, 0, 1}, {0, 0, 0}, {0.25F, 0.5F, 0.125F}, 1};
  AlignmentScorer scorer;
  const auto score = [&](Count count, bool set) {
    ScoreOptions chosen = options(CandidateKind::ngram, count);
    chosen.links_are_a_set = set;
    return scorer(sentence.input(), chosen).pairs.at(0).score;
  };
  CHECK(score(Count::links, true) == doctest::Approx(4.0 / 3));
  CHECK(score(Count::links, false) == doctest::Approx(2));
  CHECK(score(Count::words, true) == doctest::Approx(1));
  CHECK(score(Count::weighted, true) == doctest::Approx(2 * 0.625 / 3));
}

TEST_CASE("entities longer than a machine word's bits") {
  Sentence sentence{{{0, 130}}, {}, {}, {}, 3};
  for (std::int32_t source = 0; source < 130; ++source) {
    sentence.sources.push_back(source);
    sentence.targets.push_back(source % 3);
  }
  AlignmentScorer scorer;
  for (const CandidateKind kind : {CandidateKind::ngram, CandidateKind::aligned_ends}) {
    const ScoredPairs& scored = scorer(sentence.input(), options(kind, Count::words));
    REQUIRE(scored.pairs.size() == 6);
    CHECK(scored.pairs[2].span == Span{0, 3});
    CHECK(scored.pairs[2].score == doctest::Approx(1));
  }
}

TEST_CASE("pairs are grouped by entity") {
  const Sentence sentence{{{0, 1}, {5, 6}, {1, 2}}, {0, 1}, {0, 1}, {}, 2};
  AlignmentScorer scorer;
  const ScoredPairs& scored = scorer(sentence.input(), options(CandidateKind::aligned_ends));
  CHECK(scored.entities() == 3);
  CHECK(scored.of(0).size() == 1);
  CHECK(scored.of(1).empty());
  CHECK(scored.of(2).front().entity == 2);
}
