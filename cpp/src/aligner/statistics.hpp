// What blocks of a corpus have taught. Internal to the aligner.
#pragma once

namespace xner::aligner {

// Expected links below this are not kept.
inline constexpr float kNegligible = 1e-5F;

// Of two shares of the other side's tokens that a type has met in two blocks, the share it has met in either. Which types it
// met is not kept: they are taken to be independent.
inline double met_in_either(double one, double other) { return 1 - (1 - one) * (1 - other); }

}  // namespace xner::aligner
