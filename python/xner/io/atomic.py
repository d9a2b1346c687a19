"""Outputs are written beside their target and moved into place: a reader never sees half a file."""

from __future__ import annotations

import gzip
import os
import secrets
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from xner.errors import Error

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["is_packed", "opened_without_links", "replacing"]


def is_packed(path: str | os.PathLike[str]) -> bool:
    """Whether a file's name says that it is compressed with gzip."""
    return Path(path).suffix.lower() == ".gz"


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Opens a file for writing that takes the place of `path` when the block ends without an exception.

    After an exception the temporary file is gone and the old file, if there was one, is untouched. A name
    that ends in `.gz` is compressed, without a time stamp: equal content gives equal bytes. A symbolic link
    stays a link to the new content; a device or a pipe is written directly, as it cannot be replaced.

    Args:
        path: the target; its folder must exist.

    Yields:
        A binary file.

    Raises:
        Error: the folder does not exist, or the target is a folder.
    """
    target = Path(path).resolve()
    if target.is_dir():
        raise Error(f"cannot write '{path}': it is a folder")
    if not target.parent.is_dir():
        raise Error(f"cannot write '{path}': the folder '{target.parent}' does not exist")
    if target.exists() and not target.is_file():
        with target.open("wb") as file:
            yield file
        return
    aside = target.with_name(f".{target.name}.{secrets.token_hex(6)}.tmp")
    try:
        with aside.open("xb") as file:
            if target.exists():
                aside.chmod(target.stat().st_mode)
            if is_packed(target):
                # An empty name inside the archive: that of the temporary file would be misleading.
                with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
                    yield cast("BinaryIO", packed)
            else:
                yield file
        aside.replace(target)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def opened_without_links(path: str, flags: int) -> int:
    """For `open(..., opener=)`: a file that is no link, as what one leads to is not ours to write to.

    Raises:
        OSError: it is a link, or cannot be opened.
    """
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)
