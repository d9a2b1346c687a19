// Positions in sentences. Indices count words from 0; every span is half-open.
#pragma once

#include <cstdint>

namespace xner {

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
