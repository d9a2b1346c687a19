"""`xner evaluate`: labels against gold labels."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import click

from xner import evaluation, schema
from xner.cli.options.groups import Command, takes
from xner.cli.options.inputs import FORMAT_NAMES, check_ignored, existing_file
from xner.cli.options.layouts import COLUMN, layout_group
from xner.cli.options.resampling import resampling_options
from xner.errors import Error
from xner.evaluation.files import LabelFiles, LabelledFile
from xner.labels.tags import check_renamed

if TYPE_CHECKING:
    from pathlib import Path

    from xner.io.layout import Layout

__all__ = ["command"]

_OF_PREDICTED = {
    "label_column": "predicted_column",
    "token_column": "predicted_token_column",
    "format": "predicted_format",
}
_OF_GOLD = {"label_column": "gold_column", "format": "gold_format"}


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
    "  xner evaluate --gold tasks.json --gold-format label-studio --predicted de.parquet\n"
    "      what people annotated in a tool; sentences that nobody annotated are not scored\n"
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
@click.option("--gold-format", type=click.Choice(FORMAT_NAMES), help="Format of --gold alone.")
@click.option("--predicted-format", type=click.Choice(FORMAT_NAMES), help="Format of --predicted alone.")
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
    gold_format: str | None,
    predicted_format: str | None,
    gold_column: int | str | None,
    predicted_column: int | str | None,
    predicted_token_column: int | str | None,
    ignore_words: bool,
    as_json: bool,
    layout: Layout,
) -> None:
    """Compare predicted with gold labels, entity by entity.

    Prints precision, recall and F1 for each class, micro and macro averages, bootstrap intervals, and the
    projection ratio (predicted by gold entities, averaged over sentences). Sentences without gold labels are not
    scored, which is said. Files are read piece by piece; of each
    sentence 12 bytes a class stay in memory, which intervals are drawn from.
    """
    if gold is None and gold_format is not None:
        raise click.UsageError(f"--gold-format {gold_format}: there is no --gold")
    if predicted_token_column is not None and predicted_token_column == predicted_column:
        raise click.UsageError(f"--predicted-token-column {predicted_token_column}: this is the --predicted-column")
    by_column = replace(
        layout,
        label_column=layout.label_column if predicted_column is None else predicted_column,
        token_column=layout.token_column if predicted_token_column is None else predicted_token_column,
    )
    is_own_column = gold is None and gold_column is None
    gold_layout = (
        by_column if is_own_column else layout if gold_column is None else replace(layout, label_column=gold_column)
    )
    gold_name = schema.GOLD_LABELS if is_own_column else None if gold_column is None else schema.LABELS
    shared = [] if layout.label_column is None else ["label_column"]
    of_predicted = _OF_PREDICTED, shared if predicted_column is None else ()
    of_gold = of_predicted if is_own_column else (_OF_GOLD, shared if gold_column is None else ())
    formats = {"gold": gold_format or format_, "predicted": predicted_format or format_}
    systems = [LabelledFile(predicted, by_column, formats["predicted"], schema.LABELS, *of_predicted)]
    systems += [] if baseline is None else [LabelledFile(baseline, layout, format_)]
    files = LabelFiles(
        LabelledFile(gold or predicted, gold_layout, formats["gold" if gold else "predicted"], gold_name, *of_gold),
        systems,
        mode=mode,
        ignore_words=ignore_words,
    )
    found = files.scores()
    check_renamed(layout.class_map, files.classes)
    if ignore:
        check_ignored(ignore, {name for one in found for name in one.classes})
        found = [one.without(ignore) for one in found]
    scores = found[0]
    resampled = samples > 0 and scores.sentences > 0
    intervals = evaluation.bootstrap(scores, samples=samples, seed=seed, confidence=confidence) if resampled else None
    comparison = randomization = None
    for other in found[1:]:
        if not resampled:
            raise Error("--baseline needs sentences and --bootstrap above 0")
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
