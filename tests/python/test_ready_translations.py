"""Translations that are there already, in place of a translator."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

import xner
from command_line import Run, done
from command_line import xner as run_xner
from xner import io
from xner.errors import Error, OptionError
from xner.models.translators.ready import ReadyTranslations
from xner.pipelines.projection_run import Pipeline

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LANGUAGES = "eng_Latn", "spa_Latn"
SOURCES = ["Ann saw Rome .", "Rome", "Rome is a city", "Ann"]
LINES = ["Ann vio Roma.", "Roma", "Rome is a city", ""]
STATUSES = ["ok", "ok", "copied", "empty"]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    rows = [[f"{word} {'B-PER' if word == 'Ann' else 'O'}\n" for word in text.split()] for text in SOURCES]
    (tmp_path / "en.conll").write_text("".join("".join(row) + "\n" for row in rows))
    (tmp_path / "es.txt").write_text("".join(f"{line}\n" for line in LINES))
    return tmp_path


def project(files: Path, *options: str, output: str = "es.parquet") -> Run:
    given = ("--source", "en.conll", "--translate-to", "es", "--translations", *options)
    return run_xner("project", *given, "-o", output, cwd=files)


def test_a_line_a_sentence(files: Path) -> None:
    run = done(project(files, "es.txt", "--words", "blanks"))
    table = io.read(files / "es.parquet").to_pydict()
    assert table["tokens"] == [["Ann", "vio", "Roma."], ["Roma"], [], []]
    assert table["translation"] == LINES
    assert table["translation_status"] == STATUSES
    assert table["labels"][0] == ["B-PER", "O", "O"]
    assert "copied: it is the source text; rows 2" in run.stderr
    assert "translations:es.txt" in run.stderr


@pytest.mark.needs("words")
def test_words_go_by_the_language(files: Path) -> None:
    done(project(files, "es.txt"))
    assert io.read(files / "es.parquet")["tokens"].to_pylist()[0] == ["Ann", "vio", "Roma", "."]


def test_the_same_from_python_and_with_bad_ones_kept(files: Path) -> None:
    done(project(files, "es.txt", "--words", "blanks", "--keep-bad", output="kept.parquet"))
    table = xner.io.read(files / "kept.parquet")
    assert table["tokens"].to_pylist()[2] == LINES[2].split()
    pipeline = Pipeline(translate_to="es", translations=str(files / "es.txt"), words="blanks", keep_bad=True)
    source = pa.table({"source_tokens": [text.split() for text in SOURCES]})
    source = source.append_column("source_entities", pa.array([[]] * 4, xner.schema.SOURCE_ENTITIES_TYPE))
    assert pipeline(source)["tokens"].equals(table["tokens"])


@pytest.mark.parametrize("name", ["es.parquet", "es.jsonl", "es.arrow"])
def test_tables(tmp_path: Path, name: str) -> None:
    statuses = ["ok", "cut", "", None]
    table = pa.table({"translation": [*LINES[:3], None], "translation_status": statuses, "other": [1, 2, 3, 4]})
    io.write(table, tmp_path / name)
    found = ReadyTranslations.read(tmp_path / name).translate(SOURCES, *LANGUAGES)
    assert [one.text for one in found] == LINES
    assert [one.status for one in found] == ["ok", "cut", "copied", "empty"]


def test_lines_are_taken_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "es.txt.gz"
    path.write_bytes(gzip.compress("\ufeffuno\u2028dos\r\n  tres \n\n".encode()))
    found = ReadyTranslations.read(path).translate(["a", "b", " "], *LANGUAGES)
    assert found == [("uno\u2028dos", "ok"), ("tres", "ok"), ("", "empty_source")]


@pytest.mark.parametrize("lines", [LINES[:3], [*LINES, "more"], []])
def test_another_number_of_rows(files: Path, lines: Sequence[str]) -> None:
    (files / "es.txt").write_text("".join(f"{line}\n" for line in lines))
    run = project(files, "es.txt")
    assert run.returncode == 1
    assert f"'es.txt' has {len(lines)} translations, but there are 4 source sentences" in run.stderr
    assert not (files / "es.parquet").exists()


def test_their_content_decides_what_is_kept(files: Path) -> None:
    done(project(files, "es.txt", "--words", "blanks"))
    first = ReadyTranslations.read(files / "es.txt")
    assert "translation: taken from" in done(project(files, "es.txt", "--words", "blanks")).stderr
    (files / "es.txt").write_text("".join(f"{line}\n" for line in ["Ann vio París .", *LINES[1:]]))
    assert ReadyTranslations.read(files / "es.txt").identity != first.identity
    assert "taken from" not in done(project(files, "es.txt", "--words", "blanks")).stderr
    assert io.read(files / "es.parquet")["tokens"].to_pylist()[0] == ["Ann", "vio", "París", "."]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"translations": "es.txt"}, "translations goes with translate_to"),
        ({"translate_to": "es", "translations": "es.txt", "translator": "m"}, "translator and translations: one of"),
        ({"translate_to": "es", "translations": "es.txt", "markers": "tags"}, "markers go with a translator"),
        (
            {"translate_to": "es", "translations": "es.txt", "beams": 2},
            "beams=2 goes with a translator",
        ),
        ({"translate_to": "es", "translations": "es.txt", "cache": "c"}, "cache='c' goes with translator"),
        ({"translate_to": "es"}, "translate_to needs `translator`, the translation model, or `translations`"),
        ({"words": "blanks"}, "words='blanks' goes with translator or translations"),
    ],
)
def test_what_does_not_go_together(options: dict[str, Any], message: str) -> None:
    table = pa.table({"source_tokens": [["a"]], "tokens": [["b"]]})
    with pytest.raises(OptionError, match=message):
        Pipeline(**options).run(table)


def test_files_without_translations(files: Path) -> None:
    io.write(pa.table({"text": ["a"]}), files / "other.jsonl")
    with pytest.raises(Error, match=r"file of translations '.*other.jsonl'.*translation"):
        ReadyTranslations.read(files / "other.jsonl")
    io.write(pa.table({"translation": [1]}), files / "numbers.parquet")
    with pytest.raises(Error, match=r"column 'translation': expected string, found int64"):
        ReadyTranslations.read(files / "numbers.parquet")
    run = project(files, "missing.txt")
    assert run.returncode == 1
    assert "missing.txt" in run.stderr
    for command in ("translate-test", "back-translate"):
        assert "--translations" not in done(run_xner(command, "--help")).stdout
