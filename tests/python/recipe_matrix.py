"""Every shipped recipe on two made-up languages, by small models made for it: as a program, one page of all runs.

    python tests/python/recipe_matrix.py -o FOLDER

Both languages have the names of `two_languages`, other words, and so what tells half of the names' classes is a word of
theirs. In the far one, `yo`, it stands on the other side of the name than in the source language, in the near one,
`ig`, on the same side. What each way to labels can know is therefore known:

- a tagger of the source language that has been given the translations of its words is right in the near language, and
  guesses for half of the names in the far one, where `TRANSFER_LIMIT` is all that it can do; so do its students;
- what goes by labels of the source sentence, or by a translation into its language, is right in both;
- a mean of the one and the other, or a choice by both, lies between them.

Nothing is fetched: the tagger is trained here, its encoder aligns words, and the translators are a program that knows
the rules of the languages. Each run goes on after an interruption, and `report.html` compares them all.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch

import near_and_far
import two_languages as world
from near_and_far import FAR, LETTERS, NEAR, SOURCE, translated
from xner import io
from xner.experiments.recipes import Recipe, recipe_names
from xner.experiments.reports import make_report, write_report
from xner.experiments.reports.findings import findings, ranking
from xner.experiments.reports.plots import micro_rows
from xner.models.network.loading import import_transformers, quiet
from xner.training.run import Corpus, train
from xner.training.settings import TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from xner.experiments.reports.report import Report

__all__ = ["FAR", "NEAR", "OWN", "TRAINING", "near_words", "recipes", "run", "write"]

OWN: Final = "trained-tagger"
"""The recipe that is not shipped: taggers of source, projected and gold labels."""

TRAINING: Final[dict[str, Any]] = {"epochs": 10, "batch_size": 16, "learning_rate": 3e-3}
_SAMPLES: Final = 400


def near_words() -> list[str]:
    """The words of the near language, in the order of `SOURCE_WORDS`."""
    return [LETTERS[NEAR] + word[1:] for word in world.SOURCE_WORDS]


def near(pair: world.Pair) -> world.Pair:
    """The same sentence with its translation into the near language."""
    words = translated(" ".join(pair.source), SOURCE, NEAR).split()
    links = [(place, place) for place in range(len(words))]
    return world.Pair(pair.source, pair.source_entities, words, pair.source_entities, links)


def write(folder: Path, *, tests: int = 200, training: int = 500) -> None:
    """The data: `LANGUAGE.conll` to be labelled, `LANGUAGE.train.conll` to be learnt from, and links of both.

    Args:
        folder: where to.
        tests: sentences to be labelled.
        training: sentences to be learnt from.
    """
    for part, pairs in (("", world.pairs(tests, seed=2)), (".train", world.pairs(training, seed=1))):
        io.write(world.source_table(pairs), folder / f"{SOURCE}{part}.conll")
        for language, its in ((FAR, pairs), (NEAR, list(map(near, pairs)))):
            io.write(world.target_table(its), folder / f"{language}{part}.conll")
            links = "".join(" ".join(f"{s}-{t}" for s, t in one.links) + "\n" for one in its)
            (folder / f"{SOURCE}-{language}{part}.pharaoh").write_text(links, encoding="utf-8")


def make_models(folder: Path) -> None:
    """The models.

    Args:
        folder: gets `shape`, an encoder's configuration and tokenizer; `encoder`, in which words have an embedding by
            what they mean, for linking; `transferred`, a tagger of the source language that knows the words of all.
    """
    world.save_shape(folder / "shape", others=near_words())
    transformers = import_transformers("a test")
    torch.manual_seed(1)
    with quiet(transformers), torch.no_grad():
        encoder = transformers.AutoModel.from_config(transformers.AutoConfig.from_pretrained(folder / "shape"))
        encoder.embeddings.word_embeddings.weight *= 5  # so that the place of a word says less than the word
        encoder.save_pretrained(folder / "encoder")
    transformers.AutoTokenizer.from_pretrained(folder / "shape").save_pretrained(folder / "encoder")
    corpus = Corpus(SOURCE, io.read(folder / f"{SOURCE}.train.conll"))
    output = folder / "transferred"
    settings = TrainingSettings(**TRAINING)
    train(str(folder / "shape"), [corpus], output, settings=settings, random_weights=True, device="cpu")
    for words in (world.TARGET_WORDS, near_words()):
        world.share_embeddings(output, words)
        world.share_embeddings(folder / "encoder", words)


def recipes(folder: Path) -> dict[str, Recipe]:
    """The shipped recipes and `OWN`, on the data and models of a folder.

    EasyProject and LabelPigeon make data for training; here a tagger learns from them.
    """
    program = f"command:{shlex.join([sys.executable, str(near_and_far.__file__)])} {{source2}} {{target2}}"
    learning = {"base_model": str(folder / "shape"), "random_weights": True, "seeds": [1], **TRAINING}
    translating = {"translator": program, "words": "blanks", "cache": str(folder / "cache.sqlite")}
    made: dict[str, dict[str, Any]] = {
        "tagger": {"tagger": str(folder / "transferred"), "ignore_class": []},
        "members": {"members": [str(folder / "transferred")]},
        "translator": translating,
        "back_translator": {"back_translator": program},
        "base_model": learning,
        "aligner": {"aligner_model": [str(folder / "encoder")], "layer": 0},
    }
    found = {}
    for name in recipe_names():
        recipe = Recipe.read(name)
        changes = dict({"approach": "trained-tagger", **learning} if "markers" in recipe.options else {})
        for variant, options in (("", recipe.options), *recipe.variants.items()):
            for one in options.keys() & made.keys():
                changes |= {f"{variant}.{key}" if variant else key: value for key, value in made[one].items()}
        found[name] = recipe.changed(options=changes)
    lessons: dict[str, dict[str, Any]] = {one: {"learn_from": one} for one in ("source", "projected", "gold")}
    found[OWN] = Recipe(OWN, options={"approach": "trained-tagger", **learning}, variants=lessons)
    return {name: _on_data(recipe, folder) for name, recipe in found.items()}


def _on_data(recipe: Recipe, folder: Path) -> Recipe:
    approaches = recipe.approaches().values()
    lessons = {one.options.learn_from for one in approaches if one.trains}
    part = ".train" if lessons else ""
    files = {"target": "{target}.conll"}
    if lessons:
        files |= {"training_source": f"{SOURCE}.train.conll", "training_target": "{target}.train.conll"}
    elif any(one.reads_sources for one in approaches):
        files["source"] = f"{SOURCE}.conll"
    has_links = "projected" in lessons or any(one.reads_links for one in approaches)
    makes_links = any(one.pipeline.aligning.aligner or one.pipeline.translating.translator for one in approaches)
    links = [f"{{source}}-{{target}}{part}.pharaoh"] if has_links and not makes_links else []
    return recipe.changed(
        data={"languages": [FAR, NEAR], **{name: str(folder / file) for name, file in files.items()}},
        links={"files": [str(folder / file) for file in links]},
        evaluation={"samples": _SAMPLES},
    )


def run(folder: Path, told: Callable[[str], None] = print) -> Report:
    """Make data and models, run every recipe, write `report.html` with its tables, and give them.

    Args:
        folder: gets all of it; what is there already is not made again.
        told: gets a line for each output.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write(folder)
    make_models(folder)
    made = [
        recipe.run(folder / "runs" / name.replace("/", "-"), steps=folder / "steps", told=told)
        for name, recipe in recipes(folder).items()
    ]
    report = make_report([one.folder for one in made], samples=_SAMPLES)
    write_report(report, folder / "report.html", tables=folder / "tables", command="make matrix")
    return report


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", "-o", type=Path, required=True)
    arguments = parser.parse_args()
    began, cpu = time.perf_counter(), time.process_time()
    report = run(arguments.output)
    print(*findings(report), sep="\n")
    for method, f1 in ranking(micro_rows(report)):
        print(f"{f1:.3f} {method}")
    page = arguments.output / "report.html"
    print(f"{page}; {time.perf_counter() - began:.0f} s, {time.process_time() - cpu:.0f} s of processor time")


if __name__ == "__main__":
    main()
