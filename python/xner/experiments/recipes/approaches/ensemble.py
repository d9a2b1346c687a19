"""An ensemble: what translate-test says of each target word, averaged with what taggers say of it.

Source: Ebing, Glavaš 2025, *The Devil Is in the Word Alignment Details: On Translation-Based Cross-Lingual Transfer for
Token Classification Tasks*, arXiv 2505.10507, where the other tagger is one that was trained on translations.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from xner import io, labels, schema
from xner._support.arrow import list_lengths, one_array, pylist, with_columns
from xner.errors import OptionError
from xner.experiments.recipes.approaches.base import Call, Given, Work, target_side
from xner.experiments.recipes.approaches.projection import TranslateTest
from xner.pipelines import recipes
from xner.pipelines.identity import fingerprint
from xner.pipelines.recipes import Step, stage_step, step_of
from xner.training.distillation.soft_labels import SoftLabels, mixed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from xner.models.taggers.tagger import TaggerStage

__all__ = ["SOURCE_PROBABILITIES", "Ensemble", "carried"]

SOURCE_PROBABILITIES: Final = "source_ner_probabilities"
"""The column of what a tagger says of the source words, as `ner_probabilities` is of the target words."""

_OUTSIDE: Final = "O"


class Ensemble(TranslateTest):
    """What translate-test says of each word, averaged with what other taggers say of it."""

    def check(self) -> None:
        """See `Approach`."""
        super().check()
        if not self.options.members:
            raise OptionError("approach='ensemble' needs `members`, the taggers of target words")

    def stages_there(self) -> Iterator[str]:
        """See `TranslateTest`."""
        yield from (f"tag the target words ({one})" for one in self.options.members)
        yield from super().stages_there()

    def stages(self, *, has_links: bool) -> Iterator[str]:
        """See `Approach`."""
        *before, last = super().stages(has_links=has_links)
        yield from [*before, "average", last]

    def calls(self) -> Iterator[Call]:
        """See `Approach`."""
        yield from super().calls()
        yield from (Call(one, "tagging", repr(self.key)) for one in self.options.members)

    def identity(self, given: Given) -> str:
        """See `Approach`."""
        members = [stage.identity for stage in self._members()]
        return fingerprint({}, {"translate-test": super().identity(given), "members": members})

    def source_tags(self) -> Step:
        """See `TranslateTest`; the distributions are kept as well."""
        stage = self.pipeline.tagging.stage(["source", "scores"])

        def tag(batch: pa.RecordBatch) -> pa.RecordBatch:
            sources = pa.record_batch({schema.TOKENS: batch.column(schema.SOURCE_TOKENS)})
            found = stage(sources)
            said = found.schema.field(schema.NER_PROBABILITIES).with_name(SOURCE_PROBABILITIES)
            columns: dict[str | pa.Field[Any], pa.Array[Any]] = {
                schema.SOURCE_ENTITIES: found.column(schema.SOURCE_ENTITIES),
                said: found.column(schema.NER_PROBABILITIES),
            }
            return with_columns(batch, columns)

        return stage_step("source-tags", lambda: tag, key=["with distributions", stage.identity])

    def run(self, given: Given, work: Work) -> str:
        """See `Approach`."""
        table = target_side(given.table)
        done = self.pipeline.run(
            table, recipe=self.recipe(), steps=work.steps, resume=work.resume, progress=work.progress, told=work.told
        )
        opinions = []
        for place, stage in enumerate(self._members(), 1):
            step = step_of(f"member-{place}", stage)
            said = recipes.run(
                table.select([schema.TOKENS]),
                [step],
                work.steps,
                reuse=work.resume,
                report=work.progress,
                told=work.told,
            )
            opinions.append(SoftLabels.read(said))
        is_translated = list_lengths(one_array(done.table.column(schema.SOURCE_TOKENS))) > 0
        mean = _mean(carried(done.table), opinions, _by_word(is_translated, done.table))
        io.write(_labelled(table, mean), work.output)
        return self.named(done.signature)

    def _members(self) -> list[TaggerStage]:
        tagging = self.pipeline.tagging
        return [replace(tagging, tagger=one).stage(["scores"]) for one in self.options.members]


def carried(table: pa.Table) -> SoftLabels:
    """What a tagger says of source words, carried over to the target words.

    A word of a projected entity has the mean distribution of the source entity's words, where what they give to a class
    goes to its `B-` for the entity's first target word and to its `I-` for the others. Another word has the mean of the
    words that it is linked with, those of projected entities apart, and is `O` where there are none.

    Args:
        table: has `source_tokens`, `source_entities`, `source_ner_probabilities`, `tokens`, `links` and `entities`.

    Returns:
        Of all target words, sentence after sentence, rows of sum 1.
    """
    said = SoftLabels.read(pa.table([table.column(SOURCE_PROBABILITIES)], schema=pa.schema([_as_probabilities(table)])))
    ends = [
        np.cumsum(list_lengths(one_array(table.column(name)))).tolist()
        for name in (schema.SOURCE_TOKENS, schema.TOKENS)
    ]
    found = np.zeros((ends[1][-1] if ends[1] else 0, len(said.names)), np.float32)
    columns = (pylist(table.column(name)) for name in (schema.SOURCE_ENTITIES, schema.ENTITIES, schema.LINKS))
    source_start = start = 0
    for sources, entities, links, source_end, end in zip(*columns, *ends, strict=True):
        own = said.probabilities[source_start:source_end]
        found[start:end] = _carried(own, said.names, end - start, sources or (), entities or (), links or ())
        source_start, start = source_end, end
    return SoftLabels(said.names, found)


def _as_probabilities(table: pa.Table) -> pa.Field[Any]:
    return table.schema.field(SOURCE_PROBABILITIES).with_name(schema.NER_PROBABILITIES)


def _carried(
    said: npt.NDArray[np.float32],
    names: Sequence[str],
    words: int,
    sources: Sequence[Mapping[str, Any]],
    entities: Sequence[Mapping[str, Any]],
    links: Sequence[Mapping[str, Any]],
) -> npt.NDArray[np.float32]:
    """`carried`, of a sentence of so many target words."""
    outside = names.index(_OUTSIDE)
    beginnings = [column for column, name in enumerate(names) if name.startswith("B-")]
    insides = [names.index(f"I-{names[column][2:]}") for column in beginnings]
    is_taken = np.zeros(len(said), bool)
    for entity in entities:
        source = sources[entity["source"]]
        is_taken[source["start"] : source["end"]] = True
    sums, counts = np.zeros((words, len(names)), np.float64), np.zeros(words, np.int64)
    for link in links:
        if not is_taken[link["source"]]:
            sums[link["target"]] += said[link["source"]]
            counts[link["target"]] += 1
    sums[counts == 0, outside] = 1
    sums /= np.maximum(counts, 1)[:, None]
    for entity in entities:
        source = sources[entity["source"]]
        mean = said[source["start"] : source["end"]].mean(axis=0, dtype=np.float64)
        by_class = mean[beginnings] + mean[insides]
        span = slice(entity["start"], entity["end"])
        sums[span] = 0
        sums[span, outside] = mean[outside]
        sums[span, insides] = by_class
        sums[entity["start"], insides] = 0
        sums[entity["start"], beginnings] = by_class
    return sums.astype(np.float32)


def _mean(test: SoftLabels, opinions: Sequence[SoftLabels], is_translated: npt.NDArray[np.bool_]) -> SoftLabels:
    """The mean of all; of what translate-test has no translation for, that of the others."""
    mean = mixed([test, *opinions], [1 / (1 + len(opinions))] * (1 + len(opinions)))
    if not is_translated.all():
        others = mixed(opinions, [1 / len(opinions)] * len(opinions)).under(mean.names)
        mean.probabilities[~is_translated] = others[~is_translated]
    return mean


def _by_word(rows: npt.NDArray[np.bool_], table: pa.Table) -> npt.NDArray[np.bool_]:
    return np.repeat(rows, list_lengths(one_array(table.column(schema.TOKENS))))


def _labelled(table: pa.Table, mean: SoftLabels) -> pa.Table:
    """The sentences with the most probable labels, as entities spell them."""
    tokens = one_array(table.column(schema.TOKENS))
    likeliest = np.array(mean.names)[mean.probabilities.argmax(axis=1)] if len(mean.probabilities) else []
    rows = np.split(np.asarray(likeliest), np.cumsum(list_lengths(tokens))[:-1])
    found = labels.decode_batch([list(map(str, row)) for row in rows] if len(tokens) else [])
    status = pa.array(["ok"] * len(tokens), pa.string()).dictionary_encode()
    made = {schema.LABELS: labels.encode_batch(found, tokens), schema.STATUS: status.cast(schema.STATUS_TYPE)}
    return with_columns(table, made)
