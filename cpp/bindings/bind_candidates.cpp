#include <pybind11/native_enum.h>
#include <pybind11/stl.h>

#include "bindings.hpp"
#include "xner/candidates.hpp"

namespace py = pybind11;

namespace xner::bindings {

namespace {

std::vector<std::pair<std::int32_t, std::int32_t>> ngrams(const std::vector<std::string>& tokens,
                                                          std::int32_t min_words,
                                                          std::optional<std::int32_t> max_words,
                                                          std::vector<std::string> stop_words) {
  const StopWords stop(std::move(stop_words));
  std::vector<std::int32_t> stops;
  for (std::size_t word = 0; word < tokens.size(); ++word) {
    if (stop.contains(tokens[word])) stops.push_back(static_cast<std::int32_t>(word));
  }
  CandidateLimits limits{.min_words = min_words};
  if (max_words) limits.max_words = *max_words;
  std::vector<std::pair<std::int32_t, std::int32_t>> result;
  for (const Span span : ngram_candidates(static_cast<std::int32_t>(tokens.size()), limits, stops)) {
    result.emplace_back(span.start, span.end);
  }
  return result;
}

}  // namespace

void register_candidates(py::module_& m) {
  py::native_enum<CandidateKind>(m, "CandidateKind", "enum.Enum", "Which target spans are candidates.")
      .value("ngram", CandidateKind::ngram)
      .value("aligned", CandidateKind::aligned)
      .value("aligned_ends", CandidateKind::aligned_ends)
      .value("given", CandidateKind::given)
      .finalize();
  m.def("ngram_candidates", &ngrams, py::arg("tokens"), py::kw_only(), py::arg("min_words"),
        py::arg("max_words"), py::arg("stop_words"),
        "Spans (start, end) without a stop word, by start, then end.");
}

}  // namespace xner::bindings
