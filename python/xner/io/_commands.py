"""Commands of a shell in messages, which make another file of one that is not read as it is."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from xner.io.atomic import is_packed

if TYPE_CHECKING:
    import os

__all__ = ["filtered", "name_beside"]


def name_beside(path: str | os.PathLike[str], mark: str = "", suffix: str | None = None) -> str:
    """A name for what is made of a file: its own without `.gz`, with a mark before its ending, or another ending.

    Args:
        path: the file.
        mark: what is put in: `utf8`.
        suffix: the ending, with its dot; None keeps that of the file.
    """
    name = Path(path).with_suffix("") if is_packed(path) else Path(path)
    ending = name.suffix if suffix is None else suffix
    return str(name.with_suffix(f".{mark}{ending}" if mark else ending))


def filtered(path: str | os.PathLike[str], command: str, made: str) -> str:
    """What makes another file of one, by a command that reads its standard input.

    Args:
        path: the file, which may be compressed (`.gz`).
        command: as it is typed.
        made: the name of the other file.
    """
    name = shlex.quote(str(path))
    read = f"gzip -dc {name} | {command}" if is_packed(path) else f"{command} < {name}"
    return f"{read} > {shlex.quote(made)}"
