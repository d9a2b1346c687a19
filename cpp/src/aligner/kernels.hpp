// The loops in which fitting spends its time, compiled once for each instruction set. Internal to the aligner.
//
// Results are the same, bit for bit, whatever the instruction set: every sum has a fixed order. Arrays are read and written
// in whole blocks of `kLanes`, so all of them have room for `kLanes` more floats than they need, whose values are finite
// where this says no more.
#pragma once

#include <cstddef>

namespace xner::aligner {

inline constexpr std::size_t kLanes = 8;

// `size` filled up to whole blocks. (static: one of its own for each object, see simd_lanes.hpp.)
static constexpr std::size_t in_blocks(std::size_t size) { return (size + kLanes - 1) / kLanes * kLanes; }

// Some cells of one source word. `mass` and `target` are rows of `stride` floats.
struct CellsToEmit {
  std::size_t count;
  std::size_t levels;
  std::size_t stride;
  const float* own;          // by cell: its expected links, which are left out
  const float* mass;         // by level and cell: links and pseudo-counts of the pair of types
  const float* target;       // by level: factors, bases, totals of the target words by cell, see Side
  const float* source;       // by level: factor, base and total of the source word
  const float* odds;         // by cell: what letters and kinds say, as a logarithm
  const float* seen;         // by cell: occurrences of the target word
  const float* logarithm;    // by cell: of the target word's relative length
  const float* is_measured;  // by cell: 1 where there is one, else 0
  float source_seen;
  float source_logarithm;
  float length_weight;  // 0 where the source word has no relative length
  float halving;        // see cue_halving
  float smallest;       // floor of emissions, before cues
};

// What one direction of the HMM works on. `wide`: in_blocks(states).
struct Chain {
  std::size_t steps;
  std::size_t states;
  std::size_t clip;
  const float* jumps;     // weight of the jump 0; from -clip to clip
  const float* emission;  // steps x states, and room
  const float* null;      // by step
  float null_probability;
  // Scratch. Zeros lie around those called padded, at least clip + kLanes before and after `states` values.
  float* inside;       // wide: 1 for states, then 0
  float* normalizers;  // wide
  float* forward;      // steps x 2 x wide: states, then the null states that remember them
  float* scales;       // steps
  float* leave;        // padded
  float* arrive;       // padded
  float* prefix;       // padded
  float* backward;     // wide
  float*
      jump_counts;  // (2 clip + 1) x kLanes, or nullptr if nobody wants them: by length and lane, without the weights
};

// Hidden units of the networks that classify links, see LinkClassifier.
inline constexpr std::size_t kHidden = 2 * kLanes;

struct AlignerKernels {
  // p(target word | source word) and the other way round, cues included.
  void (*emit)(const CellsToEmit& cells, float* forward, float* backward);

  // 1 / the summed weights of the jumps that stay inside the sentence, by the state they start from; fills `inside`.
  void (*normalize_jumps)(const Chain& chain);

  // Forward probabilities, then posteriors: p(state | step) as steps x states, and p(null | step).
  void (*run_forward)(const Chain& chain);
  void (*run_backward)(const Chain& chain, float* word, float* null);

  // What a network says of two examples, whose `size` features follow on each other: its output before it becomes a
  // probability. `weights`: as in link_classifier_weights().
  void (*run_network)(const float* weights, const float* features, std::size_t size, float* outputs);
};

}  // namespace xner::aligner

namespace xner::baseline {
extern const aligner::AlignerKernels aligner_kernels;
}
namespace xner::avx2 {
extern const aligner::AlignerKernels aligner_kernels;
}

namespace xner::aligner {

// Those for simd_level().
const AlignerKernels& aligner_kernels();

}  // namespace xner::aligner
