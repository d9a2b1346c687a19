"""The native core, called by others than xner: it checks before it calculates, and can be interrupted."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

import xner._core as _core
from xner import Projector, schema
from xner.alignment import Aligner
from xner.alignment.links import extract_batch
from xner.errors import DataError, Error
from xner.projection import ProjectionOptions

if TYPE_CHECKING:
    from collections.abc import Callable

SPANS = [[0, 1], [1, 2]]


def hard_rows(count: int) -> pa.RecordBatch:
    """Rows that take milliseconds each: many entities, each linked to a third of the words."""
    random = np.random.default_rng(0)
    rows = range(min(count, 50))
    links = [
        [{"source": e, "target": int(t)} for e in range(25) for t in random.choice(200, 60, replace=False)]
        for _ in rows
    ]
    entities = [[{"start": e, "end": e + 1, "label": "PER"} for e in range(25)]] * len(rows)
    batch = pa.record_batch(
        {
            schema.TOKENS: pa.array([[f"w{word}" for word in range(200)]] * len(rows), schema.WORDS_TYPE),
            schema.SOURCE_ENTITIES: pa.array(entities, schema.SOURCE_ENTITIES_TYPE),
            schema.LINKS: pa.array(links, schema.LINKS_TYPE),
        }
    )
    return pa.Table.from_batches([batch] * -(-count // len(rows))).slice(0, count).combine_chunks().to_batches()[0]


def solve(
    entity: list[int], spans: Any, score: list[float], entities: int, forced: Any = (), forbidden: Any = ()
) -> Any:
    return _core.solve_matching(
        np.array(entity, np.int32),
        np.array(spans, np.int32),
        np.array(score, np.float64),
        entities=entities,
        matcher=_core.MatcherKind.exact,
        relation=_core.Relation.greater_equal,
        n=1,
        forced=list(forced),
        forbidden=np.array(forbidden, bool),
        margins=True,
        time_limit=0.0,
        count=0,
    )


def parts(call: Callable[..., Any], starts: list[int], ends: list[int]) -> Any:
    return call(b"a\tb\t", np.array(starts, np.int64), np.array(ends, np.int64))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: parts(_core.copy_parts, [-1], [1]), r"part 0, \[-1, 1\), is not within 4 bytes"),
        (lambda: parts(_core.copy_parts, [0, 3], [1, 2]), r"part 1, \[3, 2\), is not within 4 bytes"),
        (lambda: parts(_core.split_at_tabs, [0, 1], [1, 5]), r"part 1, \[1, 5\), is not within 4 bytes"),
        (lambda: parts(_core.split_at_tabs, [0, 1], [2, 3]), "line 1 begins before the last one ends"),
        (lambda: parts(_core.split_at_tabs, [0, 1], [2]), "expected as many ends as starts, found 1 and 2"),
        (lambda: solve([0, 0], [[1, 1], [2, 2]], [1, 1], 1), r"spans: span 0, \[1, 1\), is empty or outside"),
        (lambda: solve([0, 0], [[-1, 1], [1, 2]], [1, 1], 1), r"spans: span 0, \[-1, 1\), is empty or outside"),
        (lambda: solve([0, 0], [0, 1, 1, 2], [1, 1], 1), "spans: expected an array of n x 2, found 1 axes"),
        (lambda: solve([0], SPANS, [1, 1], 1), "entity: expected 2 values on one axis, found 1 on 1"),
        (lambda: solve([0, 0], SPANS, [1], 1), "score: expected 2 values on one axis, found 1 on 1"),
        (lambda: solve([-1, 0], SPANS, [1, 1], 1), "entity: expected ascending numbers below 1, found -1 at 0"),
        (lambda: solve([1, 0], SPANS, [1, 1], 2), "entity: expected ascending numbers below 2, found 0 at 1"),
        (lambda: solve([0, 1], SPANS, [1, 1], 1), "entity: expected ascending numbers below 1, found 1 at 1"),
        (lambda: solve([0, 0], SPANS, [np.nan, 1], 1), "score: expected finite numbers, found nan at 0"),
        (lambda: solve([0, 0], SPANS, [1, np.inf], 1), "score: expected finite numbers, found inf at 1"),
        (lambda: solve([0, 0], SPANS, [1, 1], 1, forced=[2]), "forced: expected pairs below 2, found 2"),
        (lambda: solve([0, 0], SPANS, [1, 1], 1, forbidden=[True]), "forbidden: expected 2 values on one axis"),
        (lambda: ner([[0, 5]]), r"candidates: span 0, \[0, 5\), is empty or outside of 2 words"),
        (lambda: ner([[0, 1]], labels=2), "probabilities: expected an array of words x 3 labels"),
        (lambda: characters([[0, 2]], [[0, 1]]), r"entities: span 0, \[0, 2\), is empty or outside of 1 words"),
        (lambda: characters([[0, 1]], [[1, 1]]), r"candidates: span 0, \[1, 1\), is empty or outside of 1 words"),
    ],
)
def test_arrays_that_do_not_go_together(call: Callable[[], object], message: str) -> None:
    with pytest.raises(Error, match=message):
        call()


def ner(candidates: list[list[int]], labels: int = 3) -> object:
    names = _core.NerLabels(["O", "B-X", "I-X"])
    probabilities = np.ones((2, labels), np.float32)
    return _core.ner_scores(probabilities, names, np.array(candidates, np.int32), alpha=1.0, threshold=0.0)


def characters(entities: list[list[int]], candidates: list[list[int]]) -> object:
    return _core.character_scores(
        ["a"], ["b"], np.array(entities, np.int32), np.array(candidates, np.int32), threshold=0.0
    )


class Hands:
    """Hands something over as an Arrow array."""

    def __init__(self, capsules: object) -> None:
        self.capsules = capsules

    def __arrow_c_array__(self, requested_schema: object = None) -> object:
        return self.capsules


def project(batch: Any) -> Any:
    return pa.record_batch(_core.project_batch(batch, ProjectionOptions().to_core(), threads=1, skip_invalid=False))


@pytest.mark.parametrize("capsules", [(1,), (1, 2), 3, ()])
def test_what_is_no_pair_of_capsules(capsules: object) -> None:
    with pytest.raises(Error, match="__arrow_c_array__ gave no pair of the capsules arrow_schema and arrow_array"):
        project(Hands(capsules))


def test_arrays_that_were_handed_to_somebody_else() -> None:
    batch: Any = hard_rows(1)
    capsules = batch.__arrow_c_array__()
    pa.RecordBatch._import_from_c_capsule(*capsules)
    with pytest.raises(Error, match="the Arrow array was handed to somebody else before"):
        project(Hands(capsules))


def test_rows_that_are_null_as_a_whole() -> None:
    batch = hard_rows(2)
    rows: Any = pa.StructArray.from_arrays(batch.columns, names=batch.schema.names, mask=pa.array([False, True]))
    with pytest.raises(Error, match="row 1 of the record batch is null as a whole"):
        project(rows)
    assert project(rows.slice(0, 1)).num_rows == 1


def test_errors_that_quote_bytes_that_are_no_text() -> None:
    ends = pa.py_buffer(np.array([0, 3], np.int32).data)
    tags = pa.Array.from_buffers(pa.string(), 1, [None, ends, pa.py_buffer(b"X\xff\xfe")])
    lists = pa.ListArray.from_arrays(pa.array([0, 1], pa.int32()), tags)
    with pytest.raises(DataError) as caught:
        _core.decode_label_lists(
            lists, column="labels", scheme=_core.Scheme.IOB2, reading=_core.Reading.validate, threads=1
        )
    assert "X\\xff\\xfe" in str(caught.value)


@pytest.mark.parametrize("threads", [1, 2])
def test_slow_rows_are_shared_among_threads(threads: int) -> None:
    rows = hard_rows(40)
    assert Projector(threads=threads)(rows).equals(Projector(threads=1)(rows))


CORPUS = [[f"w{(row * 31 + word * word) % 5000}" for word in range(30)] for row in range(3000)]


@pytest.mark.parametrize(
    "call",
    [
        lambda: Projector(threads=1)(pa.Table.from_batches([hard_rows(200)] * 40).combine_chunks()),
        lambda: Aligner.fit(CORPUS * 4, CORPUS * 4, threads=2),
        lambda: Aligner.fit(CORPUS[:300], CORPUS[:300], threads=1).align(CORPUS * 20, CORPUS * 20, threads=1),
        lambda: extract_batch([np.random.default_rng(0).random((300, 300), np.float32)] * 900, "mwmf", threads=1),
    ],
    ids=["project", "fit", "align", "extract"],
)
@pytest.mark.skipif(threading.current_thread() is not threading.main_thread(), reason="only the main thread is told")
def test_ctrl_c_ends_long_calls(call: Callable[[], object]) -> None:
    sent: list[float] = []

    def interrupt() -> None:
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    gc.disable()  # where an exception comes up in a hook of the collector's, Python drops it
    timer = threading.Timer(0.8, interrupt)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # other libraries change it
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            call()
        assert time.monotonic() - sent[0] < 2  # half a second where nothing else runs
    finally:
        timer.cancel()
        signal.signal(signal.SIGINT, before)
        gc.enable()
