"""`xner score`: scores of entities and target spans that a model computes, for `xner project --scores`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import click
import pyarrow as pa

from xner import io, schema
from xner._support.arrow import with_columns
from xner._support.options import renamed_in_errors
from xner._support.progress import Reporter, silent
from xner.cli.options.declared import declared_options
from xner.cli.options.groups import Command, Group, takes
from xner.cli.options.inputs import (
    cache_file,
    existing_files,
    link_flags,
    output_file_or_folder,
    side_format_options,
)
from xner.cli.options.layouts import layout_group
from xner.cli.options.pipelines import (
    engine_group,
    is_folder,
    kind_of_files,
    resume_option,
    run_files,
    scores_of_shards_option,
)
from xner.cli.options.translators import engine_group as translator_engine_group
from xner.errors import DataError
from xner.io.pairs import Pairs
from xner.models.scorers.nmt_score import NmtScorer
from xner.models.scorers.nmt_stage import NmtStage, required_columns
from xner.models.scorers.translation_scores import load_translation_scorer
from xner.models.translators.cache import TranslationCache, default_cache_path
from xner.pipelines import runner
from xner.pipelines.checkpoints import checkpoints
from xner.pipelines.engines import LOCAL
from xner.pipelines.identity import fingerprint
from xner.pipelines.progress import progress_reporter
from xner.pipelines.shard_names import names_of
from xner.pipelines.shards import Shard, shards_of
from xner.projection.options import ProjectionOptions

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from xner.io.layout import Layout
    from xner.io.pairs import PairsReader
    from xner.pipelines.engines import Engine

__all__ = ["command"]

# Sentences whose pairs go through the model together: enough to fill batches.
_PART_ROWS = 1024

_DECIDING = [
    *("score", "candidates", "matcher", "min_words", "max_words", "stop_words", "count"),
    *("ner_labels", "ner_alpha", "ner_threshold", "character_threshold"),
]

_TABLE_FORMATS = ("parquet", "arrow", "jsonl")


@click.group("score")
def command() -> None:
    """Score entities and target spans by a model, for `xner project --scores`."""


# What decides which pairs there are, and which of them can be chosen.
_PROJECTION = Group(
    declared_options(ProjectionOptions, only=_DECIDING, defaults={"score": "align_nmt"}),
    lambda **options: ProjectionOptions.where_they_apply(options),
)


@command.command(
    "nmt",
    cls=Command,
    epilog="\b\nExamples:\n"
    "  xner score nmt --source en.conll --target de.conll --links de.pharaoh -o nmt.parquet \\\n"
    "      --model facebook/nllb-200-distilled-600M --source-language eng_Latn --target-language deu_Latn\n"
    "  xner project --source en.conll --target de.conll --links de.pharaoh \\\n"
    "      --score align_nmt --scores nmt.parquet -o de.labelled.conll\n"
    "      takes the scores; give both commands the same links, scores and candidates\n"
    "  xner score nmt ... --translator-engine ctranslate2 --dtype int8\n"
    "      the same with CTranslate2 (extra `translate`), which converts the model on first use; models that\n"
    "      ct2-transformers-converter has made are taken as well\n\n"
    "\b\nAn interrupted run goes on where it stopped, and a second one computes nothing: probabilities are kept in\n"
    "the cache by model, languages and texts, and finished parts beside the output.",
)
@click.option(
    "--source",
    type=existing_files,
    required=True,
    help="Labelled sentences, as for `xner project`. Or several files, a folder or a pattern in quotes: each is "
    "scored by itself, with those of --target, --links and --scores that have its name but for endings and languages.",
)
@click.option("--target", type=existing_files, required=True, help="Their translations, row by row.")
@click.option(
    "--output",
    "-o",
    type=output_file_or_folder,
    required=True,
    help="Table with the column nmt_scores (.parquet, .arrow, .jsonl). Of several files: one file, if its name tells a "
    "format, else a folder of Parquet files, which says in manifest.json what is there.",
)
@side_format_options
@click.option(
    "--model",
    required=True,
    help="NLLB-200, M2M-100 or mBART-50: name on the Hugging Face hub, or folder; or folder of such a model in "
    "CTranslate2's format.",
)
@click.option("--source-language", required=True, help="By code or name: eng_Latn, en, English.")
@click.option("--target-language", required=True, help="Likewise: swh_Latn, sw, Swahili.")
@click.option("--links", type=existing_files, help="Word links, for sums with align (`xner align` makes them).")
@link_flags
@scores_of_shards_option
@resume_option
@takes(
    projection=_PROJECTION, engine=translator_engine_group, layout=layout_group(two_sides=True), workers=engine_group
)
@click.option(
    "--all-pairs",
    is_flag=True,
    help="Skip nothing: for exact margins, other constraints than <= 1, or `xner project --memory`.",
)
@click.option(
    "--threshold", type=click.FloatRange(0), default=0.1, show_default=True, help="Scores of at most this count as 0."
)
@click.option(
    "--cap",
    type=click.FloatRange(0, min_open=True),
    default=1.0,
    show_default=True,
    help="Scores above this count as this; the lower, the more pairs are skipped.",
)
@click.option(
    "--pivot",
    metavar="LANGUAGE",
    help="Give the model translations into this language in place of the texts; off by default.",
)
@click.option(
    "--cache",
    type=cache_file,
    help="Where probabilities are kept.  [default: xner/translation-scores.sqlite in the user's cache folder]",
)
def nmt(
    source: Path,
    target: Path,
    output: Path,
    source_format: str | None,
    target_format: str | None,
    model: str,
    source_language: str,
    target_language: str,
    links: Path | None,
    one_based: bool,
    reverse: bool,
    scores: tuple[Path, ...],
    projection: ProjectionOptions,
    all_pairs: bool,
    threshold: float,
    cap: float,
    pivot: str | None,
    cache: Path | None,
    engine: dict[str, Any],
    resume: bool,
    layout: Layout,
    workers: AbstractContextManager[Engine],
) -> None:
    """Score entities and target spans by how likely a translation model finds each to be the other's translation.

    NMTScore (Vamvas and Sennrich 2022), direct, normalised, in both directions. With the other scores of --score known,
    pairs that projection could not choose whatever their score are skipped: the same labels for less work.
    """
    if links is None and (one_based or reverse):
        raise click.UsageError("--one-based and --reverse say how to read --links")
    required = required_columns(projection)
    pairs = Pairs(
        source,
        target,
        source_format=source_format,
        target_format=target_format,
        links=() if links is None else (links,),
        one_based=one_based,
        reverse=reverse,
        scores=scores,
        layout=layout,
    )
    several = shards_of(pairs, told=partial(click.echo, err=True))
    if is_apart := several is not None or is_folder(output):
        kind = kind_of_files(output, None, of_folders=_TABLE_FORMATS[0])
    else:
        kind = io.format_of(output)
    if kind not in _TABLE_FORMATS:
        raise click.UsageError(f"--output '{output}': scores go into a table, {', '.join(_TABLE_FORMATS)}")
    if links is None and schema.LINKS in required:
        raise click.UsageError("--links is missing: the score 'align' and the candidates 'aligned' go by them")
    path = default_cache_path() if cache is None else cache
    with TranslationCache(path) as found, workers as where:
        with renamed_in_errors(engine="translator_engine"):
            loaded = load_translation_scorer(model, **engine)
        languages = source_language, target_language
        scorer = NmtScorer(loaded, *languages, threshold=threshold, cap=cap, pivot=pivot, cache=found)
        stage = _Counting(NmtStage(scorer, projection, prune=not all_pairs), scorer)
        job = _Job(stage, required, kind, where, resume=resume)
        if not is_apart:
            counts = job.run(pairs, output)
        else:
            files = several or [pairs]
            shards = [
                Shard(one.files, name, partial(job.key_of, one), partial(job.run, one))
                for one, name in zip(files, names_of([one.target for one in files], kind), strict=True)
            ]
            how: Any = {"signature": stage.stage.signature, "resume": resume}
            counts = run_files(shards, output, kind, counts=_Counts(), **how)
    _summarize(counts, output, path)
    click.echo(stage.stage.signature, err=True)


@dataclass(frozen=True, slots=True)
class _Job:
    """Scores files of sentence pairs.

    Attributes:
        stage: that scores.
        required: columns that it needs.
        kind: the format of what is written.
        engine: where parts are worked on.
        resume: whether to go on from finished parts.
    """

    stage: _Counting
    required: Sequence[str]
    kind: str
    engine: Engine
    resume: bool

    def key_of(self, pairs: Pairs, *, is_whole: bool = False) -> str:
        """Tells everything that decides what becomes of files; parts of it differ where they are read as a whole."""
        options = {"stage": self.stage.stage.identity, "read": pairs.how, "format": self.kind, "whole": is_whole}
        return fingerprint(pairs.files, options)

    def run(self, pairs: Pairs, output: Path) -> _Counts:
        """Score sentence pairs into a file.

        Raises:
            Error: a file that cannot be read, a column that is missing, a model that cannot score.
        """

        def run(pieces: Iterable[pa.Table], is_whole: bool) -> _Counts:
            key = self.key_of(pairs, is_whole=is_whole)
            with checkpoints(output, key, resume=self.resume) as kept, progress_reporter() as report:
                return runner.run_pieces(
                    pieces,
                    partial(self.stage, progress=report) if self.engine is LOCAL else self.stage,
                    kept,
                    model_rows=_PART_ROWS,
                    report=report,
                    what="sentences",
                    engine=self.engine,
                    format=self.kind,
                    select=_written,
                    count=_Counts.of,
                    counts=_Counts(),
                )

        try:
            return runner.run_read(
                (lambda rows: _linked(pairs.pieces(rows), self.required)) if pairs.reads_pieces else None,
                lambda: _ready(*pairs.read(), self.required),
                run,
                part_rows=_PART_ROWS,
            )
        except DataError as error:
            if error.column == schema.LINKS:
                pairs.pieces().check_rest(links=True)
            raise


def _linked(reader: PairsReader, required: Sequence[str]) -> Generator[pa.Table]:
    """Pieces of sentence pairs, ready to be scored."""
    for table, links in reader:
        yield _ready(table, links, required)


def _ready(table: pa.Table, links: Sequence[Any], required: Sequence[str]) -> pa.Table:
    """Sentence pairs as they are scored.

    Raises:
        Error: a column is missing.
    """
    if links:
        table = with_columns(table, {schema.LINKS: links[0]})
    schema.require_columns(table.schema, required, "scoring translations")
    return table


def _written(scored: pa.Table) -> pa.Table:
    return scored.select([name for name in (schema.ID, schema.NMT_SCORES) if name in scored.schema.names])


_COUNTED: Final = "counted"  # a column that is not written: the first row of each part has what there is to count of it


class _Counting:
    """Scores rows, and says beside them what was done for them; in other processes as well.

    Args:
        stage: that scores.
        scorer: that it asks.
    """

    def __init__(self, stage: NmtStage, scorer: NmtScorer) -> None:
        self.stage = stage
        self._scorer = scorer

    def __call__(self, rows: pa.RecordBatch, *, progress: Reporter = silent) -> pa.RecordBatch:
        """Add scores, and counts to the first row."""
        before = self._so_far()
        scored = self.stage(rows, progress=progress)
        counts = [after - first for first, after in zip(before, self._so_far(), strict=True)]
        column = pa.array([counts, *[None] * (rows.num_rows - 1)][: rows.num_rows], pa.list_(pa.int64()))
        return with_columns(scored, {_COUNTED: column})

    def _so_far(self) -> tuple[int, ...]:
        done = self.stage.counts
        return done.pairs, done.scored, done.skipped, self._scorer.computed, self._scorer.reused


@dataclass(slots=True)
class _Counts:
    """What there is to count of scored sentences.

    Attributes:
        rows: how many sentence pairs there are.
        pairs: of an entity and a candidate.
        scored: of these.
        skipped: of these.
        computed: probabilities.
        reused: probabilities that the cache had.
    """

    rows: int = 0
    pairs: int = 0
    scored: int = 0
    skipped: int = 0
    computed: int = 0
    reused: int = 0

    @classmethod
    def of(cls, table: pa.Table) -> _Counts:
        rows = [row for row in table.column(_COUNTED).to_pylist() if row is not None]
        return cls(table.num_rows, *map(sum, zip(*rows, strict=True)))

    def add(self, other: _Counts) -> None:
        """See `runner.Counts`, as for the others."""
        for name, count in asdict(other).items():
            setattr(self, name, getattr(self, name) + count)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> _Counts:
        return cls(**values)


def _summarize(counts: _Counts, output: Path, cache: Path) -> None:
    share = f" ({counts.skipped / counts.pairs:.1%})" if counts.pairs else ""
    click.echo(
        f"{counts.rows} sentences, {counts.pairs} pairs of entity and span: {counts.scored} scored, "
        f"{counts.skipped} skipped{share} as they cannot be chosen",
        err=True,
    )
    click.echo(f"{counts.computed} probabilities computed, {counts.reused} found in '{cache}'", err=True)
    click.echo(f"written to {output}", err=True)
