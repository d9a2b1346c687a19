"""Shifting a labelled corpus: units are chosen at random, changed by edits, and counted afterwards."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xner._support.options import check_names, documented
from xner._version import __version__
from xner.errors import OptionError
from xner.experiments.shift.characters import Characters
from xner.experiments.shift.context import OtherContext
from xner.experiments.shift.edits import apply_to, edits_to_table, read_corpus
from xner.experiments.shift.entities import OtherNames, names_in
from xner.experiments.shift.lengths import CutSentences, JoinedSentences
from xner.experiments.shift.lexicon import CodeSwitch, Transliteration
from xner.experiments.shift.names import lexicon_of, names_of
from xner.experiments.shift.options import UNITS, ShiftOptions, check_material
from xner.experiments.shift.planning import plan, wanted
from xner.experiments.shift.search import harmful, mean_confidence
from xner.experiments.shift.summary import ShiftSummary, changed_classes, changed_units, counts_of
from xner.experiments.shift.words import Words

if TYPE_CHECKING:
    from typing import Unpack

    import pyarrow as pa

    from xner._support.frames import TableLike
    from xner.experiments.shift._keywords import ShiftKeywords
    from xner.experiments.shift.base import Shift
    from xner.experiments.shift.edits import Corpus, Edit, Kind
    from xner.experiments.shift.names import LexiconLike, Name, NamesLike
    from xner.experiments.shift.search import Search
    from xner.models.taggers.tagger import WordTagger

__all__ = ["Shifted", "shift"]

_DIGITS = 12  # of digests in signatures


@dataclass(frozen=True, slots=True)
class Shifted:
    """A shifted corpus.

    Attributes:
        table: `id` if the corpus has it, `tokens`, `labels` (IOB2), and the columns that do not depend on words.
        edits: that make it of the original: `apply_edits(original, edits).table` is `table`.
        summary: how much was changed.
    """

    table: pa.Table
    edits: tuple[Edit, ...]
    summary: ShiftSummary

    def edits_table(self) -> pa.Table:
        """The edits, a row each; see `EDITS_SCHEMA`."""
        return edits_to_table(self.edits)


@documented(ShiftOptions, without=["kind", "severity", "seed"])
def shift(
    table: TableLike,
    kind: Kind,
    *,
    severity: int = 3,
    seed: int = 1,
    names: NamesLike | None = None,
    unseen_in: TableLike | None = None,
    context_from: TableLike | None = None,
    lexicon: LexiconLike | None = None,
    against: WordTagger | None = None,
    search: Search = "worst",
    budget: int = 8,
    **options: Unpack[ShiftKeywords],
) -> Shifted:
    """Perturb a labelled corpus, with labels that follow.

    Units (words, entities, sentences; see `UNITS`) are taken in random order until the share of the severity is
    changed, so that each severity changes what the one before changes, and more. The result depends on the corpus, the
    options and the seed alone. Entities keep their number, order and classes with every kind.

    Args:
        table: of any kind, with `tokens` and `labels` or `entities`.
        kind: `entities` under other names of their class, `context` of other sentences around the same entities,
            `characters` within words, `words` dropped, swapped, split or merged, `code-switch` into another language,
            `transliterate` into Latin letters, or the `length` of sentences.
        severity: 1 to 5, see `SEVERITIES`.
        seed: of all random choices.
        names: with `entities`, what to choose among, in place of the names in the corpus.
        unseen_in: with `entities`, a labelled corpus whose names are not chosen, for training say.
        context_from: with `context`, a labelled corpus whose sentences are taken in place of this one's.
        lexicon: with `code-switch`, translations of words.
        against: a tagger; of the changes that are possible, those are made in which it has the least confidence in the
            right labels (the mean logarithm of their probabilities, word by word). Not with `length`.
        search: with `against`: the `worst` of several whole shifts, sentence by sentence; or `greedy`, the changes that
            each do most harm alone, as many a sentence as the severity wants, but one at least.
        budget: with `against`, how many variants of a sentence it is asked about.
        **options:

    Returns:
        The shifted corpus, the edits that make it, and how much they changed.

    Raises:
        OptionError: a kind or option that there is not, or that does not go with the others.
        Error: the table has no labels.
        DataError: labels that are none, entities that overlap, a word that cannot be transliterated.
        MissingExtraError: the transliterator is not installed.
    """
    check_names(options, ShiftOptions)
    given: dict[str, Any] = {**options}
    chosen = ShiftOptions(kind=kind, severity=severity, seed=seed, **given)
    material = {"names": names, "unseen_in": unseen_in, "context_from": context_from, "lexicon": lexicon}
    if against is None and (search, budget) != ("worst", 8):
        raise OptionError(f"search={search!r}, budget={budget!r}: they go with against")
    check_material(chosen, {name for name, value in material.items() if value is not None})
    corpus = read_corpus(table)
    put_in = _Material(
        names=None if names is None else _of_origin(names_of(names), chosen.origin),
        unseen_in=None if unseen_in is None else sorted(names_in(read_corpus(unseen_in, "unseen_in"))),
        context_from=None if context_from is None else read_corpus(context_from, "context_from"),
        lexicon=None if lexicon is None else lexicon_of(lexicon),
    )
    made = _made(corpus, chosen, put_in)
    searched: list[str] = []
    confidence = None
    if against is None:
        applied = apply_to(corpus, [edit for change in plan(corpus, made, chosen) for edit in change.edits])
    else:
        applied = apply_to(corpus, harmful(corpus, made, chosen, against, search, budget))
        searched = [f"against:{against.signature}", f"search:{search}", f"budget:{budget}"]
        confidence = (mean_confidence(against, corpus.sentences), mean_confidence(against, applied.sentences))
    is_changed = changed_units(made.units, applied.edits)
    signature = ["shift", *chosen.signature_parts(), *put_in.signature_parts(), *searched, f"version:{__version__}"]
    summary = ShiftSummary(
        unit=UNITS[chosen.kind],
        units=len(made.units),
        changed=sum(is_changed),
        target=chosen.share,
        classes=changed_classes(made.units, is_changed, corpus.sentences),
        before=counts_of(corpus.sentences),
        after=counts_of(applied.sentences),
        edits=dict(sorted(Counter(edit.change for edit in applied.edits).items())),
        reason=_reason(made, sum(is_changed), chosen, is_searched=against is not None),
        confidence=confidence,
        signature="|".join(signature),
    )
    return Shifted(applied.table, applied.edits, summary)


def _reason(made: Shift, changed: int, options: ShiftOptions, *, is_searched: bool) -> str:
    """Why fewer units than wanted were changed; empty if they were not."""
    if changed >= wanted(len(made.units), options):
        return ""
    return "the search asks for no more that does harm" if is_searched else made.shortage()


@dataclass(frozen=True, slots=True)
class _Material:
    """What is put in, by the names of the arguments."""

    names: list[Name] | None
    unseen_in: list[tuple[str, tuple[str, ...]]] | None
    context_from: Corpus | None
    lexicon: dict[str, tuple[tuple[str, ...], ...]] | None

    def signature_parts(self) -> list[str]:
        """`name:digest` of each that is there."""
        given = {
            "names": self.names,
            "unseen_in": self.unseen_in,
            "context_from": None if self.context_from is None else self.context_from.sentences,
            "lexicon": self.lexicon,
        }
        return [
            f"{name}:{hashlib.sha256(repr(value).encode()).hexdigest()[:_DIGITS]}"
            for name, value in given.items()
            if value is not None
        ]


def _of_origin(names: list[Name], origin: str | None) -> list[Name]:
    """The names of an origin; all if it is None.

    Raises:
        OptionError: there are none.
    """
    found = [one for one in names if origin in {None, one.origin}]
    if not found:
        known = ", ".join(sorted({one.origin for one in names} - {""})) or "none"
        raise OptionError(f"origin={origin!r}: no name has it; the origins are {known}")
    return found


def _made(corpus: Corpus, options: ShiftOptions, put_in: _Material) -> Shift:
    """The kind of shift that options ask for, of a corpus."""
    if options.kind == "entities":
        return OtherNames(corpus, put_in.names, [words for _, words in put_in.unseen_in or ()])
    if options.kind == "context":
        return OtherContext(corpus, put_in.context_from)
    if options.kind == "characters":
        return Characters(corpus, options.characters, options.keyboard, options.region)
    if options.kind == "words":
        return Words(corpus, options.words, options.region)
    if options.kind == "code-switch":
        return CodeSwitch(corpus, put_in.lexicon or {}, options.region)
    if options.kind == "transliterate":
        return Transliteration(corpus, options.transliterator, options.region)
    return JoinedSentences(corpus) if options.length == "longer" else CutSentences(corpus)
