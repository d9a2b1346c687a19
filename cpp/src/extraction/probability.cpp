#include "extraction/probability.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace xner {

namespace {

// The largest float that is not above `value`: a float exceeds the one exactly where it exceeds the other.
float round_down(double value) {
  const auto rounded = static_cast<float>(value);
  return rounded > value ? std::nextafter(rounded, lowest_cell) : rounded;
}

// tau with sum max(z - tau, 0)^2 = 1 (Peters, Niculae, Martins 2019, algorithm 2). Sorts `z`.
double entmax15_threshold(std::span<double> z) {
  std::ranges::sort(z, std::ranges::greater());
  double tau = z.front() - 1;
  // Sums of deviations from the highest, which are at most 1, whatever the values.
  double sum = 0;
  double squares = 0;
  for (std::size_t k = 1; k < z.size() && z[k] > tau; ++k) {
    const double deviation = z[k] - z.front();
    sum += deviation;
    squares += deviation * deviation;
    const auto count = static_cast<double>(k + 1);
    const double mean = sum / count;
    const double variance = squares / count - mean * mean;
    tau = z.front() + mean - std::sqrt(std::max(0.0, 1 / count - variance));
  }
  return tau;
}

}  // namespace

void ProbabilityExtractor::Distributions::reset(std::size_t size, std::size_t width) {
  normaliser.resize(size);
  limit.assign(width, std::numeric_limits<float>::infinity());
}

template <class Probability>
void ProbabilityExtractor::collect(const Matrix& by_row, const Matrix& by_column,
                                   const Probability& probability, std::vector<ScoredLink>& links) {
  constexpr std::size_t word = 64;
  const std::size_t words = (by_row.width() + word - 1) / word;
  hits_.resize(by_row.rows() * words);
  extraction_kernels().hits(by_row.cells().data(), rows_.limit.data(), by_column.cells().data(),
                            columns_.limit.data(), by_row.rows(), by_row.width(), hits_.data());
  links.clear();
  for (std::size_t i = 0; i < by_row.rows(); ++i) {
    for (std::size_t k = 0; k < words; ++k) {
      for (std::uint64_t bits = hits_[i * words + k]; bits != 0; bits &= bits - 1) {
        const std::size_t j = k * word + static_cast<std::size_t>(std::countr_zero(bits));
        links.push_back(
            {{static_cast<std::int32_t>(i), static_cast<std::int32_t>(j)},
             probability(by_row(i, j), rows_.normaliser[i], by_column(i, j), columns_.normaliser[j])});
      }
    }
  }
}

void ProbabilityExtractor::softmax(const Matrix& similarity, double threshold, std::optional<float> null,
                                   std::vector<ScoredLink>& links) {
  const bool shared = exponentiate(similarity);
  rows_.reset(similarity.rows(), similarity.rows());
  columns_.reset(similarity.columns(), similarity.width());
  fill_softmax(row_sums_, row_shifts_, threshold, null, rows_);
  fill_softmax(column_sums_, column_shifts_, threshold, null, columns_);
  const auto probability = [](double by_row, double row_factor, double by_column, double column_factor) {
    return static_cast<float>(std::min(by_row * row_factor, by_column * column_factor));
  };
  collect(exponentials_, shared ? exponentials_ : exponentials_by_column_, probability, links);
}

