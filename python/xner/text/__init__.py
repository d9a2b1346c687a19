"""Languages, scripts, and the words of running text."""

from __future__ import annotations

from xner._support.faces import listing
from xner.text.detokenization import detokenize, detokenize_with_places
from xner.text.languages import Language, language, meanings, model_code
from xner.text.romanization import romanize
from xner.text.word_splitting import (
    SPLITTERS,
    Word,
    WordSplitter,
    by_blanks,
    choose_splitter,
    split_words,
    splitter_for,
    words_within,
)

__all__ = [
    "SPLITTERS",
    "Language",
    "Word",
    "WordSplitter",
    "by_blanks",
    "choose_splitter",
    "detokenize",
    "detokenize_with_places",
    "language",
    "meanings",
    "model_code",
    "romanize",
    "split_words",
    "splitter_for",
    "words_within",
]

__dir__ = listing(__all__)
