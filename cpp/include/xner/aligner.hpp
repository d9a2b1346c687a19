// The built-in statistical word aligner: fits on sentence pairs alone and links words of any sentence pair.
//
// Two directional models, source to target and target to source, share one table of expected links:
// - IBM model 1 with a diagonal position prior (Brown et al. 1993), then the HMM of Vogel, Ney, Tillmann
//   (1996) with null states that remember the last position. Both directions are trained to agree (Liang,
//   Taskar, Klein 2006).
// - A word is emitted by a mixture over levels of folding (say the first 3, 5 and 8 letters): coarse levels
//   carry rare and inflected words, fine ones tell frequent words apart.
// - While training, a token's emission leaves out the token's own expected links (the zero-order collapsed
//   variational inference of Asuncion et al. 2009 in place of plain EM), so that rare words cannot vouch for
//   themselves. Decoding uses all counts, sharpened by the variational Bayes estimate exp(digamma(.)) (Riley,
//   Gildea 2012).
// - From its second iteration of model 1 on, training forgets the cells that are hardly linked.
// - Pairs of similar strings get pseudo-counts (the string prior).
// - What words look like makes them likelier or less likely partners: shared letters, their kind, their
//   length. These cues need no training, and fade with it: the more often both words have been seen, the less
//   the cues say.
// - The fewer sentence pairs there are to learn from, the more cues and relative positions decide. A model of
//   no pairs at all aligns by them alone.
//
// Everything is deterministic and independent of the number of threads. Memory grows with the number of cells
// (source words times target words, summed over sentence pairs) of what is fitted or aligned at once; a large corpus is
// fitted in blocks, see fit_aligner_block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "xner/links.hpp"
#include "xner/ragged.hpp"

namespace xner {

// One folding of the words into word types. Types are numbered from 0 without gaps on each side.
struct AlignerLevel {
  std::span<const std::int32_t> source_types;  // by source word: its type
  std::span<const std::int32_t> target_types;  // by target word: its type
  RaggedView<std::uint32_t> source_text;       // by source type: its code points
  RaggedView<std::uint32_t> target_text;       // by target type: its code points
  // What a lexicon says: by source type, target types in ascending order, and their pseudo-counts. Types without a row
  // are in no lexicon.
  RaggedView<std::int32_t> lexicon;
  std::span<const float> lexicon_weights;
};

// What a word looks like at first sight: letters that begin with a small or a capital one (or have no case),
// something with a digit or numeral in it, or neither letters nor digits.
enum class WordKind : std::uint8_t { plain, capitalised, number, symbol };

// Sentence pairs as rows of word ids, and the levels from coarse to fine. Two tokens are the same word if and
// only if they are of one kind and have the same type on every level; the last level is the finest.
struct AlignerCorpus {
  RaggedView<std::int32_t> source;
  RaggedView<std::int32_t> target;
  std::vector<AlignerLevel> levels;
  std::span<const WordKind> source_kinds;  // by source word
  std::span<const WordKind> target_kinds;  // by target word
};

struct AlignerOptions {
  int ibm1_iterations = 5;
  int hmm_iterations = 2;
  double diagonal = 2.0;          // p(i | j) falls with exp(-diagonal * |i / I - j / J|); in the HMM it fades
  double null_probability = 0.1;  // of a word that has no partner
  double alpha = 0.002;           // pseudo-count of every co-occurring pair of types
  double base_weight = 2.0;       // pseudo-counts spread over the other side's types by their frequency
  double null_base_weight = 20.0;  // the same for what the null word emits
  double prior_weight = 3.0;       // pseudo-count of a pair of equal strings
  double similarity_floor = 0.4;  // Levenshtein similarity (1 - distance / longer length) that counts as none
  double similarity_power =
      4.0;  // pseudo-count = prior_weight * ((similarity - floor) / (1 - floor)) ^ power
  // Cues: what makes two words likelier partners, in natural logarithms of the odds.
  double letter_weight = 2.0;  // a letter shared beyond what similarity_floor takes for chance
  double kind_weight = 2.5;    // both capitalised, numbers or symbols; as much against a mix of kinds
  double length_weight = 0.8;  // against relative lengths that differ by the factor e
  double cue_halving = 0.5;    // occurrences of the rarer word that halve what cues say
  int jump_clip = 8;           // HMM jumps of this length and beyond, to either side, share one probability
  double jump_smoothing = 100.0;  // pseudo-count of jumps, most of them to the next word
};

// What was learned about one level; types are those of the corpus that was fitted.
struct AlignerTable {
  std::vector<std::int64_t> offsets;    // by source type, one more at the end: its entries below
  std::vector<std::int32_t> targets;    // target types, ascending within a row
  std::vector<float> counts;            // expected links of the pair; pairs with next to none are left out
  std::vector<float> source_frequency;  // tokens of each type in the fitted corpus
  std::vector<float> target_frequency;
  std::vector<float> source_totals;  // expected links and pseudo-counts of each type
  std::vector<float> target_totals;
};

// A fitted aligner. Jump probabilities are weights by clipped jump length, from -jump_clip to jump_clip; the
// two ends hold the weight of every single jump at least that long.
struct AlignerModel {
  AlignerOptions options;
  std::int64_t sentence_pairs = 0;  // fitted ones with words on both sides
  std::vector<AlignerTable> levels;
  std::vector<float> source_null;  // by type of the last level: expected tokens without a partner
  std::vector<float> target_null;
  std::vector<float> source_jumps;  // steps over target words, jumps between source words
  std::vector<float> target_jumps;  // steps over source words, jumps between target words
};

// A table whose numbers somebody else holds: an AlignerTable, or a file that is mapped into memory.
struct AlignerTableView {
  std::span<const std::int64_t> offsets;
  std::span<const std::int32_t> targets;
  std::span<const float> counts;
  std::span<const float> source_frequency;
  std::span<const float> target_frequency;
  std::span<const float> source_totals;
  std::span<const float> target_totals;
};

// A model likewise. What it refers to must stay as long as it is used.
struct AlignerModelView {
  AlignerModelView() = default;
  // Not explicit, as a span of a vector is not.
  AlignerModelView(const AlignerModel& model);  // NOLINT(misc-explicit-constructor)

