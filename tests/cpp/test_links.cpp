#include <doctest/doctest.h>

#include <limits>

#include "fixtures.hpp"
#include "xner/error.hpp"
#include "xner/links.hpp"

using namespace xner;
using namespace xner::test;

TEST_CASE("symmetrisation by hand") {
  const std::vector<Link> forward{{0, 0}, {1, 1}, {2, 3}};
  const std::vector<Link> reverse{{1, 2}, {0, 0}, {5, 5}};
  using enum Symmetrization;
  CHECK(symmetrize(forward, reverse, intersect) == std::vector<Link>{{0, 0}});
  CHECK(symmetrize(forward, reverse, union_) == std::vector<Link>{{0, 0}, {1, 1}, {1, 2}, {2, 3}, {5, 5}});
  CHECK(symmetrize(forward, reverse, grow_diag) == std::vector<Link>{{0, 0}, {1, 1}, {1, 2}, {2, 3}});
  CHECK(symmetrize(forward, reverse, grow_diag_final_and) ==
        std::vector<Link>{{0, 0}, {1, 1}, {1, 2}, {2, 3}, {5, 5}});
  CHECK(symmetrize({}, {}, grow_diag_final).empty());
}

TEST_CASE("indices out of range are errors") {
  constexpr std::int32_t largest = std::numeric_limits<std::int32_t>::max();
  const std::vector<Link> negative{{-1, 0}};
  const std::vector<Link> huge{{largest, largest}};
  CHECK(message_of<Error>([&] { symmetrize(negative, {}, Symmetrization::union_); }) ==
        "forward link -1-0: word indices start at 0");
  CHECK(message_of<Error>([&] { symmetrize(huge, huge, Symmetrization::grow_diag); }) ==
        "forward link 2147483647-2147483647: a sentence has at most 1048576 words");
}
