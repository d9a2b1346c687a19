#include "xner/memory.hpp"

#include <algorithm>
#include <utility>

#include "columns.hpp"
#include "xner/error.hpp"
#include "xner/parallel.hpp"
#include "xner/span.hpp"

namespace xner {

namespace {

constexpr const char* span_type = "list<struct<start: int32, end: int32>>";

std::string key_of(ProjectionMemory::Words words) {
  return {reinterpret_cast<const char*>(words.data()), words.size_bytes()};
}

// 64 bits of a sequence of numbers, each step one to one.
class Digest {
 public:
  void add(std::int64_t number) noexcept {
    state_ = (state_ ^ static_cast<std::uint64_t>(number)) * 0x9E3779B97F4A7C15U;
    state_ ^= state_ >> 32U;
  }
  void add(ProjectionMemory::Words words) noexcept {
    add(static_cast<std::int64_t>(words.size()));
    for (const std::int32_t word : words) add(word);
  }
  [[nodiscard]] std::uint64_t value() const noexcept { return state_; }

 private:
  std::uint64_t state_ = 0;
};

// Word numbers of each row.
class WordLists {
 public:
  WordLists(arrow::ArrayRef batch, const char* column)
      : lists_(require_field(batch, column, column, "list<int32>"), column), words_(lists_.child(), column) {}

  [[nodiscard]] ProjectionMemory::Words row(std::int64_t row) const {
    const auto [begin, end] = lists_.row(row);
    if (begin == end) return {};
    return {words_.data() + begin, static_cast<std::size_t>(end - begin)};
  }

 private:
  arrow::ListColumn lists_;
  arrow::Int32Column words_;
};

// Spans of each row, and for projected entities the source entity of each.
class SpanLists {
 public:
  SpanLists(arrow::ArrayRef batch, const std::string& column, bool projected)
      : column_(column),
        spans_(require_field(batch, column.c_str(), column, span_type), column),
        starts_(spans_.int32("start", column, span_type)),
        ends_(spans_.int32("end", column, span_type)) {
    if (projected) sources_ = spans_.int32("source", column, "a list of structs with a field source");
  }

  [[nodiscard]] arrow::Range row(std::int64_t row) const { return spans_.lists.row(row); }
  [[nodiscard]] std::int32_t source(std::int64_t row, std::int64_t i) const {
    if (sources_.is_null(i)) throw_null(row);
    return sources_[i];
  }
  [[nodiscard]] Span span(std::int64_t row, std::int64_t i) const {
    if (spans_.item_validity.is_null(i) || starts_.is_null(i) || ends_.is_null(i)) throw_null(row);
    return {starts_[i], ends_[i]};
  }

  // The words of span `i`; throws DataError when the sentence does not have them.
  [[nodiscard]] ProjectionMemory::Words words(std::int64_t row, std::int64_t i,
                                              ProjectionMemory::Words sentence) const {
    const auto [start, end] = span(row, i);
    if (start < 0 || end <= start || static_cast<std::size_t>(end) > sentence.size()) {
      throw DataError(
          row, column_, "[" + std::to_string(start) + ", " + std::to_string(end) + ")",
          "the span is outside the sentence, which has " + std::to_string(sentence.size()) + " words");
    }
    return sentence.subspan(static_cast<std::size_t>(start), static_cast<std::size_t>(end - start));
  }

 private:
  [[noreturn]] void throw_null(std::int64_t row) const {
    throw DataError(row, column_, "null", "a null stands where a value is needed");
  }

  std::string column_;
  StructLists spans_;
  arrow::Int32Column starts_;
  arrow::Int32Column ends_;
  arrow::Int32Column sources_;
};

struct MemoryColumns {
  WordLists source_words;
  WordLists target_words;
  SpanLists source_entities;
  SpanLists entities;

  explicit MemoryColumns(arrow::ArrayRef batch)
      : source_words(batch, "source_words"),
        target_words(batch, "target_words"),
        source_entities(batch, "source_entities", false),
        entities(batch, "entities", true) {
    if (batch.array->offset != 0)
      throw Error("a record batch whose struct has an offset is not supported here");
  }

