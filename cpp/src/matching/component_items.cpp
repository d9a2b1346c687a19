#include "matching/component_items.hpp"

#include <algorithm>

namespace xner {

void NeededPairs::append(std::span<const Pair> pairs, std::uint32_t begin, std::uint32_t end,
                         std::uint32_t without, std::span<const char> banned,
                         std::vector<std::uint32_t>& needed) {
  const auto left_out = [&](std::uint32_t i) { return i == without || (!banned.empty() && banned[i] != 0); };
  nested_.append(pairs, begin, end, left_out, needed);
}

void ItemIndex::operator()(std::span<const Pair> all, std::span<const std::uint32_t> pairs,
                           std::span<const std::uint32_t> entity_of, double scale, Items& items) {
  items.list.resize(pairs.size());
  items.begin.assign(1, 0);
  position_.clear();
  if (pairs.empty()) return;
  first_word_ = std::numeric_limits<std::int32_t>::max();
  std::int32_t last = 0;
  for (const std::uint32_t pair : pairs) {
    first_word_ = std::min(first_word_, all[pair].span.start);
    last = std::max(last, all[pair].span.end);
  }
  const auto word_of = [&](std::int32_t word) { return static_cast<std::size_t>(word - first_word_); };
  const std::size_t words = word_of(last);
  slot_.assign(words, 0);
  for (const std::uint32_t pair : pairs) ++slot_[word_of(all[pair].span.start)];
  for (std::size_t word = 0; word < words; ++word) {
    position_.push_back(static_cast<std::uint32_t>(items.positions()));
    if (slot_[word] == 0) continue;
    const std::uint32_t begin = items.begin.back();
    items.begin.push_back(begin + slot_[word]);
    slot_[word] = begin;
  }
  position_.push_back(static_cast<std::uint32_t>(items.positions()));
  for (const std::uint32_t pair : pairs) {
    const Pair& from = all[pair];
    items.list[slot_[word_of(from.span.start)]++] = {.value = from.value * scale,
                                                     .entity = entity_of[from.entity],
                                                     .position = position_[word_of(from.span.start)],
                                                     .next = position_[word_of(from.span.end)],
                                                     .pair = pair};
  }
}

std::uint32_t ItemIndex::position_of(std::int32_t word) const {
  if (word <= first_word_) return 0;
  const auto at = static_cast<std::size_t>(word - first_word_);
  return at < position_.size() ? position_[at] : position_.back();
}

}  // namespace xner
