"""Sentences that methods read differently: what each of them says, in sight at once, and links to the viewer's page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import pyarrow as pa

from xner import schema
from xner._support.pages import Html, class_colours, element, lines, marked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

__all__ = ["SHOWN", "VIEW", "Reading", "Sentence", "View", "WriteView", "block", "most_different"]

SHOWN = 50
"""Sentences of a comparison that a page shows, the most different ones; its tables count all."""
VIEW = "view.html"

Span: TypeAlias = tuple[int, int, str]


class WriteView(Protocol):
    """What writes the page that a study's sentences link to: `xner.viewer.view`."""

    def __call__(self, table: pa.Table, path: Path, *, title: str, max_rows: int) -> object:
        """Write a page of rows."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one method makes of a sentence.

    Attributes:
        entities: `(start, end, class)`.
        view: row of the viewer's page; None where there is none.
        remark: why there are none, say.
    """

    entities: Sequence[Span]
    view: int | None = None
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence that methods read differently.

    Attributes:
        name: its id, or which row it is.
        tokens: its words.
        readings: by method.
        gold: the gold labels' entities; None where there are none.
        source_tokens: words of the source sentence; none where it is not known.
        source: entities of the source sentence.
    """

    name: str
    tokens: Sequence[str]
    readings: Mapping[str, Reading]
    gold: Sequence[Span] | None = None
    source_tokens: Sequence[str] = ()
    source: Sequence[Span] = ()


@dataclass(slots=True)
class View:
    """The rows of the viewer's page beside a study's page."""

    records: list[dict[str, Any]] = field(default_factory=list)

    def add(self, record: dict[str, Any]) -> int:
        """Add a row, values by column; returns which one it is."""
        self.records.append(record)
        return len(self.records) - 1

    def write(self, path: Path, title: str, write: WriteView) -> None:
        """Write the page, if there are rows."""
        names = {name for record in self.records for name, value in record.items() if value is not None}
        if names:
            columns = pa.schema([(name, kind) for name, kind in schema.COLUMN_TYPES.items() if name in names])
            write(pa.Table.from_pylist(self.records, schema=columns), path, title=title, max_rows=len(self.records))


def most_different(rows: Iterable[int], readings: Sequence[Mapping[int, Sequence[Span]]]) -> list[int]:
    """Rows, those with the most disputed entities first, `SHOWN` of them at most.

    Args:
        rows: to choose from.
        readings: for each method the entities of each of these rows.
    """
    return sorted(rows, key=lambda row: (-len(_disputed(each[row] for each in readings)), row))[:SHOWN]


def _disputed(readings: Iterable[Sequence[Span]]) -> set[Span]:
    """Entities that some readings have and others have not."""
    every = [set(entities) for entities in readings]
    return {span for entities in every for span in entities if not all(span in other for other in every)}


def block(heading: str, total: int, sentences: Sequence[Sentence], *, is_open: bool) -> Html:
    """Sentences of one comparison under a heading.

    Args:
        heading: what is compared.
        total: how many sentences differ, of which `sentences` are the most different.
        sentences: to show.
        is_open: whether the first one is shown whole.
    """
    shown = (
        f"The {len(sentences)} that differ most." if len(sentences) < total else "Those that differ most come first."
    )
    parts = [element("h3", heading, dir="auto"), element("p", f"{total} sentences differ. {shown}", class_="quiet")]
    cards = (_card(one, is_open=is_open and number == 0) for number, one in enumerate(sentences))
    parts.append(element("div", lines(cards), class_="sentences"))
    return lines(parts)


def _card(sentence: Sentence, *, is_open: bool) -> Html:
    every = [*sentence.source, *(sentence.gold or ()), *(e for r in sentence.readings.values() for e in r.entities)]
    colours = class_colours(label for *_, label in every)
    disputed = _disputed(reading.entities for reading in sentence.readings.values())
    gold = None if sentence.gold is None else set(sentence.gold)
    short = []
    for method, reading in sentence.readings.items():
        found = [
            element("span", _alone(sentence.tokens, span, colours), _verdict(span, gold), " ", class_="own")
            for span in sorted(disputed & set(reading.entities))
        ]
        short += [
            element("dt", _linked(method, reading.view)),
            element("dd", *(found or [element("span", reading.remark or "–", class_="quiet")]), dir="auto"),
        ]
    whole = {method: reading.entities for method, reading in sentence.readings.items()}
    whole |= {} if sentence.gold is None else {"gold": sentence.gold}
    full = [(name, marked(sentence.tokens, entities, colours)) for name, entities in whole.items()]
    if sentence.source_tokens:
        full.insert(0, ("source", marked(sentence.source_tokens, sentence.source, colours)))
    first = next(iter(sentence.readings.values()))
    details = element(
        "details",
        element("summary", "The whole sentence"),
        element("dl", *(part for one in full for part in _pair(*one)), class_="readings"),
        open=is_open,
    )
    name = element("h4", _linked(sentence.name, first.view), dir="auto")
    return element("article", name, element("dl", *short, class_="readings"), details, class_="sentence")


def _pair(name: str, text: Html) -> tuple[Html, Html]:
    return element("dt", name), element("dd", text, dir="auto")


def _linked(name: str, row: int | None) -> Html:
    return element("span", name) if row is None else element("a", name, href=f"{VIEW}#row={row}")


def _verdict(span: Span, gold: set[Span] | None) -> Html:
    if gold is None:
        return Html("")
    text, kind = ("✓ gold", "good") if span in gold else ("✗ not gold", "bad")
    return element("span", text, class_=f"verdict {kind}", dir="ltr")


def _alone(tokens: Sequence[str], span: Span, colours: Mapping[str, int]) -> Html:
    start, end, label = span
    return marked(tokens[start:end], [(0, end - start, label)], colours)
