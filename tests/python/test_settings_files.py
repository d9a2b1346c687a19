"""Files of settings, `--tuned` and `--config`, in the hands of somebody who means harm, or errs."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from command_line import Run, done, xner
from xner.cli.commands.project import command
from xner.experiments.tuning.space import filter_options, projection_options, score_options
from xner.experiments.tuning.trials import written_names
from xner.filters.catalogue import FILTERS
from xner.projection.fusion import SCORES

if TYPE_CHECKING:
    from pathlib import Path

HARMFUL: dict[str, Any] = {
    "output": "stolen.conll",
    "overwrite": True,
    "save_aligner": "aligner.safetensors",
    "translator": "command:touch ran",
    "translate_to": "de",
    "tagger": "somebody/model",
    "aligner_model": ["somebody/model"],
    "base_url": "http://localhost:1/v1",
    "cache": "cache.sqlite",
    "steps": "steps",
    "source": "de.conll",
    "format_": "parquet",
    "resume": False,
    "config": "run.toml",
    "tuned": "tuned.json",
    "threads": 1,
}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "en.conll").write_text("Anna\tB-PER\ncame\tO\n")
    (tmp_path / "de.txt").write_text("Anna kam\n")
    return tmp_path


def project(files: Path, *options: str) -> Run:
    return xner("project", "--source", "en.conll", "--target", "de.txt", "-o", "o.conll", *options, cwd=files)


def refused(files: Path, run: Run, *messages: str) -> None:
    assert run.returncode == 2, run.stderr
    assert "Traceback" not in run.stderr
    said = " ".join(run.stderr.split())
    for message in messages:
        assert message in said
    assert said.count("Error:") == 1
    assert {path.name for path in files.iterdir()} <= {"en.conll", "de.txt", "tuned.json", "run.toml"}


def tuned(files: Path, text: str) -> Run:
    (files / "tuned.json").write_text(text)
    return project(files, "--tuned", "tuned.json")


def config(files: Path, text: str) -> Run:
    (files / "run.toml").write_text(text)
    return project(files, "--config", "run.toml")


class TestTuned:
    @pytest.mark.parametrize("name", sorted(HARMFUL))
    def test_nothing_but_what_is_tuned(self, files: Path, name: str) -> None:
        run = tuned(files, json.dumps({"options": {"max_words": 3, name: HARMFUL[name]}}))
        refused(files, run, "tuned.json", f"sets what `xner tune` does not: {name};")

    def test_what_is_tuned_is_what_tuning_writes(self) -> None:
        names = {str(one.name) for one in command.params}
        assert written_names() <= names
        options = [*projection_options(memory=True), *score_options(list(SCORES)), *filter_options()]
        drawn = {one.name for one in options} - {*SCORES, *FILTERS}
        assert drawn | {"filters", "score", "decode", "threshold", "symmetrization", "combine"} == written_names()

    def test_what_tuning_writes_is_taken(self, files: Path) -> None:
        options = {"method": "candidates", "max_words": 4, "filters": ["one-word"], "score": "align=1", "memory": False}
        run = done(tuned(files, json.dumps({"options": options, "f1": {"gain": float("nan")}})))
        assert "|max_words:4|" in run.stderr
        assert "filter:one-word" in run.stderr

    @pytest.mark.parametrize(
        ("name", "value", "message"),
        [
            ("max_words", "[]", "has no usable max_words: expected a whole number, found []"),
            ("max_words", '"3"', "max_words: expected a whole number, found '3'"),
            ("max_words", "3.5", "max_words: expected a whole number, found 3.5"),
            ("max_words", "true", "max_words: expected a whole number, found True"),
            ("max_words", "null", "max_words: expected a whole number, found None"),
            ("max_words", "{}", "max_words: expected a whole number, found {}"),
            ("max_words", "-1", "max_words: -1 is not in the range"),
            ("max_words", "1e999", "max_words: expected a whole number, found inf"),
            ("ner_threshold", "NaN", "ner_threshold: expected a number, found nan"),
            ("ner_threshold", "Infinity", "ner_threshold: expected a number, found inf"),
            ("threshold", "-Infinity", "threshold: expected a number or 'auto', found -inf"),
            ("memory", '"yes"', "memory: expected true or false, found 'yes'"),
            ("method", "1", "method: expected a text, found 1"),
            ("method", '["heuristic"]', "method: expected a text, found ['heuristic']"),
            ("filters", '"one-word"', "filters: expected a list, found 'one-word'"),
            ("filters", "[[[[1]]]]", "filters: expected a value that the command line takes, found [[[1]]]"),
            ("filters", '["no-such"]', "filters: "),
            ("filters", "[1]", "filters: "),
            ("score", '{"align": NaN}', "score: expected a value"),
            ("score", '{"align": [1]}', "score: "),
            ("score", "[[1]]", "score: "),
            ("score", "7", "score: "),
        ],
    )
    def test_values_of_other_types(self, files: Path, name: str, value: str, message: str) -> None:
        refused(files, tuned(files, f'{{"options": {{"{name}": {value}}}}}'), "'tuned.json' has no usable", message)

    @pytest.mark.parametrize("name", sorted(written_names()))
    @pytest.mark.parametrize("value", ["[]", "{}", "null", "NaN", "[[[1]]]", '{"a": {"b": {}}}', "1" * 4000, '""'])
    def test_no_value_ends_in_a_traceback(self, files: Path, name: str, value: str) -> None:
        run = tuned(files, f'{{"options": {{"{name}": {value}}}}}')
        assert "Traceback" not in run.stderr
        assert run.returncode in {0, 2}

    @pytest.mark.parametrize(
        "text",
        [
            '{"options": ' + "[" * 100_000,
            '{"options": {"a": ' * 50_000,
            "[" * 100_000 + "]" * 100_000,
            '{"options": 1}',
            '{"options": []}',
            '{"options": null}',
            '{"options": "max_words"}',
            '"options"',
            "1" * 100_000,
            '{"options": {"n": ' + "9" * 10_000 + "}}",
            "\0",
            " " * (1 << 20) + "{}",
        ],
    )
    def test_what_is_no_settings(self, files: Path, text: str) -> None:
        refused(files, tuned(files, text), "'tuned.json' holds no settings; `xner tune` writes them")

    def test_other_bytes_and_large_files(self, files: Path) -> None:
        (files / "tuned.json").write_bytes(b'{"options": {"n": "\xff"}}')
        refused(files, project(files, "--tuned", "tuned.json"), "holds no settings")
        with (files / "tuned.json").open("wb") as file:
            file.truncate(10 << 30)  # which takes no room
        begun = time.monotonic()
        refused(files, project(files, "--tuned", "tuned.json"), "holds no settings")
        assert time.monotonic() - begun < 10


class TestConfig:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("max_words = []", "line 1: max_words: expected a whole number, found []"),
            ("max_words = 3.5", "max_words: expected a whole number, found 3.5"),
            ("max_words = true", "max_words: expected a whole number, found True"),
            ("max_words = inf", "max_words: expected a whole number, found inf"),
            ("ner_threshold = nan", "ner_threshold: expected a number, found nan"),
            ("threshold = inf", "threshold: expected a number or 'auto', found inf"),
            ("memory = 1", "memory: expected true or false, found 1"),
            ("overwrite = 'yes'", "overwrite: expected true or false"),
            ("source = 3", "source: expected a text, found 3"),
            ("max_words = 2020-01-01", "max_words: expected a whole number"),
            ("translator = 2020-01-01", "translator: expected a value that the command line takes"),
            ("tuned = 'tuned.json'", "tuned is given on the command line alone"),
            ("config = 'run.toml'", "config is given on the command line alone"),
            ("filter = [['one-word']]", "filter: "),
            ("score = {align = nan}", "score: "),
        ],
    )
    def test_values_of_other_types(self, files: Path, text: str, message: str) -> None:
        refused(files, config(files, text), "'run.toml'", message)

    @pytest.mark.parametrize(
        "text",
        [
            "a = " + "[" * 50_000,
            "a = " + "{a=" * 50_000,
            pytest.param("[" + "a." * 50_000 + "a]", marks=pytest.mark.slow),
            "\0",
        ],
    )
    def test_what_cannot_be_read(self, files: Path, text: str) -> None:
        refused(files, config(files, text), "'run.toml'")

    def test_large_files(self, files: Path) -> None:
        with (files / "run.toml").open("wb") as file:
            file.truncate(10 << 30)
        refused(files, project(files, "--config", "run.toml"), "more than 1048576 bytes, which no file of settings has")
