"""Recipes: pipelines made of steps, each of whose output is kept and reused.

    into = recipes.Direction(Translator.load("facebook/nllb-200-distilled-600M"), "en", "yo")
    table = recipes.run(table, recipes.translate_train(into), "yo.steps")  # has source_tokens, source_entities
    table = recipes.project(table, Projector())

A step's output is a Parquet file in the folder of steps. It is taken from there as long as everything that decides it
is the same: the table that the recipe began with, this step, and all before it. So another method of projection, say,
translates nothing anew, and every file can be looked at, corrected in a copy, and handed to other commands.
"""

from __future__ import annotations

import errno
import re
import tempfile
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa

from xner import io, schema
from xner._support.arrow import with_columns
from xner._support.digests import pieces_digest, table_digest
from xner._support.faces import listing
from xner._support.pieces import PIECE_ROWS, ahead
from xner._support.progress import Reporter, logger, silent
from xner.alignment.aligner import Aligner
from xner.errors import Error
from xner.pipelines.checkpoints import Checkpoints, checkpoints
from xner.pipelines.engines import LOCAL
from xner.pipelines.identity import fingerprint
from xner.pipelines.runner import MODEL_PART_ROWS, kept_pieces, one_batch, piece_rows, run_parts
from xner.projection.memory import project_with_memory
from xner.translation.direction import Direction
from xner.translation.stages import BackTranslation, SourceTranslation, TargetTranslation, adopt_marked, labelled_sample

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Generator, Iterator, Sequence

    from xner._support.stages import Stage
    from xner.pipelines.engines import Engine
    from xner.translation.markers import ChosenMarkers, MarkerStyle

__all__ = [
    "Direction",
    "PieceWork",
    "Pieces",
    "Step",
    "StepRun",
    "alignment_step",
    "back_translation",
    "pieces_of_file",
    "project",
    "run",
    "run_pieces",
    "spread_over",
    "stage_step",
    "step_of",
    "translate_test",
    "translate_train",
]

__dir__ = listing(__all__)

Pieces: TypeAlias = "Callable[[int], Generator[pa.Table]]"
"""Reads a table from its beginning, in pieces of so many rows but the last."""

_KEY, _DIGEST = b"xner.step", b"xner.digest"
_ROW = "row"
_NAME = re.compile(r"[\w+-][\w.+-]*")  # it names a file


@dataclass(frozen=True, slots=True)
class StepRun:
    """What a step may use while it runs.

    Attributes:
        kept: where it keeps what it has finished, so that an interrupted run goes on from there.
        report: told how far the work has come.
        told: gets a line for what a step has found out by itself.
        engine: where its parts are worked on.
    """

    kept: Checkpoints
    report: Reporter
    told: Callable[[str], None] = logger.info
    engine: Engine = LOCAL


