"""What every command that writes a file looks at before it begins: what it would overwrite, what was given twice."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xner import io
from xner._support.folders import cache_folder
from xner.cli.options.flags import as_typed, for_command
from xner.cli.options.groups import GroupedOption
from xner.cli.options.inputs import STANDARD_OUTPUT, InputFile, OutputFile, hand_on, note_overwriting, shown
from xner.cli.options.layouts import check_class_names, check_layout
from xner.errors import Error, OptionError
from xner.io.atomic import before_replacing
from xner.pipelines.shard_names import shard_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["guarded", "keep_track", "refuse_overwriting"]

_MARKED = "xner.guarded"
_INPUT_FORMATS = (
    "source_format",
    "target_format",
    "input_format",
    "table_format",
    "gold_format",
    "predicted_format",
    "format_",
)


def guarded(command: click.Command) -> click.Command:
    """A command that refuses options given twice, and files that it would overwrite unless `--overwrite` is given.

    A file that the same command wrote, and that nobody has changed since, is written anew without a word.
    """
    if getattr(command, _MARKED, False):
        return command
    setattr(command, _MARKED, True)
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            command.commands[name] = guarded(inner)
    _refuse_repeated(command)
    if command.callback is not None:
        if any(one.name == "labels_from" for one in command.params):
            command.callback = _checking_layout(command.callback, command)
        command.callback = _naming_flags(command.callback, command)
    outputs = [one for one in command.params if isinstance(one.type, OutputFile)]
    if outputs and command.callback is not None:
        command.params.append(
            GroupedOption(
                ["--overwrite"],
                is_flag=True,
                help="Replace a file that is there, or an input; what the same command has made is replaced anyway.",
                title="Run" if "Run" in getattr(command, "sections", ()) else "",
            )
        )
        command.callback = _looking(command.callback, command)
    if command.callback is not None:
        command.callback = _naming_files(command.callback)
    return command


def _checking_layout(callback: Any, command: click.Command) -> Any:
    """What a command calls, once it is known that its options of layout say something of a file that it reads."""

    @wraps(callback)
    def run(*args: Any, **values: Any) -> Any:
        named = {values[name] for name in _INPUT_FORMATS if values.get(name)}
        files = [
            (option, file)
            for option, path in _paths(command, values, InputFile)
            for file in shard_files(path) or [path]
        ]
        check_layout(values, named | {_format_by_name(path) for _, path in files})
        given = next(iter(named), None)
        known = [(option, path, None if _is_told(path) else given) for option, path in files if path.is_file()]
        check_class_names(values, known)
        return callback(*args, **values)

    return run


def _format_by_name(path: Path) -> str:
    """A file's format; `conll`, of which all can be said, where its name tells none."""
    return io.format_of(path) if _is_told(path) else "conll"


def _is_told(path: Path) -> bool:
    """Whether a file's name tells its format."""
    try:
        io.format_of(path)
    except Error:
        return False
    return True


def _naming_files(callback: Any) -> Any:
    """What a command calls, whose errors name files as the user did: `-`, where a temporary file holds a stream."""

    @wraps(callback)
    def run(*args: Any, **values: Any) -> Any:
        try:
            return callback(*args, **values)
        except Error as error:
            error.args = tuple(shown(one) if isinstance(one, str) else one for one in error.args)
            raise
        except click.ClickException as error:
            setattr(error, "message", shown(error.message))  # noqa: B010  # which is final for type checkers
            raise
        except OSError as error:
            error.filename = None if error.filename is None else shown(os.fsdecode(error.filename))
            raise

    return run


def refuse_overwriting(option: str, paths: Iterable[Path], *, overwrite: bool) -> None:
    """Refuse to overwrite files that the running command has not made, of a folder that it is given.

    Raises:
        click.UsageError: one is there and was not made by this command.
    """
    if not overwrite:
        for path in paths:
            _check((option, path), _running(), [])


def keep_track(paths: Iterable[Path]) -> None:
    """Note that the running command has made files, so that it may replace them."""
    for path in paths:
        _remember(path, _running())


def _running() -> str:
    """The command's name, without that of the program: `python -m xner` is the same one as `xner`."""
    context: click.Context | None = click.get_current_context()
    names = []
    while context is not None and context.parent is not None:
        names.append(str(context.info_name))
        context = context.parent
    return " ".join(reversed(names))


def _naming_flags(callback: Any, command: click.Command) -> Any:
    """What a command calls, whose errors name options as they are on the command line, and none that it lacks."""
    flags = {str(one.name).rstrip("_"): one.opts[0] for one in command.params if isinstance(one, click.Option)}

    @wraps(callback)
    def run(*args: Any, **values: Any) -> Any:
        try:
            return callback(*args, **values)
        except OptionError as error:
            raise OptionError(as_typed(for_command(str(error)), flags)) from None
        except Error as error:
            error.args = tuple(for_command(one) if isinstance(one, str) else one for one in error.args)
            raise
        except click.UsageError as error:
            if type(error) is not click.UsageError:  # of a parameter, which click itself names
                raise
            raise click.UsageError(as_typed(error.message, flags), error.ctx) from None

    return run


