"""What the labels of a token-classification model mean, and how distributions over them become such over IOB2 labels.

A model's labels are read as tags: `O`, or a prefix and a class. In terms of its own scheme the prefixes say

| scheme | tags of a class | an entity begins | and goes on |
| --- | --- | --- | --- |
| `IOB2` | B I | B | I |
| `IOB1` | I, and B or not | I; B right after an entity of the same class | I |
| `BIOES` (BILOU) | B I E S | B; S for a single word | I; E for its last word |
| `plain` | the class alone | where the word before is not of the class | else |

A plain label is read as the I- of IOB1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import numpy.typing as npt

from xner._support.arguments import choose
from xner.errors import Error, OptionError
from xner.labels.tags import tell_tags

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["SCHEMES", "TagScheme", "TagSet", "best_iob2_path", "read_tags"]

Floats = npt.NDArray[np.float32]
TagScheme = Literal["auto", "IOB1", "IOB2", "BIOES", "plain"]

SCHEMES: Final = ("auto", "IOB1", "IOB2", "BIOES", "plain")

_OUTSIDE = "O"
_NAMELESS = re.compile(r"LABEL_\d+")
_PADDING = re.compile(r"<.*>|\[.*\]|PAD", re.IGNORECASE)  # <pad>, [CLS], ...
_ALLOWED = {"IOB1": "BI", "IOB2": "BI", "BIOES": "BIES"}
# Least probability of a word's label on a path: no path is impossible because of a word that the model is too sure of.
_LEAST = np.float32(1e-30)


@dataclass(frozen=True, slots=True, eq=False)
class TagSet:
    """The labels of a model, read by a scheme, its classes renamed.

    Attributes:
        scheme: `IOB1`, `IOB2`, `BIOES` or `plain`.
        kept: numbers of the model's labels that count; the others are padding.
        tag_of: for each of them its place in `tags`.
        tags: `O` and, as `labels.decode` reads them, `B-X`, `I-X`, `E-X`, `S-X`; those of plain labels are `I-X`.
        classes: of entities, in the order of the model's labels.
    """

    scheme: str
    kept: npt.NDArray[np.int64]
    tag_of: npt.NDArray[np.int64]
    tags: tuple[str, ...]
    classes: tuple[str, ...]

    @property
    def label_names(self) -> tuple[str, ...]:
        """The IOB2 labels: `O`, then `B-X` and `I-X` for each class."""
        return (_OUTSIDE, *(f"{prefix}-{name}" for name in self.classes for prefix in "BI"))

    def of_labels(self, probabilities: Floats) -> Floats:
        """Distributions over the tags.

        Labels that are the same tag, since their classes have become the same or none, add up.

        Args:
            probabilities: words × kept labels.

        Returns:
            Words × tags.
        """
        return _summed(probabilities, self.tag_of, len(self.tags))

    def to_iob2(self, probabilities: Floats, starts: npt.NDArray[np.int64]) -> Floats:
        """Distributions over `label_names`.

        `O` stays, `B-X` is `B-X` or `S-X`, and `I-X` is `I-X` or `E-X`. Where the model's I-X may begin an entity too
        (IOB1 and plain labels), the word before decides: if its most probable tag is one of X, I-X goes on with that
        entity and its probability is that of `I-X`; else, and at the beginning of a sentence, it begins one and adds
        to `B-X`.

        Args:
            probabilities: words × tags, the sentences one after the other.
            starts: the first word of each sentence that is not empty, ascending.

        Returns:
            Words × label names.
        """
        result = _summed(probabilities, self._iob2_of_tags(), len(self.label_names))
        if self.scheme not in {"IOB1", "plain"} or not len(probabilities):
            return result
        classes = (self._iob2_of_tags() + 1) // 2  # 0 for O, then one a class
        before = np.empty(len(probabilities), np.int64)
        before[0] = 0
        before[1:] = classes[probabilities.argmax(axis=1)[:-1]]
        before[starts] = 0
        begins = before[:, None] != np.arange(1, len(self.classes) + 1)
        moved = np.where(begins, result[:, 2::2], np.float32(0))
        result[:, 1::2] += moved
        result[:, 2::2] -= moved
        return result

    def _iob2_of_tags(self) -> npt.NDArray[np.int64]:
        """For each tag its place in `label_names`."""
        places = {name: place for place, name in enumerate(self.label_names)}
        first = {"B": "B", "S": "B", "I": "I", "E": "I"}
        return np.array([0 if tag == _OUTSIDE else places[first[tag[0]] + tag[1:]] for tag in self.tags])


def _summed(probabilities: Floats, place: npt.NDArray[np.int64], columns: int) -> Floats:
    """Columns that have the same place, added."""
    result = np.zeros((len(probabilities), columns), np.float32)
    for column, where in enumerate(place.tolist()):
        result[:, where] += probabilities[:, column]
    return result


def read_tags(
    id2label: Mapping[int, str], model: str, *, scheme: TagScheme = "auto", classes: Mapping[str, str] | None = None
) -> TagSet:
    """Read the labels of a model.

    Prefixes stand before or behind their class, see `xner.labels.tags`. Labels in brackets (`<pad>`, `[CLS]`) and `PAD`
    are padding: no word gets them, and what the model gives them is shared out among the others.

    Args:
        id2label: of the model's configuration.
        model: name, for messages.
        scheme: `auto` goes by the prefixes: labels without any are `plain`; with E or S (L or U) they are `BIOES`;
            with an I- but no B- of some class `IOB1`; else `IOB2`.
        classes: new names of classes, by the model's; `O` for classes that do not count. Others stay as they are.

    Raises:
        Error: labels without numbers or names, without `O` or without classes, that the scheme does not have, or of
            which only some have a prefix; a class to rename that the model does not have.
    """
    choose("scheme", scheme, dict.fromkeys(SCHEMES))
    if set(id2label) != set(range(len(id2label))):
        raise Error(f"id2label of '{model}' does not number its labels from 0 on: {', '.join(map(str, id2label))}")
    names = [id2label[number] for number in range(len(id2label))]
    if any(_NAMELESS.fullmatch(name) for name in names):
        raise Error(
            f"the labels of '{model}' have no names ({', '.join(names[:3])}, ...): it was not trained for token "
            "classification, or its names were not saved; write them into id2label of its config.json, as "
            '{"0": "O", "1": "B-PER", ...}'
        )
    kept = [number for number, name in enumerate(names) if not _PADDING.fullmatch(name)]
    names = [names[number] for number in kept]
    if not tell_tags(names).has_outside:
        raise Error(f"the labels of '{model}' have no O: {', '.join(names)}")
    renamed = dict(classes or {})
    found, parsed = _parse(names, model, scheme, renamed)
    _check_classes(renamed, parsed, model)
    tags = []
    for prefix, name in parsed:
        new = renamed.get(name, name)
        tags.append(_OUTSIDE if _OUTSIDE in {prefix, new} else f"{prefix}-{new}")
    distinct = tuple(dict.fromkeys([_OUTSIDE, *tags]))
    kinds = tuple(dict.fromkeys(tag[2:] for tag in tags if tag != _OUTSIDE))
    if not kinds:
        raise Error(f"no class of '{model}' is left: its labels are {', '.join(names)}, and classes={renamed!r}")
    return TagSet(found, np.array(kept), np.array([distinct.index(tag) for tag in tags]), distinct, kinds)


def _parse(
    names: Iterable[str], model: str, scheme: str, renamed: Mapping[str, str]
) -> tuple[str, list[tuple[str, str]]]:
    """The scheme, and the prefix and the class of each label."""
    names = list(names)
    # A label that does not count need not have a prefix.
    told = tell_tags(name for name in names if renamed.get(name) != _OUTSIDE)
    if scheme == "plain" or (scheme == "auto" and told.spelling == "plain"):
        return "plain", [(_OUTSIDE if name == _OUTSIDE else "I", name) for name in names]
    doubt = told.doubt(len(names))
    bare = [] if doubt is None else doubt.tags
    if bare:
        raise Error(
            f"the labels of '{model}' have prefixes but {', '.join(bare)}; classes={{{bare[0]!r}: 'O'}} makes that one "
            "O, scheme='plain' takes all of them for classes"
        )
    parsed = []
    for name in names:
        meant = told.canonical.get(name, _OUTSIDE)
        parsed.append((_OUTSIDE, name) if meant == _OUTSIDE else (meant[0], meant[2:]))
    prefixes: dict[str, set[str]] = {}
    for prefix, name in parsed:
        if prefix != _OUTSIDE:
            prefixes.setdefault(name, set()).add(prefix)
    if scheme == "auto":
        if set("ES") & set().union(*prefixes.values()):
            scheme = "BIOES"
        else:
            scheme = "IOB1" if any("B" not in found for found in prefixes.values()) else "IOB2"
    for name, prefix in zip(names, (prefix for prefix, _ in parsed), strict=True):
        if prefix not in _ALLOWED[scheme] + _OUTSIDE:
            raise Error(f"the label {name} of '{model}' is none of {scheme}; scheme='auto' goes by the labels")
    return scheme, parsed


def _check_classes(renamed: Mapping[str, str], parsed: Iterable[tuple[str, str]], model: str) -> None:
    known = dict.fromkeys(name for _, name in parsed if name != _OUTSIDE)  # such without a prefix included
    for old, new in renamed.items():
        if old not in known:
            raise OptionError(f"'{model}' has no class {old!r}, only {', '.join(known)}")
        if not isinstance(new, str) or not new or new != new.strip():
            raise OptionError(f"classes: {old!r} cannot become {new!r}; expected the name of a class, or O")


def best_iob2_path(probabilities: Floats, starts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The most probable valid IOB2 labels of each sentence: the greatest product, with I-X only after B-X or I-X.

    All sentences take a step at a time, the longest first: O(words × labels) in all. Probabilities below 1e-30 count as
    that. Of equal paths it takes, from the last word back, the first label in the order of the columns.

    Args:
        probabilities: words × labels, the sentences one after the other; the labels are O, B-X, I-X, B-Y, I-Y, ...
        starts: the first word of each sentence that is not empty, ascending.

    Returns:
        For each word its label's column.

    Source: Viterbi 1967.
    """
    words, labels = probabilities.shape
    lengths = np.diff(starts, append=words)
    order = np.argsort(-lengths, kind="stable")
    starts, lengths = starts[order], lengths[order]
    logs = np.log(np.maximum(probabilities, _LEAST).astype(np.float64))
    # For each word and label the label before on the best path that ends there.
    before = np.zeros((words, labels), np.int64)
    best = logs[starts]
    best[:, 2::2] = -np.inf
    ends = np.zeros((len(starts), labels))
    for step in range(1, int(lengths.max(initial=0))):
        going = int(np.searchsorted(-lengths, -step))  # sentences with a word here
        ends[going : len(best)] = best[going:]
        best = best[:going]
        at = starts[:going] + step
        came = np.repeat(best.argmax(axis=1)[:, None], labels, axis=1)
        begun, inside = best[:, 1::2], best[:, 2::2]
        came[:, 2::2] = np.where(begun >= inside, np.arange(1, labels, 2), np.arange(2, labels, 2))
        before[at] = came
        best = np.take_along_axis(best, came, axis=1) + logs[at]
    ends[: len(best)] = best
    path = np.zeros(words, np.int64)
    path[starts + lengths - 1] = ends.argmax(axis=1)
    for step in range(int(lengths.max(initial=0)) - 1, 0, -1):
        at = starts[: int(np.searchsorted(-lengths, -step))] + step
        path[at - 1] = before[at, path[at]]
    return path
