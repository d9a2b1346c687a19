#include <doctest/doctest.h>

#include "fixtures.hpp"
#include "xner/error.hpp"
#include "xner/scores.hpp"

using namespace xner;
using namespace xner::test;

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
  ScoreOptions result;
  result.candidates = kind;
  result.count = count;
  result.ties = Ties::first;
  return result;
}

}  // namespace

TEST_CASE("kinds of candidates") {
  const Sentence sentence{{{0, 2}}, {0, 1}, {1, 3}, {}, 5};
  PairScorer scorer;
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

TEST_CASE("the default kind of candidates goes by weights and hints") {
  const std::vector<Hint> raising{{0, {0, 1}, 0.0F}, {0, {1, 2}, 0.5F}};
  const std::vector<Hint> lowering{{0, {0, 1}, 0.5F}, {0, {0, 1}, -0.25F}};
  ScoreOptions chosen;
  CHECK(candidate_kind(chosen, {}) == CandidateKind::aligned_ends);
  CHECK(candidate_kind(chosen, raising) == CandidateKind::aligned_ends);
  CHECK(candidate_kind(chosen, lowering) == CandidateKind::ngram);
  for (double ScoreWeights::* weight :
       {&ScoreWeights::ner, &ScoreWeights::ner_spans, &ScoreWeights::characters, &ScoreWeights::nmt}) {
    ScoreOptions other;
    other.weights.*weight = 1;
    CHECK(candidate_kind(other, raising) == CandidateKind::ngram);
  }
  chosen.candidates = CandidateKind::aligned;
  CHECK(candidate_kind(chosen, lowering) == CandidateKind::aligned);
}

TEST_CASE("candidates of entities are those that are scored") {
  const Sentence sentence{{{0, 2}, {2, 3}}, {0, 1}, {1, 3}, {}, 5};
  const std::vector<Span> given{{3, 5}, {0, 1}};
  const std::vector<std::int32_t> stops{2};
  const std::vector<Hint> hints{{1, {4, 5}, -1.0F}};
  ScoreInput input = sentence.input();
  input.given = given;
  input.stops = stops;
  PairScorer scorer;
  using Spans = std::vector<std::vector<Span>>;
  CHECK(scorer.candidates(input, {}) == Spans{{{1, 2}, {3, 4}}, {}});
  CHECK(scorer.candidates(input, options(CandidateKind::aligned)) == Spans{{{1, 2}, {3, 4}}, {}});
  CHECK(scorer.candidates(input, options(CandidateKind::given)) == Spans{given, given});
  const std::vector<Span> ngrams{{0, 1}, {0, 2}, {1, 2}, {3, 4}, {3, 5}, {4, 5}};
  input.hints = hints;
  CHECK(scorer.candidates(input, {}) == Spans{ngrams, ngrams});
}

TEST_CASE("scores") {
  const Sentence sentence{{{0, 2}}, {0, 0, 1}, {0, 0, 0}, {0.25F, 0.5F, 0.125F}, 1};
  PairScorer scorer;
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
  PairScorer scorer;
  for (const CandidateKind kind : {CandidateKind::ngram, CandidateKind::aligned_ends}) {
    const ScoredPairs& scored = scorer(sentence.input(), options(kind, Count::words));
    REQUIRE(scored.pairs.size() == 6);
    CHECK(scored.pairs[2].span == Span{0, 3});
    CHECK(scored.pairs[2].score == doctest::Approx(1));
  }
}

TEST_CASE("pairs are grouped by entity") {
  const Sentence sentence{{{0, 1}, {5, 6}, {1, 2}}, {0, 1}, {0, 1}, {}, 2};
  PairScorer scorer;
  const ScoredPairs& scored = scorer(sentence.input(), options(CandidateKind::aligned_ends));
  CHECK(scored.entities() == 3);
  CHECK(scored.of(0).size() == 1);
  CHECK(scored.of(1).empty());
  CHECK(scored.of(2).front().entity == 2);
}

TEST_CASE("links between an entity and any span are counted as for spans with linked ends") {
  const Sentence sentence{{{1, 4}}, {1, 1, 2, 3, 3, 0}, {0, 2, 2, 5, 6, 1}, {}, 8};
  LinkCounter counter;
  counter.set_sentence(sentence.entities, sentence.input().links, sentence.words);
  counter.set_entity(0, true);
  CHECK(counter.hull() == Span{0, 7});
  std::size_t spans = 0;
  counter.for_each_linked_ends({}, {}, [&](Span span, const LinkCounts& counts) {
    const LinkCounts same = counter.between(span);
    CHECK(same.links == counts.links);
    CHECK(same.weight == counts.weight);
    CHECK(same.source_words == counts.source_words);
    CHECK(same.target_words == counts.target_words);
    ++spans;
  });
  CHECK(spans == 10);
  CHECK(counter.between({0, 8}).source_words == 3);
  CHECK(counter.between({3, 5}).links == 0);
}

TEST_CASE("hints add to candidates and make new ones, in the order of the spans") {
  const Sentence sentence{{{0, 1}, {1, 2}}, {0, 1}, {0, 2}, {}, 4};
  const std::vector<Hint> hints{{.entity = 1, .span = {3, 4}, .score = 0.5F},
                                {.entity = 0, .span = {0, 1}, .score = 0.5F},
                                {.entity = 0, .span = {0, 1}, .score = 0.25F},
                                {.entity = 1, .span = {0, 4}, .score = 0.25F},
                                {.entity = 1, .span = {1, 2}, .score = -1}};
  ScoreInput input = sentence.input();
  input.hints = hints;
  PairScorer scorer;
  const ScoredPairs& scored = scorer(input, options(CandidateKind::aligned_ends));
  REQUIRE(scored.of(0).size() == 1);
  CHECK(scored.of(0)[0].score == doctest::Approx(1.75));
  REQUIRE(scored.of(1).size() == 3);
  CHECK(scored.of(1)[0].span == Span{0, 4});
  CHECK(scored.of(1)[0].score == doctest::Approx(2.0 / 5 + 0.25));
  CHECK(scored.of(1)[1].span == Span{2, 3});
  CHECK(scored.of(1)[2].span == Span{3, 4});
}

TEST_CASE("given candidates keep their order, and hinted spans come behind") {
  const Sentence sentence{{{0, 1}}, {0, 0, 0}, {0, 1, 2}, {}, 4};
  const std::vector<Span> given{{2, 3}, {0, 2}, {1, 2}, {0, 2}};
  const std::vector<Hint> hints{{.entity = 0, .span = {3, 4}, .score = 1},
                                {.entity = 0, .span = {0, 2}, .score = 1}};
  ScoreInput input = sentence.input();
  input.given = given;
  input.hints = hints;
  PairScorer scorer;
  std::vector<Span> found;
  const ScoredPairs& scored = scorer(input, options(CandidateKind::given));
  for (const Pair& pair : scored.pairs) found.push_back(pair.span);
  CHECK(found == std::vector<Span>{{2, 3}, {0, 2}, {1, 2}, {0, 2}, {3, 4}});
  CHECK(scored.pairs[1].score == scored.pairs[3].score);
}

TEST_CASE("scores are added up with their weights") {
  const Sentence sentence{{{0, 1}}, {0}, {0}, {}, 2};
  const std::vector<std::string_view> labels{"X"};
  const std::vector<std::string_view> source{"ab"};
  const std::vector<std::string_view> target{"ab", "c"};
  const std::vector<float> probabilities{0.F, 0.5F, 0.F, 0.5F, 0.F, 1.F, 0.F, 0.F, 0.F, 0.F};
  ScoreInput input = sentence.input();
  input.labels = labels;
  input.source_text = source;
  input.target_text = target;
  input.probabilities = probabilities;
  ScoreOptions chosen = options(CandidateKind::ngram);
  chosen.character_threshold = 0.5;
  chosen.ner_labels = NerLabels({"O", "B-X", "I-X", "B-Y", "I-Y"});
  chosen.weights = {.alignment = 1, .ner = 2, .ner_spans = 4, .characters = 8};
  PairScorer scorer;
  const ScoredPairs& scored = scorer(input, chosen);
  REQUIRE(scored.pairs.size() == 2);
  CHECK(scored.pairs[0].score == doctest::Approx(1 + 2 * 0.5 + 4 * 0.5 + 8));
  CHECK(scored.pairs[1].score == doctest::Approx(2.0 / 3 + 2 * 0.25 + 4 * 0.25 + 8 * 2.0 / 3));
}

TEST_CASE("hints are added up in double, as far as float's range") {
  const Sentence sentence{{{0, 1}}, {}, {}, {}, 2};
  constexpr float large = 3e38F;
  const std::vector<Hint> cancelling{
      {0, {0, 1}, large}, {0, {0, 1}, large}, {0, {0, 1}, -large}, {0, {0, 1}, -large}, {0, {0, 1}, 0.5F}};
  ScoreInput input = sentence.input();
  input.hints = cancelling;
  PairScorer scorer;
  const ScoredPairs& scored = scorer(input, {});
  REQUIRE(scored.pairs.size() == 1);
  CHECK(scored.pairs[0].score == doctest::Approx(0.5));
  const std::vector<Hint> growing{{0, {1, 2}, large}, {0, {1, 2}, large}};
  input.hints = growing;
  CHECK(message_of<DataError>([&] { scorer(input, {}); }) ==
        "column 'hints', value [1, 2): a source entity's scores for this span add up to more than a float32 "
        "holds");
}
