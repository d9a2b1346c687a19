"""Tables of TOML files that people write: taken key by key, with errors that name file, line and key."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Any, Final

from xner._support.arguments import did_you_mean
from xner.errors import FormatError

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Iterable


__all__ = ["TomlTable", "line_of", "parsed_toml", "pattern_problem", "read_text", "toml_text"]

_DEEPEST: Final = 32  # levels of tables and lists; what follows walks through them one within the other


def read_text(path: str | os.PathLike[str]) -> str:
    """The text of a file.

    Raises:
        FormatError: it is not UTF-8.
        OSError: it cannot be read.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}: not UTF-8 ({error.reason})") from None


def parsed_toml(path: str, text: str) -> dict[str, Any]:
    """What a TOML file says.

    Args:
        path: its name, for messages.
        text: that it has.

    Raises:
        FormatError: it is no TOML, or is nested too deeply.
    """
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FormatError(f"{path}: {error}") from None
    except RecursionError:
        raise _too_deep(path) from None
    level: list[Any] = [found]
    for _ in range(_DEEPEST):
        level = [one for value in level for one in _within(value)]
    if level:
        raise _too_deep(path)
    return found


def _too_deep(path: str) -> FormatError:
    return FormatError(f"{path}: values within values, too deep to be read")


def _within(value: Any) -> Iterable[Any]:
    """The values of a table or a list."""
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def pattern_problem(value: str, fields: Collection[str]) -> str:
    """What is wrong with a text that is to have some of these fields alone; empty where nothing is."""
    try:
        names = [name for _, name, _, _ in Formatter().parse(value) if name is not None]
    except ValueError as error:
        return f"{value!r}: {error}"
    for name in names:
        if name not in fields:
            return f"{value!r}: there is no field {{{name}}}, only {', '.join(f'{{{one}}}' for one in fields)}"
    return ""


class TomlTable:
    """A table of the file, whose keys are taken one by one; those that are left are errors."""

    def __init__(self, path: str, text: str, place: tuple[str, ...], value: Any) -> None:
        self._path, self._text, self._place = path, text, place
        self._known: list[str] = []
        self._values = value
        if not isinstance(value, dict):
            raise self.error("", f"expected a table, found {_shown(value)}")

    def error(self, key: str, reason: str) -> FormatError:
        """What is to be raised about a key; empty for the table itself."""
        place = (*self._place, key) if key else self._place
        shown = ".".join(place)
        return FormatError(f"{self._path}, line {line_of(self._text, place)}: {shown}: {reason}")

    def _take(self, key: str, kind: type, what: str, default: Any) -> Any:
        self._known.append(key)
        if key not in self._values:
            if default is None:
                raise self.error("", f"the key '{key}' is missing")
            return default
        value = self._values[key]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.error(key, f"expected {what}, found {_shown(value)}")
        return value

    def has(self, key: str) -> bool:
        """Whether a key is there."""
        return key in self._values

    def text(self, key: str, default: str | None = "") -> str:
        """A text; one that must be there if its default is None."""
        value: str = self._take(key, str, "a text", default)
        if default is None and not value:
            raise self.error(key, "expected a text that is not empty")
        return value

    def one_of(self, key: str, among: tuple[str, ...], default: str | None = "") -> str:
        """One of a few texts."""
        value = self.text(key, default)
        if value not in among and value != default:
            raise self.error(key, f"expected one of {', '.join(among)}, found {value!r}{did_you_mean(value, among)}")
        return value

    def pattern(self, key: str, fields: Collection[str], default: str | None = "") -> str:
        """A text with some of these fields, as `{language}`."""
        value = self.text(key, default)
        self._check_pattern(key, value, fields)
        return value

    def patterns(self, key: str, fields: Collection[str]) -> tuple[str, ...]:
        """Texts with fields."""
        found = self.texts(key)
        for value in found:
            self._check_pattern(key, value, fields)
        return found

    def _check_pattern(self, key: str, value: str, fields: Collection[str]) -> None:
        if problem := pattern_problem(value, fields):
            raise self.error(key, problem)

    def texts(self, key: str) -> tuple[str, ...]:
        """Texts, which need not be there."""
        found: list[Any] = self._take(key, list, "a list of texts", [])
        for one in found:
            if not isinstance(one, str) or not one:
                raise self.error(key, f"expected a list of texts, found {_shown(one)} in it")
        return tuple(found)

    def whole(self, key: str, least: int) -> int | None:
        """A whole number, which need not be there."""
        if not self.has(key):
            self._known.append(key)
            return None
        value: int = self._take(key, int, "a whole number", None)
        if value < least:
            raise self.error(key, f"expected a whole number from {least} on, found {value}")
        return value

    def flag(self, key: str) -> bool:
        """Whether something holds; by default it does not."""
        return bool(self._take(key, bool, "true or false", False))

    def table(self, key: str) -> TomlTable:
        """A table within, which need not be there."""
        return TomlTable(self._path, self._text, (*self._place, key), self._take(key, dict, "a table", {}))

    def tables(self, key: str) -> list[TomlTable]:
        """Tables within."""
        found = self._take(key, list, "tables: [[...]]", [])
        return [
            TomlTable(self._path, self._text, (*self._place, key, str(number)), one) for number, one in enumerate(found)
        ]

    def mapping(self, key: str) -> dict[str, str]:
        """A table of texts, which need not be there."""
        inner = self.table(key)
        return {name: inner.text(name, None) for name in inner.keys()}  # noqa: SIM118  # no mapping

    def keys(self) -> list[str]:
        """All keys that are there."""
        return list(self._values)

    def items(self) -> list[tuple[str, Any]]:
        """All keys with their values, as they stand there."""
        return list(self._values.items())

    def done(self) -> None:
        """Look for keys that nothing has taken.

        Raises:
            FormatError: there is one.
        """
        for key in self._values:
            if key not in self._known:
                near = did_you_mean(key, self._known) or f"; there are {', '.join(self._known)}"
                raise self.error(key, f"there is no such key{near}")


