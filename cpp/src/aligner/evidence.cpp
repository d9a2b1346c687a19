#include "aligner/evidence.hpp"

#include <algorithm>

#include "aligner/elementary.hpp"

namespace xner::aligner {

namespace {

// exp(digamma(x)), x > 0: shifts x upwards, then uses the asymptotic series of exp(digamma) around x - 1/2.
double exp_digamma(double x) {
  if (x < 0.012) return 0.0;  // below 1e-36
  double shift = 0.0;
  while (x < 5.0) {
    shift += 1.0 / x;
    x += 1.0;
  }
  const double z = x - 0.5;
  const double r = 1.0 / z;
  const double series = z + r * (1.0 / 24 - r * r * (37.0 / 5760 - r * r * (10313.0 / 2903040)));
  return series * exponential(-shift);
}

}  // namespace

double sharpened(double count, double least) { return std::max(exp_digamma(count), least * count); }

double position_decay(double diagonal, std::int64_t pairs) {
  return diagonal * 100.0 / (100.0 + static_cast<double>(pairs));
}

double cue_occurrences(double halving, std::int64_t pairs) {
  return halving + 20.0 / (1.0 + static_cast<double>(pairs));
}

double least_share(std::int64_t pairs) {
  const auto n = static_cast<double>(pairs);
  return std::max(0.01, 100.0 / (100.0 + n * n));
}

double best_pair_threshold(double threshold, std::int64_t pairs) {
  const auto n = static_cast<double>(pairs);
  return threshold * (0.3 + 0.7 * n / (n + 20.0));
}

float experience(std::int64_t pairs) {
  const auto n = static_cast<double>(pairs);
  return static_cast<float>(n / (n + 20.0));
}

}  // namespace xner::aligner
