"""Extensions by name: what this package has itself, and what installed distributions add by entry points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from operator import attrgetter
from typing import TypeVar, cast

from xner._support.arguments import did_you_mean
from xner._support.progress import logger
from xner.errors import Error, OptionError

__all__ = ["Registry"]

T_co = TypeVar("T_co", covariant=True)


class Registry(Mapping[str, T_co]):
    """Extensions of one kind; each is imported when it is asked for.

    A distribution adds one by an entry point, in its `pyproject.toml`:

        [project.entry-points."xner.filters"]
        shouting = "their_package.filters:Shouting"

    Entry points are read once, when a name is asked for that is not this package's own, or all of them. This package's
    own names cannot be taken.

    Args:
        group: of entry points: "xner.filters".
        what: an extension is, for messages: "filter".
        own: this package's, by name; text is where one is to be imported from, `module:attribute`.
    """

    def __init__(self, group: str, what: str, own: Mapping[str, T_co | str]) -> None:
        self.group = group
        self._what = what
        self._own = dict(own)

    def __getitem__(self, name: str) -> T_co:
        """The extension of a name.

        Raises:
            KeyError: there is none.
            Error: it cannot be imported, or two distributions have one of that name; the message names them.
        """
        if name in self._own:
            own = self._own[name]
            if isinstance(own, str):
                module, _, attribute = own.partition(":")
                return cast("T_co", attrgetter(attribute)(import_module(module)))
            return own
        return self._load(self._added[name])

    def __iter__(self) -> Iterator[str]:
        yield from self._own
        yield from self._added

    def __len__(self) -> int:
        return len(self._own) + len(self._added)

    def __contains__(self, name: object) -> bool:
        return name in self._own or name in self._added

    def choose(self, name: str, *, where: str = "") -> T_co:
        """The extension of a name that a user gave.

        Args:
            name: of the extension.
            where: what the message begins with.

        Raises:
            OptionError: there is none; the message has the nearest names, and all.
            Error: as for `[]`.
        """
        if name in self:
            return self[name]
        hint = did_you_mean(name, self) or "."
        raise OptionError(f"{where}there is no {self._what} {name!r}{hint} The {self._what}s are {', '.join(self)}")

    def working(self) -> dict[str, T_co]:
        """All that can be imported, by name; what cannot is logged."""
        found = {}
        for name in self:
            try:
                found[name] = self[name]
            except Error as error:
                logger.warning("%s", error)
        return found

    def prefixed(self, text: str) -> tuple[T_co, str] | None:
        """What `NAME:REST` names, and the rest; None where the text does not begin with a name of an extension."""
        name, colon, rest = text.partition(":")
        return (self[name], rest) if colon and name in self else None

    @cached_property
    def _added(self) -> dict[str, list[EntryPoint]]:
        added: dict[str, list[EntryPoint]] = {}
        for point in sorted(entry_points(group=self.group), key=lambda point: (point.name, _distribution(point))):
            if point.name in self._own:
                logger.warning(
                    "the %s %r of the distribution %r is not used: xner has one of that name itself",
                    self._what,
                    point.name,
                    _distribution(point),
                )
            else:
                added.setdefault(point.name, []).append(point)
        return added

    def _load(self, points: list[EntryPoint]) -> T_co:
        if len({point.value for point in points}) > 1:
            names = " and ".join(repr(_distribution(point)) for point in points)
            raise Error(f"the distributions {names} each have a {self._what} {points[0].name!r}: uninstall one of them")
        point = points[0]
        try:
            return cast("T_co", point.load())
        except Exception as error:
            whose = f"the {self._what} {point.name!r} of the distribution {_distribution(point)!r}"
            raise Error(f"{whose} cannot be imported from {point.value}: {error}") from error


def _distribution(point: EntryPoint) -> str:
    return "" if point.dist is None else point.dist.name
