"""Sentences of two languages in mostly the same order, of which either side lacks some: which belong together.

Source: Gale, Church (1993), "A program for aligning sentences in bilingual corpora", section 3, for lengths; Simard,
Foster, Isabelle (1992) for cognates; Moore (2002), "Fast and accurate sentence alignment of bilingual corpora", for
passes, of which later ones know the words of the pairs that earlier ones found. What differs: rows are not merged, so
that there are three moves, 1-1, 1-0 and 0-1; a pair's score is its posterior probability, by the forward and backward
algorithm of a pair hidden Markov model (Durbin et al. 1998, chapter 4), and not a place on the best path.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from xner.text.normalization import normalize

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["SentenceAlignment", "align_sentences"]

_PASSES = 3
_PREFIX = 4  # letters that cognates share
_VARIANCE = 6.8  # of characters a character of the source (Gale, Church 1993, section 3.2)
_OUTLIERS = 0.02  # of pairs, of any lengths
_KEPT = 0.3  # of words, numbers and prefixes that a translation has as they are, before any pairs are known
_LEAST_EVIDENCE = 0.5  # in nats: words that tell less are not looked at
_MOST_EVIDENCE = 7.0
_TRUST = 0.7  # of the evidence of words, which is not as independent as its sum has it
_LEAST_KEPT = 0.05  # posterior probability of pairs that are worth naming
_KNOWN_PAIR = 0.9  # posterior probability from which a pair is learned from
_LEARNED_PAIRS = 20_000  # as many of them, evenly spread
_LEAST_TOGETHER = 3  # pairs that have two words for these to be translations
_WHOLE = 4_000_000  # cells of a table that is looked at whole
_WIDTH = 1024  # columns of a band in larger ones
_CELLS = 1 << 20  # of a block of rows, which are
_BLOCK = 512  # at most
_RARE = 4  # rows of a side that have a word, for it to tell where the band should lie
_EDGE = 16  # a part so small at either side of the band should hold next to nothing of the path
_ON_THE_EDGE = 0.01
_WIDENED = 3  # times, at most


@dataclass(frozen=True, slots=True)
class SentenceAlignment:
    """Pairs of sentences, in the order of both sides.

    Attributes:
        first: int64, rows of the first side, rising.
        second: int64, as many, rows of the second side, rising.
        scores: float64 in [0, 1], as many: posterior probability that the two belong together.
        unsure: int64, rows of the first side that have a partner more probably than not, but no one that reaches the
            least score.
    """

    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float64]
    unsure: npt.NDArray[np.int64]


def align_sentences(
    first: Sequence[Sequence[str]], second: Sequence[Sequence[str]], *, least_score: float = 0.5
) -> SentenceAlignment:
    """Find which sentences of two languages belong together.

    Takes time for rows times the band's width: both whole up to 4 million pairs of rows, from there on a band of 1024
    rows around the words that are rare on both sides, or around the diagonal where there are none; it is made wider,
    up to eight times, where the path runs along its edge. Memory is for the words and a few thousand rows of the band
    alone, never for all pairs of rows. The result depends on the sentences alone.

    Args:
        first: words of each sentence; one without words has no partner.
        second: of the other language, in mostly the same order.
        least_score: of pairs, from 0.5 to 1. From 0.5 on no row can have two, and no two can cross.

    Returns:
        The pairs.
    """
    rows = [np.flatnonzero(_lengths(side)) for side in (first, second)]
    if not all(len(side) for side in rows):
        none = np.zeros(0, np.int64)
        return SentenceAlignment(none, none, np.zeros(0), none)
    sides = _Side.of([first[row] for row in rows[0].tolist()]), _Side.of([second[row] for row in rows[1].tolist()])
    model = _Model.at_first(sides)
    band = _Band.around(sides, _rare_places(sides))
    for number in range(_PASSES):
        found = _posteriors(model, band)
        for _ in range(_WIDENED):
            if not found.is_cut:
                break
            band = _Band.around(sides, found.places(), band.width * 2)
            found = _posteriors(model, band)
        if number < _PASSES - 1:
            model = _Model.learned(sides, found)
            band = _Band.around(sides, found.places(), band.width)
    kept = found.scores >= least_score
    best = np.zeros(len(rows[0]))
    np.maximum.at(best, found.first, found.scores)
    unsure = np.flatnonzero((found.partnered >= 0.5) & (best < least_score))
    # At one half exactly two pairs may exclude each other; the first of them is kept.
    order = np.flatnonzero(kept)
    order = order[np.unique(found.first[order], return_index=True)[1]]
    order = order[np.unique(found.second[order], return_index=True)[1]]
    return SentenceAlignment(
        rows[0][found.first[order]],
        rows[1][found.second[order]],
        np.minimum(found.scores[order], 1.0),
        rows[0][unsure],
    )


def _lengths(sentences: Sequence[Sequence[str]]) -> npt.NDArray[np.int64]:
    """Characters of each sentence, blanks between its words aside."""
    return np.array([sum(map(len, words)) for words in sentences], np.int64)


@dataclass(frozen=True, slots=True)
class _Side:
    """Sentences as numbers.

    Attributes:
        lengths: of each, in characters.
        starts: of each one's features among all, and the end.
        features: what tells sentences apart: their words folded, and prefixes of words, each once a sentence.
        names: number of each feature by its text; a prefix's ends with `*`.
    """

    lengths: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    features: npt.NDArray[np.int64]
    names: dict[str, int]

    @classmethod
    def of(cls, sentences: Sequence[Sequence[str]]) -> _Side:
        names: dict[str, int] = {}
        of_word: dict[str, tuple[int, ...]] = {}
        rows: list[list[int]] = []
        for words in sentences:
            found: set[int] = set()
            for word in words:
                if word not in of_word:
                    of_word[word] = tuple(names.setdefault(one, len(names)) for one in _features(word))
                found.update(of_word[word])
            rows.append(sorted(found))
        starts = np.zeros(len(rows) + 1, np.int64)
        np.cumsum([len(row) for row in rows], out=starts[1:])
        return cls(_lengths(sentences), starts, np.array([one for row in rows for one in row], np.int64), names)

    def __len__(self) -> int:
        return len(self.lengths)

    def rows(self) -> npt.NDArray[np.int64]:
        """The row of each of `features`."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    def counts(self) -> npt.NDArray[np.int64]:
        """In how many rows each feature is."""
        return np.bincount(self.features, minlength=len(self.names))

    def postings(self) -> npt.NDArray[np.int64]:
        """Each feature's rows: feature times the number of rows, and the row; rising."""
        return np.sort(self.features * len(self) + self.rows())


