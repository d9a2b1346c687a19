"""What HTML pages have in common: markup that escapes, templates, colours."""

from __future__ import annotations

import html
import re
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Html", "asset", "class_colours", "colours", "element", "fill", "lines"]


class Html(str):
    """Text that is markup already. Every other text is escaped when it becomes part of an element."""

    __slots__ = ()


_EMPTY = frozenset({"circle", "line", "path"})


def element(tag: str, *children: str, **attributes: object) -> Html:
    """An element of HTML or SVG.

    Args:
        tag: its name.
        children: texts, which are escaped, and markup, which is not.
        attributes: by name, with `_` for `-`, and one at the end of a word of Python's: `class_`. True is an attribute
            without a value; False and None leave it out.
    """
    parts = [tag]
    for name, value in attributes.items():
        if value is not None and value is not False:
            shown = name.rstrip("_").replace("_", "-")
            parts.append(shown if value is True else f'{shown}="{html.escape(str(value))}"')
    inside = "".join(child if isinstance(child, Html) else html.escape(child) for child in children)
    return Html(f"<{' '.join(parts)}{'/>' if tag in _EMPTY else f'>{inside}</{tag}>'}")


def lines(parts: Iterable[str]) -> Html:
    """Pieces of markup, each on a line of its own; texts among them are escaped."""
    return Html("\n".join(part if isinstance(part, Html) else html.escape(part) for part in parts))


def fill(template: str, parts: Mapping[str, str]) -> str:
    """A template with its markers `{{name}}` replaced, in one pass: a marker inside a part is text.

    Args:
        template: the text.
        parts: what stands for each marker, escaped already.
    """
    return re.sub(r"\{\{(\w+)\}\}", lambda marker: parts[marker[1]], template)


def asset(package: str, name: str) -> str:
    """The text of a file that lies in a package."""
    return (files(package) / name).read_text(encoding="utf-8")


def colours() -> str:
    """The style sheet that names the pages' colours, for light and for dark screens."""
    return asset("xner._support", "colours.css")


# The common classes keep their colours from page to page; others take what is left.
_KNOWN = {"PER": 0, "ORG": 1, "LOC": 2, "MISC": 3, "DATE": 4}
_ORDER = (5, 6, 7, 4, 3, 2, 1, 0)


def class_colours(names: Iterable[str]) -> dict[str, int]:
    """The colour of each class of a page, from 0 to 7: `c0` to `c7` of the style sheet.

    Args:
        names: the classes, in any order.
    """
    every = set(names)
    found = {name: colour for name, colour in _KNOWN.items() if name in every}
    free = [colour for colour in _ORDER if colour not in found.values()] or [7]
    others = sorted(every - set(found))
    return found | {name: free[number % len(free)] for number, name in enumerate(others)}
