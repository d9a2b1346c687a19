#include <string>

#include "bindings.hpp"
#include "xner/error.hpp"

namespace py = pybind11;

namespace xner::bindings {

namespace {

// What errors quote comes from files, and may be no UTF-8: what is not is shown as its bytes, like \xff.
py::str as_text(const std::string& bytes) {
  PyObject* text =
      PyUnicode_DecodeUTF8(bytes.data(), static_cast<py::ssize_t>(bytes.size()), "backslashreplace");
  if (text == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::str>(text);
}

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
      set_error("DataError", error.row(), as_text(error.column()), as_text(error.value()),
                as_text(error.reason()));
    } catch (const Error& error) {
      set_error("Error", as_text(error.what()));
    }
  });
}

}  // namespace xner::bindings
