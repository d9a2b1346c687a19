#include "extraction_probability.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numbers>

#include "extraction_reductions.hpp"

namespace xner {

namespace {

// e^x for x <= 0, to about 2e-7 of e^0; what is below -87 counts as -87. Plain arithmetic, so that loops over
// it become vector instructions: e^x = 2^(n + f) with a whole number n, which goes into the exponent, and f
// within 1/2 of 0, for which a polynomial fitted to the least relative error (1.7e-7 in float32) gives 2^f.
inline float exponential(float x) {
  constexpr float least = -87.0F;
  constexpr float round_to_integer = 12582912.0F;  // 1.5 * 2^23: what is added to it loses its fraction
  const float y = (x > least ? x : least) * std::numbers::log2e_v<float>;
  const float shifted = y + round_to_integer;
  const float f = y - (shifted - round_to_integer);
  const float f2 = f * f;
  // In pairs, as a chain of six steps would take longer.
  // NOLINTNEXTLINE(modernize-use-std-numbers): fitted like the others, not ln 2
  const float low = 1.0F + 0.6931470037F * f;
  const float middle = 0.2402224243F + 0.0555073358F * f;
  const float high = 0.0096715130F + 0.0013264727F * f;
  const float power = low + f2 * (middle + f2 * high);
  const std::uint32_t exponent = (std::bit_cast<std::uint32_t>(shifted) + 127U) << 23U;
  return power * std::bit_cast<float>(exponent);
}

// e^(cell - shift) of each cell; `out` is as long.
void exponentials(std::span<const float> cells, float shift, std::span<float> out) {
  for (std::size_t j = 0; j < cells.size(); ++j) out[j] = exponential(cells[j] - shift);
}

// The same with a shift for each.
void exponentials(std::span<const float> cells, std::span<const float> shifts, std::span<float> out) {
  for (std::size_t j = 0; j < cells.size(); ++j) out[j] = exponential(cells[j] - shifts[j]);
}

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

// Marks the cells of a row that exceed both limits. (A function of its own, as bytes could alias anything.)
void mark_hits(const float* by_row, float row_limit, const float* by_column, const float* column_limits,
               std::size_t width, std::uint8_t* hits) {
  for (std::size_t j = 0; j < width; ++j) {
    hits[j] = static_cast<std::uint8_t>(by_row[j] > row_limit) &
              static_cast<std::uint8_t>(by_column[j] > column_limits[j]);
  }
}

}  // namespace

void ProbabilityExtractor::Distributions::reset(std::size_t size, std::size_t width) {
  normaliser.resize(size);
  limit.assign(width, std::numeric_limits<float>::infinity());
}

// A row's comparisons come first, one byte each; then the hits of blocks that have any are listed without
// further branches, which could not be predicted.
template <class Probability>
void ProbabilityExtractor::collect(const Matrix& by_row, const Matrix& by_column,
                                   const Probability& probability, std::vector<ScoredLink>& links) {
  static_assert(lanes == sizeof(std::uint64_t));
  const std::size_t width = by_row.width();
  hits_.resize(width);
  hit_columns_.resize(width + 1);
  for (std::size_t i = 0; i < by_row.rows(); ++i) {
    mark_hits(by_row.row(i).data(), rows_.limit[i], by_column.row(i).data(), columns_.limit.data(), width,
              hits_.data());
    std::size_t count = 0;
    for (std::size_t block = 0; block < width; block += lanes) {
      std::uint64_t any;
      std::memcpy(&any, hits_.data() + block, sizeof(any));
      if (any == 0) continue;
      for (std::size_t j = block; j < block + lanes; ++j) {
        hit_columns_[count] = j;
        count += hits_[j];
      }
    }
    const std::size_t before = links.size();
    links.resize(before + count);
    for (std::size_t k = 0; k < count; ++k) {
      const std::size_t j = hit_columns_[k];
      links[before + k] = {
          {static_cast<std::int32_t>(i), static_cast<std::int32_t>(j)},
          probability(by_row(i, j), rows_.normaliser[i], by_column(i, j), columns_.normaliser[j])};
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
  const float highest = highest_cell(similarity);
  exponentials_.resize(rows, similarity.columns());
  exponentials(similarity.cells(), highest, exponentials_.cells());
  sum_cells(exponentials_, row_sums_, column_sums_);
  row_shifts_.assign(rows, highest);
  column_shifts_.assign(width, highest);
  const auto real_columns = std::span(column_sums_).first(similarity.columns());
  if (std::min(std::ranges::min(row_sums_), std::ranges::min(real_columns)) >= least_sum) return true;

  std::ranges::fill(column_shifts_, lowest_cell);
  for (std::size_t i = 0; i < rows; ++i) {
    const std::span<const float> row = similarity.row(i);
    row_shifts_[i] = std::ranges::max(row);
    for (std::size_t j = 0; j < width; ++j) column_shifts_[j] = std::max(column_shifts_[j], row[j]);
  }
  exponentials_by_column_.resize(rows, similarity.columns());
  for (std::size_t i = 0; i < rows; ++i) {
    exponentials(similarity.row(i), row_shifts_[i], exponentials_.row(i));
    exponentials(similarity.row(i), column_shifts_, exponentials_by_column_.row(i));
  }
  sum_cells(exponentials_, row_sums_, unused_sums_);
  sum_cells(exponentials_by_column_, unused_sums_, column_sums_);
  return false;
}

void ProbabilityExtractor::fill_softmax(std::span<const float> sums, std::span<const float> shifts,
                                        double threshold, std::optional<float> null, Distributions& out) {
  for (std::size_t i = 0; i < out.normaliser.size(); ++i) {
    float null_cell = 0;
    if (null) {
      if (*null >= shifts[i]) continue;  // no cell is above that: the limit stays infinity
      null_cell = exponential(*null - shifts[i]);
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
