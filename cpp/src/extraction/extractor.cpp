#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "extraction/argmax.hpp"
#include "extraction/assignment.hpp"
#include "extraction/matrix.hpp"
#include "extraction/probability.hpp"
#include "xner/error.hpp"
#include "xner/extraction.hpp"
#include "xner/parallel.hpp"
#include "xner/span.hpp"

namespace xner {

namespace {

constexpr std::size_t matrices_per_chunk = 16;

void check_map(const std::optional<std::span<const std::int32_t>>& words, std::size_t pieces,
               const char* column, std::int64_t row) {
  if (!words) return;
  if (words->size() != pieces) {
    throw DataError(row, column, std::to_string(words->size()) + " pieces",
                    "the similarities have " + std::to_string(pieces));
  }
  const auto wrong = std::ranges::find_if(*words, [](std::int32_t word) { return word < -1; });
  if (wrong != words->end()) {
    throw DataError(row, column, std::to_string(*wrong),
                    "piece " + std::to_string(wrong - words->begin()) +
                        " must have a word's index, or -1 for a piece of no word");
  }
}

void check_size(const SimilarityView& view, std::int64_t row) {
  constexpr auto most = static_cast<std::size_t>(longest_sentence);
  if (view.rows > most || view.columns > most) {
    throw DataError(row, "similarities", std::to_string(view.rows) + " x " + std::to_string(view.columns),
                    "a sentence has at most " + std::to_string(most) + " pieces");
  }
}

// The links of pieces as links of words: each once, with the best score.
void unite_words(const WordMaps& words, std::vector<ScoredLink>& links) {
  if (!words.source && !words.target) return;
  const auto word_of = [](const auto& map, std::int32_t piece) {
    return map ? (*map)[static_cast<std::size_t>(piece)] : piece;
  };
  for (auto& [link, score] : links)
    link = {word_of(words.source, link.source), word_of(words.target, link.target)};
  std::erase_if(links, [](const ScoredLink& one) { return one.link.source < 0 || one.link.target < 0; });
  if (!std::ranges::is_sorted(links, {}, &ScoredLink::link)) std::ranges::sort(links, {}, &ScoredLink::link);
  std::size_t kept = 0;
  for (const ScoredLink& one : links) {
    if (kept != 0 && links[kept - 1].link == one.link) {
      links[kept - 1].score = std::max(links[kept - 1].score, one.score);
    } else {
      links[kept++] = one;
    }
  }
  links.resize(kept);
}

// The links of consecutive matrices.
struct Chunk {
  std::vector<ScoredLink> links;
  std::vector<std::size_t> counts;  // of each matrix
};

arrow::OwnedArray as_link_lists(std::span<const Chunk> chunks, std::size_t rows) {
  std::size_t total = 0;
  for (const Chunk& chunk : chunks) total += chunk.links.size();
  if (total > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    throw Error("one batch has over 2^31 links; split it into smaller batches");
  }
  std::vector<std::int32_t> offsets{0};
  offsets.reserve(rows + 1);
  std::vector<std::int32_t> sources(total);
  std::vector<std::int32_t> targets(total);
  std::vector<float> scores(total);
  std::size_t at = 0;
  for (const Chunk& chunk : chunks) {
    for (const std::size_t count : chunk.counts) {
      offsets.push_back(offsets.back() + static_cast<std::int32_t>(count));
    }
    for (const auto& [link, score] : chunk.links) {
      sources[at] = link.source;
      targets[at] = link.target;
      scores[at] = score;
      ++at;
    }
  }
  const auto links = static_cast<std::int64_t>(total);
  std::vector<arrow::OwnedArray> fields;
  fields.push_back(arrow::make_primitive("source", "i", links, arrow::Buffer::of(sources)));
  fields.push_back(arrow::make_primitive("target", "i", links, arrow::Buffer::of(targets)));
  fields.push_back(arrow::make_primitive("score", "f", links, arrow::Buffer::of(scores)));
  return arrow::make_list("links", static_cast<std::int64_t>(rows), arrow::Buffer::of(offsets),
                          arrow::make_struct("item", links, std::move(fields)));
}

}  // namespace

class LinkExtractor::Scratch {
 public:
  std::span<const ScoredLink> extract(const SimilarityView& view, const WordMaps& words, std::int64_t row,
                                      const ExtractionOptions& options) {
    check_size(view, row);
    check_map(words.source, view.rows, "source_words", row);
    check_map(words.target, view.columns, "target_words", row);
    if (view.rows == 0 || view.columns == 0) return {};
    find_links(view, row, options);
    unite_words(words, links_);
    return links_;
  }

