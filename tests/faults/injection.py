"""Faults at the system calls of this process: the k-th one ends it, is interrupted, or fails.

What counts is what changes files: opening one for writing, writing, moving, removing, making folders, flushing to the
disk. Calls of libraries that do not go through Python's `os` and `io` (SQLite, torch, safetensors) are not seen; kills
at random moments are for them.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from unittest import mock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["APPLIES", "CALLS", "SIGNALS", "Call", "Fault", "Injector"]

CALLS: Final = {
    **{name: name for name in ("replace", "unlink", "rmdir", "mkdir", "fsync", "sendfile")},
    "rename": "replace",
    "remove": "unlink",
    "ftruncate": "truncate",
}
"""Functions of `os` that count beside `open` and writing, and what they are called here."""
SIGNALS: Final = ("SIGKILL", "SIGINT", "SIGTERM")
_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT
APPLIES: Final = {
    "ENOSPC": {"open", "write", "mkdir", "fsync", "sendfile", "replace"},
    "EIO": {"open", "write", "mkdir", "fsync", "sendfile", "replace", "unlink", "rmdir", "truncate"},
    "EROFS": {"open", "mkdir", "replace", "unlink", "rmdir"},
    "EACCES": {"open", "mkdir", "replace", "unlink", "rmdir"},
}
"""The calls that may fail for a reason."""


@dataclass(frozen=True, slots=True)
class Call:
    """A system call.

    Attributes:
        name: of the function.
        path: what it is about, as it was given.
    """

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What is to happen at a call.

    Attributes:
        at: the call's number, from 0; None for no call.
        what: the name of a signal or of an error; `vanish`: a folder is moved away; `hold`: the process waits.
        after: once the call is done, and not before it.
        stays: whether all later calls fail likewise, as on a full disk.
        arguments: for `vanish` the folder and where it goes, for `hold` file descriptors: to write to, to read from.
    """

    at: int | None
    what: str
    after: bool = False
    stays: bool = False
    arguments: tuple[Any, ...] = ()


class Injector:
    """Counts calls about paths within some folders, and brings about a fault.

    Args:
        folders: whose files count.
        fault: None counts alone.
        trace: the descriptor of a file to which calls are written, a line each.
    """

    def __init__(self, folders: list[Path], fault: Fault | None, trace: int) -> None:
        self._folders = tuple(f"{one}{os.sep}" for one in folders)
        self._fault = fault
        self._trace = trace
        self._count = 0
        self._write = os.write
        self._rename = os.rename

    def install(self) -> None:
        """Put the counted functions in the places of those that do the work."""
        for name, known_as in CALLS.items():
            self._patch(os, name, self._counted(known_as, getattr(os, name)))
        self._patch(os, "open", self._opening(os.open))
        opened = self._opened(io.open)
        self._patch(io, "open", opened)
        self._patch(builtins, "open", opened)

    @staticmethod
    def _patch(module: Any, name: str, function: Any) -> None:
        mock.patch.object(module, name, function).start()

    def counts(self, path: Any, directory: int | None = None) -> bool:
        """Whether a path is within the folders."""
        if isinstance(path, int):
            path = os.readlink(f"/proc/self/fd/{path}")  # noqa: PTH115  # paths are texts here
        elif directory is not None:
            folder = os.readlink(f"/proc/self/fd/{directory}")  # noqa: PTH115  # paths are texts here
            path = os.path.join(folder, os.fsdecode(path))  # noqa: PTH118  # likewise
        return os.path.abspath(os.fsdecode(path)).startswith(self._folders)  # noqa: PTH100  # links stay

    def call(self, name: str, path: Any, do: Callable[[], Any], half: Callable[[], Any] | None = None) -> Any:
        """A counted call.

        Args:
            name: of the function.
            path: what it is about.
            do: the call itself.
            half: what a failing write has done of it nonetheless.
        """
        number, fault = self._count, self._fault
        self._count += 1
        is_hit = fault is not None and self._hits(fault, number, name)
        self._write(self._trace, f"{'' if not is_hit else 'undone '}{name}\t{path}\n".encode())
        if fault is None or fault.at is None:
            return do()
        if number == fault.at and fault.after:
            done = do()
            self._happen(fault)
            return done
        if number == fault.at and fault.what not in APPLIES:
            if half is not None and fault.what == "SIGKILL":
                half()
            self._happen(fault)
        elif is_hit:
            if half is not None:
                half()
            code = getattr(errno, fault.what)
            raise OSError(code, os.strerror(code), None if isinstance(path, int) else path)
        return do()

    @staticmethod
    def _hits(fault: Fault, number: int, name: str) -> bool:
        """Whether a call is hit before it is done."""
        if fault.at is None or fault.after or fault.what == "hold":
            return False
        if fault.what in APPLIES:
            return name in APPLIES[fault.what] and (number == fault.at or (fault.stays and number > fault.at))
        return number == fault.at

    def _happen(self, fault: Fault) -> None:
        if fault.what in SIGNALS:
            os.kill(os.getpid(), getattr(signal, fault.what))
        elif fault.what == "vanish":
            place, away = fault.arguments
            if os.path.exists(place):  # noqa: PTH110  # and no class that counts
                self._rename(place, away)
        elif fault.what == "hold":
            self._write(fault.arguments[0], b"x")
            os.read(fault.arguments[1], 1)

    def _counted(self, name: str, function: Any) -> Any:
        def counted(*arguments: Any, **options: Any) -> Any:
            path = arguments[0]
            if not self.counts(path, options.get("dir_fd")):
                return function(*arguments, **options)
            shown = arguments[1] if name == "replace" else path
            return self.call(name, shown, lambda: function(*arguments, **options))

        return counted

    def _opening(self, function: Any) -> Any:
        def opening(path: Any, flags: int, *arguments: Any, **options: Any) -> Any:
            if not flags & _WRITING or not self.counts(path, options.get("dir_fd")):
                return function(path, flags, *arguments, **options)
            return self.call("open", path, lambda: function(path, flags, *arguments, **options))

        return opening

    def _opened(self, function: Any) -> Any:
        injector = self

        class Raw(io.FileIO):
            """A file whose writes count."""

            def write(self, content: Any) -> int:
                view = memoryview(content).cast("B")
                whole = super().write
                half = (lambda: whole(view[: len(view) // 2])) if len(view) > 1 else None
                return int(injector.call("write", self.name, lambda: whole(view), half))

        def opened(
            file: Any,
            mode: str = "r",
            buffering: int = -1,
            encoding: str | None = None,
            errors: str | None = None,
            newline: str | None = None,
            closefd: bool = True,
            opener: Any = None,
        ) -> Any:
            if not set(mode) & set("wax+") or isinstance(file, int) or not injector.counts(file):
                return function(file, mode, buffering, encoding, errors, newline, closefd, opener)
            plain = mode.replace("b", "").replace("t", "")

            def open_raw() -> Raw:
                return Raw(file, plain, closefd, opener)

            # An opener calls `os.open`, which counts itself.
            raw = open_raw() if opener is not None else injector.call("open", file, open_raw)
            if buffering == 0:
                return raw
            buffer = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
            if "b" in mode:
                return buffer
            return io.TextIOWrapper(buffer, encoding or "utf-8", errors, newline)

        return opened
