// The weights of the HMM's jumps (see Jumps), before and after counting. Internal to the aligner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "xner/ragged.hpp"

namespace xner::aligner {

// What training starts with, 2 * clip + 1 weights: the next word is the likeliest.
std::vector<float> first_jump_weights(std::size_t clip);

// Jump weights from expected counts and `smoothing` jumps that go around the next word, which is all there is
// before anything has been learned. A far jump's count covers many jumps of one weight: it is divided by
// their number.
std::vector<float> jump_weights(const std::vector<double>& counts, double smoothing, double far_jumps);

// The mean number of far jumps to one side that a position leaves room for, over positions that leave any.
double mean_far_jumps(RaggedView<std::int32_t> steps, RaggedView<std::int32_t> states, std::size_t clip);

}  // namespace xner::aligner
