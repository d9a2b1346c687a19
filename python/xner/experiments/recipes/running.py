"""Running a recipe: one job for each language and variant, each kept in the run's folder and taken from there."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from xner import io
from xner._support.digests import file_digest
from xner.errors import Error
from xner.experiments.pages.provenance import libraries, machine
from xner.experiments.recipes.approaches.base import Given, Work
from xner.experiments.recipes.results import classes_of, rows_of, write_results, write_timings
from xner.io.atomic import opened_without_links
from xner.pipelines.checkpoints import Checkpoints
from xner.pipelines.progress import progress_reporter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from xner._support.progress import Reporter
    from xner.experiments.recipes.approaches.base import Approach
    from xner.experiments.recipes.data import Pair
    from xner.experiments.recipes.options import EvaluationOptions

__all__ = [
    "LOCK",
    "LOG",
    "RECIPE",
    "RESULTS",
    "TIMINGS",
    "VERSIONS",
    "Done",
    "Job",
    "RecipeRun",
    "is_as_written",
    "output_of",
    "run_jobs",
]

RECIPE: Final = "recipe.toml"
VERSIONS: Final = "versions.json"
LOG: Final = "log.txt"
LOCK: Final = ".run.lock"
RESULTS: Final = "results.parquet"
TIMINGS: Final = "timings.csv"
_ALSO: Final = ("results.csv", "results.md", TIMINGS)
_OUTPUTS: Final = "outputs"
_STEPS: Final = "steps"
_MODELS: Final = "models"
_REST: Final = "other"
_WHOLE: Final = "all"


@dataclass(frozen=True, slots=True)
class Job:
    """What is run as one: a pair of languages, by a variant of the options.

    Attributes:
        pair: the data.
        variant: its name.
        approach: of its options.
        training: what a tagger learns from, where one is trained.
    """

    pair: Pair
    variant: str
    approach: Approach
    training: Pair | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """A job that is done.

    Attributes:
        job: which.
        output: the file that it has written.
        signature: of what has made it.
        seconds: that each stage took, by its name, in the process that ended it.
        kept: whether it was done before, and taken as it was.
    """

    job: Job
    output: Path
    signature: str
    seconds: Mapping[str, float]
    kept: bool


@dataclass(frozen=True, slots=True, eq=False)
class RecipeRun:
    """What a recipe has given.

    Attributes:
        folder: of the run, with everything in it.
        results: the tidy table, with the columns of `RESULTS_SCHEMA`.
        timings: the times, with the columns of `TIMINGS_SCHEMA`.
        done: the jobs, in order.
    """

    folder: Path
    results: pa.Table
    timings: pa.Table
    done: tuple[Done, ...]

    def __repr__(self) -> str:
        kept = sum(one.kept for one in self.done)
        return f"<RecipeRun: {self.folder}, {len(self.done)} outputs, {kept} of them taken as they were>"


class _Clock:
    """A reporter that notes how long each kind of work took, and tells another one."""

    def __init__(self, report: Reporter) -> None:
        self.seconds: dict[str, float] = {}
        self._report = report
        self._began = self._since = time.perf_counter()

    def __call__(self, what: str, done: int, total: int) -> None:
        now = time.perf_counter()
        self.seconds[what] = self.seconds.get(what, 0.0) + now - self._since
        self._since = now
        self._report(what, done, total)

    def stop(self) -> dict[str, float]:
        now = time.perf_counter()
        return {**self.seconds, _REST: now - self._since, _WHOLE: now - self._began}


def output_of(folder: Path, language: str, variant: str) -> Path:
    """The file of a job, in a run's folder."""
    return folder / _OUTPUTS / f"{language}.{variant}.parquet"


def is_as_written(output: Path) -> bool:
    """Whether the file of a job is what its run has written."""
    try:
        state = json.loads(output.with_suffix(".json").read_text(encoding="utf-8"))
        return bool(state["output"] == file_digest(output))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def run_jobs(
    jobs: Sequence[Job],
    folder: Path,
    *,
    name: str,
    evaluation: EvaluationOptions,
    record: str,
    resume: bool,
    told: Callable[[str], None],
    steps: Path | None = None,
) -> RecipeRun:
    """Do what is not done yet, and write the results of all.

    Args:
        jobs: those of one pair of languages stand together.
        folder: of the run; there already.
        name: of the recipe.
        evaluation: how labels are compared.
        record: the recipe as it runs, in TOML.
        resume: whether outputs that are there are taken, as long as all that decides them is the same.
        told: gets a line for each job, and what pipelines and readers have to say.
        steps: where what is computed on the way is kept and looked for; None for a folder of the run's.

    Raises:
        Error: of data, links or options.
    """
    if _text(folder / RECIPE) != record:  # results of other languages would look as if they were this run's
        for result in (RESULTS, *_ALSO):
            (folder / result).unlink(missing_ok=True)
    _replace(folder / RECIPE, record)
    (folder / _OUTPUTS).mkdir(exist_ok=True)  # by its recipe a folder is told from one of other files
    _replace(folder / VERSIONS, json.dumps({"libraries": libraries(), "machine": machine()}, indent=2) + "\n")
    done: list[Done] = []
    rows: list[dict[str, Any]] = []
    times: list[dict[str, Any]] = []
    classes: set[str] = set()
    with _logged(folder / LOG, told) as say, progress_reporter() as report:
        say(f"{name}: {len(jobs)} outputs")
        data = _Data(say)
        for job in jobs:
            one = _do(job, data.of(job), folder, steps or folder / _STEPS, resume=resume, report=report, say=say)
            about = {"dataset": job.pair.dataset, "language": job.pair.target, "recipe": name, "variant": job.variant}
            sides = {"split": job.pair.split, "source": job.pair.source, "signature": one.signature}
            output = io.read(one.output)
            found = rows_of(output, evaluation, {**about, **sides})
            rows += found
            classes |= classes_of(output) if evaluation.ignore else set()
            times += [{**about, **row} for row in _times(one, output.num_rows)]
            done.append(one)
            report("outputs", len(done), len(jobs))
            say(_line(one, found[0]))
        if unknown := [one for one in evaluation.ignore if one not in classes]:
            say(f"ignore: no entity is of the class {', '.join(unknown)}; there are {', '.join(sorted(classes))}")
        results = write_results(rows, folder)
        timings = write_timings(times, folder)
        say(f"results written to {folder / 'results.md'}, .csv and .parquet")
    return RecipeRun(folder, results, timings, tuple(done))