def _features(word: str) -> list[str]:
    """A word folded, and a prefix that cognates and other forms of it have as well; none of what has no letters."""
    folded = normalize(word).replace("*", "")
    return [folded, _prefix_of(folded)] if any(letter.isalnum() for letter in folded) else []


def _prefix_of(folded: str) -> str:
    """What a folded word counts as with others: numbers and short words alone with themselves."""
    return f"{folded[:_PREFIX] if folded.isalpha() else folded}*"


@dataclass(frozen=True, slots=True)
class _Model:
    """What a pair's score is made of, as logarithms of how much likelier it is for two sentences that belong together.

    Attributes:
        sides: the sentences.
        moves: logarithms of the probabilities of 1-1, 1-0 and 0-1.
        lengths: characters of the second side a character of the first, and their variance.
        entries: pairs of features that are evidence: number in the first side, rising; number in the second.
        evidence: of each, where a pair of sentences has both, in nats.
        absent: of each row of the first side: evidence where no partner of a feature is there, in nats, at most 0.
        postings: of the second side.
    """

    sides: tuple[_Side, _Side]
    moves: tuple[float, float, float]
    lengths: tuple[float, float]
    entries: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
    evidence: npt.NDArray[np.float64]
    absent: npt.NDArray[np.float64]
    postings: npt.NDArray[np.int64]

    @classmethod
    def at_first(cls, sides: tuple[_Side, _Side]) -> _Model:
        """By lengths and by what is the same on both sides."""
        pairs = 0.9 * min(map(len, sides))
        return cls._of(
            sides,
            _moves(pairs, sides),
            (float(sides[1].lengths.mean() / sides[0].lengths.mean()), _VARIANCE),
            *_same_features(sides),
        )

    @classmethod
    def learned(cls, sides: tuple[_Side, _Side], found: _Found) -> _Model:
        """By what pairs of an earlier pass have."""
        known = found.scores >= _KNOWN_PAIR
        moves = _moves(float(found.scores.sum()), sides)
        if known.sum() < _LEAST_TOGETHER:
            ratio = float(sides[1].lengths.mean() / sides[0].lengths.mean())
            return cls._of(sides, moves, (ratio, _VARIANCE), *_same_features(sides))
        rows = found.first[known], found.second[known]
        chars = [side.lengths[one].astype(np.float64) for side, one in zip(sides, rows, strict=True)]
        ratio = float(chars[1].sum() / chars[0].sum())
        squares = (chars[1] - ratio * chars[0]) ** 2 / chars[0]
        # The middle square of a normal distribution is .455 of the variance; outliers do not move it.
        variance = max(float(np.median(squares)) / 0.455, 0.5)
        return cls._of(sides, moves, (ratio, variance), *_translations(sides, rows))

    @classmethod
    def _of(
        cls,
        sides: tuple[_Side, _Side],
        moves: tuple[float, float, float],
        lengths: tuple[float, float],
        one: npt.NDArray[np.int64],
        other: npt.NDArray[np.int64],
        evidence: npt.NDArray[np.float64],
        absent: npt.NDArray[np.float64],
    ) -> _Model:
        order = np.lexsort((other, one))
        weights = _sums(one, absent, len(sides[0].names))
        by_row = _sums(sides[0].rows(), weights[sides[0].features], len(sides[0]))
        entries = one[order], other[order]
        return cls(sides, moves, lengths, entries, evidence[order], by_row, sides[1].postings())

    def scores(self, rows: range, starts: npt.NDArray[np.int64], width: int) -> npt.NDArray[np.float64]:
        """Scores of pairs, of rows of the first side with `width` ones of the second, from `starts` on; in nats."""
        one, other = self.sides
        columns = starts[:, None] + np.arange(width)
        lengths = _length_evidence(
            one.lengths[rows.start : rows.stop], other.lengths[np.minimum(columns, len(other) - 1)], self
        )
        words = self._word_evidence(rows, starts, width) + self.absent[rows.start : rows.stop, None]
        scores = self.moves[0] + lengths + _TRUST * words
        scores[columns >= len(other)] = -np.inf
        return scores

    def _word_evidence(self, rows: range, starts: npt.NDArray[np.int64], width: int) -> npt.NDArray[np.float64]:
        one, other = self.sides
        begin, end = one.starts[rows.start], one.starts[rows.stop]
        features = one.features[begin:end]
        places = np.repeat(np.arange(len(rows)), np.diff(one.starts[rows.start : rows.stop + 1]))
        # Each feature of a row with each entry that it has.
        low, high = (np.searchsorted(self.entries[0], features, side) for side in ("left", "right"))
        entries, which = _ranges(low, high)
        places = places[which]
        keys = self.entries[1][entries] * len(other)
        low = np.searchsorted(self.postings, keys + starts[places])
        high = np.searchsorted(self.postings, keys + np.minimum(starts[places] + width, len(other)))
        found, which = _ranges(low, high)
        columns = self.postings[found] - keys[which] - starts[places[which]]
        cells = places[which] * width + columns
        evidence = _sums(cells, self.evidence[entries[which]], len(rows) * width)
        return evidence.reshape(len(rows), width)


