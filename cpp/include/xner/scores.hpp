// How well source entities and target spans match: a weighted sum of scores from several sources.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "xner/candidates.hpp"
#include "xner/character_score.hpp"
#include "xner/link_counts.hpp"
#include "xner/links.hpp"
#include "xner/matching.hpp"
#include "xner/ner_score.hpp"
#include "xner/span.hpp"

namespace xner {

// What the alignment score counts between an entity and a span, to be divided by the words of both.
enum class Count {
  links,     // twice the links between them: Politov et al. 2025, with the factor 2 of their program
  words,     // the words of either side that are linked to the other side: never above 1
  weighted,  // twice the sum of the links' scores
};

// What decides between pairs of equal score.
enum class Ties {
  first,     // the first entity, then the first candidate
  evidence,  // mean link score (half), source words covered (a quarter), relative position (a quarter)
};

// The weights of the scores in the sum. What has the weight 0 is not computed.
struct ScoreWeights {
  double alignment = 1;
  double ner = 0;         // how likely the span is an entity of the entity's class
  double ner_spans = 0;   // how likely the span is an entity of any class
  double characters = 0;  // how alike entity and span are written
  // How likely one is a translation of the other. Not computed here: it comes with the hints, weighted.
  double nmt = 0;

  [[nodiscard]] bool any_ner() const noexcept { return ner > 0 || ner_spans > 0; }
  // Whether of what is computed here only alignment counts; hints may come to it.
  [[nodiscard]] bool only_alignment() const noexcept { return !any_ner() && characters <= 0; }
};

struct ScoreOptions {
  std::optional<CandidateKind> candidates;  // none: by row, see candidate_kind
  CandidateLimits limits;
  ScoreWeights weights;
  Count count = Count::links;
  // Links given twice count once, with their best score; false: as often as they are given.
  bool links_are_a_set = true;
  NerLabels ner_labels;
  NerOptions ner;
  double character_threshold = 0.7;  // similarities of at most this count as 0
  Ties ties = Ties::evidence;
};

// A score from elsewhere for an entity and a span, to be added to their other scores. The span becomes a
// candidate of the entity if it is none yet.
struct Hint {
  std::uint32_t entity = 0;
  Span span;
  double score = 0;
};

// Whether a hint lowers a score. Then a span can be worse than a longer one with the same links.
bool any_below_zero(std::span<const Hint> hints);

// Of which kind the candidates of a row with these hints are: that of the options, if they name one. Else
// aligned_ends where they do: where only alignment counts and no hint is below 0. Else ngram.
CandidateKind candidate_kind(const ScoreOptions& options, std::span<const Hint> hints);

// One sentence pair as the scorer sees it. What a score needs and is not there, it counts as 0.
struct ScoreInput {
  std::int32_t source_words = -1;  // -1: not known
  std::int32_t target_words = 0;
  std::span<const Span> entities;
  std::span<const std::string_view> labels;  // of the entities; for the NER score
  LinksView links;
  std::span<const Span> given;  // for CandidateKind::given
  std::span<const Hint> hints;
  std::span<const std::int32_t> stops;            // target positions that no candidate may hold, sorted
  std::span<const float> probabilities;           // target words * NER labels, word by word
  std::span<const std::string_view> source_text;  // the words, folded; for the characters' score
  std::span<const std::string_view> target_text;
};

// Pairs of an entity and a candidate with a positive score, entity by entity, in the candidates' order; spans
// that only hints know are in their place among ordered candidates, and behind given ones.
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
// The alignment score is count / (|s| + |t|), for example 2 * links / (|s| + |t|); for the others see their
// headers. Precondition: links and spans lie within the sentence, the arrays have the lengths that their
// comments say. Complexity: a candidate costs O(1) for the alignment score (see LinkCounter for the
// exception) and the NER score, and O(1) for every character that makes it longer than the candidate before
// it. So an entity costs O(k^2) for aligned_ends with k linked words, O(w^2) for spans over w words
// otherwise, besides what LinkCounter and NerScore take to prepare.
class PairScorer {
 public:
  // The result lives until the next call. Throws DataError (row -1) for a score beyond float's range, as only
  // weights and hints that are nearly so can give.
  const ScoredPairs& operator()(const ScoreInput& input, const ScoreOptions& options);

  // Every entity's candidates, as many as are scored, in their order; without the spans that only hints know.
  std::vector<std::vector<Span>> candidates(const ScoreInput& input, const ScoreOptions& options);

 private:
  // The entity at hand.
  struct Entity {
    std::uint32_t index = 0;
    Span span;
    std::uint32_t ner_class = NerLabels::no_class;
  };

  void set_sentence(const ScoreInput& input, const ScoreOptions& options);
  void set_entity(std::uint32_t index);
  template <class Visit>
  void for_each_span(Visit&& visit);
  void visit_candidates();
  void visit_given();
  void sort_hints();
  void offer(Span span, const LinkCounts& counts);
  void offer_hinted_before(Span span);
  void add(Span span, const LinkCounts& counts, double hint);
  void limit_evidence();
  [[nodiscard]] double alignment_score(Span span, const LinkCounts& counts) const;
  [[nodiscard]] double other_scores(Span span);
  [[nodiscard]] double evidence(Span span, const LinkCounts& counts) const;

  const ScoreInput* input_ = nullptr;
  const ScoreOptions* options_ = nullptr;
  CandidateKind kind_ = CandidateKind::ngram;
  LinkCounter counter_;
  NerScore ner_;
  CharacterScore characters_;
  bool uses_ner_ = false;
  bool uses_characters_ = false;
  Entity entity_;
  ScoredPairs result_;
  double smallest_score_ = 0;
  double largest_score_ = 0;
  std::vector<Hint> sorted_hints_;
  std::span<const Hint> hints_;  // of the entity at hand, by span, one a span
  std::size_t next_hint_ = 0;
  bool hint_is_used_ = false;               // the next hint was added to a candidate
  std::vector<std::uint32_t> given_order_;  // given candidates by span
  std::vector<std::uint32_t> places_;       // where the entity's pairs belong among given candidates
  std::vector<std::pair<std::uint32_t, Pair>> placed_;
};

}  // namespace xner
