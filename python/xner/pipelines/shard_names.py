"""Which files of folders or patterns are shards, and which belong together: those of the same name.

Names are the same that differ in their endings, and in what all files of a place have: languages (`a.en.txt`,
`a.de.txt`), words for kinds of files (`0.src`, `links-0`), the folder's name, what a pattern says (`train-*.txt`).

Of a folder's files those are left out that are plainly no shards: hidden ones, those whose names begin with `_`,
documentation and checksums (`README.md`, `LICENSE`, `SHA256SUMS`), and, beside files whose suffixes tell formats, those
of other suffixes (`make.sh`). What may be data is not: packed files, copies (`a.conll.bak`), lists (`a.csv`), suffixes
that are languages, names without suffixes.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from xner.errors import Error
from xner.io.atomic import is_packed
from xner.io.formats import FORMATS, format_of
from xner.text.languages import languages, meanings

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["MANIFEST", "check_formats", "check_names", "left_out_lines", "names_of", "shard_files", "together"]

MANIFEST: Final = "manifest.json"
_PATTERN: Final = "*?["
_PARTS: Final = re.compile(r"[._-]+")
_KINDS: Final = frozenset({"source", "src", "target", "tgt", "trg", "links", "alignment", "align", "scores"})
_SHOWN: Final = 3
# By the rule above, in lower case: names without suffixes, and suffixes.
_ABOUT: Final = frozenset(
    {"authors", "changelog", "changes", "citation", "contributing", "copying", "licence", "license", "makefile"}
    | {"md5sums", "notice", "readme", "sha1sums", "sha256sums", "sha512sums", "version"}
)
_ABOUT_SUFFIXES: Final = frozenset({".crc", ".md", ".md5", ".rst", ".sha1", ".sha256", ".sha512"})
_DATA_SUFFIXES: Final = frozenset(
    {".7z", ".bz2", ".csv", ".gz", ".json", ".tar", ".tgz", ".xml", ".xz", ".zip", ".zst"}
)


def shard_files(place: str | os.PathLike[str]) -> list[Path] | None:
    """The files of a folder, or those that a pattern names, by name; None for what is neither.

    Args:
        place: a folder, of which what is plainly no shard does not count, or a pattern as the shell's: `de-*.parquet`.

    Raises:
        Error: there is no such file.
    """
    path = Path(place)
    if path.is_dir():
        found = _shards_apart(path)[0]
    elif any(mark in path.name for mark in _PATTERN) and not path.exists():
        found = [one for one in path.parent.glob(path.name) if one.is_file()]
    else:
        return None
    if not found:
        raise Error(f"'{place}': there are no files")
    return sorted(found, key=lambda one: one.name)


def left_out_lines(places: Iterable[str | os.PathLike[str]]) -> Iterator[str]:
    """What is to be said of files of folders that are plainly no shards, and are left out; nothing of hidden ones."""
    for place in dict.fromkeys(places):
        if Path(place).is_dir() and (names := [one.name for one in _shards_apart(Path(place))[1]]):
            yield f"'{place}': {_listed(names)} {'is' if len(names) == 1 else 'are'} left out, as no shard"


def _shards_apart(folder: Path) -> tuple[list[Path], list[Path]]:
    """The files of a folder that are shards, and those that plainly are none, but for hidden files and a manifest."""
    files = [one for one in folder.iterdir() if one.is_file() and not one.name.startswith(".")]
    files = sorted((one for one in files if one.name != MANIFEST), key=lambda one: one.name)
    are_about = [_is_about(one) for one in files]
    has_known = any(_suffix(one) for one, is_about in zip(files, are_about, strict=True) if not is_about)
    are_none = [
        is_about or (has_known and not _suffix(one) and not _may_be_data(one))
        for one, is_about in zip(files, are_about, strict=True)
    ]
    parts: tuple[list[Path], list[Path]] = [], []
    for one, is_none in zip(files, are_none, strict=True):
        parts[is_none].append(one)
    return parts


def _is_about(path: Path) -> bool:
    """Whether a name is that of a file about others: documentation, checksums, marks that a job has ended."""
    name = path.name.lower()
    return name.startswith("_") or name in _ABOUT or path.suffix.lower() in _ABOUT_SUFFIXES


def _may_be_data(path: Path) -> bool:
    """Whether a name that tells no format may be that of data all the same."""
    suffixes = [one.lower() for one in path.suffixes]
    known = {suffix for its in FORMATS.values() for suffix in its.suffixes}
    return not suffixes or bool(known.union(_DATA_SUFFIXES).intersection(suffixes)) or bool(meanings(suffixes[-1][1:]))


def check_formats(place: str | os.PathLike[str], files: Sequence[Path], option: str) -> None:
    """That names of the files of a folder, or that a pattern names, tell formats.

    Args:
        place: the folder or the pattern.
        files: those of `shard_files`.
        option: that says of what format all of them are.

    Raises:
        Error: one does not.
    """
    if unknown := [one.name for one in files if not _suffix(one)]:
        raise Error(f"{_telling_nothing(place, unknown)}, or say with `{option}` what all are")


def check_names(place: str | os.PathLike[str], files: Sequence[Path]) -> None:
    """That names of files of links or scores tell formats, if some do: those of links need not.

    Args:
        place: the folder or the pattern.
        files: those of `shard_files`.

    Raises:
        Error: one does not.
    """
    unknown = [one.name for one in files if not _suffix(one)]
    if 0 < len(unknown) < len(files):
        raise Error(_telling_nothing(place, unknown))


def _telling_nothing(place: object, names: Sequence[str]) -> str:
    what, those = ("the name of", "tells"), "it"
    if len(names) > 1:
        what, those = ("the names of", "tell"), "them"
    remedy = f"move {those} elsewhere, or give a pattern that the others' names follow"
    return f"'{place}': {what[0]} {_listed(names)} {what[1]} no format, but may be that of data; {remedy}"


def together(places: Mapping[str, str | os.PathLike[str]]) -> list[list[Path]] | None:
    """The files of several kinds that belong together by their names, in the order of the first folder's names.

    Args:
        places: by kind, a file, a folder or a pattern.

    Returns:
        For each shard its files, in the order of kinds; None where each place is a file.

    Raises:
        Error: a file has no partner; two of a folder have the same name.
    """
    found = {place: files for place in dict.fromkeys(places.values()) if (files := shard_files(place)) is not None}
    if not found:
        return None
    for names in (_stems, _without_kinds):
        keys = {place: names(files, place) for place, files in found.items()}
        if len({frozenset(one) for one in keys.values()}) == 1:
            break
    first, *others = found
    for place, files in found.items():
        counts = Counter(keys[place])
        same = [path.name for path, key in zip(files, keys[place], strict=True) if counts[key] > 1]
        if same:
            raise Error(f"'{place}': {_listed(same)} are the same name but for what stands for a kind; {_REMEDY}")
    alone = [text for other in others for text in _without_partner(found, keys, first, other)]
    if alone:
        alone += left_out_lines(found)
        raise Error(f"files of a shard are found by their names: {'; '.join(alone)}; {_REMEDY}")
    single = next((place for place in places.values() if place not in found), None)
    if single is not None and len(keys[first]) > 1:
        raise Error(
            f"each shard has a file of each kind; there are {len(keys[first])} in '{first}', and '{single}' is one"
        )
    by_key = {place: dict(zip(keys[place], files, strict=True)) for place, files in found.items()}
    return [[by_key[one][key] if one in by_key else Path(one) for one in places.values()] for key in keys[first]]


_REMEDY: Final = (
    "files that belong together have names that are the same but for endings and languages (0.en.txt, 0.de.txt), or "
    "are given by themselves"
)


def _without_partner(
    files: Mapping[Any, Sequence[Path]], keys: Mapping[Any, Sequence[str]], first: Any, other: Any
) -> Iterator[str]:
    """What is to be said of the files of two folders of which the other one has no partner."""
    for one, its in ((first, other), (other, first)):
        partners = set(keys[its])
        alone = [path.name for path, key in zip(files[one], keys[one], strict=True) if key not in partners]
        if alone:
            yield f"'{one}' has {_listed(alone)}, with no partner in '{its}'"


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - _SHOWN
    return ", ".join(repr(name) for name in names[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _suffix(path: Path) -> str:
    """The ending that tells a file's format; empty where none does."""
    try:
        format_of(path)
    except Error:
        return ""
    return "".join(path.suffixes[-2:]) if is_packed(path) else path.suffix


