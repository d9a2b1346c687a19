// Maxima and sums of the rows and columns of a matrix. Passes take four rows at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "extraction_matrix.hpp"

namespace xner {

inline constexpr std::size_t rows_at_a_time = 4;
using RowBlock = std::array<const float*, rows_at_a_time>;

// The highest cell of all; there is at least one.
float highest_cell(const Matrix& matrix);

// The sums of all rows, and of all columns with those of the filling, in float32.
void sum_cells(const Matrix& matrix, std::vector<float>& row_sums, std::vector<float>& column_sums);

// The highest cell of every row and of every column of a matrix, and where it is: of equal ones the first.
// Two passes over the cells, four rows at a time.
class Maxima {
 public:
  // The matrix has at least one cell.
  void find(const Matrix& matrix);

  [[nodiscard]] float of_row(std::size_t i) const { return row_values_[i]; }
  [[nodiscard]] float of_column(std::size_t j) const { return column_values_[j]; }
  // Where these are.
  [[nodiscard]] std::size_t column_of(std::size_t i) const { return static_cast<std::size_t>(columns_[i]); }
  [[nodiscard]] std::size_t row_of(std::size_t j) const { return static_cast<std::size_t>(rows_[j]); }

  [[nodiscard]] std::span<const float> of_rows() const { return std::span(row_values_).first(row_count_); }
  [[nodiscard]] std::span<const float> of_columns() const {
    return std::span(column_values_).first(column_count_);
  }

 private:
  void find_values(const RowBlock& rows, std::size_t first);
  void find_columns(const RowBlock& rows, std::size_t first);

  std::size_t row_count_ = 0;
  std::size_t column_count_ = 0;
  std::size_t width_ = 0;
  std::vector<float> row_values_;
  std::vector<std::int32_t> columns_;  // of the rows' highest cells
  std::vector<float> column_values_;
  std::vector<std::int32_t> rows_;  // of the columns' highest cells
  std::vector<float> places_;       // width, width - 1, ..., 1
};

}  // namespace xner
