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
  for (std::size_t i = 0; i < similarity.rows(); ++i) {
    const std::size_t j = all_.column_of(i);
    if (all_.row_of(j) == i) links.push_back(link_of(i, j));
  }
}

void ArgmaxExtractor::itermax(const Matrix& similarity, int max_count, double alpha,
                              std::vector<Link>& links) {
  intersect(similarity, links);
  if (std::min(similarity.rows(), similarity.columns()) <= 2) return;
  source_.reset(similarity.rows());
  target_.reset(similarity.columns());
  mark(links);
  for (int round = 1; round < max_count; ++round) {
    source_.list_free();
    target_.list_free();
    if (source_.free().empty() || target_.free().empty()) return;
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

// One round. Cells weigh alpha twice, but at most 1, in a free row and a free column, alpha where one of the
// two is free, else 0; added are those that are the best of their row and of their column by weighed
// similarity, and not of a linked row and a linked column. So only the free rows and columns need a best one,
// and a linked row or column is looked at where it is that. Cells of one weight are compared without it, the
// others in double precision, where weighing makes no two different cells equal.
void ArgmaxExtractor::add_left_over(const Matrix& similarity, double alpha, std::vector<Link>& added) {
  const std::vector<std::size_t>& rows = source_.free();
  const std::vector<std::size_t>& columns = target_.free();
  free_cells_.select(similarity, rows, columns);
  over_free_.find(free_cells_);
  best_row_.resize(similarity.columns());
  for (std::size_t l = 0; l < columns.size(); ++l) {
    const std::size_t j = columns[l];
    best_row_[j] = best_of_free({over_free_.of_column(l), rows[over_free_.row_of(l)]},
                                {all_.of_column(j), all_.row_of(j)}, source_, alpha,
                                [&](std::size_t i) { return similarity(i, j); });
  }
  for (std::size_t k = 0; k < rows.size(); ++k) {
    const std::size_t i = rows[k];
    const std::size_t j = best_of_free({over_free_.of_row(k), columns[over_free_.column_of(k)]},
                                       {all_.of_row(i), all_.column_of(i)}, target_, alpha,
                                       [&](std::size_t column) { return similarity(i, column); });
    const bool is_best =
        target_.linked(j) ? is_best_of_linked(i, source_, [&](std::size_t row) { return similarity(row, j); })
                          : best_row_[j] == i;
    if (is_best) added.push_back(link_of(i, j));
  }
  for (const std::size_t j : columns) {
    const std::size_t i = best_row_[j];
    if (source_.linked(i) &&
        is_best_of_linked(j, target_, [&](std::size_t column) { return similarity(i, column); })) {
      added.push_back(link_of(i, j));
    }
  }
  std::ranges::sort(added);
}

// The best place on the other side for a free row or column, given the best ones over the free places and
// over all places, without weights. `cell` gives any place's cell.
template <class Cell>
std::size_t ArgmaxExtractor::best_of_free(const Best& over_free, const Best& over_all, const Side& other,
                                          double alpha, const Cell& cell) {
  Best best{std::min(1.0, 2 * alpha) * over_free.cell, over_free.place};
  if (other.linked(over_all.place)) return std::max(best, {alpha * over_all.cell, over_all.place}).place;
  // The highest cell of all, if it is positive, stays the best with the highest weight.
  if (over_all.cell > 0) return over_all.place;
  for (std::size_t place = 0; place < other.size(); ++place) {
    if (other.linked(place)) best = std::max(best, {alpha * cell(place), place});
  }
  return best.place;
}

// Whether `place`, which is free, is the best one for a linked row or column, in which linked places weigh 0.
template <class Cell>
bool ArgmaxExtractor::is_best_of_linked(std::size_t place, const Side& other, const Cell& cell) {
  const float own = cell(place);
  if (own < 0 || (own == 0 && other.first_linked() < place)) return false;
  return std::ranges::none_of(other.free(), [&](std::size_t another) {
    return cell(another) > own || (cell(another) == own && another < place);
  });
}

void ArgmaxExtractor::Side::reset(std::size_t size) {
  linked_.assign(size, 0);
  first_linked_ = size;
}

void ArgmaxExtractor::Side::mark(std::size_t place) {
  linked_[place] = 1;
  first_linked_ = std::min(first_linked_, place);
}

void ArgmaxExtractor::Side::list_free() {
  free_.resize(linked_.size());
  std::size_t count = 0;
  for (std::size_t place = 0; place < linked_.size(); ++place) {
    free_[count] = place;
    count += linked(place) ? 0 : 1;
  }
  free_.resize(count);
}

}  // namespace xner
