from __future__ import annotations

import csv
import re
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import golden
from command_line import done, xner
from plotted import plot_names
from test_view import payload
from xner import Error, Projector, evaluation, io, labels, schema, viewer
from xner.experiments.matching import (
    MatchingOptions,
    MatchingStudy,
    Size,
    corpus_problems,
    study_matching,
    synthetic_problem,
    write_matching_report,
)
from xner.experiments.matching.findings import findings
from xner.experiments.matching.report import markdown
from xner.io import sample
from xner.projection.fusion import parse_score
from xner.projection.matching import solve

if TYPE_CHECKING:
    from pathlib import Path

LINK_TYPE = pa.list_(pa.struct([("source", pa.int32()), ("target", pa.int32())]))


def table(rows: list[tuple[str, str, list[tuple[int, int, str]], list[tuple[int, int]]]], gold: list[str]) -> pa.Table:
    """Sentence pairs given as text, source entities and links; gold labels as text."""
    return pa.table(
        {
            "source_tokens": pa.array([source.split() for source, *_ in rows]),
            "tokens": pa.array([target.split() for _, target, *_ in rows]),
            "source_entities": pa.array(
                [[{"start": s, "end": e, "label": k} for s, e, k in row[2]] for row in rows],
                schema.SOURCE_ENTITIES_TYPE,
            ),
            "links": pa.array([[{"source": s, "target": t} for s, t in row[3]] for row in rows], LINK_TYPE),
            "gold_labels": pa.array([line.split() for line in gold]),
        }
    )


@pytest.fixture
def small() -> pa.Table:
    """Greedy takes the middle word for the first entity, which leaves little for the two of them."""
    return table(
        [
            ("A B", "x y z", [(0, 1, "PER"), (1, 2, "LOC")], [(0, 0), (0, 1), (1, 1), (1, 2)]),
            ("A", "x", [(0, 1, "PER")], [(0, 0)]),
            ("A", "<x>", [], [(0, 0)]),
            ("A", "x", [(0, 1, "PER")], []),
        ],
        ["B-PER B-LOC I-LOC", "B-PER", "O", "O"],
    )


def test_problems_of_a_corpus(small: pa.Table) -> None:
    problems = list(corpus_problems(small))
    assert [problem.row for problem in problems] == [0, 1]
    first = problems[0]
    assert first.candidates.tolist() == [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]
    assert first.labels == ("PER", "LOC")
    np.testing.assert_allclose(first.scores[0], [1, 4 / 3, 1, 1, 2 / 3, 0])
    ends = next(iter(corpus_problems(small, candidates="aligned_ends", max_words=1)))
    assert ends.candidates.tolist() == [[0, 1], [1, 2], [2, 3]]
    with pytest.raises(Error, match="row 0: count='weighted' needs link_scores"):
        list(corpus_problems(small, score="weighted"))


def test_made_up_problems_are_of_their_size() -> None:
    problem = synthetic_problem(Size(30, 4, 10), seed=3)
    assert problem.entities == 4
    assert ((problem.scores > 0).sum(axis=1) <= 10).all()
    assert problem.candidates.min() >= 0
    assert problem.candidates.max() <= 30
    assert (problem.candidates[:, 0] < problem.candidates[:, 1]).all()
    again = synthetic_problem(Size(30, 4, 10), seed=3)
    assert (again.scores == problem.scores).all()
    assert solve(problem.scores, problem.candidates).objective > 0


def study_of(corpus: pa.Table, **options: object) -> MatchingStudy:
    return study_matching({"small": corpus}, MatchingOptions(growth=False, **options))  # type: ignore[arg-type]  # given by the tests


def test_figures_by_hand(small: pa.Table) -> None:
    study = study_of(small, matchers=("exact", "greedy"))
    [setting] = study.problems
    exact, greedy = study.summary.to_pylist()
    for row, problem in enumerate(study.problems[setting]):
        best = study.outcomes[setting, "exact"][row].matching
        assert best is not None
        assert best.objective == pytest.approx(solve(problem.scores, problem.candidates).objective)
    assert exact["problems"] == greedy["problems"] == 2
    assert exact["optimal"] == 1
    assert exact["below"] == exact["gap"] == exact["differing"] == 0
    assert greedy["gap"] >= 0
    found = study.labels(setting, "exact")
    assert [len(row) for row in found] == [3, 1, 1, 1]
    assert found[1:] == [["B-PER"], ["O"], ["O"]]
    assert exact["f1_low"] <= exact["f1"] <= exact["f1_high"]


