#include "xner/simd_level.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "xner/error.hpp"

namespace xner {

namespace {

std::vector<SimdLevel> find_levels() {
  std::vector<SimdLevel> levels{SimdLevel::baseline};
#if defined(XNER_X86_LEVELS)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2")) levels.push_back(SimdLevel::avx2);
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
