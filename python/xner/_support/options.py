"""Options that are declared once.

A dataclass of options derives from `DeclaredOptions` and makes its fields with `option`: what values there are, the
default, one sentence, and when the option applies. From that follow the check of values and its errors, signatures,
dictionaries, the documentation of what takes the options, and the options of the command line.
"""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from xner._support.arguments import LARGEST_INT32, choose, number, unknown_option, whole_number, words
from xner._support.memory import memory_size
from xner.errors import DataError, Error, OptionError

if TYPE_CHECKING:
    from typing import Self

__all__ = [
    "Choice",
    "Declared",
    "DeclaredOptions",
    "Flag",
    "Kind",
    "Many",
    "MemorySize",
    "Number",
    "OrAuto",
    "ReadFile",
    "Several",
    "Text",
    "When",
    "Whole",
    "Words",
    "check_names",
    "declared",
    "documented",
    "option",
    "renamed_in_errors",
]


F = TypeVar("F", bound=Callable[..., Any])


class Kind(Protocol):
    """What values an option takes, and how they are written."""

    @property
    def metavar(self) -> str:
        """What stands for a value in help."""

    def check(self, name: str, value: Any) -> Any:
        """The value in the form that is kept.

        Raises:
            OptionError: it is none; the message names the option, the value, and what is expected.
        """

    def parse(self, name: str, text: str) -> Any:
        """The value that a text stands for, checked as `check` does."""

    def to_text(self, value: Any) -> str:
        """The text that `parse` reads."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few names."""

    names: tuple[str, ...]

    @property
    def metavar(self) -> str:
        """The names."""
        return "|".join(self.names)

    def check(self, name: str, value: Any) -> str:
        """See `Kind`."""
        choose(name, value, dict.fromkeys(self.names))
        return str(value)

    def parse(self, name: str, text: str) -> str:
        """See `Kind`."""
        return self.check(name, text)

    def to_text(self, value: str) -> str:
        """See `Kind`."""
        return value


@dataclass(frozen=True, slots=True)
class Several:
    """Some of a few names, each once; as a text with commas between them."""

    names: tuple[str, ...]

    @property
    def metavar(self) -> str:
        """The names."""
        return f"{'|'.join(self.names)},..."

    def check(self, name: str, value: Any) -> tuple[str, ...]:
        """See `Kind`."""
        if isinstance(value, str):
            value = [one.strip() for one in value.split(",")]
        found = dict.fromkeys(words(name, value)) if isinstance(value, Iterable) else {}
        if not found:
            raise OptionError(f"{name}={value!r}: expected some of {', '.join(map(repr, self.names))}")
        for one in found:
            choose(name, one, dict.fromkeys(self.names))
        return tuple(found)

    def parse(self, name: str, text: str) -> tuple[str, ...]:
        """See `Kind`."""
        return self.check(name, text)

    def to_text(self, value: tuple[str, ...]) -> str:
        """See `Kind`."""
        return ",".join(value)


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from `least` on, or to `most`."""

    least: int
    most: int = LARGEST_INT32

    @property
    def metavar(self) -> str:
        """As in help."""
        return "NUMBER"

    def check(self, name: str, value: Any) -> int:
        """See `Kind`."""
        return whole_number(name, value, self.least, self.most)

    def parse(self, name: str, text: str) -> int:
        """See `Kind`."""
        try:
            return self.check(name, int(text))
        except ValueError:
            raise OptionError(f"{name}={text!r}: expected a whole number from {self.least} on") from None

    def to_text(self, value: int) -> str:
        """See `Kind`."""
        return str(value)


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number from 0 on, or above 0, and below or up to a limit where there is one."""

    positive: bool = False
    below: float = float("inf")
    most: float = float("inf")

    @property
    def metavar(self) -> str:
        """As in help."""
        return "NUMBER"

    def check(self, name: str, value: Any) -> float:
        """See `Kind`."""
        expected = "above 0" if self.positive else "from 0 on"
        if self.below != float("inf"):
            expected += f" and below {self.below:g}"
        if self.most != float("inf"):
            expected = f"above 0, up to {self.most:g}" if self.positive else f"from 0 to {self.most:g}"
        least = float.__gt__ if self.positive else float.__ge__
        return number(
            name, value, expected, lambda found: least(found, 0.0) and found < self.below and found <= self.most
        )

    def parse(self, name: str, text: str) -> float:
        """See `Kind`."""
        try:
            value = float(text)
        except ValueError:
            raise OptionError(f"{name}={text!r}: expected a number") from None
        return self.check(name, value)

    def to_text(self, value: float) -> str:
        """See `Kind`."""
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)


