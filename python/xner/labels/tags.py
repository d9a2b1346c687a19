"""What a column of word labels is: how its tags are spelled, by which scheme, with which classes.

Tags are told from all that differ in a column, as one of them says little: `PER-B` is a class in one file and the begin
of a person in another. They are brought to prefix, hyphen and class, which is what `decode` reads.

| spelled | examples | scheme, by the prefixes |
| --- | --- | --- |
| prefix | `B-PER`, `B_PER`, `B:PER` | IOB2 (B I), BIOES, BILOU (L for E, U for S), BMEWO (M for I, W for S) |
| suffix | `PER-B`, `PER_B`, `PER:B` | likewise |
| lower | `b-per` | likewise |
| untyped | `B`, `I` | likewise |
| plain | `PER` | none: an entity is a run of words of one class |
| brackets | `(PER*`, `*`, `*)`, `(PER)` | brackets, of CoNLL-2012: `*` is a word within an entity, or outside |
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal

import pyarrow as pa
import pyarrow.compute as pc

import xner._core as _core
from xner._support.arguments import did_you_mean
from xner._support.arrow import flattened, pylist
from xner._support.pieces import WholeNeededError
from xner._support.sentences import to_arrow, with_values, without_dictionary
from xner.errors import DataError, OptionError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from xner._support.sentences import Sentences

__all__ = [
    "OUTSIDE",
    "Doubt",
    "Spelling",
    "Tags",
    "TagsSoFar",
    "canonical_labels",
    "check_classes",
    "check_renamed",
    "class_problem",
    "class_remarks",
    "has_prefix",
    "read_tags",
    "rows_of_no_class",
    "tell_tags",
]

Spelling = Literal["prefix", "suffix", "lower", "untyped", "plain", "brackets"]

OUTSIDE: Final = "O"
_LABELS: Final = pa.list_(pa.string())
_CHUNK_END: Final = "."  # of conlleval's, which `decode` knows

_CANONICAL: Final = {"B": "B", "I": "I", "E": "E", "S": "S", "L": "E", "U": "S", "M": "I", "W": "S"}
_PREFIXES: Final = "".join(_CANONICAL)
_HYPHEN = re.compile(f"([{_PREFIXES}])-(.*)", re.DOTALL)
_PREFIX = re.compile(f"([{_PREFIXES}])(?:-|[_:](?=.))(.*)", re.DOTALL)
_SUFFIX = re.compile(f"(.+)[-_:]([{_PREFIXES}])", re.DOTALL)
_LOWER = re.compile(f"o|([{_PREFIXES.lower()}])-(.+)", re.DOTALL)
_BRACKETS = re.compile(r"\*|\*\)|\(([^()*]+)(\*|\*?\))")
# What stands where a file says nothing, and what is no name of a class: numbers, punctuation alone, addresses.
_NOTHING = re.compile(r"[\W_]+|[-+]?[\d.,:/]+|\w+://.*")
_HALF_A_TAG = re.compile(r"[-_:].*[^\W_].*|.*[^\W_].*[-_:]", re.DOTALL)
_BEGINS_LIKE_A_TAG = re.compile("[BI]-(.+)", re.DOTALL)  # classes such as E-mail have other letters
_SEVERAL = re.compile(rf".+[|,;/+][{_PREFIXES}]-.+", re.DOTALL)
_BLANK = re.compile(r"\s")
_FEW_CLASSES = 8
_WORDS_A_CLASS = 6


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a column is hardly one of labels.

    Attributes:
        tags: those that say so.
        reason: what is wrong with them.
    """

    tags: list[str]
    reason: str

    def __str__(self) -> str:
        more = ", ..." if len(self.tags) > 3 else ""
        return f"{', '.join(map(repr, self.tags[:3]))}{more}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Tags:
    """What the tags of a column are.

    Attributes:
        spelling: `prefix`, `suffix`, `lower`, `untyped`, `plain` or `brackets`.
        scheme: `IOB2`, `IOB1`, `BIOES`, `BILOU`, `BMEWO`, `plain` or `brackets`; `none` where no word has an entity.
        classes: of entities, in alphabetical order; `_` for untyped ones.
        canonical: of each tag, what `decode` is to read: `O`, or `B-`, `I-`, `E-` or `S-` and the class.
        has_outside: whether some word has no entity.
    """

    spelling: Spelling
    scheme: str
    classes: tuple[str, ...]
    canonical: Mapping[str, str]
    has_outside: bool

    @property
    def is_canonical(self) -> bool:
        """Whether tags are what they mean."""
        return all(tag == meant for tag, meant in self.canonical.items())

    def __str__(self) -> str:
        """Scheme, how it is spelled where that is unusual, and the classes."""
        example = next((tag for tag, meant in self.canonical.items() if meant != OUTSIDE), OUTSIDE)
        unusual = "" if self.spelling == "plain" or example[1:2] == "-" else f" spelled as {example}"
        return f"{self.scheme}{unusual}: {', '.join(self.classes) or 'no entities'}"

    def doubt(self, words: int) -> Doubt | None:
        """Why a column of so many words with these tags is hardly one of labels; None if it may well be one."""
        names = [tag for tag, meant in self.canonical.items() if meant != OUTSIDE]
        if blank := [tag for tag in names if tag != tag.strip()]:
            return Doubt(blank, "a blank before or after it")
        if several := [tag for tag in names if _SEVERAL.fullmatch(tag)]:
            return Doubt(several, "several labels in one")
        if self.spelling == "prefix":
            if unnamed := [tag for tag in names if (match := _PREFIX.fullmatch(tag)) and not match[2]]:
                return Doubt(unnamed, "no class follows the prefix")
            bare = [tag for tag in names if _PREFIX.fullmatch(tag) is None and tag not in self.classes_with_prefix]
            return Doubt(bare, f"neither O nor a prefix and a class, as {_example(names)} is") if bare else None
        if self.spelling != "plain" or not names:
            return None
        if unlike := [tag for tag in names if _NOTHING.fullmatch(tag)]:
            return Doubt(unlike, "no class has such a name")
        if half := [tag for tag in names if _HALF_A_TAG.fullmatch(tag) and self.canonical[tag][2:] == tag]:
            name = half[0].strip("-_:")
            return Doubt(half, f"a class without its prefix; `class_map={half[0]}={name}` takes it for a class")
        if not self.has_outside:
            return Doubt(names, "no word has O")
        if len(names) > max(_FEW_CLASSES, words / _WORDS_A_CLASS):
            return Doubt(names, f"{len(names)} classes are too many for {words} words")
        return None

    def remarks(self) -> Iterator[str]:
        """What is odd about tags that may well be right."""
        yield from class_remarks(self.classes)
        names = [tag for tag, meant in self.canonical.items() if meant != OUTSIDE]
        if self.spelling == "prefix" and (bare := [tag for tag in names if _PREFIX.fullmatch(tag) is None]):
            tag = bare[0]
            yield f"{tag!r} has no prefix, which others have ({_example(names)}); it is read as {self.canonical[tag]!r}"
        if self.spelling == "lower" and names:
            yield f"the tags are in lower case; {names[0]!r} is read as {self.canonical[names[0]]!r}"
        if self.spelling == "untyped" and names and "_" in self.classes:
            shown = ", ".join(names)
            yield f"the tags {shown} have no class, which is read as '_'; `class_map=_=CLASS` gives it a name"
        suffixed = [tag for tag in names if _SUFFIX.fullmatch(tag) and tag in self.classes]
        other = next((tag for tag in names if not _SUFFIX.fullmatch(tag)), None)
        if self.spelling == "plain" and suffixed:
            yield (
                f"{suffixed[0]!r} may be a class and a prefix; it is read as a class, as {other!r} has no prefix; "
                f"`class_map={suffixed[0]}=CLASS` renames it"
            )

    @property
    def classes_with_prefix(self) -> set[str]:
        """The classes that some tag has with a prefix."""
        return {match[2] for tag in self.canonical if (match := _PREFIX.fullmatch(tag))}


