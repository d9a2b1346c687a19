// Greedy matching: the first largest value again and again. Internal.
#pragma once

#include <cstdint>
#include <vector>

#include "xner/matching.hpp"
#include "xner/scores.hpp"

namespace xner {

// Appends what Matcher::greedy chooses to `chosen`, in the order of choice, and returns the sum of scores.
//
// Only those pairs count whose span holds at most one span of the same entity that comes before it. Were
// there two, one of them would be there whichever pair is forbidden, and be taken, or blocked, before. They
// are sorted once. What is chosen without a pair begins like the choice with it, so the rest is found when
// the pair is taken, among those that fit then: O(pairs + k log k + k * chosen) for k pairs that count.
double choose_greedily(const ScoredPairs& pairs, const MatchOptions& options, std::vector<Match>& chosen);

}  // namespace xner
