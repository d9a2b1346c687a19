"""Where a run keeps its checkpoints, and how its result comes into its place.

The checkpoints are in a folder beside the output, `.OUTPUT.training`. A run that was interrupted, even by kill -9, goes
on from there when the same command is given again. The result is written there as well and becomes the output in one
move, so that there never is half a model; then the folder goes.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xner import io
from xner.errors import Error
from xner.pipelines.checkpoints import remove_left_over

if TYPE_CHECKING:
    import os

__all__ = ["METRICS", "Workspace", "finished_metrics", "run_key"]

METRICS = "metrics.json"
_MARKER = "run.json"


def run_key(description: dict[str, Any]) -> str:
    """A SHA-256 digest that tells a run from all others.

    Args:
        description: of everything that decides its result, as plain values.
    """
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folder of a run that is not finished.

    Attributes:
        folder: beside the output; has the checkpoints.
        output: the folder that the run will leave.
    """

    folder: Path
    output: Path

    @classmethod
    def open(cls, output: str | os.PathLike[str], key: str, *, resume: bool = True) -> Workspace:
        """Find what an interrupted run of the same key has left, or begin anew.

        Args:
            output: the run's output; must not be there yet, or be an empty folder.
            key: the run's `run_key`; what a run of another key has left is thrown away.
            resume: False throws it away in any case.

        Raises:
            Error: the output is there, the folder that it is to be in is not, or a link is where checkpoints go.
        """
        target = Path(output)
        if not target.parent.is_dir():
            raise Error(f"cannot write '{output}': the folder '{target.parent}' does not exist")
        if target.exists() and not (target.is_dir() and not any(target.iterdir())):
            raise Error(f"cannot write '{output}': it is there already, and not from this run")
        folder = target.with_name(f".{target.name}.training")
        if folder.is_symlink():
            raise Error(f"cannot keep checkpoints in '{folder}': it is a link, which may lead anywhere; remove it")
        marker = folder / _MARKER
        wanted = json.dumps({"run": key})
        if not (resume and marker.is_file() and marker.read_bytes() == wanted.encode()):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            with io.replacing(marker) as file:
                file.write(wanted.encode())
        return cls(folder, target)

    @staticmethod
    def clear(output: str | os.PathLike[str]) -> None:
        """Remove what a run has left that was killed when its result was in its place."""
        target = Path(output)
        remove_left_over(target, target.with_name(f".{target.name}.training"))

    @property
    def checkpoints(self) -> Path:
        """The folder for the trainer's checkpoints."""
        return self.folder / "checkpoints"

    def new_result(self) -> Path:
        """An empty folder for the result."""
        folder = self.folder / "result"
        if (kept := folder / self.checkpoints.name).is_dir() and not self.checkpoints.exists():
            kept.replace(self.checkpoints)  # by a run that was killed when it had finished all but one move
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    def finish(self, result: Path, *, keep_checkpoints: bool) -> None:
        """Move the result into its place.

        Args:
            result: from `new_result`.
            keep_checkpoints: whether the checkpoints go with it, as its folder `checkpoints`.
        """
        if keep_checkpoints:
            self.checkpoints.replace(result / self.checkpoints.name)
        result.replace(self.output)
        self.remove()

    def remove(self) -> None:
        """Throw everything away."""
        shutil.rmtree(self.folder, ignore_errors=True)


def finished_metrics(output: str | os.PathLike[str], key: str) -> dict[str, Any] | None:
    """What a finished run of a key has written down; None where the output is not of such a run."""
    try:
        metrics: dict[str, Any] = json.loads((Path(output) / METRICS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return metrics if metrics.get("run") == key else None