def has_prefix(tag: str) -> bool:
    """Whether a tag is a prefix, a hyphen and a class, or may be."""
    return tag[1:2] == "-" and tag[0] in _CANONICAL


def class_remarks(classes: Iterable[str]) -> Iterator[str]:
    """What is odd about the names of classes: some that differ in case alone.

    Args:
        classes: each once.
    """
    spelled: dict[str, list[str]] = {}
    for name in sorted(classes):
        spelled.setdefault(name.casefold(), []).append(name)
    for first, *others in spelled.values():
        for name in others:
            yield f"the classes {first!r} and {name!r} differ in case alone; `class_map={name}={first}` makes them one"


def _example(tags: list[str]) -> str:
    return next(repr(tag) for tag in tags if _PREFIX.fullmatch(tag))


def tell_tags(tags: Iterable[str], *, class_map: Mapping[str, str] | None = None) -> Tags:
    """What tags are, told from those that differ in a column.

    Args:
        tags: each once or oftener, in any order.
        class_map: other names of classes, by the column's; `O` for those that do not count.

    Raises:
        OptionError: a class to rename that there is not, or an empty new name.
    """
    distinct = sorted(set(tags))
    named = [tag for tag in distinct if tag not in {OUTSIDE, "", _CHUNK_END}]
    spelling = _spelling(named)
    parsed = {tag: _parsed(tag, spelling) for tag in named}
    letters = {letter for letter, _ in parsed.values()}
    if OUTSIDE not in distinct:  # some call it B-O and I-O
        parsed = {tag: (OUTSIDE if name == OUTSIDE else letter, name) for tag, (letter, name) in parsed.items()}
    known = sorted({name for letter, name in parsed.values() if letter != OUTSIDE})
    renamed = dict(class_map or {})
    check_renamed(renamed, known)
    for old, new in renamed.items():
        if not isinstance(new, str) or not new.strip() or _HYPHEN.fullmatch(new):
            raise OptionError(f"class_map: {old!r} cannot become {new!r}; expected the name of a class, or O")
    canonical = {tag: tag for tag in distinct if tag not in parsed}
    for tag, (letter, name) in parsed.items():
        new = renamed.get(name, name)
        outside = letter == OUTSIDE or renamed.get(name) == OUTSIDE
        canonical[tag] = OUTSIDE if outside else f"{_CANONICAL[letter]}-{new}"
    classes = sorted({meant[2:] for meant in canonical.values() if meant not in {OUTSIDE, ""}})
    scheme = "plain" if spelling == "plain" else _scheme(letters)
    if not named:
        scheme = "none"
    return Tags(spelling, scheme, tuple(classes), canonical, OUTSIDE in canonical.values())


