"""Projection of character spans from a text onto its translation, for callers who have texts rather than words.

    found = xner.project_spans("Angela Merkel visited Madrid.", "Merkel war in Madrid.", [(0, 13, "PER")])
    [(span.text, span.label) for span in found.spans]

Offsets are those of Python's own strings: Unicode code points, of the exact texts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, overload

from xner._support.arguments import choose
from xner._support.calls import explained
from xner._support.options import documented
from xner._support.pages import Html, element
from xner._support.records import entity_tuples, items_of, link_tuples
from xner._support.tables import html_table
from xner.alignment.aligner import Aligner
from xner.errors import DataError, Error, OptionError
from xner.labels.tags import check_classes
from xner.projection.nested import NESTED, Nested, check_overlaps, layers_for
from xner.projection.options import ProjectionOptions
from xner.projection.sentence import project
from xner.text.word_splitting import choose_splitter, words_within

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Unpack

    import pyarrow as pa

    from xner._support.records import EntitiesLike, LinksLike
    from xner._support.sentences import Sentences
    from xner.projection._keywords import ProjectionKeywords
    from xner.projection.sentence import ProjectedEntity
    from xner.text.word_splitting import Word, WordSplitter

__all__ = ["ProjectedSpan", "SpanAligner", "SpanProjection", "UnprojectedSpan", "project_spans"]

LinkUnit: TypeAlias = Literal["words", "characters"]
_UNITS = {"words": False, "characters": True}
_Links: TypeAlias = list[tuple[int, int, float | None]]


class SpanAligner(Protocol):
    """What links words: an `xner.Aligner`, an `xner.EncoderAligner`, or anything alike."""

    def align(self, source_sentences: Sentences, target_sentences: Sentences) -> pa.ListArray[Any]:
        """Links of sentence pairs; see `xner.Aligner.align`."""


@dataclass(frozen=True, slots=True)
class ProjectedSpan:
    """A span of the target text.

    Attributes:
        start: its first character.
        end: one past its last character.
        label: its class.
        text: the characters `[start, end)` of the target text.
        score: of the source span and this one, see `ProjectedEntity`.
        margin: how much the next best choice is worse, likewise.
        source: index of the source span, in the caller's order.
        snapped: whether the source span began or ended elsewhere than words do, and counted as the whole words that it
            touches.
    """

    start: int
    end: int
    label: str
    text: str
    score: float
    margin: float
    source: int
    snapped: bool


@dataclass(frozen=True, slots=True)
class UnprojectedSpan:
    """A span of the source text that has none in the target text.

    Attributes:
        start: its first character in the source text.
        end: one past its last character.
        label: its class.
        source: its index, in the caller's order.
        reason: `no_words` (nothing but white space is in it), `empty_target` (the target text has no words),
            `no_links` (none of its words is linked), `no_match` (they are, but to no span that the options allow and
            that no better one has taken), `left_out` (it shares words with another span, and `nested` leaves it out),
            or what `Projection.status` says of the sentence: `infeasible`, `not_solved`.
    """

    start: int
    end: int
    label: str
    source: int
    reason: str


@dataclass(frozen=True, slots=True)
class SpanProjection:
    """What projecting the spans of one text gave.

    Attributes:
        spans: in the target text, by position.
        unprojected: the source spans that have none there, in the caller's order.
        source_text: as it was given.
        target_text: likewise.
        source_words: of the source text, with their places.
        target_words: likewise.
        links: `(source, target, score)` of these words, the score None where a link has none.
    """

    spans: tuple[ProjectedSpan, ...]
    unprojected: tuple[UnprojectedSpan, ...]
    source_text: str = field(compare=False)
    target_text: str = field(compare=False)
    source_words: tuple[Word, ...] = field(compare=False)
    target_words: tuple[Word, ...] = field(compare=False)
    links: tuple[tuple[int, int, float | None], ...] = field(compare=False)

    def __repr__(self) -> str:
        shown = [f"{one.label} {one.text!r} [{one.start}, {one.end})" for one in self.spans]
        shown += [f"{one.label} {self.source_text[one.start : one.end]!r}: {one.reason}" for one in self.unprojected]
        return f"{type(self).__name__}({'; '.join(shown) or 'no spans'})"

    def _repr_html_(self) -> str:
        rows = [["span", "class", "characters", "score", "margin", "source span", ""]]
        for one in self.spans:
            place, note = f"{one.start}–{one.end}", "snapped to whole words" if one.snapped else ""
            figures = [f"{one.score:.3g}", f"{one.margin:.3g}", str(one.source)]
            rows.append([one.text, one.label, place, *figures, note])
        for missing in self.unprojected:
            text = self.source_text[missing.start : missing.end]
            rows.append([text, missing.label, "", "", "", str(missing.source), missing.reason])
        caption = f"{len(self.spans)} spans projected, {len(self.unprojected)} not"
        sentence = _highlighted(self.target_text, [(one.start, one.end, one.label) for one in self.spans])
        return element("p", sentence, dir="auto") + html_table(rows, caption)


@overload
def project_spans(
    source_text: str,
    target_text: str,
    spans: EntitiesLike,
    *,
    source_language: str | WordSplitter = "characters",
    target_language: str | WordSplitter = "characters",
    aligner: SpanAligner | None = None,
    links: LinksLike | None = None,
    link_unit: LinkUnit = "words",
    nested: Nested = "keep",
    **options: Unpack[ProjectionKeywords],
) -> SpanProjection: ...
@overload
def project_spans(
    source_text: Sequence[str],
    target_text: Sequence[str],
    spans: Iterable[EntitiesLike | None],
    *,
    source_language: str | WordSplitter = "characters",
    target_language: str | WordSplitter = "characters",
    aligner: SpanAligner | None = None,
    links: Iterable[LinksLike | None] | None = None,
    link_unit: LinkUnit = "words",
    nested: Nested = "keep",
    **options: Unpack[ProjectionKeywords],
) -> list[SpanProjection]: ...
@explained(
    tables="it takes a text, its translation and spans, or lists of them, such as `table['text'].to_pylist()`",
    lacking={"spans": "of the source text, as [(0, 4, 'PER')], in characters"},
)
@documented(ProjectionOptions)
def project_spans(
    source_text: str | Sequence[str],
    target_text: str | Sequence[str],
    spans: Any,
    *,
    source_language: str | WordSplitter = "characters",
    target_language: str | WordSplitter = "characters",
    aligner: SpanAligner | None = None,
    links: Any = None,
    link_unit: LinkUnit = "words",
    nested: Nested = "keep",
    **options: Unpack[ProjectionKeywords],
) -> SpanProjection | list[SpanProjection]:
    """Project character spans of a text onto its translation; of one pair of texts, or of many.

    Spans are projected by words: one that begins or ends within a word counts as all of that word, and its projection
    says so (`snapped`). Spans that overlap each other are projected apart, as their projections may overlap, too; or
    what `nested` says happens to them.

    Args:
        source_text: a text, or a sequence of texts.
        target_text: its translation, or theirs, as many.
        spans: of the source text: `(start, end, label)` in characters (code points), half-open: tuples, dictionaries,
            objects with these attributes, or spaCy's spans. For a sequence of texts, the spans of each.
        source_language: how the source text is split into words: a code or name of its language (`de`, `yor_Latn`,
            `Yoruba`; most need the extra `words`), the name of a splitter in `xner.text.SPLITTERS`, or a function from
            a text to a list of `xner.text.Word`. By default white space and punctuation separate words, and each
            character of scripts without blanks is one.
        target_language: the same for the target text.
        aligner: what links the words. Without it and `links`, an `xner.Aligner` is fitted on the given pairs, of which
            a few do and more do better.
        links: instead of an aligner, `(source, target)` or `(source, target, score)` with numbers from 0; for a
            sequence of texts, the links of each.
        link_unit: what `links` count: `words`, those that `xner.text.split_words` gives for the text and language; or
            `characters`, any one of the linked words, such as their first ones.
        nested: what to do with spans that share words: `keep`, each is projected by itself; `error`; `outermost` or
            `innermost`, the others have no projection (`left_out`); `compete`, all at once compete for the target
            words.
        **options: those of `ProjectionOptions`.

    Returns:
        The spans of the target text, with scores, margins and source spans, and the reasons for those that are missing;
        a list for a sequence of texts.

    Raises:
        DataError: a span or link outside its text, or one that is none; names the pair, the column and the value.
        Error: different numbers of texts, spans or links; both an aligner and links; options that do not go together,
            or a score that needs more than texts and links.
    """
    of_characters = choose("link_unit", link_unit, _UNITS)
    choose("nested", nested, {one: one for one in NESTED})
    if aligner is not None and links is not None:
        raise OptionError("links beside an aligner: one of the two links the words")
    if aligner is not None and not hasattr(aligner, "align"):
        raise OptionError(f"aligner={aligner!r}: expected an aligner, such as xner.Aligner.fit makes")
    if of_characters and links is None:
        raise OptionError("link_unit='characters' says what links count, and there are none")
    splitters = choose_splitter(source_language), choose_splitter(target_language)
    if isinstance(source_text, str) and isinstance(target_text, str):
        one_links = None if links is None else [links]
        try:
            pairs = _pairs([source_text], [target_text], *splitters)
            return _project_all(pairs, [spans], one_links, of_characters, aligner, nested, options)[0]
        except DataError as error:  # of row 0, where there is no other
            raise DataError(-1, error.column, error.value, error.reason) from None
    for name, given in (("source_text", source_text), ("target_text", target_text)):
        if given is None or isinstance(given, bytes):
            hint = "; `bytes.decode` makes it a text" if isinstance(given, bytes) else ""
            reason = f"expected a text, or a sequence of texts, found {type(given).__name__}{hint}"
            raise DataError(-1, name, repr(given)[:60], reason)
    if isinstance(source_text, str) or isinstance(target_text, str):
        raise Error("expected two texts, or two sequences of texts, found one of each")
    pairs = _pairs(source_text, target_text, *splitters)
    all_links = None if links is None else list(items_of("links", links))
    all_spans = list(items_of("spans", spans))
    return _project_all(pairs, all_spans, all_links, of_characters, aligner, nested, options)


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two texts and their words."""

    row: int
    source_text: str
    target_text: str
    source_words: tuple[Word, ...]
    target_words: tuple[Word, ...]

    def error(self, column: str, value: object, reason: str) -> DataError:
        return DataError(self.row, column, str(value), reason)


