"""Quality of the built-in aligner: alignment error rates on four language pairs, projection F1 on Europarl-NER.

    python bench/quality_alignment.py [--data DIR] [--option NAME=VALUE ...] [--skip-europarl]
    python bench/quality_alignment.py --groups 1 3 9      small corpora: every k consecutive pairs fitted alone
    python bench/quality_alignment.py --held-out          sets that nothing is tuned on, and XL-WA's development sets
    python bench/quality_alignment.py --blocks 1 2 4      each set fitted in so many blocks
    python bench/quality_alignment.py --lexicon es=eng-spa.tsv --lexicon jaen=...     what word lists are worth

Each test set is fitted on its own sentence pairs and nothing else. Settings are chosen on the error rates; the
Europarl figures only report what was chosen.
"""

from __future__ import annotations

import argparse
import ast
import os
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

import xner
from xner._support.arrow import pylist
from xner.alignment import Lexicon
from xner.alignment._pairs import pieces
from xner.evaluation import bootstrap
from xner.evaluation import links as link_scores
from xner.projection import project_with_memory
from xner.text.normalization import normalize

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SETS = ("enfr", "roen", "jaen", "zhen")
LANGUAGES = ("de", "es")  # of Europarl-NER
Row = list[dict[str, Any]]


def read_pairs(path: Path) -> tuple[list[list[str]], list[list[str]]]:
    sides: tuple[list[list[str]], list[list[str]]] = ([], [])
    for line in path.read_text(encoding="utf-8").splitlines():
        for side, text in zip(sides, line.split("|||"), strict=True):
            side.append([token for token in text.split(" ") if token])
    return sides


