"""The runner: a stage over rows, part by part, with progress, checkpoints and resume.

A run keeps its finished parts in a folder beside the output, `.OUTPUT.parts`. A run that was interrupted, by
Ctrl-C or by kill -9, finds them there, checks that they come from the same inputs, options and version, and goes on
with the next part; the output ends byte-identical to that of an uninterrupted run. The folder goes when the output is
in place.

Rows are there as a table, whose result is kept as Arrow files and given back (`run`), or come piece by piece
(`run_pieces`): then what is kept are parts of the output, which in the end are put together, and memory is bounded.
`run_read` does so with files wherever their formats can be read so.
"""

from __future__ import annotations

import json
import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from itertools import count as numbers
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar, cast

import pyarrow as pa

from xner import io
from xner._support.digests import table_digest
from xner._support.pieces import (
    PIECE_ROWS,
    WholeNeededError,
    ahead,
    behind,
    files_first,
    has_room_for_threads,
    pieces_of,
)
from xner._support.progress import Reporter, silent
from xner.errors import Error
from xner.pipelines.engines import LOCAL

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from io import IOBase
    from pathlib import Path

    from xner.pipelines.checkpoints import Checkpoints
    from xner.pipelines.engines import Engine

__all__ = [
    "MODEL_PART_ROWS",
    "PIECE_ROWS",
    "Counts",
    "in_pieces",
    "kept_pieces",
    "piece_rows",
    "run",
    "run_parts",
    "run_pieces",
    "run_read",
]

_SCHEMA = b"xner.part"
MODEL_PART_ROWS = 4096
"""Rows a part for stages that run neural models: some minutes' work without a GPU."""


