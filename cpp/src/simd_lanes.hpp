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
#include <numbers>

// Compilers that have GCC's vector types; XNER_PLAIN_LANES is to see what others make of these sources.
#if defined(__GNUC__) && !defined(XNER_PLAIN_LANES)
#define XNER_VECTOR_TYPES
#endif

#if defined(XNER_VECTOR_TYPES) && defined(__SSE2__)
#include <immintrin.h>
#endif

#ifndef XNER_SIMD_LEVEL
#error "XNER_SIMD_LEVEL: the instruction set's name, see CMakeLists.txt"
#endif

namespace xner::XNER_SIMD_LEVEL {

inline constexpr std::size_t lanes = 8;

#if !defined(XNER_VECTOR_TYPES)
inline constexpr std::size_t register_lanes = 1;
#elif defined(__AVX__)
inline constexpr std::size_t register_lanes = 8;
#else
inline constexpr std::size_t register_lanes = 4;
#endif

#if defined(XNER_VECTOR_TYPES)
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
#if defined(XNER_VECTOR_TYPES)
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

inline Floats operator/(const Floats& a, const Floats& b) {
  return map<Floats>([](const FloatRegister& x, const FloatRegister& y) { return x / y; }, a, b);
}

// The lower one of each lane; none is NaN.
inline Floats min(const Floats& a, const Floats& b) {
  return map<Floats>([](const FloatRegister& x, const FloatRegister& y) { return x < y ? x : y; }, a, b);
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

// e^x for x <= 88, at least e^-87: e^x = 2^(n + f) with a whole number n, which goes into the exponent, and f within 1/2 of 0,
// for which a polynomial fitted to the least relative error (1.7e-7 in float32) gives 2^f.
inline Floats exponential(const Floats& x) {
  // 1.5 * 2^23: what is added to it loses its fraction.
  const Floats round_to_integer = broadcast(12582912.0F);
  const Floats y = max(broadcast(-87.0F), x) * broadcast(std::numbers::log2e_v<float>);
  const Floats shifted = y + round_to_integer;
  const Floats f = y - (shifted - round_to_integer);
  const Floats f2 = f * f;
  // In pairs, as a chain of six steps would take longer.
  // NOLINTNEXTLINE(modernize-use-std-numbers): fitted like the others, not ln 2
  const Floats low = broadcast(1.0F) + broadcast(0.6931470037F) * f;
  const Floats middle = broadcast(0.2402224243F) + broadcast(0.0555073358F) * f;
  const Floats high = broadcast(0.0096715130F) + broadcast(0.0013264727F) * f;
  const Floats power = low + f2 * (middle + f2 * high);
  return power * from_bits((bits_of(shifted) + broadcast(127)) << 23);
}

// A tile of a matrix.
struct EightRows {
  Floats row0;
  Floats row1;
  Floats row2;
  Floats row3;
  Floats row4;
  Floats row5;
  Floats row6;
  Floats row7;
};

// Rows that are `stride` bytes apart.
inline EightRows load_rows(const std::byte* from, std::ptrdiff_t stride) {
  return {load_floats(from),
          load_floats(from + stride),
          load_floats(from + 2 * stride),
          load_floats(from + 3 * stride),
          load_floats(from + 4 * stride),
          load_floats(from + 5 * stride),
          load_floats(from + 6 * stride),
          load_floats(from + 7 * stride)};
}

// Rows that are `width` floats apart.
inline void store(const EightRows& rows, float* to, std::size_t width) {
  store(rows.row0, to);
  store(rows.row1, to + width);
  store(rows.row2, to + 2 * width);
  store(rows.row3, to + 3 * width);
  store(rows.row4, to + 4 * width);
  store(rows.row5, to + 5 * width);
  store(rows.row6, to + 6 * width);
  store(rows.row7, to + 7 * width);
}

// The highest cell of each column.
inline Floats max(const EightRows& rows) {
  return max(max(max(rows.row0, rows.row1), max(rows.row2, rows.row3)),
             max(max(rows.row4, rows.row5), max(rows.row6, rows.row7)));
}

#if defined(XNER_VECTOR_TYPES)
// Lanes 0 to 3 of both; lanes 4 to 7 of both.
inline Floats left_halves(const Floats& a, const Floats& b) {
#if defined(__AVX__)
  return {{__builtin_shufflevector(a.part[0], b.part[0], 0, 1, 2, 3, 8, 9, 10, 11)}};
#else
  return {{a.part[0], b.part[0]}};
#endif
}

inline Floats right_halves(const Floats& a, const Floats& b) {
#if defined(__AVX__)
  return {{__builtin_shufflevector(a.part[0], b.part[0], 4, 5, 6, 7, 12, 13, 14, 15)}};
#else
  return {{a.part[1], b.part[1]}};
#endif
}

// Lanes 0 and 1 of each half in turn; lanes 2 and 3 of each half in turn.
inline Floats interleave_low(const Floats& a, const Floats& b) {
  return map<Floats>(
      [](const FloatRegister& x, const FloatRegister& y) {
#if defined(__AVX__)
        return __builtin_shufflevector(x, y, 0, 8, 1, 9, 4, 12, 5, 13);
#else
        return __builtin_shufflevector(x, y, 0, 4, 1, 5);
#endif
      },
      a, b);
}

inline Floats interleave_high(const Floats& a, const Floats& b) {
  return map<Floats>(
      [](const FloatRegister& x, const FloatRegister& y) {
#if defined(__AVX__)
        return __builtin_shufflevector(x, y, 2, 10, 3, 11, 6, 14, 7, 15);
#else
        return __builtin_shufflevector(x, y, 2, 6, 3, 7);
#endif
      },
      a, b);
}

inline EightRows transpose(const EightRows& rows) {
  // In each half of the lanes, four rows of four become columns in two steps.
  const Floats left0 = left_halves(rows.row0, rows.row4);
  const Floats left1 = left_halves(rows.row1, rows.row5);
  const Floats left2 = left_halves(rows.row2, rows.row6);
  const Floats left3 = left_halves(rows.row3, rows.row7);
  const Floats right0 = right_halves(rows.row0, rows.row4);
  const Floats right1 = right_halves(rows.row1, rows.row5);
  const Floats right2 = right_halves(rows.row2, rows.row6);
  const Floats right3 = right_halves(rows.row3, rows.row7);
  const Floats left_even_low = interleave_low(left0, left2);
  const Floats left_even_high = interleave_high(left0, left2);
  const Floats left_odd_low = interleave_low(left1, left3);
  const Floats left_odd_high = interleave_high(left1, left3);
  const Floats right_even_low = interleave_low(right0, right2);
  const Floats right_even_high = interleave_high(right0, right2);
  const Floats right_odd_low = interleave_low(right1, right3);
  const Floats right_odd_high = interleave_high(right1, right3);
  return {interleave_low(left_even_low, left_odd_low),     interleave_high(left_even_low, left_odd_low),
          interleave_low(left_even_high, left_odd_high),   interleave_high(left_even_high, left_odd_high),
          interleave_low(right_even_low, right_odd_low),   interleave_high(right_even_low, right_odd_low),
          interleave_low(right_even_high, right_odd_high), interleave_high(right_even_high, right_odd_high)};
}
#else
inline EightRows transpose(const EightRows& rows) {
  float cells[lanes * lanes];
  float turned[lanes * lanes];
  store(rows, cells, lanes);
  for (std::size_t i = 0; i < lanes; ++i) {
    for (std::size_t j = 0; j < lanes; ++j) turned[j * lanes + i] = cells[i * lanes + j];
  }
  return load_rows(reinterpret_cast<const std::byte*>(turned), lanes * sizeof(float));
}
#endif

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
#if defined(XNER_VECTOR_TYPES) && defined(__AVX__)
  return static_cast<std::uint32_t>(_mm256_movemask_ps(reinterpret_cast<__m256>(condition.part[0])));
#elif defined(XNER_VECTOR_TYPES) && defined(__SSE2__)
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
#if defined(XNER_VECTOR_TYPES) && defined(__AVX2__)
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
#if defined(XNER_VECTOR_TYPES) && defined(__AVX2__)
  return {{reinterpret_cast<IntegerRegister>(
      _mm256_i32gather_epi32(from, reinterpret_cast<__m256i>(indices.part[0]), 4))}};
#else
  std::int32_t lane[lanes];
  store(indices, lane);
  for (std::int32_t& one : lane) one = from[one];
  return load_integers(lane);
#endif
}

#if defined(XNER_VECTOR_TYPES) && defined(__AVX2__)
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
#if defined(XNER_VECTOR_TYPES) && defined(__AVX2__)
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
#if defined(XNER_VECTOR_TYPES)
  return __builtin_ctz(bits);
#else
  std::int32_t lane = 0;
  while ((bits >> lane & 1U) == 0) ++lane;
  return lane;
#endif
}

}  // namespace xner::XNER_SIMD_LEVEL
