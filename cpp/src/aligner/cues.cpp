#include "aligner/cues.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "aligner/elementary.hpp"
#include "aligner/evidence.hpp"
#include "aligner/prior.hpp"
#include "xner/parallel.hpp"

namespace xner::aligner {

namespace {

constexpr double kMostFromLetters = 10.0;  // long equal words are certain enough, and odds must stay finite

bool has_letters(WordKind kind) { return kind == WordKind::plain || kind == WordKind::capitalised; }

double kind_cue(WordKind source, WordKind target, double weight) {
  if (source == target) return source == WordKind::plain ? 0.0 : weight;
  return has_letters(source) && has_letters(target) ? 0.0 : -weight;
}

// By pair of the finest types: what the letters say that are shared beyond chance. `result` begins as similarities.
std::vector<float> letter_cues(const AlignerLevel& level, const Pairs& types, std::vector<float> result,
                               const AlignerOptions& options) {
  const double floor = options.similarity_floor;
  for (std::size_t type = 0; type < types.rows(); ++type) {
    const std::size_t letters = level.source_text[type].size();
    for (std::size_t pair = types.begin(type); pair < types.end(type); ++pair) {
      if (result[pair] <= 0.0F) continue;
      const std::size_t other = level.target_text[static_cast<std::size_t>(types.targets[pair])].size();
      const double shared =
          (static_cast<double>(result[pair]) - floor) * static_cast<double>(std::max(letters, other));
      result[pair] = static_cast<float>(std::clamp(options.letter_weight * shared, 0.0, kMostFromLetters));
    }
  }
  return result;
}

std::vector<float> letter_counts(std::span<const WordKind> kinds, std::span<const std::int32_t> types,
                                 RaggedView<std::uint32_t> text) {
  std::vector<float> result(kinds.size(), 0.0F);
  for (std::size_t word = 0; word < kinds.size(); ++word) {
    if (has_letters(kinds[word]))
      result[word] = static_cast<float>(text[static_cast<std::size_t>(types[word])].size());
  }
  return result;
}

}  // namespace

Cues find_cues(const AlignerCorpus& corpus, const Pairs& words, const LevelPairs& finest,
               std::vector<float> finest_similarities, const AlignerOptions& options,
               std::vector<float> source_seen, std::vector<float> target_seen, std::int64_t sentence_pairs,
               std::size_t threads) {
  const AlignerLevel& level = corpus.levels.back();
  const std::vector<float> letters =
      letter_cues(level, finest.types, std::move(finest_similarities), options);
  Cues cues;
  cues.odds.resize(words.targets.size());
  parallel_for(words.rows(), kTypesPerChunk, threads, [&](std::size_t first, std::size_t last, std::size_t) {
    for (std::size_t word = first; word < last; ++word) {
      for (std::size_t pair = words.begin(word); pair < words.end(word); ++pair) {
        const auto other = static_cast<std::size_t>(words.targets[pair]);
        cues.odds[pair] = static_cast<float>(
            static_cast<double>(letters[static_cast<std::size_t>(finest.of_word_pair[pair])]) +
            kind_cue(corpus.source_kinds[word], corpus.target_kinds[other], options.kind_weight));
      }
    }
  });
  cues.source_seen = std::move(source_seen);
  cues.target_seen = std::move(target_seen);
  cues.halving = static_cast<float>(cue_occurrences(options.cue_halving, sentence_pairs));
  cues.source_length = letter_counts(corpus.source_kinds, level.source_types, level.source_text);
  cues.target_length = letter_counts(corpus.target_kinds, level.target_types, level.target_text);
  cues.length_weight = static_cast<float>(options.length_weight);
  return cues;
}

void RelativeLengths::set(std::span<const std::int32_t> words, const std::vector<float>& length) {
  float sum = 0.0F;
  float count = 0.0F;
  for (const std::int32_t word : words) {
    sum += length[static_cast<std::size_t>(word)];
    count += length[static_cast<std::size_t>(word)] > 0.0F ? 1.0F : 0.0F;
  }
  logarithm.resize(words.size());
  is_measured.resize(words.size());
  for (std::size_t i = 0; i < words.size(); ++i) {
    const float letters = length[static_cast<std::size_t>(words[i])];
    is_measured[i] = letters > 0.0F ? 1.0F : 0.0F;
    logarithm[i] = letters > 0.0F ? aligner::logarithm(letters * count / sum) : 0.0F;
  }
}

void apply_cues(const AlignerCorpus& corpus, const Index& index, const Cues& cues, std::size_t row,
                PairScratch& s) {
  const auto source = corpus.source[row];
  const auto target = corpus.target[row];
  s.source_lengths.set(source, cues.source_length);
  s.target_lengths.set(target, cues.target_length);
  for (std::size_t i = 0; i < source.size(); ++i) {
    const auto word = static_cast<std::size_t>(source[i]);
    const std::size_t begin = index.words.begin(word);
    const std::uint32_t* local =
        index.local.data() + static_cast<std::size_t>(index.cell_offsets[row]) + i * target.size();
    for (std::size_t j = 0; j < target.size(); ++j) {
      const float seen =
          std::min(cues.source_seen[word], cues.target_seen[static_cast<std::size_t>(target[j])]);
      const float apart = s.source_lengths.is_measured[i] * s.target_lengths.is_measured[j] *
                          std::abs(s.source_lengths.logarithm[i] - s.target_lengths.logarithm[j]);
      const float cue = exponential(cues.halving / (cues.halving + seen) *
                                    (cues.odds[begin + local[j]] - cues.length_weight * apart));
      s.forward_emission[j * source.size() + i] *= cue;
      s.backward_emission[i * target.size() + j] *= cue;
    }
  }
}

}  // namespace xner::aligner
