#include "xner/memory.hpp"

#include <algorithm>
#include <utility>

#include "columns.hpp"
#include "xner/error.hpp"
#include "xner/parallel.hpp"
#include "xner/span.hpp"

namespace xner {

namespace {

constexpr std::size_t rows_at_a_time = 4096;
constexpr const char* span_type = "list<struct<start: int32, end: int32>>";

std::string key_of(ProjectionMemory::Words words) {
  return {reinterpret_cast<const char*>(words.data()), words.size_bytes()};
}

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
  [[nodiscard]] std::int32_t source(std::int64_t i) const { return sources_[i]; }

  // The words of span `i`; throws DataError when the sentence does not have them.
  [[nodiscard]] ProjectionMemory::Words words(std::int64_t row, std::int64_t i,
                                              ProjectionMemory::Words sentence) const {
    const std::int32_t start = starts_[i];
    const std::int32_t end = ends_[i];
    if (start < 0 || end <= start || static_cast<std::size_t>(end) > sentence.size()) {
      throw DataError(
          row, column_, "[" + std::to_string(start) + ", " + std::to_string(end) + ")",
          "the span is outside the sentence, which has " + std::to_string(sentence.size()) + " words");
    }
    return sentence.subspan(static_cast<std::size_t>(start), static_cast<std::size_t>(end - start));
  }

 private:
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

  // Calls visit(source entity's index in the row, its words, projected words) for every projected entity.
  template <class Visit>
  void for_each_projection(std::int64_t row, Visit&& visit) const {
    const ProjectionMemory::Words source = source_words.row(row);
    const ProjectionMemory::Words target = target_words.row(row);
    const arrow::Range of_row = source_entities.row(row);
    const auto [begin, end] = entities.row(row);
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int32_t entity = entities.source(i);
      if (entity < 0 || entity >= of_row.size()) {
        throw DataError(row, "entities", std::to_string(entity),
                        "no such source entity; the row has " + std::to_string(of_row.size()));
      }
      visit(entity, source_entities.words(row, of_row.begin + entity, source),
            entities.words(row, i, target));
    }
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

void ProjectionMemory::recall(std::uint32_t entity, Words source, Words own, Words sentence,
                              std::uint32_t least, double weight, std::vector<Hint>& hints) const {
  const auto found = forms_.find(key_of(source));
  if (found == forms_.end()) return;
  const auto others = [own](const Form& form) {
    return form.count - (!own.empty() && std::ranges::equal(form.words, own) ? 1U : 0U);
  };
  std::uint64_t total = 0;
  for (const Form& form : found->second) total += others(form);
  for (const Form& form : found->second) {
    const std::uint32_t count = others(form);
    if (count < least || count == 0) continue;
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
  for (std::int64_t row = 0; row < batch.array->length; ++row) {
    columns.for_each_projection(row, [&](std::int32_t, ProjectionMemory::Words source,
                                         ProjectionMemory::Words target) { memory.add(source, target); });
  }
}

arrow::OwnedArray recall_batch(const ProjectionMemory& memory, arrow::ArrayRef batch, std::uint32_t least,
                               double weight, std::size_t threads) {
  const MemoryColumns columns(batch);
  const auto rows = static_cast<std::size_t>(batch.array->length);
  struct Chunk {
    std::vector<std::int32_t> counts;
    std::vector<Hint> hints;
  };
  std::vector<Chunk> chunks((rows + rows_at_a_time - 1) / rows_at_a_time);
  parallel_for(rows, rows_at_a_time, threads, [&](std::size_t first, std::size_t last, std::size_t) {
    Chunk& chunk = chunks[first / rows_at_a_time];
    std::vector<ProjectionMemory::Words> own;
    for (std::size_t index = first; index < last; ++index) {
      const auto row = static_cast<std::int64_t>(index);
      const ProjectionMemory::Words source = columns.source_words.row(row);
      const ProjectionMemory::Words target = columns.target_words.row(row);
      const arrow::Range entities = columns.source_entities.row(row);
      own.assign(static_cast<std::size_t>(entities.size()), {});
      columns.for_each_projection(
          row, [&](std::int32_t entity, ProjectionMemory::Words, ProjectionMemory::Words words) {
            own[static_cast<std::size_t>(entity)] = words;
          });
      const std::size_t before = chunk.hints.size();
      for (std::size_t entity = 0; entity < own.size(); ++entity) {
        memory.recall(
            static_cast<std::uint32_t>(entity),
            columns.source_entities.words(row, entities.begin + static_cast<std::int64_t>(entity), source),
            own[entity], target, least, weight, chunk.hints);
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
