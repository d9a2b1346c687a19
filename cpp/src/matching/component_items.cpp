#include "matching/component_items.hpp"

#include <algorithm>

namespace xner {

void NeededPairs::append(std::span<const Pair> pairs, std::uint32_t begin, std::uint32_t end,
                         std::uint32_t without, std::span<const char> banned,
                         std::vector<std::uint32_t>& needed) {
  order_.clear();
  std::int32_t first = std::numeric_limits<std::int32_t>::max();
  std::int32_t last = 0;
  for (std::uint32_t i = begin; i < end; ++i) {
    if (!(pairs[i].value > 0) || i == without || (!banned.empty() && banned[i] != 0)) continue;
    order_.push_back(i);
    first = std::min(first, pairs[i].span.start);
    last = std::max(last, pairs[i].span.end);
  }
  if (order_.empty()) return;
  const auto span_of = [&](std::uint32_t i) { return pairs[i].span; };
  if (!std::ranges::is_sorted(order_, {}, span_of)) std::ranges::stable_sort(order_, {}, span_of);
  best_.assign(static_cast<std::size_t>(last - first) + 1, 0);
  for (std::size_t group_end = order_.size(); group_end > 0;) {
    const std::int32_t start = pairs[order_[group_end - 1]].span.start;
    std::size_t at = group_end;
    while (at > 0 && pairs[order_[at - 1]].span.start == start) --at;
    const std::size_t group_begin = at;
    double best_here = 0;
    for (std::int32_t word = pairs[order_[at]].span.end; word <= last; ++word) {
      double& best = best_[static_cast<std::size_t>(word - first)];
      for (; at < group_end && pairs[order_[at]].span.end == word; ++at) {
        const double value = pairs[order_[at]].value;
        if (value > best_here && value > best) needed.push_back(order_[at]);
        best_here = std::max(best_here, value);
      }
      if (at == group_end && best >= best_here) break;  // and so it is for all words beyond
      best = std::max(best, best_here);
    }
    group_end = group_begin;
  }
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
