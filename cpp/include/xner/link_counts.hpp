// What word links say of an entity and a target span.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "xner/candidates.hpp"
#include "xner/links.hpp"
#include "xner/span.hpp"

namespace xner {

struct LinkCounts {
  std::int32_t links = 0;
  double weight = 0;              // sum of the links' scores; 1 a link that has none
  std::int32_t source_words = 0;  // of the entity that are linked to the span
  std::int32_t target_words = 0;  // of the span that are linked to the entity
};

// Counts links between one entity at a time and target spans; keep one a thread, it owns the scratch memory.
// Precondition of all calls: links and spans lie within the sentence.
class LinkCounter {
 public:
  // Sorts the links to the entities they belong to: O(links * entities).
  void set_sentence(std::span<const Span> entities, LinksView links, std::int32_t target_words);

  // The entity that the calls below are about. With `links_are_a_set`, links given twice count once, with
  // their best score. O(k log k) for an entity with k links.
  void set_entity(std::size_t entity, bool links_are_a_set);

  // Whether the entity has no links.
  [[nodiscard]] bool empty() const noexcept { return columns_.empty(); }
  // From the entity's leftmost to its rightmost linked word; empty if there is none.
  [[nodiscard]] Span hull() const noexcept {
    return empty() ? Span{} : Span{columns_.front().target, columns_.back().target + 1};
  }

  // O(1) after the first call for an entity, which takes O(target words + k log k). For an entity of which
  // more than 64 words are linked, counting its words takes O(k * words / 64) instead.
  [[nodiscard]] LinkCounts between(Span span);

  // Calls visit(span, counts) for every span of limits.min_words .. limits.max_words words whose first and
  // last word are linked to the entity and that holds none of the positions in `stops` (sorted), ordered by
  // start, then end. O(1) a span, but for entities of which more than 64 words are linked.
  template <class Visit>
  void for_each_linked_ends(const CandidateLimits& limits, std::span<const std::int32_t> stops,
                            Visit&& visit);

 private:
  struct Hit {  // one link of an entity
    std::int32_t target;
    std::int32_t source;
    float score;
  };
  struct Column {  // the entity's links to one target word
    std::int32_t target;
    std::int32_t links;
    double weight;
  };

  void index();
  // Words of the entity linked to columns first .. last - 1.
  [[nodiscard]] std::int32_t covered_words(std::size_t first, std::size_t last);

  std::span<const Span> entities_;
  std::int32_t target_words_ = 0;
  std::vector<std::vector<Hit>> hits_;  // by entity
  std::vector<Column> columns_;         // of the entity at hand, by target
  // The entity's words that each column is linked to, as bits, `blocks_` words of 64 a column.
  std::vector<std::uint64_t> masks_;
  std::size_t blocks_ = 1;
  std::vector<std::int32_t> linked_words_;
  std::vector<std::uint64_t> union_;

  bool indexed_ = false;
  std::vector<std::uint32_t> columns_before_;  // by target word, one more at the end
  std::vector<std::int32_t> links_before_;     // by column, one more at the end
  std::vector<double> weight_before_;          // likewise
  // Level l has, for every column, the union of its mask and those of the 2^l - 1 columns behind it (Bender,
  // Farach-Colton 2000): two of them cover any range.
  std::vector<std::vector<std::uint64_t>> unions_;
};

template <class Visit>
void LinkCounter::for_each_linked_ends(const CandidateLimits& limits, std::span<const std::int32_t> stops,
                                       Visit&& visit) {
  for (std::size_t first = 0; first < columns_.size(); ++first) {
    const std::int32_t start = columns_[first].target;
    const auto stop = std::ranges::lower_bound(stops, start);
    const std::int32_t wall = stop == stops.end() ? target_words_ : *stop;
    LinkCounts counts;
    std::uint64_t covered = 0;
    for (std::size_t last = first; last < columns_.size() && columns_[last].target < wall; ++last) {
      counts.links += columns_[last].links;
      counts.weight += columns_[last].weight;
      ++counts.target_words;
      const Span span{start, columns_[last].target + 1};
      if (span.length() > limits.max_words) break;
      if (blocks_ == 1) {
        covered |= masks_[last];
        counts.source_words = std::popcount(covered);
      } else {
        counts.source_words = covered_words(first, last + 1);
      }
      if (span.length() >= limits.min_words) visit(span, counts);
    }
  }
}

}  // namespace xner
