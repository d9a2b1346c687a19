// The columns that projection reads from a record batch. Internal.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "columns.hpp"
#include "xner/error.hpp"
#include "xner/project.hpp"

namespace xner {

// A column of scores from elsewhere.
class HintReader {
 public:
  HintReader(arrow::ArrayRef ref, const HintColumn& column);

  // Appends the hints of a row, weighted. Throws DataError for one that is not for `pair`.
  void read(std::int64_t row, const SentencePair& pair, std::vector<Hint>& hints) const;

 private:
  std::string name_;
  double weight_;
  StructLists lists_;
  arrow::Int32Column sources_;
  arrow::Int32Column starts_;
  arrow::Int32Column ends_;
  arrow::FloatColumn scores_;
};

// A tagger's class probabilities: the column `ner_probabilities`.
class ProbabilityReader {
 public:
  explicit ProbabilityReader(arrow::ArrayRef ref);

  // The probabilities of a row's `words` words, word by word; none where the row is null.
  void read(std::int64_t row, std::int32_t words, std::size_t labels, std::vector<float>& values) const;

 private:
  static constexpr const char* name = "ner_probabilities";

  [[nodiscard]] float value(std::int64_t i) const;

  arrow::ListColumn words_;
  arrow::ListColumn labels_;
  std::optional<arrow::FloatColumn> floats_;
  std::optional<arrow::HalfColumn> halves_;
};

// A column of sentences whose words are read as texts.
class WordReader {
 public:
  WordReader(arrow::ArrayRef batch, const char* name);

  // Whether the row is there, with its words in `words`; a null word is empty.
  bool read(std::int64_t row, std::vector<std::string_view>& words) const;

 private:
  arrow::ListColumn lists_;
  arrow::StringColumn words_;
};

// All columns of a batch (see project_batch), and the sentence pair of a row. Rows count from the batch's
// first; the options must outlive the object.
class ProjectColumns {
 public:
  // Throws Error for columns that are missing or of another type.
  ProjectColumns(arrow::ArrayRef batch, const ProjectOptions& options);

  [[nodiscard]] std::int64_t rows() const noexcept { return rows_; }
  [[nodiscard]] std::int32_t target_words(std::int64_t row) const {
    const std::int64_t words = tokens_.row(row + offset_).size();
    if (words > std::numeric_limits<std::int32_t>::max()) throw_too_long(row, words);
    return static_cast<std::int32_t>(words);
  }
  [[nodiscard]] bool entities_missing(std::int64_t row) const {
    return entities_.lists.is_null(row + offset_);
  }

  // Memory of a thread behind the views of a SentencePair.
  struct Scratch {
    std::vector<Span> entities;
    std::vector<std::string_view> labels;
    std::vector<Span> candidates;
    std::vector<std::int32_t> stops;
    std::vector<Hint> hints;
    std::vector<float> probabilities;
    std::vector<std::string_view> source_text;
    std::vector<std::string_view> target_text;
  };

  // Throws DataError (row -1) for nulls where values are needed, and for hints and probabilities that are not
  // the row's.
  [[nodiscard]] SentencePair pair(std::int64_t row, Scratch& scratch) const;

 private:
  [[noreturn]] static void throw_too_long(std::int64_t row,
                                          std::int64_t words);  // apart, so that the rest is inlined
  void read_entities(arrow::Range range, Scratch& scratch) const;
  void read_candidates(arrow::Range range, Scratch& scratch) const;
  void read_stops(arrow::Range words, Scratch& scratch) const;
  [[nodiscard]] LinksView links(arrow::Range range) const;
  [[nodiscard]] bool any_null_score(arrow::Range range) const;

  const ProjectOptions& options_;
  std::int64_t offset_ = 0;
  std::int64_t rows_ = 0;
  arrow::ListColumn tokens_;
  arrow::StringColumn words_;
  std::optional<arrow::ListColumn> source_tokens_;
  StructLists entities_;
  arrow::Int32Column starts_;
  arrow::Int32Column ends_;
  arrow::StringColumn labels_;
  std::optional<StructLists> links_;
  arrow::Int32Column sources_;
  arrow::Int32Column targets_;
  std::optional<arrow::FloatColumn> scores_;
  bool weighted_ = false;
  std::optional<StructLists> candidates_;
  arrow::Int32Column candidate_starts_;
  arrow::Int32Column candidate_ends_;
  std::vector<HintReader> hints_;
  std::optional<ProbabilityReader> probabilities_;
  std::optional<WordReader> folded_source_;
  std::optional<WordReader> folded_target_;
};

}  // namespace xner
