"""What a file of JSON is that no reader takes: what there is in it, and what makes lines of it."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from xner.errors import FormatError
from xner.io._commands import filtered, name_beside
from xner.io._lines import read_blocks

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

__all__ = ["about_json"]

_SHOWN = 8  # names of fields
_OF_ROWS = frozenset({"tokens", "words", "text", "sentence"})


def about_json(path: str | os.PathLike[str]) -> str:
    """What JSON a file is as a whole, and which command makes lines of its objects; empty for a file of something else.

    Args:
        path: UTF-8 text, or the same compressed (`.gz`).
    """
    try:
        text = b"".join(block.data for block in read_blocks(path)).strip()
        value = json.loads(text) if text[:1] in {b"[", b"{"} else None
    except (FormatError, ValueError, RecursionError):
        return ""
    if isinstance(value, list):
        return _about_list(value, path)
    return "" if value is None else _about_object(value, path, is_line=b"\n" not in text)


def _about_list(value: Sequence[Any], path: str | os.PathLike[str]) -> str:
    if not _are_objects(value):
        return f"it is a list of {len(value)} items, which are no objects with fields"
    return f"it is a list of {_objects(value)}; {_jq('.[]', path)}"


def _about_object(value: dict[str, Any], path: str | os.PathLike[str], *, is_line: bool) -> str:
    if is_line and not _OF_ROWS.isdisjoint(value) and not _columns(value):
        return ""
    inner = {name: items for name, items in value.items() if isinstance(items, list) and _are_objects(items)}
    if inner:
        shown = " and ".join(f"'{name}' a list of {_objects(items)}" for name, items in inner.items())
        name = next(iter(inner))
        return f"it is an object, and has in the field {shown}; {_jq(f'.[{json.dumps(name)}][]', path)}"
    if _columns(value):
        made = f"pandas.read_json({str(path)!r}).to_json({_lines_name(path)!r}, orient='records', lines=True)"
        return f"it is an object of columns ({_listed(value)}); in Python `{made}` makes lines of its rows"
    if is_line:
        return ""
    made = "" if _OF_ROWS.isdisjoint(value) else f"; {_jq('.', path)}"
    return f"it is one object, with the fields {_listed(value)}, where an object a line is expected{made}"


def _columns(value: dict[str, Any]) -> bool:
    """Whether an object has columns, each with as many rows: by number, or lists of words."""
    columns = value.values()
    are_rows = all(
        isinstance(column, dict) or (isinstance(column, list) and all(isinstance(row, list) for row in column))
        for column in columns
    )
    return len(value) > 1 and are_rows and len({len(column) for column in columns}) == 1


def _are_objects(items: Sequence[Any]) -> bool:
    return bool(items) and all(isinstance(item, dict) for item in items)


def _objects(items: Sequence[dict[str, Any]]) -> str:
    return f"{len(items)} objects with the fields {_listed(items[0])}"


def _listed(names: dict[str, Any]) -> str:
    return ", ".join(list(names)[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")


def _jq(filter_: str, path: str | os.PathLike[str]) -> str:
    command = filtered(path, f"jq -c {shlex.quote(filter_)}", _lines_name(path))
    return f"`{command}` makes {'a line of it' if filter_ == '.' else 'lines of them'}, which the format jsonl reads"


def _lines_name(path: str | os.PathLike[str]) -> str:
    made = name_beside(path, suffix=".jsonl")
    return made if made != str(path) else name_beside(path, "lines")