class Counts(Protocol):
    """What there is to count of rows; made without arguments, it is that of none."""

    def add(self, other: Self) -> None:
        """Add those of the rows that follow."""

    def to_dict(self) -> dict[str, Any]:
        """The counts in the types of JSON."""

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The counts of which `to_dict` has given the values."""


T = TypeVar("T")
CountsT = TypeVar("CountsT", bound=Counts)


def run_parts(
    table: pa.Table,
    stage: Callable[[pa.RecordBatch], pa.RecordBatch],
    kept: Checkpoints,
    *,
    name: str = "part",
    report: Reporter = silent,
    what: str = "projecting",
    part_rows: int | None = None,
    engine: Engine = LOCAL,
    has_model: bool = False,
) -> pa.Table:
    """Run a stage over a table, part by part, and keep each part that is finished.

    Args:
        table: the input; its rows are handed to `stage` in order.
        stage: keeps every row where it is.
        kept: where finished parts are, and are looked for.
        name: of the parts' files: one for each stage of a run.
        report: told after each part how many rows are done.
        what: name of the work in reports.
        part_rows: rows a part; None for 100 000. Parts are the same whether the run was interrupted or not.
        engine: where parts are worked on.
        has_model: whether the stage computes with a model, see `Engine.map`.

    Returns:
        The result; columns that the stage has made are memory-mapped from the parts' files.

    Raises:
        Error: whatever the stage raises, and a stage that changes the number of rows.
    """
    parts = _InParts(kept, engine, lambda _: name, part_rows or PIECE_ROWS, report, what)
    (made,) = parts.run(stage, [table], has_model=has_model)
    return made


class _InParts:
    """Has an engine work on pieces part by part, each of which may be kept.

    Parts of several pieces are worked on at a time, as far ahead as the engine asks for them.

    Args:
        kept: where finished parts are, and are looked for; None keeps none.
        engine: where parts are worked on.
        name: of the files of a piece's parts.
        rows: of a part.
        report: told after each part how many rows of its piece are done.
        what: name of the work in reports.
    """

    def __init__(
        self,
        kept: Checkpoints | None,
        engine: Engine,
        name: Callable[[pa.Table], str],
        rows: int,
        report: Reporter,
        what: str,
    ) -> None:
        self._kept, self._engine, self._name, self._rows = kept, engine, name, rows
        self._report, self._what = report, what

    def run(
        self,
        stage: Callable[[pa.RecordBatch], pa.RecordBatch],
        pieces: Iterable[pa.Table],
        *,
        has_model: bool,
    ) -> Iterator[pa.Table]:
        """What a stage makes of each piece, in order; new columns that are kept are memory-mapped.

        Args:
            stage: keeps every row where it is.
            pieces: read as their parts are asked for.
            has_model: see `Engine.map`.

        Raises:
            Error: as the stage does; it changes the number of rows.
        """
        waiting: deque[_Cut] = deque()
        missing: deque[pa.RecordBatch] = deque()
        still_to_cut = iter(pieces)

        def cut() -> bool:
            table = next(still_to_cut, None)
            if table is None:
                return False
            piece = self._cut(table)
            missing.extend(piece.missing(self._rows))
            waiting.append(piece if self._kept is not None else piece.without_rows())
            return True

        def to_make() -> Iterator[pa.RecordBatch]:
            while missing or cut():
                if missing:
                    yield missing.popleft()

        made = self._engine.map(stage, to_make(), has_model=has_model)
        while waiting or cut():
            yield self._finished(waiting.popleft(), made)

    def _cut(self, table: pa.Table) -> _Cut:
        count = max(1, -(-table.num_rows // self._rows))
        if self._kept is None:
            return _Cut(table, table.num_rows, [""] * count, [False] * count)
        name = self._name(table)
        names = [f"{name}-{number:06d}.arrow" for number in range(count)]
        return _Cut(table, table.num_rows, names, [self._kept.find(one) is not None for one in names])

    def _finished(self, piece: _Cut, made: Iterator[pa.RecordBatch]) -> pa.Table:
        parts = []
        for number, (name, is_kept) in enumerate(zip(piece.names, piece.are_kept, strict=True)):
            first = number * self._rows
            rows = min(self._rows, piece.rows - first)
            if self._kept is None:
                parts.append(pa.Table.from_batches([_next_made(made, rows, first)]))
                continue
            before = piece.table.slice(first, rows)
            if not is_kept:
                done = _next_made(made, rows, first)
                with self._kept.writing(name) as path:
                    _save_part(path, done, one_batch(before))
            parts.append(_open_part(self._kept.path(name), before))
            self._report(self._what, first + rows, piece.rows)
        return pa.concat_tables(parts)


@dataclass(frozen=True, slots=True, eq=False)
class _Cut:
    """A piece that is cut into parts.

    Attributes:
        table: the piece.
        rows: that it has.
        names: of its parts' files.
        are_kept: which of them are there.
    """

    table: pa.Table
    rows: int
    names: list[str]
    are_kept: list[bool]

    def missing(self, rows: int) -> Iterator[pa.RecordBatch]:
        """The parts that are to be made, of so many rows each."""
        for number, is_kept in enumerate(self.are_kept):
            if not is_kept:
                yield one_batch(self.table.slice(number * rows, rows))

    def without_rows(self) -> Self:
        """The same, with nothing of the piece, whose parts are not kept."""
        return replace(self, table=self.table.schema.empty_table())


def run(
    table: pa.Table,
    stage: Callable[[pa.RecordBatch], pa.RecordBatch],
    kept: Checkpoints,
    *,
    format: str | None = None,
    report: Reporter = silent,
    what: str = "projecting",
    part_rows: int | None = None,
    select: Callable[[pa.Table], pa.Table] | None = None,
    engine: Engine = LOCAL,
    **writer_options: Any,
) -> pa.Table:
    """Run a stage over a table, part by part as `run_parts` does, and write the result.

    Args:
        table: the input.
        stage: keeps every row where it is.
        kept: where finished parts are; its `output` is written.
        format: of the output; None goes by its name.
        report: told after each part how many rows are done.
        what: name of the work in reports.
        part_rows: rows a part; None for 100 000.
        select: takes from the result what is written; None writes all.
        engine: where parts are worked on.
        **writer_options: for the format's writer.

    Returns:
        The whole result, memory-mapped or in memory.

    Raises:
        Error: whatever the stage and the writer raise.
    """
    result = run_parts(table, stage, kept, report=report, what=what, part_rows=part_rows, engine=engine)
    rows, most = result if select is None else select(result), part_rows or PIECE_ROWS
    with io.open_writer(kept.output, format, **writer_options) as writer:
        for first in range(0, max(1, rows.num_rows), most):
            writer.write(one_batch(rows.slice(first, most)))  # so that the bytes do not depend on the input's pieces
    return result


def run_pieces(
    pieces: Iterable[pa.Table],
    stage: Callable[[pa.RecordBatch], pa.RecordBatch] | None,
    kept: Checkpoints,
    *,
    format: str | None = None,
    report: Reporter = silent,
    what: str = "projecting",
    rows: int | None = None,
    select: Callable[[pa.Table], pa.Table] | None = None,
    count: Callable[[pa.Table], CountsT],
    counts: CountsT,
    threads: int = 0,
    engine: Engine = LOCAL,
    model_rows: int | None = None,
    **writer_options: Any,
) -> CountsT:
    """Run a stage over rows that come piece by piece, and write the result.

    Memory is that of some pieces. While a piece is worked on, those before it are written in threads of their own.

    Args:
        pieces: the input, of `piece_rows(model_rows)` rows each but for the last one; at least one.
        stage: keeps every row where it is; None writes rows as they are.
        kept: where finished parts of the output are; its `output` is written.
        format: of the output; None goes by its name.
        report: told after each piece how many rows are done.
        what: name of the work in reports.
        rows: how many there are, for reports; None: that is not known.
        select: takes from a result what is written; None writes all.
        count: counts what is to be said of a result.
        counts: those of no rows, to which the others are added.
        threads: that write, 0 for one a core.
        engine: where pieces are worked on.
        model_rows: of a stage that computes with a model, rows of the parts that a piece is worked on in, each of which
            is kept; None: there is no model, and pieces are worked on as they are.
        **writer_options: for the format's writer.

    Returns:
        The counts of all rows.

    Raises:
        Error: whatever the pieces, the stage and the writer raise.
    """
    with _OutputParts(kept, format, select, count, counts, threads or os.cpu_count() or 1, writer_options) as output:
        waiting = _Pieces(pieces, output.is_kept)
        made = _made(waiting, stage, kept, model_rows, report, what, engine)
        first = 0
        while (piece := waiting.next()) is not None:
            if piece.is_kept:
                output.take()
            else:
                output.add(_next_made(made, piece.rows, first))
            first += piece.rows
            _release()
            report(what, first, first if rows is None else rows)
        return output.finish()


def kept_pieces(
    pieces: Iterable[pa.Table],
    stage: Callable[[pa.RecordBatch], pa.RecordBatch],
    kept: Checkpoints,
    *,
    name: str,
    report: Reporter = silent,
    what: str,
    rows: int | None = None,
    engine: Engine = LOCAL,
    model_rows: int | None = None,
) -> Iterator[pa.Table]:
    """What a stage makes of rows that come piece by piece, each piece of which is kept.

    Args:
        pieces: the input, as for `run_pieces`.
        stage: keeps every row where it is.
        kept: where finished pieces are, and are looked for.
        name: of their files.
        report: told after each piece that was made how many rows are done.
        what: name of the work in reports.
        rows: how many there are, for reports; None: that is not known.
        engine: where pieces are worked on.
        model_rows: as for `run_pieces`.

    Yields:
        For each piece its columns, and those of the stage, memory-mapped.

    Raises:
        Error: whatever the pieces and the stage raise.
    """

    def file(place: int) -> str:
        return f"{name}-{place:06d}.arrow"

    waiting = _Pieces(pieces, lambda place: kept.find(file(place)) is not None, holds=True)
    made = _made(waiting, stage, kept, model_rows, report, what, engine)
    first = 0
    for place in numbers():
        piece = waiting.next()
        if piece is None:
            return
        assert piece.batch is not None, "pieces are held"
        if not piece.is_kept:
            done = _next_made(made, piece.rows, first)
            with kept.writing(file(place)) as path:
                _save_part(path, done, piece.batch)
            del done
        first += piece.rows
        if not piece.is_kept:
            report(what, first, first if rows is None else rows)
        yield _open_part(kept.path(file(place)), pa.Table.from_batches([piece.batch]))
        del piece
        _release()


def _made(
    waiting: _Pieces,
    stage: Callable[[pa.RecordBatch], pa.RecordBatch] | None,
    kept: Checkpoints,
    model_rows: int | None,
    report: Reporter,
    what: str,
    engine: Engine,
) -> Iterator[pa.RecordBatch]:
    """What a stage makes of the pieces of which nothing is kept; see `run_pieces`."""
    if stage is None:
        return waiting.to_make()
    part_rows = model_rows or engine.part_rows
    if part_rows is None:
        return engine.map(stage, waiting.to_make())
    is_model = model_rows is not None
    parts = _InParts(kept if is_model else None, engine, _name_of_parts, part_rows, report, f"{what} of this piece")
    tables = (pa.Table.from_batches([one]) for one in waiting.to_make())
    return map(one_batch, parts.run(stage, tables, has_model=is_model))


def run_read(
    pieces: Callable[..., Generator[pa.Table]] | None,
    whole: Callable[[], pa.Table],
    run_over: Callable[[Iterable[pa.Table], bool], T],
    *,
    part_rows: int | None = None,
) -> T:
    """Work on rows as they are read, piece by piece; where files cannot be read so, on pieces of the whole.

    Args:
        pieces: reads them piece by piece, of so many `rows` each; None: their formats cannot.
        whole: reads them as a whole.
        run_over: runs over pieces, and is told whether they are of the whole.
        part_rows: see `piece_rows`.

    Raises:
        Error: as reading and running do; what is wrong with the files comes first.
    """
    rows = piece_rows(part_rows)
    if pieces is not None:
        with suppress(WholeNeededError), closing(ahead(pieces(rows=rows))) as read, files_first(read):
            return run_over(read, False)
    return run_over(pieces_of(whole(), rows), True)


def piece_rows(part_rows: int | None = None) -> int:
    """Rows a piece.

    Args:
        part_rows: rows of the parts that pieces are worked on in: these are then what they are of the whole, as results
            of neural models depend a little on what is computed together. None: there are no such parts.
    """
    return PIECE_ROWS if part_rows is None else max(1, PIECE_ROWS // part_rows) * part_rows


def _name_of_parts(piece: pa.Table) -> str:
    """Of the files of parts: those of a piece are found whichever pieces are there already."""
    return f"made-{table_digest(piece)}"


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece that was read.

    Attributes:
        rows: how many it has.
        is_kept: whether what is made of it is there from an earlier run.
        batch: its rows, where they are held.
    """

    rows: int
    is_kept: bool
    batch: pa.RecordBatch | None


