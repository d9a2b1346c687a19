"""What xner keeps in its own folder of caches, by kind: how much it is, and doing away with it."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from xner._support.folders import bytes_of
from xner.errors import Error
from xner.models.translators.cache import default_cache_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["KINDS", "Kept", "clear", "kept"]

KINDS: Final = ("translations", "scores", "models")
"""Translations of texts; probabilities of translations; models converted to CTranslate2's format."""

_OF_TYPE: Final = {"translations": "text", "scores": "real"}
_LOCKED_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a kind.

    Attributes:
        kind: one of `KINDS`.
        path: the file or folder that has it; translations and scores share one.
        entries: how many.
        size: of them, in bytes.
    """

    kind: str
    path: Path
    entries: int
    size: int


def kept() -> list[Kept]:
    """What is kept, a line a kind.

    Raises:
        Error: the file of translations and scores is none.
    """
    path, models = default_cache_path(), _models_folder()
    found = []
    for kind, its in _OF_TYPE.items():
        entries, size = _entries(path, its) if _is_within(path) else (0, 0)
        found.append(Kept(kind, path, entries, size))
    folders = [one for one in models.iterdir() if not one.is_symlink()] if _is_within(models) else []
    return [*found, Kept("models", models, len(folders), sum(map(bytes_of, folders)))]


def clear(kinds: Sequence[str] = KINDS) -> None:
    """Do away with what is kept of some kinds. Links go, and what they lead to stays; nothing outside is touched.

    Raises:
        Error: the file of translations and scores is none, or in use.
    """
    path, models = default_cache_path(), _models_folder()
    types = [_OF_TYPE[kind] for kind in kinds if kind in _OF_TYPE]
    if types and _is_within(path):
        try:
            with closing(sqlite3.connect(path, timeout=_LOCKED_SECONDS, isolation_level=None)) as connection:
                for its in types:
                    connection.execute("DELETE FROM entries WHERE typeof(value) = ?", [its])
                connection.execute("VACUUM")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            raise _unusable(path, error) from error
    if "models" in kinds and _is_within(models):
        for one in models.iterdir():
            if one.is_symlink() or one.is_file():
                one.unlink()
            else:
                shutil.rmtree(one)


def _models_folder() -> Path:
    return default_cache_path().parent / "ctranslate2"


def _is_within(path: Path) -> bool:
    """Whether a file or folder is there, in the folder of caches itself and not by a link that leads out of it."""
    return path.exists() and path.resolve().parent == path.parent.resolve()


def _entries(path: Path, type_: str) -> tuple[int, int]:
    """How many values of a type a file has, and their bytes with those of their keys."""
    query = "SELECT count(*), total(length(key) + length(CAST(value AS BLOB))) FROM entries WHERE typeof(value) = ?"
    try:
        with closing(sqlite3.connect(path, timeout=_LOCKED_SECONDS)) as connection:
            count, size = connection.execute(query, [type_]).fetchone()
    except sqlite3.Error as error:
        raise _unusable(path, error) from error
    return int(count), int(size)


def _unusable(path: Path, error: Exception) -> Error:
    return Error(f"cannot use '{path}' as a cache: {error}; where nothing uses it, the file can be deleted")
