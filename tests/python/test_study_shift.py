"""The study of shifts: it finds the degradations that taggers were built to have, and none where there is none."""

from __future__ import annotations

import hashlib
import pickle
import random
import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest
from hypothesis import given
from hypothesis import strategies as st

import two_languages as world
from command_line import done, xner
from distributions import distribution, forget
from plotted import plot_names
from reference import robustness as slow
from test_hostile import ATTACKS, Elements
from test_shift import CLASSES, SEEDS, rows
from test_study_pages import browse
from xner import evaluation, io, labels
from xner._support.arrow import pylist
from xner.errors import DataError, Error, OptionError
from xner.experiments.extrinsic import Method, study_extrinsic
from xner.experiments.robustness import ShiftStudy, StudiedShift, study_shift, texts, write_shift_report
from xner.experiments.robustness.findings import findings
from xner.experiments.robustness.measures import Entities, calibration_error, counted, entities_of, entity_confidences
from xner.experiments.robustness.report import markdown
from xner.experiments.robustness.scoring import RUNS_SCHEMA
from xner.experiments.shift import shift
from xner.models.taggers import load_tagger
from xner.models.taggers.spans import FoundSpan, SpanTagger
from xner.training.run import Corpus
from xner.training.settings import TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# A world of names that begin with a capital, told by an ending or by the word before them.
KNOWN = [f"Kno{letter}{end}" for letter in "abcdefgh" for end in ("ix", "ov")]
NEW = [f"New{letter}{end}" for letter in "abcdefgh" for end in ("ix", "ov")]
WORDS = [f"w{number}" for number in range(30)]
CLASS = {"ix": "PER", "ov": "LOC"}


def corpus(count: int, *, seed: int, name: str = "test", names: Sequence[str] = KNOWN) -> Corpus:
    """Sentences of words and names, five of which are a document."""
    draw = random.Random(seed)
    tokens, spelled = [], []
    for _ in range(count):
        words, entities = [], []
        for _ in range(draw.randint(1, 3)):
            words += draw.choices(WORDS, k=draw.randint(1, 4))
            name_ = draw.choice(names)
            entities.append((len(words), len(words) + 1, CLASS[name_[-2:]]))
            words.append(name_)
        tokens.append([*words, "."])
        spelled.append(labels.encode(entities, len(words) + 1))
    documents = [f"document {row // 5}" for row in range(count)]
    return Corpus(name, pa.table({"tokens": tokens, "labels": spelled, "document": documents}))


class Tagger(SpanTagger):
    """A tagger by a rule: `names` knows names, `shape` takes endings of what begins with a capital, `context` wants a
    known word in front; of what it finds it leaves out a share, at random by `seed`.
    """

    _settings = "made up"
    _sources: ClassVar[dict[str, str]] = {}

    def __init__(self, rule: str, *, missed: float = 0.0, seed: int = 0, score: float = 0.9) -> None:
        super().__init__("made-up", ["LOC", "PER"], {})
        self.rule, self.missed, self.seed, self.score = rule, missed, seed, score
        self.tagged: list[int] = []

    @property
    def identity(self) -> str:
        return f"{self.rule}|{self.missed}|{self.seed}|{self.score}"

    def _find(self, sentences: Sequence[Sequence[str]]) -> Iterator[Sequence[FoundSpan]]:
        self.tagged.append(len(sentences))
        for words in sentences:
            yield [
                FoundSpan(at, at + 1, CLASS[word[-2:]], self.score)
                for at, word in enumerate(words)
                if word[-2:] in CLASS and word[:1].isupper() and self._takes(words, at)
            ]

    def _takes(self, words: Sequence[str], at: int) -> bool:
        digest = hashlib.sha256(f"{self.seed} {at} {' '.join(words)}".encode()).digest()
        if digest[0] < 256 * self.missed:
            return False
        if self.rule == "context":
            return at > 0 and words[at - 1] in WORDS
        return self.rule == "shape" or words[at] in KNOWN


TEST = corpus(80, seed=1)
OTHER_NAMES = StudiedShift("entities", {"names": [(CLASS[name[-2:]], name) for name in NEW]})
SLIPS = StudiedShift("characters", {"where": "context"}, name="slips")


def study(
    folder: Path, methods: Sequence[Method], shifts: Sequence[Any] = (OTHER_NAMES, "context"), **options: Any
) -> ShiftStudy:
    given: dict[str, Any] = {"severities": (2, 5), "samples": 1000, "seen_in": [corpus(50, seed=9, name="train")]}
    return study_shift(methods, options.pop("tests", [TEST]), folder, shifts=shifts, **(given | options))


