#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "fixtures.hpp"
#include "utf8/kernels.hpp"
#include "xner/error.hpp"
#include "xner/simd_level.hpp"

using namespace xner;
using namespace xner::test;

namespace {

// What the check says of an array; nothing when it is sound.
std::string said(const Exported& exported, bool texts = true) {
  bool known = true;
  const std::string message =
      message_of<Error>([&] { known = arrow::check_array(exported.ref(), "x", texts); });
  return known ? message : "not known";
}

arrow::OwnedArray lists_at(const std::vector<std::int32_t>& offsets, arrow::OwnedArray child) {
  return arrow::make_list("x", static_cast<std::int64_t>(offsets.size()) - 1, arrow::Buffer::of(offsets),
                          std::move(child));
}

arrow::OwnedArray texts_at(const std::vector<std::int32_t>& offsets, const std::string& data) {
  return arrow::make_string("x", static_cast<std::int64_t>(offsets.size()) - 1, arrow::Buffer::of(offsets),
                            arrow::Buffer::of(std::vector<char>(data.begin(), data.end())));
}

// By the definition: the code point, its length and its range. Slow and plain.
bool by_definition(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto first = static_cast<unsigned char>(text[at]);
    const std::size_t length = first < 0x80 ? 1 : first < 0xC0 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (length == 0 || first >= 0xF8 || at + length > text.size()) return false;
    std::uint32_t code_point = length == 1 ? first : first & (0x7FU >> length);
    for (std::size_t i = 1; i < length; ++i) {
      const auto byte = static_cast<unsigned char>(text[at + i]);
      if ((byte & 0xC0U) != 0x80U) return false;
      code_point = code_point << 6U | (byte & 0x3FU);
    }
    const std::uint32_t least = length == 1 ? 0 : length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
    if (code_point < least || code_point > 0x10FFFF || (code_point >= 0xD800 && code_point < 0xE000))
      return false;
    at += length;
  }
  return true;
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Utf8 kind_of(const Utf8Kernels& kernels, std::string_view text) {
  return kernels.kind(bytes_of(text), text.size());
}

// Calls with the kernels of every instruction set that this CPU has.
template <class Call>
void for_each_level(const Call& call) {
  for (const SimdLevel level : simd_levels()) {
    CAPTURE(name(level));
    call(utf8_kernels(level));
  }
}

}  // namespace

TEST_CASE("sound arrays pass") {
  CHECK(said(Exported(batch({{.tokens = {"a", "é"}, .entities = {{0, 1, "X"}}, .links = {{0, 1}}}, {}})))
            .empty());
  CHECK(said(Exported(batch({}))).empty());
  CHECK(said(Exported(lists_at({1, 1, 3}, strings("item", {"a", "b", "c", "d"})))).empty());
}

TEST_CASE("offsets") {
  const auto child = [] { return int32s("item", {1, 2, 3}); };
  CHECK(said(Exported(lists_at({0, 2, 1, 3}, child()))) ==
        "x is damaged: row 1 begins at 2 and ends before, at 1");
  CHECK(said(Exported(lists_at({0, 2, 4}, child()))) == "x is damaged: rows are at 0 to 4 of 3 values");
  CHECK(said(Exported(lists_at({-1, 2, 3}, child()))) == "x is damaged: row 0 begins at -1");
  CHECK(said(Exported(lists_at({0, -2, 3}, child()))) ==
        "x is damaged: row 0 begins at 0 and ends before, at -2");
  constexpr std::int32_t most = std::numeric_limits<std::int32_t>::max();
  CHECK(said(Exported(lists_at({0, most, -most - 1, 0}, child()))) ==
        "x is damaged: row 1 begins at 2147483647 and ends before, at -2147483648");
  CHECK(said(Exported(texts_at({0, 2, 1, 3}, "abc"))) ==
        "x is damaged: row 1 begins at 2 and ends before, at 1");
  // Of a slice, what it shows.
  Exported slice(lists_at({0, 9, 0, 2, 3}, child()));
  slice.array().offset = 2;
  slice.array().length = 2;
  CHECK(said(slice).empty());
  // Of lists, the values that they show.
  CHECK(said(Exported(lists_at({0, 2}, texts_at({0, 1, 3, 1, 3}, "abc")))).empty());
  CHECK(said(Exported(lists_at({0, 3}, texts_at({0, 1, 3, 1, 3}, "abc")))) ==
        "x is damaged: row 2 begins at 3 and ends before, at 1");
  CHECK(said(Exported(lists_at({0, 2}, texts_at({0, 1, 900, 1, 3}, "abc")))) ==
        "x is damaged: rows are at 0 to 900 of 3 values");
}

TEST_CASE("texts") {
  CHECK(said(Exported(texts_at({0, 2, 3}, "éa"))).empty());
  CHECK(said(Exported(texts_at({0, 1, 3}, "éa"))) == "x is damaged: it has bytes that are not UTF-8");
  CHECK(said(Exported(texts_at({0, 1, 3}, "éa")), false).empty());
  CHECK(said(Exported(texts_at({0, 1}, "é"))) == "x is damaged: it has bytes that are not UTF-8");
  CHECK(said(Exported(texts_at({0, 2, 2}, "é"))).empty());
}