@dataclass(frozen=True, slots=True)
class PieceWork:
    """How a step works on a table that comes piece by piece.

    Attributes:
        stage: from some rows to as many, in the same order.
        part_rows: of a stage that computes with a model, rows of the parts that a piece is worked on in; None: there is
            none, or it takes whole pieces.
        engine: where pieces are worked on.
        counts_rows: whether pieces have a column besides, `row`: the numbers of their rows.
    """

    stage: Callable[[pa.RecordBatch], pa.RecordBatch]
    part_rows: int | None = None
    engine: Engine = LOCAL
    counts_rows: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a recipe.

    Attributes:
        name: of its file, and in messages: letters, digits and `.+-_`, the first one no dot.
        key: everything that decides its output but its input; must be JSON-serialisable.
        run: from a table to one of as many rows, in the same order.
        over: the same of a table that comes piece by piece, as often as it is asked for; None: there is no such way.
    """

    name: str
    key: object
    run: Callable[[pa.Table, StepRun], pa.Table]
    over: Callable[[Pieces, StepRun], PieceWork] | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise Error(f"step {self.name!r}: a name has letters, digits and . + - _ only, and no dot in front")


def translate_train(
    into: Direction,
    *,
    markers: ChosenMarkers | None = None,
    words: str | None = None,
    by_blanks: bool = False,
    keep_bad: bool = False,
    target_tags: Step | None = None,
    aligner: Step | None = None,
) -> list[Step]:
    """Training data of a labelled corpus: translate, align; `project` comes last.

    Args:
        into: from the corpus's language into the wanted one.
        markers: how entities are marked for translation; `auto` tries every style on 50 labelled sentences, when the
            step runs, and takes the one that comes back whole most often, if that is in half of them; None translates
            plainly.
        words: how translations are split into words: a name of `word_splitting.SPLITTERS`; None goes by the language.
        by_blanks: whether words are joined with blanks; else as text is written, see `xner.text.detokenization`.
        keep_bad: whether translations stay that are cut or repeat themselves; their rows are empty else.
        target_tags: adds what projection needs of a tagger: `candidates`, `ner_probabilities`.
        aligner: see `alignment_step`; None for the built-in one.

    Returns:
        Steps that read `source_tokens` and `source_entities`, and add `tokens`, `translation`, `translation_status`,
        `links`, and with markers `marked_entities` and `marker_problem`.
    """

    def stage(style: MarkerStyle | None) -> TargetTranslation:
        return TargetTranslation(into, words, by_blanks, markers=style, keep_bad=keep_bad)

    translated = _marked("translation", stage, markers)
    return [translated, *_where(target_tags), aligner or alignment_step()]


def back_translation(
    into: Direction,
    *,
    markers: ChosenMarkers = "brackets",
    words: str | None = None,
    by_blanks: bool = False,
    target_tags: Step | None = None,
    aligner: Step | None = None,
) -> list[Step]:
    """Links of target words with target words: the labelled side is translated with markers, and then aligned.

    Args:
        into: from the labelled side's language into that of the words to be labelled.
        markers: as for `translate_train`, as are the others.
        words: how translations are split.
        by_blanks: whether words are joined with blanks; else as text is written, see `xner.text.detokenization`.
        target_tags: as for `translate_train`.
        aligner: see `alignment_step`.

    Returns:
        Steps that read `tokens`, `source_tokens` and `source_entities`, replace the latter two, and add `links`,
        `marker_problem`, `pivot_tokens` and `pivot_entities`: what the source side was.

    Source: Politov et al. 2025 (arXiv 2501.18750), back-translation.
    """
    translated = _back(into, words, markers, by_blanks=by_blanks)
    return [translated, *_where(target_tags), aligner or alignment_step()]


def translate_test(
    into: Direction,
    tag: Step,
    *,
    back: Direction | None = None,
    markers: ChosenMarkers = "brackets",
    words: str | None = None,
    by_blanks: bool = False,
    keep_bad: bool = False,
    target_tags: Step | None = None,
    aligner: Step | None = None,
) -> list[Step]:
    """Labels for target text: translate it into a language with a tagger, tag that, align; `project` comes last.

    Args:
        into: from the text's language into the tagger's.
        tag: reads `source_tokens` and adds `source_entities`.
        back: from the tagger's language into the text's, to refine by back-translation; None does without.
        markers: for back-translation.
        words: how the translations into the tagger's language are split.
        by_blanks: whether words are joined with blanks; else as text is written, see `xner.text.detokenization`.
        keep_bad: whether translations are tagged that are cut or repeat themselves.
        target_tags: as for `translate_train`.
        aligner: see `alignment_step`.

    Returns:
        Steps that read `tokens` and add `source_tokens`, `source_entities`, `translation`, `translation_status` and
        `links`; with `back` what `back_translation` adds as well.
    """
    translated = _translation("translation", SourceTranslation(into, words, by_blanks, keep_bad=keep_bad))
    refined = [_back(back, None, markers, by_blanks=by_blanks)] if back else []
    return [translated, tag, *refined, *_where(target_tags), aligner or alignment_step()]


def _where(step: Step | None) -> list[Step]:
    return [] if step is None else [step]


def _translation(name: str, stage: TargetTranslation | SourceTranslation | BackTranslation) -> Step:
    """The step of a stage that translates: as many texts as there are room for at once serve it best."""

    def work(table: pa.Table, run: StepRun) -> pa.Table:
        found: pa.Table = _translating(stage, run)(table.combine_chunks())
        return found

    def over(pieces: Pieces, run: StepRun) -> PieceWork:
        if not stage.into.is_ready:
            return PieceWork(_translating(stage, run))
        stage.into.translate([""] * sum(piece.num_rows for piece in pieces(PIECE_ROWS)))  # that there are as many

        def of_rows(batch: pa.RecordBatch) -> pa.RecordBatch:
            first = batch.column(_ROW)[0].as_py() if batch.num_rows else 0
            there = replace(stage, into=stage.into.of_rows(first, batch.num_rows))
            return there(batch.drop_columns([_ROW]))

        return PieceWork(of_rows, counts_rows=True)

    return Step(name, stage.identity, work, over)


def _translating(stage: TargetTranslation | SourceTranslation | BackTranslation, run: StepRun) -> Callable[[Any], Any]:
    """What translates some rows, by the workers of a run's engine."""
    return partial(replace(stage, into=spread_over(stage.into, run.engine)), progress=run.report)


