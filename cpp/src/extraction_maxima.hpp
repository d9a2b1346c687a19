// Maxima of the rows and columns of a matrix.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "extraction_matrix.hpp"

namespace xner {

// The highest cell of every row and of every column of a matrix, or of some of its rows, and where it is: of
// equal ones the first. One pass over the cells, four rows at a time; a column remembers the four, which of
// them it was is looked up when asked for.
class Maxima {
 public:
  // Over the rows in `rows`, which ascend; `matrix` must stay as it is for as long as this is used.
  void find(const Matrix& matrix, std::span<const std::size_t> rows);
  // Over all rows.
  void find(const Matrix& matrix);

  // The highest cell of the `k`th of the rows, and its column.
  [[nodiscard]] float of_row(std::size_t k) const { return row_values_[k]; }
  [[nodiscard]] std::size_t column_of(std::size_t k) const;
  // The highest cell of a column over the rows, `lowest_cell` where there are none, and its row.
  [[nodiscard]] float of_column(std::size_t j) const { return column_values_[j]; }
  [[nodiscard]] std::size_t row_of(std::size_t j) const;
  // Whether `j` is the first column with the highest cell of the `k`th row.
  [[nodiscard]] bool is_column_of(std::size_t j, std::size_t k) const;

  [[nodiscard]] std::span<const float> of_rows() const { return {row_values_.data(), rows_.size()}; }
  [[nodiscard]] std::span<const float> of_columns() const {
    return {column_values_.data(), matrix_->columns()};
  }

 private:
  static constexpr std::size_t rows_at_a_time = 4;
  using RowBlock = std::array<const float*, rows_at_a_time>;
  void add(const RowBlock& rows, std::size_t first);

  const Matrix* matrix_ = nullptr;
  std::vector<std::size_t> rows_;
  std::vector<float> row_values_;
  std::vector<float> column_values_;
  std::vector<std::int32_t> column_blocks_;  // index in rows_ of the first of the four
};

}  // namespace xner
