"""Quality of the built-in aligner: alignment error rates on four language pairs, projection F1 on Europarl-NER.

    python bench/quality_alignment.py [--data DIR] [--option NAME=VALUE ...] [--skip-europarl]

Each test set is fitted on its own sentence pairs and nothing else. Settings are chosen on the error rates; the
Europarl figures only report what was chosen.
"""

from __future__ import annotations

import argparse
import ast
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

import xner
from xner.evaluation import bootstrap
from xner.memory import project_with_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SETS = ("enfr", "roen", "jaen", "zhen")
Links = set[tuple[int, int]]


def read_pairs(path: Path) -> tuple[list[list[str]], list[list[str]]]:
    sides: tuple[list[list[str]], list[list[str]]] = ([], [])
    for line in path.read_text(encoding="utf-8").splitlines():
        for side, text in zip(sides, line.split("|||"), strict=True):
            side.append([token for token in text.split(" ") if token])
    return sides


def read_gold(path: Path) -> list[tuple[Links, Links]]:
    """Sure links, and possible ones (the sure ones among them), from 0."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        sure: Links = set()
        possible: Links = set()
        for item in line.split():
            mark = next((c for c in "p?" if c in item), "-")
            source, target = item.split(mark)
            (sure if mark == "-" else possible).add((int(source) - 1, int(target) - 1))
        rows.append((sure, possible | sure))
    return rows


def error_rate(found: Sequence[Links], gold: Sequence[tuple[Links, Links]]) -> float:
    """1 - (|A & S| + |A & P|) / (|A| + |S|), in percent (Och, Ney 2003)."""
    hits = sum(len(links & sure) + len(links & possible) for links, (sure, possible) in zip(found, gold, strict=True))
    size = sum(len(links) + len(sure) for links, (sure, _) in zip(found, gold, strict=True))
    return 100 * (1 - hits / size)


def europarl(folder: Path, language: str, options: dict[str, Any]) -> pa.Table:
    """Sentence pairs with English gold entities, links fitted on them alone, and gold labels."""
    english = xner.io.read_conll(folder / "en-europarl.test.conll02")
    other = xner.io.read_conll(folder / f"{language}-europarl.test.conll02")
    entities = [xner.labels.decode_batch(chunk) for chunk in english["labels"].chunks]
    aligner = xner.Aligner.fit(english["tokens"], other["tokens"], **options)
    return pa.table(
        {
            "tokens": other["tokens"],
            "source_tokens": english["tokens"],
            "source_entities": pa.chunked_array(entities),
            "links": aligner.align(english["tokens"], other["tokens"]),
            "gold_labels": other["labels"],
        }
    )


METHODS: dict[str, Callable[[pa.Table], pa.Table]] = {
    "heuristic, politov2025": xner.Projector(method="heuristic", compat="politov2025"),
    "heuristic": xner.Projector(method="heuristic"),
    "n-gram, greedy": xner.Projector(candidates="ngram", matcher="greedy"),
    "n-gram, exact, ties by index": xner.Projector(candidates="ngram", ties="first"),
    "n-gram, exact": xner.Projector(candidates="ngram"),
    "n-gram, exact, memory": lambda table: project_with_memory(table, xner.Projector(candidates="ngram")),
}


def option(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = os.environ.get("XNER_TEST_DATA", Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument(
        "--data", type=Path, default=Path(default), help="folder with word-alignment/ and europarl-ner/"
    )
    parser.add_argument(
        "--option", type=option, action="append", default=[], help="an option of the aligner, NAME=VALUE"
    )
    parser.add_argument("--skip-europarl", action="store_true")
    arguments = parser.parse_args()
    options = dict(arguments.option)

    rates = []
    print("alignment error rate (%), fitted on each set's own pairs")
    for name in SETS:
        folder = arguments.data / "word-alignment"
        source, target = read_pairs(folder / f"{name}.src-tgt")
        rows = xner.Aligner.fit(source, target, **options).align(source, target).to_pylist()
        found = [{(link["source"], link["target"]) for link in row} for row in rows]
        rates.append(error_rate(found, read_gold(folder / f"{name}.gold")))
        print(f"  {name} ({len(source)} pairs)  {rates[-1]:.1f}")
    print(f"  mean  {sum(rates) / len(rates):.2f}")
    if arguments.skip_europarl:
        return
    print("Europarl-NER entity F1, gold English entities (95 % bootstrap interval)")
    tables = {language: europarl(arguments.data / "europarl-ner", language, options) for language in ("de", "es")}
    for name, method in METHODS.items():
        scores = [xner.evaluate(table["gold_labels"], method(table)["labels"]) for table in tables.values()]
        shown = "   ".join(
            f"en-{language} {one.f1:.3f} ({bootstrap(one).micro.f1})"
            for language, one in zip(tables, scores, strict=True)
        )
        print(f"  {name:<30}{shown}   mean {sum(one.f1 for one in scores) / len(scores):.3f}")


if __name__ == "__main__":
    main()
