// The loops in which link extraction spends its time, compiled once for each instruction set.
//
// They work on rows of `width` floats, a multiple of `block_width`, one after the other. Cells are finite.
// Results are the same, bit for bit, whatever the instruction set. What to do with a place is chosen by masks
// and tables and not by branches: those could not be predicted, and one that is predicted wrong takes as long
// as several steps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace xner {

// Rows are processed in blocks of so many cells.
inline constexpr std::size_t block_width = 8;

// `size` filled up to whole blocks. (static: one of its own for each object, see simd_lanes.hpp.)
static constexpr std::size_t whole_blocks(std::size_t size) {
  return (size + block_width - 1) / block_width * block_width;
}

// Below every similarity, and finite: sums and differences of such cells are not NaN.
inline constexpr float lowest_cell = std::numeric_limits<float>::lowest();

// Rows of floats that are `stride` bytes apart and need not be aligned.
struct CellsIn {
  const std::byte* data;
  std::ptrdiff_t stride;
  std::size_t rows;
  std::size_t columns;
};

// The highest cell of every row, or column, and where it is: of equal ones the first.
struct MaximaOut {
  float* values;
  std::int32_t* places;
};
struct MaximaIn {
  const float* values;
  const std::int32_t* places;
};

// What a round of itermax knows of the places of a side: all whole blocks of `size`.
struct ChoiceIn {
  MaximaIn best;       // of all places of the other side
  MaximaIn best_free;  // of the free ones
  const std::int32_t* linked;
  std::size_t size;
  std::int32_t first_linked;  // of the other side
  std::int32_t no_choice;
  double linked_weight;  // of cells of a free and a linked place
  double free_weight;    // of cells of two free places
};

// Stands for no place; above all places.
inline constexpr std::int32_t no_place = std::numeric_limits<std::int32_t>::max();

struct ExtractionKernels {
  // Copies cells to as many rows and columns in whole blocks, which are filled up with `lowest_cell`. Returns
  // whether all cells are finite.
  bool (*copy)(const CellsIn& from, float* to);

  // Copies like `copy`, and also gives the transpose, and where all cells are finite the maxima of all rows
  // and columns. `from` may be `to`.
  bool (*copy_crosswise)(const CellsIn& from, float* to, float* transposed, const MaximaOut& of_rows,
                         const MaximaOut& of_columns);

  // Both are whole blocks of `height` x `width`, respectively `width` x `height`.
  void (*transpose)(const float* from, std::size_t height, std::size_t width, float* to);

  // The maxima of all columns among some rows, `count` of them, at least one, in ascending order.
  void (*column_maxima)(const float* cells, std::size_t width, const std::int32_t* rows, std::size_t count,
                        const MaximaOut& of_columns);

  // The best place by weighed cells for each place; for a linked one `no_choice` where a linked one is best.
  // Cells of one weight are compared without it, the others in double precision, where weighing makes no two
  // different cells equal. For free places with no cell above 0 it takes for granted that the best place is a
  // linked one, and returns whether there are such.
  bool (*choose)(const ChoiceIn& in, std::int32_t* choice);

  // Places that choose each other: partner = choice where back[choice] is the place itself, else
  // `no_place`; and linked = 1 there. All but `back` are whole blocks.
  void (*pair_up)(const std::int32_t* choice, const std::int32_t* back, std::size_t size,
                  std::int32_t* partner, std::int32_t* linked);

  // Copies the values whose keys are below a limit. All are whole blocks. Returns how many they are.
  std::size_t (*select)(const std::int32_t* values, const std::int32_t* keys, std::int32_t limit,
                        std::size_t size, std::int32_t* to);

  // The highest of `size` floats, a multiple of `block_width`.
  float (*highest)(const float* cells, std::size_t size);

  // out = e^(cell - shift) for cells that are not above the shift, to about 2e-7 of e^0; below e^-87 it is
  // that. Also the sums of rows, and what rows add to the sums of columns.
  void (*exponentials)(const float* cells, std::size_t rows, std::size_t width, float shift, float* out,
                       float* row_sums, float* column_sums);

  // Bit j of a row's bits tells whether its cell in column j exceeds both limits. Each row has as many words
  // of 64 bits as it needs.
  void (*hits)(const float* by_row, const float* row_limits, const float* by_column,
               const float* column_limits, std::size_t rows, std::size_t width, std::uint64_t* bits);
};

namespace baseline {
extern const ExtractionKernels extraction_kernels;
}
namespace avx2 {
extern const ExtractionKernels extraction_kernels;
}

// Those for simd_level().
const ExtractionKernels& extraction_kernels();

}  // namespace xner
