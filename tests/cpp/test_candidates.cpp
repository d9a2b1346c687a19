#include <doctest/doctest.h>

#include "xner/candidates.hpp"

using namespace xner;

TEST_CASE("n-grams come by start, then end") {
  CHECK(ngram_candidates(3, {}, {}) == std::vector<Span>{{0, 1}, {0, 2}, {0, 3}, {1, 2}, {1, 3}, {2, 3}});
  CHECK(ngram_candidates(3, {.min_words = 2, .max_words = 2}, {}) == std::vector<Span>{{0, 2}, {1, 3}});
  CHECK(ngram_candidates(0, {}, {}).empty());
  CHECK(ngram_candidates(3, {.min_words = 4}, {}).empty());
}

TEST_CASE("n-grams hold no stop word") {
  const std::vector<std::int32_t> stops{0, 2};
  CHECK(ngram_candidates(4, {}, stops) == std::vector<Span>{{1, 2}, {3, 4}});
  std::vector<Span> within;
  for_each_ngram({1, 3}, {}, stops, [&](Span span) { within.push_back(span); });
  CHECK(within == std::vector<Span>{{1, 2}});
}

TEST_CASE("stop words are looked up whole") {
  const StopWords stops({"!", "ab"});
  CHECK(stops.contains("!"));
  CHECK(stops.contains("ab"));
  CHECK_FALSE(stops.contains("a"));
  CHECK_FALSE(stops.contains("abc"));
  CHECK_FALSE(stops.contains(""));
  CHECK(StopWords({""}).contains(""));
  CHECK_FALSE(StopWords({""}).contains("x"));
  CHECK(StopWords({}).empty());
  CHECK(StopWords({"\xC3\xA9"}).contains("\xC3\xA9"));
}

TEST_CASE("a text without their first bytes holds none of them") {
  const StopWords stops({"!", "ab", "ax", "\xC3\xA9"});
  CHECK(stops.may_be_in("x!"));
  CHECK(stops.may_be_in("xa"));
  CHECK(stops.may_be_in("\xC3\xA8"));
  CHECK_FALSE(stops.may_be_in("xb"));
  CHECK_FALSE(stops.may_be_in(""));
  CHECK_FALSE(StopWords({}).may_be_in("x"));
  CHECK(StopWords({""}).may_be_in("x"));                       // between any two words
  CHECK(StopWords({"a", "b", "c", "d", "e"}).may_be_in("x"));  // as many as that are not looked for
}
