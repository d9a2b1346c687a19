#include "aligner/index.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "aligner/check.hpp"
#include "xner/parallel.hpp"

namespace xner::aligner {

namespace {

constexpr std::size_t kRowsPerChunk = 64;

// Collects distinct small integers and numbers them in ascending order. Reusable without clearing its arrays.
class DistinctSet {
 public:
  explicit DistinctSet(std::size_t limit) : stamp_(limit, 0), slot_(limit) {}

  void start() {
    ++round_;
    members_.clear();
  }
  void add(std::int32_t value) {
    auto& stamp = stamp_[static_cast<std::size_t>(value)];
    if (stamp == round_) return;
    stamp = round_;
    members_.push_back(value);
  }
  void finish() {
    std::ranges::sort(members_);
    for (std::size_t k = 0; k < members_.size(); ++k) {
      slot_[static_cast<std::size_t>(members_[k])] = static_cast<std::uint32_t>(k);
    }
  }
  [[nodiscard]] const std::vector<std::int32_t>& members() const { return members_; }
  [[nodiscard]] std::uint32_t slot(std::int32_t value) const {
    return slot_[static_cast<std::size_t>(value)];
  }

 private:
  std::vector<std::uint64_t> stamp_;
  std::vector<std::uint32_t> slot_;
  std::vector<std::int32_t> members_;
  std::uint64_t round_ = 0;
};

// Joins rows that were found chunk by chunk.
Pairs concatenate(const std::vector<std::vector<std::int32_t>>& chunks, std::vector<std::int64_t> sizes) {
  Pairs pairs;
  std::size_t total = 0;
  for (const auto& chunk : chunks) total += chunk.size();
  pairs.targets.reserve(total);
  for (const auto& chunk : chunks) pairs.targets.insert(pairs.targets.end(), chunk.begin(), chunk.end());
  for (std::size_t row = 1; row < sizes.size(); ++row) sizes[row] += sizes[row - 1];
  pairs.offsets = std::move(sizes);
  return pairs;
}

// Turns counts by key, stored at key + 1, into offsets.
void accumulate(std::vector<std::int64_t>& counts) {
  for (std::size_t key = 1; key < counts.size(); ++key) counts[key] += counts[key - 1];
}

Occurrences find_occurrences(const AlignerCorpus& corpus, std::size_t source_words) {
  Occurrences result;
  result.offsets.assign(source_words + 1, 0);
  for (std::size_t row = 0; row < corpus.source.size(); ++row) {
    for (const std::int32_t word : corpus.source[row]) ++result.offsets[static_cast<std::size_t>(word) + 1];
  }
  accumulate(result.offsets);
  result.sentence.resize(static_cast<std::size_t>(result.offsets.back()));
  result.position.resize(result.sentence.size());
  std::vector<std::int64_t> next(result.offsets.begin(), result.offsets.end() - 1);
  for (std::size_t row = 0; row < corpus.source.size(); ++row) {
    const auto words = corpus.source[row];
    for (std::size_t i = 0; i < words.size(); ++i) {
      const auto at = static_cast<std::size_t>(next[static_cast<std::size_t>(words[i])]++);
      result.sentence[at] = static_cast<std::int32_t>(row);
      result.position[at] = static_cast<std::int32_t>(i);
    }
  }
  return result;
}

}  // namespace

Index build_index(const AlignerCorpus& corpus, std::size_t source_words, std::size_t target_words,
                  std::size_t threads) {
  Index index;
  const std::size_t rows = corpus.source.size();
  index.cell_offsets.assign(rows + 1, 0);
  index.source_offsets.assign(rows + 1, 0);
  index.target_offsets.assign(rows + 1, 0);
  for (std::size_t row = 0; row < rows; ++row) {
    const auto i = static_cast<std::int64_t>(corpus.source[row].size());
    const auto j = static_cast<std::int64_t>(corpus.target[row].size());
    index.cell_offsets[row + 1] = index.cell_offsets[row] + i * j;
    index.source_offsets[row + 1] = index.source_offsets[row] + i;
    index.target_offsets[row + 1] = index.target_offsets[row] + j;
  }
  index.occurrences = find_occurrences(corpus, source_words);
  index.local.resize(static_cast<std::size_t>(index.cell_offsets.back()));

  const Occurrences& tokens = index.occurrences;
  const std::size_t chunks = (source_words + kRowsPerChunk - 1) / kRowsPerChunk;
  std::vector<std::vector<std::int32_t>> found(chunks);
  std::vector<std::int64_t> sizes(source_words + 1, 0);
  PerWorker<DistinctSet> sets(count_workers(source_words, kRowsPerChunk, threads));
  parallel_for(
      source_words, kRowsPerChunk, threads, [&](std::size_t first, std::size_t last, std::size_t worker) {
        DistinctSet& set = sets.of(worker, [&] { return DistinctSet(target_words); });
        auto& out = found[first / kRowsPerChunk];
        for (std::size_t word = first; word < last; ++word) {
          const auto begin = static_cast<std::size_t>(tokens.offsets[word]);
          const auto end = static_cast<std::size_t>(tokens.offsets[word + 1]);
          set.start();
          for (std::size_t token = begin; token < end; ++token) {
            for (const std::int32_t target : corpus.target[static_cast<std::size_t>(tokens.sentence[token])])
              set.add(target);
          }
          set.finish();
          for (std::size_t token = begin; token < end; ++token) {
            const auto row = static_cast<std::size_t>(tokens.sentence[token]);
            const auto targets = corpus.target[row];
            std::uint32_t* cells = index.local.data() + index.cell_offsets[row] +
                                   tokens.position[token] * static_cast<std::int64_t>(targets.size());
            for (std::size_t j = 0; j < targets.size(); ++j) cells[j] = set.slot(targets[j]);
          }
          out.insert(out.end(), set.members().begin(), set.members().end());
          sizes[word + 1] = static_cast<std::int64_t>(set.members().size());
        }
      });
  index.words = concatenate(found, std::move(sizes));
  return index;
}

LevelPairs build_level(const AlignerLevel& level, const Pairs& words, std::size_t threads) {
  LevelPairs result;
  const std::size_t source_types = level.source_text.size();
  result.word_offsets.assign(source_types + 1, 0);
  for (const std::int32_t type : level.source_types)
    ++result.word_offsets[static_cast<std::size_t>(type) + 1];
  accumulate(result.word_offsets);
  result.words_of_type.resize(level.source_types.size());
  std::vector<std::int64_t> next(result.word_offsets.begin(), result.word_offsets.end() - 1);
  for (std::size_t word = 0; word < level.source_types.size(); ++word) {
    const auto at = next[static_cast<std::size_t>(level.source_types[word])]++;
    result.words_of_type[static_cast<std::size_t>(at)] = static_cast<std::int32_t>(word);
  }

  // First the entries relative to their row, because the rows' places are known only when all are counted.
  result.of_word_pair.resize(words.targets.size());
  const std::size_t chunks = (source_types + kRowsPerChunk - 1) / kRowsPerChunk;
  std::vector<std::vector<std::int32_t>> found(chunks);
  std::vector<std::int64_t> sizes(source_types + 1, 0);
  PerWorker<DistinctSet> sets(count_workers(source_types, kRowsPerChunk, threads));
  const auto each_pair = [&](std::size_t type, const auto& body) {
    for (auto at = result.word_offsets[type]; at < result.word_offsets[type + 1]; ++at) {
      const auto word = static_cast<std::size_t>(result.words_of_type[static_cast<std::size_t>(at)]);
      for (std::size_t pair = words.begin(word); pair < words.end(word); ++pair) {
        body(pair, level.target_types[static_cast<std::size_t>(words.targets[pair])]);
      }
    }
  };
  parallel_for(source_types, kRowsPerChunk, threads,
               [&](std::size_t first, std::size_t last, std::size_t worker) {
                 DistinctSet& set = sets.of(worker, [&] { return DistinctSet(level.target_text.size()); });
                 auto& out = found[first / kRowsPerChunk];
                 for (std::size_t type = first; type < last; ++type) {
                   set.start();
                   each_pair(type, [&](std::size_t, std::int32_t target) { set.add(target); });
                   set.finish();
                   each_pair(type, [&](std::size_t pair, std::int32_t target) {
                     result.of_word_pair[pair] = set.slot(target);
                   });
                   out.insert(out.end(), set.members().begin(), set.members().end());
                   sizes[type + 1] = static_cast<std::int64_t>(set.members().size());
                 }
               });
  result.types = concatenate(found, std::move(sizes));
  check(result.types.targets.size() <= std::numeric_limits<std::uint32_t>::max(),
        "the corpus has 2^32 or more pairs of words that meet; fit or align it in parts");
  parallel_for(source_types, kRowsPerChunk, threads, [&](std::size_t first, std::size_t last, std::size_t) {
    for (std::size_t type = first; type < last; ++type) {
      each_pair(type, [&](std::size_t pair, std::int32_t) {
        result.of_word_pair[pair] += static_cast<std::uint32_t>(result.types.offsets[type]);
      });
    }
  });
  return result;
}

}  // namespace xner::aligner
