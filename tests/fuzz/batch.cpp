// Record batches from elsewhere: what is not sound is refused, what is passes through projection, memories and labels,
// and comes out sound.
#include "bytes.hpp"
#include "xner/labels.hpp"
#include "xner/memory.hpp"
#include "xner/project.hpp"

using namespace xner;
using namespace xner::fuzz;

namespace {

arrow::OwnedArray spans(Bytes& bytes, const char* name, std::size_t rows, bool projected) {
  const std::size_t size = bytes.size(8);
  std::vector<arrow::OwnedArray> fields;
  fields.push_back(numbers(bytes, "start", size));
  fields.push_back(numbers(bytes, "end", size));
  fields.push_back(texts(bytes, "label", size));
  if (projected) fields.push_back(numbers(bytes, "source", size));
  return lists(bytes, name, rows, records(bytes, size, std::move(fields)));
}

arrow::OwnedArray links(Bytes& bytes, std::size_t rows) {
  const std::size_t size = bytes.size(12);
  std::vector<arrow::OwnedArray> fields;
  fields.push_back(numbers(bytes, "source", size));
  fields.push_back(numbers(bytes, "target", size));
  if (bytes.yes()) fields.push_back(scores(bytes, "score", size));
  return lists(bytes, "links", rows, records(bytes, size, std::move(fields)));
}

arrow::OwnedArray hints(Bytes& bytes, std::size_t rows) {
  const std::size_t size = bytes.size(6);
  std::vector<arrow::OwnedArray> fields;
  for (const char* name : {"source", "start", "end"}) fields.push_back(numbers(bytes, name, size));
  fields.push_back(scores(bytes, "score", size));
  return lists(bytes, "hints", rows, records(bytes, size, std::move(fields)));
}

arrow::OwnedArray batch(Bytes& bytes, std::size_t rows) {
  std::vector<arrow::OwnedArray> columns;
  columns.push_back(lists(bytes, "tokens", rows, texts(bytes, "item", bytes.size(16))));
  columns.push_back(spans(bytes, "source_entities", rows, false));
  columns.push_back(links(bytes, rows));
  if (bytes.yes())
    columns.push_back(lists(bytes, "source_tokens", rows, texts(bytes, "item", bytes.size(16))));
  if (bytes.yes()) columns.push_back(hints(bytes, rows));
  if (bytes.yes()) columns.push_back(spans(bytes, "candidates", rows, false));
  for (const char* name : {"source_words", "target_words"}) {
    columns.push_back(lists(bytes, name, rows, numbers(bytes, "item", bytes.size(12))));
  }
  columns.push_back(spans(bytes, "entities", rows, true));
  return arrow::make_struct("", static_cast<std::int64_t>(rows), std::move(columns));
}

ProjectOptions options(Bytes& bytes) {
  ProjectOptions options;
  options.method = bytes.one_of<Method>(2);
  options.matcher = bytes.one_of<MatcherKind>(2);
  options.constraint = {bytes.one_of<Constraint::Relation>(5), bytes.number<std::uint32_t>(0, 3)};
  if (bytes.yes()) options.score.candidates = bytes.one_of<CandidateKind>(4);
  options.score.limits.min_words = bytes.number<std::int32_t>(1, 3);
  options.score.count = bytes.one_of<Count>(3);
  options.score.ties = bytes.one_of<Ties>(2);
  options.heuristic.merge_distance = bytes.number<std::int32_t>(0, 3);
  options.canonical_order = bytes.yes();
  return options;
}

bool passes(arrow::ArrayRef array, bool texts) {
  try {
    return arrow::check_array(array, "x", texts);
  } catch (const Error&) {
    return false;
  }
}

bool is_sound(arrow::ArrayRef batch) {
  for (std::int64_t i = 0; i < batch.schema->n_children; ++i) {
    if (!passes({batch.schema->children[i], batch.array->children[i]}, false)) return false;
  }
  return true;
}

// Texts are right where each one is.
void check_texts(arrow::ArrayRef texts) {
  if (!passes(texts, false)) return;
  bool each = true;
  for (std::int64_t row = 0; row < texts.array->length; ++row) {
    ArrowArray alone = *texts.array;
    alone.offset += row;
    alone.length = 1;
    alone.null_count = -1;
    each = passes({texts.schema, &alone}, true) && each;
  }
  require(passes(texts, true) == each);
}

template <class Call>
void run(const Call& call) {
  try {
    const Handed result(call());
    require(arrow::check_array(result.ref(), "result", false));
  } catch (const Error&) {
    return;  // an answer as well
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes bytes(data, size);
  const ProjectOptions chosen = options(bytes);
  const bool skip = bytes.yes();
  const std::size_t rows = bytes.size(5);
  const Handed handed(batch(bytes, rows));
  const arrow::ArrayRef ref = handed.ref();
  if (!is_sound(ref)) return 0;
  const arrow::ArrayRef tokens = ref.field("tokens");
  check_texts({tokens.schema->children[0], tokens.array->children[0]});
  run([&] { return project_batch(ref, chosen, 1, skip); });
  run([&] { return encode_label_lists(ref.field("source_entities"), "x", ref.field("tokens"), 1); });
  run([&] {
    return decode_label_lists(ref.field("tokens"), "x", bytes.one_of<Scheme>(3), bytes.one_of<Reading>(3), 1);
  });
  ProjectionMemory memory;
  run([&] {
    remember_batch(memory, ref);
    return recall_batch(memory, ref, 1, 1.0, false, 1);
  });
  return 0;
}