def _do(
    job: Job,
    given: Given,
    folder: Path,
    kept_steps: Path,
    *,
    resume: bool,
    report: Reporter,
    say: Callable[[str], None],
) -> Done:
    """Do a job, unless what is there is what it would write."""
    path = output_of(folder, job.pair.target, job.variant)
    state = path.with_suffix(".json")
    key = job.approach.identity(given)
    kept = _kept(state, path, key) if resume else None
    if kept is not None:
        Checkpoints.clear(path)  # which stay where they could not be removed
        return Done(job, path, kept["signature"], kept["seconds"], kept=True)
    clock = _Clock(report)
    steps = _steps_of(job, kept_steps) if job.approach.has_costly_steps(has_links=bool(given.links)) else None
    signature = job.approach.run(given, Work(path, steps, folder / _MODELS, resume, clock, say))
    seconds = clock.stop()
    made = {"key": key, "output": file_digest(path), "signature": signature, "seconds": seconds}
    _replace(state, json.dumps(made, indent=2) + "\n")
    return Done(job, path, signature, seconds, kept=False)


class _Data:
    """What jobs begin with; that of the last one stays in memory for the next."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._kept: dict[str, tuple[Pair, pa.Table, list[pa.ChunkedArray[Any]]]] = {}

    def of(self, job: Job) -> Given:
        """The sentences of a job, and what is learnt for it."""
        table, links = self._loaded("pair", job.pair)
        if job.training is None:
            return Given(table, links)
        training, links = self._loaded("training", job.training)
        return Given(table, links, training)

    def _loaded(self, role: str, pair: Pair) -> tuple[pa.Table, list[pa.ChunkedArray[Any]]]:
        if role not in self._kept or self._kept[role][0] != pair:
            table = pair.load(self._say)
            self._kept[role] = (pair, table, pair.load_links(table.num_rows))
        return self._kept[role][1:]


def _steps_of(job: Job, kept: Path) -> Path:
    """Where jobs that translate, tag and link alike find what the first of them has made.

    A job that links otherwise begins with the translations and tags of another one.
    """
    places = [] if job.training is None else job.training.places
    before = _short([job.pair.places, places, *job.approach.key])
    place = kept / f"{job.pair.target}.{before}.{_short([job.approach.pipeline.aligning])}"
    place.mkdir(parents=True, exist_ok=True)
    for path in sorted(kept.glob(f"{job.pair.target}.{before}.*/*.parquet")):
        if path.stem != "links" and not (place / path.name).exists():
            with path.open("rb") as made, io.replacing(place / path.name) as file:
                shutil.copyfileobj(made, file)  # it is taken only if it is what would be made
    return place


def _short(options: list[Any]) -> str:
    return hashlib.sha256(repr(options).encode()).hexdigest()[:12]


def _kept(state: Path, output: Path, key: str) -> dict[str, Any] | None:
    """What is known of an output that was written before; None where it is another one, or was changed since."""
    try:
        found: dict[str, Any] = json.loads(state.read_text(encoding="utf-8"))
        is_same = found["key"] == key and found["output"] == file_digest(output)
        return {"signature": found["signature"], "seconds": dict(found["seconds"])} if is_same else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _times(done: Done, sentences: int) -> Iterator[dict[str, Any]]:
    for stage, seconds in done.seconds.items():
        speed = sentences / seconds if seconds > 0 else None
        yield {"stage": stage, "seconds": seconds, "sentences": sentences, "sentences_per_second": speed}


def _line(done: Done, row: Mapping[str, Any]) -> str:
    f1 = "" if row.get("f1") is None else f", F1 {row['f1']:.3f} ({row['f1_low']:.3f}–{row['f1_high']:.3f})"
    how = "taken as it was" if done.kept else f"{done.seconds[_WHOLE]:.1f} s"
    projected = f"{row['projected']} of {row['to_project']} source entities projected"
    what = projected if row["to_project"] is not None else f"{row['predicted']} entities found"
    return f"{done.job.pair.target}, {done.job.variant}: {what}{f1}; {how}"


def _replace(path: Path, text: str) -> None:
    with io.replacing(path) as file:
        file.write(text.encode())


@contextmanager
def _logged(path: Path, told: Callable[[str], None]) -> Iterator[Callable[[str], None]]:
    """Something to tell lines to, which go to a log as well, with the time and how it ended."""
    with open(path, "a", encoding="utf-8", opener=opened_without_links) as file:

        def note(line: str) -> None:
            stamp = time.strftime("%Y-%m-%d %H:%M:%S")
            file.write("".join(f"{stamp} {one}\n" for one in line.splitlines()))
            file.flush()

        def say(line: str) -> None:
            note(line)
            told(line)

        try:
            yield say
        except Error as error:
            note(f"stopped: {error}")
            raise
        except BaseException as error:
            note(f"interrupted: {type(error).__name__}")
            raise
