"""Texts with character spans, as annotation tools have them, and rows of words with entities, as everything else has.

Reading, the words of a text are found by a splitter unless the file has them, and a span becomes the words that it
touches. Writing, the words of a row become a text, in which every entity has its characters. Offsets are Unicode code
points; a format that counts otherwise says so.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal, TypeAlias, TypeVar

import numpy as np
import pyarrow as pa

from xner import schema
from xner._support.arguments import choose
from xner._support.arrow import is_lists
from xner._support.progress import logger
from xner.errors import DataError, Error, FormatError
from xner.io._lines import rebatch
from xner.io._rows import TextOutput, column
from xner.labels.spans import decode, encode
from xner.text.detokenization import detokenize_with_places
from xner.text.word_splitting import Word, choose_splitter, words_within

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence

    from xner.text.word_splitting import WordSplitter

__all__ = [
    "UNSAID",
    "Document",
    "DocumentWriter",
    "Joined",
    "JsonListWriter",
    "JsonWriter",
    "Span",
    "batches_of",
    "documents_of",
    "joined",
    "without_nested",
]

Joined: TypeAlias = Literal["blanks", "detokenized"]
"""How words become a text: with a blank between any two of them, or as it is written, see `xner.text.detokenize`."""

UNSAID: Final = "without annotations"
"""Of a text on whose spans nobody has said anything, for reasons that are not known."""

T = TypeVar("T")

_ROWS = 4096
_SCHEMA = pa.schema(
    [
        (schema.ID, pa.string()),
        (schema.TOKENS, schema.WORDS_TYPE),
        (schema.LABELS, schema.WORDS_TYPE),
        (schema.ENTITIES, schema.ENTITIES_TYPE),
    ]
)


@dataclass(frozen=True, slots=True)
class Span:
    """A span of a text.

    Attributes:
        start: its first character.
        end: one past its last character.
        label: its class.
        score: of a model; None where nothing is known.
        margin: how much the next best choice is worse, likewise.
    """

    start: int
    end: int
    label: str
    score: float | None = None
    margin: float | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A text with its spans.

    Attributes:
        text: any text.
        spans: in any order, nested or overlapping as they may be; None where nobody has said what they are.
        id: None where it has none of its own.
        words: of the text, in order; None where they are to be found.
        where: it stands, for messages: file and line.
        unsaid: why there are no spans, where nobody has said what they are: `skipped`.
    """

    text: str
    spans: Sequence[Span] | None
    id: str | None = None
    words: Sequence[Word] | None = None
    where: str = ""
    unsaid: str = UNSAID


