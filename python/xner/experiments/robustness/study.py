"""How taggers that came about in different ways degrade under domain shift.

Several ways to a tagger are compared, as in the study of extrinsic evaluation: transferred, trained on projected or
gold labels, distilled, each in several runs. All of them label the same test data, clean and shifted by several kinds
of change at rising severity; what that costs each is compared with what it costs a reference.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from xner import schema
from xner._support.arguments import number, whole_number
from xner._support.arrow import pylist
from xner._support.digests import table_digest
from xner._support.progress import Reporter, silent
from xner._support.tables import html_records
from xner._version import __version__
from xner.errors import DataError, Error, OptionError
from xner.experiments.extrinsic.methods import Making, check_distinct, data_of, made_taggers
from xner.experiments.robustness.degradation import Degradation, Figure
from xner.experiments.robustness.labelling import labelled
from xner.experiments.robustness.measures import entities_of, names_of
from xner.experiments.robustness.scoring import RUNS_SCHEMA, Scored, scored
from xner.experiments.robustness.texts import StudiedShift, texts_of
from xner.pipelines.checkpoints import alone
from xner.training.data import labelled_sentences
from xner.training.run import Judged
from xner.training.settings import TrainingSettings

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import numpy.typing as npt

    from xner.experiments.extrinsic.methods import Method
    from xner.experiments.pages.provenance import Data
    from xner.training.fine_tuning import Moment
    from xner.training.noise import NoiseOptions
    from xner.training.run import Corpus

__all__ = ["DEFAULT_KINDS", "ShiftStudy", "study_shift"]

DEFAULT_KINDS: Final = ("entities", "context", "characters", "words")
"""The kinds of shift that need nothing beside the test data."""


@dataclass(frozen=True, eq=False)
class ShiftStudy:
    """What `study_shift` found.

    Attributes:
        methods: in the given order.
        tests: the clean test data, by name.
        shifts: kinds of shift.
        scored: what runs make of the versions of each of the test data.
        reference: the method that the others are compared with.
        documents: column of the test data that names documents; None where sentences are drawn.
        seen_in: data whose names count as seen beside those of what methods learn from.
        samples: resamples for intervals and p-values.
        confidence: share of the resamples within an interval.
    """

    methods: Sequence[Method]
    tests: Mapping[str, Judged]
    shifts: Sequence[StudiedShift]
    scored: Mapping[str, Scored]
    reference: str
    documents: str | None
    seen_in: Sequence[Corpus]
    samples: int
    confidence: float

    def __repr__(self) -> str:
        names = ", ".join(one.name for one in self.methods)
        return f"<ShiftStudy: {names} on {', '.join(self.tests)}, under {', '.join(one.name for one in self.shifts)}>"

    def _repr_html_(self) -> str:
        return html_records(self.drops.to_pylist(), self.signature)

    @cached_property
    def degradation(self) -> dict[str, Degradation]:
        """The figures, by test data."""
        return {
            name: Degradation(one, self.shifts, self.reference, self.samples, self.confidence)
            for name, one in self.scored.items()
        }

    @property
    def signature(self) -> str:
        """How it was made, in one line: all that may change the figures."""
        runs = next(iter(self.scored.values())).runs
        taggers = ";".join(f"{run.name}={run.identity[:12]}" for run in runs)
        tests = ";".join(f"{name}={one.sentences.digest()[:12]}" for name, one in self.tests.items())
        texts = ";".join(Path(text.file).stem for one in self.scored.values() for text in one.texts if text.severity)
        collapse = next(iter(self.scored.values())).collapse
        learnt = [*self.seen_in, *(corpus for method in self.methods for corpus in method.training)]
        seen = ";".join(table_digest(one.table)[:12] for one in learnt)
        units = ";".join(f"{self.documents or 'sentences'}={one.documents}" for one in self.scored.values())
        drawn = (
            f"collapse:{collapse:g}|reference:{self.reference}|samples:{self.samples}|confidence:{self.confidence:g}"
        )
        made = f"xner:{__version__}|taggers:{taggers}|tests:{tests}|texts:{texts}|seen:{seen}"
        return f"{made}|two-way-bootstrap:{units}|{drawn}"

    @cached_property
    def data(self) -> list[Data]:
        """The test data, what was learnt from, and what chose checkpoints; each once, with all its uses."""
        return data_of(self.methods, self.tests.values(), [(one, "names that were seen") for one in self.seen_in])

    @cached_property
    def runs(self) -> pa.Table:
        """The tidy table: a row for each of the test data, run and text; see `RUNS_SCHEMA`."""
        return pa.Table.from_pylist([row for one in self.scored.values() for row in one.rows()], schema=RUNS_SCHEMA)

    @cached_property
    def levels(self) -> pa.Table:
        """F1 by test data, method, shift and severity, with intervals: the fields of `Level`."""
        return self._table((name, one.levels) for name, one in self.degradation.items())

    @cached_property
    def drops(self) -> pa.Table:
        """What each method loses, by test data and shift: the fields of `Drop`."""
        return self._table((name, one.drops) for name, one in self.degradation.items())

    @cached_property
    def comparisons(self) -> pa.Table:
        """How much more each method loses than the reference: the fields of `Comparison`."""
        return self._table((name, one.comparisons) for name, one in self.degradation.items())

    @cached_property
    def contrasts(self) -> pa.Table:
        """Shifts of entities against those of their context: the fields of `Contrast`."""
        return self._table((name, one.contrasts) for name, one in self.degradation.items())

    @cached_property
    def transfers(self) -> pa.Table:
        """Shifts against a tagger against the same ones by chance: the fields of `Transfer`."""
        return self._table((name, one.transfers) for name, one in self.degradation.items())

    @staticmethod
    def _table(found: Iterable[tuple[str, Sequence[Any]]]) -> pa.Table:
        """Records as a table; a figure takes three columns: itself, `_low` and `_high`."""
        return pa.Table.from_pylist([{"test": name, **_flat(one)} for name, records in found for one in records])


def _flat(record: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in asdict(record).items():
        if isinstance(getattr(record, name), Figure):
            found.update({name: value["value"], f"{name}_low": value["low"], f"{name}_high": value["high"]})
        else:
            found[name] = value
    return found


def study_shift(
    methods: Sequence[Method],
    tests: Sequence[Corpus],
    folder: str | os.PathLike[str],
    *,
    shifts: Sequence[StudiedShift | str] = DEFAULT_KINDS,
    severities: Sequence[int] = (1, 2, 3, 4, 5),
    shift_seeds: Sequence[int] = (1,),
    reference: str | None = None,
    seen_in: Sequence[Corpus] = (),
    documents: str | None = None,
    collapse: float = 0.5,
    model: str | None = None,
    seeds: Sequence[int] = (0, 1, 2),
    settings: TrainingSettings | None = None,
    noise: NoiseOptions | None = None,
    classes: Mapping[str, str] | None = None,
    asked_classes: Sequence[str] = (),
    random_weights: bool = False,
    device: str = "auto",
    resume: bool = True,
    samples: int = 10_000,
    confidence: float = 0.95,
    progress: Callable[[str, int, Moment], None] | None = None,
    report: Reporter = silent,
) -> ShiftStudy:
    """Score taggers on clean and shifted test data, and compare what the shifts cost them.

    A study that was interrupted goes on when it is asked for again: trained models, shifted texts and labels are in the
    folder, and whatever is there is not made anew. So a study of more methods, shifts or test data costs what is new.

    Args:
        methods: ways to a tagger; each that trains does so with every seed.
        tests: gold data, each studied apart.
        folder: gets `models`, the shifted `texts`, their `edits`, and `labels`; made where it is missing.
        shifts: kinds of shift, all different; a text is one without further material, `KIND` or `KIND:OPTION=VALUE`.
        severities: of each shift, 1 to 5.
        shift_seeds: of the shifts; figures are means over them.
        reference: the method that the others are compared with; None for the first one.
        seen_in: labelled data that taggers which are there already have learnt from. Names of these, and of all data
            that are trained on here, count as seen, the same ones for all methods.
        documents: column of the test data that names each row's document; documents are drawn as a whole. None draws
            sentences.
        collapse: a run has collapsed whose F1 on the clean text is less than this share of its method's median, or 0.
            It is shown, but counts in no mean.
        model: as for `study_extrinsic`, like all that follows up to `resume`.
        seeds: likewise.
        settings: likewise.
        noise: likewise.
        classes: likewise.
        asked_classes: likewise.
        random_weights: likewise.
        device: likewise.
        resume: likewise.
        samples: resamples for intervals and p-values; so many that Holm's correction leaves something to be found.
        confidence: share of the resamples within an interval.
        progress: called with the method, the seed, and how far its training has come.
        report: told a run's name, and how many texts it has labelled.

    Raises:
        Error: as for `study_extrinsic`; test data without entities, or without the column of documents; another study
            is at work in the folder.
        OptionError: shifts that there are not, severities or shares out of range, a reference that is no method.
        DataError: a wrong row of the data.
    """
    kinds = [StudiedShift.parse(one) if isinstance(one, str) else one for one in shifts]
    classes = dict(classes or {})
    check_distinct("tests", [one.name for one in tests])
    check_distinct("shifts", [one.name for one in kinds])
    check_distinct("severities", severities)
    check_distinct("shift_seeds", shift_seeds)
    for severity in severities:
        whole_number("severities", severity, 1, 5)
    for seed in shift_seeds:
        whole_number("shift_seeds", seed, 0)
    number("collapse", collapse, "from 0 to below 1", lambda value: 0 <= value < 1)
    number("confidence", confidence, "between 0 and 1", lambda value: 0 < value < 1)
    _check_samples(samples, (len(methods) - 1) * (len(kinds) + (len(kinds) > 1)), confidence)
    making = Making(
        model=model,
        seeds=seeds,
        settings=settings or TrainingSettings(),
        noise=noise,
        classes=classes,
        asked_classes=asked_classes,
        random_weights=random_weights,
        device=device,
        resume=resume,
        progress=progress,
    )
    made = made_taggers(methods, folder, making)
    names = [one.name for one in methods]
    if reference is not None and reference not in names:
        raise OptionError(f"reference={reference!r}: no method has this name; the methods are {', '.join(names)}")
    judged = {one.name: _judged(one, classes) for one in tests}
    drawn = {one.name: _documents(one, documents) for one in tests}
    learnt = [*seen_in, *(corpus for method in methods for corpus in method.training)]
    seen = _names_in(learnt, classes)
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    with alone(target):
        texts = {
            name: texts_of(test, place, kinds, severities, shift_seeds, target)
            for place, (name, test) in enumerate(judged.items(), 1)
        }
        gold = {name: [entities_of(text.tokens, text.gold, seen) for text in its] for name, its in texts.items()}
        found: dict[str, list[Any]] = {name: [] for name in judged}
        for one in made:
            said = labelled(one, [text for its in texts.values() for text in its], target, report=report)
            for name, its in texts.items():
                found[name].append(scored(one, its, said[: len(its)], gold[name], drawn[name], seen))
                said = said[len(its) :]
    return ShiftStudy(
        tuple(methods),
        judged,
        kinds,
        {
            name: Scored(name, texts[name], int(drawn[name].max()) + 1, runs, bool(learnt), collapse)
            for name, runs in found.items()
        },
        reference or names[0],
        documents,
        tuple(seen_in),
        samples,
        confidence,
    )


def _check_samples(samples: int, comparisons: int, confidence: float) -> None:
    """That the least p-value there can be is small enough after Holm's correction.

    Raises:
        OptionError: it is not.
    """
    least = math.floor(2 * max(comparisons, 1) / (1 - confidence) + 1e-9)
    if whole_number("samples", samples, 1) < least:
        raise OptionError(f"samples={samples}: with {comparisons} comparisons it takes {least} to find any difference")


def _judged(corpus: Corpus, classes: Mapping[str, str]) -> Judged:
    found = Judged.read(corpus, classes)
    if not found.sentences.entity_counts():
        raise Error(f"'{corpus.name}' has no entities to score on")
    return found


def _documents(corpus: Corpus, column: str | None) -> npt.NDArray[np.int64]:
    """The document of each row, from 0 without gaps; the row itself without a column.

    Raises:
        Error: the data have no such column.
        DataError: a row without a document.
    """
    if column is None:
        return np.arange(corpus.table.num_rows)
    schema.require_columns(corpus.table.schema, [column], f"documents of '{corpus.name}'")
    names = pylist(corpus.table[column])
    if None in names:
        raise DataError(names.index(None), column, "null", f"each row of '{corpus.name}' needs a document")
    numbers: dict[Any, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int64)


def _names_in(corpora: Sequence[Corpus], classes: Mapping[str, str]) -> set[str]:
    """The words of all entities of labelled data."""
    found: set[str] = set()
    for one in corpora:
        its = labelled_sentences(one.table, classes=classes)
        columns = (pa.array(side, schema.WORDS_TYPE) for side in (its.tokens, its.labels))
        found |= names_of(*columns)
    return found
