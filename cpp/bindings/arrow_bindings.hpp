// Arrow arrays across the Python boundary, by the Arrow PyCapsule interface.
#pragma once

#include <pybind11/pybind11.h>
#include <pybind11/typing.h>

#include "xner/arrow.hpp"

namespace xner::bindings {

// Holds the capsules of a Python object that has `__arrow_c_array__` for as long as its buffers are read. They are
// checked on the way in, of a record batch column by column.
class ImportedArray {
 public:
  struct Unchecked {};  // for who checks it by himself

  explicit ImportedArray(const pybind11::object& object);
  ImportedArray(const pybind11::object& object, Unchecked chosen);
  [[nodiscard]] arrow::ArrayRef ref() const noexcept { return ref_; }

 private:
  pybind11::object capsules_;
  arrow::ArrayRef ref_;
};

// A result on its way to Python: pyarrow.array(result) or pyarrow.record_batch(result) takes it over, once.
class ExportedArray {
 public:
  explicit ExportedArray(arrow::OwnedArray owned) : owned_(std::move(owned)) {}
  pybind11::typing::Tuple<pybind11::object, pybind11::object> arrow_c_array(
      const pybind11::object& requested_schema);

 private:
  arrow::OwnedArray owned_;
  bool taken_ = false;
};

}  // namespace xner::bindings
