#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>

#include "xner/character_score.hpp"
#include "xner/edit_distance.hpp"

using namespace xner;

namespace {

std::size_t by_table(const std::vector<std::uint32_t>& a, const std::vector<std::uint32_t>& b) {
  std::vector<std::vector<std::size_t>> table(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        table[i][j] = i + j;
        continue;
      }
      const std::size_t replaced = table[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      table[i][j] = std::min({table[i - 1][j] + 1, table[i][j - 1] + 1, replaced});
    }
  }
  return table.back().back();
}

}  // namespace

TEST_CASE("edit distances are those of the table, for short and long patterns, whole and growing texts") {
  std::mt19937 random(3);
  EditDistance edit;
  for (const std::size_t most : {5U, 64U, 90U}) {
    for (int round = 0; round < 200; ++round) {
      const auto text = [&](std::size_t length) {
        std::vector<std::uint32_t> result(length);
        // Code points that share slots of the table: they differ by its size.
        for (std::uint32_t& character : result)
          character = static_cast<std::uint32_t>('a' + random() % 3 + 256 * (random() % 2));
        return result;
      };
      const auto pattern = text(random() % (most + 1));
      const auto other = text(random() % 100);
      edit.set_pattern(pattern);
      CHECK(edit.distance(other) == by_table(pattern, other));
      edit.restart();
      for (std::size_t i = 0; i < other.size(); ++i) {
        edit.push(other[i]);
        const std::vector<std::uint32_t> read(other.begin(),
                                              other.begin() + static_cast<std::ptrdiff_t>(i) + 1);
        CHECK(edit.distance() == by_table(pattern, read));
      }
    }
  }
}

TEST_CASE("characters are code points, also where the text is not UTF-8") {
  const std::vector<std::string_view> target{"\xC3\xA4\xE6\xBC\xA2", "\xF0\x9F\x98\x80", "\xC3", "\xFF", ""};
  const std::vector<std::string_view> source{"\xC3\xA4", "\xE6\xBC\xA2\xF0\x9F\x98\x80"};
  CharacterScore score;
  score.set_sentence(target, 0);
  score.set_entity(source);
  CHECK(score.of({0, 2}) == 1);
  CHECK(score.of({0, 3}) == doctest::Approx(0.75));
  CHECK(score.of({0, 1}) == doctest::Approx(2.0 / 3));  // back to the start
  CHECK(score.of({4, 5}) == 0);
  score.set_entity({});
  CHECK(score.of({0, 1}) == 0);
}
