"""NMTScore: its definition, what is computed and what is not, and a cache that survives."""

from __future__ import annotations

import itertools
import math
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fake_translation
from fake_translation import LANGUAGES, PIVOT, FakeTranslation, many_pairs, value
from reference import nmt_score as reference
from xner import Error, OutsideError
from xner.models.scorers import NmtScorer, load_translation_scorer
from xner.models.translators import TranslationCache
from xner.models.translators.cache import content_key, default_cache_path

PAIRS = [
    ("Angela Merkel", "Frau Merkel"),
    ("Angela Merkel", "Merkel"),
    ("the Bank of England", "die Bank von England"),
    ("Madrid", "Madrid"),
    ("a", "b"),
]


@pytest.mark.parametrize("engine", ["outspoken_nllb", "converted_nllb"])
def test_scores_are_the_reference(engine: str, outspoken_nllb: Path, request: pytest.FixtureRequest) -> None:
    import transformers

    model = transformers.AutoModelForSeq2SeqLM.from_pretrained(outspoken_nllb).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(outspoken_nllb)
    expected = [reference.nmt_score(model, tokenizer, *pair, LANGUAGES, threshold=0.001, cap=1000) for pair in PAIRS]
    assert np.ptp(expected) > 0.2, "scores that do not differ would show nothing"
    loaded = load_translation_scorer(str(request.getfixturevalue(engine)), device="cpu")
    scorer = NmtScorer(loaded, *LANGUAGES, threshold=0.001, cap=1000)
    np.testing.assert_allclose(scorer.score(PAIRS), expected, rtol=1e-4)


def formula(source: str, target: str) -> float:
    english, german = LANGUAGES
    forward = value(source, target, english, german) - value(target, target, german, german)
    backward = value(target, source, german, english) - value(source, source, english, english)
    return (math.exp(forward) + math.exp(backward)) / 2


texts = st.text("abc ", max_size=2)


@given(
    pairs=st.lists(st.tuples(texts, texts), max_size=12),
    threshold=st.floats(0, 1),
    cap=st.floats(0.1, 3),
)
def test_the_formula_with_threshold_and_cap(pairs: list[tuple[str, str]], threshold: float, cap: float) -> None:
    scores = NmtScorer(FakeTranslation(), *LANGUAGES, threshold=threshold, cap=cap).score(pairs)
    for (source, target), score in zip(pairs, scores, strict=True):
        exact = min(formula(source, target), cap) if source.strip() and target.strip() else 0
        assert score == pytest.approx(exact if exact > threshold else 0)


def test_a_text_is_its_own_translation() -> None:
    model = FakeTranslation()
    scorer = NmtScorer(model, "eng_Latn", "eng_Latn")
    assert scorer.score([("Madrid", "Madrid")]) == [1.0]
    assert len(model.asked) == 1


def test_each_probability_is_computed_once() -> None:
    model = FakeTranslation()
    scorer = NmtScorer(model, *LANGUAGES)
    pairs = [*itertools.product(["a", "b"], ["x", "y", "z"])] * 3
    first = scorer.score(pairs)
    # 6 pairs in two directions, 2 + 3 texts repeated.
    assert len(model.asked) == len(set(model.asked)) == scorer.computed == 6 * 2 + 5
    assert scorer.reused == 0
    np.testing.assert_array_equal(scorer.score(pairs[::-1]), first[::-1])
    assert (len(model.asked), scorer.reused) == (17, 17)
    scorer.score([("a", "new")])
    assert len(model.asked) == 17 + 3, "what the model makes of 'a' repeated is known"


def test_progress() -> None:
    reports: list[tuple[int, int]] = []
    scorer = NmtScorer(FakeTranslation(), *LANGUAGES)
    scorer.score(many_pairs(20), progress=lambda done, total: reports.append((done, total)))
    assert reports == sorted(reports)
    assert reports[-1] == (80, 80)
    assert len(reports) == 2 * 2 + 2 * 2


def test_blank_texts_score_nothing_and_ask_nothing() -> None:
    model = FakeTranslation()
    assert NmtScorer(model, *LANGUAGES).score([("", "a"), ("a", " "), ("\u3000", "")]).tolist() == [0, 0, 0]
    assert NmtScorer(model, *LANGUAGES).score([]).tolist() == []
    assert not model.asked


