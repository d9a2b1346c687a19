#include "aligner/link_classifier.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "aligner/elementary.hpp"
#include "aligner/kernels.hpp"

namespace xner::aligner {

namespace {

constexpr std::size_t parameters(std::size_t features) { return (features + 2) * kHidden + 1; }
constexpr std::size_t kAllFeatures = kFeatures + kSecondFeatures;

constexpr std::array<float, parameters(kFeatures) + parameters(kAllFeatures)> kWeights = {
#include "aligner/link_classifier_weights.inc"
};

// Neighbours by steps on this side and on the other one.
constexpr std::array<std::array<int, 2>, 14> kSteps = {{{-1, -1},
                                                        {1, 1},
                                                        {0, -1},
                                                        {0, 1},
                                                        {-1, 0},
                                                        {1, 0},
                                                        {-1, 1},
                                                        {1, -1},
                                                        {-2, -2},
                                                        {2, 2},
                                                        {0, -2},
                                                        {0, 2},
                                                        {-2, 0},
                                                        {2, 0}}};
constexpr std::size_t kStepsOfFirst = 8;

float log_odds(float probability) {
  const float p = std::clamp(probability, 1e-4F, 1.0F - 1e-4F);
  return logarithm(p / (1.0F - p));
}

float log_ratio(float a, float b) { return logarithm(std::clamp(a / b, 1e-5F, 1e5F)); }

// The best of a word's cells but this one.
float rival(float own, float best, float second) { return own == best ? second : best; }

void note_best(float value, float& best, float& second) {
  if (value > best) {
    second = best;
    best = value;
  } else {
    second = std::max(second, value);
  }
}

// One hidden layer of rectified linear units and a logistic output: the mean of what it makes of a cell's two views.
float evaluate(std::span<const float> weights, std::span<const float> features) {
  std::array<float, 2> outputs;
  aligner_kernels().run_network(weights.data(), features.data(), features.size() / 2, outputs.data());
  const auto probability = [](float output) { return 1.0F / (1.0F + exponential(-output)); };
  return 0.5F * (probability(outputs[0]) + probability(outputs[1]));
}

}  // namespace

void WordEvidence::resize(std::size_t words) {
  for (auto* values : {&share, &count, &length}) values->resize(words);
  kind.resize(words);
}

void LinkClassifier::Side::resize(std::size_t size) {
  for (auto* values : {&explains, &explained, &best, &second}) values->assign(size, 0.0F);
}

void LinkClassifier::look_at(const PairEvidence& pair) {
  pair_ = pair;
  const std::size_t source = pair.backward.steps;
  const std::size_t target = pair.forward.steps;
  source_.words = pair.source;
  target_.words = pair.target;
  source_.resize(source);
  target_.resize(target);
  stride_ = target + 2 * kRim;
  mean_.assign((source + 2 * kRim) * stride_, 0.0F);
  cells_.clear();
  for (std::size_t i = 0; i < source; ++i) {
    for (std::size_t j = 0; j < target; ++j) {
      const float forward = pair.forward_posterior[j * source + i];
      const float backward = pair.backward_posterior[i * target + j];
      source_.explains[i] += forward;
      target_.explained[j] += forward;
      target_.explains[j] += backward;
      source_.explained[i] += backward;
      const float mean = mean_[place(i, j)] = 0.5F * (forward + backward);
      note_best(mean, source_.best[i], source_.second[i]);
      note_best(mean, target_.best[j], target_.second[j]);
      if (mean > kLeastPosterior) cells_.push_back({i, j, 0.0F});
    }
  }
}

void LinkClassifier::set_first(std::span<const float> first) {
  first_.assign(mean_.size(), 0.0F);
  for (auto* side : {&source_, &target_}) {
    for (auto* values : {&side->sum, &side->likeliest, &side->next}) values->assign(side->best.size(), 0.0F);
  }
  for (std::size_t k = 0; k < cells_.size(); ++k) {
    const auto [i, j, association] = cells_[k];
    const float p = first_[place(i, j)] = first[k];
    source_.sum[i] += p;
    target_.sum[j] += p;
    note_best(p, source_.likeliest[i], source_.next[i]);
    note_best(p, target_.likeliest[j], target_.next[j]);
  }
}

void LinkClassifier::write_features(const Cell& cell, View view, bool second, float* out) const {
  const auto [i, j, association] = cell;
  const std::size_t source = source_.best.size();
  const std::size_t target = target_.best.size();
  const bool of_source = view == View::source;
  const Side& own = of_source ? source_ : target_;
  const Side& other = of_source ? target_ : source_;
  const std::size_t o = of_source ? i : j;
  const std::size_t p = of_source ? j : i;
  const auto put = [&out](float value) { *out++ = value; };
  // Forward: the other word is explained by the own one.
  const auto put_directions = [&](float forward, float backward) {
    put(of_source ? forward : backward);
    put(of_source ? backward : forward);
  };
  const auto put_neighbours = [&](const std::vector<float>& matrix, std::size_t steps) {
    const auto at = static_cast<std::ptrdiff_t>(place(i, j));
    const auto stride = static_cast<std::ptrdiff_t>(stride_);
    for (std::size_t s = 0; s < steps; ++s) {
      const std::ptrdiff_t down = kSteps[s][of_source ? 0 : 1];
      const std::ptrdiff_t right = kSteps[s][of_source ? 1 : 0];
      put(matrix[static_cast<std::size_t>(at + down * stride + right)]);
    }
  };

  const float forward = pair_.forward_posterior[j * source + i];
  const float backward = pair_.backward_posterior[i * target + j];
  const float mean = mean_[place(i, j)];
  put_directions(log_odds(forward), log_odds(backward));
  put(log_odds(mean));
  put(std::sqrt(forward * backward));
  put(std::min(forward, backward));
  put(std::max(forward, backward));
  put_directions(log_ratio(pair_.forward.word[j * source + i], pair_.forward.null[j]),
                 log_ratio(pair_.backward.word[i * target + j], pair_.backward.null[i]));
  put(std::sqrt(association));
  put(rival(mean, other.best[p], other.second[p]));
  put(rival(mean, own.best[o], own.second[o]));
  put(own.explains[o]);
  put(other.explains[p]);
  put(other.explained[p]);
  put(own.explained[o]);
  put_neighbours(mean_, kStepsOfFirst);
  const auto position = [](std::size_t word, std::size_t words) {
    return (static_cast<float>(word) + 0.5F) / static_cast<float>(words);
  };
  put(std::abs(position(i, source) - position(j, target)));
  for (const auto& [side, word] : {std::pair{&own, o}, std::pair{&other, p}}) {
    const WordEvidence& words = *side->words;
    put(words.share[word]);
    put(words.count[word]);
    put(words.length[word]);
    for (const WordKind kind : {WordKind::capitalised, WordKind::number, WordKind::symbol})
      put(words.kind[word] == kind ? 1.0F : 0.0F);
  }
  const bool symbols = own.words->kind[o] == WordKind::symbol && other.words->kind[p] == WordKind::symbol;
  put(symbols ? 1.0F : 0.0F);
  put(logarithm(static_cast<float>(own.best.size()) / static_cast<float>(other.best.size())));
  put(pair_.experience);
  if (!second) return;

  const float first = first_[place(i, j)];
  put(log_odds(first));
  put(rival(first, other.likeliest[p], other.next[p]));
  put(rival(first, own.likeliest[o], own.next[o]));
  put(own.sum[o]);
  put(other.sum[p]);
  put_neighbours(first_, kSteps.size());
}

void LinkClassifier::features(std::span<const float> first, std::vector<float>& out) {
  const bool second = !first.empty();
  if (second) set_first(first);
  const std::size_t each = second ? kAllFeatures : kFeatures;
  out.resize(2 * each * cells_.size());
  float* at = out.data();
  for (const Cell& cell : cells_) {
    for (const View view : {View::source, View::target}) {
      write_features(cell, view, second, at);
      at += each;
    }
  }
}

std::span<const float> LinkClassifier::probabilities() {
  const auto classify = [&](std::span<const float> first, std::span<const float> weights, std::size_t each) {
    features(first, features_);
    std::vector<float> result(cells_.size());
    for (std::size_t k = 0; k < result.size(); ++k)
      result[k] = evaluate(weights, {features_.data() + 2 * k * each, 2 * each});
    return result;
  };
  const std::span<const float> weights(kWeights);
  result_ = classify({}, weights.first(parameters(kFeatures)), kFeatures);
  if (!result_.empty()) result_ = classify(result_, weights.subspan(parameters(kFeatures)), kAllFeatures);
  return result_;
}

}  // namespace xner::aligner

namespace xner {

std::span<const float> link_classifier_weights() { return aligner::kWeights; }

}  // namespace xner
