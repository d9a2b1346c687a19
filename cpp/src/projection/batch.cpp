#include <algorithm>
#include <cmath>
#include <limits>

#include "projection/batch_columns.hpp"
#include "xner/error.hpp"
#include "xner/parallel.hpp"
#include "xner/project.hpp"

namespace xner {

namespace {

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

void project_rows(const ProjectColumns& columns, std::size_t first, std::size_t last, bool skip_invalid,
                  SentenceProjector& projector, ProjectColumns::Scratch& scratch, Chunk& chunk) {
  constexpr std::size_t rows_between_polls = 16;
  // So that small chunks do not grow step by step.
  chunk.rows.reserve(last - first);
  chunk.entities.reserve(last - first);
  chunk.runs.reserve(last - first);
  for (std::size_t index = first; index < last; ++index) {
    if (index % rows_between_polls == 0) poll_interrupt();
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

void write_chunk(const ProjectColumns& columns, std::size_t first, const Chunk& chunk, Position at,
                 Output& out) {
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

// Nulls for infinite margins, which JSON has no form for; empty where there are none.
arrow::Buffer finite_bits(const float* margins, std::size_t count) {
  const auto is_finite = [](float margin) { return std::isfinite(margin); };
  if (std::all_of(margins, margins + count, is_finite)) return {};
  std::vector<std::uint8_t> bits((count + 7) / 8, 0);
  for (std::size_t i = 0; i < count; ++i) {
    if (is_finite(margins[i])) bits[i / 8] = static_cast<std::uint8_t>(bits[i / 8] | 1U << (i % 8));
  }
  return arrow::Buffer::of(bits);
}

arrow::OwnedArray assemble(Output out, std::int64_t rows, std::int64_t words, std::int64_t entities) {
  std::vector<arrow::OwnedArray> fields;
  fields.push_back(arrow::make_primitive("start", "i", entities, std::move(out.starts)));
  fields.push_back(arrow::make_primitive("end", "i", entities, std::move(out.ends)));
  fields.push_back(arrow::make_string("label", entities, std::move(out.entity_label_offsets),
                                      std::move(out.entity_labels)));
  fields.push_back(arrow::make_primitive("score", "f", entities, std::move(out.scores)));
  arrow::Buffer finite = finite_bits(out.margins.as<float>(), static_cast<std::size_t>(entities));
  fields.push_back(arrow::make_primitive("margin", "f", entities, std::move(out.margins)));
  fields.back().buffers.front() = std::move(finite);
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
  const ProjectColumns columns(batch, options);
  const auto rows = static_cast<std::size_t>(columns.rows());
  const std::size_t chunk_rows = chunk_size(rows, 4096);
  std::vector<Chunk> chunks((rows + chunk_rows - 1) / chunk_rows);
  {
    struct Worker {
      SentenceProjector projector;
      ProjectColumns::Scratch scratch;
    };
    PerWorker<Worker> workers(count_workers(rows, chunk_rows, threads));
    parallel_for(rows, chunk_rows, threads, [&](std::size_t first, std::size_t last, std::size_t worker) {
      Worker& own =
          workers.of(worker, [&] { return Worker{.projector = SentenceProjector(options), .scratch = {}}; });
      project_rows(columns, first, last, skip_invalid, own.projector, own.scratch,
                   chunks[first / chunk_rows]);
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
  parallel_for(rows, chunk_rows, threads, [&](std::size_t first, std::size_t, std::size_t) {
    const std::size_t chunk = first / chunk_rows;
    write_chunk(columns, first, chunks[chunk], positions[chunk], out);
  });
  return assemble(std::move(out), columns.rows(), total.words, static_cast<std::int64_t>(entities));
}

}  // namespace xner
