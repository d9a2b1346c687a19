// UTF-8 text as code points. Internal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace xner {

// Appends the code points of a text. A byte that belongs to no well-formed sequence counts as one by itself.
void append_code_points(std::string_view text, std::vector<std::uint32_t>& code_points);

}  // namespace xner
