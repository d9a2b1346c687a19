"""Review of projected entities by people: which sentences are worth a look, and what people have made of them.

rows = xner.evaluation.review.choose_rows(table, sample=200)
review = xner.evaluation.review.apply_corrections(table, documents)
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from xner import schema
from xner._support.arguments import choose, number, whole_number
from xner._support.arrow import list_lengths, one_array, with_columns
from xner._support.phrases import of_normalization
from xner._support.tables import html_table, text_table
from xner.errors import DataError, Error, OptionError
from xner.evaluation.error_kinds import pair_entities
from xner.evaluation.intervals import Interval, wilson
from xner.io.annotation.documents import joined, without_nested
from xner.labels.spans import decode_batch, encode
from xner.labels.tags import class_problem
from xner.text.word_splitting import Word, words_within

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from xner.io.annotation.documents import Document

__all__ = ["CHANGES", "By", "Review", "apply_corrections", "choose_rows"]

By: TypeAlias = Literal["uncertainty", "random"]
_Entity: TypeAlias = tuple[int, int, str]

CHANGES = {
    "kept": "as it was suggested",
    "span": "other words, the same class",
    "class": "the same words, another class",
    "span and class": "other words and another class",
    "removed": "suggested, and no entity",
    "added": "an entity that was not suggested",
}
"""What people do with a suggestion, or without one."""


def choose_rows(
    table: pa.Table,
    *,
    below_margin: float | None = None,
    sample: int | None = None,
    by: By = "uncertainty",
    seed: int = 1,
) -> npt.NDArray[np.int64]:
    """Choose the rows that people should look at.

    Rows without words, those that a filter has dropped as a whole, and those that people have looked at already are
    never chosen.

    Args:
        table: `tokens`, and for `uncertainty` or a least margin `entities` with margins.
        below_margin: only rows with an entity whose margin is smaller.
        sample: how many at most; None for all.
        by: `uncertainty`: those with the smallest margins first; rows without entities come last. `random`: any, each
            as likely as the others, so that what people find holds for all of them.
        seed: of the random choice.

    Returns:
        Numbers of rows, from 0: by margin, then by number; or, chosen at random, by number.

    Raises:
        Error: a column is missing, or no entity has a margin.
    """
    choose("by", by, {"uncertainty": None, "random": None})
    schema.require_columns(table.schema, [schema.TOKENS], "the choice of rows")
    able = list_lengths(one_array(table.column(schema.TOKENS))) > 0
    if schema.STATUS in table.schema.names:
        able &= ~np.asarray(one_array(schema.is_row_dropped(table.column(schema.STATUS))), dtype=np.bool_)
    if schema.REVIEWED in table.schema.names:
        able &= ~np.asarray(table.column(schema.REVIEWED).fill_null(pa.scalar(False)), dtype=np.bool_)
    needs_margins = by == "uncertainty" or below_margin is not None
    margins = _least_margins(table) if needs_margins else np.zeros(table.num_rows)
    if below_margin is not None:
        able &= margins < number("below_margin", below_margin, "above 0", lambda value: value > 0)
    rows = np.flatnonzero(able)
    most = len(rows) if sample is None else whole_number("sample", sample, 1)
    if by == "random":
        generator = np.random.default_rng(whole_number("seed", seed, 0))
        return np.sort(generator.choice(rows, min(most, len(rows)), replace=False))
    return rows[np.argsort(margins[rows], kind="stable")][:most]


def _least_margins(table: pa.Table) -> npt.NDArray[np.float64]:
    """The smallest margin in each row, infinite where there is none."""
    schema.require_columns(table.schema, [schema.ENTITIES], "a choice by margins")
    lists: Any = one_array(table.column(schema.ENTITIES))
    entities = lists.flatten()
    known = pa.types.is_struct(entities.type) and entities.type.get_field_index("margin") >= 0
    margins = pc.struct_field(entities, "margin") if known else pa.nulls(len(entities), pa.float32())
    if len(margins) and margins.null_count == len(margins):
        raise OptionError(f"no entity in the column '{schema.ENTITIES}' has a margin; choose by='random' instead")
    values = np.asarray(margins.fill_null(math.inf).to_numpy(zero_copy_only=False), dtype=np.float64)
    least = np.full(table.num_rows, math.inf)
    np.minimum.at(least, np.repeat(np.arange(table.num_rows), list_lengths(lists)), values)
    return least


@dataclass(frozen=True, slots=True)
class Review:
    """What people have made of the entities of a table.

    Attributes:
        table: with their entities in the rows that they have looked at, which `reviewed` tells.
        rows: numbers of these rows.
        changes: how often each of `CHANGES` occurred.
        by_class: the same for each class: that of the suggestion, of the entity where there was none.
        snapped: how many of their spans begin or end within words, and count as the whole words.
        blank: their spans of white space alone, which are no entities: row, id and place of each.
    """

    table: pa.Table = field(repr=False)
    rows: tuple[int, ...] = field(repr=False)
    changes: dict[str, int]
    by_class: dict[str, dict[str, int]]
    snapped: int
    blank: tuple[str, ...] = ()

    @property
    def suggested(self) -> int:
        """The number of suggestions in these rows."""
        return sum(count for kind, count in self.changes.items() if kind != "added")

    @property
    def precision(self) -> float:
        """The share of suggestions that were kept; 0 where there was none."""
        return self.changes["kept"] / self.suggested if self.suggested else 0.0

    def interval(self, confidence: float = 0.95) -> Interval:
        """Wilson's interval of the precision; see `wilson`."""
        return wilson(self.changes["kept"], self.suggested, confidence=confidence)

    def counts(self) -> str:
        """The changes as lines of text: a line for each class, and one for all."""
        return text_table(self._rows())

    def _rows(self) -> list[list[str]]:
        rows = [["class", *CHANGES]]
        rows += [[name, *map(str, counts.values())] for name, counts in sorted(self.by_class.items())]
        return [*rows, ["all", *map(str, self.changes.values())]]

    def _repr_html_(self) -> str:
        caption = f"{len(self.rows)} rows; precision {self.precision:.3f} ({self.interval()})"
        return html_table(self._rows(), caption)


