"""Trains the classifier of links behind `decode="discriminative"`, and says what it is worth where it was not trained.

    python bench/train_link_classifier.py --leave-one-out     each set's error rate by a classifier of the other sets
    python bench/train_link_classifier.py -o cpp/src/aligner/link_classifier_weights.inc

Hand-made links of nine language pairs (`word-alignment/` and the development sets of XL-WA in the test data). The
aligner is fitted on each set as a whole, on its first 10 to 300 pairs, on groups of 1, 3, 10 and 30 pairs alone, on
some of them with a lexicon, and on nothing, so that the classifier meets posteriors of much evidence and of little.
Two networks with one hidden layer each, the second of which is given the first one's probabilities of the cells around
as well; either side's view of a cell is an example. Needs PyTorch, and the numbers that it writes depend on its
version.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

import xner
import xner._core as _core
from quality_alignment import SETS, XLWA, TestSet, xlwa  # type: ignore[import-not-found]  # beside this file
from xner._support.arrow import pylist
from xner.alignment._pairs import parallel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Floats = npt.NDArray[np.float32]
Sentence = list[str]
Links = list[set[tuple[int, int]]]

HIDDEN = 16
EPOCHS = 6
CELLS_AT_ONCE = 2048
LEARNING_RATE = 0.01
WEIGHT_DECAY = 0.01
WEIGHT_OF_POSSIBLE = 0.3
"""Of a cell that is a possible link; of all others it is 1."""
THRESHOLDS = np.arange(0.2, 0.7, 0.05)
WHOLE = "all"


@dataclass(frozen=True)
class Corpus:
    """Sentence pairs, the first of which have hand-made links."""

    name: str
    source: list[Sentence]
    target: list[Sentence]
    sure: Links
    possible: Links

    def rows(self, most: int) -> slice:
        """The first of those with links."""
        return slice(0, min(most, len(self.sure)))

    def fitted(self, rows: slice, lexicon_weight: float = 0.0) -> xner.Aligner:
        """The aligner, fitted on some of the pairs; half of all linked words are a lexicon, where that has a weight."""
        lexicon = self._linked_words()[::2] if lexicon_weight else None
        weight = lexicon_weight or 1.0
        return xner.Aligner.fit(self.source[rows], self.target[rows], lexicon=lexicon, lexicon_weight=weight)

    def _linked_words(self) -> list[tuple[str, str]]:
        found = set()
        for source, target, links in zip(self.source, self.target, self.sure, strict=False):
            found |= {(source[i], target[j]) for i, j in links if i < len(source) and j < len(target)}
        return sorted(found)


Fitted = list[tuple[xner.Aligner, slice]]
"""Aligners, and the rows that each is used on."""


def fitted_on_first(corpus: Corpus, *, fit: int | None, use: int) -> Fitted:
    """One aligner of the first pairs."""
    return [(corpus.fitted(slice(fit)), corpus.rows(use))]


def fitted_in_groups(corpus: Corpus, *, size: int, lexicon_weight: float = 0.0) -> Fitted:
    """An aligner for each group of pairs."""
    end = corpus.rows(120).stop
    groups = [slice(at, min(at + size, end)) for at in range(0, end, size)]
    return [(corpus.fitted(group, lexicon_weight), group) for group in groups]


WAYS: dict[str, tuple[float, Callable[[Corpus], Fitted]]] = {
    WHOLE: (1.0, partial(fitted_on_first, fit=None, use=10_000)),
    "first 300": (0.15, partial(fitted_on_first, fit=300, use=150)),
    "first 100": (0.15, partial(fitted_on_first, fit=100, use=150)),
    "first 30": (0.1, partial(fitted_on_first, fit=30, use=150)),
    "first 10": (0.1, partial(fitted_on_first, fit=10, use=150)),
    "30": (0.15, partial(fitted_in_groups, size=30)),
    "10": (0.1, partial(fitted_in_groups, size=10)),
    "3": (0.1, partial(fitted_in_groups, size=3)),
    "1": (0.1, partial(fitted_in_groups, size=1)),
    "3, lexicon": (0.1, partial(fitted_in_groups, size=3, lexicon_weight=30.0)),
    "30, lexicon": (0.1, partial(fitted_in_groups, size=30, lexicon_weight=3.0)),
    "nothing": (0.05, partial(fitted_on_first, fit=0, use=80)),
}
"""Ways to fit, with the weight of their examples together."""


class Examples:
    """The cells of a corpus that may be links, by one way to fit.

    Attributes:
        features: float32 of shape (cells, 2, features): what the first network is given.
        is_link: float32 by cell, 1 for possible links as well.
        weight: float32 by cell.
        first: float32 by cell: the first network's probabilities, once there is one.
    """

    def __init__(self, corpus: Corpus, way: str) -> None:
        """Fits and describes."""
        total, fit = WAYS[way]
        self.corpus, self.way = corpus.name, way
        self.first: Floats = np.zeros(0, np.float32)
        self._calls: list[tuple[tuple[Any, ...], int]] = []
        self._sure = 0
        kinds: list[tuple[bool, bool]] = []
        for model, rows in fit(corpus):
            call = (model._model, *model._known(parallel(corpus.source[rows], corpus.target[rows])))
            offsets, source, target, _ = _core.link_features(*call, first=self.first)
            self._calls.append((call, len(source)))
            sure, possible = corpus.sure[rows], corpus.possible[rows]
            self._sure += sum(map(len, sure))
            for row, (begin, end) in enumerate(pairwise(offsets)):
                cells = zip(source[begin:end].tolist(), target[begin:end].tolist(), strict=True)
                kinds += [(cell in sure[row], cell in possible[row]) for cell in cells]
        is_sure, is_possible = np.array(kinds, bool).T
        self._is_sure, self._is_link = is_sure, is_sure | is_possible
        self.is_link = self._is_link.astype(np.float32)
        weight = np.where(self._is_link & ~is_sure, WEIGHT_OF_POSSIBLE, 1.0) * total / self._sure
        self.weight = weight.astype(np.float32)
        self.features = self._features(self.first)

    def second_features(self) -> Floats:
        """What the second network is given; of the same shape but for the number of features."""
        return self._features(self.first)

    def _features(self, first: Floats) -> Floats:
        values, done = [], 0
        for call, cells in self._calls:
            if cells:
                values.append(_core.link_features(*call, first=first[done : done + cells])[3])
            done += cells
        return np.concatenate(values).reshape(len(self.is_link), 2, -1)

    def error_rate(self, probabilities: Floats, threshold: float) -> float:
        """Alignment error rate in percent (Och, Ney 2003)."""
        found = probabilities > threshold
        good = (found & self._is_sure).sum() + (found & self._is_link).sum()
        return float(100 * (1 - good / (found.sum() + self._sure)))


@dataclass(frozen=True)
class Network:
    """One hidden layer, trained on features of mean 0 and variance 1."""

    module: torch.nn.Sequential
    mean: torch.Tensor
    deviation: torch.Tensor

    @classmethod
    def train(cls, features: Floats, is_link: Floats, weight: Floats) -> Network:
        """From examples: features of shape (examples, features)."""
        torch.manual_seed(0)
        x, y, w = map(torch.from_numpy, (features, is_link, weight / weight.mean()))
        mean, deviation = x.mean(0), x.std(0) + 1e-6
        x = (x - mean) / deviation
        module = torch.nn.Sequential(
            torch.nn.Linear(x.shape[1], HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, 1), torch.nn.Flatten(0)
        )
        steps = EPOCHS * -(-len(x) // CELLS_AT_ONCE)
        optimizer = torch.optim.AdamW(module.parameters(), weight_decay=WEIGHT_DECAY)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, steps)
        loss = torch.nn.BCEWithLogitsLoss(reduction="none")
        for _ in range(EPOCHS):
            for rows in torch.split(torch.randperm(len(x)), CELLS_AT_ONCE):
                optimizer.zero_grad()
                (loss(module(x[rows]), y[rows]) * w[rows]).mean().backward()
                optimizer.step()
                schedule.step()
        return cls(module, mean, deviation)

    def probabilities(self, features: Floats) -> Floats:
        """By cell, the mean of both views. `features`: of shape (cells, 2, features)."""
        flat = torch.from_numpy(features.reshape(-1, features.shape[-1]))
        with torch.no_grad():
            both = torch.sigmoid(self.module((flat - self.mean) / self.deviation))
        result: Floats = both.numpy().reshape(-1, 2).mean(1)
        return result

    def numbers(self) -> Floats:
        """As the core has them: weights by feature and unit, biases, weights of units, bias; unscaled."""
        weights, biases, *output = (parameter.detach().double() for parameter in self.module.parameters())
        weights = weights / self.deviation.double()
        parts = (weights.T, biases - weights @ self.mean.double(), *output)
        return np.concatenate([part.numpy().ravel() for part in parts]).astype(np.float32)


def train(examples: Sequence[Examples]) -> tuple[Network, Network]:
    """Both networks; the examples have the first one's probabilities afterwards."""

    def network(features: Callable[[Examples], Floats]) -> Network:
        both = [features(one) for one in examples]
        flat = np.concatenate([values.reshape(-1, values.shape[-1]) for values in both])
        is_link, weight = (
            np.concatenate([np.repeat(getattr(one, name), 2) for one in examples]) for name in ("is_link", "weight")
        )
        return Network.train(flat, is_link, weight)

    first = network(lambda one: one.features)
    for one in examples:
        one.first = first.probabilities(one.features)
    return first, network(Examples.second_features)


