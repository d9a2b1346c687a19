"""Groups of options: a command names the groups that it takes, and is handed one object made of each one's values."""

from __future__ import annotations

import inspect
from functools import wraps
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import click

from xner.errors import Error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Command", "Group", "GroupedOption", "takes"]

F = TypeVar("F", bound="Callable[..., Any]")
T_co = TypeVar("T_co", covariant=True)

_TAKEN = "__xner_groups__"


class GroupedOption(click.Option):
    """An option that help lists under a title.

    Attributes:
        title: of its group; empty: among the command's own.
    """

    def __init__(self, *args: Any, title: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = title


class Group(Generic[T_co]):
    """Options that belong together.

    Args:
        options: of the command line; the names of their values are arguments of `make`.
        make: makes the object that a command is handed. An `Error` that it raises is one of use.
        also: names of other groups' options whose values `make` is given as well.
    """

    def __init__(self, options: Sequence[click.Option], make: Callable[..., T_co], also: Sequence[str] = ()) -> None:
        self.options = tuple(options)
        self._make = make
        self._names = (*(str(option.name) for option in options), *also)

    def take(self, values: dict[str, Any]) -> T_co:
        """Make the object, of this group's values among those of all options.

        Raises:
            click.UsageError: the values do not go together.
        """
        try:
            return self._make(**{name: values[name] for name in self._names})
        except Error as error:
            raise click.UsageError(str(error)) from None


def takes(**groups: Group[Any]) -> Callable[[F], F]:
    """Adds groups of options to a command, which is handed an object for each under the group's name.

    Raises:
        TypeError: two options of one name, or a group that the command has no argument for.
    """

    def decorate(function: F) -> F:
        arguments = inspect.signature(function).parameters
        options = [option for group in groups.values() for option in group.options]
        names = [option.name for option in options]
        for name in groups:
            if name not in arguments:
                raise TypeError(f"{function.__name__} has no argument for the group {name!r}")
        for name in names:
            if names.count(name) > 1:
                raise TypeError(f"{function.__name__}: two groups have an option {name!r}")

        @wraps(function)
        def command(*args: Any, **values: Any) -> Any:
            made = {name: group.take(values) for name, group in groups.items()}
            own = {name: value for name, value in values.items() if name not in names}
            return function(*args, **own, **made)

        command.__dict__["__click_params__"] = [*getattr(function, "__click_params__", []), *reversed(options)]
        setattr(command, _TAKEN, frozenset(map(str, names)))
        return command  # type: ignore[return-value]  # it is called like the function that it wraps

    return decorate


class Command(click.Command):
    """A command whose help lists options by group, and that takes every option it has.

    Args:
        first: names of the options to list before all others, whatever their group.
        sections: titles for further options that have no group, and their names.

    Raises:
        TypeError: an option that neither the function behind the command nor a group of it takes.
    """

    def __init__(
        self, *args: Any, first: Sequence[str] = (), sections: Mapping[str, Sequence[str]] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        known = {str(option.name) for option in self.params}
        self._first = list(first)
        self.sections = dict(sections or {})
        self._titles = {name: title for title, names in (sections or {}).items() for name in names}
        for name in (*self._first, *self._titles):
            if name not in known:
                raise TypeError(f"the command {self.name!r} has no option {name!r} to list")
        grouped = getattr(self.callback, _TAKEN, None)
        if grouped is None or self.callback is None:
            return
        arguments = inspect.signature(self.callback).parameters
        if any(one.kind is inspect.Parameter.VAR_KEYWORD for one in arguments.values()):
            return
        for option in self.params:
            name = str(option.name)
            if option.expose_value and name not in grouped and name not in arguments:
                raise TypeError(f"the command {self.name!r} does not take its option {name!r}")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options that come first, or the command's own ones, then each group under its title."""
        sections: dict[str, list[tuple[str, str]]] = {"": []}
        own = "Others" if self._first else ""

        def place(parameter: click.Parameter) -> int:
            name = str(parameter.name)
            return self._first.index(name) if name in self._first else len(self._first)

        for parameter in sorted(self.get_params(ctx), key=place):
            record = parameter.get_help_record(ctx)
            if record is not None:
                name = str(parameter.name)
                title = getattr(parameter, "title", "") or self._titles.get(name, own)
                sections.setdefault("" if name in self._first else title, []).append(record)
        for title, records in sections.items():
            if records:
                with formatter.section(title or "Options"):
                    formatter.write_dl(records)
