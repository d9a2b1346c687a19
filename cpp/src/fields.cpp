#include "xner/fields.hpp"

#include <cstring>
#include <limits>
#include <string>

#include "xner/error.hpp"

namespace xner {

namespace {

// Checks that as many ends as starts are there, and that each part is within the data.
void require_parts(std::string_view data, std::span<const std::int64_t> starts,
                   std::span<const std::int64_t> ends) {
  if (starts.size() != ends.size()) {
    throw Error("expected as many ends as starts, found " + std::to_string(ends.size()) + " and " +
                std::to_string(starts.size()));
  }
  const auto size = static_cast<std::int64_t>(data.size());
  for (std::size_t i = 0; i < starts.size(); ++i) {
    if (starts[i] < 0 || ends[i] < starts[i] || ends[i] > size) {
      throw Error("part " + std::to_string(i) + ", [" + std::to_string(starts[i]) + ", " +
                  std::to_string(ends[i]) + "), is not within " + std::to_string(size) + " bytes");
    }
  }
}

}  // namespace

Fields split_at_tabs(std::string_view data, std::span<const std::int64_t> starts,
                     std::span<const std::int64_t> ends) {
  require_parts(data, starts, ends);
  const auto size = static_cast<std::int64_t>(data.size());
  const auto tab_from = [&](std::int64_t place) {
    if (place >= size) return size;
    const void* found = std::memchr(data.data() + place, '\t', static_cast<std::size_t>(size - place));
    return found == nullptr ? size : static_cast<const char*>(found) - data.data();
  };
  Fields result;
  // Most often words and labels.
  result.starts.reserve(2 * starts.size());
  result.ends.reserve(2 * starts.size());
  result.offsets.reserve(starts.size() + 1);
  std::int64_t tab = starts.empty() ? size : tab_from(0);
  std::int64_t before = 0;
  for (std::size_t line = 0; line < starts.size(); ++line) {
    if (starts[line] < before)
      throw Error("line " + std::to_string(line) + " begins before the last one ends");
    before = ends[line];
    result.offsets.push_back(static_cast<std::int64_t>(result.starts.size()));
    if (tab < starts[line]) tab = tab_from(starts[line]);
    result.starts.push_back(starts[line]);
    for (; tab < ends[line]; tab = tab_from(tab + 1)) {
      result.ends.push_back(tab);
      result.starts.push_back(tab + 1);
    }
    result.ends.push_back(ends[line]);
  }
  result.offsets.push_back(static_cast<std::int64_t>(result.starts.size()));
  return result;
}

Copied copy_parts(std::string_view data, std::span<const std::int64_t> starts,
                  std::span<const std::int64_t> ends) {
  require_parts(data, starts, ends);
  Copied result;
  result.offsets.reserve(starts.size() + 1);
  result.offsets.push_back(0);
  std::int64_t size = 0;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    size += ends[i] - starts[i];
    if (size > std::numeric_limits<std::int32_t>::max()) throw Error("texts of 2 GiB or more in one array");
    result.offsets.push_back(static_cast<std::int32_t>(size));
  }
  result.data.resize(static_cast<std::size_t>(size));
  // Most are short: eight bytes at a time, as far as there are so many on both sides, take less than a call.
  constexpr std::int64_t step = 8;
  const auto all = static_cast<std::int64_t>(data.size());
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const std::int64_t length = ends[i] - starts[i];
    const std::int64_t to = result.offsets[i];
    if (length <= step && starts[i] + step <= all && to + step <= size) {
      std::memcpy(result.data.data() + to, data.data() + starts[i], step);
    } else if (length > 0) {
      std::memcpy(result.data.data() + to, data.data() + starts[i], static_cast<std::size_t>(length));
    }
  }
  return result;
}

}  // namespace xner
