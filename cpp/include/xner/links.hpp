// Word links: pairs of a source word and a target word.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "xner/span.hpp"

namespace xner {

struct Link {
  std::int32_t source = 0;
  std::int32_t target = 0;
  friend constexpr bool operator==(Link, Link) = default;
  friend constexpr auto operator<=>(Link, Link) = default;
};

// The links of one sentence pair as columns. `score` is empty when the links carry none, else as long as the
// others.
struct LinksView {
  std::span<const std::int32_t> source;
  std::span<const std::int32_t> target;
  std::span<const float> score;
  bool ascending = false;  // known to be sorted by source word

  [[nodiscard]] std::size_t size() const noexcept { return source.size(); }
  [[nodiscard]] Link operator[](std::size_t i) const { return {source[i], target[i]}; }

  // The places of the links of some source words; of more than these where the links are not sorted.
  [[nodiscard]] std::pair<std::size_t, std::size_t> places_of(Span words) const {
    if (!ascending) return {0, size()};
    const auto place = [&](std::int32_t word) {
      return static_cast<std::size_t>(std::ranges::lower_bound(source, word) - source.begin());
    };
    return {place(words.start), place(words.end)};
  }
};

enum class Symmetrization { intersect, union_, grow_diag, grow_diag_final, grow_diag_final_and };

// Combines a source-to-target and a target-to-source alignment of one sentence pair (Och, Ney 2003; Koehn et
// al. 2005). Both sides are taken as sets; the result is sorted by source, then target. `grow_diag` adds
// links of the union next to present ones (diagonals included) while one of their two words is free; `final`
// then adds, first from `forward`, then from `reverse`, links with one free word, `final_and` those with both
// words free. The order in which neighbours are looked at is that of fast_align's atools, so results are
// equal to its. Throws Error for a negative index. Runs in O(links log links) for sets, times the sweeps that
// growing takes.
std::vector<Link> symmetrize(std::span<const Link> forward, std::span<const Link> reverse,
                             Symmetrization method);

}  // namespace xner