// One exponential a cell, less the highest cell of all, serves its row and its column, unless some row or
// column lies so far below that its exponentials lose digits: then each takes its own highest cell. Returns
// which was done.
bool ProbabilityExtractor::exponentiate(const Matrix& similarity) {
  constexpr float least_sum = 1e-26F;  // e^-60
  const std::size_t rows = similarity.rows();
  const std::size_t width = similarity.width();
  const float highest = extraction_kernels().highest(similarity.cells().data(), similarity.cells().size());
  row_shifts_.assign(rows, highest);
  column_shifts_.assign(width, highest);
  exponentiate(similarity, highest, exponentials_, row_sums_, column_sums_);
  const auto real_columns = std::span(column_sums_).first(similarity.columns());
  if (std::min(std::ranges::min(row_sums_), std::ranges::min(real_columns)) >= least_sum) return true;

  std::ranges::fill(column_shifts_, lowest_cell);
  for (std::size_t i = 0; i < rows; ++i) {
    const std::span<const float> row = similarity.row(i);
    row_shifts_[i] = std::ranges::max(row);
    for (std::size_t j = 0; j < width; ++j) column_shifts_[j] = std::max(column_shifts_[j], row[j]);
  }
  const auto shift = [&](const auto& shift_of) {
    shifted_.resize(rows, similarity.columns());
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t j = 0; j < width; ++j) shifted_.row(i)[j] = similarity(i, j) - shift_of(i, j);
    }
  };
  shift([&](std::size_t i, std::size_t /*j*/) { return row_shifts_[i]; });
  exponentiate(shifted_, 0, exponentials_, row_sums_, unused_column_sums_);
  shift([&](std::size_t /*i*/, std::size_t j) { return column_shifts_[j]; });
  exponentiate(shifted_, 0, exponentials_by_column_, unused_sums_, column_sums_);
  return false;
}

void ProbabilityExtractor::exponentiate(const Matrix& cells, float shift, Matrix& out,
                                        std::vector<float>& row_sums, std::vector<float>& column_sums) {
  out.resize(cells.rows(), cells.columns());
  row_sums.resize(cells.rows());
  column_sums.assign(cells.width(), 0);
  extraction_kernels().exponentials(cells.cells().data(), cells.rows(), cells.width(), shift,
                                    out.cells().data(), row_sums.data(), column_sums.data());
}

void ProbabilityExtractor::fill_softmax(std::span<const float> sums, std::span<const float> shifts,
                                        double threshold, std::optional<float> null, Distributions& out) {
  const std::size_t size = out.normaliser.size();
  if (null) {
    null_.resize(1, size);
    std::ranges::fill(null_.cells(), lowest_cell);
    for (std::size_t i = 0; i < size; ++i) null_.cells()[i] = *null - shifts[i];
    exponentiate(null_, 0, null_, unused_sums_, unused_column_sums_);
  }
  for (std::size_t i = 0; i < size; ++i) {
    float null_cell = 0;
    if (null) {
      if (*null >= shifts[i]) continue;  // no cell is above that: the limit stays infinity
      null_cell = null_(0, i);
    }
    const double sum = double{sums[i]} + null_cell;
    out.normaliser[i] = 1 / sum;
    out.limit[i] = std::max(static_cast<float>(threshold * sum), null_cell);
  }
}

void ProbabilityExtractor::entmax15(const Matrix& similarity, double threshold, std::optional<float> null,
                                    std::vector<ScoredLink>& links) {
  transposed_.transpose(similarity);
  rows_.reset(similarity.rows(), similarity.rows());
  columns_.reset(similarity.columns(), similarity.width());
  fill_entmax15(similarity, threshold, null, rows_);
  fill_entmax15(transposed_, threshold, null, columns_);
  const auto probability = [](double cell, double row_tau, double /*cell*/, double column_tau) {
    const double root = cell / 2 - std::max(row_tau, column_tau);
    return static_cast<float>(root * root);
  };
  collect(similarity, similarity, probability, links);
}

// p = max(x / 2 - tau, 0)^2. As tau is at least max / 2 - 1, a cell that is 2 below the highest has p = 0.
void ProbabilityExtractor::fill_entmax15(const Matrix& similarity, double threshold,
                                         std::optional<float> null, Distributions& out) {
  for (std::size_t i = 0; i < similarity.rows(); ++i) {
    const std::span<const float> row = similarity.row(i).first(similarity.columns());
    const double highest = std::max(std::ranges::max(row), null.value_or(lowest_cell));
    candidates_.clear();
    for (const double cell : row) {
      if (cell >= highest - 2) candidates_.push_back(cell / 2);
    }
    if (null) candidates_.push_back(*null / 2.0);
    out.normaliser[i] = entmax15_threshold(candidates_);
    const double limit = 2 * (out.normaliser[i] + std::sqrt(threshold));
    out.limit[i] = round_down(null ? std::max<double>(limit, *null) : limit);
  }
}

}  // namespace xner
