#include <pybind11/stl.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arrow_bindings.hpp"
#include "bindings.hpp"
#include "unlocked.hpp"
#include "xner/memory.hpp"

namespace py = pybind11;

namespace xner::bindings {

namespace {

// A memory that several threads may use: those that remember take turns. Locks are taken without the GIL, or for as long
// as nothing waits for it.
class SharedMemory {
 public:
  SharedMemory() = default;
  explicit SharedMemory(ProjectionMemory memory) : memory_(std::move(memory)) {}

  void remember(const py::object& batch) {
    const ImportedArray imported(batch);
    const Unlocked unlocked;
    const std::unique_lock lock(mutex_);
    remember_batch(memory_, imported.ref());
  }

  void remember_counts(const py::object& batch) {
    const ImportedArray imported(batch);
    const Unlocked unlocked;
    const std::unique_lock lock(mutex_);
    xner::remember_counts(memory_, imported.ref());
  }

  [[nodiscard]] ExportedArray recall(const py::object& batch, std::uint32_t least, double weight,
                                     bool all_remembered, std::size_t threads) const {
    const ImportedArray imported(batch);
    const Unlocked unlocked;
    const std::shared_lock lock(mutex_);
    return ExportedArray(recall_batch(memory_, imported.ref(), least, weight, all_remembered, threads));
  }

  [[nodiscard]] std::size_t size() const {
    const py::gil_scoped_release unlocked;
    const std::shared_lock lock(mutex_);
    return memory_.size();
  }

  [[nodiscard]] ProjectionMemory copy() const {
    const py::gil_scoped_release unlocked;
    const std::shared_lock lock(mutex_);
    return memory_;
  }

 private:
  ProjectionMemory memory_;
  mutable std::shared_mutex mutex_;
};

// The bytes of source words, and what they were projected onto how often; the rows that were remembered. A memory gives
// it always in the same order.
using Counted = std::vector<std::pair<std::vector<std::int32_t>, std::uint32_t>>;
using State = std::pair<std::vector<std::pair<py::bytes, Counted>>, std::vector<std::uint64_t>>;

State state_of(const SharedMemory& shared) {
  const ProjectionMemory memory = shared.copy();
  std::vector<std::string_view> keys;
  for (const auto& [key, forms] : memory.forms()) keys.emplace_back(key);
  std::ranges::sort(keys);
  State state;
  for (const std::string_view key : keys) {
    auto& counted = state.first.emplace_back(py::bytes(key.data(), key.size()), Counted()).second;
    for (const auto& [words, count] : memory.forms().at(std::string(key))) counted.emplace_back(words, count);
  }
  state.second.assign(memory.rows().begin(), memory.rows().end());
  std::ranges::sort(state.second);
  return state;
}

std::unique_ptr<SharedMemory> memory_of(const State& state) {
  ProjectionMemory::Forms forms;
  for (const auto& [key, counted] : state.first) {
    auto& of_key = forms[std::string(key)];
    for (const auto& [words, count] : counted) of_key.push_back({.words = words, .count = count});
  }
  return std::make_unique<SharedMemory>(
      ProjectionMemory(std::move(forms), {state.second.begin(), state.second.end()}));
}

}  // namespace

void register_memory(py::module_& m) {
  py::class_<SharedMemory>(m, "ProjectionMemory", "What a corpus has projected entities onto.")
      .def(py::init<>())
      .def("__len__", &SharedMemory::size)
      .def("remember", &SharedMemory::remember, py::arg("batch"), "Adds the projected entities of a batch.")
      .def("remember_counts", &SharedMemory::remember_counts, py::arg("batch"),
           "Adds projections that were counted elsewhere.")
      .def("recall", &SharedMemory::recall, py::arg("batch"), py::kw_only(), py::arg("least"),
           py::arg("weight"), py::arg("all_remembered") = false, py::arg("threads"),
           "Hints for the source entities of a batch.")
      .def(py::pickle(&state_of, &memory_of));
}

}  // namespace xner::bindings
