// Compiled with the assumption that all numbers are finite (see CMakeLists.txt), as compilers keep the order
// of comparisons otherwise, for the sake of NaN, and do not turn the search for a maximum into vector
// instructions.
#include "extraction_maxima.hpp"

#include <algorithm>
#include <numeric>

namespace xner {

void Maxima::find(const Matrix& matrix) {
  rows_.resize(matrix.rows());
  std::iota(rows_.begin(), rows_.end(), std::size_t{0});
  find(matrix, rows_);
}

void Maxima::find(const Matrix& matrix, std::span<const std::size_t> rows) {
  matrix_ = &matrix;
  if (rows.data() != rows_.data()) rows_.assign(rows.begin(), rows.end());
  const std::size_t blocks = (rows_.size() + rows_at_a_time - 1) / rows_at_a_time;
  row_values_.resize(blocks * rows_at_a_time);
  column_values_.assign(matrix.width(), lowest_cell);
  column_blocks_.assign(matrix.width(), 0);
  for (std::size_t first = 0; first < rows_.size(); first += rows_at_a_time) {
    RowBlock block;
    for (std::size_t k = 0; k < rows_at_a_time; ++k) {
      // A last block that is not full has the last row several times, of which the first counts.
      block[k] = matrix.row(rows_[std::min(first + k, rows_.size() - 1)]).data();
    }
    add(block, first);
  }
}

void Maxima::add(const RowBlock& rows, std::size_t first) {
  const float* const row0 = rows[0];
  const float* const row1 = rows[1];
  const float* const row2 = rows[2];
  const float* const row3 = rows[3];
  float* const values = column_values_.data();
  std::int32_t* const blocks = column_blocks_.data();
  const auto number = static_cast<std::int32_t>(first);
  float high0 = lowest_cell;
  float high1 = lowest_cell;
  float high2 = lowest_cell;
  float high3 = lowest_cell;
  for (std::size_t j = 0; j < matrix_->width(); ++j) {
    high0 = std::max(high0, row0[j]);
    high1 = std::max(high1, row1[j]);
    high2 = std::max(high2, row2[j]);
    high3 = std::max(high3, row3[j]);
    const float highest = std::max(std::max(row0[j], row1[j]), std::max(row2[j], row3[j]));
    const float value = values[j];
    const std::int32_t block = blocks[j];
    values[j] = highest > value ? highest : value;
    blocks[j] = highest > value ? number : block;
  }
  row_values_[first] = high0;
  row_values_[first + 1] = high1;
  row_values_[first + 2] = high2;
  row_values_[first + 3] = high3;
}

std::size_t Maxima::column_of(std::size_t k) const {
  const std::span<const float> row = matrix_->row(rows_[k]);
  return static_cast<std::size_t>(std::ranges::find(row, row_values_[k]) - row.begin());
}

std::size_t Maxima::row_of(std::size_t j) const {
  auto k = static_cast<std::size_t>(column_blocks_[j]);
  while ((*matrix_)(rows_[k], j) != column_values_[j]) ++k;
  return rows_[k];
}

bool Maxima::is_column_of(std::size_t j, std::size_t k) const {
  const std::span<const float> row = matrix_->row(rows_[k]);
  const float value = row_values_[k];
  if (row[j] != value) return false;
  // Counting does without an early end and is quick; only ties need the search.
  std::int32_t equal = 0;
  for (const float cell : row) equal += static_cast<std::int32_t>(cell == value);
  return equal == 1 || column_of(k) == j;
}

}  // namespace xner
