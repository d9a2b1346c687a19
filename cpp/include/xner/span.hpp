// Positions in sentences. Indices count words from 0; every span is half-open.
#pragma once

#include <cstdint>

namespace xner {

// No sentence has more words where its length is not known. Memory is taken by the largest index, so one that
// is out of all proportion must not get through.
inline constexpr std::int32_t longest_sentence = 1'048'576;

// The words start, start + 1, ..., end - 1.
struct Span {
  std::int32_t start = 0;
  std::int32_t end = 0;

  [[nodiscard]] constexpr std::int32_t length() const noexcept { return end - start; }
  [[nodiscard]] constexpr bool contains(std::int32_t word) const noexcept {
    return start <= word && word < end;
  }
  [[nodiscard]] constexpr bool overlaps(Span other) const noexcept {
    return start < other.end && other.start < end;
  }
  friend constexpr bool operator==(Span, Span) = default;
  friend constexpr auto operator<=>(Span, Span) = default;
};

}  // namespace xner
