// Discriminative decoding: which cells of a sentence pair are links, by what both directions' posteriors say of them
// and of the cells around. Internal to the aligner.
//
// Two small networks, one after the other: the second sees the first one's probabilities of the cells around as well. Each
// cell is looked at from either side, and its probability is the mean of both; so it does not matter which language is the
// source. Weights: `link_classifier_weights.inc`, made by `bench/train_link_classifier.py`.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "aligner/sentence.hpp"
#include "xner/aligner.hpp"

namespace xner::aligner {

// Cells whose mean posterior is not above this are no links and are not looked at.
inline constexpr float kLeastPosterior = 0.003F;

// Of the first network, and what the second one has besides.
inline constexpr std::size_t kFeatures = 39;
inline constexpr std::size_t kSecondFeatures = 19;

// What the classifier knows of the words of one side of a sentence pair, beside the posteriors.
struct WordEvidence {
  std::vector<float> share;   // logarithm of its share of the fitted corpus
  std::vector<float> count;   // logarithm of its occurrences there, of which more than 20 are all alike
  std::vector<float> length;  // logarithm of its letters
  std::vector<WordKind> kind;

  void resize(std::size_t words);
};

// One sentence pair, as hmm_posteriors has left it.
struct PairEvidence {
  Emissions forward, backward;
  const float* forward_posterior = nullptr;   // by target word, then source word
  const float* backward_posterior = nullptr;  // by source word, then target word
  const WordEvidence* source = nullptr;
  const WordEvidence* target = nullptr;
  float experience = 0;  // of the model: 0 without sentence pairs, towards 1 with many
};

// The cells of one sentence pair that may be links, and the probabilities that they are.
class LinkClassifier {
 public:
  struct Cell {
    std::size_t source, target;
    float association;  // of the two words, see align_posterior
  };

  // Finds the cells. The pair must outlast what is asked afterwards.
  void look_at(const PairEvidence& pair);

  // By cell; their associations are to be filled in before anything else is asked.
  [[nodiscard]] std::span<Cell> cells() { return cells_; }

  // By cell, in the same order: probabilities after both networks.
  [[nodiscard]] std::span<const float> probabilities();

  // By cell, what a network is given: first from the source's side, then from the target's. `first`: by cell, what the
  // first network says, for the features of the second; empty: those of the first.
  void features(std::span<const float> first, std::vector<float>& out);

 private:
  // What there is to know of the words of one side.
  struct Side {
    const WordEvidence* words = nullptr;
    std::vector<float> explains;      // expected words of the other side that it explains
    std::vector<float> explained;     // probability that it has a partner
    std::vector<float> best, second;  // highest mean posteriors of its cells
    std::vector<float> sum;           // of the first network's probabilities, and their two highest
    std::vector<float> likeliest, next;

    void resize(std::size_t size);
  };
  enum class View { source, target };

  [[nodiscard]] std::size_t place(std::size_t i, std::size_t j) const {
    return (i + kRim) * stride_ + j + kRim;
  }
  void set_first(std::span<const float> first);
  void write_features(const Cell& cell, View view, bool second, float* out) const;

  // Zeros around matrices, so that every cell has neighbours.
  static constexpr std::size_t kRim = 2;

  PairEvidence pair_;
  Side source_, target_;
  std::size_t stride_ = 0;
  std::vector<float> mean_;   // posteriors, mean of both directions
  std::vector<float> first_;  // the first network's probabilities
  std::vector<Cell> cells_;
  std::vector<float> features_, result_;
};

}  // namespace xner::aligner
