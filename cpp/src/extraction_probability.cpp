#include "extraction_probability.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

namespace xner {

namespace {

// e^x for x <= 0, to about 2e-7 of its value; what is below -87 counts as -87. Plain arithmetic, so that
// loops over it become vector instructions: x = n ln 2 + r, e^r by its Taylor polynomial on [-0.35, 0.35],
// and n into the exponent.
inline float exponential(float x) {
  constexpr float least = -87.0F;
  constexpr float log2_e = 1.44269504F;
  constexpr float round_to_integer = 12582912.0F;  // 1.5 * 2^23: what is added to it loses its fraction
  constexpr float ln2_high = 0.693359375F;         // few digits: n * ln2_high is exact
  constexpr float ln2_low = -2.12194440e-4F;
  const float clamped = x > least ? x : least;
  const float shifted = clamped * log2_e + round_to_integer;
  const float n = shifted - round_to_integer;
  const float r = clamped - n * ln2_high - n * ln2_low;
  float power = 1.0F / 720;
  power = power * r + 1.0F / 120;
  power = power * r + 1.0F / 24;
  power = power * r + 1.0F / 6;
  power = power * r + 0.5F;
  power = power * r + 1.0F;
  power = power * r + 1.0F;
  const std::uint32_t exponent = (std::bit_cast<std::uint32_t>(shifted) + 127U) << 23;
  return power * std::bit_cast<float>(exponent);
}

// Adds e^(row[j] - shift[j]) to every column's sum; returns the sum over the row. `scratch` is as long as
// they.
float add_exponentials(std::span<const float> row, std::span<const float> shift, std::span<float> column_sums,
                       std::span<float> scratch) {
  for (std::size_t j = 0; j < row.size(); ++j) {
    const float sum = column_sums[j];
    const float value = exponential(row[j] - shift[j]);
    scratch[j] = value;
    column_sums[j] = sum + value;
  }
  std::array<float, lanes> total{};
  for (std::size_t j = 0; j < row.size(); j += lanes) {
    for (std::size_t k = 0; k < lanes; ++k) total[k] += scratch[j + k];
  }
  float sum = 0;
  for (const float part : total) sum += part;
  return sum;
}

// The largest float that is not above `value`: a float exceeds the one exactly where it exceeds the other.
float round_down(double value) {
  const auto rounded = static_cast<float>(value);
  return rounded > value ? std::nextafter(rounded, lowest_cell) : rounded;
}

double add_logarithms(double a, double b) {
  const double high = std::max(a, b);
  return high + std::log1p(std::exp(std::min(a, b) - high));
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

// The cells above both of their limits.
template <class Probability>
void collect(const Matrix& similarity, std::span<const float> row_limits,
             std::span<const float> column_limits, const Probability& probability,
             std::vector<ScoredLink>& links) {
  for (std::size_t i = 0; i < similarity.rows(); ++i) {
    const std::span<const float> row = similarity.row(i);
    const float limit = row_limits[i];
    for (std::size_t j = 0; j < row.size(); j += lanes) {
      std::array<std::uint32_t, lanes> above;
      for (std::size_t k = 0; k < lanes; ++k) {
        above[k] = static_cast<std::uint32_t>(row[j + k] > limit) &
                   static_cast<std::uint32_t>(row[j + k] > column_limits[j + k]);
      }
      std::uint32_t any = 0;
      for (const std::uint32_t one : above) any |= one;
      if (any == 0) continue;
      for (std::size_t k = 0; k < lanes; ++k) {
        if (above[k] == 0) continue;
        links.push_back({{static_cast<std::int32_t>(i), static_cast<std::int32_t>(j + k)},
                         probability(i, j + k, row[j + k])});
      }
    }
  }
}

}  // namespace

void ProbabilityExtractor::Distributions::resize(std::size_t size, std::size_t width) {
  normaliser.resize(size);
  limit.assign(width, std::numeric_limits<float>::infinity());
}

void ProbabilityExtractor::softmax(const Matrix& similarity, double threshold, std::optional<float> null,
                                   std::vector<ScoredLink>& links) {
  sum_exponentials(similarity);
  const double log_threshold = std::log(threshold);
  const auto fill = [&](std::span<const float> shifts, std::span<const float> sums, Distributions& out) {
    for (std::size_t i = 0; i < out.normaliser.size(); ++i) {
      double& normaliser = out.normaliser[i];
      normaliser = shifts[i] + std::log(sums[i]);
      if (null) normaliser = add_logarithms(normaliser, *null);
      const double limit = log_threshold + normaliser;
      out.limit[i] = round_down(null ? std::max<double>(limit, *null) : limit);
    }
  };
  rows_.resize(similarity.rows(), similarity.rows());
  columns_.resize(similarity.columns(), similarity.width());
  fill(row_shifts_, row_sums_, rows_);
  fill(column_shifts_, column_sums_, columns_);
  const auto probability = [&](std::size_t i, std::size_t j, float cell) {
    const double log_probability = cell - std::max(rows_.normaliser[i], columns_.normaliser[j]);
    return std::min(1.0F, exponential(static_cast<float>(log_probability)));
  };
  collect(similarity, rows_.limit, columns_.limit, probability, links);
}

// One exponential a cell serves its row and its column where the same shift, the highest cell, suits all of
// them: where no row's and no column's highest cell lies so far below that its exponential loses digits.
void ProbabilityExtractor::sum_exponentials(const Matrix& similarity) {
  constexpr float reach = 60;
  maxima_.find(similarity);
  const auto [lowest_row, highest] = std::ranges::minmax(maxima_.of_rows());
  const bool one_shift = highest - std::min(lowest_row, std::ranges::min(maxima_.of_columns())) <= reach;
  row_sums_.resize(similarity.rows());
  column_sums_.assign(similarity.width(), 0);
  scratch_.resize(similarity.width());
  if (one_shift) {
    row_shifts_.assign(similarity.rows(), highest);
    column_shifts_.assign(similarity.width(), highest);
  } else {
    row_shifts_.assign(maxima_.of_rows().begin(), maxima_.of_rows().end());
    column_shifts_.assign(similarity.width(), 0);
    std::ranges::copy(maxima_.of_columns(), column_shifts_.begin());
  }
  for (std::size_t i = 0; i < similarity.rows(); ++i) {
    row_sums_[i] = add_exponentials(similarity.row(i), column_shifts_, column_sums_, scratch_);
    if (one_shift) continue;
    shift_.assign(similarity.width(), row_shifts_[i]);
    discarded_.assign(similarity.width(), 0);
    row_sums_[i] = add_exponentials(similarity.row(i), shift_, discarded_, scratch_);
  }
}

void ProbabilityExtractor::entmax15(const Matrix& similarity, double threshold, std::optional<float> null,
                                    std::vector<ScoredLink>& links) {
  transposed_.transpose(similarity);
  rows_.resize(similarity.rows(), similarity.rows());
  columns_.resize(similarity.columns(), similarity.width());
  fill_entmax15(similarity, threshold, null, rows_);
  fill_entmax15(transposed_, threshold, null, columns_);
  const auto probability = [&](std::size_t i, std::size_t j, float cell) {
    const double root = 0.5 * cell - std::max(rows_.normaliser[i], columns_.normaliser[j]);
    return static_cast<float>(root * root);
  };
  collect(similarity, rows_.limit, columns_.limit, probability, links);
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
