#include <pybind11/native_enum.h>
#include <pybind11/stl.h>

#include <algorithm>

#include "arrow_bindings.hpp"
#include "bindings.hpp"
#include "xner/project.hpp"

namespace py = pybind11;

namespace xner::bindings {

namespace {

ProjectOptions make_options(Method method, MatcherKind matcher, Constraint::Relation relation,
                            std::uint32_t n, CandidateKind candidates, std::int32_t min_words,
                            std::optional<std::int32_t> max_words, std::vector<std::string> stop_words,
                            Count count, Ties ties, bool links_are_a_set,
                            std::optional<double> length_ratio_threshold, std::int32_t merge_distance,
                            OverlapPolicy policy, std::optional<std::int32_t> top_k, TopKOrder top_k_order,
                            bool only_i, bool canonical_order) {
  ProjectOptions options;
  options.method = method;
  options.matcher = matcher;
  options.constraint = {relation, n};
  options.score.candidates = candidates;
  options.score.limits.min_words = min_words;
  if (max_words) options.score.limits.max_words = *max_words;
  options.score.count = count;
  options.score.ties = ties;
  options.score.links_are_a_set = links_are_a_set;
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

// Everything of one sentence pair, owned; what Python hands over for it.
struct OwnedPair {
  std::vector<std::string> tokens;
  std::vector<Span> entities;
  std::vector<std::string> label_text;
  std::vector<std::string_view> labels;
  std::vector<std::int32_t> sources;
  std::vector<std::int32_t> targets;
  std::vector<float> scores;
  std::vector<Span> candidates;
  std::vector<std::int32_t> stops;
};

using EntityTuple = std::tuple<std::int32_t, std::int32_t, std::string>;
using IndexPair = std::pair<std::int32_t, std::int32_t>;

OwnedPair own(std::vector<std::string> tokens, const std::vector<EntityTuple>& entities,
              const std::vector<IndexPair>& links, std::vector<float> scores,
              const std::vector<IndexPair>& candidates, const ProjectOptions& options) {
  OwnedPair pair;
  pair.tokens = std::move(tokens);
  for (const auto& [start, end, label] : entities) {
    pair.entities.push_back({start, end});
    pair.label_text.push_back(label);
  }
  pair.labels.assign(pair.label_text.begin(), pair.label_text.end());
  for (const auto& [source, target] : links) {
    pair.sources.push_back(source);
    pair.targets.push_back(target);
  }
  pair.scores = std::move(scores);
  for (const auto& [start, end] : candidates) pair.candidates.push_back({start, end});
  for (std::size_t word = 0; word < pair.tokens.size(); ++word) {
    if (options.stop_words.contains(pair.tokens[word])) pair.stops.push_back(static_cast<std::int32_t>(word));
  }
  return pair;
}

using ProjectedTuple = std::tuple<std::int32_t, std::int32_t, std::string, double, double, std::uint32_t>;

// (labels, entities as (start, end, label, score, margin, source), status, objective, bound)
std::tuple<std::vector<std::string>, std::vector<ProjectedTuple>, std::string, double, double>
project_sentence(std::vector<std::string> tokens, const std::vector<EntityTuple>& entities,
                 const std::vector<IndexPair>& links, std::vector<float> scores,
                 const std::vector<IndexPair>& candidates, std::int32_t source_words,
                 const ProjectOptions& options) {
  const OwnedPair pair = own(std::move(tokens), entities, links, std::move(scores), candidates, options);
  SentenceProjector projector(options);
  const Projection& projection =
      projector({.source_words = source_words,
                 .target_words = static_cast<std::int32_t>(pair.tokens.size()),
                 .entities = pair.entities,
                 .labels = pair.labels,
                 .links = {.source = pair.sources, .target = pair.targets, .score = pair.scores},
                 .candidates = pair.candidates,
                 .hints = {},
                 .stops = pair.stops});
  std::vector<std::string> labels(pair.tokens.size(), "O");
  for (const TagRun& run : projection.runs) {
    for (std::int32_t word = run.span.start; word < run.span.end; ++word) {
      const bool begins = run.begins && word == run.span.start;
      labels[static_cast<std::size_t>(word)] = (begins ? "B-" : "I-") + std::string(run.label);
    }
  }
  std::vector<ProjectedTuple> projected;
  for (const ProjectedEntity& entity : projection.entities) {
    projected.emplace_back(entity.span.start, entity.span.end, pair.label_text[entity.source],
                           static_cast<double>(entity.score), static_cast<double>(entity.margin),
                           entity.source);
  }
  return {std::move(labels), std::move(projected),
          std::string(status_names[static_cast<std::size_t>(projection.status)]), projection.objective,
          projection.bound};
}

ExportedArray project_record_batch(const py::object& batch, const ProjectOptions& options,
                                   std::size_t threads, bool skip_invalid) {
  const ImportedArray imported(batch);
  const py::gil_scoped_release unlocked;
  return ExportedArray(project_batch(imported.ref(), options, threads, skip_invalid));
}

std::vector<std::tuple<std::uint32_t, std::int32_t, std::int32_t, double>> score_candidates(
    std::vector<std::string> tokens, const std::vector<EntityTuple>& entities,
    const std::vector<IndexPair>& links, std::vector<float> scores, const std::vector<IndexPair>& candidates,
    std::int32_t source_words, const ProjectOptions& options) {
  const OwnedPair pair = own(std::move(tokens), entities, links, std::move(scores), candidates, options);
  check_pair({.source_words = source_words,
              .target_words = static_cast<std::int32_t>(pair.tokens.size()),
              .entities = pair.entities,
              .labels = pair.labels,
              .links = {.source = pair.sources, .target = pair.targets, .score = pair.scores},
              .candidates = pair.candidates,
              .hints = {},
              .stops = pair.stops},
             options.score.count);
  AlignmentScorer scorer;
  const ScoredPairs& scored =
      scorer({.source_words = source_words,
              .target_words = static_cast<std::int32_t>(pair.tokens.size()),
              .entities = pair.entities,
              .links = {.source = pair.sources, .target = pair.targets, .score = pair.scores},
              .given = pair.candidates,
              .hints = {},
              .stops = pair.stops},
             options.score);
  std::vector<std::tuple<std::uint32_t, std::int32_t, std::int32_t, double>> result;
  result.reserve(scored.pairs.size());
  for (const Pair& scored_pair : scored.pairs) {
    result.emplace_back(scored_pair.entity, scored_pair.span.start, scored_pair.span.end, scored_pair.score);
  }
  return result;
}

// A matching problem with scores from anywhere: (chosen as (pair, margin), objective, bound, proven).
std::tuple<std::vector<std::pair<std::uint32_t, double>>, double, double, bool> match_pairs(
    const std::vector<std::tuple<std::uint32_t, std::int32_t, std::int32_t, double>>& pairs,
    std::uint32_t entities, MatcherKind kind, Constraint::Relation relation, std::uint32_t n) {
  ScoredPairs scored;
  std::vector<std::vector<std::uint32_t>> rows(entities);
  for (std::uint32_t i = 0; i < pairs.size(); ++i) rows.at(std::get<0>(pairs[i])).push_back(i);
  // Only the order of the spans' ends matters: ranks in their place keep the matcher's memory in proportion.
  std::vector<std::int32_t> edges;
  for (const auto& [entity, start, end, score] : pairs) {
    edges.push_back(start);
    edges.push_back(end);
  }
  std::ranges::sort(edges);
  edges.erase(std::ranges::unique(edges).begin(), edges.end());
  const auto rank = [&](std::int32_t edge) {
    return static_cast<std::int32_t>(std::ranges::lower_bound(edges, edge) - edges.begin());
  };
  std::vector<std::uint32_t> given;
  for (const auto& row : rows) {
    scored.begin.push_back(static_cast<std::uint32_t>(scored.pairs.size()));
    for (const std::uint32_t i : row) {
      const auto& [entity, start, end, score] = pairs[i];
      if (!(score > 0)) continue;
      scored.pairs.push_back(
          {.entity = entity, .span = {rank(start), rank(end)}, .score = score, .value = score});
      given.push_back(i);
    }
  }
  scored.begin.push_back(static_cast<std::uint32_t>(scored.pairs.size()));
  Matcher matcher;
  const Constraint constraint{relation, n};
  const Matching& matching =
      kind == MatcherKind::exact ? matcher.exact(scored, constraint) : matcher.greedy(scored, constraint);
  std::vector<std::pair<std::uint32_t, double>> chosen;
  for (const Match& match : matching.chosen) chosen.emplace_back(given[match.pair], match.margin);
  return {std::move(chosen), matching.objective, matching.bound, matching.proven};
}

}  // namespace

void register_project(py::module_& m) {
  py::native_enum<Method>(m, "Method", "enum.Enum", "How labels are projected.")
      .value("candidates", Method::candidates)
      .value("heuristic", Method::heuristic)
      .finalize();
  py::native_enum<MatcherKind>(m, "MatcherKind", "enum.Enum", "How pairs are chosen.")
      .value("exact", MatcherKind::exact)
      .value("greedy", MatcherKind::greedy)
      .finalize();
  py::native_enum<Constraint::Relation>(m, "Relation", "enum.Enum",
                                        "Number of projections of an entity, against n.")
      .value("less_equal", Constraint::Relation::less_equal)
      .value("equal", Constraint::Relation::equal)
      .value("greater_equal", Constraint::Relation::greater_equal)
      .value("less", Constraint::Relation::less)
      .value("greater", Constraint::Relation::greater)
      .finalize();
  py::native_enum<Count>(m, "Count", "enum.Enum", "What the alignment score counts.")
      .value("links", Count::links)
      .value("words", Count::words)
      .value("weighted", Count::weighted)
      .finalize();
  py::native_enum<Ties>(m, "Ties", "enum.Enum", "What decides between equal scores.")
      .value("first", Ties::first)
      .value("evidence", Ties::evidence)
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
      .def(py::init(&make_options), py::kw_only(), py::arg("method"), py::arg("matcher"), py::arg("relation"),
           py::arg("n"), py::arg("candidates"), py::arg("min_words"), py::arg("max_words"),
           py::arg("stop_words"), py::arg("count"), py::arg("ties"), py::arg("links_are_a_set"),
           py::arg("length_ratio_threshold"), py::arg("merge_distance"), py::arg("policy"), py::arg("top_k"),
           py::arg("top_k_order"), py::arg("only_i"), py::arg("canonical_order"),
           "See xner.projection.ProjectionOptions.");

  m.def("project_sentence", &project_sentence, py::arg("tokens"), py::arg("entities"), py::arg("links"),
        py::arg("scores"), py::arg("candidates"), py::arg("source_words"), py::arg("options"),
        "Projects one sentence pair.");
  m.def("project_batch", &project_record_batch, py::arg("batch"), py::arg("options"), py::kw_only(),
        py::arg("threads"), py::arg("skip_invalid"), "Projects every row of a record batch.");
  m.def("score_candidates", &score_candidates, py::arg("tokens"), py::arg("entities"), py::arg("links"),
        py::arg("scores"), py::arg("candidates"), py::arg("source_words"), py::arg("options"),
        "Pairs (entity, start, end, score) with a positive alignment score.");
  m.def("match_pairs", &match_pairs, py::arg("pairs"), py::kw_only(), py::arg("entities"), py::arg("matcher"),
        py::arg("relation"), py::arg("n"), "Chooses among pairs (entity, start, end, score).");
}

}  // namespace xner::bindings
