"""What labels are worth to a tagger: trained from nothing on projected labels, on the English side, and on gold labels.

    python bench/quality_training.py -o FOLDER [--seeds N] [--epochs N]

MasakhaNER 2 joined to its English originals from LAFAND-MT, Luganda and Twi, whose English labels are a small tagger's.
The encoder starts from random weights, and its word pieces are learnt from the sentences for training, so that this
needs no model from elsewhere. Runs a recipe in the folder, where it goes on after an interruption, and prints its
table; F1 is on the gold labels of the test sentences.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from real_text import LAFAND, save_shape  # type: ignore[import-not-found]  # beside this file
from xner import io
from xner._support.arrow import pylist
from xner.experiments.recipes import Recipe
from xner.experiments.recipes.results import markdown

LANGUAGES = ("lug", "twi")
LESSONS = ("source", "projected", "gold")


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", "-o", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=8)
    arguments = parser.parse_args()
    shape = arguments.output / "shape"
    if not shape.is_dir():
        sides = [LAFAND / f"{language}.train.{side}.conll" for language in LANGUAGES for side in ("en", "gold")]
        save_shape(shape, (words for side in sides for words in pylist(io.read(side)["tokens"])))
    options = {
        "approach": "trained-tagger",
        "base_model": str(shape),
        "random_weights": True,
        "epochs": arguments.epochs,
        "learning_rate": 3e-3,
        "seeds": range(1, arguments.seeds + 1),
    }
    data = {
        "target": str(LAFAND / "{target}.test.gold.conll"),
        "training_source": str(LAFAND / "{target}.train.en.conll"),
        "training_target": str(LAFAND / "{target}.train.gold.conll"),
        "languages": LANGUAGES,
    }
    recipe = Recipe("lessons", options=options, variants={one: {"learn_from": one} for one in LESSONS})
    run = recipe.changed(data=data).run(arguments.output / "run", told=print)
    print(markdown(run.results, by_class=False))


if __name__ == "__main__":
    main()
