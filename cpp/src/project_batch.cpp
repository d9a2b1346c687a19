#include <algorithm>
#include <limits>
#include <optional>

#include "columns.hpp"
#include "xner/error.hpp"
#include "xner/parallel.hpp"
#include "xner/project.hpp"

namespace xner {

namespace {

constexpr std::size_t rows_per_chunk = 4096;

template <class... Fields>
void reject_nulls(const StructLists& column, const char* name, std::int64_t i, const Fields&... fields) {
  if (column.item_validity.is_null(i) || (fields.is_null(i) || ...)) {
    throw DataError(-1, name, "null", "a null stands where a value is needed");
  }
}

// A column of scores from elsewhere.
class Hints {
 public:
  Hints(arrow::ArrayRef ref, const HintColumn& column) : name_(column.name), weight_(column.weight) {
    const char* type = "list<struct<source: int32, start: int32, end: int32, score: float32>>";
    lists_ = StructLists(ref, name_);
    sources_ = lists_.int32("source", name_, type);
    starts_ = lists_.int32("start", name_, type);
    ends_ = lists_.int32("end", name_, type);
    scores_ = arrow::FloatColumn(require_field(lists_.item, "score", name_, type), name_ + ".score",
                                 lists_.item.array->offset);
  }

  // Appends the hints of a row, weighted. Throws DataError for one that is not for `pair`.
  void read(std::int64_t row, const SentencePair& pair, std::vector<Hint>& hints) const {
    const arrow::Range range = lists_.lists.row(row);
    for (std::int64_t i = range.begin; i < range.end; ++i) {
      reject_nulls(lists_, name_.c_str(), i, sources_, starts_, ends_, scores_);
      if (sources_[i] < 0) throw DataError(-1, name_, std::to_string(sources_[i]), "entities count from 0");
      hints.push_back({.entity = static_cast<std::uint32_t>(sources_[i]),
                       .span = {starts_[i], ends_[i]},
                       .score = static_cast<float>(weight_ * static_cast<double>(scores_[i]))});
      check_hint(hints.back(), pair.entities.size(), pair.target_words, name_);
    }
  }

 private:
  std::string name_;
  double weight_;
  StructLists lists_;
  arrow::Int32Column sources_;
  arrow::Int32Column starts_;
  arrow::Int32Column ends_;
  arrow::FloatColumn scores_;
};

// The column `ner_probabilities`.
class Probabilities {
 public:
  explicit Probabilities(arrow::ArrayRef ref) : words_(ref, name), labels_(words_.child(), name) {
    const arrow::ArrayRef values = labels_.child();
    if (values.format() == "e") {
      halves_.emplace(values, name);
    } else {
      floats_.emplace(values, name);
    }
  }

  // The probabilities of a row's `words` words, word by word; none where the row is null.
  void read(std::int64_t row, std::int32_t words, std::size_t labels, std::vector<float>& values) const {
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
        throw DataError(-1, name, std::to_string(of_word.size()) + " probabilities",
                        "word " + std::to_string(word - range.begin) + ": there are " +
                            std::to_string(labels) + " labels");
      }
      for (std::int64_t i = of_word.begin; i < of_word.end; ++i) values.push_back(value(i));
    }
  }

 private:
  static constexpr const char* name = "ner_probabilities";

  [[nodiscard]] float value(std::int64_t i) const {
    if (halves_ ? halves_->is_null(i) : floats_->is_null(i)) {
      throw DataError(-1, name, "null", "a null stands where a value is needed");
    }
    return halves_ ? static_cast<float>((*halves_)[i]) : (*floats_)[i];
  }

  arrow::ListColumn words_;
  arrow::ListColumn labels_;
  std::optional<arrow::FloatColumn> floats_;
  std::optional<arrow::HalfColumn> halves_;
};

