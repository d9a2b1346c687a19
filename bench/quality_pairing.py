"""How well `xner pair --on similarity` finds again which sentences belong together.

    python bench/quality_pairing.py [--data DIR] [--dropped 0.1] [--draws 5]
    python bench/quality_pairing.py --rows 100000      time and memory, of so many rows a side, real pairs repeated

Parallel corpora, rows of either side left out at random. A pair is right if both its rows are of one row of the corpus;
those whose partner is left out have none.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import xner
from quality_alignment import read_pairs  # type: ignore[import-not-found]  # beside this file
from xner._support.arrow import pylist
from xner.io.sentence_alignment import align_sentences

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Sentences = list[list[str]]


def conll(path: Path) -> Sentences:
    sentences: Sentences = pylist(xner.io.read_conll(path)["tokens"])
    return sentences


def lines(path: Path) -> Sentences:
    return [line.split() for line in path.read_text(encoding="utf-8").splitlines()]


def corpora(data: Path) -> Iterator[tuple[str, Sentences, Sentences]]:
    """The parallel texts of the test data: name, English, the other language."""
    for language in ("de", "es"):
        folder = data / "europarl-ner"
        english, other = (conll(folder / f"{one}-europarl.test.conll02") for one in ("en", language))
        yield f"europarl en-{language}", english, other
    for language in ("de", "ru"):
        yield f"pud en-{language}", conll(data / "uner-pud/en.conll"), conll(data / f"uner-pud/{language}.conll")
    for language in ("da", "es", "it", "pt", "ru"):
        english, other = (lines(data / f"xlwa/{language}.{one}.txt") for one in ("en", "t"))
        yield f"xlwa en-{language}", english, other
    for language in ("lug", "twi"):
        folder = data / "lafand-masakhaner2"
        english, other = (conll(folder / f"{language}.train.{one}.conll") for one in ("en", "gold"))
        yield f"lafand en-{language}", english, other
    for pair in ("jaen", "zhen"):
        yield f"{pair[:2]}-{pair[2:]}", *read_pairs(data / f"word-alignment/{pair}.src-tgt")


def without(sides: Sequence[Sentences], dropped: float, seed: int) -> tuple[list[Sentences], list[list[int]]]:
    """Both sides with a part of their rows left out, and the numbers of those that stay."""
    random = np.random.default_rng(seed)
    kept = [np.flatnonzero(random.random(len(side)) >= dropped).tolist() for side in sides]
    return [[side[row] for row in rows] for side, rows in zip(sides, kept, strict=True)], kept


def measured(sides: Sequence[Sentences], dropped: float, seed: int, least_score: float) -> tuple[int, int, int]:
    """Right pairs, pairs, and pairs that there are."""
    some, rows = without(sides, dropped, seed)
    found = align_sentences(some[0], some[1], least_score=least_score)
    right = sum(rows[0][one] == rows[1][other] for one, other in zip(found.first, found.second, strict=True))
    return right, len(found.first), len(set(rows[0]) & set(rows[1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = os.environ.get("XNER_TEST_DATA", "../shared/data")
    parser.add_argument("--data", type=Path, default=Path(default), help="folder with europarl-ner/ and others")
    parser.add_argument("--dropped", type=float, default=0.1, help="part of the rows that either side lacks")
    parser.add_argument("--draws", type=int, default=5, help="random choices")
    parser.add_argument("--least-score", type=float, default=0.5)
    parser.add_argument("--rows", type=int, help="repeat the first corpus to so many rows, and time it")
    options = parser.parse_args()
    for name, *both in corpora(options.data):
        sides = both
        if options.rows:
            repeated = [[row for _ in range(-(-options.rows // len(side))) for row in side] for side in both]
            sides = [side[: options.rows] for side in repeated]
        before = time.perf_counter()
        draws = range(1 if options.rows else options.draws)
        counts = [measured(sides, options.dropped, seed, options.least_score) for seed in draws]
        seconds = (time.perf_counter() - before) / len(counts)
        right, found, there = np.sum(counts, axis=0)
        print(
            f"{name}: {len(sides[0])} rows, precision {right / max(found, 1):.3f}, recall {right / there:.3f}, "
            f"{seconds:.1f} s"
        )
        if options.rows:
            print(f"at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
            break


if __name__ == "__main__":
    main()
