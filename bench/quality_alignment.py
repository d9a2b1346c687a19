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

import xner

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def read_conll(path: Path) -> tuple[list[list[str]], list[list[str]]]:
    words, labels = [], []
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        rows = [line.split("\t") for line in block.splitlines() if line.strip()]
        if rows:
            words.append([row[0] for row in rows])
            labels.append([row[1] for row in rows])
    return words, labels


def europarl_f1(folder: Path, language: str, options: dict[str, Any]) -> list[float]:
    """F1 of the heuristic and of n-gram candidates with exact matching."""
    source, source_labels = read_conll(folder / "en-europarl.test.conll02")
    target, gold = read_conll(folder / f"{language}-europarl.test.conll02")
    links = xner.Aligner.fit(source, target, **options).align(source, target).to_pylist()
    methods: tuple[dict[str, Any], ...] = (
        {"method": "heuristic", "merge_distance": 1, "length_ratio_threshold": 0.8},
        {"method": "candidates", "candidates": "ngram", "matcher": "exact"},
    )
    results = []
    for method in methods:
        predicted = [
            xner.project(words, xner.labels.decode(labels), [(k["source"], k["target"]) for k in row], **method).labels
            for words, labels, row in zip(target, source_labels, links, strict=True)
        ]
        results.append(xner.evaluate(gold, predicted).f1)
    return results


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
    print("Europarl-NER entity F1, gold English entities    heuristic   n-gram, exact")
    results = [europarl_f1(arguments.data / "europarl-ner", language, options) for language in ("de", "es")]
    for language, (heuristic, ngram) in zip(("de", "es"), results, strict=True):
        print(f"  en-{language}  {heuristic:.3f}   {ngram:.3f}")
    means = [sum(column) / len(column) for column in zip(*results, strict=True)]
    print(f"  mean   {means[0]:.3f}   {means[1]:.3f}")


if __name__ == "__main__":
    main()