def _looking(callback: Any, command: click.Command) -> Any:
    @wraps(callback)
    def run(*args: Any, overwrite: bool, **values: Any) -> Any:
        name = _running()
        note_overwriting(overwrite=overwrite)
        outputs = list(_paths(command, values, OutputFile))
        for option, path in outputs:
            if path.name == STANDARD_OUTPUT and values.get("format_") is None:
                what = "standard output" if shown(path) == "-" else "a pipe"
                raise click.UsageError(f"{option} {path}: give --format, as {what} has no name that tells it")
        _refuse_one_file_for_two(outputs)
        if not overwrite:
            for output in outputs:
                _check(output, name, list(_paths(command, values, InputFile)))
        announced: set[Path] = set()
        with before_replacing(_announcing([path for _, path in outputs], name, announced)):
            result = callback(*args, **values)
        for _, path in outputs:
            # Once more would be without the output's lock: another run of the command may have written it since.
            if path.resolve() not in announced:
                _remember(path, name)
        return result

    return run


def _paths(
    command: click.Command, values: dict[str, Any], kind: type[InputFile | OutputFile]
) -> Iterator[tuple[str, Path]]:
    """The files that were given for options and arguments of a kind, with the names of these."""
    for parameter in command.params:
        if isinstance(parameter.type, kind):
            given = values.get(str(parameter.name))
            shown = parameter.opts[0] if isinstance(parameter, click.Option) else str(parameter.name).upper()
            for path in given if isinstance(given, tuple | list) else [given]:
                if isinstance(path, Path):
                    yield shown, path


def _refuse_one_file_for_two(outputs: list[tuple[str, Path]]) -> None:
    """Refuse outputs of which one would overwrite another.

    Raises:
        click.UsageError: two are the same file.
    """
    first: dict[Path, str] = {}
    for option, path in outputs:
        if path.exists() and not path.is_file():  # /dev/null takes all
            continue
        place = Path(shown(path)).resolve()
        if other := first.get(place):
            raise click.UsageError(f"{option} {path}: this is the file of {other} as well; give each its own")
        first[place] = option


def _check(output: tuple[str, Path], command: str, inputs: list[tuple[str, Path]]) -> None:
    """Refuse to overwrite what is not this command's own.

    Raises:
        click.UsageError: the file is an input, or is there and was not made by this command.
    """
    option, path = output
    if not path.is_file():
        return
    for name, source in inputs:
        if source.exists() and source.samefile(path):
            raise click.UsageError(f"{option} {path}: this file is {name} as well; --overwrite replaces it")
    if not _is_known(path, command):
        raise click.UsageError(
            f"{option} {path}: there is such a file, which `xner {command}` has not made or which was changed since; "
            "--overwrite replaces it"
        )


def _state(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def _note(path: Path) -> Path:
    """Where it is noted which command made a file."""
    return cache_folder() / "outputs" / hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:32]


def _is_known(path: Path, command: str) -> bool:
    """Whether a file is one that a command has made, and that nobody has changed since."""
    try:
        known = json.loads(_note(path).read_text(encoding="utf-8"))
        return known["command"] == command and _state(path) in known["states"]
    except (OSError, ValueError, TypeError, LookupError, RuntimeError):
        return False


def _announcing(outputs: list[Path], command: str, announced: set[Path]) -> Callable[[Path, Path], None]:
    """Notes that a command is about to make a file, so that one that is killed may be run again.

    Whichever of both files is there then, the old one or the new one, is the command's own. What stands for a stream is
    written to it, before the command says so.
    """
    targets = {path.resolve() for path in outputs}

    def announce(aside: Path, target: Path) -> None:
        hand_on(aside, target)
        if target in targets:
            before = [_state(target)] if _is_known(target, command) else []
            if _note_down(target, command, [*before, _state(aside)]):
                announced.add(target)

    return announce


def _remember(path: Path, command: str) -> None:
    if path.is_file():
        _note_down(path, command, [_state(path)])


def _note_down(path: Path, command: str, states: list[list[int]]) -> bool:
    """Whether it is noted now that a file in one of some states is a command's own."""
    try:
        note = _note(path)
        note.parent.mkdir(parents=True, exist_ok=True)
        with io.replacing(note) as file:
            file.write(json.dumps({"command": command, "states": states}).encode())
    except (Error, OSError, RuntimeError):  # without it the next run asks
        return False
    return True


def _refuse_repeated(command: click.Command) -> None:
    """Make a command refuse an option that takes one value and is given several times."""
    parse = command.parse_args

    def parse_args(context: click.Context, args: list[str]) -> list[str]:
        if not context.resilient_parsing and not any(one in {"-h", "--help"} for one in args):
            *_, order = command.make_parser(context).parse_args(list(args))
            for parameter, count in Counter(order).items():
                if (
                    count > 1
                    and isinstance(parameter, click.Option)
                    and not parameter.multiple
                    and not parameter.is_flag
                ):
                    raise click.UsageError(f"{parameter.opts[0]} is given {count} times, and takes one value", context)
        return parse(context, args)

    setattr(command, "parse_args", parse_args)  # noqa: B010  # a method of this command alone
