"""The local runner: a stage over a table, part by part, with progress, checkpoints and resume.

A run keeps its finished parts in a folder beside the output, `.OUTPUT.parts`. A run that was interrupted, by
Ctrl-C or by kill -9, finds them there, checks that they come from the same inputs, options and version, and goes on
with the next part; the output ends byte-identical to that of an uninterrupted run. The folder goes when the output is
in place.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from xner import io
from xner._version import __version__
from xner.errors import DataError, Error

if TYPE_CHECKING:
    import os

    from rich.progress import Progress, Task

__all__ = [
    "MODEL_PART_ROWS",
    "Checkpoints",
    "Reporter",
    "checkpoints",
    "fingerprint",
    "progress_reporter",
    "run",
    "run_parts",
    "silent",
]

_PART_ROWS = 100_000
MODEL_PART_ROWS = 4096
"""Rows a part for stages that run neural models: some minutes' work without a GPU."""

Stage = Callable[[pa.RecordBatch], pa.RecordBatch]


class Reporter(Protocol):
    """Told how far long work has come: what is done, how many of how many units."""

    def __call__(self, what: str, done: int, total: int) -> None:
        """Take note; called from the working thread."""


def silent(what: str, done: int, total: int) -> None:
    """Report nothing."""


@contextmanager
def progress_reporter(*, enabled: bool | None = None) -> Iterator[Reporter]:
    """Progress bars on standard error, one a kind of work: what is done, units a second, time left.

    Args:
        enabled: whether to draw them; None draws on a terminal and is silent in a pipe.

    Yields:
        A reporter to hand to long work.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn

    class Rate(ProgressColumn):
        """Units a second, over the last half minute."""

        def render(self, task: Task) -> str:
            speed = task.finished_speed or task.speed
            return "" if speed is None else f"{speed:.0f}/s" if speed >= 10 else f"{speed:.2g}/s"

    console = Console(stderr=True)
    if not (console.is_terminal if enabled is None else enabled):
        yield silent
        return
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=console,
    ) as progress:
        yield _bars(progress)


def _bars(progress: Progress) -> Reporter:
    tasks: dict[str, Any] = {}

    def report(what: str, done: int, total: int) -> None:
        if what not in tasks:
            tasks[what] = progress.add_task(what, total=total)
        progress.update(tasks[what], completed=done, total=total)

    return report


def fingerprint(files: Mapping[str, str | os.PathLike[str] | None], options: Mapping[str, object]) -> str:
    """A digest of everything that decides a run's output.

    Args:
        files: inputs by role; their contents count, their names do not. None for an input that is not used.
        options: everything else; must be JSON-serialisable.

    Returns:
        A hexadecimal SHA-256 digest.
    """
    digest = hashlib.sha256()
    digest.update(json.dumps({"xner": __version__, "options": options}, sort_keys=True).encode())
    for role, path in sorted(files.items()):
        digest.update(f"\0{role}\0".encode())
        if path is not None:
            with Path(path).open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


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
            with io.replacing(marker) as file:
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


def run_parts(
    table: pa.Table,
    stage: Stage,
    kept: Checkpoints,
    *,
    name: str = "part",
    report: Reporter = silent,
    what: str = "projecting",
    part_rows: int = _PART_ROWS,
) -> pa.Table:
    """Run a stage over a table, part by part, and keep each part that is finished.

    Args:
        table: the input; its rows are handed to `stage` in order.
        stage: keeps every row where it is.
        kept: where finished parts are, and are looked for.
        name: of the parts' files: one for each stage of a run.
        report: told after each part how many rows are done.
        what: name of the work in reports.
        part_rows: rows a part. Parts are the same whether the run was interrupted or not.

    Returns:
        The result, memory-mapped from the parts' files.

    Raises:
        Error: whatever the stage raises, and a stage that changes the number of rows.
    """
    parts = []
    for index, first in enumerate(range(0, max(1, table.num_rows), part_rows)):
        path = kept.path(f"{name}-{index:06d}.arrow")
        if not path.is_file():
            piece = table.slice(first, part_rows).combine_chunks()
            batches = piece.to_batches(max_chunksize=part_rows)
            batch = batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)
            done = _located(stage, batch, first)
            if done.num_rows != batch.num_rows:
                raise Error(f"the stage made {done.num_rows} rows of {batch.num_rows}")
            with io.replacing(path) as file, pa.ipc.new_file(file, done.schema) as writer:
                writer.write_batch(done)
        parts.append(path)
        report(what, min(first + part_rows, table.num_rows), table.num_rows)
    return pa.concat_tables([_open_part(path) for path in parts])


def run(
    table: pa.Table,
    stage: Stage,
    kept: Checkpoints,
    *,
    format: str | None = None,
    report: Reporter = silent,
    what: str = "projecting",
    part_rows: int = _PART_ROWS,
    select: Callable[[pa.Table], pa.Table] | None = None,
    **writer_options: Any,
) -> pa.Table:
    """Run a stage over a table, part by part as `run_parts` does, and write the result.

    Args:
        table: the input.
        stage: keeps every row where it is.
        kept: where finished parts are; its `output` is written.
        format: of the output; None goes by its name.
        report: told after each part how many rows are done.
        what: name of the work in reports.
        part_rows: rows a part.
        select: takes from the result what is written; None writes all.
        **writer_options: for the format's writer.

    Returns:
        The whole result, memory-mapped or in memory.

    Raises:
        Error: whatever the stage and the writer raise.
    """
    result = run_parts(table, stage, kept, report=report, what=what, part_rows=part_rows)
    io.write(result if select is None else select(result), kept.output, format, **writer_options)
    return result


def _located(stage: Stage, batch: pa.RecordBatch, first_row: int) -> pa.RecordBatch:
    """Call a stage and make its errors count rows from the table's beginning."""
    try:
        return stage(batch)
    except DataError as error:
        raise error.behind(first_row) from None


def _open_part(path: Path) -> pa.Table:
    with pa.memory_map(str(path)) as file:
        return pa.ipc.open_file(file).read_all()