class _Pieces:
    """Pieces as they are read: those of which nothing is kept are handed on, and all are noted in their order.

    Args:
        pieces: that are read.
        is_kept: whether something is kept of the piece of a number.
        holds: whether what is noted of a piece holds its rows.
    """

    def __init__(self, pieces: Iterable[pa.Table], is_kept: Callable[[int], bool], *, holds: bool = False) -> None:
        self._pieces, self._is_kept, self._holds = iter(pieces), is_kept, holds
        self._ahead: deque[pa.RecordBatch] = deque()
        self._noted: deque[_Piece] = deque()
        self._count = 0
        self._error: Exception | None = None

    def next(self) -> _Piece | None:
        """The next piece, which is read now if no engine has asked for it; None after the last one.

        Raises:
            Error: whatever reading raises, when all pieces before were given.
        """
        if not self._noted:
            self._read()
        if self._noted:
            return self._noted.popleft()
        if self._error is not None:
            raise self._error
        return None

    def to_make(self) -> Iterator[pa.RecordBatch]:
        """The pieces of which nothing is kept, for an engine, which may ask for some ahead."""
        while self._ahead or self._read():
            if self._ahead:
                yield self._ahead.popleft()

    def _read(self) -> bool:
        """Read a piece; False after the last one, and where reading fails."""
        try:
            table = next(self._pieces, None)
        except Exception as error:  # told when its turn has come
            self._error, self._pieces = error, iter(())
            return False
        if table is None:
            return False
        is_kept = self._is_kept(self._count)
        batch = one_batch(table) if self._holds or not is_kept else None
        self._noted.append(_Piece(table.num_rows, is_kept, batch if self._holds else None))
        self._count += 1
        if batch is not None and not is_kept:
            self._ahead.append(batch)
        return True


