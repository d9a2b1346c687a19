// Word labels (IOB1, IOB2, BIOES) to entity spans and back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "xner/arrow.hpp"
#include "xner/span.hpp"

namespace xner {

// An entity mention: its words and its class. Does not own the class name.
struct LabelledSpan {
  Span span;
  std::string_view label;
  friend bool operator==(const LabelledSpan&, const LabelledSpan&) = default;
};

enum class Scheme {
  iob1,   // I-X inside, B-X only where an entity follows one of the same class
  iob2,   // B-X first, I-X after it
  bioes,  // B-X, I-X, E-X; S-X alone; also with the letters of BILOU and BMEWO
};

enum class Reading {
  lenient,   // conlleval's rules: any tag sequence of any scheme reads as something, "PER" alone as I-PER
  strict,    // only well-formed entities of the scheme count; anything else is no entity
  validate,  // anything that the scheme does not allow is an error
};

// Appends the entities that `tags` spell to `out`, left to right.
// Throws DataError (row -1, column "labels") for an empty tag, for a tag that the scheme does not know
// (strict and validate) and for a tag at a place where the scheme does not allow it (validate).
// `lenient` is conlleval's reading (Tjong Kim Sang, De Meulder 2003), the default of seqeval; `strict` is
// seqeval's strict mode.
void decode_labels(std::span<const std::string_view> tags, Scheme scheme, Reading reading,
                   std::vector<LabelledSpan>& out);

// Words that get the tags of one entity. `begins` is false only for the rest of an entity whose first words
// were overwritten, which the compatible heuristic leaves behind as inside tags.
struct TagRun {
  Span span;
  std::string_view label;
  bool begins = true;
};

// Bytes that the IOB2 tags of a sentence take. Precondition here and below: `runs` are disjoint, sorted, and
// lie within the sentence.
std::size_t tag_bytes(std::int32_t words, std::span<const TagRun> runs);

// Writes the tags of a sentence into Arrow string buffers: end offsets from `offsets` on, one a word, and
// bytes to data + position, where `position` is the number of bytes before this sentence.
void write_tags(std::int32_t words, std::span<const TagRun> runs, std::int32_t* offsets, char* data,
                std::int64_t position);

// decode_labels over a list<string> column: returns list<struct<start: int32, end: int32, label: string>>.
// A null row reads as a sentence without entities. Errors name the row.
arrow::OwnedArray decode_label_lists(arrow::ArrayRef labels, std::string_view column, Scheme scheme,
                                     Reading reading, std::size_t threads);

// The inverse: entities (list<struct<start, end, label>>) and the words of each sentence (any list column of
// the same length) to IOB2 tags. Throws DataError for spans that overlap or leave the sentence.
arrow::OwnedArray encode_label_lists(arrow::ArrayRef entities, std::string_view column, arrow::ArrayRef words,
                                     std::size_t threads);

}  // namespace xner
