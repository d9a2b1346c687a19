// The two directional alignment models on one sentence pair. Internal to the aligner.
//
// One direction walks over the words of one sentence (the steps) and explains each by a word of the other
// sentence (the states) or by none (the null word). Matrices are stored step by step: entry [step * states +
// state].
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace xner::aligner {

// What one direction knows about a sentence pair. steps >= 1, states >= 1.
struct Emissions {
  std::size_t steps = 0;
  std::size_t states = 0;
  const float* word = nullptr;  // steps x states: p(step's word | state's word), all positive
  const float* null = nullptr;  // by step: p(step's word | null word), all positive
};

// p(state | step) for every state (steps x states) and for the null word (by step); each step sums to 1.
struct Posteriors {
  float* word = nullptr;
  float* null = nullptr;
};

// Memory that is reused from sentence to sentence.
struct SentenceScratch {
  std::vector<float> forward, backward, scales, arrivals, normalizers, prefix, left, right;
  std::vector<std::int32_t> origins;
};

// Weights of jumps between states by length, -clip .. clip, positive; the first and the last also hold for
// every longer jump.
struct Jumps {
  std::size_t clip = 0;
  std::span<const float> weights;
};

// IBM model 1 with p(state | step) falling exponentially with the distance of relative positions. O(steps *
// states).
void ibm1_posteriors(const Emissions& emissions, double diagonal, double null_probability, Posteriors out,
                     SentenceScratch& scratch);

// The HMM, by the forward-backward algorithm in O(steps * states * clip). Adds the expected number of jumps
// of each length to `jump_counts` (2 * clip + 1 entries) unless that is empty.
void hmm_posteriors(const Emissions& emissions, Jumps jumps, double null_probability, Posteriors out,
                    std::span<double> jump_counts, SentenceScratch& scratch);

// The most probable sequence of states, by step; -1 stands for the null word. O(steps * states * clip).
void hmm_viterbi(const Emissions& emissions, Jumps jumps, double null_probability,
                 std::span<std::int32_t> best, SentenceScratch& scratch);

}  // namespace xner::aligner