TEST_CASE("nulls are counted") {
  std::vector<bool> valid(200, true);
  for (const std::size_t row : {0U, 7U, 63U, 64U, 130U, 199U}) valid[row] = false;
  for (const std::int64_t offset : {0, 1, 8, 70}) {
    for (const std::int64_t length : {0, 5, 60, 130}) {
      arrow::OwnedArray owned = int32s("x", std::vector<std::int32_t>(200));
      owned.buffers[0] = bitmap(valid);
      Exported exported(std::move(owned));
      exported.array().offset = offset;
      exported.array().length = length;
      std::int64_t nulls = 0;
      for (std::int64_t row = offset; row < offset + length; ++row)
        nulls += valid[static_cast<std::size_t>(row)] ? 0 : 1;
      exported.array().null_count = nulls;
      CHECK(said(exported).empty());
      exported.array().null_count = nulls + 1;
      CHECK(said(exported) == "x is damaged: it has " + std::to_string(nulls) + " nulls and counts " +
                                  std::to_string(nulls + 1));
      exported.array().null_count = -1;
      CHECK(said(exported).empty());
    }
  }
}

TEST_CASE("dictionaries") {
  const auto encoded = [](const std::vector<std::int32_t>& indices) {
    arrow::OwnedArray owned = int32s("x", indices);
    owned.dictionary = std::make_unique<arrow::OwnedArray>(strings("", {"no", "yes"}));
    return owned;
  };
  CHECK(said(Exported(encoded({1, 0}))).empty());
  CHECK(said(Exported(encoded({1, 2}))) == "x is damaged: index 2 of a dictionary of 2");
  CHECK(said(Exported(encoded({-1}))) == "x is damaged: index -1 of a dictionary of 2");
  arrow::OwnedArray with_null = encoded({7, 1});
  with_null.buffers[0] = bitmap({false, true});
  CHECK(said(Exported(std::move(with_null))).empty());
}

TEST_CASE("what is missing") {
  Exported no_values(int32s("x", {1}));
  no_values.array().buffers[1] = nullptr;
  CHECK(said(no_values) == "x is damaged: a buffer is missing");
  Exported no_child(lists_at({0, 1}, int32s("item", {1})));
  no_child.array().n_children = 0;
  CHECK(said(no_child) == "x is damaged: the array of its values is missing");
  no_child.array().n_children = 1;
  Exported too_short(batch({{.tokens = {"a"}, .entities = {}, .links = {}}}));
  too_short.array().children[0]->length = 0;
  CHECK(said(too_short) == "x is damaged: it has fewer rows than it is to have");
  Exported no_bitmap(int32s("x", {1}));
  no_bitmap.array().null_count = 1;
  CHECK(said(no_bitmap) == "x is damaged: it counts nulls and has no bitmap of them");
}

TEST_CASE("other layouts are not known") {
  Exported exported(int32s("x", {1}));
  exported.schema().format = "vu";
  CHECK(said(exported) == "not known");
}

TEST_CASE("UTF-8 by its definition") {
  for_each_level([](const Utf8Kernels& kernels) {
    // Every sequence of up to three bytes, and of four those with ends that matter.
    const std::vector<unsigned> ends{0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF};
    std::string text;
    const auto agree = [&] { return (kind_of(kernels, text) != Utf8::broken) == by_definition(text); };
    std::size_t wrong = 0;
    for (unsigned first = 0; first < 256; ++first) {
      text.assign(1, static_cast<char>(first));
      wrong += agree() ? 0 : 1;
      for (unsigned second = 0; second < 256; ++second) {
        text.assign({static_cast<char>(first), static_cast<char>(second)});
        wrong += agree() ? 0 : 1;
        for (unsigned third = 0; third < 256; ++third) {
          text.resize(2);
          text.push_back(static_cast<char>(third));
          wrong += agree() ? 0 : 1;
          if (third % 16 != 0 && third % 16 != 15) continue;
          for (const unsigned fourth : ends) {
            text.resize(3);
            text.push_back(static_cast<char>(fourth));
            wrong += agree() ? 0 : 1;
          }
        }
      }
    }
    CHECK(wrong == 0);
    CHECK(kind_of(kernels, "") == Utf8::ascii);
    CHECK(kind_of(kernels, "plain words, more than eight") == Utf8::ascii);
    CHECK(kind_of(kernels, "plain words and an é") == Utf8::beyond_ascii);
    CHECK(kind_of(kernels, "plain words and a \xC3") == Utf8::broken);
  });
}

