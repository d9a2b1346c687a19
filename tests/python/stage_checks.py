"""What every stage promises, as one check: `check_stage`."""

from __future__ import annotations

import copy
import math
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import datasets
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from datasets.fingerprint import Hasher

from xner import schema
from xner._support.arrow import pylist
from xner.errors import DataError, Error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xner._support.stages import Stage

EVERYWHERE = ("fork", "spawn", "datasets")


class _Known(NamedTuple):
    """What tells a stage from others."""

    signature: str
    identity: str
    fingerprint: str  # of datasets, for its cache

    @classmethod
    def of(cls, stage: Stage) -> _Known:
        return cls(stage.signature, stage.identity, Hasher.hash(stage))


def check_stage(
    stage: Stage,
    table: pa.Table,
    *,
    wrong: pa.Table | None = None,
    others: Sequence[Stage] = (),
    elsewhere: Sequence[str] = EVERYWHERE,
    tolerance: float = 0.0,
) -> None:
    """Check that a stage keeps what stages promise.

    Args:
        stage: under test.
        table: that it takes, at least four rows.
        wrong: a table of which a row is wrong, where the stage can be handed one.
        others: stages that differ from it in one option each.
        elsewhere: where it is to work besides this process: some of `EVERYWHERE`.
        tolerance: by which numbers may differ that networks compute in other batches.
    """
    known = _Known.of(stage)
    made = stage(table)
    assert _Known.of(stage) == known, "use changes nothing of what a stage is"
    _check_rows(stage, table, made)
    _check_batches(stage, table, made, tolerance)
    _check_statuses(stage, table, made)
    _check_progress(stage, table)
    _check_copies(stage, table, made, known, tolerance)
    _check_words(stage)
    _check_others(stage, known, others)
    with pytest.raises(Error, match="RecordBatch or Table, found dict"):
        stage(table.to_pydict())
    error = None if wrong is None else _error_of(stage, wrong)
    for method in elsewhere:
        if method == "datasets":
            _check_datasets(stage, table, made, tolerance)
        else:
            _check_process(stage, table, made, known, method, wrong, error, tolerance)


def _check_rows(stage: Stage, table: pa.Table, made: pa.Table) -> None:
    assert isinstance(made, pa.Table)
    assert made.num_rows == table.num_rows >= 4
    assert set(stage.writes) <= set(made.schema.names)
    assert set(made.schema.names) == set(table.schema.names) | set(stage.writes)
    kept = [name for name in table.schema.names if name not in stage.writes]
    assert made.select(kept).equals(table.select(kept))
    assert table.slice(0, 0).num_rows == stage(table.slice(0, 0)).num_rows == 0
    for name in stage.writes:
        if name in schema.COLUMN_TYPES and name != schema.NER_PROBABILITIES:
            assert made.schema.field(name).type == schema.COLUMN_TYPES[name], name


