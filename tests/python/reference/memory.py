"""The corpus's memory in plain Python: what other rows projected an entity onto, and where that stands in this row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

Row = tuple[Sequence[str], Sequence[str], Sequence[tuple[int, int]], Sequence[tuple[int, int, int]]]


def hints(rows: Sequence[Row], least: int, weight: float) -> list[list[tuple[int, int, int, float]]]:
    """For rows of (source words, target words, source spans, projections (start, end, source entity)): all hints."""
    result = []
    for here, (source, target, entities, _) in enumerate(rows):
        found: list[tuple[int, int, int, float]] = []
        for index, (start, end) in enumerate(entities):
            words = tuple(source[start:end])
            forms: Counter[tuple[str, ...]] = Counter()
            for row, (other_source, other_target, other_entities, other_projections) in enumerate(rows):
                for first, last, entity in other_projections:
                    span = other_entities[entity]
                    same = tuple(other_source[span[0] : span[1]]) == words
                    if same and row != here:
                        forms[tuple(other_target[first:last])] += 1
            for form, count in forms.items():
                if count < least:
                    continue
                found.extend(
                    (index, place, place + len(form), weight * count / forms.total())
                    for place in range(len(target) - len(form) + 1)
                    if tuple(target[place : place + len(form)]) == form
                )
        result.append(found)
    return result