def check_renamed(class_map: Mapping[str, str], known: Collection[str]) -> None:
    """That there are the classes that are to be renamed or left out.

    Args:
        class_map: as for `tell_tags`.
        known: the classes that there are.

    Raises:
        OptionError: there is none of a name.
    """
    for old, new in class_map.items():
        if old not in known:
            what = "leave out" if new == OUTSIDE else "rename"
            names = sorted(known)
            raise OptionError(f"there is no class {old!r} to {what}; {_listed(names)}{did_you_mean(old, names)}")


def _listed(names: list[str]) -> str:
    return f"the classes are {', '.join(names)}" if names else "there are no classes"


def _spelling(tags: list[str]) -> Spelling:
    if any(map(_HYPHEN.fullmatch, tags)) or (tags and all(map(_PREFIX.fullmatch, tags))):
        return "prefix"
    if tags and all(map(_SUFFIX.fullmatch, tags)):
        return "suffix"
    if tags and all(tag in _CANONICAL for tag in tags):
        return "untyped"
    if all(map(_LOWER.fullmatch, tags)) and any(tag[:2] in {"b-", "i-"} for tag in tags):
        return "lower"
    return "plain"


def _parsed(tag: str, spelling: Spelling) -> tuple[str, str]:
    """Prefix and class; what has no prefix goes on with an entity of its class, or begins one."""
    if spelling == "untyped":
        return tag, "_"
    if spelling == "lower":
        return tag[0].upper(), tag[2:]
    if spelling == "suffix" and (match := _SUFFIX.fullmatch(tag)):
        return match[2], match[1]
    if spelling == "prefix" and (match := _PREFIX.fullmatch(tag)):
        return match[1], match[2] or "_"
    return (tag, "_") if spelling == "prefix" and tag in _CANONICAL else ("I", tag)


