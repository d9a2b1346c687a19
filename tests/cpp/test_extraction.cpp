#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>
#include <random>

#include "fixtures.hpp"
#include "xner/error.hpp"
#include "xner/extraction.hpp"

using namespace xner;
using namespace xner::test;

namespace {

// A float32 matrix with memory of its own.
struct Cells {
  std::size_t rows;
  std::size_t columns;
  std::vector<float> values;

  [[nodiscard]] SimilarityView view() const {
    return {.data = reinterpret_cast<const std::byte*>(values.data()),
            .type = ElementType::float32,
            .rows = rows,
            .columns = columns,
            .row_stride = static_cast<std::ptrdiff_t>(columns * sizeof(float)),
            .column_stride = sizeof(float)};
  }
};

Cells random_cells(std::size_t rows, std::size_t columns, std::uint32_t seed) {
  std::mt19937 generator(seed);
  Cells cells{rows, columns, std::vector<float>(rows * columns)};
  for (float& value : cells.values) value = static_cast<float>(generator() % 1000) / 100;
  return cells;
}

std::vector<ScoredLink> extract(const Cells& cells, const ExtractionOptions& options,
                                const WordMaps& words = {}) {
  LinkExtractor extractor(options);
  const auto links = extractor.extract(cells.view(), words);
  return {links.begin(), links.end()};
}

std::vector<ScoredLink> extract(const Cells& cells, ExtractionMethod method) {
  return extract(cells, ExtractionOptions{.method = method});
}

// Two rows share a best column; the third row and column are left over.
const Cells example{3, 3, {0.9F, 0.2F, 0.1F, 0.8F, 0.3F, 0.2F, 0.1F, 0.7F, 0.6F}};

}  // namespace

TEST_CASE("the best cells of rows and columns") {
  using enum ExtractionMethod;
  CHECK(extract(example, forward) == std::vector<ScoredLink>{{{0, 0}, 0.9F}, {{1, 0}, 0.8F}, {{2, 1}, 0.7F}});
  CHECK(extract(example, reverse) == std::vector<ScoredLink>{{{0, 0}, 0.9F}, {{2, 1}, 0.7F}, {{2, 2}, 0.6F}});
  CHECK(extract(example, intersect) == std::vector<ScoredLink>{{{0, 0}, 0.9F}, {{2, 1}, 0.7F}});
  CHECK(extract(example, itermax) ==
        std::vector<ScoredLink>{{{0, 0}, 0.9F}, {{1, 0}, 0.8F}, {{2, 1}, 0.7F}, {{2, 2}, 0.6F}});
  CHECK(extract(example, mwmf) == std::vector<ScoredLink>{{{0, 0}, 0.9F}, {{1, 1}, 0.3F}, {{2, 2}, 0.6F}});
}

TEST_CASE("of equal cells the first is the best") {
  const Cells ties{2, 3, {1, 1, 1, 1, 1, 1}};
  CHECK(extract(ties, ExtractionMethod::forward) == std::vector<ScoredLink>{{{0, 0}, 1}, {{1, 0}, 1}});
  CHECK(extract(ties, ExtractionMethod::reverse) ==
        std::vector<ScoredLink>{{{0, 0}, 1}, {{0, 1}, 1}, {{0, 2}, 1}});
}

TEST_CASE("probabilities along both sides") {
  const float apart = std::log(3.0F);
  const Cells cells{2, 2, {apart, 0, 0, apart}};
  const auto links = extract(cells, {.method = ExtractionMethod::softmax, .threshold = 0.5});
  REQUIRE(links.size() == 2);
  CHECK(links[0].link == Link{0, 0});
  CHECK(links[1].link == Link{1, 1});
  CHECK(links[0].score == doctest::Approx(0.75));
  // One more cell of log 3: 3 / (3 + 1 + 3), and no cell is above it.
  CHECK(extract(cells, {.method = ExtractionMethod::softmax, .null_threshold = apart}).empty());
  // Half the distance is less than 1, so that both cells of a row are in the support.
  CHECK(extract(cells, ExtractionMethod::entmax15).size() == 4);
  const Cells far{2, 2, {3, 0, 0, 3}};
  CHECK(extract(far, ExtractionMethod::entmax15) == std::vector<ScoredLink>{{{0, 0}, 1}, {{1, 1}, 1}});
}