// A column of sentences as texts of their words.
class Words {
 public:
  Words(arrow::ArrayRef batch, const char* name)
      : lists_(require_field(batch, name, name, "list<string>"), name), words_(lists_.child(), name) {}

  // Whether the row is there, with its words in `words`; a null word is empty.
  bool read(std::int64_t row, std::vector<std::string_view>& words) const {
    words.clear();
    if (lists_.is_null(row)) return false;
    const arrow::Range range = lists_.row(row);
    for (std::int64_t i = range.begin; i < range.end; ++i) {
      words.push_back(words_.is_null(i) ? std::string_view{} : words_[i]);
    }
    return true;
  }

 private:
  arrow::ListColumn lists_;
  arrow::StringColumn words_;
};

// The columns of a batch, and the sentence pair of a row.
class Columns {
 public:
  Columns(arrow::ArrayRef batch, const ProjectOptions& options) : options_(options) {
    if (!batch.is_struct())
      throw Error("expected a record batch, found Arrow format '" + std::string(batch.format()) + "'");
    offset_ = batch.array->offset;
    rows_ = batch.array->length;
    const char* entity_type = "list<struct<start: int32, end: int32, label: string>>";
    const char* link_type = "list<struct<source: int32, target: int32>>";
    tokens_ = arrow::ListColumn(require_field(batch, "tokens", "tokens", "list<string>"), "tokens");
    words_ = arrow::StringColumn(tokens_.child(), "tokens");
    entities_ = StructLists(require_field(batch, "source_entities", "source_entities", entity_type),
                            "source_entities");
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
    if (weighted_ && !scores_)
      throw Error("column 'links': count='weighted' needs links with the field score");
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

  [[nodiscard]] std::int64_t rows() const noexcept { return rows_; }
  [[nodiscard]] std::int32_t target_words(std::int64_t row) const {
    const std::int64_t words = tokens_.row(row + offset_).size();
    if (words > std::numeric_limits<std::int32_t>::max()) {
      throw DataError(row, "tokens", std::to_string(words) + " words",
                      "a sentence has at most 2^31 - 1 words");
    }
    return static_cast<std::int32_t>(words);
  }
  [[nodiscard]] bool entities_missing(std::int64_t row) const {
    return entities_.lists.is_null(row + offset_);
  }

  // Scratch memory of a thread, behind the views of a SentencePair.
  struct Scratch {
    std::vector<Span> entities;
    std::vector<std::string_view> labels;
    std::vector<Span> candidates;
    std::vector<std::int32_t> stops;
    std::vector<Hint> hints;
    std::vector<float> probabilities;
    std::vector<std::string_view> source_text;
    std::vector<std::string_view> target_text;
  };

  [[nodiscard]] SentencePair pair(std::int64_t row, Scratch& scratch) const {
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
    for (const Hints& hints : hints_) hints.read(row, pair, scratch.hints);
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
      scratch.stops.clear();
      const arrow::Range words = tokens_.row(row);
      for (std::int64_t word = words.begin; word < words.end; ++word) {
        if (!words_.is_null(word) && options_.stop_words.contains(words_[word])) {
          scratch.stops.push_back(static_cast<std::int32_t>(word - words.begin));
        }
      }
      pair.stops = scratch.stops;
    }
    return pair;
  }