class TestPivot:
    def test_texts_are_given_in_another_language(self) -> None:
        model = FakeTranslation()
        scorer = NmtScorer(model, *LANGUAGES, pivot=PIVOT, threshold=0, cap=10)
        [score, _] = scorer.score([("a", "x"), ("b", "x")])
        english, german = LANGUAGES
        forward = value("fra_Latn(a)", "x", PIVOT, german) - value("fra_Latn(x)", "x", PIVOT, german)
        backward = value("fra_Latn(x)", "a", PIVOT, english) - value("fra_Latn(a)", "a", PIVOT, english)
        assert score == pytest.approx((math.exp(forward) + math.exp(backward)) / 2)
        assert sorted(model.translated) == [("a", english, PIVOT), ("b", english, PIVOT), ("x", german, PIVOT)]
        assert scorer.computed == 3 + len(model.asked) == 3 + 7
        assert scorer.signature.endswith("eng_Latn-deu_Latn,pivot fra_Latn,>0,<=10")

    def test_translations_are_kept(self, tmp_path: Path) -> None:
        for computed in (10, 0):
            with TranslationCache(tmp_path / "cache") as cache:
                scorer = NmtScorer(FakeTranslation(), *LANGUAGES, pivot=PIVOT, cache=cache)
                scorer.score([("a", "x"), ("b", "x")])
                assert (scorer.computed, scorer.reused) == (computed, 10 - computed)

    def test_a_side_in_the_pivot_language_stays_as_it_is(self) -> None:
        model = FakeTranslation()
        NmtScorer(model, *LANGUAGES, pivot="eng_Latn").score([("a", "x")])
        assert model.translated == [("x", "deu_Latn", "eng_Latn")]

    def test_it_is_checked_at_once(self) -> None:
        with pytest.raises(Error, match="no language fr"):
            NmtScorer(FakeTranslation(), *LANGUAGES, pivot="fr")


class TestArguments:
    def test_languages_are_checked_at_once(self) -> None:
        with pytest.raises(Error, match="no language deu"):
            NmtScorer(FakeTranslation(), "eng_Latn", "deu")

    def test_numbers(self) -> None:
        with pytest.raises(Error, match="cap=0: expected a number above 0"):
            NmtScorer(FakeTranslation(), *LANGUAGES, cap=0)
        with pytest.raises(Error, match=r"threshold=-0\.1: expected a number from 0 on"):
            NmtScorer(FakeTranslation(), *LANGUAGES, threshold=-0.1)

    def test_the_signature_says_what_decides(self) -> None:
        signature = NmtScorer(FakeTranslation(), *LANGUAGES).signature
        assert signature == "nmt:fake,fake-float64,eng_Latn-deu_Latn,>0.1,<=1"


