"""What the README shows is true."""

from __future__ import annotations

import contextlib
import io
import re
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from click.testing import CliRunner

from xner import schema
from xner.cli.main import cli
from xner.models import TaggerStage
from xner.translation.direction import Direction
from xner.translation.stages import TargetTranslation

if TYPE_CHECKING:
    import pytest

    from xner.models.taggers import WordTagger
    from xner.models.translators import TextTranslator

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_prints_what_stands_below_it() -> None:
    example, shown = re.findall(r"```(?:python|text)\n(.*?)```", README, flags=re.DOTALL)[:2]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(example, {})
    assert printed.getvalue() == shown


def test_other_engines_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (section,) = re.findall(r"^## Other engines\n(.*?)^## ", README, flags=re.DOTALL | re.MULTILINE)
    (example,), (points,) = (
        re.findall(rf"```{kind}\n(.*?)```", section, flags=re.DOTALL) for kind in ("python", "toml")
    )
    (tmp_path / "their_package.py").write_text(example, encoding="utf-8")
    (tmp_path / "words.tsv").write_text("the\tdie\nat\tin\n", encoding="utf-8")
    (tmp_path / "places.txt").write_text("Rome\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    made: dict[str, Any] = {}
    for group, its in tomllib.loads(points)["project"]["entry-points"].items():
        for name, value in its.items():
            made[group] = EntryPoint(name, value, group).load()(str(tmp_path / ("words.tsv", "places.txt")[len(made)]))
    sys.modules.pop("their_package")
    translator: TextTranslator = made["xner.translators"]
    into = Direction(translator, "en-GB", "de-AT")
    table = pa.table({"source_tokens": [["at", "Rome"], []]}, pa.schema([("source_tokens", schema.WORDS_TYPE)]))
    translated = TargetTranslation(into, words="blanks")(table)
    assert translated["tokens"].to_pylist() == [["in", "Rome"], []]
    tagger: WordTagger = made["xner.taggers"]
    tagged = TaggerStage(tagger, ["labels", "source", "candidates", "scores"])(translated)
    assert tagged["labels"].to_pylist() == [["O", "B-LOC"], []]
    assert tagged["source_entities"].to_pylist() == [[{"start": 1, "end": 2, "label": "LOC"}], []]
    assert tagged["ner_probabilities"].to_pylist() == [[[1, 0, 0], [0, 1, 0]], []]


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
        "shift",
        "run",
        "runs compare",
        "report",
        "filter",
        "evaluate",
        "view",
        "export",
        "inspect",
        "pair",
        "datasets get",
        "import",
        "doctor",
        "cache clear",
    }
    assert {command for command, _ in lines} == shown
    for command, arguments in lines:
        usage = CliRunner().invoke(cli, [*command.split(), "--help"]).output
        bare = re.sub(r"'[^']*'", "", arguments)  # without options of other programs
        for option in re.findall(r"(?<=\s)--?[a-z][a-z-]*", f" {bare}"):
            assert re.search(rf"(?<![\w-]){option}\b", usage), f"{command} has no {option}"


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
