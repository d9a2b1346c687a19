"""What labels are worth to a tagger: trained from nothing on projected labels, on the English side, and on gold labels.

    python bench/quality_training.py -o FOLDER [--seeds N] [--epochs N]

MasakhaNER 2 joined to its English originals from LAFAND-MT, Luganda and Twi, whose English labels are a small tagger's.
The encoder starts from random weights, and its word pieces are learnt from the sentences for training, so that this
needs no model from elsewhere. Runs a recipe in the folder, where it goes on after an interruption, and prints its
table; F1 is on the gold labels of the test sentences.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "python"))

import tiny_models
from xner import io
from xner._support.arrow import pylist
from xner.experiments.recipes import Recipe
from xner.experiments.recipes.results import markdown

DATA = Path(os.environ.get("XNER_TEST_DATA", "../shared/data")) / "lafand-masakhaner2"
LANGUAGES = ("lug", "twi")
LESSONS = ("source", "projected", "gold")


def save_shape(folder: Path) -> None:
    """A tokenizer of the sentences for training, and the configuration of a small encoder."""
    sides = [DATA / f"{language}.train.{side}.conll" for language in LANGUAGES for side in ("en", "gold")]
    words = (row for side in sides for row in pylist(io.read(side)["tokens"]))
    tokenizer = tiny_models.learned_bert_tokenizer(words, longest=256)
    tokenizer.save_pretrained(folder)
    sizes = {"hidden_size": 64, "num_hidden_layers": 2, "intermediate_size": 128}
    tiny_models.bert_config(tokenizer, **sizes).save_pretrained(folder)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", "-o", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=8)
    arguments = parser.parse_args()
    shape = arguments.output / "shape"
    if not shape.is_dir():
        save_shape(shape)
    options = {
        "approach": "trained-tagger",
        "base_model": str(shape),
        "random_weights": True,
        "epochs": arguments.epochs,
        "learning_rate": 3e-3,
        "seeds": range(1, arguments.seeds + 1),
    }
    data = {
        "target": str(DATA / "{target}.test.gold.conll"),
        "training_source": str(DATA / "{target}.train.en.conll"),
        "training_target": str(DATA / "{target}.train.gold.conll"),
        "languages": LANGUAGES,
    }
    recipe = Recipe("lessons", options=options, variants={one: {"learn_from": one} for one in LESSONS})
    run = recipe.changed(data=data).run(arguments.output / "run", told=print)
    print(markdown(run.results, by_class=False))


if __name__ == "__main__":
    main()
