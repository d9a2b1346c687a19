// Compiled once for each instruction set; see simd_lanes.hpp for what that forbids.
#include "extraction/kernels.hpp"

#include "simd_lanes.hpp"

namespace xner::XNER_SIMD_LEVEL {

static_assert(block_width == lanes);

namespace {

// 0 in every lane that is finite, for the others the bits of NaN.
Integers not_finite(const Floats& cells) {
  return bits_of(cells - cells);  // NOLINT(misc-redundant-expression): infinity less itself is NaN
}

// Eight rows of eight cells, `stride` bytes apart.
struct Tile {
  const std::byte* data;
  std::ptrdiff_t stride;
};

// A tile at which cells end, copied to `filled` and filled up.
Tile fill_tile(const CellsIn& cells, std::size_t i, std::size_t j, float (&filled)[lanes * lanes]) {
  const std::byte* row = cells.data + static_cast<std::ptrdiff_t>(i) * cells.stride + j * sizeof(float);
  const std::size_t columns = cells.columns - j;
  for (std::size_t k = 0; k < lanes; ++k, row += cells.stride) {
    store(broadcast(lowest_cell), filled + k * lanes);
    if (i + k < cells.rows)
      std::memcpy(filled + k * lanes, row, (columns < lanes ? columns : lanes) * sizeof(float));
  }
  return {reinterpret_cast<const std::byte*>(filled), lanes * sizeof(float)};
}

// The tile from row i and column j on.
Tile tile_at(const CellsIn& cells, std::size_t i, std::size_t j, float (&filled)[lanes * lanes]) {
  if (i + lanes > cells.rows || j + lanes > cells.columns) return fill_tile(cells, i, j, filled);
  return {cells.data + static_cast<std::ptrdiff_t>(i) * cells.stride + j * sizeof(float), cells.stride};
}

Integers not_finite(const EightRows& rows) {
  return ((not_finite(rows.row0) | not_finite(rows.row1)) | (not_finite(rows.row2) | not_finite(rows.row3))) |
         ((not_finite(rows.row4) | not_finite(rows.row5)) | (not_finite(rows.row6) | not_finite(rows.row7)));
}

bool copy(const CellsIn& from, float* to) {
  const std::size_t width = whole_blocks(from.columns);
  float filled[lanes * lanes];
  Integers wrong = broadcast(0);
  for (std::size_t i = 0; i < from.rows; i += lanes) {
    for (std::size_t j = 0; j < width; j += lanes) {
      const auto [data, stride] = tile_at(from, i, j, filled);
      const EightRows rows = load_rows(data, stride);
      store(rows, to + i * width + j, width);
      wrong = wrong | not_finite(rows);
    }
  }
  return !any(wrong);
}

// The highest cells so far, and where the blocks start in which they are.
struct HighestBlocks {
  Floats values;
  Integers blocks;

