"""Filters by the words themselves: punctuation, affixes, compounds."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

import numpy as np

from xner import schema
from xner._support import arguments as _arguments
from xner._support.arguments import choose
from xner.errors import OptionError
from xner.text.normalization import normalize

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa

    from xner.filters.entities import Answer, Entities, Flags, Integers

__all__ = [
    "DETERMINERS",
    "Affixes",
    "Compound",
    "TrimDeterminers",
    "TrimPunctuation",
    "is_prefix",
    "is_punctuation",
    "is_suffix",
]

_APOSTROPHES = tuple("'’ʼ`´")
_JOINERS = (*_APOSTROPHES, *"-‐‑:·")  # hyphens, the colon of Finnish and Swedish, Catalan's middle dot


def is_punctuation(word: str) -> bool:
    """Whether a word is nothing but punctuation."""
    return bool(word) and all(unicodedata.category(character).startswith("P") for character in word)


def is_suffix(word: str) -> bool:
    """Whether a word shows by its first character that it belongs to the word before: `'s`, `’da`, `:n`, `-lla`."""
    return word.startswith(_JOINERS) and word[1:].isalpha()


def is_prefix(word: str) -> bool:
    """Whether a word shows by its last character that it belongs to the word behind: `l'`, `dell’`.

    A hyphen does not show it: `Wirtschafts-` in `Wirtschafts- und Währungsausschuss` is part of the name.
    """
    return word.endswith(_APOSTROPHES) and word[:-1].isalpha()


def _is_joiner(word: str) -> bool:
    return word in _JOINERS


@dataclass(frozen=True, slots=True)
class TrimPunctuation:
    """Takes punctuation off the ends of spans, unless the source entity has some at the same end.

    An entity of nothing but punctuation is dropped.
    """

    name: ClassVar[str] = "trim-punctuation"
    columns: ClassVar[tuple[str, ...]] = (schema.SOURCE_TOKENS,)
    tried: ClassVar[tuple[object, ...]] = ("",)

    def apply(self, entities: Entities) -> None:
        """Filter."""
        is_mark = entities.words(schema.TOKENS).ask(is_punctuation)
        in_source = entities.words(schema.SOURCE_TOKENS).ask(is_punctuation)
        row = entities.row
        start, end = _trimmed(
            entities,
            goes_first=is_mark,
            goes_last=is_mark,
            keep_first=in_source(row, entities.source_start),
            keep_last=in_source(row, entities.source_end - 1),
            least=0,
        )
        empty = start == end
        entities.drop(empty, self.name)
        entities.adjust(start[~empty], end[~empty], self.name)


DETERMINERS: Final[Mapping[str, tuple[str, ...]]] = {
    "ca": ("el", "la", "els", "les", "l'", "un", "una", "uns", "unes", "en", "na"),
    "da": ("den", "det", "de", "en", "et"),
    "de": ("der", "die", "das", "des", "dem", "den", "ein", "eine", "einer", "eines", "einem", "einen"),
    "el": ("ο", "η", "το", "οι", "τα", "τον", "την", "τη", "του", "της", "των", "τους", "τις"),
    "en": ("the", "a", "an"),
    "es": ("el", "la", "los", "las", "lo", "un", "una", "unos", "unas"),
    "fr": ("le", "la", "les", "l'", "l’", "un", "une", "des", "du"),
    "hu": ("a", "az", "egy"),
    "it": ("il", "lo", "la", "i", "gli", "le", "l'", "l’", "un", "uno", "una", "un'"),
    "nl": ("de", "het", "een", "'t"),
    "no": ("den", "det", "de", "en", "ei", "et"),
    "pt": ("o", "a", "os", "as", "um", "uma", "uns", "umas"),
    "sv": ("den", "det", "de", "en", "ett"),
}
"""Articles by language, in lower case: words that some annotate as parts of names and others do not."""


@dataclass(frozen=True, slots=True)
class TrimDeterminers:
    """Takes articles off the beginning of spans, for gold labels without them; never the last word.

    Attributes:
        languages: whose articles: codes of `DETERMINERS`.
        words: further words, in lower case.

    Raises:
        OptionError: a language without a list, or neither languages nor words.
    """

    name: ClassVar[str] = "trim-determiners"
    columns: ClassVar[tuple[str, ...]] = ()
    languages: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for option in ("languages", "words"):
            _arguments.words(f"trim-determiners {option}", getattr(self, option))
        for language in self.languages:
            if language not in DETERMINERS:
                known = ", ".join(DETERMINERS)
                raise OptionError(f"trim-determiners: no list for {language!r}; there are {known}, or words")
        if not (self.languages or self.words):
            raise OptionError("trim-determiners: name languages (trim-determiners=de) or words")

    def apply(self, entities: Entities) -> None:
        """Filter."""
        listed = {*self.words, *(word for language in self.languages for word in DETERMINERS[language])}
        nothing = np.zeros(len(entities.row), np.bool_)
        start, end = _trimmed(
            entities,
            goes_first=entities.words(schema.TOKENS).ask(lambda word: word.casefold() in listed),
            goes_last=lambda row, place: np.zeros(len(row), np.bool_),
            keep_first=nothing,
            keep_last=nothing,
            least=1,
        )
        entities.adjust(start, end, self.name)


@dataclass(frozen=True, slots=True)
class Affixes:
    """Strips affixes that are words of their own off names, or attaches them: case endings, articles, clitics.

    Words that show where they belong are recognised anywhere: suffixes by an apostrophe, hyphen or colon in front
    (`'s`, `'da`, `:n`, `-lla`), prefixes by an apostrophe behind (`l'`). Others have to be listed: `da` in
    `Ankara ' da`, `e` in `e Goli`, `u-`; apostrophes, hyphens and colons between one and the name go with it. Where
    name and affix are one word, the word is the entity, as labels are a word's; see `Compound` for longer ones.

    Attributes:
        policy: `strip` takes affixes off the ends of spans, but for those that the source entity has at the same end,
            and never the last word; `attach` takes in those directly beside a span, unless they are another entity's.
        suffixes: further suffixes, in lower case.
        prefixes: further prefixes, in lower case.
    """

    name: ClassVar[str] = "affixes"
    columns: ClassVar[tuple[str, ...]] = (schema.SOURCE_TOKENS,)
    policy: Literal["strip", "attach"]
    suffixes: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        choose("affixes", self.policy, dict.fromkeys(("strip", "attach")))
        for option in ("suffixes", "prefixes"):
            _arguments.words(f"affixes {option}", getattr(self, option))

    def apply(self, entities: Entities) -> None:
        """Filter."""
        if self.policy == "strip":
            self._strip(entities)
        else:
            self._attach(entities)

    def _ends(self, word: str) -> bool:
        return is_suffix(word) or word.casefold() in self.suffixes

    def _begins(self, word: str) -> bool:
        return is_prefix(word) or word.casefold() in self.prefixes

    def _strip(self, entities: Entities) -> None:
        target, source = entities.words(schema.TOKENS), entities.words(schema.SOURCE_TOKENS)
        row = entities.row
        start, end = _trimmed(
            entities,
            goes_first=target.ask(lambda word: self._begins(word) or _is_joiner(word)),
            goes_last=target.ask(lambda word: self._ends(word) or _is_joiner(word)),
            keep_first=source.ask(self._begins)(row, entities.source_start),
            keep_last=source.ask(self._ends)(row, entities.source_end - 1),
            least=1,
        )
        entities.adjust(start, end, self.name)

    def _attach(self, entities: Entities) -> None:
        target = entities.words(schema.TOKENS)
        row = entities.row
        joins = target.ask(_is_joiner)
        end = entities.end + _affixes_beside(
            row,
            entities.end,
            _next_starts(row, entities.start, entities.end, entities.lengths()) - entities.end,
            1,
            whole=target.ask(self._ends),
            joins=joins,
            listed=target.ask(lambda word: word.casefold() in self.suffixes),
        )
        start = entities.start - _affixes_beside(
            row,
            entities.start - 1,
            entities.start - _last_ends(row, entities.start, end),
            -1,
            whole=target.ask(self._begins),
            joins=joins,
            listed=target.ask(lambda word: word.casefold() in self.prefixes),
        )
        entities.adjust(start, end, self.name)


@dataclass(frozen=True, slots=True)
class Compound:
    """Drops entities of which a word has more letters beside the name: `Merkel-Regierung` for `Merkel`.

    Where the last target word begins with the last source word, or the first ends with the first, in lower case without
    diacritics, what is left over is an affix or another word; letters tell which.

    Attributes:
        longest: most letters of an affix.
    """

    name: ClassVar[str] = "compound"
    columns: ClassVar[tuple[str, ...]] = (schema.SOURCE_TOKENS,)
    longest: int = 4

    def __post_init__(self) -> None:
        _arguments.whole_number("compound", self.longest, 0)

    def apply(self, entities: Entities) -> None:
        """Filter."""
        target, source = entities.words(schema.TOKENS), entities.words(schema.SOURCE_TOKENS)
        row = entities.row
        last = _ask_pairs(
            source.take(row, entities.source_end - 1),
            target.take(row, entities.end - 1),
            lambda name, word: word.startswith(name) and self._is_word(word[len(name) :]),
        )
        first = _ask_pairs(
            source.take(row, entities.source_start),
            target.take(row, entities.start),
            lambda name, word: word.endswith(name) and self._is_word(word[: len(word) - len(name)]),
        )
        entities.drop(last | first, self.name)

    def _is_word(self, text: str) -> bool:
        return sum(character.isalpha() for character in text) > self.longest


def _trimmed(
    entities: Entities, *, goes_first: Answer, goes_last: Answer, keep_first: Flags, keep_last: Flags, least: int
) -> tuple[Integers, Integers]:
    """Spans less the words at their ends that go, down to `least` words."""
    row, start, end = entities.row, entities.start.copy(), entities.end.copy()
    while True:
        first = np.flatnonzero((end - start > least) & ~keep_first)
        first = first[goes_first(row[first], start[first])]
        start[first] += 1
        last = np.flatnonzero((end - start > least) & ~keep_last)
        last = last[goes_last(row[last], end[last] - 1)]
        end[last] -= 1
        if not (len(first) or len(last)):
            return start, end


def _affixes_beside(
    row: Integers, place: Integers, room: Integers, step: int, *, whole: Answer, joins: Answer, listed: Answer
) -> Integers:
    """How many words beside each span are affixes of it.

    Args:
        row: of the span.
        place: the first word beside it.
        room: how many words there are free on that side.
        step: 1 to the right, -1 to the left.
        whole: whether a word is an affix.
        joins: whether a word joins an affix to a name.
        listed: whether a word is an affix behind such a one.
    """
    taken = np.zeros(len(row), np.int64)
    open_ = np.arange(len(row))
    while len(open_):
        open_ = open_[taken[open_] < room[open_]]
        at = place[open_] + step * taken[open_]
        alone = whole(row[open_], at)
        joined = np.zeros(len(open_), np.bool_)
        pairs = np.flatnonzero(~alone & (taken[open_] + 1 < room[open_]))
        of = row[open_][pairs]
        joined[pairs] = joins(of, at[pairs]) & listed(of, at[pairs] + step)
        taken[open_] += alone + 2 * joined
        open_ = open_[alone | joined]
    return taken


def _next_starts(row: Integers, start: Integers, end: Integers, lengths: Integers) -> Integers:
    """For each span, where the next one of its sentence begins, or the sentence's end."""
    order = np.lexsort((start, row))
    result = lengths.copy()
    same = row[order][1:] == row[order][:-1]
    result[order[:-1][same]] = start[order[1:][same]]
    return np.maximum(result, end)


def _last_ends(row: Integers, start: Integers, end: Integers) -> Integers:
    """For each span, where the one before it ends, or 0."""
    order = np.lexsort((start, row))
    result = np.zeros(len(row), np.int64)
    same = row[order][1:] == row[order][:-1]
    result[order[1:][same]] = end[order[:-1][same]]
    return np.minimum(result, start)


def _ask_pairs(names: pa.Array[Any], words: pa.Array[Any], question: Callable[[str, str], bool]) -> Flags:
    """Answers for pairs of words, folded; each distinct pair is asked about once."""
    fold = cache(normalize)
    ask = cache(lambda name, word: question(fold(name), fold(word)))
    return np.array(list(map(ask, names.to_pylist(), words.to_pylist())), np.bool_)
