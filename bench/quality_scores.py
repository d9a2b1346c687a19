"""What scores and tie-breaking are worth: projection F1 on Europarl-NER with gold English entities.

    python bench/quality_scores.py [--data DIR] [--part all|first|second]

Links: by the built-in aligner, fitted on the 799 pairs alone, and recorded ones of a statistical aligner in three
symmetrisations. `--part` takes every other sentence: what is chosen on one half can be tested on the other.
"""

from __future__ import annotations

import argparse
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import xner
from quality_alignment import europarl  # type: ignore[import-not-found]  # beside this file
from xner import schema
from xner._support.arrow import pylist, to_array
from xner.evaluation import bootstrap
from xner.projection import project_with_memory

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

LANGUAGES = ("de", "es")
RECORDED = ("intersect", "grow-diag", "grow-diag-final-and")


def methods() -> dict[str, Callable[[pa.Table], pa.Table]]:
    """What is compared, by name."""

    def projector(**options: Any) -> Callable[[pa.Table], pa.Table]:
        return xner.Projector(**options)

    found: dict[str, Callable[[pa.Table], pa.Table]] = {
        "align, greedy, ties by index": projector(matcher="greedy", ties="first"),
        "align, greedy, ties by evidence": projector(matcher="greedy", ties="evidence"),
        "align, exact, ties by index": projector(ties="first"),
        "align, exact, ties by evidence": projector(ties="evidence"),
        "align, exact, memory": partial(project_with_memory, projector=projector()),
        "characters alone": projector(score={"characters": 1}),
    }
    for weight in (0.25, 0.5, 1.0):
        for threshold in (0.5, 0.7):
            name = f"align + {weight} characters above {threshold}"
            score = {"align": 1, "characters": weight}
            found[name] = projector(score=score, character_threshold=threshold)
    found["align_characters, memory"] = partial(project_with_memory, projector=projector(score="align_characters"))
    return found


def tied_share(table: pa.Table) -> float:
    """The share of projected entities whose margin is 0: another choice was just as good, by score alone."""
    result = xner.Projector(ties="first")(table)
    margins = [entity["margin"] for row in pylist(result[schema.ENTITIES]) for entity in row]
    return float(np.mean(np.array(margins) < 1e-6))


def with_links(table: pa.Table, path: Path) -> pa.Table:
    """The table with recorded links."""
    return table.set_column(table.schema.get_field_index(schema.LINKS), schema.LINKS, xner.io.read_pharaoh(path))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = os.environ.get("XNER_TEST_DATA", Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--data", type=Path, default=Path(default), help="folder with europarl-ner/ and golden/")
    parser.add_argument("--part", choices=["all", "first", "second"], default="all")
    arguments = parser.parse_args()
    tables = {language: europarl(arguments.data / "europarl-ner", language, {}) for language in LANGUAGES}
    sources = {"builtin": tables} | {
        name: {
            language: with_links(table, arguments.data / "golden" / f"links.en-{language}.{name}.pharaoh")
            for language, table in tables.items()
        }
        for name in RECORDED
    }
    for source, of_languages in sources.items():
        print(f"links: {source}; entities whose choice is a tie: ", end="")
        print(", ".join(f"{language} {tied_share(table):.1%}" for language, table in of_languages.items()))
        for name, method in methods().items():
            cells = []
            for table in of_languages.values():
                step = {"all": slice(None), "first": slice(0, None, 2), "second": slice(1, None, 2)}[arguments.part]
                rows = to_array(np.arange(table.num_rows)[step])
                found = xner.evaluate(table["gold_labels"].take(rows), method(table)["labels"].take(rows))
                cells.append((found.f1, f"{found.f1:.4f} ({bootstrap(found).micro.f1})"))
            shown = "   ".join(text for _, text in cells)
            print(f"  {name:<44}{shown}   mean {np.mean([f1 for f1, _ in cells]):.4f}")


if __name__ == "__main__":
    main()
