"""Pictures of how a sentence is projected: SVG of what xner computes when they are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from html import escape
from typing import Any

import xner
from xner._support.arrow import pylist
from xner.io import sample

LANGUAGE, ROW = "de", 13
COLOURS = {"PER": "#c2185b", "LOC": "#00796b", "ORG": "#5e35b1", "MISC": "#ef6c00"}
INK, PALE = "#263238", "#90a4ae"
STEP = 96  # between words, in pixels

Entity = tuple[int, int, str]
Link = tuple[int, int, float]


@dataclass(frozen=True)
class Pair:
    """A sentence, its translation, its entities, and the links between them, best known."""

    source: list[str]
    target: list[str]
    entities: list[Entity]
    links: list[Link]


@cache
def example() -> tuple[Pair, list[Link]]:
    """A sentence of the sample with what the built-in aligner links, and the probabilities that it goes by."""
    english, other = sample.load("en"), sample.load(LANGUAGE)
    sides = english["tokens"], other["tokens"]
    row = [side.slice(ROW, 1) for side in sides]

    def links(**changes: Any) -> list[Link]:
        found = xner.Aligner.fit(*sides, **changes).align(*row)
        return [(link["source"], link["target"], link["score"]) for link in pylist(found)[0]]

    source, target = (pylist(side)[0] for side in row)
    entities = xner.labels.decode(english["labels"][ROW].as_py())
    return Pair(source, target, entities, links()), links(threshold=0.0, least_association=0.0)


# One target word is of two entities: `Martin` is linked to the compound by mistake.
COMPOUND = Pair(
    ["European", "Parliament", "President", "Martin", "Schulz", "spoke", "."],
    ["Parlamentspräsident", "Schulz", "sprach", "."],
    [(0, 2, "ORG"), (3, 5, "PER")],
    [(0, 0, 1.0), (1, 0, 1.0), (2, 0, 1.0), (3, 0, 1.0), (3, 1, 1.0), (4, 1, 1.0), (5, 2, 1.0), (6, 3, 1.0)],
)


def scored(pair: Pair) -> list[tuple[int, int, int, float]]:
    """The candidates of the default options: source entity, start, end, score."""
    found = xner.scores.score_pairs(pair.target, pair.entities, pair.links, xner.ProjectionOptions())
    return [(one.entity, one.start, one.end, one.score) for one in found]


def drawn() -> dict[str, str]:
    """SVG by file name."""
    pair, probabilities = example()
    return {
        "pictures/probabilities.svg": matrix(pair, probabilities),
        "pictures/links.svg": linked(pair),
        "pictures/candidates.svg": spans(pair, scored(pair)),
        "pictures/choice.svg": spans(pair, chosen(pair, "exact")),
        "pictures/compound.svg": linked(COMPOUND),
        "pictures/compound-candidates.svg": spans(COMPOUND, scored(COMPOUND)),
        "pictures/greedy.svg": spans(COMPOUND, chosen(COMPOUND, "greedy")),
        "pictures/exact.svg": spans(COMPOUND, chosen(COMPOUND, "exact")),
    }


def chosen(pair: Pair, matcher: Any) -> list[tuple[int, int, int, float]]:
    """What a matcher chooses: source entity, start, end, score."""
    result = xner.project(pair.target, pair.entities, pair.links, source_length=len(pair.source), matcher=matcher)
    return [(one.source, one.start, one.end, one.score) for one in result.entities]


def matrix(pair: Pair, probabilities: list[Link]) -> str:
    """Probabilities as a matrix, source words × target words."""
    cell, left, top = 44, 110, 110
    parts = [
        _text(left - 8, top + cell * (row + 0.6), word, anchor="end", colour=_colour(pair, row))
        for row, word in enumerate(pair.source)
    ]
    for column, word in enumerate(pair.target):
        x = left + cell * (column + 0.6)
        parts.append(f'<g transform="rotate(-40 {x:g} {top - 8})">{_text(x, top - 8, word)}</g>')
    shares = {(source, target): score for source, target, score in probabilities}
    for row in range(len(pair.source)):
        for column in range(len(pair.target)):
            share = shares.get((row, column), 0.0)
            x, y = left + cell * column, top + cell * row
            parts.append(
                f'<rect x="{x}" y="{y}" width="{cell - 2}" height="{cell - 2}" fill="#00796b" '
                f'fill-opacity="{0.05 + 0.95 * share:.3f}"/>'
            )
            if share >= 0.005:
                colour = "#fff" if share > 0.5 else INK
                parts.append(_text(x + cell / 2 - 1, y + 26, f"{share:.2f}", 12, "middle", colour))
    return _svg(left + cell * len(pair.target) + 60, top + cell * len(pair.source) + 12, parts)


def linked(pair: Pair) -> str:
    """Both sentences with their links."""
    parts = _words(pair.source, 24, [_colour(pair, place) for place in range(len(pair.source))])
    parts += _words(pair.target, 144)
    for source, target, _ in pair.links:
        x, y = _middle(source), _middle(target)
        parts.append(f'<path d="M{x} 34 L{y} 126" stroke="{_colour(pair, source, PALE)}" stroke-width="2"/>')
    return _svg(_width(pair), 160, parts)


def spans(pair: Pair, found: list[tuple[int, int, int, float]]) -> str:
    """The target sentence with spans below, each with the source entity that it is of, and its score."""
    parts = _words(pair.target, 24)
    for row, (entity, start, end, score) in enumerate(found):
        first, last, label = pair.entities[entity]
        x, width, y = 12 + STEP * start, STEP * (end - start) - 10, 40 + 30 * row
        parts += [
            f'<rect x="{x}" y="{y}" width="{width}" height="20" rx="4" fill="{COLOURS[label]}" fill-opacity="0.85"/>',
            _text(x + width / 2, y + 15, f"{score:.2f}", 12, "middle", "#fff"),
            _text(20 + STEP * len(pair.target), y + 15, " ".join(pair.source[first:last]), 13, colour=COLOURS[label]),
        ]
    return _svg(_width(pair), 50 + 30 * len(found), parts)


def _width(pair: Pair) -> int:
    return 24 + STEP * max(len(pair.source), len(pair.target) + 2)


def _middle(place: int) -> int:
    return 12 + STEP * place + STEP // 2 - 5


def _colour(pair: Pair, place: int, otherwise: str = INK) -> str:
    """Of a source word: that of its entity's class."""
    return next((COLOURS[label] for start, end, label in pair.entities if start <= place < end), otherwise)


def _words(words: list[str], y: int, colours: list[str] | None = None) -> list[str]:
    return [
        _text(_middle(place), y, word, 13 if len(word) < 14 else 10, "middle", colours[place] if colours else INK)
        for place, word in enumerate(words)
    ]


def _text(x: float, y: float, text: str, size: int = 14, anchor: str = "start", colour: str = INK) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="{anchor}" fill="{colour}">'
        f"{escape(text, quote=False)}</text>"
    )


def _svg(width: int, height: int, parts: list[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    paper = f'<rect width="{width}" height="{height}" rx="6" fill="#fff"/>'
    return "\n".join([f'{head} font-family="sans-serif">', paper, *parts, "</svg>\n"])