def runs(rule: str, count: int = 3, *, first: int = 0, missed: float = 0.1) -> list[Tagger]:
    return [Tagger(rule, missed=missed, seed=first + number) for number in range(count)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("study")


@pytest.fixture(scope="module")
def found(folder: Path) -> ShiftStudy:
    """A tagger that knows names and one that goes by their shape, each in three runs; both again, with other luck."""
    methods = [
        Method("shape", tagger=runs("shape")),
        Method("names", tagger=runs("names")),
        Method("again", tagger=runs("shape", first=10)),
    ]
    return study(folder, methods, (OTHER_NAMES, "context", SLIPS), reference="shape")


def row(table: pa.Table, **wanted: Any) -> dict[str, Any]:
    [one] = [row for row in table.to_pylist() if all(row[key] == value for key, value in wanted.items())]
    return one


# -- what was built in is found -------------------------------------------------------------------------------


def test_new_names_cost_who_knows_names(found: ShiftStudy) -> None:
    lost = row(found.drops, method="names", shift="entities")
    assert lost["clean"] > 0.9
    assert lost["drop"] > 0.4, "most names are new"
    assert lost["drop_low"] > 0.3
    compared = row(found.comparisons, method="names", shift="entities")
    assert compared["difference"] > 0.3
    assert compared["p_holm"] < 0.05
    assert compared["residual_high"] < 0, "whatever its clean F1"
    levels = [one["f1"] for one in found.levels.to_pylist() if (one["method"], one["shift"]) == ("names", "entities")]
    assert levels == sorted(levels, reverse=True), "the more, the worse"
    assert levels[-1] == 0, "at severity 5 all names are new"


def test_context_costs_nobody(found: ShiftStudy) -> None:
    for method in ("shape", "names", "again"):
        lost = row(found.drops, method=method, shift="context")
        assert lost["drop_low"] < 0 < lost["drop_high"]
        assert abs(lost["drop"]) < 0.03
    contrast = row(found.contrasts, method="names")
    assert (contrast["entities"], contrast["context"]) == ("entities", "context")
    assert contrast["difference"] > 0.4
    assert contrast["p_holm"] < 0.05
    assert row(found.contrasts, method="shape")["p_holm"] > 0.05


def test_other_luck_is_no_difference(found: ShiftStudy) -> None:
    """The same tagger whose errors are drawn anew: an A/A comparison."""
    for name in ("entities", "context", "slips", "all"):
        compared = row(found.comparisons, method="again", shift=name)
        assert compared["difference_low"] < 0 < compared["difference_high"]
        assert compared["p_holm"] > 0.05
        assert abs(compared["difference"]) < compared["detectable"]


def test_the_same_runs_tie_exactly(tmp_path: Path) -> None:
    tied = study(tmp_path, [Method("one", tagger=runs("names")), Method("other", tagger=runs("names"))])
    for compared in tied.comparisons.to_pylist():
        assert (compared["difference"], compared["p_value"], compared["detectable"]) == (0, 1, 0)
    told = findings(tied)
    assert "Over all shifts, other and one lose the same in each document." in told
    write_shift_report(tied, tmp_path / "report")
    assert not list((tmp_path / "report").glob("plot-comparisons*"))
    robust = study(tmp_path, [Method("one", tagger=Tagger("shape"))])
    no_contrast = "For no method does the test tell what a shift of entities costs from what one of their context does."
    assert no_contrast in findings(robust)
    assert no_contrast not in told


@pytest.mark.slow
def test_false_alarms_are_as_rare_as_promised(tmp_path: Path) -> None:
    """Of comparisons of taggers that differ by luck alone, about one in twenty has a p-value below 0.05."""
    low = 0
    for number in range(40):
        methods = [Method(name, tagger=runs("shape", first=1000 * number + at)) for at, name in ((0, "a"), (500, "b"))]
        one = study(tmp_path, methods, ["context"], severities=[4], tests=[corpus(60, seed=number)])
        low += one.comparisons.to_pylist()[0]["p_value"] < 0.05
    assert low <= 5


# -- every number -------------------------------------------------------------------------------------------


def test_figures_follow_from_the_tidy_table(found: ShiftStudy) -> None:
    table = found.runs.to_pylist()
    assert found.runs.schema == RUNS_SCHEMA
    assert len(table) == 9 * (1 + 3 * 2)
    for lost in found.drops.to_pylist():
        its = [one for one in table if one["method"] == lost["method"]]
        clean = np.mean([one["f1"] for one in its if one["shift"] == "clean"])
        shifted = np.mean(
            [one["f1"] for one in its if one["shift"] != "clean" and lost["shift"] in {one["shift"], "all"}]
        )
        assert (lost["clean"], lost["shifted"]) == pytest.approx((clean, shifted))
        assert lost["drop"] == pytest.approx(clean - shifted)
        assert lost["drop_low"] <= lost["drop"] <= lost["drop_high"]
    compared = row(found.comparisons, method="names", shift="all")
    pair = [row(found.drops, method=name, shift="all")["drop"] for name in ("names", "shape")]
    assert compared["difference"] == pytest.approx(pair[0] - pair[1])


def test_files_that_the_tidy_table_names_give_its_figures(found: ShiftStudy, folder: Path) -> None:
    for one in found.runs.to_pylist():
        text, said = (io.read(folder / one[name]) for name in ("text", "labels"))
        assert text["tokens"].to_pylist() == said["tokens"].to_pylist()
        scores = evaluation.evaluate(text["labels"], said["labels"])
        assert (one["f1"], one["precision"], one["recall"]) == (scores.f1, scores.precision, scores.recall)


def test_the_line_of_clean_and_shifted_f1(found: ShiftStudy) -> None:
    table = found.runs.to_pylist()
    names = list(dict.fromkeys(one["run"] for one in table))
    clean = {one["run"]: one["f1"] for one in table if one["shift"] == "clean"}
    shifted = {
        name: np.mean([one["f1"] for one in table if (one["run"], one["shift"]) == (name, "slips")]) for name in names
    }
    line = np.polyfit([clean[name] for name in names], [shifted[name] for name in names], 1)
    for method in ("shape", "names", "again"):
        its = [name for name in names if name.startswith(method)]
        residual = np.mean([shifted[name] - np.polyval(line, clean[name]) for name in its])
        assert row(found.drops, method=method, shift="slips")["residual"] == pytest.approx(residual, abs=1e-9)


def test_severities_are_measured(found: ShiftStudy) -> None:
    for one in found.scored["test"].texts[1:]:
        assert one.changed == pytest.approx(one.asked, abs=0.02)
    assert found.scored["test"].texts[0].changed == 0


def test_names_that_were_seen(tmp_path: Path) -> None:
    """All test names are in the training data; the new ones are not."""
    tagger = Tagger("shape")
    one = study(tmp_path, [Method("a", tagger=tagger)], [OTHER_NAMES], severities=[5])
    clean, shifted = one.runs.to_pylist()
    assert (clean["unseen_entities"], clean["unseen_f1"]) == (0, None)
    assert shifted["unseen_entities"] == shifted["tp"] + shifted["fn"]
    assert shifted["unseen_f1"] == 1
    assert row(one.drops, shift="entities")["unseen"] is None, "there is nothing to lose"
    some = study(tmp_path, [Method("a", tagger=tagger)], ["context"], seen_in=[corpus(2, seed=4)])
    assert row(some.drops, shift="context")["unseen"] == pytest.approx(0)
    unknown = study(tmp_path, [Method("a", tagger=tagger)], [OTHER_NAMES], severities=[5], seen_in=[])
    assert {row["unseen_entities"] for row in unknown.runs.to_pylist()} == {None}


def test_classes_alone_are_no_error_of_spans(tmp_path: Path) -> None:
    class Swapped(Tagger):
        def _find(self, sentences: Sequence[Sequence[str]]) -> Iterator[Sequence[FoundSpan]]:
            for spans in super()._find(sentences):
                yield [one._replace(label="PER") for one in spans]

    one = study(tmp_path, [Method("a", tagger=Swapped("shape"))]).runs.to_pylist()[0]
    assert one["agnostic_f1"] == 1
    assert 0.3 < one["f1"] < 0.7


def test_calibration_is_told_where_there_are_probabilities(tmp_path: Path) -> None:
    methods = [Method("sure", tagger=Tagger("shape", score=1.0)), Method("unsure", tagger=Tagger("shape", score=0.6))]
    one = study(tmp_path, methods)
    assert {row["calibration_error"] for row in one.runs.to_pylist() if row["method"] == "sure"} == {None}
    errors = [row["calibration_error"] for row in one.runs.to_pylist() if row["method"] == "unsure"]
    assert errors == pytest.approx([0.4] * len(errors), abs=1e-6)


def test_borders_that_move_leave_entities_where_they_are(tmp_path: Path) -> None:
    """Longer and shorter sentences: documents are those of the clean text."""
    shifts = ["length", "length:length=shorter"]
    one = study(tmp_path, [Method("a", tagger=Tagger("names"))], shifts, documents="document")
    scored = one.scored["test"]
    assert scored.documents == 16
    counts = scored.runs[0].counts["f1"]
    assert len({len(text.tokens) for text in scored.texts}) > 2
    assert (counts == counts[0]).all()
    assert {row["drop"] for row in one.drops.to_pylist()} == {0}


def test_documents_are_drawn_whole(tmp_path: Path) -> None:
    """Sentences of a document that are alike say less than sentences that are not."""
    doubled = Corpus("test", pa.concat_tables([TEST.table.slice(0, 40)] * 5))
    narrow, wide = (
        study(
            tmp_path, [Method("a", tagger=Tagger("names", missed=0.3))], ["context"], tests=[doubled], documents=column
        )
        for column in (None, "document")
    )
    spans = [row["f1_high"] - row["f1_low"] for one in (narrow, wide) for row in one.levels.to_pylist()[:1]]
    assert spans[1] > 1.3 * spans[0]


@given(st.lists(st.tuples(rows(), st.integers(0, 2)), min_size=1, max_size=6), SEEDS)
def test_counts_as_slow_ones(given_rows: list[tuple[Any, int]], seed: int) -> None:
    draw = random.Random(seed)
    tokens = [words for (words, _), _ in given_rows]
    gold = [entities for (_, entities), _ in given_rows]
    predicted = [
        [
            (start, end, draw.choice(CLASSES)) if draw.random() < 0.5 else (start, end, label)
            for start, end, label in its
        ]
        for its in gold
    ]
    predicted = [[one for one in its if draw.random() < 0.7] for its in predicted]
    seen = {
        " ".join(words[a:b]) for words, its in zip(tokens, gold, strict=True) for a, b, _ in its if draw.random() < 0.5
    }
    documents = [document for _, document in given_rows]
    wanted = slow.counts(list(zip(tokens, gold, predicted, strict=True)), documents, seen)
    words = pa.array(tokens, pa.list_(pa.string()))

    def entities(side: Sequence[Any]) -> Entities:
        spelled = [labels.encode(one, len(row)) for one, row in zip(side, tokens, strict=True)]
        return entities_of(words, pa.array(spelled, words.type), seen)

    found, right = counted(entities(gold), entities(predicted), np.repeat(documents, [len(row) for row in tokens]), 3)
    for measure, its in found.items():
        assert {document: tuple(its[document].tolist()) for document in wanted[measure]} == wanted[measure]
    assert right.sum() == found["f1"][:, 0].sum()


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_calibration_as_a_slow_one(pairs: list[tuple[float, bool]]) -> None:
    # Products of the bins' borders with ten are not exact.
    pairs = [(round(sure, 3) + 1e-5 if sure < 0.999 else 1.0, hit) for sure, hit in pairs]
    sure, right = (np.array(side) for side in zip(*pairs, strict=True))
    assert calibration_error(sure, right) == pytest.approx(slow.calibration_error(*zip(*pairs, strict=True)))


def test_confidence_of_entities() -> None:
    spelled = pa.array([["B-PER", "I-PER", "O", "B-LOC"]])
    its = entities_of(pa.array([["a", "b", "c", "d"]]), spelled, set())
    assert entity_confidences(its, np.array([0.5, 0.7, 0.1, 0.9], np.float32)) == pytest.approx([0.6, 0.9])
    assert entity_confidences(its, np.ones(4, np.float32)) is None
    assert calibration_error(np.array([]), np.array([], np.bool_)) is None


# -- runs that collapsed --------------------------------------------------------------------------------------


def test_what_seeds_do_is_not_known_of_one_run(tmp_path: Path) -> None:
    """A figure that nobody has is no 0; and one tagger twice is no two trainings."""
    alone = study(tmp_path, [Method("one", tagger=runs("names")), Method("other", tagger=Tagger("shape"))])
    assert alone.comparisons["error_runs"].null_count == alone.comparisons.num_rows
    several = study(tmp_path, [Method("one", tagger=runs("names")), Method("other", tagger=runs("shape"))])
    assert several.comparisons["error_runs"].null_count == 0
    assert re.search(r"\|\s+– \|", markdown(alone))
    twice = Method("twice", tagger=[Tagger("names"), Tagger("shape"), Tagger("names")])
    with pytest.raises(Error, match=r"method 'twice': two of its runs are the same tagger \(.*\): give it once"):
        study(tmp_path, [twice])


def test_a_reference_that_has_collapsed_is_told(tmp_path: Path) -> None:
    nothing = Method("nothing", tagger=Tagger("names", missed=1.0))
    found = study(tmp_path, [nothing, Method("names", tagger=Tagger("names"))])
    assert found.comparisons.num_rows == 0
    told = "No method is compared with the reference nothing: all of its runs have collapsed."
    assert told in findings(found)
    other = study(tmp_path, [nothing, Method("names", tagger=Tagger("names"))], reference="names")
    assert told not in findings(other)


def test_collapsed_runs_are_shown_and_not_averaged_away(tmp_path: Path) -> None:
    healthy = runs("names", 3)
    broken = Tagger("names", missed=0.95, seed=7)
    methods = [Method("a", tagger=[*healthy, broken]), Method("b", tagger=healthy)]
    one = study(tmp_path, methods)
    assert [row["collapsed"] for row in one.runs.to_pylist() if row["shift"] == "clean"] == [False] * 3 + [True] + [
        False
    ] * 3
    lost = row(one.drops, method="a", shift="all")
    assert (lost["runs"], lost["collapsed"]) == (3, 1)
    assert lost["drop"] == row(one.drops, method="b", shift="all")["drop"]
    assert any(told.startswith("Collapsed, ") and "a/seed-3 (0." in told for told in findings(one))
    text = write_shift_report(one, tmp_path / "report").read_text(encoding="utf-8")
    assert "Collapsed runs" in text
    kept = study(tmp_path, methods, collapse=0.0)
    assert row(kept.drops, method="a", shift="all")["runs"] == 4


def test_a_method_that_found_nothing(tmp_path: Path) -> None:
    """It loses nothing, and is not therefore the most robust one."""
    nothing = Method("nothing", tagger=Tagger("shape", missed=1.0))
    one = study(tmp_path, [Method("names", tagger=Tagger("names")), nothing])
    assert {row["method"] for row in one.drops.to_pylist()} == {"names"}
    assert one.comparisons.num_rows == 0
    assert any("nothing (0.000)" in told for told in findings(one))
    write_shift_report(one, tmp_path / "report")
    alone = study(tmp_path, [nothing])
    assert findings(alone)[0].startswith("Collapsed, ")
    page = write_shift_report(alone, tmp_path / "alone")
    assert "Collapsed runs" in page.read_text(encoding="utf-8")


# -- nothing twice --------------------------------------------------------------------------------------------


@dataclass
class Killed:
    """Ends a study when so many texts have been labelled."""

    after: int

    def __call__(self, what: str, done: int, total: int) -> None:
        if done == self.after:
            raise KeyboardInterrupt


def test_a_study_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: Counter[tuple[Any, ...]] = Counter()

    def counting(table: pa.Table, kind: Any, **options: Any) -> Any:
        made[kind, options["severity"], options["seed"]] += 1
        return shift(table, kind, **options)

    monkeypatch.setattr(texts, "shift", counting)
    tagger, other = Tagger("names"), Tagger("shape")
    methods = [Method("names", tagger=tagger), Method("shape", tagger=other)]
    with pytest.raises(KeyboardInterrupt):
        study(tmp_path, methods, report=Killed(3))
    assert len(tagger.tagged) == 3
    whole = study(tmp_path, methods)
    assert [len(one.tagged) for one in (tagger, other)] == [5, 5], "each of the texts once"
    assert set(made.values()) == {1}
    assert len(made) == 4
    again = study(tmp_path, methods)
    assert [len(one.tagged) for one in (tagger, other)] == [5, 5]
    undisturbed = study(
        tmp_path / "undisturbed", [Method("names", tagger=Tagger("names")), Method("shape", tagger=Tagger("shape"))]
    )
    assert whole.signature == again.signature == undisturbed.signature
    reports = [
        write_shift_report(one, tmp_path / f"report-{number}").parent
        for number, one in enumerate((whole, again, undisturbed))
    ]
    for name in ("runs.csv", "drops.csv", "summary.md", "report.html"):
        assert len({(place / name).read_bytes() for place in reports}) == 1


def test_more_methods_and_shifts_cost_what_is_new(tmp_path: Path) -> None:
    tagger, other = Tagger("names"), Tagger("shape")
    study(tmp_path, [Method("a", tagger=tagger)])
    more = [Method("a", tagger=tagger), Method("b", tagger=other), Method("twin", tagger=Tagger("names"))]
    study(tmp_path, more, (OTHER_NAMES, "context", SLIPS))
    assert len(tagger.tagged) == 5 + 2
    assert len(other.tagged) == 7
    assert len(more[2].taggers[0].tagged) == 0, "the same tagger under another name"  # type: ignore[union-attr]  # it is one of these tests


@pytest.mark.parametrize("folder_name", ["texts", "labels"])
def test_what_was_changed_meanwhile_is_not_taken(tmp_path: Path, folder_name: str) -> None:
    methods = [Method("a", tagger=Tagger("names"))]
    study(tmp_path, methods)
    for path in (tmp_path / folder_name).glob("*.parquet"):
        if "edits" not in path.name and "clean" not in path.name:
            table = io.read(path)
            io.write(table.slice(1), path)
    with pytest.raises(Error, match="was changed since it was made; remove it, and it is made anew"):
        study(tmp_path, methods)


def test_against_a_tagger(tmp_path: Path) -> None:
    """Slips that were looked for cost the tagger that they were looked for with more than slips by chance."""
    target = Tagger("context")
    shifts = [
        StudiedShift("characters", {"where": "context"}, name="chance"),
        StudiedShift("characters", {"where": "context", "against": target, "search": "greedy"}, name="adversarial"),
    ]
    one = study(tmp_path, [Method("a", tagger=target)], shifts, severities=[3], tests=[corpus(30, seed=2)])
    assert row(one.drops, shift="adversarial")["drop"] > row(one.drops, shift="chance")["drop"] + 0.1


def test_attacks_carry_over_to_taggers_like_their_target(tmp_path: Path) -> None:
    """Slips that were looked for against a tagger that goes by context harm its like, and not one by shape."""
    target = Tagger("context")
    slips = StudiedShift("characters", {"where": "context"}, name="chance")
    attack = replace(slips, options={**slips.options, "against": target, "search": "greedy"}, name="attack")
    methods = [
        Method("attacked", tagger=target),
        Method("alike", tagger=runs("context", first=5, missed=0.1)),
        Method("shape", tagger=runs("shape")),
    ]
    one = study(tmp_path, methods, [slips, attack, OTHER_NAMES], severities=[3], tests=[corpus(60, seed=2)])
    assert one.transfers.num_rows == 3
    for method in ("attacked", "alike", "shape"):
        found = row(one.transfers, method=method)
        assert (found["attack"], found["chance"]) == ("attack", "chance")
        lost = [row(one.drops, method=method, shift=name)["drop"] for name in ("attack", "chance")]
        assert found["difference"] == pytest.approx(lost[0] - lost[1])
        assert found["difference_low"] <= found["difference"] <= found["difference_high"]
    for method in ("attacked", "alike"):
        found = row(one.transfers, method=method)
        assert found["difference_low"] > 0.1
        assert found["p_holm"] < 0.05
    assert row(one.transfers, method="shape")["p_holm"] > 0.05
    assert any(re.match(r"attacked loses 0\.\d+ more under attack than under chance ", told) for told in findings(one))
    page = write_shift_report(one, tmp_path / "report")
    assert io.read(page.parent / "transfers.parquet").equals(one.transfers)
    assert "<h2>Attacks that carry over</h2>" in page.read_text(encoding="utf-8")
    assert "| attack | chance " in re.sub(" +", " ", markdown(one))


def test_attacks_that_harm_nobody_are_said_to(tmp_path: Path) -> None:
    shape = Tagger("shape")
    slips = StudiedShift("characters", {"where": "context"}, name="chance")
    attack = replace(slips, options={**slips.options, "against": shape}, name="attack")
    one = study(tmp_path, [Method("a", tagger=shape)], [slips, attack], severities=[2])
    told = "For no method does the test tell what attacks cost from what the same shifts cost by chance."
    assert told in findings(one)
    alone = study(tmp_path, [Method("a", tagger=shape)], [attack], severities=[2])
    assert alone.transfers.num_rows == 0


# -- report -------------------------------------------------------------------------------------------------


def test_files(found: ShiftStudy, tmp_path: Path) -> None:
    page = write_shift_report(found, tmp_path / "report", command="xner study shift")
    names = {path.name for path in page.parent.iterdir()}
    tables = {
        f"{name}.{kind}"
        for name in ("runs", "levels", "drops", "comparisons", "contrasts")
        for kind in ("csv", "parquet")
    }
    plots = ["drops-1", "comparisons-1", "robustness-1", "levels-1-1", "levels-1-2", "levels-1-3"]
    assert names == {"report.html", "summary.md", *tables, *plot_names(plots)}
    assert pacsv.read_csv(page.parent / "runs.csv").num_rows == found.runs.num_rows
    assert io.read(page.parent / "drops.parquet").equals(found.drops)
    shown = (page.parent / "summary.md").read_text(encoding="utf-8")
    assert shown == f"{markdown(found)}\n{found.signature}\n"
    text = page.read_text(encoding="utf-8")
    assert text.count("<svg") == len(plots)
    assert "<h2>Entities against context</h2>" in text
    assert "two-way-bootstrap" in text
    assert "None has." in text, "no run collapsed"


def test_the_answer_comes_first(found: ShiftStudy) -> None:
    told = findings(found)
    lost = row(found.drops, method="shape", shift="all")
    assert told[0].startswith(
        f"On test, over all shifts F1 falls by {lost['drop']:.3f} for shape (95 % interval ".replace("-", "−")
    )
    assert re.match(r"Over all shifts, names loses 0\.\d{3} more than shape \(95 % interval ", told[1])
    assert re.match(r"Over all shifts, the test does not tell the loss of again from that of shape ", told[2])
    detectable = row(found.comparisons, method="again", shift="all")["detectable"]
    assert f"; a difference of {detectable:.3f} would be found in 80 % of such studies." in told[2]
    assert any(re.match(r"names loses 0\.\d+ more under entities than under context", one) for one in told)


def test_the_report_in_a_browser(found: ShiftStudy, chromium: str, tmp_path: Path) -> None:
    """The answer, a curve a method in each plot, the tables; `browse` wants no message on the console."""
    page = write_shift_report(found, tmp_path / "report")
    shown = browse(chromium, tmp_path, page.as_uri())
    assert shown.text("h1") == ["Degradation under shift"]
    answer = shown.text("p")
    assert answer[: len(findings(found))] == findings(found)
    assert len(shown.find("svg")) == len(list(page.parent.glob("plot-*.svg")))
    assert len(shown.find("path", class_="curve")) >= len(found.methods) * len(found.shifts)
    cells = shown.text("td")
    for lost in found.drops.to_pylist():
        assert f"{lost['clean']:.3f}" in cells
        assert f"{lost['shifted']:.3f}" in cells


@pytest.mark.parametrize("attack", ATTACKS[:4])
def test_nothing_breaks_out_of_the_page(tmp_path: Path, attack: str) -> None:
    """Whatever test data and shifts are called."""
    shifts = [replace(OTHER_NAMES, name=attack), StudiedShift("context")]
    methods = [Method("a", tagger=Tagger("names")), Method("b", tagger=Tagger("shape"))]
    one = study(tmp_path, methods, shifts, severities=[5], tests=[replace(TEST, name=attack)])
    text = write_shift_report(one, tmp_path / "report", command=attack).read_text(encoding="utf-8")
    assert Elements(text).found == []


def test_one_run_alone(tmp_path: Path) -> None:
    one = study(tmp_path, [Method("a", tagger=Tagger("names"))], ["context"])
    assert one.comparisons.num_rows == one.contrasts.num_rows == 0
    assert findings(one)[-1] == "One run alone: a. What its seed did is in no interval."
    names = {path.name for path in write_shift_report(one, tmp_path / "report").parent.iterdir()}
    assert "comparisons.csv" not in names


def test_signature(found: ShiftStudy) -> None:
    others = [replace(found, samples=1001), replace(found, confidence=0.9), replace(found, reference="names")]
    others.append(replace(found, scored={"test": replace(found.scored["test"], collapse=0.1)}))
    others += [replace(found, documents="document"), replace(found, seen_in=())]
    assert len({one.signature for one in (found, *others)}) == 7
    assert {one.name: one.use for one in found.data} == {"test": "test", "train": "names that were seen"}


def test_several_ready_taggers_are_runs_of_other_studies_as_well(tmp_path: Path) -> None:
    one = study_extrinsic([Method("names", tagger=runs("names"))], [TEST], tmp_path, samples=100)
    assert [run.seed for run in one.runs["names"]] == [0, 1, 2]
    [summary] = one.summary.to_pylist()
    assert summary["runs"] == 3
    assert summary["f1_deviation"] > 0


# -- labels from outside --------------------------------------------------------------------------------------


def test_labels_that_are_there_already(tmp_path: Path) -> None:
    """A system outside labels the study's texts, a file each; what it says counts as a tagger's labels do."""
    outside = tmp_path / "outside"
    outside.mkdir()
    shifts = [OTHER_NAMES, "length"]
    first = study(tmp_path / "study", [Method("shape", tagger=Tagger("shape"))], shifts)
    for text in first.scored["test"].texts:
        found = io.read(tmp_path / "study" / text.file)
        tagged = Tagger("names").tag_batch(found["tokens"])
        io.write(
            found.select(["tokens"]).append_column("labels", tagged.labels), outside / f"{Path(text.file).stem}.conll"
        )
    methods = [Method("names", tagger=Tagger("names", score=1.0)), Method("outside", tagger=f"ready:{outside}")]
    both = study(tmp_path / "study", methods, shifts)
    for compared in both.comparisons.to_pylist():
        assert (compared["difference"], compared["detectable"]) == (0, 0)
    assert {row["calibration_error"] for row in both.runs.to_pylist()} == {None}
    renamed = load_tagger(f"ready:{outside}", classes={"LOC": "O"})
    assert renamed.label_names == ("O", "B-PER", "I-PER")
    assert pickle.loads(pickle.dumps(renamed)).identity == renamed.identity
    assert renamed.tag_batch([]).labels.to_pylist() == []
    (outside / f"{Path(first.scored['test'].texts[-1].file).stem}.conll").unlink()
    missing = Method("outside", tagger=f"ready:{outside}")
    with pytest.raises(
        Error, match=r"no file of '.*outside' has the labels of these \d+ sentences, which begin with 'w"
    ):
        study(tmp_path / "study", [missing], shifts)


def test_labels_that_cannot_be_taken(tmp_path: Path) -> None:
    with pytest.raises(Error, match=r"there is no folder '.*missing' of labels"):
        load_tagger(f"ready:{tmp_path / 'missing'}")
    with pytest.raises(Error, match="have no labels"):
        load_tagger(f"ready:{tmp_path}")
    io.write(TEST.table, tmp_path / "a.parquet")
    io.write(TEST.table, tmp_path / "b.conll")
    assert load_tagger(f"ready:{tmp_path}").label_names == ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
    nothing = pa.array([["O"] * len(words) for words in pylist(TEST.table["tokens"])], pa.list_(pa.string()))
    io.write(TEST.table.set_column(1, "labels", nothing), tmp_path / "c.conll")
    with pytest.raises(Error, match=r"c\.conll' says something else of the same words than a file before it"):
        load_tagger(f"ready:{tmp_path}")


# -- trained taggers ------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.needs("train")
def test_trained_taggers_degrade_as_their_making_implies(tmp_path: Path) -> None:
    """Sentences of the target language whose words become the source's, but for the names.

    What was trained on projected labels knows the target's words, and loses with each that goes. What was transferred
    knows the source's, and gains; its student, which it taught on text of the target language, knows neither and does
    not gain. Names in other contexts cost nobody, and the same training with other seeds is no other method.
    """
    shape = world.save_shape(tmp_path / "shape")
    training, text = world.pairs(400, seed=1), world.pairs(400, seed=4)
    projected = [Corpus("yo", world.projected_table(training, lost_links=0.1))]
    given: dict[str, Any] = {
        "model": str(shape),
        "random_weights": True,
        "device": "cpu",
        "settings": TrainingSettings(epochs=10, batch_size=16, learning_rate=3e-3, patience=None),
    }
    methods = [
        Method("projected", projected),
        Method("transfer", [Corpus("en", world.source_table(training))]),
        Method("student", teachers=["transfer"], text=Corpus("text", world.target_table(text))),
    ]
    test = Corpus("test", world.target_table(world.pairs(150, seed=3)))
    lexicon = dict(zip(world.TARGET_WORDS, world.SOURCE_WORDS, strict=True))
    shifts = [StudiedShift("code-switch", {"lexicon": lexicon}), StudiedShift("context")]
    options: dict[str, Any] = {"shifts": shifts, "severities": (5,), "samples": 2000, **given}
    study_shift([methods[0]], [test], tmp_path / "other", seeds=(2, 3), **options)
    again = [str(tmp_path / "other" / "models" / "projected" / f"seed-{seed}") for seed in (2, 3)]
    one = study_shift([*methods, Method("again", tagger=again)], [test], tmp_path / "study", seeds=(0, 1), **options)

    lost = {name: row(one.drops, method=name, shift="code-switch") for name in one.scored["test"].methods}
    assert lost["projected"]["drop_low"] > 0.1
    assert lost["transfer"]["drop"] < -0.05
    assert lost["student"]["drop"] > lost["transfer"]["drop"] + 0.05
    compared = row(one.comparisons, method="transfer", shift="code-switch")
    assert compared["difference_high"] < -0.1
    assert compared["p_holm"] < 0.05
    for compared in one.comparisons.to_pylist():
        if compared["shift"] == "context" or compared["method"] == "again":
            assert compared["p_holm"] > 0.05
    assert any(told.startswith("Under code-switch, transfer loses 0.") for told in findings(one))
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "study").rglob("*") if path.is_file()}
    study_shift([*methods, Method("again", tagger=again)], [test], tmp_path / "study", seeds=(0, 1), **options)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "study").rglob("*") if path.is_file()} == made


