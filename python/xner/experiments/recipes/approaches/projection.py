"""Ways that project: from labelled sentences onto their translations, and by way of translations that are tagged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from xner.errors import OptionError
from xner.experiments.recipes.approaches.base import Approach, Call, Given, Work, target_side
from xner.experiments.recipes.approaches.options import ApproachOptions
from xner.pipelines import recipes
from xner.pipelines.identity import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa

    from xner.pipelines.projection_run import Pipeline
    from xner.pipelines.recipes import Step
    from xner.translation.direction import Direction

__all__ = ["Projection", "TranslateTest", "projecting_calls", "projecting_stages"]


class Projection(Approach):
    """From labelled sentences onto their translations, which are there or are made."""

    def check(self) -> None:
        """See `Approach`."""
        needs = self.options.back_translate and self.options.back_translator is None
        if needs and self.pipeline.translating.translator is None:
            raise self._without_translator()

    @property
    def reads_sources(self) -> bool:
        """See `Approach`."""
        return True

    @property
    def makes_targets(self) -> bool:
        """See `Approach`."""
        return not self.options.back_translate and self.pipeline.translating.translates

    @property
    def reads_links(self) -> bool:
        """See `Approach`."""
        return not self.options.back_translate

    def stages(self, *, has_links: bool) -> Iterator[str]:
        """See `Approach`."""
        yield from self._stages_back()
        yield from projecting_stages(
            self.pipeline, has_links=has_links and self.reads_links, translates=self.makes_targets
        )
        yield "evaluate"

    def calls(self) -> Iterator[Call]:
        """See `Approach`."""
        key = repr(self.key)
        translator = self.pipeline.translating.translator
        if self.makes_targets and translator is not None:
            yield Call(translator, "translating", key)
        if self.options.back_translate:
            yield Call(str(self.options.back_translator or translator), "translating back", key)
        yield from projecting_calls(self.pipeline, key)

    def has_costly_steps(self, *, has_links: bool) -> bool:
        """See `Approach`."""
        return self.options.back_translate or self.pipeline.has_costly_steps(has_links=has_links)

    def identity(self, given: Given) -> str:
        """See `Approach`."""
        own = self.pipeline.identity(
            self.input(given), links=given.links if self.reads_links else (), recipe=self.recipe()
        )
        return own if self.options == ApproachOptions() else fingerprint({}, {"pipeline": own, "way": self.named("")})

    def run(self, given: Given, work: Work) -> str:
        """See `Approach`."""
        done = self.pipeline.run(
            self.input(given),
            work.output,
            links=given.links if self.reads_links else (),
            recipe=self.recipe(),
            steps=work.steps,
            resume=work.resume,
            progress=work.progress,
            told=work.told,
        )
        return self.named(done.signature)

    def input(self, given: Given) -> pa.Table:
        """What this way reads of the data."""
        return given.table

    def recipe(self) -> Callable[[Step | None, Step], list[Step]] | None:
        """The steps that lead to links, where they are not the pipeline's own."""
        if not self.options.back_translate:
            return None

        def made(target_tags: Step | None, aligner: Step) -> list[Step]:
            back = self.way_back()
            assert back is not None, "it is what this way is for"
            return recipes.back_translation(
                back,
                markers=self.options.back_markers,
                words=self.pipeline.translating.words,
                target_tags=target_tags,
                aligner=aligner,
            )

        return made

    def way_back(self) -> Direction | None:
        """From the labelled side's language into that of the words to be labelled, where that is asked for."""
        if not self.options.back_translate:
            return None
        own, model = self.pipeline.translating, self.options.back_translator
        source, target = map(str, self.pipeline.languages)
        return (own if model is None else replace(own, translator=model)).directions()(source, target)

    def _stages_back(self) -> Iterator[str]:
        if self.options.back_translate:
            model = self.options.back_translator or self.pipeline.translating.translator
            yield f"translate back ({model}, with {self.options.back_markers} markers)"

    def _without_translator(self) -> OptionError:
        return OptionError(f"approach={self.options.approach!r} needs `translator`, the translation model")


