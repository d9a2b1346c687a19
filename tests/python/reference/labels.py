"""Slow, plain reading of word tags as entities: what `xner.labels.decode` must return.

The lenient reading is that of conlleval and of seqeval's default; the strict readings are those of seqeval's
`mode="strict"` for the same scheme.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Entity = tuple[int, int, str]

PREFIXES = {"IOB1": "IOB", "IOB2": "IOB", "BIOES": "IOBES"}


def is_tag(label: str) -> bool:
    """Whether a label is `O`, a bare prefix (class `_`), or a prefix, a hyphen and a class."""
    return label == "O" or (label[:1] in {"B", "I", "E", "S"} and label[1:2] in {"", "-"})


def split_tag(label: str) -> tuple[str, str]:
    """`B-LOC-GPE` -> (`B`, `LOC-GPE`); a prefix without a class has the class `_`."""
    if not is_tag(label):
        raise ValueError(f"{label!r} is not a tag")
    return label[0], label[2:] or "_"


def decode(labels: Sequence[str], scheme: str = "IOB2", mode: str = "lenient") -> list[Entity]:
    """Entities as (start, end, class), half-open, left to right."""
    tags = [split_tag(label) for label in labels]
    return decode_lenient(tags) if mode == "lenient" else decode_strict(tags, scheme)


def decode_lenient(tags: Sequence[tuple[str, str]]) -> list[Entity]:
    """Every tag but `O` belongs to an entity; whether it opens one depends on the tag before it alone."""
    entities: list[Entity] = []
    for position, (prefix, label) in enumerate(tags):
        if prefix == "O":
            continue
        before, label_before = tags[position - 1] if position else ("O", "_")
        opens = prefix in "BS" or before in "OES" or label != label_before
        if opens:
            entities.append((position, position + 1, label))
        else:
            start, _, _ = entities[-1]
            entities[-1] = (start, position + 1, label)
    return entities


def decode_strict(tags: Sequence[tuple[str, str]], scheme: str) -> list[Entity]:
    """Only what the scheme allows is an entity: tags that cannot be read are left out."""
    for prefix, label in tags:
        if prefix not in PREFIXES[scheme]:
            raise ValueError(f"'{prefix}-{label}' is not a tag of {scheme}")
    entities: list[Entity] = []
    position = 0
    while position < len(tags):
        before = tags[position - 1] if position else ("O", "_")
        if not _opens(before, tags[position], scheme):
            position += 1
            continue
        end = position + 1
        while end < len(tags) and _continues(tags[end - 1], tags[end], scheme):
            end += 1
        after = tags[end] if end < len(tags) else ("O", "_")
        if _closes(tags[end - 1], after, scheme):
            entities.append((position, end, tags[position][1]))
        position = end
    return entities


def _opens(before: tuple[str, str], tag: tuple[str, str], scheme: str) -> bool:
    if scheme == "IOB2":
        return tag[0] == "B"
    if scheme == "BIOES":
        return tag[0] in "BS"
    # IOB1 writes B only between two entities of one class that touch; an I that a B precedes has not been
    # taken by that B's entity, so it opens its own.
    same_class = before[1] == tag[1]
    if tag[0] == "B":
        return before[0] in "IB" and same_class
    return tag[0] == "I" and (before[0] in "OB" or not same_class)


def _continues(before: tuple[str, str], tag: tuple[str, str], scheme: str) -> bool:
    inside = "IE" if scheme == "BIOES" else "I"
    return before[0] in "BI" and tag[0] in inside and before[1] == tag[1]


def _closes(last: tuple[str, str], after: tuple[str, str], scheme: str) -> bool:
    if scheme == "BIOES":
        return last[0] in "ES"
    if scheme == "IOB1" and last[0] == "B" and after[0] == "B":
        return last[1] == after[1]  # elsewhere IOB1 has no B, so what it follows is not well formed either
    return True
