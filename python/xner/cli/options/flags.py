"""Options in messages, and whole commands on pages, as they are on the command line."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["as_typed", "given_command", "with_flags"]


_TEXT = r"'[^'\s]*'"
_TUPLE = rf"\({_TEXT}(?:, {_TEXT})*,?\)"


def _typed(values: str) -> str:
    """A text or a tuple of texts, as it is typed."""
    return shlex.quote(",".join(re.findall("'(.*?)'", values)))


def given_command() -> str:
    """The command as it was given; of the folder of the user's own, whose name is nobody's business, stands `~`."""
    return shlex.join(["xner", *sys.argv[1:]]).replace(f"{Path.home()}{os.sep}", "~/")


def with_flags(message: str) -> str:
    """A message that names options of files as the command line does: `--label-column 2` for `label_column=2`."""
    message = re.sub(r" \(with \w+=None, [^)]*\)", "", message)  # which is for Python alone
    return re.sub(
        r"`(\w+_(?:column|names|token|from|prefix|map|counts)|nested|on_error|one_based)(?:=([^`]*))?`",
        lambda match: f"--{match[1].replace('_', '-')}{f' {match[2]}' if match[2] else ''}",
        message,
    )


def as_typed(message: str, flags: Mapping[str, str]) -> str:
    """A message about options as Python has them, with these as they are typed.

    `max_words=3 goes with method='candidates'` becomes `--max-words=3 goes with --method candidates`.

    Args:
        message: begins with an option's name, or has one before `=`, after `goes with`, between backquotes, or with an
            underscore.
        flags: by option.
    """

    def named(found: re.Match[str]) -> str:
        return flags.get(found[0], found[0])

    def with_value(found: re.Match[str]) -> str:
        return f"{flags[found['name']]} {_typed(found['values'])}" if found["name"] in flags else found[0]

    name, rest = re.match(r"(\w*)(.*)", message, re.DOTALL).groups()  # type: ignore[union-attr]  # any text fits
    if name in flags and re.match(r"[=:]| (?:goes|go|is|are|needs|and|or|has|have)\b", rest):
        name, rest = flags[name], rest.removeprefix("=True")
        rest = re.sub(r"(?<=^ and )[a-z]\w*", named, rest)
        rest = re.sub(f"^={_TUPLE}", lambda found: f" {_typed(found[0])}", rest)
    rest = re.sub(rf"(?<![\w=-])(?P<name>[a-z]\w*)=(?P<values>{_TEXT}|{_TUPLE})", with_value, rest)
    rest = re.sub(r"`([a-z]\w*)`", lambda found: flags.get(found[1], found[0]), rest)
    rest = re.sub(r"(?<= go with )[a-z]\w*|(?<= goes with )[a-z]\w*", named, rest)
    return name + re.sub(r"(?<![\w='\"/.-])[a-z]+(?:_[a-z]+)+(?![\w=.])", named, rest)