def _check_batches(stage: Stage, table: pa.Table, made: pa.Table, tolerance: float) -> None:
    """A table gives what its batches give, however it is cut."""
    ends = [0, 1, table.num_rows // 2, table.num_rows]
    pieces = [table.slice(start, end - start).combine_chunks().to_batches()[0] for start, end in pairwise(ends)]
    cut = stage(pa.Table.from_batches(pieces))
    assert _same(cut, made, tolerance)
    parts = [stage(piece) for piece in pieces]
    assert all(isinstance(part, pa.RecordBatch) for part in parts)
    assert _same(pa.Table.from_batches(parts), made, tolerance)
    assert _same(stage(made), stage(stage(made)), tolerance), "what a stage has said it takes back"


def _check_statuses(stage: Stage, table: pa.Table, made: pa.Table) -> None:
    """What an earlier stage said of a row stays where this one has nothing to say."""
    said = pa.array(["looping", "ok", None] * table.num_rows, pa.string())[: table.num_rows]
    column = said.dictionary_encode().cast(schema.STATUS_TYPE)
    bare = table.drop_columns([schema.STATUS]) if schema.STATUS in table.schema.names else table
    found = stage(bare.append_column(schema.STATUS, column)).column(schema.STATUS).to_pylist()
    alone = stage(bare)
    if schema.STATUS not in alone.schema.names:
        assert found == said.to_pylist()
        return
    for before, own, after in zip(said.to_pylist(), alone.column(schema.STATUS).to_pylist(), found, strict=True):
        if before is None and own == "ok":
            assert after in {None, "ok"}
        else:
            assert after == (before if own == "ok" else own)
    assert "looping" in found


def _check_progress(stage: Stage, table: pa.Table) -> None:
    told: list[tuple[str, int, int]] = []
    stage(table, progress=lambda what, done, total: told.append((what, done, total)))
    assert all(what and 0 <= done <= total for what, done, total in told)
    for what in {what for what, _, _ in told}:
        assert any(done == total for name, done, total in told if name == what), what


def _check_copies(stage: Stage, table: pa.Table, made: pa.Table, known: _Known, tolerance: float) -> None:
    for other in (pickle.loads(pickle.dumps(stage)), copy.deepcopy(stage), copy.copy(stage)):
        assert type(other) is type(stage)
        assert _Known.of(other) == known
        assert _same(other(table), made, tolerance)
        assert (other.reads, other.writes) == (stage.reads, stage.writes)


def _check_words(stage: Stage) -> None:
    shown = repr(stage)
    assert shown.startswith(type(stage).__name__)
    assert "\n" not in shown
    assert " at 0x" not in shown + stage.signature + stage.identity
    assert "\n" not in stage.signature
    for names in (stage.reads, stage.writes):
        assert isinstance(names, tuple)
        assert names


def _check_others(stage: Stage, known: _Known, others: Sequence[Stage]) -> None:
    for other in others:
        other_known = _Known.of(other)
        for one, same in zip(known, other_known, strict=True):
            assert one != same, (stage.signature, other.signature)
    for names in zip(*map(_Known.of, others), strict=True):
        assert len(set(names)) == len(others)


def _check_process(
    stage: Stage,
    table: pa.Table,
    made: pa.Table,
    known: _Known,
    method: str,
    wrong: pa.Table | None,
    error: Any,
    tolerance: float,
) -> None:
    pool = _pool(method)
    assert pool.submit(_Known.of, stage).result(timeout=300) == known
    assert _same(pool.submit(stage, table).result(timeout=300), made, tolerance)
    if wrong is not None:
        assert pool.submit(_error_of, stage, wrong).result(timeout=300) == error
        assert _shown(pool.submit(stage, wrong).exception(timeout=300)) == error


@cache
def _pool(method: str) -> ProcessPoolExecutor:
    """A worker for all stages: starting one takes longer than all that it does."""
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method))


def _error_of(stage: Stage, wrong: pa.Table) -> Any:
    with pytest.raises(DataError) as caught:
        stage(wrong)
    return _shown(caught.value)


def _shown(error: BaseException | None) -> Any:
    notes = "__notes__"  # concurrent.futures tells where in the worker it was
    return type(error).__name__, str(error), {name: value for name, value in vars(error).items() if name != notes}


def _check_datasets(stage: Stage, table: pa.Table, made: pa.Table, tolerance: float) -> None:
    rows = datasets.Dataset(datasets.table.InMemoryTable(table)).with_format("arrow")
    found = rows.map(stage, batched=True, batch_size=3, num_proc=2, load_from_cache_file=False)
    assert _same(found.data.table, made, tolerance)


def _same(found: pa.Table, made: pa.Table, tolerance: float) -> bool:
    """Whether tables hold the same, the order of columns and what datasets does to types apart."""
    assert sorted(found.schema.names) == sorted(made.schema.names)
    if tolerance:
        return _close(found.to_pydict(), made.to_pydict(), tolerance)
    return bool(_plain(found).equals(_plain(made)))


def _plain(table: pa.Table) -> pa.Table:
    columns = {}
    for name in sorted(table.schema.names):
        column = table.column(name)
        columns[name] = column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
    return pa.table(columns).combine_chunks()


def _close(one: Any, other: Any, tolerance: float) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=tolerance, abs_tol=tolerance)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_close(one[key], other[key], tolerance) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(_close(*both, tolerance) for both in zip(one, other, strict=True))
    return bool(one == other)


def null_word(table: pa.Table, column: str, row: int) -> pa.Table:
    """A table in which a word of a row is missing."""
    words = pylist(table.column(column))
    words[row] = [None, *words[row][1:]]
    position = table.schema.get_field_index(column)
    return table.set_column(position, column, pa.array(words, schema.WORDS_TYPE))


def with_status(table: pa.Table, status: str) -> pa.Table:
    """A table with one status for all rows."""
    column = pc.dictionary_encode(pa.array([status] * table.num_rows)).cast(schema.STATUS_TYPE)
    return table.append_column(schema.STATUS, column)
