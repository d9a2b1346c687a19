// Ragged data: rows of different lengths stored one after the other.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace xner {

// A read-only view of `rows` lists. Invariants: offsets has rows + 1 entries, never decreases, and its last
// entry is at most values.size(). Row i holds values[offsets[i]] .. values[offsets[i + 1] - 1].
template <class T>
class RaggedView {
 public:
  RaggedView() = default;
  RaggedView(std::span<const std::int64_t> offsets, std::span<const T> values)
      : offsets_(offsets), values_(values) {
    assert(!offsets.empty());
  }

  [[nodiscard]] std::size_t size() const noexcept { return offsets_.empty() ? 0 : offsets_.size() - 1; }
  [[nodiscard]] std::span<const T> operator[](std::size_t row) const {
    const auto begin = static_cast<std::size_t>(offsets_[row]);
    const auto end = static_cast<std::size_t>(offsets_[row + 1]);
    return values_.subspan(begin, end - begin);
  }

 private:
  std::span<const std::int64_t> offsets_;
  std::span<const T> values_;
};

// The owning counterpart, built row by row.
template <class T>
struct Ragged {
  std::vector<std::int64_t> offsets{0};
  std::vector<T> values;

  void end_row() { offsets.push_back(static_cast<std::int64_t>(values.size())); }
  [[nodiscard]] std::size_t size() const noexcept { return offsets.size() - 1; }
  [[nodiscard]] RaggedView<T> view() const { return {offsets, values}; }
};

}  // namespace xner