class TestCache:
    def test_a_second_run_computes_nothing(self, tmp_path: Path) -> None:
        for computed in (100 * 2 + 100 + 40, 0):
            model = FakeTranslation()
            with TranslationCache(tmp_path / "new" / "cache") as cache:
                scorer = NmtScorer(model, *LANGUAGES, cache=cache)
                scores = scorer.score(many_pairs(100))
            assert scorer.computed == len(model.asked) == computed
            np.testing.assert_array_equal(scores, NmtScorer(FakeTranslation(), *LANGUAGES).score(many_pairs(100)))

    def test_another_model_or_language_is_another_entry(self, tmp_path: Path) -> None:
        with TranslationCache(tmp_path / "cache") as cache:
            for identity, languages in (("a", LANGUAGES), ("b", LANGUAGES), ("a", LANGUAGES[::-1])):
                scorer = NmtScorer(FakeTranslation(identity=identity), *languages, cache=cache)
                scorer.score([("x", "y")])
                assert (scorer.computed, scorer.reused) == (4, 0)

    def test_keys_tell_where_parts_end(self) -> None:
        assert content_key("ab", "c") != content_key("a", "bc")
        assert content_key("a", "b") == content_key("a", "b")

    @pytest.mark.slow
    def test_what_a_killed_run_computed_is_not_lost(self, tmp_path: Path) -> None:
        path = tmp_path / "cache"
        process = start(path, seconds=0.05)
        limit = time.monotonic() + 60
        while entries(path) < 5 * fake_translation.BATCH:
            assert process.poll() is None, "the run ended before it could be killed"
            assert time.monotonic() < limit
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        kept = entries(path)
        computed, digest = result(start(path, seconds=0))
        assert kept < TOTAL
        assert computed == TOTAL - kept
        assert (TOTAL, digest) == result(start(tmp_path / "other", seconds=0))

    @pytest.mark.slow
    def test_two_processes_at_once(self, tmp_path: Path) -> None:
        runs = [start(tmp_path / "cache", seconds=0.01) for _ in range(2)]
        (_, first), (_, second) = map(result, runs)
        assert first == second
        assert entries(tmp_path / "cache") == TOTAL
        assert result(start(tmp_path / "cache", seconds=0)) == (0, first)

    def test_what_is_there_stays(self, tmp_path: Path) -> None:
        with TranslationCache(tmp_path / "cache") as cache:
            cache.put({b"a": 1.0})
            cache.put({b"a": 2.0, b"b": 3.0})
            assert cache.get([b"a", b"b", b"c"]) == {b"a": 1.0, b"b": 3.0}
            many = {content_key(str(number)): float(number) for number in range(2000)}
            cache.put(many)
            assert cache.get(list(many)) == many

    def test_a_batch_that_cannot_be_kept_leaves_nothing(self, tmp_path: Path) -> None:
        with TranslationCache(tmp_path / "cache") as cache:
            with pytest.raises(Error, match=r"cannot use '.*cache' as a cache of translation scores: "):
                cache.put({b"a": 1.0, b"b": object()})  # type: ignore[dict-item]  # on purpose
            assert cache.get([b"a"]) == {}
            cache.put({b"a": 2.0})
            assert cache.get([b"a"]) == {b"a": 2.0}

    def test_something_else_is_there(self, tmp_path: Path) -> None:
        (tmp_path / "text").write_text("no database, but longer than its header\n" * 100)
        with pytest.raises(
            Error, match=r"cannot use '.*text' as a cache of translation scores: file is not a database"
        ):
            TranslationCache(tmp_path / "text")
        with pytest.raises(Error, match=r"cannot use '.*text/cache' as a cache of translation scores: "):
            TranslationCache(tmp_path / "text" / "cache")

    @given(places=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 7)), min_size=1, max_size=4))
    def test_what_was_damaged_is_never_given(self, places: list[tuple[float, int]]) -> None:
        """A value is the one that was kept, or is not there, or the file is refused, and says why."""
        values: dict[bytes, float | str] = {
            content_key(str(number)): float(number) if number % 2 else f"Übersetzung {number}" for number in range(150)
        }
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "cache"
            with TranslationCache(path) as cache:
                cache.put(values)
            content = bytearray(path.read_bytes())
            for place, bit in places:
                content[int(place * len(content))] ^= 1 << bit
            path.write_bytes(content)
            found: list[dict[bytes, float | str]] = []
            said = ""
            try:
                with TranslationCache(path) as cache:
                    found.append(cache.get(list(values)))
                    cache.put(values)
                    found.append(cache.get(list(values)))
            except Error as error:
                said = str(error)
        assert said.startswith(f"cannot use '{path}' as a cache of translation scores: " if len(found) < 2 else "")
        assert all(one.items() <= values.items() for one in found)

    def test_a_file_without_sums(self, tmp_path: Path) -> None:
        with closing(sqlite3.connect(tmp_path / "cache")) as connection, connection:
            connection.execute("CREATE TABLE entries (key BLOB PRIMARY KEY, value NOT NULL) WITHOUT ROWID")
            connection.execute("INSERT INTO entries VALUES (?, ?)", [b"a", 1.0])
        for _ in range(2):
            with TranslationCache(tmp_path / "cache") as cache:
                cache.put({b"a": 2.0, b"b": "ü"})
                assert cache.get([b"a", b"b"]) == {b"a": 1.0, b"b": "ü"}

    def test_a_locked_file_may_be_free_later(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("xner.models.translators.cache._LOCKED_SECONDS", 0.05)
        with TranslationCache(tmp_path / "cache") as cache:
            cache.put({b"a": 1.0})
            with closing(sqlite3.connect(tmp_path / "cache", isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                with pytest.raises(OutsideError, match="database is locked"):
                    cache.put({b"b": 1.0})
            cache.put({b"b": 1.0})
            assert cache.get([b"a", b"b"]) == {b"a": 1.0, b"b": 1.0}

    def test_where_it_is_by_default(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
        assert default_cache_path() == Path("/somewhere/xner/translation-scores.sqlite")
        monkeypatch.delenv("XDG_CACHE_HOME")
        assert default_cache_path() == Path.home() / ".cache/xner/translation-scores.sqlite"


TOTAL = 200 * 2 + 200 + 40  # two directions, and every text repeated


def start(cache: Path, *, seconds: float) -> subprocess.Popen[str]:
    program = str(Path(fake_translation.__file__))
    return subprocess.Popen(
        [sys.executable, program, str(cache), str(seconds)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def result(process: subprocess.Popen[str]) -> tuple[int, str]:
    """What a run says it computed, and the digest of its scores."""
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    computed, digest = output.split()
    return int(computed), digest


def entries(path: Path) -> int:
    if not path.is_file():
        return 0
    with sqlite3.connect(path, timeout=60) as connection:
        try:
            return int(connection.execute("SELECT count(*) FROM entries").fetchone()[0])
        except sqlite3.OperationalError:  # the table is not there yet
            return 0