  // A projected entity: its words, and those it was projected onto.
  struct Projected {
    ProjectionMemory::Words source, target;
  };

  // All of a row, into `projected`; returns what tells the row from others.
  std::uint64_t read(std::int64_t row, std::vector<Projected>& projected) const {
    projected.clear();
    const ProjectionMemory::Words source = source_words.row(row);
    const ProjectionMemory::Words target = target_words.row(row);
    const arrow::Range of_row = source_entities.row(row);
    const auto [begin, end] = entities.row(row);
    Digest digest;
    if (begin == end) return digest.value();
    digest.add(source);
    digest.add(target);
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int32_t entity = entities.source(row, i);
      if (entity < 0 || entity >= of_row.size()) {
        throw DataError(row, "entities", std::to_string(entity),
                        "no such source entity; the row has " + std::to_string(of_row.size()));
      }
      const std::int64_t of = of_row.begin + entity;
      projected.push_back({source_entities.words(row, of, source), entities.words(row, i, target)});
      for (const Span span : {source_entities.span(row, of), entities.span(row, i)}) {
        digest.add(span.start);
        digest.add(span.end);
      }
    }
    return digest.value();
  }
};

}  // namespace

void ProjectionMemory::add(Words source, Words target) {
  std::vector<Form>& forms = forms_[key_of(source)];
  const auto same = [target](const Form& form) { return std::ranges::equal(form.words, target); };
  auto found = std::ranges::find_if(forms, same);
  if (found == forms.end())
    found = forms.insert(found, Form{.words = {target.begin(), target.end()}, .count = 0});
  ++found->count;
}

void ProjectionMemory::add_form(Words source, Form form) {
  forms_[key_of(source)].push_back(std::move(form));
}

void ProjectionMemory::recall(std::uint32_t entity, Words source, std::span<const Words> own, Words sentence,
                              std::uint32_t least, double weight, std::vector<Hint>& hints) const {
  const auto found = forms_.find(key_of(source));
  if (found == forms_.end()) return;
  const auto own_of = [own](const Form& form) {
    const auto is_it = [&form](Words words) { return std::ranges::equal(form.words, words); };
    return static_cast<std::uint32_t>(std::ranges::count_if(own, is_it));
  };
  auto not_told_apart = static_cast<std::uint32_t>(own.size());
  for (const Form& form : found->second) not_told_apart -= own_of(form);
  const auto others = [&own_of, not_told_apart](const Form& form) {
    return form.count - std::min(form.count, form.words.empty() ? not_told_apart : own_of(form));
  };
  std::uint64_t total = 0;
  for (const Form& form : found->second) total += others(form);
  for (const Form& form : found->second) {
    const std::uint32_t count = others(form);
    if (count < least || count == 0 || form.words.empty()) continue;
    const double score = weight * count / static_cast<double>(total);
    auto from = sentence.begin();
    while (true) {
      const auto place = std::search(from, sentence.end(), form.words.begin(), form.words.end());
      if (place == sentence.end()) break;
      const auto start = static_cast<std::int32_t>(place - sentence.begin());
      hints.push_back({.entity = entity,
                       .span = {start, start + static_cast<std::int32_t>(form.words.size())},
                       .score = static_cast<float>(score)});
      from = place + 1;
    }
  }
}

void remember_batch(ProjectionMemory& memory, arrow::ArrayRef batch) {
  const MemoryColumns columns(batch);
  // Read whole before anything is added: a wrong row leaves the memory as it was.
  std::vector<MemoryColumns::Projected> projected;
  for (std::int64_t row = 0; row < batch.array->length; ++row) {
    if (row % 4096 == 0) poll_interrupt();
    columns.read(row, projected);
  }
  for (std::int64_t row = 0; row < batch.array->length; ++row) {
    const std::uint64_t digest = columns.read(row, projected);
    if (projected.empty()) continue;
    memory.add_row(digest);
    for (const auto& [source, target] : projected) memory.add(source, target);
  }
}

