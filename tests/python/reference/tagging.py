"""Distributions over a model's tags as distributions over IOB2 labels, and labels read off either."""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

from reference import labels as reference_labels

Label = TypeVar("Label", bound=Hashable)
Distribution = Mapping[str, float]
"""Probabilities by tag: `O`, or a prefix, a hyphen and a class."""

LEAST = 1e-30


def most_probable(word: Distribution) -> str:
    return max(word, key=lambda tag: word[tag])  # the first of several


def of_word(pieces: Sequence[Mapping[Label, float]], how: str) -> Mapping[Label, float]:
    """A word's distribution from those of its pieces."""
    if how == "first":
        return pieces[0]
    if how == "mean":
        return {tag: math.fsum(piece[tag] for piece in pieces) / len(pieces) for tag in pieces[0]}
    return max(pieces, key=lambda piece: max(piece.values()))


def to_iob2(words: Sequence[Distribution], classes: Sequence[str], scheme: str) -> list[dict[str, float]]:
    """One sentence."""
    result = []
    for position, word in enumerate(words):
        before = most_probable(words[position - 1]) if position else "O"
        found = {"O": 0.0} | {f"{prefix}-{name}": 0.0 for name in classes for prefix in "BI"}
        for tag, probability in word.items():
            prefix, _, name = tag.partition("-")
            begins = prefix in "BS"
            if prefix == "I" and scheme in {"IOB1", "plain"}:
                begins = before.partition("-")[2] != name
            label = "O" if tag == "O" else f"B-{name}" if begins else f"I-{name}"
            found[label] += probability
        result.append(found)
    return result


def argmax_labels(words: Sequence[Distribution]) -> list[str]:
    """One sentence's IOB2 labels, by its most probable tags."""
    entities = reference_labels.decode([most_probable(word) for word in words])
    labels = ["O"] * len(words)
    for start, end, name in entities:
        labels[start:end] = [f"B-{name}"] + [f"I-{name}"] * (end - start - 1)
    return labels


def is_valid(labels: Sequence[str]) -> bool:
    """Whether every I- follows a B- or an I- of its class."""
    return all(
        not label.startswith("I-") or before in {f"B-{label[2:]}", label}
        for before, label in itertools.pairwise(["O", *labels])
    )


def path_probability(words: Sequence[Distribution], labels: Sequence[str]) -> float:
    return math.prod(max(word[label], LEAST) for word, label in zip(words, labels, strict=True))


def best_probability(words: Sequence[Distribution]) -> float:
    """Of the best valid path, by trying all."""
    return max(path_probability(words, labels) for labels in itertools.product(*words) if is_valid(labels))
