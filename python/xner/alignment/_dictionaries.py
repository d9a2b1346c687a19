"""Bilingual dictionaries of the formats that people have, as pairs of a headword and a translation.

Those of dictd and StarDict keep articles in one text, `NAME.dict` or, compressed, `NAME.dict.dz`, and where each begins
in an index. Those of EDICT (Japanese) and CC-CEDICT (Chinese) have a line for each headword. Articles
are for people; what is taken out of them are translations between commas, without numbers, pronunciations and what
stands in brackets. FreeDict's dictionaries for dictd are the ones that this was written for.

Source: https://www.edrdg.org/jmdict/edict_doc.html and https://cc-cedict.org/wiki/format:syntax.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Final

from xner.errors import FormatError
from xner.io.unpacking import open_gzip

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["articles", "files", "glossed", "is_dictionary", "is_glossed", "translations"]

_SUFFIXES: Final = (".dict.dz", ".dict", ".ifo", ".index")
_ALL_SUFFIXES: Final = (*_SUFFIXES, ".idx", ".idx.gz")
_ASIDE: Final = re.compile(r"<[^>]*>|\([^)]*\)|\[[^\]]*\]|\{[^}]*\}|(?<!\S)/[^/]*/(?!\S)")
_NUMBER: Final = re.compile(r"\s*\d+[.)]\s*")
_BETWEEN: Final = re.compile(r"[,;،、，；]")
_DIGITS: Final = {
    sign: value for value, sign in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
}
_GLOSSED: Final = re.compile(r"([^ ]+)(?: ([^ \[]+))?(?: \[([^]]*)\])? /(.*?)/?\s*")
_BEFORE_WORDS: Final = re.compile(r"\A(?:to|an?|the) (?=\S)")
_NO_GLOSSES: Final = ("EntL", "CL:")  # the number of an entry of EDICT, counters of one of CC-CEDICT
_LOOKED_AT: Final = 20  # lines, to tell what a file is
_TEXT_TYPES: Final = "mlgxh"
"""StarDict's kinds of articles that are text: plain, in the reader's encoding, Pango, XDXF, HTML."""


def is_dictionary(path: Path) -> bool:
    """Whether a file's name is that of a part of a dictionary."""
    return path.name.endswith(_SUFFIXES)


def articles(path: Path) -> Iterator[tuple[str, str]]:
    """Headwords and the texts about them, in the order of the index.

    Args:
        path: any of a dictionary's files.

    Raises:
        FormatError: a file is missing, or not what its name says.
        OSError: a file cannot be read.
    """
    stem = _stem(path)
    text = _text(stem)
    if stem.with_name(f"{stem.name}.ifo").exists():
        yield from _of_stardict(stem, text)
    else:
        yield from _of_dictd(stem, text)


def files(path: Path) -> list[Path]:
    """All files of the dictionary that one of them is part of; a file that is of none is alone."""
    if not is_dictionary(path):
        return [path]
    stem = _stem(path)
    return [one for suffix in _ALL_SUFFIXES if (one := stem.with_name(stem.name + suffix)).exists()]


def translations(article: str) -> Iterator[str]:
    """What an article offers, one after the other, words or phrases."""
    for line in article.splitlines():
        for part in _BETWEEN.split(_NUMBER.sub("", _ASIDE.sub(" ", line), count=1)):
            if word := " ".join(part.split()).strip(" ."):
                yield word


def is_glossed(text: str) -> bool:
    """Whether lines are `headword [reading] /gloss/gloss/`, as those of EDICT and CC-CEDICT: the first ones are."""
    first = [line for _, line in zip(range(_LOOKED_AT), _entries(text), strict=False)]
    return bool(first) and all(map(_GLOSSED.fullmatch, first))


def glossed(text: str, path: Path) -> Iterator[tuple[str, str]]:
    """Pairs of a headword and a translation, in the order of lines.

    Headwords of EDICT are the spellings before the brackets and the readings in them, of CC-CEDICT both spellings; its
    brackets hold a pronunciation.

    Raises:
        FormatError: a line is of another kind; names it.
    """
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if (found := _GLOSSED.fullmatch(line)) is None:
            raise FormatError(f"{path}, line {number}: {line[:60]!r}: expected headword [reading] /translation/...")
        spelling, other, reading, glosses = found.groups()
        heads = (spelling, other) if other else (spelling, reading)
        words = dict.fromkeys(_ASIDE.sub("", one) for given in heads if given for one in given.split(";"))
        for gloss in glosses.split("/"):
            if not gloss.startswith(_NO_GLOSSES):
                for translation in translations(gloss):
                    meant = _BEFORE_WORDS.sub("", translation, count=1)
                    yield from ((word, meant) for word in words if word)


