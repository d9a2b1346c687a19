// Compiled once for each instruction set; see simd_lanes.hpp for what that forbids.
#include "aligner/kernels.hpp"

#include "simd_lanes.hpp"

namespace xner::XNER_SIMD_LEVEL {

using aligner::Chain;
using aligner::in_blocks;

static_assert(aligner::kLanes == lanes);

namespace {

Floats absolute(const Floats& value) { return max(value, broadcast(0.0F) - value); }

void emit(const aligner::CellsToEmit& in, float* forward, float* backward) {
  const Floats zero = broadcast(0.0F);
  const Floats smallest = broadcast(in.smallest);
  for (std::size_t e = 0; e < in.count; e += lanes) {
    const Floats own = load_floats(in.own + e);
    Floats to_target = zero;
    Floats to_source = zero;
    for (std::size_t l = 0; l < in.levels; ++l) {
      const float* target = in.target + 3 * l * in.stride + e;
      const float* source = in.source + 3 * l;
      const Floats left = max(zero, load_floats(in.mass + l * in.stride + e) - own);
      const Floats of_source = max(smallest, broadcast(source[2]) - own);
      const Floats of_target = max(smallest, load_floats(target + 2 * in.stride) - own);
      to_target = to_target + load_floats(target) * (left + load_floats(target + in.stride)) / of_source;
      to_source = to_source + broadcast(source[0]) * (left + broadcast(source[1])) / of_target;
    }
    const Floats say = broadcast(in.halving) /
                       (broadcast(in.halving) + min(broadcast(in.source_seen), load_floats(in.seen + e)));
    const Floats apart = absolute(load_floats(in.logarithm + e) - broadcast(in.source_logarithm)) *
                         load_floats(in.is_measured + e);
    const Floats odds = say * (load_floats(in.odds + e) - broadcast(in.length_weight) * apart);
    const Floats cue = exponential(min(broadcast(80.0F), odds));
    store(max(smallest, to_target) * cue, forward + e);
    store(max(smallest, to_source) * cue, backward + e);
  }
}

// Prefix sums of a padded vector's states, with zeros before and the total after them: prefix[i] is the sum before i.
// Returns the total.
float sum_prefixes(const float* mass, const Chain& c) {
  float sum = 0.0F;
  for (std::size_t i = 0; i < c.states; ++i) {
    c.prefix[i] = sum;
    sum += mass[i];
  }
  for (std::size_t i = c.states; i < c.states + c.clip + lanes; i += lanes)
    store(broadcast(sum), c.prefix + i);
  return sum;
}

// Whether some jumps are so long that they share a weight.
bool has_far_jumps(const Chain& c) { return c.states > c.clip; }

// What jumps give to eight states from `i` on, of a padded vector `mass`. `sign` 1: the sum over k of mass[k] * weight(i - k);
// -1: with weight(k - i). Near jumps one by one, far ones, which share a weight, through prefix sums.
Floats sum_jumps(const float* mass, std::size_t i, std::ptrdiff_t sign, float total, const Chain& c) {
  const auto clip = static_cast<std::ptrdiff_t>(c.clip);
  Floats sum = broadcast(0.0F);
  for (std::ptrdiff_t jump = 1 - clip; jump < clip; ++jump) {
    sum = sum + broadcast(c.jumps[sign * jump]) * load_floats(mass + static_cast<std::ptrdiff_t>(i) - jump);
  }
  if (has_far_jumps(c)) {
    const float* prefix = c.prefix + i;
    sum = sum + broadcast(c.jumps[sign * clip]) * load_floats(prefix - clip + 1);
    sum = sum + broadcast(c.jumps[-sign * clip]) * (broadcast(total) - load_floats(prefix + clip));
  }
  return sum;
}

void normalize_jumps(const Chain& c) {
  const std::size_t wide = in_blocks(c.states);
  for (std::size_t i = 0; i < wide; ++i) c.inside[i] = i < c.states ? 1.0F : 0.0F;
  for (std::size_t i = 0; i < wide; i += lanes) store(load_floats(c.inside + i), c.leave + i);
  const float total = has_far_jumps(c) ? sum_prefixes(c.leave, c) : 0.0F;
  for (std::size_t i = 0; i < wide; i += lanes) store(sum_jumps(c.leave, i, -1, total, c), c.normalizers + i);
  for (std::size_t i = 0; i < wide; ++i) c.normalizers[i] = i < c.states ? 1.0F / c.normalizers[i] : 0.0F;
}

void run_forward(const Chain& c) {
  const std::size_t wide = in_blocks(c.states);
  const Floats word_probability = broadcast(1.0F - c.null_probability);
  for (std::size_t step = 0; step < c.steps; ++step) {
    float* word = c.forward + step * 2 * wide;
    float* null = word + wide;
    const float* emission = c.emission + step * c.states;
    const Floats to_null = broadcast(c.null_probability * c.null[step]);
    Floats sums = broadcast(0.0F);
    float total = 0.0F;
    if (step > 0) {
      const float* last = word - 2 * wide;
      for (std::size_t i = 0; i < wide; i += lanes) {
        const Floats mass = load_floats(last + i) + load_floats(last + wide + i);
        store(mass * load_floats(c.normalizers + i), c.leave + i);
        store(mass * to_null, null + i);
      }
      if (has_far_jumps(c)) total = sum_prefixes(c.leave, c);
    }
    for (std::size_t i = 0; i < wide; i += lanes) {
      const Floats inside = load_floats(c.inside + i);
      if (step == 0) store(inside * to_null, null + i);  // every first state is as likely
      const Floats arrived = step == 0 ? inside : sum_jumps(c.leave, i, 1, total, c);
      const Floats value = arrived * (word_probability * (inside * load_floats(emission + i)));
      store(value, word + i);
      sums = sums + (value + load_floats(null + i));
    }
    c.scales[step] = 1.0F / sum(sums);
    const Floats scale = broadcast(c.scales[step]);
    for (std::size_t i = 0; i < 2 * wide; i += lanes) store(load_floats(word + i) * scale, word + i);
  }
}

// Adds what each length of jump takes from `leave` to `arrive`, lane by lane. c.prefix: of `arrive`, whose sum is `total`.
void count_jumps(float total, const Chain& c) {
  const auto clip = static_cast<std::ptrdiff_t>(c.clip);
  const auto count = [&](std::ptrdiff_t jump, const auto& arriving) {
    float* counts = c.jump_counts + static_cast<std::size_t>(clip + jump) * lanes;
    Floats sums = load_floats(counts);
    for (std::size_t i = 0; i < c.states; i += lanes)
      sums = sums + load_floats(c.leave + i) * arriving(static_cast<std::ptrdiff_t>(i));
    store(sums, counts);
  };
  for (std::ptrdiff_t jump = 1 - clip; jump < clip; ++jump) {
    count(jump, [&](std::ptrdiff_t i) { return load_floats(c.arrive + i + jump); });
  }
  if (!has_far_jumps(c)) return;
  count(-clip, [&](std::ptrdiff_t i) { return load_floats(c.prefix + i - clip + 1); });
  count(clip, [&](std::ptrdiff_t i) { return broadcast(total) - load_floats(c.prefix + i + clip); });
}

void run_backward(const Chain& c, float* word, float* null) {
  const std::size_t wide = in_blocks(c.states);
  // A state and the null state that remembers it have the same future, hence one backward value.
  for (std::size_t i = 0; i < wide; i += lanes) store(load_floats(c.inside + i), c.backward + i);
  for (std::size_t step = c.steps; step-- > 0;) {
    float* forward = c.forward + step * 2 * wide;
    Floats word_sums = broadcast(0.0F);
    Floats null_sums = broadcast(0.0F);
    for (std::size_t i = 0; i < wide; i += lanes) {
      const Floats backward = load_floats(c.backward + i);
      const Floats posterior = load_floats(forward + i) * backward;
      word_sums = word_sums + posterior;
      null_sums = null_sums + load_floats(forward + wide + i) * backward;
      store(posterior, forward + i);
    }
    const float null_sum = sum(null_sums);
    const float inverse = 1.0F / (sum(word_sums) + null_sum);
    for (std::size_t i = 0; i < wide; i += lanes)
      store(load_floats(forward + i) * broadcast(inverse), forward + i);
    std::memcpy(word + step * c.states, forward, c.states * sizeof(float));
    null[step] = null_sum * inverse;
    if (step == 0) break;

    const float* emission = c.emission + step * c.states;
    const float* last = forward - 2 * wide;
    const Floats word_factor = broadcast((1.0F - c.null_probability) * c.scales[step]);
    for (std::size_t i = 0; i < wide; i += lanes) {
      store(load_floats(emission + i) * load_floats(c.backward + i) * word_factor, c.arrive + i);
      store((load_floats(last + i) + load_floats(last + wide + i)) * load_floats(c.normalizers + i),
            c.leave + i);
    }
    const float total = has_far_jumps(c) ? sum_prefixes(c.arrive, c) : 0.0F;
    if (c.jump_counts != nullptr) count_jumps(total, c);
    const Floats null_factor = broadcast(c.null_probability * c.null[step] * c.scales[step]);
    for (std::size_t i = 0; i < wide; i += lanes) {
      const Floats arrived = sum_jumps(c.arrive, i, -1, total, c) * load_floats(c.normalizers + i);
      store(arrived + null_factor * load_floats(c.backward + i), c.backward + i);
    }
  }
}

// The two examples go side by side, as neither waits for the other.
void run_network(const float* weights, const float* features, std::size_t size, float* outputs) {
  static_assert(aligner::kHidden == 2 * lanes);
  const float* biases = weights + size * aligner::kHidden;
  const float* output = biases + aligner::kHidden;
  Floats one_low = load_floats(biases);
  Floats one_high = load_floats(biases + lanes);
  Floats two_low = one_low;
  Floats two_high = one_high;
  for (std::size_t k = 0; k < size; ++k) {
    const Floats low = load_floats(weights + k * aligner::kHidden);
    const Floats high = load_floats(weights + k * aligner::kHidden + lanes);
    const Floats one = broadcast(features[k]);
    const Floats two = broadcast(features[size + k]);
    one_low = one_low + one * low;
    one_high = one_high + one * high;
    two_low = two_low + two * low;
    two_high = two_high + two * high;
  }
  const auto add_up = [output](const Floats& low, const Floats& high) {
    const Floats zero = broadcast(0.0F);
    return sum(max(zero, low) * load_floats(output) + max(zero, high) * load_floats(output + lanes)) +
           output[aligner::kHidden];
  };
  outputs[0] = add_up(one_low, one_high);
  outputs[1] = add_up(two_low, two_high);
}

}  // namespace

const aligner::AlignerKernels aligner_kernels{
    .emit = emit,
    .normalize_jumps = normalize_jumps,
    .run_forward = run_forward,
    .run_backward = run_backward,
    .run_network = run_network,
};

}  // namespace xner::XNER_SIMD_LEVEL
