#include "aligner/check.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <utility>

#include "xner/error.hpp"

namespace xner::aligner {

namespace {

void check_words(RaggedView<std::int32_t> sentences, std::size_t words, const char* side) {
  for (std::size_t row = 0; row < sentences.size(); ++row) {
    for (const std::int32_t word : sentences[row]) {
      if (word >= 0 && std::cmp_less(word, words)) continue;
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
    check(type >= 0 && std::cmp_less(type, count), std::string(side) + " type " + std::to_string(type) +
                                                       " is out of range, there are " +
                                                       std::to_string(count));
  }
}

void check_kinds(std::span<const WordKind> kinds, std::size_t words, const char* side) {
  check(kinds.size() == words, std::string("expected the kinds of all ") + std::to_string(words) + " " +
                                   side + " words, found " + std::to_string(kinds.size()));
  for (const WordKind kind : kinds) {
    check(kind <= WordKind::symbol,
          std::string(side) + " word kind " + std::to_string(static_cast<int>(kind)) + " is unknown");
  }
}

bool are_counts(std::span<const float> values) {
  unsigned wrong = 0;  // without a way out, so that several are compared at a time
  for (const float value : values) {
    wrong |= static_cast<unsigned>(!(value >= 0.0F && value <= std::numeric_limits<float>::max()));
  }
  return wrong == 0;
}

std::string table_name(std::size_t level) { return "table " + std::to_string(level) + " of the model"; }

// A model file is input like any other: what aligning trusts is looked at.
void check_table(const AlignerTableView& table, std::size_t level, bool rows) {
  const std::size_t source = table.source_totals.size();
  const std::size_t target = table.target_totals.size();
  const bool fits = table.offsets.size() == source + 1 && table.source_frequency.size() == source &&
                    table.target_frequency.size() == target && table.targets.size() == table.counts.size() &&
                    table.offsets.front() == 0 &&
                    std::cmp_equal(table.offsets.back(), table.targets.size()) &&
                    std::ranges::is_sorted(table.offsets);
  check(fits, table_name(level) + " contradicts itself");
  for (std::size_t type = 0; rows && type < source; ++type) check_row(table, type, level);
  for (const auto& values :
       {table.source_frequency, table.target_frequency, table.source_totals, table.target_totals}) {
    check_counts(values, level);
  }
}

}  // namespace

void check(bool condition, const std::string& message) {
  if (!condition) throw Error(message);
}

void check_row(const AlignerTableView& table, std::size_t type, std::size_t level) {
  const auto begin = static_cast<std::size_t>(table.offsets[type]);
  const std::size_t size = static_cast<std::size_t>(table.offsets[type + 1]) - begin;
  const auto row = table.targets.subspan(begin, size);
  const bool ascend = std::ranges::adjacent_find(row, std::greater_equal<>{}) == row.end();
  if (!ascend ||
      (!row.empty() && (row.front() < 0 || !std::cmp_less(row.back(), table.target_totals.size())))) {
    throw Error(table_name(level) + ": the targets of type " + std::to_string(type) +
                " do not ascend or are not there");
  }
  check_counts(table.counts.subspan(begin, size), level);
}

void check_counts(std::span<const float> counts, std::size_t level) {
  if (!are_counts(counts)) throw Error(table_name(level) + " has counts that are negative or not finite");
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
  at_least(o.letter_weight, 0, "letter_weight");
  at_least(o.kind_weight, 0, "kind_weight");
  at_least(o.length_weight, 0, "length_weight");
  at_least(o.cue_halving, 0, "cue_halving");
  at_least(o.jump_clip, 1, "jump_clip");
  at_least(o.jump_smoothing, 1e-6, "jump_smoothing");
  check(o.diagonal <= 40, "diagonal must be at most 40, not " + std::to_string(o.diagonal));
  check(o.kind_weight <= 10, "kind_weight must be at most 10, not " + std::to_string(o.kind_weight));
  check(o.length_weight <= 10, "length_weight must be at most 10, not " + std::to_string(o.length_weight));
  check(o.null_probability > 0 && o.null_probability < 1,
        "null_probability must lie between 0 and 1, not be " + std::to_string(o.null_probability));
  check(o.similarity_floor >= 0 && o.similarity_floor < 1,
        "similarity_floor must lie in [0, 1), not be " + std::to_string(o.similarity_floor));
}

namespace {

void check_lexicon(const AlignerLevel& level) {
  const std::size_t targets = level.target_text.size();
  check(level.lexicon.size() <= level.source_text.size(), "a lexicon has more source types than there are");
  std::size_t entries = 0;
  bool sound = true;
  for (std::size_t type = 0; type < level.lexicon.size(); ++type) {
    const auto row = level.lexicon[type];
    for (std::size_t at = 0; at < row.size(); ++at) {
      sound = sound && row[at] >= 0 && std::cmp_less(row[at], targets) && (at == 0 || row[at - 1] < row[at]);
    }
    entries += row.size();
  }
  check(sound, "the target types of a lexicon must ascend, and be types of the corpus");
  check(entries == level.lexicon_weights.size(), "a lexicon has not as many weights as pairs");
  for (const float weight : level.lexicon_weights) {
    check(std::isfinite(weight) && weight >= 0, "the weights of a lexicon must be numbers from 0 on");
  }
}

}  // namespace

void check_past(const AlignerStatistics& past, const AlignerCorpus& block, const AlignerOptions& options) {
  if (past.levels.empty()) return;
  check(past.levels.size() == block.levels.size(), "the block has other levels than those before it");
  check(past.source_jumps.empty() ||
            past.source_jumps.size() == 2 * static_cast<std::size_t>(options.jump_clip) + 1,
        "jump_clip differs from that of the blocks before");
  const AlignerLevel& coarsest = block.levels.front();
  bool grows = past.source_words.size() <= coarsest.source_types.size() &&
               past.target_words.size() <= coarsest.target_types.size();
  for (std::size_t l = 0; grows && l < block.levels.size(); ++l) {
    grows = past.levels[l].source_links.size() <= block.levels[l].source_text.size() &&
            past.levels[l].target_links.size() <= block.levels[l].target_text.size();
  }
  check(grows, "the block lacks words or types of those before it");
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
    check_lexicon(level);
  }
  check_kinds(corpus.source_kinds, source_words, "source");
  check_kinds(corpus.target_kinds, target_words, "target");
  check_words(corpus.source, source_words, "source");
  check_words(corpus.target, target_words, "target");
}

void check_maps(const AlignerModelView& model, const AlignerCorpus& corpus,
                std::span<const AlignerTypeMap> maps) {
  check(model.levels.size() == corpus.levels.size() && maps.size() == corpus.levels.size(),
        "the model has " + std::to_string(model.levels.size()) + " levels of folding, the corpus " +
            std::to_string(corpus.levels.size()) + " and the type maps " + std::to_string(maps.size()));
  const auto within = [](std::span<const std::int32_t> map, std::size_t corpus_types,
                         std::size_t model_types) {
    return map.size() == corpus_types && std::ranges::all_of(map, [&](std::int32_t type) {
             return type < 0 || std::cmp_less(type, model_types);
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

}  // namespace xner::aligner

namespace xner {

AlignerModelView::AlignerModelView(const AlignerModel& model)
    : options(model.options),
      sentence_pairs(model.sentence_pairs),
      source_null(model.source_null),
      target_null(model.target_null),
      source_jumps(model.source_jumps),
      target_jumps(model.target_jumps) {
  levels.reserve(model.levels.size());
  for (const AlignerTable& table : model.levels) {
    levels.push_back({table.offsets, table.targets, table.counts, table.source_frequency,
                      table.target_frequency, table.source_totals, table.target_totals});
  }
}

void check_aligner(const AlignerModelView& model) {
  using aligner::check;
  aligner::check_options(model.options);
  check(!model.levels.empty(), "expected at least one level of folding");
  const std::size_t jumps = 2 * static_cast<std::size_t>(model.options.jump_clip) + 1;
  check(model.source_jumps.size() == jumps && model.target_jumps.size() == jumps,
        "expected " + std::to_string(jumps) + " jump weights a side, found " +
            std::to_string(model.source_jumps.size()) + " and " + std::to_string(model.target_jumps.size()));
  for (const auto& weights : {model.source_jumps, model.target_jumps}) {
    for (const float weight : weights)
      check(std::isfinite(weight) && weight > 0, "jump weights must be positive");
  }
  for (std::size_t l = 0; l < model.levels.size(); ++l) {
    aligner::check_table(model.levels[l], l, !model.is_input);
  }
  check(model.source_null.size() == model.levels.back().source_totals.size() &&
            model.target_null.size() == model.levels.back().target_totals.size(),
        "the model's null words contradict its last table");
  check(aligner::are_counts(model.source_null) && aligner::are_counts(model.target_null),
        "the model's null words have counts that are negative or not finite");
  check(model.sentence_pairs >= 0, "the model has fewer than 0 sentence pairs");
}

}  // namespace xner