# -- the command line ---------------------------------------------------------------------------------------


@pytest.fixture
def corpora(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with data, where taggers go by `made-up:RULE`."""
    (tmp_path / "made_up.py").write_text(
        "from test_study_shift import Tagger\n\ndef load(model, **options):\n    return Tagger(model)\n"
    )
    distribution(tmp_path, "made-up", "[xner.taggers]\nmade-up = made_up:load\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    forget()
    io.write(TEST.table.slice(0, 40), tmp_path / "test.conll")
    io.write(corpus(40, seed=5).table, tmp_path / "train.conll")
    (tmp_path / "names.tsv").write_text("".join(f"{CLASS[name[-2:]]}\t{name}\n" for name in NEW))
    yield tmp_path
    forget()


COMMAND = ("study", "shift", "--tagger", "shape=made-up:shape", "--tagger", "names=made-up:names", "--samples", "500")


def test_on_the_command_line(corpora: Path) -> None:
    kinds = ("--kind", "entities", "--kind", "characters:where=context", "--severities", "1,5", "--names", "names.tsv")
    options = ("--test", "test.conll", "--seen-in", "train.conll", "--shift-seeds", "1,2", "-o", "study")
    run = done(xner(*COMMAND, *kinds, *options, cwd=corpora))
    assert run.stdout.startswith("On test.conll, over all shifts F1 falls by ")
    assert "Over all shifts, names loses 0." in run.stdout
    assert re.search(r"\| test\.conll \| characters \(where context\) +\| shape +\|", run.stdout)
    assert "to look at: study/report.html" in run.stderr
    assert "<code>xner study shift --tagger shape=made-up:shape" in (corpora / "study/report.html").read_text()
    table = pacsv.read_csv(corpora / "study" / "runs.csv")
    assert table.num_rows == 2 * (1 + 2 * 2 * 2)
    labelled = {path: path.stat().st_mtime_ns for path in (corpora / "study" / "labels").iterdir()}
    again = done(xner(*COMMAND, *kinds, *options, cwd=corpora))
    assert again.stdout == run.stdout
    assert {path: path.stat().st_mtime_ns for path in (corpora / "study" / "labels").iterdir()} == labelled


def test_documents_on_the_command_line(corpora: Path) -> None:
    io.write(TEST.table.slice(0, 40), corpora / "test.parquet")
    options = ("--test", "test.parquet", "--kind", "words", "--severities", "2", "--documents", "document")
    run = done(xner(*COMMAND, *options, "-o", "study", cwd=corpora))
    assert "|two-way-bootstrap:document=8|" in (corpora / "study" / "summary.md").read_text(encoding="utf-8")
    assert "On test.parquet, under words F1 falls by " in run.stdout


def test_against_on_the_command_line(corpora: Path) -> None:
    options = ("--test", "test.conll", "--kind", "characters", "--severities", "2", "-o", "study")
    run = done(
        xner(*COMMAND, *options, "--against", "made-up:context", "--search", "greedy", "--budget", "2", cwd=corpora)
    )
    assert "On test.conll, over all shifts F1 falls by " in run.stdout
    drops = pacsv.read_csv(corpora / "study" / "drops.csv")["shift"].to_pylist()
    assert set(drops) == {"characters", "characters, attacked", "all"}
    assert pacsv.read_csv(corpora / "study" / "transfers.csv")["method"].to_pylist() == ["shape", "names"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--kind", "typos"), "--kind='typos': expected one of 'entities'"),
        (("--kind", "words:where"), "expected KIND:OPTION=VALUE, found 'where'"),
        (("--severities", "a"), "--severities 'a': expected whole numbers separated by commas"),
        (("--kind", "words", "--names", "names.tsv"), "--names goes with --kind entities"),
        (("--search", "greedy"), "--search and --budget go with --against"),
        (("--reference", "x"), "--reference='x': no method has this name; the methods are shape, names"),
        (("--samples", "10"), "--samples=10: with 5 comparisons it takes 200 to find any difference"),
        (("--seen-in", "missing.conll"), "there is no file 'missing.conll'"),
        (("--tagger", "again"), "--tagger 'again': expected METHOD=FILE"),
    ],
)
def test_wrong_use(corpora: Path, options: tuple[str, ...], message: str) -> None:
    given_options = COMMAND if "--samples" not in options else COMMAND[:-2]
    run = xner(*given_options, *options, "--test", "test.conll", "-o", "study", cwd=corpora)
    assert run.returncode in {1, 2}
    assert message in " ".join(run.stderr.split())


# -- shifts and wrong calls -----------------------------------------------------------------------------------


def test_shifts_as_text() -> None:
    one = StudiedShift.parse(
        "characters:where=context:characters=keyboard,ocr", lexicon={"a": "b"}, names=[("PER", "x")]
    )
    assert dict(one.options) == {"where": "context", "characters": ("keyboard", "ocr")}
    assert one.name == "characters (where context, characters keyboard,ocr)"
    assert one.region == "context"
    with_names = StudiedShift.parse("entities", names=[("PER", "x")])
    assert dict(with_names.options) == {"names": [("PER", "x")]}
    assert with_names.region == "entities"
    assert StudiedShift("words").region is None
    digests = {
        StudiedShift.parse(text).digest() for text in ("words", "words:where=context", "characters", "words:words=drop")
    }
    assert len(digests) == 4


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: StudiedShift.parse("typos"), "kind='typos': expected one of 'entities'"),
        (lambda: StudiedShift.parse("words:where"), "expected KIND:OPTION=VALUE, found 'where'"),
        (lambda: StudiedShift.parse("words:here=all"), "unknown option 'here'"),
        (lambda: StudiedShift.parse("words:xyz=1"), "unknown option 'xyz': expected one of 'where', 'characters'"),
        (lambda: StudiedShift.parse("words:severity=2"), "severity: the study takes several"),
        (lambda: StudiedShift.parse("context:where=all"), "where"),
        (lambda: StudiedShift("code-switch"), "lexicon: kind='code-switch' needs one"),
        (lambda: StudiedShift("words", {"names": [("PER", "x")]}), "names: goes with kind='entities'"),
        (lambda: StudiedShift("words", name="clean"), "name='clean': the text that is not shifted has it"),
    ],
)
def test_wrong_shifts(make: Any, message: str) -> None:
    with pytest.raises(OptionError, match=re.escape(message)):
        make()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"methods": []}, "there are no methods"),
        ({"shifts": []}, "there are no shifts"),
        ({"shifts": ["words", "words"]}, "shifts: 'words' is there twice"),
        ({"severities": [6]}, "severities=6: expected a whole number from 1 to 5"),
        ({"severities": [1, 1]}, "severities: 1 is there twice"),
        ({"shift_seeds": []}, "there are no shift_seeds"),
        ({"reference": "x"}, "reference='x': no method has this name; the methods are a"),
        ({"collapse": 1.0}, "collapse=1.0: expected a number from 0 to below 1"),
        ({"confidence": 1.0}, "confidence=1.0: expected a number between 0 and 1"),
        ({"samples": 0}, "samples=0: expected a whole number from 1"),
        ({"documents": "page"}, "page"),
        ({"asked_classes": ["person"]}, "asked_classes goes with a tagger that is asked for classes"),
        ({"tests": [Corpus("empty", pa.table({"tokens": [["a"]], "labels": [["O"]]}))]}, "'empty' has no entities"),
    ],
)
def test_wrong_calls(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"methods": [Method("a", tagger=Tagger("names"))], "tests": [TEST], "folder": tmp_path}
    with pytest.raises(Error, match=re.escape(message)):
        study_shift(**(given | options))


def test_rows_without_a_document(tmp_path: Path) -> None:
    column = pa.array(["a", None, *["b"] * 78])
    table = TEST.table.drop_columns(["document"]).append_column("document", column)
    with pytest.raises(DataError, match="row 1, column 'document', value null"):
        study(tmp_path, [Method("a", tagger=Tagger("names"))], tests=[Corpus("test", table)], documents="document")


def test_two_at_a_time(tmp_path: Path) -> None:
    from xner.pipelines.checkpoints import alone

    with alone(tmp_path), pytest.raises(Error, match="is being written by process"):
        study(tmp_path, [Method("a", tagger=Tagger("names"))])
