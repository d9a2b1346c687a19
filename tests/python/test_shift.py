"""Shifted corpora: labels stay valid, entities are accounted for, and the edits rebuild what was made."""

from __future__ import annotations

import itertools
import json
import math
import pickle
import sys
from collections import Counter
from dataclasses import replace
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any, ClassVar, get_args

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import io_strategies
from command_line import Run, done, xner
from xner import io, labels
from xner.errors import DataError, Error, FormatError, MissingExtraError, OptionError
from xner.experiments.shift import (
    EDITS_SCHEMA,
    KINDS,
    SEVERITIES,
    UNITS,
    Edit,
    Kind,
    Name,
    Shifted,
    apply_edits,
    edits_from_table,
    edits_to_table,
    read_lexicon,
    read_names,
    shift,
)
from xner.experiments.shift._draws import Draws, another, keys_of
from xner.experiments.shift.characters import _CHANGES, breaks, without_marks
from xner.experiments.shift.edits import Sentence
from xner.experiments.shift.options import CHARACTER_CHANGES, WORD_CHANGES, Where
from xner.experiments.shift.search import SEARCHES, Search, mean_confidence
from xner.io import sample
from xner.models.taggers.tagger import TaggedBatch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from xner.models.taggers import WordTagger

Row = tuple[list[str], list[tuple[int, int, str]]]

CLASSES = ("PER", "LOC", "LOC-GPE", "é")
WORDS = st.one_of(
    st.sampled_from(
        ["Anna", "kam", ",", ".", "Straße", "İ", "rn", "1984", "७", "नमस्ते", "深圳", "שלום", "ก็", "🙂", "\u200d"]
    ),
    io_strategies.words,
    st.text(min_size=1, max_size=6),
).filter(lambda word: word.split() == [word])


@st.composite
def rows(draw: st.DrawFn, words: st.SearchStrategy[str] = WORDS) -> Row:
    """A sentence with entities, some of them side by side."""
    found = draw(st.lists(words, max_size=9))
    entities, at = [], 0
    while at < len(found):
        size = draw(st.integers(1, min(3, len(found) - at)))
        if draw(st.booleans()):
            entities.append((at, at + size, draw(st.sampled_from(CLASSES))))
        at += size
    return found, entities


CORPORA = st.lists(rows(), max_size=7)
SEEDS = st.integers(0, 2**31 - 1)


def table_of(corpus: Sequence[Row]) -> pa.Table:
    tokens = pa.array([words for words, _ in corpus], pa.list_(pa.string()))
    spelled = [labels.encode(entities, len(words)) for words, entities in corpus]
    return pa.table({"tokens": tokens, "labels": pa.array(spelled, pa.list_(pa.string()))})


def corpus_of(table: pa.Table) -> list[Row]:
    """Words and entities; labels that are no valid IOB2 are an error."""
    columns: list[Any] = [table[name].to_pylist() for name in ("tokens", "labels")]
    pairs = zip(*columns, strict=True)
    return [(words, labels.decode(its, reading="validate")) for words, its in pairs]


def classes_of(corpus: Sequence[Row]) -> list[str]:
    return [label for _, entities in corpus for _, _, label in entities]


def names_of(corpus: Sequence[Row]) -> list[tuple[str, ...]]:
    return [tuple(words[start:end]) for words, entities in corpus for start, end, _ in entities]


def context_of(row: Row) -> list[str]:
    words, entities = row
    inside = {place for start, end, _ in entities for place in range(start, end)}
    return [word for place, word in enumerate(words) if place not in inside]


def by_hand(corpus: Sequence[Row], edits: Sequence[Edit]) -> list[list[str]]:
    """The words that edits make, put together from behind."""
    found = [list(words) for words, _ in corpus]
    cuts: dict[int, list[int]] = {}
    joins = set()
    for edit in sorted(edits, key=lambda one: (one.row, -one.start, -one.end)):
        if edit.kind != "length":
            found[edit.row][edit.start : edit.end] = edit.words
        elif edit.change == "join":
            joins.add(edit.row)
        else:
            cuts.setdefault(edit.row, []).append(edit.start)
    result: list[list[str]] = []
    for row, words in enumerate(found):
        bounds = [0, *sorted(cuts.get(row, [])), len(words)]
        pieces = [words[a:b] for a, b in pairwise(bounds)]
        if row - 1 in joins:
            result[-1] = result[-1] + pieces.pop(0)
        result += pieces
    return result


def material(kind: Kind, corpus: Sequence[Row]) -> dict[str, Any]:
    """What a kind needs beside the corpus, without extras."""
    if kind == "code-switch":
        return {"lexicon": {word: [f"{word}-x", "eins zwei"] for words, _ in corpus for word in words} or {"a": "b"}}
    return {"transliterator": "decomposition"} if kind == "transliterate" else {}


def shifted(kind: Kind, corpus: Sequence[Row], **options: Any) -> Shifted:
    return shift(table_of(corpus), kind, **{**material(kind, corpus), **options})


@st.composite
def perturbations(draw: st.DrawFn) -> tuple[Kind, list[Row], dict[str, Any]]:
    """What is shifted, and how, but for the severity."""
    kind = draw(st.sampled_from(KINDS))
    latin = st.text("abcéäZ1.,-", min_size=1, max_size=5)
    corpus = draw(st.lists(rows(latin), max_size=7) if kind == "transliterate" else CORPORA)
    options: dict[str, Any] = {"seed": draw(SEEDS)}
    if kind in {"characters", "words", "code-switch", "transliterate"}:
        options["where"] = draw(st.sampled_from([None, *get_args(Where)]))
    if kind == "length":
        options["length"] = draw(st.sampled_from(["longer", "shorter"]))
    return kind, corpus, options