@dataclass(frozen=True, slots=True)
class _SourceSpan:
    """A span of the source text, in characters, and the words `[first, last)` that it touches."""

    start: int
    end: int
    label: str
    source: int
    first: int
    last: int
    snapped: bool


def _pairs(
    source_texts: Iterable[str], target_texts: Iterable[str], split_source: WordSplitter, split_target: WordSplitter
) -> list[_Pair]:
    """Texts with their words.

    Raises:
        DataError: something else than a text.
        Error: not as many of one side as of the other.
    """
    sources, targets = list(items_of("source_text", source_texts)), list(items_of("target_text", target_texts))
    if len(sources) != len(targets):
        raise Error(f"{len(sources)} source texts but {len(targets)} target texts")
    for name, texts in (("source_text", sources), ("target_text", targets)):
        for row, text in enumerate(texts):
            if not isinstance(text, str):
                raise DataError(row, name, repr(text)[:60], f"expected a text, found {type(text).__name__}")
    return [
        _Pair(row, source, target, tuple(split_source(source)), tuple(split_target(target)))
        for row, (source, target) in enumerate(zip(sources, targets, strict=True))
    ]


def _project_all(
    pairs: list[_Pair],
    spans: list[Any],
    links: list[Any] | None,
    of_characters: bool,
    aligner: SpanAligner | None,
    nested: Nested,
    options: Any,
) -> list[SpanProjection]:
    """Project the spans of all pairs; errors name the row."""
    for name, given in (("spans", spans), ("links", links)):
        if given is not None and len(given) != len(pairs):
            raise Error(f"{name}: expected those of {len(pairs)} pairs of texts, found those of {len(given)}")
    source_spans = [_source_spans(pair, row) for pair, row in zip(pairs, spans, strict=True)]
    for pair, its in zip(pairs, source_spans, strict=True):
        if nested == "error":
            places = [(one.first, one.last) for one in its]
            check_overlaps([(one.start, one.end, one.label) for one in its], pair.row, column="spans", spans=places)
    if links is None:
        linked = _aligned(pairs, aligner)
    else:
        linked = [_given_links(pair, row, of_characters) for pair, row in zip(pairs, links, strict=True)]
    return [_project(*of_pair, nested, options) for of_pair in zip(pairs, source_spans, linked, strict=True)]


