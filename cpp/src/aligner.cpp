#include "xner/aligner.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "aligner_index.hpp"
#include "aligner_sentence.hpp"
#include "xner/error.hpp"
#include "xner/parallel.hpp"

namespace xner {

namespace {

using namespace aligner;

constexpr std::size_t kTypesPerChunk = 32;
constexpr std::size_t kSentencesPerChunk = 32;
constexpr float kSmallest = 1e-9F;       // floor of every emission probability: no path is impossible
constexpr double kUnsharpened = 1.0;     // share of a count that sharpening leaves over: all of it
constexpr float kNegligible = 1e-5F;     // expected links below this are not kept in a model
constexpr double kFirstJumpDecay = 0.5;  // before training, jumps fall with exp(-0.5 |length - 1|)
constexpr double kFirstJumpFloor = 1e-3;

// exp(digamma(x)), x > 0: shifts x upwards, then uses the asymptotic series of exp(digamma) around x - 1/2.
double exp_digamma(double x) {
  if (x < 0.012) return 0.0;  // below 1e-36
  double shift = 0.0;
  for (; x < 5.0; x += 1.0) shift += 1.0 / x;
  const double z = x - 0.5;
  const double r = 1.0 / z;
  const double series = z + r * (1.0 / 24 - r * r * (37.0 / 5760 - r * r * (10313.0 / 2903040)));
  return series * std::exp(-shift);
}

// What changes when there is little to learn from. `pairs`: sentence pairs with words on both sides.

// A handful of sentences cannot teach how words move: the position keeps its say in the HMM.
double position_decay(std::int64_t pairs) {
  const double decay = 60.0 / (10.0 + static_cast<double>(pairs));
  return decay < 0.25 ? 0.0 : decay;
}

// Nor does it hold counts worth sharpening: the share of a count that sharpening leaves over at least.
double least_share(std::int64_t pairs) {
  const auto n = static_cast<double>(std::max<std::int64_t>(1, pairs));
  return std::max(0.01, 1.0 / (n * n));
}

// Nor certainty: two words that are each other's best are linked at a lower score than others.
double best_pair_threshold(double threshold, std::int64_t pairs) {
  const auto n = static_cast<double>(pairs);
  return threshold * (0.3 + 0.7 * n / (n + 10.0));
}

// What a count is worth when decoding: little if it is small (variational Bayes), but never nothing.
double sharpened(double count, double least) { return std::max(exp_digamma(count), least * count); }

void check(bool condition, const std::string& message) {
  if (!condition) throw Error(message);
}

void check_options(const AlignerOptions& o) {
  const auto at_least = [](double value, double least, const char* name) {
    check(std::isfinite(value) && value >= least, std::string(name) + " must be a number of at least " +
                                                      std::to_string(least) + ", not " +
                                                      std::to_string(value));
  };
  at_least(o.ibm1_iterations, 1, "ibm1_iterations");
  at_least(o.hmm_iterations, 0, "hmm_iterations");
  at_least(o.diagonal, 0, "diagonal");
  at_least(o.alpha, 0, "alpha");
  at_least(o.base_weight, 1e-3, "base_weight");
  at_least(o.null_base_weight, 1e-3, "null_base_weight");
  at_least(o.prior_weight, 0, "prior_weight");
  at_least(o.similarity_power, 0, "similarity_power");
  at_least(o.jump_clip, 1, "jump_clip");
  at_least(o.jump_smoothing, 1e-6, "jump_smoothing");
  check(o.diagonal <= 40, "diagonal must be at most 40, not " + std::to_string(o.diagonal));
  check(o.null_probability > 0 && o.null_probability < 1,
        "null_probability must lie between 0 and 1, not be " + std::to_string(o.null_probability));
  check(o.similarity_floor >= 0 && o.similarity_floor < 1,
        "similarity_floor must lie in [0, 1), not be " + std::to_string(o.similarity_floor));
}

void check_words(RaggedView<std::int32_t> sentences, std::size_t words, const char* side) {
  for (std::size_t row = 0; row < sentences.size(); ++row) {
    for (const std::int32_t word : sentences[row]) {
      if (word >= 0 && static_cast<std::size_t>(word) < words) continue;
      throw DataError(static_cast<std::int64_t>(row), side, std::to_string(word),
                      "expected a word id below " + std::to_string(words));
    }
  }
}

void check_types(std::span<const std::int32_t> types, std::size_t words, std::size_t count,
                 const char* side) {
  check(types.size() == words, std::string("every level must map all ") + std::to_string(words) + " " + side +
                                   " words, one maps " + std::to_string(types.size()));
  for (const std::int32_t type : types) {
    check(type >= 0 && static_cast<std::size_t>(type) < count,
          std::string(side) + " type " + std::to_string(type) + " is out of range, there are " +
              std::to_string(count));
  }
}

void check_corpus(const AlignerCorpus& corpus) {
  check(corpus.source.size() == corpus.target.size(),
        "expected as many target as source sentences, found " + std::to_string(corpus.source.size()) +
            " source and " + std::to_string(corpus.target.size()) + " target sentences");
  check(!corpus.levels.empty(), "expected at least one level of folding");
  const std::size_t source_words = corpus.levels.front().source_types.size();
  const std::size_t target_words = corpus.levels.front().target_types.size();
  for (const AlignerLevel& level : corpus.levels) {
    check_types(level.source_types, source_words, level.source_text.size(), "source");
    check_types(level.target_types, target_words, level.target_text.size(), "target");
  }
  check_words(corpus.source, source_words, "source");
  check_words(corpus.target, target_words, "target");
}

// How often each word occurs, by word id.
std::vector<float> word_frequencies(RaggedView<std::int32_t> sentences, std::size_t words) {
  std::vector<std::int64_t> counts(words, 0);
  for (std::size_t row = 0; row < sentences.size(); ++row) {
    for (const std::int32_t word : sentences[row]) ++counts[static_cast<std::size_t>(word)];
  }
  return {counts.begin(), counts.end()};
}

std::vector<float> sum_by_type(const std::vector<float>& by_word, std::span<const std::int32_t> types,
                               std::size_t count) {
  std::vector<double> sums(count, 0.0);
  for (std::size_t word = 0; word < by_word.size(); ++word) {
    sums[static_cast<std::size_t>(types[word])] += static_cast<double>(by_word[word]);
  }
  return {sums.begin(), sums.end()};
}

double sum_of(const std::vector<float>& values) {
  double sum = 0.0;
  for (const float value : values) sum += static_cast<double>(value);
  return sum;
}

// What the sides of one level contribute to an emission, by word: p(word | other) = share of the mixture *
// p(word | its type) * (count + pseudo-count of the pair of types + base) / total of the other's type.
struct Side {
  std::vector<float> factor;  // 1 / levels * p(word | its type)
  std::vector<float> base;    // pseudo-count that depends on the word's type only
  std::vector<float> total;   // expected links and pseudo-counts of the word's type
};

// `type_of` gives the word's row in the tables, or -1 for a type the model does not know.
Side make_side(std::span<const std::int32_t> type_of, const std::vector<float>& type_frequency,
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

// Jump weights from expected counts. A far jump's count covers many jumps of one weight: divide it by their
// number.
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

std::vector<float> first_jump_weights(std::size_t clip) {
  std::vector<float> weights(2 * clip + 1);
  for (std::size_t d = 0; d < weights.size(); ++d) {
    const double length = static_cast<double>(d) - static_cast<double>(clip);
    weights[d] = static_cast<float>(std::exp(-kFirstJumpDecay * std::abs(length - 1.0)) + kFirstJumpFloor);
  }
  return weights;
}

// The mean number of far jumps to one side that a position leaves room for, over positions that leave any.
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

// Both directions' matrices for one sentence pair.
struct PairScratch {
  std::vector<float> forward_emission, forward_posterior;    // by target word, then source word
  std::vector<float> backward_emission, backward_posterior;  // by source word, then target word
  std::vector<float> forward_null, backward_null;            // emissions of the null word
  std::vector<float> forward_row, target_row;
  std::vector<float> target_sides, masses;  // see Trainer::emit
  SentenceScratch sentence;

  void resize(std::size_t source, std::size_t target) {
    for (auto* matrix : {&forward_emission, &forward_posterior, &backward_emission, &backward_posterior}) {
      matrix->resize(source * target);
    }
    forward_null.resize(target);
    backward_null.resize(source);
    forward_row.resize(target);
    target_row.resize(target);
  }
  [[nodiscard]] Emissions forward(std::size_t source, std::size_t target) const {
    return {target, source, forward_emission.data(), forward_null.data()};
  }
  [[nodiscard]] Emissions backward(std::size_t source, std::size_t target) const {
    return {source, target, backward_emission.data(), backward_null.data()};
  }
};

// Makes words at the same relative position likelier partners, in both directions: by exp(-decay * |i / I - j
// / J|).
void favour_diagonal(double decay, std::size_t source, std::size_t target, PairScratch& s) {
  if (decay <= 0.0) return;
  // exp(-d |a - b|) is the smaller of exp(-d a) exp(d b) and its inverse: two exponentials a word, not one a
  // cell.
  for (std::size_t j = 0; j < target; ++j) {
    s.target_row[j] =
        static_cast<float>(std::exp(decay * (static_cast<double>(j) + 0.5) / static_cast<double>(target)));
  }
  for (std::size_t i = 0; i < source; ++i) {
    const auto here =
        static_cast<float>(std::exp(-decay * (static_cast<double>(i) + 0.5) / static_cast<double>(source)));
    for (std::size_t j = 0; j < target; ++j) {
      const float ratio = here * s.target_row[j];
      const float near = std::min(ratio, 1.0F / ratio);
      s.forward_emission[j * source + i] *= near;
      s.backward_emission[i * target + j] *= near;
    }
  }
}

// What the null word emits, by word of the last level.
std::vector<float> null_emissions(const std::vector<float>& expected, std::span<const std::int32_t> type_of,
                                  const Side& side, const std::vector<float>& type_frequency, double tokens,
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

// Expectation maximisation on one corpus.
class Trainer {
 public:
  Trainer(const AlignerCorpus& corpus, const AlignerOptions& options, std::size_t threads)
      : corpus_(corpus),
        options_(options),
        threads_(resolve_threads(threads)),
        clip_(static_cast<std::size_t>(options.jump_clip)),
        index_(build_index(corpus, corpus.levels.front().source_types.size(),
                           corpus.levels.front().target_types.size(), threads)),
        links_(index_.local.size(), 0.0F),
        forward_null_(static_cast<std::size_t>(index_.target_offsets.back()), 0.0F),
        backward_null_(static_cast<std::size_t>(index_.source_offsets.back()), 0.0F),
        source_frequency_(word_frequencies(corpus.source, corpus.levels.front().source_types.size())),
        target_frequency_(word_frequencies(corpus.target, corpus.levels.front().target_types.size())),
        scratch_(threads_) {
    for (const AlignerLevel& level : corpus.levels) add_level(level);
    pairs_ = count_pairs();
    position_decay_ = position_decay(pairs_);
    masses_.resize(index_.words.targets.size() * levels_.size());
    source_jumps_ = target_jumps_ = first_jump_weights(clip_);
  }

  AlignerModel run(const AlignerProgress& progress) {
    const int total = options_.ibm1_iterations + options_.hmm_iterations;
    for (int iteration = 0; iteration < total; ++iteration) {
      update_tables(iteration == 0);
      if (iteration < options_.ibm1_iterations) {
        visit_ibm1();
      } else {
        visit_hmm();
      }
      if (progress) progress(iteration + 1, total);
    }
    update_tables(false);
    return take_model();
  }

 private:
  struct Level {
    const AlignerLevel* corpus;
    LevelPairs pairs;
    std::vector<float> prior;   // by pair of types: pseudo-count
    std::vector<float> counts;  // by pair of types: expected links
    std::vector<float> source_frequency, target_frequency, source_totals, target_totals;  // by type
    Side source, target;
  };

  void add_level(const AlignerLevel& corpus) {
    Level level;
    level.corpus = &corpus;
    level.pairs = build_level(corpus, index_.words, threads_);
    level.prior = string_prior(corpus, level.pairs.types, options_, threads_);
    level.counts.assign(level.prior.size(), 0.0F);
    level.source_frequency = sum_by_type(source_frequency_, corpus.source_types, corpus.source_text.size());
    level.target_frequency = sum_by_type(target_frequency_, corpus.target_types, corpus.target_text.size());
    level.source =
        make_side(corpus.source_types, level.source_frequency, source_frequency_,
                  static_cast<double>(backward_null_.size()), corpus_.levels.size(), options_.base_weight);
    level.target =
        make_side(corpus.target_types, level.target_frequency, target_frequency_,
                  static_cast<double>(forward_null_.size()), corpus_.levels.size(), options_.base_weight);
    levels_.push_back(std::move(level));
  }

  [[nodiscard]] std::int64_t count_pairs() const {
    std::int64_t pairs = 0;
    for (std::size_t row = 0; row < corpus_.source.size(); ++row) {
      if (!corpus_.source[row].empty() && !corpus_.target[row].empty()) ++pairs;
    }
    return pairs;
  }

  // The maximisation step: from the expected links of cells to what emissions are made of.
  void update_tables(bool first) {
    if (!first) {
      const std::vector<float> word_counts = count_word_pairs();
      for (Level& level : levels_) count_type_pairs(level, word_counts);
    }
    parallel_for(levels_.size(), 1, threads_,
                 [&](std::size_t l, std::size_t, std::size_t) { update_totals(levels_[l]); });
    fill_masses();
    update_nulls(first);
  }

  // Expected links by pair of words. Each row is summed by one thread in corpus order.
  [[nodiscard]] std::vector<float> count_word_pairs() const {
    const Occurrences& tokens = index_.occurrences;
    std::vector<float> counts(index_.words.targets.size());
    parallel_for(index_.words.rows(), kTypesPerChunk, threads_,
                 [&](std::size_t first, std::size_t last, std::size_t) {
                   std::vector<double> sums;
                   for (std::size_t word = first; word < last; ++word) {
                     sums.assign(index_.words.end(word) - index_.words.begin(word), 0.0);
                     for (auto at = tokens.offsets[word]; at < tokens.offsets[word + 1]; ++at) {
                       const auto token = static_cast<std::size_t>(at);
                       const auto row = static_cast<std::size_t>(tokens.sentence[token]);
                       const std::size_t targets = corpus_.target[row].size();
                       const std::size_t cell = static_cast<std::size_t>(index_.cell_offsets[row]) +
                                                static_cast<std::size_t>(tokens.position[token]) * targets;
                       for (std::size_t j = 0; j < targets; ++j)
                         sums[index_.local[cell + j]] += static_cast<double>(links_[cell + j]);
                     }
                     std::copy(sums.begin(), sums.end(), counts.begin() + index_.words.offsets[word]);
                   }
                 });
    return counts;
  }

  void count_type_pairs(Level& level, const std::vector<float>& word_counts) const {
    const LevelPairs& pairs = level.pairs;
    parallel_for(
        pairs.types.rows(), kTypesPerChunk, threads_, [&](std::size_t first, std::size_t last, std::size_t) {
          std::fill(level.counts.begin() + pairs.types.offsets[first],
                    level.counts.begin() + pairs.types.offsets[last], 0.0F);
          for (auto at = pairs.word_offsets[first]; at < pairs.word_offsets[last]; ++at) {
            const auto word = static_cast<std::size_t>(pairs.words_of_type[static_cast<std::size_t>(at)]);
            for (std::size_t pair = index_.words.begin(word); pair < index_.words.end(word); ++pair) {
              level.counts[static_cast<std::size_t>(pairs.of_word_pair[pair])] += word_counts[pair];
            }
          }
        });
  }

  void update_totals(Level& level) const {
    const Pairs& types = level.pairs.types;
    const double source_base =
        options_.base_weight / std::max(1.0, static_cast<double>(backward_null_.size()));
    const double target_base =
        options_.base_weight / std::max(1.0, static_cast<double>(forward_null_.size()));
    std::vector<double> source(types.rows(), 0.0);
    std::vector<double> target(level.corpus->target_text.size(), 0.0);
    for (std::size_t type = 0; type < types.rows(); ++type) {
      const double from_source = source_base * static_cast<double>(level.source_frequency[type]);
      for (std::size_t pair = types.begin(type); pair < types.end(type); ++pair) {
        const auto other = static_cast<std::size_t>(types.targets[pair]);
        const double mass =
            static_cast<double>(level.counts[pair]) + static_cast<double>(level.prior[pair]) + options_.alpha;
        source[type] += mass + target_base * static_cast<double>(level.target_frequency[other]);
        target[other] += mass + from_source;
      }
    }
    level.source_totals.assign(source.begin(), source.end());
    level.target_totals.assign(target.begin(), target.end());
    const auto spread = [](const std::vector<float>& by_type, std::span<const std::int32_t> types_of,
                           std::vector<float>& by_word) {
      for (std::size_t word = 0; word < types_of.size(); ++word)
        by_word[word] = by_type[static_cast<std::size_t>(types_of[word])];
    };
    spread(level.source_totals, level.corpus->source_types, level.source.total);
    spread(level.target_totals, level.corpus->target_types, level.target.total);
  }

  // Gathers what the levels know about each pair of words into one place, for the expectation step to read at
  // once.
  void fill_masses() {
    parallel_for(
        index_.words.rows(), kTypesPerChunk, threads_, [&](std::size_t first, std::size_t last, std::size_t) {
          const std::size_t count = levels_.size();
          for (std::size_t l = 0; l < count; ++l) {
            const Level& level = levels_[l];
            for (std::size_t pair = index_.words.begin(first); pair < index_.words.begin(last); ++pair) {
              const auto at = static_cast<std::size_t>(level.pairs.of_word_pair[pair]);
              masses_[pair * count + l] =
                  level.counts[at] + level.prior[at] + static_cast<float>(options_.alpha);
            }
          }
        });
  }

  void update_nulls(bool first) {
    const Level& finest = levels_.back();
    const auto by_type = [&](const std::vector<float>& expected, RaggedView<std::int32_t> sentences,
                             std::span<const std::int32_t> types, std::size_t count) {
      std::vector<double> sums(count, first ? 1.0 : 0.0);
      std::size_t token = 0;
      for (std::size_t row = 0; row < sentences.size(); ++row) {
        for (const std::int32_t word : sentences[row]) {
          sums[static_cast<std::size_t>(types[static_cast<std::size_t>(word)])] +=
              static_cast<double>(expected[token++]);
        }
      }
      return std::vector<float>(sums.begin(), sums.end());
    };
    target_null_ = by_type(forward_null_, corpus_.target, finest.corpus->target_types,
                           finest.corpus->target_text.size());
    source_null_ = by_type(backward_null_, corpus_.source, finest.corpus->source_types,
                           finest.corpus->source_text.size());
    target_null_emission_ =
        null_emissions(target_null_, finest.corpus->target_types, finest.target, finest.target_frequency,
                       static_cast<double>(forward_null_.size()), options_, levels_.size(), kUnsharpened);
    source_null_emission_ =
        null_emissions(source_null_, finest.corpus->source_types, finest.source, finest.source_frequency,
                       static_cast<double>(backward_null_.size()), options_, levels_.size(), kUnsharpened);
  }

  // Emissions of one sentence pair in both directions, each cell's own expected links left out of the counts.
  // First gathers scattered values, so that the inner loops are plain ones that the compiler vectorises.
  void emit(std::size_t row, PairScratch& s) const {
    const auto source = corpus_.source[row];
    const auto target = corpus_.target[row];
    const std::size_t count = levels_.size();
    const std::size_t width = target.size();
    s.resize(source.size(), width);
    s.target_sides.resize(3 * count * width);
    s.masses.resize(count * width);
    for (std::size_t l = 0; l < count; ++l) {
      for (std::size_t j = 0; j < width; ++j) {
        const auto word = static_cast<std::size_t>(target[j]);
        s.target_sides[(3 * l) * width + j] = levels_[l].target.factor[word];
        s.target_sides[(3 * l + 1) * width + j] = levels_[l].target.base[word];
        s.target_sides[(3 * l + 2) * width + j] = levels_[l].target.total[word];
      }
    }
    for (std::size_t i = 0; i < source.size(); ++i) {
      const auto word = static_cast<std::size_t>(source[i]);
      const std::size_t cell = static_cast<std::size_t>(index_.cell_offsets[row]) + i * width;
      const float* mass = masses_.data() + index_.words.begin(word) * count;
      for (std::size_t j = 0; j < width; ++j) {
        const float* of_pair = mass + index_.local[cell + j] * count;
        for (std::size_t l = 0; l < count; ++l) s.masses[l * width + j] = of_pair[l];
      }
      float* forward = s.forward_row.data();
      float* backward = s.backward_emission.data() + i * width;
      std::fill(forward, forward + width, 0.0F);
      std::fill(backward, backward + width, 0.0F);
      for (std::size_t l = 0; l < count; ++l) {
        const Side& side = levels_[l].source;
        add_level_emissions(links_.data() + cell, s.masses.data() + l * width,
                            s.target_sides.data() + 3 * l * width, width,
                            {side.factor[word], side.base[word], side.total[word]}, forward, backward);
      }
      for (std::size_t j = 0; j < width; ++j) {
        s.forward_emission[j * source.size() + i] = std::max(kSmallest, forward[j]);
        backward[j] = std::max(kSmallest, backward[j]);
      }
      s.backward_null[i] = source_null_emission_[word];
    }
    for (std::size_t j = 0; j < width; ++j)
      s.forward_null[j] = target_null_emission_[static_cast<std::size_t>(target[j])];
  }

  // What Side holds, for one word.
  struct WordSide {
    float factor, base, total;
  };

  // Adds one level's share to the emissions of one source word. `target_sides`: factors, bases, totals of the
  // target words.
  static void add_level_emissions(const float* own, const float* mass, const float* target_sides,
                                  std::size_t width, WordSide source, float* forward, float* backward) {
    const float* factor = target_sides;
    const float* base = target_sides + width;
    const float* total = target_sides + 2 * width;
    for (std::size_t j = 0; j < width; ++j) {
      const float left = std::max(0.0F, mass[j] - own[j]);
      forward[j] += factor[j] * (left + base[j]) / std::max(kSmallest, source.total - own[j]);
      backward[j] += source.factor * (left + source.base) / std::max(kSmallest, total[j] - own[j]);
    }
  }

  // Calls body(row, scratch, chunk) for every sentence pair with words on both sides.
  template <class Body>
  void for_each_pair(const Body& body) {
    parallel_for(corpus_.source.size(), kSentencesPerChunk, threads_,
                 [&](std::size_t first, std::size_t last, std::size_t worker) {
                   for (std::size_t row = first; row < last; ++row) {
                     if (!corpus_.source[row].empty() && !corpus_.target[row].empty())
                       body(row, scratch_[worker], first / kSentencesPerChunk);
                   }
                 });
  }

  // Where the posteriors of the null word go: its expected counts.
  [[nodiscard]] Posteriors forward_out(std::size_t row, PairScratch& s) {
    return {s.forward_posterior.data(), forward_null_.data() + index_.target_offsets[row]};
  }
  [[nodiscard]] Posteriors backward_out(std::size_t row, PairScratch& s) {
    return {s.backward_posterior.data(), backward_null_.data() + index_.source_offsets[row]};
  }

  // Merges both directions' posteriors into the expected links of the cells.
  template <class Merge>
  void agree(std::size_t row, const PairScratch& s, const Merge& merge) {
    const std::size_t source = corpus_.source[row].size();
    const std::size_t target = corpus_.target[row].size();
    float* links = links_.data() + index_.cell_offsets[row];
    for (std::size_t i = 0; i < source; ++i) {
      for (std::size_t j = 0; j < target; ++j) {
        links[i * target + j] =
            merge(s.forward_posterior[j * source + i], s.backward_posterior[i * target + j]);
      }
    }
  }

  // Model 1 is too unsure to multiply its directions: they share their mean.
  void visit_ibm1() {
    for_each_pair([&](std::size_t row, PairScratch& s, std::size_t) {
      const std::size_t source = corpus_.source[row].size();
      const std::size_t target = corpus_.target[row].size();
      emit(row, s);
      ibm1_posteriors(s.forward(source, target), options_.diagonal, options_.null_probability,
                      forward_out(row, s), s.sentence);
      ibm1_posteriors(s.backward(source, target), options_.diagonal, options_.null_probability,
                      backward_out(row, s), s.sentence);
      agree(row, s, [](float forward, float backward) { return 0.5F * (forward + backward); });
    });
  }

  void visit_hmm() {
    const std::size_t lengths = 2 * clip_ + 1;
    const std::size_t chunks = (corpus_.source.size() + kSentencesPerChunk - 1) / kSentencesPerChunk;
    std::vector<double> counts(chunks * 2 * lengths, 0.0);
    for_each_pair([&](std::size_t row, PairScratch& s, std::size_t chunk) {
      const std::size_t source = corpus_.source[row].size();
      const std::size_t target = corpus_.target[row].size();
      const std::span<double> here = std::span(counts).subspan(chunk * 2 * lengths, 2 * lengths);
      emit(row, s);
      favour_diagonal(position_decay_, source, target, s);
      hmm_posteriors(s.forward(source, target), {clip_, source_jumps_}, options_.null_probability,
                     forward_out(row, s), here.first(lengths), s.sentence);
      hmm_posteriors(s.backward(source, target), {clip_, target_jumps_}, options_.null_probability,
                     backward_out(row, s), here.last(lengths), s.sentence);
      agree(row, s, [](float forward, float backward) { return forward * backward; });
    });
    std::vector<double> source(lengths, 0.0);
    std::vector<double> target(lengths, 0.0);
    for (std::size_t chunk = 0; chunk < chunks; ++chunk) {
      for (std::size_t d = 0; d < lengths; ++d) {
        source[d] += counts[chunk * 2 * lengths + d];
        target[d] += counts[chunk * 2 * lengths + lengths + d];
      }
    }
    source_jumps_ =
        jump_weights(source, options_.jump_smoothing, mean_far_jumps(corpus_.target, corpus_.source, clip_));
    target_jumps_ =
        jump_weights(target, options_.jump_smoothing, mean_far_jumps(corpus_.source, corpus_.target, clip_));
  }

  AlignerModel take_model() {
    AlignerModel model;
    model.options = options_;
    for (Level& level : levels_) {
      AlignerTable table;
      const Pairs& types = level.pairs.types;
      table.offsets.push_back(0);
      for (std::size_t type = 0; type < types.rows(); ++type) {
        for (std::size_t pair = types.begin(type); pair < types.end(type); ++pair) {
          if (level.counts[pair] < kNegligible) continue;
          table.targets.push_back(types.targets[pair]);
          table.counts.push_back(level.counts[pair]);
        }
        table.offsets.push_back(static_cast<std::int64_t>(table.targets.size()));
      }
      table.source_frequency = std::move(level.source_frequency);
      table.target_frequency = std::move(level.target_frequency);
      table.source_totals = std::move(level.source_totals);
      table.target_totals = std::move(level.target_totals);
      model.levels.push_back(std::move(table));
    }
    model.source_null = std::move(source_null_);
    model.target_null = std::move(target_null_);
    model.sentence_pairs = pairs_;
    model.source_jumps = std::move(source_jumps_);
    model.target_jumps = std::move(target_jumps_);
    return model;
  }

  const AlignerCorpus& corpus_;
  const AlignerOptions& options_;
  std::size_t threads_;
  std::size_t clip_;
  Index index_;
  std::vector<float> links_;          // by cell: expected links
  std::vector<float> forward_null_;   // by target token: probability that it has no partner
  std::vector<float> backward_null_;  // the same by source token
  std::vector<float> source_frequency_, target_frequency_;  // by word
  std::vector<Level> levels_;
  std::vector<float> masses_;  // by pair of words, then level: count + pseudo-counts of the pair of types
  std::vector<float> source_null_, target_null_;                    // by type of the last level
  std::vector<float> source_null_emission_, target_null_emission_;  // by word
  std::vector<float> source_jumps_, target_jumps_;
  std::int64_t pairs_ = 0;  // with words on both sides
  double position_decay_ = 0.0;
  std::vector<PairScratch> scratch_;
};

// The model's emissions for the words of a corpus that is to be aligned.
class Decoder {
 public:
  Decoder(const AlignerModel& model, const AlignerCorpus& corpus, std::span<const AlignerTypeMap> maps,
          std::size_t threads)
      : model_(model),
        corpus_(corpus),
        threads_(resolve_threads(threads)),
        least_(least_share(model.sentence_pairs)),
        index_(build_index(corpus, corpus.levels.front().source_types.size(),
                           corpus.levels.front().target_types.size(), threads)),
        emissions_(2 * index_.words.targets.size(), 0.0F),
        source_frequency_(frequencies(corpus.levels.back().source_types, maps.back().source,
                                      model.levels.back().source_frequency)),
        target_frequency_(frequencies(corpus.levels.back().target_types, maps.back().target,
                                      model.levels.back().target_frequency)) {
    for (std::size_t l = 0; l < corpus.levels.size(); ++l) add_level(l, maps[l]);
    for (float& value : emissions_) value = std::max(value, kSmallest);
  }

  // Fills the emissions of one sentence pair.
  void emit(std::size_t row, PairScratch& s) const {
    const auto source = corpus_.source[row];
    const auto target = corpus_.target[row];
    s.resize(source.size(), target.size());
    for (std::size_t i = 0; i < source.size(); ++i) {
      const auto word = static_cast<std::size_t>(source[i]);
      const std::uint32_t* local =
          index_.local.data() + static_cast<std::size_t>(index_.cell_offsets[row]) + i * target.size();
      const float* emission = emissions_.data() + 2 * index_.words.begin(word);
      for (std::size_t j = 0; j < target.size(); ++j) {
        s.forward_emission[j * source.size() + i] = emission[2 * local[j]];
        s.backward_emission[i * target.size() + j] = emission[2 * local[j] + 1];
      }
      s.backward_null[i] = source_null_[word];
    }
    for (std::size_t j = 0; j < target.size(); ++j)
      s.forward_null[j] = target_null_[static_cast<std::size_t>(target[j])];
  }

 private:
  void add_level(std::size_t l, const AlignerTypeMap& map) {
    const AlignerLevel& level = corpus_.levels[l];
    const AlignerTable& table = model_.levels[l];
    const AlignerOptions& options = model_.options;
    const LevelPairs pairs = build_level(level, index_.words, threads_);
    std::vector<float> masses = string_prior(level, pairs.types, options, threads_);
    for (float& mass : masses) mass += static_cast<float>(options.alpha);

    // By the corpus's types: what the model knows, or for new types what their strings say.
    std::vector<double> source_totals(map.source.size(), options.base_weight);
    std::vector<double> target_totals(map.target.size(), options.base_weight);
    for (std::size_t type = 0; type < pairs.types.rows(); ++type) {
      for (std::size_t pair = pairs.types.begin(type); pair < pairs.types.end(type); ++pair) {
        source_totals[type] += static_cast<double>(masses[pair]);
        target_totals[static_cast<std::size_t>(pairs.types.targets[pair])] +=
            static_cast<double>(masses[pair]);
      }
    }
    recall(source_totals, map.source, table.source_totals);
    recall(target_totals, map.target, table.target_totals);
    add_counts(masses, pairs.types, table, map);

    const auto word_types = [](std::span<const std::int32_t> types, std::span<const std::int32_t> known) {
      std::vector<std::int32_t> result(types.size());
      for (std::size_t word = 0; word < types.size(); ++word)
        result[word] = known[static_cast<std::size_t>(types[word])];
      return result;
    };
    const std::vector<std::int32_t> source_types = word_types(level.source_types, map.source);
    const std::vector<std::int32_t> target_types = word_types(level.target_types, map.target);
    const double source_tokens = sum_of(table.source_frequency);
    const double target_tokens = sum_of(table.target_frequency);
    const Side source = make_side(source_types, table.source_frequency, source_frequency_, source_tokens,
                                  corpus_.levels.size(), options.base_weight);
    const Side target = make_side(target_types, table.target_frequency, target_frequency_, target_tokens,
                                  corpus_.levels.size(), options.base_weight);
    for (double& total : source_totals) total = 1.0 / sharpened(total, least_);
    for (double& total : target_totals) total = 1.0 / sharpened(total, least_);
    add_emissions(level, pairs, masses, source, target, source_totals, target_totals);

    if (l + 1 == corpus_.levels.size()) {
      source_null_ = null_emissions(model_.source_null, source_types, source, table.source_frequency,
                                    source_tokens, options, corpus_.levels.size(), least_);
      target_null_ = null_emissions(model_.target_null, target_types, target, table.target_frequency,
                                    target_tokens, options, corpus_.levels.size(), least_);
    }
  }

  static void recall(std::vector<double>& totals, std::span<const std::int32_t> known,
                     const std::vector<float>& learned) {
    for (std::size_t type = 0; type < totals.size(); ++type) {
      if (known[type] >= 0)
        totals[type] = static_cast<double>(learned[static_cast<std::size_t>(known[type])]);
    }
  }

  // Adds the model's expected links to the pairs of types that it has seen together.
  void add_counts(std::vector<float>& masses, const Pairs& types, const AlignerTable& table,
                  const AlignerTypeMap& map) const {
    std::vector<std::vector<float>> learned(threads_, std::vector<float>(table.target_totals.size(), 0.0F));
    parallel_for(
        types.rows(), kTypesPerChunk, threads_, [&](std::size_t first, std::size_t last, std::size_t worker) {
          std::vector<float>& row = learned[worker];
          for (std::size_t type = first; type < last; ++type) {
            if (map.source[type] < 0) continue;
            const auto begin =
                static_cast<std::size_t>(table.offsets[static_cast<std::size_t>(map.source[type])]);
            const auto end =
                static_cast<std::size_t>(table.offsets[static_cast<std::size_t>(map.source[type]) + 1]);
            for (std::size_t at = begin; at < end; ++at)
              row[static_cast<std::size_t>(table.targets[at])] = table.counts[at];
            for (std::size_t pair = types.begin(type); pair < types.end(type); ++pair) {
              const std::int32_t target = map.target[static_cast<std::size_t>(types.targets[pair])];
              if (target >= 0) masses[pair] += row[static_cast<std::size_t>(target)];
            }
            for (std::size_t at = begin; at < end; ++at)
              row[static_cast<std::size_t>(table.targets[at])] = 0.0F;
          }
        });
  }

  // How often the model has seen each word: as often as its type of the last level.
  static std::vector<float> frequencies(std::span<const std::int32_t> types,
                                        std::span<const std::int32_t> known,
                                        const std::vector<float>& type_frequency) {
    std::vector<float> result(types.size(), 0.0F);
    for (std::size_t word = 0; word < types.size(); ++word) {
      const std::int32_t type = known[static_cast<std::size_t>(types[word])];
      if (type >= 0) result[word] = type_frequency[static_cast<std::size_t>(type)];
    }
    return result;
  }

  void add_emissions(const AlignerLevel& level, const LevelPairs& pairs, const std::vector<float>& masses,
                     const Side& source, const Side& target, const std::vector<double>& source_inverse,
                     const std::vector<double>& target_inverse) {
    parallel_for(
        index_.words.rows(), kTypesPerChunk, threads_, [&](std::size_t first, std::size_t last, std::size_t) {
          for (std::size_t word = first; word < last; ++word) {
            const auto type = static_cast<std::size_t>(level.source_types[word]);
            for (std::size_t pair = index_.words.begin(word); pair < index_.words.end(word); ++pair) {
              const auto other = static_cast<std::size_t>(index_.words.targets[pair]);
              const auto other_type = static_cast<std::size_t>(level.target_types[other]);
              const auto mass =
                  static_cast<double>(masses[static_cast<std::size_t>(pairs.of_word_pair[pair])]);
              const double forward =
                  sharpened(mass + static_cast<double>(target.base[other]), least_) * source_inverse[type];
              const double backward = sharpened(mass + static_cast<double>(source.base[word]), least_) *
                                      target_inverse[other_type];
              emissions_[2 * pair] += static_cast<float>(forward) * target.factor[other];
              emissions_[2 * pair + 1] += static_cast<float>(backward) * source.factor[word];
            }
          }
        });
  }

  const AlignerModel& model_;
  const AlignerCorpus& corpus_;
  std::size_t threads_;
  double least_;  // see least_share
  Index index_;
  std::vector<float> emissions_;                            // by pair of words: forward, backward
  std::vector<float> source_frequency_, target_frequency_;  // by word
  std::vector<float> source_null_, target_null_;            // by word
};

void check_maps(const AlignerModel& model, const AlignerCorpus& corpus,
                std::span<const AlignerTypeMap> maps) {
  check(model.levels.size() == corpus.levels.size() && maps.size() == corpus.levels.size(),
        "the model has " + std::to_string(model.levels.size()) + " levels of folding, the corpus " +
            std::to_string(corpus.levels.size()) + " and the type maps " + std::to_string(maps.size()));
  const auto within = [](std::span<const std::int32_t> map, std::size_t corpus_types,
                         std::size_t model_types) {
    return map.size() == corpus_types && std::all_of(map.begin(), map.end(), [&](std::int32_t type) {
             return type < 0 || static_cast<std::size_t>(type) < model_types;
           });
  };
  for (std::size_t l = 0; l < maps.size(); ++l) {
    const bool sound =
        within(maps[l].source, corpus.levels[l].source_text.size(), model.levels[l].source_totals.size()) &&
        within(maps[l].target, corpus.levels[l].target_text.size(), model.levels[l].target_totals.size());
    check(sound, "the type map of level " + std::to_string(l) +
                     " does not lead from the corpus's types to the model's");
  }
}

// Runs extract(row, scratch, links of the row) on every sentence pair with words on both sides, after both
// directions' posteriors have been computed, and joins the rows.
template <class Extract>
ScoredLinks align_rows(const AlignerModel& model, const AlignerCorpus& corpus,
                       std::span<const AlignerTypeMap> maps, std::size_t threads, const Extract& extract) {
  check_corpus(corpus);
  check_maps(model, corpus, maps);
  const Decoder decoder(model, corpus, maps, threads);
  const std::size_t rows = corpus.source.size();
  const auto clip = static_cast<std::size_t>(model.options.jump_clip);
  std::vector<PairScratch> scratch(resolve_threads(threads));
  std::vector<std::vector<float>> nulls(2 * scratch.size());
  std::vector<ScoredLinks> chunks((rows + kSentencesPerChunk - 1) / kSentencesPerChunk);
  parallel_for(
      rows, kSentencesPerChunk, threads, [&](std::size_t first, std::size_t last, std::size_t worker) {
        PairScratch& s = scratch[worker];
        ScoredLinks& out = chunks[first / kSentencesPerChunk];
        for (std::size_t row = first; row < last; ++row) {
          const std::size_t source = corpus.source[row].size();
          const std::size_t target = corpus.target[row].size();
          if (source != 0 && target != 0) {
            decoder.emit(row, s);
            favour_diagonal(position_decay(model.sentence_pairs), source, target, s);
            nulls[2 * worker].resize(target);
            nulls[2 * worker + 1].resize(source);
            hmm_posteriors(s.forward(source, target), {clip, model.source_jumps},
                           model.options.null_probability,
                           {s.forward_posterior.data(), nulls[2 * worker].data()}, {}, s.sentence);
            hmm_posteriors(s.backward(source, target), {clip, model.target_jumps},
                           model.options.null_probability,
                           {s.backward_posterior.data(), nulls[2 * worker + 1].data()}, {}, s.sentence);
            extract(row, s, out);
          }
          out.offsets.push_back(static_cast<std::int64_t>(out.source.size()));
        }
      });
  ScoredLinks result;
  result.offsets.reserve(rows + 1);
  for (const ScoredLinks& chunk : chunks) {
    const auto base = static_cast<std::int64_t>(result.source.size());
    for (std::size_t row = 1; row < chunk.offsets.size(); ++row)
      result.offsets.push_back(base + chunk.offsets[row]);
    result.source.insert(result.source.end(), chunk.source.begin(), chunk.source.end());
    result.target.insert(result.target.end(), chunk.target.begin(), chunk.target.end());
    result.score.insert(result.score.end(), chunk.score.begin(), chunk.score.end());
  }
  return result;
}

float link_score(const PairScratch& s, std::size_t source, std::size_t target, std::size_t i, std::size_t j) {
  return std::min(1.0F, 0.5F * (s.forward_posterior[j * source + i] + s.backward_posterior[i * target + j]));
}

void add_link(ScoredLinks& links, std::size_t i, std::size_t j, float score) {
  links.source.push_back(static_cast<std::int32_t>(i));
  links.target.push_back(static_cast<std::int32_t>(j));
  links.score.push_back(score);
}

// How strongly the fitted corpus ties the words of links to each other.
class Association {
 public:
  Association(const AlignerModel& model, const AlignerCorpus& corpus, std::span<const AlignerTypeMap> maps)
      : Association(model.levels, corpus.levels, maps, level_of(model)) {}

  // Dice coefficient of the expected links of two words, 1 where the model does not know both.
  [[nodiscard]] float operator()(std::int32_t source_word, std::int32_t target_word) const {
    const std::int32_t source = known(map_.source, level_.source_types, source_word);
    const std::int32_t target = known(map_.target, level_.target_types, target_word);
    if (source < 0 || target < 0) return 1;
    const auto s = static_cast<std::size_t>(source);
    const auto begin = table_.targets.begin() + table_.offsets[s];
    const auto end = table_.targets.begin() + table_.offsets[s + 1];
    const auto found = std::lower_bound(begin, end, target);
    if (found == end || *found != target) return 0;
    const float count = table_.counts[static_cast<std::size_t>(found - table_.targets.begin())];
    return 2 * count /
           (table_.source_frequency[s] + table_.target_frequency[static_cast<std::size_t>(target)]);
  }

 private:
  Association(const std::vector<AlignerTable>& tables, const std::vector<AlignerLevel>& levels,
              std::span<const AlignerTypeMap> maps, std::size_t level)
      : table_(tables[level]), level_(levels[level]), map_(maps[level]) {}

  // The finest but one, where there are several: inflected forms of a word count together there.
  static std::size_t level_of(const AlignerModel& model) {
    return model.levels.size() - std::min<std::size_t>(2, model.levels.size());
  }
  static std::int32_t known(std::span<const std::int32_t> map, std::span<const std::int32_t> types,
                            std::int32_t word) {
    return map[static_cast<std::size_t>(types[static_cast<std::size_t>(word)])];
  }

  const AlignerTable& table_;
  const AlignerLevel& level_;
  AlignerTypeMap map_;
};

// Takes the accidental ones out of the links of a row, which begin at `first`. See align_posterior.
void drop_accidents(std::span<const std::int32_t> source, std::span<const std::int32_t> target,
                    const Association& association, float least, std::size_t first, ScoredLinks& links) {
  std::vector<float> strengths;
  std::vector<float> best_of_source(source.size(), 0.0F);
  std::vector<float> best_of_target(target.size(), 0.0F);
  for (std::size_t k = first; k < links.source.size(); ++k) {
    const auto i = static_cast<std::size_t>(links.source[k]);
    const auto j = static_cast<std::size_t>(links.target[k]);
    const float strength = links.score[k] * association(source[i], target[j]);
    strengths.push_back(strength);
    best_of_source[i] = std::max(best_of_source[i], strength);
    best_of_target[j] = std::max(best_of_target[j], strength);
  }
  std::size_t kept = first;
  for (std::size_t k = first; k < links.source.size(); ++k) {
    const float best = std::max(best_of_source[static_cast<std::size_t>(links.source[k])],
                                best_of_target[static_cast<std::size_t>(links.target[k])]);
    if (strengths[k - first] < least * best) continue;
    links.source[kept] = links.source[k];
    links.target[kept] = links.target[k];
    links.score[kept] = links.score[k];
    ++kept;
  }
  links.source.resize(kept);
  links.target.resize(kept);
  links.score.resize(kept);
}

}  // namespace

void check_aligner(const AlignerModel& model) {
  check_options(model.options);
  check(!model.levels.empty(), "expected at least one level of folding");
  const std::size_t jumps = 2 * static_cast<std::size_t>(model.options.jump_clip) + 1;
  check(model.source_jumps.size() == jumps && model.target_jumps.size() == jumps,
        "expected " + std::to_string(jumps) + " jump weights a side, found " +
            std::to_string(model.source_jumps.size()) + " and " + std::to_string(model.target_jumps.size()));
  for (const auto* weights : {&model.source_jumps, &model.target_jumps}) {
    for (const float weight : *weights)
      check(std::isfinite(weight) && weight > 0, "jump weights must be positive");
  }
  for (std::size_t l = 0; l < model.levels.size(); ++l) {
    const AlignerTable& table = model.levels[l];
    const std::size_t source = table.source_totals.size();
    const std::size_t target = table.target_totals.size();
    const bool fits = table.offsets.size() == source + 1 && table.source_frequency.size() == source &&
                      table.target_frequency.size() == target &&
                      table.targets.size() == table.counts.size() && table.offsets.front() == 0 &&
                      table.offsets.back() == static_cast<std::int64_t>(table.targets.size()) &&
                      std::is_sorted(table.offsets.begin(), table.offsets.end()) &&
                      std::all_of(table.targets.begin(), table.targets.end(), [&](std::int32_t type) {
                        return type >= 0 && static_cast<std::size_t>(type) < target;
                      });
    check(fits, "table " + std::to_string(l) + " of the model contradicts itself");
  }
  check(model.source_null.size() == model.levels.back().source_totals.size() &&
            model.target_null.size() == model.levels.back().target_totals.size(),
        "the model's null words contradict its last table");
}

AlignerModel fit_aligner(const AlignerCorpus& corpus, const AlignerOptions& options, std::size_t threads,
                         const AlignerProgress& progress) {
  check_options(options);
  check_corpus(corpus);
  return Trainer(corpus, options, threads).run(progress);
}

ScoredLinks align_posterior(const AlignerModel& model, const AlignerCorpus& corpus,
                            std::span<const AlignerTypeMap> maps, double threshold, double least_association,
                            std::size_t threads) {
  check(threshold >= 0 && threshold < 1, "threshold must lie in [0, 1), not be " + std::to_string(threshold));
  check(least_association >= 0 && least_association <= 1,
        "least_association must lie in [0, 1], not be " + std::to_string(least_association));
  const auto least = static_cast<float>(least_association);
  const auto any = static_cast<float>(threshold);
  const auto best = static_cast<float>(best_pair_threshold(threshold, model.sentence_pairs));
  check_maps(model, corpus, maps);
  const Association association(model, corpus, maps);
  return align_rows(model, corpus, maps, threads, [&](std::size_t row, PairScratch& s, ScoredLinks& out) {
    const std::size_t first = out.source.size();
    const std::size_t source = corpus.source[row].size();
    const std::size_t target = corpus.target[row].size();
    // From here on one of the emission matrices holds the scores.
    std::vector<float>& scores = s.backward_emission;
    std::vector<float> best_of_source(source, 0.0F);
    std::vector<float> best_of_target(target, 0.0F);
    for (std::size_t i = 0; i < source; ++i) {
      for (std::size_t j = 0; j < target; ++j) {
        const float score = scores[i * target + j] = link_score(s, source, target, i, j);
        best_of_source[i] = std::max(best_of_source[i], score);
        best_of_target[j] = std::max(best_of_target[j], score);
      }
    }
    for (std::size_t i = 0; i < source; ++i) {
      for (std::size_t j = 0; j < target; ++j) {
        const float score = scores[i * target + j];
        const bool each_others_best = score == best_of_source[i] && score == best_of_target[j];
        if (score > any || (each_others_best && score > best)) add_link(out, i, j, score);
      }
    }
    if (least > 0) drop_accidents(corpus.source[row], corpus.target[row], association, least, first, out);
  });
}

ScoredLinks align_viterbi(const AlignerModel& model, const AlignerCorpus& corpus,
                          std::span<const AlignerTypeMap> maps, Symmetrization method, std::size_t threads) {
  const auto clip = static_cast<std::size_t>(model.options.jump_clip);
  return align_rows(model, corpus, maps, threads, [&](std::size_t row, PairScratch& s, ScoredLinks& out) {
    const std::size_t source = corpus.source[row].size();
    const std::size_t target = corpus.target[row].size();
    std::vector<std::int32_t> source_of(target);
    std::vector<std::int32_t> target_of(source);
    hmm_viterbi(s.forward(source, target), {clip, model.source_jumps}, model.options.null_probability,
                source_of, s.sentence);
    hmm_viterbi(s.backward(source, target), {clip, model.target_jumps}, model.options.null_probability,
                target_of, s.sentence);
    std::vector<Link> forward;
    std::vector<Link> backward;
    for (std::size_t j = 0; j < target; ++j) {
      if (source_of[j] >= 0) forward.push_back({source_of[j], static_cast<std::int32_t>(j)});
    }
    for (std::size_t i = 0; i < source; ++i) {
      if (target_of[i] >= 0) backward.push_back({static_cast<std::int32_t>(i), target_of[i]});
    }
    for (const Link link : symmetrize(forward, backward, method)) {
      const auto i = static_cast<std::size_t>(link.source);
      const auto j = static_cast<std::size_t>(link.target);
      add_link(out, i, j, link_score(s, source, target, i, j));
    }
  });
}

}  // namespace xner
