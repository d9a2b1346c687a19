// Compiled once for each instruction set; see simd_lanes.hpp for what that forbids.
#include "utf8/kernels.hpp"

#include "simd_lanes.hpp"

// Instruction sets that look up as many nibbles as a register has bytes in a table of 16.
#if defined(XNER_VECTOR_TYPES) && defined(__AVX2__)
#define XNER_NIBBLE_TABLES
#elif defined(XNER_VECTOR_TYPES) && defined(__aarch64__)
#include <arm_neon.h>
#define XNER_NIBBLE_TABLES
#endif

namespace xner::XNER_SIMD_LEVEL {

namespace {

constexpr std::size_t block_bytes = 64;

#if defined(XNER_NIBBLE_TABLES)

// After Keiser and Lemire, "Validating UTF-8 in less than one instruction per byte" (2021). What two bytes one after the
// other must not be is a product of sets of nibbles: of the high and the low one of the first byte, and the high one of
// the second. A rule is a bit; each of three tables has, for a nibble, the rules that it may break, so that the bits that
// all three have are broken.

// So many bytes before a place decide what may stand there.
constexpr std::size_t reach = 3;

constexpr std::size_t register_bytes = register_lanes * sizeof(float);
using ByteRegister [[gnu::vector_size(register_bytes)]] = std::uint8_t;
using BytesInMemory [[gnu::vector_size(register_bytes), gnu::aligned(1), gnu::may_alias]] = std::uint8_t;

// Nibbles, a bit each: those from one to another.
constexpr unsigned nibbles(unsigned first, unsigned last) { return (2U << last) - (1U << first); }

struct Rule {
  unsigned first_high;
  unsigned first_low;
  unsigned second_high;
};

constexpr unsigned any_nibble = nibbles(0x0, 0xF);
constexpr unsigned ascii_byte = nibbles(0x0, 0x7);
constexpr unsigned continuation = nibbles(0x8, 0xB);
constexpr unsigned leading = nibbles(0xC, 0xF);

constexpr Rule rules[8] = {
    {leading, any_nibble, ascii_byte | leading},                // cut short
    {ascii_byte, any_nibble, continuation},                     // continues nothing
    {nibbles(0xC, 0xC), nibbles(0x0, 0x1), continuation},       // fits one byte
    {nibbles(0xE, 0xE), nibbles(0x0, 0x0), nibbles(0x8, 0x9)},  // fits two bytes
    {nibbles(0xE, 0xE), nibbles(0xD, 0xD), nibbles(0xA, 0xB)},  // surrogates
    {nibbles(0xF, 0xF), nibbles(0x4, 0xF), nibbles(0x9, 0xB)},  // above U+10FFFF
    {nibbles(0xF, 0xF), nibbles(0x0, 0x0) | nibbles(0x5, 0xF),
     nibbles(0x8, 0x8)},                       // fits three bytes, or above that
    {continuation, any_nibble, continuation},  // right as the third or fourth byte of a character
};
constexpr std::uint8_t two_continuations = 0x80;

struct Table {
  alignas(register_bytes) std::uint8_t entries[register_bytes] = {};
};

// The rules that each nibble may break, again for every 16 bytes of a register.
constexpr Table table_of(unsigned Rule::* part) {
  Table table;
  for (std::size_t place = 0; place < register_bytes; ++place) {
    for (unsigned rule = 0; rule < 8; ++rule) {
      const unsigned bit = rules[rule].*part >> (place % 16) & 1U;
      table.entries[place] = static_cast<std::uint8_t>(table.entries[place] | bit << rule);
    }
  }
  return table;
}

constexpr Table of_first_high = table_of(&Rule::first_high);
constexpr Table of_first_low = table_of(&Rule::first_low);
constexpr Table of_second_high = table_of(&Rule::second_high);

inline ByteRegister load(const std::uint8_t* from) { return *reinterpret_cast<const BytesInMemory*>(from); }

inline ByteRegister look_up(const Table& table, ByteRegister nibble) {
  const ByteRegister entries = load(table.entries);
#if defined(__AVX2__)
  return reinterpret_cast<ByteRegister>(
      _mm256_shuffle_epi8(reinterpret_cast<__m256i>(entries), reinterpret_cast<__m256i>(nibble)));
#else
  return vqtbl1q_u8(entries, nibble);
#endif
}

// Whether a byte is beyond ASCII.
inline bool any_high(ByteRegister bytes) {
#if defined(__AVX2__)
  return _mm256_movemask_epi8(reinterpret_cast<__m256i>(bytes)) != 0;
#else
  return vmaxvq_u8(bytes) >= 0x80;
#endif
}

inline bool any_bit(ByteRegister bytes) {
#if defined(__AVX2__)
  const auto bits = reinterpret_cast<__m256i>(bytes);
  return _mm256_testz_si256(bits, bits) == 0;
#else
  return vmaxvq_u8(bytes) != 0;
#endif
}

// Bits where bytes break a rule together with the ones before them.
inline ByteRegister broken_rules(const std::uint8_t* text) {
  const ByteRegister second = load(text);
  const ByteRegister first = load(text - 1);
  const ByteRegister found = look_up(of_first_high, first >> 4) & look_up(of_first_low, first & 0x0F) &
                             look_up(of_second_high, second >> 4);
  const auto continues = reinterpret_cast<ByteRegister>((load(text - 2) >= 0xE0) | (load(text - 3) >= 0xF0));
  return found ^ (continues & two_continuations);
}

struct Scan {
  ByteRegister broken{};
  ByteRegister seen{};