class TestEveryKind:
    @given(perturbations(), st.integers(1, 5))
    def test_labels_entities_and_edits(
        self, perturbation: tuple[Kind, list[Row], dict[str, Any]], severity: int
    ) -> None:
        self.check(*perturbation, severity)

    @pytest.mark.slow
    @settings(max_examples=2_000)
    @given(perturbations())
    def test_ten_thousand(self, perturbation: tuple[Kind, list[Row], dict[str, Any]]) -> None:
        for severity in range(1, 6):
            self.check(*perturbation, severity)

    def check(self, kind: Kind, corpus: list[Row], given_options: dict[str, Any], severity: int) -> None:
        """That labels stay valid, no entity is lost, the same comes again, and edits rebuild what was made."""
        options = {"severity": severity, **given_options}
        made = shifted(kind, corpus, **options)
        result = corpus_of(made.table)
        assert all(word.split() == [word] for words, _ in result for word in words)
        assert classes_of(result) == classes_of(corpus)
        assert [words for words, _ in result] == by_hand(corpus, made.edits)
        if kind != "length":
            assert [len(entities) for _, entities in result] == [len(entities) for _, entities in corpus]
            assert [not words for words, _ in result] == [not words for words, _ in corpus]
        else:
            assert list(chain(*(words for words, _ in result))) == list(chain(*(words for words, _ in corpus)))
            assert names_of(result) == names_of(corpus)
        again = shifted(kind, corpus, **options)
        assert (again.table, again.edits, again.summary) == (made.table, made.edits, made.summary)
        for form in (made.edits, made.edits_table(), list(reversed(made.edits))):
            rebuilt = apply_edits(table_of(corpus), form)
            assert rebuilt.table.equals(made.table)
            assert rebuilt.edits == made.edits

    @given(CORPORA, st.sampled_from(KINDS), st.integers(1, 5), SEEDS)
    def test_the_share_is_that_of_the_units_that_differ(
        self, corpus: list[Row], kind: Kind, severity: int, seed: int
    ) -> None:
        corpus = (
            [(["a", *(word for word in words if word.isascii())], []) for words, _ in corpus]
            if (kind == "transliterate")
            else corpus
        )
        made = shifted(kind, corpus, severity=severity, seed=seed)
        summary = made.summary
        assert summary.unit == UNITS[kind]
        assert summary.target == SEVERITIES[kind][severity - 1]
        assert 0 <= summary.changed <= summary.units
        assert summary.after.entities == summary.before.entities == len(classes_of(corpus))
        assert summary.after.words == sum(len(words) for words, _ in corpus_of(made.table))
        assert sum(summary.edits.values()) == len(made.edits)
        wanted = int(summary.target * summary.units + 0.5)
        assert summary.changed <= wanted + 1  # a pair may be one too many
        assert bool(summary.reason) == (summary.changed < wanted)
        if kind in {"entities", "characters"}:
            assert sum(changed for changed, _ in summary.classes.values()) == summary.changed
            assert sum(total for _, total in summary.classes.values()) == summary.units
        if kind == "entities":
            pairs = zip(names_of(corpus), names_of(corpus_of(made.table)), strict=True)
            assert sum(old != new for old, new in pairs) == summary.changed

    @given(CORPORA, st.sampled_from(KINDS), SEEDS, st.integers(0, 7))
    def test_chunks_make_no_difference(self, corpus: list[Row], kind: Kind, seed: int, cut: int) -> None:
        if kind == "transliterate":
            corpus = []
        table = table_of(corpus)
        parts = pa.concat_tables([table.slice(0, cut), table.slice(cut)])
        options = material(kind, corpus)
        one, other = (shift(rows, kind, seed=seed, **options) for rows in (table, parts))
        assert (one.table, one.edits) == (other.table.combine_chunks(), other.edits)

    @pytest.mark.parametrize("kind", KINDS)
    def test_severities_change_more_and_more(self, kind: Kind) -> None:
        table = sample_table("de")
        options = material(kind, corpus_of(table))
        for seed in (1, 2):
            made = [shift(table, kind, severity=one, seed=seed, **options) for one in range(1, 6)]
            shares = [one.summary.share for one in made]
            assert shares == sorted(shares)
            assert shares[0] < shares[-1]
            before: set[Edit] = set()
            for one in made:
                assert one.summary.share == pytest.approx(one.summary.target, abs=0.02) or one.summary.reason
                # What a lower severity changes, a higher one changes likewise; labels may differ.
                edits = {replace(edit, labels=()) for edit in one.edits}
                assert before <= edits
                before = edits

    @pytest.mark.parametrize("kind", KINDS)
    def test_another_seed_is_another_corpus(self, kind: Kind) -> None:
        table = sample_table("de")
        options = material(kind, corpus_of(table))
        made = [shift(table, kind, severity=2, seed=seed, **options).table for seed in (1, 2, 1)]
        assert made[0] == made[2] != made[1]

    @pytest.mark.parametrize("kind", KINDS)
    def test_nothing_comes_of_nothing(self, kind: Kind) -> None:
        options = material(kind, [])
        for table in (table_of([]), table_of([([], []), ([], [])])):
            made = shift(table, kind, severity=5, **options)
            assert (made.table, made.edits, made.summary.share) == (table, (), 0)


def sample_table(language: str) -> pa.Table:
    return sample.load(language)


