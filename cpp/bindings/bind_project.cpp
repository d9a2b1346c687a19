#include <pybind11/native_enum.h>
#include <pybind11/stl.h>

#include "arrow_bindings.hpp"
#include "bindings.hpp"
#include "numpy_bindings.hpp"
#include "unlocked.hpp"
#include "xner/project.hpp"

namespace py = pybind11;

namespace xner::bindings {

namespace {

ProjectOptions make_project_options(Method method, MatcherKind matcher, Constraint::Relation relation,
                                    std::uint32_t n, const ScoreOptions& score,
                                    const std::vector<std::pair<std::string, double>>& hint_columns,
                                    std::vector<std::string> stop_words,
                                    std::optional<double> length_ratio_threshold, std::int32_t merge_distance,
                                    OverlapPolicy policy, std::optional<std::int32_t> top_k,
                                    TopKOrder top_k_order, bool only_i, bool canonical_order) {
  ProjectOptions options;
  options.method = method;
  options.matcher = matcher;
  options.constraint = {relation, n};
  options.score = score;
  options.hint_columns.clear();
  for (const auto& [name, weight] : hint_columns) options.hint_columns.push_back({name, weight});
  options.stop_words = StopWords(std::move(stop_words));
  options.heuristic = {.length_ratio_threshold = length_ratio_threshold,
                       .merge_distance = merge_distance,
                       .policy = policy,
                       .top_k = top_k,
                       .top_k_order = top_k_order,
                       .only_i = only_i};
  options.canonical_order = canonical_order;
  return options;
}

using EntityTuple = std::tuple<std::int32_t, std::int32_t, std::string>;
using IndexPair = std::pair<std::int32_t, std::int32_t>;
using HintTuple = std::tuple<std::uint32_t, std::int32_t, std::int32_t, float>;

// Everything of one sentence pair, owned; what Python hands over for it.
class OwnedPair {
 public:
  OwnedPair(std::vector<std::string> tokens, const std::vector<EntityTuple>& entities,
            const std::vector<IndexPair>& links, std::vector<float> link_scores,
            const std::vector<IndexPair>& candidates, std::int32_t source_words,
            const std::vector<HintTuple>& hints, const Array<float>& probabilities,
            std::vector<std::string> source_text, std::vector<std::string> target_text)
      : tokens_(std::move(tokens)),
        link_scores_(std::move(link_scores)),
        source_words_(source_words),
        probabilities_(as_span(probabilities).begin(), as_span(probabilities).end()),
        source_text_(std::move(source_text)),
        target_text_(std::move(target_text)) {
    for (const auto& [start, end, label] : entities) {
      entities_.push_back({start, end});
      labels_.push_back(label);
    }
    for (const auto& [source, target] : links) {
      sources_.push_back(source);
      targets_.push_back(target);
    }
    for (const auto& [start, end] : candidates) candidates_.push_back({start, end});
    for (const auto& [entity, start, end, score] : hints) hints_.push_back({entity, {start, end}, score});
    label_views_.assign(labels_.begin(), labels_.end());
    source_text_views_.assign(source_text_.begin(), source_text_.end());
    target_text_views_.assign(target_text_.begin(), target_text_.end());
  }
  // Views point into strings, which move with an object.
  OwnedPair(const OwnedPair&) = delete;
  OwnedPair& operator=(const OwnedPair&) = delete;
  OwnedPair(OwnedPair&&) = delete;
  OwnedPair& operator=(OwnedPair&&) = delete;
  ~OwnedPair() = default;

