// Links out of similarity matrices of any numbers, strides and maps: within the matrix, or an error.
#include "xner/extraction.hpp"

#include "bytes.hpp"

using namespace xner;
using namespace xner::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes bytes(data, size);
  ExtractionOptions options;
  options.method = bytes.one_of<ExtractionMethod>(7);
  options.distortion = bytes.yes() ? 0.5F : 0.0F;
  const std::size_t rows = bytes.size(12);
  const std::size_t columns = bytes.size(20);
  const bool halves = bytes.yes();
  const bool transposed = bytes.yes();
  const std::size_t width = halves ? 2 : 4;
  std::vector<std::byte> values(rows * columns * width);
  for (std::size_t i = 0; i < rows * columns; ++i) {
    const float value = bytes.score();
    if (halves) {
      const auto half = bytes.number<std::uint16_t>(0, 0xFFFF);
      std::memcpy(values.data() + i * width, &half, width);
    } else {
      std::memcpy(values.data() + i * width, &value, width);
    }
  }
  const auto step = static_cast<std::ptrdiff_t>(width);
  const SimilarityView view{.data = values.data(),
                            .type = halves ? ElementType::float16 : ElementType::float32,
                            .rows = rows,
                            .columns = columns,
                            .row_stride = transposed ? step : step * static_cast<std::ptrdiff_t>(columns),
                            .column_stride = transposed ? step * static_cast<std::ptrdiff_t>(rows) : step};
  std::vector<std::int32_t> source;
  std::vector<std::int32_t> target;
  for (std::size_t i = 0; i < rows; ++i) source.push_back(bytes.index(6));
  for (std::size_t i = 0; i < columns; ++i) target.push_back(bytes.index(6));
  WordMaps maps;
  if (bytes.yes()) maps.source = source;
  if (bytes.yes()) maps.target = target;
  try {
    LinkExtractor extractor(options);
    for (const ScoredLink& link : extractor.extract(view, maps)) {
      const auto within = [](std::int32_t index, const auto& map, std::size_t count) {
        if (!map) return index >= 0 && std::cmp_less(index, count);
        return std::ranges::find(*map, index) != map->end();
      };
      require(within(link.link.source, maps.source, rows));
      require(within(link.link.target, maps.target, columns));
    }
  } catch (const Error&) {
    return 0;
  }
  return 0;
}
