// Exponentials and logarithms of additions, multiplications and divisions alone. Those of C libraries differ in their last
// bits, and with them models and links would from system to system.
#pragma once

#include <bit>
#include <cstdint>
#include <numbers>

namespace xner::aligner {

namespace elementary {

// ln 2; the last bits of the high part are 0, so that it is exact times an exponent.
inline constexpr double kLn2High = 0x1.62e42fee00000p-1;
inline constexpr double kLn2Low = 0x1.a39ef35793c76p-33;

// e^x for x <= 709, by so many terms of the series; 0 where that would be below the least normal number.
template <int terms>
double exponential(double x) {
  constexpr double kRound = 0x1.8p52;  // what is added to it loses its fraction
  if (!(x >= -708.0)) return 0.0;
  const double shifted = x * std::numbers::log2e + kRound;
  const double exponent = shifted - kRound;
  const double r = (x - exponent * kLn2High) - exponent * kLn2Low;  // within ln 2 / 2 of 0
  double power = 1.0;
  for (int k = terms; k > 0; --k) power = 1.0 + r * (1.0 / k) * power;
  return power * std::bit_cast<double>((std::bit_cast<std::uint64_t>(shifted) + 1023U) << 52U);
}

// ln x for normal x > 0, by so many terms of the series of the inverse hyperbolic tangent.
template <int terms>
double logarithm(double x) {
  constexpr std::uint64_t kHalfRoot =
      0x3fe6a09e667f3bcdU;  // the square root of 1/2: mantissas are from it to that of 2
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const std::int64_t exponent = static_cast<std::int64_t>(bits - kHalfRoot) >> 52;
  const auto mantissa = std::bit_cast<double>(bits - (static_cast<std::uint64_t>(exponent) << 52U));
  const double s = (mantissa - 1.0) / (mantissa + 1.0);
  const double s2 = s * s;
  double rest = 0.0;  // all terms but the first
  for (int k = 2 * terms - 1; k > 1; k -= 2) rest = s2 * (1.0 / k + rest);
  const auto times = static_cast<double>(exponent);
  return times * kLn2High + (2.0 * s + (2.0 * s * rest + times * kLn2Low));
}

}  // namespace elementary

// e^x for x <= 709 and ln x for normal x > 0; within 3 units in the last place where it is near 0, 2 elsewhere.
inline double exponential(double x) { return elementary::exponential<13>(x); }
inline double logarithm(double x) { return elementary::logarithm<12>(x); }

// The same in single precision, within one unit.
inline float exponential(float x) { return static_cast<float>(elementary::exponential<8>(x)); }
inline float logarithm(float x) { return static_cast<float>(elementary::logarithm<6>(x)); }

// x^y for x >= 0 and y >= 0.
inline double power(double x, double y) {
  if (x > 0.0) return exponential(y * logarithm(x));
  return y > 0.0 ? 0.0 : 1.0;
}

}  // namespace xner::aligner
