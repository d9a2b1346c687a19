"""`xner cache`: what runs keep for others to come, and doing away with it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from xner._support.folders import bytes_text, cache_folder
from xner._support.tables import text_table
from xner.models.translators.kept import KINDS, clear, kept

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["command"]


@click.group("cache")
def command() -> None:
    """List and clear what xner keeps: translations, their probabilities, converted models."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="All of it as JSON.")
def list_(as_json: bool) -> None:
    """Show how much is kept of each kind, and where."""
    found = kept()
    if as_json:
        kinds = {
            one.kind: {"path": str(one.path), "entries": one.entries, "bytes": one.size, "exists": one.path.exists()}
            for one in found
        }
        click.echo(json.dumps({"folder": str(cache_folder()), "kinds": kinds}, ensure_ascii=False, indent=2))
        return
    rows = [["", "entries", "size"], *([one.kind, str(one.entries), bytes_text(one.size)] for one in found)]
    click.echo(f"{text_table(rows)}\nin '{cache_folder()}'")


@command.command(
    "clear",
    epilog="\b\nExamples:\n"
    "  xner cache clear                        shows what would go, and asks\n"
    "  xner cache clear --which models --yes   converted models alone, without asking\n\n"
    "\b\nModels of the Hugging Face hub are that library's: `hf cache` lists and deletes them.",
)
@click.option(
    "--which", type=click.Choice(KINDS), multiple=True, help="What goes; may be given again.  [default: all kinds]"
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def clear_(which: Sequence[str], yes: bool) -> None:
    """Do away with what is kept, which costs nothing but the time to compute it again.

    The hub's models, files named by --cache and what symbolic links lead to are left alone.
    """
    kinds = [kind for kind in KINDS if kind in which or not which]
    there = [one for one in kept() if one.kind in kinds and one.entries]
    if not there:
        click.echo(f"nothing is kept of {', '.join(kinds)} in '{cache_folder()}'", err=True)
        return
    shown = ", ".join(f"{one.entries} {one.kind} ({bytes_text(one.size)})" for one in there)
    if not yes:
        click.confirm(f"delete {shown} from '{cache_folder()}'?", abort=True, err=True)
    clear(kinds)
    click.echo(f"deleted {shown}", err=True)
