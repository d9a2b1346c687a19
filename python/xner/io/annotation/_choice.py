"""Which of several people's annotations of one text count."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xner.io._json import Record
    from xner.io.annotation.documents import Span

__all__ = ["chosen"]


def chosen(record: Record, by_person: Mapping[str, Sequence[Span]], annotator: str | None) -> Sequence[Span] | None:
    """The spans of the person that is asked for, or those that all agree on.

    Args:
        record: what they annotated, for messages.
        by_person: spans by who has marked them.
        annotator: the person; None for all.

    Returns:
        None where nobody has, or not that person.

    Raises:
        FormatError: they do not agree, and nobody is asked for.
    """
    if annotator is not None:
        return by_person.get(annotator)
    choices = list(by_person.values())
    if len({frozenset((span.start, span.end, span.label) for span in spans) for spans in choices}) > 1:
        people = list(by_person)
        remedy = f"`annotator` names the one who counts (`annotator={people[0]}`)"
        raise record.error(f"{' and '.join(people)} do not agree on the spans; {remedy}")
    return choices[0] if choices else None
