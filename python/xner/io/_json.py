"""JSON from files: objects line by line, or one list of them, and their values with errors that name the place."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xner.errors import FormatError
from xner.io._lines import read_blocks
from xner.io.other_json import about_json

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping

    from xner.io._lines import Block

__all__ = ["Record", "iter_objects", "lines_of", "list_of", "records_of"]


def iter_objects(
    path: str | os.PathLike[str], *, as_object: Callable[[Any], Any] | None = None
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a file that has one on each line; blank lines are none.

    Args:
        path: UTF-8 text, or the same compressed (`.gz`).
        as_object: makes an object of what stands for one; gives others back.

    Yields:
        The line's number, from 1, and the object.

    Raises:
        FormatError: something else; the message names file and line.
    """
    for block in read_blocks(path):
        for line in range(len(block.starts)):
            if block.line(line).strip(b" \t"):
                yield block.first_line + line, _object(block, line, as_object)


def _object(block: Block, line: int, as_object: Callable[[Any], Any] | None) -> dict[str, Any]:
    text = block.line(line)
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
        value = value if as_object is None else as_object(value)
    except (ValueError, RecursionError) as problem:
        raise block.error(line, f"not JSON: {problem}: {block.text(line)}{_of_list(block, line)}") from problem
    if not isinstance(value, dict):
        raise block.error(line, f"expected an object, found {block.text(line)}{_of_list(block, line)}")
    # A key may as well be a word of the sentence: only what is read anew says whether it is there twice.
    if any(text.count(f'"{key}"'.encode("utf-8", "surrogatepass")) > 1 for key in value):
        try:
            json.loads(text, object_pairs_hook=_unique)
        except _TwiceError as problem:
            raise block.error(line, f"the field {problem} is there twice: {block.text(line)}") from None
    if b"\\" in text and _has_half_a_pair(value):
        raise block.error(line, f"half of a surrogate pair is no character: {block.text(line)}")
    return value


def _of_list(block: Block, line: int) -> str:
    """What to do about a line that begins a list, if the file is one."""
    if block.first_line + line > 1 or not block.line(line).lstrip().startswith(b"["):
        return ""
    about = about_json(block.path)
    return f"; {about}" if about else ""


class _TwiceError(Exception):
    """A key that an object has twice."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _TwiceError(repr(key))
        found[key] = value
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _has_half_a_pair(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


@dataclass(frozen=True, slots=True)
class Record:
    """An object of a file, or one within it.

    Attributes:
        where: it is, for messages: file and line, then fields and items.
        values: by name.
    """

    where: str
    values: Mapping[str, Any]

    def error(self, reason: str) -> FormatError:
        """An error about this object."""
        return FormatError(f"{self.where}: {reason}")

    def text(self, name: str) -> str:
        """A text that must be there."""
        value = self.values.get(name)
        if not isinstance(value, str):
            raise self._wrong(name, "a text")
        return value

    def whole(self, name: str) -> int:
        """A whole number that must be there."""
        value = self.values.get(name)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._wrong(name, "a whole number")
        return value

    def number(self, name: str) -> float | None:
        """A number, None where there is none."""
        value = self.values.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise self._wrong(name, "a number")
        return None if value is None else float(value)

    def identifier(self, *names: str) -> str | None:
        """What tells the object from others: a text or a whole number, by the first of these names that it has."""
        name = next((name for name in names if self.values.get(name) is not None), None)
        if name is None:
            return None
        value = self.values[name]
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise self._wrong(name, "a text or a whole number")
        return str(value)

    def items(self, name: str) -> list[Any]:
        """A list; an empty one where there is none."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, list):
            raise self._wrong(name, "a list")
        return value or []

    def records(self, name: str) -> list[Record]:
        """A list of objects; an empty one where there is none."""
        found = []
        for number, item in enumerate(self.items(name)):
            where = f"{self.where}, field '{name}', item {number}"
            if not isinstance(item, dict):
                raise FormatError(f"{where}: expected an object, found {_shown(item)}")
            found.append(Record(where, item))
        return found

    def record(self, name: str) -> Record:
        """An object; an empty one where there is none."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, dict):
            raise self._wrong(name, "an object")
        return Record(f"{self.where}, field '{name}'", value or {})

    def _wrong(self, name: str, expected: str) -> FormatError:
        if name not in self.values:
            return self.error(f"there is no field '{name}'; the fields are {', '.join(self.values) or 'none'}")
        return FormatError(f"{self.where}, field '{name}': expected {expected}, found {_shown(self.values[name])}")


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def lines_of(path: str | os.PathLike[str], *, as_object: Callable[[Any], Any] | None = None) -> Iterator[Record]:
    """The objects of a file that has one on each line; arguments and errors as in `iter_objects`."""
    for line, values in iter_objects(path, as_object=as_object):
        yield Record(f"{path}, line {line}", values)


def records_of(path: str | os.PathLike[str], *, as_object: Callable[[Any], Any] | None = None) -> Iterator[Record]:
    """The objects of a file that has one on each line, or is one list of them; the latter is held in memory.

    Args:
        path: as for `lines_of`, as are the errors; those of a list are those of `list_of`.
        as_object: as for `list_of`.
    """
    begin = next((line for block in read_blocks(path) for line in block.data.split(b"\n", 64) if line.strip()), b"")
    if not begin.lstrip().startswith(b"["):
        return lines_of(path)
    if as_object is not None and _stands_for_object(begin, as_object):
        return lines_of(path, as_object=as_object)
    return list_of(path, "item", as_object=as_object)


def _stands_for_object(line: bytes, as_object: Callable[[Any], Any]) -> bool:
    """Whether a line is a list that stands for an object by itself, and so begins no list of them."""
    try:
        return isinstance(as_object(json.loads(line)), dict)
    except (ValueError, RecursionError):
        return False


def list_of(
    path: str | os.PathLike[str], what: str, *, as_object: Callable[[Any], Any] | None = None
) -> Iterator[Record]:
    """The objects of a file that is one list of them.

    Args:
        path: UTF-8 text, or the same compressed (`.gz`).
        what: the objects are, for messages: "task".
        as_object: makes an object of an item that stands for one; gives others back.

    Raises:
        FormatError: something else; the message names the file and the object's number, from 0.
    """
    try:
        value = json.loads(b"".join(block.data for block in read_blocks(path)), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as problem:
        if isinstance(problem, FormatError):
            raise
        raise FormatError(f"{path}: not JSON: {problem}") from problem
    if not isinstance(value, list):
        raise FormatError(f"{path}: expected a list of {what}s, found {_shown(value)}")
    for number, item in enumerate(value if as_object is None else map(as_object, value)):
        where = f"{path}, {what} {number}"
        if not isinstance(item, dict):
            raise FormatError(f"{where}: expected an object, found {_shown(item)}")
        if _has_half_a_pair(item):
            raise FormatError(f"{where}: half of a surrogate pair is no character")
        yield Record(where, item)
