#include <doctest/doctest.h>

#include "xner/heuristic.hpp"

using namespace xner;

namespace {

std::vector<Span> project(const std::vector<Span>& entities, const std::vector<std::int32_t>& sources,
                          const std::vector<std::int32_t>& targets, const HeuristicOptions& options) {
  HeuristicProjector projector;
  std::vector<Span> spans;
  for (const ProjectedRange& range :
       projector(entities, {}, {.source = sources, .target = targets, .score = {}}, options)) {
    spans.push_back(range.span);
  }
  return spans;
}

HeuristicOptions keep_all(OverlapPolicy policy, std::int32_t merge_distance) {
  HeuristicOptions options;
  options.length_ratio_threshold.reset();
  options.policy = policy;
  options.merge_distance = merge_distance;
  return options;
}

}  // namespace

TEST_CASE("ranges grow in the order of the links") {
  const HeuristicOptions options = keep_all(OverlapPolicy::overwrite, 0);
  CHECK(project({{0, 1}}, {0, 0, 0}, {1, 2, 0}, options) == std::vector<Span>{{0, 3}});
  // Word 1 touches both ranges and extends both.
  CHECK(project({{0, 1}}, {0, 0, 0}, {0, 2, 1}, options) == std::vector<Span>{{0, 2}, {1, 3}});
}

TEST_CASE("a merged range takes the later range's end") {
  const HeuristicOptions options = keep_all(OverlapPolicy::overwrite, 1);
  CHECK(project({{0, 1}}, {0, 0}, {0, 2}, options) == std::vector<Span>{{0, 3}});
  CHECK(project({{0, 1}}, {0, 0}, {0, 3}, options) == std::vector<Span>{{0, 1}, {3, 4}});
}

TEST_CASE("the length ratio is strict") {
  HeuristicOptions options;
  options.length_ratio_threshold = 0.5;
  CHECK(project({{0, 2}}, {0}, {0}, options).empty());
  options.length_ratio_threshold = 0.4;
  CHECK(project({{0, 2}}, {0}, {0}, options) == std::vector<Span>{{0, 1}});
}

TEST_CASE("skip: short entities first, taken words are left alone") {
  const HeuristicOptions options = keep_all(OverlapPolicy::skip, 0);
  CHECK(project({{0, 3}, {1, 2}}, {0, 1, 2}, {0, 1, 2}, options) == std::vector<Span>{{1, 2}});
}

TEST_CASE("skip: top k and only_i") {
  HeuristicOptions options = keep_all(OverlapPolicy::skip, 0);
  options.top_k = 1;
  CHECK(project({{0, 1}}, {0, 0, 0}, {0, 1, 3}, options) == std::vector<Span>{{3, 4}});
  options.top_k_order = TopKOrder::longest;
  CHECK(project({{0, 1}}, {0, 0, 0}, {0, 1, 3}, options) == std::vector<Span>{{0, 2}});
  options = keep_all(OverlapPolicy::skip, 1);
  CHECK(project({{0, 2}}, {1, 0}, {0, 2}, options) == std::vector<Span>{{0, 3}});
  options.only_i = true;
  CHECK(project({{0, 2}}, {1, 0}, {0, 2}, options) == std::vector<Span>{{0, 1}, {2, 3}});
}

TEST_CASE("no links and links of other words") {
  for (const OverlapPolicy policy : {OverlapPolicy::skip, OverlapPolicy::overwrite}) {
    CHECK(project({{0, 1}}, {}, {}, keep_all(policy, 1)).empty());
    CHECK(project({{5, 9}}, {0}, {0}, keep_all(policy, 1)).empty());
    CHECK(project({}, {0}, {0}, keep_all(policy, 1)).empty());
  }
}
