#include "aligner/sentence.hpp"

#include <algorithm>

#include "aligner/elementary.hpp"
#include "aligner/kernels.hpp"

namespace xner::aligner {

namespace {

// A vector over states with zeros on both sides, so that jumps need no bounds checks.
float* padded(std::vector<float>& storage, std::size_t states, std::size_t clip) {
  const std::size_t pad = clip + 2 * kLanes;
  storage.assign(states + 2 * pad, 0.0F);
  return storage.data() + pad;
}

// One direction's chain with its scratch, and its jumps normalised.
Chain make_chain(const Emissions& e, Jumps jumps, double null_probability, SentenceScratch& scratch) {
  const std::size_t wide = in_blocks(e.states);
  for (auto* by_state : {&scratch.inside, &scratch.normalizers, &scratch.backward}) by_state->resize(wide);
  scratch.forward.resize(e.steps * 2 * wide);
  scratch.scales.resize(e.steps);
  const Chain chain{.steps = e.steps,
                    .states = e.states,
                    .clip = jumps.clip,
                    .jumps = jumps.weights.data() + jumps.clip,
                    .emission = e.word,
                    .null = e.null,
                    .null_probability = static_cast<float>(null_probability),
                    .inside = scratch.inside.data(),
                    .normalizers = scratch.normalizers.data(),
                    .forward = scratch.forward.data(),
                    .scales = scratch.scales.data(),
                    .leave = padded(scratch.left, e.states, jumps.clip),
                    .arrive = padded(scratch.right, e.states, jumps.clip),
                    .prefix = padded(scratch.prefix, e.states, jumps.clip),
                    .backward = scratch.backward.data(),
                    .jump_counts = nullptr};
  aligner_kernels().normalize_jumps(chain);
  return chain;
}

void set_positions(double decay, std::size_t words, std::vector<float>& rising, std::vector<float>& falling) {
  rising.resize(words);
  falling.resize(words);
  for (std::size_t k = 0; k < words; ++k) {
    const double position = (static_cast<double>(k) + 0.5) / static_cast<double>(words);
    rising[k] = static_cast<float>(exponential(decay * position));
    falling[k] = static_cast<float>(exponential(-decay * position));
  }
}

// For each word of one side how near all words of the other side are: sums of exp(-decay * |a - b|), as those before a
// word share a factor and those after it.
void sum_nearness(const std::vector<float>& rising, const std::vector<float>& falling,
                  const std::vector<float>& other_rising, const std::vector<float>& other_falling,
                  std::vector<float>& sums) {
  sums.resize(rising.size());
  double before = 0.0;
  double after = 0.0;
  for (const float value : other_falling) after += static_cast<double>(value);
  std::size_t k = 0;
  for (std::size_t i = 0; i < rising.size(); ++i) {
    for (; k < other_rising.size() && other_rising[k] <= rising[i]; ++k) {
      before += static_cast<double>(other_rising[k]);
      after -= static_cast<double>(other_falling[k]);
    }
    sums[i] = static_cast<float>(before * static_cast<double>(falling[i]) +
                                 std::max(0.0, after) * static_cast<double>(rising[i]));
  }
}

}  // namespace

void Positions::set(double decay, std::size_t source, std::size_t target) {
  set_positions(decay, source, source_rising, source_falling);
  set_positions(decay, target, target_rising, target_falling);
}

Model1::Model1(KeptCells cells, double diagonal, double null_probability, SentenceScratch& scratch)
    : cells_(cells), null_(static_cast<float>(null_probability)), s_(scratch) {
  Positions& at = s_.positions;
  at.set(diagonal, cells.source, cells.target);
  sum_nearness(at.source_rising, at.source_falling, at.target_rising, at.target_falling, s_.source_sums);
  sum_nearness(at.target_rising, at.target_falling, at.source_rising, at.source_falling, s_.target_sums);
  s_.source_factors.resize(cells.source);
  s_.target_factors.assign(cells.target, 0.0F);  // first the sums of what explains the target words
  s_.backward.resize(cells.source);              // what the null word has of each source word
}

void Model1::add_word(std::size_t i, float* forward, float* backward, float source_null) {
  const Positions& at = s_.positions;
  const auto count = static_cast<std::size_t>(cells_.begins[i + 1] - cells_.begins[i]);
  const float rising = at.source_rising[i];
  const float falling = at.source_falling[i];
  float sum = 0.0F;
  if (cells_.partners == nullptr) {
    for (std::size_t e = 0; e < count; ++e) {
      const float near = std::min(rising * at.target_falling[e], falling * at.target_rising[e]);
      forward[e] *= near;
      backward[e] *= near;
    }
    for (std::size_t e = 0; e < count; ++e) s_.target_factors[e] += forward[e];
  } else {
    const std::uint32_t* partners = cells_.partners + (cells_.begins[i] - cells_.begins[0]);
    for (std::size_t e = 0; e < count; ++e) {
      const std::size_t j = partners[e];
      const float near = std::min(rising * at.target_falling[j], falling * at.target_rising[j]);
      forward[e] *= near;
      backward[e] *= near;
      s_.target_factors[j] += forward[e];
    }
  }
  float lane[kLanes] = {};
  std::size_t e = 0;
  for (; e + kLanes <= count; e += kLanes) {
    for (std::size_t k = 0; k < kLanes; ++k) lane[k] += backward[e + k];
  }
  for (; e < count; ++e) sum += backward[e];
  for (const float one : lane) sum += one;
  const float factor = (1.0F - null_) / s_.source_sums[i];
  const float null = null_ * source_null;
  const float inverse = 1.0F / (sum * factor + null);
  s_.source_factors[i] = 0.5F * factor * inverse;
  s_.backward[i] = null * inverse;
}

void Model1::finish(const float* forward, const float* backward, const float* target_null, float* links,
                    float* forward_null, float* backward_null) {
  for (std::size_t j = 0; j < cells_.target; ++j) {
    const float factor = (1.0F - null_) / s_.target_sums[j];
    const float null = null_ * target_null[j];
    const float inverse = 1.0F / (s_.target_factors[j] * factor + null);
    s_.target_factors[j] = 0.5F * factor * inverse;
    forward_null[j] = null * inverse;
  }
  std::copy(s_.backward.begin(), s_.backward.begin() + static_cast<std::ptrdiff_t>(cells_.source),
            backward_null);
  const float* by_target = s_.target_factors.data();
  for (std::size_t i = 0; i < cells_.source; ++i) {
    const auto first = static_cast<std::size_t>(cells_.begins[i] - cells_.begins[0]);
    const auto last = static_cast<std::size_t>(cells_.begins[i + 1] - cells_.begins[0]);
    const float by_source = s_.source_factors[i];
    for (std::size_t e = first; e < last; ++e) {
      const std::size_t j = cells_.partners == nullptr ? e - first : cells_.partners[e];
      links[e] = forward[e] * by_target[j] + backward[e] * by_source;
    }
  }
}

void hmm_posteriors(const Emissions& e, Jumps jumps, double null_probability, Posteriors out,
                    std::span<double> jump_counts, SentenceScratch& scratch) {
  Chain chain = make_chain(e, jumps, null_probability, scratch);
  if (!jump_counts.empty()) {
    scratch.counts.assign(jump_counts.size() * kLanes, 0.0F);
    chain.jump_counts = scratch.counts.data();
  }
  aligner_kernels().run_forward(chain);
  aligner_kernels().run_backward(chain, out.word, out.null);
  for (std::size_t d = 0; d < jump_counts.size(); ++d) {
    float sum = 0.0F;
    for (std::size_t lane = 0; lane < kLanes; ++lane) sum += scratch.counts[d * kLanes + lane];
    jump_counts[d] += static_cast<double>(sum * jumps.weights[d]);
  }
}

void hmm_viterbi(const Emissions& e, Jumps jumps, double null_probability, std::span<std::int32_t> best,
                 SentenceScratch& scratch) {
  const auto n = static_cast<std::ptrdiff_t>(e.states);
  const auto clip = static_cast<std::ptrdiff_t>(jumps.clip);
  const float* center = jumps.weights.data() + clip;
  const auto p0 = static_cast<float>(null_probability);
  make_chain(e, jumps, null_probability, scratch);
  // origins: where the best path into (step, state) comes from; a state k as k, the null state that remembers
  // k as k + n.
  scratch.origins.assign(e.steps * 2 * e.states, -1);
  scratch.forward.assign(2 * e.states, 0.0F);
  scratch.backward.assign(2 * e.states, 0.0F);
  scratch.right.resize(e.states);
  std::vector<float>& now = scratch.forward;
  std::vector<float>& then = scratch.backward;
  std::vector<std::int32_t> lower(e.states),
      upper(e.states);  // best state to leave from, up to / from a state

  for (std::size_t step = 0; step < e.steps; ++step) {
    const float* emission = e.word + step * e.states;
    std::int32_t* origin = scratch.origins.data() + step * 2 * e.states;
    if (step == 0) {
      for (std::ptrdiff_t i = 0; i < n; ++i) {
        now[static_cast<std::size_t>(i)] = (1.0F - p0) * emission[i];
        now[static_cast<std::size_t>(i + n)] = p0 * e.null[0];
      }
    } else {
      std::swap(now, then);
      std::vector<float>& leave = scratch.right;
      const auto place = [&](std::ptrdiff_t k) {  // the better of state k and its null state
        return static_cast<std::int32_t>(
            then[static_cast<std::size_t>(k)] >= then[static_cast<std::size_t>(k + n)] ? k : k + n);
      };
      for (std::ptrdiff_t k = 0; k < n; ++k) {
        const auto at = static_cast<std::size_t>(k);
        leave[at] = then[static_cast<std::size_t>(place(k))] * scratch.normalizers[at];
        lower[at] = k > 0 && leave[static_cast<std::size_t>(lower[at - 1])] >= leave[at]
                        ? lower[at - 1]
                        : static_cast<std::int32_t>(k);
      }
      for (std::ptrdiff_t k = n; k-- > 0;) {
        const auto at = static_cast<std::size_t>(k);
        upper[at] = k + 1 < n && leave[static_cast<std::size_t>(upper[at + 1])] > leave[at]
                        ? upper[at + 1]
                        : static_cast<std::int32_t>(k);
      }
      for (std::ptrdiff_t i = 0; i < n; ++i) {
        float value = -1.0F;
        std::ptrdiff_t from = 0;
        const auto offer = [&](std::ptrdiff_t k, float weight) {
          const float candidate = leave[static_cast<std::size_t>(k)] * weight;
          if (candidate > value) {
            value = candidate;
            from = k;
          }
        };
        for (std::ptrdiff_t k = std::max<std::ptrdiff_t>(0, i - clip + 1); k < std::min(n, i + clip); ++k)
          offer(k, center[i - k]);
        if (i >= clip) offer(lower[static_cast<std::size_t>(i - clip)], center[clip]);
        if (i + clip < n) offer(upper[static_cast<std::size_t>(i + clip)], center[-clip]);
        now[static_cast<std::size_t>(i)] = value * (1.0F - p0) * emission[i];
        origin[i] = place(from);
        const std::int32_t stay = place(i);
        now[static_cast<std::size_t>(i + n)] = then[static_cast<std::size_t>(stay)] * p0 * e.null[step];
        origin[i + n] = stay;
      }
    }
    const float scale = 1.0F / *std::ranges::max_element(now);
    for (float& value : now) value *= scale;
  }
  auto at = static_cast<std::int32_t>(std::ranges::max_element(now) - now.begin());
  for (std::size_t step = e.steps; step-- > 0;) {
    best[step] = at < n ? at : -1;
    at = scratch.origins[step * 2 * e.states + static_cast<std::size_t>(at)];
  }
}

}  // namespace xner::aligner
