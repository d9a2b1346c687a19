"""What a hundred corrected sentences are worth, chosen by the projection's margins or at random.

    python bench/quality_correction.py [--data DIR] [--rows 100] [--draws 50]

Europarl-NER, English gold entities projected as `xner project` does by default. A simulated annotator gives the chosen
sentences their gold labels; the others stay as they were projected, or are projected again by what was corrected.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

import xner
from quality_alignment import LANGUAGES, europarl  # type: ignore[import-not-found]  # beside this file
from xner._support.arrow import pylist
from xner.evaluation.review import choose_rows
from xner.projection import project_with_memory

if TYPE_CHECKING:
    from collections.abc import Iterable


def corrected(labels: list[list[str]], gold: list[list[str]], rows: Iterable[int]) -> float:
    """F1 when some rows have their gold labels."""
    seen = set(rows)
    return xner.evaluate(gold, [gold[row] if row in seen else one for row, one in enumerate(labels)]).f1


def elsewhere(table: pa.Table, rows: Iterable[int]) -> tuple[float, float]:
    """F1 of the rows that nobody has corrected: as they were projected, and projected with the others remembered."""
    seen = set(rows)
    gold, entities, first = (pylist(table[name]) for name in ("gold_labels", "entities", "labels"))
    decided = pylist(xner.labels.decode_batch(pa.chunked_array([gold])))
    # What people say of an entity that was projected: its source entity is that which it overlaps.
    for row in seen:
        for one in decided[row]:
            near = [old["source"] for old in entities[row] if old["start"] < one["end"] and one["start"] < old["end"]]
            one["source"] = near[0] if near else None
        entities[row] = decided[row]
    corrections = table.select(["tokens"]).append_column("entities", pa.array(entities, xner.schema.ENTITIES_TYPE))
    corrections = corrections.append_column("reviewed", pa.array([row in seen for row in range(table.num_rows)]))
    with tempfile.TemporaryDirectory() as folder:
        xner.io.write(corrections, Path(folder) / "corrections.parquet")
        pipeline = xner.Pipeline(memory=True, corrections=str(Path(folder) / "corrections.parquet"))
        plain = table.select(["tokens", "source_tokens", "source_entities", "links"])
        second = pylist(pipeline.run(plain).table["labels"])
    rest = [row for row in range(table.num_rows) if row not in seen]
    scores = [xner.evaluate([gold[row] for row in rest], [side[row] for row in rest]).f1 for side in (first, second)]
    return scores[0], scores[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = os.environ.get("XNER_TEST_DATA", "../shared/data")
    parser.add_argument("--data", type=Path, default=Path(default), help="folder with europarl-ner/")
    parser.add_argument("--rows", type=int, default=100, help="sentences that are corrected")
    parser.add_argument("--draws", type=int, default=50, help="random choices")
    options = parser.parse_args()
    for language in LANGUAGES:
        table = project_with_memory(europarl(options.data / "europarl-ner", language, {}), xner.Projector())
        labels, gold = pylist(table["labels"]), pylist(table["gold_labels"])
        before = corrected(labels, gold, [])
        by_margin = corrected(labels, gold, choose_rows(table, sample=options.rows).tolist())
        draws = [choose_rows(table, sample=options.rows, by="random", seed=seed) for seed in range(options.draws)]
        at_random = [corrected(labels, gold, rows.tolist()) for rows in draws]
        better = np.mean([one < by_margin for one in at_random])
        gain, chance = by_margin - before, fmean(at_random) - before
        print(f"{language}: {table.num_rows} sentences, F1 {before:.3f}; {options.rows} of them corrected:")
        print(f"  by margin {by_margin:.3f} ({gain:+.3f}), better than {better:.0%} of {options.draws} random choices")
        print(f"  at random {fmean(at_random):.3f} ({chance:+.3f}, deviation {stdev(at_random):.3f})")
        for how, rows in (("by margin", choose_rows(table, sample=options.rows)), ("at random", draws[0])):
            first, second = elsewhere(table, rows.tolist())
            print(
                f"  the sentences that were not chosen {how}: {first:.3f}, with the corrections remembered {second:.3f}"
            )


if __name__ == "__main__":
    main()
