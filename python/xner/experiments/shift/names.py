"""Names of entities by class, and translations of words: what shifts put in, from files or from callers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from xner.errors import FormatError, OptionError
from xner.labels.tags import tell_tags

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

__all__ = ["LexiconLike", "Name", "NamesLike", "lexicon_of", "names_of", "read_lexicon", "read_names"]


class Name(NamedTuple):
    """A name that an entity may have.

    Attributes:
        label: class of the entity.
        words: of the name.
        origin: where it comes from, in the list's own terms; empty where that is not known.
    """

    label: str
    words: tuple[str, ...]
    origin: str = ""


NamesLike: TypeAlias = "Iterable[Name | Sequence[str]] | Mapping[str, Iterable[str]]"
"""`(class, name)` or `(class, name, origin)`, or names by class; a name is a text, its words between blanks."""
LexiconLike: TypeAlias = "Mapping[str, str | Iterable[str]]"
"""Translations by word, one or several; each is a text, its words between blanks."""


def names_of(names: NamesLike) -> list[Name]:
    """Names in any form as records.

    Raises:
        OptionError: something else, no names at all, or one without words or class.
    """
    if isinstance(names, str | bytes) or not isinstance(names, Iterable):
        raise OptionError(f"names={names!r}: expected (class, name) pairs, or names by class")
    pairs = (
        [(label, name) for label, its in names.items() for name in ([its] if isinstance(its, str) else its)]
        if isinstance(names, Mapping)
        else list(names)
    )
    found = []
    for one in pairs:
        if isinstance(one, str) or not 2 <= len(one) <= 3 or not isinstance(one[0], str) or not one[0]:
            raise OptionError(f"names: {one!r}: expected a class, a name, and perhaps its origin")
        words = tuple(one[1].split()) if isinstance(one[1], str) else tuple(one[1])
        if not words or not all(isinstance(word, str) and word.split() == [word] for word in words):
            raise OptionError(f"names: {one!r}: expected a name of one word or more")
        found.append(Name(one[0], words, str(one[2]) if len(one) == 3 else ""))
    if not found:
        raise OptionError("names: there are none")
    return found


def lexicon_of(lexicon: LexiconLike) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Translations of each word, without repetition, as words.

    Raises:
        OptionError: something else, or a translation without words.
    """
    if not isinstance(lexicon, Mapping):
        raise OptionError(f"lexicon={type(lexicon).__name__}: expected a dictionary of words and translations")
    found = {}
    for word, its in lexicon.items():
        texts = [its] if isinstance(its, str) else list(its)
        translations = tuple(dict.fromkeys(tuple(text.split()) for text in texts if isinstance(text, str)))
        if not isinstance(word, str) or len(texts) == 0 or () in translations or not translations:
            raise OptionError(f"lexicon: {word!r}: {its!r}: expected a word and one translation or several")
        found[word] = translations
    return found


def read_names(path: str | os.PathLike[str]) -> list[Name]:
    """Read names: a class, a name and perhaps its origin a line, with tabs between them.

    Args:
        path: UTF-8; empty lines, and those that begin with `#`, say nothing.

    Raises:
        FormatError: a line of other fields, no names at all, or words and labels in place of names.
    """
    found = []
    for number, fields in _fields(path):
        if not 2 <= len(fields) <= 3 or not fields[0].strip() or not fields[1].strip():
            expected = "expected a class, a name and perhaps its origin, with tabs between them"
            raise FormatError(f"'{path}', line {number}: {expected}, found {len(fields)} fields")
        found.append(Name(fields[0].strip(), tuple(fields[1].split()), fields[2].strip() if len(fields) == 3 else ""))
    if not found:
        raise FormatError(f"'{path}' has no names")
    tags = tell_tags(" ".join(one.words) for one in found)
    if tags.spelling in {"prefix", "suffix"} or tags.scheme == "none":
        first = f"{found[0].label} {' '.join(found[0].words)}"
        raise FormatError(f"'{path}' has words and labels ({first}), where each line has a class and a name")
    return found


def read_lexicon(path: str | os.PathLike[str]) -> dict[str, list[str]]:
    """Read translations of words: a word and a translation a line, with a tab between them.

    A word that has several translations has a line for each.

    Args:
        path: UTF-8; empty lines say nothing.

    Raises:
        FormatError: a line of other fields, or no words at all.
    """
    found: dict[str, list[str]] = {}
    for number, fields in _fields(path, comments=False):
        if len(fields) != 2 or not fields[0].strip() or not fields[1].strip():
            expected = "expected a word and its translation, with a tab between them"
            raise FormatError(f"'{path}', line {number}: {expected}, found {len(fields)} fields")
        found.setdefault(fields[0].strip(), []).append(fields[1].strip())
    if not found:
        raise FormatError(f"'{path}' has no words")
    return found


def _fields(path: str | os.PathLike[str], *, comments: bool = True) -> Iterator[tuple[int, list[str]]]:
    """The fields of each line that says something, with its number."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(f"'{path}' is not UTF-8: {error}") from None
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip() and not (comments and line.startswith("#")):
            yield number, line.rstrip("\r").split("\t")
