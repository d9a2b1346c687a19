// Arrow arrays without the Arrow library: views of arrays handed over through the C data interface
// (https://arrow.apache.org/docs/format/CDataInterface.html) and arrays of our own to hand back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "xner/half.hpp"

// NOLINTBEGIN: names, macros and layout are the Arrow specification's.
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE
#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4
extern "C" {
struct ArrowSchema {
  const char* format;
  const char* name;
  const char* metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema** children;
  struct ArrowSchema* dictionary;
  void (*release)(struct ArrowSchema*);
  void* private_data;
};
struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void** buffers;
  struct ArrowArray** children;
  struct ArrowArray* dictionary;
  void (*release)(struct ArrowArray*);
  void* private_data;
};
}
#endif
// NOLINTEND

namespace xner::arrow {

// A type and the array of that type. Does not own either.
struct ArrayRef {
  const ArrowSchema* schema = nullptr;
  const ArrowArray* array = nullptr;

  [[nodiscard]] std::string_view format() const noexcept { return schema->format; }
  [[nodiscard]] bool is_struct() const noexcept { return format() == "+s"; }
  // The field of a struct array by name; an empty ArrayRef when there is none.
  [[nodiscard]] ArrayRef field(std::string_view name) const noexcept;
  explicit operator bool() const noexcept { return array != nullptr; }
};

// Checks all that the views below trust, in what an array shows (of a slice no more than its rows): offsets ascend and
// stay within their values, indices within their dictionary, nulls are as many as the bitmap says, nothing is missing.
// How long buffers are the interface does not tell; the last offset of strings is taken at its word.
//
// `what` is what errors call the array ("column 'tokens'"). With `texts`, strings are checked to be UTF-8 as well, each
// by itself. Returns false where the layout of a part is none of lists, structs, strings, numbers and dictionaries, of
// which nothing is known then. Throws xner::Error.
bool check_array(ArrayRef ref, std::string_view what, bool texts);

// Which rows are null. A view without a bitmap has no nulls.
class Validity {
 public:
  Validity() = default;
  explicit Validity(const ArrowArray& array)
      : bits_(array.null_count == 0 || array.n_buffers == 0
                  ? nullptr
                  : static_cast<const std::uint8_t*>(array.buffers[0])),
        offset_(array.offset) {}

  [[nodiscard]] bool is_null(std::int64_t row) const noexcept {
    if (bits_ == nullptr) return false;
    const auto bit = static_cast<std::uint64_t>(row + offset_);
    return (static_cast<std::uint64_t>(bits_[bit / 8]) >> (bit % 8) & 1U) == 0;
  }
  [[nodiscard]] bool any() const noexcept { return bits_ != nullptr; }

 private:
  const std::uint8_t* bits_ = nullptr;
  std::int64_t offset_ = 0;
};

// The offsets buffer of a list or string array, 32 or 64 bits wide, with the array's own offset applied.
class Offsets {
 public:
  Offsets() = default;
  Offsets(const void* buffer, std::int64_t first, bool wide)
      : narrow_(wide || buffer == nullptr ? nullptr : static_cast<const std::int32_t*>(buffer) + first),
        wide_(wide && buffer != nullptr ? static_cast<const std::int64_t*>(buffer) + first : nullptr) {}

  // An array of length 0 may come without a buffer; only index 0 is asked of it.
  [[nodiscard]] std::int64_t operator[](std::int64_t index) const noexcept {
    if (narrow_ != nullptr) return narrow_[index];
    return wide_ != nullptr ? wide_[index] : 0;
  }

 private:
  const std::int32_t* narrow_ = nullptr;
  const std::int64_t* wide_ = nullptr;
};

// A half-open range of rows of a list's child.
struct Range {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  [[nodiscard]] std::int64_t size() const noexcept { return end - begin; }
};

// list or large_list.
class ListColumn {
 public:
  ListColumn() = default;
  // `column` is what errors call it. Throws xner::Error when the type is not a list.
  ListColumn(ArrayRef ref, std::string_view column);

  [[nodiscard]] std::int64_t size() const noexcept { return size_; }
  [[nodiscard]] bool is_null(std::int64_t row) const noexcept { return validity_.is_null(row); }
  // The row's range in child(); empty for a null row, whatever the offsets say there.
  [[nodiscard]] Range row(std::int64_t row) const noexcept {
    if (validity_.is_null(row)) return {};
    return {offsets_[row], offsets_[row + 1]};
  }
  [[nodiscard]] ArrayRef child() const noexcept { return child_; }
  // One past the last child row that any list uses.
  [[nodiscard]] std::int64_t child_end() const noexcept { return offsets_[size_]; }
  [[nodiscard]] std::int64_t child_begin() const noexcept { return offsets_[0]; }

