"""Words in another language or script: translations of a lexicon, Latin letters."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xner import schema
from xner._support.extras import require
from xner.errors import DataError
from xner.experiments.shift.base import Change, Unit, changed_word, word_units
from xner.experiments.shift.characters import without_marks
from xner.experiments.shift.edits import Edit, is_word

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from xner.experiments.shift._draws import Draws
    from xner.experiments.shift.base import State
    from xner.experiments.shift.edits import Corpus
    from xner.experiments.shift.options import Transliterator, Where

__all__ = ["CodeSwitch", "Transliteration"]


@dataclass(slots=True)
class CodeSwitch:
    """Words in place of which a translation stands.

    A word that the lexicon lacks is looked up in lower case; its translation then begins with a capital if it does.

    Args:
        corpus: that is shifted.
        lexicon: translations of words.
        where: which words may change.
    """

    corpus: Corpus
    lexicon: Mapping[str, tuple[tuple[str, ...], ...]]
    where: Where
    units: Sequence[Unit] = field(init=False)

    def __post_init__(self) -> None:
        self.units = word_units(self.corpus, self.where)

    def change(self, number: int, draws: Draws, state: State) -> Change | None:
        """See `Shift`."""
        row, start, end, _ = self.units[number]
        word = self.corpus.sentences[row].words[start]
        others = [one for one in self._translations(word) if one != (word,)]
        if not others:
            return None
        return changed_word(Edit(row, start, end, (word,), draws.one(others), "code-switch", "translation"), number)

    def _translations(self, word: str) -> Sequence[tuple[str, ...]]:
        if word in self.lexicon:
            return self.lexicon[word]
        found = self.lexicon.get(word.lower(), ())
        if not word[:1].isupper():
            return found
        return [(first[:1].upper() + first[1:], *rest) for first, *rest in found]

    def shortage(self) -> str:
        """See `Shift`."""
        return "the lexicon has no translation of the others"


@dataclass(slots=True)
class Transliteration:
    """Words in Latin letters; the units are those that this changes.

    Args:
        corpus: that is shifted.
        transliterator: what writes them.
        where: which words may change.

    Raises:
        MissingExtraError: the library is not installed.
        DataError: with `decomposition`, a word in another script.
    """

    corpus: Corpus
    transliterator: Transliterator
    where: Where
    units: Sequence[Unit] = field(init=False)
    _written: dict[str, str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        write: Callable[[str], str] = _decomposed
        if self.transliterator == "anyascii":
            write = require("anyascii", extra="transliterate", what="transliteration by anyascii").anyascii
        found = []
        for unit in word_units(self.corpus, self.where):
            word = self.corpus.sentences[unit.row].words[unit.start]
            if not word.isascii() and word not in self._written:
                try:
                    self._written[word] = "".join(write(word).split())
                except ValueError as error:
                    reason = f"{error}; transliterator='anyascii' writes all scripts"
                    raise DataError(unit.row, schema.TOKENS, repr(word), reason) from None
            written = self._written.get(word, word)
            if written != word and is_word(written):
                found.append(unit)
        self.units = found

    def change(self, number: int, draws: Draws, state: State) -> Change | None:
        """See `Shift`."""
        row, start, end, _ = self.units[number]
        word = self.corpus.sentences[row].words[start]
        edit = Edit(row, start, end, (word,), (self._written[word],), "transliterate", self.transliterator)
        return changed_word(edit, number)

    def shortage(self) -> str:
        """See `Shift`."""
        return ""


def _decomposed(word: str) -> str:
    """A word in plain Latin letters.

    Raises:
        ValueError: it has letters of another script.
    """
    found = without_marks(unicodedata.normalize("NFKC", word))
    for character in found:
        if not character.isascii() and character.isalpha():
            name = unicodedata.name(character, "")
            if not name.startswith("LATIN "):
                raise ValueError(f"{character!r} ({name or 'unnamed'}) has no Latin decomposition")
    return found
