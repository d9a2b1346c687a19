"""Words of running text, with their places in it.

Translations come as text, projection works on words. Every splitter gives slices of the text, never changed ones:
quotes, dashes and combining marks stay what they were, and spans of characters become spans of words and back.
"""

from __future__ import annotations

import itertools
import unicodedata
from bisect import bisect_left, bisect_right
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from xner._support.extras import require
from xner.errors import Error, OptionError
from xner.text.languages import language as language_of
from xner.text.languages import meanings
from xner.text.scripts import UNSPACED_CODES, is_unspaced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

__all__ = [
    "SPLITTERS",
    "Word",
    "WordSplitter",
    "by_blanks",
    "choose_splitter",
    "split_words",
    "splitter_for",
    "words_within",
]


class Word(NamedTuple):
    """A word of a text.

    Attributes:
        text: the characters `[start, end)` of the text.
        start: place of its first character.
        end: one past its last character.
    """

    text: str
    start: int
    end: int


WordSplitter: TypeAlias = "Callable[[str], list[Word]]"


def by_blanks(text: str) -> list[Word]:
    """Words between white space; for text that is split already."""
    words = []
    start = 0
    for word in text.split():
        start = text.index(word, start)
        words.append(Word(word, start, start + len(word)))
        start += len(word)
    return words


def _by_treebank(text: str) -> list[Word]:
    """Words as the Penn Treebank has them, by NLTK's rules: punctuation apart, contractions in two.

    Source: https://www.cis.upenn.edu/~treebank/tokenization.html, in NLTK's version.
    """
    return list(_places(text, _treebank().tokenize(text)))


@lru_cache(maxsize=1)
def _treebank() -> Any:
    nltk = require("nltk.tokenize.destructive", extra="words", what="splitting text into words")
    return nltk.NLTKWordTokenizer()


# What the Treebank's rules make of quotes, and the quotes it may have been.
_QUOTES = {"``": ('"', "``", "''"), "''": ('"', "''", "``")}


def _places(text: str, tokens: Iterable[str]) -> Iterator[Word]:
    """Where tokens are in a text that consists of them and white space; its own quotes, whatever the tokens have."""
    at = 0
    for token in tokens:
        while text[at : at + 1].isspace():
            at += 1
        spelling = next((spelling for spelling in _QUOTES.get(token, (token,)) if text.startswith(spelling, at)), None)
        if spelling is None:
            raise Error(f"the word splitter has made {token!r} of {text[at : at + 40]!r}")
        yield Word(spelling, at, at + len(spelling))
        at += len(spelling)


def _by_jieba(text: str) -> list[Word]:
    """Chinese words, by jieba's dictionary and its model for words that it does not know, in Rust.

    Common Chinese characters are cut as the Python package `jieba` cuts them: alike in all of 750 real sentences of 13
    thousand words, and in random ones. But what it takes apart stays whole here: Latin words and numbers that a hyphen,
    underscore or full stop joins (`COVID-19`), and runs of rare characters (from U+3400 or U+20000).
    """
    rjieba = require("rjieba", extra="words", what="splitting Chinese text into words")
    return [Word(word, start, end) for word, start, end in rjieba.tokenize(text) if word.strip()]


def _by_newmm(text: str) -> list[Word]:
    """Thai words, by PyThaiNLP's dictionary (maximal matching within Thai character clusters)."""
    tokenize = require("pythainlp.tokenize", extra="words", what="splitting Thai text into words")
    tokens = (token.strip() for token in tokenize.word_tokenize(text, engine="newmm"))
    return list(_places(text, filter(None, tokens)))


def _by_icu(text: str) -> list[Word]:
    """Words by ICU's rules and dictionaries (Japanese, Lao, Khmer, Burmese and others). Needs PyICU.

    Source: Unicode Standard Annex 29.
    """
    icu = require("icu", extra="icu", what="splitting text into words with ICU")
    breaks = icu.BreakIterator.createWordInstance(icu.Locale.getRoot())
    breaks.setText(text)
    # ICU counts UTF-16 units, of which a character beyond the basic plane has two.
    units = list(itertools.accumulate((2 if ord(c) > 0xFFFF else 1 for c in text), initial=0))
    place = {unit: index for index, unit in enumerate(units)}
    ends = [place[unit] for unit in breaks]
    pieces = (Word(text[start:end], start, end) for start, end in itertools.pairwise([0, *ends]))
    return [word for word in pieces if word.text.strip()]


