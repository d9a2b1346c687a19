"""What shifts of domain cost taggers that came about in different ways, on real text.

    python bench/quality_shift.py -o FOLDER [--languages lug twi es] [--encoder FOLDER] [--methods NAME ...]

Luganda and Twi (MasakhaNER 2 joined to LAFAND-MT, English labels of a small tagger) and Spanish (Europarl-NER, gold on
both sides). All methods learn from the same sentence pairs, from random weights or the first layers of `--encoder`:

    transfer    the English side with its labels
    projected   the other side with labels projected from it
    gold        the other side with gold labels
    self        transfer's student, on the English side: what distillation does by itself
    hard        transfer's student, on the other side, by its labels alone
    soft        the same by its probabilities
    multi       the student of transfer and projected
    names       the text of the students without a teacher: labelled where names of the English labels are found in it

Then the changes are looked for that cost the first run of transfer most, and all others meet the same ones. Each
language has a folder with the page `report.html`, where an interrupted run goes on; its summary is printed.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from real_text import ParallelText, save_first_layers, save_shape  # type: ignore[import-not-found]  # beside this file
from xner import Pipeline, labels, schema
from xner._support.arrow import one_array, pylist
from xner.experiments.extrinsic import Method
from xner.experiments.robustness import ShiftStudy, StudiedShift, study_shift, write_shift_report
from xner.experiments.robustness.report import markdown
from xner.experiments.robustness.study import DEFAULT_KINDS
from xner.models.taggers import load_tagger
from xner.training.run import Corpus
from xner.training.settings import TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

ATTACKED = ("characters", "words")
METHODS = ("transfer", "projected", "gold", "self", "hard", "soft", "multi", "names")


def by_names(pairs: pa.Table) -> list[list[str]]:
    """Labels of the target words where a name of the source's entities stands, the longest one at each place."""
    counts: dict[tuple[str, ...], Counter[str]] = {}
    for words, entities in zip(pylist(pairs["source_tokens"]), pylist(pairs["source_entities"]), strict=True):
        for one in entities:
            counts.setdefault(tuple(words[one["start"] : one["end"]]), Counter())[one["label"]] += 1
    classes = {name: its.most_common(1)[0][0] for name, its in counts.items()}
    longest = max(map(len, classes))
    found = []
    for words in pylist(pairs["tokens"]):
        entities, at = [], 0
        while at < len(words):
            ends = (end for end in range(min(at + longest, len(words)), at, -1) if tuple(words[at:end]) in classes)
            if (end := next(ends, None)) is not None:
                entities.append((at, end, classes[tuple(words[at:end])]))
            at = end or at + 1
        found.append(labels.encode(entities, len(words)))
    return found


def methods_of(pairs: pa.Table, language: str, names: Collection[str]) -> list[Method]:
    """Ways to a tagger by their names, from the same sentence pairs."""
    english, other = pairs["source_tokens"], pairs["tokens"]

    def learnt(name: str, words: pa.ChunkedArray[Any], its: Any) -> tuple[Corpus]:
        return (Corpus(name, pa.table({"tokens": words, "labels": its})),)

    projected = Pipeline().run(pairs.drop_columns(["gold_labels"])).table["labels"]
    of_english = labels.encode_batch(one_array(pairs["source_entities"]), one_array(english))
    text = Corpus(language, pa.table({schema.TOKENS: other}))
    methods = [
        Method("transfer", learnt("english", english, of_english)),
        Method("projected", learnt("projected", other, projected)),
        Method("gold", learnt("gold", other, pairs["gold_labels"])),
        Method("self", teachers=["transfer"], text=Corpus("english", pa.table({schema.TOKENS: english}))),
        Method("hard", teachers=["transfer"], text=text, hard_labels=True),
        Method("soft", teachers=["transfer"], text=text),
        Method("multi", teachers=["transfer", "projected"], text=text),
        Method("names", learnt("names", other, by_names(pairs))),
    ]
    return [one for one in methods if one.name in names]


def studied(language: str, folder: Path, arguments: argparse.Namespace) -> ShiftStudy:
    """The study of a language, in its folder."""
    pairs = ParallelText.read(language)
    training, test = pairs.training.slice(0, arguments.sentences), pairs.test.slice(0, arguments.test_sentences)
    shape = folder / "shape"
    if not shape.is_dir():
        shape.mkdir(parents=True)
        if arguments.encoder:
            save_first_layers(shape, arguments.encoder, arguments.layers)
        else:
            save_shape(shape, [words for side in ("source_tokens", "tokens") for words in pylist(training[side])])
    settings = TrainingSettings(
        epochs=arguments.epochs, learning_rate=arguments.learning_rate, batch_size=arguments.batch_size
    )

    def found(shifts: Sequence[StudiedShift]) -> ShiftStudy:
        return study_shift(
            methods_of(training, language, arguments.methods),
            [Corpus(language, test.select(["tokens", "gold_labels"]))],
            folder,
            shifts=shifts,
            severities=arguments.severities,
            model=str(shape),
            random_weights=not arguments.encoder,
            seeds=range(1, arguments.seeds + 1),
            settings=settings,
            samples=4000,
            device="cpu",
            report=lambda name, done, of: print(f"{language}: {name} {done}/{of}", flush=True) if done == of else None,
        )

    plain = [StudiedShift.parse(kind) for kind in DEFAULT_KINDS]
    found(plain)  # trains what is attacked
    attacked = load_tagger(str(folder / "models" / "transfer" / "seed-1"), device="cpu", lazily=True)
    against = {"against": attacked, "search": "worst", "budget": arguments.budget}
    attacks = [replace(one, options=against, name=f"{one.name}, attacked") for one in plain if one.kind in ATTACKED]
    return found([*plain, *attacks])


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", "-o", type=Path, required=True)
    parser.add_argument("--languages", nargs="+", default=["lug", "twi", "es"])
    parser.add_argument("--methods", nargs="+", default=METHODS, choices=METHODS, help="transfer always among them")
    parser.add_argument("--encoder", help="folder of an encoder; without one, training starts from random weights")
    parser.add_argument("--layers", type=int, default=2, help="of the encoder, the first ones")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--sentences", type=int, default=1000, help="pairs that are learnt from, at most")
    parser.add_argument("--test-sentences", type=int, default=300, help="at most")
    parser.add_argument("--severities", type=int, nargs="+", default=[2, 5])
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument(
        "--budget", type=int, default=8, help="variants of a sentence that the attacked tagger is asked"
    )
    arguments = parser.parse_args()
    for language in arguments.languages:
        folder = arguments.output / language
        study = studied(language, folder, arguments)
        page = write_shift_report(study, folder)
        print(f"\n## {language}: {page}\n\n{markdown(study)}", flush=True)


if __name__ == "__main__":
    main()
