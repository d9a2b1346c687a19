"""Bilingual word lists: what is known of two languages before a sentence pair is seen."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xner.alignment._dictionaries import articles, files, is_dictionary, translations
from xner.errors import FormatError, OptionError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from xner.alignment._folding import Numbering, Side

__all__ = ["Lexicon"]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Pairs of words that translate each other.

    Attributes:
        entries: source word, target word, and how much the pair counts; 1 is as much as others.
        left_out: entries of files that are not one word on each side.

    Raises:
        OptionError: an entry is none.
    """

    entries: tuple[tuple[str, str, float], ...] = field(repr=False)
    left_out: int = 0

    def __post_init__(self) -> None:
        for number, entry in enumerate(self.entries):
            source, target, weight = entry
            if not (isinstance(source, str) and isinstance(target, str) and source and target):
                raise OptionError(f"lexicon: entry {number} is {entry!r}: expected two words and a number")
            if not (isinstance(weight, int | float) and 0 <= weight < math.inf):
                raise OptionError(f"lexicon: entry {number} has the weight {weight!r}: expected a number from 0 on")

    def __repr__(self) -> str:
        return f"<Lexicon: {len(self.entries)} pairs of words>"

    @classmethod
    def of(cls, pairs: Iterable[Sequence[Any]]) -> Lexicon:
        """Of pairs, or triples with a weight."""
        found = []
        for number, pair in enumerate(pairs):
            if isinstance(pair, str) or not 2 <= len(pair) <= 3:
                raise OptionError(f"lexicon: entry {number} is {pair!r}: expected two words, or these and a number")
            found.append((pair[0], pair[1], pair[2] if len(pair) == 3 else 1.0))
        return cls(tuple(found))

    @classmethod
    def read(cls, *paths: str | os.PathLike[str]) -> Lexicon:
        """Read files with one pair a line: `word TAB word`, or `word TAB word TAB weight`; MUSE's `word word` as well.

        Empty lines and lines that begin with `#` are passed over, and entries of several words are left out. Files
        that end in `.dict`, `.dict.dz`, `.index` or `.ifo` are dictionaries of dictd (FreeDict's, say) or StarDict,
        with their other files beside them: each translation between commas is an entry.

        Raises:
            FormatError: a line is none; names the file and the line. A dictionary is damaged or not whole.
            OSError: a file cannot be read.
        """
        entries: list[tuple[str, str, float]] = []
        left_out = 0
        for path in paths:
            if is_dictionary(Path(path)):
                found = {(word, other): None for word, text in articles(Path(path)) for other in translations(text)}
                single = [pair for pair in found if pair[0] and not any(" " in word for word in pair)]
                left_out += len(found) - len(single)
                entries += [(*pair, 1.0) for pair in single]
                continue
            try:
                text = Path(path).read_text(encoding="utf-8-sig")
            except UnicodeDecodeError as error:
                raise FormatError(f"{path}: not UTF-8: {error}") from None
            for number, line in enumerate(text.splitlines(), 1):
                if not line.strip() or line.startswith("#"):
                    continue
                parts = [part.strip() for part in (line.split("\t") if "\t" in line else line.split())]
                if not 2 <= len(parts) <= 3 or not parts[0] or not parts[1]:
                    raise FormatError(
                        f"{path}, line {number}: {line[:60]!r}: expected word TAB word, or a weight besides"
                    )
                weight = 1.0
                if len(parts) == 3:
                    try:
                        weight = float(parts[2])
                    except ValueError:
                        weight = -1.0
                    if not 0 <= weight < math.inf:
                        raise FormatError(f"{path}, line {number}: weight {parts[2]!r}: expected a number from 0 on")
                if " " in parts[0] or " " in parts[1]:
                    left_out += 1
                else:
                    entries.append((parts[0], parts[1], weight))
        return cls(tuple(entries), left_out)

    @staticmethod
    def files(path: str | os.PathLike[str]) -> list[Path]:
        """The files that `read` reads for one: itself, or all of the dictionary that it is part of."""
        return files(Path(path))

    def hits(self, numberings: tuple[Numbering, Numbering]) -> int:
        """How many entries have both words, as they are folded at the finest, in the sentences so far."""
        return sum(
            one[-1] is not None and other[-1] is not None
            for one, other in (self._types(numberings, entry) for entry in self.entries)
        )

    @staticmethod
    def _types(
        numberings: tuple[Numbering, Numbering], entry: tuple[str, str, float]
    ) -> tuple[list[int | None], list[int | None]]:
        """By level, the types of both words; None for those that no sentence has."""
        return numberings[0].types_of(entry[0]), numberings[1].types_of(entry[1])

    def rows(
        self, numberings: tuple[Numbering, Numbering], source: Side, scale: float
    ) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float32]]]:
        """By level: offsets by source type, target types in ascending order, and their pseudo-counts.

        Args:
            numberings: of both sides.
            source: the source side.
            scale: the pseudo-count of an entry of weight 1. Of entries that fold alike the largest counts.
        """
        by_level: list[dict[tuple[int, int], float]] = [{} for _ in source.levels]
        for entry in self.entries:
            for pairs, one, other in zip(by_level, *self._types(numberings, entry), strict=True):
                if one is not None and other is not None:
                    pairs[one, other] = max(pairs.get((one, other), 0.0), scale * entry[2])
        result = []
        for pairs, level in zip(by_level, source.levels, strict=True):
            keys = np.array(sorted(pairs), np.int64).reshape(-1, 2)
            offsets = np.searchsorted(keys[:, 0], np.arange(len(level.texts) + 1)).astype(np.int64)
            weights = np.array([pairs[one, other] for one, other in keys.tolist()], np.float32)
            result.append((offsets, keys[:, 1].astype(np.int32), weights))
        return result
