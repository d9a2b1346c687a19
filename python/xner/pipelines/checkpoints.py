"""What a run has finished, kept beside its output for the run that goes on after an interruption."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from xner.errors import Error
from xner.io.atomic import replacing

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

__all__ = ["Checkpoints", "checkpoints"]


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
            Error: the output's folder does not exist, or the output is a folder.
        """
        target = Path(output)
        if target.is_dir():
            raise Error(f"cannot write '{output}': it is a folder")
        if not target.parent.is_dir():
            raise Error(f"cannot write '{output}': the folder '{target.parent}' does not exist")
        folder = target.with_name(f".{target.name}.parts")
        marker = folder / "run.json"
        wanted = json.dumps({"fingerprint": key})
        same = resume and marker.is_file() and marker.read_text(encoding="utf-8") == wanted
        if not same:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            with replacing(marker) as file:
                file.write(wanted.encode())
        return cls(folder, target)

    def path(self, name: str) -> Path:
        """Where a checkpoint of that name is, or is to be written."""
        return self.folder / name

    def finish(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def checkpoints(output: str | os.PathLike[str], key: str, *, resume: bool = True) -> Iterator[Checkpoints]:
    """The checkpoints of a run, for the length of a block.

    They go when the block ends well, and when it ends with an `Error`: such input would fail again. Whatever else ends
    it, Ctrl-C or a full disk, leaves them for the next run.

    Args:
        output: as for `Checkpoints.open`, as are the others.
        key: the run's `fingerprint`.
        resume: whether to take up an interrupted run.

    Yields:
        The checkpoints.
    """
    kept = Checkpoints.open(output, key, resume=resume)
    try:
        yield kept
    except Error:
        kept.finish()
        raise
    kept.finish()
