// Annotation projection: source entities and word links in, labelled target words out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "xner/arrow.hpp"
#include "xner/heuristic.hpp"
#include "xner/labels.hpp"
#include "xner/links.hpp"
#include "xner/matching.hpp"
#include "xner/scores.hpp"
#include "xner/span.hpp"

namespace xner {

enum class Method { candidates, heuristic };
enum class MatcherKind { exact, greedy };

struct ProjectOptions {
  Method method = Method::candidates;
  MatcherKind matcher = MatcherKind::exact;
  Constraint constraint;
  ScoreOptions score;
  StopWords stop_words{{"!", "?"}};
  HeuristicOptions heuristic;
  // Sort entities by position and class first, so that their order in the input cannot matter. Greedy
  // matching and the compatible modes keep the given order, which their sources make part of the result.
  bool canonical_order = true;
};

// What became of a row. `ok` includes rows that have no entities to project.
enum class Status : std::uint8_t {
  ok,
  empty_target,      // no target words
  empty_source,      // no source words
  missing_entities,  // the row's source entities are null
  no_links,          // entities, but not one word link
  no_match,          // entities and links, but no entity found a target span
  not_proven,        // projected; a better choice was not ruled out within the search limit
  invalid,           // the row is wrong and was skipped on request
};
inline constexpr std::string_view status_names[] = {
    "ok",       "empty_target", "empty_source", "missing_entities",
    "no_links", "no_match",     "not_proven",   "invalid"};

// One sentence pair. `labels` has one class a source entity. `source_words` is -1 when not known.
struct SentencePair {
  std::int32_t source_words = -1;
  std::int32_t target_words = 0;
  std::span<const Span> entities;
  std::span<const std::string_view> labels;
  LinksView links;
  std::span<const Span> candidates;     // for CandidateKind::given
  std::span<const Hint> hints;          // scores from elsewhere, see scores.hpp
  std::span<const std::int32_t> stops;  // positions of stop words among the target words, sorted
};

struct ProjectedEntity {
  Span span;
  std::uint32_t source = 0;  // index of the source entity
  float score = 0;           // alignment score of entity and span
  float margin = 0;          // objective lost when this pair is forbidden
};

struct Projection {
  // Exact and heuristic: by position. Greedy: in the order of choice.
  std::vector<ProjectedEntity> entities;
  std::vector<TagRun> runs;  // disjoint, sorted; labels point into the input
  Status status = Status::ok;
  double objective = 0;
  double bound = 0;
};

// Throws DataError (row -1) for spans, links and labels that the sentences do not have, and for link scores
// that `count` cannot use.
void check_pair(const SentencePair& pair, Count count);

// Projects single sentence pairs; keep one a thread. The result lives until the next call.
class SentenceProjector {
 public:
  explicit SentenceProjector(const ProjectOptions& options);

  // Throws DataError (row -1) for spans, links and labels that the sentences do not have.
  const Projection& operator()(const SentencePair& pair);

 private:
  void project_candidates(const SentencePair& pair);
  void project_heuristic(const SentencePair& pair);
  void paint(std::int32_t words, std::span<const ProjectedRange> ranges, const SentencePair& pair);
  void sort_entities(const SentencePair& pair);
  std::size_t links_between(Span source, Span target, LinksView links);

  ProjectOptions options_;
  AlignmentScorer scorer_;
  Matcher matcher_;
  HeuristicProjector heuristic_;
  Projection result_;
  std::vector<std::uint32_t> order_;  // canonical position -> given position; empty: the same
  std::vector<std::uint32_t> rank_;   // given position -> canonical position; empty: the same
  std::vector<Span> sorted_entities_;
  std::vector<Hint> sorted_hints_;
  std::vector<std::int32_t> owner_;
  std::vector<Link> between_;
};

// Projects every row of a record batch with the columns
//   tokens            list<string>
//   source_entities   list<struct<start: int32, end: int32, label: string>>
//   links             list<struct<source: int32, target: int32[, score: float32]>>
//   source_tokens     list<string>, optional: lets spans and links be checked against the source sentence
//   candidates        list<struct<start: int32, end: int32>>, for CandidateKind::given
//   hints             list<struct<source: int32, start: int32, end: int32, score: float32>>, optional
// and returns a struct array of the same length with `entities`, `labels` and `status`. Lists and strings may
// have 32- or 64-bit offsets; arrays may be slices and have nulls. Rows go to `threads` threads (0: one a
// core) in chunks; the result does not depend on their number. A wrong row throws DataError, or with
// `skip_invalid` gets the status `invalid` and no entities. Throws Error for columns that are missing or of
// another type.
arrow::OwnedArray project_batch(arrow::ArrayRef batch, const ProjectOptions& options, std::size_t threads,
                                bool skip_invalid);

}  // namespace xner
