// Choices among scored pairs: they meet the constraint, and the exact one is no worse than the greedy one or its bound.
#include "xner/matching.hpp"

#include <cmath>
#include <map>

#include "bytes.hpp"
#include "xner/scores.hpp"

using namespace xner;
using namespace xner::fuzz;

namespace {

void check(const ScoredPairs& pairs, const MatchOptions& options, const Matching& matching, bool exact) {
  if (matching.status == MatchStatus::infeasible || matching.status == MatchStatus::unknown) return;
  std::map<std::uint32_t, std::uint32_t> uses;
  double objective = 0;
  for (std::size_t i = 0; i < matching.chosen.size(); ++i) {
    const std::uint32_t chosen = matching.chosen[i].pair;
    require(chosen < pairs.pairs.size());
    require(options.forbidden.empty() || options.forbidden[chosen] == 0);
    // Without a pair, greedy may do better.
    require(!std::isnan(matching.chosen[i].margin) && (!exact || matching.chosen[i].margin >= 0));
    objective += pairs.pairs[chosen].score;
    ++uses[pairs.pairs[chosen].entity];
    for (std::size_t j = 0; j < i; ++j) {
      require(!pairs.pairs[chosen].span.overlaps(pairs.pairs[matching.chosen[j].pair].span));
    }
  }
  for (const auto& [entity, count] : uses) require(count <= options.constraint.most());
  if (exact) {
    for (std::uint32_t entity = 0; entity < pairs.entities(); ++entity) {
      require(uses[entity] >= options.constraint.least());
    }
  }
  require(std::abs(objective - matching.objective) <= 1e-9 * std::max(1.0, objective));
  require(matching.bound >= matching.objective - 1e-9 * std::max(1.0, objective));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes bytes(data, size);
  MatchOptions options;
  options.constraint = {bytes.one_of<Constraint::Relation>(5), bytes.number<std::uint32_t>(0, 4)};
  options.margins = bytes.yes();
  const auto words = bytes.number<std::int32_t>(1, 24);
  const std::size_t entities = bytes.size(9);
  ScoredPairs pairs;
  for (std::uint32_t entity = 0; entity < entities; ++entity) {
    pairs.begin.push_back(static_cast<std::uint32_t>(pairs.pairs.size()));
    for (std::size_t left = bytes.size(12); left > 0; --left) {
      const auto start = bytes.number<std::int32_t>(0, words - 1);
      const auto end = bytes.number<std::int32_t>(start + 1, words);
      const double score = bytes.number<int>(1, 32) / 8.0;
      pairs.pairs.push_back({entity, {start, end}, score, score * (1 + bytes.number<int>(0, 8) * 0x1p-33)});
    }
  }
  pairs.begin.push_back(static_cast<std::uint32_t>(pairs.pairs.size()));
  std::vector<char> forbidden;
  if (bytes.yes()) {
    for (std::size_t i = 0; i < pairs.pairs.size(); ++i)
      forbidden.push_back(bytes.number<int>(0, 5) == 0 ? 1 : 0);
  }
  options.forbidden = forbidden;
  Matcher matcher;
  const Matching greedy = matcher.greedy(pairs, options);
  check(pairs, options, greedy, false);
  const Matching exact = matcher.exact(pairs, options);
  check(pairs, options, exact, true);
  if (exact.status == MatchStatus::optimal && options.constraint.is_upper_bound()) {
    require(exact.objective >= greedy.objective - 1e-6);
  }
  double before = exact.bound;
  for (const Matching& matching : matcher.best(pairs, options, 1 + bytes.size(4))) {
    check(pairs, options, matching, true);
    if (matching.status == MatchStatus::infeasible || matching.status == MatchStatus::unknown) continue;
    require(matching.objective <= before + 1e-6 * std::max(1.0, before));
    before = matching.objective;
  }
  return 0;
}