 private:
  void read_entities(arrow::Range range, Scratch& scratch) const {
    scratch.entities.clear();
    scratch.labels.clear();
    for (std::int64_t i = range.begin; i < range.end; ++i) {
      reject_nulls(entities_, "source_entities", i, starts_, ends_, labels_);
      scratch.entities.push_back({starts_[i], ends_[i]});
      scratch.labels.push_back(labels_[i]);
    }
  }
  void read_candidates(arrow::Range range, Scratch& scratch) const {
    scratch.candidates.clear();
    for (std::int64_t i = range.begin; i < range.end; ++i) {
      reject_nulls(*candidates_, "candidates", i, candidate_starts_, candidate_ends_);
      scratch.candidates.push_back({candidate_starts_[i], candidate_ends_[i]});
    }
  }
  [[nodiscard]] LinksView links(arrow::Range range) const {
    if (sources_.has_nulls() || targets_.has_nulls() || links_->item_validity.any()) {
      for (std::int64_t i = range.begin; i < range.end; ++i)
        reject_nulls(*links_, "links", i, sources_, targets_);
    }
    const auto size = static_cast<std::size_t>(range.size());
    if (size == 0) return {};
    LinksView view{.source = {sources_.data() + range.begin, size},
                   .target = {targets_.data() + range.begin, size},
                   .score = {}};
    const bool incomplete = scores_ && any_null_score(range);
    if (weighted_ && incomplete) {
      throw DataError(-1, "links", "null", "count='weighted' needs a score for every link");
    }
    if (scores_ && !incomplete) view.score = {scores_->data() + range.begin, size};
    return view;
  }
  // A pair with a link without a score counts as a pair without scores.
  [[nodiscard]] bool any_null_score(arrow::Range range) const {
    if (!scores_->has_nulls()) return false;
    for (std::int64_t i = range.begin; i < range.end; ++i) {
      if (scores_->is_null(i)) return true;
    }
    return false;
  }

  const ProjectOptions& options_;
  std::int64_t offset_ = 0;
  std::int64_t rows_ = 0;
  arrow::ListColumn tokens_;
  arrow::StringColumn words_;
  std::optional<arrow::ListColumn> source_tokens_;
  StructLists entities_;
  arrow::Int32Column starts_;
  arrow::Int32Column ends_;
  arrow::StringColumn labels_;
  std::optional<StructLists> links_;
  arrow::Int32Column sources_;
  arrow::Int32Column targets_;
  std::optional<arrow::FloatColumn> scores_;
  bool weighted_ = false;
  std::optional<StructLists> candidates_;
  arrow::Int32Column candidate_starts_;
  arrow::Int32Column candidate_ends_;
  std::vector<Hints> hints_;
  std::optional<Probabilities> probabilities_;
  std::optional<Words> folded_source_;
  std::optional<Words> folded_target_;
};

// What a chunk of rows gave, and where it goes in the output.
struct Chunk {
  struct Row {
    std::uint32_t entities = 0;
    std::uint32_t runs = 0;
    Status status = Status::ok;
  };
  struct Entity {
    ProjectedEntity projected;
    std::string_view label;
  };
  std::vector<Row> rows;
  std::vector<Entity> entities;
  std::vector<TagRun> runs;
  std::int64_t words = 0;
  std::int64_t tag_bytes = 0;
  std::int64_t label_bytes = 0;
};

void project_rows(const Columns& columns, std::size_t first, std::size_t last, bool skip_invalid,
                  SentenceProjector& projector, Columns::Scratch& scratch, Chunk& chunk) {
  chunk.rows.reserve(last - first);
  for (std::size_t index = first; index < last; ++index) {
    const auto row = static_cast<std::int64_t>(index);
    const std::int32_t words = columns.target_words(row);
    chunk.words += words;
    Chunk::Row out;
    std::span<const TagRun> runs;
    if (columns.entities_missing(row)) {
      out.status = words == 0 ? Status::empty_target : Status::missing_entities;
    } else {
      try {
        const SentencePair pair = columns.pair(row, scratch);
        const Projection& projection = projector(pair);
        out.status = projection.status;
        out.entities = static_cast<std::uint32_t>(projection.entities.size());
        runs = projection.runs;
        for (const ProjectedEntity& entity : projection.entities) {
          chunk.entities.push_back({entity, pair.labels[entity.source]});
          chunk.label_bytes += static_cast<std::int64_t>(pair.labels[entity.source].size());
        }
      } catch (const DataError& error) {
        if (!skip_invalid) throw DataError(row, error.column(), error.value(), error.reason());
        out.status = Status::invalid;
      }
    }
    out.runs = static_cast<std::uint32_t>(runs.size());
    chunk.runs.insert(chunk.runs.end(), runs.begin(), runs.end());
    chunk.tag_bytes += static_cast<std::int64_t>(tag_bytes(words, runs));
    chunk.rows.push_back(out);
  }
}

