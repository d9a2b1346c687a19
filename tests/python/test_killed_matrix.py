"""A matrix of recipes that is killed at any moment: the same bytes at the end, and nothing is done twice."""

from __future__ import annotations

import extras

extras.need("train")

import os
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

import counted_run
import recipe_matrix as matrix
import two_languages as world
from distributions import distribution
from near_and_far import FAR, NEAR
from xner import io
from xner.experiments.recipes import Recipe

if TYPE_CHECKING:
    from counted_run import Entry

KILLS = 10
EPOCH = 5
"""Updates of a training between two checkpoints."""
# A program that notes each batch for the process that has started it, and then takes its time.
TRANSLATE = """
import hashlib, json, os, sys, time
from near_and_far import translated
lines = sys.stdin.read().splitlines()
key = hashlib.sha256("\\n".join(lines).encode()).hexdigest()[:12]
with open(os.environ["COUNTED_LOG"], "a") as log:
    log.write(json.dumps([os.getppid(), "translate", " ".join([*sys.argv[1:], key]), len(lines)]) + "\\n")
time.sleep(0.05)
print("\\n".join(translated(line, *sys.argv[1:]) for line in lines))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The recipe `mine.toml`, its data and models, and what counts."""
    matrix.write(tmp_path, tests=9000, training=16 * EPOCH)
    one = io.read(tmp_path / f"{NEAR}.conll")
    # The other way round, as both languages' translations are the same otherwise, and so what is made of them.
    io.write(one.take(list(range(one.num_rows))[::-1]), tmp_path / f"{NEAR}.conll")
    world.save_shape(tmp_path / "shape", others=matrix.near_words())
    (tmp_path / "translate.py").write_text(TRANSLATE, encoding="utf-8")
    distribution(tmp_path, "counted", "[xner.taggers]\ncounted = counted_run:load\n")
    data = {
        "target": str(tmp_path / "{target}.conll"),
        "training_target": str(tmp_path / "{target}.train.conll"),
        "languages": [FAR, NEAR],
    }
    translate: dict[str, Any] = {
        "approach": "translate-test",
        "tagger": "counted:model",
        "translator": f"command:{sys.executable} {tmp_path / 'translate.py'} {{source2}} {{target2}}",
        "words": "blanks",
    }
    trained = {"base_model": str(tmp_path / "shape"), "random_weights": True, "epochs": 4, "batch_size": 16}
    variants: dict[str, dict[str, Any]] = {
        "heuristic": {**translate, "method": "heuristic"},
        "greedy": {**translate, "matcher": "greedy"},
        "transfer": {"approach": "model-transfer", "tagger": "counted:model"},
        "trained": {"approach": "trained-tagger", "learn_from": "gold", "seeds": [1, 2], **trained},
    }
    recipe = Recipe("mine", variants=variants).changed(data=data, evaluation={"samples": 20})
    (tmp_path / "mine.toml").write_text(recipe.to_toml(), encoding="utf-8")
    return tmp_path


def start(folder: Path, run: str) -> tuple[subprocess.Popen[bytes], Path]:
    """A run of the recipe with a log and a cache of its own."""
    log = folder / f"{run}.log"
    places = (str(folder), str(Path(counted_run.__file__).parent))
    caches = {"COUNTED_LOG": str(log), "XDG_CACHE_HOME": str(folder / f"{run}.caches")}
    process = subprocess.Popen(
        [sys.executable, str(counted_run.__file__), "run", "mine.toml", "-o", run],
        cwd=folder,
        env={**os.environ, **caches, "PYTHONPATH": os.pathsep.join(places)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    return process, log


def end(folder: Path, run: str) -> list[Entry]:
    process, log = start(folder, run)
    _, told = process.communicate(timeout=300)
    assert process.returncode == 0, told.decode()
    return counted_run.read(log)


@pytest.mark.slow
def test_nothing_that_was_done_is_done_again(folder: Path) -> None:
    whole = end(folder, "whole")
    calls = Counter((what, which) for _, what, which, _ in whole if what != "train")
    assert max(calls.values()) == 1, "undisturbed, nothing is done twice either"
    draw = Random(7)
    moments = sorted(draw.sample(range(1, len(whole)), KILLS))
    for lines in moments:
        process, log = start(folder, "killed")
        while process.poll() is None and len(counted_run.read(log)) < lines:
            time.sleep(0.002)
        time.sleep(draw.uniform(0, 0.1))
        process.kill()
        process.communicate()
    assert len({pid for pid, *_ in counted_run.read(log)}) > KILLS // 2, "most have been killed at work"
    found = end(folder, "killed")

    for path in sorted((folder / "whole").rglob("*")):
        name = path.relative_to(folder / "whole")
        if path.name.startswith("results.") or path.suffix in {".parquet", ".safetensors"}:
            assert (folder / "killed" / name).read_bytes() == path.read_bytes(), name

    assert Counter(one[1] for one in whole) == {"translate": 18, "tag": 12, "train": 16}
    assert {(what, which) for _, what, which, _ in found} == {(what, which) for _, what, which, _ in whole}
    # What a process did last may have been under way when it was killed; all that it did before was kept. Trainings say
    # how far they are and not which they are, and so are counted alone.
    assert len(found) - len(whole) <= KILLS
    done = defaultdict(list)
    for pid, what, which, _ in found:
        done[pid].append((what, which))
    kept: set[tuple[str, str]] = set()
    for its in done.values():
        assert not [one for one in its if one in kept and one[0] != "train"]
        kept.update(its[:-1])
