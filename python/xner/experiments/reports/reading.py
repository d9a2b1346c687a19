"""What a report takes from runs' folders, each file read once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.csv as pacsv

from xner import schema
from xner._support.arrow import pylist
from xner.errors import Error, FormatError
from xner.evaluation.causes import error_causes
from xner.experiments.recipes.results import TIMINGS_SCHEMA
from xner.experiments.recipes.running import TIMINGS, VERSIONS
from xner.experiments.recipes.runs import outputs_of
from xner.experiments.reports.published import FROM_FILES, changes_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence

    from xner.evaluation.entities import Scores
    from xner.experiments.recipes.approaches.options import ApproachName, Lesson
    from xner.experiments.recipes.options import EvaluationOptions
    from xner.experiments.recipes.runs import Output

__all__ = ["Place", "Read", "Stage", "read_runs"]

_BUILT_IN: Final = "builtin"
_TRANSFER: Final[ApproachName] = "model-transfer"
_TRAINED: Final[ApproachName] = "trained-tagger"
_PROJECTED: Final[Lesson] = "projected"


@dataclass(frozen=True, slots=True)
class Stage:
    """How long a stage of a run took.

    Attributes:
        seconds: in the process that ended it.
        speed: sentences a second; None where there was no time to measure.
    """

    seconds: float
    speed: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """An output, without its sentences.

    Attributes:
        run: the folder's name.
        method: the run and the variant, or the variant where there is one run.
        aligner: whose links it goes by: names, or `FROM_FILES`; empty where no words are linked.
        changes: in what it differs from the package's recipe of its name.
        rows: of the run's results, the first for all classes.
        labels: of the sentences.
        scores: of these; None without gold labels.
        evaluation: how labels are compared.
        causes: of errors, by `xner.evaluation.CAUSES`; None without gold labels or source entities.
        stages: by name.
    """

    run: str
    method: str
    aligner: str
    changes: tuple[str, ...]
    rows: Sequence[Mapping[str, Any]]
    labels: pa.ChunkedArray[Any]
    scores: Scores | None
    evaluation: EvaluationOptions
    causes: Mapping[str, int | None] | None
    stages: Mapping[str, Stage]


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Sentences that methods were tried on.

    Attributes:
        dataset: its name.
        language: that was labelled.
        sentences: how many.
        digest: of words and gold labels.
        outputs: of the methods, in the order of the runs.
    """

    dataset: str
    language: str
    sentences: int
    digest: str
    outputs: list[Read]


def read_runs(folders: Sequence[str | os.PathLike[str]]) -> tuple[list[Place], dict[str, dict[str, Any]]]:
    """Read runs.

    Target sentences that were translated differ from translator to translator: each translation is a place of its own.

    Returns:
        Where their methods were tried, and the versions and machine of each run by its name.

    Raises:
        Error: a folder without a finished run; a file that is missing, damaged or was changed; runs that differ in the
            sentences, the gold labels or the evaluation of a data set and language of one name.
    """
    known = {Path(one).resolve(): Path(one) for one in reversed(folders)}
    ordered = [known[one] for one in dict.fromkeys(Path(one).resolve() for one in folders)]
    if not ordered:
        raise Error("there is nothing to report: name the folder of a run")
    places: dict[tuple[str, ...], Place] = {}
    firsts: dict[tuple[str, ...], tuple[Path, Output]] = {}
    versions = {}
    for folder, run in zip(ordered, _names(ordered), strict=True):
        timings: dict[tuple[str, str], dict[str, Stage]] | None = None
        for output in outputs_of(folder):
            if timings is None:
                timings = _timings(folder / TIMINGS)
                versions[run] = _versions(folder / VERSIONS)
            row = output.rows[0]
            about = (row["dataset"], row["language"])
            key = (*about, output.digest())
            own = schema.TRANSLATION not in output.table.schema.names  # translations differ with their translator
            if (before := firsts.get(key) or (firsts.get(about) if own else None)) is not None:
                _check_same(" ".join(about), before, (folder, output))
            else:
                table = output.table.select([one for one in _JUDGED if one in output.table.schema.names])
                firsts[key] = (folder, type(output)(output.recipe, output.evaluation, output.rows, table))
                places[key] = Place(*about, output.table.num_rows, key[-1], [])
            if own:
                firsts.setdefault(about, firsts[key])
            method = row["variant"] if len(ordered) == 1 else f"{run}:{row['variant']}"
            stages = timings.get((row["language"], row["variant"]), {})
            places[key].outputs.append(_read(output, run, method, stages))
    if not places:
        raise Error(
            f"'{ordered[0]}' has results of nothing: its table has no rows; the same `xner run` makes them anew"
        )
    return list(places.values()), versions


