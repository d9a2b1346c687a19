"""What the README shows is true."""

from __future__ import annotations

import contextlib
import io
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from click.testing import CliRunner

import command_pages
from xner.cli.main import cli

if TYPE_CHECKING:
    import pytest


ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted((ROOT / "docs/pages").glob("*.md"))


def test_the_example_prints_what_stands_below_it() -> None:
    example, shown = re.findall(r"```(?:python|text)\n(.*?)```", README, flags=re.DOTALL)[:2]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(example, {})
    assert printed.getvalue() == shown


def test_the_commands_exist_with_their_options() -> None:
    """Those of the pages as well that are not run, as they fetch models."""
    texts = [README, *(path.read_text(encoding="utf-8") for path in PAGES)]
    blocks = [block for text in texts for block in re.findall(r"```sh[^\n]*\n(.*?)```", text, flags=re.DOTALL)]
    commands = "".join(blocks).replace("\\\n", " ")
    lines = re.findall(r"^xner ([a-z-]+(?: [a-z]+(?= ))?) (.*?)(?:\s+#.*)?$", commands, flags=re.MULTILINE)
    known = {path.removeprefix("xner "): text for _, path, text in command_pages.helps()}
    for command, arguments in lines:
        usage = known.get(command) or known[command.split()[0]]
        bare = re.sub(r"'[^']*'", "", arguments)  # without options of other programs
        for option in re.findall(r"(?<=\s)--?[a-z][a-z-]*", f" {bare}"):
            assert re.search(rf"(?<![\w-]){option}\b", usage), f"{command} has no {option}"
    shown = {command.split()[0] for command, _ in lines}
    assert shown >= {name.split()[0] for name in known if name != "xner"} - {"demo", "doctor", "cache"}


def test_every_command_is_in_the_table() -> None:
    table = re.findall(r"^\|.*\|$", README, flags=re.MULTILINE)
    named = set(re.findall(r"`([a-z-]+)`", "".join(table)))
    assert {path.split()[1] for _, path, _ in command_pages.helps() if path != "xner"} <= named


def test_links_lead_somewhere() -> None:
    places = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert len(places) > 10
    assert [place for place in places if not (ROOT / place).is_file()] == []


def test_completion_works_as_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = re.findall(r"_XNER_COMPLETE=(\w+)_source xner", README)
    assert lines == ["bash", "zsh", "fish"]
    for shell in lines:
        script = CliRunner().invoke(cli, prog_name="xner", env={"_XNER_COMPLETE": f"{shell}_source"}).output
        assert f"_XNER_COMPLETE={shell}_complete" in script
    asked = {"_XNER_COMPLETE": "zsh_complete", "COMP_WORDS": "xner do", "COMP_CWORD": "1"}
    assert "doctor" in CliRunner().invoke(cli, prog_name="xner", env=asked).output


def test_what_security_claims_is_tested() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    named = re.findall(r"`(test_\w+\.py)(?:::(\w+))?`", text)
    assert len(named) > 15
    for file, test in named:
        source = (ROOT / "tests/python" / file).read_text(encoding="utf-8")
        assert not test or re.search(rf"(?:def|class) {test}\b", source), f"{file} has no {test}"


def test_the_citation_is_of_this_version() -> None:
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for line in (
        "cff-version: 1.2.0",
        f"version: {project['version']}",
        f"license: {project['license']}",
        "title: xner",
    ):
        assert f"\n{line}\n" in f"\n{text}"
    assert "2501.18750" in text