@dataclass(frozen=True)
class TestSet:
    """Sentence pairs with hand-made links."""

    source: list[list[str]]
    target: list[list[str]]
    sure: pa.Array[Any]
    possible: pa.Array[Any]

    @classmethod
    def read(cls, data: Path, name: str) -> TestSet:
        """From `word-alignment/` of the test data."""
        folder = data / "word-alignment"
        source, target = read_pairs(folder / f"{name}.src-tgt")
        gold = folder / f"{name}.gold"
        sure = xner.io.read_pharaoh(gold, one_based=True, possible="drop")
        return cls(source, target, sure, xner.io.read_pharaoh(gold, one_based=True))

    def error_rate(self, links: pa.Array[Any]) -> float:
        """In percent (Och, Ney 2003)."""
        return 100 * link_scores.score(self.sure, links, possible=self.possible).aer


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
    """1 - Levenshtein distance / longer length, of the folded words."""
    first, second = normalize(first), normalize(second)
    row = list(range(len(second) + 1))
    for i, letter in enumerate(first, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(second, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (letter != other))
    return 1 - row[-1] / max(len(first), len(second))


def spelling_and_position(source: Sequence[str], target: Sequence[str]) -> Row:
    """The baseline for small corpora, without training: words alike in spelling and in relative position.

    A word's partners on the other side are as probable as exp(5 * similarity beyond 0.2 - 10 * distance); links are
    pairs whose two probabilities have a geometric mean above 0.2. These numbers, of 216 settings on a grid, have
    a mean error rate on the four sets that is within 0.1 of the lowest.
    """
    if not source or not target:
        return []
    spelling = np.array([[similarity(s, t) for t in target] for s in source])
    places = (np.arange(len(source)) + 0.5) / len(source), (np.arange(len(target)) + 0.5) / len(target)
    weights = np.exp(5 * np.maximum(0, (spelling - 0.2) / 0.8) - 10 * np.abs(np.subtract.outer(*places)))
    probabilities = weights / np.sqrt(np.outer(weights.sum(axis=1), weights.sum(axis=0)))
    linked = np.argwhere(probabilities > 0.2)
    return [{"source": i, "target": j, "score": probabilities[i, j]} for i, j in linked.tolist()]


def by_groups(source: list[list[str]], target: list[list[str]], size: int) -> pa.Array[Any]:
    """Links of every `size` consecutive pairs, fitted on them alone."""
    links = []
    for first in range(0, len(source), size):
        sides = source[first : first + size], target[first : first + size]
        links.append(xner.Aligner.fit(*sides).align(*sides))
    return pa.concat_arrays(links)


def by_first(source: list[list[str]], target: list[list[str]], size: int) -> pa.Array[Any]:
    """Links of all pairs, fitted on the first `size` alone."""
    return xner.Aligner.fit(source[:size], target[:size]).align(source, target)


def by_spelling(source: list[list[str]], target: list[list[str]]) -> pa.Array[Any]:
    return pa.array(map(spelling_and_position, source, target), xner.schema.LINKS_TYPE)


def report_groups(data: Path, sizes: Sequence[int]) -> None:
    """Error rates, and F1 of n-gram candidates with exact matching, for small corpora."""
    ways: dict[str, Callable[[list[list[str]], list[list[str]]], pa.Array[Any]]] = {
        "spelling and position": by_spelling,
        **{f"k = {size}": partial(by_groups, size=size) for size in sizes},
        **{f"first {size}, align all": partial(by_first, size=size) for size in (0, *sizes)},
    }
    sets = [TestSet.read(data, name) for name in SETS]
    tables = [europarl(data / "europarl-ner", language, {}) for language in LANGUAGES]
    columns = (*SETS, "mean", *(f"F1 {language}" for language in LANGUAGES), "mean")
    print(f"{'fitted on k pairs':<24}" + "".join(f"{name:>8}" for name in columns))
    for name, way in ways.items():
        rates = [one.error_rate(way(one.source, one.target)) for one in sets]
        scores = [f1_with(table, way(pylist(table["source_tokens"]), pylist(table["tokens"]))) for table in tables]
        cells = [*(f"{rate:.1f}" for rate in (*rates, fmean(rates))), *(f"{f1:.3f}" for f1 in (*scores, fmean(scores)))]
        print(f"{name:<24}" + "".join(f"{cell:>8}" for cell in cells))


def f1_with(table: pa.Table, links: pa.Array[Any]) -> float:
    """Of n-gram candidates and exact matching, with these links."""
    column = table.schema.get_field_index("links")
    labels = xner.Projector(candidates="ngram")(table.set_column(column, "links", links))["labels"]
    return xner.evaluate(table["gold_labels"], labels).f1


XLWA = ("da", "es", "it", "pt", "ru")


def xlwa(data: Path, language: str) -> tuple[list[list[str]], list[list[str]], pa.Array[Any]]:
    """Sentence pairs of XL-WA's development set, and links of the first of them."""
    folder = data / "xlwa"
    sides = [
        [line.split() for line in (folder / f"{language}.{side}.txt").read_text().splitlines()] for side in ("en", "t")
    ]
    return sides[0], sides[1], xner.io.read_pharaoh(folder / f"{language}.gold")


def first_error_rate(gold: pa.Array[Any], links: pa.Array[Any]) -> float:
    """In percent, of the rows that have gold links: the first ones."""
    return 100 * link_scores.score(gold, links.slice(0, len(gold))).aer


def xlwa_rates(
    data: Path, options: dict[str, Any], lexicons: Mapping[str, Sequence[str]], most: int | None = None
) -> list[float]:
    """Alignment error rates in percent, each set fitted on its own pairs, or the first of them, and a lexicon."""
    rates = []
    for language in XLWA:
        source, target, gold = xlwa(data, language)
        known = Lexicon.read(*lexicons[language]) if language in lexicons else None
        links = xner.Aligner.fit(source[:most], target[:most], lexicon=known, **options).align(source, target)
        rates.append(first_error_rate(gold, links))
    return rates


def projected(english: Sequence[Path], gold: Sequence[Path], options: dict[str, Any]) -> float:
    """F1 on the last file, links fitted on the pairs of all."""
    tables = [(xner.io.read_conll(one), xner.io.read_conll(other)) for one, other in zip(english, gold, strict=True)]
    source_side, target_side = (
        pa.chunked_array([chunk for pair in tables for chunk in pair[side]["tokens"].chunks]) for side in (0, 1)
    )
    aligner = xner.Aligner.fit(source_side, target_side, **options)
    source, target = tables[-1]
    table = pa.table(
        {
            "tokens": target["tokens"],
            "source_tokens": source["tokens"],
            "source_entities": pa.chunked_array([xner.labels.decode_batch(chunk) for chunk in source["labels"].chunks]),
            "links": aligner.align(source["tokens"], target["tokens"]),
        }
    )
    return xner.evaluate(target["labels"], xner.Projector()(table)["labels"]).f1


def report_lexicons(data: Path, lexicons: Mapping[str, Sequence[str]], options: dict[str, Any]) -> None:
    """What word lists are worth: on XL-WA by how many pairs a model is fitted on, on other sets with all of theirs."""
    if {*XLWA} & lexicons.keys():
        print(f"{'XL-WA, fitted on':<28}" + "".join(f"{name:>8}" for name in (*XLWA, "mean")))
        for most in (50, 200, None):
            for what, given in (("", {}), (" and a lexicon", lexicons)):
                rates = xlwa_rates(data, options, given, most)
                name = f"{'all' if most is None else most} pairs{what}"
                print(f"{name:<28}" + "".join(f"{rate:>8.1f}" for rate in (*rates, fmean(rates))))
    for name in SETS:
        if files := lexicons.get(name):
            one = TestSet.read(data, name)
            for known in (None, Lexicon.read(*files)):
                aligner = xner.Aligner.fit(one.source, one.target, lexicon=known, **options)
                rate = one.error_rate(aligner.align(one.source, one.target))
                what = "all pairs" if known is None else f"lexicon {aligner.trained_on.lexicon[1]} entries"
                print(f"{name}, {what:<28}{rate:>8.1f}")


def report_held_out(data: Path, options: dict[str, Any]) -> None:
    """Figures that settings are not chosen by, beside XL-WA's, which they may be."""
    rates = xlwa_rates(data, options, {})
    print(
        "XL-WA development, error rate (%): "
        + "  ".join(f"{language} {rate:.1f}" for language, rate in zip(XLWA, rates, strict=True))
    )
    print(f"  mean  {fmean(rates):.2f}")
    uner, xsid, lafand = (data / name for name in ("uner-pud", "xsid", "lafand-masakhaner2"))
    found = {
        f"UNER {language}": projected([uner / "en.conll"], [uner / f"{language}.conll"], options)
        for language in ("de", "ru")
    }
    for language in ("ar", "da", "de", "id", "it", "kk", "lt", "nl", "sr", "tr"):
        pair = [xsid / f"{one}.valid.conll" for one in ("en", language)]
        found[f"xSID {language}"] = projected(pair[:1], pair[1:], options)
    for language in ("lug", "twi"):
        files = [
            [lafand / f"{language}.{part}.{side}.conll" for part in ("train", "dev", "test")] for side in ("en", "gold")
        ]
        found[f"LAFAND {language}"] = projected(files[0], files[1], options)
    print("projection, entity F1, links fitted on the same pairs")
    for name, f1 in found.items():
        print(f"  {name:<12}{f1:.3f}")


def memory_for(number: int, source: Sequence[Sequence[str]], target: Sequence[Sequence[str]]) -> int:
    """The least memory, about, in which sentences are fitted in so many blocks."""
    cells = np.array([len(one) * len(other) for one, other in zip(source, target, strict=True)])
    total = int(cells.sum())
    sizes = range(-(-total // number), total, max(1, total // 1000))
    most = next(size for size in sizes if sum(1 for _ in pieces(cells, size)) == number)
    return round((most + 1) * 56 / 0.6)  # bytes of a cell; the share of a block in all memory


def report_blocks(data: Path, numbers: Sequence[int]) -> None:
    """Error rates where each set is fitted in several blocks, as if memory were short."""
    sets = [TestSet.read(data, name) for name in SETS]
    rows = {name: (one.source, one.target, one.error_rate) for name, one in zip(SETS, sets, strict=True)}
    for language in XLWA:
        source, target, gold = xlwa(data, language)
        rows[language] = source, target, partial(first_error_rate, gold)
    print(f"{'blocks':<8}" + "".join(f"{name:>8}" for name in (*rows, "mean")))
    for number in numbers:
        rates = []
        for source, target, rate in rows.values():
            memory = None if number == 1 else memory_for(number, source, target)
            aligner = xner.Aligner.fit(source, target, max_memory=memory)
            assert aligner.trained_on.blocks == number
            rates.append(rate(aligner.align(source, target)))
        print(f"{number:<8}" + "".join(f"{rate:>8.1f}" for rate in (*rates, fmean(rates))))


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
    parser.add_argument("--held-out", action="store_true", help="other sets instead")
    parser.add_argument("--blocks", type=int, nargs="+", metavar="N", help="sets fitted in N blocks instead")
    parser.add_argument(
        "--lexicon",
        action="append",
        metavar="NAME=FILE",
        help=f"word lists instead, for a language of XL-WA or for one of {', '.join(SETS)}; may be repeated",
    )
    arguments = parser.parse_args()
    options = dict(arguments.option)
    if arguments.lexicon:
        lexicons: dict[str, list[str]] = {}
        for name, file in (one.split("=", 1) for one in arguments.lexicon):
            lexicons.setdefault(name, []).append(file)
        report_lexicons(arguments.data, lexicons, options)
        return
    if arguments.held_out:
        report_held_out(arguments.data, options)
        return
    if arguments.blocks:
        report_blocks(arguments.data, arguments.blocks)
        return
    if arguments.groups:
        report_groups(arguments.data, arguments.groups)
        return

    rates = []
    print("alignment error rate (%), fitted on each set's own pairs")
    for name in SETS:
        one = TestSet.read(arguments.data, name)
        rates.append(one.error_rate(xner.Aligner.fit(one.source, one.target, **options).align(one.source, one.target)))
        awesome = one.error_rate(xner.io.read_pharaoh(arguments.data / "word-alignment" / f"{name}.awesome-align.out"))
        print(f"  {name} ({len(one.source)} pairs)  {rates[-1]:.1f}   AWESoME, fine-tuned, published: {awesome:.1f}")
    print(f"  mean  {fmean(rates):.2f}")
    if arguments.skip_europarl:
        return
    print("Europarl-NER entity F1, gold English entities (95 % bootstrap interval)")
    tables = {language: europarl(arguments.data / "europarl-ner", language, options) for language in LANGUAGES}
    for name, method in METHODS.items():
        scores = [xner.evaluate(table["gold_labels"], method(table)["labels"]) for table in tables.values()]
        shown = "   ".join(
            f"en-{language} {one.f1:.3f} ({bootstrap(one).micro.f1})"
            for language, one in zip(tables, scores, strict=True)
        )
        print(f"  {name:<30}{shown}   mean {fmean(one.f1 for one in scores):.3f}")


if __name__ == "__main__":
    main()