def _names(folders: Sequence[Path]) -> list[str]:
    """What runs are called: by their folders' names, or by whole paths where names repeat."""
    names = [one.resolve().name for one in folders]
    return [name if names.count(name) == 1 else str(one) for one, name in zip(folders, names, strict=True)]


def _read(output: Output, run: str, method: str, stages: Mapping[str, Stage]) -> Read:
    table, scores = output.table, output.scores()
    causes = None
    if scores is not None and schema.SOURCE_ENTITIES in table.schema.names:
        has_status = schema.TRANSLATION_STATUS in table.schema.names
        causes = error_causes(
            table[schema.GOLD_LABELS],
            table[schema.LABELS],
            pylist(table[schema.SOURCE_ENTITIES]),
            translation_status=pylist(table[schema.TRANSLATION_STATUS]) if has_status else None,
            ignore=output.evaluation.ignore,
        )
    labels = table[schema.LABELS]
    return Read(
        run,
        method,
        _aligner(output),
        changes_of(output),
        output.rows,
        labels,
        scores,
        output.evaluation,
        causes,
        stages,
    )


def _aligner(output: Output) -> str:
    """Whose links an output goes by, as its recipe says it."""
    options = output.options
    approach, lesson = options.get("approach"), options.get("learn_from", _PROJECTED)
    if approach == _TRANSFER or (approach == _TRAINED and lesson != _PROJECTED):
        return ""
    named = options.get("aligner", [])
    files = [FROM_FILES] if output.recipe.get("links", {}).get("files") else []
    return "+".join([*files, *([named] if isinstance(named, str) else named)]) or _BUILT_IN


def _timings(path: Path) -> dict[tuple[str, str], dict[str, Stage]]:
    """By language and variant, the stages."""
    if not path.is_file():
        raise Error(f"'{path.parent}' lacks {path.name}; the same `xner run` writes it anew")
    try:
        types = pacsv.ConvertOptions(
            column_types={one.name: one.type for one in TIMINGS_SCHEMA},
            include_columns=["language", "variant", "stage", "seconds", "sentences_per_second"],
        )
        rows = pacsv.read_csv(path, convert_options=types).to_pylist()
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        raise FormatError(f"{path}: {error}; the same `xner run` writes it anew") from None
    found: dict[tuple[str, str], dict[str, Stage]] = {}
    for row in rows:
        stages = found.setdefault((row["language"], row["variant"]), {})
        stages[row["stage"]] = Stage(row["seconds"], row["sentences_per_second"])
    return found


def _versions(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {
            part: {str(name): str(value) for name, value in found[part].items()} for part in ("libraries", "machine")
        }
    except FileNotFoundError:
        raise Error(f"'{path.parent}' lacks {path.name}; the same `xner run` writes it anew") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise FormatError(f"{path}: not what a run writes; the same `xner run` writes it anew") from None


_JUDGED = (schema.TOKENS, schema.GOLD_LABELS)


def _check_same(place: str, first: tuple[Path, Output], other: tuple[Path, Output]) -> None:
    """That two outputs are of the same sentences, and scored alike.

    Raises:
        Error: they are not; the message has the first row that differs.
    """
    (one, before), (two, now) = first, other
    remedy = "report on runs of the same data, or on each by itself"
    how = [(output.evaluation.mode, output.evaluation.ignore, output.evaluation.confidence) for output in (before, now)]
    if how[0] != how[1]:
        raise Error(f"'{one}' and '{two}' are scored in different ways on {place}: {how[0]} and {how[1]}; {remedy}")
    for row, column, values in _differences(before.table, now.table):
        raise Error(
            f"'{one}' and '{two}' are of different data on {place}: row {row}, column '{column}', "
            f"value {values[1]!r} and not {values[0]!r}; {remedy}"
        )


def _differences(before: pa.Table, now: pa.Table) -> Iterator[tuple[int, str, tuple[Any, Any]]]:
    """Where words or gold labels differ: row, column, values; None for a row or a column that is not there."""
    for column in _JUDGED:
        sides = [table[column] if column in table.schema.names else None for table in (before, now)]
        if sides[0] is not None and sides[1] is not None and sides[0].equals(sides[1]):
            continue
        lists = [[] if side is None else pylist(side) for side in sides]
        for row in range(max(map(len, lists))):
            values = [side[row] if row < len(side) else None for side in lists]
            if values[0] != values[1]:
                yield row, column, (values[0], values[1])
