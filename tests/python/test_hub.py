"""Models and data sets of a hub that does not answer: one message, soon."""

from __future__ import annotations

import extras

extras.need("train")

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from huggingface_hub import constants

from command_line import xner
from xner._support.hub import check_hub
from xner.errors import Error

if TYPE_CHECKING:
    from collections.abc import Callable

NOWHERE = "http://127.0.0.1:1"
MISSING = (
    f"there is no such folder, the cache of the Hugging Face hub does not have it, and {NOWHERE} cannot be reached: "
)


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A hub that refuses connections, and a folder with an empty cache."""
    for name in ("HF_HUB_OFFLINE", "ENDPOINT", "HUGGINGFACE_CO_URL_TEMPLATE", "HF_HUB_CACHE"):
        value: Any = getattr(constants, name)
        changed = False if value is True else str(value).replace(constants.ENDPOINT, NOWHERE)
        monkeypatch.setattr(constants, name, str(tmp_path / "cache") if name == "HF_HUB_CACHE" else changed)
    return tmp_path


def soon(run: Callable[[], Any]) -> Any:
    began = time.perf_counter()
    found = run()
    assert time.perf_counter() - began < 10, "tries again take half a minute"
    return found


MODEL_TRANSFER = "[options]\napproach = 'model-transfer'\ntagger = 'nobody/nothing'\n[data]\nlanguages = 'yo'\n"


@pytest.mark.parametrize(
    ("arguments", "failing"),
    [
        (
            ("run", "r.toml", "--target", "{target}.conll"),
            "cannot load the token-classification model 'nobody/nothing'",
        ),
        (
            ("align", "--source", "a.txt", "--target", "a.txt", "--aligner", "simalign-mbert"),
            "cannot load the tokenizer of 'google-bert/bert-base-multilingual-cased'",
        ),
        (
            ("datasets", "get", "wikiann", "--language", "de", "--yes"),
            "cannot read the data set 'google/xtreme', split 'train'",
        ),
        (
            (
                "translate",
                "--source",
                "a.txt",
                "--model",
                "nobody/nothing",
                "--source-language",
                "en",
                "--target-language",
                "de",
            ),
            "cannot load the translation model 'nobody/nothing'",
        ),
    ],
)
def test_one_message_and_soon(nowhere: Path, arguments: tuple[str, ...], failing: str) -> None:
    (nowhere / "r.toml").write_text(MODEL_TRANSFER)
    (nowhere / "yo.conll").write_text("a\tO\n")
    (nowhere / "a.txt").write_text("a b\n")
    run = soon(lambda: xner(*arguments, "-o", "out.jsonl", cwd=nowhere))
    assert run.returncode == 1
    last = run.stderr.splitlines()[-1]
    assert last.startswith(f"xner: {failing}: {MISSING}")
    assert "Retry" not in run.stderr
    assert run.stderr.count("thrown while requesting") == 0


def test_what_is_here_asks_nobody(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_hub(str(nowhere), "config.json", "cannot", what="a test")
    check_hub("no name of a model at all", "config.json", "cannot", what="a test")
    snapshot = Path(constants.HF_HUB_CACHE) / "models--some--model" / "snapshots" / "1"
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs" / "main").write_text("1")
    check_hub("some/model", "config.json", "cannot", what="a test")
    with pytest.raises(Error, match="cannot: there is no such folder"):
        check_hub("some/other", "config.json", "cannot", what="a test")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    check_hub("some/other", "config.json", "cannot", what="a test")
