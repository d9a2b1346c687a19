"""Commands that end in projection: their common options, and running the pipeline that they stand for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click
import pyarrow as pa
import pyarrow.compute as pc

from xner import io, schema
from xner._support.arrow import frequencies, with_columns
from xner.cli.options.aligners import BUILTIN, AlignerRun, AlignerSettings, aligner_options
from xner.cli.options.candidates import span_options
from xner.cli.options.decorators import with_options
from xner.cli.options.filters import (
    filter_options,
    report_dropped_rows,
    report_filters,
    take_filters,
    without_dropped_rows,
)
from xner.cli.options.inputs import FORMAT_NAMES, output_file, tuned_option
from xner.cli.options.scores import score_options
from xner.cli.options.statuses import report_statuses
from xner.models.translators.translator import STATUSES
from xner.pipelines import recipes, runner
from xner.pipelines.recipes import Step, StepRun
from xner.projection.matching.constraints import MATCHERS
from xner.projection.memory import Memory
from xner.projection.projector import Projector
from xner.translation.marked import REASONS
from xner.translation.stages import adopt_marked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from xner.cli.options.taggers import TaggerSettings
    from xner.filters.stage import Filters
    from xner.models.taggers.tagger import Role

__all__ = ["Projecting", "projecting_options"]

F = TypeVar("F", bound="Callable[..., Any]")

_OPTIONS: list[Callable[[Any], Any]] = [
    click.option("--output", "-o", type=output_file, required=True, help="Labelled target sentences."),
    click.option(
        "--format",
        "format_",
        type=click.Choice(FORMAT_NAMES),
        help="Format of the output; by default its name tells.",
    ),
    tuned_option,
    aligner_options,
    click.option(
        "--method",
        type=click.Choice(["candidates", "heuristic"]),
        default="candidates",
        show_default=True,
        help="Choose among target spans by score, or take the linked words.",
    ),
    score_options,
    click.option(
        "--candidates",
        type=click.Choice(["aligned_ends", "aligned", "ngram", "given"]),
        help="Target spans to choose from; with --score align the first three give the same result. `given` reads a "
        "column `candidates`.  [default: aligned_ends for align, else ngram]",
    ),
    click.option(
        "--matcher",
        type=click.Choice(list(MATCHERS)),
        default="exact",
        show_default=True,
        help="Best total score, or best pair first; ortools and milp find the best total with OR-Tools and HiGHS "
        "(extra `exact`), to judge exact by, a thousand times as slowly.",
    ),
    click.option(
        "--constraint",
        type=click.Choice(["<=", "=", ">=", "<", ">"]),
        default="<=",
        show_default=True,
        help="Projections of an entity, against -n.",
    ),
    click.option("-n", "--n", "n", type=click.IntRange(0), default=1, show_default=True, help="See --constraint."),
    span_options,
    click.option(
        "--ties",
        type=click.Choice(["first", "evidence"]),
        help="What decides between equal scores; evidence for exact, first for greedy.",
    ),
    click.option(
        "--length-ratio-threshold",
        type=float,
        default=0.8,
        show_default=True,
        help="Heuristic: least ratio of range to entity, in words.",
    ),
    click.option(
        "--merge-distance",
        type=click.IntRange(0),
        default=1,
        show_default=True,
        help="Heuristic: words between ranges that become one.",
    ),
    click.option(
        "--policy",
        type=click.Choice(["skip", "overwrite"]),
        help="Heuristic: what happens on words that have a label.",
    ),
    click.option("--top-k", type=click.IntRange(0), help="Heuristic: ranges an entity may keep."),
    click.option("--only-i", is_flag=True, help="Heuristic: never merge a range that starts the entity anew."),
    click.option(
        "--compat",
        type=click.Choice(["politov2025", "shkalikov2024"]),
        help="Follow a published program to the letter.",
    ),
    click.option(
        "--memory/--no-memory",
        default=None,
        help="Project twice: where links leave an entity unclear, go by how the corpus projected it elsewhere. "
        "By default with an aligner, not with links from files alone or --method heuristic, where rows stand for "
        "themselves.",
    ),
    filter_options,
    click.option(
        "--on-error",
        type=click.Choice(["raise", "skip"]),
        default="raise",
        show_default=True,
        help="Stop at a wrong row, or leave it without entities and go on.",
    ),
    click.option(
        "--threads",
        type=click.IntRange(0),
        default=0,
        show_default=True,
        help="0: one a core. Never changes the output.",
    ),
    click.option(
        "--resume/--no-resume",
        default=True,
        show_default=True,
        help="Go on from an interrupted run's finished parts, and take steps that are kept.",
    ),
]


def projecting_options(command: F) -> F:
    """Add the options of projection to a command; `Projecting.take` gathers their values."""
    return with_options(_OPTIONS, command)


@dataclass(frozen=True, slots=True)
class Projecting:
    """The end of a pipeline: links, projection, filters, the output.

    Attributes:
        output: the file to write.
        format: of it; None goes by its name.
        projector: how to project.
        filters: which of the entities to keep.
        memory: whether to project twice.
        aligner: who aligns.
        wants_links: whether projection needs links, or they were asked for.
        stop_words: as they were given.
        threads: of the core.
        on_error: what becomes of wrong rows.
        resume: whether to use what earlier runs have left.
        drops_broken_markers: whether rows whose markers broke are dropped.
    """

    output: Path
    format: str | None
    projector: Projector
    filters: Filters | None
    memory: bool
    aligner: AlignerSettings
    wants_links: bool
    stop_words: str
    threads: int
    on_error: str
    resume: bool
    drops_broken_markers: bool = False

    @classmethod
    def take(cls, values: dict[str, Any], *, files: int = 0, shares_device: bool = False) -> Projecting:
        """Take the options of projection out of a command's values, of which nothing is left.

        Args:
            values: of `projecting_options` by name.
            files: how many files of links there are.
            shares_device: whether `--device` may be meant for other models than the aligners.

        Raises:
            click.UsageError: options that do not go together.
            Error: the output's name tells no format.
        """
        output, format_ = values.pop("output"), values.pop("format_")
        stop_words, threads, on_error, memory, resume = (
            values.pop(name) for name in ("stop_words", "threads", "on_error", "memory", "resume")
        )
        is_asked = bool(files or values["aligners"])
        if shares_device and not set(values["aligners"]) - {BUILTIN}:
            values["device"] = "auto"
        aligner = AlignerSettings.take(values, files=files)
        filters = take_filters(values)
        projector = Projector(stop_words=tuple(stop_words.split()), threads=threads, on_error=on_error, **values)
        wants_links = is_asked or projector.options.uses_links
        if memory is None:
            by_default = values["method"] == "candidates" and values["compat"] is None
            memory = by_default and wants_links and bool(aligner.names)
        if memory and values["method"] != "candidates":
            raise click.UsageError("--memory goes with --method candidates")
        io.format_of(output, format_)
        own = (stop_words, threads, on_error, resume)
        return cls(output, format_, projector, filters, memory, aligner, wants_links, *own)

    @property
    def _key(self) -> dict[str, Any]:
        """What decides the output but the rows and the steps before projection."""
        return {
            "projection": self.projector.signature,
            "stop_words": self.stop_words,
            "on_error": self.on_error,
            "filters": self.filters and self.filters.signature,
            "ner_labels": self.projector.options.ner_labels,
            "memory": self.memory,
            "drops_broken_markers": self.drops_broken_markers,
        }

    @property
    def target_roles(self) -> list[Role]:
        """What a tagger has to make of the target words."""
        options = self.projector.options
        roles: list[Role] = ["candidates"] if options.candidates == "given" else []
        return [*roles, "scores"] if options.weights.keys() & {"ner", "ner_spans"} else roles

    def target_tags(self, tagger: TaggerSettings | None) -> Step | None:
        """The step that adds a tagger's candidates and scores, where projection goes by them.

        Raises:
            click.UsageError: there is a tagger and nothing goes by it.
        """
        if tagger is None:
            return None
        if not self.target_roles:
            raise click.UsageError("--tagger goes with --candidates given or a --score of ner or ner_spans")
        return tagger.step("target-tags", self.target_roles)

    def links_step(self, others: Sequence[pa.ChunkedArray] = ()) -> Step:
        """The step that adds `links`.

        Args:
            others: links from files, of the same rows.
        """

        def link(table: pa.Table, run: StepRun) -> pa.Table:
            sides = table.column(schema.SOURCE_TOKENS), table.column(schema.TOKENS)
            found = self.aligner.link(AlignerRun(*sides, run.kept, self.threads, run.report), others=others)
            return with_columns(table, {schema.LINKS: found.column(schema.LINKS)})

        return Step("links", self.aligner.key, link)

    def run(
        self,
        table: pa.Table,
        steps: Sequence[Step],
        files: Mapping[str, Path | None],
        key: object,
        *,
        folder: Path | None = None,
        needs_words: bool = False,
    ) -> None:
        """Run a recipe's steps, project what they give, write the output, and say what happened.

        Args:
            table: what the first step reads.
            steps: up to the links.
            files: that the table was read from, by role.
            key: how they were read.
            folder: where the steps' outputs are kept; None keeps them for the length of the run.
            needs_words: whether files of text lack rows that have no words: translations that are of no use.
        """
        fingerprint = runner.fingerprint(
            files, {**self._key, "reading": key, "steps": [[step.name, step.key] for step in steps]}
        )
        if folder is not None and self.aligner.save_model is not None:
            raise click.UsageError(
                "--save-model: the steps keep the links alone; `xner align` fits and saves an aligner"
            )
        with (
            runner.checkpoints(self.output, fingerprint, resume=self.resume) as kept,
            runner.progress_reporter() as report,
        ):
            table = recipes.run(
                table,
                steps,
                folder,
                kept=kept,
                reuse=self.resume,
                report=report,
                told=partial(click.echo, err=True),
            )
            if self.memory:
                if schema.HINTS in table.schema.names:
                    raise click.UsageError(
                        "--memory makes a column 'hints', which the input has already: --no-memory takes it"
                    )
                table = self._with_hints(table)
            result = runner.run(
                table,
                self._project,
                kept,
                format=self.format,
                report=report,
                select=lambda made: self._written(made, needs_words=needs_words),
            )
        self._summarize(result, needs_words=needs_words)

    def _project(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        found = self.projector(batch)
        if schema.MARKED_ENTITIES in found.schema.names:
            found = adopt_marked(found, drop_broken=self.drops_broken_markers)
        return found if self.filters is None else self.filters(found)

    def _with_hints(self, table: pa.Table) -> pa.Table:
        """What a first projection of the whole corpus says about each entity."""
        first = self.projector(table)
        memory = Memory()
        memory.remember(first)
        hints = memory.hint(first, threads=self.threads).column(schema.HINTS)
        return with_columns(table, {schema.HINTS: hints})

    def _written(self, table: pa.Table, *, needs_words: bool) -> pa.Table:
        table = without_dropped_rows(table, self.output, self.format)
        if needs_words and self._is_text():
            table = table.filter(pc.greater(pc.list_value_length(table.column(schema.TOKENS)), 0))
        return table

    def _is_text(self) -> bool:
        return io.FORMATS[io.format_of(self.output, self.format)].is_text

    def _summarize(self, result: pa.Table, *, needs_words: bool) -> None:
        names = result.schema.names
        if schema.TRANSLATION_STATUS in names:
            report_statuses(result.column(schema.TRANSLATION_STATUS), STATUSES, "translations")
        if schema.MARKER_PROBLEM in names:
            report_statuses(result.column(schema.MARKER_PROBLEM).fill_null("ok"), REASONS, "sentences with markers")
        entities = pc.sum(pc.list_value_length(result.column(schema.SOURCE_ENTITIES))).as_py() or 0
        sources = cast("pa.ListArray", result.column(schema.ENTITIES).combine_chunks())
        rows = pc.list_parent_indices(sources)
        pairs = pa.table({"row": rows, "source": pc.struct_field(pc.list_flatten(sources), "source")})
        projected = pairs.group_by(["row", "source"]).aggregate([]).num_rows
        share = f" ({projected / entities:.1%})" if entities else ""
        statuses = ", ".join(f"{count} {status}" for status, count in frequencies(result.column(schema.STATUS)).items())
        click.echo(f"{result.num_rows} sentences: {statuses or 'none'}", err=True)
        what = "projected and kept" if self.filters else "projected"
        click.echo(f"{projected} of {entities} source entities {what}{share}", err=True)
        if self.filters:
            report_filters(result, self.filters, self.output, self.format)
        elif self.drops_broken_markers:
            report_dropped_rows(result, self.output, self.format)
        empty = pc.sum(pc.equal(pc.list_value_length(result.column(schema.TOKENS)), 0)).as_py() or 0
        if needs_words and empty and self._is_text():
            click.echo(
                f"{empty} of {result.num_rows} rows have no good translation; they are left out of {self.output}",
                err=True,
            )
        click.echo(f"written to {self.output}", err=True)
        parts = [
            self.projector.signature,
            "memory:yes" if self.memory else "",
            self.filters.signature if self.filters else "",
        ]
        click.echo("|".join(part for part in parts if part), err=True)
