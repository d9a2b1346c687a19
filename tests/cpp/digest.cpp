// Prints a digest of what each part of the core makes of made-up input, bit for bit: the same on every machine, with
// every compiler and any number of threads. `make test-arm` compares those of two machines.
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "xner/aligner.hpp"
#include "xner/extraction.hpp"
#include "xner/project.hpp"

namespace {

// Fowler, Noll and Vo's hash of the bits of numbers.
class Digest {
 public:
  void add(std::uint64_t bits) { value_ = (value_ ^ bits) * 0x100000001b3U; }
  void add(std::int32_t number) { add(static_cast<std::uint64_t>(static_cast<std::uint32_t>(number))); }
  void add(std::int64_t number) { add(static_cast<std::uint64_t>(number)); }
  void add(float number) { add(static_cast<std::uint64_t>(std::bit_cast<std::uint32_t>(number))); }
  void add(double number) { add(std::bit_cast<std::uint64_t>(number)); }
  template <class T>
  void add(const std::vector<T>& numbers) {
    add(static_cast<std::uint64_t>(numbers.size()));
    for (const T number : numbers) add(number);
  }
  void print(std::string_view part) const {
    std::printf("%.*s %016llx\n", static_cast<int>(part.size()), part.data(),
                static_cast<unsigned long long>(value_));
  }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325U;
};

// Knuth's linear congruential generator; the library's distributions differ between libraries.
class Random {
 public:
  std::uint32_t below(std::uint32_t end) { return static_cast<std::uint32_t>((next() >> 32U) * end >> 32U); }
  float fraction() { return static_cast<float>(next() >> 40U) * 0x1p-24F; }

 private:
  std::uint64_t next() { return state_ = state_ * 6364136223846793005U + 1442695040888963407U; }
  std::uint64_t state_ = 1;
};

// Sentences of one side; words and types are the same, on one level.
struct Side {
  xner::Ragged<std::int32_t> sentences;
  xner::Ragged<std::uint32_t> text;
  std::vector<std::int32_t> types;
  std::vector<xner::WordKind> kinds;

