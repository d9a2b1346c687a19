#include "bindings.hpp"
#include "numpy_bindings.hpp"
#include "xner/fields.hpp"

namespace py = pybind11;

namespace xner::bindings {

namespace {

// Places are arrays that the readers have just made, which nobody else has.
py::typing::Tuple<Array<std::int64_t>, Array<std::int64_t>, Array<std::int64_t>> split(
    const py::bytes& data, const Array<std::int64_t>& starts, const Array<std::int64_t>& ends) {
  Fields fields = split_at_tabs(data, as_span(starts), as_span(ends));
  return py::make_tuple(to_numpy(std::move(fields.starts)), to_numpy(std::move(fields.ends)),
                        to_numpy(std::move(fields.offsets)));
}

py::typing::Tuple<Array<std::int32_t>, Array<std::uint8_t>> copy(const py::bytes& data,
                                                                 const Array<std::int64_t>& starts,
                                                                 const Array<std::int64_t>& ends) {
  Copied copied = copy_parts(data, as_span(starts), as_span(ends));
  return py::make_tuple(to_numpy(std::move(copied.offsets)), to_numpy(std::move(copied.data)));
}

}  // namespace

void register_fields(py::module_& m) {
  m.def("split_at_tabs", &split, py::arg("data"), py::arg("starts"), py::arg("ends"),
        "Starts and ends of the fields of lines, and where those of each line begin among them.");
  m.def("copy_parts", &copy, py::arg("data"), py::arg("starts"), py::arg("ends"),
        "Offsets and bytes of parts of the data, one after the other.");
}

}  // namespace xner::bindings
