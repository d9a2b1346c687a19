"""How far projection can get: what F1 it reaches at most where both sides were labelled by themselves.

Gold labels of both sides that people gave independently, as those of Universal NER, do not agree everywhere: a name
becomes an adjective, a class is seen otherwise, a word is forgotten. What the source side does not have, no projection
can give.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xner import labels
from xner._support.arrow import pylist
from xner._support.sentences import to_arrow
from xner.errors import DataError, Error
from xner.evaluation._sides import GOLD, ignored_classes
from xner.evaluation.entities import ClassScores
from xner.projection.matching.solving import match

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from xner._support.sentences import Sentences
    from xner.evaluation.entities import Mode

__all__ = ["Reach", "reach"]


@dataclass(frozen=True, slots=True)
class Reach:
    """The result of `reach`.

    Attributes:
        per_class: for each class of either side, entities that both share (`tp`), source entities without a partner
            (`fp`) and gold entities without one (`fn`).
    """

    per_class: Mapping[str, ClassScores]

    @property
    def micro(self) -> ClassScores:
        """The counts of all classes together."""
        every = self.per_class.values()
        return ClassScores(*(sum(getattr(one, name) for one in every) for name in ("tp", "fp", "fn")))

    def upper_bound(self, name: str | None = None) -> float:
        """F1 of a projection that gives each shared entity its words, and leaves out what has no partner.

        Args:
            name: of a class; None for all together.
        """
        found = self._of(name)
        return ClassScores(found.tp, 0, found.fn).f1

    def all_projected(self, name: str | None = None) -> float:
        """F1 of a projection that gives each shared entity its words, and has to put those without a partner somewhere.

        Args:
            name: of a class; None for all together.
        """
        return self._of(name).f1

    def _of(self, name: str | None) -> ClassScores:
        return self.micro if name is None else self.per_class.get(name, ClassScores(0, 0, 0))


def reach(
    source_entities: Iterable[Sequence[Mapping[str, Any]] | None],
    gold_labels: Sentences,
    *,
    links: Iterable[Sequence[Mapping[str, Any]] | None] | None = None,
    mode: Mode = "lenient",
    ignore: Sequence[str] = (),
) -> Reach:
    """Count the entities that both sides of sentence pairs share, and so what a perfect projection could reach.

    A projection keeps the class, and gives a source entity to one span at most. So a gold entity can be found only if
    its sentence has a source entity of its class that is not spent on another one: of each class, as many are shared
    as the side that has fewer has. No links are needed for that, and no projection of whatever links passes it. With
    links that are known to be correct, hand-made ones say, the two must also have linked words: entities are paired so
    that most are shared. Links that an aligner made are no measure of what could be reached, and results of runs do
    without.

    What is bounded is one projection an entity. A run with a constraint that asks for more (`n=2`) may pass it, as
    may one whose filters change entities into several.

    Args:
        source_entities: of each sentence, with `start`, `end` and `label`; None for a sentence without.
        gold_labels: the tags of each sentence's target words, in any form that `evaluate` takes.
        links: correct ones of each sentence, with `source` and `target`; None where there are none.
        mode: how tags are read, as in `evaluate`.
        ignore: classes that are left out on both sides.

    Raises:
        DataError: something that is not a tag, or a sentence without labels.
        Error: different numbers of sentences, or an unusable argument.
    """
    ignored = ignored_classes(ignore)
    tags = to_arrow(gold_labels, GOLD)
    sources = list(source_entities)
    linked = [None] * len(sources) if links is None else list(links)
    for name, count in (("source_entities", len(sources)), ("links", len(linked))):
        if count != len(tags):
            raise Error(f"{GOLD} has {len(tags)} sentences but {name} has {count}")
    shared: Counter[str] = Counter()
    of_source: Counter[str] = Counter()
    of_gold: Counter[str] = Counter()
    gold = pylist(labels.decode_batch(tags, reading=mode, column=GOLD))
    for row, (one, other) in enumerate(zip(sources, gold, strict=True)):
        if not tags[row].is_valid:
            raise DataError(row, GOLD, "null", "a sentence without labels cannot be scored")
        left = [entity for entity in one or () if entity["label"] not in ignored]
        right = [entity for entity in other if entity["label"] not in ignored]
        counts = [Counter(entity["label"] for entity in side) for side in (left, right)]
        of_source += counts[0]
        of_gold += counts[1]
        shared += counts[0] & counts[1] if links is None else _linked(left, right, linked[row] or ())
    names = sorted({*of_source, *of_gold})
    return Reach(
        {
            name: ClassScores(shared[name], of_source[name] - shared[name], of_gold[name] - shared[name])
            for name in names
        }
    )


def _linked(
    source: Sequence[Mapping[str, Any]], gold: Sequence[Mapping[str, Any]], links: Sequence[Mapping[str, Any]]
) -> Counter[str]:
    """How many entities of each class are the same through links, paired so that most are."""
    pairs = [
        (place, other["start"], other["end"], 1.0)
        for place, one in enumerate(source)
        for other in gold
        if one["label"] == other["label"]
        and any(
            one["start"] <= link["source"] < one["end"] and other["start"] <= link["target"] < other["end"]
            for link in links
        )
    ]
    chosen = match(pairs, entities=len(source), margins=False).pairs
    return Counter(source[entity]["label"] for entity, _ in chosen)