def _source_spans(pair: _Pair, spans: Any) -> list[_SourceSpan]:
    """A text's spans with the words that they touch."""
    length = len(pair.source_text)
    given = [_plain(span) for span in items_of("spans", () if spans is None else spans)]
    try:
        entities = entity_tuples("spans", given)
    except DataError as error:
        raise pair.error("spans", error.value, error.reason) from None
    found = []
    for source, (start, end, label) in enumerate(entities):
        if not 0 <= start < end <= length:
            reason = f"expected a span of the source text, which has {length} characters"
            if start >= end:
                reason = "expected a span of the source text: its end is one past its last character, behind its start"
            raise pair.error("spans", f"[{start}, {end})", f"{reason}{_hint(pair.source_text, end)}")
        if not label:
            raise pair.error("spans", f"[{start}, {end})", "the span has no label")
        check_classes([(start, end, label)], "spans", pair.row)
        first, last = words_within(pair.source_words, start, end)
        exact = first < last and (start, end) == _extent(pair.source_words, first, last)
        found.append(_SourceSpan(start, end, label, source, first, last, not exact))
    return found


def _plain(span: Any) -> Any:
    """A span by its characters where it is one of spaCy's, whose start and end are tokens."""
    if hasattr(span, "start_char") and hasattr(span, "end_char"):
        return span.start_char, span.end_char, span.label_
    return span


