// What a corpus has projected entities onto, as evidence for projecting the same entities elsewhere in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
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

  // What a sequence of source words was projected onto, and how often.
  struct Form {
    std::vector<std::int32_t> words;
    std::uint32_t count = 0;
  };
  // By the bytes of source words. Forms stand in the order of their first occurrence, so results do not
  // depend on hashing.
  using Forms = std::unordered_map<std::string, std::vector<Form>>;

  ProjectionMemory() = default;
  explicit ProjectionMemory(Forms forms) : forms_(std::move(forms)) {}

  void add(Words source, Words target);

  // Appends a hint for every place in `sentence` that holds a sequence which the entity was projected onto
  // elsewhere at least `least` times; its score is `weight` times the share of these times among all other
  // projections of the entity. `own` is what the sentence itself contributed, to be left out; empty for
  // nothing.
  void recall(std::uint32_t entity, Words source, Words own, Words sentence, std::uint32_t least,
              double weight, std::vector<Hint>& hints) const;

  // Distinct source sequences.
  [[nodiscard]] std::size_t size() const noexcept { return forms_.size(); }
  [[nodiscard]] const Forms& forms() const noexcept { return forms_; }

 private:
  Forms forms_;
};

// Adds every projected entity of a batch with the columns `source_words` and `target_words` (list<int32>,
// words as numbers), `source_entities` and `entities`, in the order of the rows.
void remember_batch(ProjectionMemory& memory, arrow::ArrayRef batch);

// recall() for every source entity of a batch with the same columns, each row leaving its own projections
// out: returns list<struct<source: int32, start: int32, end: int32, score: float32>>.
arrow::OwnedArray recall_batch(const ProjectionMemory& memory, arrow::ArrayRef batch, std::uint32_t least,
                               double weight, std::size_t threads);

}  // namespace xner
