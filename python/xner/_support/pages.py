"""What HTML pages have in common: markup that escapes, templates, colours."""

from __future__ import annotations

import html
import re
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Html", "asset", "class_colours", "colours", "element", "fill", "framed", "lines", "marked"]


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


def framed(page: str, height: int) -> Html:
    """A whole page within another one, such as a notebook, kept apart from its styles and scripts.

    Args:
        page: the page.
        height: of the frame, in pixels; it is as wide as there is room.
    """
    style = f"width:100%;height:{height}px;border:1px solid #8888;border-radius:4px"
    return element("iframe", srcdoc=page, style=style, sandbox="allow-scripts")


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


def marked(
    tokens: Sequence[str], entities: Iterable[tuple[int, int, str]], colours: Mapping[str, int] | None = None
) -> Html:
    """Words with their entities marked.

    Args:
        tokens: the words.
        entities: `(start, end, class)`; of those that overlap the first one is marked.
        colours: by class; None where no style sheet has them.
    """
    starts = {start: (end, label) for start, end, label in sorted(entities, reverse=True)}
    parts, word = [], 0
    while word < len(tokens):
        end, label = starts.get(word, (word + 1, None))
        if label is None:
            parts.append(html.escape(tokens[word]))
        else:
            # A direction of its own keeps the label out of the guess that dir="auto" makes from the words.
            name = element("small", label, dir="ltr")
            class_ = None if colours is None else f"c{colours[label]}"
            parts.append(element("mark", " ".join(tokens[word:end]), name, class_=class_))
        word = end
    return Html(" ".join(parts))
