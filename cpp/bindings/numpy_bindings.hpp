// numpy arrays in and out.
#pragma once

#include <pybind11/numpy.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "xner/error.hpp"
#include "xner/span.hpp"

namespace xner::bindings {

// Takes arrays of exactly this type; pybind11's default would convert others, losing what does not fit.
template <class T>
using Array = pybind11::array_t<T, pybind11::array::c_style>;

template <class T>
std::span<const T> as_span(const Array<T>& array) {
  return {array.data(), static_cast<std::size_t>(array.size())};
}

// Throws Error unless the array has `size` values on one axis.
inline void require_size(const pybind11::array& array, std::size_t size, const char* what) {
  if (array.ndim() == 1 && static_cast<std::size_t>(array.size()) == size) return;
  throw Error(std::string(what) + ": expected " + std::to_string(size) + " values on one axis, found " +
              std::to_string(array.size()) + " on " + std::to_string(array.ndim()));
}

// Spans out of an array of n x 2. Throws Error for other shapes, empty spans and those outside of `words`.
inline std::vector<Span> require_spans(const Array<std::int32_t>& array, std::int64_t words,
                                       const char* what) {
  if (array.ndim() != 2 || array.shape(1) != 2) {
    throw Error(std::string(what) + ": expected an array of n x 2, found " + std::to_string(array.ndim()) +
                " axes");
  }
  std::vector<Span> spans;
  spans.reserve(static_cast<std::size_t>(array.shape(0)));
  for (pybind11::ssize_t i = 0; i < array.shape(0); ++i) {
    const Span span{array.data()[2 * i], array.data()[2 * i + 1]};
    if (span.start < 0 || span.end <= span.start || span.end > words) {
      throw Error(std::string(what) + ": span " + std::to_string(i) + ", [" + std::to_string(span.start) +
                  ", " + std::to_string(span.end) + "), is empty or outside of " + std::to_string(words) +
                  " words");
    }
    spans.push_back(span);
  }
  return spans;
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
