#include "xner/link_counts.hpp"

#include <tuple>

namespace xner {

void LinkCounter::set_sentence(std::span<const Span> entities, LinksView links, std::int32_t target_words) {
  entities_ = entities;
  target_words_ = target_words;
  if (hits_.size() < entities.size()) hits_.resize(entities.size());
  const bool scored = !links.score.empty();
  for (std::size_t e = 0; e < entities.size(); ++e) {
    const Span span = entities[e];
    std::vector<Hit>& hits = hits_[e];
    hits.clear();
    for (std::size_t i = 0; i < links.source.size(); ++i) {
      const std::int32_t source = links.source[i];
      if (span.contains(source)) hits.push_back({links.target[i], source, scored ? links.score[i] : 1.0F});
    }
  }
}

void LinkCounter::set_entity(std::size_t entity, bool links_are_a_set) {
  indexed_ = false;
  std::vector<Hit>& hits = hits_[entity];
  const auto order = [](const Hit& a, const Hit& b) {
    return std::tie(a.target, a.source, b.score) < std::tie(b.target, b.source, a.score);
  };
  if (!std::ranges::is_sorted(hits, order)) std::ranges::sort(hits, order);
  if (links_are_a_set) {
    const auto same = [](const Hit& a, const Hit& b) { return a.target == b.target && a.source == b.source; };
    hits.erase(std::ranges::unique(hits, same).begin(), hits.end());
  }
  // Long entities number their linked words anew, so that memory follows the links and not the span.
  const Span span = entities_[entity];
  linked_words_.clear();
  if (span.length() > 64) {
    for (const Hit& hit : hits) linked_words_.push_back(hit.source);
    std::ranges::sort(linked_words_);
    linked_words_.erase(std::ranges::unique(linked_words_).begin(), linked_words_.end());
  }
  blocks_ = std::max<std::size_t>(1, (linked_words_.size() + 63) / 64);
  columns_.clear();
  masks_.clear();
  for (const Hit& hit : hits) {
    if (columns_.empty() || columns_.back().target != hit.target) {
      columns_.push_back({hit.target, 0, 0});
      masks_.resize(masks_.size() + blocks_, 0);
    }
    ++columns_.back().links;
    columns_.back().weight += static_cast<double>(hit.score);
    const auto word = linked_words_.empty()
                          ? static_cast<std::size_t>(hit.source - span.start)
                          : static_cast<std::size_t>(std::ranges::lower_bound(linked_words_, hit.source) -
                                                     linked_words_.begin());
    masks_[masks_.size() - blocks_ + word / 64] |= std::uint64_t{1} << (word % 64);
  }
}

void LinkCounter::index() {
  indexed_ = true;
  columns_before_.assign(static_cast<std::size_t>(target_words_) + 1, 0);
  links_before_.assign(1, 0);
  weight_before_.assign(1, 0);
  for (const Column& column : columns_) {
    ++columns_before_[static_cast<std::size_t>(column.target) + 1];
    links_before_.push_back(links_before_.back() + column.links);
    weight_before_.push_back(weight_before_.back() + column.weight);
  }
  for (std::size_t word = 1; word < columns_before_.size(); ++word)
    columns_before_[word] += columns_before_[word - 1];
  if (blocks_ > 1) return;
  const auto levels = static_cast<std::size_t>(std::bit_width(columns_.size()));
  if (unions_.size() < levels) unions_.resize(levels);
  for (std::size_t level = 0; level < levels; ++level) {
    if (level == 0) {
      unions_[0] = masks_;
      continue;
    }
    const std::size_t half = std::size_t{1} << (level - 1);
    unions_[level].resize(columns_.size() - 2 * half + 1);
    for (std::size_t i = 0; i < unions_[level].size(); ++i) {
      unions_[level][i] = unions_[level - 1][i] | unions_[level - 1][i + half];
    }
  }
}

LinkCounts LinkCounter::between(Span span) {
  if (empty()) return {};
  if (!indexed_) index();
  const std::size_t first = columns_before_[static_cast<std::size_t>(span.start)];
  const std::size_t last = columns_before_[static_cast<std::size_t>(span.end)];
  if (first == last) return {};
  return {.links = links_before_[last] - links_before_[first],
          .weight = weight_before_[last] - weight_before_[first],
          .source_words = covered_words(first, last),
          .target_words = static_cast<std::int32_t>(last - first)};
}

std::int32_t LinkCounter::covered_words(std::size_t first, std::size_t last) {
  if (blocks_ == 1) {
    const auto level = static_cast<std::size_t>(std::bit_width(last - first)) - 1;
    return std::popcount(unions_[level][first] | unions_[level][last - (std::size_t{1} << level)]);
  }
  union_.assign(blocks_, 0);
  for (std::size_t column = first; column < last; ++column) {
    for (std::size_t block = 0; block < blocks_; ++block) union_[block] |= masks_[column * blocks_ + block];
  }
  std::int32_t words = 0;
  for (const std::uint64_t block : union_) words += std::popcount(block);
  return words;
}

}  // namespace xner
