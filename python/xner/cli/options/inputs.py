"""What several commands take in: files, and how they are read."""

from __future__ import annotations

import json
import math
import re
import shutil
import sys
import tempfile
import tomllib
import zlib
from contextlib import redirect_stderr, redirect_stdout
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn, TextIO, TypeVar, cast

import click
from click.core import ParameterSource

from xner import io
from xner._support.arguments import did_you_mean
from xner._support.options import OrAuto
from xner.cli.options.declared import Parsed
from xner.cli.options.decorators import with_options
from xner.errors import Error
from xner.io.other_files import about_brat
from xner.pipelines.shard_names import shard_files

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Iterator, Mapping

__all__ = [
    "FORMAT_NAMES",
    "OUTPUT_FORMAT_HELP",
    "STANDARD_OUTPUT",
    "InputFile",
    "OutputFile",
    "cache_file",
    "check_ignored",
    "config_option",
    "existing_file",
    "existing_file_or_folder",
    "existing_files",
    "hand_on",
    "is_said_to_be_folder",
    "label_options",
    "link_flags",
    "note_overwriting",
    "output_file",
    "output_file_or_folder",
    "overwrites",
    "shown",
    "side_format_options",
    "tuned_option",
]

_SETTINGS_BYTES = 1 << 20
_LOOKED_AT = 1 << 16  # bytes of a stream that its format is told by
_GZIP = b"\x1f\x8b"
FORMAT_NAMES = [name for name in io.FORMATS if name != "pharaoh"]

OUTPUT_FORMAT_HELP = (
    "Format of the output; by default its name tells. `-o -` is standard output, which takes any format, named here."
)

F = TypeVar("F", bound="Callable[..., Any]")

STANDARD_OUTPUT = "standard-output"
_STREAM = "-"
_STREAMS = ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")  # names of the same, beside which no other file can be
_READ = "xner.standard-input"
_FOLDERS = "xner.folders"
_OVERWRITES = "xner.overwrites"
_SHOWN_AS = "xner.shown-as"
_STREAMED = "xner.streamed"