def _scheme(letters: set[str]) -> str:
    if letters & {"M", "W"}:
        return "BMEWO"
    if letters & {"L", "U"}:
        return "BILOU"
    return "BIOES" if letters & {"E", "S"} else "IOB2"


@lru_cache(maxsize=1024)
def class_problem(name: str, *, blanks: bool = True) -> str:
    """Why a name is hardly that of a class of entities; empty where it may well be one.

    Args:
        name: the name.
        blanks: whether it may have blanks within, as what a tagger is asked for has, which not all files can hold.
    """
    if not name.strip():
        return "the entity has no label"
    if name == OUTSIDE:
        return f"{OUTSIDE} stands for words outside of entities, and is no class"
    if match := _BEGINS_LIKE_A_TAG.fullmatch(name):
        return f"this is the label of a word, where the class of an entity is expected: {match[1]}"
    if name != name.strip() or (not blanks and _BLANK.search(name)):
        return "the name of a class has no blanks"
    return ""


def rows_of_no_class(entities: pa.Array[Any], *, blanks: bool = True, known: Collection[str] = ()) -> list[int]:
    """The rows in which an entity has a name of a class that is hardly one.

    Args:
        entities: list<struct<start, end, label, ...>>, a list a row.
        blanks: as for `class_problem`.
        known: names that are right, whatever they look like.
    """
    names = pc.struct_field(flattened(entities), "label")
    found = pc.unique(names).to_pylist()
    odd = [one for one in found if one is not None and one not in known and class_problem(one, blanks=blanks)]
    if not odd:
        return []
    places = pc.indices_nonzero(pc.is_in(names, value_set=pa.array(odd, names.type)))
    return sorted({int(row) for row in pc.list_parent_indices(entities).take(places).to_numpy()})


def check_classes(
    entities: Iterable[tuple[int, int, str]],
    column: str,
    row: int = -1,
    *,
    blanks: bool = True,
    known: Collection[str] = (),
    remedy: str = "",
    row_id: str | None = None,
) -> None:
    """That entities of a sentence have names of classes.

    Args:
        entities: `(start, end, label)`.
        column: their name, for the error.
        row: of the sentence, likewise.
        blanks: as for `class_problem`.
        known: names that are right, whatever they look like.
        remedy: what ends the error's message.
        row_id: the row's `id`, for the error.

    Raises:
        DataError: one has not.
    """
    for start, end, name in entities:
        if name not in known and (problem := class_problem(name, blanks=blanks)):
            shown = name if name.strip() == name else repr(name)
            value = f"{shown} [{start}, {end})".lstrip()
            raise DataError(row, column, value, f"{problem}{remedy if name else ''}", row_id=row_id)


