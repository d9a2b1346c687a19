"""Which text a tool was to annotate, and whose annotations of it count."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xner import schema
from xner._support.phrases import number_of
from xner._support.progress import logger
from xner.errors import FormatError
from xner.io._commands import filtered, name_beside
from xner.io.annotation.documents import UNSAID

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence

    from xner.io._json import Record
    from xner.io.annotation.documents import Span

__all__ = ["Choice", "text_of"]

_SHOWN = 10  # people who are named
_TEXT = "text"  # what the writers call it


def text_of(record: Record, key: str | None, path: str | os.PathLike[str], holder: str) -> str:
    """The text among the fields that a tool shows.

    Args:
        record: the fields.
        key: the field's name; None: `text`, or the only one that has a text and is no id.
        path: of the file, for messages.
        holder: the field of the file's objects that has these, likewise.

    Raises:
        FormatError: there is no such text, or there are several.
    """
    if key is not None or _TEXT in record.values:
        return record.text(key or _TEXT)
    names = [name for name, value in record.values.items() if isinstance(value, str) and name != schema.ID]
    if len(names) > 1:
        renamed = f"map(.{holder}.{_TEXT} = .{holder}[{json.dumps(names[0])}])"
        command = filtered(path, f"jq {shlex.quote(renamed)}", name_beside(path, _TEXT))
        raise record.error(f"there are several texts, {', '.join(names)}; `{command}` takes '{names[0]}'")
    return record.text(names[0] if names else _TEXT)


@dataclass(slots=True)
class Choice:
    """What counts in a file, all of whose people are known.

    What people said counts. Suggestions of models do where nobody has said anything in the whole file, not even in a
    draft: beside the work of people they are what nobody has looked at.

    Args:
        path: of the file.
        annotator: the person whose annotations count; None for all, who have to agree.
        people_only: do not take suggestions.
        people: everybody who has said something in the file.

    Raises:
        FormatError: the person that is asked for is not among them.
    """

    path: str | os.PathLike[str]
    annotator: str | None
    people_only: bool
    people: Iterable[str]
    _twice: list[str] = field(default_factory=list)
    _suggested: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.people = tuple(dict.fromkeys(self.people))
        if self.annotator is None or self.annotator in self.people:
            return
        shown = ", ".join(self.people[:_SHOWN]) + (", ..." if len(self.people) > _SHOWN else "")
        others = f"only by {shown}; `annotator` names one of these" if self.people else "nor by anybody else"
        raise FormatError(f"'{self.path}' has no annotations by {self.annotator!r}, {others}")

    def of(self, record: Record, given: Sequence[tuple[str, Sequence[Span]]]) -> Sequence[Span] | None:
        """The spans of the person that is asked for, or those that all agree on.

        Args:
            record: what they annotated, for messages.
            given: spans with who has marked them; of several by one person the last counts.

        Returns:
            None where nobody has, or not that person.

        Raises:
            FormatError: they do not agree, and nobody is asked for.
        """
        by_person = dict(given)
        if len(by_person) < len(given):
            self._twice.append(record.where)
        if self.annotator is not None:
            return by_person.get(self.annotator)
        return _agreed(record, by_person)

    def unsaid(self, kinds: Iterable[str]) -> str:
        """Why a text has no annotations that count.

        Args:
            kinds: what there is in place of these: `draft`.
        """
        if self.annotator is not None:
            return f"not annotated by {self.annotator}"
        return " and ".join(sorted(set(kinds))) or UNSAID

    def takes_suggestion(self, record: Record) -> bool:
        """Whether a suggestion counts, which there is for a text that nobody has annotated."""
        if self.people_only:
            return False
        self._suggested.append(record.where)
        return not self.people

    def tell(self) -> None:
        """Say, once all was read, what was taken of several things, and what was not."""
        if self._twice:
            texts = number_of(len(self._twice), "text")
            what = "with several annotations by one person, of which the last counts"
            logger.warning("%s: %s %s; first %s", self.path, texts, what, self._twice[0])
        if self._suggested:
            others = "people have annotated others" if self.people else "nobody has annotated any"
            counts = f"which {'do not count' if self.people else 'count'}, as {others}"
            what = f"{number_of(len(self._suggested), 'text')} with suggestions of a model alone, {counts}"
            logger.warning("%s: %s; first %s", self.path, what, self._suggested[0])


def _agreed(record: Record, by_person: Mapping[str, Sequence[Span]]) -> Sequence[Span] | None:
    choices = list(by_person.values())
    if len({frozenset((span.start, span.end, span.label) for span in spans) for spans in choices}) > 1:
        people = list(by_person)
        remedy = f"`annotator` names the one who counts (`annotator={shlex.quote(people[0])}`)"
        raise record.error(f"{' and '.join(people)} do not agree on the spans; {remedy}")
    return choices[0] if choices else None
