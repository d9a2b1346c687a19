"""`xner project` with ready links, file to file, beside what pyarrow needs to read and write the same rows as Parquet.

    python bench/bench_streaming.py --rows 1000000 --format parquet

Each run is a process of its own; both ways take turns. Printed are the medians, their ratio, and the most memory;
beside the time that passed that of the processors, which others on the machine disturb less.

    python bench/bench_streaming.py --rows 1000000 --plot memory.svg [--fit] [--memory]

draws how much memory `xner project` alone has while it runs: with ready links or an aligner that is fitted, and with or
without the corpus's memory.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from xner import io, schema
from xner._support.arrow import to_array
from xner.experiments.pages.plots import Axis, Curve, curves

if TYPE_CHECKING:
    from collections.abc import Sequence

_WORDS = 50_000
_CHUNK = 100_000
_EVERY = 0.25  # seconds

PYARROW = """
import sys, time
import pyarrow.parquet as pq
source, target, links, output, again = sys.argv[1:]
result = pq.read_table(output)
start, cpu = time.perf_counter(), time.process_time()
for path in (source, target, links):
    pq.read_table(path)
pq.write_table(result, again, compression="zstd", row_group_size=65536)
print(time.perf_counter() - start, time.process_time() - cpu)
"""
XNER = """
import sys, time
from xner.cli.commands.project import command
start, cpu = time.perf_counter(), time.process_time()
source, target, output, *how = sys.argv[1:]
command.main(["--source", source, "--target", target, "-o", output, *how], standalone_mode=False)
print(time.perf_counter() - start, time.process_time() - cpu)
"""


def make(folder: Path, rows: int, kind: str) -> list[Path]:
    """Inputs: sentences of 5 to 34 words, two entities in most, a link a word."""
    links_kind = "pharaoh" if kind == "conll" else kind
    paths = [folder / f"source.{kind}", folder / f"target.{kind}", folder / f"links.{links_kind}"]
    vocabulary = pa.array([f"w{number * 7919 % _WORDS:x}" + "é" * (number % 10 == 0) for number in range(_WORDS)])
    random = np.random.default_rng(1)
    with (
        io.open_writer(paths[0]) as source,
        io.open_writer(paths[1]) as target,
        io.open_writer(paths[2]) as links,
    ):
        for first in range(0, rows, _CHUNK):
            count = min(_CHUNK, rows - first)
            lengths = random.integers(5, 35, count)
            offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
            total = int(lengths.sum())
            places = np.arange(total) - np.repeat(np.cumsum(lengths) - lengths, lengths)
            tags = np.full(total, 0)
            tags[places == 1] = 1
            tags[places == 2] = 2
            tags[places == 4] = 3
            words = [vocabulary.take(to_array((random.zipf(1.3, total) % _WORDS).astype(np.int32))) for _ in range(2)]
            names = pa.array(["O", "B-PER", "I-PER", "B-LOC"])
            ids = pa.array(np.arange(first, first + count)).cast(pa.string())
            sides = [pa.ListArray.from_arrays(offsets, one) for one in words]
            labels = pa.ListArray.from_arrays(offsets, names.take(to_array(tags)))
            shuffled = np.minimum(places + (random.random(total) < 0.2), np.repeat(lengths, lengths) - 1)
            link = pa.StructArray.from_arrays(
                [
                    pa.array(places.astype(np.int32)),
                    pa.array(shuffled.astype(np.int32)),
                    pa.array(random.random(total).astype(np.float32)),
                ],
                fields=list(schema.LINKS_TYPE.value_type),
            )
            source.write(pa.record_batch({"id": ids, "tokens": sides[0], "labels": labels}))
            outside = pa.ListArray.from_arrays(offsets, names.take(to_array(np.zeros(total, np.int32))))
            extra = {"labels": outside} if kind == "conll" else {}
            target.write(pa.record_batch({"id": ids, "tokens": sides[1], **extra}))
            links.write(pa.record_batch({"links": pa.ListArray.from_arrays(offsets, link)}))
    return paths


def watch(*arguments: object) -> tuple[list[tuple[float, float, float]], str]:
    """Watch a run of `xner project`.

    Returns:
        Now and then the seconds since it began, all memory that it has, and what of it is of no files, in MB; and a
        line that tells how much it took.
    """
    seen: list[tuple[float, float, float]] = []
    begin = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", XNER, *map(str, arguments)])
    while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
        text = Path(f"/proc/{process.pid}/status").read_text()
        found = dict(re.findall(r"^(VmRSS|RssAnon):\s*(\d+) kB$", text, re.MULTILINE))
        if len(found) == 2:
            seen.append((time.perf_counter() - begin, int(found["VmRSS"]) / 1024, int(found["RssAnon"]) / 1024))
        time.sleep(_EVERY)
    process.returncode = os.waitstatus_to_exitcode(ended[1])
    if process.returncode:
        raise SystemExit(f"the run ended with {process.returncode}")
    usage = ended[2]
    return seen, (
        f"{time.perf_counter() - begin:.0f} s, {usage.ru_utime + usage.ru_stime:.0f} s of processors, "
        f"{usage.ru_maxrss / 1024:.0f} MB at most, {max(one[2] for one in seen):.0f} MB without mapped files"
    )


def draw(seen: list[tuple[float, float, float]], rows: int) -> str:
    """The memory of a run as a plot, which is a file."""
    names = {"all memory": 1, "without mapped files, which the system may drop": 2}
    found = {name: Curve([(one[0], one[place]) for one in seen]) for name, place in names.items()}
    axes = Axis("seconds", zero=True), Axis("MB", zero=True)
    return curves("memory", f"xner project, {rows} rows", "Memory of the process over time.", found, *axes).file()


def run(code: str, *arguments: object) -> tuple[float, float, float]:
    """Seconds, those of processors, and the most memory in MB, of a process."""
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)], stdout=out, stderr=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"a run ended with {process.returncode}")
        out.seek(0)
        seconds, cpu = map(float, out.read().split())
        return seconds, cpu, usage.ru_maxrss / 1024


def main() -> None:
    """Make rows, run both in turns, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--format", choices=("parquet", "conll"), default="parquet")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--plot", type=Path, help="an SVG file: memory of a run over time, in place of the comparison")
    parser.add_argument("--fit", action="store_true", help="for --plot: an aligner in place of ready links")
    parser.add_argument("--memory", action="store_true", help="for --plot: with the corpus's memory")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if options.plot is not None:
            source, target, links = make(folder, options.rows, options.format)
            how = ["--aligner", "builtin", "--aligner-memory", "300MB"] if options.fit else ["--links", links]
            how.append("--memory" if options.memory else "--no-memory")
            seen, told = watch(source, target, folder / f"output.{options.format}", *how)
            options.plot.write_text(draw(seen, options.rows), encoding="utf-8")
            print(f"{options.rows} rows, {options.format}: {told}")
            return
        tables = make(folder, options.rows, "parquet")
        run(XNER, *_arguments(tables, folder / "result.parquet"))
        paths = tables if options.format == "parquet" else make(folder, options.rows, options.format)
        output = folder / f"output.{options.format}"
        found: dict[str, list[tuple[float, float, float]]] = {"xner": [], "pyarrow": []}
        for _ in range(options.rounds):
            found["xner"].append(run(XNER, *_arguments(paths, output)))
            found["pyarrow"].append(run(PYARROW, *tables, folder / "result.parquet", folder / "again.parquet"))
            print({name: tuple(round(one, 2) for one in runs[-1]) for name, runs in found.items()}, flush=True)
        shown = []
        for name, runs in found.items():
            seconds, cpu, memory = ([one[place] for one in runs] for place in range(3))
            typical = tuple(map(statistics.median, (seconds, cpu)))
            shown.append(f"{name} {typical[0]:.2f} s, {typical[1]:.2f} of processors, and {max(memory):.0f} MB")
        ratios = [_ratio(found, place) for place in range(2)]
        a_row = statistics.median(seconds for seconds, *_ in found["xner"]) / options.rows * 1e6
        print(
            f"{options.rows} rows, {options.format}: {'; '.join(shown)}; ratio {ratios[0]:.2f}, of processors "
            f"{ratios[1]:.2f}; {a_row:.2f} µs a row"
        )


def _arguments(inputs: Sequence[Path], output: Path) -> list[object]:
    source, target, links = inputs
    return [source, target, output, "--links", links]


def _ratio(found: dict[str, list[tuple[float, float, float]]], place: int) -> float:
    """The median of how many times as much each run took as the one that came after it."""
    pairs = zip(found["xner"], found["pyarrow"], strict=True)
    return statistics.median(one[place] / other[place] for one, other in pairs)


if __name__ == "__main__":
    main()
