// Target spans that a source entity may be projected onto.
#pragma once

#include <algorithm>
#include <bitset>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "xner/span.hpp"

namespace xner {

enum class CandidateKind {
  ngram,         // every span without a stop word
  aligned,       // for each entity, the spans between its leftmost and its rightmost linked word
  aligned_ends,  // for each entity, the spans whose first and last word are linked to it
  given,         // spans from outside, such as a NER model's predictions
};

struct CandidateLimits {
  std::int32_t min_words = 1;
  std::int32_t max_words = std::numeric_limits<std::int32_t>::max();

  [[nodiscard]] bool allow(std::int32_t words) const noexcept {
    return min_words <= words && words <= max_words;
  }
};

// The words that no candidate may hold.
class StopWords {
 public:
  explicit StopWords(std::vector<std::string> words);

  [[nodiscard]] bool contains(std::string_view word) const noexcept {
    // By the first byte, which is seldom one of theirs and so well predicted. An empty word has none.
    return (word.empty() || first_bytes_[static_cast<unsigned char>(word.front())]) && contains_slow(word);
  }
  [[nodiscard]] bool empty() const noexcept { return words_.empty(); }
  // Whether words of which a text is made may be among them: false only where none is.
  [[nodiscard]] bool may_be_in(std::string_view text) const noexcept {
    return may_be_empty_ || first_bytes_listed_.size() > few ||
           std::ranges::any_of(first_bytes_listed_,
                               [text](char byte) { return text.find(byte) != std::string_view::npos; });
  }

 private:
  static constexpr std::size_t few = 4;  // which are sooner looked for than the words are looked at

  [[nodiscard]] bool contains_slow(std::string_view word) const noexcept;

  std::vector<std::string> words_;
  std::bitset<256> first_bytes_;
  std::string first_bytes_listed_;
  bool may_be_empty_ = false;
};

// Calls visit(span) for every span of limits.min_words .. limits.max_words words within `within` that holds
// none of the positions in `stops` (sorted), ordered by start, then end.
template <class Visit>
void for_each_ngram(Span within, const CandidateLimits& limits, std::span<const std::int32_t> stops,
                    Visit&& visit) {
  auto stop = stops.begin();
  for (std::int32_t start = within.start; start < within.end; ++start) {
    while (stop != stops.end() && *stop < start) ++stop;
    const std::int32_t wall = stop != stops.end() && *stop < within.end ? *stop : within.end;
    const std::int32_t longest = std::min(limits.max_words, wall - start);
    for (std::int32_t words = limits.min_words; words <= longest; ++words) visit(Span{start, start + words});
  }
}

// The n-gram candidates of a sentence, ordered by start, then end: section 2 of Politov et al. 2025.
std::vector<Span> ngram_candidates(std::int32_t words, const CandidateLimits& limits,
                                   std::span<const std::int32_t> stops);

}  // namespace xner
