"""The stage that makes the column `nmt_scores`: what is scored, what is skipped, and what projection makes of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fake_translation import LANGUAGES, FakeTranslation
from xner import Aligner, DataError, Error, Projector, schema
from xner._support.arrow import pylist
from xner.io import sample
from xner.labels import decode_batch
from xner.models.scorers import NmtScorer, NmtStage
from xner.projection import ProjectionOptions

NER_LABELS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


@pytest.fixture(scope="module")
def corpus() -> pa.RecordBatch:
    """Sentence pairs of the sample with links and made-up probabilities of a tagger."""
    english, german = (sample.load(language).slice(0, 50) for language in ("en", "de"))
    sides = english.column("tokens"), german.column("tokens")
    generator = np.random.default_rng(0)
    ner = [generator.dirichlet([0.2] * 5, len(words)).tolist() for words in pylist(sides[1])]
    columns: dict[str, Any] = {
        schema.ID: german.column("id"),
        schema.TOKENS: sides[1],
        schema.SOURCE_TOKENS: sides[0],
        schema.SOURCE_ENTITIES: decode_batch(english.column("labels").combine_chunks()),
        schema.LINKS: Aligner.fit(*sides, threads=1).align(*sides),
        schema.NER_PROBABILITIES: pa.array(ner, schema.NER_PROBABILITIES_TYPE),
    }
    table = pa.table({name: column for name, column in columns.items() if name != schema.NER_PROBABILITIES})
    field = schema.ner_probabilities_field(NER_LABELS)
    [batch] = table.append_column(field, columns[schema.NER_PROBABILITIES]).combine_chunks().to_batches()
    return batch


def stage(prune: bool = True, model: FakeTranslation | None = None, **options: Any) -> NmtStage:
    scorer = NmtScorer(model or FakeTranslation(), *LANGUAGES)
    return NmtStage(scorer, ProjectionOptions(**({"score": "align_nmt"} | options)), prune=prune)


def scored(batch: pa.RecordBatch, row: int = 0) -> list[tuple[int, int, int]]:
    return [(s["source"], s["start"], s["end"]) for s in batch.column(schema.NMT_SCORES)[row].as_py()]


@pytest.mark.parametrize(
    "options",
    [
        {"score": "nmt"},
        pytest.param({"score": "align_nmt"}, marks=pytest.mark.slow),
        pytest.param({"score": "all_fusion"}, marks=pytest.mark.slow),
        pytest.param({"score": "align_nmt", "matcher": "greedy"}, marks=pytest.mark.slow),
        pytest.param({"score": "align_nmt", "candidates": "aligned"}, marks=pytest.mark.slow),
        pytest.param({"score": {"align": 1, "characters": 0.5, "nmt": 0.5}, "max_words": 4}, marks=pytest.mark.slow),
    ],
)
def test_projection_with_what_was_scored_is_that_with_all(corpus: pa.RecordBatch, options: dict[str, Any]) -> None:
    some, every = stage(**options), stage(prune=False, **options)
    projector = Projector(**options)
    results = [projector(one(corpus)).column(schema.ENTITIES).to_pylist() for one in (some, every)]
    unique = 0
    for ours, theirs in zip(*results, strict=True):
        assert sum(e["score"] for e in ours) == pytest.approx(sum(e["score"] for e in theirs))
        if all(entity["margin"] > 1e-6 for entity in theirs):
            one, other = ([(e["start"], e["end"], e["score"], e["source"]) for e in side] for side in (ours, theirs))
            assert one == other
            unique += 1
    assert unique > 0.8 * corpus.num_rows
    assert every.counts.skipped == 0
    assert some.counts.pairs == every.counts.pairs == every.counts.scored > 200
    assert some.counts.scored + some.counts.skipped == some.counts.pairs
    if options["score"] == "nmt":
        assert some.counts.skipped == 0, "any pair may be the best one as long as none reaches the cap"
    else:
        assert some.counts.skipped > 0.2 * some.counts.pairs


@pytest.mark.slow
def test_what_is_scored_does_not_depend_on_the_batch(corpus: pa.RecordBatch) -> None:
    whole = stage()(corpus)
    alone = [stage()(corpus.slice(row, 1)) for row in range(corpus.num_rows)]
    assert [scored(batch) for batch in alone] == [scored(whole, row) for row in range(corpus.num_rows)]
    table = stage()(pa.Table.from_batches([corpus.slice(0, 20), corpus.slice(20)]))
    assert table.column(schema.NMT_SCORES).to_pylist() == whole.column(schema.NMT_SCORES).to_pylist()


def test_rounds_are_few_and_texts_are_joined(corpus: pa.RecordBatch) -> None:
    model = FakeTranslation()
    reports: list[tuple[str, int, int]] = []
    stage(model=model)(corpus, progress=lambda what, *numbers: reports.append((what, *numbers)))
    pairs = [numbers for what, *numbers in reports if what == "pairs of these sentences"]
    assert len(pairs) < 14
    assert pairs == sorted(pairs)
    assert pairs[-1][0] == pairs[-1][1]
    assert any(what == "probabilities of these pairs" for what, *_ in reports)
    assert reports[-1] == ("sentences", corpus.num_rows, corpus.num_rows)
    assert any(text.endswith(".") and " ." not in text for pair in model.asked for text in pair[:2])


ROW: dict[str, Any] = {
    "id": "s7",
    "tokens": ["Frau", "Merkel", "kam", "!"],
    "source_tokens": ["Mrs", "Merkel"],
    "source_entities": [{"start": 0, "end": 2, "label": "PER"}],
    "links": [{"source": 0, "target": 0, "score": 1.0}, {"source": 1, "target": 1, "score": None}],
    "candidates": [{"start": 0, "end": 2}, {"start": 0, "end": 4}],
}


def batch_of(*rows: dict[str, Any]) -> pa.RecordBatch:
    columns = {name: pa.array([row[name] for row in rows], schema.COLUMN_TYPES[name]) for name in rows[0]}
    return pa.record_batch(columns)


class TestCandidates:
    @pytest.mark.parametrize(
        ("options", "spans"),
        [
            ({}, [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]),
            ({"stop_words": (), "min_words": 3}, [(0, 3), (0, 4), (1, 4)]),
            ({"candidates": "aligned"}, [(0, 1), (0, 2), (1, 2)]),
            ({"candidates": "aligned_ends", "max_words": 1}, [(0, 1), (1, 2)]),
            ({"candidates": "given"}, [(0, 2), (0, 4)]),
        ],
    )
    def test_kinds(self, options: dict[str, Any], spans: list[tuple[int, int]]) -> None:
        model = FakeTranslation()
        one = stage(prune=False, model=model, **options)
        one(batch_of(ROW))
        assert one.counts.pairs == one.counts.scored == len(spans)
        texts = {" ".join(ROW["tokens"][start:end]).replace(" !", "!") for start, end in spans}
        assert {text for given, text, *languages in model.asked if languages == list(LANGUAGES)} == texts

    def test_only_the_pruned_kinds_depend_on_links(self) -> None:
        without = {name: value for name, value in ROW.items() if name != "links"}
        assert scored(stage(prune=False, score="nmt")(batch_of(without)))
        with pytest.raises(Error, match=r"scoring translations needs the column\(s\) links"):
            stage(score="nmt", candidates="aligned")(batch_of(without))


def test_rows_without_anything() -> None:
    empty: dict[str, Any] = {
        "id": "e",
        "tokens": [],
        "source_tokens": [],
        "source_entities": [],
        "links": [],
        "candidates": None,
    }
    missing = dict.fromkeys(ROW) | {"id": "m"}
    no_entities = ROW | {"source_entities": []}
    one = stage(score="nmt")
    found = one(batch_of(empty, missing, no_entities, ROW))
    assert [scored(found, row) for row in range(3)] == [[], [], []]
    assert scored(found, 3)
    assert stage()(batch_of(ROW).slice(0, 0)).num_rows == 0


def test_hints_count_among_the_other_scores() -> None:
    assert len(scored(stage()(batch_of(ROW)))) == 6
    hinted = ROW | {"hints": [{"source": 0, "start": 2, "end": 3, "score": 5.0}]}
    one = stage()
    assert scored(one(batch_of(hinted))) == [(0, 2, 3)], "nothing else can win"
    assert (one.counts.scored, one.counts.skipped) == (1, 5)


def test_the_column_replaces_an_older_one_and_says_how_it_was_made() -> None:
    once = stage()(batch_of(ROW))
    twice = stage(prune=False)(once)
    assert twice.schema.names == once.schema.names
    first, second = (batch.schema.field(schema.NMT_SCORES).metadata or {} for batch in (once, twice))
    signature = first[b"signature"].decode()
    assert signature.startswith("nmt:fake,fake-float64,eng_Latn-deu_Latn,>0.1,<=1|skipped:choice for xner:")
    assert second[b"signature"].count(b"|skipped:none for xner:") == 1


class TestErrors:
    def test_a_sum_without_nmt(self) -> None:
        with pytest.raises(Error, match="score='align' does not use nmt: a sum with it is 'align_nmt' or 'all_fusion'"):
            stage(score="align")

    def test_missing_columns(self) -> None:
        with pytest.raises(Error, match=r"scoring translations needs the column\(s\) source_entities, source_tokens"):
            stage()(pa.record_batch({"tokens": [["a"]], "links": pa.array([[]], schema.LINKS_TYPE)}))

    @pytest.mark.parametrize(
        ("change", "column"),
        [
            ({"source_entities": [{"start": 1, "end": 3, "label": "PER"}]}, "source_entities"),
            ({"links": [{"source": 0, "target": 9, "score": 1.0}]}, "links"),
            ({"candidates": [{"start": 2, "end": 5}]}, "candidates"),
        ],
    )
    def test_a_wrong_row(self, change: dict[str, Any], column: str) -> None:
        with pytest.raises(DataError) as error:
            stage(candidates="given")(batch_of(ROW, ROW | change))
        assert (error.value.row, error.value.column, error.value.row_id) == (1, column, "s7")
        with pytest.raises(DataError, match=r"^row 2 "):
            stage(candidates="given")(pa.Table.from_batches([batch_of(ROW, ROW), batch_of(ROW | change)]))

    @pytest.mark.parametrize("probabilities", [[[0.5] * 5] * 3, [[0.5] * 4] * 4])
    def test_probabilities_of_another_sentence(self, probabilities: list[list[float]]) -> None:
        one = stage(score="all_fusion", ner_labels=NER_LABELS)
        with pytest.raises(DataError, match=r"row 0 \(id 's7'\), column 'ner_probabilities', .*: expected 4 with 5"):
            one(batch_of(ROW | {"ner_probabilities": probabilities}))
        assert one(batch_of(ROW | {"ner_probabilities": None})).num_rows == 1