def test_where_greedy_loses() -> None:
    """Two candidates of the first entity tie; greedy takes the one that the second entity needs."""
    corpus = table([("A B", "x y", [(0, 1, "PER"), (1, 2, "LOC")], [(0, 0), (0, 1), (1, 0)])], ["B-LOC B-PER"])
    study = study_of(corpus, candidates="ngram", max_words=1)
    [setting] = study.problems
    exact, greedy = study.summary.to_pylist()
    assert greedy["below"] == 1
    assert greedy["gap"] == pytest.approx(0.5)
    assert study.differing(setting, "greedy") == [0]
    assert (exact["f1"], greedy["f1"]) == (1.0, 0.0)


def test_constraints_that_cannot_be_met_are_counted(small: pa.Table) -> None:
    study = study_of(small, constraints=(("=", 1), ("=", 3)))
    shares = [row["infeasible"] for row in study.summary.to_pylist() if row["matcher"] == "exact"]
    assert shares == [0.0, 1.0]


@pytest.mark.needs("exact")
def test_all_matchers_agree_on_the_optimum(test_data: Path) -> None:
    rows = golden.load(test_data, "en-de.grow")[:60]
    corpus = pa.table(
        {
            "tokens": pa.array([row["tokens"] for row in rows]),
            "source_entities": pa.array(
                [[{"start": s, "end": e, "label": k} for s, e, k in row["entities"]] for row in rows],
                schema.SOURCE_ENTITIES_TYPE,
            ),
            "links": pa.array([[{"source": s, "target": t} for s, t in row["links"]] for row in rows], LINK_TYPE),
        }
    )
    study = study_of(corpus, matchers=("exact", "ortools"), max_words=10)
    [setting] = study.problems
    for one, other in zip(*(study.outcomes[setting, matcher] for matcher in study.options.matchers), strict=True):
        assert one.matching is not None
        assert other.matching is not None
        assert one.matching.objective == pytest.approx(other.matching.objective, abs=1e-6)
    assert study.summary.to_pylist()[0]["f1"] is None


def test_confident_entities_are_more_often_right(test_data: Path) -> None:
    """On Europarl the half with the higher margins is clearly more precise than the other."""
    for language in ("de", "es"):
        folder = test_data / "europarl-ner"
        english = io.read_conll(folder / "en-europarl.test.conll02")
        other = io.read_conll(folder / f"{language}-europarl.test.conll02")
        links = io.read_pharaoh(test_data / "golden" / f"links.en-{language}.grow-diag-final-and.pharaoh")
        corpus = pa.table(
            {
                "tokens": other["tokens"],
                "source_entities": pa.chunked_array([labels.decode_batch(chunk) for chunk in english["labels"].chunks]),
                "links": links,
                "gold_labels": other["labels"],
            }
        )
        study = study_of(corpus, matchers=("exact",), candidates="aligned_ends")
        [setting] = study.problems
        for by in ("margin", "score"):
            curve = dict(study.confidence(setting, "exact", by))
            half = min(curve, key=lambda share: abs(share - 0.5))
            whole = curve[1.0]
            rest = (whole - half * curve[half]) / (1 - half)
            assert curve[half] > rest + 0.03, (language, by)


NASTY = table([("A <b>", "<i> &amp;", [(0, 1, "PER"), (1, 2, "LOC")], [(0, 0), (0, 1), (1, 0)])], ["B-LOC B-PER"])
"""A sentence on which greedy and exact matching differ, with words that look like markup."""


def test_the_files(small: pa.Table, tmp_path: Path) -> None:
    study = study_of(small.slice(1))
    page = write_matching_report(study, tmp_path / "study", view=viewer.view)
    names = {path.name for path in page.parent.iterdir()}
    tables = {"summary.csv", "summary.md", "summary.parquet"}
    assert names == {*tables, *plot_names(["confidence-1"]), "report.html"}, (
        "the matchers tie: no plots of it, no sentences"
    )
    assert pq.read_table(page.parent / "summary.parquet").num_rows == 2
    with (page.parent / "summary.csv").open(newline="") as file:
        assert [row["matcher"] for row in csv.DictReader(file)] == ["exact", "greedy"]
    text = (page.parent / "summary.md").read_text(encoding="utf-8")
    assert text == f"{markdown(study)}\n{study.signature}\n"
    again = write_matching_report(study, tmp_path / "again", view=viewer.view)
    assert again.read_bytes() == page.read_bytes()


