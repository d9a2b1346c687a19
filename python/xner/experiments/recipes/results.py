"""What a recipe's outputs are worth, as one tidy table: a row for each data set, language, variant and class."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from xner import io, labels, schema
from xner._support.arrow import frequencies, one_array, pylist
from xner.evaluation.entities import Scores, evaluate
from xner.evaluation.significance import bootstrap
from xner.evaluation.upper_bound import reach
from xner.experiments.pages.tables import figure_column, interval_column, markdown_table, number, text_column

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from xner.experiments.recipes.options import EvaluationOptions

__all__ = [
    "MICRO",
    "RESULTS_SCHEMA",
    "TIMINGS_SCHEMA",
    "classes_of",
    "markdown",
    "rows_of",
    "scores_of",
    "write_results",
    "write_timings",
]

MICRO: Final = "micro"
"""What stands for the class in rows of all classes together."""

_FIGURES: Final = ("precision", "recall", "f1")

_RESULT_COLUMNS: Final[list[tuple[str, pa.DataType]]] = [
    ("dataset", pa.string()),
    ("split", pa.string()),
    ("source", pa.string()),
    ("language", pa.string()),
    ("recipe", pa.string()),
    ("variant", pa.string()),
    ("class", pa.string()),
    ("sentences", pa.int64()),
    ("gold", pa.int64()),
    ("predicted", pa.int64()),
    *((f"{figure}{end}", pa.float64()) for figure in _FIGURES for end in ("", "_low", "_high")),
    ("projection_ratio", pa.float64()),
    ("to_project", pa.int64()),
    ("projected", pa.int64()),
    ("upper_bound", pa.float64()),
    ("all_projected", pa.float64()),
    ("mean_margin", pa.float64()),
    ("statuses", pa.string()),
    ("signature", pa.string()),
    ("evaluation", pa.string()),
]
RESULTS_SCHEMA: Final = pa.schema(_RESULT_COLUMNS)
"""The columns of the tidy table. What is not known, as F1 without gold labels, is null.

