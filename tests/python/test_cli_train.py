from __future__ import annotations

import extras

extras.need("train")

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import datasets
import pytest
from click.testing import CliRunner

import tiny_models
import two_languages as world
from command_line import instead
from xner import io
from xner._support.arrow import pylist
from xner.cli.main import cli
from xner.models.network.loading import import_transformers
from xner.models.taggers import Tagger
from xner.training.report import TrainingReport

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

BRIEF = ["--random-weights", "--epochs", "2", "--batch-size", "16", "--learning-rate", "3e-3", "--device", "cpu"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `shape`, and files of the made-up target language."""
    folder = tmp_path_factory.mktemp("corpus")
    world.save_shape(folder / "shape")
    # As many as fill whole batches, with one process and with two.
    some = world.pairs(160, seed=1)
    io.write(world.target_table(some[:128]), folder / "train.conll")
    io.write(world.target_table(some[128:]), folder / "dev.conll")
    io.write(world.projected_table(some[:128], lost_links=0.2), folder / "projected.parquet")
    return folder


def run(corpus: Path, *arguments: str, model: str = "shape") -> Result:
    return CliRunner().invoke(
        cli, ["train", "--model", str(corpus / model), *BRIEF, *arguments], catch_exceptions=False
    )


def failing(corpus: Path, *arguments: str) -> str:
    result = CliRunner().invoke(cli, ["train", "--model", str(corpus / "shape"), *BRIEF, *arguments])
    assert result.exit_code != 0
    return result.output + str(result.exception)


def metrics(folder: Path) -> dict[str, Any]:
    return TrainingReport.read(folder).metrics


@pytest.fixture(scope="module")
def europarl(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("europarl")
    table = io.read(test_data / "europarl-ner" / "en-europarl.test.conll02")
    assert table.num_rows == 799
    io.write(table.slice(0, 600), folder / "train.conll")
    io.write(table.slice(600), folder / "dev.conll")
    _save_europarl_shape(folder / "shape", pylist(table["tokens"].slice(0, 600)))
    return [
        *(sys.executable, "-m", "xner", "train", "--device", "cpu"),
        *("--train", str(folder / "train.conll"), "--dev", str(folder / "dev.conll")),
        *("--model", str(folder / "shape"), "--random-weights"),
        *("--epochs", "4", "--batch-size", "8", "--learning-rate", "2e-3"),
    ]


class TestEuroparl:
    """A small model from scratch on 600 English sentences, in processes of its own."""

    @pytest.mark.slow
    def test_it_learns_and_survives_a_kill(self, europarl: list[str], tmp_path: Path) -> None:
        whole, killed = tmp_path / "whole", tmp_path / "killed"
        done = subprocess.run([*europarl, "-o", str(whole)], check=True, capture_output=True, text=True)
        assert TrainingReport.read(whole).scored[0]["scores"]["micro"]["f1"] > 0.25
        assert done.stdout == TrainingReport.read(whole).table() + "\n"
        progress = done.stderr.splitlines()
        assert len(progress) == 5
        assert progress[0].startswith("epoch 1.00, step 75 of 300, loss ")
        assert "dev F1 " in progress[0]
        assert progress[-1] == f"written to {whole}"

        with subprocess.Popen([*europarl, "-o", str(killed)], stderr=subprocess.PIPE, text=True) as process:
            _wait_for(tmp_path / ".killed.training" / "checkpoints" / "checkpoint-150" / "trainer_state.json", process)
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        assert not killed.exists()
        resumed = subprocess.run([*europarl, "-o", str(killed)], check=True, capture_output=True, text=True)
        assert resumed.stderr.splitlines()[0] in progress[2:]
        assert (killed / "metrics.json").read_bytes() == (whole / "metrics.json").read_bytes()
        assert (killed / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
        assert not (tmp_path / ".killed.training").exists()


def _wait_for(file: Path, process: subprocess.Popen[str]) -> None:
    for _ in range(6000):
        if file.is_file():
            return
        assert process.poll() is None, "the run ended before it had a checkpoint"
        time.sleep(0.01)
    pytest.fail(f"no {file} in a minute")


def _save_europarl_shape(folder: Path, sentences: list[list[str]]) -> None:
    """A WordPiece tokenizer that is trained on the sentences, and a small encoder's configuration."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    trained = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    trained.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=2000, special_tokens=tiny_models.SPECIAL, show_progress=False)
    trained.train_from_iterator([" ".join(words) for words in sentences], trainer)
    transformers = import_transformers("a test")
    tokenizer = transformers.BertTokenizer(vocab=trained.get_vocab(), do_lower_case=False, model_max_length=256)
    tokenizer.save_pretrained(folder)
    settings = {"hidden_size": 96, "num_hidden_layers": 2, "intermediate_size": 192}
    tiny_models.bert_config(tokenizer, **settings).save_pretrained(folder)


class TestProcesses:
    @pytest.mark.slow
    def test_accelerate_launch(self, corpus: Path, tmp_path: Path) -> None:
        launch = [sys.executable, "-m", "accelerate.commands.launch", "--cpu", "--num_processes", "1"]
        launch += ["--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no", "-m", "xner", "train"]
        _run_files(launch, corpus, tmp_path / "launched", "16")
        alone = run(corpus, *_files(corpus), "-o", str(tmp_path / "alone"))
        assert alone.exit_code == 0
        assert metrics(tmp_path / "launched") == metrics(tmp_path / "alone")

    @pytest.mark.slow
    def test_two_processes_do_what_one_does(self, tmp_path: Path, corpus: Path) -> None:
        # Without dropout, whose randomness is each process's own.
        still = world.save_shape(tmp_path / "still", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
        launch = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "xner", "train"]
        output = _run_files(launch, corpus, tmp_path / "two", "8", model=still)
        report = TrainingReport.read(tmp_path / "two")
        # One of them writes and talks.
        assert output.stdout == report.table() + "\n"
        assert output.stderr.count("epoch 1.00") == output.stderr.count("written to") == 1
        _run_files([sys.executable, "-m", "xner", "train"], corpus, tmp_path / "one", "16", model=still)
        for one, two in zip(metrics(tmp_path / "one")["history"], report.metrics["history"], strict=True):
            assert one["step"] == two["step"]
            assert one["loss"] == pytest.approx(two["loss"], rel=1e-3)
            assert one["development"]["loss"] == pytest.approx(two["development"]["loss"], rel=1e-3)


def _files(corpus: Path) -> list[str]:
    return ["--train", str(corpus / "train.conll"), "--dev", str(corpus / "dev.conll")]


def _run_files(
    start: list[str], corpus: Path, output: Path, batch_size: str, model: Path | None = None
) -> subprocess.CompletedProcess[str]:
    shape = str(model or corpus / "shape")
    brief = instead(BRIEF[1:], ["--batch-size", batch_size])
    arguments = [*_files(corpus), "--model", shape, BRIEF[0], *map(str, brief), "-o", str(output)]
    environment = os.environ | {"TORCH_CPP_LOG_LEVEL": "ERROR"}
    return subprocess.run([*start, *arguments], check=True, capture_output=True, text=True, env=environment)


class TestOptions:
    @pytest.mark.slow
    def test_a_data_set_of_the_hub(self, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
        names = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
        features = datasets.Features(
            {
                "tokens": datasets.List(datasets.Value("string")),
                "ner_tags": datasets.List(datasets.ClassLabel(names=names)),
            }
        )
        (tmp_path / "hub").mkdir()
        for split in ("train", "dev"):
            table = io.read(corpus / f"{split}.conll")
            rows = {"tokens": table["tokens"].to_pylist()}
            rows["ner_tags"] = [[names.index(label) for label in row] for row in pylist(table["labels"])]
            file = tmp_path / "hub" / f"{'validation' if split == 'dev' else split}.parquet"
            datasets.Dataset.from_dict(rows, features=features).to_parquet(str(file))
        name = f"hf:{tmp_path / 'hub'}"
        output = str(tmp_path / "model")
        assert run(corpus, "--train", name, "--dev", name, "--test", f"{name}::validation", "-o", output).exit_code == 0
        from_hub = metrics(tmp_path / "model")
        run(corpus, *_files(corpus), "-o", str(tmp_path / "files"))
        assert from_hub["history"] == metrics(tmp_path / "files")["history"]
        assert from_hub["development"]["scores"] == from_hub["tests"][0]["scores"]

    @pytest.mark.slow
    def test_they_reach_the_training(self, corpus: Path, tmp_path: Path) -> None:
        result = run(
            corpus,
            *("--train", str(corpus / "projected.parquet"), "--dev", str(corpus / "dev.conll")),
            *("--test", str(corpus / "dev.conll"), "--ignore-class", "LOC", "--class-map", "PER=PERSON"),
            *("--max-steps", "9", "--evaluate-steps", "4", "--accumulation", "2", "--patience", "0", "--bf16"),
            *("--schedule", "cosine", "--warmup", "0.2", "--weight-decay", "0.1", "--longest", "30", "--seed", "7"),
            *("--loss", "generalized-cross-entropy", "--gce-q", "0.5"),
            *("--class-weights", "PERSON=2", "--class-weights", "O=0.5"),
            *("--row-weights", "score", "--min-margin", "0.5", "--below-margin", "drop-row", "--drop-incomplete"),
            *("--lora", "--lora-rank", "4", "--lora-alpha", "8", "--lora-dropout", "0", "--lora-target", "query"),
            *("--keep-checkpoints", "-o", str(tmp_path / "model")),
        )
        assert result.exit_code == 0
        found = metrics(tmp_path / "model")
        settings = found["settings"]
        assert settings == {
            "epochs": 2,
            "max_steps": 9,
            "batch_size": 16,
            "accumulation": 2,
            "learning_rate": 3e-3,
            "schedule": "cosine",
            "warmup": 0.2,
            "weight_decay": 0.1,
            "loss": "generalized-cross-entropy",
            "focal_gamma": 2.0,
            "gce_q": 0.5,
            "temperature": 1.0,
            "class_weights": {"PERSON": 2.0, "O": 0.5},
            "evaluate_steps": 4,
            "patience": None,
            "f_beta": 1.0,
            "bf16": True,
            "lora": {"rank": 4, "alpha": 8.0, "dropout": 0.0, "targets": ["query"]},
            "longest": 30,
            "overlap": 128,
            "seed": 7,
        }
        assert found["noise"] == {
            "row_weights": "score",
            "min_margin": 0.5,
            "below_margin": "drop-row",
            "drop_incomplete": True,
        }
        assert found["labels"] == ["O", "B-PERSON", "I-PERSON"]
        assert [moment["step"] for moment in found["history"]] == [4, 8, 9]
        assert (tmp_path / "model" / "checkpoints").is_dir()
        assert Tagger.load(str(tmp_path / "model"), device="cpu").classes == ("PERSON",)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--focal-gamma", "1"], "--focal-gamma=1.0 goes with --loss focal"),
            (["--loss", "kl", "--gce-q", "1"], "--gce-q=1.0 goes with --loss generalized-cross-entropy"),
            (["--temperature", "2"], "--temperature=2.0 goes with --loss kl"),
            (["--below-margin", "drop-row"], "--below-margin='drop-row' goes with --min-margin"),
            (["--lora-rank", "4"], "--lora-rank goes with --lora"),
            (["--class-weights", "PER"], "class_weights='PER': expected 'none', 'balanced' or CLASS=NUMBER"),
            (["--class-weights", "balanced", "--class-weights", "PER=2"], "class_weights='balanced' stands by itself"),
            (["--class-weights", "PER=1", "--class-weights", "PER=2"], "'PER' has the weight 1 already"),
            (["--class-weights", "=2"], "class_weights='=2': expected 'none', 'balanced' or CLASS=NUMBER"),
            (["--seed", "3", "--seeds", "1,2"], "--seed and --seeds: one of them says which runs there are"),
            (["--class-weights", "PER=1", "--class-weights", "O=x"], "expected 'none', 'balanced' or CLASS=NUMBER"),
        ],
    )
    def test_those_that_say_nothing(self, corpus: Path, tmp_path: Path, arguments: list[str], message: str) -> None:
        result = run(corpus, *_files(corpus), *arguments, "-o", str(tmp_path / "model"))
        assert result.exit_code == 2
        assert message.replace("class_weights", "--class-weights") in " ".join(result.output.split())
        assert not (tmp_path / "model").exists()

    @pytest.mark.parametrize("flag", ["--patience", "--f-beta", "--evaluate-steps"])
    def test_those_of_development_data(self, corpus: Path, tmp_path: Path, flag: str) -> None:
        train = ["--train", str(corpus / "train.conll")]
        result = run(corpus, *train, flag, "2", "-o", str(tmp_path / "model"))
        assert result.exit_code == 2
        assert f"{flag} goes with --dev, the labelled sentences that are scored meanwhile" in result.output

    @pytest.mark.slow
    def test_presets(self, corpus: Path, tmp_path: Path) -> None:
        result = run(corpus, *_files(corpus), "--preset", "candidates", "-o", str(tmp_path / "a"))
        assert result.exit_code == 0
        found = metrics(tmp_path / "a")
        assert found["labels"] == ["O", "B-CAND", "I-CAND"]
        assert (found["settings"]["class_weights"], found["settings"]["f_beta"]) == ({"CAND": 5.0}, 2.0)
        # What is given goes first.
        arguments = ["--preset", "candidates", "--class-weights", "balanced", "-o", str(tmp_path / "b")]
        assert run(corpus, *_files(corpus), *arguments).exit_code == 0
        assert metrics(tmp_path / "b")["settings"]["class_weights"] == "balanced"

    @pytest.mark.slow
    def test_several_seeds(self, corpus: Path, tmp_path: Path) -> None:
        result = run(corpus, *_files(corpus), "--seeds", "1,2", "-o", str(tmp_path / "seeds"))
        assert result.exit_code == 0
        assert "mean ± standard deviation of 2 seeds" in result.stdout
        assert [line.partition(", ")[0] for line in result.stderr.splitlines()[:-1]] == [
            f"seed {seed}: epoch {epoch}.00" for seed in (1, 2) for epoch in (1, 2)
        ]
        summary = json.loads((tmp_path / "seeds" / "summary.json").read_text())
        runs = [metrics(tmp_path / "seeds" / f"seed-{seed}") for seed in (1, 2)]
        assert [one["settings"]["seed"] for one in runs] == [1, 2]
        f1 = [one["development"]["scores"]["micro"]["f1"] for one in runs]
        assert summary["scores"][str(corpus / "dev.conll")]["f1"]["runs"] == f1

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--class-weights", "auto"], "--class-weights='auto': expected 'none', 'balanced' or CLASS=NUMBER"),
            (
                ["--class-weights", "balanced", "--class-weights", "PER=2"],
                "--class-weights='balanced' stands by itself",
            ),
            (["--class-map", "PER"], "'PER': expected OLD=NEW"),
            (["--seeds", "1,x"], "expected whole numbers separated by commas"),
            (["--warmup", "2"], "'--warmup': 2.0 is not in the range 0<=x<1"),
            (["--test", "nothing.conll"], "there is no file 'nothing.conll'"),
            (["--min-margin", "0.1"], "weighing projected labels needs the column(s) entities"),
        ],
    )
    def test_bad_ones(self, corpus: Path, tmp_path: Path, arguments: list[str], message: str) -> None:
        assert message in failing(corpus, *_files(corpus), "-o", str(tmp_path / "model"), *arguments)
        assert not (tmp_path / "model").exists()

    def test_a_missing_library_is_named(self, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "peft", None)
        message = failing(corpus, *_files(corpus), "--lora", "-o", str(tmp_path / "model"))
        assert "LoRA needs peft, which is not installed; pip install 'xner[train]' brings it" in message
