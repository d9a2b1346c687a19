#include "extraction/assignment.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace xner {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

double minimum(std::span<const double> values) {
  std::array<double, block_width> best{};
  best.fill(infinity);
  for (std::size_t j = 0; j < values.size(); j += block_width) {
    for (std::size_t k = 0; k < block_width; ++k) best[k] = values[j + k] < best[k] ? values[j + k] : best[k];
  }
  return *std::ranges::min_element(best);
}

std::size_t find_first(std::span<const double> values, double value) {
  return static_cast<std::size_t>(std::ranges::find(values, value) - values.begin());
}

}  // namespace

void AssignmentExtractor::extract(const Matrix& similarity, std::vector<ScoredLink>& links) {
  const bool swapped = similarity.rows() > similarity.columns();
  if (swapped) transposed_.transpose(similarity);
  prepare(swapped ? transposed_ : similarity);
  take_best_columns();
  for (std::size_t i = 0; i < rows_; ++i) {
    if (column_of_[i] < 0) augment(i);
  }
  links.clear();
  for (std::size_t i = 0; i < rows_; ++i) {
    const auto row = static_cast<std::int32_t>(i);
    const auto column = static_cast<std::int32_t>(column_of_[i]);
    const Link link = swapped ? Link{column, row} : Link{row, column};
    links.push_back(
        {link, similarity(static_cast<std::size_t>(link.source), static_cast<std::size_t>(link.target))});
  }
  if (swapped) std::ranges::sort(links, {}, &ScoredLink::link);
}

void AssignmentExtractor::prepare(const Matrix& similarity) {
  rows_ = similarity.rows();
  columns_ = similarity.columns();
  width_ = similarity.width();
  costs_.resize(rows_ * width_);
  for (std::size_t i = 0; i < rows_; ++i) {
    const std::span<const float> cells = similarity.row(i);
    double* costs = costs_.data() + i * width_;
    for (std::size_t j = 0; j < columns_; ++j) costs[j] = -static_cast<double>(cells[j]);
    std::fill(costs + columns_, costs + width_, infinity);
  }
  row_price_.resize(rows_);
  column_price_.assign(width_, 0);
  row_of_.assign(width_, -1);
  column_of_.assign(rows_, -1);
  previous_.resize(width_);
}

// A row's price is its lowest cost, which makes all reduced costs (cost - row price - column price) at least
// 0, and those of the cells taken here 0.
void AssignmentExtractor::take_best_columns() {
  for (std::size_t i = 0; i < rows_; ++i) {
    row_price_[i] = minimum(costs(i));
    const std::size_t j = find_first(costs(i), row_price_[i]);
    if (row_of_[j] >= 0) continue;
    row_of_[j] = static_cast<std::int64_t>(i);
    column_of_[i] = static_cast<std::int64_t>(j);
  }
}

// Dijkstra's algorithm from a free row to the nearest free column, then the change of prices that keeps the
// reduced costs as they must be, then the exchange of taken and other cells along the path.
void AssignmentExtractor::augment(std::size_t row) {
  open_distance_.assign(width_, infinity);
  open_price_ = column_price_;
  visited_.clear();
  double lowest = 0;
  std::int64_t column = 0;
  for (std::size_t i = row;;) {
    const double base = lowest - row_price_[i];
    const std::span<const double> cost = costs(i);
    const auto from = static_cast<std::int64_t>(i);
    for (std::size_t j = 0; j < width_; ++j) {
      const double through = base + cost[j] - open_price_[j];
      const bool shorter = through < open_distance_[j];
      open_distance_[j] = shorter ? through : open_distance_[j];
      previous_[j] = shorter ? from : previous_[j];
    }
    lowest = minimum(open_distance_);
    const std::size_t nearest = find_first(open_distance_, lowest);
    column = static_cast<std::int64_t>(nearest);
    if (row_of_[nearest] < 0) break;
    visited_.push_back({nearest, lowest});
    open_distance_[nearest] = infinity;
    open_price_[nearest] = -infinity;
    i = static_cast<std::size_t>(row_of_[nearest]);
  }

  row_price_[row] += lowest;
  for (const auto& [visited, distance] : visited_) {
    row_price_[static_cast<std::size_t>(row_of_[visited])] += lowest - distance;
    column_price_[visited] -= lowest - distance;
  }

  // Every row on the path gives up its column for the one that was reached from it; `row` had none.
  while (column >= 0) {
    const std::int64_t from = previous_[static_cast<std::size_t>(column)];
    row_of_[static_cast<std::size_t>(column)] = from;
    std::swap(column, column_of_[static_cast<std::size_t>(from)]);
  }
}

}  // namespace xner
