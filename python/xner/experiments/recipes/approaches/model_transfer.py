"""Model transfer: a tagger labels the target sentences itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xner import io
from xner._support.digests import table_digest
from xner.experiments.recipes.approaches.base import Approach, Call, Given, Work, target_side
from xner.pipelines import recipes
from xner.pipelines.identity import fingerprint
from xner.pipelines.recipes import step_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

    from xner.pipelines.tagging import TaggingOptions

__all__ = ["ModelTransfer", "label"]


class ModelTransfer(Approach):
    """A tagger that is there already labels target sentences: nothing is translated, linked or projected."""

    def check(self) -> None:
        """See `Approach`."""
        self.check_tagger("approach='model-transfer'")
        self.check_tagger_alone("approach='model-transfer'")

    def stages(self, *, has_links: bool) -> Iterator[str]:
        """See `Approach`."""
        yield f"tag the target words ({self.pipeline.tagging.tagger})"
        yield "evaluate"

    def calls(self) -> Iterator[Call]:
        """See `Approach`."""
        yield Call(str(self.pipeline.tagging.tagger), "tagging", repr(self.key))

    @property
    def signature(self) -> str | None:
        """None: the model would have to be loaded for it."""
        return None

    def identity(self, given: Given) -> str:
        """See `Approach`."""
        tagger = self.pipeline.tagging.stage(["labels"]).identity
        return fingerprint({}, {"tagger": tagger, "table": table_digest(target_side(given.table))})

    def run(self, given: Given, work: Work) -> str:
        """See `Approach`."""
        return self.named(label(target_side(given.table), self.pipeline.tagging, work, steps=work.steps))


def label(table: pa.Table, tagging: TaggingOptions, work: Work, *, steps: Path | None) -> str:
    """Label sentences by a tagger, and write the table.

    Args:
        table: has `tokens`.
        tagging: which tagger.
        work: as for `Approach.run`.
        steps: where the labels are kept; None for nowhere.

    Returns:
        The signature.
    """
    stage = tagging.stage(["labels"])
    step = step_of("target-labels", stage)
    io.write(recipes.run(table, [step], steps, reuse=work.resume, report=work.progress, told=work.told), work.output)
    return stage.signature
