"""The options of commands that draw resamples for intervals and comparisons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from xner.cli.options.decorators import with_options

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["resampling_options"]

F = TypeVar("F", bound="Callable[..., Any]")

_OPTIONS = [
    click.option(
        "--bootstrap",
        "samples",
        type=click.IntRange(0),
        default=1000,
        show_default=True,
        help="Resamples for intervals; 0 for none.",
    ),
    click.option(
        "--confidence",
        type=click.FloatRange(0, 1, min_open=True, max_open=True),
        default=0.95,
        show_default=True,
        help="Confidence of the intervals.",
    ),
    click.option(
        "--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True, help="Seed of the resamples."
    ),
]


def resampling_options(command: F) -> F:
    """Add `--bootstrap`, `--confidence` and `--seed` to a command, which takes `samples`, `confidence` and `seed`."""
    return with_options(_OPTIONS, command)
