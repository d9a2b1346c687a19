// float16 (IEEE 754 binary16), which C++20 has no type for.
#pragma once

#include <bit>
#include <cstdint>

namespace xner {

// A float16 as it is stored.
struct Half {
  std::uint16_t bits = 0;

  // Normal numbers need another exponent bias, infinity and NaN twice that. A subnormal number is a multiple
  // of 2^-24: its digits become the last ones of a float of 2^-14, which is then taken away. (Multiplying a
  // subnormal float would be shorter, but depends on whether the calling thread flushes those to zero.)
  explicit operator float() const noexcept {
    constexpr std::uint32_t bias = 112U << 23U;
    constexpr std::uint32_t least_normal = 113U << 23U;  // 2^-14
    const std::uint32_t exponent = bits & 0x7C00U;
    const std::uint32_t magnitude = (bits & 0x7FFFU) << 13U;
    const float subnormal =
        std::bit_cast<float>(magnitude + least_normal) - std::bit_cast<float>(least_normal);
    const std::uint32_t normal = magnitude + (exponent == 0x7C00U ? 2 * bias : bias);
    const std::uint32_t unsigned_bits = exponent == 0 ? std::bit_cast<std::uint32_t>(subnormal) : normal;
    return std::bit_cast<float>(unsigned_bits | (bits & 0x8000U) << 16U);
  }
};

}  // namespace xner
