#include "xner/candidates.hpp"

#include <algorithm>
#include <utility>

namespace xner {

StopWords::StopWords(std::vector<std::string> words) : words_(std::move(words)), first_byte_(257, false) {
  for (const std::string& word : words_) {
    first_byte_[word.empty() ? std::size_t{256} : static_cast<unsigned char>(word.front())] = true;
  }
}

bool StopWords::contains_slow(std::string_view word) const noexcept {
  return std::ranges::any_of(words_, [word](const std::string& stop) { return stop == word; });
}

std::vector<Span> ngram_candidates(std::int32_t words, const CandidateLimits& limits,
                                   std::span<const std::int32_t> stops) {
  std::vector<Span> spans;
  for_each_ngram({0, words}, limits, stops, [&](Span span) { spans.push_back(span); });
  return spans;
}

}  // namespace xner
