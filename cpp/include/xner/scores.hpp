// How well a source entity and a target span match, from word links.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "xner/candidates.hpp"
#include "xner/links.hpp"
#include "xner/matching.hpp"
#include "xner/span.hpp"

namespace xner {

// What is counted between an entity and a span, to be divided by the words of both.
enum class Count {
  links,     // twice the links between them: Politov et al. 2025, with the factor 2 of their program
  words,     // the words of either side that are linked to the other side: never above 1
  weighted,  // twice the sum of the links' scores
};

// What decides between pairs of equal alignment score.
enum class Ties {
  first,     // the first entity, then the first candidate
  evidence,  // mean link score (half), source words covered (a quarter), relative position (a quarter)
};

struct ScoreOptions {
  CandidateKind candidates = CandidateKind::aligned_ends;
  CandidateLimits limits;
  Count count = Count::links;
  Ties ties = Ties::evidence;
  // Links given twice count once, with their best score; false: as often as they are given.
  bool links_are_a_set = true;
};

// A score from elsewhere for an entity and a span, to be added to their alignment score. The span becomes a
// candidate of the entity if it is none yet.
struct Hint {
  std::uint32_t entity = 0;
  Span span;
  float score = 0;
};

// One sentence pair as the scorer sees it.
struct ScoreInput {
  std::int32_t source_words = -1;  // -1: not known
  std::int32_t target_words = 0;
  std::span<const Span> entities;
  LinksView links;
  std::span<const Span> given;  // for CandidateKind::given
  std::span<const Hint> hints;
  std::span<const std::int32_t> stops;  // target positions that no candidate may hold, sorted
};

// Pairs of an entity and a candidate with a positive score, entity by entity, in the candidates' order.
struct ScoredPairs {
  std::vector<Pair> pairs;
  std::vector<std::uint32_t> begin;  // pairs of entity e: begin[e] .. begin[e + 1]

  [[nodiscard]] std::size_t entities() const noexcept { return begin.empty() ? 0 : begin.size() - 1; }
  [[nodiscard]] std::span<const Pair> of(std::size_t entity) const {
    return std::span(pairs).subspan(begin[entity], begin[entity + 1] - begin[entity]);
  }
};

// Scores candidates; keep one a thread, it owns the scratch memory.
//
// score(s, t) = count / (|s| + |t|), for example 2 * links / (|s| + |t|). Precondition: links and spans lie
// within the sentence. Complexity: O(links * entities) to sort links to entities, then O(k^2) an entity with
// k linked words for aligned_ends, O(w^2) for spans over w words otherwise.
class AlignmentScorer {
 public:
  // The result lives until the next call.
  const ScoredPairs& operator()(const ScoreInput& input, const ScoreOptions& options);

 private:
  struct Hit {  // one link of the entity at hand
    std::int32_t target;
    std::int32_t source;
    float score;
  };
  struct Column {  // the links of the entity at hand to one target word
    std::int32_t target;
    std::int32_t links;
    double weight;
  };

  void add_hints(std::uint32_t entity, const ScoreInput& input, const ScoreOptions& options);
  void collect_hits(const ScoreInput& input);
  void make_columns(Span entity, std::vector<Hit>& hits, const ScoreOptions& options);
  void score_linked_ends(std::uint32_t entity, const ScoreInput& input, const ScoreOptions& options);
  void score_span(std::uint32_t entity, Span span, const ScoreInput& input, const ScoreOptions& options);
  void add_pair(std::uint32_t entity, Span span, std::int32_t links, double weight, std::int32_t source_words,
                std::int32_t target_words, const ScoreInput& input, const ScoreOptions& options);
  std::int32_t covered_words(std::size_t first_column, std::size_t last_column);

  ScoredPairs result_;
  std::vector<std::vector<Hit>> hits_;
  std::vector<Column> columns_;
  // The entity's words that each column is linked to, as bits, `blocks_` words of 64 a column.
  std::vector<std::uint64_t> masks_;
  std::vector<std::uint64_t> union_;
  std::vector<std::int32_t> linked_words_;
  std::size_t blocks_ = 1;
};

}  // namespace xner
