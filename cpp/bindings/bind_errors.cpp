#include "bindings.hpp"
#include "xner/error.hpp"

namespace py = pybind11;

namespace xner::bindings {

namespace {

// Sets the Python error `xner.errors.<name>(*arguments)`.
template <class... Arguments>
void set_error(const char* name, Arguments&&... arguments) {
  const py::object type = py::module_::import("xner.errors").attr(name);
  const py::object value = type(std::forward<Arguments>(arguments)...);
  PyErr_SetObject(type.ptr(), value.ptr());
}

}  // namespace

void register_errors(py::module_& /*m*/) {
  py::register_exception_translator([](std::exception_ptr pointer) {
    try {
      if (pointer) std::rethrow_exception(pointer);
    } catch (const DataError& error) {
      set_error("DataError", error.row(), error.column(), error.value(), error.reason());
    } catch (const Error& error) {
      set_error("Error", error.what());
    }
  });
}

}  // namespace xner::bindings
