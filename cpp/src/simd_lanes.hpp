// Eight floats at a time, for sources that CMakeLists.txt compiles once for each instruction set.
//
// Eight floats are one register of eight, two of four or, where the compiler has no vector types, plain
// floats; what is computed of them is the same, bit for bit. All names are in a namespace of the instruction
// set, and such sources use nothing of the standard library but types: of an inline function with one name
// that several objects define the linker keeps any one, so a CPU could be given instructions that it does not
// have.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#ifndef XNER_SIMD_LEVEL
#error "XNER_SIMD_LEVEL: the instruction set's name, see CMakeLists.txt"
#endif

namespace xner::XNER_SIMD_LEVEL {

inline constexpr std::size_t lanes = 8;

#if defined(__AVX__)
inline constexpr std::size_t register_lanes = 8;
#elif defined(__GNUC__)
inline constexpr std::size_t register_lanes = 4;
#else
inline constexpr std::size_t register_lanes = 1;
#endif

#if defined(__GNUC__)
using FloatRegister [[gnu::vector_size(register_lanes * sizeof(float))]] = float;
using IntegerRegister [[gnu::vector_size(register_lanes * sizeof(float))]] = std::int32_t;
// Registers in memory, which need not be aligned and may be of any type.
using FloatsInMemory [[gnu::vector_size(register_lanes * sizeof(float)), gnu::aligned(1), gnu::may_alias]] =
    float;
using IntegersInMemory [[gnu::vector_size(register_lanes * sizeof(float)), gnu::aligned(1), gnu::may_alias]] =
    std::int32_t;
#else
using FloatRegister = float;
using IntegerRegister = std::int32_t;
using FloatsInMemory = float;
using IntegersInMemory = std::int32_t;
#endif

inline constexpr std::size_t registers = lanes / register_lanes;

template <class To, class From>
To reinterpret_bits(const From& from) {
#if defined(__GNUC__)
  return reinterpret_cast<To>(from);
#else
  To to;
  std::memcpy(&to, &from, sizeof(to));
  return to;
#endif
}

struct Floats {
  FloatRegister part[registers];
};

// Also the result of comparisons: all bits of a lane are 1 where it is true, else 0.
struct Integers {
  IntegerRegister part[registers];
};

inline Floats load_floats(const void* from) {
  Floats result;
  for (std::size_t p = 0; p < registers; ++p) result.part[p] = static_cast<const FloatsInMemory*>(from)[p];
  return result;
}

inline Integers load_integers(const void* from) {
  Integers result;
  for (std::size_t p = 0; p < registers; ++p) result.part[p] = static_cast<const IntegersInMemory*>(from)[p];
  return result;
}

inline void store(const Floats& value, void* to) {
  for (std::size_t p = 0; p < registers; ++p) static_cast<FloatsInMemory*>(to)[p] = value.part[p];
}

inline void store(const Integers& value, void* to) {
  for (std::size_t p = 0; p < registers; ++p) static_cast<IntegersInMemory*>(to)[p] = value.part[p];
}

inline Floats broadcast(float value) {
  Floats result;
  for (auto& part : result.part) part = value - FloatRegister{};
  return result;
}

inline Integers broadcast(std::int32_t value) {
  Integers result;
  for (auto& part : result.part) part = value - IntegerRegister{};
  return result;
}

// `operation` of every register.
template <class Result, class Operation, class... Values>
inline Result map(const Operation& operation, const Values&... values) {
  Result result;
  for (std::size_t p = 0; p < registers; ++p) result.part[p] = operation(values.part[p]...);
  return result;
}

inline Floats operator+(const Floats& a, const Floats& b) {
  return map<Floats>([](const FloatRegister& x, const FloatRegister& y) { return x + y; }, a, b);
}

inline Floats operator-(const Floats& a, const Floats& b) {
  return map<Floats>([](const FloatRegister& x, const FloatRegister& y) { return x - y; }, a, b);
}

inline Floats operator*(const Floats& a, const Floats& b) {
  return map<Floats>([](const FloatRegister& x, const FloatRegister& y) { return x * y; }, a, b);
}

// The higher one of each lane; none is NaN.
inline Floats max(const Floats& a, const Floats& b) {
  return map<Floats>([](const FloatRegister& x, const FloatRegister& y) { return x > y ? x : y; }, a, b);
}

inline Integers operator>(const Floats& a, const Floats& b) {
  return map<Integers>(
      [](const FloatRegister& x, const FloatRegister& y) {
        if constexpr (register_lanes == 1) {
          return -IntegerRegister{x > y};
        } else {
          return x > y;
        }
      },
      a, b);
}

inline Integers operator==(const Floats& a, const Floats& b) {
  return map<Integers>(
      [](const FloatRegister& x, const FloatRegister& y) {
        if constexpr (register_lanes == 1) {
          return -IntegerRegister{x == y};
        } else {
          return x == y;
        }
      },
      a, b);
}

inline Integers operator==(const Integers& a, const Integers& b) {
  return map<Integers>(
      [](const IntegerRegister& x, const IntegerRegister& y) {
        if constexpr (register_lanes == 1) {
          return -IntegerRegister{x == y};
        } else {
          return x == y;
        }
      },
      a, b);
}

inline Integers operator<(const Integers& a, const Integers& b) {
  return map<Integers>(
      [](const IntegerRegister& x, const IntegerRegister& y) {
        if constexpr (register_lanes == 1) {
          return -IntegerRegister{x < y};
        } else {
          return x < y;
        }
      },
      a, b);
}

inline Integers operator+(const Integers& a, const Integers& b) {
  return map<Integers>([](const IntegerRegister& x, const IntegerRegister& y) { return x + y; }, a, b);
}

inline Integers operator<<(const Integers& a, int bits) {
  return map<Integers>([bits](const IntegerRegister& x) { return x << bits; }, a);
}

inline Integers operator&(const Integers& a, const Integers& b) {
  return map<Integers>([](const IntegerRegister& x, const IntegerRegister& y) { return x & y; }, a, b);
}

inline Integers operator|(const Integers& a, const Integers& b) {
  return map<Integers>([](const IntegerRegister& x, const IntegerRegister& y) { return x | y; }, a, b);
}

// `yes` in the lanes where `condition` holds, else `no`.
inline Integers select(const Integers& condition, const Integers& yes, const Integers& no) {
  return map<Integers>(
      [](const IntegerRegister& c, const IntegerRegister& x, const IntegerRegister& y) { return c ? x : y; },
      condition, yes, no);
}

// The bits of the lanes as the other type's.
inline Integers bits_of(const Floats& value) {
  return map<Integers>([](const FloatRegister& x) { return reinterpret_bits<IntegerRegister>(x); }, value);
}

inline Floats from_bits(const Integers& value) {
  return map<Floats>([](const IntegerRegister& x) { return reinterpret_bits<FloatRegister>(x); }, value);
}

// The sum of the lanes, always in the same order.
inline float sum(const Floats& value) {
  float lane[lanes];
  store(value, lane);
  return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

struct FourRows {
  Floats row0;
  Floats row1;
  Floats row2;
  Floats row3;
};

// The columns of eight rows of four cells, `stride` bytes apart.
inline FourRows transpose(const std::byte* from, std::ptrdiff_t stride) {
#if defined(__GNUC__)
  // Rows k and k + 4 side by side: two matrices of 4 x 4, whose rows become columns in two steps.
#if defined(__AVX__)
  const auto load_pair = [&](std::ptrdiff_t k) {
    const __m128 low = _mm_loadu_ps(reinterpret_cast<const float*>(from + k * stride));
    const __m128 high = _mm_loadu_ps(reinterpret_cast<const float*>(from + (k + 4) * stride));
    return Floats{{_mm256_insertf128_ps(_mm256_castps128_ps256(low), high, 1)}};
  };
  constexpr auto low = [](const FloatRegister& a, const FloatRegister& b) {
    return __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13);
  };
  constexpr auto high = [](const FloatRegister& a, const FloatRegister& b) {
    return __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15);
  };
#else
  const auto load_pair = [&](std::ptrdiff_t k) {
    return Floats{{*reinterpret_cast<const FloatsInMemory*>(from + k * stride),
                   *reinterpret_cast<const FloatsInMemory*>(from + (k + 4) * stride)}};
  };
  constexpr auto low = [](const FloatRegister& a, const FloatRegister& b) {
    return __builtin_shufflevector(a, b, 0, 4, 1, 5);
  };
  constexpr auto high = [](const FloatRegister& a, const FloatRegister& b) {
    return __builtin_shufflevector(a, b, 2, 6, 3, 7);
  };
#endif
  const Floats row0 = load_pair(0);
  const Floats row1 = load_pair(1);
  const Floats row2 = load_pair(2);
  const Floats row3 = load_pair(3);
  const Floats even_low = map<Floats>(low, row0, row2);
  const Floats even_high = map<Floats>(high, row0, row2);
  const Floats odd_low = map<Floats>(low, row1, row3);
  const Floats odd_high = map<Floats>(high, row1, row3);
  return {map<Floats>(low, even_low, odd_low), map<Floats>(high, even_low, odd_low),
          map<Floats>(low, even_high, odd_high), map<Floats>(high, even_high, odd_high)};
#else
  FourRows result;
  for (std::size_t i = 0; i < lanes; ++i, from += stride) {
    std::memcpy(&result.row0.part[i], from, sizeof(float));
    std::memcpy(&result.row1.part[i], from + sizeof(float), sizeof(float));
    std::memcpy(&result.row2.part[i], from + 2 * sizeof(float), sizeof(float));
    std::memcpy(&result.row3.part[i], from + 3 * sizeof(float), sizeof(float));
  }
  return result;
#endif
}