def read_tags(
    labels: Sentences,
    column: str = "labels",
    *,
    class_map: Mapping[str, str] | None = None,
    only_tags: bool = False,
) -> tuple[pa.Array[Any], Tags]:
    """A column of labels as `decode_batch` reads it, and what was told of its tags.

    Args:
        labels: lists of tags, one list a sentence.
        column: its name, for errors.
        class_map: as for `tell_tags`.
        only_tags: whether a column that hardly is one of labels is an error: one of numbers, of names, of tags among
            which others stand.

    Returns:
        The column with canonical tags, null where it is null; and what its tags are.

    Raises:
        DataError: no lists of tags; with `only_tags`, a column of others; the message says what was found.
        OptionError: as `tell_tags`.
    """
    lists, tags, flat = _told(labels, column, class_map)
    if only_tags and (doubt := tags.doubt(len(flat))):
        raise DataError(_row_of(doubt.tags, lists, flat), column, repr(doubt.tags[0]), f"no label: {doubt.reason}")
    lists = _canonical(lists, flat, tags)
    if tags.scheme == "IOB2" and _is_iob1(lists):
        tags = replace(tags, scheme="IOB1")
    return lists, tags


class TagsSoFar:
    """What the tags of a column are that comes piece by piece: what `read_tags` says of all of it.

    Args:
        column: its name, for errors.
        class_map: as for `tell_tags`.
        all_classes: whether the column must have every class of `class_map`.
        only_tags: as for `read_tags`.
    """

    def __init__(
        self,
        column: str = "labels",
        class_map: Mapping[str, str] | None = None,
        *,
        all_classes: bool = True,
        only_tags: bool = True,
    ) -> None:
        self._column = column
        self._all_classes = all_classes
        self._only_tags = only_tags
        self._class_map = dict(class_map or {})
        self._tags = tell_tags(())
        self._first: dict[str, tuple[int, str | None]] = {}  # row and id of where each tag occurs first
        self._rows = self._words = 0
        self._is_valid_iob1 = self._is_valid_iob2 = True  # the latter is looked at as long as the former holds

    def read(self, labels: Sentences, ids: pa.ChunkedArray[Any] | None = None) -> pa.Array[Any]:
        """The next piece with canonical tags.

        Args:
            labels: lists of tags, one list a sentence.
            ids: of the rows.

        Raises:
            DataError: no lists of tags; the row is counted from the piece's first one.
            WholeNeededError: tags of earlier pieces mean something else beside those of this one.
        """
        lists: pa.Array[Any] = without_dictionary(to_arrow(labels, self._column))
        flat = flattened(lists)
        new = {str(tag) for tag in pc.unique(flat).to_pylist() if tag is not None} - self._first.keys()
        if new:
            self._note(new, lists, flat, ids)
        self._rows += len(lists)
        self._words += len(flat)
        lists = _canonical(lists, flat, self._tags)
        if self._is_valid_iob1:
            self._is_valid_iob1 = _is_valid(lists, _core.Scheme.IOB1)
            self._is_valid_iob2 = self._is_valid_iob2 and _is_valid(lists, _core.Scheme.IOB2)
        return lists

    def _note(self, new: set[str], lists: pa.Array[Any], flat: pa.Array[Any], ids: pa.ChunkedArray[Any] | None) -> None:
        if any(map(_BRACKETS.fullmatch, new)):
            raise WholeNeededError
        for tag in sorted(new):
            row = _row_of([tag], lists, flat)
            self._first[tag] = self._rows + row, None if ids is None else ids[row].as_py()
        classes = tell_tags(self._first).classes
        tags = tell_tags(self._first, class_map={old: to for old, to in self._class_map.items() if old in classes})
        known = self._tags.canonical.items()
        if any(tags.canonical[tag] != meant for tag, meant in known):
            raise WholeNeededError
        if tags.spelling != self._tags.spelling and any(meant not in {OUTSIDE, "", _CHUNK_END} for _, meant in known):
            raise WholeNeededError  # who does not read tags alone judges them by that
        self._tags = tags

    @property
    def so_far(self) -> Tags:
        """What the tags of the pieces are that were read."""
        return self._tags

    def all(self) -> Tags:
        """What the tags are, once all pieces were read.

        Raises:
            DataError: the column is hardly one of labels; the row is counted from the column's first one.
            OptionError: as `tell_tags`.
        """
        tags = tell_tags(self._first, class_map=self._class_map) if self._all_classes else self._tags
        if self._only_tags and (doubt := tags.doubt(self._words)):
            row, row_id = min((self._first[tag] for tag in doubt.tags), key=lambda one: one[0])
            reason = f"no label: {doubt.reason}"
            raise DataError(row, self._column, repr(doubt.tags[0]), reason, row_id=row_id)
        if tags.scheme == "IOB2" and self._is_valid_iob1 and not self._is_valid_iob2:
            tags = replace(tags, scheme="IOB1")
        return tags


