"""The aligners of the command line: their options, and running them over a table with checkpoints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import pyarrow as pa

from xner import schema
from xner.alignment.aligner import Aligner
from xner.alignment.links.combination import COMBINATIONS, combine
from xner.alignment.links.extraction import METHODS
from xner.alignment.links.symmetrization import SYMMETRIZATIONS
from xner.cli.options.decorators import with_options
from xner.cli.options.models import computing_options, device_names, model_key
from xner.models.aligners.encoder_aligner import PRESETS, EncoderAligner
from xner.pipelines.runner import MODEL_PART_ROWS, Checkpoints, Reporter, run_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["BUILTIN", "AlignerRun", "AlignerSettings", "aligner_options"]

BUILTIN = "builtin"
_NAMES = [BUILTIN, *PRESETS]

F = TypeVar("F", bound="Callable[..., Any]")

_OPTIONS = [
    click.option(
        "--aligner",
        "aligners",
        type=click.Choice(_NAMES),
        multiple=True,
        help=f"Who aligns: {BUILTIN} (the default), which learns from the sentence pairs themselves, or a multilingual "
        "encoder (needs the extra `models`). Give it several times to combine their links.",
    ),
    click.option(
        "--model",
        "models",
        metavar="MODEL",
        multiple=True,
        help=f"{BUILTIN}: a saved aligner; without it, one is fitted on the input. Encoders: name on the Hugging Face "
        "hub, or folder, of another model than the aligner's own. With several aligners: NAME=MODEL.",
    ),
    click.option(
        "--save-model", type=click.Path(dir_okay=False, path_type=Path), help="Where to save the fitted aligner."
    ),
    click.option(
        "--combine",
        type=click.Choice(list(COMBINATIONS)),
        help="How the links of several aligners or files become one set.  [default: union]",
    ),
    click.option(
        "--decode",
        type=click.Choice(["posterior", "viterbi"]),
        help=f"{BUILTIN}: link what is probable enough (the default), or combine the best alignment of either "
        "direction.",
    ),
    click.option(
        "--symmetrization",
        type=click.Choice(list(SYMMETRIZATIONS)),
        help=f"{BUILTIN}, viterbi: how two directions become one.",
    ),
    click.option(
        "--threshold",
        type=click.FloatRange(0, 1, max_open=True),
        help=f"Least probability of a link: {BUILTIN} with posterior decoding, encoders with softmax or entmax15.",
    ),
    click.option("--layer", type=click.IntRange(0), help="Encoders: the layer whose embeddings are compared."),
    click.option(
        "--extraction", type=click.Choice(list(METHODS)), help="Encoders: how links are read off the similarities."
    ),
    click.option(
        "--source-language",
        help="Language of the source side: for encoders that mark sentences with it (nllb-encoder), as eng_Latn, and "
        "for translation, whose default is en.",
    ),
    click.option("--target-language", help="Language of the target side, likewise; translation has no default."),
    computing_options("Encoders"),
    click.option("--compile", is_flag=True, help="Encoders: torch.compile; for long runs."),
]
_DECODING_OPTIONS = ("decode", "symmetrization")
_ENCODER_OPTIONS = (
    "layer",
    "extraction",
    "source_language",
    "target_language",
    "device",
    "dtype",
    "token_budget",
    "compile",
)


def aligner_options(command: F) -> F:
    """Add the options of all aligners to a command; `AlignerSettings.take` gathers their values."""
    return with_options(_OPTIONS, command)


@dataclass(frozen=True, slots=True)
class AlignerRun:
    """What aligners work on, and how.

    Attributes:
        source: the source sentences.
        target: as many target sentences.
        kept: where what is found is kept, so that an interrupted run goes on from it.
        threads: of the core.
        report: told how far the work has come.
    """

    source: pa.ChunkedArray
    target: pa.ChunkedArray
    kept: Checkpoints
    threads: int
    report: Reporter


@dataclass(frozen=True, slots=True)
class AlignerSettings:
    """Which aligners are wanted, and how.

    Attributes:
        names: of the aligners; none where links come from files alone.
        models: by aligner, what `--model` said.
        save_model: where the built-in aligner is to be saved.
        combine: how several sets of links become one.
        loading: options for `EncoderAligner.load`.
        decoding: options for `Aligner.align`.
    """

    names: tuple[str, ...]
    models: dict[str, str]
    save_model: Path | None
    combine: Any
    loading: dict[str, Any]
    decoding: dict[str, Any]

    @classmethod
    def take(cls, values: dict[str, Any], *, files: int = 0) -> AlignerSettings:
        """Take the aligners' options out of a command's values.

        Args:
            values: of all options by name; those of the aligners are removed.
            files: how many files of links there are; with some, no aligner is needed.

        Raises:
            click.UsageError: options that do not go together.
        """
        names = tuple(dict.fromkeys(values.pop("aligners"))) or (() if files else (BUILTIN,))
        models = _models(values.pop("models"), names)
        save_model, combination, threshold = (values.pop(name) for name in ("save_model", "combine", "threshold"))
        decoding = _given(values, _DECODING_OPTIONS)
        loading = _given(values, _ENCODER_OPTIONS)
        if "device" in loading:
            loading["device"] = device_names(loading["device"])
        if BUILTIN not in names:
            for name in (*decoding, *(["save_model"] if save_model is not None else [])):
                raise click.UsageError(f"{_flag(name)} is for the aligner '{BUILTIN}', which is not used here")
        if not set(names) - {BUILTIN}:
            for name in loading:
                raise click.UsageError(f"{_flag(name)} is for encoders: name one with --aligner ({', '.join(PRESETS)})")
        if threshold is not None:
            if len(names) != 1:
                raise click.UsageError("--threshold goes with one aligner; align apart and use 'xner links combine'")
            (decoding if names[0] == BUILTIN else loading)["threshold"] = threshold
        if combination is not None and len(names) + files < 2:
            raise click.UsageError("--combine needs two sets of links at least: more than one --aligner or --links")
        return cls(names, models, save_model, combination or "union", loading, decoding)

    @property
    def key(self) -> dict[str, Any]:
        """What decides the links, for a run's fingerprint."""
        return {
            "aligners": self.names,
            "models": {name: model_key(model) for name, model in self.models.items()},
            "combine": self.combine,
            "loading": self.loading,
            "decoding": self.decoding,
        }

    def link(self, run: AlignerRun, others: Sequence[pa.ChunkedArray] = ()) -> pa.Table:
        """Align a corpus with all aligners and combine their links with those from elsewhere.

        Args:
            run: the corpus.
            others: links of the same rows.

        Returns:
            The columns `links`, and `status` where a single aligner says what became of each row.
        """
        found = [self._builtin(run) if name == BUILTIN else self.encode(name, run) for name in self.names]
        if len(found) == 1 and not others:
            return found[0]
        columns = [*others, *(table.column(schema.LINKS) for table in found)]
        return pa.table({schema.LINKS: combine(columns, self.combine) if len(columns) > 1 else columns[0]})

    def fit(self, run: AlignerRun) -> Aligner:
        """The built-in aligner, fitted on the two sides unless a model is given."""
        fitted = run.kept.path("aligner.safetensors")
        if BUILTIN in self.models:
            aligner = Aligner.load(self.models[BUILTIN])
        elif fitted.is_file():
            aligner = Aligner.load(fitted)
        else:
            aligner = Aligner.fit(run.source, run.target, threads=run.threads, progress=run.report)
            aligner.save(fitted)
        if self.save_model is not None:
            aligner.save(self.save_model)
        return aligner

    def _builtin(self, run: AlignerRun) -> pa.Table:
        return pa.table(self.fit(run).align_batch(run.source, run.target, threads=run.threads, **self.decoding))

    def encode(self, name: str, run: AlignerRun) -> pa.Table:
        """Links by an encoder, part by part; it is loaded only where a part is missing."""
        loaded: list[EncoderAligner] = []

        def stage(batch: pa.RecordBatch) -> pa.RecordBatch:
            if not loaded:
                loaded.append(EncoderAligner.load(name, self.models.get(name), **self.loading))
            return loaded[0].align_batch(
                batch.column(schema.SOURCE_TOKENS),
                batch.column(schema.TOKENS),
                threads=run.threads,
                progress=lambda what, done, total: run.report(f"{name}: {what}", done, total),
            )

        sides = pa.table({schema.SOURCE_TOKENS: run.source, schema.TOKENS: run.target})
        return run_parts(
            sides,
            stage,
            run.kept,
            name=f"links-{name}",
            report=run.report,
            what=f"{name}: align",
            part_rows=MODEL_PART_ROWS,
        )


def _given(values: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Take options out of a command's values; those that were not given say nothing."""
    taken = {name: values.pop(name) for name in names}
    return {
        name: value for name, value in taken.items() if value is not None and value is not False and value != "auto"
    }


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _models(values: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """By aligner, the model that `--model` names for it."""
    models = {}
    for value in values:
        name, equals, model = value.partition("=")
        if not equals or name not in _NAMES:
            if len(names) != 1:
                raise click.UsageError(
                    f"--model {value}: say which aligner's it is, as {names[0] if names else BUILTIN}={value}"
                )
            name, model = names[0], value
        if name not in names:
            raise click.UsageError(f"--model {value}: the aligner '{name}' is not used; add --aligner {name}")
        if name == BUILTIN and not Path(model).is_file():
            raise click.UsageError(f"--model: there is no file '{model}'")
        models[name] = model
    return models
