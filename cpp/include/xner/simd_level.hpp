// Which instruction set the vector loops run with. The results are the same for all.
#pragma once

#include <span>
#include <string_view>

namespace xner {

// baseline: what every CPU of the build's architecture has. avx2: x86-64 only.
enum class SimdLevel { baseline, avx2 };

std::string_view name(SimdLevel level);

// What this build and this CPU both have, lowest first.
std::span<const SimdLevel> simd_levels();

// The level in use: the highest one of simd_levels(), or the one the environment variable XNER_SIMD names,
// which is read once. Throws Error when that is none of them.
SimdLevel simd_level();

}  // namespace xner
