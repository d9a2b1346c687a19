// Long calls into the core.
#pragma once

#include <pybind11/pybind11.h>

#include "xner/parallel.hpp"

namespace xner::bindings {

// While it lives, other Python threads run, and Ctrl-C ends what the core does within a twentieth of a second or so.
class Unlocked {
 public:
  Unlocked() : interruptible_(&check_signals) {}

 private:
  static void check_signals() {
    const pybind11::gil_scoped_acquire locked;
    if (PyErr_CheckSignals() != 0) throw pybind11::error_already_set();
  }

  pybind11::gil_scoped_release released_;
  Interruptible interruptible_;
};

}  // namespace xner::bindings
