"""Translation: what models say, statuses, batches, the cache, interrupted runs."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from xner import Error
from xner.models.translators import Translation, Translator
from xner.models.translators import translator as translation
from xner.models.translators.translator import Decoding, convert_model, judge_translation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from xner.models.translators.engines import Generated

GREEDY = Decoding(beams=1)
LANGUAGES = ("eng_Latn", "deu_Latn")


def sentences(count: int, seed: int = 0) -> list[str]:
    """Different texts of the tiny models' characters."""
    draw = np.random.default_rng(seed)
    letters = list("abcdefghijklmnopqrstuvwxyzABCDEF")
    return [
        " ".join("".join(draw.choice(letters, draw.integers(1, 6))) for _ in range(draw.integers(1, 7)))
        for _ in range(count)
    ]


@pytest.fixture(scope="module")
def model(outspoken_nllb: Path) -> Translator:
    return Translator.load(str(outspoken_nllb), decoding=GREEDY, device="cpu")


# What the model is told and says


@pytest.mark.slow
def test_is_what_transformers_generates(outspoken_nllb: Path, model: Translator) -> None:
    """One text at a time, as its documentation says."""
    import torch
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(outspoken_nllb, src_lang="eng_Latn")
    plain = transformers.AutoModelForSeq2SeqLM.from_pretrained(outspoken_nllb)
    texts = sentences(12)
    found = model.translate(texts, *LANGUAGES)
    for text, one in zip(texts, found, strict=True):
        inputs = tokenizer(text, return_tensors="pt")
        limit = GREEDY.limit(inputs["input_ids"].shape[1])
        with torch.inference_mode():
            ids = plain.generate(
                **inputs,
                forced_bos_token_id=tokenizer.convert_tokens_to_ids("deu_Latn"),
                num_beams=1,
                max_new_tokens=limit + 2,
                max_length=None,
            )
        assert one.text == str(tokenizer.decode(ids[0], skip_special_tokens=True)).strip()
        assert (one.status == "cut") <= (tokenizer.eos_token_id not in ids[0, 1:])


@pytest.mark.slow
def test_ctranslate2_says_the_same(outspoken_nllb: Path, converted_nllb: Path, model: Translator) -> None:
    texts = sentences(200)
    other = Translator.load(str(converted_nllb), decoding=GREEDY, device="cpu")
    assert other.translate(texts, *LANGUAGES) == model.translate(texts, *LANGUAGES)


def test_models_are_converted_once(outspoken_nllb: Path, model: Translator, tmp_path: Path) -> None:
    place = convert_model(str(outspoken_nllb), folder=tmp_path)
    changed = (place / "model.bin").stat().st_mtime_ns
    assert convert_model(str(outspoken_nllb), folder=tmp_path) == place
    assert (place / "model.bin").stat().st_mtime_ns == changed
    assert [path.name for path in tmp_path.iterdir()] == [place.name], "nothing half-made is left"
    assert convert_model(str(outspoken_nllb), "int8", folder=tmp_path) != place


@pytest.mark.slow
def test_results_do_not_depend_on_batches_or_order(outspoken_nllb: Path, model: Translator) -> None:
    texts = sentences(40)
    small = Translator.load(str(outspoken_nllb), decoding=GREEDY, device="cpu", token_budget=1)
    found = model.translate(texts, *LANGUAGES)
    assert small.translate(texts, *LANGUAGES) == found
    assert model.translate(texts[::-1], *LANGUAGES) == found[::-1]


