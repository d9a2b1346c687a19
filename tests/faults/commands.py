"""The commands that faults are injected into, on small inputs that are made here."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import two_sides
from xner import Aligner, Pipeline, io, read_pairs
from xner.io import sample

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["COMMANDS", "Command"]

_ROWS: Final = 24
_SCORED_ROWS: Final = 10
_TRANSLATOR_CODE: Final = """\
import sys
ending = sys.argv[1] if sys.argv[1:] else ""
for line in sys.stdin:
    print(" ".join(word[::-1] + ending for word in line.split()))
"""


@dataclass(frozen=True, slots=True)
class Command:
    """A command, with its inputs.

    Attributes:
        name: in tables.
        make: writes its inputs into a folder.
        arguments: of `xner`.
        before: other arguments that give another output in the same place; none where nothing may be there.
        output: a file or a folder.
        inputs: files that may be changed between two runs, the first of which has rows.
        models: files of models, likewise.
        cache: a file of SQLite that it has beside the output.
        prints: whether what it has found is printed, and not written.
        volatile: files that differ from run to run.
        manifest: a file that says which files of the output are finished.
        extra: that it needs.
        is_long: whether it takes so long that it goes through fewer faults.
    """

    name: str
    make: Callable[[Path], None]
    arguments: tuple[str, ...]
    before: tuple[str, ...]
    output: str
    inputs: tuple[str, ...]
    volatile: frozenset[str] = field(default_factory=frozenset)
    models: tuple[str, ...] = ()
    cache: str | None = None
    prints: bool = False
    manifest: str | None = None
    extra: str | None = None
    is_long: bool = False


def _pairs(folder: Path) -> None:
    """The head of the sample: labelled English, German words."""
    for language, name in (("en", "en.conll"), ("de", "de.txt"), ("en", "en.txt")):
        io.write(sample.load(language).slice(0, _ROWS), folder / name)
    (folder / "links.pharaoh").write_text("0-0 1-1\n" * _ROWS, encoding="utf-8")
    (folder / "mt.py").write_text(_TRANSLATOR_CODE, encoding="utf-8")


def _shards(folder: Path) -> None:
    """The same in folders of two files, the first of which has two pieces."""
    for language, suffix in (("en", "conll"), ("de", "txt")):
        (folder / language).mkdir()
        for number, (first, rows) in enumerate(((0, 20), (20, _ROWS - 20))):
            io.write(sample.load(language).slice(first, rows), folder / language / f"{number}.{suffix}")


def _ready(folder: Path) -> None:
    """What projection and fitting have made of it: projected sentences, an aligner."""
    _pairs(folder)
    pairs = read_pairs(folder / "en.conll", folder / "de.txt", links=folder / "links.pharaoh")
    projected = Pipeline()(pairs)
    io.write(projected, folder / "projected.jsonl")
    io.write(projected.select(["tokens", "labels"]), folder / "projected.conll")
    io.write(sample.load("de").slice(0, _ROWS), folder / "gold.conll")
    Aligner.fit(pairs.column("source_tokens"), pairs.column("tokens")).save(folder / "saved.safetensors")


def _tagger(folder: Path) -> None:
    import tiny_models

    _pairs(folder)
    tiny_models.save_tagger(
        folder / "tagger",
        ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"],
        known={"Angela": "B-PER", "Merkel": "I-PER", "Madrid": "B-LOC"},
    )


def _scorer(folder: Path) -> None:
    import tiny_models

    tiny_models.save_nllb(folder / "nllb")
    for language in ("en", "de"):
        io.write(sample.load(language).slice(0, _SCORED_ROWS), folder / f"{language}.conll")
    (folder / "links.pharaoh").write_text("0-0 1-1\n" * _SCORED_ROWS, encoding="utf-8")


def _sets_of_links(folder: Path) -> None:
    for name, links in (("a", "0-0 1-1\n"), ("b", "1-1 2-2\n")):
        (folder / f"{name}.pharaoh").write_text(links * _ROWS, encoding="utf-8")


def _shape(folder: Path) -> None:
    import two_languages

    two_languages.save_shape(folder / "shape")
    some = two_languages.pairs(48, seed=1)
    io.write(two_languages.target_table(some[:32]), folder / "train.conll")
    io.write(two_languages.target_table(some[32:]), folder / "dev.conll")


_SIDES: Final = ("--source", "en.conll", "--target", "de.txt")
_SAVED: Final = ("--aligner-model", "saved.safetensors")
_TRANSLATOR: Final = f"command:{sys.executable} -S mt.py"
_RUN: Final = (
    *("run", "politov2025/heuristic", "--source", "en.conll", "--target", "{target}.conll", "--languages", "de"),
    *("--set", "aligner=builtin", "-o", "out"),
)
_SCORE: Final = (
    *("score", "nmt", "--source", "en.conll", "--target", "de.conll", "--links", "links.pharaoh"),
    *("--source-language", "en", "--target-language", "de", "--model", "nllb", "--device", "cpu"),
    *("--max-words", "2", "--cache", "cache.sqlite"),
)
_TRAIN: Final = (
    *("train", "--model", "shape", "--train", "train.conll", "--dev", "dev.conll", "--random-weights"),
    *("--max-steps", "2", "--evaluate-steps", "1", "--batch-size", "16", "--device", "cpu", "-o", "out"),
)

COMMANDS: Final = {
    one.name: one
    for one in (
        Command(
            "project",
            _pairs,
            ("project", *_SIDES, "-o", "out.conll"),
            ("project", *_SIDES, "--method", "heuristic", "-o", "out.conll"),
            "out.conll",
            ("en.conll", "de.txt"),
        ),
        Command(
            "project, Parquet",
            _pairs,
            ("project", *_SIDES, "--save-aligner", "aligner.safetensors", "-o", "out.parquet"),
            ("project", *_SIDES, "--method", "heuristic", "--save-aligner", "aligner.safetensors", "-o", "out.parquet"),
            "out.parquet",
            ("en.conll", "de.txt"),
        ),
        Command(
            "project, ready links",
            _pairs,
            ("project", *_SIDES, "--links", "links.pharaoh", "-o", "out.parquet"),
            ("project", *_SIDES, "--links", "links.pharaoh", "--method", "heuristic", "-o", "out.parquet"),
            "out.parquet",
            ("en.conll", "de.txt", "links.pharaoh"),
        ),
        Command(
            "project, folders",
            _shards,
            ("project", "--source", "en", "--target", "de", "-o", "out/"),
            ("project", "--source", "en", "--target", "de", "--method", "heuristic", "-o", "out/"),
            "out",
            ("en/1.conll", "de/0.txt"),
            manifest="out/manifest.json",
        ),
        Command(
            "project, translating",
            _pairs,
            (
                "project",
                "--source",
                "en.conll",
                "--translate-to",
                "de",
                "--translator",
                _TRANSLATOR,
                "-o",
                "out.jsonl.gz",
            ),
            (),
            "out.jsonl.gz",
            ("en.conll",),
        ),
        Command(
            "align",
            _pairs,
            ("align", "--source", "en.txt", "--target", "de.txt", "-o", "out.pharaoh"),
            ("align", "--source", "en.txt", "--target", "de.txt", "--scores", "-o", "out.pharaoh"),
            "out.pharaoh",
            ("en.txt", "de.txt"),
        ),
        Command(
            "project, a saved aligner",
            _ready,
            ("project", *_SIDES, "--aligner", "builtin", *_SAVED, "--no-memory", "-o", "out.jsonl"),
            ("project", *_SIDES, "--aligner", "builtin", *_SAVED, "--filter", "one-word", "-o", "out.jsonl"),
            "out.jsonl",
            ("en.conll", "de.txt"),
            models=("saved.safetensors",),
        ),
        Command(
            "align, a saved aligner",
            _ready,
            ("align", "--source", "en.txt", "--target", "de.txt", *_SAVED, "-o", "out.parquet"),
            ("align", "--source", "de.txt", "--target", "en.txt", *_SAVED, "-o", "out.parquet"),
            "out.parquet",
            ("en.txt", "de.txt"),
            models=("saved.safetensors",),
        ),
        Command(
            "links combine",
            _sets_of_links,
            ("links", "combine", "a.pharaoh", "b.pharaoh", "-o", "out.pharaoh"),
            ("links", "combine", "a.pharaoh", "b.pharaoh", "--method", "intersect", "-o", "out.pharaoh"),
            "out.pharaoh",
            ("a.pharaoh", "b.pharaoh"),
        ),
        Command(
            "evaluate",
            _ready,
            ("evaluate", "--gold", "gold.conll", "--predicted", "projected.conll", "--bootstrap", "20"),
            (),
            "",
            ("projected.conll", "gold.conll"),
            prints=True,
        ),
        Command(
            "filter",
            _ready,
            ("filter", "projected.jsonl", "--filter", "one-word:row", "-o", "out.conll"),
            ("filter", "projected.jsonl", "--filter", "length-ratio", "-o", "out.conll"),
            "out.conll",
            ("projected.jsonl",),
        ),
        Command(
            "translate",
            _pairs,
            (
                *("translate", "--source", "en.conll", "--source-language", "en", "--target-language", "de"),
                *("--model", _TRANSLATOR, "--cache", "cache.sqlite", "-o", "out.jsonl"),
            ),
            (
                *("translate", "--source", "en.conll", "--source-language", "en", "--target-language", "de"),
                *("--model", f"{_TRANSLATOR} x", "--cache", "cache.sqlite", "-o", "out.jsonl"),
            ),
            "out.jsonl",
            ("en.conll",),
            frozenset({"cache.sqlite*"}),
            cache="cache.sqlite",
        ),
        Command(
            "score",
            _scorer,
            (*_SCORE, "-o", "out.parquet"),
            (*_SCORE, "--threshold", "0.2", "-o", "out.parquet"),
            "out.parquet",
            ("en.conll", "de.conll", "links.pharaoh"),
            frozenset({"cache.sqlite*"}),
            models=("nllb/model.safetensors",),
            cache="cache.sqlite",
            extra="models",
            is_long=True,
        ),
        Command(
            "tag",
            _tagger,
            ("tag", "en.txt", "--model", "tagger", "--device", "cpu", "-o", "out.conll"),
            ("tag", "en.txt", "--model", "tagger", "--device", "cpu", "--class-map", "PER=X", "-o", "out.conll"),
            "out.conll",
            ("en.txt",),
            models=("tagger/model.safetensors",),
            extra="models",
        ),
        Command("train", _shape, _TRAIN, (), "out", ("train.conll", "dev.conll"), extra="train", is_long=True),
        Command(
            "run",
            two_sides.write,
            (*_RUN, "--bootstrap", "20"),
            (),
            "out",
            ("en.conll", "de.conll"),
            frozenset({"out/log.txt", "out/timings.csv", "out/outputs/*.json"}),
        ),
    )
}
