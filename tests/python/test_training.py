from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import two_languages as world
import xner
from xner.training import Corpus, TrainingReport, TrainingSettings, train

if TYPE_CHECKING:
    from pathlib import Path

TRAINING = world.pairs(800, seed=1)
DEVELOPMENT = world.pairs(100, seed=2)
TEST = world.pairs(300, seed=3)

ON_SOURCE = Corpus("source", world.source_table(TEST))
ON_TARGET = Corpus("target", world.target_table(TEST))


@pytest.fixture(scope="module")
def shape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return world.save_shape(tmp_path_factory.mktemp("shape"))


def learn(shape: Path, output: Path, table: Any, development: Any, **settings: Any) -> TrainingReport:
    wanted = {"epochs": 15, "batch_size": 16, "learning_rate": 3e-3, "patience": None}
    return train(
        str(shape),
        [Corpus("training", table)],
        output,
        development=Corpus("development", development),
        tests=[ON_SOURCE, ON_TARGET],
        settings=TrainingSettings(**(wanted | settings)),
        random_weights=True,
        device="cpu",
    )


class TestTwoLanguages:
    """What training on projected data is worth, where it is known what can be learnt."""

    def test_projected_data_teach_what_transfer_cannot(self, shape: Path, tmp_path: Path) -> None:
        transfer = learn(shape, tmp_path / "a", world.source_table(TRAINING), world.source_table(DEVELOPMENT))
        projected = learn(shape, tmp_path / "b", world.projected_table(TRAINING), world.target_table(DEVELOPMENT))
        # Everything can be told in a language that was learnt.
        assert transfer.f1("source") > 0.97
        assert projected.f1("target") > 0.97
        # For half of the names the other language's words alone tell the class: transfer guesses them.
        assert transfer.f1("target") < world.TRANSFER_LIMIT + 0.06


def test_it_is_not_loaded_with_the_package() -> None:
    assert not hasattr(xner, "train")
