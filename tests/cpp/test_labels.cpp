#include <doctest/doctest.h>

#include "fixtures.hpp"
#include "xner/error.hpp"

using namespace xner;
using namespace xner::test;

namespace {

std::vector<LabelledSpan> decode(const std::vector<std::string_view>& tags, Scheme scheme, Reading reading) {
  std::vector<LabelledSpan> entities;
  decode_labels(tags, scheme, reading, entities);
  return entities;
}

using Spans = std::vector<LabelledSpan>;

}  // namespace

TEST_CASE("the schemes read alike when well formed") {
  const Spans expected{{{0, 2}, "X"}, {{2, 3}, "X"}};
  for (const Reading reading : {Reading::lenient, Reading::strict, Reading::validate}) {
    CHECK(decode({"I-X", "I-X", "B-X", "O"}, Scheme::iob1, reading) == expected);
    CHECK(decode({"B-X", "I-X", "B-X", "O"}, Scheme::iob2, reading) == expected);
    CHECK(decode({"B-X", "E-X", "S-X", "O"}, Scheme::bioes, reading) == expected);
    CHECK(decode({"B-X", "L-X", "U-X", "O"}, Scheme::bioes, reading) == expected);
    CHECK(decode({"B-X", "E-X", "W-X", "O"}, Scheme::bioes, reading) == expected);
    CHECK(decode({"B-X", "M-X", "E-X", "O"}, Scheme::bioes, reading) == Spans{{{0, 3}, "X"}});
  }
}

TEST_CASE("malformed labels") {
  CHECK(decode({"I-X"}, Scheme::iob2, Reading::lenient) == Spans{{{0, 1}, "X"}});
  CHECK(decode({"I-X"}, Scheme::iob2, Reading::strict).empty());
  CHECK_THROWS_AS(decode({"I-X"}, Scheme::iob2, Reading::validate), DataError);
  CHECK(decode({"ORG", "O", "B", "I"}, Scheme::iob2, Reading::lenient) ==
        Spans{{{0, 1}, "ORG"}, {{2, 4}, "_"}});
  const std::string_view nul("\0-X", 3);
  CHECK_THROWS_AS(decode({nul}, Scheme::iob2, Reading::strict), DataError);
  CHECK(message_of<DataError>([] { decode({"O", ""}, Scheme::iob2, Reading::lenient); }) ==
        "column 'labels', value '' at word 1: the label is empty; a word outside any entity has the label O");
}

TEST_CASE("runs are written as tags") {
  const std::vector<TagRun> runs{{{1, 3}, "PER", true}, {{3, 4}, "X", false}};
  std::vector<std::int32_t> offsets(5);
  std::string data(tag_bytes(5, runs), '?');
  write_tags(5, runs, offsets.data(), data.data(), 0);
  CHECK(data == "OB-PERI-PERI-XO");
  CHECK(offsets == std::vector<std::int32_t>{1, 6, 11, 14, 15});
  CHECK(tag_bytes(0, {}) == 0);
}

TEST_CASE("columns of labels there and back") {
  Exported labels(lists("labels", {3, 0, 1}, strings("item", {"O", "B-X", "I-X", "B-Y"})));
  Exported entities(decode_label_lists(labels.ref(), "labels", Scheme::iob2, Reading::validate, 1));
  const arrow::ListColumn column(entities.ref(), "entities");
  CHECK(column.row(0).size() == 1);
  CHECK(column.row(1).size() == 0);
  Exported written(encode_label_lists(entities.ref(), "entities", labels.ref(), 2));
  CHECK(read_strings(written.ref()) == read_strings(labels.ref()));
}

TEST_CASE("errors name row, column and value") {
  Exported labels(lists("labels", {1, 1}, strings("item", {"O", "I-X"})));
  CHECK(message_of<DataError>(
            [&] { decode_label_lists(labels.ref(), "gold_labels", Scheme::iob2, Reading::validate, 1); }) ==
        "row 1, column 'gold_labels', value 'I-X' at word 0: in IOB2, I- follows B- or I- of the same class; "
        "is this "
        "file IOB1?");
  std::vector<arrow::OwnedArray> fields;
  fields.push_back(int32s("start", {0, 0}));
  fields.push_back(int32s("end", {1, 1}));
  fields.push_back(strings("label", {"X", "Y"}));
  Exported entities(lists("entities", {0, 2}, arrow::make_struct("item", 2, std::move(fields))));
  CHECK(message_of<DataError>([&] { encode_label_lists(entities.ref(), "entities", labels.ref(), 1); }) ==
        "row 1, column 'entities', value [0, 1): the span overlaps another entity of the sentence");
}
