"""Aligners from the command line: encoders, several at once, training."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from command_line import done, xner
from xner import io
from xner._support.arrow import pylist

if TYPE_CHECKING:
    from pathlib import Path

ENGLISH = "Angela Merkel visited Madrid .\nthe walker of Madrid\n\nAngela sat\n"
OTHER = "Madrid visited Angela Merkel .\nMadrid of the walker\nthe\nsat Angela\n"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "en.txt").write_text(ENGLISH, encoding="utf-8")
    (tmp_path / "xx.txt").write_text(OTHER, encoding="utf-8")
    labels = ["B-PER I-PER O B-LOC O", "O O O B-LOC", "", "B-PER O"]
    rows = [
        "\n".join(f"{w}\t{t}" for w, t in zip(line.split(), tags.split(), strict=True))
        for line, tags in zip(ENGLISH.splitlines(), labels, strict=True)
        if line
    ]
    (tmp_path / "en.conll").write_text("\n\n".join(rows) + "\n", encoding="utf-8")
    (tmp_path / "three.txt").write_text("\n".join(x for x in OTHER.splitlines() if x != "the") + "\n")
    return tmp_path


SIDES = ("--source", "en.txt", "--target", "xx.txt")


def test_align_with_an_encoder(files: Path, tiny_bert: Path) -> None:
    run = done(
        xner(
            *(
                "align",
                *SIDES,
                "--aligner",
                "simalign-mbert",
                "--aligner-model",
                tiny_bert,
                "--layer",
                "2",
                "--aligner-device",
                "cpu",
            ),
            *("-o", "links.parquet"),
            cwd=files,
        )
    )
    assert "4 sentence pairs, " in run.stderr
    assert "status: 3 ok, 1 empty_source" in run.stderr
    table = pq.read_table(files / "links.parquet")
    assert table.column("status").to_pylist() == ["ok", "ok", "empty_source", "ok"]
    assert not list(files.glob(".*"))


@pytest.mark.needs("translate")
def test_encoders_in_ctranslate2(files: Path, tiny_bert: Path) -> None:
    encoder = ("--aligner", "simalign-mbert", "--aligner-model", tiny_bert, "--layer", "2")
    fast = (*encoder, "--aligner-engine", "ctranslate2")
    for name, options in {"torch": encoder, "float32": fast, "int8": (*fast, "--aligner-dtype", "int8")}.items():
        done(xner("align", *SIDES, *options, "-o", f"{name}.pharaoh", cwd=files))
    made = {path.stem: path.read_text() for path in files.glob("*.pharaoh")}
    assert made["float32"] == made["torch"]
    assert len(made["int8"].splitlines()) == 4
    labelled = ("--source", "en.conll", "--target", "three.txt")
    done(xner("project", *labelled, *fast, "--aligner-dtype", "int8", "-o", "out.conll", cwd=files))
    assert "Madrid" in (files / "out.conll").read_text()

    run = xner("align", *SIDES, *encoder, "--aligner-dtype", "int8", "-o", "x.pharaoh", cwd=files)
    assert run.returncode != 0
    assert "--aligner-dtype='int8': that is for --aligner-engine" in run.stderr
    run = xner("align", *SIDES, "--aligner-engine", "ctranslate2", "-o", "x.pharaoh", cwd=files)
    assert run.returncode != 0
    assert "--aligner-engine" in run.stderr


def test_project_with_an_encoder(files: Path, tiny_bert: Path) -> None:
    done(
        xner(
            *("project", "--source", "en.conll", "--target", "three.txt", "--aligner", "awesome-mbert"),
            *(
                "--aligner-model",
                f"awesome-mbert={tiny_bert}",
                "--layer",
                "2",
                "--aligner-device",
                "cpu,cpu",
                "-o",
                "xx.conll",
            ),
            cwd=files,
        )
    )
    assert io.read_conll(files / "xx.conll").num_rows == 3


def test_several_aligners_and_files_are_combined(files: Path, tiny_bert: Path) -> None:
    encoder = ("--aligner", "simalign-mbert", "--layer", "2", "--aligner-device", "cpu")
    done(xner("align", *SIDES, "-o", "a.pharaoh", cwd=files))
    done(xner("align", *SIDES, *encoder, "--aligner-model", tiny_bert, "-o", "b.pharaoh", cwd=files))
    model = ("--aligner-model", f"simalign-mbert={tiny_bert}")
    done(xner("align", *SIDES, "--aligner", "builtin", *encoder, *model, "-o", "both.pharaoh", cwd=files))
    links = {
        name: [{(link["source"], link["target"]) for link in row} for row in pylist(io.read_pharaoh(files / name))]
        for name in ("a.pharaoh", "b.pharaoh", "both.pharaoh")
    }
    assert links["both.pharaoh"] == [a | b for a, b in zip(links["a.pharaoh"], links["b.pharaoh"], strict=True)]
    done(
        xner(
            *("project", "--source", "en.conll", "--target", "three.txt", "--aligner", "builtin", *encoder, *model),
            *("--combine", "intersect", "-o", "xx.conll"),
            cwd=files,
        )
    )


@pytest.mark.slow
def test_an_interrupted_encoder_goes_on(files: Path, tiny_bert: Path) -> None:
    """Killed when some parts are done; the same command ends with the bytes of an uninterrupted run."""
    rows = 20_000
    for name in ("en", "xx"):
        text = (files / f"{name}.txt").read_text()
        (files / f"{name}.txt").write_text(
            "".join(f"word{i} {line}\n" for i in range(rows // 4) for line in text.splitlines())
        )
    command = (
        "align",
        *SIDES,
        "--aligner",
        "simalign-mbert",
        "--aligner-model",
        str(tiny_bert),
        "--layer",
        "0",
        "--aligner-device",
        "cpu",
    )
    process = subprocess.Popen([sys.executable, "-m", "xner", *command, "-o", "links.pharaoh"], cwd=files)
    parts = files / ".links.pharaoh.parts"
    limit = time.monotonic() + 120
    while len(list(parts.glob("made-*.arrow"))) < 2:
        assert process.poll() is None, "the run ended before it could be interrupted"
        assert time.monotonic() < limit
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    kept = {path: path.stat().st_mtime_ns for path in parts.glob("made-*.arrow")}
    assert len(kept) < rows / 4096
    shutil.copytree(parts, files / "kept")
    done(xner(*command, "-o", "links.pharaoh", cwd=files))
    done(xner(*command, "-o", "whole.pharaoh", cwd=files))
    assert (files / "links.pharaoh").read_bytes() == (files / "whole.pharaoh").read_bytes()
    assert not parts.exists()


def test_train_and_align(files: Path, tiny_masked_bert: Path) -> None:
    run = done(
        xner(
            *("align", "train", "--model", tiny_masked_bert, *SIDES, "-o", "trained", "--layer", "2", "--steps", "5"),
            *("--batch-pairs", "2", "--device", "cpu"),
            cwd=files,
        )
    )
    assert "3 sentence pairs, 1 left out" in run.stderr
    assert "self-training: mean loss " in run.stderr
    assert "tlm: mean loss " in run.stderr
    done(
        xner(
            *(
                "align",
                *SIDES,
                "--aligner",
                "awesome-mbert",
                "--aligner-model",
                "trained",
                "--layer",
                "2",
                "--aligner-device",
                "cpu",
            ),
            *("-o", "links.pharaoh"),
            cwd=files,
        )
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--layer", "2"), "--layer=2 goes with an encoder as aligner (simalign-mbert"),
        (("--aligner", "labse", "--save-aligner", "m.safetensors"), "--save-aligner is for the aligner 'builtin'"),
        (("--aligner", "labse", "--decode", "viterbi"), "--decode='viterbi' goes with the aligner builtin"),
        (("--combine", "union"), "--combine needs two sets of links at least"),
        (
            ("--aligner", "labse", "--aligner", "builtin", "--aligner-model", "x"),
            "--aligner-model='x': say which aligner's it is, as labse=x",
        ),
        (("--aligner-model", "labse=x"), "--aligner-model='labse=x': the aligner 'labse' is not used"),
        (
            ("--aligner-model", "nothing.safetensors"),
            "--aligner-model='nothing.safetensors': there is no file 'nothing.safetensors'",
        ),
        (("--aligner", "labse", "--aligner", "builtin", "--threshold", "0.1"), "--threshold=0.1 goes with one aligner"),
        (("--aligner", "gpt"), "'gpt' is not one of 'builtin', 'simalign-mbert'"),
    ],
)
def test_options_that_do_not_go_together(files: Path, arguments: tuple[str, ...], message: str) -> None:
    run = xner("align", *SIDES, "-o", "links.pharaoh", *arguments, cwd=files)
    assert run.returncode == 2
    assert message in run.stderr.replace("\n", " ")


def test_align_without_its_files(files: Path) -> None:
    run = xner("align", "--source", "en.txt", cwd=files)
    assert run.returncode == 2
    assert "Missing option '--target'." in run.stderr


@pytest.mark.needs("models")
def test_no_such_encoder(files: Path) -> None:
    run = xner(
        "align", *SIDES, "--aligner", "labse", "--aligner-model", "nowhere/nothing", "-o", "links.pharaoh", cwd=files
    )
    assert run.returncode == 1
    assert run.stderr.startswith("xner: cannot load the tokenizer of 'nowhere/nothing': ")
    assert "Traceback" not in run.stderr
    assert not (files / "links.pharaoh").exists()
