"""Random choices that depend on a seed and on what is chosen for, and on nothing else.

What is drawn for a word is the same however many others are changed, so that a higher severity changes what a lower one
does, and more. The bits are those of PCG64 and SplitMix64, which no version of a library alters.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["Draws", "another", "keys_of"]

T = TypeVar("T")

_MASK: Final = (1 << 64) - 1


def keys_of(seed: int, name: str, count: int) -> npt.NDArray[np.uint64]:
    """Random numbers, one for each of `count` things of a name; the first ones are the same for every count."""
    bits = np.random.PCG64(np.random.SeedSequence([seed, zlib.crc32(name.encode())]))
    return np.asarray(bits.random_raw(count), dtype=np.uint64).reshape(-1)


class Draws:
    """A stream of choices.

    Args:
        key: that it follows from, of 64 bits.

    Source: Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators" (SplitMix64).
    """

    __slots__ = ("_state",)

    def __init__(self, key: int) -> None:
        self._state = key

    def below(self, count: int) -> int:
        """A whole number from 0 to `count` - 1; the bias is below `count` in 2**64."""
        self._state = state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        return ((state ^ (state >> 31)) * count) >> 64

    def one(self, among: Sequence[T]) -> T:
        """One of a sequence that is not empty."""
        return among[self.below(len(among))]

    def shuffled(self, among: Sequence[T]) -> list[T]:
        """A sequence in another order."""
        found = list(among)
        for last in range(len(found) - 1, 0, -1):
            other = self.below(last + 1)
            found[last], found[other] = found[other], found[last]
        return found


def another(pool: Sequence[T], own: T, draws: Draws) -> T | None:
    """One of a pool of different things that is not one's own; None if there is none."""
    if not pool:
        return None
    place = draws.below(len(pool))
    found = pool[place]
    if found != own:
        return found
    # Each other one as likely: those but one's own are numbered anew.
    if len(pool) == 1:
        return None
    step = 1 + draws.below(len(pool) - 1)
    return pool[(place + step) % len(pool)]