TEST_CASE("words take the best of their pieces; a piece of no word has no links") {
  const std::vector<std::int32_t> source{0, 0, -1};
  const std::vector<std::int32_t> target{4, 4, 4};
  CHECK(extract(example, {.method = ExtractionMethod::forward}, {.source = source, .target = target}) ==
        std::vector<ScoredLink>{{{0, 4}, 0.9F}});
  CHECK(extract(example, {.method = ExtractionMethod::forward}, {.source = {}, .target = target}).size() ==
        3);
}

TEST_CASE("float16 cells with any stride") {
  // 1.0, 0.5 | 2^-24, -2.0, every second element
  const std::array<std::uint16_t, 8> halves{0x3C00, 0, 0x3800, 0, 0x0001, 0, 0xC000, 0};
  LinkExtractor extractor({.method = ExtractionMethod::forward});
  const auto links = extractor.extract({.data = reinterpret_cast<const std::byte*>(halves.data()),
                                        .type = ElementType::float16,
                                        .rows = 2,
                                        .columns = 2,
                                        .row_stride = 8,
                                        .column_stride = 4});
  REQUIRE(links.size() == 2);
  CHECK(links[0] == ScoredLink{{0, 0}, 1});
  CHECK(links[1] == ScoredLink{{1, 0}, std::ldexp(1.0F, -24)});
}

TEST_CASE("one extractor for matrices of all sizes") {
  for (const auto method : {ExtractionMethod::itermax, ExtractionMethod::mwmf, ExtractionMethod::softmax,
                            ExtractionMethod::entmax15}) {
    const ExtractionOptions options{.method = method, .threshold = 0.01};
    LinkExtractor used(options);
    for (const std::size_t rows : {9U, 1U, 0U, 30U, 3U, 8U}) {
      for (const std::size_t columns : {2U, 17U, 0U, 1U, 8U}) {
        const Cells cells = random_cells(rows, columns, static_cast<std::uint32_t>(100 * rows + columns));
        const auto links = used.extract(cells.view());
        CHECK(std::vector<ScoredLink>(links.begin(), links.end()) == extract(cells, options));
      }
    }
  }
}

TEST_CASE("what is wrong is named") {
  Cells cells = example;
  cells.values[5] = std::numeric_limits<float>::quiet_NaN();
  CHECK(message_of<DataError>([&] { extract(cells, ExtractionMethod::forward); }) ==
        "column 'similarities', value nan: cell (1, 2) is not a finite number");
  const std::vector<std::int32_t> words{0, 1};
  CHECK(message_of<DataError>([&] { extract(example, {}, {.source = words, .target = {}}); }) ==
        "column 'source_words', value 2 pieces: the similarities have 3");
}

TEST_SUITE("threads") {
  TEST_CASE("links of a batch do not depend on the number of threads") {
    std::vector<Cells> cells;
    std::vector<SimilarityView> views;
    for (std::uint32_t row = 0; row < 100; ++row) cells.push_back(random_cells(row % 23, 40 - row % 40, row));
    for (const Cells& one : cells) views.push_back(one.view());
    const ExtractionOptions options{.method = ExtractionMethod::itermax};
    LinkExtractor extractor(options);
    for (const std::size_t threads : {1U, 2U, 5U}) {
      const Exported exported(extract_link_lists(views, {}, options, threads));
      const arrow::ListColumn lists(exported.ref(), "links");
      const arrow::Int32Column sources(lists.child().field("source"), "source");
      const arrow::Int32Column targets(lists.child().field("target"), "target");
      const arrow::FloatColumn scores(lists.child().field("score"), "score");
      REQUIRE(lists.size() == 100);
      for (std::int64_t row = 0; row < lists.size(); ++row) {
        std::vector<ScoredLink> found;
        for (auto i = lists.row(row).begin; i < lists.row(row).end; ++i) {
          found.push_back({{sources[i], targets[i]}, scores[i]});
        }
        const auto links = extractor.extract(views[static_cast<std::size_t>(row)]);
        CHECK(found == std::vector<ScoredLink>(links.begin(), links.end()));
      }
    }
  }

  TEST_CASE("the first wrong matrix is named") {
    std::vector<Cells> cells(50, example);
    cells[30].values[0] = std::numeric_limits<float>::infinity();
    std::vector<SimilarityView> views;
    for (const Cells& one : cells) views.push_back(one.view());
    CHECK(message_of<DataError>([&] { extract_link_lists(views, {}, {}, 1); }) ==
          "row 30, column 'similarities', value inf: cell (0, 0) is not a finite number");
  }
}
