#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "xner/error.hpp"
#include "xner/fields.hpp"

using Places = std::vector<std::int64_t>;

namespace {

// The fields of each line, one after the other, by the plainest way.
std::vector<std::string> split_plainly(std::string_view line) {
  std::vector<std::string> fields(1);
  for (const char c : line) {
    if (c == '\t') {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

}  // namespace

TEST_CASE("lines are split at tabs") {
  std::mt19937 random(3);
  const auto draw = [&](std::int64_t most) {
    return std::uniform_int_distribution<std::int64_t>(0, most)(random);
  };
  for (int round = 0; round < 300; ++round) {
    std::string data(static_cast<std::size_t>(draw(60)), ' ');
    for (char& c : data) c = "a\t b"[draw(3)];
    Places starts;
    Places ends;
    for (std::int64_t place = 0;;) {
      place += draw(5);
      const std::int64_t end = place + draw(12);
      if (end > static_cast<std::int64_t>(data.size())) break;
      starts.push_back(place);
      ends.push_back(end);
      place = end;
    }
    const xner::Fields fields = xner::split_at_tabs(data, starts, ends);
    REQUIRE(fields.offsets.size() == starts.size() + 1);
    const xner::Copied copied = xner::copy_parts(data, fields.starts, fields.ends);
    REQUIRE(copied.offsets.size() == fields.starts.size() + 1);
    for (std::size_t line = 0; line < starts.size(); ++line) {
      std::vector<std::string> found;
      for (auto at = fields.offsets[line]; at < fields.offsets[line + 1]; ++at) {
        const auto field = static_cast<std::size_t>(at);
        const auto* text = reinterpret_cast<const char*>(copied.data.data());
        found.emplace_back(text + copied.offsets[field], text + copied.offsets[field + 1]);
        CHECK(found.back() == std::string_view(data).substr(
                                  static_cast<std::size_t>(fields.starts[field]),
                                  static_cast<std::size_t>(fields.ends[field] - fields.starts[field])));
      }
      const auto length = static_cast<std::size_t>(ends[line] - starts[line]);
      CHECK(found ==
            split_plainly(std::string_view(data).substr(static_cast<std::size_t>(starts[line]), length)));
    }
  }
}

TEST_CASE("parts that are none") {
  const std::string data = "ab\tcd";
  const auto refused = [&](const Places& starts, const Places& ends) {
    CHECK_THROWS_AS(xner::copy_parts(data, starts, ends), xner::Error);
    CHECK_THROWS_AS(xner::split_at_tabs(data, starts, ends), xner::Error);
  };
  refused({-1}, {2});
  refused({3}, {2});
  refused({0}, {6});
  refused({0, 1}, {2});
  CHECK_THROWS_WITH(xner::split_at_tabs(data, Places{2, 0}, Places{3, 1}),
                    "line 1 begins before the last one ends");
  CHECK(xner::copy_parts(data, Places{3, 0}, Places{5, 2}).data ==
        std::vector<std::uint8_t>{'c', 'd', 'a', 'b'});
  CHECK(xner::split_at_tabs("", {}, {}).offsets == Places{0});
  CHECK(xner::copy_parts("", {}, {}).offsets == std::vector<std::int32_t>{0});
}