def test_columns_that_do_not_hang_on_words_stay() -> None:
    table = table_of([(["Anna", "kam"], [(0, 1, "PER")]), (["Oslo"], [(0, 1, "LOC")])])
    more: dict[str, list[Any]] = {
        "id": ["x", "y"],
        "page": [3, 4],
        "pos": [["N", "V"], ["N"]],
        "translation": ["A", "B"],
        "day": ["d", None],
    }
    for name, values in more.items():
        table = table.append_column(name, pa.array(values))
    made = shift(table, "characters", severity=5).table
    assert made.schema.names == ["id", "tokens", "labels", "page", "day"]
    assert made.select(["id", "page", "day"]) == table.select(["id", "page", "day"])


def test_missing_rows_stay_missing() -> None:
    tokens = pa.array([["Anna", "kam"], None, []], pa.list_(pa.string()))
    table = pa.table({"tokens": tokens, "labels": [["B-PER", "O"], None, []]})
    made = shift(table, "words", severity=5, words=["split"])
    assert made.table["tokens"].to_pylist()[1:] == [None, []]


def test_entities_in_place_of_labels_are_taken() -> None:
    entities = [[{"start": 0, "end": 1, "label": "PER"}]] * 2
    for words, spans in (("source_tokens", "source_entities"), ("tokens", "entities")):
        made = shift(pa.table({words: [["Anna", "kam"], ["Jo"]], spans: entities}), "entities", severity=5)
        assert corpus_of(made.table) == [(["Jo", "kam"], [(0, 1, "PER")]), (["Anna"], [(0, 1, "PER")])]


@pytest.mark.needs("test")
def test_data_frames_are_taken() -> None:
    import pandas

    frame = pandas.DataFrame({"tokens": [["Anna", "kam"], ["Jo"]], "labels": [["B-PER", "O"], ["B-PER"]]})
    assert corpus_of(shift(frame, "entities", severity=5).table)[0][0] == ["Jo", "kam"]


class TestEntities:
    TABLE = table_of(
        [
            (["Anna", "Lee", "met", "Bo"], [(0, 2, "PER"), (3, 4, "PER")]),
            (["Oslo", "and", "Rome"], [(0, 1, "LOC"), (2, 3, "LOC")]),
        ]
    )

    def test_names_are_of_the_same_class(self) -> None:
        made = shift(self.TABLE, "entities", severity=5)
        assert made.table["tokens"].to_pylist() == [["Bo", "met", "Anna", "Lee"], ["Rome", "and", "Oslo"]]
        assert made.table["labels"].to_pylist()[0] == ["B-PER", "O", "B-PER", "I-PER"]
        assert made.summary.classes == {"LOC": (2, 2), "PER": (2, 2)}

    def test_names_from_a_list(self) -> None:
        forms: list[Any] = [
            [("PER", "Q Q"), Name("LOC", ("Z",), "nowhere")],
            {"PER": ["Q Q"], "LOC": "Z"},
            iter([("PER", ["Q", "Q"]), ("LOC", "Z", "nowhere")]),
        ]
        for names in forms:
            made = shift(self.TABLE, "entities", severity=5, names=names)
            assert made.table["tokens"].to_pylist() == [["Q", "Q", "met", "Q", "Q"], ["Z", "and", "Z"]]
        listed = [("PER", "Q", "here"), ("PER", "R", "there"), ("LOC", "Z", "there")]
        made = shift(self.TABLE, "entities", severity=5, names=listed, origin="here")
        assert made.table["tokens"].to_pylist() == [["Q", "met", "Q"], ["Oslo", "and", "Rome"]]
        assert made.summary.reason == "no other name of the class LOC"
        assert "100 % were to change, 50.0 % could be: no other name of the class LOC" in str(made.summary)
        with pytest.raises(OptionError, match="origin='mars': no name has it; the origins are here, there"):
            shift(self.TABLE, "entities", names=listed, origin="mars")

    def test_unseen_names(self) -> None:
        seen = table_of([(["Bo", "Rome"], [(0, 1, "PER"), (1, 2, "LOC")])])
        made = shift(self.TABLE, "entities", severity=5, unseen_in=seen)
        # Those that are unseen have no other one.
        assert made.table["tokens"].to_pylist() == [["Anna", "Lee", "met", "Anna", "Lee"], ["Oslo", "and", "Oslo"]]

    def test_all_other_names_are_as_likely(self) -> None:
        counts = Counter(another("abc", "a", Draws(int(key))) for key in keys_of(1, "x", 3000))
        assert set(counts) == {"b", "c"}
        assert abs(counts["b"] - 1500) < 150
        assert another("a", "a", Draws(1)) is None
        assert another("", "a", Draws(1)) is None


def test_context_of_another_sentence() -> None:
    corpus = [
        (["In", "Oslo", "lives", "Bo"], [(1, 2, "LOC"), (3, 4, "PER")]),
        (["Rome", "is", "not", "for", "Jo", "."], [(0, 1, "LOC"), (4, 5, "PER")]),
        (["Jo", "sings"], [(0, 1, "PER")]),
        (["Nobody", "."], []),
    ]
    made = shift(table_of(corpus), "context", severity=5)
    assert corpus_of(made.table) == [
        (["Oslo", "is", "not", "for", "Bo", "."], [(0, 1, "LOC"), (4, 5, "PER")]),
        (["In", "Rome", "lives", "Jo"], [(1, 2, "LOC"), (3, 4, "PER")]),
        *corpus[2:],
    ]
    assert (made.summary.changed, made.summary.units) == (2, 3)
    assert made.summary.reason == "no other sentence has entities of the same classes in the same order"
    other = table_of([(["So", "Al", "said"], [(1, 2, "PER")])])
    made = shift(table_of(corpus), "context", severity=5, context_from=other)
    assert made.table["tokens"].to_pylist()[2] == ["So", "Jo", "said"]


