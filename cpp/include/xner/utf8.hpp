// Whether texts of others are UTF-8.
#pragma once

#include <string_view>

namespace xner {

bool is_utf8(std::string_view text);

}  // namespace xner
