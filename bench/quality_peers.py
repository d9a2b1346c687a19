"""Word aligners that fit on sentence pairs, in one run: seconds, memory, alignment error rate.

    python bench/quality_peers.py [--pairs 20000 200000] [--peers PYTHON]

`--peers`: an interpreter beside which `eflomal-align` is installed and which imports `systran_align` (`pip install
eflomal systran-align` into an environment of their own; eflomal needs a compiler and is GPL-3, so it is run and never
imported). Without it the built-in aligner is run alone. The corpus is a development set of XL-WA, whose links are the
gold, filled up with Europarl-NER's pairs over and over; each program runs in a process of its own, from a file of text
to a file of links. eflomal's two directions are symmetrised by `grow-diag-final-and`; systran-align, after fast_align,
does that itself.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

import xner
from quality_alignment import first_error_rate, xlwa  # type: ignore[import-not-found]  # beside this file
from xner._support.arrow import pylist
from xner.schema import LINKS_TYPE

LANGUAGE = "es"

BUILTIN = """
import sys, xner
folder = sys.argv[1]
sides = [xner.io.read_text(f"{folder}/{name}.txt")["tokens"] for name in ("source", "target")]
links = xner.Aligner.fit(*sides).align(*sides)
xner.io.write_pharaoh(links, f"{folder}/builtin.pharaoh")
"""
SYSTRAN = """
import sys, systran_align
folder = sys.argv[1]
systran_align.generate_alignment_probabilities(f"{folder}/both.txt", f"{folder}/f", f"{folder}/b", favor_diagonal=True,
                                               optimize_tension=True, variational_bayes=True)
aligner = systran_align.Aligner(f"{folder}/f", f"{folder}/b")
with open(f"{folder}/both.txt") as pairs, open(f"{folder}/systran.pharaoh", "w") as out:
    for line in pairs:
        source, target = (side.split() for side in line.split(" ||| "))
        found = aligner.align(source, target)["alignments"]
        print(" ".join(f"{i}-{j}" for i, j in found), file=out)
"""


class Measured(NamedTuple):
    """What a process took."""

    seconds: float
    processor: float
    megabytes: float


def run(command: list[str]) -> Measured:
    """Runs a command to its end; its own peak of memory, or that of the largest process it started."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Measured(time.perf_counter() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def write_corpus(data: Path, folder: Path, pairs: int) -> pa.Array[Any]:
    """Writes the sentence pairs; returns the gold links of the first ones."""
    source, target, gold = xlwa(data, LANGUAGE)
    europarl = [
        pylist(xner.io.read_conll(data / "europarl-ner" / f"{language}-europarl.test.conll02")["tokens"])
        for language in ("en", LANGUAGE)
    ]
    rows = [*zip(source, target, strict=True), *islice(cycle(zip(*europarl, strict=True)), pairs - len(source))]
    texts = [(" ".join(one), " ".join(other)) for one, other in rows]
    for name, lines in (
        ("source", [one for one, _ in texts]),
        ("target", [other for _, other in texts]),
        ("both", [f"{one} ||| {other}" for one, other in texts]),
    ):
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return gold  # type: ignore[no-any-return]  # of a module that is beside this file


def links_of_eflomal(folder: Path, rows: int) -> pa.Array[Any]:
    """Of the first rows, both directions symmetrised."""
    rows_of = (
        pylist(xner.io.read_pharaoh(folder / f"eflomal.{name}").slice(0, rows)) for name in ("forward", "reverse")
    )
    result = []
    for directions in zip(*rows_of, strict=True):
        forward, reverse = ([(link["source"], link["target"]) for link in row] for row in directions)
        links = xner.links.symmetrize(forward, reverse, "grow-diag-final-and")
        result.append([{"source": i, "target": j, "score": None} for i, j in links])
    return pa.array(result, LINKS_TYPE)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("XNER_TEST_DATA", "../shared/data")))
    parser.add_argument("--pairs", type=int, nargs="+", default=[20_000, 200_000])
    parser.add_argument("--peers", type=Path, help="an interpreter that has the peers")
    options = parser.parse_args()
    print(f"{'':<10}{'pairs':>9}{'seconds':>10}{'processor':>11}{'MB':>8}{'AER %':>8}")
    for pairs in options.pairs:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            gold = write_corpus(options.data, folder, pairs)
            commands = {"xner": [sys.executable, "-c", BUILTIN, name]}
            if options.peers:
                program = str(options.peers.with_name("eflomal-align"))
                files = ["-f", f"{name}/eflomal.forward", "-r", f"{name}/eflomal.reverse"]
                commands["eflomal"] = [program, "-i", f"{name}/both.txt", *files]
                commands["systran"] = [str(options.peers), "-c", SYSTRAN, name]
            for what, command in commands.items():
                took = run(command)
                if what == "eflomal":
                    links = links_of_eflomal(folder, len(gold))
                else:
                    links = xner.io.read_pharaoh(folder / f"{'builtin' if what == 'xner' else what}.pharaoh")
                print(
                    f"{what:<10}{pairs:>9}{took.seconds:>10.1f}{took.processor:>11.1f}{took.megabytes:>8.0f}"
                    f"{first_error_rate(gold, links):>8.1f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
