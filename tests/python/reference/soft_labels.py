"""What several teachers say of a word, mixed one label at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Distribution = dict[str, float]


def mixed(opinions: Sequence[Distribution], weights: Sequence[float]) -> Distribution:
    """The weighted mean of distributions over labels; what a teacher has for `O` may be a label it does not know."""
    labels = set().union(*opinions)
    complete = [(one, weight) for one, weight in zip(opinions, weights, strict=True) if set(one) == labels]
    reference = {label: sum(weight * one[label] for one, weight in complete) for label in labels}
    result = dict.fromkeys(labels, 0.0)
    for one, weight in zip(opinions, weights, strict=True):
        outside = {"O", *(labels - set(one))}
        total = sum(reference[label] for label in outside)
        for label in labels:
            if label not in outside:
                share = one[label]
            elif total > 0:
                share = one["O"] * reference[label] / total
            else:
                share = one["O"] if label == "O" else 0.0
            result[label] += weight * share
    whole = sum(result.values())
    return {label: share / whole for label, share in result.items()}