def _by_character(text: str) -> list[Word]:
    """Each character of an unspaced script is a word with its combining marks, as is a punctuation mark.

    The rest, letters of other scripts and numbers, is split by white space.
    """
    words = []
    for word in by_blanks(text):
        if word.text.isascii() and word.text.isalnum():  # as most are; the rest is slower to tell
            words.append(word)
            continue
        inside = range(word.start + 1, word.end)
        starts = [word.start, *(at for at in inside if not _joins(text[at - 1], text[at]))]
        words += [Word(text[start:end], start, end) for start, end in itertools.pairwise([*starts, word.end])]
    return words


def _joins(before: str, character: str) -> bool:
    """Whether a character goes with the one before it."""
    return _is_attached(character) or not (_stands_alone(before) or _stands_alone(character))


@lru_cache(maxsize=4096)
def _is_attached(character: str) -> bool:
    return unicodedata.category(character).startswith(("M", "C"))


@lru_cache(maxsize=4096)
def _stands_alone(character: str) -> bool:
    return is_unspaced(character) or unicodedata.category(character).startswith(("P", "S"))


SPLITTERS: Final[Mapping[str, WordSplitter]] = {
    "blanks": by_blanks,
    "treebank": _by_treebank,
    "jieba": _by_jieba,
    "newmm": _by_newmm,
    "icu": _by_icu,
    "characters": _by_character,
}
"""The ways to split, by name."""


def _has_icu() -> bool:
    from importlib.util import find_spec

    return find_spec("icu") is not None


def splitter_for(language: str) -> WordSplitter:
    """The splitter that suits a language.

    Args:
        language: a code with a script, as `yor_Latn`, or the name of a splitter in `SPLITTERS`.

    Returns:
        Jieba's for Chinese, PyThaiNLP's for Thai, ICU's for other scripts without blanks if PyICU is there, single
        characters if not, and the Treebank's rules for everything else.
    """
    if language in SPLITTERS:
        return SPLITTERS[language]
    name, _, script = language.partition("_")
    if len(name) not in {2, 3} or len(script) != 4:
        names = ", ".join(map(repr, SPLITTERS))
        raise OptionError(f"language={language!r}: expected a code with a script, as yor_Latn, or one of {names}")
    if script in {"Hans", "Hant", "Hani"}:
        return _by_jieba
    if script == "Thai":
        return _by_newmm
    if script in UNSPACED_CODES:
        return _by_icu if _has_icu() else _by_character
    return _by_treebank


def choose_splitter(language: str | WordSplitter) -> WordSplitter:
    """The splitter that a user means.

    Args:
        language: any spelling of one (`yor_Latn`, `yo`, `Yoruba`, `zh`), the name of a splitter in `SPLITTERS`, or a
            function from a text to its words, which is taken as it is.

    Raises:
        Error: an unknown language, or one that is split in different ways in different scripts, where none is named.
    """
    if not isinstance(language, str):
        if not callable(language):
            raise OptionError(f"language={language!r}: expected a language, or a function from a text to its words")
        return language
    name, _, script = language.partition("_")
    if language in SPLITTERS or (len(name) in {2, 3} and len(script) == 4):
        return splitter_for(language)
    # Of a language in several scripts it matters alone whether they are split alike, as both of Chinese are.
    fitting = {splitter_for(one.code) for one in meanings(language)}
    return fitting.pop() if len(fitting) == 1 else splitter_for(language_of(language).code)


def split_words(text: str, language: str) -> list[Word]:
    """Split a text into words.

    Args:
        text: any text; what it has of white space is no part of a word.
        language: as for `splitter_for`.

    Returns:
        The words in order; every character that is not white space belongs to one of them.

    Raises:
        Error: an unknown language, or a library that the language needs is not installed.
    """
    return splitter_for(language)(text)


def words_within(words: Sequence[Word], start: int, end: int) -> tuple[int, int]:
    """The words that a range of characters touches.

    Args:
        words: of the text, in order.
        start: the range's first character.
        end: one past its last one.

    Returns:
        First word and one past the last word; the same number twice where it touches none.
    """
    first = bisect_right(words, start, key=lambda word: word.end)
    return first, bisect_left(words, end, first, key=lambda word: word.start)