// The output columns while they are filled.
struct Output {
  arrow::Buffer entity_lists, starts, ends, entity_label_offsets, entity_labels, scores, margins, sources;
  arrow::Buffer label_lists, tag_offsets, tags, statuses;

  Output(std::size_t rows, std::size_t entities, const Chunk& total)
      : entity_lists((rows + 1) * sizeof(std::int32_t)),
        starts(entities * sizeof(std::int32_t)),
        ends(entities * sizeof(std::int32_t)),
        entity_label_offsets((entities + 1) * sizeof(std::int32_t)),
        entity_labels(static_cast<std::size_t>(total.label_bytes)),
        scores(entities * sizeof(float)),
        margins(entities * sizeof(float)),
        sources(entities * sizeof(std::int32_t)),
        label_lists((rows + 1) * sizeof(std::int32_t)),
        tag_offsets((static_cast<std::size_t>(total.words) + 1) * sizeof(std::int32_t)),
        tags(static_cast<std::size_t>(total.tag_bytes)),
        statuses(rows * sizeof(std::int32_t)) {
    *entity_lists.as<std::int32_t>() = 0;
    *entity_label_offsets.as<std::int32_t>() = 0;
    *label_lists.as<std::int32_t>() = 0;
    *tag_offsets.as<std::int32_t>() = 0;
  }
};

// Where a chunk's rows start in the output.
struct Position {
  std::size_t entity = 0;
  std::int64_t word = 0;
  std::int64_t tag_byte = 0;
  std::int64_t label_byte = 0;
};

void write_chunk(const Columns& columns, std::size_t first, const Chunk& chunk, Position at, Output& out) {
  std::size_t run = 0;
  auto entity = chunk.entities.begin();
  for (std::size_t i = 0; i < chunk.rows.size(); ++i) {
    const Chunk::Row& row = chunk.rows[i];
    const std::size_t index = first + i;
    const std::int32_t words = columns.target_words(static_cast<std::int64_t>(index));
    const std::span<const TagRun> runs(chunk.runs.data() + run, row.runs);
    write_tags(words, runs, out.tag_offsets.as<std::int32_t>() + 1 + at.word, out.tags.as<char>(),
               at.tag_byte);
    run += row.runs;
    at.word += words;
    at.tag_byte += static_cast<std::int64_t>(tag_bytes(words, runs));
    out.label_lists.as<std::int32_t>()[index + 1] = static_cast<std::int32_t>(at.word);
    for (std::uint32_t e = 0; e < row.entities; ++e, ++entity, ++at.entity) {
      const ProjectedEntity& projected = entity->projected;
      out.starts.as<std::int32_t>()[at.entity] = projected.span.start;
      out.ends.as<std::int32_t>()[at.entity] = projected.span.end;
      out.scores.as<float>()[at.entity] = projected.score;
      out.margins.as<float>()[at.entity] = projected.margin;
      out.sources.as<std::int32_t>()[at.entity] = static_cast<std::int32_t>(projected.source);
      std::ranges::copy(entity->label, out.entity_labels.as<char>() + at.label_byte);
      at.label_byte += static_cast<std::int64_t>(entity->label.size());
      out.entity_label_offsets.as<std::int32_t>()[at.entity + 1] = static_cast<std::int32_t>(at.label_byte);
    }
    out.entity_lists.as<std::int32_t>()[index + 1] = static_cast<std::int32_t>(at.entity);
    out.statuses.as<std::int32_t>()[index] = static_cast<std::int32_t>(row.status);
  }
}

