"""What commands that run neural models share: options for where and how they compute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from xner.cli.options.decorators import with_options
from xner.models.network.device import DTYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["PRECISION", "computing_options"]

F = TypeVar("F", bound="Callable[..., Any]")

PRECISION = "precision; auto is half precision on GPUs, float32 elsewhere"


def computing_options(whose: str = "", *, dtypes: Iterable[str] = DTYPES, dtype_note: str = "") -> Callable[[F], F]:
    """Adds the options `--device`, `--dtype` and `--token-budget` to a command.

    Args:
        whose: begins their help, in commands that have other models as well: "Encoders".
        dtypes: precisions to choose from.
        dtype_note: what else is to be said of them.
    """

    def told(text: str) -> str:
        return f"{whose}: {text}" if whose else text[0].upper() + text[1:]

    options = [
        click.option(
            "--device",
            default="auto",
            show_default=True,
            help=told("where to compute: cpu, cuda, cuda:1, ...; several with commas."),
        ),
        click.option(
            "--dtype",
            type=click.Choice(list(dtypes)),
            default="auto",
            show_default=True,
            help=told(f"{PRECISION}{dtype_note}."),
        ),
        click.option(
            "--token-budget", type=click.IntRange(1), help=told("most word pieces in a batch, padding included.")
        ),
    ]

    def add(command: F) -> F:
        return with_options(options, command)

    return add
