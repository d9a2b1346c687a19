// Extraction by the best cells of rows and columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "extraction/matrix.hpp"

namespace xner {

// The highest cell of every row, or column, and where it is: of equal ones the first.
struct Maxima {
  std::vector<float> values;
  std::vector<std::int32_t> places;

  // Ready to be written for so many rows, or columns.
  MaximaOut out(std::size_t size);
};

// The methods forward, reverse, intersect and itermax, with their scratch memory. Links come sorted by
// source, then target.
class ArgmaxExtractor {
 public:
  // Loads and distorts the matrix, which has at least one cell and is to stay while links are extracted.
  // Throws what Matrix::load throws.
  void load(const SimilarityView& view, std::int64_t row, double distortion, Matrix& similarity);

  void forward(const Matrix& similarity, std::vector<ScoredLink>& links) const;
  void reverse(const Matrix& similarity, std::vector<ScoredLink>& links) const;
  void intersect(const Matrix& similarity, std::vector<ScoredLink>& links);
  void itermax(const Matrix& similarity, int max_count, double alpha, std::vector<ScoredLink>& links);

 private:
  // The rows, or the columns, of the matrix: the places of a side. In each round every place chooses one on
  // the other side; places that choose each other become partners.
  struct Side {
    std::size_t size = 0;
    std::vector<std::int32_t> all;     // filled up to whole blocks
    std::vector<std::int32_t> linked;  // 1 or 0; filled up with 1
    // Those that had no link when list_free() was last called.
    std::vector<std::int32_t> free;
    std::size_t free_count = 0;
    // The best place on the other side for each place: of all, and of the free ones.
    Maxima best;
    Maxima best_free;
    std::vector<std::int32_t> choice;   // filled up with no_choice(), and -1 at its end
    std::vector<std::int32_t> partner;  // or `no_place`

    void reset(std::size_t places);
    void choose_best(const Side& other);
    void find_best_free(const Side& other, const Matrix& cells);
    void choose_left_over(const Side& other, const Matrix& cells, double alpha);
    void pair_up(const Side& other);
    void list_free();

    // Where `choice` has -1: chosen by those that choose no place.
    [[nodiscard]] std::int32_t no_choice() const { return static_cast<std::int32_t>(choice.size()) - 1; }
  };

  void pair_best();
  void keep_partners();
  void list_links(const Matrix& similarity, std::vector<ScoredLink>& links);

  Matrix transposed_;
  Side source_;
  Side target_;
  // The columns that each row is linked with, in order, then `no_place`: one slot a row and round.
  std::vector<std::int32_t> slots_;
  std::vector<std::int32_t> next_slots_;
  std::vector<std::int32_t> slot_rows_;  // of all slots, and what is left of longer lists
  std::size_t slots_a_row_ = 0;          // in `slot_rows_`
  std::size_t rounds_ = 0;
  std::vector<std::int32_t> linked_rows_;
  std::vector<std::int32_t> linked_columns_;
};

}  // namespace xner
