#include "xner/simd_level.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "xner/error.hpp"

#if defined(XNER_X86_LEVELS) && defined(_MSC_VER)
#include <intrin.h>
#endif

namespace xner {

namespace {

#if defined(XNER_X86_LEVELS)
bool has_avx2() {
#if defined(_MSC_VER)
  constexpr int kSaved = 1 << 27;                 // leaf 1, ECX: the system saves registers
  constexpr int kAvx = 1 << 28;                   // leaf 1, ECX
  constexpr int kAvx2 = 1 << 5;                   // leaf 7, EBX
  constexpr unsigned kWhich = 1U << 1 | 1U << 2;  // XCR0: the low and high halves of registers
  int registers[4];
  __cpuid(registers, 0);
  if (registers[0] < 7) return false;
  __cpuid(registers, 1);
  if ((registers[2] & kSaved) == 0 || (registers[2] & kAvx) == 0) return false;
  if ((_xgetbv(0) & kWhich) != kWhich) return false;
  __cpuidex(registers, 7, 0);
  return (registers[1] & kAvx2) != 0;
#else
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") != 0;
#endif
}
#endif

std::vector<SimdLevel> find_levels() {
  std::vector<SimdLevel> levels{SimdLevel::baseline};
#if defined(XNER_X86_LEVELS)
  if (has_avx2()) levels.push_back(SimdLevel::avx2);
#endif
  return levels;
}

SimdLevel choose_level() {
  const std::span<const SimdLevel> levels = simd_levels();
  const char* const wanted = std::getenv("XNER_SIMD");  // NOLINT(concurrency-mt-unsafe): nothing here sets it
  if (wanted == nullptr) return levels.back();
  const auto found = std::ranges::find(levels, std::string_view(wanted), name);
  if (found != levels.end()) return *found;
  std::string expected;
  for (const SimdLevel level : levels) {
    if (!expected.empty()) expected += ", ";
    expected.append(name(level));
  }
  throw Error("XNER_SIMD='" + std::string(wanted) + "': expected one that this CPU has: " + expected);
}

}  // namespace

std::string_view name(SimdLevel level) { return level == SimdLevel::avx2 ? "avx2" : "baseline"; }

std::span<const SimdLevel> simd_levels() {
  static const std::vector<SimdLevel> levels = find_levels();
  return levels;
}

SimdLevel simd_level() {
  static const SimdLevel level = choose_level();
  return level;
}

}  // namespace xner
