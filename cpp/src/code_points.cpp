#include "code_points.hpp"

namespace xner {

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
