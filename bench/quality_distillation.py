"""What students make of their teachers, in the tests' world of two made-up languages, where gold labels are known.

    python bench/quality_distillation.py [--seeds N]

One teacher was trained on the source language and knows the target's words but not their order (transfer); another one
was trained on the target language (native). Students start from random weights and see no label. Prints a Markdown
table of F1 on the target language, in percent: means over seeds, and the least and greatest difference to the teacher.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "python"))

import two_languages as world
import xner
from xner import schema
from xner._support.arrow import pylist
from xner.models.taggers import Tagger
from xner.training.distillation import LanguageSimilarity, distill
from xner.training.run import Corpus, train
from xner.training.settings import TrainingSettings

SETTINGS = TrainingSettings(epochs=10, batch_size=16, learning_rate=3e-3)
TEXT = Corpus("text", world.target_table(world.pairs(1600, seed=4)))
ON_TARGET = Corpus("target", world.target_table(world.pairs(300, seed=3)))
STUDENTS: dict[str, dict[str, Any]] = {
    "mse": {"loss": "mse"},
    "kl": {"loss": "kl"},
    "kl, temperature 2": {"loss": "kl", "temperature": 2.0},
}


@dataclass(frozen=True)
class World:
    """Models of one seed.

    Attributes:
        folder: of all models.
        shape: what models from scratch look like.
        seed: of all that is random.
    """

    folder: Path
    shape: str
    seed: int

    @property
    def settings(self) -> TrainingSettings:
        """Of all models."""
        return replace(SETTINGS, seed=self.seed)

    def teacher(self, kind: str) -> str:
        """The folder of a teacher: `transfer` or `native`."""
        some = world.pairs(600, seed=10 + self.seed)
        table = world.source_table(some) if kind == "transfer" else world.target_table(some)
        output = self.folder / kind
        settings = replace(self.settings, epochs=8)
        train(self.shape, [Corpus(kind, table)], output, settings=settings, random_weights=True, device="cpu")
        return str(world.share_embeddings(output) if kind == "transfer" else output)

    def student(self, name: str, teachers: list[str], **options: Any) -> float:
        """F1 of a student from scratch."""
        settings = replace(self.settings, **options.pop("settings", {"loss": "mse"}))
        report = distill(
            self.shape,
            teachers,
            TEXT,
            self.folder / name,
            tests=[ON_TARGET],
            settings=settings,
            steps=self.folder / "-".join(["steps", *(Path(teacher).name for teacher in teachers)]),
            random_weights=True,
            device="cpu",
            **options,
        )
        return report.f1("target")


def f1(folder: str) -> float:
    """Of a teacher on the target language."""
    tagger = Tagger.load(folder, device="cpu")
    predicted = [tagged.labels for tagged in tagger.tag(pylist(ON_TARGET.table[schema.TOKENS]))]
    return xner.evaluate(ON_TARGET.table[schema.LABELS], predicted).f1


def measured(here: World) -> dict[tuple[str, str], float]:
    """F1 by teacher and student of one seed."""
    teachers = {kind: here.teacher(kind) for kind in ("transfer", "native")}
    found = {}
    for kind, folder in teachers.items():
        found[kind, "teacher"] = f1(folder)
        for name, settings in STUDENTS.items():
            found[kind, name] = here.student(f"{kind}-{name}", [folder], settings=settings)
        found[kind, "mse, words from 0.6 on"] = here.student(f"{kind}-sure", [folder], min_confidence=0.6)
    both = list(teachers.values())
    texts = [Corpus(name, table(world.pairs(300, seed=20))) for name, table in _LANGUAGES.items()]
    similarity = LanguageSimilarity(texts, teachers["native"])
    found["both", "mse, equal weights"] = here.student("equal", both)
    found["both", "mse, weights by similarity"] = here.student("similar", both, weights=similarity)
    return found


_LANGUAGES = {"source": world.source_table, "target": world.target_table}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    seeds = parser.parse_args().seeds
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        shape = Path(folder) / "shape"
        shape.mkdir()
        world.save_shape(shape)
        for seed in range(seeds):
            own = Path(folder) / str(seed)
            own.mkdir()
            runs.append(measured(World(own, str(shape), seed)))
            print(f"seed {seed}: {runs[-1]}", file=sys.stderr)
    print("| teacher | student | F1 | to the teacher |\n| --- | --- | --- | --- |")
    for kind, name in runs[0]:
        values = [run[kind, name] for run in runs]
        differences = [100 * (run[kind, name] - run[kind, "teacher"]) for run in runs if (kind, "teacher") in run]
        span = f"{min(differences):+.1f} to {max(differences):+.1f}" if differences and name != "teacher" else "–"
        print(f"| {kind} | {'–' if name == 'teacher' else name} | {100 * fmean(values):.1f} | {span} |")


if __name__ == "__main__":
    main()
