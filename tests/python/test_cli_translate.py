"""`xner translate` as a person meets it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import click
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import tiny_models
from command_line import Run, done, instead, xner
from xner._support.arrow import pylist
from xner.cli.options.groups import takes
from xner.cli.options.translators import ChosenTranslator, translator_group
from xner.io import sample
from xner.models.translators import Translator
from xner.models.translators.translator import Decoding
from xner.pipelines.checkpoints import alone
from xner.text import split_words

if TYPE_CHECKING:
    from pathlib import Path

LINES = ["abc d .", "Ann saw a man .", "", "abc d ."]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "en.txt").write_text("".join(f"{line}\n" for line in LINES))
    (tmp_path / "en.conll").write_bytes(sample.path("en").read_bytes())
    return tmp_path


def translate(files: Path, model: Path, *options: str, source: str = "en.txt", output: str = "de.parquet") -> Run:
    languages = ("--source-language", "en", "--target-language", "German")
    named = ("--source", source, *languages, "--model", str(model), "--device", "cpu", "--cache", "cache.sqlite")
    return xner("translate", *instead([*named, "--beams", "1"], options), "-o", output, cwd=files)


def test_one_run_at_a_time_writes_an_output(files: Path) -> None:
    languages = ("--source-language", "en", "--target-language", "de", "--cache", "cache.sqlite")
    with alone(files / "de.jsonl"):
        refused = xner(
            "translate", "--source", "en.txt", *languages, "--model", "command:cat", "-o", "de.jsonl", cwd=files
        )
    assert refused.returncode == 1
    assert "'de.jsonl' is being written by process " in refused.stderr
    assert not (files / "de.jsonl").exists()


@pytest.mark.slow
def test_columns(files: Path, outspoken_nllb: Path) -> None:
    run = done(translate(files, outspoken_nllb))
    assert run.stdout == ""
    assert "\x1b" not in run.stderr, "no progress bars in a pipe"
    table = pq.read_table(files / "de.parquet").to_pydict()
    translator = Translator.load(str(outspoken_nllb), decoding=Decoding(beams=1), device="cpu")
    expected = translator.translate(LINES, "eng_Latn", "deu_Latn")
    assert table["translation"] == [one.text for one in expected]
    assert table["translation_status"] == [one.status for one in expected]
    words = [[word.text for word in split_words(one.text, "deu_Latn")] for one in expected]
    assert table["tokens"] == [row if one.status == "ok" else [] for row, one in zip(words, expected, strict=True)]
    done(translate(files, outspoken_nllb, "--keep-bad", output="all.parquet"))
    assert pq.read_table(files / "all.parquet").column("tokens").to_pylist() == words
    assert "4 sentences: " in run.stderr
    assert "empty_source: there is nothing to translate; rows 2" in run.stderr
    assert "written to de.parquet" in run.stderr


def test_text_lacks_what_is_bad_unless_asked_for(files: Path, outspoken_nllb: Path) -> None:
    statuses = [
        one.status
        for one in Translator.load(str(outspoken_nllb), decoding=Decoding(beams=1)).translate(
            LINES, "eng_Latn", "deu_Latn"
        )
    ]
    assert set(statuses) & {"cut", "looping"}, "the model is as bad as this test needs it"
    run = done(translate(files, outspoken_nllb, output="de.txt"))
    bad = sum(status != "ok" for status in statuses)
    assert f"{bad} rows have no words in de.txt for that; --keep-bad keeps them" in run.stderr
    lines = (files / "de.txt").read_text().split("\n")[:-1]
    assert [bool(line) for line in lines] == [status == "ok" for status in statuses]
    done(translate(files, outspoken_nllb, "--keep-bad", output="all.txt"))
    lines = (files / "all.txt").read_text().split("\n")[:-1]
    assert [bool(line) for line in lines] == [status != "empty_source" for status in statuses]


@pytest.mark.slow
def test_words_of_columns_and_projection(files: Path, outspoken_nllb: Path) -> None:
    done(translate(files, outspoken_nllb, source="en.conll"))
    assert pq.read_metadata(files / "de.parquet").num_rows == 170
    done(xner("project", "--source", "en.conll", "--target", "de.parquet", "-o", "de.conll", cwd=files))
    again = done(translate(files, outspoken_nllb, source="en.conll", output="again.parquet"))
    assert "170 sentences: " in again.stderr
    assert (files / "again.parquet").read_bytes() == (files / "de.parquet").read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--target-language", "Klingon"), "language 'Klingon' is unknown"),
        (("--target-language", "zh"), "language 'zh' may be zho_Hans"),
        (("--target-language", "yo"), "the model does not support Yoruba (yor_Latn); the nearest that it does are"),
    ],
)
def test_languages_that_cannot_be(files: Path, outspoken_nllb: Path, options: tuple[str, ...], message: str) -> None:
    """Before weights are read: there are none."""
    shutil.copytree(outspoken_nllb, files / "bare", ignore=shutil.ignore_patterns("*.safetensors"))
    run = translate(files, files / "bare", *options)
    assert run.returncode == 1
    assert message in run.stderr
    assert not (files / "de.parquet").exists()


def test_a_bilingual_model(files: Path, tiny_marian: Path) -> None:
    done(translate(files, tiny_marian))
    assert pq.read_metadata(files / "de.parquet").num_rows == len(LINES)
    run = translate(files, tiny_marian, "--target-language", "fr")
    assert run.returncode == 1
    assert "the model does not support French (fra_Latn) as target; the nearest that it does are de" in run.stderr


def test_help_names_the_families() -> None:
    text = " ".join(done(xner("translate", "--help")).stdout.split())
    assert "NLLB-200, M2M-100, mBART-50, MADLAD-400, Marian (OPUS-MT)" in text


def test_settings_for_other_commands(outspoken_nllb: Path, tmp_path: Path) -> None:
    """They take the translation models' options alone, and their identity changes with what decides translations."""

    def settings(*options: str) -> ChosenTranslator:
        taken: list[ChosenTranslator] = []

        @click.command
        @click.option("--other")
        @takes(translator=translator_group)
        def command(other: str | None, translator: ChosenTranslator) -> None:
            taken.append(translator)
            assert other is None

        run = CliRunner().invoke(command, ["--model", str(outspoken_nllb), *options], catch_exceptions=False)
        assert run.exit_code == 0, run.output
        return taken[0]

    plain = settings("--device", "cpu,cpu", "--cache", str(tmp_path / "cache"))
    assert plain.decoding == Decoding()
    assert plain.cache == tmp_path / "cache"
    assert plain.load().identity == settings("--device", "cpu,cpu", "--token-budget", "9").load().identity
    for options in (("--beams", "1"), ("--length-ratio", "3"), ("--dtype", "bfloat16")):
        assert settings("--device", "cpu,cpu", *options).load().identity != plain.load().identity


