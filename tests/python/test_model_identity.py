"""What tells models apart, and that the command line and Python take each other's steps as long as it is the same."""

from __future__ import annotations

import extras

extras.need("models")

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

import tiny_models
from command_line import done, xner
from xner import schema
from xner.errors import Error
from xner.io.sides import read_source
from xner.models import EncoderAligner, Tagger, TaggerStage, Translator
from xner.pipelines import recipes
from xner.pipelines.identity import model_identity
from xner.translation.direction import Direction

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

LABELS = ["O", "B-PER", "I-PER"]
ONE, TWO = "1" * 40, "2" * 40
SENTENCES = "Angela\tB-PER\nis\tO\nin\tO\nMadrid\tO\n\nthe\tO\nend\tO\n"


def publish(hub: Path, name: str, commit: str, model: Path) -> None:
    """Put a model into a cache of the hub as the newest commit of its name."""
    folder = hub / f"models--{name.replace('/', '--')}"
    snapshot = folder / "snapshots" / commit
    shutil.copytree(model, snapshot)
    (folder / "refs").mkdir(exist_ok=True)
    (folder / "refs" / "main").write_text(commit)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub, which models are looked for in here and by programs that are started."""
    import huggingface_hub.constants

    folder = tmp_path / "home" / "hub"
    folder.mkdir(parents=True)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(folder))
    return folder


def test_a_folder_is_known_by_its_content(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    tiny_models.save_tagger(one, LABELS)
    shutil.copytree(one, other)
    assert model_identity(str(one), what="a test") == model_identity(str(other), what="a test")
    weights = other / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert model_identity(str(one), what="a test") != model_identity(str(other), what="a test")
    (one / "config.json").rename(one / "other.json")
    assert len({model_identity(str(path), what="a test") for path in (one, other, weights)}) == 3


def test_what_has_not_changed_is_not_read_again(tmp_path: Path) -> None:
    file = tmp_path / "model"
    file.write_bytes(b"one")
    times = file.stat().st_atime_ns, file.stat().st_mtime_ns
    identity = model_identity(str(file), what="a test")
    file.write_bytes(b"two")
    os.utime(file, ns=times)
    assert model_identity(str(file), what="a test") == identity
    os.utime(file, ns=(times[0], times[1] + 1))
    assert model_identity(str(file), what="a test") != identity


def test_a_model_of_the_hub_is_known_by_its_commit(hub: Path, tmp_path: Path) -> None:
    tiny_models.save_tagger(tmp_path / "one", LABELS)
    tiny_models.save_tagger(tmp_path / "two", LABELS, seed=1)
    publish(hub, "some/tagger", ONE, tmp_path / "one")
    assert model_identity("some/tagger", what="a test") == ONE
    before = TaggerStage(Tagger.load("some/tagger", device="cpu", lazily=True))
    assert before.identity == TaggerStage(Tagger.load("some/tagger", device="cpu")).identity
    identity = before.identity
    publish(hub, "some/tagger", TWO, tmp_path / "two")
    assert model_identity("some/tagger", what="a test") == TWO
    assert before.identity != identity
    with pytest.raises(Error, match="cannot find the model 'some/other'"):
        model_identity("some/other", what="a test")


class Counted:
    """Runs a recipe as the command line does, and notes which steps were taken from before."""

    def __init__(self, folder: Path, source: Path) -> None:
        self.folder = folder
        self.table = read_source(source, format=None, scheme="IOB2", mode="lenient")

    def __call__(self, model: str) -> tuple[pa.Table, list[str]]:
        told: list[str] = []
        into = Direction(Translator.load(model, device="auto"), "en", "de", cache=self.folder / "kept")
        steps = recipes.translate_train(into)
        found = recipes.run(self.table, steps, self.folder / "out.parquet.steps", told=told.append)
        return found, [line.partition(":")[0] for line in told]


def project(folder: Path, model: str) -> list[str]:
    """Project by the command line; the steps that were taken from before."""
    options = ["--translate-to", "de", "--translator", model, "--cache", "cache", "-o", "out.parquet"]
    run = done(xner("project", "--source", "en.conll", *options, cwd=folder))
    return [line.partition(":")[0] for line in run.stderr.splitlines() if ": taken from " in line]


def test_the_command_line_and_python_take_each_others_steps(outspoken_nllb: Path, tmp_path: Path) -> None:
    (tmp_path / "en.conll").write_text(SENTENCES)
    run = Counted(tmp_path, tmp_path / "en.conll")
    model = tmp_path / "model"
    shutil.copytree(outspoken_nllb, model)
    both = ["translation", "links"]
    assert project(tmp_path, str(model)) == []
    found, reused = run(str(model))
    assert reused == both
    assert run(str(outspoken_nllb))[1] == both, "the same content elsewhere"
    tiny_models.save_nllb(model, languages=("eng_Latn", "deu_Latn", "fra_Latn"), init_std=0.3, seed=1)
    other, reused = run(str(model))
    assert reused == []
    assert not other.column(schema.TRANSLATION).equals(found.column(schema.TRANSLATION))
    assert project(tmp_path, str(model)) == both


@pytest.mark.slow
def test_another_commit_translates_anew(outspoken_nllb: Path, hub: Path, tmp_path: Path) -> None:
    (tmp_path / "en.conll").write_text(SENTENCES)
    run = Counted(tmp_path, tmp_path / "en.conll")
    publish(hub, "some/nllb", ONE, outspoken_nllb)
    assert project(tmp_path, "some/nllb") == []
    assert run("some/nllb")[1] == ["translation", "links"]
    tiny_models.save_nllb(tmp_path / "two", languages=("eng_Latn", "deu_Latn", "fra_Latn"), init_std=0.3, seed=1)
    publish(hub, "some/nllb", TWO, tmp_path / "two")
    assert project(tmp_path, "some/nllb") == []
    assert run("some/nllb")[1] == ["translation", "links"]


def test_steps_of_encoders_and_taggers_are_known_by_their_content(tiny_bert: Path, tmp_path: Path) -> None:
    tagger = tiny_models.save_tagger(tmp_path / "tagger", LABELS)
    encoder = tmp_path / "encoder"
    shutil.copytree(tiny_bert, encoder)

    def keys() -> list[Any]:
        aligner = EncoderAligner.load("simalign-mbert", str(encoder), layer=2, device="cpu", lazily=True)
        stage = TaggerStage(Tagger.load(str(tagger), device="cpu", lazily=True))
        return [recipes.alignment_step(aligner).key, recipes.step_of("tags", stage).key]

    before = keys()
    assert keys() == before
    tiny_models.save_tagger(tagger, LABELS, seed=1)
    tiny_models.save_bert(encoder, seed=1)
    assert not set(keys()) & set(before)


@pytest.mark.needs("translate")
def test_an_encoder_of_the_hub_is_converted_and_known_by_its_commit(tiny_bert: Path, hub: Path, tmp_path: Path) -> None:
    publish(hub, "some/bert", ONE, tiny_bert)
    options: dict[str, Any] = {"layer": 2, "engine": "ctranslate2", "dtype": "int8"}
    aligner, other = (EncoderAligner.load("simalign-mbert", name, **options) for name in ("some/bert", str(tiny_bert)))
    sides = [["the", "end"]], [["Madrid", "is", "the"]]
    assert aligner.align(*sides) == other.align(*sides)
    before = aligner.identity
    tiny_models.save_bert(tmp_path / "two", seed=1)
    publish(hub, "some/bert", TWO, tmp_path / "two")
    assert EncoderAligner.load("simalign-mbert", "some/bert", **options).identity != before
