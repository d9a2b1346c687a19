"""Which pairs of a source entity and a candidate need a score that is costly to compute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from xner.projection.matching.solving import match

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy.typing as npt

    from xner.projection.options import ProjectionOptions

__all__ = ["PairSearch", "Pruning", "ScoredSpan", "pruning_for"]

Pruning = Literal["none", "inside", "choice"]

ScoredSpan = tuple[int, int, int, float]
"""Entity, start and end of the span, score."""

# By how much, relatively, a pair must be worse to be skipped: beyond the rounding of float32 scores (2^-24 each), and
# the 2^-30 that decide between equal sums.
_SLACK = 1e-6


def pruning_for(options: ProjectionOptions) -> Pruning:
    """What may be skipped without changing what a projection with these options chooses.

    Returns:
        With `<= 1`, `choice` for exact matching, whoever solves it, and `inside` for greedy matching; else `none`.
    """
    if (options.method, options.constraint, options.n) != ("candidates", "<=", 1):
        return "none"
    return "inside" if options.matcher == "greedy" else "choice"


class PairSearch:
    """Searches one sentence pair for the pairs that need the costly score, the most promising first.

    A sum of scores is known but for one, which adds from 0 to `gain`. A pair whose costly score is not known has at
    least the sum without it, and at most that plus `gain`. It is skipped for good once one of two rules holds,
    "less" meaning by more than rounding:

    - `inside`: its upper bound is less than the lower bound of another span of the same entity that lies within it.
      The shorter span could take its place in every choice, as it overlaps with nothing else, and would add more.
    - `choice`: its upper bound plus the highest upper bounds of all other entities is less than the objective of the
      best choice by lower bounds. So no choice with this pair is the best one. (Exact matching only: what greedy
      matching takes need not be in a best choice.)

    So what is skipped belongs to no best choice, whatever its score would have been, and projection without its score,
    which leaves it with its lower bound, makes the same choice as with all scores; where several are equally good, one
    of them. That holds where exact matching proves its choice. Margins are another matter: a runner-up that was
    skipped has less than its sum, and the margin over it may come out too large.

    Args:
        sums: from known costly scores `(entity, start, end, score)` to all pairs with a positive sum.
        candidates: for every entity, the spans that get the costly score, (spans × 2), int.
        entity_words: the entities' numbers of words.
        target_words: number of words of the target sentence.
        gain: the most that the costly score adds to a sum.
        pruning: the rules: `choice` is both, `inside` the first, `none` skips nothing.

    Attributes:
        pairs: how many pairs there are.
        scored: those whose costly score is known, with it.
    """

    def __init__(
        self,
        sums: Callable[[Sequence[ScoredSpan]], Sequence[ScoredSpan]],
        candidates: Sequence[npt.NDArray[np.integer]],
        entity_words: Sequence[int],
        target_words: int,
        *,
        gain: float,
        pruning: Pruning,
    ) -> None:
        # Of every entity, number of words less 1, and first word: whether the pair needs the score still.
        self._open = np.zeros((len(candidates), target_words, target_words), np.bool_)
        for entity, spans in enumerate(candidates):
            self._open[entity, spans[:, 1] - spans[:, 0] - 1, spans[:, 0]] = True
        self.pairs = int(self._open.sum())
        self.scored: list[ScoredSpan] = []
        self._sums = sums
        self._entity_words = entity_words
        self._gain = gain
        self._pruning = pruning
        self._bound()

    @property
    def open(self) -> int:
        """How many pairs are neither scored nor skipped."""
        return int(self._open.sum())

    @property
    def skipped(self) -> int:
        """How many pairs were skipped."""
        return self.pairs - self.open - len(self.scored)

    def most_promising(self, count: int) -> list[tuple[int, int, int]]:
        """Open pairs `(entity, start, end)` to be scored next.

        Args:
            count: of every entity, at most.

        Returns:
            Those with the highest upper bounds; of equals those nearest to the entity's number of words.
        """
        result = []
        for entity, words in enumerate(self._entity_words):
            lengths, starts = self._open[entity].nonzero()
            distance = np.abs(lengths + 1 - words)
            best = np.lexsort((starts, distance, -self._upper[entity, lengths, starts]))[:count]
            result += [(entity, int(starts[i]), int(starts[i] + lengths[i] + 1)) for i in best]
        return result

    def add(self, scores: Iterable[ScoredSpan]) -> None:
        """Take note of scores from 0 on, and skip what can no longer win."""
        for entity, start, end, score in scores:
            self._open[entity, end - start - 1, start] = False
            self.scored.append((entity, start, end, score))
        self._bound()

    def _bound(self) -> None:
        """Compute the bounds from what is known, and skip what they rule out."""
        sums = self._sums(self.scored)
        lower = np.zeros(self._open.shape)
        for entity, start, end, score in sums:
            lower[entity, end - start - 1, start] = score
        self._upper = np.where(self._open, lower + self._gain, lower)
        if self._pruning == "none" or not self._open.any():
            return
        beaten = _best_inside(lower) > self._upper * (1 + _SLACK)
        if self._pruning == "choice":
            highest = self._upper.max(axis=(1, 2))
            others = highest.sum() - highest
            objective = match(sums, entities=len(lower), margins=False).objective
            beaten |= (self._upper + others[:, None, None]) * (1 + _SLACK) < objective
        self._open &= ~beaten


def _best_inside(lower: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """For every entity and span the highest value of its spans that lie within that one, itself left out.

    Args:
        lower: entities × (words - 1) × starts.
    """
    inside = np.zeros_like(lower)
    for longer in range(1, lower.shape[1]):
        count = lower.shape[2] - longer  # of spans of that length
        best = np.maximum(inside[:, longer - 1], lower[:, longer - 1])
        inside[:, longer, :count] = np.maximum(best[:, :count], best[:, 1 : count + 1])
    return inside
