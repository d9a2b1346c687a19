// How much counts are worth, and what changes when there is little to learn from. Internal to the aligner.
#pragma once

#include <cstdint>

namespace xner::aligner {

// What a count is worth when decoding: little if it is small (variational Bayes), but never nothing: at least
// the share `least` of it.
double sharpened(double count, double least);

// The share of a count that sharpening leaves over when it does not sharpen: all of it.
inline constexpr double kUnsharpened = 1.0;

// `pairs`: sentence pairs with words on both sides.

// A handful of sentences cannot teach how words move: the position keeps its say in the HMM. `diagonal`: see
// AlignerOptions.
double position_decay(double diagonal, std::int64_t pairs);

// Nor can it teach what words mean: cues say more than after as many occurrences in a large corpus. The occurrences of the
// rarer of two words that halve what cues say; `halving`: see AlignerOptions.
double cue_occurrences(double halving, std::int64_t pairs);

// Nor does it hold counts worth sharpening: the share of a count that sharpening leaves over at least.
double least_share(std::int64_t pairs);

// Nor certainty: two words that are each other's best are linked at a lower score than others.
double best_pair_threshold(double threshold, std::int64_t pairs);

// What the classifier of links is told of it: 0 without sentence pairs, towards 1 with many.
float experience(std::int64_t pairs);

}  // namespace xner::aligner
