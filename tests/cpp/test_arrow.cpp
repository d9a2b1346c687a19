#include <doctest/doctest.h>

#include <array>

#include "fixtures.hpp"
#include "xner/error.hpp"

using namespace xner;
using namespace xner::test;

TEST_CASE("exported arrays read back through the views") {
  Exported exported(lists("words", {2, 0, 1}, strings("item", {"a", "", "déjà"})));
  CHECK(std::string(exported.schema().format) == "+l");
  CHECK(std::string(exported.schema().name) == "words");
  CHECK((exported.schema().flags & ARROW_FLAG_NULLABLE) != 0);
  CHECK(exported.array().length == 3);
  const arrow::ListColumn column(exported.ref(), "words");
  CHECK(column.size() == 3);
  CHECK(column.child_begin() == 0);
  CHECK(column.child_end() == 3);
  CHECK(column.row(1).size() == 0);
  CHECK_FALSE(column.is_null(1));
  const arrow::StringColumn words(column.child(), "words");
  CHECK(words[2] == "déjà");
  CHECK(words.bytes(2) == 6);
  CHECK(words[1].empty());
  CHECK(read_strings(exported.ref()) == std::vector<std::vector<std::string>>{{"a", ""}, {}, {"déjà"}});
}

TEST_CASE("releasing the parent releases what was not moved out") {
  Exported exported(lists("words", {1}, strings("item", {"a"})));
  exported.array().release(&exported.array());
  CHECK((exported.array().release == nullptr));
  // The schema is a separate object with a life of its own.
  CHECK(std::string(exported.schema().children[0]->format) == "u");
}

TEST_CASE("a child that was moved out outlives its parent") {
  Exported exported(batch({{.tokens = {"a", "b"}, .entities = {{0, 1, "X"}}, .links = {{0, 1}}}}));
  ArrowArray child = *exported.array().children[0];
  ArrowSchema child_schema = *exported.schema().children[0];
  exported.array().children[0]->release = nullptr;
  exported.schema().children[0]->release = nullptr;
  exported.array().release(&exported.array());
  exported.schema().release(&exported.schema());
  CHECK(read_strings({&child_schema, &child}) == std::vector<std::vector<std::string>>{{"a", "b"}});
  child.release(&child);
  child_schema.release(&child_schema);
  CHECK((child.release == nullptr));
  CHECK((child_schema.release == nullptr));
}

TEST_CASE("offsets shift values and validity") {
  arrow::OwnedArray owned = int32s("x", {7, 8, 9, 10});
  owned.buffers[0] = bitmap({true, false, true, false});
  Exported exported(std::move(owned));
  exported.array().null_count = -1;
  exported.array().offset = 1;
  exported.array().length = 3;
  const arrow::Int32Column column(exported.ref(), "x");
  CHECK(column.has_nulls());
  CHECK(column[1] == 9);
  CHECK(column.is_null(0));
  CHECK_FALSE(column.is_null(1));
  // A field of a sliced struct is indexed past the struct's offset.
  const arrow::Int32Column field(exported.ref(), "x", 1);
  CHECK(field[0] == 9);
  CHECK_FALSE(field.is_null(0));
  CHECK(field.is_null(1));
}

TEST_CASE("a null list is empty whatever its offsets say") {
  arrow::OwnedArray owned = lists("x", {2, 1}, int32s("item", {1, 2, 3}));
  owned.buffers[0] = bitmap({false, true});
  Exported exported(std::move(owned));
  exported.array().null_count = 1;
  const arrow::ListColumn column(exported.ref(), "x");
  CHECK(column.is_null(0));
  CHECK(column.row(0).size() == 0);
  CHECK(column.row(1).size() == 1);
  CHECK(column.row(1).begin == 2);
}

TEST_CASE("64-bit offsets") {
  const std::vector<std::int64_t> offsets{0, 1, 3};
  const std::vector<char> data{'a', 'b', 'c'};
  arrow::OwnedArray owned = arrow::make_string("x", 2, arrow::Buffer::of(offsets), arrow::Buffer::of(data));
  owned.format = "U";
  Exported exported(std::move(owned));
  const arrow::StringColumn column(exported.ref(), "x");
  CHECK(column[0] == "a");
  CHECK(column[1] == "bc");
}

TEST_CASE("dictionaries of strings") {
  arrow::OwnedArray owned = int32s("x", {1, 0, 1});
  owned.dictionary = std::make_unique<arrow::OwnedArray>(strings("", {"no", "yes"}));
  Exported exported(std::move(owned));
  REQUIRE(exported.schema().dictionary != nullptr);
  const arrow::StringColumn column(exported.ref(), "x");
  CHECK(column[0] == "yes");
  CHECK(column[1] == "no");
  CHECK(column.bytes(2) == 3);
}

TEST_CASE("arrays without buffers") {
  ArrowArray array{};
  ArrowSchema schema{};
  schema.format = "u";
  std::array<const void*, 3> buffers{};
  array.n_buffers = 3;
  array.buffers = buffers.data();
  CHECK_NOTHROW(arrow::StringColumn({&schema, &array}, "x"));
  CHECK(arrow::Offsets(nullptr, 0, false)[0] == 0);
  CHECK(arrow::Offsets(nullptr, 0, true)[0] == 0);
  schema.format = "i";
  CHECK(arrow::Int32Column({&schema, &array}, "x").data() == nullptr);
}

TEST_CASE("other types are named") {
  Exported numbers(int32s("x", {1}));
  CHECK(message_of<Error>([&] { arrow::ListColumn(numbers.ref(), "links"); }) ==
        "column 'links': expected a list, found Arrow format 'i'");
  CHECK(message_of<Error>([&] { arrow::StringColumn(numbers.ref(), "tokens"); }) ==
        "column 'tokens': expected strings, found Arrow format 'i'");
  CHECK(message_of<Error>([&] { arrow::FloatColumn(numbers.ref(), "score"); }) ==
        "column 'score': expected float32, found Arrow format 'i'");
}

TEST_CASE("fields by name") {
  Exported exported(batch({}));
  CHECK(exported.ref().is_struct());
  CHECK(exported.ref().field("links"));
  CHECK_FALSE(exported.ref().field("nothing"));
}
