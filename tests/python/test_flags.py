"""Messages about options, as they are typed on the command line."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

import xner
from xner.cli.main import _COMMANDS, cli
from xner.cli.options.flags import as_typed, for_command, with_flags

if TYPE_CHECKING:
    from collections.abc import Iterator

FLAGS = {"max_words": "--max-words", "method": "--method", "filters": "--filter", "top_k": "--top-k", "lora": "--lora"}


@pytest.mark.parametrize(
    ("message", "typed"),
    [
        ("max_words=3 goes with method='candidates'", "--max-words=3 goes with --method candidates"),
        ("max_words: expected a number", "--max-words: expected a number"),
        ("lora=True goes with filters", "--lora goes with --filter"),
        ("method='x' goes with top_k", "--method='x' goes with --top-k"),
        ("max_words=('a',) goes with top_k", "--max-words a goes with --top-k"),
        ("top_k=2 goes with max_words=('a', 'b')", "--top-k=2 goes with --max-words a,b"),
        ("top_k=2 with method='<='", "--top-k=2 with --method '<='"),
        ("filters go with links", "--filter go with links"),
        ("max_words and method: one of them", "--max-words and --method: one of them"),
        ("top_k is for the method 'x'", "--top-k is for the method 'x'"),
        ("use top_k or max_words", "use --top-k or --max-words"),
        ("filters of the core take no words", "filters of the core take no words"),
        ("--method x goes with --top-k", "--method x goes with --top-k"),
        ("max_words='top_k': expected a number", "--max-words='top_k': expected a number"),
        ("'my/top_k.txt' has no labels", "'my/top_k.txt' has no labels"),
        ("other='x' goes with something", "other='x' goes with something"),
    ],
)
def test_options_are_named_as_they_are_typed(message: str, typed: str) -> None:
    assert as_typed(message, FLAGS) == typed


def _texts(tree: ast.AST) -> Iterator[str]:
    """The texts of a module but for its docstrings; what a message puts in is `X`."""
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)]
    skipped = {id(one.value) for body in bodies for one in body if isinstance(one, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(one) for one in node.values}
            yield "".join(str(one.value) if isinstance(one, ast.Constant) else "X" for one in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            yield node.value


def _commands(command: click.Command) -> Iterator[click.Command]:
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            inner = command.get_command(click.Context(command), name)
            assert inner is not None
            yield from _commands(inner)
    else:
        yield command


def _flags(command: click.Command) -> set[str]:
    return {flag for one in command.params for flag in (*one.opts, *one.secondary_opts)}


SOURCES = Path(xner.__file__).parent


def test_no_command_is_advised_to_use_an_option_that_it_lacks() -> None:
    named = re.compile(r"--[a-z][a-z0-9-]+")
    messages = {
        text if text[0] not in "`" else f"x; {text}"
        for path in SOURCES.rglob("*.py")
        if path.name != "inspection.py"  # which tells of other commands
        for text in _texts(ast.parse(path.read_text()))
        if text != with_flags(text) and not named.search(text)
    }
    assert len(messages) > 15
    for command in _commands(cli):
        with click.Context(command):
            for message in messages:
                assert set(named.findall(with_flags(for_command(message)))) <= _flags(command), command.name


# Arguments of functions in Python that no command calls with other values than the one that it needs.
_OF_PYTHON = {"rows", "on", "by"}


def test_advice_names_options_in_a_way_that_commands_can_change() -> None:
    """`annotator='1'` stays as it is on the command line, where `annotator=1` between backquotes becomes an option."""
    flags = {flag for command in _commands(cli) for flag in _flags(command)}
    options = {flag.removeprefix("--").replace("-", "_") for flag in flags} - _OF_PYTHON
    for path in (path for room in ("io", "labels", "text", "evaluation") for path in (SOURCES / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            for text in _texts(node) if isinstance(node, ast.Raise | ast.Assign | ast.Yield) else ():
                found = re.finditer(r"(?<![\w`])([a-z]\w+)='?\w", with_flags(text))
                named = {one[1] for one in found if one.start()}  # errors about an option begin with its name
                assert not named & options, (path.name, text)


def test_errors_of_commands_name_their_own_options() -> None:
    for name, module in _COMMANDS.items():
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        known = {"--help"}.union(*map(_flags, _commands(command)))
        tree = ast.parse(Path(str(importlib.import_module(module).__file__)).read_text())
        for error in (node for node in ast.walk(tree) if isinstance(node, ast.Raise)):
            for text in _texts(error):
                assert set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", text)) <= known, (name, text)


@pytest.mark.parametrize(
    ("message", "command", "shown"),
    [
        ("row 1: no class; `class_map` renames classes", "filter", "row 1: no class"),
        ("a and b differ; `annotator` names the one (`annotator=a`)", "export", "a and b differ"),
        (
            "a and b differ; `annotator` names the one (`annotator=a`)",
            "import",
            "a and b differ; --annotator names the one (--annotator a)",
        ),
        ("other words; `discontinuous=cover` reads all, `discontinuous=drop` none", "inspect", "other words"),
        ("no text; `text=blanks` writes it", "project", "no text"),
        ("no text; `text=blanks` writes it", "export", "no text; --text blanks writes it"),
        ("row 1: no class; `class_map` renames classes", "view", "row 1: no class; --class-map renames classes"),
        ("no words, which `token_column` names; more", "export", "no words; more"),
        ("it needs labels (`label_column` names them), or x", "export", "it needs labels, or x"),
        (
            "what is it; `format` names it, or use one of these: x",
            "doctor",
            "what is it; use one of these: x",
        ),
        (
            "what is it; `format` names it, or use one of these: x",
            "import",
            "what is it; --format names it, or use one of these: x",
        ),
        (
            "what is it; `format` says what it is, or use one of these: x",
            "import",
            "what is it; --table-format says what it is, or use one of these: x",
        ),
        ("what is it; `format` says what it is, or use one of these: x", "doctor", "what is it; use one of these: x"),
    ],
)
def test_advice_is_what_the_command_can_do(message: str, command: str, shown: str) -> None:
    found = cli.get_command(click.Context(cli), command)
    assert found is not None
    with click.Context(found):
        assert with_flags(for_command(message)) == shown
