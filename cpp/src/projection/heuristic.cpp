#include "xner/heuristic.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace xner {

namespace {

bool long_enough(Span range, Span entity, const HeuristicOptions& options) {
  if (!options.length_ratio_threshold) return true;
  return static_cast<double>(range.length()) / entity.length() > *options.length_ratio_threshold;
}

}  // namespace

// The entity's links by source word; within a word they keep their order.
void HeuristicProjector::collect_links(Span entity, LinksView links) {
  links_.clear();
  const auto [first, last] = links.places_of(entity);
  for (std::size_t i = first; i < last; ++i) {
    if (entity.contains(links.source[i])) links_.push_back(links[i]);
  }
  if (!std::ranges::is_sorted(links_, {}, &Link::source)) std::ranges::stable_sort(links_, {}, &Link::source);
}

// Politov et al. 2025: every index is compared with every range, each in its state at that moment.
void HeuristicProjector::grow_ranges() {
  ranges_.clear();
  for (const Link link : links_) {
    bool taken = false;
    for (Span& range : ranges_) {
      if (range.contains(link.target)) {
        taken = true;
      } else if (link.target == range.end) {
        ++range.end;
        taken = true;
      } else if (link.target == range.start - 1) {
        --range.start;
        taken = true;
      }
    }
    if (!taken) ranges_.push_back({link.target, link.target + 1});
  }
}

void HeuristicProjector::merge_ranges(std::int32_t distance) {
  if (distance <= 0 || ranges_.empty()) return;
  std::ranges::stable_sort(ranges_, {}, &Span::start);
  std::size_t kept = 0;
  for (std::size_t i = 1; i < ranges_.size(); ++i) {
    if (ranges_[i].start - ranges_[kept].end <= distance) {
      ranges_[kept].end = ranges_[i].end;
    } else {
      ranges_[++kept] = ranges_[i];
    }
  }
  ranges_.resize(kept + 1);
}

// Shkalikov 2024: maximal runs of linked words, merged from left to right.
void HeuristicProjector::find_runs(Span entity, const HeuristicOptions& options) {
  words_.clear();
  ranges_.clear();
  for (const Link link : links_) words_.push_back(link.target);
  std::ranges::sort(words_);
  const auto may_merge = [&](std::int32_t start) {
    const auto begins = [&](Link link) { return link.source == entity.start && link.target == start; };
    return !options.only_i || std::ranges::none_of(links_, begins);
  };
  for (const std::int32_t word : words_) {
    if (!ranges_.empty() && word <= ranges_.back().end) {
      ranges_.back().end = std::max(ranges_.back().end, word + 1);
    } else {
      ranges_.push_back({word, word + 1});
    }
  }
  if (options.merge_distance <= 0 || ranges_.empty()) return;
  std::size_t kept = 0;
  for (std::size_t i = 1; i < ranges_.size(); ++i) {
    if (ranges_[i].start - ranges_[kept].end <= options.merge_distance && may_merge(ranges_[i].start)) {
      ranges_[kept].end = ranges_[i].end;
    } else {
      ranges_[++kept] = ranges_[i];
    }
  }
  ranges_.resize(kept + 1);
}

void HeuristicProjector::keep_free(std::uint32_t entity, Span source, const HeuristicOptions& options) {
  std::erase_if(ranges_, [&](Span range) { return !long_enough(range, source, options); });
  if (options.top_k) {
    const bool shortest = options.top_k_order == TopKOrder::shortest;
    std::ranges::stable_sort(ranges_, {},
                             [shortest](Span range) { return shortest ? range.length() : -range.length(); });
    ranges_.resize(std::min(ranges_.size(), static_cast<std::size_t>(std::max(0, *options.top_k))));
  }
  for (const Span range : ranges_) {
    const auto overlapping = [range](const ProjectedRange& other) { return other.span.overlaps(range); };
    if (std::ranges::none_of(result_, overlapping)) result_.push_back({entity, range});
  }
}

std::span<const ProjectedRange> HeuristicProjector::operator()(std::span<const Span> entities,
                                                               std::span<const std::uint32_t> rank,
                                                               LinksView links,
                                                               const HeuristicOptions& options) {
  result_.clear();
  if (entities.empty()) return result_;
  if (options.policy == OverlapPolicy::overwrite) {
    for (std::uint32_t entity = 0; entity < entities.size(); ++entity) {
      collect_links(entities[entity], links);
      grow_ranges();
      merge_ranges(options.merge_distance);
      for (const Span range : ranges_) {
        if (long_enough(range, entities[entity], options)) result_.push_back({entity, range});
      }
    }
    return result_;
  }
  order_.resize(entities.size());
  std::iota(order_.begin(), order_.end(), 0U);
  // No two are equal, so that a sort that takes no memory will do.
  std::ranges::sort(order_, {}, [&](std::uint32_t entity) {
    return std::tuple(entities[entity].length(), rank.empty() ? 0U : rank[entity], entity);
  });
  for (const std::uint32_t entity : order_) {
    collect_links(entities[entity], links);
    find_runs(entities[entity], options);
    keep_free(entity, entities[entity], options);
  }
  return result_;
}

}  // namespace xner
