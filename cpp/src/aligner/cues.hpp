// What words look like, as cues to which of them are partners. They need no training. Internal to the
// aligner.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "aligner/emission.hpp"
#include "aligner/index.hpp"
#include "xner/aligner.hpp"

namespace xner::aligner {

// Cues multiply the emissions of both directions, by pair of words: factor * exp(-say * length_weight * |log
// of the ratio of relative lengths|). A word's relative length is its length over the mean of its sentence,
// so that languages with short words meet languages with long ones; words without letters have none.
struct Cues {
  std::vector<float> factor;         // by pair of words: from letters and kinds, their say included
  std::vector<float> say;            // by pair of words, in [0, 1]: see cue_say
  std::vector<float> source_length;  // by word, in characters; 0: none
  std::vector<float> target_length;
  float length_weight = 0.0F;
};

// `finest`: the pairs of the last level, and how similar they are. `source_seen`, `target_seen`: how often the model has seen each
// word. `sentence_pairs`: those that it has been fitted on. Runs in O(pairs of words).
Cues find_cues(const AlignerCorpus& corpus, const Pairs& words, const LevelPairs& finest,
               std::vector<float> finest_similarities, const AlignerOptions& options,
               const std::vector<float>& source_seen, const std::vector<float>& target_seen,
               std::int64_t sentence_pairs, std::size_t threads);

// The cue of a pair of words at positions `i` and `j` of their sentences.
inline float cue_of(float factor, float say, float length_weight, const RelativeLengths& source,
                    std::size_t i, const RelativeLengths& target, std::size_t j) {
  if (source.is_measured[i] == 0 || target.is_measured[j] == 0) return factor;
  return factor * std::exp(-say * length_weight * std::abs(source.logarithm[i] - target.logarithm[j]));
}

// Multiplies the emissions of one sentence pair by its cues.
void apply_cues(const AlignerCorpus& corpus, const Index& index, const Cues& cues, std::size_t row,
                PairScratch& s);

}  // namespace xner::aligner
