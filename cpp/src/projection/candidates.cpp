#include "xner/candidates.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace xner {

StopWords::StopWords(std::vector<std::string> words) : words_(std::move(words)) {
  std::ranges::sort(words_);
  for (const std::string& word : words_) {
    if (word.empty()) {
      may_be_empty_ = true;
      continue;
    }
    if (first_bytes_listed_.empty() || first_bytes_listed_.back() != word.front()) {
      first_bytes_listed_.push_back(word.front());
    }
    first_bytes_.set(static_cast<unsigned char>(word.front()));
  }
}

bool StopWords::contains_slow(std::string_view word) const noexcept {
  return std::ranges::binary_search(words_, word, std::less<>{});
}

std::vector<Span> ngram_candidates(std::int32_t words, const CandidateLimits& limits,
                                   std::span<const std::int32_t> stops) {
  std::vector<Span> spans;
  for_each_ngram({0, words}, limits, stops, [&](Span span) { spans.push_back(span); });
  return spans;
}

}  // namespace xner
