"""Filters in plain Python, one sentence at a time."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from reference.character_score import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Row", "apply", "encode"]

APOSTROPHES = "'’ʼ`´"
JOINERS = APOSTROPHES + "-‐‑:·"


@dataclass(frozen=True)
class Entity:
    """A projected entity, or a part of one."""

    start: int
    end: int
    source: int
    score: float
    margin: float


@dataclass
class Row:
    """One sentence pair with its projected entities, and what filters did."""

    tokens: list[str]
    source_tokens: list[str]
    sources: list[tuple[int, int, str]]
    links: list[tuple[int, int]]
    entities: list[Entity]
    dropped: list[tuple[int, int, int, str]] = field(default_factory=list)
    adjusted: list[tuple[int, int, int, str]] = field(default_factory=list)
    status: str = "ok"
    failing: bool = False

    def keep(self, name: str, good: Callable[[Entity], bool]) -> None:
        self.failing |= not all(map(good, self.entities))
        self.dropped += [(e.source, e.start, e.end, name) for e in self.entities if not good(e)]
        self.entities = [e for e in self.entities if good(e)]

    def change(self, name: str, parts: Callable[[Entity], Sequence[tuple[int, int]]]) -> None:
        result = []
        for entity in self.entities:
            spans = list(parts(entity))
            if spans != [(entity.start, entity.end)]:
                self.adjusted.append((entity.source, entity.start, entity.end, name))
            result += [replace(entity, start=start, end=end) for start, end in spans]
        self.entities = result

    def linked(self, entity: Entity, inside: tuple[int, int] | None = None) -> list[tuple[int, int]]:
        start, end, _ = self.sources[entity.source]
        low, high = inside or (0, len(self.tokens))
        return [(s, t) for s, t in self.links if start <= s < end and low <= t < high]

    def runs(self, entity: Entity, gap: int, inside: tuple[int, int] | None = None) -> list[tuple[int, int]]:
        runs: list[tuple[int, int]] = []
        for target in sorted({t for _, t in self.linked(entity, inside)}):
            if runs and target - runs[-1][1] <= gap:
                runs[-1] = (runs[-1][0], target + 1)
            else:
                runs.append((target, target + 1))
        return runs


def length_ratio(row: Row, least: float = 0.8, most: float | None = None) -> None:
    def good(e: Entity) -> bool:
        start, end, _ = row.sources[e.source]
        ratio = (e.end - e.start) / (end - start)
        return ratio > least and (most is None or ratio <= most)

    row.keep("length-ratio", good)


def one_word(row: Row) -> None:
    row.keep("one-word", lambda e: row.sources[e.source][1] - row.sources[e.source][0] > 1 or e.end - e.start == 1)


def class_counts(row: Row) -> None:
    def same(label: str) -> bool:
        projected = sum(row.sources[e.source][2] == label for e in row.entities)
        return projected == sum(other == label for _, _, other in row.sources)

    equal = {label: same(label) for _, _, label in row.sources}
    row.failing |= not all(equal.values())
    row.keep("class-counts", lambda e: equal[row.sources[e.source][2]])


def min_score(row: Row, least: float) -> None:
    row.keep("min-score", lambda e: e.score >= least)


def min_margin(row: Row, least: float) -> None:
    row.keep("min-margin", lambda e: e.margin >= least)


def source_coverage(row: Row, least: float = 1.0) -> None:
    def good(e: Entity) -> bool:
        start, end, _ = row.sources[e.source]
        return len({s for s, _ in row.linked(e, (e.start, e.end))}) >= least * (end - start)

    row.keep("source-coverage", good)


def contiguous(row: Row, gap: int = 0) -> None:
    row.keep("contiguous", lambda e: len(row.runs(e, gap)) <= 1)


def discontinuous(row: Row, policy: str, gap: int = 0) -> None:
    def ranges(e: Entity) -> list[tuple[int, int]]:
        runs = row.runs(e, gap, (e.start, e.end))
        return runs if len(runs) > 1 else [(e.start, e.end)]

    def of_source(source: int) -> list[Entity]:
        return [e for e in row.entities if e.source == source]

    def all_ranges(source: int) -> list[tuple[int, int]]:
        return [run for e in of_source(source) for run in ranges(e)]

    def longest(e: Entity) -> list[tuple[int, int]]:
        best = max(all_ranges(e.source), key=lambda run: (run[1] - run[0], -run[0]))
        return [best] if best in ranges(e) else []

    def filled(e: Entity) -> list[tuple[int, int]]:
        own = of_source(e.source)
        start, end = min(o.start for o in own), max(o.end for o in own)
        if any(o.start < end and start < o.end for o in row.entities if o.source != e.source):
            return [(e.start, e.end)]
        return [(start, end)] if e.start == start else []

    if policy == "drop":
        row.keep("discontinuous", {e: len(all_ranges(e.source)) < 2 for e in row.entities}.__getitem__)
    else:
        row.change("discontinuous", {"split": ranges, "largest": longest, "fill": filled}[policy])


def is_punctuation(word: str) -> bool:
    return word != "" and all(unicodedata.category(c)[0] == "P" for c in word)


def trimmed(e: Entity, first: Callable[[int], bool], last: Callable[[int], bool], least: int) -> tuple[int, int]:
    start, end = e.start, e.end
    while end - start > least and first(start):
        start += 1
    while end - start > least and last(end - 1):
        end -= 1
    return start, end


def trim_punctuation(row: Row) -> None:
    def span(e: Entity) -> tuple[int, int]:
        start, end, _ = row.sources[e.source]
        keep_first, keep_last = is_punctuation(row.source_tokens[start]), is_punctuation(row.source_tokens[end - 1])
        return trimmed(
            e,
            lambda at: not keep_first and is_punctuation(row.tokens[at]),
            lambda at: not keep_last and is_punctuation(row.tokens[at]),
            0,
        )

    row.keep("trim-punctuation", lambda e: span(e)[0] < span(e)[1])
    row.change("trim-punctuation", lambda e: [span(e)])


def trim_determiners(row: Row, languages: Sequence[str], words: Sequence[str]) -> None:
    listed = [*words, *(word for language in languages for word in {"de": GERMAN, "nl": DUTCH}[language])]

    def span(e: Entity) -> tuple[int, int]:
        return trimmed(e, lambda at: row.tokens[at].casefold() in listed, lambda _: False, 1)

    row.change("trim-determiners", lambda e: [span(e)])


GERMAN = ["der", "die", "das", "des", "dem", "den", "ein", "eine", "einer", "eines", "einem", "einen"]
DUTCH = ["de", "het", "een", "'t"]


def is_joiner(word: str) -> bool:
    return len(word) == 1 and word in JOINERS


def is_suffix(word: str, listed: Sequence[str]) -> bool:
    return (word[:1] != "" and word[0] in JOINERS and word[1:].isalpha()) or word.casefold() in listed


def is_prefix(word: str, listed: Sequence[str]) -> bool:
    return (word[-1:] != "" and word[-1] in APOSTROPHES and word[:-1].isalpha()) or word.casefold() in listed


def affixes(row: Row, policy: str, suffixes: Sequence[str] = (), prefixes: Sequence[str] = ()) -> None:
    if policy == "strip":
        row.change("affixes", lambda e: [strip_affixes(row, e, suffixes, prefixes)])
        return
    spans = [(e.start, e.end) for e in row.entities]
    taken = {at for start, end in spans for at in range(start, end)}
    # Suffixes first, for all entities; what one takes no other can.
    for index, (start, end) in enumerate(spans):
        more = affixes_beside(row.tokens, taken, range(end, len(row.tokens)), suffixes, is_suffix)
        spans[index] = start, end + more
    for index, (start, end) in enumerate(spans):
        more = affixes_beside(row.tokens, taken, range(start - 1, -1, -1), prefixes, is_prefix)
        spans[index] = start - more, end
    moved = iter(spans)
    row.change("affixes", lambda e: [next(moved)])


def strip_affixes(row: Row, e: Entity, suffixes: Sequence[str], prefixes: Sequence[str]) -> tuple[int, int]:
    start, end, _ = row.sources[e.source]
    keep_first = is_prefix(row.source_tokens[start], prefixes)
    keep_last = is_suffix(row.source_tokens[end - 1], suffixes)

    def goes(word: str, is_affix: Callable[[str, Sequence[str]], bool], listed: Sequence[str]) -> bool:
        return is_affix(word, listed) or is_joiner(word)

    return trimmed(
        e,
        lambda at: not keep_first and goes(row.tokens[at], is_prefix, prefixes),
        lambda at: not keep_last and goes(row.tokens[at], is_suffix, suffixes),
        1,
    )


def affixes_beside(
    tokens: Sequence[str],
    taken: set[int],
    places: Sequence[int],
    listed: Sequence[str],
    is_affix: Callable[[str, Sequence[str]], bool],
) -> int:
    """How many of the words at `places`, one after the other away from the span, are affixes; they are taken then."""
    count = 0
    while True:
        free = list(takewhile(lambda at: at not in taken, places[count : count + 2]))
        if free and is_affix(tokens[free[0]], listed):
            more = 1
        elif len(free) == 2 and is_joiner(tokens[free[0]]) and tokens[free[1]].casefold() in listed:
            more = 2
        else:
            return count
        taken.update(places[count : count + more])
        count += more


def compound(row: Row, longest: int = 4) -> None:
    def is_word(text: str) -> bool:
        return sum(c.isalpha() for c in text) > longest

    def good(e: Entity) -> bool:
        start, end, _ = row.sources[e.source]
        name, word = fold(row.source_tokens[end - 1]), fold(row.tokens[e.end - 1])
        if word.startswith(name) and is_word(word[len(name) :]):
            return False
        name, word = fold(row.source_tokens[start]), fold(row.tokens[e.start])
        return not (word.endswith(name) and is_word(word[: len(word) - len(name)]))

    row.keep("compound", good)


FUNCTIONS: dict[str, Callable[..., None]] = {
    "length-ratio": length_ratio,
    "source-coverage": source_coverage,
    "contiguous": contiguous,
    "discontinuous": discontinuous,
    "class-counts": class_counts,
    "one-word": one_word,
    "trim-punctuation": trim_punctuation,
    "trim-determiners": trim_determiners,
    "affixes": affixes,
    "compound": compound,
    "min-score": min_score,
    "min-margin": min_margin,
}


def apply(row: Row, filters: Sequence[tuple[str, tuple[Any, ...], bool]]) -> None:
    """Filter a row, in place, by `(name, values, by row)`."""
    had_some = bool(row.entities)
    for name, values, by_row in filters:
        row.failing = False
        FUNCTIONS[name](row, *values)
        if by_row and row.failing:
            row.keep(f"row_dropped:{name}", lambda _: False)
            if row.status == "ok":
                row.status = f"row_dropped:{name}"
    if row.status == "ok" and had_some and not row.entities:
        row.status = "filtered"


def encode(row: Row) -> list[str]:
    """IOB2 labels of what is left."""
    labels = ["O"] * len(row.tokens)
    for e in row.entities:
        label = row.sources[e.source][2]
        labels[e.start : e.end] = [f"B-{label}"] + [f"I-{label}"] * (e.end - e.start - 1)
    return labels
