// The form in which extraction works on a similarity matrix.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "extraction/kernels.hpp"
#include "xner/extraction.hpp"

namespace xner {

// Dense float32 rows. Rows and columns are filled up to whole blocks with `lowest_cell`, which no maximum and
// no sum of exponentials notices, so that loops need no special end.
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

  [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
  [[nodiscard]] std::size_t columns() const noexcept { return columns_; }
  // Rows and columns with the filling.
  [[nodiscard]] std::size_t height() const noexcept { return height_; }
  [[nodiscard]] std::size_t width() const noexcept { return width_; }
  // A row with its filling.
  [[nodiscard]] std::span<const float> row(std::size_t i) const { return {data() + i * width_, width_}; }
  // All rows, with their filling but without the rows of filling.
  [[nodiscard]] std::span<const float> cells() const { return {data(), rows_ * width_}; }
  [[nodiscard]] std::span<float> cells() { return {data(), rows_ * width_}; }
  [[nodiscard]] std::span<float> row(std::size_t i) { return {data() + i * width_, width_}; }
  [[nodiscard]] float operator()(std::size_t i, std::size_t j) const { return data()[i * width_ + j]; }

 private:
  // Aligned, as vector instructions take longer where a block lies in two lines of the cache.
  struct alignas(block_width * sizeof(float)) Block {
    float cells[block_width];
  };

  [[nodiscard]] const float* data() const { return reinterpret_cast<const float*>(blocks_.data()); }
  [[nodiscard]] float* data() { return reinterpret_cast<float*>(blocks_.data()); }

  std::size_t rows_ = 0;
  std::size_t columns_ = 0;
  std::size_t height_ = 0;
  std::size_t width_ = 0;
  std::vector<Block> blocks_;
};

}  // namespace xner
