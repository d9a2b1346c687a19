"""The page of all commands, made of the commands themselves: what stands there is what `--help` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from xner.cli.main import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH = 78  # what a command prints on a terminal of 80 columns


def page() -> str:
    """The page: a heading and the help of each command, groups before what they hold."""
    head = (
        "# Every command\n\n"
        "What `xner COMMAND --help` prints, in the same words. Exit status: 0 done, 1 bad data or files, 2 wrong use,\n"
        "130 interrupted, 141 its reader gone.\n"
    )
    return head + "".join(f"\n{'#' * level} {path}\n\n```text\n{text}\n```\n" for level, path, text in helps())


def helps() -> Iterator[tuple[int, str, str]]:
    """Level of the heading, the command as it is typed, and its help, of every command."""
    yield from _helps(click.Context(cli, info_name="xner", terminal_width=WIDTH))


def _helps(context: click.Context, level: int = 2) -> Iterator[tuple[int, str, str]]:
    command = context.command
    yield level, context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None, "it lists what it has"
            below = level if command is cli else level + 1
            yield from _helps(click.Context(inner, parent=context, info_name=name), below)
