#include "xner/labels.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "xner/error.hpp"
#include "xner/parallel.hpp"

namespace xner {

namespace {

constexpr std::size_t rows_per_chunk = 4096;

struct Tag {
  char prefix = 'O';
  std::string_view type;
};

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

[[noreturn]] void throw_tag(std::size_t word, std::string_view tag, const std::string& reason) {
  throw DataError(-1, "labels", quoted(tag) + " at word " + std::to_string(word), reason);
}

// BILOU says last and unit, BMEWO middle and whole.
char in_bioes(char prefix) {
  switch (prefix) {
    case 'L':
      return 'E';
    case 'U':
    case 'W':
      return 'S';
    case 'M':
      return 'I';
    default:
      return prefix;
  }
}

// conlleval reads the first character as the prefix and what follows the first hyphen as the class. A tag
// without a hyphen is a bare prefix, or else a bare class: it must not be read by its first letter, or ORG
// were outside.
Tag parse_lenient(std::string_view tag) {
  if (tag == "O") return {'O', "O"};
  const std::size_t hyphen = tag.find('-');
  if (hyphen != std::string_view::npos) {
    const std::string_view type = tag.substr(hyphen + 1);
    return {hyphen == 1 ? in_bioes(tag.front()) : tag.front(), type.empty() ? std::string_view("_") : type};
  }
  const bool bare_prefix =
      tag.size() == 1 && std::string_view("BIESLUMW.").find(tag.front()) != std::string_view::npos;
  return bare_prefix ? Tag{in_bioes(tag.front()), "_"} : Tag{'I', tag};
}

bool ends_mention(const Tag& previous, const Tag& tag) {
  if (previous.prefix == 'E' || previous.prefix == 'S') return true;
  const bool inside = previous.prefix == 'B' || previous.prefix == 'I';
  if (inside && (tag.prefix == 'B' || tag.prefix == 'S' || tag.prefix == 'O')) return true;
  return previous.prefix != 'O' && previous.prefix != '.' && previous.type != tag.type;
}

bool begins_mention(const Tag& previous, const Tag& tag) {
  if (tag.prefix == 'B' || tag.prefix == 'S') return true;
  const bool closed = previous.prefix == 'E' || previous.prefix == 'S' || previous.prefix == 'O';
  if (closed && (tag.prefix == 'E' || tag.prefix == 'I')) return true;
  return tag.prefix != 'O' && tag.prefix != '.' && previous.type != tag.type;
}

void decode_lenient(std::span<const std::string_view> tags, std::vector<LabelledSpan>& out) {
  const Tag outside{'O', "O"};
  Tag previous{'O', ""};
  std::size_t begin = 0;
  for (std::size_t word = 0; word <= tags.size(); ++word) {
    // The common case, kept short: outside after outside.
    if (word < tags.size() && previous.prefix == 'O' && tags[word] == "O") {
      previous = outside;
      continue;
    }
    const Tag tag = word < tags.size() ? parse_lenient(tags[word]) : outside;
    if (ends_mention(previous, tag)) {
      out.push_back({{static_cast<std::int32_t>(begin), static_cast<std::int32_t>(word)}, previous.type});
    }
    if (begins_mention(previous, tag)) begin = word;
    previous = tag;
  }
}

std::string_view allowed_prefixes(Scheme scheme) { return scheme == Scheme::bioes ? "BIES" : "BI"; }

const char* scheme_name(Scheme scheme) {
  switch (scheme) {
    case Scheme::iob1:
      return "IOB1";
    case Scheme::iob2:
      return "IOB2";
    default:
      return "BIOES";
  }
}

Tag parse_strict(std::string_view tag, std::size_t word, Scheme scheme) {
  if (tag == "O") return {'O', "O"};
  const char prefix = scheme == Scheme::bioes ? in_bioes(tag.front()) : tag.front();
  if (tag.size() < 2 || tag[1] != '-' || allowed_prefixes(scheme).find(prefix) == std::string_view::npos) {
    std::string expected = "an " + std::string(scheme_name(scheme)) + " label is O or one of ";
    for (const char allowed : allowed_prefixes(scheme))
      expected += std::string(allowed == 'B' ? "" : ", ") + allowed + "-CLASS";
    throw_tag(word, tag, expected);
  }
  if (tag.size() == 2) throw_tag(word, tag, "the label has no class");
  return {prefix, tag.substr(2)};
}

// Why the scheme does not allow `tag` after `previous`; empty when it does.
std::string_view misplaced(const Tag& previous, const Tag& tag, Scheme scheme) {
  const bool continues = previous.type == tag.type;
  switch (scheme) {
    case Scheme::iob1:
      if (tag.prefix == 'B' && (previous.prefix == 'O' || !continues)) {
        return "in IOB1, B- stands only directly after an entity of the same class";
      }
      return {};
    case Scheme::iob2:
      if (tag.prefix == 'I' && (previous.prefix == 'O' || !continues)) {
        return "in IOB2, I- follows B- or I- of the same class; is this file IOB1?";
      }
      return {};
    default: {
      const bool open = previous.prefix == 'B' || previous.prefix == 'I';
      const bool closes = tag.prefix == 'I' || tag.prefix == 'E';
      if (open && !(closes && continues))
        return "in BIOES, B- and I- are followed by I- or E- of the same class";
      if (!open && closes) return "in BIOES, I- and E- follow B- or I- of the same class";
      return {};
    }
  }
}

// The end of the entity that begins at `word`: the first word after it that does not continue its class.
std::size_t inside_end(std::span<const Tag> tags, std::size_t word) {
  std::size_t end = word + 1;
  while (end < tags.size() && tags[end].prefix == 'I' && tags[end].type == tags[word].type) ++end;
  return end;
}

LabelledSpan entity_of(std::size_t word, std::size_t end, const Tag& tag) {
  return {{static_cast<std::int32_t>(word), static_cast<std::int32_t>(end)}, tag.type};
}

void decode_iob2(std::span<const Tag> tags, std::vector<LabelledSpan>& out) {
  for (std::size_t word = 0; word < tags.size();) {
    if (tags[word].prefix != 'B') {
      ++word;
      continue;
    }
    const std::size_t end = inside_end(tags, word);
    out.push_back(entity_of(word, end, tags[word]));
    word = end;
  }
}

void decode_iob1(std::span<const Tag> tags, std::vector<LabelledSpan>& out) {
  for (std::size_t word = 0; word < tags.size();) {
    const Tag previous = word == 0 ? Tag{} : tags[word - 1];
    if (tags[word].prefix == 'O' || !misplaced(previous, tags[word], Scheme::iob1).empty()) {
      ++word;
      continue;
    }
    const std::size_t end = inside_end(tags, word);
    // seqeval does not see a lone B- end where a misplaced B- of another class follows.
    const bool unended = end < tags.size() && tags[end - 1].prefix == 'B' && tags[end].prefix == 'B' &&
                         tags[end].type != tags[word].type;
    if (!unended) out.push_back(entity_of(word, end, tags[word]));
    word = end;
  }
}

void decode_bioes(std::span<const Tag> tags, std::vector<LabelledSpan>& out) {
  for (std::size_t word = 0; word < tags.size(); ++word) {
    std::size_t end = word + 1;
    if (tags[word].prefix == 'B') {
      end = inside_end(tags, word);
      if (end == tags.size() || tags[end].prefix != 'E' || tags[end].type != tags[word].type) continue;
      ++end;
    } else if (tags[word].prefix != 'S') {
      continue;
    }
    out.push_back(entity_of(word, end, tags[word]));
    word = end - 1;
  }
}

// Entities of consecutive rows, as they go into Arrow buffers.
struct EntityRows {
  std::vector<std::int32_t> counts;
  std::vector<Span> spans;
  std::vector<std::int32_t> label_bytes;
  std::string labels;
};

arrow::OwnedArray merge(const std::vector<EntityRows>& chunks, std::int64_t rows) {
  std::size_t bytes = 0;
  for (const EntityRows& chunk : chunks) bytes += chunk.labels.size();
  if (bytes > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    throw Error("the entities' labels of one batch take over 2 GiB; split it into smaller batches");
  }
  std::vector<std::int32_t> list_offsets{0};
  std::vector<std::int32_t> label_offsets{0};
  std::vector<std::int32_t> starts;
  std::vector<std::int32_t> ends;
  arrow::Buffer labels(bytes);
  for (const EntityRows& chunk : chunks) {
    for (const std::int32_t count : chunk.counts) list_offsets.push_back(list_offsets.back() + count);
    std::ranges::copy(chunk.labels, labels.as<char>() + label_offsets.back());
    for (const Span span : chunk.spans) {
      starts.push_back(span.start);
      ends.push_back(span.end);
    }
    for (const std::int32_t size : chunk.label_bytes) label_offsets.push_back(label_offsets.back() + size);
  }
  const auto count = static_cast<std::int64_t>(starts.size());
  std::vector<arrow::OwnedArray> fields;
  fields.push_back(arrow::make_primitive("start", "i", count, arrow::Buffer::of(starts)));
  fields.push_back(arrow::make_primitive("end", "i", count, arrow::Buffer::of(ends)));
  fields.push_back(arrow::make_string("label", count, arrow::Buffer::of(label_offsets), std::move(labels)));
  return arrow::make_list("entities", rows, arrow::Buffer::of(list_offsets),
                          arrow::make_struct("item", count, std::move(fields)));
}

// The row's entities sorted by start, checked against its number of words.
void read_runs(const arrow::Validity& items, const arrow::Int32Column& starts, const arrow::Int32Column& ends,
               const arrow::StringColumn& labels, arrow::Range range, std::int64_t words, std::int64_t row,
               std::string_view column, std::vector<TagRun>& runs) {
  runs.clear();
  for (std::int64_t i = range.begin; i < range.end; ++i) {
    if (items.is_null(i) || starts.is_null(i) || ends.is_null(i) || labels.is_null(i)) {
      throw DataError(row, std::string(column), "null", "a null stands where a value is needed");
    }
    runs.push_back({{starts[i], ends[i]}, labels[i], true});
  }
  std::ranges::sort(runs, {}, &TagRun::span);
  const auto text = [](Span span) {
    return "[" + std::to_string(span.start) + ", " + std::to_string(span.end) + ")";
  };
  std::int32_t previous_end = 0;
  for (const TagRun& run : runs) {
    const auto [start, end] = run.span;
    if (start < 0 || end <= start || end > words) {
      throw DataError(row, std::string(column), text(run.span),
                      "the span is outside the sentence, which has " + std::to_string(words) + " words");
    }
    if (start < previous_end) {
      throw DataError(row, std::string(column), text(run.span),
                      "the span overlaps another entity of the sentence");
    }
    if (run.label.empty())
      throw DataError(row, std::string(column), text(run.span), "the entity has no label");
    previous_end = end;
  }
}

}  // namespace

void decode_labels(std::span<const std::string_view> tags, Scheme scheme, Reading reading,
                   std::vector<LabelledSpan>& out) {
  for (std::size_t word = 0; word < tags.size(); ++word) {
    if (tags[word].empty())
      throw_tag(word, tags[word], "the label is empty; a word outside any entity has the label O");
  }
  if (reading == Reading::lenient) {
    decode_lenient(tags, out);
    return;
  }
  std::vector<Tag> parsed;
  parsed.reserve(tags.size());
  for (std::size_t word = 0; word < tags.size(); ++word)
    parsed.push_back(parse_strict(tags[word], word, scheme));
  if (reading == Reading::validate) {
    Tag previous{};
    for (std::size_t word = 0; word < tags.size(); ++word) {
      const std::string_view reason = misplaced(previous, parsed[word], scheme);
      if (!reason.empty()) throw_tag(word, tags[word], std::string(reason));
      previous = parsed[word];
    }
    if (scheme == Scheme::bioes && (previous.prefix == 'B' || previous.prefix == 'I')) {
      throw_tag(tags.size() - 1, tags.back(),
                "in BIOES, B- and I- are followed by I- or E- of the same class");
    }
  }
  switch (scheme) {
    case Scheme::iob1:
      decode_iob1(parsed, out);
      break;
    case Scheme::iob2:
      decode_iob2(parsed, out);
      break;
    case Scheme::bioes:
      decode_bioes(parsed, out);
      break;
  }
}

std::size_t tag_bytes(std::int32_t words, std::span<const TagRun> runs) {
  auto bytes = static_cast<std::size_t>(words);
  for (const TagRun& run : runs)
    bytes += static_cast<std::size_t>(run.span.length()) * (run.label.size() + 1);
  return bytes;
}

void write_tags(std::int32_t words, std::span<const TagRun> runs, std::int32_t* offsets, char* data,
                std::int64_t position) {
  auto offset = static_cast<std::int32_t>(position);
  std::int32_t word = 0;
  const auto outside = [&](std::int32_t until) {
    std::memset(data + offset, 'O', static_cast<std::size_t>(until - word));
    for (; word < until; ++word) *offsets++ = ++offset;
  };
  for (const TagRun& run : runs) {
    outside(run.span.start);
    for (; word < run.span.end; ++word) {
      data[offset] = run.begins && word == run.span.start ? 'B' : 'I';
      data[offset + 1] = '-';
      std::memcpy(data + offset + 2, run.label.data(), run.label.size());
      offset += static_cast<std::int32_t>(run.label.size()) + 2;
      *offsets++ = offset;
    }
  }
  outside(words);
}

arrow::OwnedArray decode_label_lists(arrow::ArrayRef labels, std::string_view column, Scheme scheme,
                                     Reading reading, std::size_t threads) {
  const arrow::ListColumn lists(labels, column);
  const arrow::StringColumn tags(lists.child(), column);
  const auto rows = static_cast<std::size_t>(lists.size());
  std::vector<EntityRows> chunks((rows + rows_per_chunk - 1) / rows_per_chunk);
  parallel_for(rows, rows_per_chunk, threads, [&](std::size_t first, std::size_t last, std::size_t) {
    EntityRows& chunk = chunks[first / rows_per_chunk];
    std::vector<std::string_view> sentence;
    std::vector<LabelledSpan> entities;
    for (std::size_t row = first; row < last; ++row) {
      const auto [begin, end] = lists.row(static_cast<std::int64_t>(row));
      sentence.clear();
      entities.clear();
      for (std::int64_t word = begin; word < end; ++word) {
        sentence.push_back(tags.is_null(word) ? std::string_view() : tags[word]);
      }
      try {
        decode_labels(sentence, scheme, reading, entities);
      } catch (const DataError& error) {
        throw DataError(static_cast<std::int64_t>(row), std::string(column), error.value(), error.reason());
      }
      chunk.counts.push_back(static_cast<std::int32_t>(entities.size()));
      for (const LabelledSpan& entity : entities) {
        chunk.spans.push_back(entity.span);
        chunk.label_bytes.push_back(static_cast<std::int32_t>(entity.label.size()));
        chunk.labels += entity.label;
      }
    }
  });
  return merge(chunks, lists.size());
}

arrow::OwnedArray encode_label_lists(arrow::ArrayRef entities, std::string_view column, arrow::ArrayRef words,
                                     std::size_t threads) {
  const arrow::ListColumn lists(entities, column);
  const arrow::ListColumn sentences(words, "tokens");
  if (lists.size() != sentences.size()) {
    throw Error("column '" + std::string(column) + "' has " + std::to_string(lists.size()) +
                " rows, column 'tokens' " + std::to_string(sentences.size()));
  }
  const arrow::ArrayRef item = lists.child();
  const std::int64_t base = item.array->offset;
  const arrow::ArrayRef start = item.field("start");
  const arrow::ArrayRef end = item.field("end");
  const arrow::ArrayRef label = item.field("label");
  if (!start || !end || !label) {
    throw Error("column '" + std::string(column) + "': expected list<struct<start, end, label>>");
  }
  const arrow::Int32Column starts(start, column, base);
  const arrow::Int32Column ends(end, column, base);
  const arrow::StringColumn names(label, column, base);
  const arrow::Validity items(*item.array);

  const auto rows = static_cast<std::size_t>(lists.size());
  arrow::Buffer list_offsets((rows + 1) * sizeof(std::int32_t));
  auto* list = list_offsets.as<std::int32_t>();
  std::vector<std::int64_t> bytes(rows + 1, 0);
  std::int64_t total_words = 0;
  list[0] = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    total_words += sentences.row(static_cast<std::int64_t>(row)).size();
    list[row + 1] = static_cast<std::int32_t>(total_words);
  }
  const auto each_row = [&](auto&& body) {
    parallel_for(rows, rows_per_chunk, threads, [&](std::size_t first, std::size_t last, std::size_t) {
      std::vector<TagRun> runs;
      for (std::size_t row = first; row < last; ++row) {
        const auto index = static_cast<std::int64_t>(row);
        const std::int64_t count = sentences.row(index).size();
        read_runs(items, starts, ends, names, lists.row(index), count, index, column, runs);
        body(row, static_cast<std::int32_t>(count), runs);
      }
    });
  };
  each_row([&](std::size_t row, std::int32_t count, std::span<const TagRun> runs) {
    bytes[row + 1] = static_cast<std::int64_t>(tag_bytes(count, runs));
  });
  for (std::size_t row = 0; row < rows; ++row) bytes[row + 1] += bytes[row];
  if (std::max(bytes[rows], total_words) > std::numeric_limits<std::int32_t>::max()) {
    throw Error("the labels of one batch take over 2 GiB; split it into smaller batches");
  }
  arrow::Buffer offsets((static_cast<std::size_t>(total_words) + 1) * sizeof(std::int32_t));
  arrow::Buffer data(static_cast<std::size_t>(bytes[rows]));
  offsets.as<std::int32_t>()[0] = 0;
  each_row([&](std::size_t row, std::int32_t count, std::span<const TagRun> runs) {
    write_tags(count, runs, offsets.as<std::int32_t>() + 1 + list[row], data.as<char>(), bytes[row]);
  });
  return arrow::make_list("labels", lists.size(), std::move(list_offsets),
                          arrow::make_string("item", total_words, std::move(offsets), std::move(data)));
}

}  // namespace xner
