"""Options of the command line that follow from declared ones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from xner._support.arguments import LARGEST_INT32
from xner._support.options import (
    Choice,
    Declared,
    DeclaredOptions,
    Flag,
    Kind,
    Many,
    MemorySize,
    Number,
    Whole,
    declared,
)
from xner.cli.options.groups import GroupedOption
from xner.errors import Error

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Parsed", "declared_options"]


class Parsed(click.ParamType[Any]):
    """A value that its kind reads.

    Args:
        name: of the option.
        kind: of its values.
    """

    def __init__(self, name: str, kind: Kind) -> None:
        self.name = name
        self.kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """See `click.ParamType`."""
        try:
            return self.kind.parse(self.name, value) if isinstance(value, str) else self.kind.check(self.name, value)
        except Error as error:
            self.fail(str(error).removeprefix(f"{self.name}="), param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """See `click.ParamType`."""
        return self.kind.metavar


def _type_of(name: str, kind: Kind) -> click.ParamType[Any]:
    if isinstance(kind, Many):
        return _type_of(name, kind.each)
    if isinstance(kind, Choice):
        return click.Choice(list(kind.names))
    if isinstance(kind, Whole):
        return click.IntRange(kind.least, None if kind.most == LARGEST_INT32 else kind.most)
    if isinstance(kind, Number):
        limit = min(kind.below, kind.most)
        return click.FloatRange(
            0,
            None if limit == float("inf") else limit,
            min_open=kind.positive,
            max_open=kind.below <= kind.most and limit != float("inf"),
        )
    return Parsed(name, kind)


def _option(its: Declared, title: str, prefix: str, *, told_alone: bool) -> GroupedOption:
    name = prefix + its.name
    flag = "--" + name.replace("_", "-")
    flags = [*its.flags] if any(one.startswith("--") for one in its.flags) else [flag, *its.flags]
    rest: dict[str, Any] = {}
    default = its.default_text
    if isinstance(its.kind, Flag):
        flags = [f"{flag}/--no-{flag[2:]}"] if its.is_optional else flags
        rest["is_flag"] = True
    else:
        rest["type"] = _type_of(its.name, its.kind)
        rest["multiple"] = isinstance(its.kind, Many)
        if its.default is not None and its.default != ():
            default = its.shown(its.default)
    more = " May be given several times." if rest.get("multiple") else ""
    shown = f"  [default: {default}]" if default else ""
    if isinstance(its.kind, MemorySize):
        shown += f"  [x>={its.kind.least}]"
    value = None if told_alone or (rest.get("multiple") and isinstance(its.default, str)) else its.default
    return GroupedOption([*flags, name], default=value, help=f"{its.help}{more}{shown}", title=title, **rest)


def declared_options(
    options: type[DeclaredOptions],
    *,
    only: Iterable[str] | None = None,
    without: Iterable[str] = (),
    titles: Mapping[str, str] | None = None,
    defaults: Mapping[str, Any] | None = None,
    prefix: str = "",
    told_alone: bool = False,
) -> list[click.Option]:
    """Options of the command line for those of a class.

    Args:
        options: the class.
        only: names; None for all.
        without: names that are left out.
        titles: in help, by group, where they differ from it.
        defaults: by name, where they differ from the options' own.
        prefix: before the names of all.
        told_alone: whether the value of an option that is not given is None (or empty, of several values), so that
            something else than its default can stand in.
    """
    left_out, renamed, others = set(without), titles or {}, defaults or {}
    wanted = set(declared(options) if only is None else only) - left_out
    return [
        _option(
            replace(its, default=others.get(its.name, its.default)),
            renamed.get(its.group, its.group),
            prefix,
            told_alone=told_alone,
        )
        for its in declared(options).values()
        if its.name in wanted
    ]
