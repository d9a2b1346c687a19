"""Runs of recipes in folders: which there are, and how they compare where they were scored on the same sentences."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from xner import io, schema
from xner._support.digests import table_digest
from xner._support.tables import text_table
from xner._support.toml_tables import parsed_toml, read_text
from xner.errors import Error, FormatError
from xner.evaluation.significance import holm, paired_bootstrap
from xner.experiments.recipes.options import EvaluationOptions
from xner.experiments.recipes.results import RESULTS_SCHEMA, scores_of
from xner.experiments.recipes.running import RECIPE, RESULTS, is_as_written, output_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence

    from xner.evaluation.entities import Scores

__all__ = [
    "COMPARISON_SCHEMA",
    "KnownRun",
    "Output",
    "RunComparison",
    "compare_runs",
    "list_runs",
    "outputs_of",
    "variant_options",
]

_COLUMNS: Final[list[tuple[str, pa.DataType]]] = [
    ("dataset", pa.string()),
    ("language", pa.string()),
    ("run", pa.string()),
    ("variant", pa.string()),
    ("f1", pa.float64()),
    ("f1_low", pa.float64()),
    ("f1_high", pa.float64()),
    ("difference", pa.float64()),
    ("difference_low", pa.float64()),
    ("difference_high", pa.float64()),
    ("p_value", pa.float64()),
    ("p_adjusted", pa.float64()),
    ("note", pa.string()),
]
COMPARISON_SCHEMA: Final = pa.schema(_COLUMNS)
"""The columns of a comparison; differences are to the first run's first variant."""

_NONE: Final = "–"
_JUDGED: Final = (schema.TOKENS, schema.GOLD_LABELS)


@dataclass(frozen=True, slots=True)
class KnownRun:
    """A run that a folder has.

    Attributes:
        folder: of the run.
        recipe: its name.
        datasets: the data sets of its results.
        languages: likewise.
        variants: likewise.
        is_finished: whether it has results.
        problem: why it cannot be read; empty where it can.
    """

    folder: Path
    recipe: str
    datasets: tuple[str, ...]
    languages: tuple[str, ...]
    variants: tuple[str, ...]
    is_finished: bool
    problem: str = ""


def list_runs(folder: str | os.PathLike[str]) -> list[KnownRun]:
    """The runs in a folder, in folders of it as well, sorted by path; of those that cannot be read, why.

    Raises:
        Error: there is no such folder.
    """
    if not Path(folder).is_dir():
        raise Error(f"'{folder}': there is no such folder")
    return [_known(path.parent) for path in sorted(Path(folder).rglob(RECIPE))]


def _known(folder: Path) -> KnownRun:
    recipe, path = "", folder / RESULTS
    try:
        recipe = str(_recipe(folder).get("name", ""))
        rows = _results(path).to_pylist() if path.is_file() else None
    except (Error, OSError) as error:
        return KnownRun(folder, recipe, (), (), (), is_finished=False, problem=str(error))
    if rows is None:
        return KnownRun(folder, recipe, (), (), (), is_finished=False)
    datasets, languages, variants = (
        tuple(dict.fromkeys(row[key] for row in rows)) for key in ("dataset", "language", "variant")
    )
    return KnownRun(folder, recipe, datasets, languages, variants, is_finished=True)


def _recipe(folder: Path) -> dict[str, Any]:
    path = folder / RECIPE
    return parsed_toml(str(path), read_text(path))


@dataclass(frozen=True, slots=True, eq=False)
class Output:
    """What a run has written for a language by a variant.

    Attributes:
        recipe: that ran, as its file says it.
        evaluation: how its labels were compared.
        rows: of the run's results; the first is for all classes.
        table: the sentences with their labels.
    """

    recipe: Mapping[str, Any]
    evaluation: EvaluationOptions
    rows: Sequence[Mapping[str, Any]] = field(repr=False)
    table: pa.Table = field(repr=False)

    @property
    def options(self) -> dict[str, Any]:
        """The options of its variant, as the recipe's file says them."""
        return variant_options(self.recipe, self.rows[0]["variant"])

    def scores(self) -> Scores | None:
        """The scores of its sentences; None without gold labels."""
        return scores_of(self.table, self.evaluation)

    def digest(self) -> str:
        """A digest of its words and gold labels."""
        return table_digest(self.table.select([one for one in _JUDGED if one in self.table.schema.names]))