@dataclass(frozen=True, slots=True)
class OrAuto:
    """A value of another kind, or the word "auto"."""

    each: Kind

    @property
    def metavar(self) -> str:
        """As in help."""
        return f"{self.each.metavar}|auto"

    def check(self, name: str, value: Any) -> Any:
        """See `Kind`."""
        return self._or_auto(self.each.check, name, value)

    def parse(self, name: str, text: str) -> Any:
        """See `Kind`."""
        return self._or_auto(self.each.parse, name, text)

    @staticmethod
    def _or_auto(read: Callable[[str, Any], Any], name: str, value: Any) -> Any:
        if isinstance(value, str) and value == "auto":
            return value
        try:
            return read(name, value)
        except OptionError as error:
            raise OptionError(f"{error}, or 'auto'") from None

    def to_text(self, value: Any) -> str:
        """See `Kind`."""
        return value if isinstance(value, str) else self.each.to_text(value)


@dataclass(frozen=True, slots=True)
class Flag:
    """Yes or no."""

    @property
    def metavar(self) -> str:
        """As in help."""
        return "yes|no"

    def check(self, name: str, value: Any) -> bool:
        """See `Kind`."""
        if not isinstance(value, bool):
            raise OptionError(f"{name}={value!r}: expected True or False")
        return value

    def parse(self, name: str, text: str) -> bool:
        """See `Kind`."""
        return choose(name, text, {"yes": True, "no": False})

    def to_text(self, value: bool) -> str:
        """See `Kind`."""
        return "yes" if value else "no"


@dataclass(frozen=True, slots=True)
class Words:
    """Words, which hold no blank."""

    @property
    def metavar(self) -> str:
        """As in help."""
        return "WORDS"

    def check(self, name: str, value: Any) -> tuple[str, ...]:
        """See `Kind`."""
        if not isinstance(value, Iterable):
            raise OptionError(f"{name}={value!r}: expected a sequence of words")
        return tuple(words(name, value))

    def parse(self, name: str, text: str) -> tuple[str, ...]:
        """See `Kind`."""
        return self.check(name, text.split())

    def to_text(self, value: tuple[str, ...]) -> str:
        """See `Kind`."""
        return " ".join(value)


@dataclass(frozen=True, slots=True)
class Text:
    """Any text that is not empty."""

    metavar: str = "TEXT"

    def check(self, name: str, value: Any) -> str:
        """See `Kind`."""
        if not isinstance(value, str) or not value:
            raise Error(f"{name}={value!r}: expected a text that is not empty")
        return value

    def parse(self, name: str, text: str) -> str:
        """See `Kind`."""
        return self.check(name, text)

    def to_text(self, value: str) -> str:
        """See `Kind`."""
        return value


@dataclass(frozen=True, slots=True)
class MemorySize(Text):
    """A number of bytes, as `2GB`; not so few that work would be cut into a few hundred sentences each."""

    metavar: str = "SIZE"
    least: str = "10MB"

    def check(self, name: str, value: object) -> str:
        """See `Kind`."""
        if memory_size(name, value) < memory_size(name, self.least):
            raise OptionError(f"{name}={value!r}: expected {self.least} at least, as in '2GB'")
        return str(value)


@dataclass(frozen=True, slots=True)
class ReadFile(Text):
    """A file that is read, whose content decides; signatures have the beginning of its SHA-256 beside its name."""

    metavar: str = "FILE"

    def signed(self, value: str) -> str:
        """The value in signatures."""
        try:
            with Path(value).open("rb") as file:
                return f"{value}#{hashlib.file_digest(file, 'sha256').hexdigest()[:12]}"
        except OSError:  # which who reads it says
            return value


@dataclass(frozen=True, slots=True)
class Many:
    """Any number of values; a single one may be given as it is."""

    each: Kind

    @property
    def metavar(self) -> str:
        """Of one."""
        return self.each.metavar

    def check(self, name: str, value: Any) -> tuple[Any, ...]:
        """See `Kind`."""
        values = [value] if isinstance(value, str) or not isinstance(value, Iterable) else value
        return tuple(self.each.check(name, one) for one in values)

    def parse(self, name: str, text: str) -> tuple[Any, ...]:
        """See `Kind`."""
        try:
            return (self.each.parse(name, text),)
        except OptionError as error:
            if "," not in text:
                raise
            raise OptionError(f"{error}; several values are given one by one") from None

    def to_text(self, value: tuple[Any, ...]) -> str:
        """See `Kind`."""
        return ",".join(map(self.each.to_text, value))


