"""What the README shows is true."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

from click.testing import CliRunner

from xner.cli.main import cli

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


def test_the_example_prints_what_stands_below_it() -> None:
    example, shown = re.findall(r"```(?:python|text)\n(.*?)```", README, flags=re.DOTALL)[:2]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(example, {})
    assert printed.getvalue() == shown


def test_the_commands_exist_with_their_options() -> None:
    commands = "".join(re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)).replace("\\\n", " ")
    lines = re.findall(r"^xner ([a-z-]+(?: [a-z]+(?= ))?) (.*?)(?:\s+#.*)?$", commands, flags=re.MULTILINE)
    shown = {
        "translate",
        "translate-test",
        "back-translate",
        "study extrinsic",
        "tag",
        "project",
        "align",
        "align train",
        "links score",
        "score nmt",
        "tune",
        "train",
        "distill",
        "filter",
        "evaluate",
        "view",
        "export",
        "inspect",
        "pair",
        "import",
    }
    assert {command for command, _ in lines} == shown
    for command, arguments in lines:
        usage = CliRunner().invoke(cli, [*command.split(), "--help"]).output
        for option in re.findall(r"(?<=\s)--?[a-z][a-z-]*", f" {arguments}"):
            assert re.search(rf"(?<![\w-]){option}\b", usage), f"{command} has no {option}"
