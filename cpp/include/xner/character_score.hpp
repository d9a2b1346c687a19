// How alike an entity and a target span are written: for names that stay themselves in translation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "xner/edit_distance.hpp"
#include "xner/span.hpp"

namespace xner {

// Edit similarity, 1 - Levenshtein distance / length of the longer text, between one entity at a time and
// spans of one sentence; keep one a thread. Texts are the words one after the other, without blanks between
// them, so that it does not matter how tokenizers split a name. Callers fold the words (case, diacritics)
// beforehand.
class CharacterScore {
 public:
  // UTF-8. Similarities of at most `threshold` count as 0.
  void set_sentence(std::span<const std::string_view> words, double threshold);
  void set_entity(std::span<const std::string_view> words);

  // Precondition: the span is not empty and in the sentence. For spans ordered by start, then end, O(1) for
  // every character by which the text grows, for entities of up to 64 characters; O(entity) for longer ones.
  // What is too long to be similar is not read.
  double of(Span span);

 private:
  EditDistance edit_;
  double threshold_ = 0;
  std::vector<std::uint32_t> entity_;    // the entity's characters
  std::vector<std::uint32_t> text_;      // the sentence's
  std::vector<std::size_t> word_begin_;  // in text_, by word, one more at the end
  Span read_;                            // the words whose characters `edit_` has been given
};

}  // namespace xner