  [[nodiscard]] std::size_t words() const { return tokens_.size(); }
  [[nodiscard]] const std::string& label(std::uint32_t entity) const { return labels_[entity]; }
  [[nodiscard]] std::vector<std::int32_t> stops(const StopWords& stop_words) const {
    std::vector<std::int32_t> stops;
    for (std::size_t word = 0; word < tokens_.size(); ++word) {
      if (stop_words.contains(tokens_[word])) stops.push_back(static_cast<std::int32_t>(word));
    }
    return stops;
  }
  [[nodiscard]] SentencePair view(std::span<const std::int32_t> stops) const {
    return {.source_words = source_words_,
            .target_words = static_cast<std::int32_t>(tokens_.size()),
            .entities = entities_,
            .labels = label_views_,
            .links = {.source = sources_, .target = targets_, .score = link_scores_},
            .candidates = candidates_,
            .hints = hints_,
            .stops = stops,
            .probabilities = probabilities_,
            .source_text = source_text_views_,
            .target_text = target_text_views_};
  }

 private:
  std::vector<std::string> tokens_;
  std::vector<Span> entities_;
  std::vector<std::string> labels_;
  std::vector<std::string_view> label_views_;
  std::vector<std::int32_t> sources_;
  std::vector<std::int32_t> targets_;
  std::vector<float> link_scores_;
  std::vector<Span> candidates_;
  std::int32_t source_words_;
  std::vector<Hint> hints_;
  std::vector<float> probabilities_;
  std::vector<std::string> source_text_;
  std::vector<std::string_view> source_text_views_;
  std::vector<std::string> target_text_;
  std::vector<std::string_view> target_text_views_;
};

using ProjectedTuple = std::tuple<std::int32_t, std::int32_t, std::string, double, double, std::uint32_t>;

// (labels, entities as (start, end, label, score, margin, source), status, objective, bound)
std::tuple<std::vector<std::string>, std::vector<ProjectedTuple>, std::string, double, double>
project_sentence(const OwnedPair& pair, const ProjectOptions& options) {
  const std::vector<std::int32_t> stops = pair.stops(options.stop_words);
  SentenceProjector projector(options);
  const Projection& projection = projector(pair.view(stops));
  std::vector<std::string> labels(pair.words(), "O");
  for (const TagRun& run : projection.runs) {
    for (std::int32_t word = run.span.start; word < run.span.end; ++word) {
      const bool begins = run.begins && word == run.span.start;
      labels[static_cast<std::size_t>(word)] = (begins ? "B-" : "I-") + std::string(run.label);
    }
  }
  std::vector<ProjectedTuple> projected;
  for (const ProjectedEntity& entity : projection.entities) {
    projected.emplace_back(entity.span.start, entity.span.end, pair.label(entity.source),
                           static_cast<double>(entity.score), static_cast<double>(entity.margin),
                           entity.source);
  }
  return {std::move(labels), std::move(projected),
          std::string(status_names[static_cast<std::size_t>(projection.status)]), projection.objective,
          projection.bound};
}

ExportedArray project_record_batch(const py::object& batch, ProjectOptions options, std::size_t threads,
                                   bool skip_invalid) {
  const ImportedArray imported(batch);
  const Unlocked unlocked;
  return ExportedArray(project_batch(imported.ref(), options, threads, skip_invalid));
}

ScoreInput checked_input(const SentencePair& view, const ScoreOptions& options) {
  check_pair(view, options);
  return {.source_words = view.source_words,
          .target_words = view.target_words,
          .entities = view.entities,
          .labels = view.labels,
          .links = view.links,
          .given = view.candidates,
          .hints = view.hints,
          .stops = view.stops,
          .probabilities = view.probabilities,
          .source_text = view.source_text,
          .target_text = view.target_text};
}

std::vector<std::tuple<std::uint32_t, std::int32_t, std::int32_t, double>> score_pairs(
    const OwnedPair& pair, const ProjectOptions& options) {
  const std::vector<std::int32_t> stops = pair.stops(options.stop_words);
  PairScorer scorer;
  const ScoredPairs& scored = scorer(checked_input(pair.view(stops), options.score), options.score);
  std::vector<std::tuple<std::uint32_t, std::int32_t, std::int32_t, double>> result;
  result.reserve(scored.pairs.size());
  for (const Pair& scored_pair : scored.pairs) {
    result.emplace_back(scored_pair.entity, scored_pair.span.start, scored_pair.span.end, scored_pair.score);
  }
  return result;
}

// For every entity its candidates, n x 2.
std::vector<py::array_t<std::int32_t>> entity_candidates(const OwnedPair& pair,
                                                         const ProjectOptions& options) {
  const std::vector<std::int32_t> stops = pair.stops(options.stop_words);
  PairScorer scorer;
  std::vector<py::array_t<std::int32_t>> result;
  for (const std::vector<Span>& spans :
       scorer.candidates(checked_input(pair.view(stops), options.score), options.score)) {
    std::vector<std::int32_t> ends;
    ends.reserve(2 * spans.size());
    for (const Span span : spans) ends.insert(ends.end(), {span.start, span.end});
    result.push_back(to_numpy(std::move(ends)).reshape({spans.size(), std::size_t{2}}));
  }
  return result;
}

}  // namespace

void register_project(py::module_& m) {
  py::native_enum<Method>(m, "Method", "enum.Enum", "How labels are projected.")
      .value("candidates", Method::candidates)
      .value("heuristic", Method::heuristic)
      .finalize();
  py::native_enum<OverlapPolicy>(m, "OverlapPolicy", "enum.Enum",
                                 "What the heuristic does with a range on labelled words.")
      .value("overwrite", OverlapPolicy::overwrite)
      .value("skip", OverlapPolicy::skip)
      .finalize();
  py::native_enum<TopKOrder>(m, "TopKOrder", "enum.Enum", "Which ranges top_k keeps.")
      .value("shortest", TopKOrder::shortest)
      .value("longest", TopKOrder::longest)
      .finalize();

  py::list statuses;
  for (const std::string_view name : status_names) statuses.append(std::string(name));
  m.attr("STATUS_NAMES") = py::tuple(statuses);

  py::class_<ProjectOptions>(m, "ProjectOptions", "Checked options of the projector.")
      .def(py::init(&make_project_options), py::kw_only(), py::arg("method"), py::arg("matcher"),
           py::arg("relation"), py::arg("n"), py::arg("score"), py::arg("hint_columns"),
           py::arg("stop_words"), py::arg("length_ratio_threshold"), py::arg("merge_distance"),
           py::arg("policy"), py::arg("top_k"), py::arg("top_k_order"), py::arg("only_i"),
           py::arg("canonical_order"), "See xner.projection.ProjectionOptions.");
  py::class_<OwnedPair>(m, "SentencePair", "One sentence pair, as single calls take it.")
      .def(py::init<std::vector<std::string>, const std::vector<EntityTuple>&, const std::vector<IndexPair>&,
                    std::vector<float>, const std::vector<IndexPair>&, std::int32_t,
                    const std::vector<HintTuple>&, const Array<float>&, std::vector<std::string>,
                    std::vector<std::string>>(),
           py::kw_only(), py::arg("tokens"), py::arg("entities"), py::arg("links"), py::arg("link_scores"),
           py::arg("candidates"), py::arg("source_words"), py::arg("hints"),
           py::arg("probabilities").noconvert(), py::arg("source_text"), py::arg("target_text"));

  m.def("project_sentence", &project_sentence, py::arg("pair"), py::arg("options"),
        "Projects one sentence pair.");
  m.def("project_batch", &project_record_batch, py::arg("batch"), py::arg("options"), py::kw_only(),
        py::arg("threads"), py::arg("skip_invalid"), "Projects every row of a record batch.");
  m.def("score_pairs", &score_pairs, py::arg("pair"), py::arg("options"),
        "Pairs (entity, start, end, score) with a positive score.");
  m.def("entity_candidates", &entity_candidates, py::arg("pair"), py::arg("options"),
        "For every entity the spans that are scored, n x 2; without those that only hints know.");
}

}  // namespace xner::bindings
