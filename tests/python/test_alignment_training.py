from __future__ import annotations

import extras

extras.need("models")

import json
import random
from typing import TYPE_CHECKING, Any

import pytest
import torch

import xner
from xner import Error
from xner.models.aligners import EncoderAligner, EncoderTrainingOptions, EncoderTrainingReport, train_encoder
from xner.models.aligners._objectives import self_training_loss

if TYPE_CHECKING:
    from pathlib import Path

SMALL: dict[str, Any] = {
    "layer": 3,
    "steps": 30,
    "batch_pairs": 16,
    "micro_batch_pairs": 8,
    "learning_rate": 2e-3,
    "checkpoint_steps": 10,
}


def corpus(pairs: int = 60) -> tuple[list[list[str]], list[list[str]]]:
    """A language and its translation, word by word into capitals and with neighbours swapped."""
    draw = random.Random(0)
    words = [a + b for a in "abcd" for b in "efgh"]
    source = [[draw.choice(words) for _ in range(draw.randint(2, 7))] for _ in range(pairs)]
    target = [[word.upper() for word in sentence[1:2] + sentence[:1] + sentence[2:]] for sentence in source]
    return source, target


def train(model: Path, output: Path, **options: Any) -> EncoderTrainingReport:
    return train_encoder(str(model), *corpus(), output, EncoderTrainingOptions(**(SMALL | options)), device="cpu")


@pytest.mark.slow
def test_the_loss_goes_down_and_the_model_aligns(tiny_masked_bert: Path, tmp_path: Path) -> None:
    report = train(tiny_masked_bert, tmp_path / "model", steps=60)
    assert report.pairs == 60
    assert report.left_out == 0
    for losses in report.losses.values():
        assert len(losses) == 60
        assert sum(losses[-6:]) < sum(losses[:6])
    links = EncoderAligner.load("awesome-mbert", str(tmp_path / "model"), layer=3, device="cpu").align(*corpus())
    assert len(links) == 60
    saved = json.loads((tmp_path / "model" / "xner-training.json").read_text())
    assert saved["losses"]["tlm"] == report.losses["tlm"]
    assert saved["options"]["layer"] == 3
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "xner-training.json",
    ]


@pytest.mark.parametrize("objective", [pytest.param("self-training", marks=pytest.mark.slow), "tlm"])
def test_one_objective(tiny_masked_bert: Path, tmp_path: Path, objective: Any) -> None:
    report = train(tiny_masked_bert, tmp_path, objectives=(objective,))
    assert list(report.losses) == [objective]
    assert sum(report.losses[objective][-3:]) < sum(report.losses[objective][:3])
    assert len(EncoderAligner.load("simalign-mbert", str(tmp_path), layer=3, device="cpu").align(*corpus())) == 60


def test_training_is_deterministic_and_gradients_accumulate(tiny_masked_bert: Path, tmp_path: Path) -> None:
    first = train(tiny_masked_bert, tmp_path / "a", steps=3)
    assert train(tiny_masked_bert, tmp_path / "b", steps=3) == first
    assert (tmp_path / "a" / "model.safetensors").read_bytes() == (tmp_path / "b" / "model.safetensors").read_bytes()
    assert train(tiny_masked_bert, tmp_path / "c", steps=3, seed=1) != first


class _InterruptedError(Exception):
    pass


@pytest.mark.slow
def test_an_interrupted_run_ends_as_an_uninterrupted_one(tiny_masked_bert: Path, tmp_path: Path) -> None:
    whole = train(tiny_masked_bert, tmp_path / "whole")

    def interrupt(what: str, done: int, total: int) -> None:
        if done == 17:
            raise _InterruptedError

    started: list[int] = []
    with pytest.raises(_InterruptedError):
        train_encoder(
            str(tiny_masked_bert),
            *corpus(),
            tmp_path / "model",
            EncoderTrainingOptions(**SMALL),
            device="cpu",
            progress=interrupt,
        )
    resumed = train_encoder(
        str(tiny_masked_bert),
        *corpus(),
        tmp_path / "model",
        EncoderTrainingOptions(**SMALL),
        device="cpu",
        progress=lambda what, done, total: started.append(done),
    )
    assert started[0] == 11
    assert resumed == whole
    names = ("model.safetensors", "xner-training.json")
    assert [(tmp_path / "model" / n).read_bytes() for n in names] == [
        (tmp_path / "whole" / n).read_bytes() for n in names
    ]


def test_a_checkpoint_of_another_run_is_not_taken_up(tiny_masked_bert: Path, tmp_path: Path) -> None:
    def interrupt(what: str, done: int, total: int) -> None:
        raise _InterruptedError

    options = EncoderTrainingOptions(**(SMALL | {"checkpoint_steps": 1}))
    with pytest.raises(_InterruptedError):
        train_encoder(str(tiny_masked_bert), *corpus(), tmp_path, options, device="cpu", progress=interrupt)
    started: list[int] = []
    train_encoder(
        str(tiny_masked_bert),
        *corpus(),
        tmp_path,
        EncoderTrainingOptions(**(SMALL | {"steps": 4})),
        device="cpu",
        progress=lambda what, done, total: started.append(done),
    )
    assert started == [1, 2, 3, 4]


