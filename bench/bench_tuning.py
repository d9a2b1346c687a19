"""Tuning: two thousand settings on the Europarl sentences."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

import xner
from xner.experiments.tuning import tune
from xner.experiments.tuning.trials import LinkSource

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_benchmark.fixture import BenchmarkFixture

TRIALS = 2000


@pytest.mark.parametrize("language", ["de", "es"])
def test_europarl(benchmark: BenchmarkFixture, test_data: Path, language: str) -> None:
    europarl = test_data / "europarl-ner"
    english = xner.io.read_conll(europarl / "en-europarl.test.conll02")
    other = xner.io.read_conll(europarl / f"{language}-europarl.test.conll02")
    entities: list[Any] = [xner.labels.decode_batch(chunk) for chunk in english["labels"].chunks]
    table = pa.table(
        {
            "tokens": other["tokens"],
            "source_tokens": english["tokens"],
            "source_entities": pa.chunked_array(entities),
            "gold_labels": other["labels"],
        }
    )
    sides = english["tokens"], other["tokens"]

    def run() -> Any:
        links = LinkSource(*sides, xner.Aligner.fit(*sides))
        return tune(table, links, trials=TRIALS, threads=os.cpu_count() or 1)

    tuning = benchmark.pedantic(run, rounds=1)
    assert len(tuning.search.settings) == TRIALS
    figures = {"default": tuning.default, "held out": tuning.held_out, "tuned on": tuning.tuned_on}
    benchmark.extra_info.update({name: f"{figure.f1:.4f} ({figure.interval})" for name, figure in figures.items()})
    benchmark.extra_info.update(gain=str(tuning.gain), changes=str(tuning.space.changes(tuning.setting)))
    assert benchmark.stats is not None
    assert benchmark.stats["min"] < 60
