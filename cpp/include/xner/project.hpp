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

// A column with hints, and what their scores are multiplied by.
struct HintColumn {
  std::string name;
  double weight = 1;
};

struct ProjectOptions {
  Method method = Method::candidates;
  MatcherKind matcher = MatcherKind::exact;
  Constraint constraint;
  ScoreOptions score;
  // Columns that batches may have; one that a batch lacks adds nothing.
  std::vector<HintColumn> hint_columns{{.name = "hints", .weight = 1}};
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
  infeasible,        // no choice meets the constraint
  not_solved,        // none that meets it was found within the search limit, and none was ruled out
  invalid,           // the row is wrong and was skipped on request
};
inline constexpr std::string_view status_names[] = {
    "ok",       "empty_target", "empty_source", "missing_entities", "no_links",
    "no_match", "not_proven",   "infeasible",   "not_solved",       "invalid"};

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
  // For the NER score and the characters' score, see ScoreInput; empty: not known.
  std::span<const float> probabilities;
  std::span<const std::string_view> source_text;
  std::span<const std::string_view> target_text;
};

struct ProjectedEntity {
  Span span;
  std::uint32_t source = 0;  // index of the source entity
  float score = 0;           // of entity and span
  float margin = 0;          // objective lost when this pair is forbidden; infinite: nothing else is possible
};

struct Projection {
  // Exact and heuristic: by position. Greedy: in the order of choice.
  std::vector<ProjectedEntity> entities;
  std::vector<TagRun> runs;  // disjoint, sorted; labels point into the input
  Status status = Status::ok;
  double objective = 0;
  double bound = 0;  // no choice has a higher objective; infinite where nothing is known
};

// Throws DataError (row -1) for a hint on an entity or span that the sentences do not have; `column` is where
// it is from.
void check_hint(const Hint& hint, std::size_t entities, std::int32_t target_words, const std::string& column);

// Throws DataError (row -1) for spans, links, labels, hints and probabilities that the sentences do not have,
// and for link scores that `options.count` cannot use.
void check_pair(const SentencePair& pair, const ScoreOptions& options);

// Projects single sentence pairs; keep one a thread. The result lives until the next call.
class SentenceProjector {
 public:
  explicit SentenceProjector(const ProjectOptions& options);

  // Throws DataError (row -1) as check_pair does.
  const Projection& operator()(const SentencePair& pair);

 private:
  void project_candidates(const SentencePair& pair);
  void project_heuristic(const SentencePair& pair);
  void place(std::span<const ProjectedRange> ranges, LinksView links, const SentencePair& pair);
  void paint(std::int32_t words, std::span<const ProjectedRange> ranges, LinksView links,
             const SentencePair& pair);
  void add_entity(Span run, std::uint32_t entity, LinksView links, const SentencePair& pair);
  void sort_entities(const SentencePair& pair);
  std::size_t links_between(Span source, Span target, LinksView links);

  // Whether a row without links and hints has nothing to go by.
  [[nodiscard]] bool needs_links() const noexcept {
    return options_.method == Method::heuristic || options_.score.weights.only_alignment();
  }

  ProjectOptions options_;
  ScoreOptions score_options_;  // with the cheapest candidates that give the same result
  PairScorer scorer_;
  Matcher matcher_;
  HeuristicProjector heuristic_;
  Projection result_;
  std::vector<std::uint32_t> order_;  // canonical position -> given position; empty: the same
  std::vector<std::uint32_t> rank_;   // given position -> canonical position; empty: the same
  std::vector<Span> sorted_entities_;
  std::vector<std::string_view> sorted_labels_;
  std::vector<Hint> sorted_hints_;
  std::vector<std::int32_t> owner_;
  std::vector<ProjectedRange> placed_;
  std::vector<Link> between_;
};

// Projects every row of a record batch with the columns
//   tokens            list<string>
//   source_entities   list<struct<start: int32, end: int32, label: string>>
//   links             list<struct<source: int32, target: int32[, score: float32]>>, optional where no score
//                     needs it
//   source_tokens     list<string>, optional: lets spans and links be checked against the source sentence
//   candidates        list<struct<start: int32, end: int32>>, for CandidateKind::given
//   hints             list<struct<source: int32, start: int32, end: int32, score: float32>>, optional, like
//                     every column that options.hint_columns names
//   ner_probabilities list<list<float32 or float16>>, words by labels, for the NER score; null: not known
//   folded_source_tokens, folded_tokens
//                     list<string>, the words as the characters' score is to see them
// and returns a struct array of the same length with `entities`, `labels` and `status`. Lists and strings may
// have 32- or 64-bit offsets; arrays may be slices and have nulls. Rows go to `threads` threads (0: one a
// core) in chunks; the result does not depend on their number. A wrong row throws DataError, or with
// `skip_invalid` gets the status `invalid` and no entities. Throws Error for columns that are missing or of
// another type.
arrow::OwnedArray project_batch(arrow::ArrayRef batch, const ProjectOptions& options, std::size_t threads,
                                bool skip_invalid);

}  // namespace xner
