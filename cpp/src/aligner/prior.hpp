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

// Calls body(source type, target type, weight) for everything that a level's lexicon says, in order.
template <class Body>
void each_in_lexicon(const AlignerLevel& level, const Body& body) {
  std::size_t at = 0;
  for (std::size_t type = 0; type < level.lexicon.size(); ++type) {
    for (const std::int32_t target : level.lexicon[type]) body(type, target, level.lexicon_weights[at++]);
  }
}

// Adds what a level's lexicon says of pairs of types to their pseudo-counts.
void add_lexicon(const AlignerLevel& level, const Pairs& types, std::vector<float>& prior);

// Adds it to the expected links of a finished table, also those of types that never met.
void add_lexicon(const AlignerLevel& level, AlignerTable& table);

}  // namespace xner::aligner
