// Similar strings: how similar, and the pseudo-counts they get. Internal to the aligner.
#pragma once

#include <cstddef>
#include <vector>

#include "aligner/index.hpp"
#include "xner/aligner.hpp"

namespace xner::aligner {

// By pair of types: 1 - Levenshtein distance / longer length, or 0 where that is at most AlignerOptions' floor (most
// pairs); 0 throughout where no option depends on it.
std::vector<float> similarities(const AlignerLevel& level, const Pairs& types, const AlignerOptions& options,
                                std::size_t threads);

// Pseudo-counts of similar strings, by pair of types (0 for most). See AlignerOptions.
std::vector<float> string_prior(std::vector<float> similarities, const AlignerOptions& options);

// Adds what a level's lexicon says of pairs of types to their pseudo-counts.
void add_lexicon(const AlignerLevel& level, const Pairs& types, std::vector<float>& prior);

// Adds it to the expected links of a finished table, also those of types that never met.
void add_lexicon(const AlignerLevel& level, AlignerTable& table);

}  // namespace xner::aligner
