// Lines and their fields, at places that may lead anywhere: parts of the data, or an error.
#include "xner/fields.hpp"

#include <algorithm>
#include <string_view>

#include "bytes.hpp"

using namespace xner;
using namespace xner::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes bytes(data, size);
  const std::string text = bytes.text(60);
  std::vector<std::int64_t> starts;
  std::vector<std::int64_t> ends;
  for (std::size_t left = bytes.size(10); left > 0; --left) {
    starts.push_back(bytes.index(static_cast<std::int32_t>(text.size())));
    ends.push_back(starts.back() + bytes.index(20));
  }
  if (bytes.yes() && !ends.empty()) ends.pop_back();
  try {
    const Copied copied = copy_parts(text, starts, ends);
    require(copied.offsets.size() == starts.size() + 1);
    for (std::size_t i = 0; i < starts.size(); ++i) {
      const auto first = copied.data.begin() + copied.offsets[i];
      require(
          std::equal(first, copied.data.begin() + copied.offsets[i + 1], text.begin() + starts[i],
                     [](std::uint8_t one, char other) { return one == static_cast<std::uint8_t>(other); }));
    }
    const Fields fields = split_at_tabs(text, starts, ends);
    require(fields.offsets.size() == starts.size() + 1);
    require(fields.starts.size() == fields.ends.size());
    for (std::size_t line = 0; line < starts.size(); ++line) {
      const auto first = static_cast<std::size_t>(fields.offsets[line]);
      const auto last = static_cast<std::size_t>(fields.offsets[line + 1]);
      require(first < last && fields.starts[first] == starts[line] && fields.ends[last - 1] == ends[line]);
      for (std::size_t at = first; at < last; ++at) {
        require(fields.starts[at] <= fields.ends[at]);
        require(at == first || fields.starts[at] == fields.ends[at - 1] + 1);
        const auto field =
            std::string_view(text).substr(static_cast<std::size_t>(fields.starts[at]),
                                          static_cast<std::size_t>(fields.ends[at] - fields.starts[at]));
        require(field.find('\t') == std::string_view::npos);
      }
    }
  } catch (const Error&) {
    return 0;
  }
  return 0;
}
