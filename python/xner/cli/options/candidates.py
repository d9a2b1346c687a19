"""The options of commands that choose among spans of target words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from xner.cli.options.decorators import with_options

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["span_options"]

F = TypeVar("F", bound="Callable[..., Any]")

_OPTIONS = [
    click.option("--min-words", type=click.IntRange(1), default=1, show_default=True, help="Shortest candidate."),
    click.option("--max-words", type=click.IntRange(1), help="Longest candidate; no limit by default."),
    click.option(
        "--stop-words", default="! ?", show_default=True, help="Words that no candidate may hold, split by blanks."
    ),
    click.option(
        "--count",
        type=click.Choice(["links", "words", "weighted"]),
        default="links",
        show_default=True,
        help="What the alignment score counts.",
    ),
]


def span_options(command: F) -> F:
    """Add `--min-words`, `--max-words`, `--stop-words` and `--count` to a command."""
    return with_options(_OPTIONS, command)
