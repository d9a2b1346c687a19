#include "aligner/sentence.hpp"

#include <algorithm>
#include <cmath>

namespace xner::aligner {

namespace {

constexpr std::size_t kBlock = 8;  // states handled at once, for the compiler to vectorise

enum class Direction { from, to };  // sums over where a jump starts, or over where it ends

// A vector over states with zeros on both sides, so that near jumps need no bounds checks.
class Padded {
 public:
  Padded(std::vector<float>& storage, std::size_t states, std::size_t clip) : pad_(clip + kBlock) {
    storage.assign(states + 2 * pad_, 0.0F);
    data_ = storage.data() + pad_;
  }
  [[nodiscard]] float* data() const { return data_; }

 private:
  std::size_t pad_;
  float* data_;
};

// Direction::from: out[i] = sum over k of mass[k] * weight(i - k); Direction::to: the same with weight(k -
// i). Near jumps one by one, far ones, which share a weight, through prefix sums. `mass` is a Padded vector.
void sum_jumps(const float* mass, std::size_t states, Jumps jumps, Direction direction,
               std::vector<float>& prefix, float* out) {
  const auto clip = static_cast<std::ptrdiff_t>(jumps.clip);
  const auto n = static_cast<std::ptrdiff_t>(states);
  const float* center = jumps.weights.data() + clip;
  const std::ptrdiff_t sign = direction == Direction::from ? 1 : -1;
  prefix.resize(states + 1);
  prefix[0] = 0.0F;
  for (std::size_t i = 0; i < states; ++i) prefix[i + 1] = prefix[i] + mass[i];
  const float* before = prefix.data();
  const float weight_of_lower = center[sign * clip];    // for mass far below i
  const float weight_of_higher = center[-sign * clip];  // for mass far above i

  for (std::ptrdiff_t start = 0; start < n; start += static_cast<std::ptrdiff_t>(kBlock)) {
    float sums[kBlock] = {};
    for (std::ptrdiff_t jump = 1 - clip; jump < clip; ++jump) {
      const float weight = center[sign * jump];
      const float* shifted = mass + start - jump;
      for (std::size_t lane = 0; lane < kBlock; ++lane) sums[lane] += weight * shifted[lane];
    }
    const std::ptrdiff_t end = std::min(n, start + static_cast<std::ptrdiff_t>(kBlock));
    for (std::ptrdiff_t i = start; i < end; ++i) {
      float sum = sums[i - start];
      if (i >= clip) sum += weight_of_lower * before[i - clip + 1];
      if (i + clip < n) sum += weight_of_higher * (before[n] - before[i + clip]);
      out[i] = sum;
    }
  }
}

// 1 / the summed weights of the jumps that stay inside the sentence, by the state they start from.
void inverse_normalizers(std::size_t states, Jumps jumps, SentenceScratch& scratch) {
  const Padded ones(scratch.left, states, jumps.clip);
  std::fill(ones.data(), ones.data() + states, 1.0F);
  scratch.normalizers.resize(states);
  sum_jumps(ones.data(), states, jumps, Direction::to, scratch.prefix, scratch.normalizers.data());
  for (float& value : scratch.normalizers) value = 1.0F / value;
}

float dot(const float* a, const float* b, std::ptrdiff_t count) {
  float lanes[4] = {};
  std::ptrdiff_t i = 0;
  for (; i + 4 <= count; i += 4) {
    for (std::ptrdiff_t lane = 0; lane < 4; ++lane) lanes[lane] += a[i + lane] * b[i + lane];
  }
  float sum = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
  for (; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

// Adds expected jumps between two steps: from state i with mass leave[i] to state k with mass arrive[k].
void count_jumps(const float* leave, const float* arrive, std::size_t states, Jumps jumps,
                 std::span<double> counts) {
  const auto clip = static_cast<std::ptrdiff_t>(jumps.clip);
  const auto n = static_cast<std::ptrdiff_t>(states);
  const float* center = jumps.weights.data() + clip;
  double* count = counts.data() + clip;
  for (std::ptrdiff_t jump = std::max(1 - clip, 1 - n); jump < std::min(clip, n); ++jump) {
    const std::ptrdiff_t first = std::max<std::ptrdiff_t>(0, -jump);
    const float sum = dot(leave + first, arrive + first + jump, n - std::abs(jump));
    count[jump] += static_cast<double>(sum * center[jump]);
  }
  float passed = 0.0F;
  float sum = 0.0F;
  for (std::ptrdiff_t k = clip; k < n; ++k) {
    passed += leave[k - clip];
    sum += passed * arrive[k];
  }
  count[clip] += static_cast<double>(sum * center[clip]);
  passed = sum = 0.0F;
  for (std::ptrdiff_t k = n - 1 - clip; k >= 0; --k) {
    passed += leave[k + clip];
    sum += passed * arrive[k];
  }
  count[-clip] += static_cast<double>(sum * center[-clip]);
}

// Scales `values` to sum to 1 and returns the factor.
float normalize(float* values, std::size_t count) {
  float sum = 0.0F;
  for (std::size_t i = 0; i < count; ++i) sum += values[i];
  const float factor = 1.0F / sum;
  for (std::size_t i = 0; i < count; ++i) values[i] *= factor;
  return factor;
}

// Forward probabilities, step by step: the states, then the null states that remember them (2 * states values
// a step).
void run_forward(const Emissions& e, Jumps jumps, float null_probability, SentenceScratch& scratch) {
  const std::size_t n = e.states;
  const float word_probability = 1.0F - null_probability;
  scratch.forward.resize(e.steps * 2 * n);
  scratch.scales.resize(e.steps);
  const Padded leave(scratch.left, n, jumps.clip);
  for (std::size_t step = 0; step < e.steps; ++step) {
    float* word = scratch.forward.data() + step * 2 * n;
    float* null = word + n;
    const float* emission = e.word + step * n;
    if (step == 0) {  // every first state is as likely
      std::fill(word, word + n, 1.0F);
      std::fill(null, null + n, null_probability * e.null[0]);
    } else {
      const float* last_word = word - 2 * n;
      const float* last_null = last_word + n;
      for (std::size_t i = 0; i < n; ++i) {
        const float mass = last_word[i] + last_null[i];
        leave.data()[i] = mass * scratch.normalizers[i];
        null[i] = mass * null_probability * e.null[step];
      }
      sum_jumps(leave.data(), n, jumps, Direction::from, scratch.prefix, word);
    }
    for (std::size_t i = 0; i < n; ++i) word[i] *= word_probability * emission[i];
    scratch.scales[step] = normalize(word, 2 * n);
  }
}

}  // namespace

void ibm1_posteriors(const Emissions& e, double diagonal, double null_probability, Posteriors out,
                     SentenceScratch& scratch) {
  // exp(-d |a - b|) is the smaller of exp(-d a) exp(d b) and its inverse: two exponentials a word, not one a
  // cell.
  scratch.left.resize(e.states);
  for (std::size_t i = 0; i < e.states; ++i) {
    scratch.left[i] = static_cast<float>(
        std::exp(-diagonal * (static_cast<double>(i) + 0.5) / static_cast<double>(e.states)));
  }
  const auto p0 = static_cast<float>(null_probability);
  for (std::size_t step = 0; step < e.steps; ++step) {
    const auto here = static_cast<float>(
        std::exp(diagonal * (static_cast<double>(step) + 0.5) / static_cast<double>(e.steps)));
    const float* emission = e.word + step * e.states;
    float* word = out.word + step * e.states;
    float closeness = 0.0F;
    float sum = 0.0F;
    for (std::size_t i = 0; i < e.states; ++i) {
      const float ratio = scratch.left[i] * here;
      const float near = std::min(ratio, 1.0F / ratio);
      closeness += near;
      word[i] = near * emission[i];
      sum += word[i];
    }
    const float word_factor = (1.0F - p0) / closeness;
    const float null = p0 * e.null[step];
    const float inverse = 1.0F / (sum * word_factor + null);
    for (std::size_t i = 0; i < e.states; ++i) word[i] *= word_factor * inverse;
    out.null[step] = null * inverse;
  }
}

void hmm_posteriors(const Emissions& e, Jumps jumps, double null_probability, Posteriors out,
                    std::span<double> jump_counts, SentenceScratch& scratch) {
  const std::size_t n = e.states;
  const auto p0 = static_cast<float>(null_probability);
  inverse_normalizers(n, jumps, scratch);
  run_forward(e, jumps, p0, scratch);

  // A state and the null state that remembers it have the same future, hence one backward value.
  scratch.backward.assign(n, 1.0F);
  scratch.arrivals.resize(n);
  const Padded leave(scratch.left, n, jumps.clip);
  const Padded arrive(scratch.right, n, jumps.clip);
  float* backward = scratch.backward.data();
  for (std::size_t step = e.steps; step-- > 0;) {
    const float* forward_word = scratch.forward.data() + step * 2 * n;
    const float* forward_null = forward_word + n;
    float* word = out.word + step * n;
    float word_sum = 0.0F;
    float null_sum = 0.0F;
    for (std::size_t i = 0; i < n; ++i) {
      word[i] = forward_word[i] * backward[i];
      word_sum += word[i];
      null_sum += forward_null[i] * backward[i];
    }
    const float inverse = 1.0F / (word_sum + null_sum);
    for (std::size_t i = 0; i < n; ++i) word[i] *= inverse;
    out.null[step] = null_sum * inverse;
    if (step == 0) break;

    const float* emission = e.word + step * n;
    const float word_factor = (1.0F - p0) * scratch.scales[step];
    for (std::size_t i = 0; i < n; ++i) arrive.data()[i] = emission[i] * backward[i] * word_factor;
    if (!jump_counts.empty()) {
      const float* last_word = forward_word - 2 * n;
      const float* last_null = last_word + n;
      for (std::size_t i = 0; i < n; ++i)
        leave.data()[i] = (last_word[i] + last_null[i]) * scratch.normalizers[i];
      count_jumps(leave.data(), arrive.data(), n, jumps, jump_counts);
    }
    sum_jumps(arrive.data(), n, jumps, Direction::to, scratch.prefix, scratch.arrivals.data());
    const float null_factor = p0 * e.null[step] * scratch.scales[step];
    for (std::size_t i = 0; i < n; ++i) {
      backward[i] = scratch.arrivals[i] * scratch.normalizers[i] + null_factor * backward[i];
    }
  }
}

void hmm_viterbi(const Emissions& e, Jumps jumps, double null_probability, std::span<std::int32_t> best,
                 SentenceScratch& scratch) {
  const auto n = static_cast<std::ptrdiff_t>(e.states);
  const auto clip = static_cast<std::ptrdiff_t>(jumps.clip);
  const float* center = jumps.weights.data() + clip;
  const auto p0 = static_cast<float>(null_probability);
  inverse_normalizers(e.states, jumps, scratch);
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
