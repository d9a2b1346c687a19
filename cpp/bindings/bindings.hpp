// What the binding files share: the registration functions that module.cpp calls.
#pragma once

#include <pybind11/pybind11.h>

namespace xner::bindings {

void register_errors(pybind11::module_& m);
void register_arrow(pybind11::module_& m);
void register_fields(pybind11::module_& m);
void register_labels(pybind11::module_& m);
void register_links(pybind11::module_& m);
void register_extraction(pybind11::module_& m);
void register_candidates(pybind11::module_& m);
void register_scores(pybind11::module_& m);
void register_matching(pybind11::module_& m);
void register_project(pybind11::module_& m);
void register_aligner(pybind11::module_& m);
void register_memory(pybind11::module_& m);

}  // namespace xner::bindings
