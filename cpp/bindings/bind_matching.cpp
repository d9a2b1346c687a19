#include <pybind11/native_enum.h>
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "bindings.hpp"
#include "numpy_bindings.hpp"
#include "unlocked.hpp"
#include "xner/matching.hpp"
#include "xner/scores.hpp"

namespace py = pybind11;

namespace xner::bindings {

namespace {

// Only the order of the spans' ends matters: ranks in their place keep the matcher's memory in proportion.
void rank(std::vector<Span>& spans) {
  std::vector<std::int32_t> edges;
  edges.reserve(2 * spans.size());
  for (const Span span : spans) {
    edges.push_back(span.start);
    edges.push_back(span.end);
  }
  std::ranges::sort(edges);
  edges.erase(std::ranges::unique(edges).begin(), edges.end());
  const auto rank_of = [&](std::int32_t edge) {
    return static_cast<std::int32_t>(std::ranges::lower_bound(edges, edge) - edges.begin());
  };
  for (Span& span : spans) span = {rank_of(span.start), rank_of(span.end)};
}

// Throws Error for arrays that are not of one size, entities that do not ascend or that there are not, scores that are
// not finite.
ScoredPairs scored_pairs(const Array<std::int32_t>& entity, const Array<std::int32_t>& spans,
                         const Array<double>& score, std::uint32_t entities) {
  std::vector<Span> ranks = require_spans(spans, std::numeric_limits<std::int32_t>::max(), "spans");
  require_size(entity, ranks.size(), "entity");
  require_size(score, ranks.size(), "score");
  rank(ranks);
  ScoredPairs scored;
  scored.pairs.reserve(ranks.size());
  scored.begin.reserve(std::size_t{entities} + 1);
  std::int32_t before = 0;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    const std::int32_t of = entity.data()[i];
    if (of < before || std::cmp_greater_equal(of, entities)) {
      throw Error("entity: expected ascending numbers below " + std::to_string(entities) + ", found " +
                  std::to_string(of) + " at " + std::to_string(i));
    }
    if (!std::isfinite(score.data()[i])) {
      throw Error("score: expected finite numbers, found " + std::to_string(score.data()[i]) + " at " +
                  std::to_string(i));
    }
    before = of;
    const auto row = static_cast<std::uint32_t>(of);
    while (scored.begin.size() <= row) scored.begin.push_back(static_cast<std::uint32_t>(i));
    scored.pairs.push_back({row, ranks[i], score.data()[i], score.data()[i]});
  }
  while (scored.begin.size() <= entities) {
    scored.begin.push_back(static_cast<std::uint32_t>(scored.pairs.size()));
  }
  return scored;
}

void require_pairs(const std::vector<std::uint32_t>& forced, std::size_t pairs) {
  for (const std::uint32_t pair : forced) {
    if (pair >= pairs) {
      throw Error("forced: expected pairs below " + std::to_string(pairs) + ", found " +
                  std::to_string(pair));
    }
  }
}

const char* name(MatchStatus status) {
  switch (status) {
    case MatchStatus::optimal:
      return "optimal";
    case MatchStatus::feasible:
      return "feasible";
    case MatchStatus::infeasible:
      return "infeasible";
    default:
      return "unknown";
  }
}

// (status, chosen as (pair, margin), objective, bound, shortage as (entities, required, possible))
using Shortages = std::tuple<std::vector<std::uint32_t>, std::uint64_t, std::uint64_t>;
using Result =
    std::tuple<std::string, std::vector<std::pair<std::uint32_t, double>>, double, double, Shortages>;

Result as_result(const Matching& matching) {
  std::vector<std::pair<std::uint32_t, double>> chosen;
  for (const Match& match : matching.chosen) chosen.emplace_back(match.pair, match.margin);
  const Shortage& shortage = matching.shortage;
  return {name(matching.status),
          std::move(chosen),
          matching.objective,
          matching.bound,
          {shortage.entities, shortage.required, shortage.possible}};
}

// `count` of 0: the one choice of the matcher, with margins if asked for; else the best ones.
std::vector<Result> solve_matching(const Array<std::int32_t>& entity, const Array<std::int32_t>& spans,
                                   const Array<double>& score, std::uint32_t entities, MatcherKind matcher,
                                   Constraint::Relation relation, std::uint32_t n,
                                   const std::vector<std::uint32_t>& forced, const Array<bool>& forbidden,
                                   bool margins, double time_limit, std::size_t count) {
  const ScoredPairs scored = scored_pairs(entity, spans, score, entities);
  require_pairs(forced, scored.pairs.size());
  if (forbidden.size() != 0) require_size(forbidden, scored.pairs.size(), "forbidden");
  const std::vector<char> marks(forbidden.data(), forbidden.data() + forbidden.size());
  MatchOptions options;
  options.constraint = {relation, n};
  options.forced = forced;
  options.forbidden = marks;
  options.margins = margins;
  options.time_limit = std::chrono::nanoseconds(static_cast<std::int64_t>(time_limit * 1e9));
  const Unlocked unlocked;
  Matcher solver;
  std::vector<Result> results;
  if (count > 0) {
    for (const Matching& matching : solver.best(scored, options, count))
      results.push_back(as_result(matching));
  } else {
    results.push_back(as_result(matcher == MatcherKind::exact ? solver.exact(scored, options)
                                                              : solver.greedy(scored, options)));
  }
  return results;
}

}  // namespace

void register_matching(py::module_& m) {
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

  m.def("solve_matching", &solve_matching, py::arg("entity").noconvert(), py::arg("spans").noconvert(),
        py::arg("score").noconvert(), py::kw_only(), py::arg("entities"), py::arg("matcher"),
        py::arg("relation"), py::arg("n"), py::arg("forced"), py::arg("forbidden").noconvert(),
        py::arg("margins"), py::arg("time_limit"), py::arg("count"),
        "Chooses among scored pairs sorted by entity; the one choice, or the `count` best.");
}

}  // namespace xner::bindings
