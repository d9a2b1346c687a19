// Values out of a fuzzer's bytes, and Arrow arrays that break Arrow's rules as far as their buffers' sizes allow.
#pragma once

#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include "xner/arrow.hpp"
#include "xner/error.hpp"

namespace xner::fuzz {

class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) : provider_(data, size) {}

  [[nodiscard]] bool any() { return provider_.remaining_bytes() > 0; }
  template <class T>
  T number(T least, T most) {
    return provider_.ConsumeIntegralInRange<T>(least, most);
  }
  std::size_t size(std::size_t most) { return number<std::size_t>(0, most); }
  bool yes() { return provider_.ConsumeBool(); }
  template <class Enum>
  Enum one_of(int count) {
    return static_cast<Enum>(number<int>(0, count - 1));
  }
  // Any bits of four bytes: infinities, nans and all.
  float bits() {
    const auto word = provider_.ConsumeIntegral<std::uint32_t>();
    float value = 0;
    std::memcpy(&value, &word, sizeof(value));
    return value;
  }
  // Of a few sizes, so that there are ties.
  float plain() { return static_cast<float>(number<int>(-4, 16)) / 8; }
  float score() { return number<int>(0, 15) == 0 ? bits() : plain(); }
  std::string text(std::size_t most) { return provider_.ConsumeRandomLengthString(most); }
  // Near 0 most of the time.
  std::int32_t index(std::int32_t most) {
    return number<int>(0, 31) == 0 ? provider_.ConsumeIntegral<std::int32_t>()
                                   : number<std::int32_t>(0, most);
  }

 private:
  FuzzedDataProvider provider_;
};

// Offsets of `rows` rows over `values` values: sound ones, of which some are then changed.
inline std::vector<std::int32_t> offsets(Bytes& bytes, std::size_t rows, std::size_t values) {
  std::vector<std::int32_t> result(rows + 1);
  for (std::int32_t& offset : result)
    offset = bytes.number<std::int32_t>(0, static_cast<std::int32_t>(values));
  std::ranges::sort(result);
  if (bytes.yes()) result[bytes.size(rows)] = bytes.index(static_cast<std::int32_t>(values));
  return result;
}

// A bitmap, or none.
inline void add_nulls(Bytes& bytes, arrow::OwnedArray& array) {
  if (!bytes.yes()) return;
  std::vector<std::uint8_t> bits(static_cast<std::size_t>(array.length + 7) / 8 + 1);
  for (std::uint8_t& eight : bits) eight = static_cast<std::uint8_t>(~(1U << bytes.size(15)));
  array.buffers.front() = arrow::Buffer::of(bits);
}

inline arrow::OwnedArray numbers(Bytes& bytes, std::string name, std::size_t size) {
  std::vector<std::int32_t> values(size);
  for (std::int32_t& value : values) value = bytes.index(6);
  auto array =
      arrow::make_primitive(std::move(name), "i", static_cast<std::int64_t>(size), arrow::Buffer::of(values));
  add_nulls(bytes, array);
  return array;
}

inline arrow::OwnedArray scores(Bytes& bytes, std::string name, std::size_t size) {
  std::vector<float> values(size);
  for (float& value : values) value = bytes.score();
  auto array =
      arrow::make_primitive(std::move(name), "f", static_cast<std::int64_t>(size), arrow::Buffer::of(values));
  add_nulls(bytes, array);
  return array;
}

// The data are as long as the last offset says: the interface does not tell, and pyarrow has looked.
inline arrow::OwnedArray texts(Bytes& bytes, std::string name, std::size_t size) {
  std::vector<std::int32_t> ends = offsets(bytes, size, 4 * size);
  ends.back() = std::clamp<std::int32_t>(ends.back(), -1, 1 << 12);
  std::vector<char> data(static_cast<std::size_t>(std::max(0, ends.back())), 'a');
  const std::string some = bytes.text(data.size());
  std::ranges::copy(some, data.begin());
  auto array = arrow::make_string(std::move(name), static_cast<std::int64_t>(size), arrow::Buffer::of(ends),
                                  arrow::Buffer::of(data));
  add_nulls(bytes, array);
  return array;
}

inline arrow::OwnedArray lists(Bytes& bytes, std::string name, std::size_t rows, arrow::OwnedArray values) {
  const std::vector<std::int32_t> ends = offsets(bytes, rows, static_cast<std::size_t>(values.length));
  auto array = arrow::make_list(std::move(name), static_cast<std::int64_t>(rows), arrow::Buffer::of(ends),
                                std::move(values));
  add_nulls(bytes, array);
  return array;
}

inline arrow::OwnedArray records(Bytes& bytes, std::size_t size, std::vector<arrow::OwnedArray> fields) {
  auto array = arrow::make_struct("item", static_cast<std::int64_t>(size), std::move(fields));
  add_nulls(bytes, array);
  return array;
}

// Handed over as other libraries do, and let go of at the end of the scope.
class Handed {
 public:
  explicit Handed(arrow::OwnedArray owned) { arrow::export_array(std::move(owned), &schema_, &array_); }
  Handed(const Handed&) = delete;
  Handed& operator=(const Handed&) = delete;
  Handed(Handed&&) = delete;
  Handed& operator=(Handed&&) = delete;
  ~Handed() {
    schema_.release(&schema_);
    array_.release(&array_);
  }
  [[nodiscard]] arrow::ArrayRef ref() const { return {&schema_, &array_}; }

 private:
  ArrowSchema schema_{};
  ArrowArray array_{};
};

// What must hold whatever the input.
inline void require(bool holds, const std::source_location& where = std::source_location::current()) {
  if (holds) return;
  std::fprintf(stderr, "%s:%u does not hold\n", where.file_name(), static_cast<unsigned>(where.line()));
  std::abort();
}

}  // namespace xner::fuzz
