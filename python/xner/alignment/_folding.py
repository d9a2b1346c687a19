"""Words as the core's aligner sees them: folded into types on several levels, and numbered."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Self, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

import xner._core as _core
from xner._support.arrow import flattened, pylist
from xner._support.sentences import Sentences, to_arrow
from xner.errors import DataError, Error
from xner.text.normalization import normalize
from xner.text.romanization import romanize
from xner.text.scripts import is_unspaced

__all__ = [
    "FOLDS",
    "Fold",
    "Folding",
    "Integers",
    "NewWords",
    "Numbering",
    "Side",
    "check_words",
    "corpus_of",
    "fold_names",
    "fold_side",
    "row_offsets",
]

Fold: TypeAlias = Callable[[str], str]
Folding: TypeAlias = "str | Fold | tuple[Fold, ...]"
"""A key of `FOLDS`, a function, or several from coarse to fine."""

Integers: TypeAlias = npt.NDArray[np.int32]
_Offsets: TypeAlias = npt.NDArray[np.int64]

_PREFIXES = (3, 5, 8)

# `xner::WordKind` of the core.
_PLAIN, _CAPITALISED, _NUMBER, _SYMBOL = range(4)


def _kind(token: str) -> int:
    """What a token looks like at first sight."""
    if any(c.isnumeric() for c in token):
        return _NUMBER
    if any(c.isalpha() for c in token):
        return _CAPITALISED if token[0].isupper() else _PLAIN
    return _SYMBOL


def _by_prefix(token: str) -> tuple[str, ...]:
    text = normalize(token)
    return tuple(text[:length] for length in _PREFIXES)


def _by_character(token: str) -> tuple[str, ...]:
    text = normalize(token)
    return text[:1], text[-1:], text


def _by_script(token: str) -> tuple[str, ...]:
    return _by_character(token) if is_unspaced(normalize(token)[:1]) else _by_prefix(token)


def _unfolded(token: str) -> tuple[str, ...]:
    return (token,)


FOLDS: Final[Mapping[str, Callable[[str], tuple[str, ...]]]] = {
    "auto": _by_script,
    "prefix": _by_prefix,
    "characters": _by_character,
    "none": _unfolded,
}
"""The foldings that have names: each takes a token to its forms, from coarse to fine."""


def _forms_of(fold: Folding) -> Callable[[str], tuple[str, ...]]:
    """The function that takes a token to its forms on all levels."""
    if isinstance(fold, str):
        return FOLDS[fold]
    folds = fold if isinstance(fold, tuple) else (fold,)

    def forms(token: str) -> tuple[str, ...]:
        results = tuple(function(token) for function in folds)
        for result in results:
            if not isinstance(result, str):
                raise Error(f"fold: expected a str for token {token!r}, got {result!r}")
        return results

    return forms


@dataclass(frozen=True, slots=True)
class Level:
    """One level of folding of one side.

    Attributes:
        types: by word, its type.
        texts: by type, its folded form.
        spellings: by type, the letters by which it is compared.
    """

    types: Integers
    texts: list[str]
    spellings: list[str]


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a corpus: row i holds the words `words[offsets[i]:offsets[i + 1]]`.

    Attributes:
        kinds: by word, see `_kind`.
    """

    offsets: _Offsets
    words: Integers
    kinds: npt.NDArray[np.uint8]
    levels: tuple[Level, ...]


