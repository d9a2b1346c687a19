"""What commands that run neural models share: options for where and how they compute, and what tells models apart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from xner.cli.options.decorators import with_options
from xner.models.network.device import DTYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["PRECISION", "computing_options", "device_names", "model_key"]

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


def device_names(device: str) -> str | list[str]:
    """What `--device` says, as models take it."""
    return device if device == "auto" else device.split(",")


def model_key(model: str) -> list[Any]:
    """Tells a model from another, and a folder or file from what it was before it changed, for a run's fingerprint."""
    path = Path(model)
    files = sorted(path.iterdir()) if path.is_dir() else [path] if path.is_file() else []
    return [model, [[file.name, file.stat().st_size, file.stat().st_mtime_ns] for file in files]]
