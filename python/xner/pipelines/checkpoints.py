"""What a run has finished, kept beside its output for the run that goes on after an interruption."""

from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from xner._support.digests import file_digest
from xner._support.pieces import WholeNeededError
from xner._support.progress import logger
from xner.errors import Error, OutsideError
from xner.io.atomic import before_replacing, is_still_named, opened_without_links, replacing

try:
    import fcntl
except ImportError:  # a system without it, where nothing is locked
    fcntl = None  # type: ignore[assignment]  # a module elsewhere

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Checkpoints", "alone", "checkpoints", "remove_left_over"]


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The folder in which a run keeps what it has finished.

    Attributes:
        folder: beside the output.
        output: what the run will write.
    """

    folder: Path
    output: Path

    @classmethod
    def open(cls, output: str | os.PathLike[str], key: str, *, resume: bool = True) -> Checkpoints:
        """Find the checkpoints of an interrupted run of the same key, or begin anew.

        Args:
            output: the run's output file.
            key: the run's `fingerprint`; checkpoints of another key are thrown away.
            resume: False throws them away in any case.

        Raises:
            Error: the output's folder does not exist, the output is a folder, or a link is where checkpoints go.
        """
        _check_place(output)
        target = Path(output)
        folder = _folder_of(target)
        if folder.is_symlink():
            raise Error(f"cannot keep checkpoints in '{folder}': it is a link, which may lead anywhere; remove it")
        marker = folder / "run.json"
        wanted = json.dumps({"fingerprint": key})
        same = resume and marker.is_file() and marker.read_bytes() == wanted.encode()
        if not same:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            with replacing(marker) as file:
                file.write(wanted.encode())
        return cls(folder, target)

    def path(self, name: str) -> Path:
        """Where a checkpoint of that name is, or is to be written."""
        return self.folder / name

    def find(self, name: str) -> Path | None:
        """A checkpoint as it was written; None where there is none, or one that was damaged since."""
        path = self.path(name)
        try:
            if self._digest_of(path).read_text(encoding="ascii") == file_digest(path):
                return path
            logger.info("'%s' is not what was written there; it is made anew", path)
        except FileNotFoundError:
            pass
        except UnicodeDecodeError:
            logger.info("'%s' was damaged; '%s' is made anew", self._digest_of(path), path)
        return None

    @contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        """For the length of a block, which writes a checkpoint by `replacing`, its path.

        The digest comes first: a checkpoint that is there can be told from one that was damaged.
        """
        path = self.path(name)

        def note(aside: Path, target: Path) -> None:
            if target == path.resolve():
                with replacing(self._digest_of(path)) as file:
                    file.write(file_digest(aside).encode())

        with before_replacing(note):
            yield path

    @staticmethod
    def _digest_of(path: Path) -> Path:
        return path.with_name(f"{path.name}.sha256")

    @staticmethod
    def clear(output: str | os.PathLike[str]) -> None:
        """Remove what a run has left that was killed when its output was in its place, if no other run is at it."""
        remove_left_over(Path(output), _folder_of(Path(output)))

    def finish(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def remove_left_over(output: Path, folder: Path) -> None:
    """Remove the folder and the lock of a run that was killed, if no other run has the lock."""
    if folder.exists() or _lock_of(output).exists():
        with suppress(Error, OSError), alone(output):
            shutil.rmtree(folder, ignore_errors=True)


def _folder_of(output: Path) -> Path:
    return output.with_name(f".{output.name}.parts")


def _lock_of(output: Path) -> Path:
    return output.with_name(f".{output.name}.lock")


@contextmanager
def alone(output: str | os.PathLike[str], lock: Path | None = None) -> Iterator[None]:
    """Holds the lock of an output for the length of a block; `.OUTPUT.lock` says who does.

    The lock is the operating system's, which releases it when its process ends, however it ends: a file that is left
    over locks nothing. Where a file system has no locks, nothing is locked, nor is a device or a pipe.

    Args:
        output: a file or folder, which need not be there; the folder that it is in must be.
        lock: the lock's file; None for the one beside the output.

    Raises:
        Error: another run holds it, or the output's folder does not exist.
    """
    target = Path(output)
    _check_parent(target)
    path = _lock_of(target) if lock is None else lock
    file = None if _is_special(target) else _locked(path, target)
    if file is None:
        yield
        return
    with file:
        file.truncate(0)
        since = time.strftime("%Y-%m-%d %H:%M:%S")
        file.write(f"process {os.getpid()} on {socket.gethostname()}, since {since}\n")
        file.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _opened(path: Path, output: Path) -> TextIO:
    """The file of a lock, of which errors name the output, which is in the same folder."""
    try:
        return open(path, "a+", encoding="utf-8", opener=opened_without_links)
    except OSError as error:
        if path.parent == output.parent:
            error.filename = str(output)
        raise


def _locked(path: Path, output: Path) -> TextIO | None:
    """The file, open and locked; None where a file system or the operating system has no such locks."""
    if fcntl is None:
        return None
    while True:
        file = _opened(path, output)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Who held it before may have removed the file between its opening and its locking here.
            if is_still_named(file.fileno(), path):
                return file
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "another run"
            file.close()
            message = f"'{output}' is being written by {holder}; wait until it has ended, or name another output"
            raise Error(message) from None
        except OSError as error:
            file.close()
            path.unlink(missing_ok=True)
            logger.debug("no lock for '%s': %s", output, error)
            return None
        file.close()


@contextmanager
def checkpoints(output: str | os.PathLike[str], key: str, *, resume: bool = True) -> Iterator[Checkpoints]:
    """The checkpoints of a run, for the length of a block.

    They go when the block ends well, when it ends with an `Error`, as such input would fail again, and when rows turn
    out to be needed as a whole, whose parts are others. Whatever else ends it, Ctrl-C, a full disk or an
    `OutsideError`, leaves them for the next run. As long as the block runs, no other run may write the output. Beside a
    device or a pipe nothing is kept.

    Args:
        output: as for `Checkpoints.open`, as are the others.
        key: the run's `fingerprint`.
        resume: whether to take up an interrupted run.

    Yields:
        The checkpoints.

    Raises:
        Error: as for `Checkpoints.open`; another run writes the output just now.
    """
    _check_place(output)
    if _is_special(Path(output)):
        with tempfile.TemporaryDirectory() as folder:
            yield Checkpoints(Path(folder), Path(output))
        return
    with alone(output):
        kept = Checkpoints.open(output, key, resume=resume)
        try:
            yield kept
        except OutsideError:
            raise
        except (Error, WholeNeededError):
            kept.finish()
            raise
        kept.finish()


def _is_special(output: Path) -> bool:
    """Whether an output is a device or a pipe."""
    return output.exists() and not output.is_file() and not output.is_dir()


def _check_place(output: str | os.PathLike[str]) -> None:
    """Raises an error where no file can be written there."""
    target = Path(output)
    if target.is_dir():
        raise Error(f"cannot write '{output}': it is a folder")
    _check_parent(target)


def _check_parent(target: Path) -> None:
    if not target.parent.is_dir():
        raise Error(f"cannot write '{target}': the folder '{target.parent}' does not exist")
