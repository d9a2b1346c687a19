#include "bindings.hpp"

// What threads share is locked (memories), copied before the GIL is released (options, corpora) or never changed
// (models), so that Python without a GIL may use it as well.
PYBIND11_MODULE(_core, m, pybind11::mod_gil_not_used()) {
  m.doc() = "The native core of xner.";
  m.attr("__version__") = XNER_VERSION;
  xner::bindings::register_errors(m);
  xner::bindings::register_arrow(m);
  xner::bindings::register_fields(m);
  xner::bindings::register_labels(m);
  xner::bindings::register_links(m);
  xner::bindings::register_extraction(m);
  xner::bindings::register_candidates(m);
  xner::bindings::register_scores(m);
  xner::bindings::register_matching(m);
  xner::bindings::register_project(m);
  xner::bindings::register_memory(m);
  xner::bindings::register_aligner(m);
}