def classified(examples: Examples, networks: tuple[Network, Network]) -> Floats:
    """Probabilities by cell."""
    examples.first = networks[0].probabilities(examples.features)
    return networks[1].probabilities(examples.second_features())


def corpora(data: Path) -> Iterator[Corpus]:
    """All sets with links."""

    def links(column: Any) -> Links:
        return [{(link["source"], link["target"]) for link in row} for row in pylist(column)]

    for name in SETS:
        one = TestSet.read(data, name)
        yield Corpus(name, one.source, one.target, links(one.sure), links(one.possible))
    for name in XLWA:
        source, target, gold = xlwa(data, name)
        yield Corpus(name, source, target, links(gold), links(gold))


def report_left_out(examples: Sequence[Examples]) -> None:
    """Error rates of each set by networks trained on the others, with the threshold that is best for those."""
    names = list(dict.fromkeys(one.corpus for one in examples))
    print(f"{'set':<8}{'threshold':>10}" + "".join(f"{way:>11}" for way in WAYS), flush=True)
    rates = []
    for name in names:
        others = [one for one in examples if one.corpus != name]
        networks = train(others)
        found = [(one, classified(one, networks)) for one in others if one.way == WHOLE]
        threshold = min(THRESHOLDS, key=lambda at: fmean(one.error_rate(values, at) for one, values in found))
        own = [one for one in examples if one.corpus == name]
        rates.append([one.error_rate(classified(one, networks), threshold) for one in own])
        print(f"{name:<8}{threshold:>10.2f}" + "".join(f"{rate:>11.1f}" for rate in rates[-1]), flush=True)
    for what, part in (("mean of the first four", rates[: len(SETS)]), ("of XL-WA", rates[len(SETS) :])):
        print(f"{what:<18}" + "".join(f"{fmean(column):>11.2f}" for column in zip(*part, strict=True)))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("XNER_TEST_DATA", "../shared/data")))
    parser.add_argument("--leave-one-out", action="store_true", help="say what it is worth on sets it does not know")
    parser.add_argument("-o", "--output", type=Path, help="train on all sets, and write the numbers there")
    options = parser.parse_args()
    torch.set_num_threads(1)  # sums do not depend on the machine's cores
    examples = [Examples(corpus, way) for corpus in corpora(options.data) for way in WAYS]
    if options.leave_one_out:
        report_left_out(examples)
    if options.output:
        networks = train(examples)
        for one in examples:
            if one.way == WHOLE:
                rates = (one.error_rate(classified(one, networks), at) for at in (0.4, 0.45, 0.5, 0.55))
                print(f"{one.corpus:<8}" + "".join(f"{rate:>8.1f}" for rate in rates))
        numbers = np.concatenate([network.numbers() for network in networks])
        lines = [
            ", ".join(f"{value:.9g}F" if value % 1 else f"{value:.1f}F" for value in numbers[at : at + 8])
            for at in range(0, len(numbers), 8)
        ]
        options.output.write_text("// Written by bench/train_link_classifier.py.\n" + ",\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
