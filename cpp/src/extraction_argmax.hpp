// Extraction by the best cells of rows and columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "extraction_reductions.hpp"

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
  // Which rows, or columns, have a link.
  class Side {
   public:
    void reset(std::size_t size);
    void mark(std::size_t place);
    void list_free();

    [[nodiscard]] bool linked(std::size_t place) const { return linked_[place] != 0; }
    [[nodiscard]] std::size_t size() const { return linked_.size(); }
    [[nodiscard]] std::size_t first_linked() const { return first_linked_; }
    // Those without a link when list_free() was last called.
    [[nodiscard]] const std::vector<std::size_t>& free() const { return free_; }

   private:
    std::vector<std::uint8_t> linked_;
    std::vector<std::size_t> free_;
    std::size_t first_linked_ = 0;
  };
  // A row, or a column, with its cell, weighed or not. The higher one is better, of equal ones the first.
  struct Best {
    double cell;
    std::size_t place;
    friend bool operator<(const Best& a, const Best& b) {
      return a.cell != b.cell ? a.cell < b.cell : a.place > b.place;
    }
  };

  void mark(std::span<const Link> links);
  void add_left_over(const Matrix& similarity, double alpha, std::vector<Link>& added);
  template <class Cell>
  static std::size_t best_of_free(const Best& over_free, const Best& over_all, const Side& other,
                                  double alpha, const Cell& cell);
  template <class Cell>
  static bool is_best_of_linked(std::size_t place, const Side& other, const Cell& cell);

  Maxima all_;
  Side source_;
  Side target_;
  Matrix free_cells_;
  Maxima over_free_;
  std::vector<std::size_t> best_row_;  // of each free column
  std::vector<Link> added_;
  std::vector<Link> merged_;
};

}  // namespace xner
