"""Slow, plain counting of entities: what `xner.evaluate` and the bootstrap must return."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from reference.labels import decode

if TYPE_CHECKING:
    from collections.abc import Sequence

Labels = list[list[str]]
Counts = dict[str, tuple[int, int, int]]


def sentence_counts(gold: Sequence[str], predicted: Sequence[str], mode: str, ignore: Sequence[str]) -> Counts:
    """(tp, fp, fn) of each class of one sentence."""
    wanted = {entity for entity in decode(gold, mode=mode) if entity[2] not in ignore}
    found = {entity for entity in decode(predicted, mode=mode) if entity[2] not in ignore}
    result = {}
    for name in {entity[2] for entity in wanted | found}:
        one = [{entity for entity in side if entity[2] == name} for side in (wanted, found)]
        result[name] = (len(one[0] & one[1]), len(one[1] - one[0]), len(one[0] - one[1]))
    return result


def add(counts: Sequence[Counts]) -> Counts:
    """Sums by class."""
    result: Counts = {}
    for one in counts:
        for name, (tp, fp, fn) in one.items():
            before = result.get(name, (0, 0, 0))
            result[name] = (before[0] + tp, before[1] + fp, before[2] + fn)
    return result


def figures(tp: int, fp: int, fn: int) -> tuple[float, float, float]:
    """Precision, recall, F1; 0 where undefined."""
    precision = tp / (tp + fp) if tp + fp else 0.0
    recall = tp / (tp + fn) if tp + fn else 0.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return precision, recall, f1


def micro(counts: Counts) -> tuple[float, float, float]:
    """Figures of all classes together."""
    return figures(*(sum(one[index] for one in counts.values()) for index in range(3)))


def projection_ratio(counts: Sequence[Counts]) -> float:
    """Mean over sentences of predicted by gold entities: 1 for 0/0, the predicted number where gold is 0."""
    ratios = []
    for one in counts:
        gold = sum(tp + fn for tp, _, fn in one.values())
        predicted = sum(tp + fp for tp, fp, _ in one.values())
        ratios.append(1.0 if gold == predicted == 0 else predicted / gold if gold else float(predicted))
    return sum(ratios) / len(ratios) if ratios else 1.0


def bootstrap_f1(counts: Sequence[Counts], samples: int, seed: int) -> list[float]:
    """Micro F1 of resamples of the sentences, sorted."""
    rng = random.Random(seed)
    return sorted(micro(add(rng.choices(counts, k=len(counts))))[2] for _ in range(samples))
