"""Markers around entities that survive translation: put in, read back, removed.

A sentence whose entities stand in `[ ]` or in `<a> </a>` is translated as a whole; where the markers come out is where
the entities are (Chen, Jiang, Ritter, Xu 2023, *Frustratingly Easy Label Projection for Cross-lingual Transfer*).
Square brackets have no names: which entity a pair of them holds is found out by comparing its text with translations
of the entities alone. That is an assignment of the highest total similarity, so that two entities never claim the
same span, and a good partner is not lost to whichever pair was looked at last.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from xner._support.arguments import choose, number
from xner.alignment import links
from xner.errors import Error
from xner.projection.scores.characters import characters
from xner.text.normalization import normalize
from xner.text.scripts import is_unspaced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = [
    "PROBLEMS",
    "STYLES",
    "ChosenMarkers",
    "MarkedSpan",
    "MarkerStyle",
    "Unmarked",
    "assign",
    "find_problem",
    "mark",
    "unmark",
]

MarkerStyle = Literal["brackets", "tags"]
ChosenMarkers = Literal["auto", "brackets", "tags"]
"""A style, or that the one is taken which a trial finds best."""
STYLES: Final = {"brackets": None, "tags": None}

PROBLEMS: Final = {
    "markers_in_text": "the text has characters that would be taken for markers",
    "crossing_entities": "two entities overlap and neither is within the other",
    "too_many_entities": "there are more entities than names for tags",
    "unbalanced": "a marker has no counterpart",
    "repeated": "two spans have the same tag",
    "empty_span": "there is nothing between two markers",
    "missing": "there are fewer spans than entities",
    "surplus": "there are more spans than entities",
}
"""What can go wrong with markers, before translation (the first three) and after it."""

_NAMES: Final = "abcdefghijklmnopqrstuvwxyz"
_IN_TEXT: Final = {"brackets": re.compile(r"[\[\]]"), "tags": re.compile(r"</?\s*[A-Za-z]\s*>")}
# What translation makes of markers: other widths of brackets, blanks within tags.
_MARKERS: Final = {
    "brackets": re.compile(r"(?P<open>[\[［【])|(?P<close>[\]］】])"),
    "tags": re.compile(r"<\s*(?P<open>[A-Za-z])\s*>|<\s*/\s*(?P<close>[A-Za-z])\s*>"),
}


def find_problem(
    words: Sequence[str], entities: Sequence[tuple[int, int]], style: MarkerStyle = "brackets"
) -> str | None:
    """Why a sentence cannot be marked: a key of `PROBLEMS`, or None.

    Args:
        words: of the sentence.
        entities: `(start, end)` in words.
        style: `brackets` or `tags`.
    """
    choose("style", style, STYLES)
    if any(_IN_TEXT[style].search(word) for word in words):
        return "markers_in_text"
    if style == "tags" and len(entities) > len(_NAMES):
        return "too_many_entities"
    crossing = any(a[0] < b[0] < a[1] < b[1] for a in entities for b in entities)
    return "crossing_entities" if crossing else None


def mark(
    words: Sequence[str],
    entities: Sequence[tuple[int, int]],
    style: MarkerStyle = "brackets",
    *,
    join: Callable[[Sequence[str]], str] = " ".join,
) -> str:
    """A sentence as text with markers around its entities.

    Args:
        words: of the sentence.
        entities: `(start, end)` in words; one may hold another, and they may touch. The tags' names go by this order.
        style: `brackets` or `tags`.
        join: makes text of words, markers among them.

    Raises:
        Error: the sentence cannot be marked so, see `find_problem`; an entity outside it.
    """
    problem = find_problem(words, entities, style)
    if problem is not None:
        raise Error(f"cannot mark {' '.join(words)!r}: {PROBLEMS[problem]}")
    before: list[list[str]] = [[] for _ in range(len(words) + 1)]
    behind: list[list[str]] = [[] for _ in range(len(words) + 1)]
    # From the longest on, so that markers of what is inside are inside.
    for number_, (start, end) in sorted(enumerate(entities), key=lambda item: (item[1][0] - item[1][1], item[0])):
        if not 0 <= start < end <= len(words):
            raise Error(f"entity [{start}, {end}) is no span of a sentence of {len(words)} words")
        name = _NAMES[number_] if style == "tags" else ""
        before[start].append(f"<{name}>" if style == "tags" else "[")
        behind[end].insert(0, f"</{name}>" if style == "tags" else "]")
    pieces: list[str] = []
    for place, opening in enumerate(before):
        pieces += [*behind[place], *opening, *words[place : place + 1]]
    return join(pieces)


@dataclass(frozen=True, slots=True)
class MarkedSpan:
    """What stood between two markers.

    Attributes:
        start: its first character in the text without markers.
        end: one past its last one.
        entity: which entity the tag names; None for brackets, which have no names.
    """

    start: int
    end: int
    entity: int | None = None


@dataclass(frozen=True, slots=True)
class Unmarked:
    """A translation without its markers.

    Attributes:
        text: with one blank where blanks stood outside of markers; those inside of them belong to the markers.
        spans: what was marked, by start, longer ones first.
        problem: what is wrong with the markers: a key of `PROBLEMS`, or None. The text is without markers then, too.
    """

    text: str
    spans: tuple[MarkedSpan, ...]
    problem: str | None


def unmark(text: str, entities: int, style: MarkerStyle = "brackets") -> Unmarked:
    """Take the markers out of a translation.

    Args:
        text: the translation of a marked sentence.
        entities: how many were marked.
        style: as it was marked.
    """
    choose("style", style, STYLES)
    clean = ""
    spans: list[MarkedSpan] = []
    opened: list[tuple[int, str]] = []
    problem = None
    gap = _Gap()
    for piece, marker, name in _pieces(text, style):
        inner = piece.strip()
        gap.add(piece[: len(piece) - len(piece.lstrip())], before=marker if not inner else "text")
        if inner:
            clean += " " * gap.is_blank(clean, inner) + inner
            gap = _Gap("text")
            gap.add(piece[len(piece.rstrip()) :], before=marker)
        gap.after = marker
        if marker == "open":
            opened.append((len(clean), name))
        elif marker == "close":
            if not opened or (style == "tags" and opened[-1][1] != name):
                problem = problem or "unbalanced"
                continue
            start = opened.pop()[0]
            start += clean[start:].startswith(" ")
            if start >= len(clean):
                problem = problem or "empty_span"
                continue
            spans.append(MarkedSpan(start, len(clean), _NAMES.index(name) if style == "tags" else None))
    if opened:
        problem = problem or "unbalanced"
    spans.sort(key=lambda span: (span.start, -span.end))
    return Unmarked(clean, tuple(spans), problem or _count_problem(spans, entities, style))


def _pieces(text: str, style: MarkerStyle) -> Iterator[tuple[str, str, str]]:
    """The text up to each marker, `open` or `close`, and the tag's name; at last the rest, and `end`."""
    at = 0
    for marker in _MARKERS[style].finditer(text):
        yield text[at : marker.start()], marker.lastgroup or "", (marker["open"] or marker["close"]).lower()
        at = marker.end()
    yield text[at:], "end", ""


