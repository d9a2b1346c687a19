#include <pybind11/stl.h>
#include <pybind11/typing.h>

#include <string>
#include <vector>

#include "bindings.hpp"
#include "numpy_bindings.hpp"
#include "xner/error.hpp"
#include "xner/ner_score.hpp"

namespace py = pybind11;

namespace xner::bindings {

namespace {

std::vector<Span> spans_of(const Array<std::int32_t>& candidates) {
  std::vector<Span> spans;
  for (py::ssize_t i = 0; i < candidates.shape(0); ++i) {
    spans.push_back({candidates.at(i, 0), candidates.at(i, 1)});
  }
  return spans;
}

// One array of scores a candidate for every class; `probabilities` is words x labels, `candidates` n x 2.
py::typing::Dict<py::str, py::array> ner_scores(const Array<float>& probabilities, const NerLabels& labels,
                                                const Array<std::int32_t>& candidates, double alpha,
                                                double threshold) {
  NerScore score;
  score.set_sentence(as_span(probabilities), labels, {.alpha = alpha, .threshold = threshold});
  const std::vector<Span> spans = spans_of(candidates);
  py::dict result;
  for (std::uint32_t index = 0; index < labels.classes().size(); ++index) {
    std::vector<double> values;
    for (const Span span : spans) values.push_back(score.of_class(index, span));
    result[py::str(labels.classes()[index].name)] = to_numpy(std::move(values));
  }
  return result;
}

py::array_t<double> ner_span_scores(const Array<float>& probabilities, const NerLabels& labels,
                                    const Array<std::int32_t>& candidates, double alpha, double threshold) {
  NerScore score;
  score.set_sentence(as_span(probabilities), labels, {.alpha = alpha, .threshold = threshold});
  std::vector<double> values;
  for (const Span span : spans_of(candidates)) values.push_back(score.of_any_class(span));
  return to_numpy(std::move(values));
}

}  // namespace

void register_scores(py::module_& m) {
  py::class_<NerLabels>(m, "NerLabels", "A tagger's label names, checked.")
      .def(py::init<std::vector<std::string>>(), py::arg("names"))
      .def("__len__", &NerLabels::size, "Number of labels.");
  m.def("ner_scores", &ner_scores, py::arg("probabilities").noconvert(), py::arg("labels"),
        py::arg("candidates").noconvert(), py::kw_only(), py::arg("alpha"), py::arg("threshold"),
        "For every class the NER scores of the candidates.");
  m.def("ner_span_scores", &ner_span_scores, py::arg("probabilities").noconvert(), py::arg("labels"),
        py::arg("candidates").noconvert(), py::kw_only(), py::arg("alpha"), py::arg("threshold"),
        "The candidates' best NER scores of any class.");
}

}  // namespace xner::bindings
