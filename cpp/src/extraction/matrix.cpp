#include "extraction/matrix.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <string>

#include "xner/error.hpp"
#include "xner/half.hpp"

namespace xner {

namespace {

// How the bits of an element become a float.
struct Float32 {
  using Bits = std::uint32_t;
  static constexpr std::uint32_t exponent = 0x7F800000U;  // all ones: infinity or not a number
  static float value(std::uint32_t bits) { return std::bit_cast<float>(bits); }
};

struct Float16 {
  using Bits = std::uint16_t;
  static constexpr std::uint32_t exponent = 0x7C00U;
  static float value(std::uint32_t bits) {
    return static_cast<float>(Half{.bits = static_cast<std::uint16_t>(bits)});
  }
};

// Converts a row's cells. Returns 0 when all are finite.
template <class Element>
std::uint32_t load_row(const std::byte* from, std::ptrdiff_t stride, std::size_t columns, float* to) {
  std::uint32_t differences = 0;
  for (std::size_t j = 0; j < columns; ++j) {
    typename Element::Bits bits;
    std::memcpy(&bits, from + static_cast<std::ptrdiff_t>(j) * stride, sizeof(bits));
    const float cell = Element::value(bits);
    to[j] = cell;
    const float difference = cell - cell;  // NOLINT(misc-redundant-expression): 0, or NaN where not finite
    differences |= std::bit_cast<std::uint32_t>(difference);
  }
  return differences;
}

template <class Element>
bool load_rows(const SimilarityView& view, Matrix& to) {
  constexpr auto adjacent = static_cast<std::ptrdiff_t>(sizeof(typename Element::Bits));
  std::uint32_t differences = 0;
  for (std::size_t i = 0; i < view.rows; ++i) {
    const std::byte* from = view.data + static_cast<std::ptrdiff_t>(i) * view.row_stride;
    const std::span<float> row = to.row(i);
    differences |= view.column_stride == adjacent
                       ? load_row<Element>(from, adjacent, view.columns, row.data())
                       : load_row<Element>(from, view.column_stride, view.columns, row.data());
    std::ranges::fill(row.subspan(view.columns), lowest_cell);
  }
  for (std::size_t i = view.rows; i < to.height(); ++i) std::ranges::fill(to.row(i), lowest_cell);
  return differences == 0;
}

bool load_cells(const SimilarityView& view, Matrix& to) {
  if (view.type == ElementType::float16) return load_rows<Float16>(view, to);
  if (view.column_stride != sizeof(float)) return load_rows<Float32>(view, to);
  return extraction_kernels().copy({view.data, view.row_stride, view.rows, view.columns}, to.cells().data());
}

[[noreturn]] void throw_not_finite(const Matrix& matrix, std::int64_t row) {
  const auto wrong = std::ranges::find_if_not(matrix.cells(), [](float cell) { return std::isfinite(cell); });
  const auto position = static_cast<std::size_t>(wrong - matrix.cells().begin());
  throw DataError(row, "similarities", std::isnan(*wrong) ? "nan" : (*wrong < 0 ? "-inf" : "inf"),
                  "cell (" + std::to_string(position / matrix.width()) + ", " +
                      std::to_string(position % matrix.width()) + ") is not a finite number");
}

}  // namespace

void Matrix::resize(std::size_t rows, std::size_t columns) {
  rows_ = rows;
  columns_ = columns;
  height_ = whole_blocks(rows);
  width_ = whole_blocks(columns);
  const std::size_t blocks = height_ * width_ / block_width;
  if (blocks_.size() < blocks) blocks_.resize(blocks);
}

void Matrix::load(const SimilarityView& view, std::int64_t row) {
  resize(view.rows, view.columns);
  if (!load_cells(view, *this)) throw_not_finite(*this, row);
}

void Matrix::distort(double factor) {
  if (factor == 0 || rows_ < 2 || columns_ < 2) return;
  std::vector<double> position(columns_);
  for (std::size_t j = 0; j < columns_; ++j) {
    position[j] = static_cast<double>(j) / static_cast<double>(columns_ - 1);
  }
  for (std::size_t i = 0; i < rows_; ++i) {
    const double own = static_cast<double>(i) / static_cast<double>(rows_ - 1);
    float* cells = data() + i * width_;
    for (std::size_t j = 0; j < columns_; ++j) {
      const double distance = own - position[j];
      cells[j] = static_cast<float>(cells[j] * (1 - factor * (distance * distance)));
    }
  }
}

void Matrix::transpose(const Matrix& other) {
  resize(other.columns_, other.rows_);
  extraction_kernels().transpose(other.data(), other.height_, other.width_, data());
}

}  // namespace xner