def test_pipelines_that_translate(files: Path, outspoken_nllb: Path, tmp_path: Path) -> None:
    """With models that know nothing: rows keep their places, steps are kept. `test_cipher` has some that do."""
    tagger = tiny_models.save_tagger(tmp_path / "tagger", ["O", "B-PER", "I-PER"])
    (files / "de.txt").write_text("".join(f"{line}\n" for line in LINES))
    (files / "four.conll").write_text("abc\tB-PER\n\nAnn\tB-PER\nsaw\tO\n\nx\tO\n\nabc\tB-PER\n")
    translator = ("--translator", str(outspoken_nllb), "--translator-device", "cpu", "--beams", "1")
    target = ("--target", "de.txt", "--target-language", "de", *translator)
    commands = {
        "a": ("translate-test", *target, "--tagger", str(tagger), "--tagger-device", "cpu"),
        "b": ("back-translate", "--source", "four.conll", *target),
        "c": ("project", "--source", "four.conll", "--translate-to", "de", *translator),
    }
    for name, command in commands.items():
        run = done(xner(*command, "--cache", "cache.sqlite", "-o", f"{name}.parquet", cwd=files))
        table = pq.read_table(files / f"{name}.parquet")
        assert table.num_rows == len(LINES)
        assert list(map(len, pylist(table["labels"]))) == list(map(len, pylist(table["tokens"])))
        assert f"written to {name}.parquet" in run.stderr
        again = done(xner(*command, "--cache", "cache.sqlite", "-o", f"{name}.parquet", cwd=files))
        assert "taken from" in again.stderr