def test_each_text_is_translated_once(model: Translator, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    generate = model._engine.generate

    def count(device: Any, sources: Sequence[Sequence[int]], *rest: Any) -> list[Generated]:
        seen.append(len(sources))
        return generate(device, sources, *rest)

    monkeypatch.setattr(model._engine, "generate", count)
    steps: list[tuple[str, int, int]] = []
    found = model.translate(["ab", "c", "ab", " ", "c"], *LANGUAGES, progress=lambda *step: steps.append(step))
    assert sum(seen) == 2
    assert steps[-1] == ("translate", 2, 2)
    assert found[0] == found[2]
    assert found[3] == Translation("", "empty_source")
    assert model.translate([], *LANGUAGES) == []


@pytest.mark.slow
def test_two_devices_say_the_same(outspoken_nllb: Path, model: Translator) -> None:
    both = Translator.load(str(outspoken_nllb), decoding=GREEDY, device=["cpu", "cpu"], token_budget=40)
    texts = sentences(30)
    assert both.translate(texts, *LANGUAGES) == model.translate(texts, *LANGUAGES)


@pytest.mark.slow
def test_what_does_not_fit_is_done_in_halves(model: Translator, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = sentences(20)
    expected = model.translate(texts, *LANGUAGES)
    generate = model._engine.generate

    def small(device: Any, sources: Sequence[Sequence[int]], *rest: Any) -> list[Generated]:
        if len(sources) > 3:
            raise MemoryError
        return generate(device, sources, *rest)

    monkeypatch.setattr(model._engine, "generate", small)
    assert model.translate(texts, *LANGUAGES) == expected


# Statuses


@pytest.mark.parametrize(
    ("source", "text", "ended", "status"),
    [
        ("Ann saw Madrid .", "Ann sah Madrid .", True, "ok"),
        ("Ann saw Madrid .", " ", True, "empty"),
        ("Ann saw Madrid .", "Ann sah", False, "cut"),
        ("Ann saw Madrid .", "ann saw madrid .", True, "copied"),
        ("Angela Merkel", "Angela Merkel", True, "ok"),
        ("Ann saw Madrid .", "ja ja ja ja ja ja ja ja", True, "looping"),
        ("Ann saw Madrid .", "ja ja ja ja ja ja ja", True, "ok"),
        ("Ann saw Madrid .", "so wie es ist so wie es ist so wie es ist so wie es ist", False, "looping"),
        ("Ann saw Madrid .", "so wie es ist so wie es ist so wie es ist", True, "ok"),
        ("no no no no no no no no", "nein nein nein nein nein nein nein nein", True, "ok"),
    ],
)
def test_statuses(source: str, text: str, ended: bool, status: str) -> None:
    assert judge_translation(source, text, ended=ended) == status
    assert status in translation.STATUSES


def test_the_limit_goes_by_the_source() -> None:
    decoding = Decoding(length_ratio=1.5, length_extra=2)
    assert [decoding.limit(pieces) for pieces in (1, 8, 9, 16)] == [14, 14, 26, 26]


# The cache


def test_a_second_run_translates_nothing(model: Translator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = sentences(15)
    cache = tmp_path / "cache.sqlite"
    found = model.translate(texts, *LANGUAGES, cache=cache)
    with monkeypatch.context() as patch:
        patch.setattr(model._engine, "generate", None)
        assert model.translate(texts, *LANGUAGES, cache=cache) == found
    (tmp_path / "text").write_text("no database, but long enough to be taken for one" * 100)
    with pytest.raises(Error, match=r"cannot use '.*' as a cache"):
        model.translate(texts, *LANGUAGES, cache=tmp_path / "text")


@pytest.mark.parametrize("change", ["target", "source", "decoding"])
def test_other_settings_are_other_translations(
    model: Translator, outspoken_nllb: Path, tmp_path: Path, change: str
) -> None:
    cache = tmp_path / "cache.sqlite"
    model.translate(["abc"], *LANGUAGES, cache=cache)
    source, target = {"target": ("eng_Latn", "fra_Latn"), "source": ("fra_Latn", "deu_Latn")}.get(change, LANGUAGES)
    other = model if change != "decoding" else Translator.load(str(outspoken_nllb), decoding=Decoding(beams=2))
    other.translate(["abc"], source, target, cache=cache)
    with sqlite3.connect(cache) as connection:
        assert connection.execute("SELECT count(*) FROM entries").fetchone() == (2,)


RUN = textwrap.dedent(
    """
    import json, sys
    from xner.models.translators.translator import Decoding, Translator

    model, cache, texts, output = sys.argv[1:]
    translator = Translator.load(model, decoding=Decoding(beams=1), device="cpu", token_budget=64)
    generate = translator._engine.generate
    def log(device, sources, *rest):
        made = generate(device, sources, *rest)
        with open(output + ".log", "a") as file:
            file.writelines(f"{list(source)}\\n" for source in sources)
        return made
    translator._engine.generate = log
    texts = json.load(open(texts))
    found = translator.translate(texts, "eng_Latn", "deu_Latn", cache=cache)
    json.dump(found, open(output, "w"))
    """
)


@pytest.mark.slow
def test_killed_half_way(outspoken_nllb: Path, tmp_path: Path) -> None:
    """What a killed run has translated is not translated again, and the result is that of an uninterrupted run."""
    (tmp_path / "texts.json").write_text(json.dumps(sentences(300)))

    def start(name: str) -> subprocess.Popen[bytes]:
        arguments = [str(outspoken_nllb), str(tmp_path / f"{name}.sqlite"), str(tmp_path / "texts.json")]
        return subprocess.Popen([sys.executable, "-c", RUN, *arguments, str(tmp_path / f"{name}.json")])

    def lines(name: str) -> list[str]:
        log = tmp_path / f"{name}.json.log"
        return log.read_text().splitlines() if log.exists() else []

    whole = start("whole")
    killed = start("killed")
    while len(lines("killed")) < 60:
        assert killed.poll() is None, "it ended before it was killed"
        time.sleep(0.02)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    before = len(lines("killed"))
    assert not (tmp_path / "killed.json").exists()
    assert start("killed").wait() == 0
    assert whole.wait() == 0
    assert (tmp_path / "killed.json").read_bytes() == (tmp_path / "whole.json").read_bytes()
    repeated = len(lines("killed")) - len(set(lines("killed")))
    assert before < len(lines("killed"))
    assert repeated <= 4, "at most the batch that was being written"


# Errors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beams": 0}, "beams=0: expected a whole number from 1"),
        ({"length_ratio": 0}, "length_ratio=0: expected a number above 0"),
        ({"length_extra": -1}, "length_extra=-1: expected a whole number from 0"),
    ],
)
def test_wrong_decoding(options: dict[str, Any], message: str) -> None:
    with pytest.raises(Error, match=message):
        Decoding(**options)


def test_wrong_models_and_languages(model: Translator, tiny_bert: Path, tmp_path: Path) -> None:
    with pytest.raises(Error, match="language 'deu_Latin' is unknown; the nearest are deu_Latn"):
        model.translate(["a"], "eng_Latn", "deu_Latin")
    with pytest.raises(Error, match="cannot load the translation model"):
        Translator.load(str(tmp_path))
    with pytest.raises(Error, match="is a model of type 'bert'; expected one of 'm2m_100': NLLB-200 or M2M-100, "):
        Translator.load(str(tiny_bert))
    with pytest.raises(Error, match="engine='mine': expected one of"):
        Translator.load(str(tmp_path), engine="mine")  # type: ignore[arg-type]  # on purpose
    with pytest.raises(Error, match="dtype='int8': that is for engine='ctranslate2'"):
        Translator.load(str(tiny_bert), dtype="int8")
