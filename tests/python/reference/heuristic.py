"""Heuristic projection in plain Python: Politov et al. 2025 (`overwrite`) and Shkalikov 2024 (`skip`)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["is_iob2", "overwrite", "skip"]

Entity = tuple[int, int, str]
Link = tuple[int, int]


def overwrite(
    words: int,
    entities: Sequence[Entity],
    links: Sequence[Link],
    *,
    length_ratio_threshold: float | None = 0.8,
    merge_distance: int = 1,
) -> list[str]:
    """Labels by the program of Politov et al. 2025: entities as given, a later one overwrites."""
    labels = ["O"] * words
    for start, end, label in entities:
        ranges: list[list[int]] = []
        for word in range(start, end):
            for source, target in links:
                if source != word:
                    continue
                taken = False
                for current in ranges:
                    if current[0] <= target < current[1]:
                        taken = True
                    elif target == current[1]:
                        current[1] += 1
                        taken = True
                    elif target == current[0] - 1:
                        current[0] -= 1
                        taken = True
                if not taken:
                    ranges.append([target, target + 1])
        if merge_distance > 0:
            merged: list[list[int]] = []
            for current in sorted(ranges, key=lambda item: item[0]):
                if merged and current[0] - merged[-1][1] <= merge_distance:
                    merged[-1][1] = current[1]
                else:
                    merged.append(current)
            ranges = merged
        for first, last in ranges:
            if length_ratio_threshold is None or (last - first) / (end - start) > length_ratio_threshold:
                labels[first:last] = [f"B-{label}"] + [f"I-{label}"] * (last - first - 1)
    return labels


def skip(
    words: int,
    entities: Sequence[Entity],
    links: Sequence[Link],
    *,
    length_ratio_threshold: float | None = 0.8,
    merge_distance: int = 1,
    top_k: int | None = None,
    top_k_order: str = "shortest",
    only_i: bool = False,
) -> list[str]:
    """Labels by the program of Shkalikov 2024: short entities first, a range on labelled words is left out."""
    labels = ["O"] * words
    for start, end, label in sorted(entities, key=lambda entity: entity[1] - entity[0]):
        linked = {target for source, target in links if start <= source < end}
        begins = {target for source, target in links if source == start}
        ranges: list[list[int]] = []
        for word in sorted(linked):
            if ranges and ranges[-1][1] == word:
                ranges[-1][1] += 1
            else:
                ranges.append([word, word + 1])
        if merge_distance > 0:
            merged: list[list[int]] = []
            for current in ranges:
                near = bool(merged) and current[0] - merged[-1][1] <= merge_distance
                if near and not (only_i and current[0] in begins):
                    merged[-1][1] = current[1]
                else:
                    merged.append(current)
            ranges = merged
        if length_ratio_threshold is not None:
            ranges = [
                current for current in ranges if (current[1] - current[0]) / (end - start) > length_ratio_threshold
            ]
        if top_k is not None:
            sign = 1 if top_k_order == "shortest" else -1
            ranges = sorted(ranges, key=lambda item: sign * (item[1] - item[0]))[:top_k]
        for first, last in ranges:
            if all(tag == "O" for tag in labels[first:last]):
                labels[first:last] = [f"B-{label}"] + [f"I-{label}"] * (last - first - 1)
    return labels


def is_iob2(labels: Sequence[str]) -> bool:
    """Whether every `I-X` follows `B-X` or `I-X`."""
    return all(not tag.startswith("I-") or before[2:] == tag[2:] for before, tag in pairwise(["O", *labels]))
