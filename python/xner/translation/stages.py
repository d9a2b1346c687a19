"""Stages that translate: the target side from the source side, the source side from the target side, and back.

    stage = TargetTranslation(Direction(Translator.load("facebook/nllb-200-distilled-600M"), "en", "yo"))
    table = stage(table)

Each calls its translator once a batch with all its texts, or with markers three times: a whole corpus as one batch
serves it best. What they do is also there as functions, whose translator is a function from texts to translations with
statuses.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

import pyarrow as pa
import pyarrow.compute as pc

from xner import labels, schema
from xner._support.arrow import joined_strings, one_array, with_columns
from xner._support.progress import Reporter, logger, silent
from xner._support.stages import identity_of, run_stage
from xner.errors import DataError, Error
from xner.text.detokenization import detokenize
from xner.text.word_splitting import splitter_for
from xner.translation.marked import evenly, translate_marked, try_markers

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from xner._support.arrow import ArrowRows, Rows
    from xner.text.word_splitting import WordSplitter
    from xner.translation.direction import Direction
    from xner.translation.marked import MarkedTranslation, Translate
    from xner.translation.markers import MarkerStyle

__all__ = [
    "BackTranslation",
    "MarkedAdoption",
    "SourceTranslation",
    "TargetTranslation",
    "adopt_marked",
    "choose_markers",
    "labelled_sample",
    "outer_entities",
    "translate_back",
    "translate_source",
    "translate_target",
]

# Statuses of translations that are used. A copy is no training data in the target language, but can be tagged well.
_GOOD_TARGETS: Final = frozenset({"ok"})
_GOOD_SOURCES: Final = frozenset({"ok", "copied"})


@dataclass(frozen=True, slots=True)
class _Translation(ABC):
    """What stages that translate have in common.

    Attributes:
        into: the translator, from the language of what is there into the wanted one.
        words: how translations are split into words: a name of `word_splitting.SPLITTERS`; None goes by the language.
        by_blanks: whether words are joined with blanks; else as text is written, see `xner.text.detokenize`.
    """

    into: Direction
    words: str | None = None
    by_blanks: bool = False

    @property
    @abstractmethod
    def reads(self) -> tuple[str, ...]:
        """The columns that it needs."""

    @property
    @abstractmethod
    def writes(self) -> tuple[str, ...]:
        """The columns that it makes, in place of those that may be there."""

    @abstractmethod
    def _translate(self, rows: pa.RecordBatch, translate: Translate) -> pa.RecordBatch:
        """Translate a batch."""

    @property
    def _options(self) -> dict[str, object]:
        own = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "into"}
        return own | {"words": self.words or self.into.target_language}

    @property
    def signature(self) -> str:
        """One line that tells how texts were translated: the model, the languages, and all options."""
        options = [f"{name}:{value}" for name, value in self._options.items()]
        return "|".join([self.into.signature, f"stage:{type(self).__name__}", *options])

    @property
    def identity(self) -> str:
        """Tells what decides the output, the weights' content above all, from all others."""
        return identity_of(type(self).__name__, self.into.identity, self._options)

    def __call__(self, rows: Rows, *, progress: Reporter = silent) -> Rows:
        """Translate; every row stays where it is.

        Args:
            rows: a record batch or table with the columns of `reads`.
            progress: told `translate`, the distinct texts done, and their number.

        Returns:
            The same kind of object with the columns of `writes`.

        Raises:
            DataError: an entity outside its sentence.
            Error: a column is missing, or the translator fails.
        """
        translate = partial(self.into.translate, progress=progress)
        return run_stage(lambda batch: self._translate(batch, translate), rows)

    def choose_markers(self, rows: ArrowRows, *, told: Callable[[str], None] = logger.info) -> MarkerStyle:
        """The style of markers that the translator leaves whole most often: see the function `choose_markers`."""
        return choose_markers(rows, self.into.translate, self._split, join=self._join, told=told)

    @property
    def _split(self) -> WordSplitter:
        return splitter_for(self.words or self.into.target_language)

    @property
    def _join(self) -> Callable[[Sequence[str]], str]:
        return " ".join if self.by_blanks else detokenize


_TRANSLATED: Final = (schema.TRANSLATION, schema.TRANSLATION_STATUS)


