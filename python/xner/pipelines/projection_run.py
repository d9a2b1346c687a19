"""What `xner project` does: steps that lead to links, projection, filters, the output, and what there is to say of it.

pipeline = Pipeline(matcher="exact", filters=["class-counts:row"])
print(pipeline.run(read_pairs("en.conll", "de.txt"), "de.conll"))
print(pipeline.signature)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, cast

import pyarrow as pa
import pyarrow.compute as pc

from xner import io, schema
from xner._layouts import plain
from xner._support.arguments import file_path, unknown_option
from xner._support.arrow import by_frequency, one_array, spread_lists, with_columns
from xner._support.digests import pieces_digest, table_digest
from xner._support.frames import open_rows, to_table
from xner._support.memory import memory_size
from xner._support.options import (
    DeclaredOptions,
    declared,
)
from xner._support.pieces import PIECE_ROWS, WholeNeededError, behind, files_first
from xner._support.progress import each_once, logger, silent
from xner.errors import DataError, Error, OptionError
from xner.filters.catalogue import to_text
from xner.filters.summary import show
from xner.io.labelled_file import LabelledFile
from xner.io.pairs import Pairs
from xner.models.translators.translator import STATUSES
from xner.pipelines import recipes, runner
from xner.pipelines.aligning import FITTED, Aligning, AligningOptions
from xner.pipelines.checkpoints import checkpoints
from xner.pipelines.corpus import Prepared, StepFile, noting_wholes, quiet, tables_of
from xner.pipelines.corrections import Reviewed, adopt_reviewed, taken_in
from xner.pipelines.counts import RunCounts
from xner.pipelines.engines import engine_of
from xner.pipelines.identity import fingerprint
from xner.pipelines.progress import progress_reporter
from xner.pipelines.recipes import StepRun
from xner.pipelines.run_options import PARTS, RunOptions
from xner.pipelines.runner import in_pieces
from xner.pipelines.summaries import is_training_data, left_out_lines, overlap_lines, without_dropped_rows
from xner.projection.matching.constraints import MatchingOptions
from xner.projection.memory import Memory
from xner.projection.name_counts import KnownNames, NameCounts
from xner.projection.nested import choose_nested, project_layers
from xner.projection.projector import Projector
from xner.text.languages import language
from xner.translation.marked import REASONS
from xner.translation.stages import adopt_marked

if TYPE_CHECKING:
    import os
    from collections.abc import Generator, Iterator, Sequence
    from typing import Unpack

    from xner._support.arrow import Rows
    from xner._support.frames import TableLike
    from xner._support.progress import Reporter
    from xner.io.pairs import PairsReader
    from xner.models.taggers.tagger import Role, TaggerStage
    from xner.pipelines._keywords import PipelineKeywords
    from xner.pipelines.checkpoints import Checkpoints
    from xner.pipelines.corpus import StepReader
    from xner.pipelines.engines import Engine
    from xner.pipelines.recipes import Step
    from xner.pipelines.tagging import TaggingOptions
    from xner.pipelines.translating import TranslatingOptions
    from xner.projection.options import ProjectionOptions

__all__ = [
    "CORRECTIONS",
    "FITS",
    "MEMORY",
    "NO_LINKS",
    "Pipeline",
    "Run",
    "plain_value",
    "reporting",
]

NO_LINKS: Final = "links that are not there yet"
"""The reason why a corpus is needed as a whole that goes where links are given."""
FITS: Final = "an aligner that is fitted"
MEMORY: Final = "memory"
CORRECTIONS: Final = "corrections"
_READ_BEFORE: Final = {
    CORRECTIONS: "to find the rows of corrections",
    FITS: "to fit an aligner",
    MEMORY: "to count what names are projected onto",
}
"""Reasons for which files may be read once more as well, and what for, in order."""

# What a first projection has made of a piece that is to be projected with the corpus's memory.
_FIRST_ENTITIES: Final = "first entities"
_IS_SOUND: Final = "is sound"
_NAMES: Final = "names.arrow"

T = TypeVar("T")

_NO_LINKS: Final[pa.ChunkedArray[Any]] = pa.chunked_array([pa.array([], schema.LINKS_TYPE)])


def _links_of(place: int) -> str:
    """The column in which a piece has the links of a file, which are not combined yet."""
    return f"{schema.LINKS} {place}"


# By the projector, by the filters' own signature, or by nothing, as threads change nothing.
_TOLD_OTHERWISE = (
    "on_error",
    "nested",
    "filters",
    "drop_rows",
    "memory",
    "names_memory",
    "threads",
    "engine",
    "address",
)


class Pipeline:
    """Labels for one side of a corpus from the other: what `xner project` does, with the same bytes as a result.

    Args:
        **options: of projection (`xner.ProjectionOptions`), of the aligners, the tagger and the translation model
            (`xner.pipelines.aligning`, `tagging` and `translating`), and of the run (`RunOptions`): those of
            `xner project`, by the same names.

    Raises:
        Error: an option that there is not, that is out of range, or that says nothing beside the others.
    """

    def __init__(self, **options: Unpack[PipelineKeywords]) -> None:
        owners = {name: part for part in PARTS for name in declared(part)}
        for name in options:
            if name not in owners:
                raise unknown_option(name, owners)
        given: dict[str, Any] = dict(options)
        made: Any = [part(**{name: given[name] for name in declared(part) if name in given}) for part in PARTS]
        self.projection: ProjectionOptions = made[0]
        self.running: RunOptions = made[1]
        self.aligning: AligningOptions = made[2]
        self.tagging: TaggingOptions = made[3]
        self.translating: TranslatingOptions = made[4]
        if self.running.translate_to is not None and not self.translating.translates:
            raise OptionError(
                "translate_to needs `translator`, the translation model, or `translations`, a file of them"
            )
        if self.running.markers is not None and self.translating.translations is not None:
            raise OptionError("markers go with a translator: translations that are there already have none")
        if self.running.memory and self.projection.method != "candidates":
            raise OptionError("memory goes with method='candidates'")
        running, chosen = self.running, self.projection
        most = MatchingOptions(chosen.constraint, chosen.n).most
        if chosen.method == "candidates" and most is not None and most < 1:
            reason = f"no entity could be projected; n is how often each is, {chosen.n + 1 - most} at least here"
            raise OptionError(f"n={chosen.n} with constraint={chosen.constraint!r}: {reason}")
        self.projector = self._made_projector(running.threads)
        self.filters = self.running.made_filters()

    def _made_projector(self, threads: int) -> Projector:
        return Projector(self.projection, threads=threads, on_error=self.running.on_error, nested=self.running.nested)

    def _on(self, engine: Engine) -> Self:
        """The same as it works on pieces there."""
        made = copy(self)
        made.projector = self._made_projector(engine.threads(self.running.threads))
        return made

    @property
    def _parts(self) -> tuple[DeclaredOptions, ...]:
        return self.projection, self.running, self.aligning, self.tagging, self.translating

    def __repr__(self) -> str:
        return f"Pipeline({', '.join(f'{name}={value!r}' for name, value in self.to_dict().items())})"

    def to_dict(self) -> dict[str, Any]:
        """What is not at its default, by name, in the types of JSON and TOML."""
        changes = {name: value for part in self._parts for name, value in part.changes().items()}
        return {name: plain_value(value) for name, value in changes.items()}

    @classmethod
    def from_dict(cls, options: Mapping[str, Any]) -> Self:
        """The pipeline of which `to_dict` has given the options.

        Raises:
            Error: as the class itself.
        """
        return cls(**options)

    @property
    def signature(self) -> str:
        """One line that tells how results were made: every option that decides them."""
        return self.signature_with(memory=self.running.memory)

    def signature_with(self, *, memory: bool | None) -> str:
        """The signature of a run of which it is known whether it used the corpus's memory."""
        parts = [self.projector.signature]
        for options in self._parts[1:]:
            known = declared(type(options))
            changes = {name: value for name, value in options.changes().items() if name not in _TOLD_OTHERWISE}
            parts += [f"{name}:{known[name].signed(value)}" for name, value in changes.items()]
        parts += [] if memory is None else [f"memory:{'yes' if memory else 'no'}"]
        return "|".join([*parts, *([self.filters.signature] if self.filters else [])])

    @property
    def languages(self) -> tuple[str | None, str | None]:
        """The codes of both sides' languages: those given, and for translation what stands for them."""
        source, target = self.running.source_language, self.running.translate_to or self.running.target_language
        if not self.translating.translates:
            return source, target
        return tuple(None if one is None else language(one).code for one in (source or "en", target))  # type: ignore[return-value]  # of two

    @property
    def target_roles(self) -> list[Role]:
        """What a tagger has to make of the target words."""
        roles: list[Role] = ["candidates"] if self.projection.candidates == "given" else []
        return [*roles, "scores"] if self.projection.uses_ner else roles

    def target_tags(self) -> Step | None:
        """The step that adds a tagger's candidates and scores, where there is a tagger.

        Raises:
            Error: there is one and nothing goes by it.
        """
        if self.tagging.tagger is None:
            return None
        if not self.target_roles:
            raise OptionError("tagger goes with candidates='given' or a score of ner or ner_spans")
        return self.tagging.step("target-tags", self.target_roles)

    def __call__(self, table: Rows) -> Rows:
        """The table as `run` projects it, in memory and without a word; the same kind of object."""
        opened = open_rows(table)
        return cast("Rows", opened.close(self.run(opened.table, progress=silent).table))

    def run(
        self,
        table: TableLike | Pairs | LabelledFile,
        output: str | os.PathLike[str] | None = None,
        *,
        format: str | None = None,
        links: Sequence[pa.ChunkedArray[Any]] = (),
        recipe: Callable[[Step | None, Step], Sequence[Step]] | None = None,
        steps: str | os.PathLike[str] | None = None,
        save_aligner: str | os.PathLike[str] | None = None,
        needs_words: bool = False,
        corpus: Prepared | None = None,
        resume: bool = True,
        progress: Reporter | None = None,
        told: Callable[[str], None] = logger.info,
    ) -> Run:
        """Link, project and filter a corpus, and write the result.

        An interrupted run of the same table and options goes on where it stopped, and ends with the same bytes.

        Args:
            table: of any kind (Arrow, pandas, polars, `datasets`): `source_tokens`, `source_entities` and, unless they
                are to be made by translation, `tokens`, as `xner.read_pairs` gives them; further columns that the
                options need. Where it has `links`, these are taken, together with those of aligners that are named. Or
                files that are read when they are needed, of `xner.scan_pairs`: with an output piece by piece, see
                `takes_pieces`. Or a `LabelledFile`, which is translated, likewise.
            output: the file to write, in place of one that is there; None writes none. Unlike the command line, this
                does not look at what it replaces.
            format: of the output; None goes by its name.
            links: further sets of links of the same rows.
            recipe: makes the steps that lead to links, from that of the tagger (None: there is none) and that of the
                aligner; None for those of the options.
            steps: folder in which the output of each step is kept; None for `OUTPUT.steps` where something is
                translated, and none else.
            save_aligner: where to save the built-in aligner.
            needs_words: whether files of text lack rows without target words, as with translations of no use.
            corpus: what is known of the corpus that the files are a part of; None: they are all of it.
            resume: whether to take up what earlier runs have left.
            progress: told how far the work has come; None draws bars on a terminal.
            told: gets a line for each step that was not done anew.

        Raises:
            Error: columns missing, what a step or the writer raises, an output whose name tells no format.
            DataError: a wrong row, with `on_error="raise"`.
        """
        path = None if output is None else file_path("output", output)
        if path is not None and io.format_of(path, format) == "text":
            raise OptionError(f"output: '{path}' is text, which holds words alone; name a format that holds labels")
        with table.naming_files() if isinstance(table, Pairs) else nullcontext():
            if isinstance(table, LabelledFile):
                is_plain = not links and recipe is None and save_aligner is None and table.reads_pieces
                if path is not None and is_plain and self.running.translate_to is not None:
                    many: Any = {"steps": _steps_of(path, steps), "needs_words": needs_words, "resume": resume}
                    with suppress(WholeNeededError):
                        done = self._run_translated(table, path, format, progress=progress, told=told, **many)
                        if done is not None:
                            return done
                table = table.read()
            elif isinstance(table, Pairs):
                is_plain = not links and recipe is None and steps is None and save_aligner is None and not needs_words
                if path is not None and is_plain and self.takes_pieces(table):
                    how: Any = {"corpus": corpus, "resume": resume, "progress": progress, "told": told}
                    with suppress(WholeNeededError):
                        return self._run_pieces(table, path, format, **how)
                    if corpus is not None:
                        return self._run_pieces(replace(table, as_whole=True), path, format, **how)
                table, own = table.read()
                links = [*own, *links]
            plan = self._planned(to_table(table), links, recipe, save_aligner)
            table, memory = plan.table, plan.memory
            folder = None if steps is None else Path(steps)
            if plan.translates and path is not None:
                folder = _steps_of(path, steps)
            if folder is not None and save_aligner is not None:
                raise OptionError(
                    "save_aligner: kept steps keep the links alone; `xner align` fits and saves an aligner"
                )
            key = self._key(plan, digest="" if path is None else table_digest(table))
            with _kept(path, key, resume=resume) as kept, reporting(progress) as report, self.workers() as engine:
                table = self._chosen(table, told)
                run: Any = {"kept": kept, "reuse": resume, "report": report, "told": told, "engine": engine}
                table = recipes.run(table, plan.steps, folder, **run)
                table = self._chosen(table, told)  # what a step tagged has come since
                if memory:
                    table = self._with_hints(table)
                if kept is None:
                    result = self._project(table)
                else:
                    result = runner.run(
                        table,
                        self._on(engine)._project,
                        kept,
                        format=format,
                        report=report,
                        part_rows=plan.piece_rows,
                        select=lambda rows: _written(rows, kept.output, format, needs_words=needs_words),
                        engine=engine,
                    )
            return Run(result, path, format, self, memory=memory, needs_words=needs_words)

    def workers(self) -> AbstractContextManager[Engine]:
        """Where pieces are worked on, for the length of a block; runs within it start no others."""
        return engine_of(self.running.engine, self.running.address)

    def takes_pieces(self, pairs: Pairs) -> bool:
        """Whether `run` reads, projects and writes a corpus piece by piece, in memory that does not depend on its size.

        It does where nothing needs it as a whole, see `needs_whole`, or what does reads the files beforehand, see
        `read_before`.

        Raises:
            Error: the name of a file tells no format.
        """
        return not {*self.needs_whole(pairs)} - {NO_LINKS, *_READ_BEFORE}

    def read_before(self, pairs: Pairs, kept: Checkpoints | None = None) -> list[str]:
        """For what the files of a corpus are read, each time from beginning to end, before they are read to be written.

        Args:
            pairs: the files.
            kept: where what was found by reading them may be already, for which they are not read again.

        Raises:
            Error: the name of a file tells no format.
        """
        reasons = {*self.needs_whole(pairs)}
        aligners = self._aligners(len(pairs.links))
        reasons |= {FITS} if NO_LINKS in reasons and self._links(aligners) else set()
        reasons |= {MEMORY} if self._uses_memory(aligners) else set()
        found = {FITS: FITTED, MEMORY: _NAMES}
        reasons -= {reason for reason, name in found.items() if kept is not None and kept.find(name) is not None}
        return [what for reason, what in _READ_BEFORE.items() if reason in reasons]

    def needs_whole(self, pairs: Pairs) -> list[str]:
        """For what a corpus is needed as a whole; nothing where each row stands for itself, and can be read so.

        An aligner is fitted on the corpus, and the corpus's memory is of it. Corrections are found by the number of
        their row: for these three, files are read once more each. Translators are best asked for all texts at once.

        Raises:
            Error: the name of a file tells no format.
        """
        running, aligners = self.running, self._aligners(len(pairs.links))
        has_no_links = aligners.fits and not self.aligning.aligner
        uses_memory = self._uses_memory(aligners) and (running.memory is not None or not has_no_links)
        translates = bool(self.translating.changes()) or running.markers is not None or running.translate_to is not None
        are_named = bool(pairs.layout.class_names)
        whole = [] if are_named else [f"'{path}'" for path in pairs.read_as_wholes]
        reasons = {
            NO_LINKS: has_no_links,
            FITS: aligners.fits and not has_no_links,
            "translation": translates,
            MEMORY: uses_memory,
            CORRECTIONS: running.corrections is not None,
            "class_names": are_named,
            f"the format of {', '.join(whole)}": bool(whole),
        }
        return [reason for reason, holds in reasons.items() if holds]

    def uses_memory(self, pairs: Pairs) -> bool:
        """Whether files are projected with the corpus's memory."""
        return self._uses_memory(self._aligners(len(pairs.links)))

    def _aligners(self, others: int) -> Aligning:
        """The aligners, beside so many sets of links from files."""
        return Aligning(self.aligning, [_NO_LINKS] * others, self.languages, self.running.threads)

    def _links(self, aligning: Aligning) -> bool:
        """Whether a run has links."""
        return bool(self.aligning.aligner or aligning.others) or self.projection.uses_links

    def _uses_memory(self, aligning: Aligning) -> bool:
        """Whether a run uses the corpus's memory."""
        if self.running.memory is not None:
            return self.running.memory
        by_default = self.projection.method == "candidates" and self.projection.compat is None
        return by_default and self._links(aligning) and bool(aligning.names)

    def _part_rows(self, others: int) -> int | None:
        """Rows of the parts that models work on together, beside so many sets of links; None without models."""
        aligning = self._aligners(others)
        aligns = self._links(aligning) and aligning.part_rows is not None
        return runner.MODEL_PART_ROWS if aligns or self.tagging.tagger is not None else None

    def pieces_key(self, pairs: Pairs, format: str) -> str:
        """Tells what a run piece by piece writes from what others write: the options, models, and the files' content.

        Args:
            pairs: the files.
            format: of the output.
        """
        aligning, tags = self._aligners(len(pairs.links)), self.target_tags()
        models = [
            aligning.key if aligning.names and self._links(aligning) else None,
            None if tags is None else tags.key,
        ]
        options = {"options": self.signature, "models": models, "read": pairs.how, "format": format}
        return fingerprint(pairs.files, options)

    def _run_pieces(
        self,
        pairs: Pairs,
        output: Path,
        format: str | None,
        *,
        corpus: Prepared | None,
        resume: bool,
        progress: Reporter | None,
        told: Callable[[str], None],
    ) -> Run:
        key = self.pieces_key(pairs, io.format_of(output, format)) if corpus is None else corpus.key_of(pairs)
        left_out = [0]
        with (
            _kept(output, key, resume=resume) as kept,
            reporting(progress) as report,
            self.workers() as engine,
            each_once(),
        ):
            assert kept is not None, "there is an output"
            run = StepRun(kept, report, told, engine)
            found = self.prepared([pairs], run) if corpus is None else corpus
            place = 0 if corpus is None else corpus.place_of(pairs)
            counts = self._projected_pieces(pairs, place, found, run, format, left_out=left_out)
        self._tell_left_out(left_out[0], told)
        return Run(None, output, format, self, memory=found.names is not None, known_counts=counts)

    def prepared(self, files: list[Pairs], run: StepRun, *, key: str = "") -> Prepared:
        """What has to be known of a corpus as a whole before its pieces are projected; see `read_before`.

        What was found is kept, so that it is not looked for again.

        Args:
            files: the corpus; with corrections, one. A file that turns out to be needed as a whole is replaced by one
                that is read so.
            run: where what is found is kept, and where pieces are worked on.
            key: tells the files and the options.

        Raises:
            Error: as reading, fitting and projecting do.
            WholeNeededError: a file is needed as a whole, and was replaced.
        """
        others = len(files[0].links)
        reviewed = self._reviewed(partial(tables_of, files))
        memory = self.uses_memory(files[0])
        first = self._on(run.engine)._stage_of_pieces(others, partial(tables_of, files), run, remembers=memory)
        part_rows = self._part_rows(others)
        found = Prepared(key, files, run.kept, first, runner.piece_rows(part_rows), part_rows, reviewed)
        return self._with_names(found, self._all_remembered(found, run)) if memory else found

    def _with_names(self, found: Prepared, remembered: Iterator[pa.Table]) -> Prepared:
        """The same with what is known of names, which are counted unless that is kept."""
        if found.kept.find(_NAMES) is None:
            self._count_names(remembered, found.kept)
        return replace(found, names=KnownNames(found.kept.path(_NAMES)))

    def _all_remembered(self, found: Prepared, run: StepRun) -> Iterator[pa.Table]:
        """The pieces of all files beside what a first projection has made of them."""
        for place in range(len(found.files)):
            with noting_wholes(found.files, place):
                yield from self._remembered_pieces(quiet(found.files[place]), place, found, run)

    def _remembered_pieces(
        self, file: Pairs | StepFile, place: int, found: Prepared, run: StepRun
    ) -> Iterator[pa.Table]:
        with self._reading(file, found, [0]) as pieces:
            yield from self._remembered(pieces, file, place, found, run)

    def _remembered(
        self, pieces: Iterator[pa.Table], file: Pairs | StepFile, place: int, found: Prepared, run: StepRun
    ) -> Iterator[pa.Table]:
        """The pieces of a file beside what a first projection makes of them, or has made."""
        how: Any = {"report": run.report, "rows": file.rows, "engine": run.engine, "model_rows": found.part_rows}
        name = f"remembered-{place:06d}{'-whole' if file.as_whole else ''}"
        return runner.kept_pieces(pieces, found.first, found.kept, name=name, what="projecting first", **how)

    @contextmanager
    def _reading(self, file: Pairs | StepFile, found: Prepared, left_out: list[int]) -> Iterator[Iterator[pa.Table]]:
        """The pieces of a file, to be worked on in the block; counts the source entities that are left out."""
        reader = file.pieces(found.piece_rows)
        left_out[0] = 0
        try:
            yield self._chosen_pieces(reader, left_out, found.reviewed)
        except Error as error:
            are_wrong = isinstance(error, DataError) and error.column == schema.LINKS
            reader.check_rest(links=are_wrong)  # what is wrong with the files comes first
            raise

    def _projected_pieces(
        self,
        file: Pairs | StepFile,
        place: int,
        found: Prepared,
        run: StepRun,
        format: str | None,
        *,
        left_out: list[int],
        needs_words: bool = False,
    ) -> RunCounts:
        """Project the pieces of a file into its output."""
        output, there = run.kept.output, self._on(run.engine)
        with self._reading(file, found, left_out) as pieces:
            return runner.run_pieces(
                pieces if found.names is None else self._remembered(pieces, file, place, found, run),
                found.first if found.names is None else partial(there._recalled_piece, names=found.names),
                run.kept,
                format=format,
                report=run.report,
                rows=file.rows,
                engine=run.engine,
                select=lambda rows: _written(rows, output, format, needs_words=needs_words),
                count=self._counts,
                counts=RunCounts(),
                threads=self.running.threads,
                model_rows=found.part_rows if found.names is None else None,
            )

    def _run_translated(
        self,
        file: LabelledFile,
        output: Path,
        format: str | None,
        *,
        steps: Path,
        needs_words: bool,
        resume: bool,
        progress: Reporter | None,
        told: Callable[[str], None],
    ) -> Run | None:
        """Translate, link and project a labelled file piece by piece; None where a step needs it as a whole."""
        columns = [(name, schema.COLUMN_TYPES[name]) for name in (schema.SOURCE_TOKENS, schema.SOURCE_ENTITIES)]
        plan = self._planned(pa.schema(columns).empty_table(), (), None, None)
        if any(step.over is None for step in plan.steps):
            return None
        left_out = [0]
        with each_once(), reporting(progress) as report, self.workers() as engine:
            digest = pieces_digest(self._source_pieces(file, PIECE_ROWS, left_out))
            self._tell_left_out(left_out[0], told)
            key = fingerprint({}, {"in pieces": self._key(plan, digest=digest)})
            with _kept(output, key, resume=resume) as kept:
                assert kept is not None, "there is an output"
                path = recipes.run_pieces(
                    lambda rows: self._source_pieces(replace(file, told=lambda _: None), rows, [0]),
                    digest,
                    plan.steps,
                    steps,
                    reuse=resume,
                    report=report,
                    told=told,
                    engine=engine,
                )
                made, run = StepFile(path), StepRun(kept, report, told, engine)
                there = self._on(engine)
                first = there._remembered_piece if plan.memory else there._project_piece
                found = Prepared(key, [], kept, first, plan.piece_rows)
                if plan.memory:
                    found = self._with_names(found, self._remembered_pieces(made, 0, found, run))
                how: Any = {"left_out": [0], "needs_words": needs_words}
                counts = self._projected_pieces(made, 0, found, run, format, **how)
        return Run(None, output, format, self, memory=plan.memory, needs_words=needs_words, known_counts=counts)

    def _source_pieces(self, file: LabelledFile, rows: int, left_out: list[int]) -> Generator[pa.Table]:
        """A labelled file, piece by piece; counts the source entities that are left out."""
        first = 0
        for piece in file.pieces(rows):
            with behind(first):
                chosen, fewer = self._with_chosen(piece)
            first += piece.num_rows
            left_out[0] += fewer
            yield chosen

    def _reviewed(self, tables: Callable[[], Iterator[pa.Table]]) -> Reviewed | None:
        """What people have decided about rows of a corpus; None without corrections."""
        if self.running.corrections is None:
            return None
        reviewed = Reviewed(self.running.corrections)
        with files_first(read := tables()):
            reviewed.find(read)
        return reviewed

    def _count_names(self, remembered: Iterator[pa.Table], kept: Checkpoints) -> None:
        """Keep what a first projection of the whole corpus has projected names onto."""
        counts = NameCounts(kept.folder, memory_size("names_memory", self.running.names_memory))
        for piece in remembered:
            first = with_columns(piece, {schema.ENTITIES: piece.column(_FIRST_ENTITIES)})
            counts.add(first)
            if schema.REVIEWED_ENTITIES in first.schema.names:  # which count twice, as in `taken_in`
                counts.add(_rows_that(one_array(first.column(schema.REVIEWED_ENTITIES)).is_valid(), first))
            del piece, first
        with kept.writing(_NAMES) as path:
            counts.write(path)

    def _chosen_pieces(
        self, reader: PairsReader | StepReader, left_out: list[int], reviewed: Reviewed | None
    ) -> Iterator[pa.Table]:
        """Pieces beside corrections and the links of files; counts the source entities that are left out."""
        first = 0
        for table, links in reader:
            with behind(first):
                piece, fewer = self._with_chosen(table if reviewed is None else reviewed.beside(table, first))
            left_out[0] += fewer
            first += piece.num_rows
            piece = with_columns(piece, {_links_of(place): one for place, one in enumerate(links)})
            del table, links  # they are not held here while the next ones are made
            yield piece
            del piece

    def _stage_of_pieces(
        self, others: int, corpus: Callable[[], Iterator[pa.Table]], run: StepRun, *, remembers: bool
    ) -> Callable[[pa.RecordBatch], pa.RecordBatch]:
        """What tags, links and projects some rows, for the corpus's memory or as they stay; models are loaded once."""
        aligning = self._aligners(others)
        aligners = aligning.loaded(corpus, run) if self._links(aligning) else []
        self.target_tags()  # that something goes by the tagger
        tagger = None if self.tagging.tagger is None else self.tagging.stage(self.target_roles)
        project = self._remembered_piece if remembers else self._project_piece
        return partial(project, aligners=aligners, tagger=tagger) if aligners or tagger is not None else project

    def _linked(
        self, piece: pa.RecordBatch, aligners: Sequence[Callable[[pa.Table], pa.Table]], tagger: TaggerStage | None
    ) -> pa.Table:
        table = pa.Table.from_batches([piece])
        names = [_links_of(place) for place in range(piece.num_columns) if _links_of(place) in piece.schema.names]
        others = [table.column(name) for name in names]
        table = table.drop_columns(names)
        if tagger is not None:
            table = tagger(table)
        if aligners or others:
            linked = Aligning(self.aligning, others, self.languages).linked(aligners, table)
            table = with_columns(table, {schema.LINKS: linked.column(schema.LINKS)})
        return table

    def _project_piece(
        self,
        piece: pa.RecordBatch,
        *,
        aligners: Sequence[Callable[[pa.Table], pa.Table]] = (),
        tagger: TaggerStage | None = None,
    ) -> pa.RecordBatch:
        found: pa.RecordBatch = self._project(runner.one_batch(self._linked(piece, aligners, tagger)))
        return found

    def _remembered_piece(
        self,
        piece: pa.RecordBatch,
        *,
        aligners: Sequence[Callable[[pa.Table], pa.Table]] = (),
        tagger: TaggerStage | None = None,
    ) -> pa.RecordBatch:
        """A piece beside what the corpus's memory is to know of it."""
        table = self._linked(piece, aligners, tagger)
        _check_hints(table)
        found, _ = self._with_first(table)
        return runner.one_batch(found)

    def _recalled_piece(self, piece: pa.RecordBatch, names: KnownNames) -> pa.RecordBatch:
        """Project a piece with what the corpus's memory knows."""
        table = self._with_recalled(pa.Table.from_batches([piece]), names)
        found: pa.RecordBatch = self._project(runner.one_batch(table))
        return found

    def _counts(self, projected: pa.Table) -> RunCounts:
        return RunCounts.of(projected, [] if self.filters is None else [one.name for one in self.filters.filters])

    def has_costly_steps(self, *, has_links: bool) -> bool:
        """Whether a run translates, tags or links, and does not merely project.

        Args:
            has_links: whether there are ready ones.
        """
        aligns = bool(self.aligning.aligner) or (self.projection.uses_links and not has_links)
        return aligns or self.tagging.tagger is not None or self.translating.translates

    def identity(
        self,
        table: TableLike,
        *,
        links: Sequence[pa.ChunkedArray[Any]] = (),
        recipe: Callable[[Step | None, Step], Sequence[Step]] | None = None,
    ) -> str:
        """Tells what `run` makes from all other results: the options, the table, the links, the content of models.

        Args:
            table: as for `run`.
            links: likewise.
            recipe: likewise.

        Returns:
            A hexadecimal SHA-256 digest, equal for runs of the same version that end with the same bytes.

        Raises:
            Error: as `run` does, of what can be seen before anything is computed.
        """
        plan = self._planned(to_table(table), links, recipe, None)
        return self._key(plan, digest=table_digest(plan.table))

    def _key(self, plan: _Plan, *, digest: str) -> str:
        steps = [[step.name, step.key] for step in plan.steps]
        return fingerprint({}, {"options": self.signature, "memory": plan.memory, "steps": steps, "table": digest})

    def _planned(
        self,
        table: pa.Table,
        links: Sequence[pa.ChunkedArray[Any]],
        recipe: Callable[[Step | None, Step], Sequence[Step]] | None,
        save_aligner: str | os.PathLike[str] | None,
    ) -> _Plan:
        """What is to be done with a table, of which nothing has been done yet."""
        if self.running.corrections is not None:
            if schema.TOKENS not in table.schema.names:
                raise OptionError("corrections are of target sentences, which the table does not have yet")
            table = self._with_reviewed(table)
        others = [*([table.column(schema.LINKS)] if schema.LINKS in table.schema.names else []), *links]
        aligning = Aligning(
            self.aligning,
            others,
            self.languages,
            self.running.threads,
            None if save_aligner is None else Path(save_aligner),
            languages_matter=self.translating.translates or recipe is not None,
        )
        made, translates = self._steps(table, aligning, recipe, wants_links=self._links(aligning))
        if recipe is None:
            schema.require_columns(table.schema, [schema.SOURCE_TOKENS, schema.SOURCE_ENTITIES], "the pipeline")
        memory = self._uses_memory(aligning)
        if memory:
            _check_hints(table)
        piece_rows = runner.piece_rows(self._part_rows(len(others)))
        return _Plan(table, made, translates=translates, memory=memory, piece_rows=piece_rows)

    def _with_reviewed(self, table: pa.Table) -> pa.Table:
        reviewed = self._reviewed(lambda: iter([table]))
        return table if reviewed is None else reviewed.beside(table)

    def _steps(
        self,
        table: pa.Table,
        aligning: Aligning,
        recipe: Callable[[Step | None, Step], Sequence[Step]] | None,
        *,
        wants_links: bool,
    ) -> tuple[list[Step], bool]:
        """The steps that lead to links, and whether one of them translates."""
        running = self.running
        if recipe is not None:
            return list(recipe(self.target_tags() if self.target_roles else None, aligning.step())), True
        if running.translate_to is None:
            given = {
                "translator": self.translating.translator,
                "translations": self.translating.translations,
                "markers": running.markers,
            }
            if name := next((name for name, value in given.items() if value is not None), None):
                raise OptionError(f"{name} goes with translate_to: there is nothing to translate")
            tags = self.target_tags()
            return [*([] if tags is None else [tags]), *([aligning.step()] if wants_links else [])], False
        if schema.TOKENS in table.schema.names:
            raise OptionError("translate_to makes the target sentences, which the table has already")
        direction = self.translating.directions()(*map(str, self.languages))
        return recipes.translate_train(
            direction,
            markers=running.markers,
            words=self.translating.words,
            keep_bad=self.translating.keep_bad,
            target_tags=self.target_tags(),
            aligner=aligning.step(),
        ), True

    def _chosen(self, table: pa.Table, told: Callable[[str], None]) -> pa.Table:
        """The table with those of overlapping source entities that are to be projected, if it has any."""
        table, left_out = self._with_chosen(table)
        self._tell_left_out(left_out, told)
        return table

    def _with_chosen(self, table: pa.Table) -> tuple[pa.Table, int]:
        """The same, and how many of the others there are."""
        skips = self.running.nested == "error" and self.running.on_error == "skip"  # which the projector does
        if skips or schema.SOURCE_ENTITIES not in table.schema.names:
            return table, 0
        return choose_nested(table, self.running.nested)

    def _tell_left_out(self, entities: int, told: Callable[[str], None]) -> None:
        if entities:
            how = f"nested={self.running.nested}"
            told(f"{entities} source entities share words with others and are left out ({how})")

    def _project(self, rows: Any) -> Any:
        is_nested = self.running.nested == "keep"
        found = project_layers(rows, self._project_flat) if is_nested else self._project_flat(rows)
        return adopt_reviewed(found) if schema.REVIEWED_ENTITIES in found.schema.names else found

    def _project_flat(self, rows: Any) -> Any:
        found = self.projector(rows)
        if schema.MARKED_ENTITIES in found.schema.names:
            found = adopt_marked(found, drop_broken=self.running.broken_markers == "drop")
        return found if self.filters is None else self.filters(found)

    def _with_hints(self, table: pa.Table) -> pa.Table:
        """What a first projection of the whole corpus says about each entity; nothing about rows that are skipped."""
        memory = Memory()

        def remember(piece: pa.Table) -> pa.Table:
            found, remembered = self._with_first(piece)
            for rows in remembered:
                memory.remember(rows)
            return found.select([_FIRST_ENTITIES, _IS_SOUND])

        first = pa.concat_tables(in_pieces(table, remember))
        remembered = with_columns(table, {name: first.column(name) for name in first.schema.names})

        def hint(piece: pa.Table) -> pa.Table:
            return self._with_recalled(piece, memory).select([schema.HINTS])

        hints = pa.concat_tables(in_pieces(remembered, hint)).column(schema.HINTS)
        return with_columns(table, {schema.HINTS: hints})

    def _with_first(self, piece: pa.Table) -> tuple[pa.Table, list[pa.Table]]:
        """A piece beside its first projection, and what the corpus's memory takes in of that: nothing of wrong rows."""
        first = project_layers(piece, self.projector) if self.running.nested == "keep" else self.projector(piece)
        is_sound = pc.not_equal(one_array(first.column(schema.STATUS)), pa.scalar("invalid"))
        remembered = taken_in(_rows_that(is_sound, first))
        entities = spread_lists(remembered[0].column(schema.ENTITIES), is_sound)
        return with_columns(piece, {_FIRST_ENTITIES: entities, _IS_SOUND: is_sound}), remembered

    def _with_recalled(self, piece: pa.Table, known: Memory | KnownNames) -> pa.Table:
        """A piece of `_with_first` with the hints of the corpus's memory; wrong rows have none."""
        is_sound = one_array(piece.column(_IS_SOUND))
        first = with_columns(piece, {schema.ENTITIES: piece.column(_FIRST_ENTITIES)})
        hints = known.hint(_rows_that(is_sound, first), threads=self.running.threads).column(schema.HINTS)
        piece = piece.drop_columns([_FIRST_ENTITIES, _IS_SOUND])
        return with_columns(piece, {schema.HINTS: spread_lists(hints, is_sound)})


