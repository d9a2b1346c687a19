"""Calls of functions whose arguments are other things than they take, or lack: errors that say what does take them."""

from __future__ import annotations

import re
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import pyarrow as pa

from xner._support.arrow import is_of
from xner.errors import Error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["explained"]

_P = ParamSpec("_P")
_R = TypeVar("_R")


def explained(
    *, tables: str, lacking: Mapping[str, str] | None = None
) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Says of calls that fail what is to be done with tables, and where an argument comes from that is lacking.

    Args:
        tables: what takes a table, where the function was called with one.
        lacking: what makes an argument, by its name; of others Python says that they are missing.

    Returns:
        A decorator. What it makes raises an `Error` in those cases, and costs nothing in others.
    """
    made_by = lacking or {}

    def decorate(function: Callable[_P, _R]) -> Callable[_P, _R]:
        @wraps(function)
        def call(*args: _P.args, **named: _P.kwargs) -> _R:
            try:
                return function(*args, **named)
            except (TypeError, Error) as error:
                if any(map(_is_table, (*args, *named.values()))):
                    raise Error(f"{function.__name__}: a table is none of its arguments; {tables}") from error
                is_call = error.__traceback__ is not None and error.__traceback__.tb_next is None
                missing = re.findall(r"'(\w+)'", str(error)) if is_call and " missing " in str(error) else ()
                ways = [f"{name}: {made_by[name]}" for name in missing if name in made_by]
                if not ways:
                    raise
                raise Error(f"{function.__name__} needs {', '.join(missing)}; {'; '.join(ways)}") from None

        return call

    return decorate


def _is_table(value: object) -> bool:
    is_frame = is_of(value, "pandas", "DataFrame") or is_of(value, "polars", "DataFrame", "LazyFrame")
    return isinstance(value, pa.Table | pa.RecordBatch) or is_frame or is_of(value, "datasets", "Dataset")
