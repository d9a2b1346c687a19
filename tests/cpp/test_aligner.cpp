#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "aligner/elementary.hpp"
#include "xner/aligner.hpp"
#include "xner/error.hpp"

namespace {

using Sentences = std::vector<std::vector<std::string>>;

xner::WordKind kind_of(const std::string& word) {
  const auto first = static_cast<unsigned char>(word.front());
  if (std::isdigit(first) != 0) return xner::WordKind::number;
  if (std::isalpha(first) == 0) return xner::WordKind::symbol;
  return std::isupper(first) != 0 ? xner::WordKind::capitalised : xner::WordKind::plain;
}

// Words as ids, with one level: the words themselves.
struct Side {
  xner::Ragged<std::int32_t> sentences;
  std::vector<std::int32_t> types;
  std::vector<xner::WordKind> kinds;
  xner::Ragged<std::uint32_t> text;

  explicit Side(const Sentences& rows) {
    std::map<std::string, std::int32_t> ids;
    for (const auto& row : rows) {
      for (const auto& word : row) {
        const auto [place, added] = ids.emplace(word, static_cast<std::int32_t>(ids.size()));
        if (added) {
          types.push_back(place->second);
          kinds.push_back(kind_of(word));
          for (const char c : word) text.values.push_back(static_cast<unsigned char>(c));
          text.end_row();
        }
        sentences.values.push_back(place->second);
      }
      sentences.end_row();
    }
  }
};

struct Corpus {
  Side source;
  Side target;