`upper_bound` and `all_projected` are those of `xner.evaluation.Reach`: what F1 a perfect projection of these source
entities reaches. `mean_margin` is the mean over the projected entities of what the next best choice is worse.
"""

_TIMING_COLUMNS: Final[list[tuple[str, pa.DataType]]] = [
    ("dataset", pa.string()),
    ("language", pa.string()),
    ("recipe", pa.string()),
    ("variant", pa.string()),
    ("stage", pa.string()),
    ("seconds", pa.float64()),
    ("sentences", pa.int64()),
    ("sentences_per_second", pa.float64()),
]
TIMINGS_SCHEMA: Final = pa.schema(_TIMING_COLUMNS)
"""The columns of the table of times, which differ from run to run and so stand apart."""

_COLUMNS = [
    text_column("data set", "dataset", "its name"),
    text_column("language", "language", "that is labelled"),
    text_column("recipe", "recipe", "its name"),
    text_column("variant", "variant", "of its options"),
    text_column("class", "class", "of entities"),
    figure_column("precision", "precision", number(3), "share of the predicted entities that are right"),
    figure_column("recall", "recall", number(3), "share of the gold entities that were found"),
    interval_column("F1 with interval", "f1", number(3), "bootstrap over the sentences"),
    figure_column("ratio", "projection_ratio", number(3), "mean over sentences of predicted by gold entities"),
    figure_column("projected", "projected", number(0), "source entities that were projected"),
    figure_column("of", "to_project", number(0), "source entities"),
    figure_column("upper bound", "upper_bound", number(3), "F1 of a perfect projection of these source entities"),
    text_column("statuses", "statuses", "of the sentences"),
]


def scores_of(table: pa.Table, evaluation: EvaluationOptions) -> Scores | None:
    """The scores of an output; None where it has no gold labels.

    Raises:
        DataError: a label that is none.
    """
    if schema.GOLD_LABELS not in table.schema.names:
        return None
    gold, labels = table[schema.GOLD_LABELS], table[schema.LABELS]
    return evaluate(gold, labels, mode=evaluation.mode, ignore=evaluation.ignore)


def classes_of(table: pa.Table) -> set[str]:
    """The classes of the entities of an output: of gold and other labels, and of source entities.

    Raises:
        DataError: a label that is none.
    """
    columns = [table[one] for one in (schema.GOLD_LABELS, schema.LABELS) if one in table.schema.names]
    found = [one_array(labels.decode_batch(one)) for one in columns]
    if schema.SOURCE_ENTITIES in table.schema.names:
        found.append(one_array(table[schema.SOURCE_ENTITIES]))
    return {str(one) for its in found for one in pylist(pc.unique(pc.struct_field(pc.list_flatten(its), "label")))}


def rows_of(table: pa.Table, evaluation: EvaluationOptions, about: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of an output: all classes together, then each by itself.

    Args:
        table: with `labels` and `status`; with `source_entities` and `entities` where these were projected, and where
            there are some `gold_labels`.
        evaluation: how labels are compared.
        about: what all rows say: data set, language, recipe, variant, signature.

    Raises:
        DataError: a label that is none.
        Error: no sentences.
    """
    scores = scores_of(table, evaluation)
    projects = schema.SOURCE_ENTITIES in table.schema.names
    counts, projected = (
        {name: count for name, count in count_of(table).items() if name not in evaluation.ignore}
        for count_of in (_source_entities, _projected)
    )

    def projection(name: str | None) -> dict[str, int | None]:
        """What was projected of a class, or of all."""
        found = [sum(one.values()) if name is None else one.get(name, 0) for one in (counts, projected)]
        return dict(zip(("to_project", "projected"), found if projects else (None, None), strict=True))

    common: dict[str, Any] = {
        **about,
        "sentences": table.num_rows,
        "statuses": ", ".join(f"{count} {one}" for one, count in frequencies(table[schema.STATUS]).items()),
    }
    margins = _mean_margins(table, evaluation.ignore) if projects else {}
    rows: list[dict[str, Any]] = [{**common, "class": MICRO, **projection(None)}]
    if scores is None:
        found = one_array(table[schema.ENTITIES]) if projects else labels.decode_batch(table[schema.LABELS])
        rows[0]["predicted"] = pc.sum(pc.list_value_length(found)).as_py() or 0
        classes = sorted(counts)
    else:
        classes = sorted({*counts, *scores.classes} - set(evaluation.ignore))
    rows += [{**common, "class": one, **projection(one)} for one in classes]
    for row in rows:
        row["mean_margin"] = margins.get(row["class"])
    if scores is not None:
        _add_scores(rows, scores, evaluation)
        if projects:
            _add_bounds(rows, table, evaluation)
    return rows


def _add_bounds(rows: list[dict[str, Any]], table: pa.Table, evaluation: EvaluationOptions) -> None:
    """How far projection of the source entities can get at all."""
    entities, gold = pylist(table[schema.SOURCE_ENTITIES]), table[schema.GOLD_LABELS]
    found = reach(entities, gold, mode=evaluation.mode, ignore=evaluation.ignore)
    for row in rows:
        name = None if row["class"] == MICRO else row["class"]
        row |= {"upper_bound": found.upper_bound(name), "all_projected": found.all_projected(name)}


def _add_scores(rows: list[dict[str, Any]], scores: Scores, evaluation: EvaluationOptions) -> None:
    intervals = bootstrap(scores, samples=evaluation.samples, seed=evaluation.seed, confidence=evaluation.confidence)
    rows[0]["projection_ratio"] = scores.projection_ratio
    for row in rows:
        name = row["class"]
        row["evaluation"] = intervals.signature
        is_all = row is rows[0]
        found = scores.micro if is_all else scores.per_class.get(name)
        if found is None:  # the source side alone has the class
            row |= {"gold": 0, "predicted": 0}
            continue
        ends = intervals.micro if is_all else intervals.per_class[name]
        row |= {"gold": found.support, "predicted": found.tp + found.fp}
        for figure in _FIGURES:
            end = getattr(ends, figure)
            row |= {figure: getattr(found, figure), f"{figure}_low": end.low, f"{figure}_high": end.high}