def _shown(value: Any) -> str:
    kinds = {str: "the text", bool: "", int: "the number", float: "the number", list: "the list", dict: "the table"}
    text = repr(value)
    return f"{kinds.get(type(value), '')} {text if len(text) <= 40 else text[:37] + '...'}".strip()


_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"""\s*("[^"]*"|'[^']*'|[\w.-]+)\s*=""")


def line_of(text: str, place: tuple[str, ...]) -> int:
    """The line, from 1, of a key; of the nearest table around it where it has none of its own."""
    best, depth = 1, 0
    current: tuple[str, ...] = ()
    seen: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        header = _HEADER.fullmatch(line)
        if header is not None:
            current = tuple(part.strip("\"' ") for part in header[2].split("."))
            if header[1] == "[[":
                seen[header[2]] = seen.get(header[2], -1) + 1
                current = (*current, str(seen[header[2]]))
            here = current
        else:
            key = _KEY.match(line)
            if key is None:
                continue
            parts = [key[1].strip("\"'")] if key[1][0] in "\"'" else key[1].split(".")
            here = (*current, *parts)
        shared = len(here) if here == place[: len(here)] else 0
        if shared > depth:
            best, depth = number, shared
    return best


def toml_text(tables: Mapping[str, Any]) -> str:
    """Values as a TOML file, which reads back as the same.

    Args:
        tables: texts, numbers, truth values and lists of them; and tables of these, of two levels at most, beyond which
            tables stand in one line.
    """
    lines = [f"{_key(key)} = {_value(value)}" for key, value in tables.items() if not isinstance(value, Mapping)]
    for name, table in tables.items():
        if isinstance(table, Mapping):
            is_of_tables = bool(table) and all(isinstance(value, Mapping) for value in table.values())
            parts = (
                {f"{_key(name)}.{_key(key)}": one for key, one in table.items()}
                if is_of_tables
                else {_key(name): table}
            )
            for heading, part in parts.items():
                lines += ["", f"[{heading}]", *(f"{_key(key)} = {_value(value)}" for key, value in part.items())]
    return "\n".join(lines).lstrip("\n") + "\n"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _value(name)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(name)} = {_value(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
