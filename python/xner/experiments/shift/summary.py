"""How much of a corpus was shifted, counted afterwards."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xner._support.tables import html_table, text_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from xner.experiments.shift.base import Unit
    from xner.experiments.shift.edits import Edit, Sentence

__all__ = ["Counts", "ShiftSummary", "changed_classes", "changed_units", "counts_of"]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many there are in a corpus."""

    rows: int
    words: int
    entities: int


@dataclass(frozen=True, slots=True)
class ShiftSummary:
    """How much of a corpus was shifted.

    Attributes:
        unit: what was changed or was not: "words", "entities", ...
        units: how many there are.
        changed: how many differ in the shifted corpus.
        target: the share that was wanted, in [0, 1].
        classes: by class, changed ones and all: entities, or words within them, with `O` for words outside; where the
            units are sentences, the entities in changed ones and all.
        before: the original corpus.
        after: the shifted one.
        edits: how many of each change were made.
        reason: why less was changed than was wanted; empty if it was not.
        confidence: of the tagger that the shift was made against in the right labels, before and after: the mean over
            sentences of the mean logarithm of their words' probabilities; None without a tagger.
        signature: version, kind, severity, seed, all options that apply, and digests of what was put in.
    """

    unit: str
    units: int
    changed: int
    target: float
    classes: Mapping[str, tuple[int, int]]
    before: Counts
    after: Counts
    edits: Mapping[str, int]
    reason: str
    confidence: tuple[float, float] | None
    signature: str

    @property
    def share(self) -> float:
        """The share of units that differ; 0 where there are none."""
        return self.changed / self.units if self.units else 0.0

    def _rows(self) -> list[list[str]]:
        rows = [["", "changed", "all", "share"], [self.unit, *_cells(self.changed, self.units)]]
        return [*rows, *([f"  {name}", *_cells(*its)] for name, its in self.classes.items())]

    def __str__(self) -> str:
        """A table of shares, and lines about what there was and is."""
        counts = [
            f"{name}: {before} before, {after} after"
            for name, before, after in (
                ("rows", self.before.rows, self.after.rows),
                ("words", self.before.words, self.after.words),
                ("entities", self.before.entities, self.after.entities),
            )
        ]
        made = ", ".join(f"{count} {name}" for name, count in self.edits.items())
        lines = [text_table(self._rows()), *counts, f"edits: {made or 'none'}"]
        if self.confidence is not None:
            lines.append("log probability of the right labels: {:.4f} before, {:.4f} after".format(*self.confidence))
        if self.reason:
            lines.append(f"{100 * self.target:g} % were to change, {100 * self.share:.1f} % could be: {self.reason}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return html_table(self._rows(), self.signature)


def _cells(changed: int, units: int) -> list[str]:
    return [str(changed), str(units), f"{100 * changed / units:.1f} %" if units else ""]


def counts_of(sentences: Sequence[Sentence]) -> Counts:
    """What sentences have."""
    return Counts(
        len(sentences),
        sum(len(one.words) for one in sentences),
        sum(len(one.entities) for one in sentences),
    )


def changed_units(units: Iterable[Unit], edits: Iterable[Edit]) -> list[bool]:
    """For each unit whether edits have changed something in it."""
    touched: defaultdict[int, set[int]] = defaultdict(set)  # words of each row that differ
    rows: set[int] = set()
    for edit in edits:
        if edit.is_border:
            # A sentence that is joined with the next one changes both.
            rows.update((edit.row, edit.row + 1) if edit.change == "join" else (edit.row,))
        elif edit.words != edit.replaced:
            rows.add(edit.row)
            touched[edit.row].update(range(edit.start, edit.end))
    return [
        unit.row in rows if not unit.label else not touched[unit.row].isdisjoint(range(unit.start, unit.end))
        for unit in units
    ]


def changed_classes(
    units: Sequence[Unit], is_changed: Sequence[bool], sentences: Sequence[Sentence]
) -> dict[str, tuple[int, int]]:
    """By class, how many were changed, and how many there are."""
    changed: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for unit, its in zip(units, is_changed, strict=True):
        names = [unit.label] if unit.label else [label for _, _, label in sentences[unit.row].entities]
        total.update(names)
        if its:
            changed.update(names)
    return {name: (changed[name], total[name]) for name in sorted(total, key=lambda name: (name == "O", name))}