  Corpus(const Sentences& s, const Sentences& t) : source(s), target(t) {}
  [[nodiscard]] xner::AlignerCorpus view() const {
    return {source.sentences.view(),
            target.sentences.view(),
            {{source.types, target.types, source.text.view(), target.text.view(), {}, {}}},
            source.kinds,
            target.kinds};
  }
  [[nodiscard]] std::vector<xner::AlignerTypeMap> maps() const { return {{source.types, target.types}}; }
};

const Corpus& toy() {
  static const Corpus corpus({{"the", "house", "is", "small"},
                              {"the", "book", "is", "good"},
                              {"a", "small", "book", "by", "Anna"},
                              {"Anna", "reads", "the", "book", "."},
                              {}},
                             {{"das", "Haus", "ist", "klein"},
                              {"das", "Buch", "ist", "gut"},
                              {"ein", "kleines", "Buch", "von", "Anna"},
                              {"Anna", "liest", "das", "Buch", "."},
                              {"ja"}});
  return corpus;
}

// A repetitive corpus of made-up words, long enough for several chunks of work.
Corpus long_corpus(std::size_t rows, std::size_t words) {
  Sentences source;
  Sentences target;
  std::uint32_t state = 1;
  for (std::size_t row = 0; row < rows; ++row) {
    source.emplace_back();
    target.emplace_back();
    for (std::size_t i = 0; i < words; ++i) {
      state = state * 1664525U + 1013904223U;
      const std::string name = std::to_string(state >> 26U);
      source.back().push_back("s" + name);
      target.back().push_back("t" + name);
    }
  }
  return {source, target};
}

TEST_CASE("exponentials and logarithms are those of the C library but for the last bits") {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> wide(-700.0, 700.0);
  std::uniform_real_distribution<double> near_nil(-1e-3, 1e-3);
  const auto steps = [](auto a, auto b) {
    using Number = decltype(a);
    return std::abs(a - b) /
           (std::nextafter(std::abs(b), std::numeric_limits<Number>::infinity()) - std::abs(b));
  };
  for (int k = 0; k < 20000; ++k) {
    for (const double x : {wide(random), near_nil(random)}) {
      const double e = std::exp(x);
      CHECK(steps(xner::aligner::exponential(x), e) <= 2);
      CHECK(steps(xner::aligner::logarithm(e), std::log(e)) <= 3);
      const auto small = static_cast<float>(x / 9.0);
      CHECK(steps(xner::aligner::exponential(small), std::exp(small)) <= 1);
      CHECK(steps(xner::aligner::logarithm(std::exp(small)), std::log(std::exp(small))) <= 1);
    }
  }
  CHECK(xner::aligner::exponential(0.0) == 1.0);
  CHECK(xner::aligner::exponential(-1000.0) == 0.0);
  CHECK(xner::aligner::logarithm(1.0) == 0.0);
  CHECK(xner::aligner::power(0.0, 0.0) == 1.0);
  CHECK(xner::aligner::power(0.0, 2.0) == 0.0);
  CHECK(xner::aligner::power(3.0, 2.0) == doctest::Approx(9.0).epsilon(1e-14));
}

TEST_CASE("the aligner learns a toy language") {
  const auto model = xner::fit_aligner(toy().view(), {}, 1);
  CHECK(model.sentence_pairs == 4);
  const auto links = xner::align_posterior(model, toy().view(), toy().maps(), 0.5, 0.05, 1);
  REQUIRE(links.offsets.size() == 6);
  CHECK(links.offsets[5] == links.offsets[4]);  // the row with an empty side
  for (std::int64_t k = 0; k < links.offsets[1]; ++k) {
    const auto at = static_cast<std::size_t>(k);
    CHECK(links.source[at] == links.target[at]);
    CHECK(links.score[at] <= 1.0F);
  }
  CHECK(links.offsets[1] == 4);
}

TEST_CASE("the aligner's result does not depend on the number of threads") {
  const Corpus corpus = long_corpus(200, 12);
  const auto model = xner::fit_aligner(corpus.view(), {}, 1);
  const auto links = xner::align_posterior(model, corpus.view(), corpus.maps(), 0.1, 0.05, 1);
  for (const std::size_t threads : {2U, 4U}) {
    const auto other = xner::fit_aligner(corpus.view(), {}, threads);
    CHECK(other.levels.front().counts == model.levels.front().counts);
    CHECK(other.source_jumps == model.source_jumps);
    const auto other_links = xner::align_posterior(other, corpus.view(), corpus.maps(), 0.1, 0.05, threads);
    CHECK(other_links.offsets == links.offsets);
    CHECK(other_links.source == links.source);
    CHECK(other_links.score == links.score);
  }
}

TEST_CASE("the aligner stays finite on long sentences") {
  const Corpus corpus = long_corpus(3, 600);
  const auto model = xner::fit_aligner(corpus.view(), {}, 2);
  const auto links = xner::align_posterior(model, corpus.view(), corpus.maps(), 0.0, 0.05, 2);
  CHECK_FALSE(links.score.empty());
  for (const float score : links.score) REQUIRE(std::isfinite(score));
  const auto viterbi =
      xner::align_viterbi(model, corpus.view(), corpus.maps(), xner::Symmetrization::intersect, 2);
  CHECK(viterbi.source.size() > 1500);
}

TEST_CASE("the classifier links a toy language, on any number of threads, and stays finite") {
  const auto model = xner::fit_aligner(toy().view(), {}, 1);
  const auto links = xner::align_discriminative(model, toy().view(), toy().maps(), 0.5, 1);
  REQUIRE(links.offsets.size() == 6);
  CHECK(links.offsets[5] == links.offsets[4]);  // the row with an empty side
  CHECK(links.offsets[1] == 4);
  for (std::size_t k = 0; k < 4; ++k) CHECK(links.source[k] == links.target[k]);

  const Corpus corpus = long_corpus(40, 60);
  const auto fitted = xner::fit_aligner(corpus.view(), {}, 2);
  const auto all = xner::align_discriminative(fitted, corpus.view(), corpus.maps(), 0.0, 1);
  CHECK_FALSE(all.score.empty());
  for (const float score : all.score) REQUIRE((score > 0.0F && score <= 1.0F));
  const auto again = xner::align_discriminative(fitted, corpus.view(), corpus.maps(), 0.0, 4);
  CHECK(again.offsets == all.offsets);
  CHECK(again.target == all.target);
  CHECK(again.score == all.score);
}

TEST_CASE("without a threshold each row has the links of highest expected F1") {
  const Corpus corpus = long_corpus(40, 60);
  const auto model = xner::fit_aligner(corpus.view(), {}, 2);
  const auto all = xner::align_discriminative(model, corpus.view(), corpus.maps(), 0.0, 1);
  const auto best = xner::align_discriminative(model, corpus.view(), corpus.maps(), std::nullopt, 2);
  CHECK_FALSE(best.score.empty());
  const auto row = [](const xner::ScoredLinks& links, std::size_t r) {
    return std::vector<float>(links.score.begin() + links.offsets[r],
                              links.score.begin() + links.offsets[r + 1]);
  };
  for (std::size_t r = 0; r + 1 < all.offsets.size(); ++r) {
    std::vector<float> falling = row(all, r);
    std::ranges::sort(falling, std::ranges::greater{});
    double right = 0;
    std::size_t number = 0;
    double highest = 0;
    const double expected = std::accumulate(falling.begin(), falling.end(), 0.0);
    for (std::size_t k = 0; k <= falling.size(); ++k) {
      const double f1 = 2 * (3 + right) / (6 + static_cast<double>(k) + expected);
      if (f1 > highest + 1e-12) {
        highest = f1;
        number = k;
      }
      if (k < falling.size()) right += falling[k];
    }
    std::vector<float> found = row(best, r);
    std::ranges::sort(found, std::ranges::greater{});
    CHECK(found ==
          std::vector<float>(falling.begin(), falling.begin() + static_cast<std::ptrdiff_t>(number)));
  }
}

TEST_CASE("features of links are those of the cells that the classifier looks at") {
  const auto model = xner::fit_aligner(toy().view(), {}, 1);
  const auto all = xner::align_discriminative(model, toy().view(), toy().maps(), 0.0, 1);
  const auto found = xner::link_features(model, toy().view(), toy().maps(), {});
  CHECK(found.cells.offsets == all.offsets);
  CHECK(found.cells.source == all.source);
  CHECK(found.values.size() == 2 * found.each * all.source.size());
  const auto second = xner::link_features(model, toy().view(), toy().maps(), all.score);
  CHECK(second.each > found.each);
  for (std::size_t k = 0; k < found.each; ++k) CHECK(second.values[k] == found.values[k]);
  CHECK_THROWS_AS(xner::link_features(model, toy().view(), toy().maps(), std::span(all.score).first(1)),
                  xner::Error);
}

TEST_CASE("the aligner knows no new words but uses their letters") {
  const Corpus other({{"Maria", "reads", "."}}, {{"Maria", "liest", "."}});
  const auto model = xner::fit_aligner(toy().view(), {}, 1);
  // "reads" and "." have ids 8 and 9 in the fitted corpus, "liest" and "." 9 and 10.
  const std::vector<std::int32_t> source{-1, 8, 9};
  const std::vector<std::int32_t> target{-1, 9, 10};
  const std::vector<xner::AlignerTypeMap> maps{{source, target}};
  const auto links = xner::align_posterior(model, other.view(), maps, 0.5, 0.05, 1);
  CHECK(links.source == std::vector<std::int32_t>{0, 1, 2});
  CHECK(links.target == std::vector<std::int32_t>{0, 1, 2});
}

TEST_CASE("an aligner of no sentence pairs goes by what words look like") {
  const Corpus nothing({}, {});
  const Corpus other({{"In", "1999", ",", "Merkel", "spoke", "."}}, {{"1999", "sprach", "Merkel", "."}});
  const auto model = xner::fit_aligner(nothing.view(), {}, 1);
  CHECK(model.sentence_pairs == 0);
  const std::vector<std::int32_t> source(other.source.types.size(), -1);
  const std::vector<std::int32_t> target(other.target.types.size(), -1);
  const std::vector<xner::AlignerTypeMap> maps{{source, target}};
  const auto links = xner::align_posterior(model, other.view(), maps, 0.5, 0.05, 1);
  const auto linked = [&](std::int32_t i, std::int32_t j) {
    for (std::size_t k = 0; k < links.source.size(); ++k) {
      if (links.source[k] == i && links.target[k] == j) return true;
    }
    return false;
  };
  CHECK(linked(1, 0));
  CHECK(linked(3, 2));
  CHECK(linked(5, 3));
  CHECK_FALSE(linked(2, 3));
}

// Fits a block that goes on from the sums, and adds what it teaches.
void add_block(xner::AlignerStatistics& sums, const xner::AlignerCorpus& block, std::size_t most_entries,
               std::size_t threads = 1, const xner::AlignerOptions& options = {}) {
  xner::add_statistics(sums, xner::fit_aligner_block(block, options, sums, threads), {}, most_entries);
  xner::check_statistics(sums);
}

TEST_CASE("one block is fitted as the whole") {
  const Corpus corpus = long_corpus(100, 12);
  const auto whole = xner::fit_aligner(corpus.view(), {}, 2);
  xner::AlignerStatistics statistics;
  add_block(statistics, corpus.view(), 1'000'000, 2);
  const auto block = xner::aligner_of(statistics, {});
  xner::check_aligner(block);
  CHECK(block.sentence_pairs == whole.sentence_pairs);
  CHECK(block.levels.front().offsets == whole.levels.front().offsets);
  CHECK(block.levels.front().targets == whole.levels.front().targets);
  CHECK(block.levels.front().counts == whole.levels.front().counts);
  CHECK(block.levels.front().source_frequency == whole.levels.front().source_frequency);
  CHECK(block.source_null == whole.source_null);
  CHECK(block.target_jumps == whole.target_jumps);
  for (std::size_t type = 0; type < whole.levels.front().source_totals.size(); ++type) {
    CHECK(block.levels.front().source_totals[type] ==
          doctest::Approx(whole.levels.front().source_totals[type]));
  }
}

TEST_CASE("blocks add up, whatever the number of threads") {
  const Corpus corpus = long_corpus(100, 12);
  std::vector<xner::AlignerModel> models;
  for (const std::size_t threads : {1U, 3U}) {
    xner::AlignerStatistics statistics;
    for (int block = 0; block < 3; ++block) {
      add_block(statistics, corpus.view(), 500, threads);
    }
    CHECK(statistics.blocks == 3);
    CHECK(statistics.sentence_pairs == 300);
    CHECK(statistics.levels.front().counts.size() <= 500);
    models.push_back(xner::aligner_of(statistics, {}));
    xner::check_aligner(models.back());
  }
  CHECK(models[0].levels.front().counts == models[1].levels.front().counts);
  CHECK(models[0].levels.front().source_totals == models[1].levels.front().source_totals);
  CHECK(models[0].source_jumps == models[1].source_jumps);
  const auto once = xner::fit_aligner(corpus.view(), {}, 1);
  for (std::size_t type = 0; type < once.levels.front().source_frequency.size(); ++type) {
    CHECK(models[0].levels.front().source_frequency[type] == 3 * once.levels.front().source_frequency[type]);
  }
}

TEST_CASE("a block has what those before it had") {
  xner::AlignerStatistics statistics;
  add_block(statistics, toy().view(), 100);
  const Corpus other({{"a"}}, {{"b"}});
  CHECK_THROWS_WITH(xner::fit_aligner_block(other.view(), {}, statistics, 1),
                    "the block lacks words or types of those before it");
  xner::AlignerOptions options;
  options.jump_clip = 3;
  CHECK_THROWS_WITH(xner::fit_aligner_block(toy().view(), options, statistics, 1),
                    "jump_clip differs from that of the blocks before");
  auto levels = toy().view();
  levels.levels.push_back(levels.levels.front());
  CHECK_THROWS_WITH(xner::fit_aligner_block(levels, {}, statistics, 1),
                    "the block has other levels than those before it");
  CHECK(statistics.blocks == 1);
}

TEST_CASE("what blocks teach is added under other numbers") {
  const Corpus corpus = long_corpus(60, 12);
  const auto block = xner::fit_aligner_block(corpus.view(), {}, {}, 1);
  const auto types = block.levels.front().source_links.size();
  std::vector<std::int32_t> turned(types);
  for (std::size_t type = 0; type < types; ++type) turned[type] = static_cast<std::int32_t>(types - 1 - type);
  const auto targets = block.levels.front().target_links.size();
  std::vector<std::int32_t> same(targets);
  for (std::size_t type = 0; type < targets; ++type) same[type] = static_cast<std::int32_t>(type);
  const xner::AlignerNumbers numbers{
      .source_words = turned, .target_words = same, .levels = {{turned, same}}};
  xner::AlignerStatistics sums;
  xner::add_statistics(sums, block, numbers, 1'000'000);
  xner::check_statistics(sums);
  const auto& level = sums.levels.front();
  const auto& own = block.levels.front();
  for (std::size_t type = 0; type < types; ++type) {
    const std::size_t there = types - 1 - type;
    CHECK(level.source_links[there] == own.source_links[type]);
    CHECK(level.source_tokens[there] == own.source_tokens[type]);
    CHECK(sums.source_null[there] == block.source_null[type]);
    CHECK(level.offsets[there + 1] - level.offsets[there] == own.offsets[type + 1] - own.offsets[type]);
    for (auto at = own.offsets[type]; at < own.offsets[type + 1]; ++at) {
      const auto place = static_cast<std::size_t>(level.offsets[there] + at - own.offsets[type]);
      CHECK(level.targets[place] == own.targets[static_cast<std::size_t>(at)]);
      CHECK(level.counts[place] == own.counts[static_cast<std::size_t>(at)]);
    }
  }
  CHECK(level.pseudo.empty());
  CHECK(sums.target_words == block.target_words);

  const auto before = sums.levels.front().counts;
  std::vector<std::int32_t> twice = turned;
  twice[0] = twice[1];
  const xner::AlignerNumbers wrong{.source_words = turned, .target_words = same, .levels = {{twice, same}}};
  CHECK_THROWS_AS(xner::add_statistics(sums, block, wrong, 1'000'000), xner::Error);
  twice[0] = -1;
  CHECK_THROWS_AS(xner::add_statistics(sums, block, wrong, 1'000'000), xner::Error);
  twice[0] = static_cast<std::int32_t>(2 * types);
  CHECK_THROWS_AS(xner::add_statistics(sums, block, wrong, 1'000'000), xner::Error);
  twice.pop_back();
  CHECK_THROWS_AS(xner::add_statistics(
                      sums, block, {.source_words = twice, .target_words = same, .levels = {}}, 1'000'000),
                  xner::Error);
  CHECK(sums.blocks == 1);
  CHECK(sums.levels.front().counts == before);
}

TEST_CASE("statistics that do not fit together are refused") {
  const auto sound = xner::fit_aligner_block(long_corpus(60, 12).view(), {}, {}, 1);
  const auto refused = [&](const auto& change) {
    xner::AlignerStatistics statistics = sound;
    change(statistics, statistics.levels.front());
    CHECK_THROWS_AS(xner::check_statistics(statistics), xner::Error);
  };
  using Level = xner::AlignerStatistics::Level;
  using All = xner::AlignerStatistics;
  CHECK_NOTHROW(xner::check_statistics(sound));
  refused([](All&, Level& level) { level.counts.pop_back(); });
  refused([](All&, Level& level) { level.offsets.pop_back(); });
  refused([](All&, Level& level) { level.offsets[1] = -1; });
  refused([](All&, Level& level) { level.offsets.back() += 1; });
  refused([](All&, Level& level) { level.targets[0] = -1; });
  refused([](All&, Level& level) { level.targets[0] = 1'000'000; });
  refused([](All&, Level& level) { level.counts[0] = std::numeric_limits<float>::infinity(); });
  refused([](All&, Level& level) { level.pseudo[0] = -1; });
  refused([](All&, Level& level) { level.pseudo.pop_back(); });
  refused([](All&, Level& level) { level.target_met.pop_back(); });
  refused([](All&, Level& level) { level.source_links[0] = std::nan(""); });
  refused([](All& all, Level&) { all.source_null.pop_back(); });
  refused([](All& all, Level&) { all.target_jumps.pop_back(); });
  refused([](All& all, Level&) { all.source_words[0] = -1; });
  refused([](All& all, Level&) { all.source_far_jumps = 0; });
  refused([](All& all, Level&) { all.sentence_pairs = -1; });
}

TEST_CASE("the aligner reports progress from the first moment on") {
  std::vector<std::pair<int, int>> seen;
  xner::AlignerOptions options;
  options.ibm1_iterations = 2;
  options.hmm_iterations = 1;
  xner::fit_aligner(toy().view(), options, 1, [&](int done, int total) { seen.emplace_back(done, total); });
  CHECK(seen == std::vector<std::pair<int, int>>{{0, 3}, {1, 3}, {2, 3}, {3, 3}});
}

TEST_CASE("the aligner rejects what it cannot use") {
  xner::AlignerOptions options;
  options.null_probability = 1.0;
  CHECK_THROWS_AS(xner::fit_aligner(toy().view(), options, 1), xner::Error);

  auto uneven = toy().view();
  const Corpus shorter({{"a"}}, {{"b"}});
  uneven.target = shorter.view().target;
  CHECK_THROWS_AS(xner::fit_aligner(uneven, {}, 1), xner::Error);

  auto wild = toy().view();
  const std::vector<std::int64_t> offsets{0, 1, 1, 1, 1, 1};
  const std::vector<std::int32_t> values{99};
  wild.source = {offsets, values};
  CHECK_THROWS_AS(xner::fit_aligner(wild, {}, 1), xner::DataError);

  auto kindless = toy().view();
  kindless.source_kinds = {};
  CHECK_THROWS_WITH(xner::fit_aligner(kindless, {}, 1), "expected the kinds of all 11 source words, found 0");
  std::vector<xner::WordKind> kinds = toy().target.kinds;
  kinds[1] = static_cast<xner::WordKind>(9);
  kindless = toy().view();
  kindless.target_kinds = kinds;
  CHECK_THROWS_WITH(xner::fit_aligner(kindless, {}, 1), "target word kind 9 is unknown");

  auto model = xner::fit_aligner(toy().view(), {}, 1);
  CHECK_THROWS_AS(xner::align_posterior(model, toy().view(), toy().maps(), 1.0, 0.05, 1), xner::Error);
  CHECK_THROWS_AS(xner::align_posterior(model, toy().view(), {}, 0.5, 0.05, 1), xner::Error);
  CHECK_THROWS_AS(xner::align_discriminative(model, toy().view(), toy().maps(), 1.0, 1), xner::Error);
  CHECK_THROWS_AS(xner::align_discriminative(model, toy().view(), {}, 0.5, 1), xner::Error);
  model.target_jumps.pop_back();
  CHECK_THROWS_AS(xner::check_aligner(model), xner::Error);
}

}  // namespace
