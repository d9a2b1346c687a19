"""The command line: `xner COMMAND`. Each command is a module of this package and a line of the table below."""

from __future__ import annotations

import importlib
import logging
import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import click

from xner._support.arguments import did_you_mean
from xner._support.phrases import printable
from xner._support.progress import logger, usage_logger
from xner._version import __version__
from xner.cli.guards import guarded
from xner.cli.options.flags import for_command, with_flags
from xner.errors import Error

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["main"]

_NO_READER = 128 + 13  # what shells make of the signal for it

_COMMANDS = {
    "project": "xner.cli.commands.project",
    "align": "xner.cli.commands.align",
    "links": "xner.cli.commands.links",
    "filter": "xner.cli.commands.filter",
    "inspect": "xner.cli.commands.inspect",
    "pair": "xner.cli.commands.pair",
    "datasets": "xner.cli.commands.datasets",
    "evaluate": "xner.cli.commands.evaluate",
    "view": "xner.cli.commands.view",
    "export": "xner.cli.commands.export",
    "import": "xner.cli.commands.import_corrections",
    "score": "xner.cli.commands.score",
    "study": "xner.cli.commands.study",
    "shift": "xner.cli.commands.shift",
    "run": "xner.cli.commands.run",
    "runs": "xner.cli.commands.runs",
    "report": "xner.cli.commands.report",
    "tune": "xner.cli.commands.tune",
    "train": "xner.cli.commands.train",
    "distill": "xner.cli.commands.distill",
    "translate": "xner.cli.commands.translate",
    "tag": "xner.cli.commands.tag",
    "translate-test": "xner.cli.commands.translate_test",
    "back-translate": "xner.cli.commands.back_translate",
    "cache": "xner.cli.commands.cache",
    "doctor": "xner.cli.commands.doctor",
    "demo": "xner.cli.commands.demo",
}


@contextmanager
def _may_lose_reader() -> Iterator[None]:
    """What prints: without a reader, who may have seen enough, it ends without a word, as other programs do."""
    try:
        yield
    except BrokenPipeError:
        with suppress(OSError, AttributeError):  # what is left to be written goes nowhere
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise click.exceptions.Exit(_NO_READER) from None


class _LazyGroup(click.Group):
    """Loads a command's module when the command is used, so that `xner --help` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command = importlib.import_module(_COMMANDS[cmd_name]).command
        return guarded(command) if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            raise click.UsageError(f"No such command {args[0]!r}{did_you_mean(args[0], _COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Read the command line, which may print help."""
        with _may_lose_reader():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was named."""
        with _may_lose_reader():
            return super().invoke(ctx)


def _show_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from xner._support.installation import build_text

        click.echo(f"xner, version {__version__} ({build_text()})")
        context.exit()


@click.command(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="\b\nTypical use:\n"
    "  xner demo                                                   see it work on the built-in sample\n"
    "  xner project --source en.conll --target de.txt -o de.conll  labels for a translation\n"
    "  xner evaluate --gold de.gold.conll --predicted de.conll     how good they are\n"
    "  xner COMMAND --help                                         what a command takes, with examples",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version, its build and its instruction set, and exit.",
)
def cli() -> None:
    """Annotation projection for cross-lingual named entity recognition.

    Moves entity labels from sentences of one language onto their translations, by word links.
    """


class _Shown(logging.Handler):
    """Shows messages as a command's own: warnings, and what services outside were used for."""

    def emit(self, record: logging.LogRecord) -> None:
        click.echo(printable(with_flags(for_command(record.getMessage()))), err=True)


_SHOWN = _Shown()


def main() -> None:
    """Run the command line. Exit status: 0 done, 1 bad data or files, 2 wrong use, 130 interrupted, 141 reader gone."""
    usage_logger.setLevel(logging.INFO)
    logger.addHandler(_SHOWN)
    try:
        status = cli.main(standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except click.exceptions.Abort:
        click.echo("xner: interrupted; the same command goes on from the last finished part", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except Error as error:
        click.echo(printable(f"xner: {with_flags(str(error))}"), err=True)
        sys.exit(1)
    except OSError as error:
        where = f" '{error.filename}'" if error.filename else ""
        click.echo(f"xner: cannot use the file{where}: {error.strerror or error}", err=True)
        sys.exit(1)
    except MemoryError:
        click.echo("xner: out of memory; fewer --threads or smaller inputs need less", err=True)
        sys.exit(1)
