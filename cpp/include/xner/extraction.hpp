// Word links out of similarity matrices: one matrix of sub-words x sub-words a sentence pair, as multilingual
// encoders give them, and optionally which word each sub-word is a piece of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "xner/arrow.hpp"
#include "xner/links.hpp"

namespace xner {

enum class ElementType { float16, float32 };

// A matrix that somebody else owns. Strides are in bytes and may be anything that stays within the owner's
// memory; elements need not be aligned.
struct SimilarityView {
  const std::byte* data = nullptr;
  ElementType type = ElementType::float32;
  std::size_t rows = 0;     // source sub-words
  std::size_t columns = 0;  // target sub-words
  std::ptrdiff_t row_stride = 0;
  std::ptrdiff_t column_stride = 0;
};

// The word that each sub-word is a piece of; -1: a piece of no word (a special token), which gets no links. A
// side without a map has sub-words for words.
struct WordMaps {
  std::optional<std::span<const std::int32_t>> source;
  std::optional<std::span<const std::int32_t>> target;
};

//   forward            the best column of every row
//   reverse            the best row of every column
//   intersect          what both say
//   itermax            intersect, then again among the rows and columns left over (Jalili Sabet et al. 2020,
//                      algorithm 1)
//   mwmf               the matching of the highest total similarity among those of min(rows, columns) links
//                      (ibid., "Match")
//   softmax, entmax15  cells whose probability along the row and along the column exceeds a threshold (Dou,
//                      Neubig 2021; entmax with alpha 1.5: Peters, Niculae, Martins 2019)
// Of equal cells the first one is the best.
enum class ExtractionMethod { forward, reverse, intersect, itermax, mwmf, softmax, entmax15 };

struct ExtractionOptions {
  ExtractionMethod method = ExtractionMethod::itermax;
  int max_count = 2;   // itermax: rounds, the first of which is `intersect`
  double alpha = 0.9;  // itermax: factor on cells whose row or column has a link, in (0, 1]
  double distortion =
      0;                 // all but softmax and entmax15: how much distance from the diagonal costs, in [0, 1]
  double threshold = 0;  // softmax, entmax15: probability that either direction must exceed, in [0, 1)
  // softmax, entmax15: the similarity to "no word". It enters every row's and every column's distribution as
  // one more cell, and a link must be more probable than that cell in both.
  std::optional<float> null_threshold = std::nullopt;
};

// `score`: the similarity (times the distortion factor); softmax and entmax15: the smaller one of the two
// directions' probabilities, so that a higher threshold gives the links with higher scores.
struct ScoredLink {
  Link link;
  float score = 0;
  friend constexpr bool operator==(const ScoredLink&, const ScoredLink&) = default;
};

// Extracts links of one matrix after the other, with scratch memory that is reused. Not for several threads.
class LinkExtractor {
 public:
  explicit LinkExtractor(const ExtractionOptions& options);
  LinkExtractor(LinkExtractor&&) noexcept;
  LinkExtractor& operator=(LinkExtractor&&) noexcept;
  LinkExtractor(const LinkExtractor&) = delete;
  LinkExtractor& operator=(const LinkExtractor&) = delete;
  ~LinkExtractor();

  // The links of one matrix, sorted by source, then target; valid until the next call. With a word map, two
  // words are linked when any of their pieces are, with the highest score among those. `row` names the matrix
  // in errors, -1 for one that stands alone. Throws DataError for a cell that is not a finite number and for
  // a map that does not fit. Runs in O(cells), for itermax in each round; mwmf in O(min(rows, columns) *
  // cells); entmax15 sorts what is within 2 of the highest cell of each row and column.
  std::span<const ScoredLink> extract(const SimilarityView& similarity, const WordMaps& words = {},
                                      std::int64_t row = -1);

 private:
  class Scratch;
  ExtractionOptions options_;
  std::unique_ptr<Scratch> scratch_;
};

// The links of many matrices on `threads` threads (0: one per core) as an Arrow array of
// list<struct<source: int32, target: int32, score: float>>. `words` has an entry for each matrix, or none at
// all. Throws what LinkExtractor throws, and Error for more than 2^31 - 1 links.
arrow::OwnedArray extract_link_lists(std::span<const SimilarityView> similarities,
                                     std::span<const WordMaps> words, const ExtractionOptions& options,
                                     std::size_t threads);

}  // namespace xner