def spread_over(into: Direction, engine: Engine) -> Direction:
    """A translator that has an engine work on its batches, which are those that it translates here."""
    return into if engine is LOCAL else into.over(partial(engine.map, has_model=True))


def _back(into: Direction, words: str | None, markers: ChosenMarkers, *, by_blanks: bool) -> Step:
    return _marked(
        "back-translation", lambda style: BackTranslation(into, words, by_blanks, markers=style or "brackets"), markers
    )


def _marked(
    name: str,
    make: Callable[[MarkerStyle | None], TargetTranslation | BackTranslation],
    markers: ChosenMarkers | None,
) -> Step:
    """The step of a stage that translates with markers, whose style may be found out when the step runs."""
    if markers != "auto":
        return _translation(name, make(markers))
    any_style = make(None)

    def chosen(table: pa.Table, run: StepRun) -> TargetTranslation | BackTranslation:
        there = replace(any_style, into=spread_over(any_style.into, run.engine))
        return make(there.choose_markers(table, told=run.told))

    def work(table: pa.Table, run: StepRun) -> pa.Table:
        found: pa.Table = _translating(chosen(table, run), run)(table.combine_chunks())
        return found

    def over(pieces: Pieces, run: StepRun) -> PieceWork:
        sample = labelled_sample(lambda run_over: run_over(pieces(PIECE_ROWS), False))
        return PieceWork(_translating(chosen(sample, run), run))

    return Step(name, ["auto", any_style.identity], work, over)


def alignment_step(aligner: Stage | None = None, *, threads: int = 0, part_rows: int = MODEL_PART_ROWS) -> Step:
    """The step that links words: reads `source_tokens` and `tokens`, adds `links`.

    Args:
        aligner: a stage that makes `links`; None for the built-in one, fitted on the table.
        threads: of the core while the built-in aligner is fitted, 0 for one a core.
        part_rows: rows a part.
    """

    def link(table: pa.Table, run: StepRun) -> pa.Table:
        sides = table.select([schema.SOURCE_TOKENS, schema.TOKENS])
        used = aligner or Aligner.fit(sides.column(0), sides.column(1), threads=threads, progress=run.report)
        found = run_parts(
            sides, used, run.kept, name="links", report=run.report, what="align", part_rows=part_rows, engine=run.engine
        )
        return with_columns(table, {schema.LINKS: found.column(schema.LINKS)})

    return Step("links", None if aligner is None else aligner.identity, link)


def step_of(name: str, stage: Stage, *, part_rows: int = MODEL_PART_ROWS) -> Step:
    """The step that a stage is: part by part, each of which is kept.

    Args:
        name: of the step.
        stage: whose model, if it has one, is best loaded when it is needed first, and not before.
        part_rows: rows a part.
    """
    return stage_step(name, lambda: stage, key=stage.identity, part_rows=part_rows)


def stage_step(
    name: str,
    load: Callable[[], Callable[[pa.RecordBatch], pa.RecordBatch]],
    *,
    key: object,
    part_rows: int = MODEL_PART_ROWS,
) -> Step:
    """The step that a function of record batches is: part by part, each of which is kept.

    Args:
        name: of the step.
        load: gives the function; called when a part is missing.
        key: everything that decides its output but its input.
        part_rows: rows a part.
    """

    def stage() -> Callable[[pa.RecordBatch], pa.RecordBatch]:
        loaded: list[Callable[[pa.RecordBatch], pa.RecordBatch]] = []

        def work(batch: pa.RecordBatch) -> pa.RecordBatch:
            if not loaded:
                loaded.append(load())
            return loaded[0](batch)

        return work

    def work(table: pa.Table, run: StepRun) -> pa.Table:
        how: Any = {"report": run.report, "what": name, "part_rows": part_rows, "engine": run.engine}
        return run_parts(table, stage(), run.kept, name=name, has_model=True, **how)

    def over(pieces: Pieces, run: StepRun) -> PieceWork:
        del pieces
        return PieceWork(stage(), part_rows, run.engine)

    return Step(name, key, work, over)