class _OutputParts(Generic[CountsT]):
    """The parts of an output, each of which is kept as it is written, with its counts; in the end they are one file."""

    def __init__(
        self,
        kept: Checkpoints,
        format: str | None,
        select: Callable[[pa.Table], pa.Table] | None,
        count: Callable[[pa.Table], CountsT],
        counts: CountsT,
        threads: int,
        writer_options: dict[str, Any],
    ) -> None:
        self._kept, self._select, self._count, self._threads = kept, select, count, threads
        self._name = io.format_of(kept.output, format)
        self._format = io.FORMATS[self._name]
        self._writer_options = writer_options
        self._pool = ThreadPoolExecutor(threads)
        self._parts: list[Path] = []
        self._rows = 0  # that are written so far
        self._counts = counts
        self._writing: deque[Future[CountsT]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()  # what is done already is kept, also for a run that goes on later

    def is_kept(self, place: int) -> bool:
        """Whether a part is there from an earlier run."""
        return all(self._kept.find(name) is not None for name in self._names(place))

    def take(self) -> None:
        """Take the next part, which is there."""
        part, counts = self._names(len(self._parts))
        found = json.loads(self._kept.path(counts).read_bytes())
        self._settle(0)
        self._counts.add(type(self._counts).from_dict(found["counts"]))
        self._rows += found["rows"]
        self._parts.append(self._kept.path(part))

    def add(self, done: pa.RecordBatch) -> None:
        """Write the next part."""
        whole = pa.Table.from_batches([done])
        part, counts = self._names(len(self._parts))
        self._parts.append(self._kept.path(part))
        chosen = whole if self._select is None else self._select(whole)
        self._settle(self._threads - 1)
        what: Any = (part, counts, whole, one_batch(chosen), self._rows)
        if has_room_for_threads():
            self._writing.append(self._pool.submit(self._write, *what))
        else:
            self._counts.add(self._write(*what))
        self._rows += chosen.num_rows

    def finish(self) -> CountsT:
        """Put the parts together; the counts of all."""
        self._settle(0)
        if self._format.join is not None:
            with io.replacing(self._kept.output) as file:
                self._format.join(self._parts, file)
        else:
            with io.open_writer(self._kept.output, self._name, **self._writer_options) as writer:
                for part in self._parts:
                    with pa.memory_map(str(part)) as kept:
                        writer.write(pa.ipc.open_file(kept).get_batch(0))
        return self._counts

    def _names(self, place: int) -> tuple[str, str]:
        """Of a part, and of its counts."""
        number = f"part-{place:06d}"
        return (f"{number}.arrow" if self._format.join is None else f"{number}.{self._name}"), f"{number}.json"

    def _settle(self, most: int) -> None:
        """Wait until no more than so many parts are being written."""
        while len(self._writing) > most:
            self._counts.add(self._writing.popleft().result())

    def _write(self, part: str, counts: str, whole: pa.Table, rows: pa.RecordBatch, rows_before: int) -> CountsT:
        found = self._count(whole)
        with self._kept.writing(counts) as path, io.replacing(path) as file:
            file.write(json.dumps({"counts": found.to_dict(), "rows": rows.num_rows}).encode())
        with self._kept.writing(part) as path, io.replacing(path) as file:
            if self._format.join is None:
                with pa.ipc.new_file(cast("IOBase", file), rows.schema) as kept:
                    kept.write_batch(rows)
                return found
            place = {"rows_before": rows_before} if self._format.is_text else {}
            writer = self._format.writer(file, **place, **self._writer_options)
            writer.write(rows)
            writer.close()
        return found


def _release() -> None:
    """Give back to the system what was given back to Arrow, which else keeps it for each thread."""
    pa.default_memory_pool().release_unused()


def in_pieces(
    table: pa.Table,
    stage: Callable[[pa.Table], pa.Table],
    *,
    report: Reporter = silent,
    what: str = "projecting",
    engine: Engine = LOCAL,
) -> Iterator[pa.Table]:
    """What a stage makes of a table, piece by piece, so that what it needs besides is no more than a piece needs.

    Args:
        table: the input; without rows, it is one piece.
        stage: keeps every row where it is.
        report: told after each piece how many rows are done.
        what: name of the work in reports.
        engine: where pieces are worked on.

    Raises:
        Error: whatever the stage raises; rows in errors are counted from the table's beginning.
    """
    places = range(0, max(1, table.num_rows), PIECE_ROWS)
    made = engine.map(stage, (table.slice(first, PIECE_ROWS) for first in places))
    for first in places:
        with behind(first):
            done = next(made)
        yield done
        del done
        report(what, min(first + PIECE_ROWS, table.num_rows), table.num_rows)


def one_batch(rows: pa.Table) -> pa.RecordBatch:
    """Rows as one batch."""
    batches = rows.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=rows.schema)


