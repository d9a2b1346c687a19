"""The word aligner written down plainly, without shortcuts: for a handful of short sentences."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Matrix = npt.NDArray[np.float64]
SMALLEST = 1e-9


def edit_distance(a: str, b: str) -> int:
    """Levenshtein distance by its definition, row by row."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        previous, row = row, [i]
        for j, y in enumerate(b, 1):
            row.append(min(previous[j] + 1, row[-1] + 1, previous[j - 1] + (x != y)))
    return row[-1]


def digamma(x: float) -> float:
    """By recurrence far up, then the asymptotic series."""
    shift = 0.0
    while x < 30:
        shift += 1 / x
        x += 1
    return math.log(x) - 1 / (2 * x) - 1 / (12 * x**2) + 1 / (120 * x**4) - 1 / (252 * x**6) - shift


def sharpened(x: float, least: float) -> float:
    """exp(digamma(x)), but at least a share of x."""
    return max(least * x, math.exp(digamma(x)))


class Reference:
    """Fits on and aligns one corpus.

    Args:
        source, target: sentence pairs, none empty.
        forms: a token's forms on all levels, from coarse to fine.
        options: the numbers of `AlignerOptions`, by name.
    """

    def __init__(
        self,
        source: Sequence[Sequence[str]],
        target: Sequence[Sequence[str]],
        forms: Callable[[str], tuple[str, ...]],
        options: dict[str, float],
    ) -> None:
        self.o = options
        self.source = [[forms(token) for token in sentence] for sentence in source]
        self.target = [[forms(token) for token in sentence] for sentence in target]
        self.levels = len(self.source[0][0])
        self.rows = range(len(self.source))
        self.links = [np.zeros((len(s), len(t))) for s, t in zip(self.source, self.target, strict=True)]
        self.null = {
            "target": [np.zeros(len(t)) for t in self.target],  # by target word: it has no partner
            "source": [np.zeros(len(s)) for s in self.source],
        }
        self.frequency = {
            side: [Counter(word[level] for sentence in sentences for word in sentence) for level in range(self.levels)]
            for side, sentences in (("source", self.source), ("target", self.target))
        }
        self.word_frequency = {
            "source": Counter(word for sentence in self.source for word in sentence),
            "target": Counter(word for sentence in self.target for word in sentence),
        }
        self.tokens = {side: sum(self.word_frequency[side].values()) for side in ("source", "target")}
        clip = int(options["jump_clip"])
        first = {d: math.exp(-0.5 * abs(d - 1)) + 1e-3 for d in range(-clip, clip + 1)}
        self.jumps = {"source": first, "target": dict(first)}

    def sharpen(self, x: float) -> float:
        return sharpened(x, max(0.01, 1 / len(self.source) ** 2))

    def position(self, steps: int, states: int) -> Matrix:
        """How the HMM of a small corpus favours the diagonal."""
        decay = 60 / (10 + len(self.source))
        if decay < 0.25:
            return np.ones((steps, states))
        here = (np.arange(steps) + 0.5) / steps
        there = (np.arange(states) + 0.5) / states
        return np.exp(-decay * abs(here[:, None] - there[None, :]))

    def prior(self, a: str, b: str) -> float:
        floor = self.o["similarity_floor"]
        similarity = 1 - edit_distance(a, b) / max(len(a), len(b))
        if similarity <= floor:
            return 0.0
        return float(self.o["prior_weight"] * ((similarity - floor) / (1 - floor)) ** self.o["similarity_power"])

    def maximise(self, first: bool) -> None:
        """Expected links -> tables."""
        self.mass: list[dict[tuple[str, str], float]] = []
        self.total: list[dict[str, dict[str, float]]] = []
        for level in range(self.levels):
            mass: dict[tuple[str, str], float] = {}
            for row in self.rows:
                for i, e in enumerate(self.source[row]):
                    for j, f in enumerate(self.target[row]):
                        pair = e[level], f[level]
                        if pair not in mass:
                            mass[pair] = self.o["alpha"] + self.prior(*pair)
                        mass[pair] += self.links[row][i, j]
            total: dict[str, dict[str, float]] = {"source": defaultdict(float), "target": defaultdict(float)}
            frequency = {side: self.frequency[side][level] for side in ("source", "target")}
            base = {side: self.o["base_weight"] / self.tokens[side] for side in ("source", "target")}
            for (e_type, f_type), value in mass.items():
                total["source"][e_type] += value + base["target"] * frequency["target"][f_type]
                total["target"][f_type] += value + base["source"] * frequency["source"][e_type]
            self.mass.append(mass)
            self.total.append(total)
        self.null_count = {}
        for side, sentences in (("source", self.source), ("target", self.target)):
            count: dict[str, float] = defaultdict(lambda: 1.0 if first else 0.0)
            for row in self.rows:
                for word, share in zip(sentences[row], self.null[side][row], strict=True):
                    count[word[-1]] += 0.0 if first else share
            self.null_count[side] = count

    def emission(self, row: int, i: int, j: int, to: str, final: bool) -> float:
        """p(target word j | source word i) for to="target", the other way round for "source"."""
        e, f = self.source[row][i], self.target[row][j]
        given = "source" if to == "target" else "target"
        emitted, giver = (f, e) if to == "target" else (e, f)
        own = 0.0 if final else self.links[row][i, j]
        estimate = self.sharpen if final else float
        result = 0.0
        for level in range(self.levels):
            of_type = self.frequency[to][level][emitted[level]]
            spelling = self.word_frequency[to][emitted] / of_type
            base = self.o["base_weight"] * of_type / self.tokens[to]
            mass = max(0.0, self.mass[level][e[level], f[level]] - own)
            total = self.total[level][given][giver[level]] - own
            result += spelling * estimate(mass + base) / estimate(total) / self.levels
        return max(SMALLEST, result)

    def null_emission(self, word: tuple[str, ...], side: str, final: bool) -> float:
        estimate = self.sharpen if final else float
        count = self.null_count[side]
        types = self.frequency[side][-1]
        total = sum(count[t] for t in types) + self.o["alpha"] * len(types) + self.o["null_base_weight"]
        base = self.o["null_base_weight"] * types[word[-1]] / self.tokens[side]
        spelling = self.word_frequency[side][word] / types[word[-1]]
        return max(SMALLEST, estimate(count[word[-1]] + self.o["alpha"] + base) / estimate(total) * spelling)

    def emissions(self, row: int, to: str, final: bool) -> tuple[Matrix, Matrix]:
        """Steps x states, and by step for the null word."""
        n, m = self.links[row].shape
        matrix = np.array([[self.emission(row, i, j, to, final) for j in range(m)] for i in range(n)])
        words = self.target[row] if to == "target" else self.source[row]
        null = np.array([self.null_emission(word, to, final) for word in words])
        return (matrix.T if to == "target" else matrix), null

    def model1(self, emission: Matrix, null: Matrix) -> tuple[Matrix, Matrix]:
        steps, states = emission.shape
        p0 = self.o["null_probability"]
        here = (np.arange(steps) + 0.5) / steps
        there = (np.arange(states) + 0.5) / states
        near = np.exp(-self.o["diagonal"] * abs(here[:, None] - there[None, :]))
        joint = (1 - p0) * near / near.sum(1, keepdims=True) * emission
        total = joint.sum(1) + p0 * null
        return joint / total[:, None], p0 * null / total

    def transitions(self, states: int, over: str) -> Matrix:
        clip = int(self.o["jump_clip"])
        weights = self.jumps[over]
        matrix = np.array([[weights[max(-clip, min(clip, k - i))] for k in range(states)] for i in range(states)])
        normalised: Matrix = matrix / matrix.sum(1, keepdims=True)
        return normalised

    def full_chain(self, emission: Matrix, null: Matrix, over: str) -> tuple[Matrix, Matrix, Matrix]:
        """The HMM with 2 * states states: initial and transition probabilities, and emissions by step."""
        _steps, states = emission.shape
        p0 = self.o["null_probability"]
        jump = self.transitions(states, over)
        stay = np.eye(states)
        transition = np.block([[(1 - p0) * jump, p0 * stay], [(1 - p0) * jump, p0 * stay]])
        start = np.concatenate([np.full(states, (1 - p0) / states), np.full(states, p0 / states)])
        emit = np.concatenate([emission, np.repeat(null[:, None], states, 1)], axis=1)
        return start, transition, emit

    def hmm(self, emission: Matrix, null: Matrix, over: str) -> tuple[Matrix, Matrix, dict[int, float]]:
        steps, states = emission.shape
        start, transition, emit = self.full_chain(emission, null, over)
        forward = np.zeros((steps, 2 * states))
        backward = np.ones((steps, 2 * states))
        forward[0] = start * emit[0]
        forward[0] /= forward[0].sum()
        for step in range(1, steps):
            forward[step] = forward[step - 1] @ transition * emit[step]
            forward[step] /= forward[step].sum()
        for step in range(steps - 2, -1, -1):
            backward[step] = transition @ (emit[step + 1] * backward[step + 1])
            backward[step] /= backward[step].sum()
        posterior = forward * backward
        posterior /= posterior.sum(1, keepdims=True)
        clip = int(self.o["jump_clip"])
        counts = dict.fromkeys(range(-clip, clip + 1), 0.0)
        for step in range(1, steps):
            joint = forward[step - 1][:, None] * transition * (emit[step] * backward[step])[None, :]
            joint /= joint.sum()
            for i in range(2 * states):
                for k in range(states):
                    counts[max(-clip, min(clip, k - i % states))] += joint[i, k]
        return posterior[:, :states], posterior[:, states:].sum(1), counts

    def far_jumps(self, over: str) -> float:
        clip = int(self.o["jump_clip"])
        jumps = positions = 0.0
        for links in self.links:
            states, steps = links.shape if over == "source" else links.shape[::-1]
            for i in range(states):
                room = states - clip - i
                jumps += steps * max(0, room)
                positions += steps * (room > 0)
        return jumps / positions if positions else 1.0

    def visit(self, hmm: bool, final: bool) -> None:
        """The expectation step."""
        counts = {side: Counter[int]() for side in ("source", "target")}
        updated = []
        for row in self.rows:
            both = []
            for to, over in (("target", "source"), ("source", "target")):
                emission, null = self.emissions(row, to, final)
                if hmm:
                    emission = emission * self.position(*emission.shape)
                    word, null, jumps = self.hmm(emission, null, over)
                    counts[over].update(jumps)
                else:
                    word, null = self.model1(emission, null)
                self.null[to][row] = null
                both.append(word)
            forward, backward = both[0].T, both[1]
            if final:
                updated.append((forward + backward) / 2)
            else:
                updated.append(forward * backward if hmm else (forward + backward) / 2)
        self.links = updated
        if hmm and not final:
            clip = int(self.o["jump_clip"])
            for over, seen in counts.items():
                smoothed: dict[int, float] = {d: seen[d] + self.o["jump_smoothing"] for d in range(-clip, clip + 1)}
                total = sum(smoothed.values())
                self.jumps[over] = {d: value / total for d, value in smoothed.items()}
                for d in (-clip, clip):
                    self.jumps[over][d] /= self.far_jumps(over)

    def fit(self) -> None:
        for iteration in range(int(self.o["ibm1_iterations"]) + int(self.o["hmm_iterations"])):
            self.maximise(iteration == 0)
            self.visit(iteration >= self.o["ibm1_iterations"], False)
        self.maximise(False)

    def scores(self) -> list[Matrix]:
        """Of all word pairs of all rows, after `fit`."""
        kept = self.links, {side: list(values) for side, values in self.null.items()}
        self.visit(True, True)
        scores = self.links
        self.links, self.null = kept
        return scores

    def viterbi(self, row: int, to: str) -> list[int | None]:
        """After `fit`: for each word of side `to` its partner, by the most probable path."""
        emission, null = self.emissions(row, to, True)
        emission = emission * self.position(*emission.shape)
        states = emission.shape[1]
        start, transition, emit = self.full_chain(emission, null, "source" if to == "target" else "target")
        score = np.log(start * emit[0])
        origins = []
        for step in range(1, len(emit)):
            with np.errstate(divide="ignore"):
                candidates = score[:, None] + np.log(transition)
            origins.append(candidates.argmax(0))
            score = candidates.max(0) + np.log(emit[step])
        path = [int(score.argmax())]
        for origin in reversed(origins):
            path.append(int(origin[path[-1]]))
        return [state if state < states else None for state in reversed(path)]
