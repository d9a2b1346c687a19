"""A tagger that is trained for the purpose: on projected labels, the labelled side, gold labels, or by a teacher."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa

from xner import labels, schema
from xner._support.arrow import one_array
from xner._support.digests import table_digest
from xner.errors import Error, OptionError
from xner.experiments.recipes.approaches.base import Approach, Call, Given, Work, target_side
from xner.experiments.recipes.approaches.model_transfer import label
from xner.experiments.recipes.approaches.projection import projecting_calls, projecting_stages
from xner.models.network.loading import model_identity
from xner.models.taggers.catalogue import TELL_NO_PROBABILITIES, tagger_name
from xner.pipelines.identity import fingerprint
from xner.pipelines.tagging import TaggingOptions
from xner.training.distillation.distilling import distill
from xner.training.fine_tuning import WHAT
from xner.training.run import Corpus, train

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from xner.training.fine_tuning import Moment

__all__ = ["TrainedTagger"]


class TrainedTagger(Approach):
    """A tagger is trained, and labels target sentences.

    It is kept in `models`, in a folder whose name ends in a digest of all that decides it.
    """

    trains: ClassVar[bool] = True

    def check(self) -> None:
        """See `Approach`."""
        options, tagger = self.options, self.pipeline.tagging.tagger
        if options.base_model is None:
            raise OptionError("approach='trained-tagger' needs `base_model`, the encoder that training starts from")
        if not options.seeds or len(set(options.seeds)) < len(options.seeds):
            raise OptionError(f"seeds={list(options.seeds)}: expected at least one, and each once")
        if options.learn_from == "projected":
            return
        self.check_tagger_alone(self._lesson)
        if options.learn_from != "teacher":
            if tagger is not None:
                raise OptionError(f"tagger says nothing with {self._lesson}: the labels are there")
            return
        self.check_tagger(self._lesson)
        if tagger_name(str(tagger)) in TELL_NO_PROBABILITIES:
            raise OptionError(f"tagger={tagger!r} gives labels without the probabilities that a student learns")

    @property
    def _lesson(self) -> str:
        return f"learn_from={self.options.learn_from!r}"

    def by_seed(self) -> Iterator[tuple[str, Approach]]:
        """See `Approach`."""
        for seed in self.options.seeds:
            suffix = f"-seed{seed}" if len(self.options.seeds) > 1 else ""
            options, training = replace(self.options, seeds=(seed,)), replace(self.training, seed=seed)
            yield suffix, replace(self, options=options, training=training)

    def stages(self, *, has_links: bool) -> Iterator[str]:
        """See `Approach`."""
        lesson = self.options.learn_from
        if lesson == "projected":
            yield from projecting_stages(
                self.pipeline, has_links=has_links, translates=self.pipeline.translating.translates
            )
        elif lesson == "teacher":
            yield f"have the target words told by a teacher ({self.pipeline.tagging.tagger})"
        what = {"projected": "the projected labels", "source": "the labelled side", "gold": "gold labels"}
        seeds = "" if self.options.seeds == (0,) else f", seeds {', '.join(map(str, self.options.seeds))}"
        how = " with random weights" if self.options.random_weights else ""
        yield f"train {self.options.base_model}{how} on {what.get(lesson, 'what it says')}{seeds}"
        yield "tag the target words"
        yield "evaluate"

    def calls(self) -> Iterator[Call]:
        """See `Approach`."""
        lesson, translating, key = self.options.learn_from, self.pipeline.translating, repr(self.key)
        if lesson == "projected":
            if translating.translator is not None:
                yield Call(translating.translator, "translating", key, is_training=True)
            yield from projecting_calls(self.pipeline, key, is_training=True)
        elif lesson == "teacher":
            yield Call(str(self.pipeline.tagging.tagger), "tagging", key, is_training=True)
        of_seed, steps = f"{key} {self.training}", self.training.max_steps
        length = f"{self.training.epochs} epochs{f' or {steps} steps' if steps is not None else ''}"
        yield Call(str(self.options.base_model), f"training for {length}", of_seed, is_training=True)
        yield Call("the trained tagger", "tagging", of_seed)

    @property
    def signature(self) -> str | None:
        """None: a teacher would have to be loaded for it."""
        return self.named(self.pipeline.signature) if self.options.learn_from == "projected" else None

    def identity(self, given: Given) -> str:
        """See `Approach`."""
        return fingerprint({}, {"model": self._model_identity(given), "table": table_digest(target_side(given.table))})

    def _model_identity(self, given: Given) -> str:
        options = self.options
        decides: dict[str, Any] = {
            "options": repr(options),
            "training": repr(self.training),
            "base": model_identity(str(options.base_model), what=WHAT),
            "learnt": table_digest(_training(given)),
        }
        if options.learn_from == "projected":
            decides["pipeline"] = self.pipeline.identity(_training(given), links=given.links)
        elif options.learn_from == "teacher":
            decides["teacher"] = self.pipeline.tagging.stage(["scores"]).identity
        return fingerprint({}, decides)

    def run(self, given: Given, work: Work) -> str:
        """See `Approach`."""
        folder = work.models / f"{work.output.stem}.{self._model_identity(given)[:12]}"
        work.models.mkdir(exist_ok=True)
        for other in work.models.glob(f"{work.output.stem}.*"):  # of other options, or other data
            if other != folder or not work.resume:
                shutil.rmtree(other)
        signature = self._train(given, folder, work)
        label(target_side(given.table), TaggingOptions(tagger=str(folder)), work, steps=None)
        return self.named(signature)

    def _train(self, given: Given, folder: Path, work: Work) -> str:
        """Train the tagger, or find it trained; the signature of what it learns from."""
        table, options = _training(given), self.options

        def noted(moment: Moment) -> None:
            work.progress("train", moment.step, moment.steps)

        how: dict[str, Any] = {"random_weights": options.random_weights, "resume": work.resume, "progress": noted}
        model = str(options.base_model)
        if options.learn_from == "teacher":
            stage = self.pipeline.tagging.stage(["scores"])
            distill(
                model,
                [str(self.pipeline.tagging.tagger)],
                Corpus("text", table.select([schema.TOKENS])),
                folder,
                classes=self.pipeline.tagging.loading["classes"],
                steps=work.steps,
                settings=self.training,
                report=work.progress,
                told=work.told,
                **how,
            )
            return stage.signature
        signature = ""
        if options.learn_from == "projected":
            done = self.pipeline.run(
                table, links=given.links, steps=work.steps, resume=work.resume, progress=work.progress, told=work.told
            )
            table, signature = done.table, done.signature
        train(model, [Corpus(options.learn_from, self._lessons(table))], folder, settings=self.training, **how)
        return signature

    def _lessons(self, table: pa.Table) -> pa.Table:
        """The sentences that are learnt, with `labels`."""
        if self.options.learn_from == "source":
            tokens = one_array(table.column(schema.SOURCE_TOKENS))
            found = labels.encode_batch(one_array(table.column(schema.SOURCE_ENTITIES)), tokens)
            return pa.table({schema.TOKENS: tokens, schema.LABELS: found})
        if self.options.learn_from == "gold":
            if schema.GOLD_LABELS not in table.schema.names:
                raise Error("learn_from='gold' needs gold labels in the data for training, which have none")
            return pa.table({schema.TOKENS: table[schema.TOKENS], schema.LABELS: table[schema.GOLD_LABELS]})
        return table.drop_columns([name for name in (schema.GOLD_LABELS,) if name in table.schema.names])


def _training(given: Given) -> pa.Table:
    assert given.training is not None, "an approach that trains is given what it learns from"
    return given.training
