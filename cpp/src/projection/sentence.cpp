#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <tuple>
#include <utility>

#include "xner/error.hpp"
#include "xner/project.hpp"

namespace xner {

namespace {

std::string text(Span span) {
  return "[" + std::to_string(span.start) + ", " + std::to_string(span.end) + ")";
}
std::string text(Link link) { return std::to_string(link.source) + "-" + std::to_string(link.target); }

std::string words_in(const char* side, std::int32_t words) {
  return std::string("the ") + side + " sentence has " + std::to_string(words) +
         (words == 1 ? " word" : " words");
}

// With no lower bound on a span's length, an unlinked word at either end strictly lowers the alignment score,
// and the shorter span blocks a subset of what the longer one blocks: the optimum, and for upper bounds on
// the number of projections the greedy choice, are those over spans with linked ends. Hints change nothing of
// that, being candidates anyway, unless one of them lowers a score: then a span beside it may win that has an
// unlinked end.
CandidateKind cheapest_equivalent(const ProjectOptions& options, std::span<const Hint> hints) {
  const CandidateKind kind = candidate_kind(options.score, hints);
  const bool spans_of_words = kind == CandidateKind::ngram || kind == CandidateKind::aligned;
  const bool proven = options.matcher == MatcherKind::exact || options.constraint.is_upper_bound();
  const bool reducible =
      proven && options.score.limits.min_words <= 1 && options.score.weights.only_alignment();
  return spans_of_words && reducible && !any_below_zero(hints) ? CandidateKind::aligned_ends : kind;
}

// How far above 1 rounding may take a probability; float16 keeps three decimals.
constexpr float rounding = 1e-3F;

void check_probabilities(const SentencePair& pair, std::size_t labels) {
  if (!pair.probabilities.empty() &&
      pair.probabilities.size() != labels * static_cast<std::size_t>(pair.target_words)) {
    throw DataError(
        -1, "ner_probabilities", std::to_string(pair.probabilities.size()) + " probabilities",
        words_in("target", pair.target_words) + ", and there are " + std::to_string(labels) + " labels");
  }
  for (std::size_t i = 0; i < pair.probabilities.size(); ++i) {
    const float probability = pair.probabilities[i];
    if (probability >= 0 && probability <= 1 + rounding) continue;
    throw DataError(-1, "ner_probabilities", std::to_string(probability),
                    "word " + std::to_string(i / labels) + ", label " + std::to_string(i % labels) +
                        ": not a probability");
  }
}

void check_texts(const SentencePair& pair) {
  const auto source_words = static_cast<std::int32_t>(pair.source_text.size());
  for (const Span span : pair.entities) {
    if (span.end > source_words)
      throw DataError(-1, "source_entities", text(span), words_in("source", source_words));
  }
  if (std::cmp_not_equal(pair.target_text.size(), pair.target_words)) {
    throw DataError(-1, "folded_tokens", std::to_string(pair.target_text.size()) + " words",
                    words_in("target", pair.target_words));
  }
}

// Within float's range: a difference of sums may be beyond it, and infinite margins have a meaning.
float as_margin(double margin) {
  constexpr double largest = std::numeric_limits<float>::max();
  return static_cast<float>(std::isfinite(margin) ? std::clamp(margin, -largest, largest) : margin);
}

Status status_of(MatchStatus exact) {
  switch (exact) {
    case MatchStatus::optimal:
      return Status::ok;
    case MatchStatus::feasible:
      return Status::not_proven;
    case MatchStatus::infeasible:
      return Status::infeasible;
    default:
      return Status::not_solved;
  }
}

// Whether all are from 0 on and below `count`. One pass without a way out takes several at a time: of what is outside,
// the number itself or its distance to the last one has the sign bit.
bool are_within(std::span<const std::int32_t> indices, std::int32_t count) {
  const auto last = static_cast<std::uint32_t>(count) - 1U;
  std::uint32_t signs = 0;
  for (const std::int32_t index : indices) {
    const auto bits = static_cast<std::uint32_t>(index);
    signs |= bits | (last - bits);
  }
  return signs >> 31U == 0;
}

}  // namespace

SentenceProjector::SentenceProjector(const ProjectOptions& options)
    : options_(options), score_options_(options.score) {}

void check_hint(const Hint& hint, std::size_t entities, std::int32_t target_words,
                const std::string& column) {
  if (hint.entity >= entities) {
    throw DataError(-1, column, std::to_string(hint.entity),
                    "no such source entity; the row has " + std::to_string(entities));
  }
  const Span span = hint.span;
  if (span.start < 0 || span.end <= span.start || span.end > target_words) {
    throw DataError(-1, column, text(span),
                    "a score is for a non-empty span; " + words_in("target", target_words));
  }
  if (!std::isfinite(hint.score)) {
    throw DataError(-1, column, std::to_string(hint.score), "a score must be finite");
  }
}

void check_pair(const SentencePair& pair, const ScoreOptions& options) {
  const bool known = pair.source_words >= 0;
  const std::int32_t source_words = known ? pair.source_words : longest_sentence;
  const auto source_sentence = [&] {
    return known ? words_in("source", source_words)
                 : "a source sentence of unknown length has at most " + std::to_string(longest_sentence) +
                       " words";
  };
  for (std::size_t e = 0; e < pair.entities.size(); ++e) {
    const Span span = pair.entities[e];
    if (span.start < 0 || span.end <= span.start) {
      throw DataError(-1, "source_entities", text(span), "an entity's start is at least 0 and below its end");
    }
    if (span.end > source_words) throw DataError(-1, "source_entities", text(span), source_sentence());
    if (pair.labels[e].empty()) throw DataError(-1, "source_entities", text(span), "the entity has no label");
  }
  const LinksView& links = pair.links;
  const bool sound = are_within(links.source, source_words) && are_within(links.target, pair.target_words);
  for (std::size_t i = 0; !sound && i < links.size(); ++i) {
    const Link link = links[i];
    if (link.source < 0 || link.target < 0) {
      throw DataError(-1, "links", text(link), "word indices start at 0");
    }
    if (link.source >= source_words) throw DataError(-1, "links", text(link), source_sentence());
    if (link.target >= pair.target_words) {
      throw DataError(-1, "links", text(link), words_in("target", pair.target_words));
    }
  }
  const bool weighted = options.count == Count::weighted;
  for (std::size_t i = 0; i < links.score.size(); ++i) {
    if (!std::isfinite(links.score[i]) || (weighted && !(links.score[i] > 0))) {
      throw DataError(
          -1, "links", text(links[i]),
          "the link's score is " + std::to_string(links.score[i]) +
              (weighted ? "; weighted scores take finite scores above 0" : "; scores must be finite"));
    }
  }
  for (const Hint& hint : pair.hints) check_hint(hint, pair.entities.size(), pair.target_words, "hints");
  for (const Span span : pair.candidates) {
    if (span.start < 0 || span.end <= span.start || span.end > pair.target_words) {
      throw DataError(-1, "candidates", text(span),
                      "a candidate is a non-empty span; " + words_in("target", pair.target_words));
    }
  }
  check_probabilities(pair, options.ner_labels.size());
  if (!pair.source_text.empty()) check_texts(pair);
}

const Projection& SentenceProjector::operator()(const SentencePair& pair) {
  result_.entities.clear();
  result_.runs.clear();
  result_.objective = result_.bound = 0;
  result_.status = Status::ok;
  check_pair(pair, options_.score);
  if (pair.target_words == 0) {
    result_.status = Status::empty_target;
  } else if (pair.source_words == 0) {
    result_.status = Status::empty_source;
  } else if (pair.entities.empty()) {
    result_.status = Status::ok;
  } else if (pair.links.size() == 0 && pair.hints.empty() && needs_links()) {
    result_.status = Status::no_links;
  } else {
    sort_entities(pair);
    if (options_.method == Method::heuristic) {
      project_heuristic(pair);
    } else {
      project_candidates(pair);
    }
    if (result_.entities.empty() && result_.status == Status::ok) result_.status = Status::no_match;
  }
  return result_;
}

void SentenceProjector::sort_entities(const SentencePair& pair) {
  order_.clear();
  rank_.clear();
  if (!options_.canonical_order) return;
  const auto key = [&](std::uint32_t e) { return std::tuple(pair.entities[e], pair.labels[e], e); };
  order_.resize(pair.entities.size());
  std::iota(order_.begin(), order_.end(), 0U);
  if (std::ranges::is_sorted(order_, {}, key)) {
    order_.clear();
    return;
  }
  std::ranges::sort(order_, {}, key);
  rank_.resize(order_.size());
  sorted_entities_.clear();
  sorted_labels_.clear();
  for (std::uint32_t position = 0; position < order_.size(); ++position) {
    rank_[order_[position]] = position;
    sorted_entities_.push_back(pair.entities[order_[position]]);
    sorted_labels_.push_back(pair.labels[order_[position]]);
  }
  sorted_hints_.assign(pair.hints.begin(), pair.hints.end());
  for (Hint& hint : sorted_hints_) hint.entity = rank_[hint.entity];
}

void SentenceProjector::project_candidates(const SentencePair& pair) {
  const bool sorted = order_.empty();
  const ScoreInput input{.source_words = pair.source_words,
                         .target_words = pair.target_words,
                         .entities = sorted ? pair.entities : std::span<const Span>(sorted_entities_),
                         .labels = sorted ? pair.labels : std::span<const std::string_view>(sorted_labels_),
                         .links = pair.links,
                         .given = pair.candidates,
                         .hints = sorted ? pair.hints : std::span<const Hint>(sorted_hints_),
                         .stops = pair.stops,
                         .probabilities = pair.probabilities,
                         .source_text = pair.source_text,
                         .target_text = pair.target_text};
  score_options_.candidates = cheapest_equivalent(options_, pair.hints);
  const ScoredPairs& scored = scorer_(input, score_options_);
  MatchOptions options;
  options.constraint = options_.constraint;
  const bool exact = options_.matcher == MatcherKind::exact;
  const Matching& matching = exact ? matcher_.exact(scored, options) : matcher_.greedy(scored, options);
  for (const Match& match : matching.chosen) {
    const Pair& chosen = scored.pairs[match.pair];
    const std::uint32_t source = order_.empty() ? chosen.entity : order_[chosen.entity];
    result_.entities.push_back(
        {chosen.span, source, static_cast<float>(chosen.score), as_margin(match.margin)});
    result_.runs.push_back({chosen.span, pair.labels[source], true});
  }
  std::ranges::sort(result_.runs, {}, &TagRun::span);
  result_.objective = matching.objective;
  result_.bound = matching.bound;
  if (exact) result_.status = status_of(matching.status);
}

void SentenceProjector::project_heuristic(const SentencePair& pair) {
  LinksView links = pair.links;
  links.ascending = std::ranges::is_sorted(links.source);
  const auto ranges = heuristic_(pair.entities, rank_, links, options_.heuristic);
  if (options_.heuristic.policy == OverlapPolicy::skip) {
    place(ranges, links, pair);
  } else {
    paint(pair.target_words, ranges, links, pair);
  }
  for (const ProjectedEntity& entity : result_.entities)
    result_.objective += static_cast<double>(entity.score);
  result_.bound = std::numeric_limits<double>::infinity();
}

std::size_t SentenceProjector::links_between(Span source, Span target, LinksView links) {
  between_.clear();
  const auto [first, last] = links.places_of(source);
  for (std::size_t i = first; i < last; ++i) {
    if (source.contains(links.source[i]) && target.contains(links.target[i])) between_.push_back(links[i]);
  }
  if (!options_.score.links_are_a_set) return between_.size();
  std::ranges::sort(between_);
  return static_cast<std::size_t>(std::ranges::unique(between_).begin() - between_.begin());
}

void SentenceProjector::add_entity(Span run, std::uint32_t entity, LinksView links,
                                   const SentencePair& pair) {
  const Span source = pair.entities[entity];
  const auto score = static_cast<float>(2.0 * static_cast<double>(links_between(source, run, links)) /
                                        (source.length() + run.length()));
  result_.entities.push_back({run, entity, score, score});
}

// Ranges of which no two share a word, from left to right.
void SentenceProjector::place(std::span<const ProjectedRange> ranges, LinksView links,
                              const SentencePair& pair) {
  placed_.assign(ranges.begin(), ranges.end());
  std::ranges::sort(placed_, {}, &ProjectedRange::span);
  for (const ProjectedRange& range : placed_) {
    result_.runs.push_back({range.span, pair.labels[range.entity], true});
    add_entity(range.span, range.entity, links, pair);
  }
}

// Labels the ranges one after the other and reads back what of each is left: its first words, up to where
// another range took over, are the entity; what follows a gap becomes a run without a beginning.
void SentenceProjector::paint(std::int32_t words, std::span<const ProjectedRange> ranges, LinksView links,
                              const SentencePair& pair) {
  if (ranges.empty()) return;
  owner_.assign(static_cast<std::size_t>(words), -1);
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    const auto [start, end] = ranges[i].span;
    std::fill(owner_.begin() + start, owner_.begin() + end, static_cast<std::int32_t>(i));
  }
  for (std::int32_t word = 0; word < words;) {
    const std::int32_t owner = owner_[static_cast<std::size_t>(word)];
    std::int32_t end = word + 1;
    while (end < words && owner_[static_cast<std::size_t>(end)] == owner) ++end;
    if (owner >= 0) {
      const ProjectedRange& range = ranges[static_cast<std::size_t>(owner)];
      const Span run{word, end};
      // To the letter of the reference, what is left behind an overwritten part goes on as inside words; else
      // it is an entity.
      const bool begins = range.span.start == word || options_.canonical_order;
      result_.runs.push_back({run, pair.labels[range.entity], begins});
      if (begins) add_entity(run, range.entity, links, pair);
    }
    word = end;
  }
}

}  // namespace xner