class TestCharacters:
    @given(WORDS, st.sampled_from(CHARACTER_CHANGES), st.sampled_from(["qwerty", "qwertz", "azerty"]), SEEDS)
    def test_a_change_is_small(self, word: str, name: Any, keyboard: Any, seed: int) -> None:
        other = _CHANGES[name](word, Draws(seed), keyboard)
        if other is None or other == word:
            return
        if name in {"keyboard", "digits"}:
            assert len(other) == len(word)
            assert sum(a != b for a, b in zip(word, other, strict=True)) == 1
        if name == "joiners":
            assert other.replace("\u200d", "").replace("\u200c", "") == word.replace("\u200d", "").replace("\u200c", "")
            assert len(other) == len(word) + 1
        if name == "digits":
            assert [one.isdecimal() for one in other] == [one.isdecimal() for one in word]
        if name == "diacritics":
            assert without_marks(other) == other

    @pytest.mark.parametrize(
        ("word", "change", "keyboard", "expected"),
        [
            ("q", "keyboard", "qwerty", {"w", "a"}),
            ("Q", "keyboard", "qwerty", {"W", "A"}),
            ("z", "keyboard", "qwertz", {"t", "u", "h", "g"}),
            ("a", "keyboard", "azerty", {"z", "q"}),
            ("к", "keyboard", "qwerty", {"и", "й", "л", "м"}),
            ("ש", "keyboard", "qwerty", {"ק", "ר", "ת"}),
            ("rn", "ocr", "qwerty", {"m", "rri", "rh"}),
            ("0", "ocr", "qwerty", {"O"}),
            ("Straße", "diacritics", "qwerty", {"Strasse"}),
            ("Łódź", "diacritics", "qwerty", {"Lodz"}),
            ("שָׁלוֹם", "diacritics", "qwerty", {"שלום"}),
            ("नमस्ते", "diacritics", "qwerty", {"नमस्ते"}),
            ("Anna", "case", "qwerty", {"anna", "ANNA"}),
            ("७", "digits", "qwerty", set("०१२३४५६८९")),
            ("a", "joiners", "qwerty", {None}),
            ("नी", "joiners", "qwerty", {None}),
        ],
    )
    def test_examples(self, word: str, change: Any, keyboard: Any, expected: set[str | None]) -> None:
        found = {_CHANGES[change](word, Draws(int(key)), keyboard) for key in keys_of(1, "x", 400)}
        assert found <= expected
        assert len(found) > len(expected) / 2

    def test_where(self) -> None:
        table = sample_table("de")
        for where in ("entities", "context"):
            before = corpus_of(table)
            after = corpus_of(shift(table, "characters", severity=5, where=where).table)
            assert (names_of(before) == names_of(after)) == (where == "context")
            assert (list(map(context_of, before)) == list(map(context_of, after))) == (where == "entities")

    def test_only_what_is_asked_for(self) -> None:
        made = shift(sample_table("de"), "characters", severity=5, characters=["case", "digits"])
        assert set(made.summary.edits) == {"case", "digits"}


class TestWords:
    @given(CORPORA, st.sampled_from(WORD_CHANGES), SEEDS)
    def test_regions_stay_apart(self, corpus: list[Row], change: Any, seed: int) -> None:
        made = shift(table_of(corpus), "words", severity=5, seed=seed, words=[change])
        for before, after in zip(corpus, corpus_of(made.table), strict=True):
            for (start, end, _), (a, b, _) in zip(before[1], after[1], strict=True):
                old, new = before[0][start:end], after[0][a:b]
                if change == "drop":
                    assert not Counter(new) - Counter(old)
                elif change == "swap":
                    assert Counter(new) == Counter(old)
                else:
                    assert "".join(new) == "".join(old)
            if change == "swap":
                assert Counter(context_of(before)) == Counter(context_of(after))

    def test_labels_follow(self) -> None:
        table = table_of([(["Neuseeland"], [(0, 1, "LOC")])])
        made = shift(table, "words", severity=5, words=["split"])
        assert made.table["labels"].to_pylist() == [["B-LOC", "I-LOC"]]
        assert made.edits[0].labels == ("B-LOC", "I-LOC")
        assert shift(table, "words", severity=5, words=["drop", "swap", "merge"]).edits == ()
        table = table_of([(["New", "York"], [(0, 2, "LOC")])])
        assert shift(table, "words", severity=5, words=["merge"]).table["tokens"].to_pylist() == [["NewYork"]]

    @pytest.mark.parametrize(
        "parts",
        [
            ["ने"],
            ["a", "e\u0301"],
            ["हि", "न्दी"],
            ["ก", "น้ำ"],
            ["\u1112\u1161\u11ab", "\u1112\u1161", "한"],
            ["\u1100가"],
            ["🇩🇪", "🇫🇷", "🇪"],
            ["a", "🇩🇪", "b"],
            ["👍🏽", "❤\ufe0f", "👩🏾\u200d🚀", "x"],
            ["👨\u200d👩\u200d👧"],
            ["🏴\U000e0067\U000e0062\U000e007f", "🏴"],
            ["c", "a", "t"],
        ],
    )
    def test_no_break_within_what_people_see_as_one(self, parts: list[str]) -> None:
        ends = list(itertools.accumulate(map(len, parts)))
        assert breaks("".join(parts)) == ends[:-1]