def _source_entities(table: pa.Table) -> dict[str, int]:
    """How many source entities there are of each class."""
    if schema.SOURCE_ENTITIES not in table.schema.names:
        return {}
    return _counted(pc.struct_field(pc.list_flatten(one_array(table[schema.SOURCE_ENTITIES])), "label"))


def _projected(table: pa.Table) -> dict[str, int]:
    """How many of them were projected, of each class."""
    if schema.SOURCE_ENTITIES not in table.schema.names:
        return {}
    found = one_array(table[schema.ENTITIES])
    values = pc.list_flatten(found)
    named: dict[str, Any] = {name: pc.struct_field(values, name) for name in ("source", "label")}
    whole = pa.table({"row": pc.list_parent_indices(found), **named}).group_by(["row", "source", "label"])
    return _counted(whole.aggregate([])["label"])


def _mean_margins(table: pa.Table, ignore: Sequence[str]) -> dict[str, float]:
    """The mean margin of the entities of each class, and of all; only of classes with margins that are numbers."""
    values = pc.list_flatten(one_array(table[schema.ENTITIES]))
    found: dict[str, list[float]] = {}
    for name, margin in zip(*(pylist(pc.struct_field(values, one)) for one in ("label", "margin")), strict=True):
        if name not in ignore and margin is not None and math.isfinite(margin):
            for key in (MICRO, name):
                found.setdefault(key, []).append(margin)
    return {name: math.fsum(some) / len(some) for name, some in found.items()}


def _counted(classes: Any) -> dict[str, int]:
    return {str(name): count for name, count in frequencies(classes).items()}


def write_results(rows: Sequence[dict[str, Any]], folder: Path) -> pa.Table:
    """Write the tidy table as Parquet, CSV and Markdown: `results.*`, the same bytes for the same rows.

    Returns:
        The table, with the columns of `RESULTS_SCHEMA`.
    """
    table = pa.Table.from_pylist(list(rows), RESULTS_SCHEMA)
    io.write(table, folder / "results.parquet")
    _write_csv(table, folder / "results.csv")
    with io.replacing(folder / "results.md") as file:
        file.write(markdown(table).encode())
    return table


def markdown(table: pa.Table, *, by_class: bool = True) -> str:
    """The tidy table in Markdown, and below it the signatures of its variants.

    Args:
        table: with the columns of `RESULTS_SCHEMA`.
        by_class: whether it has rows of single classes.
    """
    rows = [row for row in table.to_pylist() if by_class or row["class"] == MICRO]
    signatures = dict.fromkeys((f"{row['recipe']}, {row['variant']}", row["signature"]) for row in rows)
    evaluations = dict.fromkeys(row["evaluation"] for row in rows if row["evaluation"])
    lines = [f"- {name}: `{signature}`" for name, signature in signatures]
    lines += [f"- evaluation: `{one}`" for one in evaluations]
    return markdown_table(rows, _COLUMNS) + "\n" + "\n".join(lines) + "\n"


def write_timings(rows: Sequence[dict[str, Any]], folder: Path) -> pa.Table:
    """Write the table of times: `timings.csv`.

    Returns:
        The table, with the columns of `TIMINGS_SCHEMA`.
    """
    table = pa.Table.from_pylist(list(rows), TIMINGS_SCHEMA)
    _write_csv(table, folder / "timings.csv")
    return table


def _write_csv(table: pa.Table, path: Path) -> None:
    with io.replacing(path) as file:
        pacsv.write_csv(table, file)
