// Extraction by the best cells of rows and columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "extraction_maxima.hpp"

namespace xner {

// The methods forward, reverse, intersect and itermax, with their scratch memory. The matrix has at least one
// cell. Links come sorted by source, then target.
class ArgmaxExtractor {
 public:
  void forward(const Matrix& similarity, std::vector<Link>& links);
  void reverse(const Matrix& similarity, std::vector<Link>& links);
  void intersect(const Matrix& similarity, std::vector<Link>& links);
  void itermax(const Matrix& similarity, int max_count, double alpha, std::vector<Link>& links);

 private:
  // The rows, or the columns, that have a link and those that have none.
  class Side {
   public:
    void reset(std::size_t size);
    void mark(std::size_t i);
    [[nodiscard]] bool linked(std::size_t i) const { return linked_[i] != 0; }
    [[nodiscard]] bool has_free() const { return free_ != 0; }
    [[nodiscard]] std::size_t first_linked() const { return first_linked_; }
    [[nodiscard]] std::size_t size() const { return linked_.size(); }

   private:
    std::vector<std::uint8_t> linked_;
    std::size_t free_ = 0;
    std::size_t first_linked_ = 0;
  };
  // A row with a value; the higher one is better, of equal ones the first.
  struct Best {
    double value;
    std::size_t row;
    friend bool operator<(const Best& a, const Best& b) {
      return a.value != b.value ? a.value < b.value : a.row > b.row;
    }
  };

  void mark(std::span<const Link> links);
  void add_left_over(const Matrix& similarity, double alpha, std::vector<Link>& added);
  [[nodiscard]] Best best_row(const Matrix& similarity, double alpha, std::size_t j) const;
  [[nodiscard]] Best best_linked_row(const Matrix& similarity, double alpha, std::size_t j) const;
  [[nodiscard]] bool is_best_column(const Matrix& similarity, double alpha, std::size_t j,
                                    const Best& row) const;

  Maxima all_;
  Maxima free_;  // over the rows without a link
  Side source_;
  Side target_;
  std::vector<std::size_t> free_rows_;
  // The weight of each column's cell in a row without a link, and in a row with one.
  std::vector<double> weights_if_free_;
  std::vector<double> weights_if_linked_;
  std::vector<Link> added_;
  std::vector<Link> merged_;
};

}  // namespace xner
