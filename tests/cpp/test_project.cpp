#include <doctest/doctest.h>

#include <limits>
#include <random>

#include "fixtures.hpp"
#include "xner/error.hpp"
#include "xner/project.hpp"

using namespace xner;
using namespace xner::test;

namespace {

std::vector<Row> random_rows(std::size_t count) {
  std::mt19937 random(7);
  const auto below = [&](std::size_t limit) { return static_cast<std::int32_t>(random() % limit); };
  std::vector<Row> rows(count);
  for (Row& row : rows) {
    row.tokens.assign(1 + random() % 12, "w");
    if (random() % 8 == 0) row.tokens.back() = "!";
    for (std::int32_t start = 0; start < 12; start += 3) {
      row.entities.push_back({start, start + 1 + below(3), random() % 2 == 0 ? "PER" : "LOC"});
    }
    for (std::size_t i = random() % 20; i > 0; --i)
      row.links.push_back({below(12), below(row.tokens.size())});
  }
  return rows;
}

Row good() { return {.tokens = {"a", "b"}, .entities = {{0, 1, "X"}}, .links = {{0, 1}}}; }

std::string error_of(const Row& wrong, const ProjectOptions& options = {}) {
  Exported rows(batch({good(), wrong}));
  return message_of<DataError>([&] { project_batch(rows.ref(), options, 1, false); });
}

}  // namespace

TEST_CASE("rows become labels, entities and statuses") {
  Exported rows(batch({good(),
                       {.tokens = {}, .entities = {}, .links = {}},
                       {.tokens = {"a"}, .entities = {{0, 1, "X"}}, .links = {}},
                       {.tokens = {"a"}, .entities = {{0, 1, "X"}}, .links = {{1, 0}}}}));
  Exported result(project_batch(rows.ref(), {}, 1, false));
  CHECK(read_strings(result.ref().field("labels")) ==
        std::vector<std::vector<std::string>>{{"O", "B-X"}, {}, {"O"}, {"O"}});
  const arrow::StringColumn status(result.ref().field("status"), "status");
  CHECK(status[0] == "ok");
  CHECK(status[1] == "empty_target");
  CHECK(status[2] == "no_links");
  CHECK(status[3] == "no_match");
  const arrow::ListColumn entities(result.ref().field("entities"), "entities");
  CHECK(entities.row(0).size() == 1);
  CHECK(entities.child_end() == 1);
  const arrow::FloatColumn score(entities.child().field("score"), "score");
  CHECK(score[0] == 1.0F);
}

TEST_CASE("a batch may be a slice") {
  Exported rows(batch(random_rows(50)));
  Exported whole(project_batch(rows.ref(), {}, 1, false));
  const auto expected = read_strings(whole.ref().field("labels"));
  rows.array().offset = 7;
  rows.array().length = 20;
  Exported part(project_batch(rows.ref(), {}, 1, false));
  CHECK(read_strings(part.ref().field("labels")) ==
        std::vector<std::vector<std::string>>(expected.begin() + 7, expected.begin() + 27));
}

TEST_CASE("wrong rows name row, column and value") {
  constexpr std::int32_t largest = std::numeric_limits<std::int32_t>::max();
  Row row = good();
  row.links = {{0, 2}};
  CHECK(error_of(row) == "row 1, column 'links', value 0-2: the target sentence has 2 words");
  row.links = {{largest, 0}};
  const std::string too_long = ": a source sentence of unknown length has at most 1048576 words";
  ProjectOptions heuristic;
  heuristic.method = Method::heuristic;
  CHECK(error_of(row) == "row 1, column 'links', value 2147483647-0" + too_long);
  CHECK(error_of(row, heuristic) == "row 1, column 'links', value 2147483647-0" + too_long);
  row.links = {{std::numeric_limits<std::int32_t>::min(), 0}};
  CHECK(error_of(row, heuristic) == "row 1, column 'links', value -2147483648-0: word indices start at 0");
  row = good();
  row.entities = {{0, largest, "X"}};
  CHECK(error_of(row) == "row 1, column 'source_entities', value [0, 2147483647)" + too_long);
  row.entities = {{1, 1, "X"}};
  CHECK(error_of(row) ==
        "row 1, column 'source_entities', value [1, 1): an entity's start is at least 0 and below its end");
  row.entities = {{0, 1, ""}};
  CHECK(error_of(row) == "row 1, column 'source_entities', value [0, 1): the entity has no label");
  Exported rows(batch({good(), row}));
  Exported result(project_batch(rows.ref(), {}, 1, true));
  CHECK(arrow::StringColumn(result.ref().field("status"), "status")[1] == "invalid");
}

TEST_CASE("missing columns are named") {
  Exported numbers(int32s("x", {1}));
  CHECK(message_of<Error>([&] { project_batch(numbers.ref(), {}, 1, false); }) ==
        "expected a record batch, found Arrow format 'i'");
  Exported empty(arrow::make_struct("", 0, {}));
  CHECK(message_of<Error>([&] { project_batch(empty.ref(), {}, 1, false); }) ==
        "column 'tokens' is missing or not list<string>");
}

TEST_CASE("the letter of the reference leaves inside tags, the default does not") {
  const std::vector<Span> entities{{0, 5}, {2, 3}};
  const std::vector<std::string_view> labels{"A", "B"};
  const std::vector<std::int32_t> words{0, 1, 2, 3, 4};
  SentencePair pair;
  pair.source_words = pair.target_words = 5;
  pair.entities = entities;
  pair.labels = labels;
  pair.links = {.source = words, .target = words, .score = {}};
  ProjectOptions options;
  options.method = Method::heuristic;
  options.heuristic.policy = OverlapPolicy::overwrite;
  for (const bool canonical : {false, true}) {
    options.canonical_order = canonical;
    SentenceProjector projector(options);
    const Projection& projection = projector(pair);
    REQUIRE(projection.runs.size() == 3);
    CHECK(projection.runs[2].begins == canonical);
    CHECK(projection.entities.size() == (canonical ? 3 : 2));
  }
}

TEST_SUITE("threads") {
  TEST_CASE("the output does not depend on the number of threads") {
    Exported rows(batch(random_rows(20'000)));
    for (const Method method : {Method::candidates, Method::heuristic}) {
      ProjectOptions options;
      options.method = method;
      Exported alone(project_batch(rows.ref(), options, 1, false));
      const auto expected = read_strings(alone.ref().field("labels"));
      for (const std::size_t threads : {2, 3, 7}) {
        Exported together(project_batch(rows.ref(), options, threads, false));
        CHECK(read_strings(together.ref().field("labels")) == expected);
      }
    }
  }

  TEST_CASE("the first wrong row is named, whichever thread meets it") {
    std::vector<Row> rows = random_rows(20'000);
    for (const std::size_t wrong : {19'999U, 9'001U, 9'000U}) rows[wrong].links = {{0, 99}};
    Exported exported(batch(rows));
    for (const std::size_t threads : {1, 3}) {
      const std::string message =
          message_of<DataError>([&] { project_batch(exported.ref(), {}, threads, false); });
      CHECK(message.starts_with("row 9000, column 'links', value 0-99: "));
    }
  }

  TEST_CASE("labels of many rows there and back") {
    Exported rows(batch(random_rows(20'000)));
    Exported result(project_batch(rows.ref(), {}, 3, false));
    const arrow::ArrayRef labels = result.ref().field("labels");
    Exported entities(decode_label_lists(labels, "labels", Scheme::iob2, Reading::validate, 3));
    Exported written(encode_label_lists(entities.ref(), "entities", labels, 3));
    CHECK(read_strings(written.ref()) == read_strings(labels));
  }
}