def test_figures_are_computed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many tables, plots and sentences are made of them."""
    calls = []

    def counted(*arguments: Any, **options: Any) -> Any:
        calls.append(arguments)
        return evaluation.bootstrap(*arguments, **options)

    monkeypatch.setattr("xner.experiments.matching.study.bootstrap", counted)
    study = study_of(NASTY, max_words=1)
    write_matching_report(study, tmp_path, view=viewer.view)
    markdown(study)
    assert len(calls) == 2, "one of each matcher"
    assert study.summary is study.summary


OTHERS: dict[str, Any] = {
    "sizes": (Size(12, 3, 6),),
    "scores": ("links", "words"),
    "constraints": (("<=", 1), ("=", 1)),
    "matchers": ("greedy", "exact"),
    "candidates": "aligned_ends",
    "min_words": 2,
    "max_words": 2,
    "time_limit": 60.0,
    "growth": True,
}


@pytest.mark.parametrize("name", [field.name for field in fields(MatchingOptions)])
def test_every_option_is_in_the_signature(small: pa.Table, name: str) -> None:
    plain = MatchingOptions(growth=False)
    other = replace(plain, **{name: OTHERS[name]})
    corpora = {"small": small}
    signatures = [MatchingStudy(options, corpora, {}, {}, []).signature for options in (plain, other)]
    assert signatures[0] != signatures[1]
    assert signatures[0] == MatchingStudy(MatchingOptions(growth=False), corpora, {}, {}, []).signature


def test_the_corpora_are_in_the_signature(small: pa.Table) -> None:
    """By their content: the same name does not hide other data, and chunks do not matter."""

    def signature(corpus: pa.Table) -> str:
        return MatchingStudy(MatchingOptions(), {"small": corpus}, {}, {}, []).signature

    assert signature(small) == signature(pa.concat_tables([small.slice(0, 1), small.slice(1)]))
    assert signature(small) != signature(small.slice(1))
    assert signature(small) != signature(small.drop_columns(["gold_labels"]))


def test_lengths_of_candidates(small: pa.Table) -> None:
    found = next(iter(corpus_problems(small, min_words=2, max_words=2)))
    assert found.candidates.tolist() == [[0, 2], [1, 3]]
    with pytest.raises(Error, match="max_words=1"):
        study_of(small, min_words=2, max_words=1)


@pytest.mark.needs("exact")
def test_what_was_found(small: pa.Table) -> None:
    """Ties, differences, several settings, no gold labels, one matcher: the sentences are of the numbers."""
    [tie] = findings(study_of(small.slice(1)))
    assert tie == (
        "greedy and exact tie: the same labels for all problems (share that differs: 95 % interval "
        "0.00 % to 79.35 %). F1 is the same."
    )
    [apart] = findings(study_of(NASTY, max_words=1))
    assert apart.startswith(
        "greedy gives other labels than exact for 1 of 1 sentences (100.00 %, 95 % interval 20.65 % "
    )
    assert (
        "Its F1 differs from that of exact by −1.0000 (95 % interval −1.0000 to −1.0000); the interval leaves" in apart
    )
    [several] = findings(study_of(NASTY, max_words=1, constraints=(("<=", 1), ("=", 1))))
    assert several.startswith("Over 2 settings, greedy gives other labels than exact at most for 1 of 1 sentences")
    assert several.endswith("the interval leaves out 0 in 2 of 2 settings.")
    [unjudged] = findings(study_of(NASTY.drop_columns(["gold_labels"]), max_words=1))
    assert unjudged.endswith(
        "greedy misses the best known total score on 100.0 % of the problems (95 % interval 20.7 % to "
        "100.0 %), by 50.00 % on average."
    )
    [alone] = findings(study_of(small, matchers=("exact",)))
    assert alone.startswith("There is one matcher, exact, and nothing to compare")
    assert len(findings(study_of(small, matchers=("exact", "greedy", "ortools")))) == 2


def test_sentences_are_in_the_view(tmp_path: Path) -> None:
    """Each reading has its row there, with its own spans, scores and margins."""
    study = study_of(NASTY, max_words=1)
    page = write_matching_report(study, tmp_path, view=viewer.view)
    assert re.findall(r'href="(view[^"]*)"', page.read_text(encoding="utf-8")) == [
        "view.html#row=0",
        "view.html#row=0",
        "view.html#row=1",
    ]
    rows = payload((tmp_path / "view.html").read_text(encoding="utf-8"))["rows"]
    assert [row["id"] for row in rows] == [f"row 0 · {matcher} · small, links, <= 1" for matcher in ("exact", "greedy")]
    assert [[span[:3] for span in row["entities"]] for row in rows] == [[[1, 2, "PER"], [0, 1, "LOC"]], [[0, 1, "PER"]]]
    assert all(span[3] > 0 and span[4] is not None for row in rows for span in row["entities"])
    assert rows[0]["links"] == [[0, 0, None], [0, 1, None], [1, 0, None]]
    assert rows[0]["source_tokens"] == ["A", "<b>"]


def test_sums_of_scores(small: pa.Table) -> None:
    """The study's problems are what projecting with the same score chooses from."""
    for score in ("links", "align_characters", "align=1,characters=2"):
        study = study_of(small, scores=(score,))
        [setting] = study.problems
        assert setting.score == score
        projector = Projector(candidates="ngram", score="align" if score == "links" else parse_score(score))
        assert study.labels(setting, "exact") == projector(small)["labels"].to_pylist()
    plain, spelled = (next(iter(corpus_problems(small, score=score))).scores for score in ("links", "align_characters"))
    assert plain.shape == spelled.shape
    with pytest.raises(Error, match="score='best': expected one of"):
        study_of(small, scores=("best",))
    with pytest.raises(Error, match=r"scoring needs the column\(s\) ner_probabilities"):
        study_of(small, scores=("ner",))


