"""Bilingual word lists: what is known of two languages before a sentence pair is seen."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xner._support.arguments import several
from xner.alignment._dictionaries import articles, files, glossed, is_dictionary, is_glossed, translations
from xner.alignment._lexicon_counts import MOST_WORDS
from xner.errors import FormatError, OptionError
from xner.io.unpacking import open_gzip

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["Lexicon"]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Pairs of words, or of phrases, that translate each other.

    Attributes:
        entries: source words, target words, and how much the pair counts; 1 is as much as others. Of phrases each
            word goes with each, and all together count half of it. A phrase of more than three words
            counts nothing. What is written without blanks is cut into words as the sentences have them.
        left_out: entries of files that have more than three words on a side.

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
        for number, pair in enumerate(several("lexicon", pairs, "pairs of words")):
            if isinstance(pair, str) or not hasattr(pair, "__len__") or not 2 <= len(pair) <= 3:
                raise OptionError(f"lexicon: entry {number} is {pair!r}: expected two words, or these and a number")
            found.append((pair[0], pair[1], pair[2] if len(pair) == 3 else 1.0))
        return cls(tuple(found))

    @classmethod
    def read(cls, *paths: str | os.PathLike[str]) -> Lexicon:
        """Read files with one pair a line: `word TAB word`, or `word TAB word TAB weight`; MUSE's `word word` as well.

        Empty lines and lines that begin with `#` are passed over, and entries of more than three words on a side are
        left out. Files that end in `.dict`, `.dict.dz`, `.index` or `.ifo` are dictionaries of dictd (FreeDict's, say)
        or StarDict, with their other files beside them, and those with lines like `headword [reading] /gloss/gloss/`
        are EDICT's or CC-CEDICT's, maybe in EUC-JP: each translation between commas is an entry. Files may be
        compressed (`.gz`).

        Raises:
            FormatError: a line is none; names the file and the line. A dictionary is damaged or not whole.
            OSError: a file cannot be read.
        """
        entries: list[tuple[str, str, float]] = []
        left_out = 0
        for path in map(Path, paths):
            found = list(dict.fromkeys(_pairs(path)))
            kept = [entry for entry in found if all(0 < len(text.split()) <= MOST_WORDS for text in entry[:2])]
            left_out += len(found) - len(kept)
            entries += kept
        return cls(tuple(entries), left_out)

    def turned(self) -> Lexicon:
        """From the other language into the one."""
        return Lexicon(tuple((target, source, weight) for source, target, weight in self.entries), self.left_out)

    @staticmethod
    def files(path: str | os.PathLike[str]) -> list[Path]:
        """The files that `read` reads for one: itself, or all of the dictionary that it is part of."""
        return files(Path(path))


def _pairs(path: Path) -> Iterator[tuple[str, str, float]]:
    """What a file has, in its order."""
    if is_dictionary(path):
        yield from ((word, other, 1.0) for word, text in articles(path) for other in translations(text))
        return
    text = _text(path)
    if is_glossed(text):
        yield from ((word, other, 1.0) for word, other in glossed(text, path))
        return
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = [part.strip() for part in (line.split("\t") if "\t" in line else line.split())]
        if not 2 <= len(parts) <= 3 or not parts[0] or not parts[1]:
            raise FormatError(f"{path}, line {number}: {line[:60]!r}: expected word TAB word, or a weight besides")
        yield parts[0], parts[1], _weight(parts[2], path, number) if len(parts) == 3 else 1.0


def _weight(text: str, path: Path, number: int) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = -1.0
    if not 0 <= weight < math.inf:
        raise FormatError(f"{path}, line {number}: weight {text!r}: expected a number from 0 on")
    return weight


def _text(path: Path) -> str:
    """A file's text: UTF-8, or what EDICT is distributed in."""
    if path.suffix == ".gz":
        with open_gzip(path) as file:
            content = file.read()
    else:
        content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        try:
            text = content.decode("euc_jp")
        except UnicodeDecodeError:
            text = ""
        if is_glossed(text):
            return text
        raise FormatError(f"{path}: not UTF-8: {error}") from None