def row_offsets(sentences: pa.Array[Any]) -> _Offsets:
    """Where rows of words begin, and the end: int64, rows + 1. A missing row is an empty one."""
    lengths = pc.list_value_length(sentences).fill_null(0).to_numpy(zero_copy_only=False)
    offsets = np.zeros(len(sentences) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def check_words(sentences: pa.Array[Any], column: str) -> None:
    """Look for words that are missing.

    Raises:
        DataError: there is one.
    """
    values = flattened(sentences)
    if values.null_count:
        missing = int(pc.index(values.is_null(), pa.scalar(True)).as_py())
        row = int(np.searchsorted(row_offsets(sentences), missing, side="right")) - 1
        raise DataError(row, column, "null", "a word is missing")


def _tokens(sentences: pa.Array[Any], column: str) -> tuple[_Offsets, Integers, list[str]]:
    """Row offsets, token ids, and the distinct tokens."""
    check_words(sentences, column)
    values = flattened(sentences)
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    encoded = values.cast(pa.large_string()).dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    return (
        row_offsets(sentences),
        encoded.indices.to_numpy(zero_copy_only=False).astype(np.int32),
        pylist(encoded.dictionary),
    )


@dataclass(frozen=True, slots=True)
class NewWords:
    """The words of one side that a block has and its past has not.

    Attributes:
        tokens: as sentences have them.
        words: by token, its word.
        types: by level, and by word beyond those of the past, its type.
        known: how many words the past has.
        known_types: by level, how many types it has.
    """

    tokens: list[str]
    words: Integers
    types: tuple[Integers, ...]
    known: int
    known_types: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Numbers:
    """Where the words and types of a block are in another numbering.

    Attributes:
        words: by word of the block.
        types: by level and type of the block.
    """

    words: Integers
    types: tuple[Integers, ...]


class Numbering:
    """The words and types of one side, numbered by first occurrence; more sentences may add to them.

    Args:
        fold: see `Folding`.
        romanized: whether types are compared as `romanize` spells them.
    """

    def __init__(self, fold: Folding, *, romanized: bool) -> None:
        self._forms = _forms_of(fold)
        self._spelling: Fold = romanize if romanized else str
        self._word_of_token: dict[str, int] = {}
        self._words: dict[tuple[int, tuple[str, ...]], int] = {}
        self._kinds = array("B")
        levels = len(self._forms("x")) if isinstance(fold, str) else len(fold) if isinstance(fold, tuple) else 1
        self._types: list[dict[str, int]] = [{} for _ in range(levels)]
        self._spellings: list[list[str]] = [[] for _ in self._types]
        self._type_of_word = [array("i") for _ in self._types]

    @property
    def levels(self) -> int:
        """How many levels there are."""
        return len(self._types)

    def copy(self) -> Self:
        """One with the same words, to which others may be added."""
        made = copy(self)
        made._word_of_token, made._words, made._kinds = self._word_of_token.copy(), self._words.copy(), self._kinds[:]
        made._types = [types.copy() for types in self._types]
        made._spellings = [spellings.copy() for spellings in self._spellings]
        made._type_of_word = [of_word[:] for of_word in self._type_of_word]
        return made

    def since(self, past: Self) -> NewWords:
        """What it has beyond the numbering that it is a copy of."""
        tokens = self.tokens(len(past._word_of_token))
        known = len(past._kinds)
        return NewWords(
            tokens,
            np.fromiter(map(self._word, tokens), np.int32, len(tokens)),
            tuple(np.array(of_word[known:], np.int32) for of_word in self._type_of_word),
            known,
            tuple(map(len, past._types)),
        )

    def take_in(self, new: NewWords) -> Numbers:
        """Add the new words of a block; it has those of its past under the same numbers."""
        words = np.arange(new.known + len(new.types[0]), dtype=np.int32)
        words[new.words] = np.fromiter(map(self._word, new.tokens), np.int32, len(new.tokens))
        numbers = []
        for known, types, of_word in zip(new.known_types, new.types, self._type_of_word, strict=True):
            of_level = np.arange(max(known, int(types.max(initial=-1)) + 1), dtype=np.int32)
            of_level[types] = np.array(of_word, np.int32)[words[new.known :]]
            numbers.append(of_level)
        return Numbers(words, tuple(numbers))

    def number(self, sentences: Sentences, column: str) -> Side:
        """Rows of words as numbers, with all words and types so far; each distinct token is folded once.

        Args:
            sentences: rows of words.
            column: what errors call them.
        """
        offsets, tokens, distinct = _tokens(to_arrow(sentences, column), column)
        word_of = np.fromiter(map(self._word, distinct), np.int32, len(distinct))
        levels = tuple(
            Level(np.array(of_word, np.int32), list(types), spellings)
            for of_word, types, spellings in zip(self._type_of_word, self._types, self._spellings, strict=True)
        )
        return Side(offsets, word_of[tokens], np.array(self._kinds, np.uint8), levels)

    def forms_of(self, word: str) -> tuple[str, ...]:
        """By level, what a word is folded to."""
        return self._forms(word)

    def types_of(self, level: int, forms: Iterable[str]) -> list[int]:
        """The types of folded words, which are not added; -1 where no sentence has one."""
        types = self._types[level]
        return [types.get(form, -1) for form in forms]

    def tokens(self, since: int) -> list[str]:
        """The distinct words as sentences have them, but for the first ones."""
        return list(islice(self._word_of_token, since, None))

    def forms(self, level: int, since: int) -> list[str]:
        """The folded words of a level, by type, but for the first ones."""
        return list(islice(self._types[level], since, None))

    def words_of(self, text: str, most: int) -> list[str] | None:
        """The words that a phrase consists of; what is written without blanks is cut into words that sentences have.

        Args:
            text: words between blanks.
            most: how many there may be.

        Returns:
            None where there are more, or letters that no words of sentences make up.
        """
        words: list[str] = []
        for part in text.split():
            if part not in self._word_of_token and is_unspaced(part[0]):
                cut = self._cut(part, most - len(words))
                if cut is None:
                    return None
                words += cut
            else:
                words.append(part)
        return words if 0 < len(words) <= most else None

    def _cut(self, text: str, most: int) -> list[str] | None:
        """Into words of sentences, each as long as can be; None where there is none or there are too many."""
        words: list[str] = []
        while text and len(words) < most:
            end = next((end for end in range(len(text), 0, -1) if text[:end] in self._word_of_token), 0)
            if not end:
                return None
            words.append(text[:end])
            text = text[end:]
        return None if text else words

    def _word(self, token: str) -> int:
        known = self._word_of_token.get(token)
        if known is not None:
            return known
        kind, forms = _kind(token), self._forms(token)
        word = self._words.setdefault((kind, forms), len(self._words))
        if word == len(self._kinds):
            self._kinds.append(kind)
            levels = zip(forms, self._types, self._spellings, self._type_of_word, strict=True)
            for form, types, spellings, of_word in levels:
                of_word.append(types.setdefault(form, len(types)))
                if len(spellings) < len(types):
                    spellings.append(self._spelling(form))
        self._word_of_token[token] = word
        return word


def fold_side(sentences: Sentences, column: str, fold: Folding, *, romanized: bool) -> Side:
    """Fold every distinct token once and number types and words by first occurrence."""
    return Numbering(fold, romanized=romanized).number(sentences, column)


def _code_points(texts: Sequence[str]) -> tuple[_Offsets, npt.NDArray[np.uint32]]:
    offsets = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(text) for text in texts], out=offsets[1:])
    return offsets, np.frombuffer("".join(texts).encode("utf-32-le"), np.uint32)


def corpus_of(source: Side, target: Side) -> _core.AlignerCorpus:
    """Both sides for the core.

    Raises:
        Error: they have different numbers of rows.
    """
    rows, other_rows = len(source.offsets) - 1, len(target.offsets) - 1
    if rows != other_rows:
        raise Error(
            f"expected as many target as source sentences, found {rows} source and {other_rows} target sentences"
        )
    corpus = _core.AlignerCorpus(source.offsets, source.words, source.kinds, target.offsets, target.words, target.kinds)
    for left, right in zip(source.levels, target.levels, strict=True):
        texts = (_code_points(level.spellings) for level in (left, right))
        corpus.add_level(left.types, *next(texts), right.types, *next(texts))
    return corpus


def fold_names(fold: Folding) -> list[str]:
    """A folding as text: its name, or `module.function` of each function."""
    if isinstance(fold, str):
        return [fold]
    return [_name(function) for function in (fold if isinstance(fold, tuple) else (fold,))]


def _name(function: Fold) -> str:
    kind = type(function)
    return f"{getattr(function, '__module__', kind.__module__)}.{getattr(function, '__qualname__', kind.__qualname__)}"