class _Gap:
    """What stands between two pieces of text: markers, and blanks outside and inside of them."""

    def __init__(self, after: str = "start") -> None:
        self.after = after
        self._outside = False
        self._inside = False

    def add(self, blanks: str, *, before: str) -> None:
        """Take in the blanks between what came last and what comes next."""
        if blanks:
            outside = self.after == "close" or before == "open" or (self.after == "text" and before == "text")
            self._outside |= outside
            self._inside |= not outside

    def is_blank(self, text: str, following: str) -> bool:
        """Whether a blank stays: one outside the markers does, one inside only where words would run together."""
        if not text:
            return False
        words = all(c.isalnum() and not is_unspaced(c) for c in (text[-1], following[0]))
        return self._outside or (self._inside and words)


def _count_problem(spans: Sequence[MarkedSpan], entities: int, style: MarkerStyle) -> str | None:
    if style == "tags" and len({span.entity for span in spans}) < len(spans):
        return "repeated"
    if len(spans) < entities:
        return "missing"
    unknown = any(span.entity is not None and span.entity >= entities for span in spans)
    return "surplus" if len(spans) > entities or unknown else None


def assign(
    found: Sequence[Sequence[str]], expected: Sequence[Sequence[str]], *, threshold: float = 0.5
) -> list[int | None]:
    """Which entity each marked span is.

    Args:
        found: the words of each span.
        expected: the words of each entity, translated alone.
        threshold: pairs of texts whose similarity is at most this are no partners.

    Returns:
        For each span the entity, or None. The pairs have the highest total similarity that pairs can have; the
        similarity is 1 - Levenshtein distance / longer length of the texts without case, diacritics and blanks.

    Raises:
        Error: a threshold outside [0, 1).
    """
    number("threshold", threshold, "from 0 to below 1", lambda value: 0 <= value < 1)
    if not found or not expected:
        return [None] * len(found)
    similarity = np.zeros((len(found), len(expected)), np.float32)
    for row, words in enumerate(found):
        if any(normalize(word) for word in words):
            for column, others in enumerate(expected):
                if any(normalize(word) for word in others):
                    sides = [(0, len(words))], [(0, len(others))]
                    similarity[row, column] = characters(words, others, *sides, threshold=threshold)[0, 0]
    result: list[int | None] = [None] * len(found)
    for row, column in links.extract(similarity, "mwmf").pairs.tolist():
        if similarity[row, column] > 0:
            result[row] = column
    return result
