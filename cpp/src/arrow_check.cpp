#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "utf8/kernels.hpp"
#include "xner/arrow.hpp"
#include "xner/error.hpp"

namespace xner::arrow {

namespace {

// Rows of an array that are shown, counted from its buffers' first.
struct Shown {
  std::int64_t first = 0;
  std::int64_t count = 0;
  [[nodiscard]] std::int64_t end() const noexcept { return first + count; }
};

[[noreturn]] void throw_damaged(std::string_view what, const std::string& reason) {
  throw Error(std::string(what) + " is damaged: " + reason);
}

// An array's buffer of at least one value, without which its rows cannot be read.
const void* require_buffer(const ArrowArray& array, std::int64_t index, std::string_view what) {
  if (array.n_buffers <= index || array.buffers[index] == nullptr) throw_damaged(what, "a buffer is missing");
  return array.buffers[index];
}

void check_null_count(const ArrowArray& array, std::string_view what) {
  if (array.n_buffers == 0 || array.buffers[0] == nullptr) {
    if (array.null_count > 0) throw_damaged(what, "it counts nulls and has no bitmap of them");
    return;
  }
  if (array.null_count < 0) return;
  const auto* bits = static_cast<const std::uint8_t*>(array.buffers[0]);
  std::int64_t valid = 0;
  std::int64_t row = array.offset;
  const std::int64_t end = array.offset + array.length;
  const auto one = [bits](std::int64_t at) {
    const auto bit = static_cast<std::uint64_t>(at);
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(bits[bit / 8]) >> (bit % 8) & 1U);
  };
  for (; row < end && row % 8 != 0; ++row) valid += one(row);
  for (; row + 64 <= end; row += 64) {
    std::uint64_t word = 0;
    std::memcpy(&word, bits + row / 8, sizeof(word));
    valid += std::popcount(word);
  }
  for (; row < end; ++row) valid += one(row);
  if (array.length - valid != array.null_count) {
    throw_damaged(what, "it has " + std::to_string(array.length - valid) + " nulls and counts " +
                            std::to_string(array.null_count));
  }
}

// Whether offsets descend or are below 0. Of two numbers from 0 on, the difference has the sign bit where the second is
// less, whatever it is; one pass without a way out takes several at a time.
template <class Offset>
bool descends(const Offset* offsets, std::int64_t rows) {
  using Bits = std::make_unsigned_t<Offset>;
  auto signs = static_cast<Bits>(offsets[0]);
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto begin = static_cast<Bits>(offsets[row]);
    const auto end = static_cast<Bits>(offsets[row + 1]);
    signs |= end | (end - begin);
  }
  return static_cast<Offset>(signs) < 0;
}

template <class Offset>
Shown checked_range(const Offset* offsets, Shown shown, std::int64_t most, std::string_view what) {
  offsets += shown.first;
  if (descends(offsets, shown.count)) {
    if (offsets[0] < 0) throw_damaged(what, "row 0 begins at " + std::to_string(offsets[0]));
    std::int64_t row = 0;
    while (offsets[row + 1] >= offsets[row]) ++row;
    throw_damaged(what, "row " + std::to_string(row) + " begins at " + std::to_string(offsets[row]) +
                            " and ends before, at " + std::to_string(offsets[row + 1]));
  }
  const Shown range{offsets[0], offsets[shown.count] - offsets[0]};
  if (range.end() > most) {
    throw_damaged(what, "rows are at " + std::to_string(range.first) + " to " + std::to_string(range.end()) +
                            " of " + std::to_string(most) + " values");
  }
  return range;
}

// What the shown rows of lists or texts take of `most` values.
Shown range_of(const ArrowArray& array, bool wide, Shown shown, std::int64_t most, std::string_view what) {
  if (shown.count == 0) return {};
  const void* offsets = require_buffer(array, 1, what);
  return wide ? checked_range(static_cast<const std::int64_t*>(offsets), shown, most, what)
              : checked_range(static_cast<const std::int32_t*>(offsets), shown, most, what);
}

bool any_within(const unsigned char* data, const std::int32_t* places, std::int64_t count) {
  return utf8_kernels().any_within(data, places, static_cast<std::size_t>(count));
}
bool any_within(const unsigned char* data, const std::int64_t* places, std::int64_t count) {
  return utf8_kernels().any_within_wide(data, places, static_cast<std::size_t>(count));
}

// Whether each text is UTF-8: whether all of them one after the other are, and none begins inside of a character.
template <class Offset>
bool are_utf8(const unsigned char* data, const Offset* offsets, std::int64_t rows) {
  const Offset begin = offsets[0];
  const Offset end = offsets[rows];
  if (begin == end) return true;
  const Utf8 kind = utf8_kernels().kind(data + begin, static_cast<std::size_t>(end - begin));
  if (kind != Utf8::beyond_ascii) return kind == Utf8::ascii;
  while (offsets[rows - 1] == end) --rows;  // empty ones at the end begin at no byte
  return !any_within(data, offsets, rows);
}