@pytest.mark.parametrize("damage", ["cut", "emptied", "header"])
def test_a_damaged_checkpoint_is_not_taken_up(damage: str, tiny_masked_bert: Path, tmp_path: Path) -> None:
    def interrupt(what: str, done: int, total: int) -> None:
        if done == 2:
            raise _InterruptedError

    options = EncoderTrainingOptions(**(SMALL | {"steps": 3, "checkpoint_steps": 1}))
    with pytest.raises(_InterruptedError):
        train_encoder(str(tiny_masked_bert), *corpus(), tmp_path, options, device="cpu", progress=interrupt)
    (kept,) = (path for path in tmp_path.rglob("*") if path.is_file())
    content = kept.read_bytes()
    changed = {"cut": content[: len(content) // 2], "emptied": b"", "header": b"X" + content[1:]}
    kept.write_bytes(changed[damage])
    started: list[int] = []
    train_encoder(
        str(tiny_masked_bert),
        *corpus(),
        tmp_path,
        options,
        device="cpu",
        progress=lambda what, done, total: started.append(done),
    )
    assert started == [1, 2, 3]


def test_the_self_training_loss_by_hand() -> None:
    generator = torch.Generator().manual_seed(0)
    source = torch.randn(1, 4, 3, generator=generator)
    target = torch.randn(1, 5, 3, generator=generator)
    real = torch.tensor([[False, True, True, False]]), torch.tensor([[False, True, True, True, False]])
    similarity = source[0, 1:3] @ target[0, 1:4].T
    forward, reverse = similarity.softmax(1), similarity.softmax(0)
    expected = 0.0
    for i in range(2):
        for j in range(3):
            if forward[i, j] > 0.1 and reverse[i, j] > 0.1:
                expected -= float(forward[i, j] / 2 + reverse[i, j] / 3) / 2
    assert self_training_loss(source, target, *real, threshold=0.1).item() == pytest.approx(expected, rel=1e-5)


def test_pairs_that_cannot_be_used_are_counted(short_bert: Path, tmp_path: Path) -> None:
    options = EncoderTrainingOptions(objectives=("self-training",), layer=2, steps=1)
    source, target = [["the"], [], ["the"] * 15, ["the"]], [["of"], ["of"], ["of"] * 15, ["of"]]
    report = train_encoder(str(short_bert), source, target, tmp_path, options, device="cpu")
    assert (report.pairs, report.left_out) == (2, 2)


class TestBadInput:
    def test_no_usable_pair(self, tiny_masked_bert: Path, tmp_path: Path) -> None:
        with pytest.raises(
            Error, match="none of 1 sentence pairs has words on both sides and fits into 512 word pieces"
        ):
            train_encoder(str(tiny_masked_bert), [[]], [["a"]], tmp_path, EncoderTrainingOptions(layer=1), device="cpu")

    def test_row_counts(self, tiny_masked_bert: Path, tmp_path: Path) -> None:
        with pytest.raises(Error, match="found 1 source and 2 target sentences"):
            train_encoder(
                str(tiny_masked_bert), [["a"]], [["a"]] * 2, tmp_path, EncoderTrainingOptions(layer=1), device="cpu"
            )

    def test_too_few_layers(self, tiny_masked_bert: Path, tmp_path: Path) -> None:
        with pytest.raises(Error, match=r"layer=8: the encoder '.*' has the layers 1 to 4"):
            train_encoder(str(tiny_masked_bert), [["a"]], [["a"]], tmp_path, device="cpu")

    def test_no_such_model(self, tmp_path: Path) -> None:
        with pytest.raises(Error, match="cannot load the tokenizer of"):
            train_encoder(str(tmp_path / "nothing"), [["a"]], [["a"]], tmp_path / "out", device="cpu")

    def test_a_loss_that_is_not_finite(self, tiny_masked_bert: Path, tmp_path: Path) -> None:
        with pytest.raises(Error, match=r"step \d+: the loss is not a finite number; a lower learning rate may help"):
            train(tiny_masked_bert, tmp_path, learning_rate=1e30)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"objectives": ()}, r"objectives=\(\): expected at least one of 'self-training', 'tlm'"),
            ({"objectives": ("mlm",)}, "objectives='mlm': expected one of 'self-training', 'tlm'"),
            ({"steps": 0}, "steps=0: expected a whole number from 1"),
            ({"threshold": 1.0}, "threshold=1.0: expected a number from 0 on and below 1"),
            ({"learning_rate": -1.0}, "learning_rate=-1.0: expected a number from 0 on"),
        ],
    )
    def test_options(self, options: dict[str, Any], message: str) -> None:
        with pytest.raises(Error, match=message):
            EncoderTrainingOptions(**options)


def test_it_is_not_loaded_with_the_package() -> None:
    assert not hasattr(xner, "train_encoder")