  AlignerOptions options;
  std::int64_t sentence_pairs = 0;
  std::vector<AlignerTableView> levels;
  std::span<const float> source_null;
  std::span<const float> target_null;
  std::span<const float> source_jumps;
  std::span<const float> target_jumps;
  // Whether aligning is to look at the pairs of types that it takes, as nobody has looked at all of them.
  bool is_input = false;
};

// Throws Error when the arrays of a model do not fit together or an option has no meaning. The pairs of types,
// which are most of a model, are left to those who align where the model says so.
void check_aligner(const AlignerModelView& model);

// For a corpus to be aligned: by its types of one level, the type in the model's table or -1 if it is new.
struct AlignerTypeMap {
  std::span<const std::int32_t> source;
  std::span<const std::int32_t> target;
};

// Called after each iteration with the iterations done and their total, always from the calling thread. May
// throw.
using AlignerProgress = std::function<void(int done, int total)>;

// Fits the model on all rows; rows with an empty side teach nothing. Runs in O(cells) per iteration, times
// the clip for the HMM. Throws Error when the corpus or an option is malformed.
AlignerModel fit_aligner(const AlignerCorpus& corpus, const AlignerOptions& options, std::size_t threads,
                         const AlignerProgress& progress = {});

// What blocks of a corpus have taught: one of them, or the sums of several. Words and types are numbered from 0; a block's
// begin with those of the statistics that it goes on from.
struct AlignerStatistics {
  struct Level {
    std::vector<std::int64_t> offsets{0};  // by source type, one more at the end: its entries below
    std::vector<std::int32_t> targets;     // target types, ascending within a row
    std::vector<float> counts;             // expected links of the pair; pairs with few are left out
    // Of one block, by entry: the pair's pseudo-counts, 0 where what it goes on from has the entry. Empty in sums of
    // several, which hold them by type.
    std::vector<float> pseudo;
    // By type: expected links, those of pairs left out among them; pseudo-counts of the pairs that meet; tokens; the
    // share of the other side's tokens whose types it has met, as far as that is known without keeping all pairs.
    std::vector<double> source_links, target_links;
    std::vector<double> source_pseudo, target_pseudo;
    std::vector<double> source_tokens, target_tokens;
    std::vector<double> source_met, target_met;
  };
  std::vector<Level> levels;                          // empty before the first block
  std::vector<double> source_words, target_words;     // tokens by word
  std::vector<double> source_null, target_null;       // by type of the last level
  std::vector<double> source_jumps, target_jumps;     // expected, by clipped length
  double source_far_jumps = 1, target_far_jumps = 1;  // see mean_far_jumps; of the last block
  std::int64_t sentence_pairs = 0;                    // with words on both sides
  std::int64_t blocks = 0;
};

// Fits one block of a corpus that is too large to be fitted at once; returns what it alone teaches. Without a past the
// block is fitted as fit_aligner does; else it begins with what the past has taught, and counts it among its evidence
// throughout (incremental EM, Neal and Hinton 1998, with one visit to each block), for which two iterations of model 1
// are enough. Memory grows with the block's cells and with the entries of the past. The number of threads does not matter.
AlignerStatistics fit_aligner_block(const AlignerCorpus& block, const AlignerOptions& options,
                                    const AlignerStatistics& past, std::size_t threads,
                                    const AlignerProgress& progress = {});

// Which words and types of sums those of a block are: by number in the block, the number in the sums. Empty spans: the same.
struct AlignerNumbers {
  std::span<const std::int32_t> source_words, target_words;
  std::vector<AlignerTypeMap> levels;
};

// Adds what a block has taught. Blocks that go on from the same past may be fitted in any order, or at once; they are added
// one after the other, and the order decides on the last bits. What is left out of more than `most_entries` on a level are
// the pairs with the fewest expected links, though not from the sums by type. Throws Error when numbers are not those of
// the block, and changes nothing then.
void add_statistics(AlignerStatistics& sums, const AlignerStatistics& block, const AlignerNumbers& numbers,
                    std::size_t most_entries);

// Throws Error where arrays of statistics do not fit together.
void check_statistics(const AlignerStatistics& statistics);

// The model of what blocks have taught. `levels`: of all words and types, for their lexicon; may be empty where there is
// none.
AlignerModel aligner_of(const AlignerStatistics& statistics, const AlignerOptions& options,
                        std::span<const AlignerLevel> levels = {});

struct ScoredLinks {
  std::vector<std::int64_t> offsets{0};  // rows + 1
  std::vector<std::int32_t> source;
  std::vector<std::int32_t> target;
  std::vector<float> score;  // in [0, 1]: mean of the two directions' posterior probabilities
};

// Links every pair of words whose score exceeds `threshold`; a model fitted on a handful of sentence pairs
// also links words that are each other's best at a lower score. Each row is sorted by source, then target.
//
// A word with several links then loses those that stand out as accidents: a link whose score times
// association is below `least_association` times the best of either of its words. The association of two
// words is the Dice coefficient of the model's expected links, 2 n(s, t) / (n(s) + n(t)), or 1 for words that
// it does not know; 0 keeps all.
ScoredLinks align_posterior(const AlignerModelView& model, const AlignerCorpus& corpus,
                            std::span<const AlignerTypeMap> maps, double threshold, double least_association,
                            std::size_t threads);

// Links every pair of words that a classifier takes for partners with a probability, the link's score, above
// `threshold`, or, without one, the pairs of each row whose F1 is expected to be highest: above half of the F1 that they
// reach (Lipton, Elkan, Narayanaswamy 2014), as if three more links of the row were certain. It goes by both directions' posteriors and emissions, by what the fitted corpus tells of the two words, and
// by the same of the words around (discriminative alignment: Moore 2005; Blunsom, Cohn 2006); it was trained on hand-made
// links of several languages and knows none of them by name.
ScoredLinks align_discriminative(const AlignerModelView& model, const AlignerCorpus& corpus,
                                 std::span<const AlignerTypeMap> maps, std::optional<double> threshold,
                                 std::size_t threads);

// What the classifier is given, to train it.
struct LinkFeatures {
  ScoredLinks cells;          // those looked at; without scores
  std::size_t each = 0;       // numbers a view
  std::vector<float> values;  // by cell: two views of it, from the source's side and from the target's
};

// `first`: by cell, in this order, what the first of the classifier's two networks says, for what the second one is given;
// empty: what the first one is given.
LinkFeatures link_features(const AlignerModelView& model, const AlignerCorpus& corpus,
                           std::span<const AlignerTypeMap> maps, std::span<const float> first);

// The classifier's numbers: of the first network, then of the second one, weights by feature and hidden unit, biases of the
// hidden units, their weights, and the bias of the output.
std::span<const float> link_classifier_weights();

// Combines the two directions' most probable alignments (Viterbi) by `method`.
ScoredLinks align_viterbi(const AlignerModelView& model, const AlignerCorpus& corpus,
                          std::span<const AlignerTypeMap> maps, Symmetrization method, std::size_t threads);

}  // namespace xner
