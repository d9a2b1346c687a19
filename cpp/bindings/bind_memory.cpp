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

}  // namespace

void register_memory(py::module_& m) {
  py::class_<ProjectionMemory>(m, "ProjectionMemory", "What a corpus has projected entities onto.")
      .def(py::init<>())
      .def("__len__", &ProjectionMemory::size)
      .def("remember", &remember, py::arg("batch"), "Adds the projected entities of a batch.")
      .def("recall", &recall, py::arg("batch"), py::kw_only(), py::arg("least"), py::arg("weight"),
           py::arg("threads"), "Hints for the source entities of a batch.");
}

}  // namespace xner::bindings
