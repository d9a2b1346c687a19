#include "extraction_argmax.hpp"

#include <algorithm>
#include <iterator>

namespace xner {

namespace {

Link link_of(std::size_t i, std::size_t j) {
  return {static_cast<std::int32_t>(i), static_cast<std::int32_t>(j)};
}

}  // namespace

void ArgmaxExtractor::forward(const Matrix& similarity, std::vector<Link>& links) {
  all_.find(similarity);
  for (std::size_t i = 0; i < similarity.rows(); ++i) links.push_back(link_of(i, all_.column_of(i)));
}

void ArgmaxExtractor::reverse(const Matrix& similarity, std::vector<Link>& links) {
  all_.find(similarity);
  for (std::size_t j = 0; j < similarity.columns(); ++j) links.push_back(link_of(all_.row_of(j), j));
  std::ranges::sort(links);
}

void ArgmaxExtractor::intersect(const Matrix& similarity, std::vector<Link>& links) {
  all_.find(similarity);
  for (std::size_t j = 0; j < similarity.columns(); ++j) {
    const std::size_t i = all_.row_of(j);
    if (all_.is_column_of(j, i)) links.push_back(link_of(i, j));
  }
  std::ranges::sort(links);
}

void ArgmaxExtractor::itermax(const Matrix& similarity, int max_count, double alpha,
                              std::vector<Link>& links) {
  intersect(similarity, links);
  if (std::min(similarity.rows(), similarity.columns()) <= 2) return;
  source_.reset(similarity.rows());
  target_.reset(similarity.columns());
  mark(links);
  for (int round = 1; round < max_count && source_.has_free() && target_.has_free(); ++round) {
    added_.clear();
    add_left_over(similarity, alpha, added_);
    if (added_.empty()) return;
    mark(added_);
    merged_.clear();
    std::ranges::merge(links, added_, std::back_inserter(merged_));
    links.swap(merged_);
  }
}

void ArgmaxExtractor::mark(std::span<const Link> links) {
  for (const Link link : links) {
    source_.mark(static_cast<std::size_t>(link.source));
    target_.mark(static_cast<std::size_t>(link.target));
  }
}

// One round: the cells that are the best of their row and of their column once all are weighed by what is
// free, less those whose row and column are both linked. Products are in double precision, where weighing
// makes no two different similarities equal: cells of one weight can be compared without it.
void ArgmaxExtractor::add_left_over(const Matrix& similarity, double alpha, std::vector<Link>& added) {
  free_rows_.clear();
  for (std::size_t i = 0; i < similarity.rows(); ++i) {
    if (!source_.linked(i)) free_rows_.push_back(i);
  }
  free_.find(similarity, free_rows_);
  weights_if_free_.resize(similarity.columns());
  weights_if_linked_.resize(similarity.columns());
  for (std::size_t j = 0; j < similarity.columns(); ++j) {
    weights_if_free_[j] = target_.linked(j) ? alpha : std::min(1.0, 2 * alpha);
    weights_if_linked_[j] = target_.linked(j) ? 0 : alpha;
  }
  for (std::size_t j = 0; j < similarity.columns(); ++j) {
    const Best best = best_row(similarity, alpha, j);
    if (source_.linked(best.row) && target_.linked(j)) continue;
    if (is_best_column(similarity, alpha, j, best)) added.push_back(link_of(best.row, j));
  }
  std::ranges::sort(added);
}

// The best row of a column by weighed similarity, with that.
ArgmaxExtractor::Best ArgmaxExtractor::best_row(const Matrix& similarity, double alpha, std::size_t j) const {
  const Best free{weights_if_free_[j] * free_.of_column(j), free_.row_of(j)};
  if (target_.linked(j)) return std::max(free, Best{0, source_.first_linked()});
  // Where a free row has the highest cell of all, and that is positive, no linked one comes up to it.
  if (free_.of_column(j) == all_.of_column(j) && free.value > 0 && all_.row_of(j) == free.row) return free;
  return std::max(free, best_linked_row(similarity, alpha, j));
}

// The same over the linked rows, for a free column.
ArgmaxExtractor::Best ArgmaxExtractor::best_linked_row(const Matrix& similarity, double alpha,
                                                       std::size_t j) const {
  const std::size_t best = all_.row_of(j);
  if (source_.linked(best)) return {alpha * all_.of_column(j), best};
  Best result{alpha * similarity(source_.first_linked(), j), source_.first_linked()};
  for (std::size_t i = source_.first_linked() + 1; i < similarity.rows(); ++i) {
    if (source_.linked(i)) result = std::max(result, Best{alpha * similarity(i, j), i});
  }
  return result;
}

// Whether no other cell of the row has a higher weighed similarity, and none before it an equal one.
bool ArgmaxExtractor::is_best_column(const Matrix& similarity, double alpha, std::size_t j,
                                     const Best& row) const {
  const bool linked = source_.linked(row.row);
  // The row's highest cell, if it is not negative, weighs alpha at least.
  if (!linked && row.value < alpha * all_.of_row(row.row) && all_.of_row(row.row) > 0) return false;
  const double* const weights = (linked ? weights_if_linked_ : weights_if_free_).data();
  const float* const cells = similarity.row(row.row).data();
  std::int64_t better = 0;
  for (std::size_t k = 0; k < j; ++k) better += static_cast<std::int64_t>(weights[k] * cells[k] >= row.value);
  for (std::size_t k = j + 1; k < similarity.columns(); ++k) {
    better += static_cast<std::int64_t>(weights[k] * cells[k] > row.value);
  }
  return better == 0;
}

void ArgmaxExtractor::Side::reset(std::size_t size) {
  linked_.assign(size, 0);
  free_ = size;
  first_linked_ = size;
}

void ArgmaxExtractor::Side::mark(std::size_t i) {
  if (linked(i)) return;
  linked_[i] = 1;
  --free_;
  first_linked_ = std::min(first_linked_, i);
}

}  // namespace xner