def project(table: pa.Table, projector: Callable[[Any], Any], *, memory: bool = True, threads: int = 0) -> pa.Table:
    """Project what a recipe has prepared.

    Args:
        table: of the recipe.
        projector: a `Projector`.
        memory: whether to project twice, see `xner.memory`.
        threads: for the memory, 0 for one a core.

    Returns:
        The table with `entities`, `labels` and `status`. Where markers gave the entities, these are taken.
    """
    found = project_with_memory(table, projector, threads=threads) if memory else projector(table)
    return adopt_marked(found) if schema.MARKED_ENTITIES in found.schema.names else found


def run(
    table: pa.Table,
    steps: Sequence[Step],
    folder: str | os.PathLike[str] | None = None,
    *,
    kept: Checkpoints | None = None,
    reuse: bool = True,
    report: Reporter = silent,
    told: Callable[[str], None] = logger.info,
    engine: Engine = LOCAL,
) -> pa.Table:
    """Run a recipe.

    Args:
        table: what the first step reads.
        steps: one after the other.
        folder: where each step's output is kept, as `NAME.parquet`, and is looked for; made where it is missing. An
            interrupted run goes on where it stopped.
        kept: without a folder, where steps keep what they have finished; None keeps nothing.
        reuse: whether to take outputs that are kept.
        report: told how far the work has come.
        told: gets a line for each step: what was reused, and from where, and what it found out by itself; by default
            the logger `xner` does.
        engine: where the parts of steps are worked on.

    Returns:
        The last step's output.

    Raises:
        Error: whatever a step raises; two steps of the same name; a step that changes the number of rows.
    """
    _check_names(steps)
    key = ""
    if folder is not None:
        Path(folder).mkdir(parents=True, exist_ok=True)
        key = table_digest(table)
    for step in steps:
        key = _next_key(key, step)
        path = None if folder is None else Path(folder) / f"{step.name}.parquet"
        found = _kept(path, key) if path is not None and reuse else None
        if found is None:
            with _checkpoints(path, key, kept, resume=reuse) as own:
                found = step.run(table, StepRun(own, report, told, engine))
                if found.num_rows != table.num_rows:
                    raise Error(f"the step '{step.name}' made {found.num_rows} rows of {table.num_rows}")
                if path is not None:
                    found = _keep(found, path, key)
        else:
            Checkpoints.clear(str(path))
            told(f"{step.name}: taken from {path}")
        table = found
    return table


def run_pieces(
    pieces: Pieces,
    digest: str,
    steps: Sequence[Step],
    folder: str | os.PathLike[str],
    *,
    reuse: bool = True,
    report: Reporter = silent,
    told: Callable[[str], None] = logger.info,
    engine: Engine = LOCAL,
) -> Path:
    """Run a recipe on a table that comes piece by piece, in memory that does not depend on the number of rows.

    Outputs of steps are those of `run`, which takes them as well.

    Args:
        pieces: what the first step reads.
        digest: of that: `pieces_digest`.
        steps: one after the other, one at least; each with a way to go piece by piece.
        folder: as for `run`, as are the others and the errors.
        reuse: likewise.
        report: likewise.
        told: likewise.
        engine: likewise.

    Returns:
        The file of the last step's output, for `pieces_of_file`.
    """
    _check_names(steps)
    Path(folder).mkdir(parents=True, exist_ok=True)
    key = digest
    for step in steps:
        key = _next_key(key, step)
        path = Path(folder) / f"{step.name}.parquet"
        if reuse and _is_kept(path, key):
            Checkpoints.clear(str(path))
            told(f"{step.name}: taken from {path}")
        else:
            with checkpoints(path, key, resume=reuse) as own:
                _make_over(step, pieces, StepRun(own, report, told, engine), path, key)
        pieces = partial(pieces_of_file, path)
    return path


