// Heuristic projection: an entity goes to the ranges of target words that its words are linked to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "xner/links.hpp"
#include "xner/span.hpp"

namespace xner {

enum class OverlapPolicy {
  overwrite,  // a later entity's labels replace an earlier one's
  skip,       // a range that touches a labelled word is left out
};

enum class TopKOrder { shortest, longest };

struct HeuristicOptions {
  // A range is kept when its words divided by the entity's are strictly more than this; no value keeps all.
  std::optional<double> length_ratio_threshold = 0.8;
  // Ranges with at most so many words between them become one; 0 merges nothing.
  std::int32_t merge_distance = 1;
  OverlapPolicy policy = OverlapPolicy::skip;
  // With `skip`: keep so many ranges an entity, in the order below; no value keeps all.
  std::optional<std::int32_t> top_k;
  TopKOrder top_k_order = TopKOrder::shortest;
  // With `skip`: a range that starts at a word linked to the entity's first word is not merged into the one
  // before it.
  bool only_i = false;
};

// A range of target words for an entity.
struct ProjectedRange {
  std::uint32_t entity = 0;
  Span span;
};

// Word-alignment projection (Garcia-Ferrero, Agerri, Rigau 2022) in two forms; keep one a thread.
//
// overwrite: as Politov et al. 2025 implement it, oddities included. Entities in the order given; ranges grow
// in the order of the links, an index that touches two ranges extends both, and a merged range takes the
// later range's end even where that is smaller.
//
// skip: as in Shkalikov 2024. Entities by length, shortest first (those of one length in the order of `rank`,
// if given, else as given); the ranges are the maximal runs of linked words.
//
// Precondition: links and entities lie within the sentence. O(links) an entity, plus sorting what belongs to
// it.
class HeuristicProjector {
 public:
  // Ranges in the order in which they label the sentence. `rank[e]` orders entities of one length. The result
  // lives until the next call.
  std::span<const ProjectedRange> operator()(std::span<const Span> entities,
                                             std::span<const std::uint32_t> rank, LinksView links,
                                             const HeuristicOptions& options);

 private:
  void collect_links(Span entity, LinksView links);
  void grow_ranges();
  void merge_ranges(std::int32_t distance);
  void find_runs(Span entity, const HeuristicOptions& options);
  void keep_free(std::uint32_t entity, Span source, const HeuristicOptions& options);

  std::vector<Link> links_;  // of the entity at hand
  std::vector<Span> ranges_;
  std::vector<std::int32_t> words_;
  std::vector<std::uint32_t> order_;
  std::vector<ProjectedRange> result_;
};

}  // namespace xner
