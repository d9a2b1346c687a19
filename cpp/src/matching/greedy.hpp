// Greedy matching: the first largest value again and again. Internal.
#pragma once

#include <cstdint>
#include <vector>

#include "xner/matching.hpp"
#include "xner/scores.hpp"

namespace xner {

// Appends what Matcher::greedy chooses to `chosen`, in the order of choice, and returns the sum of scores.
//
// What is chosen without a pair begins like the choice with it, so the rest is found when the pair is taken,
// among those that fit then. Where there can be many choices, the pairs are sorted once, without those whose
// span holds two of the same entity that come before it: whichever pair is forbidden, one of the two is
// there, and taken, or blocked, before. O(pairs + k log k + k * chosen) for k pairs left; O(pairs) for few
// choices.
double choose_greedily(const ScoredPairs& pairs, const MatchOptions& options, std::vector<Match>& chosen);

}  // namespace xner