def test_made_up_problems_beside_corpora(small: pa.Table, tmp_path: Path) -> None:
    study = study_matching({"small": small}, MatchingOptions(sizes=(Size.parse("12x3x6"),), growth=False))
    made_up = [row for row in study.summary.to_pylist() if row["corpus"] != "small"]
    assert {row["corpus"] for row in made_up} == {"made up, 12 words, 3 entities, 6 candidates each"}
    assert [row["problems"] for row in made_up] == [200, 200]
    assert made_up[0]["f1"] is None
    assert made_up[1]["gap"] > 0, "greedy is not always the best"
    assert "made up, 12 words" in write_matching_report(study, tmp_path).read_text(encoding="utf-8")


@pytest.mark.parametrize("text", ["", "12", "12x3", "0x1x1", "12x3x6x1", "axbxc"])
def test_wrong_sizes(text: str) -> None:
    with pytest.raises(Error, match="expected WORDSxENTITIESxCANDIDATES, such as 25x5x40"):
        Size.parse(text)


def test_growth_is_measured() -> None:
    corpus = table([("A", "x", [(0, 1, "PER")], [(0, 0)])], ["B-PER"])
    study = study_matching({"small": corpus}, MatchingOptions(matchers=("exact",)))
    assert {point.varied for point in study.growth} == {"words", "entities", "candidates"}
    assert all(point.seconds > 0 for point in study.growth)
    assert all(point.gap is not None and 0 <= point.gap < 1 for point in study.growth)


def test_on_the_command_line(tmp_path: Path) -> None:
    for language in ("en", "de"):
        (tmp_path / f"{language}.conll").write_bytes(sample.path(language).read_bytes())
    run = done(
        xner(
            *("study", "matching", "--source", "en.conll", "--target", "de.conll", "-o", "study", "--no-growth"),
            *("--constraint", "<=1", "--constraint", "<= 2", "--score", "links", "--score", "align_characters"),
            *("--synthetic", "12x3x6"),
            cwd=tmp_path,
        )
    )
    assert run.stdout.startswith("Over 6 settings, greedy gives other labels than exact at most for ")
    assert run.stdout.count("| de.conll  ") == 8
    assert run.stdout.count("| made up, 12 words, 3 entities, 6 candidates each |") == 4
    assert "to look at: study/report.html" in run.stderr
    text = (tmp_path / "study" / "report.html").read_text(encoding="utf-8")
    assert "<code>xner study matching --source en.conll --target de.conll -o study --no-growth" in text
    assert text.count('href="view.html#row=') > 2
    assert (tmp_path / "study" / "view.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--constraint", "1"), "expected a relation and a number, as '<=1' or '=2'"),
        (("--links", "a.pharaoh", "--links", "b.pharaoh"), "2 files of links for 1 targets"),
        (("--synthetic", "12"), "expected WORDSxENTITIESxCANDIDATES, such as 25x5x40"),
    ],
)
def test_wrong_use(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    for name in ("en.conll", "de.conll", "a.pharaoh", "b.pharaoh"):
        (tmp_path / name).write_text("")
    run = xner("study", "matching", "--source", "en.conll", "--target", "de.conll", "-o", "s", *arguments, cwd=tmp_path)
    assert run.returncode == 2
    assert message in run.stderr.replace("\n", " ")


def test_nothing_to_compare(small: pa.Table) -> None:
    with pytest.raises(Error, match="matchers: at least one is needed"):
        study_of(small, matchers=())
