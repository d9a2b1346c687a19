// Extraction by the matching of the highest total similarity.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "extraction/matrix.hpp"

namespace xner {

// Solves the rectangular linear assignment problem by shortest augmenting paths (Jonker, Volgenant 1987), on
// rectangular matrices as in Crouse 2016: min(rows, columns) links of the highest total similarity. Rows and
// columns change places where there are more rows, so that every row gets a column. Each row first takes its
// best column as far as that is free; the others get theirs along the shortest path, in the sense of reduced
// costs, to a free column. Among equal matchings the choice is deterministic.
class AssignmentExtractor {
 public:
  // Links sorted by source, then target.
  void extract(const Matrix& similarity, std::vector<ScoredLink>& links);

 private:
  void prepare(const Matrix& similarity);
  void take_best_columns();
  void augment(std::size_t row);

  [[nodiscard]] std::span<const double> costs(std::size_t row) const {
    return {costs_.data() + row * width_, width_};
  }

  std::size_t rows_ = 0;
  std::size_t columns_ = 0;
  std::size_t width_ = 0;
  Matrix transposed_;
  std::vector<double> costs_;  // rows x width; infinity in the filling
  std::vector<double> row_price_;
  std::vector<double> column_price_;
  std::vector<std::int64_t> row_of_;     // of each column, -1: free
  std::vector<std::int64_t> column_of_;  // of each row, -1: free

  // Of one search for a shortest path. A visited column's open distance is infinity, and so is the one
  // through it, as its open price is minus infinity.
  struct Visited {
    std::size_t column;
    double distance;
  };
  std::vector<double> open_distance_;
  std::vector<double> open_price_;
  std::vector<std::int64_t> previous_;  // the row from which each column was reached
  std::vector<Visited> visited_;
};

}  // namespace xner
