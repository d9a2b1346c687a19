#include "aligner/emission.hpp"

#include <algorithm>
#include <cmath>

#include "aligner/evidence.hpp"

namespace xner::aligner {

double sum_of(std::span<const float> values) {
  double sum = 0.0;
  for (const float value : values) sum += static_cast<double>(value);
  return sum;
}

Side make_side(std::span<const std::int32_t> type_of, std::span<const float> type_frequency,
               const std::vector<float>& word_frequency, double tokens, std::size_t levels,
               double base_weight) {
  Side side;
  side.factor.resize(type_of.size());
  side.base.resize(type_of.size());
  side.total.assign(type_of.size(), 0.0F);
  for (std::size_t word = 0; word < type_of.size(); ++word) {
    const std::int32_t type = type_of[word];
    const double of_type =
        type < 0 ? 1.0 : std::max(1.0, static_cast<double>(type_frequency[static_cast<std::size_t>(type)]));
    const double of_word = std::clamp(static_cast<double>(word_frequency[word]), 1.0, of_type);
    side.factor[word] = static_cast<float>(of_word / of_type / static_cast<double>(levels));
    side.base[word] = static_cast<float>(base_weight * of_type / std::max(1.0, tokens));
  }
  return side;
}

std::vector<float> null_emissions(std::span<const float> expected, std::span<const std::int32_t> type_of,
                                  const Side& side, std::span<const float> type_frequency, double tokens,
                                  const AlignerOptions& options, std::size_t levels, double least) {
  const auto estimate = [&](double value) { return sharpened(value, least); };
  const double total = estimate(sum_of(expected) + options.alpha * static_cast<double>(expected.size()) +
                                options.null_base_weight);
  std::vector<float> result(type_of.size());
  for (std::size_t word = 0; word < type_of.size(); ++word) {
    const std::int32_t type = type_of[word];
    double mass = options.alpha;
    double frequency = 1.0;
    if (type >= 0) {
      mass += static_cast<double>(expected[static_cast<std::size_t>(type)]);
      frequency = static_cast<double>(type_frequency[static_cast<std::size_t>(type)]);
    }
    mass += options.null_base_weight * frequency / std::max(1.0, tokens);
    const double share = static_cast<double>(side.factor[word]) * static_cast<double>(levels);
    result[word] = std::max(kSmallest, static_cast<float>(estimate(mass) / total * share));
  }
  return result;
}

void favour_diagonal(double decay, std::size_t source, std::size_t target, PairScratch& s) {
  if (decay <= 0.0) return;
  Positions& at = s.sentence.positions;
  at.set(decay, source, target);
  const auto favour = [](const float* rising, const float* falling, float here_rising, float here_falling,
                         std::size_t count, float* emission) {
    for (std::size_t k = 0; k < count; ++k)
      emission[k] *= std::min(rising[k] * here_falling, falling[k] * here_rising);
  };
  for (std::size_t j = 0; j < target; ++j) {
    favour(at.source_rising.data(), at.source_falling.data(), at.target_rising[j], at.target_falling[j],
           source, s.forward_emission.data() + j * source);
  }
  for (std::size_t i = 0; i < source; ++i) {
    favour(at.target_rising.data(), at.target_falling.data(), at.source_rising[i], at.source_falling[i],
           target, s.backward_emission.data() + i * target);
  }
}

}  // namespace xner::aligner
