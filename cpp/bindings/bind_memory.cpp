#include <pybind11/stl.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arrow_bindings.hpp"
#include "bindings.hpp"
#include "xner/memory.hpp"

namespace py = pybind11;

namespace xner::bindings {

namespace {

void remember(ProjectionMemory& memory, const py::object& batch) {
  const ImportedArray imported(batch);
  const py::gil_scoped_release unlocked;
  remember_batch(memory, imported.ref());
}

ExportedArray recall(const ProjectionMemory& memory, const py::object& batch, std::uint32_t least,
                     double weight, std::size_t threads) {
  const ImportedArray imported(batch);
  const py::gil_scoped_release unlocked;
  return ExportedArray(recall_batch(memory, imported.ref(), least, weight, threads));
}

// The bytes of source words, and what they were projected onto how often. A memory gives it always in the
// same order: that of the bytes.
using Counted = std::vector<std::pair<std::vector<std::int32_t>, std::uint32_t>>;
using State = std::vector<std::pair<py::bytes, Counted>>;

State state_of(const ProjectionMemory& memory) {
  std::vector<std::string_view> keys;
  for (const auto& [key, forms] : memory.forms()) keys.emplace_back(key);
  std::ranges::sort(keys);
  State state;
  for (const std::string_view key : keys) {
    auto& counted = state.emplace_back(py::bytes(key.data(), key.size()), Counted()).second;
    for (const auto& [words, count] : memory.forms().at(std::string(key))) counted.emplace_back(words, count);
  }
  return state;
}

ProjectionMemory memory_of(const State& state) {
  ProjectionMemory::Forms forms;
  for (const auto& [key, counted] : state) {
    auto& of_key = forms[std::string(key)];
    for (const auto& [words, count] : counted) of_key.push_back({.words = words, .count = count});
  }
  return ProjectionMemory(std::move(forms));
}

}  // namespace

void register_memory(py::module_& m) {
  py::class_<ProjectionMemory>(m, "ProjectionMemory", "What a corpus has projected entities onto.")
      .def(py::init<>())
      .def("__len__", &ProjectionMemory::size)
      .def("remember", &remember, py::arg("batch"), "Adds the projected entities of a batch.")
      .def("recall", &recall, py::arg("batch"), py::kw_only(), py::arg("least"), py::arg("weight"),
           py::arg("threads"), "Hints for the source entities of a batch.")
      .def(py::pickle(&state_of, &memory_of));
}

}  // namespace xner::bindings
