#include "projection/batch_columns.hpp"

namespace xner {

HintReader::HintReader(arrow::ArrayRef ref, const HintColumn& column)
    : name_(column.name), weight_(column.weight) {
  const char* type = "list<struct<source: int32, start: int32, end: int32, score: float32>>";
  lists_ = StructLists(ref, name_);
  sources_ = lists_.int32("source", name_, type);
  starts_ = lists_.int32("start", name_, type);
  ends_ = lists_.int32("end", name_, type);
  scores_ = arrow::FloatColumn(require_field(lists_.item, "score", name_, type), name_ + ".score",
                               lists_.item.array->offset);
}

void HintReader::read(std::int64_t row, const SentencePair& pair, std::vector<Hint>& hints) const {
  const arrow::Range range = lists_.lists.row(row);
  for (std::int64_t i = range.begin; i < range.end; ++i) {
    reject_nulls(name_, i, lists_.item_validity, sources_, starts_, ends_, scores_);
    if (sources_[i] < 0) throw DataError(-1, name_, std::to_string(sources_[i]), "entities count from 0");
    hints.push_back({.entity = static_cast<std::uint32_t>(sources_[i]),
                     .span = {starts_[i], ends_[i]},
                     .score = static_cast<float>(weight_ * static_cast<double>(scores_[i]))});
    check_hint(hints.back(), pair.entities.size(), pair.target_words, name_);
  }
}

ProbabilityReader::ProbabilityReader(arrow::ArrayRef ref) : words_(ref, name), labels_(words_.child(), name) {
  const arrow::ArrayRef values = labels_.child();
  if (values.format() == "e") {
    halves_.emplace(values, name);
  } else {
    floats_.emplace(values, name);
  }
}

void ProbabilityReader::read(std::int64_t row, std::int32_t words, std::size_t labels,
                             std::vector<float>& values) const {
  values.clear();
  if (words_.is_null(row)) return;
  const arrow::Range range = words_.row(row);
  if (range.size() != words) {
    throw DataError(-1, name, std::to_string(range.size()) + " words",
                    "the target sentence has " + std::to_string(words));
  }
  for (std::int64_t word = range.begin; word < range.end; ++word) {
    const arrow::Range of_word = labels_.row(word);
    if (of_word.size() != static_cast<std::int64_t>(labels)) {
      throw DataError(
          -1, name, std::to_string(of_word.size()) + " probabilities",
          "word " + std::to_string(word - range.begin) + ": there are " + std::to_string(labels) + " labels");
    }
    for (std::int64_t i = of_word.begin; i < of_word.end; ++i) values.push_back(value(i));
  }
}

float ProbabilityReader::value(std::int64_t i) const {
  if (halves_ ? halves_->is_null(i) : floats_->is_null(i)) {
    throw DataError(-1, name, "null", "a null stands where a value is needed");
  }
  return halves_ ? static_cast<float>((*halves_)[i]) : (*floats_)[i];
}

WordReader::WordReader(arrow::ArrayRef batch, const char* name)
    : lists_(require_field(batch, name, name, "list<string>"), name), words_(lists_.child(), name) {}

bool WordReader::read(std::int64_t row, std::vector<std::string_view>& words) const {
  words.clear();
  if (lists_.is_null(row)) return false;
  const arrow::Range range = lists_.row(row);
  for (std::int64_t i = range.begin; i < range.end; ++i) {
    words.push_back(words_.is_null(i) ? std::string_view{} : words_[i]);
  }
  return true;
}

ProjectColumns::ProjectColumns(arrow::ArrayRef batch, const ProjectOptions& options) : options_(options) {
  if (!batch.is_struct())
    throw Error("expected a record batch, found Arrow format '" + std::string(batch.format()) + "'");
  offset_ = batch.array->offset;
  rows_ = batch.array->length;
  const char* entity_type = "list<struct<start: int32, end: int32, label: string>>";
  const char* link_type = "list<struct<source: int32, target: int32>>";
  tokens_ = arrow::ListColumn(require_field(batch, "tokens", "tokens", "list<string>"), "tokens");
  words_ = arrow::StringColumn(tokens_.child(), "tokens");
  entities_ =
      StructLists(require_field(batch, "source_entities", "source_entities", entity_type), "source_entities");
  starts_ = entities_.int32("start", "source_entities", entity_type);
  ends_ = entities_.int32("end", "source_entities", entity_type);
  labels_ = arrow::StringColumn(require_field(entities_.item, "label", "source_entities", entity_type),
                                "source_entities.label", entities_.item.array->offset);
  const bool needs_links = options.method == Method::heuristic || options.score.weights.alignment > 0;
  if (needs_links || batch.field("links")) {
    links_.emplace(require_field(batch, "links", "links", link_type), "links");
    sources_ = links_->int32("source", "links", link_type);
    targets_ = links_->int32("target", "links", link_type);
    if (const arrow::ArrayRef score = links_->item.field("score")) {
      scores_.emplace(score, "links.score", links_->item.array->offset);
    }
  }
  weighted_ = options.method == Method::candidates && options.score.count == Count::weighted;
  if (weighted_ && !scores_) throw Error("column 'links': count='weighted' needs links with the field score");
  if (const arrow::ArrayRef source = batch.field("source_tokens")) {
    source_tokens_.emplace(source, "source_tokens");
  }
  if (options.method == Method::heuristic) return;
  if (options.score.candidates == CandidateKind::given) {
    const char* span_type = "list<struct<start: int32, end: int32>>";
    candidates_.emplace(require_field(batch, "candidates", "candidates", span_type), "candidates");
    candidate_starts_ = candidates_->int32("start", "candidates", span_type);
    candidate_ends_ = candidates_->int32("end", "candidates", span_type);
  }
  for (const HintColumn& column : options.hint_columns) {
    if (const arrow::ArrayRef hints = batch.field(column.name); hints && column.weight != 0) {
      hints_.emplace_back(hints, column);
    }
  }
  if (options.score.weights.any_ner()) {
    probabilities_.emplace(
        require_field(batch, "ner_probabilities", "ner_probabilities", "list<list<float32 or float16>>"));
  }
  if (options.score.weights.characters > 0) {
    folded_source_.emplace(batch, "folded_source_tokens");
    folded_target_.emplace(batch, "folded_tokens");
  }
}

SentencePair ProjectColumns::pair(std::int64_t row, Scratch& scratch) const {
  SentencePair pair;
  pair.target_words = target_words(row);
  row += offset_;
  // A null source sentence is one that is not known; an empty one has no words.
  if (source_tokens_ && !source_tokens_->is_null(row))
    pair.source_words = static_cast<std::int32_t>(source_tokens_->row(row).size());
  read_entities(entities_.lists.row(row), scratch);
  pair.entities = scratch.entities;
  pair.labels = scratch.labels;
  if (links_) pair.links = links(links_->lists.row(row));
  if (pair.entities.empty() || options_.method == Method::heuristic) return pair;
  scratch.hints.clear();
  for (const HintReader& hints : hints_) hints.read(row, pair, scratch.hints);
  pair.hints = scratch.hints;
  if (probabilities_) {
    probabilities_->read(row, pair.target_words, options_.score.ner_labels.size(), scratch.probabilities);
    pair.probabilities = scratch.probabilities;
  }
  if (folded_source_ && folded_source_->read(row, scratch.source_text) &&
      folded_target_->read(row, scratch.target_text)) {
    pair.source_text = scratch.source_text;
    pair.target_text = scratch.target_text;
  }
  if (candidates_) {
    read_candidates(candidates_->lists.row(row), scratch);
    pair.candidates = scratch.candidates;
  } else if (!options_.stop_words.empty()) {
    read_stops(tokens_.row(row), scratch);
    pair.stops = scratch.stops;
  }
  return pair;
}

void ProjectColumns::throw_too_long(std::int64_t row, std::int64_t words) {
  throw DataError(row, "tokens", std::to_string(words) + " words", "a sentence has at most 2^31 - 1 words");
}

void ProjectColumns::read_entities(arrow::Range range, Scratch& scratch) const {
  scratch.entities.clear();
  scratch.labels.clear();
  for (std::int64_t i = range.begin; i < range.end; ++i) {
    reject_nulls("source_entities", i, entities_.item_validity, starts_, ends_, labels_);
    scratch.entities.push_back({starts_[i], ends_[i]});
    scratch.labels.push_back(labels_[i]);
  }
}

void ProjectColumns::read_candidates(arrow::Range range, Scratch& scratch) const {
  scratch.candidates.clear();
  for (std::int64_t i = range.begin; i < range.end; ++i) {
    reject_nulls("candidates", i, candidates_->item_validity, candidate_starts_, candidate_ends_);
    scratch.candidates.push_back({candidate_starts_[i], candidate_ends_[i]});
  }
}

void ProjectColumns::read_stops(arrow::Range words, Scratch& scratch) const {
  scratch.stops.clear();
  if (words.size() == 0) return;
  if (const auto text = words_.joined(words); text && !options_.stop_words.may_be_in(*text)) return;
  const arrow::StringColumn column = words_;  // a copy, which stays in registers
  for (std::int64_t word = words.begin; word < words.end; ++word) {
    if (!column.is_null(word) && options_.stop_words.contains(column[word])) {
      scratch.stops.push_back(static_cast<std::int32_t>(word - words.begin));
    }
  }
}

LinksView ProjectColumns::links(arrow::Range range) const {
  if (sources_.has_nulls() || targets_.has_nulls() || links_->item_validity.any()) {
    for (std::int64_t i = range.begin; i < range.end; ++i)
      reject_nulls("links", i, links_->item_validity, sources_, targets_);
  }
  const auto size = static_cast<std::size_t>(range.size());
  if (size == 0) return {};
  LinksView view;
  view.source = {sources_.data() + range.begin, size};
  view.target = {targets_.data() + range.begin, size};
  const bool incomplete = scores_ && any_null_score(range);
  if (weighted_ && incomplete) {
    throw DataError(-1, "links", "null", "count='weighted' needs a score for every link");
  }
  if (scores_ && !incomplete) view.score = {scores_->data() + range.begin, size};
  return view;
}

// A pair with a link without a score counts as a pair without scores.
bool ProjectColumns::any_null_score(arrow::Range range) const {
  if (!scores_->has_nulls()) return false;
  for (std::int64_t i = range.begin; i < range.end; ++i) {
    if (scores_->is_null(i)) return true;
  }
  return false;
}

}  // namespace xner
