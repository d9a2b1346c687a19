"""Quality of the built-in aligner: alignment error rates on four language pairs, projection F1 on Europarl-NER.

    python bench/quality_alignment.py [--data DIR] [--option NAME=VALUE ...] [--skip-europarl]
    python bench/quality_alignment.py --groups 1 3 9      small corpora: every k consecutive pairs fitted alone

Each test set is fitted on its own sentence pairs and nothing else. Settings are chosen on the error rates; the
Europarl figures only report what was chosen.
"""

from __future__ import annotations

import argparse
import ast
import math
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

import xner
from xner.alignment import normalize
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


def read_pairs_of_indices(path: Path) -> list[Links]:
    """Published links, from 0."""
    rows = xner.io.read_pharaoh(path).to_pylist()
    return [as_pairs(row) for row in rows]


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


@cache
def similarity(first: str, second: str) -> float:
    """1 - Levenshtein distance / longer length, of the first eight letters."""
    first, second = normalize(first)[:8], normalize(second)[:8]
    row = list(range(len(second) + 1))
    for i, letter in enumerate(first, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(second, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (letter != other))
    return 1 - row[-1] / max(len(first), len(second))


def untrained_links(source: Sequence[str], target: Sequence[str]) -> list[dict[str, Any]]:
    """The baseline for small corpora: words that are each other's best by spelling and position."""
    if not source or not target:
        return []
    scores = [
        [
            3 * max(0.0, (similarity(s, t) - 0.4) / 0.6) ** 2
            + math.exp(-4 * abs((i + 0.5) / len(source) - (j + 0.5) / len(target)))
            for j, t in enumerate(target)
        ]
        for i, s in enumerate(source)
    ]
    best_target = [max(range(len(target)), key=row.__getitem__) for row in scores]
    best_source = [max(range(len(source)), key=lambda i: scores[i][j]) for j in range(len(target))]
    return [{"source": i, "target": j, "score": 1.0} for i, j in enumerate(best_target) if best_source[j] == i]


def grouped_links(
    source: Sequence[Sequence[str]], target: Sequence[Sequence[str]], size: int
) -> list[list[dict[str, Any]]]:
    """Links of every `size` consecutive pairs, fitted on them alone."""
    links = []
    for first in range(0, len(source), size):
        sides = source[first : first + size], target[first : first + size]
        links += xner.Aligner.fit(*sides).align(*sides).to_pylist()
    return links


def first_links(source: list[list[str]], target: list[list[str]], size: int) -> list[list[dict[str, Any]]]:
    """Links of all pairs, fitted on the first `size` alone."""
    aligner = xner.Aligner.fit(source[:size], target[:size])
    return list(aligner.align(source, target).to_pylist())


def report_groups(data: Path, sizes: Sequence[int]) -> None:
    """Error rates, and F1 of n-gram candidates with exact matching, for small corpora."""
    rows: dict[str, list[str]] = {name: [] for name in ("spelling and position", *(f"k = {k}" for k in sizes))}
    rows |= {f"first {size}, align all": [] for size in sizes}

    def add(source: list[list[str]], target: list[list[str]], figure: Callable[[list[Any]], str]) -> None:
        rows["spelling and position"].append(
            figure([untrained_links(*pair) for pair in zip(source, target, strict=True)])
        )
        for size in sizes:
            rows[f"k = {size}"].append(figure(grouped_links(source, target, size)))
            rows[f"first {size}, align all"].append(figure(first_links(source, target, size)))

    for name in SETS:
        folder = data / "word-alignment"
        gold = read_gold(folder / f"{name}.gold")

        def rate(links: list[Any], gold: list[tuple[Links, Links]] = gold) -> str:
            return f"{error_rate([as_pairs(row) for row in links], gold):.1f}"

        add(*read_pairs(folder / f"{name}.src-tgt"), rate)
    for language in ("de", "es"):
        table = europarl(data / "europarl-ner", language, {})

        def f1(links: list[Any], table: pa.Table = table) -> str:
            column = table.schema.get_field_index("links")
            with_links = table.set_column(column, "links", pa.array(links, xner.schema.LINKS_TYPE))
            labels = xner.Projector(candidates="ngram")(with_links)["labels"]
            return f"{xner.evaluate(table['gold_labels'], labels).f1:.3f}"

        add(table["source_tokens"].to_pylist(), table["tokens"].to_pylist(), f1)
    print(f"{'fitted on k pairs':<24}" + "".join(f"{name:>8}" for name in (*SETS, "F1 de", "F1 es")))
    for name, cells in rows.items():
        print(f"{name:<24}" + "".join(f"{cell:>8}" for cell in cells))


def as_pairs(row: Sequence[dict[str, Any]]) -> Links:
    return {(link["source"], link["target"]) for link in row}


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
    parser.add_argument("--groups", type=int, nargs="+", metavar="K", help="small corpora of K pairs instead")
    arguments = parser.parse_args()
    options = dict(arguments.option)
    if arguments.groups:
        report_groups(arguments.data, arguments.groups)
        return

    rates = []
    print("alignment error rate (%), fitted on each set's own pairs")
    for name in SETS:
        folder = arguments.data / "word-alignment"
        source, target = read_pairs(folder / f"{name}.src-tgt")
        rows = xner.Aligner.fit(source, target, **options).align(source, target).to_pylist()
        gold = read_gold(folder / f"{name}.gold")
        rates.append(error_rate([as_pairs(row) for row in rows], gold))
        awesome = error_rate(read_pairs_of_indices(folder / f"{name}.awesome-align.out"), gold)
        print(f"  {name} ({len(source)} pairs)  {rates[-1]:.1f}   AWESoME, fine-tuned, published: {awesome:.1f}")
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