@dataclass(slots=True)
class _Notes:
    """What reading has to say at its end: how many texts have no labels, and how many spans became others.

    Of each kind the first is named.
    """

    path: str
    spans: int = 0
    texts: int = 0
    unsaid: dict[str, list[str]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    first: dict[str, str] = field(default_factory=dict)

    def add(self, what: str, document: Document, span: Span) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1
        shown = f"{document.where}, [{span.start}, {span.end}) {document.text[span.start : span.end]!r} {span.label}"
        self.first.setdefault(what, shown)

    def unlabelled(self, document: Document) -> None:
        self.unsaid.setdefault(document.unsaid, []).append(document.where)

    def tell(self) -> None:
        count = sum(map(len, self.unsaid.values()))
        if 0 < count < self.texts:
            kinds = ", ".join(f"{len(places)} {kind} (first {places[0]})" for kind, places in self.unsaid.items())
            what = "have no labels, which is something else than no entities"
            logger.warning("%s: %d of %d texts %s: %s", self.path, count, self.texts, what, kinds)
        for what, count in self.counts.items():
            logger.warning("%s: %d of %d spans %s; first %s", self.path, count, self.spans, what, self.first[what])


_SNAPPED = "begin or end elsewhere than words do and are read as the whole words that they touch"
_BLANK = "have nothing but white space in them and are left out"
_NESTED = "overlap longer ones and are in the column 'entities' alone, not in 'labels'"


def batches_of(
    documents: Iterable[Document],
    path: str | os.PathLike[str],
    *,
    language: str | WordSplitter = "characters",
    batch_rows: int = 16_384,
) -> Iterator[pa.RecordBatch]:
    """Documents as rows.

    Args:
        documents: of a file.
        path: the file, for messages.
        language: how words are found where the documents have none: a code or name of the language, a splitter's name
            or a splitter, see `xner.text.choose_splitter`. By default white space and punctuation separate words, and
            each character of scripts without blanks is one.
        batch_rows: rows a batch.

    Yields:
        Batches of `id` (the row's number, from 0, where a document has none), `tokens`, `entities` with all spans, and
        `labels`, IOB2 of those that no longer one overlaps; both null where a document has no spans. At least one
        batch. At the end, the logger is told how many spans are not as they were.

    Raises:
        FormatError: a span outside its text or without a class; the message names file and line.
        Error: an unknown language.
    """
    split = choose_splitter(language)
    notes = _Notes(str(path))

    def batches() -> Iterator[pa.RecordBatch]:
        rows: list[dict[str, Any]] = []
        yield pa.RecordBatch.from_pylist([], schema=_SCHEMA)
        for number, document in enumerate(documents):
            rows.append(_row(document, number, split, notes))
            if len(rows) == _ROWS:
                yield pa.RecordBatch.from_pylist(rows, schema=_SCHEMA)
                rows = []
        if rows:
            yield pa.RecordBatch.from_pylist(rows, schema=_SCHEMA)
        notes.tell()

    return rebatch(batches(), batch_rows)


def _row(document: Document, number: int, split: WordSplitter, notes: _Notes) -> dict[str, Any]:
    words = split(document.text) if document.words is None else document.words
    row: dict[str, Any] = {
        schema.ID: str(number) if document.id is None else document.id,
        schema.TOKENS: [word.text for word in words],
    }
    notes.texts += 1
    if document.spans is None:
        notes.unlabelled(document)
        return row
    entities = []
    for span in document.spans:
        _check(document, span)
        notes.spans += 1
        start, end = words_within(words, span.start, span.end)
        if start == end:
            notes.add(_BLANK, document, span)
            continue
        if (words[start].start, words[end - 1].end) != (span.start, span.end):
            notes.add(_SNAPPED, document, span)
        entities.append((start, end, span))
    entities.sort(key=lambda entity: (entity[0], -entity[1]))
    flat = without_nested(entities)
    for entity in entities:
        if entity not in flat:
            notes.add(_NESTED, document, entity[2])
    row[schema.LABELS] = encode([(start, end, span.label) for start, end, span in flat], len(words))
    row[schema.ENTITIES] = [
        {"start": start, "end": end, "label": span.label, "score": span.score, "margin": span.margin}
        for start, end, span in entities
    ]
    return row


def without_nested(entities: Iterable[tuple[int, int, T]]) -> list[tuple[int, int, T]]:
    """Those that overlap none that is longer, or as long and before them; the longest first.

    Args:
        entities: start, end, and anything.
    """
    kept: list[tuple[int, int, T]] = []
    for start, end, what in sorted(entities, key=lambda entity: (entity[0] - entity[1], entity[0])):
        if all(end <= other_start or other_end <= start for other_start, other_end, _ in kept):
            kept.append((start, end, what))
    return kept


def _check(document: Document, span: Span) -> None:
    length = len(document.text)
    if not 0 <= span.start < span.end <= length:
        reason = f"the span [{span.start}, {span.end}) {span.label!r} is not within the text, of {length} characters"
        raise FormatError(f"{document.where}: {reason}")
    if not span.label:
        raise FormatError(f"{document.where}: the span [{span.start}, {span.end}) has no class")


def joined(words: Sequence[str], how: Joined) -> tuple[str, list[Word]]:
    """Words as a text, and their places in it.

    Args:
        words: of a sentence.
        how: `blanks` puts one between any two; `detokenized` writes them as text, and leaves out blank ones, which have
            no characters then.
    """
    if how == "detokenized":
        text, places = detokenize_with_places(words)
        return text, [Word(text[start:end], start, end) for start, end in places]
    found, end = [], 0
    for word in words:
        found.append(Word(word, end, end + len(word)))
        end += len(word) + 1
    return " ".join(words), found


def documents_of(
    batch: pa.RecordBatch,
    first_row: int = 0,
    *,
    tokens: str = schema.TOKENS,
    spans: str | None = None,
    text: Joined = "blanks",
) -> Iterator[Document]:
    """Rows as documents.

    Args:
        batch: has a column of words, and perhaps one of labels or entities.
        first_row: number of its first row in the file, for messages and for rows without an id.
        tokens: the column of words.
        spans: the column of entities, or of labels; by default `entities` where there is one, else `labels`.
        text: how words become a text.

    Yields:
        A document for each row, with its words; without spans where the row has none of either column.

    Raises:
        DataError: a missing or empty word, an entity outside its sentence or without a class, or no characters of it.
        Error: there is no such column.
    """
    choose("text", text, {"blanks": None, "detokenized": None})
    names = batch.schema.names
    if spans is None:
        spans = next((name for name in (schema.ENTITIES, schema.LABELS) if name in names), None)
    ids = batch.column(schema.ID).to_pylist() if schema.ID in names else [None] * batch.num_rows
    words = column(batch, tokens).to_pylist()
    marked = [None] * batch.num_rows if spans is None else _entities(column(batch, spans), spans, first_row)
    for number, (id_, row, entities) in enumerate(zip(ids, words, marked, strict=True), first_row):
        name = str(number) if id_ is None else str(id_)
        joined_text, places = joined(_checked_words(row, tokens, number, name), text)
        found = None
        if entities is not None:
            found = [_span(one, places, str(spans), number, name) for one in entities]
        yield Document(joined_text, found, name, places)


def _checked_words(words: Sequence[str | None] | None, name: str, row: int, id_: str) -> list[str]:
    if words is None:
        raise DataError(row, name, "null", "a sentence without words has no text", row_id=id_)
    found = [word for word in words if word]
    if len(found) < len(words):
        value = "null" if None in words else "''"
        raise DataError(row, name, value, "a word without characters has no place in a text", row_id=id_)
    return found


def _entities(array: pa.Array[Any], name: str, first_row: int) -> list[list[dict[str, Any]] | None]:
    """A column of entities, or of labels, as lists of entities; missing rows have None."""
    if not is_lists(array.type):
        raise Error(f"column '{name}' must hold lists of entities or of labels, not {array.type}")
    rows = array.to_pylist()
    if pa.types.is_struct(array.type.value_type):
        return rows
    found: list[list[dict[str, Any]] | None] = []
    for number, row in enumerate(rows, first_row):
        try:
            tuples = None if row is None else decode(row)
        except DataError as error:
            raise DataError(number, name, error.value, error.reason) from None
        entities = [{"start": start, "end": end, "label": label} for start, end, label in tuples or ()]
        found.append(None if tuples is None else entities)
    return found


def _span(entity: dict[str, Any], words: Sequence[Word], name: str, row: int, id_: str) -> Span:
    start, end, label = entity["start"], entity["end"], entity["label"]
    value = f"[{start}, {end}) {label!r}"
    if not 0 <= start < end <= len(words):
        raise DataError(row, name, value, f"the span is outside the sentence, of {len(words)} words", row_id=id_)
    if not label:
        raise DataError(row, name, value, "the entity has no class", row_id=id_)
    first, last = words[start].start, words[end - 1].end
    if first == last:
        reason = "its words are white space, which is left out of detokenized text; `text=blanks` writes it"
        raise DataError(row, name, value, reason, row_id=id_)
    return Span(first, last, label, _plain(entity.get("score")), _plain(entity.get("margin")))


def _plain(value: float | None) -> float | None:
    """A 32-bit float as the shortest decimal that is that float; None for what JSON cannot say."""
    return None if value is None or not np.isfinite(value) else float(str(np.float32(value)))


class DocumentWriter(ABC):
    """Writes rows as documents of a format; a base of the formats' own writers."""

    opening = ""
    between = ""
    closing = ""

    def __init__(
        self, file: BinaryIO, *, tokens: str = schema.TOKENS, spans: str | None = None, text: Joined = "blanks"
    ) -> None:
        """Writes to an open binary file.

        Args:
            file: where to.
            tokens: the column of words.
            spans: the column of entities, or of labels; by default `entities` where there is one, else `labels`.
            text: how words become a text: with `blanks` between them, or `detokenized`.
        """
        self._output = TextOutput(file)
        self._columns: dict[str, Any] = {"tokens": tokens, "spans": spans, "text": text}
        self._rows = 0
        choose("text", text, {"blanks": None, "detokenized": None})

    @abstractmethod
    def encode(self, document: Document) -> str:
        """A document as the format has it."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Appends a batch's rows.

        Raises:
            DataError: a row that the format cannot say; see `documents_of`.
        """
        parts = []
        for document in documents_of(batch, self._rows, **self._columns):
            parts += [self.between if self._rows else self.opening, self.encode(document)]
            self._rows += 1
        self._output.write("".join(parts))

    def close(self) -> None:
        """Ends the file."""
        self._output.write(self.closing if self._rows else self.opening + self.closing)


class JsonWriter(DocumentWriter):
    """Writes documents as JSON objects, one a line; a base of the formats' own writers."""

    @abstractmethod
    def fields(self, document: Document) -> dict[str, Any]:
        """The object's fields."""

    def encode(self, document: Document) -> str:
        """See `DocumentWriter`."""
        return json.dumps(self.fields(document), ensure_ascii=False, allow_nan=False) + "\n"


class JsonListWriter(JsonWriter):
    """Writes documents as one list of JSON objects, each on a line; a base of the formats' own writers."""

    opening = "[\n"
    between = ",\n"
    closing = "\n]\n"

    def encode(self, document: Document) -> str:
        """See `DocumentWriter`."""
        return super().encode(document).removesuffix("\n")
