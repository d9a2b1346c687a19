"""Word splitters: slices of the text, complete, in order; and the languages' own ways."""

from __future__ import annotations

import sys
import unicodedata
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from xner import Error
from xner.text import SPLITTERS, Word, by_blanks, choose_splitter, split_words, splitter_for, words_within

HERE = [name for name in SPLITTERS if name != "icu"]  # which needs a library that is built from source
OF_WORDS = ("treebank", "jieba", "newmm")

TEXT = st.text(
    alphabet=st.one_of(
        st.sampled_from("ab A'\"`.,-–—„“”«»()[]0159 \t\u00a0\u3000\u200b\u200d"),
        st.sampled_from("東京へ行くทดสอบภาษາລາວខ្មែរမြန်မာ。、「」ẹ́ọ̀\U0001f600"),
        st.characters(codec="utf-8"),
    ),
    max_size=40,
)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.needs("words") if name in OF_WORDS else ()) for name in HERE]
)
@given(text=TEXT)
@example(text="")
@example(text=" \n ")
@example(text="``a'' \"b\" ''c`` (\"d\")")
@example(text='"\'"')
@example(text="U+3000\u3000blank, e\u0301\u0301 and \U0001f469\u200d\U0001f680!")
def test_words_are_slices_that_leave_nothing_out(name: str, text: str) -> None:
    words = SPLITTERS[name](text)
    end = 0
    for word in words:
        assert word.text == text[word.start : word.end]
        assert word.text
        assert not text[end : word.start].strip(), "only white space is left out"
        end = word.end
    assert not text[end:].strip()


def texts(text: str, language: str) -> list[str]:
    return [word.text for word in split_words(text, language)]


@pytest.mark.needs("words")
def test_treebank_rules() -> None:
    text = "\"I don't,\" said Mr. O'Neill (64) of St. John's, 'won 3,000.50 EUR'."
    assert texts(text, "eng_Latn") == [
        *('"', "I", "do", "n't", ",", '"', "said", "Mr.", "O'Neill", "(", "64", ")", "of", "St.", "John", "'s", ","),
        *("'", "won", "3,000.50", "EUR", "'", "."),
    ]
    assert texts("Wọ́n ní: „Ẹ kú àárọ̀“ – Adé.", "yor_Latn") == [
        *("Wọ́n", "ní", ":", "„", "Ẹ", "kú", "àárọ̀", "“", "–", "Adé", "."),
    ]


@pytest.mark.needs("words")
def test_chinese_words() -> None:
    assert texts("他来到了网易杭研大厦。", "zho_Hans") == ["他", "来到", "了", "网易", "杭研", "大厦", "。"]
    assert texts("COVID-19疫情和B-2轰炸机", "zho_Hans") == ["COVID-19", "疫情", "和", "B-2", "轰炸机"]


@pytest.mark.needs("words")
def test_thai_words() -> None:
    assert texts("ผมรักภาษาไทย 2024", "tha_Thai") == ["ผม", "รัก", "ภาษาไทย", "2024"]


def test_characters() -> None:
    assert texts("東京でAngela Merkelが。」", "characters") == ["東", "京", "で", "Angela", "Merkel", "が", "。", "」"]
    khmer = "ខ្មែរ"
    found = texts(khmer, "characters")
    assert "".join(found) == khmer
    assert not any(unicodedata.category(word[0]).startswith("M") for word in found)


def test_languages_have_splitters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xner.text.word_splitting._has_icu", lambda: False)
    expected = {
        "eng_Latn": "treebank",
        "sw_Latn": "treebank",
        "amh_Ethi": "treebank",
        "zho_Hant": "jieba",
        "tha_Thai": "newmm",
        "jpn_Jpan": "characters",
        "khm_Khmr": "characters",
        "blanks": "blanks",
    }
    assert {language: splitter_for(language) for language in expected} == {
        language: SPLITTERS[name] for language, name in expected.items()
    }
    monkeypatch.setattr("xner.text.word_splitting._has_icu", lambda: True)
    assert splitter_for("jpn_Jpan") is SPLITTERS["icu"]


@pytest.mark.parametrize("language", ["", "english", "eng", "eng_Latin", "treebanks"])
def test_unknown_languages(language: str) -> None:
    with pytest.raises(Error, match=f"language='{language}': expected a code with a script, as yor_Latn"):
        split_words("a", language)


def test_a_splitter_is_chosen_by_any_spelling_of_a_language() -> None:
    chosen = {language: choose_splitter(language) for language in ("yo", "Yoruba", "eng_Latn", "tha", "blanks")}
    names = {"yo": "treebank", "Yoruba": "treebank", "eng_Latn": "treebank", "tha": "newmm", "blanks": "blanks"}
    assert chosen == {language: SPLITTERS[name] for language, name in names.items()}
    assert choose_splitter(by_blanks) is by_blanks
    for chinese in ("zh", "zho", "cmn", "Chinese", "zh-SG"):
        assert choose_splitter(chinese) is SPLITTERS["jieba"], "both scripts are split alike"
    assert choose_splitter("no") is SPLITTERS["treebank"]
    with pytest.raises(Error, match="language 'treebanks' is unknown"):
        choose_splitter("treebanks")


def test_of_scripts_that_are_split_in_different_ways_one_has_to_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    other: Any = {"zho_Hans": SPLITTERS["jieba"], "zho_Hant": SPLITTERS["icu"]}
    monkeypatch.setattr("xner.text.word_splitting.splitter_for", other.__getitem__)
    with pytest.raises(Error, match=r"language 'zh' may be zho_Hans .*: say which"):
        choose_splitter("zh")


class FakeBreaks(list[int]):
    """What ICU gives: ends in UTF-16 units."""

    def setText(self, text: str) -> None:  # noqa: N802  # ICU's name
        units = 0
        for character in text:
            units += len(character.encode("utf-16-le")) // 2
            self.append(units)


def test_icu_counts_other_units(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a stand-in that breaks after every character."""

    class Icu:
        class Locale:
            getRoot = staticmethod(lambda: None)  # noqa: N815  # ICU's name

        class BreakIterator:
            createWordInstance = staticmethod(lambda locale: FakeBreaks())  # noqa: N815  # ICU's name

    module: Any = Icu()
    monkeypatch.setitem(sys.modules, "icu", module)
    text = "a\U0001f600 東b"
    assert SPLITTERS["icu"](text) == [Word(text[i], i, i + 1) for i in (0, 1, 3, 4)]


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "icu", None)
    with pytest.raises(Error, match=r"needs icu, which is not installed; pip install 'xner\[icu\]'"):
        SPLITTERS["icu"]("a")


@given(TEXT, st.data())
def test_ranges_of_characters_become_ranges_of_words(text: str, data: st.DataObject) -> None:
    words = by_blanks(text)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    first, last = words_within(words, start, end)
    touched = [index for index, word in enumerate(words) if word.start < end and start < word.end]
    assert list(range(first, last)) == touched
