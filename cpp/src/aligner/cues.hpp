// What words look like, as cues to which of them are partners. They need no training. Internal to the
// aligner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "aligner/emission.hpp"
#include "aligner/index.hpp"
#include "xner/aligner.hpp"

namespace xner::aligner {

// Cues multiply the emissions of both directions, by pair of words: exp(say * (odds - length_weight * |log of the ratio of
// relative lengths|)), where say = halving / (halving + occurrences of the rarer word). A word's relative length is its
// length over the mean of its sentence, so that languages with short words meet languages with long ones; words without
// letters have none.
struct Cues {
  std::vector<float> odds;         // by pair of words: from letters and kinds, as a logarithm
  std::vector<float> source_seen;  // by word: how often the model has seen it
  std::vector<float> target_seen;
  std::vector<float> source_length;  // by word, in characters; 0: none
  std::vector<float> target_length;
  float length_weight = 0.0F;
  float halving = 0.0F;  // occurrences that halve what cues say
};

// `finest`: the pairs of the last level, and how similar they are. `source_seen`, `target_seen`: how often the model has seen each
// word. `sentence_pairs`: those that it has been fitted on. Runs in O(pairs of words).
Cues find_cues(const AlignerCorpus& corpus, const Pairs& words, const LevelPairs& finest,
               std::vector<float> finest_similarities, const AlignerOptions& options,
               std::vector<float> source_seen, std::vector<float> target_seen, std::int64_t sentence_pairs,
               std::size_t threads);

// Multiplies the emissions of one sentence pair by its cues.
void apply_cues(const AlignerCorpus& corpus, const Index& index, const Cues& cues, std::size_t row,
                PairScratch& s);

}  // namespace xner::aligner