// Whether any bit of any lane is 1.
inline bool any(const Integers& value) {
  std::int32_t lane[lanes];
  store(value, lane);
  std::int32_t bits = 0;
  for (const std::int32_t one : lane) bits |= one;
  return bits != 0;
}

// Lane k of a condition as bit k.
inline std::uint32_t lane_bits(const Integers& condition) {
#if defined(__AVX__)
  return static_cast<std::uint32_t>(_mm256_movemask_ps(reinterpret_cast<__m256>(condition.part[0])));
#elif defined(__SSE2__)
  return static_cast<std::uint32_t>(_mm_movemask_ps(reinterpret_cast<__m128>(condition.part[0])) |
                                    _mm_movemask_ps(reinterpret_cast<__m128>(condition.part[1])) << 4);
#else
  std::int32_t lane[lanes];
  store(condition, lane);
  std::uint32_t bits = 0;
  for (std::size_t k = 0; k < lanes; ++k) bits |= static_cast<std::uint32_t>(lane[k] & 1) << k;
  return bits;
#endif
}

// How x * x_weight compares with y * y_weight in double precision.
struct Comparison {
  Integers greater;
  Integers equal;
};

inline Comparison compare_weighed(const Floats& x, double x_weight, const Floats& y, double y_weight) {
#if defined(__AVX2__)
  const auto weigh = [](__m128 half, double weight) {
    return _mm256_mul_pd(_mm256_cvtps_pd(half), _mm256_set1_pd(weight));
  };
  const auto low = [](const Floats& value) {
    return _mm256_castps256_ps128(reinterpret_cast<__m256>(value.part[0]));
  };
  const auto high = [](const Floats& value) {
    return _mm256_extractf128_ps(reinterpret_cast<__m256>(value.part[0]), 1);
  };
  const __m256d x_low = weigh(low(x), x_weight);
  const __m256d x_high = weigh(high(x), x_weight);
  const __m256d y_low = weigh(low(y), y_weight);
  const __m256d y_high = weigh(high(y), y_weight);
  // Half of each lane's 64 bits, back in order.
  const auto narrow = [](__m256d first, __m256d second) {
    const __m256 mixed = _mm256_shuffle_ps(_mm256_castpd_ps(first), _mm256_castpd_ps(second), 0x88);
    return Integers{
        {reinterpret_cast<IntegerRegister>(_mm256_permute4x64_epi64(_mm256_castps_si256(mixed), 0xD8))}};
  };
  return {narrow(_mm256_cmp_pd(x_low, y_low, _CMP_GT_OQ), _mm256_cmp_pd(x_high, y_high, _CMP_GT_OQ)),
          narrow(_mm256_cmp_pd(x_low, y_low, _CMP_EQ_OQ), _mm256_cmp_pd(x_high, y_high, _CMP_EQ_OQ))};
#else
  float x_lane[lanes];
  float y_lane[lanes];
  std::int32_t greater[lanes];
  std::int32_t equal[lanes];
  store(x, x_lane);
  store(y, y_lane);
  for (std::size_t k = 0; k < lanes; ++k) {
    const double weighed_x = x_weight * x_lane[k];
    const double weighed_y = y_weight * y_lane[k];
    greater[k] = -static_cast<std::int32_t>(weighed_x > weighed_y);
    equal[k] = -static_cast<std::int32_t>(weighed_x == weighed_y);
  }
  return {load_integers(greater), load_integers(equal)};
#endif
}

