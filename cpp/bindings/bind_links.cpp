#include <pybind11/native_enum.h>
#include <pybind11/stl.h>

#include "bindings.hpp"
#include "xner/links.hpp"

namespace py = pybind11;

namespace xner::bindings {

namespace {

using IndexPairs = std::vector<std::pair<std::int32_t, std::int32_t>>;

std::vector<Link> to_links(const IndexPairs& pairs) {
  std::vector<Link> links;
  links.reserve(pairs.size());
  for (const auto& [source, target] : pairs) links.push_back({source, target});
  return links;
}

IndexPairs symmetrize_pairs(const IndexPairs& forward, const IndexPairs& reverse, Symmetrization method) {
  IndexPairs result;
  for (const Link link : symmetrize(to_links(forward), to_links(reverse), method)) {
    result.emplace_back(link.source, link.target);
  }
  return result;
}

}  // namespace

void register_links(py::module_& m) {
  py::native_enum<Symmetrization>(m, "Symmetrization", "enum.Enum",
                                  "How two directional alignments become one.")
      .value("intersect", Symmetrization::intersect)
      .value("union", Symmetrization::union_)
      .value("grow_diag", Symmetrization::grow_diag)
      .value("grow_diag_final", Symmetrization::grow_diag_final)
      .value("grow_diag_final_and", Symmetrization::grow_diag_final_and)
      .finalize();
  m.def("symmetrize", &symmetrize_pairs, py::arg("forward"), py::arg("reverse"), py::kw_only(),
        py::arg("method"), "One alignment out of a source-to-target and a target-to-source one.");
}

}  // namespace xner::bindings
