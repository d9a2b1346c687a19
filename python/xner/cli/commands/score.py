"""`xner score`: scores of entities and target spans that a model computes, for `xner project --scores`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import pyarrow as pa

from xner import io, schema
from xner._support.options import renamed_in_errors
from xner.cli.options.declared import declared_options
from xner.cli.options.groups import Command, Group, takes
from xner.cli.options.inputs import cache_file, existing_file, link_flags, output_file, side_format_options
from xner.cli.options.layouts import layout_group
from xner.cli.options.pipelines import scores_option
from xner.cli.options.translators import engine_group
from xner.io.sides import add_scores, read_links, read_pairs
from xner.models.scorers.nmt_score import NmtScorer
from xner.models.scorers.nmt_stage import NmtStage, required_columns
from xner.models.scorers.translation_scores import load_translation_scorer
from xner.models.translators.cache import TranslationCache, default_cache_path
from xner.pipelines.progress import progress_reporter
from xner.projection.options import ProjectionOptions

if TYPE_CHECKING:
    from pathlib import Path

    from xner.io.layout import Layout

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
    "the cache by model, languages and texts.",
)
@click.option("--source", type=existing_file, required=True, help="Labelled sentences, as for `xner project`.")
@click.option("--target", type=existing_file, required=True, help="Their translations, row by row.")
@click.option(
    "--output",
    "-o",
    type=output_file,
    required=True,
    help="Table with the column nmt_scores (.parquet, .arrow, .jsonl).",
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
@click.option("--links", type=existing_file, help="Word links, for sums with align (`xner align` makes them).")
@link_flags
@scores_option
@takes(projection=_PROJECTION, engine=engine_group, layout=layout_group(two_sides=True))
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
    layout: Layout,
) -> None:
    """Score entities and target spans by how likely a translation model finds each to be the other's translation.

    NMTScore (Vamvas and Sennrich 2022), direct, normalised, in both directions. With the other scores of --score known,
    pairs that projection could not choose whatever their score are skipped: the same labels for less work.
    """
    if links is None and (one_based or reverse):
        raise click.UsageError("--one-based and --reverse say how to read --links")
    required = required_columns(projection)
    table_format = io.format_of(output)
    if table_format not in _TABLE_FORMATS:
        raise click.UsageError(f"--output '{output}': scores go into a table, {', '.join(_TABLE_FORMATS)}")
    pairs = read_pairs(source, target, source_format=source_format, target_format=target_format, layout=layout)
    if schema.NMT_SCORES in pairs.schema.names:
        pairs = pairs.drop_columns([schema.NMT_SCORES])
    table = add_scores(pairs, scores)
    if links is not None:
        found = read_links(links, table.num_rows, one_based=one_based, reverse=reverse)
        table = table.append_column(schema.LINKS, found)
    elif schema.LINKS in required:
        raise click.UsageError("--links is missing: the score 'align' and the candidates 'aligned' go by them")
    schema.require_columns(table.schema, required, "scoring translations")
    path = default_cache_path() if cache is None else cache
    with TranslationCache(path) as kept:
        with renamed_in_errors(engine="translator_engine"):
            loaded = load_translation_scorer(model, **engine)
        languages = source_language, target_language
        scorer = NmtScorer(loaded, *languages, threshold=threshold, cap=cap, pivot=pivot, cache=kept)
        stage = NmtStage(scorer, projection, prune=not all_pairs)
        parts = pa.Table.from_batches(table.combine_chunks().to_batches(max_chunksize=_PART_ROWS), table.schema)
        with progress_reporter() as report:
            scored = stage(parts, progress=report)
    io.write(scored.select([name for name in (schema.ID, schema.NMT_SCORES) if name in scored.schema.names]), output)
    _summarize(stage, scorer, table.num_rows, output, path)


def _summarize(stage: NmtStage, scorer: NmtScorer, sentences: int, output: Path, cache: Path) -> None:
    counts = stage.counts
    share = f" ({counts.skipped / counts.pairs:.1%})" if counts.pairs else ""
    click.echo(
        f"{sentences} sentences, {counts.pairs} pairs of entity and span: {counts.scored} scored, {counts.skipped} "
        f"skipped{share} as they cannot be chosen",
        err=True,
    )
    click.echo(f"{scorer.computed} probabilities computed, {scorer.reused} found in '{cache}'", err=True)
    click.echo(f"written to {output}", err=True)
    click.echo(stage.signature, err=True)
