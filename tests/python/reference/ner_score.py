"""NER scores in plain Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["score", "span_score"]


def score(
    probabilities: Sequence[Sequence[float]],
    labels: Sequence[str],
    span: tuple[int, int],
    name: str,
    *,
    alpha: float = 1.15,
    threshold: float = 0.05,
) -> float:
    """Score of one span for one class: the mean probability of B-, I-, ..., I-, more where these are predicted."""
    start, end = span
    wanted = [f"B-{name}"] + [f"I-{name}"] * (end - start - 1)
    chosen = [probabilities[start + i][labels.index(label)] for i, label in enumerate(wanted)]
    value = sum(chosen) / len(chosen)
    predicted = [labels[row.index(max(row))] if max(row) > 0 else None for row in map(list, probabilities[start:end])]
    if predicted == wanted:
        value *= alpha ** (end - start - 1)
    return value if value > threshold else 0.0


def span_score(
    probabilities: Sequence[Sequence[float]],
    labels: Sequence[str],
    span: tuple[int, int],
    *,
    alpha: float = 1.15,
    threshold: float = 0.05,
) -> float:
    """The best score of any class."""
    names = {label[2:] for label in labels if label != "O"}
    return max(
        (score(probabilities, labels, span, name, alpha=alpha, threshold=threshold) for name in names), default=0
    )
