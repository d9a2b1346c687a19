#include <pybind11/native_enum.h>
#include <pybind11/stl.h>
#include <pybind11/typing.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "arrow_bindings.hpp"
#include "bindings.hpp"
#include "numpy_bindings.hpp"
#include "unlocked.hpp"
#include "xner/error.hpp"
#include "xner/extraction.hpp"
#include "xner/simd_level.hpp"

namespace py = pybind11;

namespace xner::bindings {

namespace {

using Objects = py::typing::List<py::object>;
// pairs (links x 2), scores
using PairsAndScores = py::typing::Tuple<py::array, py::array>;

std::string describe(const py::handle& object) {
  if (!py::isinstance<py::array>(object)) {
    return py::str(py::type::of(object).attr("__name__")).cast<std::string>();
  }
  const auto array = py::reinterpret_borrow<py::array>(object);
  return std::to_string(array.ndim()) + "-dimensional " + py::str(array.dtype()).cast<std::string>();
}

bool is_native_float16(const py::array& array) {
  constexpr int npy_half = 23;  // numpy's number of the type
  return array.dtype().num() == npy_half && array.dtype().byteorder() == '=';
}

// The matrix of an array's last two axes, from its first element on.
SimilarityView as_view(const py::handle& object, py::ssize_t axes, std::int64_t row) {
  const bool is_array = py::isinstance<py::array>(object);
  const auto array = is_array ? py::reinterpret_borrow<py::array>(object) : py::array();
  const bool is_float32 = is_array && py::isinstance<py::array_t<float>>(array);
  if (array.ndim() != axes || !(is_float32 || is_native_float16(array))) {
    throw DataError(row, "similarities", describe(object),
                    "expected a " + std::to_string(axes) + "-dimensional array of float32 or float16");
  }
  return {.data = static_cast<const std::byte*>(array.data()),
          .type = is_float32 ? ElementType::float32 : ElementType::float16,
          .rows = static_cast<std::size_t>(array.shape(axes - 2)),
          .columns = static_cast<std::size_t>(array.shape(axes - 1)),
          .row_stride = array.strides(axes - 2),
          .column_stride = array.strides(axes - 1)};
}

std::optional<std::span<const std::int32_t>> as_map(const py::handle& object, const char* column,
                                                    std::int64_t row) {
  if (object.is_none()) return std::nullopt;
  if (!py::isinstance<Array<std::int32_t>>(object) || py::reinterpret_borrow<py::array>(object).ndim() != 1) {
    throw DataError(row, column, describe(object), "expected a contiguous one-dimensional array of int32");
  }
  const auto array = py::reinterpret_borrow<Array<std::int32_t>>(object);
  return std::span(array.data(), static_cast<std::size_t>(array.size()));
}

void check_count(const char* what, std::size_t found, std::size_t rows) {
  if (found != rows) {
    throw Error(std::string(what) + " has " + std::to_string(found) + " rows but there are " +
                std::to_string(rows) + " matrices");
  }
}

std::vector<WordMaps> as_maps(const std::optional<Objects>& source, const std::optional<Objects>& target,
                              std::size_t rows) {
  if (source) check_count("source_words", source->size(), rows);
  if (target) check_count("target_words", target->size(), rows);
  if (!source && !target) return {};
  std::vector<WordMaps> maps(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    const auto number = static_cast<std::int64_t>(row);
    if (source) maps[row].source = as_map((*source)[row], "source_words", number);
    if (target) maps[row].target = as_map((*target)[row], "target_words", number);
  }
  return maps;
}

PairsAndScores extract(const py::object& similarity, const py::object& source_words,
                       const py::object& target_words, ExtractionOptions options) {
  const SimilarityView view = as_view(similarity, 2, -1);
  const WordMaps words{.source = as_map(source_words, "source_words", -1),
                       .target = as_map(target_words, "target_words", -1)};
  LinkExtractor extractor(options);
  std::span<const ScoredLink> links;
  {
    const Unlocked unlocked;
    links = extractor.extract(view, words);
  }
  const auto count = static_cast<py::ssize_t>(links.size());
  py::array_t<std::int32_t> pairs({count, py::ssize_t{2}});
  py::array_t<float> scores(count);
  std::int32_t* pair = pairs.mutable_data();
  float* score = scores.mutable_data();
  for (const ScoredLink& one : links) {
    *pair++ = one.link.source;
    *pair++ = one.link.target;
    *score++ = one.score;
  }
  return py::make_tuple(pairs, scores);
}

ExportedArray extract_list(const Objects& similarities, const std::optional<Objects>& source_words,
                           const std::optional<Objects>& target_words, ExtractionOptions options,
                           std::size_t threads) {
  std::vector<SimilarityView> views;
  views.reserve(similarities.size());
  for (const py::handle& similarity : similarities) {
    views.push_back(as_view(similarity, 2, static_cast<std::int64_t>(views.size())));
  }
  const std::vector<WordMaps> words = as_maps(source_words, target_words, views.size());
  const Unlocked unlocked;
  return ExportedArray(extract_link_lists(views, words, options, threads));
}

std::size_t as_length(std::int64_t length, std::size_t available, const char* column, std::int64_t row) {
  if (length < 0 || static_cast<std::size_t>(length) > available) {
    throw DataError(row, column, std::to_string(length),
                    "expected a length from 0 to " + std::to_string(available));
  }
  return static_cast<std::size_t>(length);
}

ExportedArray extract_padded(const py::array& similarities,
                             const std::optional<Array<std::int64_t>>& source_lengths,
                             const std::optional<Array<std::int64_t>>& target_lengths,
                             const std::optional<Objects>& source_words,
                             const std::optional<Objects>& target_words, ExtractionOptions options,
                             std::size_t threads) {
  const SimilarityView first = as_view(similarities, 3, -1);
  const auto rows = static_cast<std::size_t>(similarities.shape(0));
  if (source_lengths) check_count("source_lengths", static_cast<std::size_t>(source_lengths->size()), rows);
  if (target_lengths) check_count("target_lengths", static_cast<std::size_t>(target_lengths->size()), rows);
  std::vector<SimilarityView> views(rows, first);
  for (std::size_t row = 0; row < rows; ++row) {
    const auto number = static_cast<std::int64_t>(row);
    views[row].data += number * similarities.strides(0);
    if (source_lengths) {
      views[row].rows = as_length(source_lengths->data()[row], first.rows, "source_lengths", number);
    }
    if (target_lengths) {
      views[row].columns = as_length(target_lengths->data()[row], first.columns, "target_lengths", number);
    }
  }
  const std::vector<WordMaps> words = as_maps(source_words, target_words, rows);
  const Unlocked unlocked;
  return ExportedArray(extract_link_lists(views, words, options, threads));
}

}  // namespace

void register_extraction(py::module_& m) {
  py::native_enum<ExtractionMethod>(m, "ExtractionMethod", "enum.Enum",
                                    "How a similarity matrix becomes links.")
      .value("forward", ExtractionMethod::forward)
      .value("reverse", ExtractionMethod::reverse)
      .value("intersect", ExtractionMethod::intersect)
      .value("itermax", ExtractionMethod::itermax)
      .value("mwmf", ExtractionMethod::mwmf)
      .value("softmax", ExtractionMethod::softmax)
      .value("entmax15", ExtractionMethod::entmax15)
      .finalize();
  py::class_<ExtractionOptions>(m, "ExtractionOptions", "See xner.links.extract.")
      .def(py::init<>())
      .def_readwrite("method", &ExtractionOptions::method)
      .def_readwrite("max_count", &ExtractionOptions::max_count)
      .def_readwrite("alpha", &ExtractionOptions::alpha)
      .def_readwrite("distortion", &ExtractionOptions::distortion)
      .def_readwrite("threshold", &ExtractionOptions::threshold)
      .def_readwrite("null_threshold", &ExtractionOptions::null_threshold);
  m.def("extract_links", &extract, py::arg("similarity"), py::arg("source_words"), py::arg("target_words"),
        py::arg("options"), "Links of one matrix: pairs (links x 2, int32) and scores (float32).");
  m.def("extract_link_lists", &extract_list, py::arg("similarities"), py::arg("source_words"),
        py::arg("target_words"), py::arg("options"), py::kw_only(), py::arg("threads"),
        "Links of each of a list of matrices.");
  m.def("extract_padded_link_lists", &extract_padded, py::arg("similarities"),
        py::arg("source_lengths").noconvert(), py::arg("target_lengths").noconvert(), py::arg("source_words"),
        py::arg("target_words"), py::arg("options"), py::kw_only(), py::arg("threads"),
        "Links of each matrix of an array of matrices x rows x columns, within the lengths.");
  m.def(
      "simd_levels",
      [] {
        std::vector<std::string_view> names;
        for (const SimdLevel level : simd_levels()) names.push_back(name(level));
        return names;
      },
      "The instruction sets that XNER_SIMD can name here, lowest first.");
}

}  // namespace xner::bindings
