// Which word types meet in which sentence pairs. Internal to the aligner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "xner/aligner.hpp"

namespace xner::aligner {

// What a thread takes at once: rows of pairs of words or types, and sentence pairs. Jump counts are summed by
// chunk, so the latter decides how they round.
inline constexpr std::size_t kTypesPerChunk = 32;
inline constexpr std::size_t kSentencesPerChunk = 32;

// The tokens of each source word, in corpus order.
struct Occurrences {
  std::vector<std::int64_t> offsets;   // by word, one more at the end
  std::vector<std::int32_t> sentence;  // row of the token
  std::vector<std::int32_t> position;  // of the token in its sentence
};

// Distinct pairs in rows by source id. Entry k of row s, for offsets[s] <= k < offsets[s + 1], is (s,
// targets[k]).
struct Pairs {
  std::vector<std::int64_t> offsets;
  std::vector<std::int32_t> targets;  // ascending within a row

  [[nodiscard]] std::size_t rows() const noexcept { return offsets.size() - 1; }
  [[nodiscard]] std::size_t begin(std::size_t row) const { return static_cast<std::size_t>(offsets[row]); }
  [[nodiscard]] std::size_t end(std::size_t row) const { return static_cast<std::size_t>(offsets[row + 1]); }
};

// The co-occurrences of a corpus. A cell is a (source token, target token) of one sentence pair; the cells of
// a sentence pair with I source and J target words are stored row by row: cell (i, j) at cell_offsets[row] +
// i * J + j.
struct Index {
  std::vector<std::int64_t> cell_offsets;    // by sentence pair, one more at the end
  std::vector<std::int64_t> source_offsets;  // the same for source tokens
  std::vector<std::int64_t> target_offsets;  // the same for target tokens
  Occurrences occurrences;
  Pairs words;                       // distinct pairs of words
  std::vector<std::uint32_t> local;  // by cell: its pair, counted from the start of the source word's row
};

// The distinct pairs of one level, and which of them each pair of words belongs to.
struct LevelPairs {
  Pairs types;
  std::vector<std::uint32_t> of_word_pair;  // by pair of words: entry in `types`
  std::vector<std::int64_t> word_offsets;   // by source type, one more at the end: entries in words_of_type
  std::vector<std::int32_t> words_of_type;  // the source words of each type, ascending
};

// Runs in O(cells + pairs log pairs).
Index build_index(const AlignerCorpus& corpus, std::size_t source_words, std::size_t target_words,
                  std::size_t threads);

// Runs in O(pairs log pairs). Throws Error for 2^32 pairs of types or more.
LevelPairs build_level(const AlignerLevel& level, const Pairs& words, std::size_t threads);

}  // namespace xner::aligner