// Whether all is right with texts and their offsets. So many rows at a time that what they take is read once from afar.
template <class Offset>
bool are_texts(const ArrowArray& array, Shown shown, std::int64_t most) {
  constexpr std::int64_t rows_at_once = 1024;
  const auto* data = static_cast<const unsigned char*>(array.buffers[2]);
  const auto* offsets = static_cast<const Offset*>(array.buffers[1]);
  for (std::int64_t row = shown.first; row < shown.end(); row += rows_at_once) {
    const std::int64_t rows = std::min(rows_at_once, shown.end() - row);
    if (descends(offsets + row, rows) || offsets[row + rows] > most || !are_utf8(data, offsets + row, rows))
      return false;
  }
  return true;
}

template <class Index>
bool check_indices(const void* buffer, const ArrowArray& array, Shown shown, std::int64_t entries,
                   std::string_view what) {
  const auto* indices = static_cast<const Index*>(buffer);
  const Validity validity(array);
  for (std::int64_t row = shown.first; row < shown.end(); ++row) {
    const auto index = indices[row];
    const bool outside = std::cmp_less(index, 0) || std::cmp_greater_equal(index, entries);
    if (outside && !validity.is_null(row - array.offset)) {
      throw_damaged(what,
                    "index " + std::to_string(index) + " of a dictionary of " + std::to_string(entries));
    }
  }
  return true;
}

class Check {
 public:
  Check(std::string_view what, bool texts) : what_(what), texts_(texts) {}

  // Whether the layout is known.
  bool operator()(ArrayRef ref, Shown shown) const {
    const ArrowArray& array = *ref.array;
    if (array.length < 0 || array.offset < 0 || shown.end() > array.length) {
      throw_damaged(what_, "it has fewer rows than it is to have");
    }
    shown.first += array.offset;
    const std::string_view format = ref.format();
    if (ref.schema->dictionary != nullptr) return check_dictionary(ref, shown);
    if (format == "n") return true;
    if (format == "u" || format == "U") return check_strings(array, format == "U", shown);
    if (format == "+l" || format == "+L") {
      check_null_count(array, what_);
      const ArrayRef values = child(ref, 0);
      return (*this)(values, range_of(array, format == "+L", shown, values.array->length, what_));
    }
    if (format == "+s") {
      check_null_count(array, what_);
      bool known = true;
      for (std::int64_t i = 0; i < ref.schema->n_children; ++i)
        known = (*this)(child(ref, i), shown) && known;
      return known;
    }
    if (format.starts_with("+w:")) {
      check_null_count(array, what_);
      const std::int64_t size = std::strtoll(ref.schema->format + 3, nullptr, 10);
      return (*this)(child(ref, 0), {shown.first * size, shown.count * size});
    }
    constexpr std::string_view numbers_and_booleans = "cCsSiIlLefgb";
    if (format.size() != 1 || numbers_and_booleans.find(format) == std::string_view::npos) return false;
    check_null_count(array, what_);
    if (shown.count > 0) require_buffer(array, 1, what_);
    return true;
  }

 private:
  [[nodiscard]] ArrayRef child(ArrayRef parent, std::int64_t index) const {
    if (parent.array->n_children <= index || parent.schema->n_children <= index) {
      throw_damaged(what_, "the array of its values is missing");
    }
    return {parent.schema->children[index], parent.array->children[index]};
  }

  // The interface does not tell the size of the data; what the whole array takes of them is what there is.
  [[nodiscard]] bool check_strings(const ArrowArray& array, bool wide, Shown shown) const {
    check_null_count(array, what_);
    if (shown.count == 0) return true;
    const void* offsets = require_buffer(array, 1, what_);
    const std::int64_t most = Offsets(offsets, array.offset, wide)[array.length];
    const bool has_data = array.n_buffers > 2 && array.buffers[2] != nullptr;
    if (texts_ && has_data && (wide ? are_texts<std::int64_t> : are_texts<std::int32_t>)(array, shown, most))
      return true;
    const Shown bytes = range_of(array, wide, shown, most, what_);
    if (bytes.count == 0) return true;
    require_buffer(array, 2, what_);
    if (texts_) throw_damaged(what_, "it has bytes that are not UTF-8");
    return true;
  }

  [[nodiscard]] bool check_dictionary(ArrayRef ref, Shown shown) const {
    const ArrowArray& array = *ref.array;
    if (array.dictionary == nullptr) throw_damaged(what_, "its dictionary is missing");
    const std::int64_t entries = array.dictionary->length;
    if (!(*this)({ref.schema->dictionary, array.dictionary}, {0, entries})) return false;
    check_null_count(array, what_);
    if (shown.count == 0) return true;
    const void* indices = require_buffer(array, 1, what_);
    switch (ref.format().front()) {
      case 'c':
        return check_indices<std::int8_t>(indices, array, shown, entries, what_);
      case 's':
        return check_indices<std::int16_t>(indices, array, shown, entries, what_);
      case 'i':
        return check_indices<std::int32_t>(indices, array, shown, entries, what_);
      case 'l':
        return check_indices<std::int64_t>(indices, array, shown, entries, what_);
      default:
        return false;
    }
  }

  std::string_view what_;
  bool texts_;
};

}  // namespace

bool check_array(ArrayRef ref, std::string_view what, bool texts) {
  return Check(what, texts)(ref, {0, ref.array->length});
}

}  // namespace xner::arrow