@dataclass(frozen=True, slots=True)
class _Scored:
    """An output with its scores, without its sentences.

    Attributes:
        row: of its run's results, for all classes.
        scores: of its sentences; None without gold labels.
        sentences: a digest of its words and gold labels.
    """

    row: Mapping[str, Any]
    scores: Scores | None
    sentences: str


@dataclass(frozen=True, slots=True)
class RunComparison:
    """Runs side by side; as text, a table of F1 and one of differences.

    Attributes:
        table: a row for each data set, language, run and variant, with the columns of `COMPARISON_SCHEMA`.
        signature: how intervals and p-values were found.
    """

    table: pa.Table
    signature: str

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> Iterator[str]:
        """F1 side by side, then the differences to the first."""
        rows = self.table.to_pylist()
        methods = list(dict.fromkeys(_method(row) for row in rows))
        places = list(dict.fromkeys(_place(row) for row in rows))
        f1 = {(_place(row), _method(row)): row["f1"] for row in rows}
        cells = [["F1", *methods]]
        cells += [[place, *(_figure(f1.get((place, method))) for method in methods)] for place in places]
        if len(places) > 1:
            means = [[f1.get((place, method)) for place in places] for method in methods]
            cells.append(["mean", *(_figure(_mean(values)) for values in means)])
        yield text_table(cells)
        compared = [row for row in rows if row["p_value"] is not None]
        if compared:
            yield ""
            yield f"differences to {methods[0]}"
            header = ["", "run", "F1", "interval", "p", "p adjusted"]
            yield text_table([header, *map(_difference, compared)])
        yield from (f"{_place(row)}, {_method(row)}: {row['note']}" for row in rows if row["note"])
        yield self.signature


def _place(row: dict[str, Any]) -> str:
    return f"{row['dataset']} {row['language']}"


def _method(row: dict[str, Any]) -> str:
    return f"{row['run']}:{row['variant']}"


def _figure(value: float | None) -> str:
    return _NONE if value is None else f"{value:.3f}"


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None


def _difference(row: dict[str, Any]) -> list[str]:
    interval = f"{row['difference_low']:+.3f} to {row['difference_high']:+.3f}"
    shown = [f"{row['difference']:+.3f}", interval, f"{row['p_value']:.3f}", f"{row['p_adjusted']:.3f}"]
    return [_place(row), _method(row), *shown]


def compare_runs(
    folders: Sequence[str | os.PathLike[str]], *, samples: int = 1000, seed: int = 1, confidence: float = 0.95
) -> RunComparison:
    """Runs side by side, with differences to the first variant of the first run.

    Differences are of the same sentences: paired bootstrap, p-values adjusted by Holm's procedure for their number.

    Args:
        folders: of the runs. One is enough where it has several variants.
        samples: number of resamples.
        seed: of the random numbers.
        confidence: share of the resamples within an interval.

    Raises:
        Error: a folder without results; an output that is missing; nothing to compare.
    """
    scored = [(str(folder), one) for folder in dict.fromkeys(folders) for one in _scored(Path(folder))]
    methods = list(dict.fromkeys((run, one.row["variant"]) for run, one in scored))
    if len(methods) < 2:
        raise Error("there is nothing to compare: name several runs, or one with several variants")
    first = {(one.row["dataset"], one.row["language"]): one for run, one in scored if _is(run, one, methods[0])}
    rows: list[dict[str, Any]] = []
    for run, one in scored:
        row = {**{name: one.row.get(name) for name in COMPARISON_SCHEMA.names}, "run": run}
        other = first.get((one.row["dataset"], one.row["language"]))
        if other is not one:
            row |= _compared(one, other, samples=samples, seed=seed, confidence=confidence)
        rows.append(row)
    tested = [row for row in rows if row.get("p_value") is not None]
    for row, adjusted in zip(tested, holm([row["p_value"] for row in tested]), strict=True):
        row["p_adjusted"] = adjusted
    how = f"paired-bootstrap:{samples}|seed:{seed}|confidence:{confidence:g}|holm:{len(tested)}"
    return RunComparison(pa.Table.from_pylist(rows, COMPARISON_SCHEMA), how)