class TestCodeSwitch:
    LEXICON: ClassVar[dict[str, str | list[str]]] = {
        "the": "der",
        "dog": ["Hund", "Köter"],
        "Oslo": "Q",
        "new": "ganz neu",
    }

    def test_translations(self) -> None:
        corpus = [(["The", "new", "dog", "of", "Oslo"], [(4, 5, "LOC")])]
        made = shift(table_of(corpus), "code-switch", severity=5, lexicon=self.LEXICON)
        words = corpus_of(made.table)[0][0]
        assert words[:3] == ["Der", "ganz", "neu"]
        assert words[3] in {"Hund", "Köter"}
        assert words[4:] == ["of", "Oslo"]
        made = shift(table_of(corpus), "code-switch", severity=5, lexicon=self.LEXICON, where="entities")
        assert corpus_of(made.table)[0][0][4] == "Q"
        made = shift(table_of(corpus), "code-switch", severity=5, lexicon={"x": "y"})
        assert made.summary.reason == "the lexicon has no translation of the others"


class TestTransliterate:
    def test_decomposition(self) -> None:
        table = table_of([(["Köln", "am", "Łuk"], [(0, 1, "LOC")])])
        made = shift(table, "transliterate", severity=5, transliterator="decomposition")
        assert made.table["tokens"].to_pylist() == [["Koln", "am", "Luk"]]
        assert (made.summary.changed, made.summary.units) == (2, 2)
        table = table_of([(["a"], []), (["Köln", "Москва"], [(1, 2, "LOC")])])
        with pytest.raises(DataError, match=r"row 1, column 'tokens', value 'Москва': 'М' \(CYRILLIC CAPITAL"):
            shift(table, "transliterate", transliterator="decomposition")

    def test_without_the_library(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "anyascii", None)
        with pytest.raises(MissingExtraError, match=r"pip install 'xner\[transliterate\]' brings it"):
            shift(table_of([]), "transliterate")

    @pytest.mark.needs("transliterate")
    def test_all_scripts(self) -> None:
        table = table_of([(["Москва", "深圳", "Oslo", "👍"], [(0, 1, "LOC"), (1, 2, "LOC")])])
        made = shift(table, "transliterate", severity=5, where="entities")
        assert made.table["tokens"].to_pylist() == [["Moskva", "ShenZhen", "Oslo", "👍"]]

    @pytest.mark.needs("transliterate")
    @given(CORPORA, SEEDS)
    def test_labels_and_edits(self, corpus: list[Row], seed: int) -> None:
        made = shift(table_of(corpus), "transliterate", severity=4, seed=seed)
        assert classes_of(corpus_of(made.table)) == classes_of(corpus)
        assert apply_edits(table_of(corpus), made.edits).table == made.table


class TestLength:
    TABLE = table_of(
        [
            (["Bo", "came", ",", "then", "left", "."], [(0, 1, "PER")]),
            (["A", ",", "B", "Ltd"], [(0, 3, "ORG")]),
            ([], []),
            (["Oslo"], [(0, 1, "LOC")]),
        ]
    ).append_column("id", pa.array(["a", "a/2", "b", "c"]))

    def test_longer(self) -> None:
        made = shift(self.TABLE, "length", severity=5)
        assert made.table["tokens"].to_pylist() == [
            ["Bo", "came", ",", "then", "left", ".", "A", ",", "B", "Ltd"],
            [],
            ["Oslo"],
        ]
        assert made.table["id"].to_pylist() == ["a", "b", "c"]
        assert (made.summary.changed, made.summary.units) == (2, 3)
        assert made.summary.classes == {"LOC": (0, 1), "ORG": (1, 1), "PER": (1, 1)}

    def test_shorter(self) -> None:
        made = shift(self.TABLE, "length", severity=5, length="shorter")
        assert made.table["tokens"].to_pylist()[:2] == [["Bo", "came", ","], ["then", "left", "."]]
        assert made.table["id"].to_pylist() == ["a", "a/2'", "a/2", "b", "c"]
        assert made.summary.reason == "no punctuation outside of entities but at the end"


class Remembering:
    """A tagger that knows words from a corpus by heart, and is in doubt about all others."""

    signature = identity = "remembering"

    def __init__(self, corpus: Sequence[Row]) -> None:
        found = {label for label in classes_of(corpus) if label != "é"}  # one class is unknown to it
        self.label_names = ("O", *(f"{prefix}-{label}" for label in sorted(found) for prefix in "BI"))
        self.known = {
            word: label
            for words, entities in corpus
            for word, label in zip(words, labels.encode(entities, len(words)), strict=True)
        }

    def tag_batch(self, sentences: Any, *, column: str = "tokens", progress: Any = None) -> TaggedBatch:
        rows = sentences.to_pylist()
        size = len(self.label_names)
        probabilities = np.full((sum(map(len, rows)), size), 1 / size, np.float32)
        for place, word in enumerate(chain(*rows)):
            if self.known.get(word) in self.label_names:
                probabilities[place] = 0.1 / size
                probabilities[place, self.label_names.index(self.known[word])] += 0.9
        outside = pa.array([["O"] * len(row) for row in rows], pa.list_(pa.string()))
        lengths, status = np.array([len(row) for row in rows], np.int64), pa.array(["ok"] * len(rows))
        return TaggedBatch(outside, labels.decode_batch(outside), probabilities, lengths, status)