def apply_corrections(table: pa.Table, documents: Iterable[Document]) -> Review:
    """Put what people have said into the rows that they were asked about, which are found by their ids.

    Entities that were kept stay what they were; others have no score and no margin, and the source entity of the
    suggestion that they replace. `labels` are made anew of all that no longer entity overlaps. What else a row has
    stays.

    Args:
        table: `tokens`, `entities` or `labels`, and `id`, without which rows have their numbers, from 0.
        documents: what people have said, by these ids, as the modules of `xner.io.annotation` read it. Those
            without spans, which nobody has annotated, change nothing.

    Raises:
        Error: there is no such row, two of one id, or two documents for one row; a label is no name of a class.
        DataError: a text is not that of its row; names the row and the first difference.
    """
    schema.require_columns(table.schema, [schema.TOKENS], "the table to be corrected")
    numbers = _by_id(table)
    tokens = table.column(schema.TOKENS).to_pylist()
    suggested = _entities(table)
    found: dict[int, list[dict[str, Any]]] = {}
    places: dict[int, str] = {}
    tally = _Tally({one["label"] for row in suggested for one in row or ()})
    for document in documents:
        row = _row_of(document, numbers)
        if document.spans is None:
            continue
        if row in found:
            other = f"the other one is {places[row]}; leave one of them out"
            raise Error(f"{document.where}: there are two texts with the id {document.id!r}, {other}")
        places[row] = document.where
        words = _places(document, row, tokens[row] or [])
        corrected = tally.words(document, row, words)
        found[row] = _corrected(suggested[row] or [], corrected, tally)
    return Review(
        _with_entities(table, found),
        tuple(sorted(found)),
        tally.changes,
        dict(tally.by_class),
        tally.snapped,
        tuple(tally.blank),
    )


class _Tally:
    """Counts of what people did."""

    def __init__(self, known: Collection[str]) -> None:
        self._known = known  # classes of suggestions, which are right whatever they look like
        self.changes = dict.fromkeys(CHANGES, 0)
        self.by_class: dict[str, dict[str, int]] = {}
        self.snapped = 0
        self.blank: list[str] = []

    def count(self, kind: str, class_: str) -> None:
        self.changes[kind] += 1
        self.by_class.setdefault(class_, dict.fromkeys(CHANGES, 0))[kind] += 1

    def words(self, document: Document, row: int, words: Sequence[Word]) -> list[_Entity]:
        """A document's spans as entities of words, each once; those of white space alone are none, and noted."""
        found: dict[_Entity, None] = {}
        for span in document.spans or ():
            if not 0 <= span.start < span.end <= len(document.text) or not span.label:
                raise Error(f"{document.where}: [{span.start}, {span.end}) {span.label!r} is no span of the text")
            if span.label not in self._known and (problem := class_problem(span.label, blanks=False)):
                raise Error(f"{document.where}: [{span.start}, {span.end}) {span.label!r}: {problem}")
            first, last = words_within(words, span.start, span.end)
            if first < last:
                self.snapped += (words[first].start, words[last - 1].end) != (span.start, span.end)
                found[first, last, span.label] = None
            else:
                self.blank.append(f"row {row} (id {document.id!r}), {span.label} [{span.start}, {span.end})")
        return sorted(found)


def _by_id(table: pa.Table) -> dict[str, int]:
    """The numbers of rows by their ids."""
    named = schema.ID in table.schema.names
    ids = table.column(schema.ID).cast(pa.string()).to_pylist() if named else [None] * table.num_rows
    found: dict[str, int] = {}
    for row, own in enumerate(ids):
        name = str(row) if own is None else own
        if name in found:
            raise DataError(row, schema.ID, repr(name), f"row {found[name]} has this id as well; make ids unique")
        found[name] = row
    return found


