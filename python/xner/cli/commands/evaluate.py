"""`xner evaluate`: labels against gold labels."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import click
import pyarrow.compute as pc

from xner import evaluation, io, schema
from xner.cli.options.groups import Command, takes
from xner.cli.options.inputs import FORMAT_NAMES, check_ignored, existing_file
from xner.cli.options.layouts import COLUMN, layout_group
from xner.cli.options.resampling import resampling_options
from xner.errors import DataError, Error
from xner.labels.tags import check_renamed

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from xner.io.layout import Layout

__all__ = ["command"]


@click.command(
    "evaluate",
    cls=Command,
    epilog="\b\nExamples:\n"
    "  xner evaluate --gold de.gold.conll --predicted de.conll\n"
    "  xner evaluate --gold de.gold.conll --predicted de.conll --baseline heuristic.conll\n"
    "      is the difference between two systems more than luck?\n"
    "  xner evaluate --predicted de.parquet --ignore MISC --json\n"
    "      gold labels from the table's own column\n"
    "  xner evaluate --predicted both.tsv --gold-column 1 --predicted-column 2\n"
    "      both in the columns of one file\n"
    "  xner evaluate --gold gold.tsv --token-column 1 --predicted out.tsv --predicted-token-column 0\n"
    "      words in other columns",
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
@click.option("--gold-column", type=COLUMN, help="Column of the gold labels, of --predicted if there is no --gold.")
@click.option("--predicted-column", type=COLUMN, help="Column of the predicted labels.")
@click.option(
    "--predicted-token-column",
    type=COLUMN,
    help="Column of the words of --predicted, where that is another one than in --gold.",
)
@click.option("--ignore-words", is_flag=True, help="Score sentences whose words are not those of the gold data, too.")
@takes(layout=layout_group())
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
    gold_column: int | str | None,
    predicted_column: int | str | None,
    predicted_token_column: int | str | None,
    ignore_words: bool,
    as_json: bool,
    layout: Layout,
) -> None:
    """Compare predicted with gold labels, entity by entity.

    Prints precision, recall and F1 for each class, micro and macro averages, bootstrap intervals, and the
    projection ratio (predicted by gold entities, averaged over sentences).
    """
    if predicted_token_column is not None and predicted_token_column == predicted_column:
        raise click.UsageError(f"--predicted-token-column {predicted_token_column}: this is the --predicted-column")
    by_column = replace(
        layout,
        label_column=layout.label_column if predicted_column is None else predicted_column,
        token_column=layout.token_column if predicted_token_column is None else predicted_token_column,
    )
    classes: set[str] = set()

    def read(path: Path, layout: Layout) -> pa.Table:
        if layout.class_map:
            classes.update(layout.classes_in(layout.read(path, format_)))
        return layout.read_for_scores(path, format_)

    table = read(predicted, by_column)
    predicted_labels = _column(table, schema.LABELS, predicted)
    if gold is None and gold_column is None:
        gold_table = table
        gold_labels = _column(table, schema.GOLD_LABELS, predicted)
    else:
        by_column = layout if gold_column is None else replace(layout, label_column=gold_column)
        gold_table = read(gold or predicted, by_column)
        has_gold = schema.GOLD_LABELS in gold_table.column_names and gold_column is None
        gold_labels = _column(gold_table, schema.GOLD_LABELS if has_gold else schema.LABELS, gold or predicted)
        _check_words(gold_table, gold or predicted, table, predicted, ignore_words=ignore_words)
    other_labels = None
    if baseline is not None:
        other_table = read(baseline, layout)
        other_labels = _column(other_table, schema.LABELS, baseline)
        _check_words(gold_table, gold or predicted, other_table, baseline, ignore_words=ignore_words)
        _check_lengths(gold_labels, gold or predicted, other_labels, baseline)
    _check_lengths(gold_labels, gold or predicted, predicted_labels, predicted)
    check_renamed(layout.class_map, classes)
    if ignore:
        others = [predicted_labels, *([] if other_labels is None else [other_labels])]
        check_ignored(
            ignore, {one for side in others for one in evaluation.evaluate(gold_labels, side, mode=mode).classes}
        )
    scores = evaluation.evaluate(gold_labels, predicted_labels, mode=mode, ignore=ignore)
    resampled = samples > 0 and scores.sentences > 0
    intervals = evaluation.bootstrap(scores, samples=samples, seed=seed, confidence=confidence) if resampled else None
    comparison = randomization = None
    if other_labels is not None:
        if not resampled:
            raise Error("--baseline needs sentences and --bootstrap above 0")
        other = evaluation.evaluate(gold_labels, other_labels, mode=mode, ignore=ignore)
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


def _check_words(gold: pa.Table, gold_path: Path, table: pa.Table, path: Path, *, ignore_words: bool) -> None:
    """That two files have the same sentences in the same order."""
    if schema.TOKENS not in gold.column_names or schema.TOKENS not in table.column_names:
        return
    sides = gold.column(schema.TOKENS), table.column(schema.TOKENS)
    io.check_parallel(*sides, source_name=str(gold_path), target_name=str(path))
    if ignore_words:
        return
    expected, found = (side.to_pylist() for side in sides)
    row = next((row for row, (one, other) in enumerate(zip(expected, found, strict=True)) if one != other), None)
    if row is not None:
        word, one, other = _first_difference(expected[row], found[row])
        raise DataError(
            row,
            schema.TOKENS,
            repr(other),
            f"'{gold_path}' has {one!r} for word {word}; the sentences are others or in another order ("
            "`xner pair` puts them in order, --ignore-words scores them as they are)",
        )


def _check_lengths(gold: pa.ChunkedArray[Any], gold_path: Path, labels: pa.ChunkedArray[Any], path: Path) -> None:
    """That two files have as many labels in each sentence, whatever their words are."""
    if len(gold) != len(labels):
        raise Error(f"'{gold_path}' has {len(gold)} sentences but '{path}' has {len(labels)}")
    lengths = [pc.list_value_length(side).to_pylist() for side in (gold, labels)]
    for row, (expected, found) in enumerate(zip(*lengths, strict=True)):
        if None not in {expected, found} and expected != found:
            reason = f"'{path}' has as many in this row, and '{gold_path}' has {expected}"
            raise DataError(row, schema.LABELS, f"{found} labels", reason)


def _first_difference(expected: list[str] | None, found: list[str] | None) -> tuple[int, str | None, str | None]:
    """The first word that differs: its number, and what both sides have, None beyond a sentence's end."""
    pairs = zip_longest(expected or (), found or ())
    return next((number, one, other) for number, (one, other) in enumerate(pairs) if one != other)


def _column(table: pa.Table, name: str, path: Path) -> pa.ChunkedArray[Any]:
    if name not in table.column_names:
        raise Error(f"'{path}' has no column '{name}', only: {', '.join(table.column_names)}")
    return table.column(name)