void remember_counts(ProjectionMemory& memory, arrow::ArrayRef batch) {
  const WordLists source_words(batch, "source_words");
  const WordLists target_words(batch, "target_words");
  const arrow::Int32Column counts(require_field(batch, "count", "count", "int32"), "count");
  for (std::int64_t row = 0; row < batch.array->length; ++row) {
    if (row % 4096 == 0) poll_interrupt();
    if (counts.is_null(row) || counts[row] < 1)
      throw DataError(row, "count", counts.is_null(row) ? "null" : std::to_string(counts[row]),
                      "expected how often there was a projection, from 1");
  }
  for (std::int64_t row = 0; row < batch.array->length; ++row) {
    const ProjectionMemory::Words words = target_words.row(row);
    memory.add_form(source_words.row(row), {.words = {words.begin(), words.end()},
                                            .count = static_cast<std::uint32_t>(counts[row])});
  }
}

arrow::OwnedArray recall_batch(const ProjectionMemory& memory, arrow::ArrayRef batch, std::uint32_t least,
                               double weight, bool all_remembered, std::size_t threads) {
  const MemoryColumns columns(batch);
  const auto rows = static_cast<std::size_t>(batch.array->length);
  struct Chunk {
    std::vector<std::int32_t> counts;
    std::vector<Hint> hints;
  };
  const std::size_t chunk_rows = chunk_size(rows, 256);
  std::vector<Chunk> chunks((rows + chunk_rows - 1) / chunk_rows);
  parallel_for(rows, chunk_rows, threads, [&](std::size_t first, std::size_t last, std::size_t) {
    Chunk& chunk = chunks[first / chunk_rows];
    std::vector<MemoryColumns::Projected> projected;
    std::vector<ProjectionMemory::Words> own;
    for (std::size_t index = first; index < last; ++index) {
      const auto row = static_cast<std::int64_t>(index);
      const ProjectionMemory::Words source = columns.source_words.row(row);
      const ProjectionMemory::Words target = columns.target_words.row(row);
      const arrow::Range entities = columns.source_entities.row(row);
      const std::uint64_t digest = columns.read(row, projected);
      if (!all_remembered && !projected.empty() && !memory.has_row(digest)) projected.clear();
      const std::size_t before = chunk.hints.size();
      for (std::int64_t entity = 0; entity < entities.size(); ++entity) {
        const ProjectionMemory::Words words =
            columns.source_entities.words(row, entities.begin + entity, source);
        own.clear();
        for (const auto& [from, onto] : projected) {
          if (std::ranges::equal(from, words)) own.push_back(onto);
        }
        memory.recall(static_cast<std::uint32_t>(entity), words, own, target, least, weight, chunk.hints);
      }
      chunk.counts.push_back(static_cast<std::int32_t>(chunk.hints.size() - before));
    }
  });

  std::vector<std::int32_t> offsets{0};
  std::vector<std::int32_t> sources;
  std::vector<std::int32_t> starts;
  std::vector<std::int32_t> ends;
  std::vector<float> scores;
  for (const Chunk& chunk : chunks) {
    for (const std::int32_t count : chunk.counts) offsets.push_back(offsets.back() + count);
    for (const Hint& hint : chunk.hints) {
      sources.push_back(static_cast<std::int32_t>(hint.entity));
      starts.push_back(hint.span.start);
      ends.push_back(hint.span.end);
      scores.push_back(static_cast<float>(hint.score));
    }
  }
  const auto count = static_cast<std::int64_t>(scores.size());
  std::vector<arrow::OwnedArray> fields;
  fields.push_back(arrow::make_primitive("source", "i", count, arrow::Buffer::of(sources)));
  fields.push_back(arrow::make_primitive("start", "i", count, arrow::Buffer::of(starts)));
  fields.push_back(arrow::make_primitive("end", "i", count, arrow::Buffer::of(ends)));
  fields.push_back(arrow::make_primitive("score", "f", count, arrow::Buffer::of(scores)));
  return arrow::make_list("hints", batch.array->length, arrow::Buffer::of(offsets),
                          arrow::make_struct("item", count, std::move(fields)));
}

}  // namespace xner
