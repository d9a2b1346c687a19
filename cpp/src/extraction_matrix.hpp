// The form in which extraction works on a similarity matrix.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "xner/extraction.hpp"

namespace xner {

// Below every similarity, and finite: sums and differences of such cells are not NaN.
inline constexpr float lowest_cell = std::numeric_limits<float>::lowest();

// Rows are processed in blocks of so many cells, which compilers turn into vector instructions.
inline constexpr std::size_t lanes = 8;

// Dense float32 rows. Each is filled up to whole blocks with `lowest_cell`, which no maximum and no sum of
// exponentials notices, so that loops need no special end.
class Matrix {
 public:
  // Leaves the cells undefined.
  void resize(std::size_t rows, std::size_t columns);

  // Copies and converts `view`. Throws DataError (with `row`) for a cell that is not a finite number.
  void load(const SimilarityView& view, std::int64_t row);

  // Multiplies every cell by 1 - factor * (i / (rows - 1) - j / (columns - 1))^2, the squared distance from
  // the diagonal; a single row or column has no diagonal and stays as it is (Jalili Sabet et al. 2020).
  void distort(double factor);

  // Becomes the transpose of `other`.
  void transpose(const Matrix& other);

  // Becomes the cells of `other` in some rows and columns.
  void select(const Matrix& other, std::span<const std::size_t> rows, std::span<const std::size_t> columns);

  [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
  [[nodiscard]] std::size_t columns() const noexcept { return columns_; }
  // Columns with the filling: a whole number of blocks.
  [[nodiscard]] std::size_t width() const noexcept { return width_; }
  // A row with its filling.
  [[nodiscard]] std::span<const float> row(std::size_t i) const {
    return {cells_.data() + i * width_, width_};
  }
  // All rows, with their filling.
  [[nodiscard]] std::span<const float> cells() const { return {cells_.data(), rows_ * width_}; }
  [[nodiscard]] std::span<float> cells() { return {cells_.data(), rows_ * width_}; }
  [[nodiscard]] std::span<float> row(std::size_t i) { return {cells_.data() + i * width_, width_}; }
  [[nodiscard]] float operator()(std::size_t i, std::size_t j) const { return cells_[i * width_ + j]; }

 private:
  void fill_up();

  std::size_t rows_ = 0;
  std::size_t columns_ = 0;
  std::size_t width_ = 0;
  std::vector<float> cells_;
};

}  // namespace xner
