"""Fitting the built-in aligner on corpora of many sizes, in bounded memory: `python bench/bench_aligner_scale.py`.

    python bench/bench_aligner_scale.py --pairs 100000 1000000 4000000 --max-memory 1GB

Generated sentence pairs (5 to 34 words, 60 000 types, frequencies as in a language, every word has a partner,
neighbours sometimes change places) come batch by batch and are not kept. Each size is fitted, and its last batch
aligned, in a process of its own. Printed are processor time a pair, without what making the pairs takes, the most
memory, and the share of the last batch's links that are right.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from collections import deque
from typing import TYPE_CHECKING, cast

import numpy as np
import pyarrow as pa

import xner
from xner._support.arrow import pylist, to_array

if TYPE_CHECKING:
    from collections.abc import Iterator

WORDS = 60_000
BATCH = 20_000


def batches(pairs: int) -> Iterator[pa.RecordBatch]:
    """Generated sentence pairs, the same ones in every run."""
    random = np.random.default_rng(1)
    spelled = [pa.array([f"{mark}{number * 7919 % WORDS:x}" for number in range(WORDS)]) for mark in "sz"]
    for first in range(0, pairs, BATCH):
        lengths = random.integers(5, 35, min(BATCH, pairs - first))
        offsets = to_array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32))
        source = (random.zipf(1.2, lengths.sum()) % WORDS).astype(np.int32)
        target = source.copy()
        swapped = np.flatnonzero(random.random(len(source) - 1) < 0.1)
        target[swapped], target[swapped + 1] = source[swapped + 1], source[swapped]
        sides = (
            pa.ListArray.from_arrays(cast("pa.Int32Array", offsets), words.take(to_array(ids)))
            for words, ids in zip(spelled, (source, target), strict=True)
        )
        yield pa.record_batch([*sides], names=["source_tokens", "tokens"])


def measure(pairs: int, max_memory: str) -> None:
    """Prints a line about one size."""
    begin = time.process_time()
    (last,) = deque(batches(pairs), maxlen=1)
    making = time.process_time() - begin
    begin = time.process_time()
    aligner = xner.Aligner.fit_batches(batches(pairs), max_memory=max_memory)
    fitting = time.process_time() - begin - making
    begin = time.process_time()
    links = aligner.align(last["source_tokens"], last["tokens"])
    aligning = (time.process_time() - begin) / len(last)
    found = right = 0
    for source, target, row in zip(
        *(pylist(last[name]) for name in ("source_tokens", "tokens")), pylist(links), strict=True
    ):
        found += len(row)
        right += sum(source[link["source"]][1:] == target[link["target"]][1:] for link in row)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    blocks = aligner.trained_on.blocks
    print(
        f"{pairs:>9} pairs  {blocks:>3} blocks  fit {1e6 * fitting / pairs:7.1f} us a pair  "
        f"align {1e6 * aligning:7.1f} us  {peak:6.0f} MB  precision {right / found:.4f}",
        flush=True,
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, nargs="+", default=[100_000, 400_000, 1_000_000])
    parser.add_argument("--max-memory", default="1GB")
    options = parser.parse_args()
    fresh = multiprocessing.get_context("spawn")
    for pairs in options.pairs:
        process = fresh.Process(target=measure, args=(pairs, options.max_memory))
        process.start()
        process.join()
        if process.exitcode != 0:
            raise SystemExit(f"{pairs} pairs: the process ended with {process.exitcode}")


if __name__ == "__main__":
    main()