class TestAgainst:
    @given(
        CORPORA,
        st.sampled_from([kind for kind in KINDS if kind not in {"length", "transliterate"}]),
        st.sampled_from(SEARCHES),
        st.integers(1, 6),
        st.integers(1, 5),
        SEEDS,
    )
    def test_labels_and_edits(
        self, corpus: list[Row], kind: Kind, search: Search, budget: int, severity: int, seed: int
    ) -> None:
        tagger = Remembering(corpus)
        options = {"severity": severity, "seed": seed, "against": tagger, "search": search, "budget": budget}
        made = shifted(kind, corpus, **options)
        assert classes_of(corpus_of(made.table)) == classes_of(corpus)
        assert apply_edits(table_of(corpus), made.edits).table == made.table
        assert shifted(kind, corpus, **options).edits == made.edits
        assert f"|against:remembering|search:{search}|budget:{budget}|" in made.summary.signature
        plain = shifted(kind, corpus, severity=severity, seed=seed)
        if search == "worst":
            if budget == 1:
                assert made.table == plain.table
            assert self.confidence(tagger, made.table) <= self.confidence(tagger, plain.table) + 1e-9

    def confidence(self, tagger: WordTagger, table: pa.Table) -> float:
        return mean_confidence(tagger, [Sentence(words, its) for words, its in corpus_of(table)])

    def test_greedy_finds_what_the_tagger_leans_on(self) -> None:
        corpus = [(["Anna", "lives", "here", "today", "."], [(0, 1, "PER")])] * 3
        tagger = Remembering(corpus)
        tagger.known = {"Anna": "B-PER"}  # of the rest it is in doubt anyway
        made = shift(table_of(corpus), "characters", severity=1, against=tagger, search="greedy", budget=5)
        assert [(edit.row, edit.start) for edit in made.edits] == [(0, 0), (1, 0), (2, 0)]
        assert made.summary.confidence is not None
        assert made.summary.confidence[0] > made.summary.confidence[1]
        assert "log probability of the right labels: " in str(made.summary)
        # Of one class with `O`, a word in doubt has 1/3.
        assert made.summary.confidence[1] == pytest.approx(math.log(1 / 3))

    @pytest.mark.slow
    def test_more_variants_are_worse(self) -> None:
        table = sample_table("de")
        tagger = Remembering(corpus_of(table))
        for search in SEARCHES:
            found = [
                shift(table, "characters", severity=2, against=tagger, search=search, budget=budget)
                for budget in (1, 4, 16)
            ]
            after = [one.summary.confidence[1] for one in found if one.summary.confidence is not None]
            assert after == sorted(after, reverse=True)
            assert after[0] > after[-1]

    def test_errors(self) -> None:
        table = table_of([(["Anna"], [(0, 1, "PER")])])
        tagger = Remembering([])
        for options, message in (
            ({"against": tagger, "search": "gredy"}, "search='gredy': expected one of .*did you mean 'greedy'"),
            ({"against": tagger, "budget": 0}, "budget=0: expected a whole number"),
            ({"budget": 3}, "budget=3: they go with against"),
        ):
            given: Any = options
            with pytest.raises(OptionError, match=message):
                shift(table, "words", **given)
        with pytest.raises(OptionError, match="against: goes with every kind but 'length'"):
            shift(table, "length", against=tagger)


def edit(start: int, end: int, replaced: str, words: str, **values: Any) -> Edit:
    return Edit(0, start, end, tuple(replaced.split()), tuple(words.split()), "words", "x", **values)


class TestEdits:
    CORPUS: ClassVar[list[Row]] = [(["Anna", "Lee", "met", "Bo"], [(0, 2, "PER"), (3, 4, "PER")])]

    def test_several_in_a_sentence(self) -> None:
        edits = [edit(3, 3, "", "Dr. X"), edit(0, 1, "Anna", ""), edit(1, 2, "Lee", "L ee"), edit(4, 4, "", "!")]
        made = apply_edits(table_of(self.CORPUS), edits)
        assert corpus_of(made.table) == [(["L", "ee", "met", "Dr.", "X", "Bo", "!"], [(0, 2, "PER"), (5, 6, "PER")])]
        assert [one.labels for one in made.edits] == [(), ("B-PER", "I-PER"), ("O", "O"), ("O",)]

    @pytest.mark.parametrize(
        ("edits", "message"),
        [
            ([edit(1, 3, "Lee met", "x")], r"row 0, column 'edits', value \[1, 3\): the edit reaches over a border"),
            ([edit(0, 4, "Anna Lee met Bo", "x")], "reaches over a border of the entity"),
            ([edit(3, 4, "Bo", "")], r"value 'Bo': all words of the entity \[3, 4\) PER are dropped"),
            ([edit(0, 1, "Anna", ""), edit(1, 2, "Lee", "")], "all words of the entity"),
            ([edit(0, 1, "Anne", "x")], r"expected the words \['Anne'\], the corpus has \['Anna'\]"),
            ([edit(4, 5, "x", "")], r"the corpus has \[\]"),
            ([edit(0, 2, "Anna Lee", "x"), edit(1, 2, "Lee", "y")], "two edits overlap"),
            ([Edit(1, 0, 0, (), ("x",), "words", "x")], "row 1, column 'edits', value row 1: the corpus has 1 rows"),
            ([Edit(0, 1, 1, (), (), "length", "cut")], "a sentence would begin within the entity"),
            ([Edit(0, 0, 0, (), (), "length", "cut")], "a sentence begins there already"),
            ([Edit(0, 4, 4, (), (), "length", "join")], "no sentence follows the last one"),
        ],
    )
    def test_edits_that_cannot_be(self, edits: list[Edit], message: str) -> None:
        with pytest.raises(DataError, match=message):
            apply_edits(table_of(self.CORPUS), edits)

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ((0, 0, 1, ("a",), ("",), "words", "x"), "value '': expected a word"),
            ((0, 0, 1, ("a",), ("b c",), "words", "x"), "without white space"),
            ((0, 0, 2, ("a",), ("b",), "words", "x"), "no span of the 1 words"),
            ((-1, 0, 0, (), ("b",), "words", "x"), "no span"),
            ((0, 0, 0, (), ("b",), "length", "cut"), "replaces no words"),
            ((0, 0, 0, (), ("b",), "word", "x"), "did you mean 'words'"),
        ],
    )
    def test_what_is_no_edit(self, values: Any, message: str) -> None:
        with pytest.raises(Error, match=message):
            Edit(*values)

    def test_tables_and_pickles(self) -> None:
        edits = shift(sample_table("de"), "words").edits
        table = edits_to_table(edits)
        assert table.schema == EDITS_SCHEMA
        rebuilt = apply_edits(sample_table("de"), edits_from_table(table)).edits
        assert rebuilt == edits == pickle.loads(pickle.dumps(edits))
        with pytest.raises(Error, match="replaced"):
            edits_from_table(table.drop_columns(["replaced"]))
        nulls = table.slice(0, 1).set_column(0, "row", pa.array([None], pa.int32()))
        with pytest.raises(DataError, match="row 0, column 'row', value null"):
            edits_from_table(nulls)
        with pytest.raises(Error, match="expected edits, found str"):
            edits_from_table(["x"])