def _row_of(document: Document, numbers: dict[str, int]) -> int:
    if document.id is None:
        raise Error(f"{document.where}: the text has no id, by which its row could be found")
    if document.id not in numbers:
        raise Error(f"{document.where}: the table has no row with the id {document.id!r}")
    return numbers[document.id]


def _places(document: Document, row: int, tokens: Sequence[str]) -> Sequence[Word]:
    """Where a row's words are in its text.

    Raises:
        DataError: the text is another one.
    """
    if document.words is not None:
        own = [word.text for word in document.words]
        if own == list(tokens):
            return document.words
        at = next((at for at, (one, other) in enumerate(zip(own, tokens, strict=False)) if one != other), None)
        at = min(len(own), len(tokens)) if at is None else at
        raise _difference(document, row, at, tokens, repr(own[at]) if at < len(own) else "its end")
    for how in ("blanks", "detokenized"):
        text, places = joined(tokens, how)
        if text == document.text:
            return places
    return _found(document, row, tokens)


def _found(document: Document, row: int, tokens: Sequence[str]) -> list[Word]:
    """The row's words in a text of these words and white space."""
    text, end = document.text, 0
    found = []
    for at, token in enumerate(tokens):
        start = end
        while not text.startswith(token, start) and text[start : start + 1].isspace():
            start += 1
        if not text.startswith(token, start):
            raise _difference(document, row, at, tokens, repr(text[start : start + 30]) if text[start:] else "its end")
        end = start + len(token)
        found.append(Word(token, start, end))
    if text[end:].strip():
        raise _difference(document, row, len(tokens), tokens, repr(text[end:].strip()[:30]))
    return found


def _difference(document: Document, row: int, at: int, tokens: Sequence[str], has: str) -> DataError:
    wanted = f"word {at} of the row is {tokens[at]!r}" if at < len(tokens) else f"the row ends after {at} words"
    reason = f"{wanted}, but the text of {document.where} has {has} there; texts must stay as they were handed out"
    normalized = of_normalization(" ".join(tokens), " ".join(document.text.split()))
    reason = reason if not normalized else f"{wanted}, and the text of {document.where} has {has}{normalized}"
    return DataError(row, schema.TOKENS, repr(document.text[:60]), reason, row_id=document.id)


def _entities(table: pa.Table) -> list[list[dict[str, Any]] | None]:
    """The suggestions of each row."""
    if schema.ENTITIES in table.schema.names:
        rows: list[list[dict[str, Any]] | None] = table.column(schema.ENTITIES).to_pylist()
        return rows
    if schema.LABELS in table.schema.names:
        return [row for chunk in table.column(schema.LABELS).chunks for row in decode_batch(chunk).to_pylist()]
    return [None] * table.num_rows


def _corrected(
    suggested: Sequence[dict[str, Any]], corrected: Sequence[_Entity], tally: _Tally
) -> list[dict[str, Any]]:
    """A row's entities after the correction, by position."""
    by_tuple = {(one["start"], one["end"], one["label"]): one for one in suggested}
    found = []
    for new, old in pair_entities(corrected, list(by_tuple)):
        tally.count(_change(new, old), next(one[2] for one in (old, new) if one is not None))
        if new is None:
            continue
        if new == old:
            found.append(by_tuple[old])
        else:
            source = by_tuple[old].get("source") if old is not None else None
            found.append({"start": new[0], "end": new[1], "label": new[2], "source": source})
    return sorted(found, key=lambda one: (one["start"], -one["end"]))


def _change(new: _Entity | None, old: _Entity | None) -> str:
    if new is None:
        return "removed"
    if old is None:
        return "added"
    same_words, same_class = new[:2] == old[:2], new[2] == old[2]
    if same_words:
        return "kept" if same_class else "class"
    return "span" if same_class else "span and class"


def _with_entities(table: pa.Table, found: dict[int, list[dict[str, Any]]]) -> pa.Table:
    """The table with the entities of some rows replaced, in all columns that have them."""
    names = table.schema.names
    columns: dict[str | pa.Field[Any], pa.Array[Any]] = {}
    if schema.ENTITIES in names:
        rows = table.column(schema.ENTITIES).to_pylist()
        kind = table.schema.field(schema.ENTITIES).type
        columns[schema.ENTITIES] = pa.array([found.get(row, one) for row, one in enumerate(rows)], kind)
    if schema.LABELS in names or schema.ENTITIES not in names:
        lengths = list_lengths(one_array(table.column(schema.TOKENS)))
        labels: list[Any] = [None] * table.num_rows
        if schema.LABELS in names:
            labels = list(table.column(schema.LABELS).to_pylist())
        for row, entities in found.items():
            flat = without_nested([(one["start"], one["end"], one["label"]) for one in entities])
            labels[row] = encode(flat, int(lengths[row]))
        columns[schema.LABELS] = pa.array(labels, schema.WORDS_TYPE)
    before = table.column(schema.REVIEWED).to_pylist() if schema.REVIEWED in names else [False] * table.num_rows
    columns[schema.REVIEWED] = pa.array([row in found or bool(one) for row, one in enumerate(before)])
    return with_columns(table, columns)
