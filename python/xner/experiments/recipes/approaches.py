"""How a recipe labels target sentences: by projection onto them, by way of another language, or by a model alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from xner import io, schema
from xner._support.digests import table_digest
from xner._support.options import Choice, DeclaredOptions, Flag, Text, When, declared, option
from xner.errors import OptionError
from xner.pipelines import recipes
from xner.pipelines.identity import fingerprint
from xner.pipelines.projection_run import Pipeline
from xner.pipelines.tagging import TaggingOptions
from xner.translation.markers import STYLES, ChosenMarkers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from xner._support.progress import Reporter
    from xner.pipelines.recipes import Step
    from xner.translation.direction import Direction

__all__ = ["APPROACHES", "Approach", "ApproachName", "ApproachOptions"]

ApproachName = Literal["projection", "translate-test", "model-transfer"]
APPROACHES: Final = get_args(ApproachName)

_PROJECTS = When("an approach that projects", lambda o: o.approach != "model-transfer")
_BACK = When("back_translate", lambda o: o.back_translate)
_GROUP: Final = "Recipe"
_MADE_OF_TARGET: Final = (schema.ID, schema.TOKENS, schema.GOLD_LABELS)


@dataclass(frozen=True, slots=True)
class ApproachOptions(DeclaredOptions):
    """Which way labels take to the target sentences.

    Raises:
        Error: a value is none of its kind, or says nothing beside the others.
    """

    approach: ApproachName = option(
        "projection",
        Choice(APPROACHES),
        "projection: from labelled sentences onto their translations, which are there or are made. translate-test: "
        "target sentences are translated into the source language, tagged there, and the labels projected back. "
        "model-transfer: the tagger labels target sentences itself.",
        group=_GROUP,
    )
    back_translate: bool = option(
        False,
        Flag(),
        "Translate the labelled sentences into the target language with markers around their entities, and align these "
        "with the target sentences, so that words of one language are linked.",
        when=[_PROJECTS],
        group=_GROUP,
    )
    back_translator: str | None = option(
        None,
        Text("MODEL"),
        "The model that translates back.",
        when=[_BACK],
        optional=True,
        default_text="the translator",
        group=_GROUP,
    )
    back_markers: ChosenMarkers = option(
        "brackets",
        Choice(("auto", *STYLES)),
        "What stands around entities on the way back.",
        when=[_BACK],
        group=_GROUP,
    )


@dataclass(frozen=True, slots=True)
class Approach:
    """A variant of a recipe: which way labels take, by a pipeline.

    Attributes:
        options: which way.
        pipeline: that translates, tags, links and projects, so far as the way needs it.

    Raises:
        OptionError: something is missing for this way, or says nothing on it.
    """

    options: ApproachOptions
    pipeline: Pipeline

    def __post_init__(self) -> None:
        way, pipeline = self.options.approach, self.pipeline
        if way != "projection" and pipeline.tagging.tagger is None:
            raise OptionError(f"approach={way!r} needs `tagger`, the model that finds the entities")
        if way == "model-transfer":
            known = (*declared(TaggingOptions), "threads", "source_language", "target_language")
            if others := [name for name in pipeline.to_dict() if name not in known]:
                raise OptionError(f"{others[0]} goes with an approach that projects, and not with {way!r}")
        needs = way == "translate-test" or (self.options.back_translate and self.options.back_translator is None)
        if needs and pipeline.translating.translator is None:
            raise OptionError(f"approach={way!r} needs `translator`, the translation model")

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Approach:
        """The approach of a variant's options, those of its way and those of its pipeline."""
        own = {name: value for name, value in options.items() if name in declared(ApproachOptions)}
        return cls(ApproachOptions(**own), Pipeline(**{n: value for n, value in options.items() if n not in own}))

    @property
    def makes_targets(self) -> bool:
        """Whether target sentences are made, by translation of labelled ones."""
        is_plain = self.options.approach == "projection" and not self.options.back_translate
        return is_plain and self.pipeline.translating.translates

    @property
    def reads_sources(self) -> bool:
        """Whether labelled sentences of the other language are read."""
        return self.options.approach == "projection"

    @property
    def key(self) -> list[Any]:
        """What decides the steps before the links."""
        own = self.pipeline
        before = [own.translating, own.running.markers, own.tagging, own.target_roles, own.languages]
        return before if self.options == ApproachOptions() else [*before, self.options]

    def with_pipeline(self, **options: Any) -> Approach:
        """The same way, with other options of the pipeline."""
        return replace(self, pipeline=Pipeline(**{**self.pipeline.to_dict(), **options}))

    def to_dict(self) -> dict[str, Any]:
        """What is not at its default, of the way and of its pipeline."""
        return {**self.options.changes(), **self.pipeline.to_dict()}

    @property
    def signature(self) -> str:
        """One line that tells how labels are made, so far as that is known before they are."""
        if self.options.approach == "model-transfer":
            return self._named(self.pipeline.tagging.step("target-labels", ["labels"]).key)
        return self._named(self.pipeline.signature)

    def _named(self, rest: object) -> str:
        known = declared(ApproachOptions)
        return "|".join(
            [*(f"{name}:{known[name].signed(one)}" for name, one in self.options.changes().items()), str(rest)]
        )

    def has_costly_steps(self, *, has_links: bool) -> bool:
        """Whether there is more to do than to project: see `Pipeline.has_costly_steps`."""
        is_plain = self.reads_sources and not self.options.back_translate
        return not is_plain or self.pipeline.has_costly_steps(has_links=has_links)

    def identity(self, table: pa.Table, *, links: Sequence[pa.ChunkedArray[Any]] = ()) -> str:
        """Tells what `run` makes from all other results: see `Pipeline.identity`."""
        table = self._input(table)
        if self.options.approach == "model-transfer":
            key = self.pipeline.tagging.step("target-labels", ["labels"]).key
            return fingerprint({}, {"tagger": key, "table": table_digest(table)})
        own = self.pipeline.identity(table, links=self._links(links), recipe=self._recipe())
        return own if self.options == ApproachOptions() else fingerprint({}, {"pipeline": own, "way": self._named("")})

    def run(
        self,
        table: pa.Table,
        output: Path,
        *,
        links: Sequence[pa.ChunkedArray[Any]],
        steps: Path | None,
        resume: bool,
        progress: Reporter,
        told: Callable[[str], None],
    ) -> str:
        """Label sentences, and write the table.

        Args:
            table: what a recipe's data are; of a parallel corpus more than some ways read.
            output: the file to write.
            links: ready ones, of the sides that the data have.
            steps: where what is computed is kept.
            resume: whether to take what earlier runs have left.
            progress: told how far the work has come.
            told: gets lines for people.

        Returns:
            The signature.

        Raises:
            Error: as `Pipeline.run`.
        """
        table = self._input(table)
        if self.options.approach == "model-transfer":
            tag = self.pipeline.tagging.step("target-labels", ["labels"])
            io.write(recipes.run(table, [tag], steps, reuse=resume, report=progress, told=told), output)
            return self.signature
        done = self.pipeline.run(
            table,
            output,
            links=self._links(links),
            recipe=self._recipe(),
            steps=steps,
            resume=resume,
            progress=progress,
            told=told,
        )
        return self._named(done.signature)

    def _input(self, table: pa.Table) -> pa.Table:
        """What this way reads of the data."""
        if self.reads_sources:
            return table
        return table.select([name for name in table.schema.names if name in _MADE_OF_TARGET])

    def _links(self, links: Sequence[pa.ChunkedArray[Any]]) -> Sequence[pa.ChunkedArray[Any]]:
        """Ready links are of the sides as they are, and none of sides that are translated."""
        return links if self.reads_sources and not self.options.back_translate else ()

    def _recipe(self) -> Callable[[Step | None, Step], list[Step]] | None:
        """The steps that lead to links, where they are not the pipeline's own."""
        options, pipeline = self.options, self.pipeline
        if self.reads_sources and not options.back_translate:
            return None
        words = pipeline.translating.words

        def made(target_tags: Step | None, aligner: Step) -> list[Step]:
            source, target = map(str, pipeline.languages)
            back = self._way_back(source, target)
            if options.approach == "projection":
                assert back is not None, "it is what this way is for"
                return recipes.back_translation(
                    back, markers=options.back_markers, words=words, target_tags=target_tags, aligner=aligner
                )
            return recipes.translate_test(
                pipeline.translating.directions()(target, source),
                pipeline.tagging.step("source-tags", ["source"]),
                back=back,
                markers=options.back_markers,
                words=words,
                keep_bad=pipeline.translating.keep_bad,
                target_tags=target_tags,
                aligner=aligner,
            )

        return made

    def _way_back(self, source: str, target: str) -> Direction | None:
        """From the labelled side's language into that of the words to be labelled, where that is asked for."""
        if not self.options.back_translate:
            return None
        own = self.pipeline.translating
        model = self.options.back_translator
        return (own if model is None else replace(own, translator=model)).directions()(source, target)