  void update(const Floats& cells, std::size_t block) {
    const Floats higher = max(cells, values);
    blocks = select(higher > values, broadcast(static_cast<std::int32_t>(block)), blocks);
    values = higher;
  }
};

// The blocks of rows of `width` in which the highest cells are become the places.
void find_places(const float* cells, std::size_t height, std::size_t width, const MaximaOut& maxima) {
  for (std::size_t i = 0; i < height; i += lanes) {
    for (std::size_t k = i; k < i + lanes; ++k) {  // a fixed number, which compilers unroll
      std::int32_t& place = maxima.places[k];
      const Floats candidates = load_floats(cells + k * width + static_cast<std::uint32_t>(place));
      place += first_lane(candidates == broadcast(maxima.values[k]));
    }
  }
}

// Finds in which block of eight cells the highest one is, for rows in the transpose, where they are side by
// side like columns in the matrix; then where in the block, which lies in one piece in the other one of the
// two.
bool copy_crosswise(const CellsIn& from, float* to, float* transposed, const MaximaOut& of_rows,
                    const MaximaOut& of_columns) {
  const std::size_t height = whole_blocks(from.rows);
  const std::size_t width = whole_blocks(from.columns);
  const auto [column_values, column_places] = of_columns;
  float filled[lanes * lanes];
  Integers wrong = broadcast(0);
  for (std::size_t j = 0; j < width; j += lanes) {
    store(broadcast(lowest_cell), column_values + j);
    store(broadcast(0), column_places + j);
  }
  for (std::size_t i = 0; i < height; i += lanes) {
    HighestBlocks row_maxima{broadcast(lowest_cell), broadcast(0)};
    for (std::size_t j = 0; j < width; j += lanes) {
      const auto [data, stride] = tile_at(from, i, j, filled);
      const EightRows rows = load_rows(data, stride);
      store(rows, to + i * width + j, width);
      wrong = wrong | not_finite(rows);
      HighestBlocks column_maxima{load_floats(column_values + j), load_integers(column_places + j)};
      column_maxima.update(max(rows), i);
      store(column_maxima.values, column_values + j);
      store(column_maxima.blocks, column_places + j);
      const EightRows columns = transpose(rows);
      store(columns, transposed + j * height + i, height);
      row_maxima.update(max(columns), j);
    }
    store(row_maxima.values, of_rows.values + i);
    store(row_maxima.blocks, of_rows.places + i);
  }
  if (any(wrong)) return false;
  find_places(to, height, width, of_rows);
  find_places(transposed, width, height, of_columns);
  return true;
}

void transpose(const float* from, std::size_t height, std::size_t width, float* to) {
  const auto stride = static_cast<std::ptrdiff_t>(width * sizeof(float));
  for (std::size_t i = 0; i < height; i += lanes) {
    for (std::size_t j = 0; j < width; j += lanes) {
      const EightRows rows = load_rows(reinterpret_cast<const std::byte*>(from + i * width + j), stride);
      store(transpose(rows), to + j * height + i, height);
    }
  }
}

#if defined(__GNUC__)
#define XNER_UNROLL_BLOCKS _Pragma("GCC unroll 4")
#else
#define XNER_UNROLL_BLOCKS
#endif

// Of so many blocks of columns at a time, as one would have each step wait for the step before.
template <std::size_t blocks>
void maxima_of_blocks(const float* cells, std::size_t width, const std::int32_t* rows, std::size_t count,
                      float* values, std::int32_t* places) {
  Floats highest[blocks];
  Integers place[blocks];
  XNER_UNROLL_BLOCKS
  for (std::size_t b = 0; b < blocks; ++b) {
    highest[b] = broadcast(lowest_cell);
    place[b] = broadcast(rows[0]);
  }
  for (std::size_t k = 0; k < count; ++k) {
    const float* const row = cells + static_cast<std::size_t>(rows[k]) * width;
    const Integers number = broadcast(rows[k]);
    XNER_UNROLL_BLOCKS
    for (std::size_t b = 0; b < blocks; ++b) {
      const Floats higher = max(load_floats(row + b * lanes), highest[b]);
      place[b] = select(higher > highest[b], number, place[b]);
      highest[b] = higher;
    }
  }
  XNER_UNROLL_BLOCKS
  for (std::size_t b = 0; b < blocks; ++b) {
    store(highest[b], values + b * lanes);
    store(place[b], places + b * lanes);
  }
}

void column_maxima(const float* cells, std::size_t width, const std::int32_t* rows, std::size_t count,
                   const MaximaOut& of_columns) {
  const auto [values, places] = of_columns;
  constexpr std::size_t at_a_time = 4;
  std::size_t j = 0;
  for (; j + at_a_time * lanes <= width; j += at_a_time * lanes) {
    maxima_of_blocks<at_a_time>(cells + j, width, rows, count, values + j, places + j);
  }
  for (; j < width; j += lanes) maxima_of_blocks<1>(cells + j, width, rows, count, values + j, places + j);
}

bool choose(const ChoiceIn& in, std::int32_t* choice) {
  const Floats zero = broadcast(0.0F);
  const Integers no_choice = broadcast(in.no_choice);
  Integers not_above = broadcast(0);
  for (std::size_t k = 0; k < in.size; k += lanes) {
    const Floats best_values = load_floats(in.best.values + k);
    const Floats free_values = load_floats(in.best_free.values + k);
    const Integers best_places = load_integers(in.best.places + k);
    const Integers free_places = load_integers(in.best_free.places + k);
    const Integers is_free = load_integers(in.linked + k) == broadcast(0);
    not_above = not_above | (is_free & ((zero > best_values) | (zero == best_values)));

    // For linked places the other side's linked ones weigh 0, and so do their cells.
    const Integers above =
        (free_values > zero) | ((free_values == zero) & (free_places < broadcast(in.first_linked)));
    const Integers of_linked = select(above, free_places, no_choice);

    // Where the best place of all is a free one, it is also the best free one, and weighs more as such.
    const auto [greater, equal] = compare_weighed(best_values, in.linked_weight, free_values, in.free_weight);
    const Integers of_free =
        select(greater | (equal & (best_places < free_places)), best_places, free_places);
    store(select(is_free, of_free, of_linked), choice + k);
  }
  return any(not_above);
}

void pair_up(const std::int32_t* choice, const std::int32_t* back, std::size_t size, std::int32_t* partner,
             std::int32_t* linked) {
  constexpr std::int32_t first[lanes] = {0, 1, 2, 3, 4, 5, 6, 7};
  Integers places = load_integers(first);
  for (std::size_t k = 0; k < size; k += lanes) {
    const Integers chosen = load_integers(choice + k);
    const Integers is_mutual = gather(back, chosen) == places;
    store(select(is_mutual, chosen, broadcast(no_place)), partner + k);
    store(load_integers(linked + k) | (is_mutual & broadcast(1)), linked + k);
    places = places + broadcast(static_cast<std::int32_t>(lanes));
  }
}

std::size_t select(const std::int32_t* values, const std::int32_t* keys, std::int32_t limit, std::size_t size,
                   std::int32_t* to) {
  const Integers limits = broadcast(limit);
  std::size_t count = 0;
  for (std::size_t k = 0; k < size; k += lanes) {
    count += store_some(load_integers(values + k), load_integers(keys + k) < limits, to + count);
  }
  return count;
}

float highest(const float* cells, std::size_t size) {
  Floats even = load_floats(cells);
  Floats odd = even;
  std::size_t j = lanes;
  for (; j + 2 * lanes <= size; j += 2 * lanes) {
    even = max(even, load_floats(cells + j));
    odd = max(odd, load_floats(cells + j + lanes));
  }
  if (j < size) odd = max(odd, load_floats(cells + j));
  float lane[lanes];
  store(max(even, odd), lane);
  float result = lane[0];
  for (const float one : lane) result = one > result ? one : result;
  return result;
}

void exponentials(const float* cells, std::size_t rows, std::size_t width, float shift, float* out,
                  float* row_sums, float* column_sums) {
  const Floats shifts = broadcast(shift);
  for (std::size_t i = 0; i < rows; ++i, cells += width, out += width) {
    Floats row_sum = broadcast(0.0F);
    for (std::size_t j = 0; j < width; j += lanes) {
      const Floats value = exponential(load_floats(cells + j) - shifts);
      store(value, out + j);
      row_sum = row_sum + value;
      store(load_floats(column_sums + j) + value, column_sums + j);
    }
    row_sums[i] = sum(row_sum);
  }
}

void hits(const float* by_row, const float* row_limits, const float* by_column, const float* column_limits,
          std::size_t rows, std::size_t width, std::uint64_t* bits) {
  constexpr std::size_t word = 64;
  for (std::size_t i = 0; i < rows; ++i, by_row += width, by_column += width) {
    const Floats row_limit = broadcast(row_limits[i]);
    for (std::size_t first = 0; first < width; first += word) {
      const std::size_t last = width - first < word ? width : first + word;
      std::uint64_t found = 0;
      for (std::size_t j = first; j < last; j += lanes) {
        const Integers hit = (load_floats(by_row + j) > row_limit) &
                             (load_floats(by_column + j) > load_floats(column_limits + j));
        found |= static_cast<std::uint64_t>(lane_bits(hit)) << (j - first);
      }
      *bits++ = found;
    }
  }
}

}  // namespace

const ExtractionKernels extraction_kernels{
    .copy = copy,
    .copy_crosswise = copy_crosswise,
    .transpose = transpose,
    .column_maxima = column_maxima,
    .choose = choose,
    .pair_up = pair_up,
    .select = select,
    .highest = highest,
    .exponentials = exponentials,
    .hits = hits,
};

}  // namespace xner::XNER_SIMD_LEVEL