// The numbers at some indices.
inline Integers gather(const std::int32_t* from, const Integers& indices) {
#if defined(__AVX2__)
  return {{reinterpret_cast<IntegerRegister>(
      _mm256_i32gather_epi32(from, reinterpret_cast<__m256i>(indices.part[0]), 4))}};
#else
  std::int32_t lane[lanes];
  store(indices, lane);
  for (std::int32_t& one : lane) one = from[one];
  return load_integers(lane);
#endif
}

#if defined(__AVX2__)
// For each set of lanes, as the bits of a number, which they are, in order.
struct LanesOfBits {
  std::uint8_t lane[1U << lanes][lanes] = {};

  constexpr LanesOfBits() {
    for (std::uint32_t bits = 0; bits < 1U << lanes; ++bits) {
      std::size_t count = 0;
      for (std::uint32_t k = 0; k < lanes; ++k) {
        if ((bits >> k & 1U) != 0) lane[bits][count++] = static_cast<std::uint8_t>(k);
      }
    }
  }
};

inline constexpr LanesOfBits lanes_of_bits;
#endif

// Stores the lanes in which a condition holds one after the other, and anything after them, eight in all.
// Returns how many they are.
inline std::size_t store_some(const Integers& value, const Integers& condition, std::int32_t* to) {
  const std::uint32_t bits = lane_bits(condition);
#if defined(__AVX2__)
  const __m128i few = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(lanes_of_bits.lane[bits]));
  const __m256i moved =
      _mm256_permutevar8x32_epi32(reinterpret_cast<__m256i>(value.part[0]), _mm256_cvtepu8_epi32(few));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), moved);
  return static_cast<std::size_t>(__builtin_popcount(bits));
#else
  std::int32_t lane[lanes];
  store(value, lane);
  std::size_t count = 0;
  for (std::size_t k = 0; k < lanes; ++k) {
    to[count] = lane[k];
    count += bits >> k & 1U;
  }
  return count;
#endif
}

// The first lane in which a condition holds; there is one.
inline std::int32_t first_lane(const Integers& condition) {
  const std::uint32_t bits = lane_bits(condition);
#if defined(__GNUC__)
  return __builtin_ctz(bits);
#else
  std::int32_t lane = 0;
  while ((bits >> lane & 1U) == 0) ++lane;
  return lane;
#endif
}

}  // namespace xner::XNER_SIMD_LEVEL