arrow::OwnedArray status_dictionary() {
  std::vector<std::int32_t> offsets{0};
  std::vector<char> data;
  for (const std::string_view name : status_names) {
    data.insert(data.end(), name.begin(), name.end());
    offsets.push_back(static_cast<std::int32_t>(data.size()));
  }
  return arrow::make_string("", static_cast<std::int64_t>(std::size(status_names)),
                            arrow::Buffer::of(offsets), arrow::Buffer::of(data));
}

arrow::OwnedArray assemble(Output out, std::int64_t rows, std::int64_t words, std::int64_t entities) {
  std::vector<arrow::OwnedArray> fields;
  fields.push_back(arrow::make_primitive("start", "i", entities, std::move(out.starts)));
  fields.push_back(arrow::make_primitive("end", "i", entities, std::move(out.ends)));
  fields.push_back(arrow::make_string("label", entities, std::move(out.entity_label_offsets),
                                      std::move(out.entity_labels)));
  fields.push_back(arrow::make_primitive("score", "f", entities, std::move(out.scores)));
  fields.push_back(arrow::make_primitive("margin", "f", entities, std::move(out.margins)));
  fields.push_back(arrow::make_primitive("source", "i", entities, std::move(out.sources)));
  arrow::OwnedArray status = arrow::make_primitive("status", "i", rows, std::move(out.statuses));
  status.dictionary = std::make_unique<arrow::OwnedArray>(status_dictionary());
  std::vector<arrow::OwnedArray> columns;
  columns.push_back(arrow::make_list("entities", rows, std::move(out.entity_lists),
                                     arrow::make_struct("item", entities, std::move(fields))));
  columns.push_back(
      arrow::make_list("labels", rows, std::move(out.label_lists),
                       arrow::make_string("item", words, std::move(out.tag_offsets), std::move(out.tags))));
  columns.push_back(std::move(status));
  return arrow::make_struct("", rows, std::move(columns));
}

}  // namespace

arrow::OwnedArray project_batch(arrow::ArrayRef batch, const ProjectOptions& options, std::size_t threads,
                                bool skip_invalid) {
  const Columns columns(batch, options);
  const auto rows = static_cast<std::size_t>(columns.rows());
  std::vector<Chunk> chunks((rows + rows_per_chunk - 1) / rows_per_chunk);
  {
    struct Worker {
      SentenceProjector projector;
      Columns::Scratch scratch;
    };
    std::vector<Worker> workers(std::min(resolve_threads(threads), chunks.size()),
                                Worker{.projector = SentenceProjector(options), .scratch = {}});
    parallel_for(rows, rows_per_chunk, threads, [&](std::size_t first, std::size_t last, std::size_t worker) {
      project_rows(columns, first, last, skip_invalid, workers[worker].projector, workers[worker].scratch,
                   chunks[first / rows_per_chunk]);
    });
  }

  Chunk total;
  std::size_t entities = 0;
  std::vector<Position> positions;
  positions.reserve(chunks.size());
  for (const Chunk& chunk : chunks) {
    positions.push_back({entities, total.words, total.tag_bytes, total.label_bytes});
    entities += chunk.entities.size();
    total.words += chunk.words;
    total.tag_bytes += chunk.tag_bytes;
    total.label_bytes += chunk.label_bytes;
  }
  if (std::max({total.words, total.tag_bytes, total.label_bytes}) >
      std::numeric_limits<std::int32_t>::max()) {
    throw Error("the labels of one record batch take over 2 GiB; split it into smaller batches");
  }
  Output out(rows, entities, total);
  parallel_for(rows, rows_per_chunk, threads, [&](std::size_t first, std::size_t, std::size_t) {
    const std::size_t chunk = first / rows_per_chunk;
    write_chunk(columns, first, chunks[chunk], positions[chunk], out);
  });
  return assemble(std::move(out), columns.rows(), total.words, static_cast<std::int64_t>(entities));
}

}  // namespace xner
