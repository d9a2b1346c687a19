"""What the entries of a lexicon count on each level of folding, for a corpus that comes in blocks."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from xner.text.scripts import is_unspaced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xner.alignment._folding import Numbering, Side

__all__ = ["MOST_WORDS", "OF_PHRASES", "LexiconCounts"]

MOST_WORDS: Final = 3
"""Of an entry, on either side."""
OF_PHRASES: Final = 0.5
"""What an entry of several words counts, beside one of a word on each side; all pairs of its words share it."""

_NONE: Final = -1
_Integers: TypeAlias = npt.NDArray[np.int32]
_Flags: TypeAlias = npt.NDArray[np.bool_]
_Rows: TypeAlias = "tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float32]]"


class LexiconCounts:
    """What entries count with the words so far; what was found of one is kept for the blocks to come.

    Args:
        entries: of the lexicon.
        numberings: of both sides, which get more words from block to block.
    """

    def __init__(self, entries: Sequence[tuple[str, str, float]], numberings: tuple[Numbering, Numbering]) -> None:
        texts = ([source for source, _, _ in entries], [target for _, target, _ in entries])
        self._sides = [_Phrases(side, numbering) for side, numbering in zip(texts, numberings, strict=True)]
        self._weights = np.array([entry[2] for entry in entries], np.float64)

    def copy(self, numberings: tuple[Numbering, Numbering]) -> Self:
        """The same of copies of the numberings."""
        made = copy(self)
        made._sides = [side.copy(numbering) for side, numbering in zip(self._sides, numberings, strict=True)]
        return made

    def update(self) -> None:
        """Take in what sentences have had since the last time."""
        for side in self._sides:
            side.update()

    def rows(self, source: Side, scale: float) -> tuple[list[_Rows], int]:
        """What entries count, and how many of them have all their words in the sentences so far.

        By level: offsets by source type, target types in ascending order, and their pseudo-counts.

        Args:
            source: the source side.
            scale: the pseudo-count of an entry of weight 1. Of entries that fold alike the largest counts.
        """
        self.update()
        both = np.flatnonzero((self._sides[0].words[:, 0] != _NONE) & (self._sides[1].words[:, 0] != _NONE))
        words = [side.words[both] for side in self._sides]
        pairs = np.prod([(side != _NONE).sum(axis=1) for side in words], axis=0)
        weights = self._weights[both]
        shared = pairs > 1
        weights[shared] *= OF_PHRASES / pairs[shared]
        weights *= scale
        result = []
        hits = np.ones(len(both), np.bool_)
        for number, level in enumerate(source.levels):
            types = [side.types_of(found, number) for side, found in zip(self._sides, words, strict=True)]
            result.append(_level_rows(types[0], types[1], weights, len(level.texts)))
            if number == len(source.levels) - 1:
                for found, kinds in zip(words, types, strict=True):
                    hits &= ((kinds != _NONE) | (found == _NONE)).all(axis=1)
        return result, int(hits.sum())


def _level_rows(ones: _Integers, others: _Integers, weights: npt.NDArray[np.float64], size: int) -> _Rows:
    """What pairs of types count on a level, given the types of the words of each entry."""
    places = []
    for one in range(MOST_WORDS):
        known = ones[:, one] != _NONE
        for other in range(MOST_WORDS):
            entries = np.flatnonzero(known & (others[:, other] != _NONE))
            places.append((ones[entries, one], others[entries, other], weights[entries]))
    first, second, counts = (np.concatenate(parts) for parts in zip(*places, strict=True))
    keys = first.astype(np.int64) << 32 | second
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    starts = np.flatnonzero(np.concatenate([np.ones(min(len(keys), 1), np.bool_), keys[1:] != keys[:-1]]))
    highest = np.maximum.reduceat(counts[order], starts) if len(starts) else counts
    keys = keys[starts]
    offsets = np.searchsorted(keys >> 32, np.arange(size + 1)).astype(np.int64)
    return offsets, (keys & 0xFFFF_FFFF).astype(np.int32), highest.astype(np.float32)


class _Phrases:
    """One side of entries as words and types, as far as sentences have them.

    Attributes:
        words: by entry its words' numbers, then -1; none where it has too many words, or letters that no words of
            sentences make up.
    """

    def __init__(self, texts: Sequence[str], numbering: Numbering) -> None:
        self._numbering = numbering
        self._texts = list(dict.fromkeys(texts))
        places = {text: place for place, text in enumerate(self._texts)}
        self._text_of_entry = np.fromiter(map(places.__getitem__, texts), np.int32, len(texts))
        self._words_of_text = np.full((len(self._texts), MOST_WORDS), _NONE, np.int32)
        self._numbers: dict[str, int] = {}
        # By level: the forms of all words, their types, and how many types were looked up.
        self._forms: list[pa.Array[Any]] = [pa.array([], pa.large_binary()) for _ in range(numbering.levels)]
        self._types: list[_Integers] = [np.empty(0, np.int32) for _ in self._forms]
        self._looked_up = [0] * numbering.levels
        self._tokens = 0
        self._set_words(range(len(self._texts)))
        unspaced = [
            place for place, text in enumerate(self._texts) if any(is_unspaced(part[0]) for part in text.split())
        ]
        self._unspaced = np.array(unspaced, np.int64)
        self._watch = _Watch([self._texts[place] for place in unspaced])

    def copy(self, numbering: Numbering) -> Self:
        """The same of a copy of the numbering."""
        made = copy(self)
        made._numbering, made._numbers = numbering, self._numbers.copy()
        made._words_of_text = self._words_of_text.copy()
        made._forms, made._looked_up = self._forms.copy(), self._looked_up.copy()
        made._types = [types.copy() for types in self._types]
        return made

    @property
    def words(self) -> _Integers:
        return self._words_of_text[self._text_of_entry]

    def types_of(self, words: _Integers, level: int) -> _Integers:
        """Types of words; -1 where there is no word, or no sentence has the type."""
        return np.append(self._types[level], np.int32(_NONE))[words]

    def update(self) -> None:
        """Take in what sentences have had since the last time."""
        tokens = self._numbering.tokens(self._tokens)
        self._tokens += len(tokens)
        for level, forms in enumerate(self._forms):
            added = self._numbering.forms(level, self._looked_up[level])
            types = self._types[level]
            missing = np.flatnonzero(types == _NONE)
            found = pc.index_in(forms.take(missing), value_set=_as_bytes(added))
            places = found.fill_null(_NONE).to_numpy(zero_copy_only=False)
            types[missing] = np.where(places == _NONE, _NONE, places + self._looked_up[level])
            self._looked_up[level] += len(added)
        self._set_words(self._unspaced[self._watch.touched_by(tokens)].tolist())

    def _set_words(self, places: Sequence[int]) -> None:
        """Cut texts into words anew, and number words that are new."""
        before = len(self._numbers)
        for place in places:
            words = self._numbering.words_of(self._texts[place], MOST_WORDS) or []
            numbers = [self._numbers.setdefault(word, len(self._numbers)) for word in words]
            self._words_of_text[place] = numbers + [_NONE] * (MOST_WORDS - len(numbers))
        added = list(self._numbers)[before:]
        if not added:
            return
        by_level = list(zip(*map(self._numbering.forms_of, added), strict=True))
        for level, forms in enumerate(by_level):
            types = self._numbering.types_of(level, forms)
            self._types[level] = np.append(self._types[level], np.array(types, np.int32))
            self._forms[level] = pa.concat_arrays([self._forms[level], _as_bytes(forms)])


def _as_bytes(texts: Sequence[str]) -> pa.Array[Any]:
    """Texts that any Python string may be, halves of surrogates included."""
    return pa.array([text.encode("utf-8", "surrogatepass") for text in texts], pa.large_binary())


class _Watch:
    """Which texts have one of some words in them, or may have: what words begin with is looked for."""

    _SLOTS: Final = 1 << 20

    def __init__(self, texts: Sequence[str]) -> None:
        self._characters = _characters("".join(texts))
        self._starts = np.cumsum([0, *map(len, texts[:-1])]) if texts else np.empty(0, np.int64)

    def touched_by(self, words: Sequence[str]) -> _Flags:
        """By text, whether one of the words may be within it; never False where it is."""
        if not len(self._starts) or not words:
            return np.zeros(len(self._starts), np.bool_)
        alone = np.zeros(0x110000, np.bool_)
        alone[_characters("".join(word for word in words if len(word) == 1))] = True
        begun = np.zeros(self._SLOTS, np.bool_)
        begun[self._slots(_characters("".join(word[:2] for word in words if len(word) > 1)))[::2]] = True
        slots = np.append(self._slots(self._characters), 0)
        return np.logical_or.reduceat(alone[self._characters] | begun[slots], self._starts)

    def _slots(self, characters: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
        """Of each two characters one after the other."""
        return (characters[:-1] * np.uint32(2654435761) ^ characters[1:]) % np.uint32(self._SLOTS)


def _characters(text: str) -> npt.NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
