"""What each approach is: from the data of a recipe to a file of labelled target sentences."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from xner import schema
from xner._support.options import declared
from xner.errors import OptionError
from xner.experiments.recipes.approaches.options import TRAINING, ApproachOptions
from xner.pipelines.projection_run import Pipeline
from xner.pipelines.tagging import TaggingOptions
from xner.training.settings import TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pyarrow as pa

    from xner._support.progress import Reporter

__all__ = ["Approach", "Call", "Given", "Work", "target_side"]

_MADE_OF_TARGET: Final = (schema.ID, schema.TOKENS, schema.GOLD_LABELS)
_OF_TAGGERS: Final = (*declared(TaggingOptions), "threads", "source_language", "target_language")


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """What an approach begins with.

    Attributes:
        table: the sentences that are to be labelled; of a parallel corpus more than some approaches read.
        links: ready ones, of the sides that the data have; of the data for training, where there are some.
        training: the data for training, where something is trained.
    """

    table: pa.Table
    links: Sequence[pa.ChunkedArray[Any]] = ()
    training: pa.Table | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """That a model gets sentences.

    Attributes:
        model: its name, or its folder.
        what: what it does with them.
        key: the same where the sentences of the same data are not done twice.
        is_training: whether they are the data for training.
    """

    model: str
    what: str
    key: str
    is_training: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """How an approach works.

    Attributes:
        output: the file to write.
        steps: where what is computed on the way is kept; None keeps nothing.
        models: where a tagger goes that is trained; nothing else is there.
        resume: whether to take what earlier runs have left.
        progress: told how far the work has come.
        told: gets lines for people.
    """

    output: Path
    steps: Path | None
    models: Path
    resume: bool
    progress: Reporter
    told: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Approach(ABC):
    """A variant of a recipe: which way labels take.

    Attributes:
        options: which way.
        pipeline: that translates, tags, links and projects, so far as the way needs it.
        training: how a tagger is trained, where one is; with one of the seeds.

    Raises:
        OptionError: something is missing for this way, or says nothing on it.
    """

    options: ApproachOptions
    pipeline: Pipeline
    training: TrainingSettings = field(default_factory=TrainingSettings)

    trains: ClassVar[bool] = False
    """Whether data for training are read."""

    def __post_init__(self) -> None:
        if not self.trains and (changed := [name for name in self.training.changes() if name in TRAINING]):
            raise OptionError(f"{changed[0]} goes with approach='trained-tagger': nothing is trained")
        self.check()

    @abstractmethod
    def check(self) -> None:
        """Raise an error where something is missing, or says nothing."""

    @property
    def reads_sources(self) -> bool:
        """Whether labelled sentences of the other language are read, of the data to be labelled."""
        return False

    @property
    def makes_targets(self) -> bool:
        """Whether target sentences are made, by translation of labelled ones."""
        return False

    @property
    def reads_links(self) -> bool:
        """Whether ready links can be of use: of sides as they are, and none of sides that are translated."""
        return False

    @property
    def key(self) -> list[Any]:
        """What decides the steps before the links."""
        own = self.pipeline
        before = [own.translating, own.running.markers, own.tagging, own.target_roles, own.languages]
        return before if self.options == ApproachOptions() else [*before, self.options]

    def with_pipeline(self, **options: Any) -> Approach:
        """The same way, with other options of the pipeline."""
        return replace(self, pipeline=Pipeline(**{**self.pipeline.to_dict(), **options}))

    def by_seed(self) -> Iterator[tuple[str, Approach]]:
        """Itself for each seed, with what its name ends in."""
        yield "", self

    def to_dict(self) -> dict[str, Any]:
        """What is not at its default, of the way, of training and of the pipeline."""
        training = {name: value for name, value in self.training.changes().items() if name in TRAINING}
        return {**self.options.changes(), **training, **self.pipeline.to_dict()}

    @property
    def reads(self) -> Iterator[Path]:
        """What options may name of files and folders: models above all, behind a name as well (`spacy:FOLDER`)."""
        for value in self.to_dict().values():
            texts = value if isinstance(value, (list, tuple)) else [value]
            for text in (one for one in texts if isinstance(one, str)):
                names = dict.fromkeys((text, *re.split("[:=]", text, maxsplit=1)))
                yield from (Path(one) for one in names if one and "\0" not in one)

    @property
    def signature(self) -> str | None:
        """One line that tells how labels are made; None where that is not known before they are."""
        return self.named(self.pipeline.signature)

    def named(self, rest: str) -> str:
        """A signature: what this way changes, then the rest of it."""
        known = {**declared(ApproachOptions), **TRAINING}
        changes = {**self.options.changes(), **self.training.changes()}
        return "|".join(
            [*(f"{name}:{known[name].signed(one)}" for name, one in changes.items() if name in known), rest]
        )

    @abstractmethod
    def stages(self, *, has_links: bool) -> Iterator[str]:
        """What is done, in the order in which it is.

        Args:
            has_links: whether there are files of links.
        """

    @abstractmethod
    def calls(self) -> Iterator[Call]:
        """Which models get sentences."""

    def has_costly_steps(self, *, has_links: bool) -> bool:
        """Whether there is more to do than to project: see `Pipeline.has_costly_steps`."""
        return True

    @abstractmethod
    def identity(self, given: Given) -> str:
        """Tells what `run` makes from all other results: see `Pipeline.identity`."""

    @abstractmethod
    def run(self, given: Given, work: Work) -> str:
        """Label sentences, and write the table.

        Returns:
            The signature.

        Raises:
            Error: of data, models or the output.
        """

    def check_tagger_alone(self, what: str) -> None:
        """Raise an error for options of what nothing but a tagger has no part in."""
        if others := [name for name in self.pipeline.to_dict() if name not in _OF_TAGGERS]:
            raise OptionError(f"{others[0]} goes with an approach that projects, and not with {what}")

    def check_tagger(self, what: str) -> None:
        """Raise an error where there is no tagger."""
        if self.pipeline.tagging.tagger is None:
            raise OptionError(f"{what} needs `tagger`, the model that finds the entities")


def target_side(table: pa.Table) -> pa.Table:
    """What is known of target sentences alone."""
    return table.select([name for name in table.schema.names if name in _MADE_OF_TARGET])