@dataclass(frozen=True, slots=True)
class When:
    """When an option applies.

    Attributes:
        text: as errors say it: "method='candidates'".
        holds: whether it does, given all options.
    """

    text: str
    holds: Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Declared:
    """What is known of an option.

    Attributes:
        name: of the field.
        default: its value where nothing is said.
        kind: of its values.
        help: one sentence.
        more: what there is to say beyond.
        when: all of these have to hold for it to apply.
        is_optional: whether None is a value.
        resolve: makes of the options the value that None stands for; None where it stands for none.
        default_text: what None stands for, in words.
        flags: further names on the command line.
        group: of options that belong together, in help.
        core: the argument of the core that it becomes, as `(whose, name)`; None for none.
        to_core: makes the core's value.
        tried: values that tuning tries beside the default; the default among them where None only stands for one. Empty
            where there is nothing to tune.
    """

    name: str
    default: Any
    kind: Kind
    help: str
    more: str
    when: tuple[When, ...]
    is_optional: bool
    resolve: Callable[[Any], Any] | None
    default_text: str
    flags: tuple[str, ...]
    group: str
    core: tuple[str, str] | None
    to_core: Callable[[Any], Any]
    tried: tuple[Any, ...]

    def missing(self, options: Any) -> str | None:
        """What would have to hold for the option to apply, where it does not."""
        return next((when.text for when in self.when if not when.holds(options)), None)

    def check(self, value: Any) -> Any:
        """The value in the form that is kept; errors are those of its kind."""
        if not self.is_optional:
            return self.kind.check(self.name, value)
        try:
            return None if value is None else self.kind.check(self.name, value)
        except DataError:
            raise
        except Error as error:
            if str(error).endswith("?"):  # it proposes a name
                raise
            raise OptionError(f"{error}, or None") from None

    def resolved(self, options: Any) -> Any:
        """The value, or what stands for it."""
        value = getattr(options, self.name)
        return self.resolve(options) if value is None and self.resolve is not None else value

    def signed(self, value: Any) -> str:
        """The value in signatures."""
        kind = self.kind.each if isinstance(self.kind, Many) else self.kind
        if value is None or not isinstance(kind, ReadFile):
            return self.shown(value)
        return ",".join(map(kind.signed, value)) if isinstance(self.kind, Many) else kind.signed(value)

    def shown(self, value: Any) -> str:
        """The value in signatures and help."""
        return "none" if value is None else self.kind.to_text(value)


_DECLARED = "xner.option"


def _as_it_is(value: Any) -> Any:
    return value


def option(
    default: Any,
    kind: Kind,
    help: str,
    *,
    more: str = "",
    when: Iterable[When] = (),
    optional: bool = False,
    resolve: Callable[[Any], Any] | None = None,
    default_text: str = "",
    flags: Iterable[str] = (),
    group: str = "",
    core: tuple[str, str] | None = None,
    to_core: Callable[[Any], Any] = _as_it_is,
    tried: Iterable[Any] = (),
) -> Any:
    """Declares an option: the value of a field of a `DeclaredOptions` dataclass. Arguments: see `Declared`."""
    known = {
        "kind": kind,
        "help": help,
        "more": more,
        "when": tuple(when),
        "is_optional": optional,
        "resolve": resolve,
        "default_text": default_text,
        "flags": tuple(flags),
        "group": group,
        "core": core,
        "to_core": to_core,
        "tried": tuple(tried),
    }
    return dataclasses.field(default=default, metadata={_DECLARED: known})


def declared(options: type[DeclaredOptions]) -> Mapping[str, Declared]:
    """All options of a class by name, in their order."""
    found: Mapping[str, Declared] = _declared(cast("Any", options))
    return found


@cache
def _declared(options: Any) -> Mapping[str, Declared]:
    fields = dataclasses.fields(options)
    return {
        field.name: Declared(name=field.name, default=field.default, **field.metadata[_DECLARED])
        for field in fields
        if _DECLARED in field.metadata
    }


def check_names(given: Iterable[str], options: type[DeclaredOptions]) -> None:
    """Look for names of options that there are not.

    Raises:
        OptionError: the first such name, with those that are nearest to it.
    """
    known = declared(options)
    for name in given:
        if name not in known:
            raise unknown_option(name, known)


