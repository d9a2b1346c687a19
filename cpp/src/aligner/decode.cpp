// Decoding: a fitted model's emissions for a corpus, both directions' posteriors, and the links they give.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "aligner/check.hpp"
#include "aligner/cues.hpp"
#include "aligner/elementary.hpp"
#include "aligner/emission.hpp"
#include "aligner/evidence.hpp"
#include "aligner/index.hpp"
#include "aligner/link_classifier.hpp"
#include "aligner/prior.hpp"
#include "aligner/sentence.hpp"
#include "xner/aligner.hpp"
#include "xner/links.hpp"
#include "xner/parallel.hpp"

namespace xner::aligner {

namespace {

// Entries of a row that are read in the time that one takes to be searched for.
constexpr std::size_t kCostOfSearch = 64;

// The model's emissions for the words of a corpus that is to be aligned.
class Decoder {
 public:
  Decoder(const AlignerModelView& model, const AlignerCorpus& corpus, std::span<const AlignerTypeMap> maps,
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
                                      model.levels.back().target_frequency)),
        source_tokens_(sum_of(model.levels.back().source_frequency)),
        target_tokens_(sum_of(model.levels.back().target_frequency)) {
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
        s.forward_emission[j * source.size() + i] = emission[2 * std::size_t{local[j]}];
        s.backward_emission[i * target.size() + j] = emission[2 * std::size_t{local[j]} + 1];
      }
      s.backward_null[i] = source_null_[word];
    }
    for (std::size_t j = 0; j < target.size(); ++j)
      s.forward_null[j] = target_null_[static_cast<std::size_t>(target[j])];
    apply_cues(corpus_, index_, cues_, row, s);
  }

  // What the classifier knows of the words of one sentence pair.
  void describe(std::size_t row, WordEvidence& source, WordEvidence& target) const {
    const AlignerLevel& finest = corpus_.levels.back();
    describe_side(corpus_.source[row], source_frequency_, source_tokens_, corpus_.source_kinds,
                  finest.source_types, finest.source_text, source);
    describe_side(corpus_.target[row], target_frequency_, target_tokens_, corpus_.target_kinds,
                  finest.target_types, finest.target_text, target);
  }

 private:
  static void describe_side(std::span<const std::int32_t> words, const std::vector<float>& frequency,
                            double tokens, std::span<const WordKind> kinds,
                            std::span<const std::int32_t> types, RaggedView<std::uint32_t> text,
                            WordEvidence& out) {
    constexpr float kManyOccurrences = 20.0F;
    out.resize(words.size());
    for (std::size_t k = 0; k < words.size(); ++k) {
      const auto word = static_cast<std::size_t>(words[k]);
      const float seen = frequency[word];
      const std::size_t letters = text[static_cast<std::size_t>(types[word])].size();
      out.share[k] = logarithm((seen + 0.5F) / (static_cast<float>(tokens) + 50.0F));
      out.count[k] = logarithm(1.0F + std::min(seen, kManyOccurrences));
      out.length[k] = logarithm(1.0F + static_cast<float>(letters));
      out.kind[k] = kinds[word];
    }
  }

  void add_level(std::size_t l, const AlignerTypeMap& map) {
    const AlignerLevel& level = corpus_.levels[l];
    const AlignerTableView& table = model_.levels[l];
    const AlignerOptions& options = model_.options;
    const LevelPairs pairs = build_level(level, index_.words, threads_);
    std::vector<float> similar = similarities(level, pairs.types, options, threads_);
    std::vector<float> masses = string_prior(similar, options);
    for (float& mass : masses) mass += static_cast<float>(options.alpha);

    add_counts(masses, pairs.types, l, map);

    const std::vector<std::int32_t> source_types = known_types(level.source_types, map.source);
    const std::vector<std::int32_t> target_types = known_types(level.target_types, map.target);
    const double source_tokens = sum_of(table.source_frequency);
    const double target_tokens = sum_of(table.target_frequency);
    const Side source = make_side(source_types, table.source_frequency, source_frequency_, source_tokens,
                                  corpus_.levels.size(), options.base_weight);
    const Side target = make_side(target_types, table.target_frequency, target_frequency_, target_tokens,
                                  corpus_.levels.size(), options.base_weight);
    add_emissions(level, pairs, masses, source, target, inverse_totals(map.source, table.source_totals),
                  inverse_totals(map.target, table.target_totals));

    if (l + 1 == corpus_.levels.size()) {
      cues_ = find_cues(corpus_, index_.words, pairs, std::move(similar), options, source_frequency_,
                        target_frequency_, model_.sentence_pairs, threads_);
      source_null_ = null_emissions(model_.source_null, source_types, source, table.source_frequency,
                                    source_tokens, options, corpus_.levels.size(), least_);
      target_null_ = null_emissions(model_.target_null, target_types, target, table.target_frequency,
                                    target_tokens, options, corpus_.levels.size(), least_);
    }
  }

  // By word: the model's type.
  static std::vector<std::int32_t> known_types(std::span<const std::int32_t> types,
                                               std::span<const std::int32_t> known) {
    std::vector<std::int32_t> result(types.size());
    for (std::size_t word = 0; word < types.size(); ++word)
      result[word] = known[static_cast<std::size_t>(types[word])];
    return result;
  }

  // By the corpus's types: 1 / all that the model has learned about the type, 0 for types new to it.
  [[nodiscard]] std::vector<double> inverse_totals(std::span<const std::int32_t> known,
                                                   std::span<const float> learned) const {
    std::vector<double> result(known.size(), 0.0);
    for (std::size_t type = 0; type < known.size(); ++type) {
      if (known[type] < 0) continue;
      const float total = learned[static_cast<std::size_t>(known[type])];
      result[type] = 1.0 / sharpened(static_cast<double>(total), least_);
    }
    return result;
  }

  // Adds the model's expected links to the pairs of types that it has seen together. A row of the model is read as a
  // whole where much of it is needed, and searched where little is: so a few sentences leave most of a model that is
  // mapped into memory where it is.
  void add_counts(std::vector<float>& masses, const Pairs& types, std::size_t level,
                  const AlignerTypeMap& map) const {
    const AlignerTableView& table = model_.levels[level];
    PerWorker<std::vector<float>> learned(count_workers(types.rows(), kTypesPerChunk, threads_));
    parallel_for(
        types.rows(), kTypesPerChunk, threads_, [&](std::size_t first, std::size_t last, std::size_t worker) {
          for (std::size_t type = first; type < last; ++type) {
            if (map.source[type] < 0) continue;
            const auto known = static_cast<std::size_t>(map.source[type]);
            const auto begin = static_cast<std::size_t>(table.offsets[known]);
            const std::size_t size = static_cast<std::size_t>(table.offsets[known + 1]) - begin;
            const auto targets = table.targets.subspan(begin, size);
            const auto counts = table.counts.subspan(begin, size);
            const auto each_known = [&](const auto& body) {
              for (std::size_t pair = types.begin(type); pair < types.end(type); ++pair) {
                const std::int32_t target = map.target[static_cast<std::size_t>(types.targets[pair])];
                if (target >= 0) body(pair, target);
              }
            };
            if ((types.end(type) - types.begin(type)) * kCostOfSearch < size) {
              each_known([&](std::size_t pair, std::int32_t target) {
                const auto found = std::ranges::lower_bound(targets, target);
                if (found == targets.end() || *found != target) return;
                const auto count = counts.subspan(static_cast<std::size_t>(found - targets.begin()), 1);
                if (model_.is_input) check_counts(count, level);
                masses[pair] += count.front();
              });
              continue;
            }
            if (model_.is_input) check_row(table, known, level);
            std::vector<float>& row =
                learned.of(worker, [&] { return std::vector<float>(table.target_totals.size(), 0.0F); });
            for (std::size_t at = 0; at < size; ++at) row[static_cast<std::size_t>(targets[at])] = counts[at];
            each_known([&](std::size_t pair, std::int32_t target) {
              masses[pair] += row[static_cast<std::size_t>(target)];
            });
            for (const std::int32_t target : targets) row[static_cast<std::size_t>(target)] = 0.0F;
          }
        });
  }

  // How often the model has seen each word: as often as its type of the last level.
  static std::vector<float> frequencies(std::span<const std::int32_t> types,
                                        std::span<const std::int32_t> known,
                                        std::span<const float> type_frequency) {
    std::vector<float> result(types.size(), 0.0F);
    for (std::size_t word = 0; word < types.size(); ++word) {
      const std::int32_t type = known[static_cast<std::size_t>(types[word])];
      if (type >= 0) result[word] = type_frequency[static_cast<std::size_t>(type)];
    }
    return result;
  }

  // What a type new to the model emits depends on the other word's frequency alone: cues tell more.
  void add_emissions(const AlignerLevel& level, const LevelPairs& pairs, const std::vector<float>& masses,
                     const Side& source, const Side& target, const std::vector<double>& source_inverse,
                     const std::vector<double>& target_inverse) {
    const auto emission = [&](double mass, float base, double inverse) {
      if (inverse <= 0.0) return static_cast<double>(base) / model_.options.base_weight;
      return sharpened(mass + static_cast<double>(base), least_) * inverse;
    };
    parallel_for(
        index_.words.rows(), kTypesPerChunk, threads_, [&](std::size_t first, std::size_t last, std::size_t) {
          for (std::size_t word = first; word < last; ++word) {
            const auto type = static_cast<std::size_t>(level.source_types[word]);
            for (std::size_t pair = index_.words.begin(word); pair < index_.words.end(word); ++pair) {
              const auto other = static_cast<std::size_t>(index_.words.targets[pair]);
              const auto other_type = static_cast<std::size_t>(level.target_types[other]);
              const auto mass =
                  static_cast<double>(masses[static_cast<std::size_t>(pairs.of_word_pair[pair])]);
              const double forward = emission(mass, target.base[other], source_inverse[type]);
              const double backward = emission(mass, source.base[word], target_inverse[other_type]);
              emissions_[2 * pair] += static_cast<float>(forward) * target.factor[other];
              emissions_[2 * pair + 1] += static_cast<float>(backward) * source.factor[word];
            }
          }
        });
  }

  const AlignerModelView& model_;
  const AlignerCorpus& corpus_;
  std::size_t threads_;
  double least_;  // see least_share
  Index index_;
  std::vector<float> emissions_;                            // by pair of words: forward, backward
  std::vector<float> source_frequency_, target_frequency_;  // by word
  double source_tokens_, target_tokens_;                    // of the fitted corpus
  std::vector<float> source_null_, target_null_;            // by word
  Cues cues_;
};

