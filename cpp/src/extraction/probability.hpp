// Extraction by the probabilities of a cell along its row and along its column.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "extraction/matrix.hpp"

namespace xner {

// The methods softmax and entmax15, with their scratch memory. The matrix has at least one cell. Links come
// sorted by source, then target.
class ProbabilityExtractor {
 public:
  void softmax(const Matrix& similarity, double threshold, std::optional<float> null,
               std::vector<ScoredLink>& links);
  void entmax15(const Matrix& similarity, double threshold, std::optional<float> null,
                std::vector<ScoredLink>& links);

 private:
  // The distributions along all rows, or along all columns.
  struct Distributions {
    // softmax: 1 / the sum of exponentials, entmax15: the threshold tau.
    std::vector<double> normaliser;
    // What a cell must exceed for its probability to exceed the threshold and that of "no word"; infinity for
    // a matrix's filling.
    std::vector<float> limit;

    void reset(std::size_t size, std::size_t width);
  };

  bool exponentiate(const Matrix& similarity);
  static void exponentiate(const Matrix& cells, float shift, Matrix& out, std::vector<float>& row_sums,
                           std::vector<float>& column_sums);
  void fill_softmax(std::span<const float> sums, std::span<const float> shifts, double threshold,
                    std::optional<float> null, Distributions& out);
  void fill_entmax15(const Matrix& similarity, double threshold, std::optional<float> null,
                     Distributions& out);
  // Appends the cells above both limits; `probability` gets a cell's place and what it is by row and by
  // column.
  template <class Probability>
  void collect(const Matrix& by_row, const Matrix& by_column, const Probability& probability,
               std::vector<ScoredLink>& links);

  Distributions rows_;
  Distributions columns_;
  std::vector<std::uint64_t> hits_;  // a bit a cell

  // softmax
  Matrix exponentials_;  // by row, and by column where that is the same
  Matrix exponentials_by_column_;
  std::vector<float> row_shifts_;  // what is taken from cells before the exponential
  std::vector<float> column_shifts_;
  std::vector<float> row_sums_;
  std::vector<float> column_sums_;
  Matrix shifted_;
  Matrix null_;
  std::vector<float> unused_sums_;
  std::vector<float> unused_column_sums_;

  // entmax15
  Matrix transposed_;
  std::vector<double> candidates_;
};

}  // namespace xner