def _is(run: str, one: _Scored, method: tuple[str, str]) -> bool:
    return (run, one.row["variant"]) == method


def _compared(one: _Scored, other: _Scored | None, **how: Any) -> dict[str, Any]:
    """The difference of an output to another one, or why there is none."""
    if other is None:
        return {"note": "the first run does not have it"}
    if one.scores is None or other.scores is None:
        return {"note": "there are no gold labels"}
    if one.sentences != other.sentences:
        return {"note": "other sentences or gold labels than the first's"}
    if (one.scores.mode, one.scores.ignore) != (other.scores.mode, other.scores.ignore):
        return {"note": "scored otherwise than the first"}
    found = paired_bootstrap(one.scores, other.scores, **how).f1
    return {
        "difference": found.value,
        "difference_low": found.interval.low,
        "difference_high": found.interval.high,
        "p_value": found.p_value,
    }


_SEED: Final = re.compile(r"-seed\d+$")


def variant_options(recipe: Mapping[str, Any], variant: str) -> dict[str, Any]:
    """The options of a recipe's file for a variant, or for one of the seeds that a variant is trained with."""
    variants = recipe.get("variants", {})
    name = variant if variant in variants else _SEED.sub("", variant)
    return {**recipe.get("options", {}), **variants.get(name, {})}


def outputs_of(folder: Path) -> Iterator[Output]:
    """The outputs of a run, in the order of its results; each is read when it is asked for.

    Raises:
        Error: there is no run; it is not finished; a file is missing, damaged, or was changed since.
    """
    if not (folder / RECIPE).is_file():
        raise Error(f"'{folder}' has no run: it lacks {RECIPE}; `xner run RECIPE -o FOLDER` makes one")
    path = folder / RESULTS
    if not path.is_file():
        raise Error(f"'{folder}' has no results: `xner run` writes them when a run is finished")
    results = _results(path)
    recipe = _recipe(folder)
    try:
        evaluation = EvaluationOptions(**recipe.get("evaluation", {}))
    except (Error, TypeError) as error:
        raise FormatError(f"{folder / RECIPE}: evaluation: {error}") from None
    by_output: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in results.to_pylist():
        by_output.setdefault((row["language"], row["variant"]), []).append(row)
    for (language, variant), rows in by_output.items():
        output = output_of(folder, language, variant)
        if not output.is_file():
            raise Error(f"'{folder}' lacks its output '{output}'; the same `xner run` makes it anew")
        if not is_as_written(output):
            raise Error(
                f"'{output}' is not what its run has written, and its results may be of something else; "
                "the same `xner run` makes it anew"
            )
        yield Output(recipe, evaluation, rows, io.read(output))


def _results(path: Path) -> pa.Table:
    """The results of a run, without what may stand beside them.

    Raises:
        Error: they are not what a run writes.
    """
    results = io.read(path)
    if missing := [name for name in RESULTS_SCHEMA.names if name not in results.schema.names]:
        raise Error(
            f"'{path}' lacks the column(s) {', '.join(missing)}, as another version has written it, say; "
            "the same `xner run` writes it anew"
        )
    return results.select(RESULTS_SCHEMA.names)


def _scored(folder: Path) -> Iterator[_Scored]:
    for one in outputs_of(folder):
        yield _Scored(one.rows[0], one.scores(), one.digest())
