"""Translation and projection by meaning: into a made-up language that a model has learned (see `cipher`)."""

from __future__ import annotations

import extras

extras.need("models", "words")

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

import cipher
from command_line import Run, done, xner
from xner import Aligner, Projector, evaluate, io, labels, schema
from xner._support.arrow import pylist
from xner.models.translators import Translator
from xner.models.translators.translator import Decoding
from xner.text import splitter_for
from xner.translation.marked import count_problems, translate_marked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# A translation model learns a language here.
pytestmark = pytest.mark.slow

LANGUAGE = cipher.Language()
TRAINING, HELD_OUT = cipher.corpora(LANGUAGE)
SPLIT = splitter_for(cipher.TARGET)
GOLD = [labels.encode(target.entities, len(target.words)) for _, target in HELD_OUT]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cipher.train(tmp_path_factory.mktemp("cipher"), LANGUAGE, TRAINING)


@pytest.fixture(scope="module")
def translator(model: Path) -> Translator:
    return Translator.load(str(model), decoding=Decoding(beams=1), device="cpu")


def translate(translator: Translator, texts: Sequence[str]) -> list[str]:
    return [found.text for found in translator.translate(texts, cipher.SOURCE, cipher.TARGET)]


def fitted(predicted: list[list[str]]) -> list[list[str]]:
    """Labels as long as the gold ones: a translation that is too short or long has its words compared one by one."""
    return [(row + ["O"] * len(gold))[: len(gold)] for row, gold in zip(predicted, GOLD, strict=True)]


def project(translations: list[list[str]]) -> list[list[str]]:
    """Align with the sources, and project."""
    sources = [source.words for source, _ in HELD_OUT]
    rows = {
        schema.TOKENS: pa.array(translations, schema.WORDS_TYPE),
        schema.SOURCE_TOKENS: pa.array(sources, schema.WORDS_TYPE),
        schema.SOURCE_ENTITIES: pa.array(
            [[{"start": s, "end": e, "label": k} for s, e, k in source.entities] for source, _ in HELD_OUT],
            schema.SOURCE_ENTITIES_TYPE,
        ),
        schema.LINKS: Aligner.fit(sources, translations).align(sources, translations),
    }
    found: Any = Projector()(pa.table(rows))
    predicted: list[list[str]] = found.column(schema.LABELS).to_pylist()
    return predicted


def test_held_out_sentences_are_translated(translator: Translator) -> None:
    assert not {tuple(source.words) for source, _ in TRAINING} & {tuple(source.words) for source, _ in HELD_OUT}
    found = translate(translator, [cipher.text(source) for source, _ in HELD_OUT])
    right = sum(text == cipher.text(target) for text, (_, target) in zip(found, HELD_OUT, strict=True))
    assert right / len(HELD_OUT) >= 0.95


def test_translate_align_project(translator: Translator) -> None:
    found = translate(translator, [cipher.text(source) for source, _ in HELD_OUT])
    scores = evaluate(GOLD, fitted(project([[word.text for word in SPLIT(text)] for text in found])))
    assert scores.support > 300
    assert scores.f1 >= 0.95


def test_translate_with_markers(translator: Translator) -> None:
    """Sentences whose markers broke fall back to alignment."""
    found = translate_marked(
        [source.words for source, _ in HELD_OUT],
        [source.entities for source, _ in HELD_OUT],
        lambda texts: translate(translator, texts),
        SPLIT,
    )
    words = [[word.text for word in one.words] for one in found]
    aligned = project(words)
    predicted = [
        aligned[row] if one.problem is not None else labels.encode([span[:3] for span in one.entities], len(words[row]))
        for row, one in enumerate(found)
    ]
    assert evaluate(GOLD, fitted(predicted)).f1 >= 0.95
    assert sum(count_problems(found).values()) <= 0.1 * len(found), "the markers themselves do it, not the alignment"


# -- the same on the command line ----------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The held-out sentences in both languages with labels, and the target ones as text."""
    for name, side in (("en", 0), ("xh", 1)):
        sentences = [pair[side] for pair in HELD_OUT]
        gold = [labels.encode(one.entities, len(one.words)) for one in sentences]
        table = pa.table({schema.TOKENS: [one.words for one in sentences], schema.LABELS: gold})
        io.write(table, tmp_path / f"{name}.conll")
        io.write(table.select([schema.TOKENS]), tmp_path / f"{name}.txt")
    return tmp_path


def run(files: Path, model: Path, command: str, *options: str) -> Run:
    named = ("--translator", str(model), "--beams", "1", "--cache", "cache.sqlite")
    return done(xner(command, *named, "--translator-device", "cpu", *options, cwd=files))


def f1(path: Path) -> float:
    """Of rows that are in place; what is left out of a file has no labels."""
    found = io.read(path)
    return evaluate(GOLD, fitted(pylist(found.column(schema.LABELS)))).f1


