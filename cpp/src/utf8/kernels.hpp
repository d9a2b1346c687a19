// What is looked at of every text that comes from elsewhere, compiled once for each instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

namespace xner {

enum class SimdLevel;
enum class Utf8 : std::uint8_t { ascii, beyond_ascii, broken };

struct Utf8Kernels {
  // What `size` bytes are; `broken` are those that are no UTF-8.
  Utf8 (*kind)(const unsigned char* text, std::size_t size);

  // Whether one of `count` places is of a byte that continues a character.
  bool (*any_within)(const unsigned char* text, const std::int32_t* places, std::size_t count);
  bool (*any_within_wide)(const unsigned char* text, const std::int64_t* places, std::size_t count);
};

namespace baseline {
extern const Utf8Kernels utf8_kernels;
}
namespace avx2 {
extern const Utf8Kernels utf8_kernels;
}

const Utf8Kernels& utf8_kernels(SimdLevel level);

// Those for simd_level().
const Utf8Kernels& utf8_kernels();

}  // namespace xner