class TestErrors:
    TABLE = table_of([(["Anna", "kam"], [(0, 1, "PER")])])

    @pytest.mark.parametrize(
        ("kind", "options", "message"),
        [
            ("entitys", {}, "kind='entitys': expected one of .*did you mean 'entities'"),
            ("words", {"severity": 6}, "severity=6: expected a whole number from 1 to 5"),
            ("words", {"severity": 0}, "severity=0"),
            ("words", {"seed": -1}, "seed=-1"),
            ("words", {"wheer": "all"}, "unknown option 'wheer'; did you mean 'where'"),
            ("words", {"words": "drop,swop"}, "words='swop': expected one of .*did you mean 'swap'"),
            ("words", {"words": ()}, r"words=\(\): expected some of 'drop', 'swap'"),
            ("words", {"words": 3}, "words=3: expected some of"),
            ("words", {"characters": "ocr"}, r"characters=\('ocr',\) goes with kind='characters'"),
            ("characters", {"characters": "ocr", "keyboard": "azerty"}, "goes with 'keyboard' among characters"),
            ("entities", {"where": "all"}, "where='all' goes with kind='characters' or 'words' or"),
            ("code-switch", {}, "lexicon: kind='code-switch' needs one"),
            ("code-switch", {"lexicon": [("a", "b")]}, "lexicon=list: expected a dictionary"),
            ("code-switch", {"lexicon": {"a": ""}}, "lexicon: 'a': '': expected a word and one translation"),
            ("words", {"lexicon": {"a": "b"}}, "lexicon: goes with kind='code-switch', not with 'words'"),
            ("context", {"names": [("PER", "x")]}, "names: goes with kind='entities'"),
            ("entities", {"names": []}, "names: there are none"),
            ("entities", {"names": "x"}, "names='x'"),
            ("entities", {"names": [("PER", " ")]}, "expected a name of one word"),
            ("entities", {"names": [("PER",)]}, "expected a class, a name"),
            ("entities", {"origin": "x"}, "origin='x' goes with names"),
        ],
    )
    def test_options(self, kind: Any, options: dict[str, Any], message: str) -> None:
        with pytest.raises(OptionError, match=message):
            shift(self.TABLE, kind, **options)

    @pytest.mark.parametrize(
        ("columns", "message"),
        [
            ({"tokens": [["a"]]}, "'the table' has no labels"),
            ({"words": [["a"]]}, "tokens"),
            (
                {"tokens": [["a"]], "labels": [["O", "O"]]},
                "row 0, column 'labels', value 2 labels: the row has 1",
            ),
            ({"tokens": [["a", None]], "labels": [["O", "O"]]}, "word 1 is missing"),
            (
                {"tokens": [["a"]], "entities": [[{"start": 0, "end": 2, "label": "X"}]]},
                r"row 0, column 'entities', value \[0, 2\): the span is outside",
            ),
            (
                {"tokens": [["a", "b"]], "entities": [[{"start": 0, "end": 2, "label": "X"}] * 2]},
                "overlaps another entity",
            ),
        ],
    )
    def test_tables(self, columns: dict[str, Any], message: str) -> None:
        with pytest.raises(Error, match=message):
            shift(pa.table(columns), "words")

    def test_files(self, tmp_path: Path) -> None:
        path = tmp_path / "x.tsv"
        for text, read, message in (
            ("", read_names, "has no names"),
            ("PER\tx\nPER\n", read_names, "line 2: expected a class, a name"),
            ("a\tb\n\na b\n", read_lexicon, "line 3: expected a word and its translation"),
            ("\n", read_lexicon, "has no words"),
        ):
            path.write_text(text, encoding="utf-8")
            with pytest.raises(FormatError, match=message):
                read(path)
        path.write_bytes(b"a\t\xff\n")
        with pytest.raises(FormatError, match="is not UTF-8"):
            read_lexicon(path)
        path.write_text("# names\r\nPER\tAnna Lee\tno\r\nLOC\tOslo\r\n", encoding="utf-8")
        assert read_names(path) == [Name("PER", ("Anna", "Lee"), "no"), Name("LOC", ("Oslo",))]
        path.write_text("#\tHash\na\tb\na\tc\n", encoding="utf-8")
        assert read_lexicon(path) == {"#": ["Hash"], "a": ["b", "c"]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    io.write(sample_table("de"), tmp_path / "de.conll")
    io.write(sample_table("de"), tmp_path / "de.parquet")
    (tmp_path / "lexicon.tsv").write_text("der\tthe\nich\tI\n", encoding="utf-8")
    (tmp_path / "names.tsv").write_text("PER\tQ Q\nLOC\tZ\n", encoding="utf-8")
    return tmp_path


class TestCommand:
    def run(self, folder: Path, *arguments: str) -> Run:
        return xner("shift", *arguments, cwd=folder)

    @pytest.mark.slow
    @pytest.mark.parametrize("source", ["de.conll", "de.parquet"])
    @pytest.mark.parametrize("target", ["o.conll", "o.parquet", "o.jsonl"])
    @pytest.mark.parametrize("kind", ["entities", "context", "characters", "words", "length"])
    def test_through_files(self, folder: Path, source: str, target: str, kind: Kind) -> None:
        for edits in ("edits.jsonl", "edits.parquet"):
            arguments = [source, "--kind", kind, "--severity", "2", "--seed", "7", "-o", target, "--edits", edits]
            run = done(self.run(folder, *arguments))
            expected = shift(sample_table("de"), kind, severity=2, seed=7)
            found = io.read(folder / target)
            assert corpus_of(found) == corpus_of(expected.table)
            rebuilt = apply_edits(sample_table("de"), edits_from_table(io.read(folder / edits)))
            assert corpus_of(rebuilt.table) == corpus_of(found)
            assert f"edits written to {edits}\nwritten to {target}\nshift|kind:{kind}|severity:2|seed:7|" in run.stderr
            assert expected.summary.signature in run.stderr
            assert str(expected.summary) in run.stderr

    def test_what_is_put_in(self, folder: Path) -> None:
        done(
            self.run(
                folder, "de.conll", "--kind", "entities", "--severity", "5", "--names", "names.tsv", "-o", "o.jsonl"
            )
        )
        found = corpus_of(io.read(folder / "o.jsonl"))
        pairs = zip(names_of(found), classes_of(found), strict=True)
        assert {name for name, label in pairs if label == "PER"} == {("Q", "Q")}
        options = ["--kind", "code-switch", "--lexicon", "lexicon.tsv", "--where", "all"]
        run = done(self.run(folder, "de.conll", *options, "-o", "o.jsonl"))
        assert "|lexicon:" in run.stderr
        for kind, option in (("entities", "--unseen-in"), ("context", "--context-from")):
            done(self.run(folder, "de.conll", "--kind", kind, option, "de.parquet", "-o", "o.jsonl"))

    def test_layouts(self, folder: Path) -> None:
        (folder / "x.tsv").write_text("1\tAnna\tB-PERSON\n2\tkam\tO\n\n", encoding="utf-8")
        options = ["--token-column", "1", "--class-map", "PERSON=PER", "--characters", "case", "--severity", "5"]
        done(self.run(folder, "x.tsv", "--kind", "characters", *options, "-o", "o.jsonl"))
        row = json.loads((folder / "o.jsonl").read_text(encoding="utf-8"))
        assert row["labels"] == ["B-PER", "O"]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--kind", "charcters", "-o", "o.conll"], "--kind='charcters': expected one of"),
            (["--kind", "charcters", "-o", "o.conll"], "did you mean 'characters'?"),
            (["-o", "o.conll"], "Missing option '--kind'"),
            (["--kind", "code-switch", "-o", "o.conll"], "--lexicon: --kind code-switch needs one"),
            (["--kind", "code-switch", "--lexicon", "no.tsv", "-o", "o.conll"], "'no.tsv' does not exist"),
            (
                ["--kind", "words", "--severity", "6", "-o", "o.conll"],
                "'--severity': 6 is not in the range 1<=x<=5",
            ),
            (["--kind", "words", "--words", "drop,swop", "-o", "o.conll"], "did you mean 'swap'?"),
            (["--kind", "words", "-o", "o.txt"], "files of text hold words alone"),
            (["--kind", "words", "-o", "o.conll", "--edits", "e.conll"], "edits need JSONL, Parquet or Arrow"),
            (["--kind", "words", "-o", "de.conll"], "this file is CORPUS as well; --overwrite replaces it"),
            (["--kind", "words", "-o", "o.conll", "--edits", "de.parquet"], "there is such a file"),
        ],
    )
    def test_wrong_use(self, folder: Path, arguments: list[str], message: str) -> None:
        run = self.run(folder, "de.conll", *arguments)
        assert run.returncode == 2
        assert message in " ".join(run.stderr.split())
        assert not (folder / "o.conll").exists()

    def test_columns_of_the_words_before_are_told(self, folder: Path) -> None:
        row = {"id": "1", "tokens": ["Anna", "kam"], "labels": ["B-PER", "O"], "pos": ["N", "V"], "page": 3}
        (folder / "x.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
        told = "columns left out, as they are of the words before: pos\n"
        assert told in done(self.run(folder, "x.jsonl", "--kind", "words", "-o", "o.jsonl")).stderr
        assert set(json.loads((folder / "o.jsonl").read_text(encoding="utf-8"))) == {"id", "tokens", "labels", "page"}
        assert "left out" not in done(self.run(folder, "de.conll", "--kind", "words", "-o", "o.conll")).stderr

    def test_no_labels(self, folder: Path) -> None:
        (folder / "x.txt").write_text("Anna kam\n", encoding="utf-8")
        run = self.run(folder, "x.txt", "--kind", "words", "-o", "o.conll")
        assert run.returncode == 1
        assert "has no labels" in run.stderr
