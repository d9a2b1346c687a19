"""All filters by name, and how they are written: `length-ratio=0.8,most=2`, `class-counts:row`."""

from __future__ import annotations

import dataclasses
import types
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

from xner._support.registry import Registry
from xner.errors import OptionError
from xner.filters.base import DropRow
from xner.filters.counts import ClassCounts, LengthRatio, OneWord
from xner.filters.links import Contiguous, Discontinuous, SourceCoverage
from xner.filters.scores import MinMargin, MinScore
from xner.filters.words import Affixes, Compound, TrimDeterminers, TrimPunctuation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xner.filters.base import Filter

__all__ = ["FILTERS", "parse", "to_text", "usage"]

_KINDS: Sequence[type[Any]] = (
    LengthRatio,
    SourceCoverage,
    Contiguous,
    Discontinuous,
    ClassCounts,
    OneWord,
    TrimPunctuation,
    TrimDeterminers,
    Affixes,
    Compound,
    MinScore,
    MinMargin,
)
FILTERS: Registry[type[Any]] = Registry("xner.filters", "filter", {kind.name: kind for kind in _KINDS})
"""Filters by name; each is a dataclass of its options. Distributions add theirs to the entry points `xner.filters`."""


def parse(text: str) -> Filter:
    """Reads a filter: `NAME`, `NAME=VALUE` or `NAME=VALUE,OPTION=VALUE...`, and `:row` behind it to drop whole rows.

    VALUE is that of the filter's first option. The items of a list are joined by `+`: `affixes=attach,suffixes=da+de`.

    Raises:
        Error: an unknown name or option, or a value that the filter does not take.
    """
    body, colon, what = text.rpartition(":") if ":" in text else (text, "", "")
    if colon and what != "row":
        raise OptionError(f"filter {text!r}: expected ':row' or nothing at the end, found ':{what}'")
    head, *others = body.split(",")
    name, equals, value = head.partition("=")
    kind = FILTERS.choose(name, where=f"filter {text!r}: ")
    options = [field.name for field in dataclasses.fields(kind)]
    given = [(options[0] if options else "", value)] if equals else []
    for other in others:
        option, other_equals, value = other.partition("=")
        if not other_equals:
            raise OptionError(f"filter {text!r}: expected {usage(kind)}, found ',{other}'")
        given.append((option, value))
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    for option, value in given:
        if option not in options or option in values:
            raise OptionError(f"filter {text!r}: expected {usage(kind)}")
        values[option] = _value(text, value, hints[option])
    missing = [field.name for field in dataclasses.fields(kind) if _is_required(field) and field.name not in values]
    if missing:
        raise OptionError(f"filter {text!r}: expected {usage(kind)}")
    made: Filter = kind(**values)
    return DropRow(made) if colon else made


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING


def _value(text: str, value: str, hint: Any) -> Any:
    """The value of an option."""
    kind = _inner(hint)
    if get_origin(kind) is tuple:
        return tuple(part for part in value.split("+") if part)
    if kind not in {int, float}:
        return value
    try:
        return kind(value)
    except ValueError:
        expected = "whole number" if kind is int else "number"
        raise OptionError(f"filter {text!r}: {value!r} is not a {expected}") from None


def _inner(hint: Any) -> Any:
    """The type of a value that is given, where an option may also be None."""
    if get_origin(hint) in {Union, types.UnionType}:
        return next(option for option in get_args(hint) if option is not types.NoneType)
    return hint


def usage(kind: type[Any]) -> str:
    """How a filter is written, with the defaults of what may be left out: `discontinuous=fill|largest[,gap=0]`."""
    hints = get_type_hints(kind)
    shown = kind.name
    for index, field in enumerate(dataclasses.fields(kind)):
        value = _placeholder(field, _inner(hints[field.name]))
        part = f"={value}" if index == 0 else f",{field.name}={value}"
        shown += part if _is_required(field) else f"[{part}]"
    return str(shown)


def _placeholder(field: dataclasses.Field[Any], kind: Any) -> str:
    if get_origin(kind) is Literal:
        return "|".join(get_args(kind))
    if get_origin(kind) is tuple:
        return "WORD+WORD"
    if _is_required(field) or field.default is None:
        return "NUMBER"
    return str(field.default)


def to_text(filter_: Filter) -> str:
    """A filter as `parse` reads it; of one that is no dataclass, the name."""
    if isinstance(filter_, DropRow):
        return f"{to_text(filter_.filter)}:row"
    shown = filter_.name
    options: tuple[dataclasses.Field[Any], ...] = (
        dataclasses.fields(filter_) if dataclasses.is_dataclass(filter_) else ()
    )
    for index, field in enumerate(options):
        value = getattr(filter_, field.name)
        if index == 0 or value != field.default:
            text = "+".join(value) if isinstance(value, tuple) else str(value)
            shown += f"={text}" if index == 0 else f",{field.name}={text}"
    return shown