@contextmanager
def renamed_in_errors(**names: str) -> Iterator[None]:
    """Errors that have options as what is called has them, by the names that the caller has.

    Args:
        **names: by the name there, the name here.
    """
    try:
        yield
    except OptionError as error:
        known = "|".join(names)
        text = re.sub(rf"(?<![\w-])({known})(?==)", lambda found: names[found[0]], str(error))
        raise OptionError(text) from None


class DeclaredOptions:
    """What dataclasses of declared options have in common."""

    __slots__ = ()

    def __post_init__(self) -> None:
        """Check all values, then whether what is not at its default applies.

        Raises:
            OptionError: a value that an option does not take, or an option that does not go with others.
        """
        known = declared(type(self))
        for name, its in known.items():
            object.__setattr__(self, name, its.check(getattr(self, name)))
        self.check_together()
        for name, its in known.items():
            if getattr(self, name) == its.default:
                continue
            missing = its.missing(self)
            if missing is not None:
                raise OptionError(f"{name}={getattr(self, name)!r} goes with {missing}")

    def check_together(self) -> None:
        """Check what concerns several options; called when each is a value of its kind."""

    @classmethod
    def where_they_apply(cls, values: Mapping[str, Any]) -> Self:
        """Options of some values, without those that do not apply given the others."""
        applying, known = cls.applying(values), declared(cls)
        return cls(**{name: value for name, value in values.items() if name in applying or name not in known})

    @classmethod
    def applying(cls, values: Mapping[str, Any]) -> set[str]:
        """The names of the options that apply, given some values; the others have their defaults."""
        trial = object.__new__(cls)
        known = declared(cls)
        for name, its in known.items():
            object.__setattr__(trial, name, its.check(values.get(name, its.default)))
        return {name for name, its in known.items() if its.missing(trial) is None}

    def changes(self) -> dict[str, Any]:
        """What is not at its default, by name."""
        return {
            name: getattr(self, name)
            for name, its in declared(type(self)).items()
            if getattr(self, name) != its.default
        }

    def signature_parts(self) -> list[str]:
        """`name:value` of every option that applies, with what stands for those that say nothing."""
        return [
            f"{name}:{its.signed(its.resolved(self))}"
            for name, its in declared(type(self)).items()
            if its.missing(self) is None
        ]

    def core_arguments(self, whose: str) -> dict[str, Any]:
        """What the options become in the core, as keyword arguments."""
        return {
            its.core[1]: its.to_core(its.resolved(self))
            for its in declared(type(self)).values()
            if its.core is not None and its.core[0] == whose
        }


def _documentation(options: type[DeclaredOptions], without: Iterable[str]) -> str:
    lines = []
    for name, its in declared(options).items():
        if name in without:
            continue
        default = its.default_text or ("" if its.is_optional and its.default is None else its.shown(its.default))
        said = f"{name}: {its.help}"
        said += f" {its.more}" if its.more else ""
        said += f" Default: {default}." if default else ""
        lines.append(textwrap.fill(said, width=116, subsequent_indent="    "))
    return "\n".join(lines)


def documented(options: type[DeclaredOptions], *, without: Iterable[str] = ()) -> Callable[[F], F]:
    """Says of a function that it takes declared options by name: in its documentation and its signature.

    Args:
        options: the class of them.
        without: names that the function takes itself.

    Returns:
        A decorator. In the docstring, the line that begins with `**` is replaced by what is known of each option.
    """
    left_out = set(without)

    def decorate(function: F) -> F:
        signature = inspect.signature(function)
        own = [one for one in signature.parameters.values() if one.kind is not inspect.Parameter.VAR_KEYWORD]
        taken = [
            inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=field.type)
            for field in dataclasses.fields(options)  # type: ignore[arg-type]  # every subclass is a dataclass
            if field.name not in left_out and field.default is not MISSING
        ]
        function.__signature__ = signature.replace(parameters=[*own, *taken])  # type: ignore[attr-defined]  # any function takes one
        lines = (inspect.getdoc(function) or "").splitlines()
        place = next((number for number, line in enumerate(lines) if line.strip().startswith("**")), None)
        if place is not None:
            indent = lines[place][: -len(lines[place].lstrip())]
            lines[place : place + 1] = textwrap.indent(_documentation(options, left_out), indent).splitlines()
            function.__doc__ = "\n".join(lines)
        return function

    return decorate