 private:
  std::int64_t size_ = 0;
  Validity validity_;
  Offsets offsets_;
  ArrayRef child_;
};

// utf8 or large_utf8, or a dictionary of them with int32 indices.
class StringColumn {
 public:
  StringColumn() = default;
  StringColumn(ArrayRef ref, std::string_view column, std::int64_t extra_offset = 0);

  [[nodiscard]] bool is_null(std::int64_t row) const noexcept { return validity_.is_null(row + extra_); }
  [[nodiscard]] std::string_view operator[](std::int64_t row) const noexcept {
    row += extra_;
    if (indices_ != nullptr) row = indices_[row];
    const std::int64_t begin = offsets_[row];
    return {data_ + begin, static_cast<std::size_t>(offsets_[row + 1] - begin)};
  }
  // The bytes of all strings in a range, one after the other; nothing where they do not lie so.
  [[nodiscard]] std::optional<std::string_view> joined(Range rows) const noexcept {
    if (indices_ != nullptr) return std::nullopt;
    const std::int64_t begin = offsets_[rows.begin + extra_];
    const std::int64_t end = offsets_[rows.end + extra_];
    return std::string_view(data_ + begin, static_cast<std::size_t>(end - begin));
  }
  // Length in bytes of a row's string, without touching the bytes.
  [[nodiscard]] std::int64_t bytes(std::int64_t row) const noexcept {
    row += extra_;
    if (indices_ != nullptr) row = indices_[row];
    return offsets_[row + 1] - offsets_[row];
  }

 private:
  Validity validity_;
  Offsets offsets_;
  const char* data_ = nullptr;
  const std::int32_t* indices_ = nullptr;
  std::int64_t extra_ = 0;
};

// int32, float32 or float16 values, borrowed.
template <class T>
class PrimitiveColumn {
 public:
  PrimitiveColumn() = default;
  PrimitiveColumn(ArrayRef ref, std::string_view column, std::int64_t extra_offset = 0);

  [[nodiscard]] bool is_null(std::int64_t row) const noexcept { return validity_.is_null(row + extra_); }
  [[nodiscard]] bool has_nulls() const noexcept { return validity_.any(); }
  [[nodiscard]] const T* data() const noexcept { return data_; }
  [[nodiscard]] T operator[](std::int64_t row) const noexcept { return data_[row]; }

 private:
  Validity validity_;
  const T* data_ = nullptr;
  std::int64_t extra_ = 0;
};

using Int32Column = PrimitiveColumn<std::int32_t>;
using FloatColumn = PrimitiveColumn<float>;
using HalfColumn = PrimitiveColumn<Half>;

// Memory that is not cleared when it is taken.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t bytes)
      : data_(std::make_unique_for_overwrite<std::byte[]>(bytes)), bytes_(bytes) {}

  template <class T>
  static Buffer of(const std::vector<T>& values) {
    Buffer buffer(values.size() * sizeof(T));
    if (!values.empty()) std::memcpy(buffer.data_.get(), values.data(), buffer.bytes_);
    return buffer;
  }
  template <class T>
  [[nodiscard]] T* as() noexcept {
    return reinterpret_cast<T*>(data_.get());
  }
  [[nodiscard]] const void* get() const noexcept { return data_.get(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  std::unique_ptr<std::byte[]> data_;
  std::size_t bytes_ = 0;
};

// An array of our own, to be handed over. `buffers` follow the Arrow layout of `format`; an empty Buffer at
// position 0 means no nulls.
struct OwnedArray {
  std::string format;
  std::string name;
  std::int64_t length = 0;
  std::vector<Buffer> buffers;
  std::vector<OwnedArray> children;
  std::unique_ptr<OwnedArray> dictionary;
  bool nullable = true;
};

OwnedArray make_primitive(std::string name, std::string format, std::int64_t length, Buffer values);
OwnedArray make_string(std::string name, std::int64_t length, Buffer offsets, Buffer data);
OwnedArray make_list(std::string name, std::int64_t length, Buffer offsets, OwnedArray child);
OwnedArray make_struct(std::string name, std::int64_t length, std::vector<OwnedArray> children);

// Moves `owned` behind the two C structs; whoever holds them calls their release functions.
void export_array(OwnedArray owned, ArrowSchema* schema, ArrowArray* array);

}  // namespace xner::arrow
