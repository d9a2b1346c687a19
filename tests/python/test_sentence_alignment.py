"""Sentences of two languages, of which rows are missing: which belong together."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from command_line import xner
from xner import io
from xner._support.arrow import pylist
from xner.errors import Error, OptionError
from xner.io import sentence_alignment
from xner.io.sentence_alignment import _Band, _Model, _posteriors, _Side, align_sentences

if TYPE_CHECKING:
    from pathlib import Path

Sentences = list[list[str]]


def made_up(rows: int, seed: int, dropped: float = 0.1) -> tuple[list[Sentences], list[list[int]]]:
    """Sentences of a language and of a cipher of it, where numbers alone are the same; rows are left out of both."""
    random = np.random.default_rng(seed)
    words = ["".join(random.choice(list("abcdefgh"), size)) for size in random.integers(2, 9, 300)]
    secret = {word: "".join(random.choice(list("qrstuvwx"), len(word))) for word in words}
    sides: list[Sentences] = [[], []]
    for _ in range(rows):
        some = [words[one] for one in (300 * random.random(random.integers(3, 20)) ** 2).astype(int)]
        number = [str(random.integers(10_000))] if random.random() < 0.3 else []
        sides[0].append(some + number)
        sides[1].append(number + [secret[word] for word in some[::-1]])
    kept = [np.flatnonzero(random.random(rows) >= dropped).tolist() for _ in sides]
    return [[side[row] for row in rows] for side, rows in zip(sides, kept, strict=True)], kept


def measured(found: Any, kept: list[list[int]]) -> tuple[float, float]:
    """Precision and recall of pairs."""
    right = sum(kept[0][one] == kept[1][other] for one, other in zip(found.first, found.second, strict=True))
    return right / len(found.first), right / len(set(kept[0]) & set(kept[1]))


class TestAlignSentences:
    def test_rows_that_are_missing_on_both_sides(self) -> None:
        sides, kept = made_up(400, seed=1)
        found = align_sentences(*sides)
        precision, recall = measured(found, kept)
        assert precision > 0.97
        assert recall > 0.97
        assert (np.diff(found.first) > 0).all()
        assert (np.diff(found.second) > 0).all()
        assert (found.scores >= 0.5).all()
        assert (found.scores <= 1).all()

    def test_the_same_sentences_give_the_same_pairs(self) -> None:
        sides, _ = made_up(150, seed=2)
        once, again = (align_sentences(*sides) for _ in range(2))
        assert once.first.tolist() == again.first.tolist()
        assert once.scores.tolist() == again.scores.tolist()

    def test_sides_may_be_exchanged(self) -> None:
        sides, kept = made_up(300, seed=3)
        precision, recall = measured(align_sentences(sides[1], sides[0]), kept[::-1])
        assert min(precision, recall) > 0.97

    def test_a_chapter_that_one_side_lacks(self) -> None:
        sides, _ = made_up(300, seed=4, dropped=0)
        found = align_sentences(sides[0], sides[1][:100] + sides[1][180:])
        gone = set(range(100, 180))
        expected = [(row, row if row < 100 else row - 80) for row in range(300) if row not in gone]
        pairs = list(zip(found.first.tolist(), found.second.tolist(), strict=True))
        assert len(set(pairs) & set(expected)) >= 0.97 * len(expected)
        assert len(set(pairs) - set(expected)) <= 4

    def test_a_higher_threshold_leaves_pairs_out_and_counts_their_rows(self) -> None:
        sides, _ = made_up(60, seed=5, dropped=0.3)
        all_of_them, sure = align_sentences(*sides), align_sentences(*sides, least_score=0.999)
        left = set(all_of_them.first.tolist()) - set(sure.first.tolist())
        assert left
        assert left <= set(sure.unsure.tolist())
        assert sure.scores.min() >= 0.999

    @pytest.mark.parametrize("sides", [([], []), ([["a"]], []), ([], [["a"]]), ([[], ["b"]], [["a"]]), ([[]], [[]])])
    def test_sides_with_little_in_them(self, sides: tuple[Sentences, Sentences]) -> None:
        found = align_sentences(*sides)
        assert set(found.first.tolist()) <= {row for row, words in enumerate(sides[0]) if words}

    def test_empty_sentences_have_no_partner(self) -> None:
        sides, _ = made_up(60, seed=6, dropped=0)
        sides[0][20], sides[1][40] = [], []
        found = align_sentences(*sides)
        assert 20 not in found.first
        assert 40 not in found.second
        assert len(found.first) >= 56

    def test_a_band_gives_what_the_whole_table_gives(self, monkeypatch: pytest.MonkeyPatch) -> None:
        sides, kept = made_up(500, seed=7)
        whole = align_sentences(*sides)
        monkeypatch.setattr(sentence_alignment, "_WHOLE", 0)
        monkeypatch.setattr(sentence_alignment, "_WIDTH", 64)
        monkeypatch.setattr(sentence_alignment, "_CELLS", 640)
        banded = align_sentences(*sides)
        assert measured(banded, kept) == pytest.approx(measured(whole, kept), abs=0.01)
        assert banded.first.tolist() == whole.first.tolist()
        assert banded.scores == pytest.approx(whole.scores, abs=1e-3)

    @pytest.mark.parametrize("exchanged", [False, True])
    def test_a_chapter_longer_than_the_band_is_wide(self, monkeypatch: pytest.MonkeyPatch, exchanged: bool) -> None:
        sides, _ = made_up(700, seed=11, dropped=0)
        sides[1] = sides[1][:150] + sides[1][500:]
        monkeypatch.setattr(sentence_alignment, "_WHOLE", 0)
        monkeypatch.setattr(sentence_alignment, "_WIDTH", 64)
        found = align_sentences(*(sides[::-1] if exchanged else sides))
        rows, others = (found.second, found.first) if exchanged else (found.first, found.second)
        expected = {(row, row if row < 150 else row - 350) for row in range(700) if not 150 <= row < 500}
        got = set(zip(rows.tolist(), others.tolist(), strict=True))
        assert len(got & expected) > 0.97 * len(expected)
        assert len(got - expected) < 5

    def test_sentences_that_only_have_lengths(self) -> None:
        lengths = np.random.default_rng(12).integers(1, 80, 50).tolist()
        sentences = [["." * length] for length in lengths]
        found = align_sentences(sentences, sentences[:20] + sentences[22:])
        assert len(found.first) >= 40
        assert np.mean(found.first - found.second == np.where(found.first < 20, 0, 2)) > 0.9

    def test_a_band_is_widened_where_the_path_leaves_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        sides, _ = made_up(400, seed=8, dropped=0)
        sides[1] = sides[1][40:]  # words that both have lead past it
        monkeypatch.setattr(sentence_alignment, "_WHOLE", 0)
        monkeypatch.setattr(sentence_alignment, "_WIDTH", 64)
        monkeypatch.setattr(sentence_alignment, "_rare_places", lambda sides: ([], []))
        found = align_sentences(*sides)
        assert np.mean(found.first - found.second == 40) > 0.97
        assert len(found.first) > 340


def test_posteriors_are_those_of_all_paths() -> None:
    """By hand: every set of pairs that do not cross, and its probability."""
    sides = [["a", "bb"], ["ccc", "dd"], ["7"]], [["x", "yy"], ["zz"], ["7"], ["wwww"]]
    both = _Side.of(sides[0]), _Side.of(sides[1])
    model = _Model.at_first(both)
    found = _posteriors(model, _Band.around(both, ([], [])))
    scores = model.scores(range(3), np.zeros(3, np.int64), 5)
    cells = list(itertools.product(range(3), range(4)))
    weights: dict[tuple[tuple[int, int], ...], float] = {}
    for size in range(4):
        for chosen in itertools.combinations(cells, size):
            if all(a[0] < b[0] and a[1] < b[1] for a, b in itertools.pairwise(chosen)):
                logarithm = sum(scores[cell] for cell in chosen)
                logarithm += (3 - size) * model.moves[1] + (4 - size) * model.moves[2]
                weights[chosen] = math.exp(logarithm)
    total = sum(weights.values())
    expected = {cell: sum(one for chosen, one in weights.items() if cell in chosen) / total for cell in cells}
    got = dict(zip(zip(found.first.tolist(), found.second.tolist(), strict=True), found.scores, strict=True))
    assert got == pytest.approx({cell: one for cell, one in expected.items() if one > 0.05})
    partnered = [sum(expected[row, column] for column in range(4)) for row in range(3)]
    assert found.partnered == pytest.approx(partnered)


def test_real_sentences(test_data: Path) -> None:
    folder = test_data / "europarl-ner"
    sides = [pylist(io.read_conll(folder / f"{one}-europarl.test.conll02")["tokens"]) for one in ("en", "es")]
    random = np.random.default_rng(0)
    kept = [np.flatnonzero(random.random(len(side)) >= 0.1).tolist() for side in sides]
    some = [[side[row] for row in rows] for side, rows in zip(sides, kept, strict=True)]
    precision, recall = measured(align_sentences(*some), kept)
    assert precision > 0.98
    assert recall > 0.98


class TestCommand:
    def files(self, folder: Path) -> list[Sentences]:
        sides, _ = made_up(120, seed=9)
        table = pa.table({"tokens": sides[0], "labels": [["B-PER"] + ["O"] * (len(one) - 1) for one in sides[0]]})
        io.write(table, folder / "en.conll")
        io.write(pa.table({"tokens": sides[1]}), folder / "xx.txt")
        return sides

    def test_pairs_scores_and_what_is_alone(self, tmp_path: Path) -> None:
        sides = self.files(tmp_path)
        command = ["pair", "en.conll", "xx.txt", "--on", "similarity", "-o", "o.parquet", "--alone", "alone.jsonl"]
        run = xner(*command, cwd=tmp_path)
        assert run.returncode == 0, run.stderr
        table = io.read(tmp_path / "o.parquet")
        assert table["source_entities"][0].as_py() == [{"start": 0, "end": 1, "label": "PER"}]
        assert min(pylist(table["pair_score"])) >= 0.5
        alone = io.read(tmp_path / "alone.jsonl")
        assert 2 * table.num_rows + alone.num_rows == len(sides[0]) + len(sides[1])
        assert f"{table.num_rows} pairs, mean score " in run.stderr
        assert "rows without a partner" in run.stderr
        projected = xner("project", "--source", "o.parquet", "--target", "o.parquet", "-o", "p.conll", cwd=tmp_path)
        assert projected.returncode == 0, projected.stderr

    def test_another_order_is_told(self) -> None:
        sides, _ = made_up(200, seed=10, dropped=0)
        order = np.random.default_rng(0).permutation(200).tolist()
        shuffled = pa.table({"tokens": [sides[1][row] for row in order]})
        found = io.pair(pa.table({"tokens": sides[0]}), shuffled, on="similarity")
        assert any("less than half of the rows: similarity finds pairs" in line for line in found.lines(("A", "B")))
        right = io.pair(pa.table({"tokens": sides[0]}), pa.table({"tokens": sides[1]}), on="similarity")
        assert not any("less than half" in line for line in right.lines(("A", "B")))

    def test_a_threshold_is_said(self, tmp_path: Path) -> None:
        self.files(tmp_path)
        command = ["pair", "en.conll", "xx.txt", "--on", "similarity", "--least-score", "1", "-o", "o.parquet"]
        run = xner(*command, cwd=tmp_path)
        assert run.returncode == 0, run.stderr
        assert "rows without a partner probably have one, but none with a score of 1 or more" in run.stderr

    def test_what_does_not_apply_is_refused(self, tmp_path: Path) -> None:
        self.files(tmp_path)
        run = xner(
            "pair", "en.conll", "xx.txt", "--on", "text", "--least-score", "0.9", "-o", "o.parquet", cwd=tmp_path
        )
        assert run.returncode != 0
        assert "--least-score goes with --on similarity, and not with --on text" in run.stderr
        table = pa.table({"tokens": [["a"]]})
        with pytest.raises(OptionError, match=r"least_score=0.3: expected a number from 0.5 to 1"):
            io.pair(table, table, on="similarity", least_score=0.3)
        with pytest.raises(Error, match="tokens"):
            io.pair(pa.table({"id": ["x"]}), table, on="similarity")