@pytest.mark.parametrize("markers", [(), ("--markers", "brackets")])
def test_project_translates(files: Path, model: Path, markers: tuple[str, ...]) -> None:
    command = ("--source", "en.conll", "--translate-to", "xho", *markers)
    made = run(files, model, "project", *command, "-o", "xh.parquet")
    assert f1(files / "xh.parquet") >= 0.95
    assert "translations: " in made.stderr
    assert ("sentences with markers: " in made.stderr) == bool(markers)
    kept = files / "xh.parquet.steps"
    assert sorted(path.name for path in kept.iterdir()) == ["links.parquet", "translation.parquet"]
    first = (files / "xh.parquet").read_bytes()
    again = run(files, model, "project", *command, "-o", "xh.parquet")
    assert f"translation: taken from {kept.name}/translation.parquet" in again.stderr
    assert f"links: taken from {kept.name}/links.parquet" in again.stderr
    assert (files / "xh.parquet").read_bytes() == first
    if markers:
        drop = ("--broken-markers", "drop", "--steps", kept.name)
        dropped = run(files, model, "project", *command, *drop, "-o", "sure.conll")
        rows = io.read(files / "sure.conll").num_rows
        broken = len(HELD_OUT) - rows
        assert (f"{broken} of {len(HELD_OUT)} rows left out of sure.conll" in dropped.stderr) == bool(broken)
        assert f"{rows} ok" in made.stderr
    other = run(files, model, "project", *command, "--method", "heuristic", "--steps", kept.name, "-o", "other.conll")
    assert "links: taken from" in other.stderr


def test_back_translation_on_the_command_line(files: Path, model: Path) -> None:
    languages = ("--source-language", "eng", "--target-language", "Xhosa")
    run(files, model, "back-translate", "--source", "en.conll", "--target", "xh.txt", *languages, "-o", "xh.parquet")
    found = io.read(files / "xh.parquet")
    assert evaluate(GOLD, found.column(schema.LABELS)).f1 >= 0.95
    assert found.column(schema.PIVOT_TOKENS).to_pylist() == [source.words for source, _ in HELD_OUT]
    same = sum(a == b for a, b in zip(*(found.column(n).to_pylist() for n in ("source_tokens", "tokens")), strict=True))
    assert same >= 0.8 * len(HELD_OUT), "target words stand beside target words"


def test_translate_test_on_the_command_line(files: Path, model: Path, tmp_path: Path) -> None:
    """The target text knows nothing of labels; they come from a tagger of the other language."""
    tagger = cipher.train_tagger(tmp_path / "tagger", [source for source, _ in TRAINING])
    options = ("--target", "xh.txt", "--target-language", "xh", "--tagger", str(tagger))
    made = run(files, model, "translate-test", *options, "-o", "made.conll")
    assert f1(files / "made.conll") >= 0.9
    assert io.read(files / "made.conll").num_rows == len(HELD_OUT), "every row keeps its place"
    steps = files / "made.conll.steps"
    assert sorted(path.stem for path in steps.iterdir()) == ["links", "source-tags", "translation"]
    assert "taken from" not in made.stderr
    again = run(files, model, "translate-test", *options, "--ignore-class", "ORG", "-o", "made.conll")
    assert "translation: taken from" in again.stderr
    assert "source-tags: taken from" not in again.stderr
    found = pylist(io.read(files / "made.conll").column(schema.LABELS))
    assert {label for row in found for label in row} == {"O", "B-PER", "I-PER", "B-LOC"}


def test_labels_by_markers_alone(files: Path, model: Path) -> None:
    named = ("--source", "en.conll", "--source-language", "en", "--target-language", "xh")
    options = ("--model", str(model), "--beams", "1", "--markers", "brackets", "--cache", "cache.sqlite")
    made = done(xner("translate", *named, *options, "-o", "marked.conll", cwd=files))
    rows = io.read(files / "marked.conll").num_rows
    said = f"  {len(HELD_OUT) - rows} rows left out of marked.conll for that" in made.stderr
    assert said == (rows < len(HELD_OUT))
    done(xner("translate", *named, *options, "-o", "marked.parquet", cwd=files))
    done(xner("project", "--source", "en.conll", "--target", "marked.parquet", "-o", "whole.parquet", cwd=files))
    assert f1(files / "whole.parquet") >= 0.95


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("--translate-to", "xh"),
            "--translate-to needs --translator, the translation model, or --translations, a file of them",
        ),
        (("--target", "xh.txt", "--markers", "tags"), "--markers goes with --translate-to"),
        (("--target", "xh.txt", "--beams", "2"), "--beams=2 goes with a translator"),
        (("--target", "xh.txt", "--translate-to", "xh", "--translator", "m"), "give one of them"),
        ((), "--target is missing: the translations; or --translate-to"),
        (("--translate-to", "xh", "--translator", "m", "--links", "xh.txt"), "--links goes with --target"),
        (("--translate-to", "Klingon", "--translator", "m"), "language 'Klingon' is unknown"),
        (("--translate-to", "xh", "--translator", "nowhere"), "cannot find the model"),
    ],
)
def test_wrong_use(files: Path, options: tuple[str, ...], message: str) -> None:
    found = xner("project", "--source", "en.conll", *options, "-o", "out.conll", cwd=files)
    assert found.returncode in {1, 2}
    assert message in " ".join(found.stderr.split())
    assert not (files / "out.conll").exists()
