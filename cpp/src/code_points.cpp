#include "code_points.hpp"

#include <cstring>

namespace xner {

namespace {

// Bytes of the well-formed sequence that a text begins with (Unicode 16, table 3-7), 0 where there is none. The first
// byte is beyond ASCII.
std::size_t sequence_length(const unsigned char* text, std::size_t left) noexcept {
  const unsigned char first = text[0];
  const auto continues = [text](std::size_t at, unsigned char least = 0x80, unsigned char most = 0xBF) {
    return text[at] >= least && text[at] <= most;
  };
  if (first < 0xC2) return 0;
  if (first < 0xE0) return left > 1 && continues(1) ? 2 : 0;
  if (first < 0xF0) {
    return left > 2 && continues(1, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF) && continues(2)
               ? 3
               : 0;
  }
  if (first > 0xF4) return 0;
  return left > 3 && continues(1, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF) && continues(2) &&
                 continues(3)
             ? 4
             : 0;
}

}  // namespace

Utf8 utf8_kind(std::string_view text) noexcept {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  Utf8 kind = Utf8::ascii;
  for (std::size_t at = 0; at < text.size();) {
    while (at + 8 <= text.size()) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes + at, sizeof(word));
      if ((word & 0x8080808080808080U) != 0) break;
      at += 8;
    }
    while (at < text.size() && bytes[at] < 0x80) ++at;
    while (at < text.size() && bytes[at] >= 0x80) {
      const std::size_t length = sequence_length(bytes + at, text.size() - at);
      if (length == 0) return Utf8::broken;
      at += length;
      kind = Utf8::beyond_ascii;
    }
  }
  return kind;
}

void append_code_points(std::string_view text, std::vector<std::uint32_t>& code_points) {
  const auto byte = [text](std::size_t at) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[at]));
  };
  for (std::size_t at = 0; at < text.size();) {
    const std::uint32_t first = byte(at);
    const std::size_t length = first < 0x80          ? 1
                               : first >> 5U == 0x6  ? 2
                               : first >> 4U == 0xE  ? 3
                               : first >> 3U == 0x1E ? 4
                                                     : 0;
    std::uint32_t code_point = length <= 1 ? first : first & (0xFFU >> (length + 1));
    bool well_formed = length > 0 && at + length <= text.size();
    for (std::size_t i = 1; well_formed && i < length; ++i) {
      well_formed = byte(at + i) >> 6U == 0x2;
      code_point = code_point << 6U | (byte(at + i) & 0x3FU);
    }
    code_points.push_back(well_formed ? code_point : first);
    at += well_formed ? length : 1;
  }
}

}  // namespace xner
