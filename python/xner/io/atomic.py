"""Outputs are written beside their target and moved into place: a reader never sees half a file."""

from __future__ import annotations

import errno
import gzip
import os
import re
import secrets
import stat
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from xner._support.arguments import file_path
from xner.errors import Error

try:
    import fcntl
except ImportError:  # a system without it, where nothing is locked
    fcntl = None  # type: ignore[assignment]  # a module elsewhere

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["before_replacing", "is_packed", "is_still_named", "opened_without_links", "replacing"]


_BEFORE: ContextVar[Callable[[Path, Path], None] | None] = ContextVar("xner.before_replacing", default=None)


@contextmanager
def before_replacing(call: Callable[[Path, Path], None]) -> Iterator[None]:
    """For the length of a block, have something called before `replacing` moves a file into its place.

    Args:
        call: gets the finished file, whose size and times stay what they are, and the target.
    """
    before = _BEFORE.set(call)
    try:
        yield
    finally:
        _BEFORE.reset(before)


def is_packed(path: str | os.PathLike[str]) -> bool:
    """Whether a file's name says that it is compressed with gzip."""
    return Path(path).suffix.lower() == ".gz"


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Opens a file for writing that takes the place of `path` when the block ends without an exception.

    After an exception the temporary file is gone and the old file, if there was one, is untouched. The file that a
    killed process has left goes when the same target is written again. What takes the place is on the disk, so that a
    loss of power leaves the old file or the new one as well. A name
    that ends in `.gz` is compressed, without a time stamp: equal content gives equal bytes. A symbolic link
    stays a link to the new content; a device or a pipe is written directly, as it cannot be replaced.

    Args:
        path: the target; its folder must exist.

    Yields:
        A binary file.

    Raises:
        Error: the folder does not exist, or the target is a folder.
    """
    target = file_path("path", path).resolve()
    if target.is_dir():
        raise Error(f"cannot write '{path}': it is a folder")
    if not target.parent.is_dir():
        raise Error(f"cannot write '{path}': the folder '{target.parent}' does not exist")
    if target.exists() and not target.is_file():
        with _naming(path), target.open("wb") as file:
            yield file
        return
    _remove_left_over(target)
    with _naming(path), _aside(target) as (aside, file):
        if target.exists():
            aside.chmod(target.stat().st_mode)
        if is_packed(target):
            # An empty name inside the archive: that of the temporary file would be misleading.
            with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
                yield cast("BinaryIO", packed)
        else:
            yield file
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _aside(target: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """A new file of an unpredictable name beside a target, which it replaces when the block ends.

    Until then it is locked: so other processes know that it is not left over.
    """
    aside, file, lock = _new_file(target)
    try:
        with file:
            yield aside, file
        if (call := _BEFORE.get()) is not None:
            call(aside, target)
        aside.replace(target)
    except BaseException:
        with suppress(OSError):  # what went wrong first is what matters
            aside.unlink(missing_ok=True)
        raise
    finally:
        if lock is not None:
            os.close(lock)


def _new_file(target: Path) -> tuple[Path, BinaryIO, int | None]:
    """The file, open, and what holds its lock; None where there are no such locks."""
    while True:
        aside = target.with_name(f".{target.name}.{secrets.token_hex(6)}.tmp")
        file = _opened(aside, target)
        if fcntl is None:
            return aside, file, None
        lock = os.dup(file.fileno())  # which outlasts the file, until it is in its place
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if is_still_named(lock, aside):
                return aside, file, lock
        except BlockingIOError:  # another process takes it for one that is left over, and removes it
            pass
        except OSError:
            os.close(lock)
            return aside, file, None
        os.close(lock)
        file.close()


def _opened(aside: Path, target: Path) -> BinaryIO:
    """The file beside a target, whose name errors have."""
    try:
        return aside.open("xb")
    except OSError as error:
        if not isinstance(error, FileExistsError):
            error.filename = str(target)
        raise


@contextmanager
def _naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Names the file in what is raised where there is no room for it, which names none."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            error.filename = str(path)
        raise


def _remove_left_over(target: Path) -> None:
    """Remove what killed processes have left of a target. Another process's file is locked as long as it is written."""
    if fcntl is None:
        return
    is_aside = re.compile(rf"\.{re.escape(target.name)}\.[0-9a-f]{{12}}\.tmp").fullmatch
    with suppress(OSError):
        for name in filter(is_aside, os.listdir(target.parent)):  # noqa: PTH208  # names alone, of many
            with suppress(OSError):
                _remove_unlocked(target.with_name(name))


def _remove_unlocked(path: Path) -> None:
    descriptor = opened_without_links(str(path), os.O_RDWR | os.O_NONBLOCK)  # a pipe is not waited for
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if stat.S_ISREG(os.fstat(descriptor).st_mode) and is_still_named(descriptor, path):
            path.unlink()
    finally:
        os.close(descriptor)


def is_still_named(descriptor: int, path: Path) -> bool:
    """Whether an open file is what a path leads to: it may have been removed, or replaced, since it was opened."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def opened_without_links(path: str, flags: int) -> int:
    """For `open(..., opener=)`: a file that is no link, as what one leads to is not ours to write to.

    Raises:
        OSError: it is a link, or cannot be opened.
    """
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)
