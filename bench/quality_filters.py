"""What each filter is worth: projection onto Europarl-NER with gold English entities, filtered in many ways.

    python bench/quality_filters.py [--data DIR] [--links builtin|intersect|grow-diag|grow-diag-final-and]

By entity, all rows are scored: a filter trades recall for precision. By row, only those that it keeps are scored, on
which a model would be trained. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

import xner
from quality_alignment import europarl  # type: ignore[import-not-found]  # beside this file
from quality_scores import LANGUAGES, RECORDED, with_links  # type: ignore[import-not-found]  # likewise
from xner import schema
from xner.filters.stage import Filters
from xner.projection import project_with_memory

CHAINS: tuple[tuple[str, ...], ...] = (
    (),
    ("length-ratio",),
    ("source-coverage",),
    ("contiguous",),
    ("contiguous=1",),
    ("discontinuous=largest",),
    ("discontinuous=split",),
    ("discontinuous=drop",),
    ("class-counts",),
    ("one-word",),
    ("trim-punctuation",),
    ("affixes=strip",),
    ("affixes=attach",),
    ("compound",),
    ("min-score=0.5",),
    ("min-score=0.8",),
    ("min-margin=0.1",),
    ("min-margin=0.3",),
    ("source-coverage", "min-margin=0.1"),
    ("source-coverage", "contiguous=1", "class-counts", "min-margin=0.1"),
)


def projected(data: Path, language: str, links: str) -> pa.Table:
    """Gold English entities on the sentences of a language, as `xner project` does it with such links."""
    table: pa.Table = europarl(data / "europarl-ner", language, {})
    if links == "builtin":
        return project_with_memory(table, xner.Projector())
    linked: pa.Table = with_links(table, data / "golden" / f"links.en-{language}.{links}.pharaoh")
    return xner.Projector()(linked)


def kept_rows(table: pa.Table) -> pa.Table:
    """The rows that no filter dropped."""
    return table.filter(pc.invert(schema.is_row_dropped(table[schema.STATUS])))


def kept_share(table: pa.Table, before: pa.Table) -> str:
    """How many of the projected entities are left."""
    left, all_ = (pc.sum(pc.list_value_length(one[schema.ENTITIES])).as_py() for one in (table, before))
    return f"{left / all_:.0%}"


def figures(table: pa.Table) -> str:
    """Precision, recall and F1 of labels against gold ones."""
    micro = xner.evaluate(table[schema.GOLD_LABELS], table[schema.LABELS]).micro
    return " / ".join(f"{value:.3f}".removeprefix("0") for value in (micro.precision, micro.recall, micro.f1))


def cells(table: pa.Table, chain: tuple[str, ...]) -> list[str]:
    """What a chain of filters does by entity, and by row."""
    by_entity = Filters(chain)(table)
    by_row = kept_rows(Filters(chain, drop="row")(table))
    rows = f"{by_row.num_rows / table.num_rows:.0%}"
    return [kept_share(by_entity, table), figures(by_entity), rows, figures(by_row)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = os.environ.get("XNER_TEST_DATA", Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--data", type=Path, default=Path(default), help="folder with europarl-ner/ and golden/")
    parser.add_argument("--links", choices=["builtin", *RECORDED], default="builtin")
    arguments = parser.parse_args()
    tables = [projected(arguments.data, language, arguments.links) for language in LANGUAGES]
    heads = ["filters"]
    for language in LANGUAGES:
        heads += [f"{language}: entities kept", "P / R / F1", "rows kept by row", "P / R / F1 there"]
    print(f"| {' | '.join(heads)} |\n" + "| --- " * len(heads) + "|")
    for chain in CHAINS:
        name = ", ".join(f"`{text}`" for text in chain) or "none"
        print(f"| {' | '.join([name, *(cell for table in tables for cell in cells(table, chain))])} |")


if __name__ == "__main__":
    main()
