#include "arrow_bindings.hpp"

#include "bindings.hpp"
#include "xner/error.hpp"
#include "xner/utf8.hpp"

namespace py = pybind11;

namespace xner::bindings {

namespace {

template <class CStruct>
void destroy_capsule(PyObject* capsule) {
  auto* value = static_cast<CStruct*>(PyCapsule_GetPointer(capsule, PyCapsule_GetName(capsule)));
  if (value->release != nullptr) value->release(value);
  delete value;
}

const void* pointer_in(const py::object& capsules, std::size_t index, const char* name) {
  const bool is_pair = py::isinstance<py::tuple>(capsules) && py::len(capsules) == 2;
  if (is_pair) {
    const py::object capsule = py::reinterpret_borrow<py::tuple>(capsules)[index];
    if (PyCapsule_IsValid(capsule.ptr(), name) != 0) return PyCapsule_GetPointer(capsule.ptr(), name);
  }
  throw Error("__arrow_c_array__ gave no pair of the capsules arrow_schema and arrow_array");
}

// Nulls of a record batch as a whole, which is a struct array: its rows would be read as if they were there.
void reject_null_rows(const ArrowArray& array) {
  const arrow::Validity validity(array);
  for (std::int64_t row = 0; validity.any() && row < array.length; ++row) {
    if (validity.is_null(row))
      throw Error("row " + std::to_string(row) + " of the record batch is null as a whole");
  }
}

bool check(const py::object& array, const std::string& what, bool texts) {
  const ImportedArray imported(array, ImportedArray::Unchecked{});
  const py::gil_scoped_release unlocked;
  return arrow::check_array(imported.ref(), what, texts);
}

bool is_utf8(const py::bytes& data) {
  const std::string_view text = data;
  const py::gil_scoped_release unlocked;
  return xner::is_utf8(text);
}

}  // namespace

ImportedArray::ImportedArray(const py::object& object) : ImportedArray(object, Unchecked{}) {
  const py::gil_scoped_release unlocked;
  if (!ref_.is_struct()) {
    arrow::check_array(ref_, "the Arrow array", false);
    return;
  }
  reject_null_rows(*ref_.array);
  for (std::int64_t i = 0; i < ref_.schema->n_children; ++i) {
    const ArrowSchema* field = ref_.schema->children[i];
    arrow::check_array({field, ref_.array->children[i]}, "column '" + std::string(field->name) + "'", false);
  }
}

ImportedArray::ImportedArray(const py::object& object, Unchecked /*chosen*/) {
  if (!py::hasattr(object, "__arrow_c_array__")) {
    throw Error("expected an Arrow array or record batch, found " +
                py::str(py::type::of(object).attr("__name__")).cast<std::string>());
  }
  capsules_ = object.attr("__arrow_c_array__")();
  ref_ = {static_cast<const ArrowSchema*>(pointer_in(capsules_, 0, "arrow_schema")),
          static_cast<const ArrowArray*>(pointer_in(capsules_, 1, "arrow_array"))};
  if (ref_.schema->release == nullptr || ref_.array->release == nullptr) {
    throw Error("the Arrow array was handed to somebody else before");
  }
}

py::typing::Tuple<py::object, py::object> ExportedArray::arrow_c_array(
    const py::object& /*requested_schema*/) {
  if (taken_) throw Error("this result was already handed over");
  taken_ = true;
  auto schema = std::make_unique<ArrowSchema>();
  auto array = std::make_unique<ArrowArray>();
  arrow::export_array(std::move(owned_), schema.get(), array.get());
  auto schema_capsule = py::reinterpret_steal<py::object>(
      PyCapsule_New(schema.release(), "arrow_schema", destroy_capsule<ArrowSchema>));
  auto array_capsule = py::reinterpret_steal<py::object>(
      PyCapsule_New(array.release(), "arrow_array", destroy_capsule<ArrowArray>));
  return py::make_tuple(schema_capsule, array_capsule);
}

void register_arrow(py::module_& m) {
  py::class_<ExportedArray>(m, "ExportedArray",
                            "A result array; `pyarrow.array` or `pyarrow.record_batch` takes it over, once.")
      .def("__arrow_c_array__", &ExportedArray::arrow_c_array, py::arg("requested_schema") = py::none(),
           "The pair of capsules of the Arrow PyCapsule interface.");
  m.def("check_array", &check, py::arg("array"), py::arg("what"), py::kw_only(), py::arg("texts"),
        "Checks what decides where the memory of an array is read and, with `texts`, that strings are UTF-8; "
        "`what` is what errors call it. False where its layout is not one of those that the core reads.");
  m.def("is_utf8", &is_utf8, py::arg("data"), "Whether bytes are UTF-8.");
}

}  // namespace xner::bindings
