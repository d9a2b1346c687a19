"""What a translation model has computed, kept on disk for runs to come."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import struct
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xner._support.folders import cache_folder
from xner._support.progress import logger
from xner.errors import Error, OutsideError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType

__all__ = ["TranslationCache", "content_key", "default_cache_path"]

_LOCKED_SECONDS = 60.0  # how long to wait for another process that writes
_VARIABLES = 500  # in one statement
# A column without a type keeps numbers and texts as they are. A file of before sums has none for its entries.
_SCHEMA = "CREATE TABLE IF NOT EXISTS entries (key BLOB PRIMARY KEY, value NOT NULL, sum BLOB) WITHOUT ROWID"
_COLUMNS = "SELECT count(*) FROM pragma_table_info('entries')"
_MAGIC = b"SQLite format 3"
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def default_cache_path() -> Path:
    """`xner/translation-scores.sqlite` in the user's folder of caches: `$XDG_CACHE_HOME`, else `~/.cache`."""
    return cache_folder() / "translation-scores.sqlite"


def content_key(*parts: str) -> bytes:
    """A key that depends on all parts and where each ends: 128 bits of BLAKE2b."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        content = part.encode()
        digest.update(len(content).to_bytes(8, "little") + content)
    return digest.digest()


def _sum(key: bytes, value: float | str) -> bytes:
    """What tells a value that is as it was kept from one that was damaged since, which SQLite does not see."""
    content = value.encode() if isinstance(value, str) else struct.pack("<d", value)
    return hashlib.blake2b(key + content, digest_size=8).digest()


def _value(key: bytes, kept: Any, sum_: Any) -> float | str | None:
    """A value as the file has it; None for one that was damaged, as far as its sum, if it has one, tells."""
    try:
        value = kept.decode() if isinstance(kept, bytes) else kept
        return value if sum_ is None or sum_ == _sum(key, value) else None
    except (UnicodeDecodeError, TypeError, struct.error):
        return None


class TranslationCache:
    """Numbers and texts on disk by content keys.

    SQLite keeps them, which comes with Python: one file of millions of small entries, found by key without reading the
    rest, written by several processes at once, and whole after a kill at any moment. A folder of files or a table that
    is written anew would each lack a part of that. With a write-ahead log readers never wait for writers. Of two
    processes that compute the same, the first to write wins.

    Keys are digests: of what was asked the file holds nothing. Deleting it costs nothing but time. A value that was
    damaged on the disk counts as one that is not there.

    Args:
        path: the file; made, with its folder, where there is none. None keeps them in memory, for this run alone.

    Raises:
        OutsideError: it cannot be read or written, now or as it is.
        Error: something else is there.
    """

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self.path: str | os.PathLike[str] = ":memory:" if path is None else path
        if path is not None:
            try:
                Path(path).parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise self._unusable(error) from error
        with self._errors():
            self._connection = sqlite3.connect(self.path, timeout=_LOCKED_SECONDS, isolation_level=None)
            self._connection.text_factory = bytes  # what was damaged may be no text
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
                # After a loss of power the last entries may be gone, which computing them again repairs.
                self._connection.execute("PRAGMA synchronous = NORMAL")
                self._connection.execute(_SCHEMA)
                if self._connection.execute(_COLUMNS).fetchone() == (2,):
                    self._add_sums()
            except BaseException:
                self._connection.close()
                raise

    def __repr__(self) -> str:
        return f"TranslationCache({os.fspath(self.path)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process opens the file itself; what is in memory alone stays here.
        return TranslationCache, (None if self.path == ":memory:" else self.path,)

    def __enter__(self) -> TranslationCache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def get(self, keys: Sequence[bytes]) -> dict[bytes, Any]:
        """The values of those keys that are there."""
        found: dict[bytes, Any] = {}
        with self._errors():
            for first in range(0, len(keys), _VARIABLES):
                some = keys[first : first + _VARIABLES]
                places = ",".join("?" * len(some))
                query = f"SELECT key, value, sum FROM entries WHERE key IN ({places})"
                for key, kept, sum_ in self._connection.execute(query, some).fetchall():
                    value = _value(key, kept, sum_)
                    if value is not None:
                        found[key] = value
                        continue
                    logger.info("'%s': an entry was damaged; it is made anew", self.path)
                    self._connection.execute("DELETE FROM entries WHERE key = ?", [key])
        return found

    def put(self, values: Mapping[bytes, float | str]) -> None:
        """Keep values, all or none; on return they are safe from a kill. Keys that are there keep what they have."""
        with self._errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                rows = ((key, value, _sum(key, value)) for key, value in values.items())
                self._connection.executemany("INSERT OR IGNORE INTO entries VALUES (?, ?, ?)", rows)
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _add_sums(self) -> None:
        """Have the table of an earlier version keep sums, if no other process is before this one."""
        self._connection.execute("BEGIN IMMEDIATE")
        if self._connection.execute(_COLUMNS).fetchone() == (2,):
            self._connection.execute("ALTER TABLE entries ADD COLUMN sum BLOB")
        self._connection.execute("COMMIT")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, struct.error) as error:  # the latter of values that are neither numbers nor texts
            raise self._unusable(error) from error

    def _unusable(self, error: Exception) -> Error:
        message = f"cannot use '{self.path}' as a cache of translation scores: {error}"
        code = getattr(error, "sqlite_errorcode", None)
        if code is None or code & 0xFF not in _DAMAGED:
            return OutsideError(message)
        if not self._is_database():
            return Error(message)
        return OutsideError(f"{message}; it was damaged: where nothing uses it, the file can be deleted")

    def _is_database(self) -> bool:
        """Whether the file is one of SQLite, by how it begins."""
        try:
            with Path(self.path).open("rb") as file:
                return file.read(len(_MAGIC)) == _MAGIC
        except OSError:
            return False
