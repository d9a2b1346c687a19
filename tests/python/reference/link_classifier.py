"""The classifier of links written down plainly: cell by cell, feature by feature."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Sequence

    from reference.alignment import Reference, Word

Matrix = npt.NDArray[np.float64]
HIDDEN = 16
FEATURES = 39
SECOND_FEATURES = 19
LEAST_POSTERIOR = 0.003
NEIGHBOURS = [(-1, -1), (1, 1), (0, -1), (0, 1), (-1, 0), (1, 0), (-1, 1), (1, -1)]
FURTHER = [(-2, -2), (2, 2), (0, -2), (0, 2), (-2, 0), (2, 0)]


def log_odds(p: float) -> float:
    p = min(max(p, 1e-4), 1 - 1e-4)
    return math.log(p / (1 - p))


class View:
    """A sentence pair as one of its sides sees it: rows of matrices are its own words, columns the other side's."""

    def __init__(self, fitted: Reference, source: Sequence[str], target: Sequence[str], *, turned: bool) -> None:
        words = {"source": [fitted.word(w) for w in source], "target": [fitted.word(w) for w in target]}
        posteriors, ratios = {}, {}
        for to, over in (("target", "source"), ("source", "target")):
            emission, null = fitted.final_emissions(source, target, to)
            posteriors[to] = fitted.hmm(emission, null, over)[0].T
            ratios[to] = (emission / null[:, None]).T
        self.own, self.other = ("target", "source") if turned else ("source", "target")
        # Forward: the other side's words are explained by the own ones.
        self.forward, self.forward_ratio = posteriors[self.other], ratios[self.other]
        self.backward, self.backward_ratio = posteriors[self.own].T, ratios[self.own].T
        self.mean = (self.forward + self.backward) / 2
        self.fitted = fitted
        self.words = words
        association = [[self.association(e, f) for f in words["target"]] for e in words["source"]]
        self.associations = np.array(association).T if turned else np.array(association)

    def association(self, e: Word, f: Word) -> float:
        """Dice coefficient on the finest level but one."""
        level = max(0, self.fitted.levels - 2)
        a, b = e.forms[level], f.forms[level]
        of_source, of_target = (self.fitted.frequency[side][level] for side in ("source", "target"))
        if a not in of_source or b not in of_target:
            return 1.0
        return 2 * self.fitted.counts[level].get((a, b), 0.0) / (of_source[a] + of_target[b])

    def word_features(self, side: str, word: Word) -> Iterator[float]:
        seen: Counter[str] = self.fitted.frequency[side][-1]
        count = seen[word.forms[-1]]
        yield math.log((count + 0.5) / (sum(seen.values()) + 50))
        yield math.log(1 + min(count, 20))
        yield math.log(1 + len(word.forms[-1]))
        yield from (float(word.kind == kind) for kind in ("capitalised", "number", "symbol"))

    def features(self, i: int, j: int, first: Matrix | None) -> list[float]:
        """Of a cell, by own word and other word; `first`: what the first network says, for the second one."""
        forward, backward, mean = self.forward[i, j], self.backward[i, j], self.mean[i, j]
        own, other = self.words[self.own], self.words[self.other]
        result = [log_odds(forward), log_odds(backward), log_odds(mean), math.sqrt(forward * backward)]
        result += [min(forward, backward), max(forward, backward)]
        for ratio in (self.forward_ratio[i, j], self.backward_ratio[i, j]):
            result.append(math.log(min(max(ratio, 1e-5), 1e5)))
        result.append(math.sqrt(self.associations[i, j]))
        result += rivals(self.mean, i, j)
        result += [self.forward[i].sum(), self.backward[:, j].sum(), self.forward[:, j].sum(), self.backward[i].sum()]
        result += [at(self.mean, i + down, j + right) for down, right in NEIGHBOURS]
        result.append(abs((i + 0.5) / len(own) - (j + 0.5) / len(other)))
        result += [*self.word_features(self.own, own[i]), *self.word_features(self.other, other[j])]
        result.append(float(own[i].kind == other[j].kind == "symbol"))
        result += [math.log(len(own) / len(other)), self.fitted.pairs / (self.fitted.pairs + 20)]
        if first is not None:
            result += [log_odds(first[i, j]), *rivals(first, i, j), first[i].sum(), first[:, j].sum()]
            result += [at(first, i + down, j + right) for down, right in [*NEIGHBOURS, *FURTHER]]
        return result


def rivals(matrix: Matrix, i: int, j: int) -> list[float]:
    """The highest cell of the same column, and of the same row, but this one."""
    return [max(np.delete(line, here), default=0.0) for line, here in ((matrix[:, j], i), (matrix[i], j))]


def at(matrix: Matrix, i: int, j: int) -> float:
    """0 outside."""
    return float(matrix[i, j]) if 0 <= i < matrix.shape[0] and 0 <= j < matrix.shape[1] else 0.0


def network(numbers: Matrix, features: Sequence[float]) -> float:
    """One hidden layer of rectified linear units, and a logistic output."""
    size = len(features)
    weights, rest = numbers[: size * HIDDEN].reshape(size, HIDDEN), numbers[size * HIDDEN :]
    hidden = np.maximum(0, np.array(features) @ weights + rest[:HIDDEN])
    return float(1 / (1 + np.exp(-(hidden @ rest[HIDDEN:-1] + rest[-1]))))


def probabilities(fitted: Reference, source: Sequence[str], target: Sequence[str], numbers: Matrix) -> Matrix:
    """Of all word pairs of a sentence pair; 0 where nobody looks."""
    views = [View(fitted, source, target, turned=turned) for turned in (False, True)]
    split = (FEATURES + 2) * HIDDEN + 1
    assert len(numbers) == split + (FEATURES + SECOND_FEATURES + 2) * HIDDEN + 1
    result: Matrix | None = None
    for part in (numbers[:split], numbers[split:]):
        found = np.zeros((len(source), len(target)))
        for i, j in np.argwhere(views[0].mean > LEAST_POSTERIOR):
            own = network(part, views[0].features(i, j, result))
            other = network(part, views[1].features(j, i, None if result is None else result.T))
            found[i, j] = (own + other) / 2
        result = found
    assert result is not None
    return result
