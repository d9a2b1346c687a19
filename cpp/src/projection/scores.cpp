#include "xner/scores.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "xner/error.hpp"

namespace xner {

namespace {

// Relative to the score: small enough never to outweigh a difference between two scores, large enough to
// survive.
constexpr double evidence_unit = 0x1p-30;
constexpr double largest_ratio = 0x1p20;  // of two scores, up to which evidence is a share of each pair's own

constexpr Span behind_all{std::numeric_limits<std::int32_t>::max(), std::numeric_limits<std::int32_t>::max()};

// Results are floats.
constexpr double largest_score = std::numeric_limits<float>::max();

[[noreturn]] void throw_too_large(Span span) {
  throw DataError(-1, "hints", "[" + std::to_string(span.start) + ", " + std::to_string(span.end) + ")",
                  "a source entity's scores for this span add up to more than a float32 holds");
}

double centre(Span span, std::int32_t words) { return (span.start + span.end) / (2.0 * words); }

}  // namespace

bool any_below_zero(std::span<const Hint> hints) {
  return std::ranges::any_of(hints, [](const Hint& hint) { return hint.score < 0; });
}

CandidateKind candidate_kind(const ScoreOptions& options, std::span<const Hint> hints) {
  if (options.candidates) return *options.candidates;
  const bool only_alignment = options.weights.only_alignment() && options.weights.nmt <= 0;
  return only_alignment && !any_below_zero(hints) ? CandidateKind::aligned_ends : CandidateKind::ngram;
}

void PairScorer::set_sentence(const ScoreInput& input, const ScoreOptions& options) {
  input_ = &input;
  options_ = &options;
  kind_ = candidate_kind(options, input.hints);
  counter_.set_sentence(input.entities, input.links, input.target_words);
}

const ScoredPairs& PairScorer::operator()(const ScoreInput& input, const ScoreOptions& options) {
  set_sentence(input, options);
  result_.pairs.clear();
  result_.begin.clear();
  smallest_score_ = std::numeric_limits<double>::infinity();
  largest_score_ = 0;
  uses_ner_ = options.weights.any_ner() && !input.probabilities.empty();
  if (uses_ner_) ner_.set_sentence(input.probabilities, options.ner_labels, options.ner);
  uses_characters_ = options.weights.characters > 0 && !input.source_text.empty();
  if (uses_characters_) characters_.set_sentence(input.target_text, options.character_threshold);
  sort_hints();
  given_order_.resize(input.given.size());
  std::iota(given_order_.begin(), given_order_.end(), 0U);
  if (!std::ranges::is_sorted(input.given)) {
    std::ranges::stable_sort(given_order_, {},
                             [&](std::uint32_t candidate) { return input.given[candidate]; });
  }
  for (std::uint32_t e = 0; e < input.entities.size(); ++e) {
    result_.begin.push_back(static_cast<std::uint32_t>(result_.pairs.size()));
    set_entity(e);
    visit_candidates();
  }
  result_.begin.push_back(static_cast<std::uint32_t>(result_.pairs.size()));
  if (options.ties == Ties::evidence && smallest_score_ * largest_ratio < largest_score_) limit_evidence();
  return result_;
}

// Evidence is a share of each pair's own score. Where others are that much smaller, it could outweigh them: it is then
// no more than 2^-10 of the smallest.
void PairScorer::limit_evidence() {
  const double most = smallest_score_ * largest_ratio;
  for (Pair& pair : result_.pairs) {
    if (pair.score > most) pair.value = pair.score + (pair.value - pair.score) * (most / pair.score);
  }
}

std::vector<std::vector<Span>> PairScorer::candidates(const ScoreInput& input, const ScoreOptions& options) {
  set_sentence(input, options);
  std::vector<std::vector<Span>> result(input.entities.size());
  for (std::size_t e = 0; e < input.entities.size(); ++e) {
    if (kind_ == CandidateKind::given) {
      result[e].assign(input.given.begin(), input.given.end());
      continue;
    }
    counter_.set_entity(e, options.links_are_a_set);
    for_each_span([&](Span span, const LinkCounts&) { result[e].push_back(span); });
  }
  return result;
}

void PairScorer::set_entity(std::uint32_t index) {
  const Span span = input_->entities[index];
  entity_ = {.index = index, .span = span};
  counter_.set_entity(index, options_->links_are_a_set);
  hints_ = std::ranges::equal_range(sorted_hints_, index, {}, &Hint::entity);
  next_hint_ = 0;
  hint_is_used_ = false;
  if (uses_ner_ && options_->weights.ner > 0)
    entity_.ner_class = options_->ner_labels.find(input_->labels[index]);
  if (uses_characters_) {
    characters_.set_entity(input_->source_text.subspan(static_cast<std::size_t>(span.start),
                                                       static_cast<std::size_t>(span.length())));
  }
}

// Sorts the hints by entity, then span, and adds up those for the same pair.
void PairScorer::sort_hints() {
  sorted_hints_.assign(input_->hints.begin(), input_->hints.end());
  const auto place = [](const Hint& hint) { return std::pair(hint.entity, hint.span); };
  if (!std::ranges::is_sorted(sorted_hints_, {}, place)) {
    std::ranges::stable_sort(sorted_hints_, {}, place);
  }
  std::size_t kept = 0;
  for (const Hint& hint : sorted_hints_) {
    if (kept > 0 && place(sorted_hints_[kept - 1]) == place(hint)) {
      sorted_hints_[kept - 1].score += hint.score;
    } else {
      sorted_hints_[kept++] = hint;
    }
  }
  sorted_hints_.resize(kept);
}

double PairScorer::alignment_score(Span span, const LinkCounts& counts) const {
  const double words = static_cast<double>(entity_.span.length()) + span.length();
  switch (options_->count) {
    case Count::links:
      return 2.0 * counts.links / words;
    case Count::words:
      return (counts.source_words + counts.target_words) / words;
    case Count::weighted:
      return 2.0 * counts.weight / words;
  }
  return 0;
}

double PairScorer::other_scores(Span span) {
  const ScoreWeights& weights = options_->weights;
  double score = 0;
  if (uses_ner_) {
    if (entity_.ner_class != NerLabels::no_class)
      score += weights.ner * ner_.of_class(entity_.ner_class, span);
    if (weights.ner_spans > 0) score += weights.ner_spans * ner_.of_any_class(span);
  }
  if (uses_characters_) score += weights.characters * characters_.of(span);
  return score;
}

double PairScorer::evidence(Span span, const LinkCounts& counts) const {
  const double mean_score = counts.links > 0 ? std::clamp(counts.weight / counts.links, 0.0, 1.0) : 0.0;
  const double coverage = static_cast<double>(counts.source_words) / entity_.span.length();
  const double distance =
      input_->source_words > 0
          ? std::abs(centre(entity_.span, input_->source_words) - centre(span, input_->target_words))
          : 1.0;
  return 0.5 * mean_score + 0.25 * coverage + 0.25 * (1 - distance);
}

void PairScorer::add(Span span, const LinkCounts& counts, double hint) {
  double score = hint;
  if (counts.links > 0) score += options_->weights.alignment * alignment_score(span, counts);
  if (uses_ner_ || uses_characters_) score += other_scores(span);
  if (!(score > 0)) return;
  if (score > largest_score) throw_too_large(span);
  const double value =
      options_->ties == Ties::evidence ? score * (1 + evidence_unit * evidence(span, counts)) : score;
  result_.pairs.push_back({entity_.index, span, score, value});
  smallest_score_ = std::min(smallest_score_, score);
  largest_score_ = std::max(largest_score_, score);
}

// Spans come in order, so one pass over the sorted hints finds each span's.
void PairScorer::offer(Span span, const LinkCounts& counts) {
  offer_hinted_before(span);
  const bool hinted = next_hint_ < hints_.size() && hints_[next_hint_].span == span;
  if (hinted) hint_is_used_ = true;
  add(span, counts, hinted ? hints_[next_hint_].score : 0.0);
}

// Makes candidates of the spans before `span` that only hints know.
void PairScorer::offer_hinted_before(Span span) {
  for (; next_hint_ < hints_.size() && hints_[next_hint_].span < span; ++next_hint_) {
    const Hint& hint = hints_[next_hint_];
    if (!hint_is_used_) add(hint.span, counter_.between(hint.span), hint.score);
    hint_is_used_ = false;
  }
}

// Calls visit(span, counts) for the entity's candidates, which are not given, by start, then end.
template <class Visit>
void PairScorer::for_each_span(Visit&& visit) {
  const auto between = [&](Span span) { visit(span, counter_.between(span)); };
  if (kind_ == CandidateKind::aligned_ends) {
    counter_.for_each_linked_ends(options_->limits, input_->stops, visit);
  } else {
    const Span within = kind_ == CandidateKind::aligned ? counter_.hull() : Span{0, input_->target_words};
    for_each_ngram(within, options_->limits, input_->stops, between);
  }
}

void PairScorer::visit_candidates() {
  if (kind_ == CandidateKind::given) {
    visit_given();
    return;
  }
  if (counter_.empty() && hints_.empty() && !uses_ner_ && !uses_characters_) return;
  const auto visit = [&](Span span, const LinkCounts& counts) {
    if (hints_.empty()) {
      add(span, counts, 0);
    } else {
      offer(span, counts);
    }
  };
  for_each_span(visit);
  offer_hinted_before(behind_all);
}

// In the order of the spans, as hints and the characters' score want it; then every pair to its place.
void PairScorer::visit_given() {
  const std::size_t begin = result_.pairs.size();
  const auto behind = static_cast<std::uint32_t>(input_->given.size());
  places_.clear();
  const auto place_new_pairs = [&](std::uint32_t place) {
    places_.resize(result_.pairs.size() - begin, place);
  };
  for (const std::uint32_t candidate : given_order_) {
    const Span span = input_->given[candidate];
    offer_hinted_before(span);
    place_new_pairs(behind);
    offer(span, counter_.between(span));
    place_new_pairs(candidate);
  }
  offer_hinted_before(behind_all);
  place_new_pairs(behind);
  if (std::ranges::is_sorted(places_)) return;
  placed_.clear();
  for (std::size_t i = 0; i < places_.size(); ++i) placed_.emplace_back(places_[i], result_.pairs[begin + i]);
  std::ranges::stable_sort(placed_, {}, &std::pair<std::uint32_t, Pair>::first);
  for (std::size_t i = 0; i < placed_.size(); ++i) result_.pairs[begin + i] = placed_[i].second;
}

}  // namespace xner
