// What words emit: the parts of emissions that fitting and decoding share. Internal to the aligner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "aligner/kernels.hpp"
#include "aligner/sentence.hpp"
#include "xner/aligner.hpp"

namespace xner::aligner {

inline constexpr float kSmallest = 1e-9F;  // floor of every emission probability: no path is impossible

double sum_of(std::span<const float> values);

// What the sides of one level contribute to an emission, by word: p(word | other) = share of the mixture *
// p(word | its type) * (count + pseudo-count of the pair of types + base) / total of the other's type.
struct Side {
  std::vector<float> factor;  // 1 / levels * p(word | its type)
  std::vector<float> base;    // pseudo-count that depends on the word's type only
  std::vector<float> total;   // expected links and pseudo-counts of the word's type
};

// `type_of` gives the word's row in the tables, or -1 for a type the model does not know. `total` stays 0.
Side make_side(std::span<const std::int32_t> type_of, std::span<const float> type_frequency,
               const std::vector<float>& word_frequency, double tokens, std::size_t levels,
               double base_weight);

// What the null word emits, by word of the last level. `expected`: tokens without a partner, by type of the
// model; `least`: see sharpened.
std::vector<float> null_emissions(std::span<const float> expected, std::span<const std::int32_t> type_of,
                                  const Side& side, std::span<const float> type_frequency, double tokens,
                                  const AlignerOptions& options, std::size_t levels, double least);

// The relative lengths of a sentence's words, see Cues.
struct RelativeLengths {
  std::vector<float> logarithm;    // 0 of words that have none
  std::vector<float> is_measured;  // 1 of words that have one, else 0

  // `length`: by word, in characters; 0: none.
  void set(std::span<const std::int32_t> words, const std::vector<float>& length);
};

// Both directions' matrices for one sentence pair.
struct PairScratch {
  std::vector<float> forward_emission, forward_posterior;    // by target word, then source word
  std::vector<float> backward_emission, backward_posterior;  // by source word, then target word
  std::vector<float> forward_null, backward_null;            // emissions of the null word
  RelativeLengths source_lengths, target_lengths;
  SentenceScratch sentence;

  void resize(std::size_t source, std::size_t target) {
    for (auto* matrix : {&forward_emission, &backward_emission}) matrix->resize(source * target + kLanes);
    for (auto* matrix : {&forward_posterior, &backward_posterior}) matrix->resize(source * target);
    forward_null.resize(target);
    backward_null.resize(source);
  }
  [[nodiscard]] Emissions forward(std::size_t source, std::size_t target) const {
    return {target, source, forward_emission.data(), forward_null.data()};
  }
  [[nodiscard]] Emissions backward(std::size_t source, std::size_t target) const {
    return {source, target, backward_emission.data(), backward_null.data()};
  }
};

// Makes words at the same relative position likelier partners, in both directions:
// by exp(-decay * |i / I - j / J|).
void favour_diagonal(double decay, std::size_t source, std::size_t target, PairScratch& s);

}  // namespace xner::aligner
