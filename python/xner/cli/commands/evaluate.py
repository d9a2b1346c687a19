"""`xner evaluate`: labels against gold labels."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from xner import evaluation, io, schema
from xner.cli.options.inputs import FORMAT_NAMES, existing_file
from xner.cli.options.resampling import resampling_options
from xner.errors import Error

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

__all__ = ["command"]


@click.command(
    "evaluate",
    epilog="\b\nExamples:\n"
    "  xner evaluate --gold de.gold.conll --predicted de.conll\n"
    "  xner evaluate --gold de.gold.conll --predicted de.conll --baseline heuristic.conll\n"
    "      is the difference between two systems more than luck?\n"
    "  xner evaluate --predicted de.parquet --ignore MISC --json\n"
    "      gold labels from the table's own column",
)
@click.option("--gold", type=existing_file, help="Gold labels; without it, the column `gold_labels` of --predicted.")
@click.option("--predicted", type=existing_file, required=True, help="Predicted labels of the same sentences.")
@click.option("--baseline", type=existing_file, help="Another system's labels, to compare with by paired bootstrap.")
@click.option(
    "--mode",
    type=click.Choice(["lenient", "strict"]),
    default="lenient",
    show_default=True,
    help="Reading of labels: conlleval's and seqeval's default, or only valid IOB2.",
)
@click.option(
    "--ignore", multiple=True, metavar="CLASS", help="A class to leave out on both sides; may be given again."
)
@resampling_options
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMAT_NAMES),
    help="Format of the files; by default their names tell.",
)
@click.option("--json", "as_json", is_flag=True, help="All figures as JSON.")
def command(
    gold: Path | None,
    predicted: Path,
    baseline: Path | None,
    mode: Any,
    ignore: tuple[str, ...],
    samples: int,
    confidence: float,
    seed: int,
    format_: str | None,
    as_json: bool,
) -> None:
    """Compare predicted with gold labels, entity by entity.

    Prints precision, recall and F1 for each class, micro and macro averages, bootstrap intervals, and the
    projection ratio (predicted by gold entities, averaged over sentences).
    """
    table = io.read(predicted, format_)
    predicted_labels = _column(table, schema.LABELS, predicted)
    if gold is None:
        gold_labels = _column(table, schema.GOLD_LABELS, predicted)
    else:
        gold_table = io.read(gold, format_)
        has_gold = schema.GOLD_LABELS in gold_table.column_names
        gold_labels = _column(gold_table, schema.GOLD_LABELS if has_gold else schema.LABELS, gold)
        if schema.TOKENS in gold_table.column_names and schema.TOKENS in table.column_names:
            io.check_parallel(
                gold_table.column(schema.TOKENS),
                table.column(schema.TOKENS),
                source_name=str(gold),
                target_name=str(predicted),
            )
    scores = evaluation.evaluate(gold_labels, predicted_labels, mode=mode, ignore=ignore)
    resampled = samples > 0 and scores.sentences > 0
    intervals = evaluation.bootstrap(scores, samples=samples, seed=seed, confidence=confidence) if resampled else None
    comparison = randomization = None
    if baseline is not None:
        if not resampled:
            raise Error("--baseline needs sentences and --bootstrap above 0")
        other = evaluation.evaluate(
            gold_labels,
            _column(io.read(baseline, format_), schema.LABELS, baseline),
            mode=mode,
            ignore=ignore,
        )
        comparison = evaluation.paired_bootstrap(scores, other, samples=samples, seed=seed, confidence=confidence)
        randomization = evaluation.approximate_randomization(scores, other, samples=samples, seed=seed)
    if as_json:
        result = scores.to_dict()
        if intervals is not None:
            result["intervals"] = intervals.to_dict()
        if comparison is not None and randomization is not None:
            result["comparison"] = comparison.to_dict()
            result["randomization"] = asdict(randomization)
        click.echo(json.dumps(result, ensure_ascii=False, indent=2))
        return
    click.echo(scores.table(intervals))
    if comparison is not None and randomization is not None:
        f1 = comparison.f1
        click.echo(
            f"F1 against {baseline}: {f1.value:+.3f}, {100 * confidence:g} % interval {f1.interval}, "
            f"p = {f1.p_value:.3f} (paired bootstrap, one-sided), {randomization.p_value['f1']:.3f} (approximate "
            "randomization, two-sided)"
        )


def _column(table: pa.Table, name: str, path: Path) -> pa.ChunkedArray[Any]:
    if name not in table.column_names:
        raise Error(f"'{path}' has no column '{name}', only: {', '.join(table.column_names)}")
    return table.column(name)