// The rows of all chunks, one after the other.
ScoredLinks join(const std::vector<ScoredLinks>& chunks, std::size_t rows) {
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

// A sentence pair with words on both sides, whose posteriors have been computed, and where its links go.
struct DecodedRow {
  const Decoder& decoder;
  std::size_t row;
  std::size_t worker;
  PairScratch& scratch;
  ScoredLinks& links;
};

// Runs extract(decoded row) on every sentence pair with words on both sides, after both
// directions' posteriors have been computed, and joins the rows.
template <class Extract>
ScoredLinks align_rows(const AlignerModelView& model, const AlignerCorpus& corpus,
                       std::span<const AlignerTypeMap> maps, std::size_t threads, const Extract& extract) {
  const Decoder decoder(model, corpus, maps, threads);
  const std::size_t rows = corpus.source.size();
  const auto clip = static_cast<std::size_t>(model.options.jump_clip);
  struct Scratch {
    PairScratch pair;
    std::vector<float> forward_null, backward_null;
  };
  PerWorker<Scratch> scratch(count_workers(rows, kSentencesPerChunk, threads));
  std::vector<ScoredLinks> chunks((rows + kSentencesPerChunk - 1) / kSentencesPerChunk);
  parallel_for(
      rows, kSentencesPerChunk, threads, [&](std::size_t first, std::size_t last, std::size_t worker) {
        Scratch& own = scratch.of(worker, [] { return Scratch{}; });
        PairScratch& s = own.pair;
        ScoredLinks& out = chunks[first / kSentencesPerChunk];
        for (std::size_t row = first; row < last; ++row) {
          const std::size_t source = corpus.source[row].size();
          const std::size_t target = corpus.target[row].size();
          if (source != 0 && target != 0) {
            decoder.emit(row, s);
            favour_diagonal(position_decay(model.options.diagonal, model.sentence_pairs), source, target, s);
            own.forward_null.resize(target);
            own.backward_null.resize(source);
            hmm_posteriors(s.forward(source, target), {clip, model.source_jumps},
                           model.options.null_probability,
                           {s.forward_posterior.data(), own.forward_null.data()}, {}, s.sentence);
            hmm_posteriors(s.backward(source, target), {clip, model.target_jumps},
                           model.options.null_probability,
                           {s.backward_posterior.data(), own.backward_null.data()}, {}, s.sentence);
            extract(DecodedRow{decoder, row, worker, s, out});
          }
          out.offsets.push_back(static_cast<std::int64_t>(out.source.size()));
        }
      });
  return join(chunks, rows);
}

float link_score(const PairScratch& s, std::size_t source, std::size_t target, std::size_t i, std::size_t j) {
  return std::min(1.0F, 0.5F * (s.forward_posterior[j * source + i] + s.backward_posterior[i * target + j]));
}

void add_link(ScoredLinks& links, std::size_t i, std::size_t j, float score) {
  links.source.push_back(static_cast<std::int32_t>(i));
  links.target.push_back(static_cast<std::int32_t>(j));
  links.score.push_back(score);
}

// Links the words of one row by the scores of its cells. See align_posterior.
void link_by_score(std::size_t source, std::size_t target, float any, float best, PairScratch& s,
                   ScoredLinks& out) {
  // From here on, one of the emission matrices holds the scores.
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
}

// How strongly the fitted corpus ties the words of links to each other.
class Association {
 public:
  Association(const AlignerModelView& model, const AlignerCorpus& corpus,
              std::span<const AlignerTypeMap> maps)
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
  Association(const std::vector<AlignerTableView>& tables, const std::vector<AlignerLevel>& levels,
              std::span<const AlignerTypeMap> maps, std::size_t level)
      : table_(tables[level]), level_(levels[level]), map_(maps[level]) {}

  // The finest but one, where there are several: inflected forms of a word count together there.
  static std::size_t level_of(const AlignerModelView& model) {
    return model.levels.size() - std::min<std::size_t>(2, model.levels.size());
  }
  static std::int32_t known(std::span<const std::int32_t> map, std::span<const std::int32_t> types,
                            std::int32_t word) {
    return map[static_cast<std::size_t>(types[static_cast<std::size_t>(word)])];
  }

  AlignerTableView table_;
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

void check_threshold(double threshold) {
  check(threshold >= 0 && threshold < 1, "threshold must lie in [0, 1), not be " + std::to_string(threshold));
}

// The threshold above which links have the highest expected F1, where each is right with its probability. In falling order
// another link raises it while its probability is above half of it. Certain links beyond those of the row keep rows in
// which nothing is likely from being linked by what is least unlikely.
float expected_best_threshold(std::span<const float> probabilities) {
  constexpr double kCertain = 3;
  std::vector<float> falling(probabilities.begin(), probabilities.end());
  std::ranges::sort(falling, std::ranges::greater{});
  double right = kCertain;  // expected, of those taken
  double both =
      2 * kCertain + std::accumulate(falling.begin(), falling.end(), 0.0);  // taken, and expected in truth
  for (const float probability : falling) {
    if (probability * both <= right) return probability;
    right += probability;
    both += 1;
  }
  return 0;
}

// Runs take(classifier that has looked at the row, links of the row) on every sentence pair with words on both sides, and
// joins the rows.
template <class Take>
ScoredLinks classify_rows(const AlignerModelView& model, const AlignerCorpus& corpus,
                          std::span<const AlignerTypeMap> maps, std::size_t threads, const Take& take) {
  check_corpus(corpus);
  check_maps(model, corpus, maps);
  const Association association(model, corpus, maps);
  const float learned = experience(model.sentence_pairs);
  struct Scratch {
    WordEvidence source, target;
    LinkClassifier classifier;
  };
  PerWorker<Scratch> scratch(count_workers(corpus.source.size(), kSentencesPerChunk, threads));
  return align_rows(model, corpus, maps, threads, [&](const DecodedRow& one) {
    const auto source = corpus.source[one.row];
    const auto target = corpus.target[one.row];
    const PairScratch& s = one.scratch;
    Scratch& own = scratch.of(one.worker, [] { return Scratch{}; });
    one.decoder.describe(one.row, own.source, own.target);
    own.classifier.look_at({s.forward(source.size(), target.size()), s.backward(source.size(), target.size()),
                            s.forward_posterior.data(), s.backward_posterior.data(), &own.source, &own.target,
                            learned});
    for (LinkClassifier::Cell& cell : own.classifier.cells())
      cell.association = association(source[cell.source], target[cell.target]);
    take(own.classifier, one.links);
  });
}

// Links the words of one row by both directions' most probable alignments. See align_viterbi.
void link_by_path(const AlignerModelView& model, Symmetrization method, std::size_t source,
                  std::size_t target, PairScratch& s, ScoredLinks& out) {
  const auto clip = static_cast<std::size_t>(model.options.jump_clip);
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
}

}  // namespace

}  // namespace xner::aligner