def canonical_labels(labels: Sentences, column: str) -> pa.Array[Any]:
    """A column of labels with canonical tags; what the tags are is not looked at further.

    Args:
        labels: lists of tags, one list a sentence.
        column: its name, for errors.

    Raises:
        DataError: no lists of tags.
    """
    lists, tags, flat = _told(labels, column, None)
    return _canonical(lists, flat, tags)


def _told(
    labels: Sentences, column: str, class_map: Mapping[str, str] | None
) -> tuple[pa.Array[Any], Tags, pa.Array[Any]]:
    """A column as lists of strings, what its tags are, and all of them one after the other."""
    lists: pa.Array[Any] = without_dictionary(to_arrow(labels, column))
    flat: pa.Array[Any] = flattened(lists)
    found = [str(tag) for tag in pc.unique(flat).to_pylist() if tag is not None]
    if _has_brackets(found):
        rows = [None if row is None else _unbracketed(row) for row in pylist(lists)]
        lists = pa.array(rows, _LABELS)
        tags = tell_tags((tag for row in rows for tag in row or ()), class_map=class_map)
        flat = flattened(lists)
        return lists, replace(tags, spelling="brackets", scheme="brackets"), flat
    return lists, tell_tags(found, class_map=class_map), flat


def _has_brackets(tags: Iterable[str]) -> bool:
    """Whether tags are CoNLL-2012's: all are, and some begin an entity."""
    matches = [_BRACKETS.fullmatch(tag) for tag in tags]
    return all(matches) and any(match and match[1] for match in matches)


def _unbracketed(row: list[str]) -> list[str]:
    """A sentence's brackets as IOB2; what is never closed goes on to the end."""
    labels, name = [], ""
    for tag in row:
        match = _BRACKETS.fullmatch(tag)
        assert match is not None, "all tags are such"
        if match[1]:
            name = match[1]
            labels.append(f"B-{name}")
        else:
            labels.append(f"I-{name}" if name else OUTSIDE)
        if tag.endswith(")"):
            name = ""
    return labels


def _row_of(tags: list[str], lists: pa.Array[Any], flat: pa.Array[Any]) -> int:
    """The first row that has one of some tags."""
    place = pc.index(pc.is_in(flat, value_set=pa.array(tags, flat.type)), True).as_py()
    return int(pc.list_parent_indices(lists)[place].as_py())


def _canonical(lists: pa.Array[Any], flat: pa.Array[Any], tags: Tags) -> pa.Array[Any]:
    if tags.is_canonical:
        return lists
    canonical = tags.canonical
    places = pc.index_in(flat, value_set=pa.array(list(canonical), flat.type))
    meant: pa.Array[Any] = pa.array(list(canonical.values()), flat.type)
    return with_values(lists, meant.take(places))


def _is_iob1(lists: pa.Array[Any]) -> bool:
    """Whether labels are valid in IOB1 and not in IOB2."""
    return not _is_valid(lists, _core.Scheme.IOB2) and _is_valid(lists, _core.Scheme.IOB1)


def _is_valid(lists: pa.Array[Any], scheme: _core.Scheme) -> bool:
    try:
        _core.decode_label_lists(lists, column="labels", scheme=scheme, reading=_core.Reading.validate, threads=0)
    except DataError:
        return False
    return True