@dataclass(frozen=True, slots=True)
class TargetTranslation(_Translation):
    """Translates the source side: see `translate_target`.

    Attributes:
        markers: how entities are marked; None translates plainly.
        threshold: see `xner.translation.markers.assign`.
        keep_bad: whether rows keep the words of translations that are cut, repeat themselves or copy the source.
    """

    markers: MarkerStyle | None = None
    threshold: float = 0.5
    keep_bad: bool = False

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns that it needs."""
        return (schema.SOURCE_TOKENS,) if self.markers is None else (schema.SOURCE_TOKENS, schema.SOURCE_ENTITIES)

    @property
    def writes(self) -> tuple[str, ...]:
        """The columns that it makes, in place of those that may be there."""
        marked = () if self.markers is None else (schema.MARKED_ENTITIES, schema.MARKER_PROBLEM)
        return (schema.TOKENS, *_TRANSLATED, *marked)

    def _translate(self, rows: pa.RecordBatch, translate: Translate) -> pa.RecordBatch:
        return translate_target(
            rows,
            translate,
            self._split,
            markers=self.markers,
            threshold=self.threshold,
            join=self._join,
            keep_bad=self.keep_bad,
        )


@dataclass(frozen=True, slots=True)
class SourceTranslation(_Translation):
    """Translates the target side: see `translate_source`.

    Attributes:
        keep_bad: whether rows keep the words of translations that are cut or repeat themselves.
    """

    keep_bad: bool = False
    reads: ClassVar[tuple[str, ...]] = (schema.TOKENS,)
    writes: ClassVar[tuple[str, ...]] = (schema.SOURCE_TOKENS, *_TRANSLATED)

    def _translate(self, rows: pa.RecordBatch, translate: Translate) -> pa.RecordBatch:
        return translate_source(rows, translate, self._split, join=self._join, keep_bad=self.keep_bad)


@dataclass(frozen=True, slots=True)
class BackTranslation(_Translation):
    """Puts the labelled source side into the target language: see `translate_back`.

    Attributes:
        markers: how entities are marked.
        threshold: see `xner.translation.markers.assign`.
    """

    markers: MarkerStyle = "brackets"
    threshold: float = 0.5
    reads: ClassVar[tuple[str, ...]] = (schema.SOURCE_TOKENS, schema.SOURCE_ENTITIES)
    writes: ClassVar[tuple[str, ...]] = (
        schema.PIVOT_TOKENS,
        schema.PIVOT_ENTITIES,
        schema.SOURCE_TOKENS,
        schema.SOURCE_ENTITIES,
        schema.MARKER_PROBLEM,
    )

    def _translate(self, rows: pa.RecordBatch, translate: Translate) -> pa.RecordBatch:
        return translate_back(
            rows, translate, self._split, markers=self.markers, threshold=self.threshold, join=self._join
        )


@dataclass(frozen=True, slots=True)
class MarkedAdoption:
    """Takes the entities that markers gave: see `adopt_marked`.

    Attributes:
        drop_broken: whether rows whose markers broke are dropped.
    """

    drop_broken: bool = False
    writes: ClassVar[tuple[str, ...]] = (schema.ENTITIES, schema.LABELS, schema.STATUS)

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns that it needs."""
        needed = (schema.TOKENS, schema.MARKED_ENTITIES, schema.ENTITIES, schema.LABELS, schema.STATUS)
        return (*needed, schema.MARKER_PROBLEM) if self.drop_broken else needed

    @property
    def signature(self) -> str:
        """One line that tells what is done."""
        return f"markers:adopted|broken:{'dropped' if self.drop_broken else 'projected'}"

    @property
    def identity(self) -> str:
        """Tells this from all other stages."""
        return identity_of("marked-adoption", self.drop_broken)

    def __call__(self, rows: Rows, *, progress: Reporter = silent) -> Rows:
        """Take the entities.

        Args:
            rows: as for `adopt_marked`, as are result and errors.
            progress: told how many rows are done.
        """
        return run_stage(self._adopt, rows, progress=progress)

    def _adopt(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        schema.require_columns(batch.schema, self.reads, "taking entities from markers")
        return _adopt_marked(batch, drop_broken=self.drop_broken)


def translate_target(
    rows: ArrowRows,
    translate: Translate,
    split: WordSplitter,
    *,
    markers: MarkerStyle | None = None,
    threshold: float = 0.5,
    join: Callable[[Sequence[str]], str] = detokenize,
    keep_bad: bool = False,
) -> ArrowRows:
    """Translate the source side: the first step of making training data.

    Args:
        rows: a record batch or table with `source_tokens`, and for markers `source_entities`.
        translate: into the target language.
        split: from a translation to its words.
        markers: how entities are marked; None translates plainly.
        threshold: see `xner.translation.markers.assign`.
        join: makes text of words.
        keep_bad: whether rows keep the words of translations that are cut, repeat themselves or copy the source.

    Returns:
        The same kind of object with the columns `tokens`, `translation` and `translation_status` added or replaced;
        with markers `marked_entities` and `marker_problem` as well, see `adopt_marked`. Rows with
        another status than `ok` have no words, unless `keep_bad`.

    Raises:
        Error: columns missing; as many translations as texts are needed.
        DataError: an entity outside its sentence.
    """
    good = None if keep_bad else _GOOD_TARGETS
    if markers is None:
        return _translate_plainly(rows, schema.SOURCE_TOKENS, schema.TOKENS, translate, split, join, good)
    found = _translate_marked(rows, translate, split, markers, threshold, join)
    words = [[word.text for word in one.words] for one in found]
    columns = _columns(schema.TOKENS, words, [(one.text, one.status) for one in found], good)
    columns[schema.MARKED_ENTITIES] = pa.array(
        [None if one.problem is not None else [_entity(*span) for span in one.entities] for one in found],
        schema.ENTITIES_TYPE,
    )
    columns[schema.MARKER_PROBLEM] = pa.array([one.problem for one in found], pa.string())
    return with_columns(rows, columns)


def translate_source(
    rows: ArrowRows,
    translate: Translate,
    split: WordSplitter,
    *,
    join: Callable[[Sequence[str]], str] = detokenize,
    keep_bad: bool = False,
) -> ArrowRows:
    """Translate the target side into the source language: the first step of labelling target text.

    Args:
        rows: a record batch or table with `tokens`.
        translate: into the source language.
        split: from a translation to its words.
        join: makes text of words.
        keep_bad: as for `translate_target`, but copies stay in any case.

    Returns:
        The same kind of object with the columns `source_tokens`, `translation` and `translation_status`.

    Raises:
        Error: `tokens` is missing; as many translations as texts are needed.
    """
    good = None if keep_bad else _GOOD_SOURCES
    return _translate_plainly(rows, schema.TOKENS, schema.SOURCE_TOKENS, translate, split, join, good)


def translate_back(
    rows: ArrowRows,
    translate: Translate,
    split: WordSplitter,
    *,
    markers: MarkerStyle = "brackets",
    threshold: float = 0.5,
    join: Callable[[Sequence[str]], str] = detokenize,
) -> ArrowRows:
    """Put the labelled source side into the target language, so that target words are aligned with target words.

    The source sentence with its entities in markers is translated; the translation, with the entities that its markers
    give, becomes the source side. Where the markers broke, the row keeps its source side.

    Args:
        rows: a record batch or table with `source_tokens` and `source_entities`.
        translate: from the source language into the target language.
        split: from a translation to its words.
        markers: how entities are marked.
        threshold: see `xner.translation.markers.assign`.
        join: makes text of words.

    Returns:
        The same kind of object. What was the source side is in `pivot_tokens` and `pivot_entities`; `marker_problem`
        says why a row kept it, null where it did not.

    Raises:
        Error: columns missing; as many translations as texts are needed.
        DataError: an entity outside its sentence.

    Source: Politov et al. 2025 (arXiv 2501.18750), back-translation.
    """
    found = _translate_marked(rows, translate, split, markers, threshold, join)
    tokens, entities = (_values(rows, name) for name in (schema.SOURCE_TOKENS, schema.SOURCE_ENTITIES))
    for row, one in enumerate(found):
        if one.problem is None:
            tokens[row] = [word.text for word in one.words]
            entities[row] = [{"start": start, "end": end, "label": label} for start, end, label, _ in one.entities]
    return with_columns(
        rows,
        {
            schema.PIVOT_TOKENS: rows.column(schema.SOURCE_TOKENS),
            schema.PIVOT_ENTITIES: rows.column(schema.SOURCE_ENTITIES),
            schema.SOURCE_TOKENS: pa.array(tokens, schema.WORDS_TYPE),
            schema.SOURCE_ENTITIES: pa.array(entities, schema.SOURCE_ENTITIES_TYPE),
            schema.MARKER_PROBLEM: pa.array([one.problem for one in found], pa.string()),
        },
    )


def adopt_marked(rows: Rows, *, drop_broken: bool = False) -> Rows:
    """Take the entities that markers gave, where they did, instead of those that were projected.

    Args:
        rows: a projected record batch or table that `translate_target` translated with markers.
        drop_broken: whether rows whose markers broke are dropped: they have no entities then and the status
            `row_dropped:` with the problem.

    Returns:
        The same kind of object. Rows with `marked_entities` have these as `entities`, and labels and the status `ok`
        accordingly. Of entities within others, which labels cannot say, only the outer ones stay. Scores and margins
        are null: markers give none.

    Raises:
        Error: columns missing.
    """
    return MarkedAdoption(drop_broken=drop_broken)(rows)


def _adopt_marked(batch: pa.RecordBatch, *, drop_broken: bool) -> pa.RecordBatch:
    columns = [schema.MARKED_ENTITIES, schema.ENTITIES, schema.STATUS]
    found, others, status = schema.conform(batch, columns, narrow=True).columns
    marked, status = outer_entities(found), status.cast(pa.string())
    is_marked = marked.is_valid()
    if drop_broken:
        others = pa.array([[]] * len(batch), schema.ENTITIES_TYPE)
        dropped = joined_strings(schema.ROW_DROPPED, batch.column(schema.MARKER_PROBLEM), "")
        status = pc.coalesce(dropped, status)
    entities = pc.if_else(is_marked, marked, others)
    has_any = pc.greater(pc.list_value_length(marked), pa.scalar(0))
    status = pc.if_else(pc.and_(is_marked, has_any.fill_null(False)), "ok", status)
    return with_columns(
        batch,
        {
            schema.ENTITIES: entities,
            schema.LABELS: labels.encode_batch(entities, batch.column(schema.TOKENS)),
            schema.STATUS: status.dictionary_encode().cast(schema.STATUS_TYPE),
        },
    )


def outer_entities(entities: pa.Array[Any] | pa.ChunkedArray[Any]) -> pa.Array[Any]:
    """Entities without those within others, which labels cannot say.

    Args:
        entities: as `schema.ENTITIES_TYPE`; a missing row stays missing.
    """
    outer = [None if row is None else _outer(row) for row in entities.to_pylist()]
    return pa.array(outer, schema.ENTITIES_TYPE)


def _outer(entities: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that overlap none that was taken before, the longest first; by position."""
    taken: list[dict[str, Any]] = []
    for one in sorted(entities, key=lambda entity: (entity["start"] - entity["end"], entity["start"])):
        if all(one["end"] <= other["start"] or other["end"] <= one["start"] for other in taken):
            taken.append(one)
    return sorted(taken, key=lambda entity: entity["start"])


def _entity(start: int, end: int, label: str, source: int) -> dict[str, Any]:
    return {"start": start, "end": end, "label": label, "score": None, "margin": None, "source": source}


def _with_status(translation: str | tuple[str, str]) -> tuple[str, str]:
    return (translation, "ok") if isinstance(translation, str) else translation


def _translate_plainly(
    rows: ArrowRows,
    origin: str,
    made: str,
    translate: Translate,
    split: WordSplitter,
    join: Callable[[Sequence[str]], str],
    good: Collection[str] | None,
) -> ArrowRows:
    schema.require_columns(rows.schema, [origin], "translation")
    texts = [join(words or ()) for words in _values(rows, origin)]
    translations = [_with_status(one) for one in translate(texts)]
    if len(translations) != len(texts):
        raise Error(f"the translator made {len(translations)} translations of {len(texts)} texts")
    words = [[word.text for word in split(text)] for text, _ in translations]
    return with_columns(rows, _columns(made, words, translations, good))


def labelled_sample(run_over: Callable[[Callable[[Iterable[pa.Table], bool], Any]], Any], sample: int = 50) -> pa.Table:
    """The rows that `choose_markers` tries of rows that come piece by piece, which are read twice for that.

    Args:
        run_over: hands a function the pieces, with `source_entities`, and whether they are there as a whole; gives what
            the function does.
        sample: how many rows that have entities, evenly spread over those.
    """

    def labelled(piece: pa.Table) -> list[int]:
        lengths = pc.list_value_length(piece.column(schema.SOURCE_ENTITIES))
        found: list[int] = pc.indices_nonzero(pc.fill_null(lengths, 0)).to_pylist()
        return found

    def count(pieces: Iterable[pa.Table], _: bool) -> int:
        return sum(len(labelled(piece)) for piece in pieces)

    total = run_over(count)
    wanted = set(evenly(total, sample))

    def pick(pieces: Iterable[pa.Table], _: bool) -> pa.Table:
        found, seen = [], 0
        for piece in pieces:
            rows = labelled(piece)
            picked = [row for place, row in enumerate(rows, seen) if place in wanted]
            found.append(piece.take(pa.array(picked, pa.int64())))
            seen += len(rows)
        return pa.concat_tables(found)

    sample_rows: pa.Table = run_over(pick)
    return sample_rows


def choose_markers(
    rows: pa.RecordBatch | pa.Table,
    translate: Translate,
    split: WordSplitter,
    *,
    sample: int = 50,
    join: Callable[[Sequence[str]], str] = detokenize,
    threshold: float = 0.5,
    told: Callable[[str], None] = logger.info,
) -> MarkerStyle:
    """Which way to mark entities a translator leaves whole most often, by a sample of the rows.

    Args:
        rows: with `source_tokens` and `source_entities`.
        translate: as for `translate_target`, as are the others.
        split: from a translation to its words.
        sample: how many rows that have entities are tried.
        join: makes text of words.
        threshold: see `xner.translation.markers.assign`.
        told: gets a line that says what was found.

    Raises:
        Error: no style comes back whole in at least half of the sample.
    """
    sentences, entities = _labelled_source(rows)
    trial = try_markers(sentences, entities, translate, split, sample=sample, join=join, threshold=threshold)
    style = trial.chosen()
    told(f"markers: {style}; whole came back {trial}" if trial.sentences else f"markers: {style}; nothing is labelled")
    return style


def _translate_marked(
    rows: pa.RecordBatch | pa.Table,
    translate: Translate,
    split: WordSplitter,
    markers: MarkerStyle,
    threshold: float,
    join: Callable[[Sequence[str]], str],
) -> list[MarkedTranslation]:
    sentences, entities = _labelled_source(rows)
    return translate_marked(sentences, entities, translate, split, style=markers, join=join, threshold=threshold)


def _labelled_source(
    rows: pa.RecordBatch | pa.Table,
) -> tuple[list[list[str]], list[list[tuple[int, int, str]]]]:
    """The words and the entities of the source side.

    Raises:
        Error: columns missing.
        DataError: an entity outside its sentence.
    """
    schema.require_columns(rows.schema, [schema.SOURCE_TOKENS, schema.SOURCE_ENTITIES], "translation with markers")
    sentences = [words or [] for words in _values(rows, schema.SOURCE_TOKENS)]
    entities = [
        [(one["start"], one["end"], one["label"]) for one in row or []] for row in _values(rows, schema.SOURCE_ENTITIES)
    ]
    for row, (words, spans) in enumerate(zip(sentences, entities, strict=True)):
        for start, end, _ in spans:
            if not 0 <= start < end <= len(words):
                reason = f"the span is outside the sentence, which has {len(words)} words"
                row_id = rows.column(schema.ID)[row].as_py() if schema.ID in rows.schema.names else None
                raise DataError(row, schema.SOURCE_ENTITIES, f"[{start}, {end})", reason, row_id=row_id)
    return sentences, entities


def _values(rows: pa.RecordBatch | pa.Table, column: str) -> list[Any]:
    """A column's values, of whatever layout it is."""
    found: list[Any] = schema.conform_column(one_array(rows.column(column)), column).to_pylist()
    return found


def _columns(
    name: str, words: list[list[str]], translations: Sequence[tuple[str, str]], good: Collection[str] | None
) -> dict[str, pa.Array[Any]]:
    statuses = [status for _, status in translations]
    kept = [row if good is None or status in good else [] for row, status in zip(words, statuses, strict=True)]
    return {
        name: pa.array(kept, schema.WORDS_TYPE),
        schema.TRANSLATION: pa.array([text for text, _ in translations], pa.string()),
        schema.TRANSLATION_STATUS: pa.array(statuses, pa.string()),
    }