def _check_hints(table: pa.Table) -> None:
    """That the corpus's memory makes a column that is not there.

    Raises:
        OptionError: it is.
    """
    if schema.HINTS in table.schema.names:
        raise OptionError("memory makes a column 'hints', which the input has already: memory=False takes it")


def _rows_that(are_sound: pa.Array[Any], table: pa.Table) -> pa.Table:
    """Those rows of a table; views, of which pyarrow cannot take some rows, become plain columns."""
    if pc.all(are_sound).as_py() is not False:
        return table
    columns = {name: plain(one_array(table.column(name))) for name in table.schema.names}
    return pa.table(columns).filter(are_sound)


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """What a run is about to do.

    Attributes:
        table: that it begins with.
        steps: that lead to links.
        translates: whether one of them does.
        memory: whether the corpus's memory is used.
        piece_rows: rows of the pieces that are projected and written, those of a corpus that comes in pieces.
    """

    table: pa.Table
    steps: list[Step]
    translates: bool
    memory: bool
    piece_rows: int


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """What a pipeline has done; as text, what there is to say of it.

    Attributes:
        result: the projected table; None where rows were read, projected and written piece by piece.
        output: the file that was written; None: none.
        format: of it; None went by its name.
        pipeline: what ran.
        memory: whether the corpus's memory was used.
        needs_words: whether rows without words were left out of files of text.
        known_counts: of the rows, where there is no result to count them of.
    """

    result: pa.Table | None
    output: Path | None
    format: str | None
    pipeline: Pipeline
    memory: bool
    needs_words: bool = False
    known_counts: RunCounts | None = None

    @property
    def table(self) -> pa.Table:
        """The result, with `entities`, `labels` and `status`; every row of the input.

        Raises:
            Error: rows were projected piece by piece.
        """
        if self.result is None:
            raise Error(f"rows were projected piece by piece: they are in '{self.output}' alone, for `xner.io.read`")
        return self.result

    @cached_property
    def counts(self) -> RunCounts:
        """What there is to count of the rows."""
        if self.known_counts is not None:
            return self.known_counts
        counts = RunCounts()
        for first in range(0, max(1, self.table.num_rows), PIECE_ROWS):
            counts.add(self.pipeline._counts(self.table.slice(first, PIECE_ROWS)))  # of this module
        return counts

    @property
    def signature(self) -> str:
        """One line that tells how the result was made."""
        return self.pipeline.signature_with(memory=self.memory)

    @property
    def entities(self) -> int:
        """How many source entities there are."""
        return self.counts.entities

    @property
    def projected(self) -> int:
        """How many of them were projected and kept."""
        return self.counts.projected

    def __repr__(self) -> str:
        return f"<Run: {self.counts.rows} sentences, {self.projected} of {self.entities} source entities projected>"

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> Iterator[str]:
        """What there is to say: statuses, how many entities were projected, what filters did, the signature."""
        counts = self.counts
        if counts.translations is not None:
            yield from counts.translations.lines(STATUSES, "translations")
        if counts.markers is not None:
            yield from counts.markers.lines(REASONS, "sentences with markers")
        statuses = by_frequency(counts.statuses)
        yield f"{counts.rows} sentences: " + (", ".join(f"{n} {one}" for one, n in statuses.items()) or "none")
        if schema.MISSING_ENTITIES in statuses:
            yield f"  {schema.MISSING_ENTITIES}: nobody has labelled the source sentence; training leaves out such rows"
        share = f" ({self.projected / self.entities:.1%})" if self.entities else ""
        if self.entities:
            yield "source entities: " + ", ".join(f"{n} {name}" for name, n in sorted(counts.classes.items()))
        what = "projected and kept" if self.pipeline.filters else "projected"
        yield f"{self.projected} of {self.entities} source entities {what}{share}"
        if self.pipeline.filters:
            yield show(counts.filters)
        yield from overlap_lines(counts.overlapping, self.output, self.format, what="projected entities")
        if self.output is not None:
            yield from self._lines_of_output(self.output)
        yield self.signature

    def _lines_of_output(self, output: Path) -> Iterator[str]:
        counts = self.counts
        yield from left_out_lines(counts.dropped, counts.rows, output, self.format)
        if self.needs_words and counts.wordless and is_training_data(output, self.format):
            rows = f"{counts.wordless} of {counts.rows} rows"
            yield f"{rows} have no good translation; they are left out of {output}"
        yield f"written to {output}"


def plain_value(value: Any) -> Any:
    """An option's value in the types of JSON and TOML."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple):
        return [one if isinstance(one, str | int) else to_text(one) for one in value]
    return value


def _steps_of(output: Path, steps: str | os.PathLike[str] | None) -> Path:
    """The folder of the steps that lead to an output."""
    return output.with_name(f"{output.name}.steps") if steps is None else Path(steps)


@contextmanager
def _kept(output: Path | None, key: str, *, resume: bool) -> Iterator[Checkpoints | None]:
    if output is None:
        yield None
        return
    with checkpoints(output, key, resume=resume) as kept:
        yield kept


@contextmanager
def reporting(progress: Reporter | None) -> Iterator[Reporter]:
    """Who is told how far work has come: the one that is given, or bars on a terminal."""
    if progress is not None:
        yield progress
        return
    with progress_reporter() as report:
        yield report


def _written(table: pa.Table, output: Path, format: str | None, *, needs_words: bool) -> pa.Table:
    """The rows that are written."""
    table = without_dropped_rows(table, output, format)
    if needs_words and is_training_data(output, format):
        table = table.filter(pc.greater(pc.list_value_length(table.column(schema.TOKENS)), pa.scalar(0)))
    return table
