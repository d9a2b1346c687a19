"""The projected entities of a record batch as flat arrays, which filters drop from and change.

A filter sees what the filters before it have left. Nothing is lost on the way: every drop and every change is recorded
with its reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from xner import schema
from xner._support.arrow import flattened, list_lengths, pylist, to_array
from xner.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Answer", "Entities", "Flags", "Integers", "LinkedWords", "Record", "Words"]

Integers: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float32]
Flags: TypeAlias = npt.NDArray[np.bool_]
Answer: TypeAlias = Callable[[Integers, Integers], Flags]
"""A question about words, answered for those at rows and positions."""


@dataclass(frozen=True, slots=True)
class Record:
    """Entities that one filter dropped, or changed: as they were before.

    Attributes:
        origin: which of the batch's entities each was.
        start: first word.
        end: one past the last word.
        reason: the filter's name.
    """

    origin: Integers
    start: Integers
    end: Integers
    reason: str


@dataclass(frozen=True, slots=True)
class LinkedWords:
    """Links of entities' source words, as a set: sorted by entity, target word, source word.

    Attributes:
        entity: position among the current entities.
        source: source word.
        target: target word.
    """

    entity: Integers
    source: Integers
    target: Integers

    def runs(self, keep: Flags, gap: int) -> tuple[Integers, Integers, Integers]:
        """Maximal ranges of linked target words: entities, starts and ends, sorted.

        Args:
            keep: which links count.
            gap: so many words without a link, between words with one, do not end a range.
        """
        entity, target = self.entity[keep], self.target[keep]
        begins = np.ones(len(entity), np.bool_)
        begins[1:] = (entity[1:] != entity[:-1]) | (target[1:] - target[:-1] > 1 + gap)
        first = np.flatnonzero(begins)
        last = np.append(first[1:], len(entity))[: len(first)] - 1
        return entity[first], target[first], target[last] + 1


class Words:
    """The words of a column of sentences.

    Args:
        sentences: list<string>.
    """

    def __init__(self, sentences: pa.Array[Any]) -> None:
        lengths = list_lengths(sentences)
        self._offsets = np.cumsum(lengths) - lengths
        self._words = flattened(sentences)

    def take(self, row: Integers, position: Integers) -> pa.Array[Any]:
        """Words by row and position; there must be such words."""
        words: pa.Array[Any] = self._words.take(to_array(self._offsets[row] + position)).fill_null("")
        return words

    def ask(self, question: Callable[[str], bool]) -> Answer:
        """Answers by row and position; each distinct word there is asked about once."""

        def answer(row: Integers, position: Integers) -> Flags:
            words = self.take(row, position).dictionary_encode()
            answers = np.array([question(word) for word in pylist(words.dictionary)], np.bool_)
            return answers[_integers(words.indices)]

        return answer


class Entities:
    """The entities of a batch, one an element of each array.

    Args:
        batch: projected; has `tokens`, `source_entities`, `entities`, and what the filters at hand need.

    Raises:
        Error: columns missing or of another type.
        DataError: an entity of a source entity that the row does not have, or a span outside its sentence.

    Attributes:
        origin: which of the batch's entities each element is or is a part of.
        start: first word.
        end: one past the last word.
        dropped: what was dropped so far.
        adjusted: what was changed so far.
        failing_rows: rows in which filters found something wrong, since `DropRow` last looked.
        row_drops: rows that were dropped as a whole so far, with the filter's name.
    """

    def __init__(self, batch: pa.RecordBatch) -> None:
        self._batch = batch
        projected = batch.column(schema.ENTITIES)
        self._rows = np.repeat(np.arange(len(projected)), list_lengths(projected))
        self._fields = self._checked_fields(flattened(projected))
        self._source, self.start, self.end = (_integers(self._fields[name]) for name in ("source", "start", "end"))
        self._score: Floats = self._fields["score"].to_numpy(zero_copy_only=False)
        self._margin: Floats = self._fields["margin"].to_numpy(zero_copy_only=False)
        self._labels = self._fields["label"].dictionary_encode()
        self.origin: Integers = np.arange(len(self.start))
        sources = batch.column(schema.SOURCE_ENTITIES)
        self._source_counts = list_lengths(sources)
        self._sources = flattened(sources)
        self._check_sources()
        first = np.cumsum(self._source_counts) - self._source_counts
        self._source_entity: Integers = first[self._rows] + self._source
        self._source_start, self._source_end = (
            _integers(pc.struct_field(self._sources, name))[self._source_entity] for name in ("start", "end")
        )
        self._check_spans(schema.ENTITIES, self.start, self.end, schema.TOKENS)
        if schema.SOURCE_TOKENS in batch.schema.names:
            self._check_spans(schema.SOURCE_ENTITIES, self._source_start, self._source_end, schema.SOURCE_TOKENS)
        self.dropped: list[Record] = []
        self.adjusted: list[Record] = []
        self.failing_rows: Flags = np.zeros(batch.num_rows, np.bool_)
        self._links: LinkedWords | None = None
        self.row_drops: list[tuple[Flags, str]] = []

    def _checked_fields(self, entities: pa.Array[Any]) -> dict[str, pa.Array[Any]]:
        """The fields of the batch's entities; scores and margins may be missing."""
        found = {}
        for field in schema.ENTITIES_TYPE.value_type:
            if entities.type.get_field_index(field.name) < 0:
                found[field.name] = pa.nulls(len(entities), field.type)
                continue
            values = pc.struct_field(entities, field.name).cast(field.type)
            if values.null_count and field.name not in {"score", "margin"}:
                row = int(self._rows[pc.index(pc.is_null(values), True).as_py()])
                raise DataError(row, schema.ENTITIES, "null", f"an entity needs a {field.name}")
            found[field.name] = values
        return found

    def _check_sources(self) -> None:
        """Every entity is of a source entity that its row has."""
        wrong = (self._source < 0) | (self._source >= self._source_counts[self._rows])
        if wrong.any():
            first = int(np.argmax(wrong))
            value = str(self._source[first])
            raise DataError(int(self._rows[first]), schema.ENTITIES, value, "the row has no such source entity")

    def _check_spans(self, column: str, start: Integers, end: Integers, sentences: str) -> None:
        """Every span lies in its sentence."""
        wrong = (start < 0) | (start >= end) | (end > list_lengths(self._batch.column(sentences))[self._rows])
        if wrong.any():
            first = int(np.argmax(wrong))
            value = f"[{start[first]}, {end[first]})"
            raise DataError(int(self._rows[first]), column, value, f"not a span of the row's {sentences}")

    def __len__(self) -> int:
        """Number of entities."""
        return len(self.origin)

    @property
    def row(self) -> Integers:
        """Each entity's row."""
        return self._rows[self.origin]

    @property
    def source_entity(self) -> Integers:
        """Each entity's source entity, as a number in the batch."""
        return self._source_entity[self.origin]

    @property
    def source_start(self) -> Integers:
        """First source word."""
        return self._source_start[self.origin]

    @property
    def source_end(self) -> Integers:
        """One past the last source word."""
        return self._source_end[self.origin]

    @property
    def score(self) -> Floats:
        """Of the projection; parts of an entity have the whole's."""
        return self._score[self.origin]

    @property
    def margin(self) -> Floats:
        """Likewise."""
        return self._margin[self.origin]

    @property
    def label(self) -> pa.DictionaryArray[Any, Any]:
        """Classes."""
        return self._labels.take(to_array(self.origin))

    def words(self, column: str) -> Words:
        """The words of a column of the batch."""
        return Words(self._batch.column(column))

    def lengths(self) -> Integers:
        """Each entity's sentence's number of target words."""
        return list_lengths(self._batch.column(schema.TOKENS))[self.row]

    def has_others(self, which: Integers, start: Integers, end: Integers) -> Flags:
        """Whether spans hold words of entities of other source entities than their own.

        Args:
            which: for each span, the position of an entity in whose sentence it is, and of whose source entity.
            start: of the span.
            end: of the span.
        """
        lengths = list_lengths(self._batch.column(schema.TOKENS))
        offset = (np.cumsum(lengths) - lengths)[self.row]
        owner = np.full(int(lengths.sum()), -1)
        entity, word = _members(offset + self.start, self.end - self.start)
        owner[word] = self.source_entity[entity]
        span, word = _members(offset[which] + start, end - start)
        others = (owner[word] >= 0) & (owner[word] != self.source_entity[which][span])
        return np.bincount(span[others], minlength=len(which)) > 0

    def links(self) -> LinkedWords:
        """The links of each entity's source words."""
        if self._links is None:
            self._links = self._find_links()
        counts = np.bincount(self._links.entity, minlength=len(self._rows))
        entity, link = _members((np.cumsum(counts) - counts)[self.origin], counts[self.origin])
        return LinkedWords(entity, self._links.source[link], self._links.target[link])

    def _find_links(self) -> LinkedWords:
        """The links of the batch's entities."""
        lists = self._batch.column(schema.LINKS)
        counts = list_lengths(lists)
        source, target = (_integers(pc.struct_field(flattened(lists), name)) for name in ("source", "target"))
        entity, link = _members((np.cumsum(counts) - counts)[self._rows], counts[self._rows])
        inside = (source[link] >= self._source_start[entity]) & (source[link] < self._source_end[entity])
        entity, source, target = entity[inside], source[link[inside]], target[link[inside]]
        order = np.lexsort((source, target, entity))
        entity, source, target = entity[order], source[order], target[order]
        again = np.zeros(len(entity), np.bool_)
        again[1:] = (np.diff(entity) == 0) & (np.diff(target) == 0) & (np.diff(source) == 0)
        return LinkedWords(entity[~again], source[~again], target[~again])

    def unequal_classes(self) -> tuple[Integers, Flags]:
        """Rows whose two sides differ in the number of entities of a class, and which entities are of such a class."""
        sources = pc.struct_field(self._sources, "label").fill_null("").cast(pa.string())
        labels = pa.concat_arrays([sources, self.label.cast(pa.string())]).dictionary_encode()
        rows = np.concatenate([np.repeat(np.arange(len(self._source_counts)), self._source_counts), self.row])
        classes = max(1, len(labels.dictionary))
        keys, place = np.unique(rows * classes + _integers(labels.indices), return_inverse=True)
        of_source, of_target = place[: len(sources)], place[len(sources) :]
        unequal = np.bincount(of_source, minlength=len(keys)) != np.bincount(of_target, minlength=len(keys))
        return keys[unequal] // classes, unequal[of_target]

    def drop(self, wrong: Flags, reason: str) -> None:
        """Drop entities."""
        if wrong.any():
            self.fail_rows(self.row[wrong])
            self.dropped.append(Record(self.origin[wrong], self.start[wrong], self.end[wrong], reason))
            self.origin, self.start, self.end = (values[~wrong] for values in (self.origin, self.start, self.end))

    def fail_rows(self, rows: Integers) -> None:
        """Say that something is wrong with rows, for filters by row; `drop` says it itself."""
        self.failing_rows[rows] = True

    def drop_rows(self, wrong: Flags, reason: str) -> None:
        """Drop rows as a whole, with the entities that they still have."""
        if wrong.any():
            self.drop(wrong[self.row], schema.ROW_DROPPED + reason)
            self.row_drops.append((wrong.copy(), reason))

    def adjust(self, start: Integers, end: Integers, reason: str) -> None:
        """Give entities other spans."""
        self.rearrange(np.arange(len(self)), start, end, reason)

    def rearrange(self, which: Integers, start: Integers, end: Integers, reason: str) -> None:
        """Replace each entity by parts, or by none where it has become a part of another.

        Args:
            which: for each part, the position of the entity it is of; ascending.
            start: of the part.
            end: of the part.
            reason: why; entities with one part that is themselves are not recorded as changed.
        """
        changed = np.bincount(which, minlength=len(self)) != 1
        changed[which] |= (self.start[which] != start) | (self.end[which] != end)
        if changed.any():
            self.adjusted.append(Record(self.origin[changed], self.start[changed], self.end[changed], reason))
        self.origin, self.start, self.end = self.origin[which], start, end

    def rows_of(self, records: Iterable[Record]) -> Flags:
        """Which rows the recorded entities are in."""
        rows = np.zeros(self._batch.num_rows, np.bool_)
        for record in records:
            rows[self._rows[record.origin]] = True
        return rows

    def counts(self) -> Integers:
        """How many entities each row has."""
        return np.bincount(self.row, minlength=self._batch.num_rows)

    def label_lists(self) -> pa.Array[Any]:
        """IOB2 labels of the target words as a column; where spans overlap, the later entity's."""
        lengths = list_lengths(self._batch.column(schema.TOKENS))
        entity, position = _members(self.start, self.end - self.start)
        words = (np.cumsum(lengths) - lengths)[self.row][entity] + position
        classes = self._labels.dictionary.to_pylist()
        names = ["O", *(f"B-{name}" for name in classes), *(f"I-{name}" for name in classes)]
        codes = np.zeros(int(lengths.sum()), np.int32)
        codes[words] = 1 + _integers(self.label.indices)[entity] + len(classes) * (position > self.start[entity])
        labels = pa.DictionaryArray.from_arrays(to_array(codes), pa.array(names, pa.string())).cast(pa.string())
        return pa.ListArray.from_arrays(pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32()), labels)

    def entity_lists(self) -> pa.Array[Any]:
        """The entities as a column."""
        return self._lists(schema.ENTITIES_TYPE, self.origin, self.start, self.end)

    def record_lists(self, records: Iterable[Record]) -> pa.Array[Any]:
        """Records as a column, in the order in which they were made."""
        records = list(records)
        origin, start, end = (
            np.concatenate([np.zeros(0, np.int64), *(getattr(record, name) for record in records)])
            for name in ("origin", "start", "end")
        )
        reasons = [record.reason for record in records]
        which = np.repeat(np.arange(len(records)), [len(record.origin) for record in records])
        return self._lists(
            schema.FILTER_RECORDS_TYPE, origin, start, end, reason=pa.array(reasons, pa.string()).take(to_array(which))
        )

    def _lists(
        self, type: pa.ListType[Any], origin: Integers, start: Integers, end: Integers, **others: pa.Array[Any]
    ) -> pa.Array[Any]:
        """A column of lists of entities, each in its row; the order within a row is kept."""
        values = {name: values.take(to_array(origin)) for name, values in self._fields.items()}
        values |= {"start": pa.array(start, pa.int32()), "end": pa.array(end, pa.int32()), **others}
        row = self._rows[origin]
        flat = pa.StructArray.from_arrays(list(values.values()), fields=list(type.value_type))
        offsets = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=self._batch.num_rows))])
        return pa.ListArray.from_arrays(
            pa.array(offsets, pa.int32()), flat.take(to_array(np.argsort(row, kind="stable"))), type=type
        )


def _members(starts: Integers, lengths: Integers) -> tuple[Integers, Integers]:
    """The members of ranges, one range after the other: which range each is of, and its value."""
    which = np.repeat(np.arange(len(lengths)), lengths)
    return which, np.arange(len(which)) + (starts - np.cumsum(lengths) + lengths)[which]


def _integers(values: pa.Array[Any]) -> Integers:
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.int64)
