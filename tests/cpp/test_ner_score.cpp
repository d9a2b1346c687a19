#include <doctest/doctest.h>

#include "xner/error.hpp"
#include "xner/ner_score.hpp"

using namespace xner;

TEST_CASE("NER labels") {
  const NerLabels labels({"I-A", "B-B", "O", "B-A", "I-B"});
  CHECK(labels.size() == 5);
  REQUIRE(labels.classes().size() == 2);
  CHECK(labels.classes()[0].name == "A");
  CHECK(labels.classes()[0].begin == 3);
  CHECK(labels.classes()[0].inside == 0);
  CHECK(labels.find("B") == 1);
  CHECK(labels.find("C") == NerLabels::no_class);
  CHECK_THROWS_AS(NerLabels({"O", "B-A"}), Error);
  CHECK_THROWS_AS(NerLabels({"O", "O"}), Error);
  CHECK_THROWS_AS(NerLabels({"A"}), Error);
  CHECK(NerLabels().classes().empty());
}

TEST_CASE("NER scores of a predicted span, of a part of it, and of others") {
  const NerLabels labels({"O", "B-A", "I-A", "B-B", "I-B"});
  const std::vector<float> probabilities{0.F, 0.75F, 0.F, 0.25F, 0.F,   // B-A
                                         0.F, 0.F,   1.F, 0.F,   0.F,   // I-A
                                         0.F, 0.F,   1.F, 0.F,   0.F,   // I-A
                                         0.F, 0.F,   0.F, 0.F,   1.F};  // I-B
  NerScore score;
  score.set_sentence(probabilities, labels, {.alpha = 2, .threshold = 0});
  CHECK(score.of_class(0, {0, 1}) == doctest::Approx(0.75));
  CHECK(score.of_class(0, {0, 3}) == doctest::Approx(4 * 2.75 / 3));
  CHECK(score.of_class(0, {0, 4}) == doctest::Approx(2.75 / 4));
  CHECK(score.of_class(0, {1, 3}) == doctest::Approx(0.5));
  CHECK(score.of_class(1, {0, 1}) == doctest::Approx(0.25));
  CHECK(score.of_any_class({0, 3}) == doctest::Approx(4 * 2.75 / 3));
  CHECK(score.of_any_class({2, 4}) == doctest::Approx(0.5));

  score.set_sentence(probabilities, labels, {.alpha = 2, .threshold = 0.5});
  CHECK(score.of_class(0, {1, 3}) == 0);
  score.set_sentence({}, labels, {});
  score.set_sentence({}, NerLabels(), {});
}
