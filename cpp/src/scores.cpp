#include "xner/scores.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <tuple>

namespace xner {

namespace {

// Relative to the score: small enough never to outweigh a difference between two scores, large enough to
// survive.
constexpr double evidence_unit = 0x1p-30;

double centre(Span span, std::int32_t words) { return (span.start + span.end) / (2.0 * words); }

}  // namespace

const ScoredPairs& AlignmentScorer::operator()(const ScoreInput& input, const ScoreOptions& options) {
  result_.pairs.clear();
  result_.begin.clear();
  collect_hits(input);
  for (std::size_t e = 0; e < input.entities.size(); ++e) {
    const auto entity = static_cast<std::uint32_t>(e);
    result_.begin.push_back(static_cast<std::uint32_t>(result_.pairs.size()));
    if (hits_[e].empty() && input.hints.empty()) continue;
    make_columns(input.entities[e], hits_[e], options);
    const auto visit = [&](Span span) { score_span(entity, span, input, options); };
    switch (options.candidates) {
      case CandidateKind::aligned_ends:
        score_linked_ends(entity, input, options);
        break;
      case CandidateKind::aligned:
        if (!columns_.empty()) {
          const Span hull{columns_.front().target, columns_.back().target + 1};
          for_each_ngram(hull, options.limits, input.stops, visit);
        }
        break;
      case CandidateKind::ngram:
        for_each_ngram({0, input.target_words}, options.limits, input.stops, visit);
        break;
      case CandidateKind::given:
        std::ranges::for_each(input.given, visit);
        break;
    }
    if (!input.hints.empty()) add_hints(entity, input, options);
  }
  result_.begin.push_back(static_cast<std::uint32_t>(result_.pairs.size()));
  return result_;
}

void AlignmentScorer::add_hints(std::uint32_t entity, const ScoreInput& input, const ScoreOptions& options) {
  const std::size_t begin = result_.begin[entity];
  for (const Hint& hint : input.hints) {
    if (hint.entity != entity) continue;
    const auto of_entity = std::span(result_.pairs).subspan(begin);
    auto pair = std::ranges::find(of_entity, hint.span, &Pair::span);
    if (pair == of_entity.end()) {
      score_span(entity, hint.span, input, options);
      if (result_.pairs.size() == begin + of_entity.size())
        result_.pairs.push_back({entity, hint.span, 0, 0});
      pair = std::span(result_.pairs).end() - 1;
    }
    pair->score += static_cast<double>(hint.score);
    pair->value += static_cast<double>(hint.score);
  }
  std::ranges::stable_sort(result_.pairs.begin() + static_cast<std::ptrdiff_t>(begin), result_.pairs.end(),
                           {}, &Pair::span);
}

void AlignmentScorer::collect_hits(const ScoreInput& input) {
  const std::size_t entities = input.entities.size();
  if (hits_.size() < entities) hits_.resize(entities);
  for (std::size_t e = 0; e < entities; ++e) hits_[e].clear();
  const bool scored = !input.links.score.empty();
  for (std::size_t i = 0; i < input.links.size(); ++i) {
    const auto [source, target] = input.links[i];
    for (std::size_t e = 0; e < entities; ++e) {
      if (input.entities[e].contains(source))
        hits_[e].push_back({target, source, scored ? input.links.score[i] : 1.0F});
    }
  }
}

void AlignmentScorer::make_columns(Span entity, std::vector<Hit>& hits, const ScoreOptions& options) {
  const auto order = [](const Hit& a, const Hit& b) {
    return std::tie(a.target, a.source, b.score) < std::tie(b.target, b.source, a.score);
  };
  if (!std::ranges::is_sorted(hits, order)) std::ranges::sort(hits, order);
  if (options.links_are_a_set) {
    const auto same = [](const Hit& a, const Hit& b) { return a.target == b.target && a.source == b.source; };
    hits.erase(std::ranges::unique(hits, same).begin(), hits.end());
  }
  // Long entities number their linked words anew, so that memory follows the links and not the span.
  linked_words_.clear();
  if (entity.length() > 64) {
    for (const Hit& hit : hits) linked_words_.push_back(hit.source);
    std::ranges::sort(linked_words_);
    linked_words_.erase(std::ranges::unique(linked_words_).begin(), linked_words_.end());
  }
  blocks_ = std::max<std::size_t>(1, (linked_words_.size() + 63) / 64);
  columns_.clear();
  masks_.clear();
  for (const Hit& hit : hits) {
    if (columns_.empty() || columns_.back().target != hit.target) {
      columns_.push_back({hit.target, 0, 0});
      masks_.resize(masks_.size() + blocks_, 0);
    }
    ++columns_.back().links;
    columns_.back().weight += static_cast<double>(hit.score);
    const auto word = linked_words_.empty()
                          ? static_cast<std::size_t>(hit.source - entity.start)
                          : static_cast<std::size_t>(std::ranges::lower_bound(linked_words_, hit.source) -
                                                     linked_words_.begin());
    masks_[masks_.size() - blocks_ + word / 64] |= std::uint64_t{1} << (word % 64);
  }
}

std::int32_t AlignmentScorer::covered_words(std::size_t first_column, std::size_t last_column) {
  union_.assign(blocks_, 0);
  for (std::size_t column = first_column; column < last_column; ++column) {
    for (std::size_t block = 0; block < blocks_; ++block) union_[block] |= masks_[column * blocks_ + block];
  }
  std::int32_t words = 0;
  for (const std::uint64_t block : union_) words += std::popcount(block);
  return words;
}

void AlignmentScorer::score_linked_ends(std::uint32_t entity, const ScoreInput& input,
                                        const ScoreOptions& options) {
  for (std::size_t first = 0; first < columns_.size(); ++first) {
    const std::int32_t start = columns_[first].target;
    const auto stop = std::ranges::lower_bound(input.stops, start);
    const std::int32_t wall = stop == input.stops.end() ? input.target_words : *stop;
    std::int32_t links = 0;
    double weight = 0;
    std::uint64_t covered = 0;
    for (std::size_t last = first; last < columns_.size() && columns_[last].target < wall; ++last) {
      links += columns_[last].links;
      weight += columns_[last].weight;
      const Span span{start, columns_[last].target + 1};
      if (span.length() > options.limits.max_words) break;
      std::int32_t source_words = 0;
      if (blocks_ == 1) {
        covered |= masks_[last];
        source_words = std::popcount(covered);
      } else {
        source_words = covered_words(first, last + 1);
      }
      if (span.length() < options.limits.min_words) continue;
      add_pair(entity, span, links, weight, source_words, static_cast<std::int32_t>(last - first) + 1, input,
               options);
    }
  }
}

void AlignmentScorer::score_span(std::uint32_t entity, Span span, const ScoreInput& input,
                                 const ScoreOptions& options) {
  const auto first = std::ranges::lower_bound(columns_, span.start, {}, &Column::target);
  std::int32_t links = 0;
  double weight = 0;
  auto last = first;
  for (; last != columns_.end() && last->target < span.end; ++last) {
    links += last->links;
    weight += last->weight;
  }
  if (links == 0) return;
  const std::int32_t source_words = covered_words(static_cast<std::size_t>(first - columns_.begin()),
                                                  static_cast<std::size_t>(last - columns_.begin()));
  add_pair(entity, span, links, weight, source_words, static_cast<std::int32_t>(last - first), input,
           options);
}

void AlignmentScorer::add_pair(std::uint32_t entity, Span span, std::int32_t links, double weight,
                               std::int32_t source_words, std::int32_t target_words, const ScoreInput& input,
                               const ScoreOptions& options) {
  const Span source = input.entities[entity];
  const double words = static_cast<double>(source.length()) + span.length();
  double score = 0;
  switch (options.count) {
    case Count::links:
      score = 2.0 * links / words;
      break;
    case Count::words:
      score = (source_words + target_words) / words;
      break;
    case Count::weighted:
      score = 2.0 * weight / words;
      break;
  }
  if (!(score > 0)) return;
  double evidence = 0;
  if (options.ties == Ties::evidence) {
    const double mean_score = std::clamp(weight / links, 0.0, 1.0);
    const double coverage = static_cast<double>(source_words) / source.length();
    const double distance =
        input.source_words > 0
            ? std::abs(centre(source, input.source_words) - centre(span, input.target_words))
            : 1.0;
    evidence = 0.5 * mean_score + 0.25 * coverage + 0.25 * (1 - distance);
  }
  result_.pairs.push_back({entity, span, score, score * (1 + evidence_unit * evidence)});
}

}  // namespace xner