def _next_made(made: Iterator[pa.RecordBatch], rows: int, first_row: int) -> pa.RecordBatch:
    """What an engine has made of the next part, whose rows are counted from the table's beginning in errors."""
    with behind(first_row):
        done = next(made)
    if done.num_rows != rows:
        raise Error(f"the stage made {done.num_rows} rows of {rows}")
    return done


def _save_part(path: Path, done: pa.RecordBatch, before: pa.RecordBatch) -> None:
    """Keep what a stage has made of a part: the columns that are not what they were."""
    names = [name for name in done.schema.names if not _has(before, name, done.column(name))]
    kept = done.select(names).replace_schema_metadata({_SCHEMA: done.schema.serialize().to_pybytes()})
    with io.replacing(path) as file, pa.ipc.new_file(file, kept.schema) as writer:  # type: ignore[arg-type]  # a BinaryIO will do
        writer.write_batch(kept)


def _has(rows: pa.RecordBatch, name: str, column: pa.Array[Any]) -> bool:
    if name not in rows.schema.names:
        return False
    before = rows.column(name)
    return before.type == column.type and before.equals(column)


def _open_part(path: Path, before: pa.Table) -> pa.Table:
    """What was kept of a part, memory-mapped, with the columns that are as they were before."""
    with pa.memory_map(str(path)) as file:
        kept = pa.ipc.open_file(file).read_all()
    schema = pa.ipc.read_schema(pa.py_buffer(kept.schema.metadata[_SCHEMA]))
    columns = [(kept if name in kept.schema.names else before).column(name) for name in schema.names]
    return pa.Table.from_arrays(columns, schema=schema)
