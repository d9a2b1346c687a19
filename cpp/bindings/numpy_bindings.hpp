// numpy arrays in and out.
#pragma once

#include <pybind11/numpy.h>

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace xner::bindings {

// Takes arrays of exactly this type; pybind11's default would convert others, losing what does not fit.
template <class T>
using Array = pybind11::array_t<T, pybind11::array::c_style>;

template <class T>
std::span<const T> as_span(const Array<T>& array) {
  return {array.data(), static_cast<std::size_t>(array.size())};
}

// A numpy array that owns the values it was given.
template <class T>
pybind11::array_t<T> to_numpy(std::vector<T> values) {
  auto owned = std::make_unique<std::vector<T>>(std::move(values));
  const T* data = owned->data();
  const auto size = static_cast<pybind11::ssize_t>(owned->size());
  const pybind11::capsule owner(owned.get(),
                                [](void* pointer) { delete static_cast<std::vector<T>*>(pointer); });
  static_cast<void>(owned.release());
  return pybind11::array_t<T>(size, data, owner);
}

}  // namespace xner::bindings
