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

// Relative positions of words: exp(decay * position) and exp(-decay * position). exp(-decay * |a - b|) is the smaller of two
// of their products, so that there are two exponentials a word, not one a cell.
struct Positions {
  std::vector<float> source_rising, source_falling, target_rising, target_falling;

  void set(double decay, std::size_t source, std::size_t target);
};

// Memory that is reused from sentence to sentence.
struct SentenceScratch {
  std::vector<float> forward, backward, scales, arrivals, normalizers, prefix, left, right, inside, counts;
  std::vector<float> source_factors, target_factors, source_sums, target_sums;
  std::vector<std::int32_t> origins;
  Positions positions;
};

// Weights of jumps between states by length, -clip .. clip, positive; the first and the last also hold for
// every longer jump.
struct Jumps {
  std::size_t clip = 0;
  std::span<const float> weights;
};

// The cells of a sentence pair that are kept, source word by source word: `begins[i] - begins[0]` is where those of word i
// start. `partners`: by cell, its target word; nullptr where each word's cells are all target words in turn.
struct KeptCells {
  std::size_t source = 0;
  std::size_t target = 0;
  const std::int64_t* begins = nullptr;
  const std::uint32_t* partners = nullptr;
};

// Both directions of IBM model 1, with p(state | step) falling exponentially with the distance of relative positions.
class Model1 {
 public:
  Model1(KeptCells cells, double diagonal, double null_probability, SentenceScratch& scratch);

  // Weighs the emissions of the cells of source word `i`, both directions, by position; with room for kLanes more.
  void add_word(std::size_t i, float* forward, float* backward, float source_null);

  // Expected links by cell, the mean of both directions: model 1 is too unsure to multiply them. `forward`, `backward`: of
  // all cells, as add_word has left them. `target_null`: emissions, `forward_null` and `backward_null`: posteriors of the
  // null word.
  void finish(const float* forward, const float* backward, const float* target_null, float* links,
              float* forward_null, float* backward_null);

 private:
  KeptCells cells_;
  float null_;
  SentenceScratch& s_;
};

// The HMM, by the forward-backward algorithm in O(steps * states * clip). Adds the expected number of jumps
// of each length to `jump_counts` (2 * clip + 1 entries) unless that is empty.
void hmm_posteriors(const Emissions& emissions, Jumps jumps, double null_probability, Posteriors out,
                    std::span<double> jump_counts, SentenceScratch& scratch);

// The most probable sequence of states, by step; -1 stands for the null word. O(steps * states * clip).
void hmm_viterbi(const Emissions& emissions, Jumps jumps, double null_probability,
                 std::span<std::int32_t> best, SentenceScratch& scratch);

}  // namespace xner::aligner
