"""Slow, plain counting of what a study of shifts counts: entities by document, those unseen, spans, calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

Entity = tuple[int, int, str]
Row = tuple[list[str], list[Entity], list[Entity]]


def counts(
    rows: Sequence[Row], documents: Sequence[int], seen: Collection[str]
) -> dict[str, dict[int, tuple[int, int, int]]]:
    """By measure and document: entities found, too much, missed.

    Args:
        rows: words, right entities, found ones.
        documents: of each row.
        seen: names, their words between blanks.
    """
    found: dict[str, dict[int, tuple[int, int, int]]] = {}
    for measure in ("f1", "unseen", "agnostic"):
        found[measure] = dict.fromkeys(documents, (0, 0, 0))
        for (words, gold, predicted), document in zip(rows, documents, strict=True):

            def kept(some: Sequence[Entity], words: Sequence[str] = words, measure: str = measure) -> set[Entity]:
                if measure == "unseen":
                    return {one for one in some if " ".join(words[one[0] : one[1]]) not in seen}
                return {(start, end, "" if measure == "agnostic" else label) for start, end, label in some}

            right, said = kept(gold), kept(predicted)
            three = (len(right & said), len(said - right), len(right - said))
            before = found[measure][document]
            found[measure][document] = (before[0] + three[0], before[1] + three[1], before[2] + three[2])
    return found


def calibration_error(confidences: Sequence[float], right: Sequence[bool]) -> float:
    """Ten bins, each by its share: mean confidence against the share that is right."""
    error = 0.0
    for number in range(10):
        inside = [
            (sure, hit)
            for sure, hit in zip(confidences, right, strict=True)
            if number / 10 <= sure < (number + 1) / 10 or (number == 9 and sure == 1)
        ]
        if inside:
            sure = sum(one for one, _ in inside) / len(inside)
            hits = sum(hit for _, hit in inside) / len(inside)
            error += abs(sure - hits) * len(inside) / len(confidences)
    return error
