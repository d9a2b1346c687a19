"""The memory of a corpus that comes piece by piece: names, and what they were projected onto, counted on the disk.

    counts = NameCounts(folder, most_bytes=5 * 10**8)
    for piece in pieces:
        counts.add(projector(piece))
    counts.write("names.arrow")
    names = KnownNames("names.arrow")
    piece = names.hint(projector(piece))

The hints are those of `Memory`, to the bit, while what is kept are counts of names, and not of rows: those that are too
many to count at once are sorted into files, and what is left in the end are forms that recur.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

import xner._core as _core
from xner import schema
from xner._support.arrow import chunked, flattened, from_core, list_lengths, one_array, pylist, to_array, with_columns
from xner.io.atomic import replacing
from xner.projection.memory import Memory, Vocabulary, numbered
from xner.text.normalization import normalize

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["KnownNames", "NameCounts"]

_SOURCE, _TARGET, _COUNT, _PLACE = "source", "target", "count", "place"
_TEXT: Final[pa.DataType] = pa.string()
_NUMBER: Final[pa.DataType] = pa.int64()
_COUNTED: Final = pa.schema([(_SOURCE, _TEXT), (_TARGET, _TEXT), (_COUNT, _NUMBER), (_PLACE, _NUMBER)])
_KNOWN: Final = pa.schema([pa.field(_SOURCE, _TEXT), pa.field(_TARGET, _TEXT), pa.field(_COUNT, pa.int32())])
_NEEDED: Final = [schema.TOKENS, schema.SOURCE_TOKENS, schema.SOURCE_ENTITIES, schema.ENTITIES]
_BETWEEN: Final = " "  # words of a name
_TO_GROUP: Final = 3  # times the bytes of what is counted are needed to count it
_BATCH_ROWS: Final = 65_536
_MOST_BYTES: Final = 10**9  # of what is counted at once: offsets of texts have 32 bits


class NameCounts:
    """Counts which names of a corpus were projected onto which words.

    Args:
        folder: where sorted counts lie that are too many to be held.
        most_bytes: about how much memory they may take.
        least: as for `Memory`.
    """

    def __init__(self, folder: Path, most_bytes: int, *, least: int = 2) -> None:
        self._folder, self._least = folder, least
        self._most_bytes = min(most_bytes // _TO_GROUP, _MOST_BYTES)
        self._held: list[pa.Table] = []
        self._runs: list[Path] = []
        self._places = 0  # of what was projected so far

    def add(self, table: pa.Table) -> None:
        """Count what a projected table has.

        Args:
            table: the rows that follow those before; has the columns `tokens`, `source_tokens`, `source_entities` and
                `entities`, each with a source entity.
        """
        for batch in table.to_batches():
            sources, targets = _projections(schema.conform(batch, _NEEDED))
            places = np.arange(self._places, self._places + len(sources))
            self._places += len(sources)
            columns = [sources, targets, to_array(np.ones(len(sources), np.int64)), to_array(places)]
            self._hold(_summed(pa.Table.from_arrays(columns, schema=_COUNTED)))

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the forms that recur, for `KnownNames`."""
        with replacing(path) as file, pa.ipc.new_file(cast("Any", file), _KNOWN) as writer:
            for counted in self._merged():
                writer.write_table(_recurring(counted, self._least), max_chunksize=_BATCH_ROWS)
        for run in self._runs:
            run.unlink()

    def _hold(self, counted: pa.Table) -> None:
        self._held.append(counted)
        if _bytes(self._held) <= self._most_bytes:
            return
        self._held = [_summed(pa.concat_tables(self._held))]
        if _bytes(self._held) > self._most_bytes // 2:
            self._sort_away()

    def _sort_away(self) -> None:
        """Write what is held to a file, in the order of names."""
        (held,) = self._held
        self._held = []
        path = self._folder / f"names-{len(self._runs):06d}.sorted"
        ordered = held.sort_by(_SOURCE)
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, _COUNTED) as writer:
            writer.write_table(ordered.combine_chunks(), max_chunksize=_BATCH_ROWS)
        self._runs.append(path)

    def _merged(self) -> Iterator[pa.Table]:
        """All that was counted, names in order, so many at a time that they can be held."""
        held = _summed(pa.concat_tables([_COUNTED.empty_table(), *self._held])).sort_by(_SOURCE)
        if not self._runs:
            yield held
            return
        self._held = []
        runs = [*(_SortedRun(_mapped(path)) for path in self._runs), _SortedRun(held)]
        limits = self._limits(runs)
        for low, high in zip([None, *limits], [*limits, None], strict=True):
            yield _summed(pa.concat_tables([run.between(low, high) for run in runs])).sort_by(_SOURCE)

    def _limits(self, runs: list[_SortedRun]) -> list[str]:
        """Names between which there is about as much as can be held."""
        share = max(1, self._most_bytes // 2 // len(runs))  # of each run
        samples = sorted(name for run in runs for name in run.names(share))
        return sorted(set(samples[len(runs) :: len(runs)]))


class _SortedRun:
    """Counts in the order of their names."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        self._names = table.column(_SOURCE)

    def names(self, share: int) -> Iterator[str]:
        """A name after each so many bytes, from the first one on."""
        rows = max(1, share * self._table.num_rows // max(1, self._table.nbytes))
        for row in range(0, self._table.num_rows, rows):
            yield str(self._names[row].as_py())

    def between(self, low: str | None, high: str | None) -> pa.Table:
        """The counts of names from one to before another."""
        first, last = (
            0 if low is None else self._place(low),
            self._table.num_rows if high is None else self._place(high),
        )
        return self._table.slice(first, last - first)

    def _place(self, name: str) -> int:
        """Of the first row that does not come before a name."""
        low, high = 0, self._table.num_rows
        while low < high:
            middle = (low + high) // 2
            if str(self._names[middle].as_py()) < name:
                low = middle + 1
            else:
                high = middle
        return low


class KnownNames:
    """What a corpus has projected names onto, as `NameCounts` has counted it; looked up on the disk.

    Args:
        path: that `NameCounts.write` has written.
        memory: whose `least` and `weight` hold; None for a new one.
    """

    def __init__(self, path: str | os.PathLike[str], memory: Memory | None = None) -> None:
        memory = Memory() if memory is None else memory
        self._least, self._weight = memory.least, memory.weight
        self._known = _mapped(path)

    def __len__(self) -> int:
        """Number of different names of which a projection recurs."""
        return len(pc.unique(self._known.column(_SOURCE)))

    def hint(self, table: pa.Table, *, threads: int = 0) -> pa.Table:
        """Add the column `hints`, as `Memory.hint` does.

        Args:
            table: rows that were counted.
            threads: as there.
        """
        hints = [self._hints(schema.conform(batch, _NEEDED), threads) for batch in table.to_batches()]
        return with_columns(table, {schema.HINTS: chunked(hints, schema.HINTS_TYPE)})

    def _hints(self, batch: pa.RecordBatch, threads: int) -> pa.Array[Any]:
        vocabulary = Vocabulary(_spelled)
        entities = batch.column(schema.SOURCE_ENTITIES)
        names = pc.unique(_texts(batch.column(schema.SOURCE_TOKENS), *_spans(entities)))
        known = self._known.filter(pc.is_in(self._known.column(_SOURCE), value_set=names))
        sources, targets = (one_array(known.column(name)) for name in (_SOURCE, _TARGET))
        memory = _core.ProjectionMemory()
        columns = {
            "source_words": vocabulary.number(_words(sources), are_folded=True),
            "target_words": vocabulary.number(_words(targets), are_folded=True),
            "count": one_array(known.column(_COUNT)),
        }
        memory.remember_counts(pa.record_batch(columns))
        found = memory.recall(
            numbered(batch, vocabulary), least=self._least, weight=self._weight, all_remembered=True, threads=threads
        )
        return from_core(found).cast(schema.HINTS_TYPE)


def _spelled(word: str) -> str:
    """A word as it stands in a name: folded, and without blanks."""
    return normalize(word).replace("\\", "\\\\").replace(_BETWEEN, "\\_")


def _words(names: pa.Array[Any]) -> pa.Array[Any]:
    """The words of names; none of what has no name."""
    words: pa.Array[Any] = pc.split_pattern(names, _BETWEEN)
    return words


def _projections(batch: pa.RecordBatch) -> tuple[pa.Array[Any], pa.Array[Any]]:
    """The names of a projected batch, one for each of its entities, and the words that these have."""
    rows, starts, ends = _spans(batch.column(schema.ENTITIES))
    of = pc.struct_field(flattened(batch.column(schema.ENTITIES)), "source").to_numpy(zero_copy_only=False)
    entities = batch.column(schema.SOURCE_ENTITIES)
    _, first, last = _spans(entities)
    before = np.cumsum(list_lengths(entities)) - list_lengths(entities)
    places = before[rows] + of
    sources = _texts(batch.column(schema.SOURCE_TOKENS), rows, first[places], last[places])
    return sources, _texts(batch.column(schema.TOKENS), rows, starts, ends)


def _spans(entities: pa.Array[Any]) -> tuple[npt.NDArray[np.int64], npt.NDArray[Any], npt.NDArray[Any]]:
    """The row, the start and the end of each entity."""
    rows = np.repeat(np.arange(len(entities)), list_lengths(entities))
    flat = flattened(entities)
    start, end = (pc.struct_field(flat, name).to_numpy(zero_copy_only=False) for name in ("start", "end"))
    return rows, start, end


def _texts(
    sentences: pa.Array[Any], rows: npt.NDArray[np.int64], starts: npt.NDArray[Any], ends: npt.NDArray[Any]
) -> pa.Array[Any]:
    """The words of spans, folded, each as one text."""
    lengths = (ends - starts).astype(np.int64)
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    before = np.cumsum(list_lengths(sentences)) - list_lengths(sentences)
    places = np.arange(bounds[-1]) + np.repeat(before[rows] + starts - bounds[:-1], lengths)
    words = flattened(sentences).take(to_array(places)).dictionary_encode(null_encoding="encode")
    spelled = pa.array([_spelled(word or "") for word in pylist(words.dictionary)], pa.string())
    lists = pa.ListArray.from_arrays(pa.array(bounds, pa.int32()), spelled.take(words.indices))
    texts: Any = pc.binary_join(lists, _BETWEEN)
    return one_array(texts)


def _summed(counted: pa.Table) -> pa.Table:
    """Counts with each projection of each name once, at the first of its places."""
    sums = counted.group_by([_SOURCE, _TARGET], use_threads=False).aggregate([(_COUNT, "sum"), (_PLACE, "min")])
    return sums.select([_SOURCE, _TARGET, f"{_COUNT}_sum", f"{_PLACE}_min"]).rename_columns(_COUNTED.names)


def _recurring(counted: pa.Table, least: int) -> pa.Table:
    """Forms that were counted so often, of each name in the order of their first places, and those of it that are not.

    The others are told apart no more, as none of them can count but as a part of the whole.
    """
    recurs = pc.greater_equal(counted.column(_COUNT), pa.scalar(least))
    found, others = counted.filter(recurs), counted.filter(pc.invert(recurs))
    others = others.filter(pc.is_in(others.column(_SOURCE), value_set=pc.unique(found.column(_SOURCE))))
    rest = others.group_by(_SOURCE, use_threads=False).aggregate([(_COUNT, "sum")])
    rest = rest.rename_columns([_SOURCE, _COUNT])
    known = pa.concat_tables([found, rest], promote_options="default")  # of nothing else, and at no place
    ordered = known.sort_by([(_SOURCE, "ascending"), (_PLACE, "ascending")])
    return ordered.select(_KNOWN.names).cast(_KNOWN)


def _mapped(path: str | os.PathLike[str]) -> pa.Table:
    with pa.memory_map(str(path)) as file:
        return pa.ipc.open_file(file).read_all()


def _bytes(tables: list[pa.Table]) -> int:
    return sum(table.nbytes for table in tables)
