"""Errors: their tree, and that they arrive whole from wherever they were raised."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pyarrow as pa
import pytest

import xner
from xner import errors, labels
from xner._support.arguments import choose
from xner._support.extras import require
from xner._support.stages import run_stage
from xner.errors import (
    DataError,
    Error,
    FormatError,
    InfeasibleError,
    MissingExtraError,
    NotSolvedError,
    OptionError,
    OutsideError,
    SolverError,
)


def every_error() -> list[Error]:
    found = [
        Error("bad"),
        OptionError("colour='red': expected 'blue'"),
        DataError(3, "links", "1-2", "too far", row_id="s3"),
        DataError(-1, "tokens", "None", "no list"),
        FormatError("a.txt, line 3: no tab"),
        OutsideError("the program ended with status 1"),
        MissingExtraError("the tagger needs torch", name="torch", extra="models"),
        SolverError("no choice"),
        InfeasibleError("no choice for 2 entities", [1, 4]),
        NotSolvedError("none within the limit"),
    ]
    assert {type(error).__name__ for error in found} == set(errors.__all__)
    return found


def everything(error: BaseException) -> list[Any]:
    """What can be asked of an error."""
    names = [name for name in dir(error) if name == "__notes__" or not name.startswith("_")]
    return [type(error), str(error), repr(error)] + [
        (name, value) for name in names if not callable(value := getattr(error, name))
    ]


def test_the_tree() -> None:
    for name in errors.__all__:
        assert issubclass(getattr(errors, name), Error)
        assert getattr(xner, name) is getattr(errors, name)
    assert issubclass(Error, ValueError)
    assert issubclass(MissingExtraError, ImportError)
    assert issubclass(SolverError, RuntimeError)
    assert issubclass(InfeasibleError, SolverError)
    assert issubclass(NotSolvedError, SolverError)


@pytest.mark.parametrize("error", every_error(), ids=lambda error: type(error).__name__)
def test_errors_are_copied_with_all_they_know(error: Error) -> None:
    error.add_note("read from a.txt")
    expected = everything(error)
    assert any(item[0] == "__notes__" for item in expected[3:])
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert everything(pickle.loads(pickle.dumps(error, protocol))) == expected
    assert everything(copy.deepcopy(error)) == expected
    assert everything(copy.copy(error)) == expected


class OwnError(DataError):
    """What a third party may add."""

    def __init__(self, file: str) -> None:
        self.file = file
        super().__init__(0, "tokens", file, "cannot be read")


def test_errors_that_others_derive_are_copied_too() -> None:
    error = OwnError("a.txt")
    assert everything(pickle.loads(pickle.dumps(error))) == everything(error)


def raise_nth(number: int) -> None:
    raise every_error()[number]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_errors_arrive_whole_from_a_worker(method: str) -> None:
    expected = every_error()
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as pool:
        found = [pool.submit(raise_nth, number).exception() for number in range(len(expected))]
    assert [everything(error) for error in found if error is not None] == [everything(error) for error in expected]


def test_where_a_row_is_in_a_table() -> None:
    error = DataError(3, "links", "1-2", "too far", row_id="s3")
    assert str(error.behind(10)) == "row 13 (id 's3'), column 'links', value 1-2: too far"
    assert error.behind(10, row_id="t").row_id == "t"
    nowhere = DataError(-1, "tokens", "None", "no list")
    assert str(nowhere.behind(10)) == "column 'tokens', value None: no list"


def test_an_error_of_no_row_is_not_blamed_on_one() -> None:
    def stage(batch: pa.RecordBatch) -> pa.RecordBatch:
        raise DataError(-1, "tokens", "None", "no list")

    with pytest.raises(DataError) as caught:
        run_stage(stage, pa.table({"id": ["a", "b"]}))
    assert (caught.value.row, caught.value.row_id) == (-1, None)


def test_what_is_raised_where() -> None:
    with pytest.raises(OptionError, match="method='x': expected one of 'a', 'b'"):
        choose("method", "x", {"a": 1, "b": 2})
    with pytest.raises(MissingExtraError, match=r"a test needs nowhere, .*pip install 'xner\[models\]'") as caught:
        require("nowhere.inside", extra="models", what="a test")
    assert (caught.value.name, caught.value.extra) == ("nowhere", "models")
    with pytest.raises(DataError):
        labels.encode([(0, 9, "PER")], 2)
