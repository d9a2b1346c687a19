"""Commands with a Ray cluster of this machine beside the same ones without: the same bytes, time, processors, memory.

    python bench/bench_cluster.py --rows 1000000 project
    python bench/bench_cluster.py --rows 100000 fit align tag

Each run is a process of its own, and both ways take turns; whether their outputs are the same is looked at each time.
Printed are, for each round, the seconds that passed, those of processors, and the most memory, shared memory counted
once: of the process that was started, of Ray's workers, and of all else that Ray starts. A cluster that starts, works
on nothing and ends comes first.
"""

from __future__ import annotations

import argparse
import filecmp
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import bench_streaming  # type: ignore[import-not-found]  # beside this file
from xner import Aligner, io

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "python"))
import tiny_models  # what tests make models with

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_EVERY: Final = 0.25  # seconds between two looks at the processes
_FITTED: Final = 20_000
_MEMORY: Final = "100MB"  # of a block
_NOTHING: Final = "from xner.pipelines.engines import RayEngine\nwith RayEngine() as engine: list(engine.map(abs, [1]))"
_WHO: Final = ("driver", "workers", "Ray's own")
_TICK: Final = os.sysconf("SC_CLK_TCK")


@dataclass
class Used:
    """What a run has used.

    Attributes:
        seconds: that passed.
        cpu: seconds of processors, by process.
        memory: the most MB, by who had them.
        who: each process is.
    """

    seconds: float = 0.0
    cpu: dict[int, float] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=lambda: dict.fromkeys(_WHO, 0.0))
    who: dict[int, str] = field(default_factory=dict)

    def __str__(self) -> str:
        shown = [f"{self.seconds:.1f} s"]
        for name in _WHO:
            cpu = sum(spent for process, spent in self.cpu.items() if self.who[process] == name)
            if cpu:
                shown.append(f"{name}: {cpu:.1f} s of processors, {self.memory[name]:.0f} MB")
        return "; ".join(shown)

    def look(self, driver: int) -> None:
        """Note what the processes use now."""
        memory = dict.fromkeys(_WHO, 0.0)
        for process in _family(driver):
            try:
                folder = Path(f"/proc/{process}")
                command = (folder / "cmdline").read_bytes()
                spent = (folder / "stat").read_text().rpartition(")")[2].split()
                share = next(line for line in (folder / "smaps_rollup").read_text().splitlines() if "Pss:" in line)
            except (OSError, StopIteration):
                continue  # it has ended
            name = "driver" if process == driver else "workers" if command.startswith(b"ray::") else "Ray's own"
            self.who[process] = name
            self.cpu[process] = (int(spent[11]) + int(spent[12])) / _TICK
            memory[name] += int(share.split()[1]) / 1024
        for name, size in memory.items():
            self.memory[name] = max(self.memory[name], size)


def _family(process: int) -> Iterator[int]:
    """A process and all that it has started."""
    yield process
    try:
        for one in Path(f"/proc/{process}/task").glob("*/children"):
            for child in one.read_text().split():
                yield from _family(int(child))
    except OSError:
        return


def run(*command: str) -> Used:
    """Run Python to its end, and look at it meanwhile."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    used = Used()
    while process.poll() is None:
        used.look(process.pid)
        time.sleep(_EVERY)
    used.seconds = time.perf_counter() - began
    if process.returncode:
        assert process.stderr is not None
        raise SystemExit(process.stderr.read())
    return used


def commands(folder: Path, rows: int, names: Sequence[str]) -> dict[str, list[str]]:
    """The commands that are run, without their output and engine; makes their inputs."""
    source, target, links = bench_streaming.make(folder, rows, "parquet")
    sides = ["--source", str(source), "--target", str(target)]
    made = {
        "project": ["project", *sides, "--links", str(links)],
        "fit": ["align", *sides, "--aligner-memory", _MEMORY],
    }
    if "align" in names or "link" in names:
        some, theirs = (next(io.iter_batches(path, batch_rows=_FITTED)).column("tokens") for path in (source, target))
        model = folder / "aligner.safetensors"
        Aligner.fit(some, theirs).save(model)
        saved = ["--aligner-model", str(model)]
        made["align"] = ["align", *sides, *saved]
        made["link"] = ["project", *sides, "--aligner", "builtin", *saved, "--no-memory"]
    if "tag" in names:
        tagger = tiny_models.save_tagger(folder / "tagger", ["O", "B-PER", "I-PER"])
        made["tag"] = ["tag", str(source), "--model", str(tagger), "--device", "cpu"]
    return made


def main() -> None:
    """Make rows, run both ways in turns, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", nargs="+", choices=("project", "fit", "align", "link", "tag"))
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    print(f"a cluster: {run('-c', _NOTHING)}", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        made = commands(folder, options.rows, options.command)
        for name in options.command:
            for _ in range(options.rounds):
                for engine in ("local", "ray"):
                    output = ["--engine", engine, "-o", str(folder / f"{engine}.parquet")]
                    used = run("-m", "xner", *made[name], *output, "--overwrite")
                    print(f"{name}, {options.rows} rows, {engine}: {used}", flush=True)
                assert filecmp.cmp(folder / "local.parquet", folder / "ray.parquet", shallow=False)


if __name__ == "__main__":
    main()