def _entries(text: str) -> Iterator[str]:
    """The lines that are no comments."""
    return (line for line in text.split("\n") if line.strip() and not line.startswith("#"))


def _stem(path: Path) -> Path:
    """Of a file of a dictionary: its path without the suffix."""
    return path.with_name(path.name.removesuffix(next(one for one in _SUFFIXES if path.name.endswith(one))))


def _text(stem: Path) -> bytes:
    plain, packed = (stem.with_name(stem.name + suffix) for suffix in (".dict", ".dict.dz"))
    if plain.exists():
        return plain.read_bytes()
    if packed.exists():
        with open_gzip(packed) as file:
            return file.read()
    raise FormatError(f"{plain}: missing, and {packed.name} as well: a dictionary has its articles in one of them")


def _of_dictd(stem: Path, text: bytes) -> Iterator[tuple[str, str]]:
    """An index of lines `headword TAB place TAB length`, both in base 64; an article begins with its headword."""
    index = stem.with_name(f"{stem.name}.index")
    if not index.exists():
        raise FormatError(f"{index}: missing: a dictionary has its headwords in it, or in {stem.name}.ifo and .idx")
    for number, line in enumerate(index.read_text(encoding="utf-8").splitlines(), 1):
        fields = line.split("\t")
        if len(fields) < 3 or not {*fields[1], *fields[2]} <= _DIGITS.keys():
            raise FormatError(f"{index}, line {number}: {line[:60]!r}: expected headword TAB place TAB length")
        if fields[0].startswith(("00database", "00-database")):
            continue
        place, length = map(_base64, fields[1:3])
        headword, _, article = _cut(text, place, length, index).partition("\n")
        yield " ".join(_ASIDE.sub(" ", headword).split()), article


def _base64(digits: str) -> int:
    value = 0
    for digit in digits:
        value = 64 * value + _DIGITS[digit]
    return value


def _of_stardict(stem: Path, text: bytes) -> Iterator[tuple[str, str]]:
    """An index of headwords, a zero byte, and two numbers, big-endian; articles are fields of a type each."""
    description = stem.with_name(f"{stem.name}.ifo").read_text(encoding="utf-8-sig")
    types = re.search(r"^sametypesequence=(\w+)\s*$", description, re.MULTILINE)
    if types is None or types[1][-1] not in _TEXT_TYPES or types[1][:-1] not in {"", "t", "y", "k"}:
        raise FormatError(
            f"{stem.name}.ifo: articles must be text, maybe with a pronunciation before it (sametypesequence="
            f"{' or '.join(_TEXT_TYPES)}), not {types[1] if types else 'of a type each'}"
        )
    index, packed = (stem.with_name(stem.name + suffix) for suffix in (".idx", ".idx.gz"))
    if index.exists():
        entries = index.read_bytes()
    else:
        with open_gzip(packed) as file:
            entries = file.read()
    number = struct.Struct(">Q" if "idxoffsetbits=64" in description else ">I")
    at = 0
    while at < len(entries):
        end = entries.find(b"\0", at)
        if end < 0 or end + 1 + number.size + 4 > len(entries):
            raise FormatError(f"{index}: ends within an entry")
        headword = _cut(entries, at, end - at, index)
        (place,) = number.unpack_from(entries, end + 1)
        (length,) = struct.unpack_from(">I", entries, end + 1 + number.size)
        at = end + 1 + number.size + 4
        yield headword, _cut(text, place, length, index).rpartition("\0")[2]


def _cut(text: bytes, place: int, length: int, index: Path) -> str:
    if place + length > len(text):
        raise FormatError(f"{index}: an article ends behind the end of its file; the files do not belong together")
    try:
        return text[place : place + length].decode()
    except UnicodeDecodeError as problem:
        raise FormatError(f"{index}: an article is not UTF-8: {problem}") from None