class InputFile(click.Path):
    """A file to read. `-`, which is standard input, and what can be read only once are kept in a file of their own.

    Args:
        or_folder: whether it may be a folder as well.
    """

    def __init__(self, *, or_folder: bool = False) -> None:
        super().__init__(exists=True, dir_okay=or_folder, allow_dash=True, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The file; one that is kept as long as the command runs for what is read only once."""
        if not self.dir_okay:
            self._refuse_brat(value, param, ctx)
        path: Any = super().convert(value, param, ctx)
        if not isinstance(path, Path) or ctx is None or ctx.resilient_parsing:
            return path
        if str(path) == _STREAM:
            if ctx.meta.setdefault(_READ, param) is not param:
                self.fail("standard input can be read once", param, ctx)
            return _show_as(_STREAM, _spooled(sys.stdin.buffer, "standard-input", ctx), ctx)
        if path.is_fifo() or path.is_char_device():
            with path.open("rb") as stream:
                return _show_as(str(path), _spooled(stream, path.name, ctx), ctx)
        return path

    def _refuse_brat(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> None:
        folder = Path(value)
        if folder.is_dir() and any(folder.glob("*.ann")):
            self.fail(f"'{value}' is a folder of brat's documents; {about_brat(folder)}", param, ctx)


class InputFiles(InputFile):
    """A file to read, or several: those of a folder, or those that a pattern names."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The file, the folder or the pattern."""
        self._refuse_brat(value, param, ctx)
        try:
            several = str(value) != _STREAM and shard_files(value) is not None
        except Error as error:
            self.fail(str(error), param, ctx)
        return Path(value) if several else super().convert(value, param, ctx)


class OutputFile(click.Path):
    """A file to write; `-` is standard output, which gets it whole when it is finished, as a pipe does.

    Args:
        or_folder: whether it may be a folder as well.
        takes_format: whether the command's `--format`, where it has one, is this file's.
    """

    def __init__(self, *, or_folder: bool = False, takes_format: bool = True) -> None:
        super().__init__(dir_okay=or_folder, writable=True, allow_dash=True, path_type=Path)
        self._takes_format = takes_format

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The file; one whose content goes to standard output when it is finished for `-`."""
        if not str(value):
            self.fail("expected the name of a file", param, ctx)
        if str(value) in _STREAMS:
            value = _STREAM
        path: Any = super().convert(value, param, ctx)
        if ctx is not None and str(value).endswith("/"):
            ctx.meta.setdefault(_FOLDERS, set()).add(path)
        is_stream = str(path) == _STREAM
        if not (is_stream or path.is_fifo()) or ctx is None or ctx.resilient_parsing:
            return path
        # Where the format cannot be named it is JSONL.
        if is_stream and sys.stdout is None:
            self.fail("standard output is closed", param, ctx)
        is_named = self._takes_format and any(one.name == "format_" for one in ctx.command.params)
        suffix = "" if is_named else ".jsonl"
        aside = Path(ctx.with_resource(tempfile.TemporaryDirectory())) / f"{STANDARD_OUTPUT}{suffix}"
        ctx.meta.setdefault(_STREAMED, {})[aside.resolve()] = path
        return _show_as(str(path), aside, ctx)


def hand_on(finished: Path, target: Path) -> None:
    """Write a finished file to the stream that it is for, if its target stands for one.

    Raises:
        OSError: the stream takes no more.
    """
    streams: dict[Path, Path] = click.get_current_context().meta.get(_STREAMED, {})
    if (stream := streams.get(target)) is None:
        return
    try:
        if str(stream) == _STREAM:
            _copy(finished, sys.stdout.buffer)
        else:
            with stream.open("wb") as to:
                _copy(finished, to)
    except OSError as error:
        error.filename = str(stream)
        raise


def _copy(path: Path, to: BinaryIO) -> None:
    with path.open("rb") as file:
        shutil.copyfileobj(file, to)
    to.flush()


def _spooled(stream: BinaryIO, name: str, ctx: click.Context) -> Path:
    """What a stream has, in a file that is there as long as the command runs; its name tells the format."""
    begin = stream.read(_LOOKED_AT)
    packed = begin.startswith(_GZIP)
    suffix = f"{_suffix_of(_unpacked(begin))}.gz" if packed else _suffix_of(begin)
    path = Path(ctx.with_resource(tempfile.TemporaryDirectory())) / f"{name.removesuffix('.gz')}{suffix}"
    with path.open("wb") as file:
        file.write(begin)
        shutil.copyfileobj(stream, file)
    return path


def _unpacked(begin: bytes) -> bytes:
    """The first bytes of what gzip has packed; none where they are damaged, which is told when the file is read."""
    try:
        return zlib.decompressobj(wbits=31).decompress(begin, _LOOKED_AT)
    except zlib.error:
        return b""


def _show_as(name: str, path: Path, ctx: click.Context) -> Path:
    """The path of a temporary file, for which messages have the name that the user gave."""
    names: dict[str, str] = ctx.meta.setdefault(_SHOWN_AS, {})
    if not names:
        for redirect in (redirect_stdout(_Renaming(sys.stdout, names)), redirect_stderr(_Renaming(sys.stderr, names))):
            ctx.with_resource(redirect)
    names[str(path)] = name
    return path


def shown(text: object) -> str:
    """A text, or a path, with the names that the user gave in place of temporary ones: `-` for standard input."""
    context = click.get_current_context(silent=True)
    return _renamed(str(text), {} if context is None else context.meta.get(_SHOWN_AS, {}))


def _renamed(text: str, names: Mapping[str, str]) -> str:
    for path, name in names.items():
        text = text.replace(path, name)
    return text


class _Renaming:
    """A stream to which texts are written with other names for some files."""

    def __init__(self, stream: TextIO, names: Mapping[str, str]) -> None:
        self._stream = stream
        self._names = names

    def write(self, text: str) -> int:
        self._stream.write(_renamed(text, self._names))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def is_said_to_be_folder(path: Path) -> bool:
    """Whether an output of the running command was named with a slash behind."""
    return path in click.get_current_context().meta.get(_FOLDERS, ())


def note_overwriting(*, overwrite: bool) -> None:
    """Note whether the running command has `--overwrite`, for outputs that are no files."""
    click.get_current_context().meta[_OVERWRITES] = overwrite


def overwrites() -> bool:
    """Whether the running command has `--overwrite`."""
    return bool(click.get_current_context().meta.get(_OVERWRITES))


def _suffix_of(begin: bytes) -> str:
    """The suffix of files that begin so."""
    for mark, suffix in (
        (b"PAR1", ".parquet"),
        (b"ARROW1", ".arrow"),
        (b"\xff\xff\xff\xff", ".arrow"),
        (b"{", ".jsonl"),
    ):
        if begin.startswith(mark):
            return suffix
    lines = [line.split() for line in begin.decode(errors="replace").splitlines()[:-1]]
    words = [line for line in lines if line and not line[0].startswith("#")]
    is_columns = len(words) > 1 and len({len(line) for line in words}) == 1 and len(words[0]) > 1
    return ".conll" if b"\t" in begin or is_columns else ".txt"


existing_file = InputFile()
existing_file_or_folder = InputFile(or_folder=True)
existing_files = InputFiles()
output_file = OutputFile()
output_file_or_folder = OutputFile(or_folder=True)
cache_file = click.Path(dir_okay=False, writable=True, path_type=Path)
"""A file that runs read and add to."""


_SIDE_FORMATS = [
    click.option(
        f"--{side}-format",
        type=click.Choice(FORMAT_NAMES),
        help=f"Format of the {side} file; by default its name tells.",
    )
    for side in ("source", "target")
]
_LINK_FLAGS = [
    click.option("--one-based", is_flag=True, help="The links file counts words from 1."),
    click.option("--reverse", is_flag=True, help="The links file says target-source."),
]


_LABEL_OPTIONS = [
    click.option(
        "--scheme",
        type=click.Choice(["IOB1", "IOB2", "BIOES"]),
        default="IOB2",
        show_default=True,
        help="What --read-labels holds the source labels to.",
    ),
    click.option(
        "--read-labels",
        type=click.Choice(["lenient", "strict", "validate"]),
        default="lenient",
        show_default=True,
        help="Lenient reads labels of any scheme; strict ignores what the scheme does not allow; validate stops there.",
    ),
]


def label_options(command: F) -> F:
    """Add `--scheme` and `--read-labels`, which say how source labels are read, to a command."""

    @wraps(command)
    def run(*args: Any, **values: Any) -> Any:
        source = click.get_current_context().get_parameter_source("scheme")
        if source is ParameterSource.COMMANDLINE and values["read_labels"] == "lenient":
            raise click.UsageError(
                "--scheme goes with --read-labels strict and validate: lenient reads labels of any scheme"
            )
        return command(*args, **values)

    return with_options(_LABEL_OPTIONS, cast("F", run))


def check_ignored(ignore: tuple[str, ...], classes: Collection[str]) -> None:
    """That there are entities of classes that are to be left out; a name that is nearly one of them is a mistake.

    Args:
        ignore: names that `--ignore` has.
        classes: that there are.

    Raises:
        click.UsageError: a name is nearly that of a class, or of several.
    """
    for name in ignore:
        if name not in classes:
            if "," in name:
                raise click.UsageError(f"--ignore {name}: takes one class, and may be given again")
            known = ", ".join(sorted(classes)) or "none"
            message = f"--ignore {name}: nothing is of this class; the classes are: {known}"
            if near := did_you_mean(name, classes):
                raise click.UsageError(message + near)
            click.echo(message, err=True)


def side_format_options(command: F) -> F:
    """Add `--source-format` and `--target-format` to a command."""
    return with_options(_SIDE_FORMATS, command)


def link_flags(command: F) -> F:
    """Add `--one-based` and `--reverse`, which say how links are read, to a command."""
    return with_options(_LINK_FLAGS, command)


def _use_tuned(context: click.Context, parameter: click.Parameter, path: Path | None) -> None:
    """Make what a file of settings says the defaults of a command's options; no others than those that are tuned."""
    if path is None:
        return
    from xner.experiments.tuning.trials import written_names

    def refuse(reason: str) -> NoReturn:
        raise click.BadParameter(f"'{path}' {reason}", context, parameter) from None

    try:
        options = json.loads(_settings_text(path))["options"]
        names = set(options.keys())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        refuse("holds no settings; `xner tune` writes them")
    known = {str(other.name): other for other in context.command.params}
    if unknown := sorted(names - set(known)):
        refuse(f"has settings that this command does not take: {', '.join(unknown)}")
    if others := sorted(names - written_names()):
        refuse(f"sets what `xner tune` does not: {', '.join(others)}; --config takes such options")
    for name, value in options.items():
        if problem := _problem(known[name], value, context):
            refuse(f"has no usable {name}: {problem}")
    context.default_map = {**(context.default_map or {}), **options}


def _use_config(context: click.Context, parameter: click.Parameter, path: Path | None) -> None:
    """Make what a TOML file says the defaults of a command's options, whose names it has without dashes in front."""
    if path is None:
        return
    known: dict[str, click.Parameter] = {}
    for other in context.command.params:
        for name in (str(other.name), *(flag.lstrip("-") for flag in other.opts if flag.startswith("--"))):
            known[name.replace("-", "_")] = other
    try:
        text = _settings_text(path)
        read = tomllib.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"'{path}': {error}", context, parameter) from None
    except RecursionError:
        raise click.BadParameter(f"'{path}': values within values, too deep to be read", context, parameter) from None
    options = {}
    for name, value in _flat(read, known):
        place = f"'{path}', line {_line_of(name, text)}"
        option = known.get(name.replace("-", "_"))
        if option is None:
            near = did_you_mean(name.replace("-", "_"), known)
            raise click.BadParameter(f"{place}: there is no option {name!r}{near}", context, parameter)
        if not option.expose_value:
            raise click.BadParameter(f"{place}: {name} is given on the command line alone", context, parameter)
        given = [value] if option.multiple and not isinstance(value, list) else value
        if problem := _problem(option, given, context):
            raise click.BadParameter(f"{place}: {name}: {problem}", context, parameter)
        options[str(option.name)] = given
    context.default_map = {**(context.default_map or {}), **options}


