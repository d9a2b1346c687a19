#include "xner/links.hpp"

#include <algorithm>
#include <string>

#include "xner/error.hpp"
#include "xner/span.hpp"

namespace xner {

namespace {

std::vector<Link> as_set(std::span<const Link> links, const char* side) {
  std::vector<Link> set(links.begin(), links.end());
  std::ranges::sort(set);
  set.erase(std::ranges::unique(set).begin(), set.end());
  for (const Link link : set) {
    if (link.source < 0 || link.target < 0) {
      throw Error(std::string(side) + " link " + std::to_string(link.source) + "-" +
                  std::to_string(link.target) + ": word indices start at 0");
    }
    if (link.source >= longest_sentence || link.target >= longest_sentence) {
      throw Error(std::string(side) + " link " + std::to_string(link.source) + "-" +
                  std::to_string(link.target) + ": a sentence has at most " +
                  std::to_string(longest_sentence) + " words");
    }
  }
  return set;
}

// A growing subset of the union of two alignments.
class Grower {
 public:
  Grower(const std::vector<Link>& forward, const std::vector<Link>& reverse) {
    std::ranges::set_union(forward, reverse, std::back_inserter(union_));
    taken_.resize(union_.size(), false);
    std::int32_t sources = 0;
    std::int32_t targets = 0;
    for (const Link link : union_) {
      sources = std::max(sources, link.source + 1);
      targets = std::max(targets, link.target + 1);
    }
    source_linked_.resize(static_cast<std::size_t>(sources), false);
    target_linked_.resize(static_cast<std::size_t>(targets), false);
    std::vector<Link> both;
    std::ranges::set_intersection(forward, reverse, std::back_inserter(both));
    for (const Link link : both) take(find(link));
  }

  // Sweeps the union in order until nothing is added; a link added in a sweep counts at once as a neighbour.
  void grow_diagonally() {
    for (bool grown = true; grown;) {
      grown = false;
      for (std::size_t i = 0; i < union_.size(); ++i) {
        if (taken_[i] || !(source_free(union_[i]) || target_free(union_[i])) || !has_neighbour(union_[i]))
          continue;
        take(i);
        grown = true;
      }
    }
  }

  void add_final(const std::vector<Link>& links, bool both_free) {
    for (const Link link : links) {
      const bool source = source_free(link);
      const bool target = target_free(link);
      if (both_free ? source && target : source || target) take(find(link));
    }
  }

  [[nodiscard]] std::vector<Link> links() const {
    std::vector<Link> result;
    for (std::size_t i = 0; i < union_.size(); ++i) {
      if (taken_[i]) result.push_back(union_[i]);
    }
    return result;
  }

 private:
  [[nodiscard]] std::size_t find(Link link) const {
    const auto it = std::ranges::lower_bound(union_, link);
    return it != union_.end() && *it == link ? static_cast<std::size_t>(it - union_.begin()) : union_.size();
  }
  [[nodiscard]] bool has(Link link) const {
    const std::size_t i = find(link);
    return i < union_.size() && taken_[i];
  }
  [[nodiscard]] bool has_neighbour(Link link) const {
    for (std::int32_t ds = -1; ds <= 1; ++ds) {
      for (std::int32_t dt = -1; dt <= 1; ++dt) {
        if ((ds != 0 || dt != 0) && has({link.source + ds, link.target + dt})) return true;
      }
    }
    return false;
  }
  [[nodiscard]] bool source_free(Link link) const {
    return !source_linked_[static_cast<std::size_t>(link.source)];
  }
  [[nodiscard]] bool target_free(Link link) const {
    return !target_linked_[static_cast<std::size_t>(link.target)];
  }
  void take(std::size_t i) {
    taken_[i] = true;
    source_linked_[static_cast<std::size_t>(union_[i].source)] = true;
    target_linked_[static_cast<std::size_t>(union_[i].target)] = true;
  }

  std::vector<Link> union_;
  std::vector<bool> taken_;
  std::vector<bool> source_linked_;
  std::vector<bool> target_linked_;
};

}  // namespace

std::vector<Link> symmetrize(std::span<const Link> forward, std::span<const Link> reverse,
                             Symmetrization method) {
  const std::vector<Link> there = as_set(forward, "forward");
  const std::vector<Link> back = as_set(reverse, "reverse");
  std::vector<Link> result;
  if (method == Symmetrization::intersect) {
    std::ranges::set_intersection(there, back, std::back_inserter(result));
    return result;
  }
  if (method == Symmetrization::union_) {
    std::ranges::set_union(there, back, std::back_inserter(result));
    return result;
  }
  Grower grower(there, back);
  grower.grow_diagonally();
  if (method != Symmetrization::grow_diag) {
    const bool both_free = method == Symmetrization::grow_diag_final_and;
    grower.add_final(there, both_free);
    grower.add_final(back, both_free);
  }
  return grower.links();
}

}  // namespace xner
