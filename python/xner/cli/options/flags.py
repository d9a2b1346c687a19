"""Options in messages, and whole commands on pages, as they are on the command line."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["as_typed", "for_command", "given_command", "with_flags"]


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
    return _NAMED.sub(lambda match: f"{_flag(match[1])}{f' {match[2]}' if match[2] else ''}", message)


_NAMED = re.compile(
    r"`(\w+_(?:column|names|token|from|prefix|map|counts|layer|feature|format)|nested|on_error|one_based|"
    r"annotator|discontinuous|text(?==))(?:=([^`]*))?`"
)
_READS = re.compile(r"the format '([\w-]+)' reads")
# What a message may say besides, and the option that it begins with.
_ADVICE = re.compile(
    rf" \((?:the option )?(?={_NAMED.pattern})[^)]*\)"
    rf"|[;,:] (?:which )?(?={_NAMED.pattern})[^;,(]*(?:\([^)]*\)[^;,(]*)*"
)


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def for_command(message: str) -> str:
    """A message, as `with_flags` takes it, without advice to use options that the command that is running lacks."""
    context = click.get_current_context(silent=True)
    if context is None:
        return message
    has = {flag for one in context.command.params for flag in one.opts}
    formats = [flag for flag in sorted(has) if flag.endswith("format")]
    of_inputs = [flag for flag in formats if flag != "--format"] or formats
    either = " or ".join(of_inputs)
    message = message.replace("`format` names it, or ", "--format names it, or " if "--format" in has else "")
    message = message.replace("`format` says what it is, or ", f"{either} says what it is, or " if formats else "")
    if formats:
        message = _READS.sub(lambda found: f"{' or '.join(f'{flag} {found[1]}' for flag in of_inputs)} reads", message)
    return _ADVICE.sub(lambda advice: advice[0] if _flag(advice[1] or advice[3]) in has else "", message)


def as_typed(message: str, flags: Mapping[str, str]) -> str:
    """A message about options as Python has them, with these as they are typed.

    `max_words=3 goes with method='candidates'` becomes `--max-words=3 goes with --method candidates`, and
    `memory=False` within a message `--no-memory`.

    Args:
        message: begins with an option's name, or has one before `=`, after `goes with`, between backquotes, or with an
            underscore.
        flags: by option.
    """

    def named(found: re.Match[str]) -> str:
        return flags.get(found[0], found[0])

    def with_value(found: re.Match[str]) -> str:
        return f"{flags[found['name']]} {_typed(found['values'])}" if found["name"] in flags else found[0]

    def switched(found: re.Match[str]) -> str:
        if found[1] not in flags:
            return found[0]
        return flags[found[1]] if found[2] == "True" else f"--no-{flags[found[1]].removeprefix('--')}"

    name, rest = re.match(r"(\w*)(.*)", message, re.DOTALL).groups()  # type: ignore[union-attr]  # any text fits
    if name in flags and re.match(r"[=:]| (?:goes|go|is|are|needs|and|or|has|have)\b", rest):
        name, rest = flags[name], rest.removeprefix("=True")
        rest = re.sub(r"(?<=^ and )[a-z]\w*", named, rest)
        rest = re.sub(f"^={_TUPLE}", lambda found: f" {_typed(found[0])}", rest)
    rest = re.sub(rf"(?<![\w=-])(?P<name>[a-z]\w*)=(?P<values>{_TEXT}|{_TUPLE})", with_value, rest)
    rest = re.sub(r"(?<![\w=-])([a-z]\w*)=(True|False)\b", switched, rest)
    rest = re.sub(r"`([a-z]\w*)`", lambda found: flags.get(found[1], found[0]), rest)
    rest = re.sub(r"(?<= go with )[a-z]\w*|(?<= goes with )[a-z]\w*", named, rest)
    return name + re.sub(r"(?<![\w='\"/.-])[a-z]+(?:_[a-z]+)+(?![\w=.])", named, rest)