def _settings_text(path: Path) -> str:
    """The text of a file of settings.

    Raises:
        ValueError: it is not UTF-8, or so large that it is something else.
    """
    with path.open("rb") as file:
        data = file.read(_SETTINGS_BYTES + 1)
    if len(data) > _SETTINGS_BYTES:
        raise ValueError(f"more than {_SETTINGS_BYTES} bytes, which no file of settings has")
    return data.decode()


def _problem(option: click.Parameter, value: object, context: click.Context) -> str:
    """What is wrong with a value for an option, which is of the option's own type and not merely made into it."""
    expected = _expected(option)
    values = value if option.multiple and isinstance(value, list) else [value]
    if option.multiple and not isinstance(value, list):
        return f"expected a list, found {_shown(value)}"
    for one in values:
        if not _is_plain(one):
            return f"expected {expected[1]}, found {_shown(one)}"
        if not isinstance(one, expected[0]) or (isinstance(one, bool) and bool not in expected[0]):
            return f"expected {expected[1]}, found {_shown(one)}"
    if isinstance(option.type, InputFile) and _STREAM in values:  # which is read when it is needed
        return ""
    try:
        option.type_cast_value(context, value)
    except click.BadParameter as error:
        return error.message
    except (TypeError, ValueError, OverflowError, AttributeError):
        return f"expected {expected[1]}, found {_shown(value)}"
    return ""


