// What a corpus, the options and a model must fulfil. Internal to the aligner. All throw Error.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "xner/aligner.hpp"

namespace xner::aligner {

// Throws Error with `message` unless the condition holds.
void check(bool condition, const std::string& message);

void check_options(const AlignerOptions& options);

// The sides and levels fit together; all words and types are in range.
void check_corpus(const AlignerCorpus& corpus);

// A block goes on from the past: it has all its words, types and levels, and is fitted with the same clip.
void check_past(const AlignerStatistics& past, const AlignerCorpus& block, const AlignerOptions& options);

// The pairs of a source type of a table, which is that of a level, have targets that ascend, and counts.
void check_row(const AlignerTableView& table, std::size_t type, std::size_t level);

// Numbers of a model's table are finite and not below 0.
void check_counts(std::span<const float> counts, std::size_t level);

// The maps lead from the corpus's types to the model's, on every level.
void check_maps(const AlignerModelView& model, const AlignerCorpus& corpus,
                std::span<const AlignerTypeMap> maps);

}  // namespace xner::aligner