def _hint(text: str, end: int) -> str:
    """What the offsets may have been counted in, where they are beyond the text's code points."""
    units = {"UTF-16 units": len(text.encode("utf-16-le", "surrogatepass")) // 2}
    units["bytes of UTF-8"] = len(text.encode("utf-8", "surrogatepass"))
    unit = next((unit for unit, length in units.items() if len(text) < end <= length), None)
    return f"; offsets count Unicode code points, these may be {unit}" if unit else ""


def _aligned(pairs: list[_Pair], aligner: SpanAligner | None) -> list[_Links]:
    """The links that an aligner finds, by default one that is fitted on the pairs."""
    source = [[word.text for word in pair.source_words] for pair in pairs]
    target = [[word.text for word in pair.target_words] for pair in pairs]
    found = (Aligner.fit(source, target) if aligner is None else aligner).align(source, target)
    return [[(link["source"], link["target"], link.get("score")) for link in row or ()] for row in found.to_pylist()]


def _given_links(pair: _Pair, links: Any, of_characters: bool) -> _Links:
    """Links between words from links of words or characters."""
    try:
        given = link_tuples("links", () if links is None else links)
    except DataError as error:
        raise pair.error("links", error.value, error.reason) from None
    find = _word_at if of_characters else _word_number
    sides = (("source", pair.source_text, pair.source_words), ("target", pair.target_text, pair.target_words))
    found = []
    for *ends, score in given:
        source, target = (
            find(pair, side, text, words, end) for (side, text, words), end in zip(sides, ends, strict=True)
        )
        found.append((source, target, score))
    return found


def _word_number(pair: _Pair, side: str, text: str, words: Sequence[Word], number: int) -> int:
    if not 0 <= number < len(words):
        raise pair.error("links", number, f"the {side} text has {len(words)} words")
    return number


def _word_at(pair: _Pair, side: str, text: str, words: Sequence[Word], place: int) -> int:
    """The word that has the character of this place."""
    word, end = words_within(words, place, place + 1)
    if word == end:
        inside = 0 <= place < len(text)
        what = "it is white space" if inside else f"the text has {len(text)} characters"
        raise pair.error("links", place, f"expected a character of a word of the {side} text; {what}")
    return word


def _project(pair: _Pair, spans: list[_SourceSpan], links: _Links, nested: Nested, options: Any) -> SpanProjection:
    """Project the spans of one pair, layer by layer."""
    projected: list[ProjectedSpan] = []
    reasons = {span.source: "no_words" if span.first == span.last else "left_out" for span in spans}
    linked = {source for source, *_ in links}
    scores = [score for *_, score in links if score is not None]
    for layer in _layers([span for span in spans if span.first < span.last], nested):
        found = project(
            [word.text for word in pair.target_words],
            [(span.first, span.last, span.label) for span in layer],
            [(source, target) for source, target, _ in links],
            link_scores=scores if scores and len(scores) == len(links) else None,
            source_tokens=[word.text for word in pair.source_words],
            nested="compete",  # or none overlap
            **options,
        )
        projected += [_in_text(pair, entity, layer[entity.source]) for entity in found.entities]
        for span in layer:
            has_links = not linked.isdisjoint(range(span.first, span.last))
            reasons[span.source] = _REASONS.get(found.status) or ("no_match" if has_links else "no_links")
    has_result = {span.source for span in projected}
    missing = [
        UnprojectedSpan(span.start, span.end, span.label, span.source, reasons[span.source])
        for span in spans
        if span.source not in has_result
    ]
    projected.sort(key=lambda span: (span.start, -span.end, span.source))
    return SpanProjection(
        tuple(projected),
        tuple(missing),
        pair.source_text,
        pair.target_text,
        pair.source_words,
        pair.target_words,
        tuple(links),
    )


# Of a whole sentence, whatever its spans; other statuses differ between them.
_REASONS = {status: status for status in ("empty_target", "infeasible", "not_solved")}


def _layers(spans: list[_SourceSpan], nested: Nested) -> list[list[_SourceSpan]]:
    """Spans in lists that are projected together, the longer ones first."""
    numbers = layers_for([(span.first, span.last) for span in spans], nested)
    wanted = range(max(numbers, default=-1) + 1)
    return [[span for span, its in zip(spans, numbers, strict=True) if its == one] for one in wanted]


def _in_text(pair: _Pair, entity: ProjectedEntity, span: _SourceSpan) -> ProjectedSpan:
    """A projected entity as characters of the target text."""
    start, end = _extent(pair.target_words, entity.start, entity.end)
    text = pair.target_text[start:end]
    return ProjectedSpan(start, end, entity.label, text, entity.score, entity.margin, span.source, span.snapped)


def _extent(words: Sequence[Word], first: int, last: int) -> tuple[int, int]:
    """The characters from the first word to the one before the last."""
    return words[first].start, words[last - 1].end


def _highlighted(text: str, spans: Iterable[tuple[int, int, str]]) -> Html:
    """A text with its spans marked; of those that overlap the first one."""
    parts: list[str] = []
    at = 0
    for start, end, label in spans:
        if start >= at:
            parts += [text[at:start], element("mark", text[start:end], element("small", label, dir="ltr"))]
            at = end
    return element("span", *parts, text[at:])
