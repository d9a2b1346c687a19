#include <pybind11/native_enum.h>
#include <pybind11/stl.h>
#include <pybind11/typing.h>

#include <optional>
#include <string>
#include <vector>

#include "bindings.hpp"
#include "numpy_bindings.hpp"
#include "xner/error.hpp"
#include "xner/ner_score.hpp"
#include "xner/scores.hpp"

namespace py = pybind11;

namespace xner::bindings {

namespace {

ScoreOptions make_score_options(std::optional<CandidateKind> candidates, std::int32_t min_words,
                                std::optional<std::int32_t> max_words, double alignment, double ner,
                                double ner_spans, double characters, double nmt, Count count,
                                bool links_are_a_set, std::vector<std::string> ner_labels, double ner_alpha,
                                double ner_threshold, double character_threshold, Ties ties) {
  ScoreOptions options;
  options.candidates = candidates;
  options.limits.min_words = min_words;
  if (max_words) options.limits.max_words = *max_words;
  options.weights = {
      .alignment = alignment, .ner = ner, .ner_spans = ner_spans, .characters = characters, .nmt = nmt};
  options.count = count;
  options.links_are_a_set = links_are_a_set;
  options.ner_labels = NerLabels(std::move(ner_labels));
  options.ner = {.alpha = ner_alpha, .threshold = ner_threshold};
  options.character_threshold = character_threshold;
  options.ties = ties;
  return options;
}

NerScore ner_score_of(const Array<float>& probabilities, const NerLabels& labels, double alpha,
                      double threshold) {
  if (probabilities.ndim() != 2 || static_cast<std::size_t>(probabilities.shape(1)) != labels.size()) {
    throw Error("probabilities: expected an array of words x " + std::to_string(labels.size()) + " labels");
  }
  NerScore score;
  score.set_sentence(as_span(probabilities), labels, {.alpha = alpha, .threshold = threshold});
  return score;
}

// One array of scores a candidate for every class; `probabilities` is words x labels, `candidates` n x 2.
py::typing::Dict<py::str, py::array> ner_scores(const Array<float>& probabilities, const NerLabels& labels,
                                                const Array<std::int32_t>& candidates, double alpha,
                                                double threshold) {
  NerScore score = ner_score_of(probabilities, labels, alpha, threshold);
  const std::vector<Span> spans = require_spans(candidates, probabilities.shape(0), "candidates");
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
  NerScore score = ner_score_of(probabilities, labels, alpha, threshold);
  std::vector<double> values;
  for (const Span span : require_spans(candidates, probabilities.shape(0), "candidates"))
    values.push_back(score.of_any_class(span));
  return to_numpy(std::move(values));
}

// entities x candidates; the spans are arrays, n x 2.
py::array_t<double> character_scores(const std::vector<std::string>& source,
                                     const std::vector<std::string>& target,
                                     const Array<std::int32_t>& entities,
                                     const Array<std::int32_t>& candidates, double threshold) {
  const std::vector<std::string_view> source_words(source.begin(), source.end());
  const std::vector<std::string_view> target_words(target.begin(), target.end());
  const std::vector<Span> spans =
      require_spans(candidates, static_cast<std::int64_t>(target.size()), "candidates");
  CharacterScore score;
  score.set_sentence(target_words, threshold);
  std::vector<double> values;
  for (const Span entity : require_spans(entities, static_cast<std::int64_t>(source.size()), "entities")) {
    score.set_entity(
        std::span(source_words)
            .subspan(static_cast<std::size_t>(entity.start), static_cast<std::size_t>(entity.length())));
    for (const Span span : spans) values.push_back(score.of(span));
  }
  return to_numpy(std::move(values)).reshape({entities.shape(0), candidates.shape(0)});
}

}  // namespace

void register_scores(py::module_& m) {
  py::native_enum<Count>(m, "Count", "enum.Enum", "What the alignment score counts.")
      .value("links", Count::links)
      .value("words", Count::words)
      .value("weighted", Count::weighted)
      .finalize();
  py::native_enum<Ties>(m, "Ties", "enum.Enum", "What decides between equal scores.")
      .value("first", Ties::first)
      .value("evidence", Ties::evidence)
      .finalize();
  py::class_<NerLabels>(m, "NerLabels", "A tagger's label names, checked.")
      .def(py::init<std::vector<std::string>>(), py::arg("names"))
      .def("__len__", &NerLabels::size, "Number of labels.");
  py::class_<ScoreOptions>(m, "ScoreOptions", "What is scored, and how.")
      .def(py::init(&make_score_options), py::kw_only(), py::arg("candidates"), py::arg("min_words"),
           py::arg("max_words"), py::arg("alignment"), py::arg("ner"), py::arg("ner_spans"),
           py::arg("characters"), py::arg("nmt"), py::arg("count"), py::arg("links_are_a_set"),
           py::arg("ner_labels"), py::arg("ner_alpha"), py::arg("ner_threshold"),
           py::arg("character_threshold"), py::arg("ties"), "See xner.projection.ProjectionOptions.")
      .def_property_readonly(
          "candidates", [](const ScoreOptions& options) { return candidate_kind(options, {}); },
          "The kind of the candidates of sentences without hints below 0.");
  m.def("ner_scores", &ner_scores, py::arg("probabilities").noconvert(), py::arg("labels"),
        py::arg("candidates").noconvert(), py::kw_only(), py::arg("alpha"), py::arg("threshold"),
        "For every class the NER scores of the candidates.");
  m.def("ner_span_scores", &ner_span_scores, py::arg("probabilities").noconvert(), py::arg("labels"),
        py::arg("candidates").noconvert(), py::kw_only(), py::arg("alpha"), py::arg("threshold"),
        "The candidates' best NER scores of any class.");
  m.def("character_scores", &character_scores, py::arg("source"), py::arg("target"),
        py::arg("entities").noconvert(), py::arg("candidates").noconvert(), py::kw_only(),
        py::arg("threshold"), "Edit similarities of entities and candidates, of folded words.");
}

}  // namespace xner::bindings
