"""The word aligner written down plainly, without shortcuts: for a handful of short sentences."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Matrix = npt.NDArray[np.float64]
SMALLEST = 1e-9
NEGLIGIBLE = 1e-5
NIL = 0.01  # expected links below which a cell is left out
ITERATIONS_ON_ALL = 2


def _copied(sums: dict[str, dict[str, float]] | None) -> dict[str, dict[str, float]]:
    return {side: defaultdict(float, sums[side] if sums else {}) for side in ("source", "target")}


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


def kind(token: str) -> str:
    """What a token looks like."""
    if any(c.isnumeric() for c in token):
        return "number"
    if any(c.isalpha() for c in token):
        return "capitalised" if token[0].isupper() else "plain"
    return "symbol"


class Word(NamedTuple):
    """A token's forms from coarse to fine, and its kind."""

    forms: tuple[str, ...]
    kind: str

    @property
    def letters(self) -> int:
        """Length of the finest form, 0 unless it is made of letters."""
        return len(self.forms[-1]) if self.kind in ("plain", "capitalised") else 0


class Reference:
    """Fits on one corpus; aligns it or other sentence pairs.

    Args:
        source, target: sentence pairs, none empty.
        forms: a token's forms on all levels, from coarse to fine.
        options: the numbers of `AlignerOptions`, by name.
        past: fitted on the blocks before this one; None for the first or only one.
        lexicon: pseudo-counts of pairs of tokens.
    """

    def __init__(
        self,
        source: Sequence[Sequence[str]],
        target: Sequence[Sequence[str]],
        forms: Callable[[str], tuple[str, ...]],
        options: dict[str, float],
        past: Reference | None = None,
        lexicon: dict[tuple[str, str], float] | None = None,
    ) -> None:
        self.o = options
        self.lexicon: list[dict[tuple[str, str], float]] = [{} for _ in forms("x")]
        for (one, other), weight in (lexicon or {}).items():
            for said, *pair in zip(self.lexicon, forms(one), forms(other), strict=True):
                said[pair[0], pair[1]] = max(weight, said.get((pair[0], pair[1]), 0.0))
        self.past = past
        self.pairs: int = len(source) + (past.pairs if past else 0)
        self.word: Callable[[str], Word] = lambda token: Word(forms(token), kind(token))
        self.source = [[self.word(token) for token in sentence] for sentence in source]
        self.target = [[self.word(token) for token in sentence] for sentence in target]
        self.levels = len(forms("x"))
        self.rows = range(len(self.source))
        self.links = [np.zeros((len(s), len(t))) for s, t in zip(self.source, self.target, strict=True)]
        self.kept = [np.ones(links.shape, dtype=bool) for links in self.links]
        self.null = {
            "target": [np.zeros(len(t)) for t in self.target],  # by target word: it has no partner
            "source": [np.zeros(len(s)) for s in self.source],
        }
        sides = {"source": self.source, "target": self.target}
        self.frequency = {
            side: [Counter(w.forms[level] for sentence in rows for w in sentence) for level in range(self.levels)]
            for side, rows in sides.items()
        }
        self.word_frequency = {side: Counter(w for sentence in rows for w in sentence) for side, rows in sides.items()}
        if past:
            for side in sides:
                self.word_frequency[side].update(past.word_frequency[side])
                for own, earlier in zip(self.frequency[side], past.frequency[side], strict=True):
                    own.update(earlier)
        self.tokens = {side: max(1, sum(self.word_frequency[side].values())) for side in sides}
        first = {d: math.exp(-0.5 * abs(d - 1)) + 1e-3 for d in self.lengths()}
        self.jumps = {"source": first, "target": dict(first)}
        self.jump_counts = {side: Counter[int]() for side in sides}
        self.far: dict[str, float] = past.far if past else {}
        if past:
            self.update_jumps({side: Counter[int]() for side in sides})
        self.far = {side: self.far_jumps(side) for side in sides}

    def lengths(self) -> range:
        """The lengths of jumps that are told apart."""
        clip = int(self.o["jump_clip"])
        return range(-clip, clip + 1)

    def sharpen(self, x: float) -> float:
        return sharpened(x, max(0.01, 100 / (100 + self.pairs**2)))

    def position(self, steps: int, states: int) -> Matrix:
        """How the HMM favours the diagonal."""
        decay = self.o["diagonal"] * 100 / (100 + self.pairs)
        here = (np.arange(steps) + 0.5) / steps
        there = (np.arange(states) + 0.5) / states
        return np.exp(-decay * abs(here[:, None] - there[None, :]))

    def similarity(self, a: str, b: str) -> float:
        """0 unless above the floor."""
        similarity = 1 - edit_distance(a, b) / max(len(a), len(b), 1)
        return similarity if similarity > self.o["similarity_floor"] else 0.0

    def prior(self, a: str, b: str) -> float:
        floor = self.o["similarity_floor"]
        excess = max(0.0, self.similarity(a, b) - floor) / (1 - floor)
        return float(self.o["prior_weight"] * excess ** self.o["similarity_power"]) if excess else 0.0

    def pseudo_count(self, level: int, a: str, b: str) -> float:
        """Of a pair of types, by spelling and by the lexicon, which knows nothing of types that were never seen."""
        seen = a in self.frequency["source"][level] and b in self.frequency["target"][level]
        return self.o["alpha"] + self.prior(a, b) + (self.lexicon[level].get((a, b), 0.0) if seen else 0.0)

    # --- Cues ---

    def seen(self, word: Word, side: str, final: bool) -> int:
        """Occurrences of a word; when decoding, those of its finest type."""
        return self.frequency[side][-1][word.forms[-1]] if final else self.word_frequency[side][word]

    def cue(self, e: Word, f: Word) -> float:
        """What letters and kinds say about two words, as the logarithm of odds."""
        a, b = e.forms[-1], f.forms[-1]
        shared = max(0.0, self.similarity(a, b) - self.o["similarity_floor"]) * max(len(a), len(b))
        result = min(10.0, self.o["letter_weight"] * shared)
        if e.kind == f.kind:
            return result + (0.0 if e.kind == "plain" else self.o["kind_weight"])
        return result if e.letters and f.letters else result - self.o["kind_weight"]

    def cues(self, source: Sequence[Word], target: Sequence[Word], final: bool) -> Matrix:
        """Factors of the emissions of one sentence pair, source x target."""
        halving = self.o["cue_halving"] + 20 / (1 + self.pairs)
        result = np.ones((len(source), len(target)))
        mean = {}
        for side, words in (("source", source), ("target", target)):
            lengths = [word.letters for word in words if word.letters]
            mean[side] = sum(lengths) / len(lengths) if lengths else 1.0
        for i, e in enumerate(source):
            for j, f in enumerate(target):
                say = halving / (halving + min(self.seen(e, "source", final), self.seen(f, "target", final)))
                apart = 0.0
                if e.letters and f.letters:
                    apart = abs(math.log(e.letters / mean["source"]) - math.log(f.letters / mean["target"]))
                result[i, j] = math.exp(say * (self.cue(e, f) - self.o["length_weight"] * apart))
        return result

    # --- Maximisation ---

    def maximise(self, first: bool) -> None:
        """Expected links -> tables."""
        self.counts: list[dict[tuple[str, str], float]] = []
        self.mass: list[dict[tuple[str, str], float]] = []
        self.linked: list[dict[str, dict[str, float]]] = []  # by level, side and type: expected links
        self.pseudo: list[dict[str, dict[str, float]]] = []  # pseudo-counts of pairs that meet
        self.met: list[dict[str, dict[str, float]]] = []  # share of the other side's tokens
        self.total: list[dict[str, dict[str, float]]] = []
        for level in range(self.levels):
            past = self.past
            earlier = dict(past.counts[level]) if past else {}
            links: dict[tuple[str, str], float] = defaultdict(float)
            for row in self.rows:
                for i, e in enumerate(self.source[row]):
                    for j, f in enumerate(self.target[row]):
                        links[e.forms[level], f.forms[level]] += self.links[row][i, j]
            linked = _copied(past.linked[level] if past else None)
            pseudo = _copied(past.pseudo[level] if past else None)
            met = _copied(None)
            for (e_type, f_type), value in links.items():
                for side, one, opposite, other in (
                    ("source", e_type, "target", f_type),
                    ("target", f_type, "source", e_type),
                ):
                    linked[side][one] += value
                    if (e_type, f_type) not in earlier:
                        pseudo[side][one] += self.pseudo_count(level, e_type, f_type)
                    met[side][one] += self.frequency[opposite][level][other] / self.tokens[opposite]
            for side in met:
                for one, share in past.met[level][side].items() if past else ():
                    met[side][one] = 1 - (1 - met[side][one]) * (1 - share)
            total = {
                side: {
                    one: linked[side][one] + pseudo[side][one] + self.o["base_weight"] * met[side][one]
                    for one in self.frequency[side][level]
                }
                for side in met
            }
            counts = Counter(earlier)
            counts.update(links)
            self.counts.append({pair: count for pair, count in counts.items() if count >= NEGLIGIBLE})
            self.mass.append({pair: count + self.pseudo_count(level, *pair) for pair, count in counts.items()})
            self.linked.append(linked)
            self.pseudo.append(pseudo)
            self.met.append(met)
            self.total.append(total)
        self.null_count: dict[str, dict[str, float]] = {}
        for side, sentences in (("source", self.source), ("target", self.target)):
            count: dict[str, float] = defaultdict(float, self.past.null_count[side] if self.past else {})
            for row in self.rows:
                for word, share in zip(sentences[row], self.null[side][row], strict=True):
                    count[word.forms[-1]] = 1.0 if first and not self.past else count[word.forms[-1]] + share
            self.null_count[side] = count

    # --- Emissions ---

    def spelling(self, word: Word, side: str, level: int, final: bool) -> float:
        """p(word | its type)."""
        of_type = max(1, self.frequency[side][level][word.forms[level]])
        return min(of_type, max(1, self.seen(word, side, final))) / of_type

    def emission(self, e: Word, f: Word, to: str, own: float, final: bool) -> float:
        """p(target word f | source word e) for to="target", the other way round for "source", without cues."""
        given = "source" if to == "target" else "target"
        emitted, giver = (f, e) if to == "target" else (e, f)
        estimate = self.sharpen if final else float
        result = 0.0
        for level in range(self.levels):
            base = self.o["base_weight"] * max(1, self.frequency[to][level][emitted.forms[level]]) / self.tokens[to]
            if giver.forms[level] in self.frequency[given][level]:
                pair = e.forms[level], f.forms[level]
                mass = self.mass[level].get(pair, self.pseudo_count(level, *pair))
                total = self.total[level][given][giver.forms[level]] - own
                share = estimate(max(0.0, mass - own) + base) / estimate(total)
            else:
                share = base / self.o["base_weight"]
            result += self.spelling(emitted, to, level, final) * share / self.levels
        return max(SMALLEST, result)

    def null_emission(self, word: Word, side: str, final: bool) -> float:
        estimate = self.sharpen if final else float
        count, types = self.null_count[side], self.frequency[side][-1]
        total = sum(count[t] for t in types) + self.o["alpha"] * len(types) + self.o["null_base_weight"]
        base = self.o["null_base_weight"] * max(1, types[word.forms[-1]]) / self.tokens[side]
        mass = count[word.forms[-1]] + self.o["alpha"] + base
        return max(SMALLEST, estimate(mass) / estimate(total) * self.spelling(word, side, -1, final))

    def emissions(
        self, source: Sequence[Word], target: Sequence[Word], to: str, own: Matrix, final: bool
    ) -> tuple[Matrix, Matrix]:
        """Steps x states, and by step for the null word. `own`: expected links to leave out of the counts."""
        matrix = np.array(
            [[self.emission(e, f, to, own[i, j], final) for j, f in enumerate(target)] for i, e in enumerate(source)]
        )
        matrix = matrix * self.cues(source, target, final)
        null = np.array([self.null_emission(word, to, final) for word in (target if to == "target" else source)])
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

    def visit(self, hmm: bool) -> None:
        """The expectation step."""
        counts = {side: Counter[int]() for side in ("source", "target")}
        for row in self.rows:
            both = []
            own = self.links[row]
            for to, over in (("target", "source"), ("source", "target")):
                emission, null = self.emissions(self.source[row], self.target[row], to, own, False)
                kept = self.kept[row].T if to == "target" else self.kept[row]
                emission = np.where(kept, emission, SMALLEST if hmm else 0.0)
                if hmm:
                    word, null, jumps = self.hmm(emission * self.position(*emission.shape), null, over)
                    counts[over].update(jumps)
                else:
                    word, null = self.model1(emission, null)
                self.null[to][row] = null
                both.append(word)
            forward, backward = both[0].T, both[1]
            self.links[row] = (forward * backward if hmm else (forward + backward) / 2) * self.kept[row]
        if hmm:
            self.update_jumps(counts)

    def leave_out_nil(self) -> None:
        """Forgets cells that are hardly linked, for the rest of the fit."""
        for row in self.rows:
            self.kept[row] &= self.links[row] >= NIL
            self.links[row] = np.where(self.kept[row], self.links[row], 0.0)

    def update_jumps(self, counts: dict[str, Counter[int]]) -> None:
        prior = {d: math.exp(-0.7 * abs(d - 1)) + 1e-2 for d in self.lengths()}
        self.jump_counts = counts
        if self.past:
            self.jump_counts = {over: counts[over] + self.past.jump_counts[over] for over in counts}
        for over, seen in self.jump_counts.items():
            total = self.o["jump_smoothing"] + sum(seen.values())
            for d in self.lengths():
                room = self.far[over] if abs(d) == self.o["jump_clip"] else 1.0
                smoothing = self.o["jump_smoothing"] * prior[d] / sum(prior.values())
                self.jumps[over][d] = (seen[d] / room + smoothing) / total

    def fit(self) -> None:
        first_ones = int(self.o["ibm1_iterations"])
        if self.past:
            first_ones = min(2, first_ones)
        for iteration in range(first_ones + int(self.o["hmm_iterations"])):
            self.maximise(iteration == 0)
            self.visit(iteration >= first_ones)
            if ITERATIONS_ON_ALL - 1 <= iteration < first_ones:
                self.leave_out_nil()
        self.maximise(False)

    def scores(self, source: Sequence[str], target: Sequence[str]) -> Matrix:
        """Of all word pairs of a sentence pair, after `fit`."""
        both = []
        for to, over in (("target", "source"), ("source", "target")):
            emission, null = self.final_emissions(source, target, to)
            both.append(self.hmm(emission, null, over)[0])
        result: Matrix = (both[0].T + both[1]) / 2
        return result

    def final_emissions(self, source: Sequence[str], target: Sequence[str], to: str) -> tuple[Matrix, Matrix]:
        words = [self.word(token) for token in source], [self.word(token) for token in target]
        own = np.zeros((len(source), len(target)))
        emission, null = self.emissions(*words, to, own, True)
        return emission * self.position(*emission.shape), null

    def viterbi(self, source: Sequence[str], target: Sequence[str], to: str) -> list[int | None]:
        """After `fit`: for each word of side `to` its partner, by the most probable path."""
        emission, null = self.final_emissions(source, target, to)
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