  // As many words, each of one to nine letters; the other side's differ in every third letter.
  Side(Random random, std::int32_t words, std::uint32_t shift) {
    for (std::int32_t word = 0; word < words; ++word) {
      types.push_back(word);
      kinds.push_back(word % 7 == 0 ? xner::WordKind::capitalised : xner::WordKind::plain);
      const std::uint32_t letters = 1 + random.below(9);
      for (std::uint32_t i = 0; i < letters; ++i) {
        text.values.push_back('a' + (random.below(20) + (i % 3 == 2 ? shift : 0)) % 26);
      }
      text.end_row();
    }
  }
};

void aligner() {
  constexpr std::int32_t words = 900;
  Random random;
  Side source(random, words, 0);
  Side target(random, words, 5);
  for (int row = 0; row < 600; ++row) {
    const std::uint32_t length = 1 + random.below(30);
    for (std::uint32_t i = 0; i < length; ++i) {
      const std::uint32_t bound = 1 + random.below(words);  // of a product of two: few words are frequent
      const auto word = static_cast<std::int32_t>(random.below(bound));
      source.sentences.values.push_back(word);
      if (random.below(8) != 0) target.sentences.values.push_back(word);
      if (random.below(8) == 0)
        target.sentences.values.push_back(static_cast<std::int32_t>(random.below(words)));
    }
    source.sentences.end_row();
    target.sentences.end_row();
  }
  const xner::AlignerCorpus corpus{
      source.sentences.view(),
      target.sentences.view(),
      {{source.types, target.types, source.text.view(), target.text.view(), {}, {}}},
      source.kinds,
      target.kinds};
  const xner::AlignerModel model = xner::fit_aligner(corpus, {}, 2);
  Digest fitted;
  for (const xner::AlignerTable& level : model.levels) {
    fitted.add(level.offsets);
    fitted.add(level.targets);
    fitted.add(level.counts);
    fitted.add(level.source_totals);
    fitted.add(level.target_totals);
  }
  for (const auto* numbers :
       {&model.source_null, &model.target_null, &model.source_jumps, &model.target_jumps}) {
    fitted.add(*numbers);
  }
  fitted.print("fit");
  const std::vector<xner::AlignerTypeMap> maps{{source.types, target.types}};
  Digest linked;
  for (const xner::ScoredLinks& links :
       {xner::align_discriminative(model, corpus, maps, 0.1, 2),
        xner::align_discriminative(model, corpus, maps, std::nullopt, 2),
        xner::align_posterior(model, corpus, maps, 0.3, 0.1, 2),
        xner::align_viterbi(model, corpus, maps, xner::Symmetrization::grow_diag_final_and, 2)}) {
    linked.add(links.offsets);
    linked.add(links.source);
    linked.add(links.target);
    linked.add(links.score);
  }
  linked.print("align");
}

void extraction() {
  using Method = xner::ExtractionMethod;
  Random random;
  Digest digest;
  for (const Method method : {Method::forward, Method::reverse, Method::intersect, Method::itermax,
                              Method::mwmf, Method::softmax, Method::entmax15}) {
    xner::ExtractionOptions options;
    options.method = method;
    options.distortion = method == Method::softmax || method == Method::entmax15 ? 0 : 0.2;
    xner::LinkExtractor extractor(options);
    for (std::int64_t row = 0; row < 40; ++row) {
      const std::size_t rows = 1 + random.below(60);
      const std::size_t columns = 1 + random.below(60);
      std::vector<float> values(rows * columns);
      for (float& value : values) value = 4 * random.fraction() - 2;
      const xner::SimilarityView matrix{reinterpret_cast<const std::byte*>(values.data()),
                                        xner::ElementType::float32,
                                        rows,
                                        columns,
                                        static_cast<std::ptrdiff_t>(columns * sizeof(float)),
                                        sizeof(float)};
      for (const xner::ScoredLink& found : extractor.extract(matrix, {}, row)) {
        digest.add(found.link.source);
        digest.add(found.link.target);
        digest.add(found.score);
      }
    }
  }
  digest.print("extract");
}

void projection() {
  Random random;
  Digest digest;
  for (const xner::MatcherKind matcher : {xner::MatcherKind::exact, xner::MatcherKind::greedy}) {
    for (const xner::Method method : {xner::Method::candidates, xner::Method::heuristic}) {
      xner::ProjectOptions options;
      options.matcher = matcher;
      options.method = method;
      xner::SentenceProjector project(options);
      for (int row = 0; row < 300; ++row) {
        const auto length = static_cast<std::int32_t>(4 + random.below(30));
        std::vector<std::int32_t> sources;
        std::vector<std::int32_t> targets;
        const auto link = [&](std::int32_t from, std::int32_t to) {
          sources.push_back(from);
          targets.push_back(to);
        };
        for (std::int32_t i = 0; i < length; ++i) {
          if (random.below(5) != 0) link(i, i);
          const auto other = static_cast<std::int32_t>(random.below(static_cast<std::uint32_t>(length)));
          if (other > i && random.below(3) == 0) link(i, other);
        }
        std::vector<xner::Span> entities;
        for (std::int32_t start = 0; start + 3 <= length;
             start += 3 + static_cast<std::int32_t>(random.below(4))) {
          entities.push_back({start, start + 1 + static_cast<std::int32_t>(random.below(3))});
        }
        const std::vector<std::string_view> labels(entities.size(), "PER");
        xner::SentencePair pair;
        pair.source_words = length;
        pair.target_words = length;
        pair.entities = entities;
        pair.labels = labels;
        pair.links = {sources, targets, {}, false};
        const xner::Projection& found = project(pair);
        digest.add(found.objective);
        for (const xner::ProjectedEntity& entity : found.entities) {
          digest.add(entity.span.start);
          digest.add(entity.span.end);
          digest.add(entity.score);
          digest.add(entity.margin);
        }
      }
    }
  }
  digest.print("project");
}

}  // namespace

int main() {
  aligner();
  extraction();
  projection();
  return 0;
}
