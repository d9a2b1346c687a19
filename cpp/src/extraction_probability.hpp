// Extraction by the probabilities of a cell along its row and along its column.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "extraction_maxima.hpp"

namespace xner {

// The methods softmax and entmax15, with their scratch memory. The matrix has at least one cell. A cell's
// probability is above the threshold, and above that of "no word", where its similarity is above a limit, so
// that probabilities are computed for links alone. Links come sorted by source, then target.
class ProbabilityExtractor {
 public:
  void softmax(const Matrix& similarity, double threshold, std::optional<float> null,
               std::vector<ScoredLink>& links);
  void entmax15(const Matrix& similarity, double threshold, std::optional<float> null,
                std::vector<ScoredLink>& links);

 private:
  // The distributions along all rows, or along all columns.
  struct Distributions {
    // softmax: logarithm of the sum of exponentials; entmax15: the threshold tau.
    std::vector<double> normaliser;
    // The similarity that a link must exceed; infinity in a matrix's filling.
    std::vector<float> limit;

    void resize(std::size_t size, std::size_t width);
  };

  void sum_exponentials(const Matrix& similarity);
  void fill_entmax15(const Matrix& similarity, double threshold, std::optional<float> null,
                     Distributions& out);

  Distributions rows_;
  Distributions columns_;
  Maxima maxima_;
  std::vector<float> row_shifts_;  // what is taken from cells before the exponential
  std::vector<float> column_shifts_;
  std::vector<float> row_sums_;  // of the exponentials
  std::vector<float> column_sums_;
  std::vector<float> shift_;
  std::vector<float> discarded_;
  std::vector<float> scratch_;
  Matrix transposed_;
  std::vector<double> candidates_;
};

}  // namespace xner