def _stems(files: Sequence[Path], place: object) -> list[str]:
    """Names without their endings: those that tell a format; where none does, one that all have."""
    del place
    endings = [_suffix(path) for path in files]
    if not any(endings) and len({path.suffix for path in files}) == 1:
        endings = [path.suffix for path in files]
    return [path.name.removesuffix(ending) for path, ending in zip(files, endings, strict=True)]


def _without_kinds(files: Sequence[Path], place: object) -> list[str]:
    """Names without the parts that all have and that stand for a kind of file: languages, the folder's name, ..."""
    parts = [_PARTS.split(stem) for stem in _stems(files, place)]
    path = Path(str(place))
    told = _KINDS | {part.lower() for part in (path.name, *_PARTS.split(path.name))}
    everywhere = set(parts[0]).intersection(*parts)
    left_out = {part for part in everywhere if part.lower() in told or meanings(part) or part.title() in _scripts()}
    return ["-".join(part for part in one if part not in left_out) for one in parts]


def _scripts() -> set[str]:
    return {language.script for language in languages()}


def names_of(files: Sequence[str | os.PathLike[str]], kind: str) -> list[str]:
    """The names of what is made of files, in a format.

    Raises:
        Error: two would have the same.
    """
    suffix = next(iter(FORMATS[kind].suffixes), f".{kind}")
    names = [Path(one).name.removesuffix(".gz").rpartition(".") for one in files]
    found = [(stem or name) + suffix for stem, _, name in names]
    twice = next((name for name, count in Counter(found).items() if count > 1), None)
    if twice is not None:
        raise Error(f"two files would become '{twice}': give them names that differ before the suffix")
    return found
