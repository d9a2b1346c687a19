#include "aligner/jumps.hpp"

#include <cmath>

#include "aligner/elementary.hpp"

namespace xner::aligner {

namespace {

// Jumps that fall with exp(-decay * |length - 1|), by length from -clip to clip.
std::vector<double> around_the_next(std::size_t clip, double decay, double floor) {
  std::vector<double> weights(2 * clip + 1);
  for (std::size_t d = 0; d < weights.size(); ++d) {
    const double length = static_cast<double>(d) - static_cast<double>(clip);
    weights[d] = exponential(-decay * std::abs(length - 1.0)) + floor;
  }
  return weights;
}

}  // namespace

std::vector<float> first_jump_weights(std::size_t clip) {
  const std::vector<double> weights = around_the_next(clip, 0.5, 1e-3);
  return {weights.begin(), weights.end()};
}

std::vector<float> jump_weights(const std::vector<double>& counts, double smoothing, double far_jumps) {
  const std::vector<double> prior = around_the_next(counts.size() / 2, 0.7, 1e-2);
  double prior_total = 0.0;
  for (const double weight : prior) prior_total += weight;
  double total = smoothing;
  for (const double count : counts) total += count;
  std::vector<float> weights(counts.size());
  for (std::size_t d = 0; d < counts.size(); ++d) {
    const bool far = d == 0 || d + 1 == counts.size();
    const double seen = counts[d] / (far ? far_jumps : 1.0);
    weights[d] = static_cast<float>((seen + smoothing * prior[d] / prior_total) / total);
  }
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