def _sums(places: npt.NDArray[np.int64], values: npt.NDArray[np.float64], size: int) -> npt.NDArray[np.float64]:
    """Of each place from 0 to `size`, the sum of its values."""
    sums: Any = np.bincount(places, values, minlength=size)
    return np.asarray(sums, np.float64)


def _ranges(
    low: npt.NDArray[np.int64], high: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """All numbers of several ranges, one after the other, and the range that each is of."""
    sizes = high - low
    which = np.repeat(np.arange(len(low)), sizes)
    before = np.cumsum(sizes) - sizes
    return np.arange(len(which)) - before[which] + low[which], which


def _moves(pairs: float, sides: tuple[_Side, _Side]) -> tuple[float, float, float]:
    """Logarithms of the probabilities of moves, by how many pairs there are."""
    counts = np.maximum([pairs, len(sides[0]) - pairs, len(sides[1]) - pairs], 0.0) + 1.0
    one, two, three = np.log(counts / counts.sum())
    return float(one), float(two), float(three)


def _length_evidence(
    one: npt.NDArray[np.int64], other: npt.NDArray[np.int64], model: _Model
) -> npt.NDArray[np.float64]:
    """How much likelier lengths are for a pair than for any two sentences, in nats; at least that of outliers.

    Gale, Church (1993), section 3.2: the difference of lengths is normal, its variance proportional to the length.
    Any sentence's length is log-normal.
    """
    ratio, variance = model.lengths
    all_lengths = np.log(model.sides[1].lengths)
    spread = max(float(all_lengths.std()), 0.1)
    logs = np.log(other)
    of_any = -0.5 * ((logs - all_lengths.mean()) / spread) ** 2 - logs - log(spread)
    # One character more of variance, as lengths are whole.
    variances = variance * one[:, None] + 1.0
    of_pair = -0.5 * (other - ratio * one[:, None]) ** 2 / variances - 0.5 * np.log(variances)
    evidence: npt.NDArray[np.float64] = np.logaddexp(log(1 - _OUTLIERS) + of_pair - of_any, log(_OUTLIERS))
    return evidence


_Cells: TypeAlias = "npt.NDArray[np.float64]"
"""One row of the band: logarithms of probabilities."""

_Entries = tuple["npt.NDArray[np.int64]", "npt.NDArray[np.int64]", "npt.NDArray[np.float64]", "npt.NDArray[np.float64]"]


def _same_features(sides: tuple[_Side, _Side]) -> _Entries:
    """Entries for what is spelled the same on both sides: a whole word tells what it tells beyond its prefix."""
    names = [(number, sides[1].names[name], name) for name, number in sides[0].names.items() if name in sides[1].names]
    one = np.array([number for number, _, _ in names], np.int64)
    other = np.array([number for _, number, _ in names], np.int64)
    shares = [np.maximum(side.counts(), 1) / len(side) for side in sides]
    evidence = np.log(_KEPT / np.maximum(shares[0][one], shares[1][other]))
    evidence = np.clip(evidence, 0.0, _MOST_EVIDENCE)
    places = {name: place for place, (_, _, name) in enumerate(names)}
    prefixes = np.array(
        [-1 if name.endswith("*") else places.get(_prefix_of(name), -1) for _, _, name in names], np.int64
    )
    beyond = evidence - np.where(prefixes >= 0, evidence[prefixes], 0.0)
    keep = beyond >= np.where(prefixes >= 0, 1e-9, _LEAST_EVIDENCE)
    return one[keep], other[keep], beyond[keep], np.zeros(int(keep.sum()))


def _translations(sides: tuple[_Side, _Side], rows: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]) -> _Entries:
    """Entries of words, by prefix, that known pairs of sentences have together, beside what is spelled the same."""
    step = max(1, -(-len(rows[0]) // _LEARNED_PAIRS))
    picked = [one[::step] for one in rows]
    pairs = len(picked[0])
    stems = [np.array([name.endswith("*") for name in side.names], np.bool_) for side in sides]
    features, places, counts = [], [], []
    for side, is_stem, some in zip(sides, stems, picked, strict=True):
        found, which = _ranges(side.starts[some], side.starts[some + 1])
        keep = is_stem[side.features[found]]
        features.append(side.features[found][keep])
        places.append(which[keep])
        counts.append(np.bincount(features[-1], minlength=len(side.names)))
    # Each feature of the one sentence with each of the other, of sentence after sentence.
    ends = np.searchsorted(places[1], np.arange(pairs + 1))
    others, which = _ranges(ends[places[0]], ends[places[0] + 1])
    keys = features[0][which] * len(sides[1].names) + features[1][others]
    keys, together = np.unique(keys, return_counts=True)
    keys, together = keys[together >= _LEAST_TOGETHER], together[together >= _LEAST_TOGETHER]
    one, other = np.divmod(keys, len(sides[1].names))
    dice = 2 * together / (counts[0][one] + counts[1][other])
    # The best partner of each word of the first side, the earlier one of two that are as good.
    order = np.lexsort((other, -dice, one))
    order = order[np.unique(one[order], return_index=True)[1]]
    one, other, together, dice = one[order], other[order], together[order], dice[order]
    kept = (together + _KEPT) / (counts[0][one] + 1.0)
    share = np.maximum(sides[1].counts()[other] / len(sides[1]), 1e-9)
    share = np.minimum(share, 0.99)
    absent = np.log((1 - kept) / (1 - share))
    evidence = np.log(kept / share) - absent
    keep = (np.log(kept / share) >= _LEAST_EVIDENCE) & (dice >= 0.2)
    learned = one[keep], other[keep], np.minimum(evidence[keep], _MOST_EVIDENCE), np.minimum(absent[keep], 0.0)
    # What is spelled the same stays evidence where nothing better was learned.
    spelled = _same_features(sides)
    is_new = ~np.isin(spelled[0], learned[0])
    return tuple(np.concatenate([a, b[is_new]]) for a, b in zip(learned, spelled, strict=True))  # type: ignore[return-value]  # as many as there were


@dataclass(frozen=True, slots=True)
class _Band:
    """The cells that are looked at: of each number of rows of the first side, as many numbers of rows of the second.

    Attributes:
        starts: for 0 to all rows of the first side, the least number of rows of the second; never falling.
        widths: of each, how many numbers: as many as `width`, and more where the next one starts much further on.
        width: see there.
        columns: all of them: rows of the second side, and one.
    """

    starts: npt.NDArray[np.int64]
    widths: npt.NDArray[np.int64]
    width: int
    columns: int

    @classmethod
    def around(cls, sides: tuple[_Side, _Side], places: tuple[Any, Any], width: int = _WIDTH) -> _Band:
        """Around some pairs of rows, rising on both sides."""
        rows, columns = len(sides[0]) + 1, len(sides[1]) + 1
        width = columns if rows * columns <= _WHOLE else min(width, columns)
        known = [
            np.concatenate(([0], np.asarray(one) + 1, [len(side)])) for one, side in zip(places, sides, strict=True)
        ]
        middle = np.interp(np.arange(rows), known[0], known[1])
        starts = np.clip(np.round(middle).astype(np.int64) - width // 2, 0, columns - width)
        starts = np.maximum.accumulate(starts)
        jumps = np.diff(starts, append=starts[-1])
        return cls(starts, np.where(jumps > width // 4, jumps + width, width), width, columns)

    def blocks(self) -> list[range]:
        """Rows of the first side in parts, none of which has many cells unless it is one row."""
        found, begin, width = [], 0, 0
        for row in range(len(self.starts) - 1):
            width = max(width, int(self.widths[row]))
            if row > begin and (row - begin == _BLOCK or (row - begin + 1) * width > _CELLS):
                found.append(range(begin, row))
                begin, width = row, int(self.widths[row])
        return [*found, range(begin, len(self.starts) - 1)]


def _rare_places(sides: tuple[_Side, _Side]) -> tuple[list[int], list[int]]:
    """Rows that share what few rows have: the longest chain of pairs with at least two such features, rising."""
    counts = [side.counts() for side in sides]
    rows: list[dict[int, list[int]]] = []
    for side, count in zip(sides, counts, strict=True):
        of_feature: dict[int, list[int]] = {}
        rare = count[side.features] <= _RARE
        for feature, row in zip(side.features[rare].tolist(), side.rows()[rare].tolist(), strict=True):
            of_feature.setdefault(feature, []).append(row)
        rows.append(of_feature)
    shared: Counter[tuple[int, int]] = Counter()
    for name, number in sides[0].names.items():
        there = sides[1].names.get(name)
        if there in rows[1] and number in rows[0] and not name.endswith("*"):
            shared.update((one, other) for one in rows[0][number] for other in rows[1][there])
    pairs = sorted((one, -other) for (one, other), count in shared.items() if count >= 2)
    # The longest rising chain: the end of the best one of each length, and what came before each pair.
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for number, (_, negated) in enumerate(pairs):
        place = bisect_left(ends, -negated)
        before.append(last[place - 1] if place else -1)
        ends[place : place + 1] = [-negated]
        last[place : place + 1] = [number]
    chain: list[tuple[int, int]] = []
    number = last[-1] if last else -1
    while number >= 0:
        chain.append((pairs[number][0], -pairs[number][1]))
        number = before[number]
    chain.reverse()
    return [one for one, _ in chain], [other for _, other in chain]


@dataclass(frozen=True, slots=True)
class _Found:
    """Posterior probabilities of pairs, those that are worth naming.

    Attributes:
        first: rows, rising.
        second: rows.
        scores: probabilities.
        partnered: of each row of the first side: that it has any partner.
        is_cut: whether the path may run along the band's edge.
    """

    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float64]
    partnered: npt.NDArray[np.float64]
    is_cut: bool

    def places(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Pairs that are more probable than not."""
        likely = self.scores > 0.5
        return self.first[likely], self.second[likely]


def _posteriors(model: _Model, band: _Band) -> _Found:
    """Posterior probabilities of all pairs of the band.

    A path is a row of moves from no rows to all rows, 1-0 before 0-1 where both come between two pairs, so that each
    set of pairs is one path. `ahead[j]` is the logarithm of all paths' probability to the cell; `behind` from there.
    The first of them is kept at the start of each block of rows alone, and made again from there on the way back.
    """
    starts, widths = band.starts, band.widths.tolist()
    rows = len(starts) - 1
    blocks = band.blocks()
    skip_one, skip_other = model.moves[1:]
    slope: npt.NDArray[np.float64] = np.arange(max(widths), dtype=np.float64) * skip_other

    def scored(block: range) -> npt.NDArray[np.float64]:
        return model.scores(block, starts[block.start : block.stop], max(widths[block.start : block.stop]))

    def forward(block: range, without: _Cells, scores: npt.NDArray[np.float64]) -> tuple[list[_Cells], _Cells]:
        """The row before each of the block's, with all moves; the row after the last, without 0-1 moves after it."""
        found = []
        for place, row in enumerate(block):
            everything = _onward(without, slope)
            found.append(everything)
            by, size = int(starts[row + 1] - starts[row]), widths[row + 1]
            # The pair of row and column j goes from j to j + 1.
            paired = _shifted(everything + scores[place, : widths[row]], by - 1, size)
            without = np.logaddexp(paired, _shifted(without, by, size) + skip_one)
        return found, without

    state = np.full(widths[0], -np.inf)
    state[0] = 0.0
    at_start = []
    for block in blocks:
        at_start.append(state)
        state = forward(block, state, scored(block))[1]
    end = band.columns - 1 - int(starts[-1])
    total = float(_onward(state, slope)[end])
    # After the last row there are 0-1 moves alone.
    behind = np.full(widths[-1], -np.inf)
    behind[: end + 1] = (end - np.arange(end + 1)) * skip_other
    rows_found, columns_found, scores_found = [], [], []
    partnered = np.zeros(rows)
    most_on_edge = 0.0
    for block, before in zip(reversed(blocks), reversed(at_start), strict=True):
        scores = scored(block)
        found, _ = forward(block, before, scores)
        for place in range(len(block) - 1, -1, -1):
            row = block[place]
            by, size = int(starts[row + 1] - starts[row]), widths[row]
            ahead = _shifted(behind, 1 - by, size) + scores[place, :size]
            joint = np.exp(found[place] + ahead - total)
            partnered[row] = joint.sum()
            likely = np.flatnonzero(joint > _LEAST_KEPT)
            rows_found.append(np.full(len(likely), row))
            columns_found.append(likely + starts[row])
            scores_found.append(joint[likely])
            behind = np.logaddexp(_backward(ahead, slope), _shifted(behind, -by, size) + skip_one)
            edge = max(1, size // _EDGE)
            if starts[row] > 0:
                most_on_edge = max(most_on_edge, float(joint[:edge].sum()))
            if starts[row] + size < band.columns:
                most_on_edge = max(most_on_edge, float(joint[-edge:].sum()))
    return _Found(
        np.concatenate(rows_found[::-1]),
        np.concatenate(columns_found[::-1]),
        np.concatenate(scores_found[::-1]),
        partnered,
        most_on_edge > _ON_THE_EDGE,
    )


def _onward(cells: _Cells, slope: _Cells) -> _Cells:
    """Cells of a row, with all 0-1 moves after them; `slope` is what so many of these moves cost."""
    cost = slope[: len(cells)]
    onward: _Cells = np.logaddexp.accumulate(cells - cost) + cost
    return onward


def _backward(cells: _Cells, slope: _Cells) -> _Cells:
    """Cells of a row, with all 0-1 moves before them."""
    cost = slope[: len(cells)]
    backward: _Cells = np.logaddexp.accumulate((cells + cost)[::-1])[::-1] - cost
    return backward


def _shifted(cells: _Cells, by: int, size: int) -> _Cells:
    """Cells of a row of the band as those of another, of a size, that starts so much further on."""
    moved = np.full(size, -np.inf)
    part = cells[by : by + size] if by >= 0 else cells[: max(size + by, 0)]
    place = max(-by, 0)
    moved[place : place + len(part)] = part
    return moved
