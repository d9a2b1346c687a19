#include <pybind11/native_enum.h>
#include <pybind11/stl.h>

#include "arrow_bindings.hpp"
#include "bindings.hpp"
#include "unlocked.hpp"
#include "xner/labels.hpp"

namespace py = pybind11;

namespace xner::bindings {

namespace {

using EntityTuple = std::tuple<std::int32_t, std::int32_t, std::string>;

std::vector<EntityTuple> decode(const std::vector<std::string>& labels, Scheme scheme, Reading reading) {
  const std::vector<std::string_view> tags(labels.begin(), labels.end());
  std::vector<LabelledSpan> entities;
  decode_labels(tags, scheme, reading, entities);
  std::vector<EntityTuple> result;
  for (const LabelledSpan& entity : entities) {
    result.emplace_back(entity.span.start, entity.span.end, entity.label);
  }
  return result;
}

ExportedArray decode_batch(const py::object& labels, const std::string& column, Scheme scheme,
                           Reading reading, std::size_t threads) {
  const ImportedArray imported(labels);
  const Unlocked unlocked;
  return ExportedArray(decode_label_lists(imported.ref(), column, scheme, reading, threads));
}

ExportedArray encode_batch(const py::object& entities, const py::object& tokens, const std::string& column,
                           std::size_t threads) {
  const ImportedArray imported(entities);
  const ImportedArray words(tokens);
  const Unlocked unlocked;
  return ExportedArray(encode_label_lists(imported.ref(), column, words.ref(), threads));
}

}  // namespace

void register_labels(py::module_& m) {
  py::native_enum<Scheme>(m, "Scheme", "enum.Enum", "How tags spell entities.")
      .value("IOB1", Scheme::iob1)
      .value("IOB2", Scheme::iob2)
      .value("BIOES", Scheme::bioes)
      .finalize();
  py::native_enum<Reading>(m, "Reading", "enum.Enum", "What to do with tags that the scheme does not allow.")
      .value("lenient", Reading::lenient)
      .value("strict", Reading::strict)
      .value("validate", Reading::validate)
      .finalize();
  m.def("decode_labels", &decode, py::arg("labels"), py::kw_only(), py::arg("scheme"), py::arg("reading"),
        "Entities (start, end, label) that the labels of one sentence spell.");
  m.def("decode_label_lists", &decode_batch, py::arg("labels"), py::kw_only(), py::arg("column"),
        py::arg("scheme"), py::arg("reading"), py::arg("threads"),
        "decode_labels over a list<string> array.");
  m.def("encode_label_lists", &encode_batch, py::arg("entities"), py::arg("tokens"), py::kw_only(),
        py::arg("column"), py::arg("threads"), "IOB2 labels for the entities of every sentence.");
}

}  // namespace xner::bindings