class TranslateTest(Projection):
    """By way of another language: target sentences are translated, tagged there, and the labels projected back."""

    def check(self) -> None:
        """See `Approach`."""
        self.check_tagger(f"approach={self.options.approach!r}")
        if self.pipeline.translating.translator is None:
            raise self._without_translator()

    @property
    def reads_sources(self) -> bool:
        """See `Approach`."""
        return False

    @property
    def makes_targets(self) -> bool:
        """See `Approach`."""
        return False

    @property
    def reads_links(self) -> bool:
        """See `Approach`."""
        return False

    def stages(self, *, has_links: bool) -> Iterator[str]:
        """See `Approach`."""
        yield from self.stages_there()
        yield from self._stages_back()
        yield from projecting_stages(self.pipeline, has_links=False, translates=False)
        yield "evaluate"

    def calls(self) -> Iterator[Call]:
        """See `Approach`."""
        yield Call(str(self.pipeline.translating.translator), "translating", repr(self.key))
        yield Call(str(self.pipeline.tagging.tagger), "tagging translations", repr(self.key))
        yield from super().calls()

    def stages_there(self) -> Iterator[str]:
        """What is done before labels are projected."""
        yield f"translate into the source language ({self.pipeline.translating.translator})"
        yield f"tag the translations ({self.pipeline.tagging.tagger})"

    def has_costly_steps(self, *, has_links: bool) -> bool:
        """See `Approach`."""
        return True

    def input(self, given: Given) -> pa.Table:
        """See `Projection`."""
        return target_side(given.table)

    def source_tags(self) -> Step:
        """The step that tags the translations."""
        return self.pipeline.tagging.step("source-tags", ["source"])

    def recipe(self) -> Callable[[Step | None, Step], list[Step]] | None:
        """See `Projection`."""

        def made(target_tags: Step | None, aligner: Step) -> list[Step]:
            source, target = map(str, self.pipeline.languages)
            return recipes.translate_test(
                self.pipeline.translating.directions()(target, source),
                self.source_tags(),
                back=self.way_back(),
                markers=self.options.back_markers,
                words=self.pipeline.translating.words,
                keep_bad=self.pipeline.translating.keep_bad,
                target_tags=target_tags,
                aligner=aligner,
            )

        return made


def projecting_stages(pipeline: Pipeline, *, has_links: bool, translates: bool) -> Iterator[str]:
    """What a pipeline does, in the order in which it does it.

    Args:
        pipeline: which.
        has_links: whether there are files of links that it reads.
        translates: whether it makes the target sentences.
    """
    if translates:
        how = f", with {pipeline.running.markers} markers" if pipeline.running.markers is not None else ""
        yield f"translate ({pipeline.translating.translator or pipeline.translating.translations}{how})"
    if pipeline.tagging.tagger is not None and pipeline.target_roles:
        yield f"tag the target words ({pipeline.tagging.tagger})"
    names = pipeline.aligning.aligner if has_links else pipeline.aligning.names
    if has_links or (names and (pipeline.aligning.aligner or pipeline.projection.uses_links)):
        yield f"link words ({', '.join([*(['files'] if has_links else []), *names])})"
    yield f"project ({pipeline.projection.method})"
    if pipeline.filters is not None:
        yield f"filter ({len(pipeline.filters.filters)})"


def projecting_calls(pipeline: Pipeline, key: str, *, is_training: bool = False) -> Iterator[Call]:
    """The models that get sentences while a pipeline links and projects.

    Args:
        pipeline: which.
        key: of what comes before.
        is_training: whether the sentences are the data for training.
    """
    if pipeline.tagging.tagger is not None and pipeline.target_roles:
        yield Call(pipeline.tagging.tagger, "tagging", key, is_training)
    for name in pipeline.aligning.encoders:
        yield Call(name, "linking", f"{key} {pipeline.aligning}", is_training)