TEST_CASE("UTF-8 wherever registers and blocks begin and end") {
  using namespace std::string_view_literals;
  const std::vector<std::string_view> sequences{
      "a"sv, "\0"sv, "\x7F"sv, "\xC2\x80"sv, "\xDF\xBF"sv, "\xE0\xA0\x80"sv, "\xED\x9F\xBF"sv,
      "\xEE\x80\x80"sv, "\xEF\xBF\xBF"sv, "\xF0\x90\x80\x80"sv, "\xF4\x8F\xBF\xBF"sv,
      // nothing to continue, and more continued than there is
      "\x80"sv, "\xBF"sv, "\xC3\xA9\xA9"sv, "\xE4\xB8\xAD\x80"sv, "\xF0\x9F\x98\x80\x80"sv,
      // cut
      "\xC3"sv, "\xE4"sv, "\xE4\xB8"sv, "\xF0"sv, "\xF0\x9F"sv, "\xF0\x9F\x98"sv,
      // longer than need be
      "\xC0\x80"sv, "\xC1\xBF"sv, "\xE0\x80\x80"sv, "\xE0\x9F\xBF"sv, "\xF0\x80\x80\x80"sv,
      "\xF0\x8F\xBF\xBF"sv,
      // surrogates, and above U+10FFFF
      "\xED\xA0\x80"sv, "\xED\xBF\xBF"sv, "\xF4\x90\x80\x80"sv, "\xF5\x80\x80\x80"sv,
      "\xF8\x88\x80\x80\x80"sv, "\xFE"sv, "\xFF"sv};
  for_each_level([&](const Utf8Kernels& kernels) {
    std::size_t wrong = 0;
    // Around it are ASCII, characters of two bytes, and such of three, whole or cut at the text's begin.
    for (const std::string_view around : {"a"sv, "é"sv, "中"sv}) {
      for (std::size_t before = 0; before <= 130; ++before) {
        for (const std::string_view sequence : sequences) {
          for (const std::size_t after : {std::size_t{0}, std::size_t{1}, std::size_t{40}, 130 - before}) {
            std::string text;
            while (text.size() + around.size() <= before) text += around;
            text.resize(before, 'a');
            text += sequence;
            for (std::size_t end = text.size() + after; text.size() < end;) text += around;
            const Utf8 found = kind_of(kernels, text);
            wrong += (found != Utf8::broken) == by_definition(text) ? 0 : 1;
            const bool is_ascii =
                std::ranges::all_of(text, [](char byte) { return static_cast<unsigned char>(byte) < 0x80; });
            wrong += (found == Utf8::ascii) == is_ascii ? 0 : 1;
          }
        }
      }
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("places within a character") {
  const std::string text = "a\xC3\xA9\xE4\xB8\xAD\xF0\x9F\x98\x80";
  const std::vector<std::size_t> begins{0, 1, 3, 6};
  for_each_level([&](const Utf8Kernels& kernels) {
    for (std::size_t count = 0; count <= 20; ++count) {
      std::vector<std::int32_t> places(count);
      for (std::size_t i = 0; i < count; ++i)
        places[i] = static_cast<std::int32_t>(begins[i % begins.size()]);
      const auto found = [&] {
        const std::vector<std::int64_t> wide(places.begin(), places.end());
        const bool any = kernels.any_within(bytes_of(text), places.data(), count);
        CHECK(kernels.any_within_wide(bytes_of(text), wide.data(), count) == any);
        return any;
      };
      CHECK(!found());
      for (std::size_t i = 0; i < count; ++i) {
        const std::int32_t kept = places[i];
        for (const std::int32_t within : {2, 4, 5, 7, 8, 9}) {
          places[i] = within;
          CHECK(found());
        }
        places[i] = kept;
      }
    }
  });
}

TEST_CASE("texts of many rows, with one that is wrong") {
  // Rows are looked at in parts; each place is in one of them.
  constexpr std::int32_t rows = 3000;
  std::string data;
  std::vector<std::int32_t> offsets{0};
  for (std::int32_t row = 0; row < rows; ++row) {
    data += row % 10 == 0 ? "é" : row % 3 == 0 ? "" : "word";
    offsets.push_back(static_cast<std::int32_t>(data.size()));
  }
  CHECK(said(Exported(texts_at(offsets, data))).empty());
  for (const std::size_t row : {0U, 10U, 1020U, 1030U, 2040U, 2050U, 2990U}) {
    std::vector<std::int32_t> within = offsets;
    ++within[row];  // where it is 0, the first character has no begin
    CHECK(said(Exported(texts_at(within, data))) == "x is damaged: it has bytes that are not UTF-8");
    std::string broken = data;
    broken[static_cast<std::size_t>(offsets[row])] = '\xFF';
    CHECK(said(Exported(texts_at(offsets, broken))) == "x is damaged: it has bytes that are not UTF-8");
    // What is wrong with offsets is said before what is wrong with texts.
    std::vector<std::int32_t> descending = offsets;
    descending[2995] = 1;
    CHECK(said(Exported(texts_at(descending, broken))) ==
          "x is damaged: row 2994 begins at " + std::to_string(offsets[2994]) + " and ends before, at 1");
    // Of a slice, what it shows.
    Exported slice(texts_at(offsets, broken));
    slice.array().offset = static_cast<std::int64_t>(row) + 1;
    slice.array().length = rows - slice.array().offset;
    CHECK(said(slice).empty());
  }
}
