// Lines of text files and what stands in them, as places in their bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace xner {

// The fields of lines: those of line k are offsets[k] to offsets[k + 1]; field i is [starts[i], ends[i]).
struct Fields {
  std::vector<std::int64_t> starts;
  std::vector<std::int64_t> ends;
  std::vector<std::int64_t> offsets;
};

// Splits each line at every tab; fields may be empty. Lines ascend and do not overlap. Throws Error where they do, or
// lead outside of the data.
Fields split_at_tabs(std::string_view data, std::span<const std::int64_t> starts,
                     std::span<const std::int64_t> ends);

// Copies, one after the other.
struct Copied {
  std::vector<std::int32_t> offsets;  // where each begins, and the end of the last
  std::vector<std::uint8_t> data;
};

// Copies of [starts[i], ends[i]). Throws Error for those that lead outside of the data, and where all together have
// 2 GiB or more.
Copied copy_parts(std::string_view data, std::span<const std::int64_t> starts,
                  std::span<const std::int64_t> ends);

}  // namespace xner