 private:
  void find_links(const SimilarityView& view, std::int64_t row, const ExtractionOptions& options) {
    using enum ExtractionMethod;
    switch (options.method) {
      case forward:
        argmax_.load(view, row, options.distortion, similarity_);
        return argmax_.forward(similarity_, links_);
      case reverse:
        argmax_.load(view, row, options.distortion, similarity_);
        return argmax_.reverse(similarity_, links_);
      case intersect:
        argmax_.load(view, row, options.distortion, similarity_);
        return argmax_.intersect(similarity_, links_);
      case itermax:
        argmax_.load(view, row, options.distortion, similarity_);
        return argmax_.itermax(similarity_, options.max_count, options.alpha, links_);
      case mwmf:
        similarity_.load(view, row);
        similarity_.distort(options.distortion);
        return assignment_.extract(similarity_, links_);
      case softmax:
        similarity_.load(view, row);
        return probability_.softmax(similarity_, options.threshold, options.null_threshold, links_);
      case entmax15:
        similarity_.load(view, row);
        return probability_.entmax15(similarity_, options.threshold, options.null_threshold, links_);
    }
  }

  Matrix similarity_;
  ArgmaxExtractor argmax_;
  AssignmentExtractor assignment_;
  ProbabilityExtractor probability_;
  std::vector<ScoredLink> links_;
};

LinkExtractor::LinkExtractor(const ExtractionOptions& options)
    : options_(options), scratch_(std::make_unique<Scratch>()) {}
LinkExtractor::LinkExtractor(LinkExtractor&&) noexcept = default;
LinkExtractor& LinkExtractor::operator=(LinkExtractor&&) noexcept = default;
LinkExtractor::~LinkExtractor() = default;

std::span<const ScoredLink> LinkExtractor::extract(const SimilarityView& similarity, const WordMaps& words,
                                                   std::int64_t row) {
  return scratch_->extract(similarity, words, row, options_);
}

arrow::OwnedArray extract_link_lists(std::span<const SimilarityView> similarities,
                                     std::span<const WordMaps> words, const ExtractionOptions& options,
                                     std::size_t threads) {
  const std::size_t rows = similarities.size();
  std::vector<Chunk> chunks((rows + matrices_per_chunk - 1) / matrices_per_chunk);
  PerWorker<LinkExtractor> extractors(count_workers(rows, matrices_per_chunk, threads));
  parallel_for(
      rows, matrices_per_chunk, threads, [&](std::size_t first, std::size_t last, std::size_t worker) {
        LinkExtractor& extractor = extractors.of(worker, [&] { return LinkExtractor(options); });
        Chunk& chunk = chunks[first / matrices_per_chunk];
        chunk.counts.reserve(last - first);
        for (std::size_t row = first; row < last; ++row) {
          const WordMaps maps = words.empty() ? WordMaps{} : words[row];
          const auto links = extractor.extract(similarities[row], maps, static_cast<std::int64_t>(row));
          // Room for all, were the others like the first one.
          if (row == first) chunk.links.reserve(links.size() * (last - first) * 5 / 4);
          chunk.links.insert(chunk.links.end(), links.begin(), links.end());
          chunk.counts.push_back(links.size());
        }
      });
  return as_link_lists(chunks, rows);
}

}  // namespace xner