  // A block of a text that has `reach` bytes before it.
  void operator()(const std::uint8_t* block) {
    ByteRegister all = load(block - reach);
    for (std::size_t at = 0; at < block_bytes; at += register_bytes) all |= load(block + at);
    if (!any_high(all)) return;
    seen |= all;
    for (std::size_t at = 0; at < block_bytes; at += register_bytes) broken |= broken_rules(block + at);
  }
};

Utf8 kind(const unsigned char* text, std::size_t size) {
  if (size == 0) return Utf8::ascii;
  Scan scan;
  // What the text lacks before its first block, and after its last byte, is zeros there: the one after a character that
  // is cut short tells that it is.
  std::uint8_t edge[2 * block_bytes] = {};
  std::uint8_t* const block = edge + block_bytes;
  std::memcpy(block, text, size < block_bytes ? size : block_bytes);
  scan(block);
  if (size >= block_bytes) {
    std::size_t at = block_bytes;
    for (; at + block_bytes <= size; at += block_bytes) scan(text + at);
    std::memset(edge, 0, sizeof(edge));
    std::memcpy(block - reach, text + at - reach, reach + size - at);
    scan(block);
  }
  if (any_bit(scan.broken)) return Utf8::broken;
  return any_high(scan.seen) ? Utf8::beyond_ascii : Utf8::ascii;
}

#else

// Of so many bytes, whether all are ASCII.
template <std::size_t bytes>
bool are_ascii(const unsigned char* text) {
  std::uint64_t all = 0;
  for (std::size_t at = 0; at < bytes; at += sizeof(all)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text + at, sizeof(word));
    all |= word;
  }
  return (all & 0x8080808080808080U) == 0;
}

bool is_between(unsigned char byte, unsigned char least, unsigned char most) {
  return byte >= least && byte <= most;
}

bool continues(unsigned char byte) { return is_between(byte, 0x80, 0xBF); }

// Bytes of the well-formed sequence that a text begins with (Unicode 16, table 3-7), 0 where there is none. The first
// byte is beyond ASCII.
std::size_t sequence_length(const unsigned char* text, std::size_t left) {
  const unsigned char first = text[0];
  if (first < 0xC2) return 0;
  if (first < 0xE0) return left > 1 && continues(text[1]) ? 2 : 0;
  if (first < 0xF0) {
    const bool is_whole =
        left > 2 && is_between(text[1], first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF);
    return is_whole && continues(text[2]) ? 3 : 0;
  }
  if (first > 0xF4) return 0;
  const bool is_whole =
      left > 3 && is_between(text[1], first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF);
  return is_whole && continues(text[2]) && continues(text[3]) ? 4 : 0;
}

Utf8 kind(const unsigned char* text, std::size_t size) {
  Utf8 found = Utf8::ascii;
  for (std::size_t at = 0; at < size;) {
    while (at + block_bytes <= size && are_ascii<block_bytes>(text + at)) at += block_bytes;
    while (at + 8 <= size && are_ascii<8>(text + at)) at += 8;
    while (at < size && text[at] < 0x80) ++at;
    while (at < size && text[at] >= 0x80) {
      const std::size_t length = sequence_length(text + at, size - at);
      if (length == 0) return Utf8::broken;
      at += length;
      found = Utf8::beyond_ascii;
    }
  }
  return found;
}

#endif

// Four bytes at a time, whose first bit is set and whose second one is not.
template <class Place>
bool any_within(const unsigned char* text, const Place* places, std::size_t count) {
  std::uint32_t found = 0;
  const auto look = [&found](std::uint32_t bytes) { found |= bytes & ~(bytes << 1U); };
  const auto byte = [text, places](std::size_t i) { return std::uint32_t{text[places[i]]}; };
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    look((byte(i) | byte(i + 1) << 8U) | (byte(i + 2) | byte(i + 3) << 8U) << 16U);
  }
  for (; i < count; ++i) look(byte(i));
  return (found & 0x80808080U) != 0;
}

}  // namespace

const Utf8Kernels utf8_kernels{kind, any_within<std::int32_t>, any_within<std::int64_t>};

}  // namespace xner::XNER_SIMD_LEVEL
