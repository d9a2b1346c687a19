// Compiled with the assumption that all numbers are finite and that sums may be taken in any order (see
// CMakeLists.txt): for the sake of NaN and of the last digit compilers keep to the order of the source
// otherwise, and do not turn the search for a maximum, or a sum, into vector instructions.
#include "extraction_reductions.hpp"

#include <algorithm>

namespace xner {

namespace {

// The rows from `first` on. Where there are fewer than four, the last one comes several times.
RowBlock row_block(const Matrix& matrix, std::size_t first) {
  RowBlock block;
  for (std::size_t k = 0; k < rows_at_a_time; ++k) {
    block[k] = matrix.row(std::min(first + k, matrix.rows() - 1)).data();
  }
  return block;
}

// Rows in whole blocks.
std::size_t rounded_up(std::size_t rows) {
  return (rows + rows_at_a_time - 1) / rows_at_a_time * rows_at_a_time;
}

}  // namespace

float highest_cell(const Matrix& matrix) {
  // Four searches at once, as each step of one must wait for the step before.
  const std::size_t quarter = matrix.cells().size() / 4;
  static_assert(lanes % 4 == 0);
  const float* const cells = matrix.cells().data();
  float high0 = lowest_cell;
  float high1 = lowest_cell;
  float high2 = lowest_cell;
  float high3 = lowest_cell;
  for (std::size_t j = 0; j < quarter; ++j) {
    high0 = std::max(high0, cells[j]);
    high1 = std::max(high1, cells[quarter + j]);
    high2 = std::max(high2, cells[2 * quarter + j]);
    high3 = std::max(high3, cells[3 * quarter + j]);
  }
  return std::max({high0, high1, high2, high3});
}

void sum_cells(const Matrix& matrix, std::vector<float>& row_sums, std::vector<float>& column_sums) {
  row_sums.assign(matrix.rows(), 0);
  column_sums.assign(matrix.width(), 0);
  float* const sums = column_sums.data();
  std::size_t i = 0;
  for (; i + rows_at_a_time <= matrix.rows(); i += rows_at_a_time) {
    const auto [row0, row1, row2, row3] = row_block(matrix, i);
    float sum0 = 0;
    float sum1 = 0;
    float sum2 = 0;
    float sum3 = 0;
    for (std::size_t j = 0; j < matrix.width(); ++j) {
      sum0 += row0[j];
      sum1 += row1[j];
      sum2 += row2[j];
      sum3 += row3[j];
      sums[j] += (row0[j] + row1[j]) + (row2[j] + row3[j]);
    }
    row_sums[i] = sum0;
    row_sums[i + 1] = sum1;
    row_sums[i + 2] = sum2;
    row_sums[i + 3] = sum3;
  }
  for (; i < matrix.rows(); ++i) {
    const float* const row = matrix.row(i).data();
    for (std::size_t j = 0; j < matrix.width(); ++j) {
      row_sums[i] += row[j];
      sums[j] += row[j];
    }
  }
}

void Maxima::find(const Matrix& matrix) {
  row_count_ = matrix.rows();
  column_count_ = matrix.columns();
  if (width_ != matrix.width()) {
    width_ = matrix.width();
    places_.resize(width_);
    for (std::size_t j = 0; j < width_; ++j) places_[j] = static_cast<float>(width_ - j);
  }
  row_values_.resize(rounded_up(row_count_));
  columns_.resize(rounded_up(row_count_));
  column_values_.assign(width_, lowest_cell);
  rows_.assign(width_, 0);
  for (std::size_t first = 0; first < row_count_; first += rows_at_a_time) {
    const RowBlock block = row_block(matrix, first);
    find_values(block, first);
    find_columns(block, first);
  }
}

void Maxima::find_values(const RowBlock& rows, std::size_t first) {
  const auto [row0, row1, row2, row3] = rows;
  float* const values = column_values_.data();
  std::int32_t* const places = rows_.data();
  const auto number = static_cast<std::int32_t>(first);
  float high0 = lowest_cell;
  float high1 = lowest_cell;
  float high2 = lowest_cell;
  float high3 = lowest_cell;
  for (std::size_t j = 0; j < width_; ++j) {
    high0 = std::max(high0, row0[j]);
    high1 = std::max(high1, row1[j]);
    high2 = std::max(high2, row2[j]);
    high3 = std::max(high3, row3[j]);
    const float early = std::max(row0[j], row1[j]);
    const float late = std::max(row2[j], row3[j]);
    const float highest = std::max(early, late);
    // The first one of equals has the last word.
    std::int32_t place = number + 3;
    place = row2[j] == highest ? number + 2 : place;
    place = row1[j] == highest ? number + 1 : place;
    place = row0[j] == highest ? number : place;
    const float value = values[j];
    const std::int32_t before = places[j];
    values[j] = highest > value ? highest : value;
    places[j] = highest > value ? place : before;
  }
  row_values_[first] = high0;
  row_values_[first + 1] = high1;
  row_values_[first + 2] = high2;
  row_values_[first + 3] = high3;
}

// The first column that has a row's highest cell is the one with the most columns from it to the end. As
// floats, which are exact so far, as baseline vector instructions find the maximum of floats but not of
// integers.
void Maxima::find_columns(const RowBlock& rows, std::size_t first) {
  const auto [row0, row1, row2, row3] = rows;
  const float* const places = places_.data();
  const float high0 = row_values_[first];
  const float high1 = row_values_[first + 1];
  const float high2 = row_values_[first + 2];
  const float high3 = row_values_[first + 3];
  float place0 = 0;
  float place1 = 0;
  float place2 = 0;
  float place3 = 0;
  for (std::size_t j = 0; j < width_; ++j) {
    const float place = places[j];
    place0 = std::max(place0, row0[j] == high0 ? place : 0.0F);
    place1 = std::max(place1, row1[j] == high1 ? place : 0.0F);
    place2 = std::max(place2, row2[j] == high2 ? place : 0.0F);
    place3 = std::max(place3, row3[j] == high3 ? place : 0.0F);
  }
  const auto column = [&](float place) {
    return static_cast<std::int32_t>(width_) - static_cast<std::int32_t>(place);
  };
  columns_[first] = column(place0);
  columns_[first + 1] = column(place1);
  columns_[first + 2] = column(place2);
  columns_[first + 3] = column(place3);
}

}  // namespace xner