def _check_names(steps: Sequence[Step]) -> None:
    names = [step.name for step in steps]
    if len(set(names)) < len(names):
        raise Error(f"the steps {', '.join(names)} need different names")


def _next_key(key: str, step: Step) -> str:
    """Tells a step's output from all others.

    Args:
        key: likewise, of what it reads.
        step: the step.
    """
    return fingerprint({}, {"input": key, "step": [step.name, step.key]})


def _make_over(step: Step, pieces: Pieces, run: StepRun, path: Path, key: str) -> None:
    """Write a step's output, each piece of which is kept until then."""
    assert step.over is not None, "the step has such a way"
    work = step.over(pieces, run)

    def made() -> Iterator[pa.Table]:
        read_pieces = pieces(piece_rows(work.part_rows))
        with closing(ahead(_with_row_numbers(read_pieces) if work.counts_rows else read_pieces)) as read:
            how: Any = {"report": run.report, "what": step.name, "engine": work.engine, "model_rows": work.part_rows}
            yield from kept_pieces(read, work.stage, run.kept, name="piece", **how)

    digest = pieces_digest(made())
    for _ in range(2):
        with io.open_writer(path) as writer:
            for piece in made():
                writer.write(one_batch(piece.replace_schema_metadata({_KEY: key, _DIGEST: digest})))
        if _is_kept(path, key):
            return
        digest = pieces_digest(pieces_of_file(path))  # what memory has below nulls is in no file
    raise OSError(errno.EIO, "what was written there is not what is read", str(path))


def _with_row_numbers(pieces: Generator[pa.Table]) -> Generator[pa.Table]:
    first = 0
    for piece in pieces:
        yield piece.append_column(_ROW, pa.array(range(first, first + piece.num_rows), pa.int64()))
        first += piece.num_rows


def pieces_of_file(path: Path, rows: int = PIECE_ROWS) -> Generator[pa.Table]:
    """A step's output, piece by piece."""
    for batch in io.iter_batches(path, batch_rows=rows):
        yield pa.Table.from_batches([batch]).replace_schema_metadata(None)


def _is_kept(path: Path, key: str) -> bool:
    """Whether a step's output is there, everything that decides it is the same, and it is as it was written."""
    known = _known(path, key)
    try:
        return known is not None and known == pieces_digest(map(_validated, pieces_of_file(path))).encode()
    except (OSError, ValueError, pa.ArrowException):
        return False


def _validated(table: pa.Table) -> pa.Table:
    table.validate(full=True)
    return table


def _known(path: Path, key: str) -> bytes | None:
    """The digest that a step's output says it has; None where there is none of that key."""
    import pyarrow.parquet as pq  # heavy, and needed for this alone

    try:
        known = pq.read_schema(path).metadata or {}
    except (OSError, ValueError, pa.ArrowException):
        return None
    return known.get(_DIGEST) if known.get(_KEY) == key.encode() else None


@contextmanager
def _checkpoints(path: Path | None, key: str, others: Checkpoints | None, *, resume: bool) -> Iterator[Checkpoints]:
    if path is not None:
        with checkpoints(path, key, resume=resume) as kept:
            yield kept
        return
    if others is not None:
        yield others
        return
    with tempfile.TemporaryDirectory() as folder, checkpoints(Path(folder) / "step", key) as kept:
        yield kept


def _keep(table: pa.Table, path: Path, key: str) -> pa.Table:
    """Write a step's output, and read it: what another process would read is what this one goes on with."""
    for _ in range(2):
        io.write(table.replace_schema_metadata({_KEY: key, _DIGEST: table_digest(table)}), path)
        if (found := _kept(path, key)) is not None:
            return found
        table = io.read(path)  # what memory has below nulls is in no file, and counts in the digest
    raise OSError(errno.EIO, "what was written there is not what is read", str(path))


def _kept(path: Path, key: str) -> pa.Table | None:
    """A step's output, if it is there, everything that decides it is the same, and it is as it was written."""
    known = _known(path, key)
    if known is None:
        return None
    try:
        found = _validated(io.read(path).replace_schema_metadata(None))
    except (OSError, ValueError, pa.ArrowException):
        return None
    return found if known == table_digest(found).encode() else None
