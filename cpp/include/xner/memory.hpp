// What a corpus has projected entities onto, as evidence for projecting the same entities elsewhere in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "xner/arrow.hpp"
#include "xner/scores.hpp"

namespace xner {

// Counts, for every sequence of source words, the sequences of target words that entities with these words
// were projected onto. Words are numbers: fold them before numbering and spellings of one word count
// together.
class ProjectionMemory {
 public:
  using Words = std::span<const std::int32_t>;

  // What a sequence of source words was projected onto, and how often. One without words stands for all that are not
  // told apart, each of which is too rare to matter by itself.
  struct Form {
    std::vector<std::int32_t> words;
    std::uint32_t count = 0;
  };
  // By the bytes of source words. Forms stand in the order of their first occurrence, so results do not
  // depend on hashing.
  using Forms = std::unordered_map<std::string, std::vector<Form>>;

  // Of rows that were remembered, what tells each from others: see remember_batch.
  using Rows = std::unordered_set<std::uint64_t>;

  ProjectionMemory() = default;
  ProjectionMemory(Forms forms, Rows rows) : forms_(std::move(forms)), rows_(std::move(rows)) {}

  void add(Words source, Words target);
  // Adds a form that was counted elsewhere, and is not there yet.
  void add_form(Words source, Form form);
  void add_row(std::uint64_t digest) { rows_.insert(digest); }
  [[nodiscard]] bool has_row(std::uint64_t digest) const { return rows_.contains(digest); }

  // Appends a hint for every place in `sentence` that holds a sequence which the entity was projected onto
  // elsewhere at least `least` times; its score is `weight` times the share of these times among all other
  // projections of the entity. `own` is what the sentence itself contributed for these source words, once for each
  // time, to be left out; what is none of the forms is among those that are not told apart.
  void recall(std::uint32_t entity, Words source, std::span<const Words> own, Words sentence,
              std::uint32_t least, double weight, std::vector<Hint>& hints) const;

  // Distinct source sequences.
  [[nodiscard]] std::size_t size() const noexcept { return forms_.size(); }
  [[nodiscard]] const Forms& forms() const noexcept { return forms_; }
  [[nodiscard]] const Rows& rows() const noexcept { return rows_; }

 private:
  Forms forms_;
  Rows rows_;
};

// Adds every projected entity of a batch with the columns `source_words` and `target_words` (list<int32>,
// words as numbers), `source_entities` and `entities`, in the order of the rows, and notes which rows these were, by
// 64 bits of all their words and spans.
void remember_batch(ProjectionMemory& memory, arrow::ArrayRef batch);

// Adds forms that were counted elsewhere, none of which is there yet: `count` (int32) times that `source_words` were
// projected onto `target_words`, which are empty where these are not told apart. Notes no rows.
void remember_counts(ProjectionMemory& memory, arrow::ArrayRef batch);

// recall() for every source entity of a batch with the columns of remember_batch; a row that was remembered, which with
// `all_remembered` is every row, leaves its own projections out. Returns list<struct<source: int32, start: int32, end:
// int32, score: float32>>.
arrow::OwnedArray recall_batch(const ProjectionMemory& memory, arrow::ArrayRef batch, std::uint32_t least,
                               double weight, bool all_remembered, std::size_t threads);

}  // namespace xner
