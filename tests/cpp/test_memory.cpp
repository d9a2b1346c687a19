#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "xner/memory.hpp"

namespace {

using Words = std::vector<std::int32_t>;

std::vector<xner::Hint> recall(const xner::ProjectionMemory& memory, const Words& source, const Words& own,
                               const Words& sentence, std::uint32_t least) {
  std::vector<xner::Hint> hints;
  const std::vector<xner::ProjectionMemory::Words> own_forms(own.empty() ? 0 : 1, own);
  memory.recall(7, source, own_forms, sentence, least, 2.0, hints);
  return hints;
}

}  // namespace

TEST_SUITE("memory") {
  TEST_CASE("a form is found wherever it stands, with its share of the projections") {
    xner::ProjectionMemory memory;
    for (int i = 0; i < 3; ++i) memory.add(Words{1, 2}, Words{10, 11});
    memory.add(Words{1, 2}, Words{12});
    memory.add(Words{3}, Words{10});
    CHECK(memory.size() == 2);

    const auto hints = recall(memory, {1, 2}, {}, {10, 11, 12, 10, 11}, 1);
    REQUIRE(hints.size() == 3);
    CHECK(hints[0].entity == 7);
    CHECK(hints[0].span == xner::Span{0, 2});
    CHECK(hints[0].score == doctest::Approx(1.5));
    CHECK(hints[1].span == xner::Span{3, 5});
    CHECK(hints[2].span == xner::Span{2, 3});
    CHECK(hints[2].score == doctest::Approx(0.5));
  }

  TEST_CASE("rare forms, unknown entities and a sentence's own projection count for nothing") {
    xner::ProjectionMemory memory;
    memory.add(Words{1}, Words{10});
    memory.add(Words{1}, Words{10});
    CHECK(recall(memory, {1}, {}, {10}, 2).size() == 1);
    CHECK(recall(memory, {1}, {10}, {10}, 2).empty());
    CHECK(recall(memory, {1}, {}, {10}, 3).empty());
    CHECK(recall(memory, {2}, {}, {10}, 1).empty());
    CHECK(recall(memory, {1}, {}, {}, 1).empty());
    const auto others = recall(memory, {1}, {10}, {10}, 1);
    REQUIRE(others.size() == 1);
    CHECK(others[0].score == doctest::Approx(2.0));
  }

  TEST_CASE("forms that are not told apart count in the shares, and a sentence's own may be among them") {
    xner::ProjectionMemory memory;
    memory.add_form(Words{1}, {.words = {10}, .count = 3});
    memory.add_form(Words{1}, {.words = {}, .count = 5});
    CHECK(recall(memory, {1}, {}, {10}, 2).at(0).score == doctest::Approx(2.0 * 3 / 8));
    CHECK(recall(memory, {1}, {10}, {10}, 2).at(0).score == doctest::Approx(2.0 * 2 / 7));
    CHECK(recall(memory, {1}, {11}, {10}, 2).at(0).score == doctest::Approx(2.0 * 3 / 7));
    CHECK(recall(memory, {1}, {}, {11}, 2).empty());
  }

  TEST_CASE("all that a sentence contributed is left out, and never more than there is") {
    xner::ProjectionMemory memory;
    for (int i = 0; i < 3; ++i) memory.add(Words{1}, Words{10});
    const Words form{10};
    std::vector<xner::Hint> hints;
    for (const std::size_t times : {2U, 3U, 4U}) {
      hints.clear();
      const std::vector<xner::ProjectionMemory::Words> own(times, form);
      memory.recall(0, Words{1}, own, form, 1, 1.0, hints);
      CHECK(hints.size() == (times < 3 ? 1 : 0));
    }
  }

  TEST_CASE("overlapping places of a form are all found") {
    xner::ProjectionMemory memory;
    memory.add(Words{1}, Words{5, 5});
    CHECK(recall(memory, {1}, {}, {5, 5, 5}, 1).size() == 2);
  }
}
