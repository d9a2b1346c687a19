"""Combinations of link sets and their scores, one link at a time."""

from __future__ import annotations

Link = tuple[int, int]
Scored = dict[Link, float]


def combine(sets: list[Scored], method: str, weights: list[float], threshold: float) -> Scored:
    """The links of one row with their scores."""
    result = {}
    for link in {link for one in sets for link in one}:
        present = [one for one in sets if link in one]
        if method == "union":
            result[link] = max(one[link] for one in present)
        elif method == "intersect":
            if len(present) == len(sets):
                result[link] = min(one[link] for one in sets)
        else:
            values = [
                (1.0 if method == "vote" else one[link]) * weight if link in one else 0.0
                for one, weight in zip(sets, weights, strict=True)
            ]
            value = sum(values) / sum(weights)
            if value > threshold + 1e-9:
                result[link] = value
    return result


def error_rate(found: list[set[Link]], sure: list[set[Link]], possible: list[set[Link]]) -> float:
    """Och, Ney 2003, equation 18."""
    rows = list(zip(found, sure, possible, strict=True))
    hits = sum(len(a & s) + len(a & (p | s)) for a, s, p in rows)
    size = sum(len(a) + len(s) for a, s, _ in rows)
    return 1 - hits / size if size else 0.0