namespace xner {

ScoredLinks align_posterior(const AlignerModelView& model, const AlignerCorpus& corpus,
                            std::span<const AlignerTypeMap> maps, double threshold, double least_association,
                            std::size_t threads) {
  using namespace aligner;
  check_threshold(threshold);
  check(least_association >= 0 && least_association <= 1,
        "least_association must lie in [0, 1], not be " + std::to_string(least_association));
  const auto least = static_cast<float>(least_association);
  const auto any = static_cast<float>(threshold);
  const auto best = static_cast<float>(best_pair_threshold(threshold, model.sentence_pairs));
  check_corpus(corpus);
  check_maps(model, corpus, maps);
  const Association association(model, corpus, maps);
  return align_rows(model, corpus, maps, threads, [&](const DecodedRow& one) {
    const auto source = corpus.source[one.row];
    const auto target = corpus.target[one.row];
    const std::size_t first = one.links.source.size();
    link_by_score(source.size(), target.size(), any, best, one.scratch, one.links);
    if (least > 0) drop_accidents(source, target, association, least, first, one.links);
  });
}

ScoredLinks align_discriminative(const AlignerModelView& model, const AlignerCorpus& corpus,
                                 std::span<const AlignerTypeMap> maps, std::optional<double> threshold,
                                 std::size_t threads) {
  using namespace aligner;
  if (threshold) check_threshold(*threshold);
  return classify_rows(model, corpus, maps, threads, [&](LinkClassifier& classifier, ScoredLinks& out) {
    const std::span<const float> probabilities = classifier.probabilities();
    const float least = threshold ? static_cast<float>(*threshold) : expected_best_threshold(probabilities);
    const std::span<const LinkClassifier::Cell> cells = classifier.cells();
    for (std::size_t k = 0; k < cells.size(); ++k) {
      if (probabilities[k] > least) add_link(out, cells[k].source, cells[k].target, probabilities[k]);
    }
  });
}

LinkFeatures link_features(const AlignerModelView& model, const AlignerCorpus& corpus,
                           std::span<const AlignerTypeMap> maps, std::span<const float> first) {
  using namespace aligner;
  LinkFeatures result;
  std::vector<float> row;
  std::size_t done = 0;
  result.cells = classify_rows(model, corpus, maps, 1, [&](LinkClassifier& classifier, ScoredLinks& out) {
    const std::span<const LinkClassifier::Cell> cells = classifier.cells();
    for (const LinkClassifier::Cell& cell : cells) add_link(out, cell.source, cell.target, 0.0F);
    if (!first.empty())
      check(done + cells.size() <= first.size(), "there are too few probabilities of the first network");
    classifier.features(first.empty() ? first : first.subspan(done, cells.size()), row);
    done += cells.size();
    result.values.insert(result.values.end(), row.begin(), row.end());
  });
  result.each = first.empty() ? kFeatures : kFeatures + kSecondFeatures;
  return result;
}

ScoredLinks align_viterbi(const AlignerModelView& model, const AlignerCorpus& corpus,
                          std::span<const AlignerTypeMap> maps, Symmetrization method, std::size_t threads) {
  using namespace aligner;
  check_corpus(corpus);
  check_maps(model, corpus, maps);
  return align_rows(model, corpus, maps, threads, [&](const DecodedRow& one) {
    link_by_path(model, method, corpus.source[one.row].size(), corpus.target[one.row].size(), one.scratch,
                 one.links);
  });
}

}  // namespace xner
