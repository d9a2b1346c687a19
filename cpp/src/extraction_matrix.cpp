#include "extraction_matrix.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <string>

#include "xner/error.hpp"

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
  // Normal numbers need another exponent bias, infinity and NaN twice that. A subnormal number is a multiple
  // of 2^-24: its digits become the last ones of a float of 2^-14, which is then taken away. (Multiplying a
  // subnormal float would be shorter, but depends on whether the calling thread flushes those to zero.)
  static float value(std::uint32_t bits) {
    constexpr std::uint32_t bias = 112U << 23;
    constexpr std::uint32_t least_normal = 113U << 23;  // 2^-14
    const std::uint32_t magnitude = (bits & 0x7FFFU) << 13;
    const float subnormal =
        std::bit_cast<float>(magnitude + least_normal) - std::bit_cast<float>(least_normal);
    const std::uint32_t normal = magnitude + ((bits & exponent) == exponent ? 2 * bias : bias);
    const std::uint32_t unsigned_bits =
        (bits & exponent) == 0 ? std::bit_cast<std::uint32_t>(subnormal) : normal;
    return std::bit_cast<float>(unsigned_bits | (bits & 0x8000U) << 16);
  }
};

// Converts `columns` elements; says whether all are finite.
template <class Element>
bool load_row(const std::byte* from, std::ptrdiff_t stride, std::size_t columns, float* to) {
  std::uint32_t not_finite = 0;
  const auto step = [&](std::size_t j, std::ptrdiff_t distance) {
    typename Element::Bits bits;
    std::memcpy(&bits, from + static_cast<std::ptrdiff_t>(j) * distance, sizeof(bits));
    to[j] = Element::value(bits);
    not_finite |= static_cast<std::uint32_t>((bits & Element::exponent) == Element::exponent);
  };
  constexpr auto adjacent = static_cast<std::ptrdiff_t>(sizeof(typename Element::Bits));
  if (stride == adjacent) {
    for (std::size_t j = 0; j < columns; ++j) step(j, adjacent);
  } else {
    for (std::size_t j = 0; j < columns; ++j) step(j, stride);
  }
  return not_finite == 0;
}

[[noreturn]] void throw_not_finite(std::span<const float> cells, std::size_t i, std::int64_t row) {
  const auto wrong = std::ranges::find_if_not(cells, [](float cell) { return std::isfinite(cell); });
  const std::string cell = std::to_string(i) + ", " + std::to_string(wrong - cells.begin());
  throw DataError(row, "similarities", std::isnan(*wrong) ? "nan" : (*wrong < 0 ? "-inf" : "inf"),
                  "cell (" + cell + ") is not a finite number");
}

}  // namespace

void Matrix::resize(std::size_t rows, std::size_t columns) {
  rows_ = rows;
  columns_ = columns;
  width_ = (columns + lanes - 1) / lanes * lanes;
  if (cells_.size() < rows * width_) cells_.resize(rows * width_);
}

void Matrix::fill_up(std::size_t i) {
  std::fill(cells_.data() + i * width_ + columns_, cells_.data() + (i + 1) * width_, lowest_cell);
}

void Matrix::load(const SimilarityView& view, std::int64_t row) {
  resize(view.rows, view.columns);
  for (std::size_t i = 0; i < rows_; ++i) {
    const std::byte* from = view.data + static_cast<std::ptrdiff_t>(i) * view.row_stride;
    float* to = cells_.data() + i * width_;
    const bool finite = view.type == ElementType::float32
                            ? load_row<Float32>(from, view.column_stride, columns_, to)
                            : load_row<Float16>(from, view.column_stride, columns_, to);
    if (!finite) throw_not_finite({to, columns_}, i, row);
    fill_up(i);
  }
}

void Matrix::distort(double factor) {
  if (factor == 0 || rows_ < 2 || columns_ < 2) return;
  std::vector<double> position(columns_);
  for (std::size_t j = 0; j < columns_; ++j) {
    position[j] = static_cast<double>(j) / static_cast<double>(columns_ - 1);
  }
  for (std::size_t i = 0; i < rows_; ++i) {
    const double own = static_cast<double>(i) / static_cast<double>(rows_ - 1);
    float* cells = cells_.data() + i * width_;
    for (std::size_t j = 0; j < columns_; ++j) {
      const double distance = own - position[j];
      cells[j] = static_cast<float>(cells[j] * (1 - factor * (distance * distance)));
    }
  }
}

void Matrix::transpose(const Matrix& other) {
  resize(other.columns_, other.rows_);
  // Square tiles keep both sides within the cache.
  constexpr std::size_t tile = 16;
  for (std::size_t i = 0; i < rows_; i += tile) {
    for (std::size_t j = 0; j < columns_; j += tile) {
      for (std::size_t k = i; k < std::min(i + tile, rows_); ++k) {
        for (std::size_t l = j; l < std::min(j + tile, columns_); ++l) cells_[k * width_ + l] = other(l, k);
      }
    }
  }
  for (std::size_t i = 0; i < rows_; ++i) fill_up(i);
}

}  // namespace xner
