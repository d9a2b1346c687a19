#include "aligner_jumps.hpp"

#include <cmath>

namespace xner::aligner {

namespace {

constexpr double kFirstDecay = 0.5;  // before training, jumps fall with exp(-0.5 |length - 1|)
constexpr double kFirstFloor = 1e-3;

}  // namespace

std::vector<float> first_jump_weights(std::size_t clip) {
  std::vector<float> weights(2 * clip + 1);
  for (std::size_t d = 0; d < weights.size(); ++d) {
    const double length = static_cast<double>(d) - static_cast<double>(clip);
    weights[d] = static_cast<float>(std::exp(-kFirstDecay * std::abs(length - 1.0)) + kFirstFloor);
  }
  return weights;
}

std::vector<float> jump_weights(const std::vector<double>& counts, double smoothing, double far_jumps) {
  std::vector<float> weights(counts.size());
  double total = smoothing * static_cast<double>(counts.size());
  for (const double count : counts) total += count;
  for (std::size_t d = 0; d < counts.size(); ++d)
    weights[d] = static_cast<float>((counts[d] + smoothing) / total);
  weights.front() /= static_cast<float>(far_jumps);
  weights.back() /= static_cast<float>(far_jumps);
  return weights;
}

double mean_far_jumps(RaggedView<std::int32_t> steps, RaggedView<std::int32_t> states, std::size_t clip) {
  double jumps = 0.0;
  double positions = 0.0;
  for (std::size_t row = 0; row < states.size(); ++row) {
    if (states[row].size() <= clip) continue;
    const auto room = static_cast<double>(states[row].size() - clip);
    jumps += static_cast<double>(steps[row].size()) * room * (room + 1.0) / 2.0;
    positions += static_cast<double>(steps[row].size()) * room;
  }
  return positions > 0.0 ? jumps / positions : 1.0;
}

}  // namespace xner::aligner
