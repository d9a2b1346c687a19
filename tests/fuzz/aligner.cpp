// Models as files may hold them, and small corpora: what check_aligner takes aligns, blocks make a model, and links lie within sentences.
#include "xner/aligner.hpp"

#include <cmath>
#include <optional>

#include "bytes.hpp"

using namespace xner;
using namespace xner::fuzz;

namespace {

struct SideOfCorpus {
  Ragged<std::int32_t> sentences;
  Ragged<std::uint32_t> text;
  std::vector<std::int32_t> types;
  std::vector<WordKind> kinds;
};

SideOfCorpus side(Bytes& bytes, std::size_t rows) {
  SideOfCorpus side;
  const std::size_t words = 1 + bytes.size(5);
  const std::size_t types = 1 + bytes.size(words - 1);
  for (std::size_t word = 0; word < words; ++word) {
    side.types.push_back(bytes.number<std::int32_t>(0, static_cast<std::int32_t>(types) - 1));
    side.kinds.push_back(bytes.one_of<WordKind>(4));
  }
  for (std::size_t type = 0; type < types; ++type) {
    for (std::size_t left = bytes.size(4); left > 0; --left) {
      side.text.values.push_back(bytes.number<std::uint32_t>('a', 'd'));
    }
    side.text.end_row();
  }
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t left = bytes.size(6); left > 0; --left) {
      side.sentences.values.push_back(bytes.number<std::int32_t>(0, static_cast<std::int32_t>(words) - 1));
    }
    side.sentences.end_row();
  }
  return side;
}

void check_links(const AlignerCorpus& corpus, const ScoredLinks& links) {
  require(links.offsets.size() == corpus.source.size() + 1);
  for (std::size_t row = 0; row + 1 < links.offsets.size(); ++row) {
    for (auto i = static_cast<std::size_t>(links.offsets[row]);
         i < static_cast<std::size_t>(links.offsets[row + 1]); ++i) {
      require(links.source[i] >= 0 && std::cmp_less(links.source[i], corpus.source[row].size()));
      require(links.target[i] >= 0 && std::cmp_less(links.target[i], corpus.target[row].size()));
      require(links.score[i] >= 0 && links.score[i] <= 1);
    }
  }
}

std::vector<float> counts(Bytes& bytes, std::size_t size) {
  std::vector<float> values(size);
  for (float& value : values) value = bytes.score();
  return values;
}

// A model of the corpus's types that nobody fitted.
AlignerModel made_up(Bytes& bytes, std::size_t source, std::size_t target) {
  AlignerModel model;
  model.options.jump_clip = 1;
  AlignerTable table;
  table.offsets.push_back(0);
  for (std::size_t type = 0; type < source; ++type) {
    for (std::size_t left = bytes.size(3); left > 0; --left) table.targets.push_back(bytes.index(4));
    table.offsets.push_back(static_cast<std::int64_t>(table.targets.size()));
  }
  if (bytes.number<int>(0, 15) == 0) table.offsets[bytes.size(source)] = bytes.index(6);
  table.counts = counts(bytes, table.targets.size());
  table.source_frequency = counts(bytes, source);
  table.target_frequency = counts(bytes, target);
  table.source_totals = counts(bytes, source);
  table.target_totals = counts(bytes, target);
  model.levels.push_back(std::move(table));
  model.source_null = counts(bytes, source);
  model.target_null = counts(bytes, target);
  model.source_jumps = counts(bytes, 3);
  model.target_jumps = counts(bytes, 3);
  return model;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes bytes(data, size);
  const std::size_t rows = bytes.size(4);
  const SideOfCorpus source = side(bytes, rows);
  const SideOfCorpus target = side(bytes, rows);
  Ragged<std::int32_t> lexicon;
  std::vector<float> weights;
  for (std::size_t type = bytes.size(4); type > 0; --type) {
    for (std::size_t left = bytes.size(2); left > 0; --left) {
      lexicon.values.push_back(bytes.number<std::int32_t>(-1, 5));
      weights.push_back(bytes.score());
    }
    lexicon.end_row();
  }
  AlignerCorpus corpus;
  corpus.source = source.sentences.view();
  corpus.target = target.sentences.view();
  corpus.source_kinds = source.kinds;
  corpus.target_kinds = target.kinds;
  corpus.levels.push_back(
      {source.types, target.types, source.text.view(), target.text.view(), lexicon.view(), weights});
  std::vector<std::int32_t> source_map;
  std::vector<std::int32_t> target_map;
  const auto source_types = static_cast<std::int32_t>(source.text.view().size());
  const auto target_types = static_cast<std::int32_t>(target.text.view().size());
  for (std::int32_t type = 0; type < source_types; ++type) source_map.push_back(bytes.yes() ? type : -1);
  for (std::int32_t type = 0; type < target_types; ++type) target_map.push_back(bytes.yes() ? type : -1);
  const AlignerTypeMap map{source_map, target_map};
  try {
    AlignerModel model;
    if (bytes.yes()) {
      AlignerOptions options;
      options.hmm_iterations = bytes.number<int>(0, 2);
      options.jump_clip = bytes.number<int>(1, 3);
      if (bytes.yes()) {
        model = fit_aligner(corpus, options, 1);
      } else {
        AlignerStatistics statistics;
        for (std::size_t block = 1 + bytes.size(2); block > 0; --block) {
          const AlignerStatistics taught = fit_aligner_block(corpus, options, statistics, 1);
          check_statistics(taught);
          AlignerNumbers numbers;
          if (bytes.yes()) numbers.levels.push_back(map);
          if (bytes.yes()) numbers.source_words = source_map;
          try {
            add_statistics(statistics, taught, numbers, bytes.size(20));
          } catch (const Error&) {
            continue;
          }
          check_statistics(statistics);
        }
        model = aligner_of(statistics, options, corpus.levels);
      }
    } else {
      model = made_up(bytes, source_map.size(), target_map.size());
    }
    AlignerModelView view(model);
    view.is_input = bytes.yes();
    check_aligner(view);
    check_links(corpus, align_discriminative(view, corpus, std::span(&map, 1), 0.1, 1));
    check_links(corpus, align_discriminative(view, corpus, std::span(&map, 1), std::nullopt, 1));
    check_links(corpus, align_posterior(view, corpus, std::span(&map, 1), 0.1, 0.0, 1));
    check_links(corpus, align_viterbi(view, corpus, std::span(&map, 1), bytes.one_of<Symmetrization>(5), 1));
  } catch (const Error&) {
    return 0;
  }
  return 0;
}
