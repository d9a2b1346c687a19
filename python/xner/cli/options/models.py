"""What commands that run neural models share: options for where and how they compute."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from xner.cli.options.groups import GroupedOption
from xner.models.network.device import DTYPES

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["PRECISION", "computing_options"]

PRECISION = "precision; auto is half precision on GPUs, float32 elsewhere"


def computing_options(
    whose: str = "", *, dtypes: Iterable[str] = DTYPES, dtype_note: str = "", title: str = "Computing"
) -> list[GroupedOption]:
    """The options `--device`, `--dtype` and `--token-budget`.

    Args:
        whose: begins their help, in commands that have other models as well: "Encoders".
        dtypes: precisions to choose from.
        dtype_note: what else is to be said of them.
        title: of their section in help.
    """

    def told(text: str) -> str:
        return f"{whose}: {text}" if whose else text[0].upper() + text[1:]

    return [
        GroupedOption(
            ["--device"],
            default="auto",
            show_default=True,
            help=told("where to compute: cpu, cuda, cuda:1, ...; several with commas."),
            title=title,
        ),
        GroupedOption(
            ["--dtype"],
            type=click.Choice(list(dtypes)),
            default="auto",
            show_default=True,
            help=told(f"{PRECISION}{dtype_note}."),
            title=title,
        ),
        GroupedOption(
            ["--token-budget"],
            type=click.IntRange(1),
            help=told("most word pieces in a batch, padding included."),
            title=title,
        ),
    ]