def _expected(option: click.Parameter) -> tuple[tuple[type, ...], str]:
    """The types that an option's values have in a file, and what to call them."""
    if isinstance(option, click.Option) and option.is_flag:
        return (bool,), "true or false"
    if isinstance(option.type, click.types.IntParamType):
        return (int,), "a whole number"
    if isinstance(option.type, click.types.FloatParamType):
        return (int, float), "a number"
    if isinstance(option.type, Parsed) and isinstance(option.type.kind, OrAuto):
        return (int, float, str), "a number or 'auto'"
    if isinstance(option.type, click.Choice | click.Path | click.types.StringParamType):
        return (str,), "a text"
    return (str, int, float, bool, list, dict), "a value that the command line takes"


def _is_plain(value: object, depth: int = 0) -> bool:
    """Whether a value is finite numbers, texts and truth values, in lists and tables of at most two levels."""
    if isinstance(value, list | dict):
        inner = value.values() if isinstance(value, dict) else value
        return depth < 2 and all(_is_plain(one, depth + 1) for one in inner)
    return isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # of numbers of thousands of digits
        text = f"a {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}..."


def _flat(read: dict[str, Any], known: Container[str]) -> Iterator[tuple[str, Any]]:
    """Names and values; tables that hold options are there for order alone, others are an option's value."""
    for name, value in read.items():
        is_option = name.replace("-", "_") in known
        if isinstance(value, dict) and (not is_option or any(one.replace("-", "_") in known for one in value)):
            yield from value.items()
        else:
            yield name, value


def _line_of(name: str, text: str) -> int:
    """The line, from 1, on which a key of a TOML file has its value."""
    key = re.compile(rf"""^\s*(?:["']?){re.escape(name)}(?:["']?)\s*=""")
    return next((number for number, line in enumerate(text.splitlines(), 1) if key.match(line)), 1)


config_option = click.option(
    "--config",
    type=existing_file,
    is_eager=True,
    expose_value=False,
    callback=_use_config,
    help="Options from a TOML file, by their names without dashes in front (max_words = 10), in tables of any name or "
    "in none; those given beside it go first.",
)

tuned_option = click.option(
    "--tuned",
    type=existing_file,
    is_eager=True,
    expose_value=False,
    callback=_use_tuned,
    help="Settings that `xner tune` has found; options given beside it go first.",
)
