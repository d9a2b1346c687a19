"""What teachers say of the words of text without labels: kept as columns in half precision, and mixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from xner import schema
from xner._support.arrow import flattened, one_array
from xner.errors import Error
from xner.models.network.loading import load_config, model_identity
from xner.models.taggers.tag_schemes import read_tags
from xner.models.taggers.tagger import Tagger, TaggerStage
from xner.pipelines.recipes import Step, stage_step
from xner.pipelines.runner import MODEL_PART_ROWS
from xner.training.data import label_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pyarrow as pa

__all__ = ["SoftLabels", "Teacher", "mixed"]

Floats = npt.NDArray[np.float32]

_WHAT: Final = "a teacher"


@dataclass(frozen=True, slots=True)
class Teacher:
    """A tagger that labels text for a student. Make one with `Teacher.find`.

    Attributes:
        model: name on the Hugging Face hub, or folder.
        classes: new names of its classes.
        revision: tells its content from that of all others.
    """

    model: str
    classes: Mapping[str, str]
    revision: str

    @classmethod
    def find(cls, model: str, classes: Mapping[str, str] | None = None) -> Teacher:
        """Find a token-classification model.

        Args:
            model: name on the Hugging Face hub, or folder.
            classes: what classes become, `O` for none, `*` for all that are not named; the model need not have all.

        Raises:
            Error: there is no such model, or its labels cannot be read.
        """
        config = load_config(model, kind="token-classification model", what=_WHAT)
        renamed = {}
        for name in read_tags(config.id2label, model).classes:
            new = (classes or {}).get(name, (classes or {}).get("*", name))
            if new != name:
                renamed[name] = new
        return cls(model, renamed, model_identity(model, what=_WHAT))

    def step(self, name: str, *, device: str = "auto", part_rows: int = MODEL_PART_ROWS) -> Step:
        """The step that adds its `ner_probabilities`, in half precision, to a table with `tokens`.

        Args:
            name: of the step.
            device: as for `Tagger.load`.
            part_rows: rows whose labels are kept at once.
        """

        def load() -> TaggerStage:
            return TaggerStage(Tagger.load(self.model, classes=self.classes, device=device), "scores", float16=True)

        return stage_step(name, load, key=[self.revision, dict(self.classes), device], part_rows=part_rows)


@dataclass(frozen=True, slots=True, eq=False)
class SoftLabels:
    """Distributions of words.

    Attributes:
        names: of the labels, IOB2.
        probabilities: float32, words × labels, sentence after sentence.
    """

    names: tuple[str, ...]
    probabilities: Floats

    @classmethod
    def read(cls, table: pa.Table) -> SoftLabels:
        """The `ner_probabilities` of a table.

        Raises:
            Error: they do not say which labels they are of.
        """
        names = schema.ner_label_names(table.schema.field(schema.NER_PROBABILITIES))
        if names is None:
            raise Error(f"the column '{schema.NER_PROBABILITIES}' does not name its labels")
        values = flattened(flattened(one_array(table.column(schema.NER_PROBABILITIES))))
        return cls(names, values.to_numpy().astype(np.float32).reshape(-1, len(names)))

    @property
    def classes(self) -> set[str]:
        """Of entities."""
        return {name[2:] for name in self.names if name != "O"}

    def under(self, names: Sequence[str]) -> Floats:
        """The probabilities in the order of names, 0 for labels that are not known."""
        result = np.zeros((len(self.probabilities), len(names)), np.float32)
        for column, name in enumerate(self.names):
            result[:, names.index(name)] = self.probabilities[:, column]
        return result


def mixed(opinions: Sequence[SoftLabels], weights: Sequence[float]) -> SoftLabels:
    """The weighted mean of what several teachers say of the same words.

    The labels are those of all classes of all teachers, in the order of `label_names`. A teacher that does not know a
    class says `O` of its entities; what it gives to `O` is therefore shared among `O` and the labels it does not know,
    in the proportions of the weighted mean of the teachers that know all classes.

    Args:
        opinions: at least one.
        weights: one each, above 0, of sum 1.

    Returns:
        Rows of sum 1.

    Raises:
        Error: no teacher knows all classes.

    Source: Wu, Lin, Karlsson, Lou, Huang 2020 (arXiv 2004.12440), section 3.3; there all teachers have the same labels.
    """
    names = label_names(set().union(*(one.classes for one in opinions)))
    complete = [set(one.names) == set(names) for one in opinions]
    if not any(complete):
        known = "; ".join(", ".join(sorted(one.classes)) for one in opinions)
        raise Error(f"none of the teachers knows all classes ({known}): rename or ignore those that differ")
    aligned = [one.under(names) for one in opinions]
    pairs = list(zip(aligned, weights, strict=True))
    reference = _weighted_sum(pair for pair, knows in zip(pairs, complete, strict=True) if knows)
    for one, said, knows in zip(opinions, aligned, complete, strict=True):
        if not knows:
            _share_outside(said, reference, [name == "O" or name not in one.names for name in names])
    mean = _weighted_sum(pairs)
    return SoftLabels(tuple(names), mean / mean.sum(axis=1, keepdims=True))


def _weighted_sum(pairs: Iterable[tuple[Floats, float]]) -> Floats:
    result: Floats = np.sum([np.float32(weight) * one for one, weight in pairs], axis=0)
    return result


def _share_outside(said: Floats, reference: Floats, outside: Sequence[bool]) -> None:
    """Share what a teacher gives to `O`, the first column, among labels, in the proportions of other distributions.

    Args:
        said: of the teacher, words × labels; changed in place.
        reference: likewise, of others.
        outside: the labels among which it is shared.
    """
    shares = reference[:, outside]
    total = shares.sum(axis=1)
    # Where the others exclude all of these, O it stays.
    words = np.flatnonzero(total > 0)
    said[np.ix_(words, np.flatnonzero(outside))] = said[words, :1] * shares[words] / total[words, None]
