"""Reports of runs: what they compute, what their page shows, and what they refuse."""

from __future__ import annotations

import math
import tomllib
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pytest

from command_line import done, xner
from plotted import plot_names
from test_hostile import ATTACKS, MARK, Elements
from test_study_pages import browse, seen
from test_view import Page
from xner import io
from xner._support.arrow import pylist
from xner.errors import Error
from xner.evaluation import CAUSES
from xner.experiments.recipes import Recipe, recipe_names
from xner.experiments.recipes.options import EvaluationOptions
from xner.experiments.recipes.runs import Output, outputs_of, variant_options
from xner.experiments.reports import Report, make_report, published, published_figures, write_report
from xner.experiments.reports.findings import findings, ranking
from xner.experiments.reports.plots import all_plots, micro_rows
from xner.experiments.reports.published import changes_of, compared_with
from xner.models.aligners import ENCODER_PRESETS

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 40
METHODS = {"full": 1, "half": 2, "few": 4}
"""Of how many sentences each run has the links of one."""
LANGUAGES = ("de", "es")


def write_corpus(folder: Path, *, label: str = "PER", name: str = "{target}.conll") -> None:
    """Sentences with a name; in every tenth the gold labels have an organisation, which the source side lacks."""
    for language, verb in (("en", "sees"), ("de", "sieht"), ("es", "ve")):
        lines = []
        for row in range(ROWS):
            of_firm = "B-ORG" if language != "en" and row % 10 == 0 else "O"
            lines.append(f"Anna\tB-{label}\n{verb}{row}\tO\nAcme\t{of_firm}\n")
        place = "en.conll" if language == "en" else name.format(target=language)
        (folder / place).write_text("\n".join(lines), encoding="utf-8")
    for method, every in METHODS.items():
        lines = ["0-0 1-1 2-2" if row % every == 0 else "" for row in range(ROWS)]
        (folder / f"{method}.pharaoh").write_text("\n".join(lines) + "\n", encoding="utf-8")


def run(folder: Path, method: str, place: str | None = None, **changes: Any) -> Path:
    """A run whose links are those of a method."""
    data = {"source": str(folder / "en.conll"), "target": str(folder / "{target}.conll"), "languages": LANGUAGES}
    recipe = Recipe("mine", options={"method": "heuristic"}).changed(
        data=data | changes, links={"files": [str(folder / f"{method}.pharaoh")]}, evaluation={"samples": 100}
    )
    return recipe.run(folder / (place or method)).folder


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run for each method, in both languages."""
    folder = tmp_path_factory.mktemp("matrix")
    write_corpus(folder)
    for method in METHODS:
        run(folder, method)
    return folder


@pytest.fixture(scope="module")
def report(matrix: Path) -> Report:
    # Neither the best nor the worst first.
    return make_report([matrix / "half", matrix / "full", matrix / "few"], samples=200)


def f1(found: int, predicted: int, gold: int) -> float:
    return 2 * found / (predicted + gold)


GOLD = ROWS + ROWS // 10
EXPECTED = {f"{name}:default": f1(ROWS // every, ROWS // every, GOLD) for name, every in METHODS.items()}


def own(rows: list[dict[str, Any]], method: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["method"] == method]


# --- Figures ---------------------------------------------------------------------------------------------------------


def test_the_ranking_is_that_of_the_construction(report: Report) -> None:
    micro = micro_rows(report)
    assert [(row["language"], row["method"]) for row in micro] == [
        (language, f"{method}:default") for language in LANGUAGES for method in ("half", "full", "few")
    ]
    for row in micro:
        assert row["f1"] == pytest.approx(EXPECTED[row["method"]])
        assert row["f1_low"] <= row["f1"] <= row["f1_high"]
    found = ranking(micro)
    assert [name for name, _ in found] == list(EXPECTED)
    assert [value for _, value in found] == pytest.approx(list(EXPECTED.values()))
    [told] = findings(report)
    assert told.startswith("On *.conll, full:default is best with a mean F1 of 0.952 over 2 languages, +0.327 ")
    assert "before half:default (after Holm's correction, in 2 of 2 languages the test finds it better" in told
    assert "A perfect projection would reach 0.952, on average." in told


def test_a_report_tells_what_it_is_of(report: Report) -> None:
    assert repr(report) == "<Report: 3 methods on *.conll de, *.conll es>"


def test_what_a_perfect_projection_reaches(report: Report) -> None:
    rows = report.results.to_pylist()
    for row in rows:
        wanted = {"micro": f1(ROWS, ROWS, GOLD), "PER": 1.0, "ORG": 0.0}[row["class"]]
        assert row["upper_bound"] == pytest.approx(wanted)
    assert own(micro_rows(report), "full:default")[0]["f1"] == pytest.approx(f1(ROWS, ROWS, GOLD))


def test_errors_have_the_causes_of_the_construction(report: Report) -> None:
    for row in micro_rows(report):
        projected = round(ROWS / METHODS[row["run"]])
        counts = {cause: row[f"errors_{cause.replace(' ', '_')}"] for cause in CAUSES}
        assert counts == {
            "translation": None,
            "source tag": ROWS // 10,
            "link": ROWS - projected,
            "boundary": 0,
            "class": 0,
        }
        assert (row["projected"], row["to_project"], row["projected_share"]) == (projected, ROWS, projected / ROWS)


def test_differences_are_of_each_two_methods(report: Report) -> None:
    rows = report.differences.to_pylist()
    assert [(row["method"], row["against"]) for row in rows[:3]] == [
        ("full:default", "half:default"),
        ("few:default", "half:default"),
        ("few:default", "full:default"),
    ]
    assert len(rows) == 3 * len(LANGUAGES)
    for row in rows:
        assert row["difference"] == pytest.approx(EXPECTED[row["method"]] - EXPECTED[row["against"]])
        assert row["difference_low"] <= row["difference"] <= row["difference_high"]
        assert row["p_value"] <= row["p_holm"] <= 3 * row["p_value"], "adjusted for the three of a language"


def test_choices_without_gold_labels(report: Report) -> None:
    """`half` shares most with the others; `full` projects most."""
    agreement = {row["method"]: row["agreement"] for row in micro_rows(report)}
    assert agreement == {
        "full:default": pytest.approx((2 / 3 + 0.4) / 2),
        "half:default": pytest.approx(2 / 3),
        "few:default": pytest.approx((2 / 3 + 0.4) / 2),
    }
    chosen = {row["criterion"]: row for row in report.choices.to_pylist() if row["language"] == "es"}
    assert chosen["agreement"]["method"] == "half:default"
    best = EXPECTED["full:default"]
    assert chosen["agreement"]["regret"] == pytest.approx(best - EXPECTED["half:default"])
    assert chosen["projected_share"]["method"] == "full:default"
    assert chosen["projected_share"]["regret"] == 0
    assert chosen["mean_margin"]["method"] == "half:default", "all are equal by it, and it is the first"
    assert chosen["chance"]["regret"] == pytest.approx(best - math.fsum(EXPECTED.values()) / 3)
    assert {row["best_method"] for row in chosen.values()} == {"full:default"}


def test_times_are_those_of_the_runs(report: Report, matrix: Path) -> None:
    times = pacsv.read_csv(matrix / "few/timings.csv").to_pylist()
    assert set(report.stages) == {row["stage"] for row in times} - {"all"}
    [row] = [one for one in own(micro_rows(report), "few:default") if one["language"] == "de"]
    for one in times:
        if one["language"] == "de":
            names = ("seconds", "sentences_per_second")
            ends = ("", "") if one["stage"] == "all" else (f"_{one['stage']}", f"_{one['stage']}")
            for name, end in zip(names, ends, strict=True):
                assert row[name + end] == pytest.approx(one[name])


def test_without_gold_labels_there_are_choices_alone(tmp_path: Path) -> None:
    write_corpus(tmp_path)
    for language in LANGUAGES:
        words: list[list[str]] = pylist(io.read(tmp_path / f"{language}.conll")["tokens"])
        (tmp_path / f"{language}.txt").write_text("\n".join(map(" ".join, words)) + "\n", encoding="utf-8")
    runs = [run(tmp_path, method, target=str(tmp_path / "{target}.txt")) for method in ("half", "full")]
    found = make_report(runs, samples=20)
    assert found.differences.num_rows == 0
    assert {row["criterion"] for row in found.choices.to_pylist()} == {"agreement", "projected_share", "mean_margin"}
    assert set(found.choices["regret"].to_pylist()) == {None}
    [told] = findings(found)
    assert told == "On *.txt no method has gold labels for every language to be scored on."
    assert all(some == [] for some in all_plots(found).values()), "no empty plots"
    write_report(found, tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "<svg" not in page
    assert "There are fewer than two figures of F1: there is nothing to draw." in page


def test_translations_are_places_of_their_own(tmp_path: Path) -> None:
    """Labels of other words are not compared; what each method projects is."""
    write_corpus(tmp_path)
    words: list[list[str]] = pylist(io.read(tmp_path / "de.conll")["tokens"])
    for name, verb in (("one", "sieht"), ("other", "schaut")):
        lines = [" ".join(one).replace("sieht", verb) for one in words]
        (tmp_path / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    variants = {
        "a": {"translations": str(tmp_path / "one.txt")},
        "b": {"translations": str(tmp_path / "one.txt"), "method": "heuristic"},
        "c": {"translations": str(tmp_path / "other.txt")},
    }
    recipe = Recipe("mine", options={"words": "blanks"}, variants=variants)
    recipe = recipe.changed(data={"source": str(tmp_path / "en.conll"), "languages": "de"})
    found = make_report([recipe.run(tmp_path / "run").folder], samples=20)
    assert [(row["method"], row["other"]) for row in found.agreement.to_pylist()] == [("b", "a")]
    agreement = {row["method"]: row["agreement"] for row in micro_rows(found)}
    assert agreement["c"] is None
    assert agreement["a"] == agreement["b"] == found.agreement["f1"].to_pylist()[0]
    assert len({one.digest for one in found.data}) == 2


def test_ways_that_do_not_project_stand_beside_those_that_do(tmp_path: Path) -> None:
    """A tagger by itself and by way of translations, of the same sentences: all are compared, where there is no cause
    of an error nobody names one, and what a perfect projection reaches is not said where each has another bound.
    """
    write_corpus(tmp_path)
    (tmp_path / "ready").mkdir()
    words: list[list[str]] = pylist(io.read(tmp_path / "de.conll")["tokens"])
    known = [f"{one[0]}\t{'B-PER' if row % 2 else 'O'}\n{one[1]}\tO\nAcme\tO\n" for row, one in enumerate(words)]
    (tmp_path / "ready/de.conll").write_text("\n".join(known), encoding="utf-8")
    options = {"tagger": f"ready:{tmp_path / 'ready'}"}
    there = {"approach": "translate-test", "translator": "command:cat", "words": "blanks"}
    variants: dict[str, dict[str, Any]] = {
        "transfer": {"approach": "model-transfer"},
        "there": {**there, "cache": str(tmp_path / "cache.sqlite")},
    }
    data = {"target": str(tmp_path / "{target}.conll"), "languages": "de"}
    tagged = Recipe("tagged", options=options, variants=variants).changed(data=data, evaluation={"samples": 100})
    runs = [run(tmp_path, "full", languages="de"), tagged.run(tmp_path / "tagged").folder]
    found = make_report(runs, samples=20)
    assert len(found.data) == 1, "one place"
    rows = {row["method"]: row for row in micro_rows(found)}
    assert list(rows) == ["full:default", "tagged:transfer", "tagged:there"]
    assert rows["tagged:transfer"]["f1"] == rows["tagged:there"]["f1"] == pytest.approx(f1(ROWS // 2, ROWS // 2, GOLD))
    assert [row["aligner"] for row in rows.values()] == ["files", "", "builtin"], "model transfer links no words"
    causes = [f"errors_{cause.replace(' ', '_')}" for cause in CAUSES]
    assert {rows["tagged:transfer"][one] for one in causes} == {None}
    assert rows["tagged:there"]["errors_source_tag"] == ROWS // 2 + ROWS // 10
    assert found.differences.num_rows == 3
    [told] = findings(found)
    assert told.startswith("On *.conll, full:default is best with an F1 of 0.952")
    assert "A perfect projection" not in told
    plots = {one.name: one.svg for some in all_plots(found).values() for one in some}
    [errors] = (svg for name, svg in plots.items() if name.startswith("errors"))
    assert "tagged:there" in errors
    assert "tagged:transfer" not in errors
    write_report(found, tmp_path / "r.html")


def test_one_method_alone(matrix: Path, tmp_path: Path) -> None:
    found = make_report([matrix / "full"])
    assert own(micro_rows(found), "default"), "the variant's name is enough"
    assert (found.differences.num_rows, found.choices.num_rows, found.agreement.num_rows) == (0, 0, 0)
    assert findings(found)[0].split("; ")[1].startswith("there is no other method to compare it with.")
    write_report(found, tmp_path / "r.html")
    page = Page((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert "There is one method, and nothing to choose." in page.text("p")
    assert "Differences" not in page.text("h2")


# --- Published figures -----------------------------------------------------------------------------------------------


def test_published_figures_name_what_there_is() -> None:
    figures = published_figures()
    assert len({(one.paper, one.method, one.dataset, one.language) for one in figures}) == len(figures)
    for one in figures:
        assert 0 < one.f1 < 1
        assert one.paper
        assert one.table
        if one.recipe:
            assert one.recipe in recipe_names()
            assert set(one.variants) <= set(Recipe.read(one.recipe).variants)
            assert not one.aligner or one.aligner in ENCODER_PRESETS
    assert sum(bool(one.recipe) for one in figures) > 30


ROW: dict[str, Any] = {
    "dataset": "europarl-ner",
    "language": "de",
    "recipe": "politov2025/ngram",
    "variant": "compat",
    "method": "compat",
    "aligner": "awesome-mbert",
    "f1": 0.915,
    "f1_low": 0.9,
    "f1_high": 0.93,
}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, [("n-gram candidates, AWESoME", 0.920, "reproduced")]),
        ({"f1_high": 0.919}, [("n-gram candidates, AWESoME", 0.920, "below")]),
        ({"f1_low": 0.921, "f1": 0.95, "f1_high": 0.96}, [("n-gram candidates, AWESoME", 0.920, "above")]),
        ({"aligner": "simalign-mbert"}, [("n-gram candidates, SimAlign", 0.898, "above")]),
        (
            {"aligner": "files"},
            [("n-gram candidates, AWESoME", 0.920, "reproduced"), ("n-gram candidates, SimAlign", 0.898, "above")],
        ),
        ({"aligner": "builtin"}, []),
        ({"variant": "default"}, []),
        ({"recipe": "mine"}, []),
        ({"dataset": "*.conll"}, []),
        ({"language": "fr"}, []),
        ({"f1": None}, []),
    ],
)
def test_verdicts(changes: dict[str, Any], found: list[tuple[str, float, str]]) -> None:
    rows = list(compared_with([ROW | changes]))
    assert [(row["published_method"], row["published_f1"], row["verdict"]) for row in rows] == found


def test_a_run_beside_published_figures(test_data: Path, tmp_path: Path) -> None:
    """A published method on its own data; nobody has said whose the links are, and the report says so."""
    data = {"dataset": "europarl-ner", "folder": str(test_data / "europarl-ner"), "languages": "es"}
    links = {"files": str(test_data / "golden" / "projection.{source}-{target}.grow.jsonl.gz")}
    recipe = Recipe.read("politov2025/ngram").changed(
        data=data, links=links, evaluation={"samples": 100}, variants=["compat"]
    )
    found = make_report([recipe.run(tmp_path / "run").folder])
    rows = {row["published_method"]: row for row in found.published.to_pylist()}
    assert {name: (row["published_f1"], row["verdict"]) for name, row in rows.items()} == {
        "n-gram candidates, AWESoME": (0.886, "reproduced"),
        "n-gram candidates, SimAlign": (0.892, "reproduced"),
    }
    assert findings(found)[-1].startswith("Of 2 published figures, 2 lie within the interval")
    assert findings(found)[-1].endswith("Links that came in files may be another aligner's than the paper's.")
    write_report(found, tmp_path / "r.html")
    page = Page((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert page.text("td").count("reproduced") == 2


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({}, []),
        ({"options": {"compat.merge_distance": 1, "threads": 1, "length_ratio_threshold": 0.8}}, []),
        ({"options": {"compat.merge_distance": 4, "compat.policy": "skip"}}, ["merge_distance", "policy"]),
        ({"evaluation": {"ignore": "LOC"}}, ["ignore"]),
        ({"evaluation": {"mode": "strict"}}, ["mode"]),
    ],
)
def test_no_published_figure_stands_beside_a_method_that_was_changed(
    tmp_path: Path, changes: dict[str, Any], names: list[str]
) -> None:
    write_corpus(tmp_path)
    of_paper = Recipe.read("politov2025/heuristic").changed(
        data={"source": str(tmp_path / "en.conll"), "target": str(tmp_path / "de.conll"), "languages": "de"},
        links={"files": [str(tmp_path / "full.pharaoh")]},
        evaluation={"samples": 20},
    )
    folder = of_paper.changed(**changes).run(tmp_path / "run").folder
    [output] = (one for one in outputs_of(folder) if one.rows[0]["variant"] == "compat")
    assert list(changes_of(output)) == names


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({}, ()),
        ({"tagger": "models/xlm-roberta-large-finetuned-conll03-english"}, ()),
        ({"tagger": "models/mine"}, ("tagger",)),
        ({"aligner_model": ["awesome-mbert=models/bert-base-multilingual-cased"]}, ()),
        ({"aligner_model": ["models/mine"]}, ("aligner_model",)),
        ({"matcher": "exact", "tagger_device": "cpu"}, ("matcher",)),
    ],
)
def test_models_are_the_same_by_name(changes: dict[str, Any], names: tuple[str, ...]) -> None:
    """A published figure is one of the tagger and the encoder that the paper had, wherever they lie."""
    recipe = tomllib.loads(Recipe.read("politov2025/ner-candidates").to_toml())
    recipe["options"] |= changes
    row = {"recipe": recipe["name"], "variant": "awesome", "split": "test"}
    output = Output(recipe, EvaluationOptions(), [row], pa.table({}))
    assert changes_of(output) == names
    row["split"] = "train"
    assert changes_of(output) == (*names, "split")


def test_a_method_that_was_changed_is_told(matrix: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figure = next(one for one in published_figures() if one.recipe == "politov2025/heuristic" and one.languages == 1)
    mine = replace(figure, dataset="*.conll", language="de")
    monkeypatch.setattr(published, "published_figures", lambda: [mine])
    of_paper = Recipe.read(mine.recipe).changed(
        data={"source": str(matrix / "en.conll"), "target": str(matrix / "{target}.conll"), "languages": "de"},
        links={"files": [str(matrix / "full.pharaoh")]},
        evaluation={"samples": 20},
    )
    as_it_is = of_paper.run(tmp_path / "as-it-is").folder
    changed = of_paper.changed(options={"compat.merge_distance": 3}).run(tmp_path / "changed").folder
    found = make_report([as_it_is, changed], samples=20)
    assert found.published["method"].to_pylist() == ["as-it-is:compat"]
    assert found.changed == {"changed:compat": ("merge_distance",)}
    told = "No published figure stands beside changed:compat: it differs from the published method in merge_distance."
    assert findings(found)[-1] == told
    write_report(found, tmp_path / "r.html")
    assert told in Page((tmp_path / "r.html").read_text(encoding="utf-8")).text("p")


def test_means_are_of_as_many_languages() -> None:
    f1s = [0.6 + one / 100 for one in range(18)]
    bounds = [{"f1": f1, "f1_low": f1 - 0.06, "f1_high": f1 + 0.06} for f1 in f1s]
    rows = [ROW | {"dataset": "masakhaner2", "language": str(one)} | its for one, its in enumerate(bounds)]
    [row] = compared_with(rows)
    assert (row["language"], row["published_f1"], row["verdict"]) == ("mean", 0.667, "above")
    assert row["f1"] == pytest.approx(0.685)
    assert row["f1"] - row["f1_low"] == pytest.approx(0.06 / math.sqrt(18))
    assert list(compared_with(rows[1:])) == []


# --- Files -----------------------------------------------------------------------------------------------------------


def test_all_tables_and_plots_are_written(report: Report, tmp_path: Path) -> None:
    written = write_report(report, tmp_path / "r.html", tables=tmp_path / "tables", command="xner report")
    assert sorted(written) == sorted(one for one in tmp_path.rglob("*") if one.is_file())
    for name, table in report.tables.items():
        assert io.read(tmp_path / f"tables/{name}.parquet").equals(table)
        text = (tmp_path / f"tables/{name}.csv").read_text(encoding="utf-8")
        assert text.splitlines()[0] == ",".join(f'"{one}"' for one in table.schema.names)
        assert len(text.splitlines()) == 1 + table.num_rows
        lines = (tmp_path / f"tables/{name}.md").read_text(encoding="utf-8").splitlines()
        assert len(lines) == 2 + table.num_rows
    plots = sorted(one.name for one in tmp_path.rglob("plot-*"))
    assert plots == plot_names(["difference-1", "errors-1", "f1-1", "speed-1"])


def test_the_page_shows_what_the_tables_hold(report: Report, tmp_path: Path) -> None:
    write_report(report, tmp_path / "r.html")
    page = Page((tmp_path / "r.html").read_text(encoding="utf-8"))
    cells = page.text("td")
    for row in micro_rows(report):
        assert f"{row['f1']:.3f} ({row['f1_low']:.3f} to {row['f1_high']:.3f})" in cells
        assert f"{row['agreement']:.3f}" in cells
        assert f"{row['sentences_per_second']:,.1f}" in cells
        assert row["signature"] in cells
    for row in report.differences.to_pylist():
        assert f"{row['p_holm']:.4f}" in cells
    assert page.text("h2") == [
        "Scores",
        "Differences",
        "Errors",
        "Speed",
        "Choosing without gold labels",
        "Published figures",
        "How it was made",
    ]
    versions = report.versions["full"]
    assert versions["machine"]["processor"] in page.text("dd")
    assert "No published figure is known of the same data set, language and method." in page.text("p")


@pytest.mark.parametrize("attack", [one for one in ATTACKS if "/" not in one])
def test_nothing_breaks_out_of_the_page(tmp_path: Path, attack: str) -> None:
    """Names of files, folders and classes are text."""
    label = "".join(attack.split())
    pages = []
    for number, what in enumerate(("harmless", attack)):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        name = what.replace("{", "{{").replace("}", "}}") + "{target}.conll"
        write_corpus(folder, label=label if number else "PER", name=name)
        target = str(folder / name)
        runs = [run(folder, method, f"{what} {method}", target=target, languages=("de",)) for method in ("full", "few")]
        write_report(make_report(runs, samples=20), folder / "r.html", command=f"xner report {what}")
        pages.append(Elements((folder / "r.html").read_text(encoding="utf-8")))
    assert pages[1].found == []
    assert pages[0].tags == pages[1].tags
    assert MARK in (tmp_path / "1/r.html").read_text(encoding="utf-8")


# --- What is refused -------------------------------------------------------------------------------------------------


def damaged(folder: Path, name: str, content: bytes | None) -> None:
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("recipe.toml", None, r"has no run: it lacks recipe.toml; `xner run RECIPE -o FOLDER` makes one"),
        ("recipe.toml", b"[evaluation]\nmode = 3\n", r"recipe.toml: evaluation: mode=3: expected one of 'lenient'"),
        ("results.parquet", None, r"has no results: `xner run` writes them when a run is finished"),
        ("results.parquet", b"PAR1", r"results.parquet"),
        ("outputs/de.default.parquet", None, r"lacks its output '.*de.default.parquet'; the same `xner run` makes it"),
        ("outputs/de.default.parquet", b"PAR1", r"de.default.parquet' is not what its run has written"),
        ("timings.csv", None, r"lacks timings.csv; the same `xner run` writes it anew"),
        ("timings.csv", b"a,b\n1,2\n", r"timings.csv: .*; the same `xner run` writes it anew"),
        ("versions.json", None, r"lacks versions.json; the same `xner run` writes it anew"),
        ("versions.json", b"[]", r"versions.json: not what a run writes; the same `xner run` writes it anew"),
    ],
)
def test_damaged_runs(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    write_corpus(tmp_path)
    folder = run(tmp_path, "full", languages=("de",))
    damaged(folder, name, content)
    with pytest.raises(Error, match=message) as caught:
        make_report([folder])
    assert "\n" not in str(caught.value)


def test_results_of_another_version(tmp_path: Path) -> None:
    write_corpus(tmp_path)
    folder = run(tmp_path, "full", languages=("de",))
    io.write(io.read(folder / "results.parquet").drop_columns(["upper_bound"]), folder / "results.parquet")
    with pytest.raises(Error, match=r"lacks the column\(s\) upper_bound, as another version has written it"):
        make_report([folder])
    run(tmp_path, "full", languages=("de",))
    assert make_report([folder]).results["upper_bound"].null_count == 0


def test_results_with_other_columns(matrix: Path, tmp_path: Path) -> None:
    """What a run's table has beside its own columns, as that of a report does, says nothing."""
    for name in ("full", "few"):
        copytree(matrix / name, tmp_path / name)
    table = io.read(tmp_path / "full/results.parquet")
    io.write(table.append_column("method", pa.array(["x"] * table.num_rows)), tmp_path / "full/results.parquet")
    found = make_report([tmp_path / "full", tmp_path / "few"], samples=20)
    assert set(found.results["method"].to_pylist()) == {"full:default", "few:default"}


def test_outputs_of_seeds_have_the_options_of_their_variant() -> None:
    recipe = {"options": {"n": 1}, "variants": {"a": {"n": 2}, "a-seed3": {"n": 3}}}
    assert [variant_options(recipe, one) for one in ("a", "a-seed1", "a-seed3", "default")] == [
        {"n": 2},
        {"n": 2},
        {"n": 3},
        {"n": 1},
    ]


def other_words(folder: Path) -> None:
    german = folder / "de.conll"
    german.write_text(german.read_text(encoding="utf-8").replace("sieht7", "schaut7"), encoding="utf-8")


def other_gold(folder: Path) -> None:
    german = folder / "de.conll"
    text = german.read_text(encoding="utf-8")
    german.write_text(text.replace("sieht7\tO\nAcme\tO", "sieht7\tO\nAcme\tB-ORG"), encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (other_words, r"row 7, column 'tokens', value \['Anna', 'schaut7', 'Acme'\] and not \['Anna', 'sieht7'"),
        (other_gold, r"row 7, column 'gold_labels', value \['B-PER', 'O', 'B-ORG'\] and not \['B-PER', 'O', 'O'\]"),
    ],
)
def test_runs_of_different_data(tmp_path: Path, change: Callable[[Path], None], message: str) -> None:
    write_corpus(tmp_path)
    first = run(tmp_path, "full", "one", languages=("de",))
    change(tmp_path)
    second = run(tmp_path, "full", "two", languages=("de",))
    wanted = rf"^'{first}' and '{second}' are of different data on \*.conll de: {message}.*; report on runs of the"
    with pytest.raises(Error, match=wanted):
        make_report([first, second])
    assert make_report([second]).results.num_rows == 3


def test_runs_that_are_scored_otherwise(tmp_path: Path) -> None:
    write_corpus(tmp_path)
    first = run(tmp_path, "full", "one", languages=("de",))
    Recipe.read(first / "recipe.toml").changed(evaluation={"mode": "strict"}).run(tmp_path / "two")
    with pytest.raises(Error, match=r"are scored in different ways on \*.conll de: \('lenient', \(\), 0.95\)"):
        make_report([first, tmp_path / "two"])


def test_a_run_is_counted_once(matrix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(matrix)
    found = make_report(["full", matrix / "full", "few"], samples=20)
    assert set(found.results["method"].to_pylist()) == {"full:default", "few:default"}
    with pytest.raises(Error, match="there is nothing to report: name the folder of a run"):
        make_report([])


# --- The command line ------------------------------------------------------------------------------------------------


def test_the_command(matrix: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    command = ("report", matrix / "full", matrix / "few", "--bootstrap", "50", "-o", "r.html", "--tables", "t")
    shown = done(xner(*command))
    assert shown.stdout.startswith("On *.conll, full:default is best with a mean F1 of 0.952")
    assert shown.stderr == "written to r.html, tables and plots to t\n"
    assert "paired-bootstrap:50|seed:1" in Path("r.html").read_text(encoding="utf-8")
    before = {one: one.read_bytes() for one in (*Path("t").iterdir(), Path("r.html"))}
    done(xner(*command))
    assert {one: one.read_bytes() for one in before} == before, "what the command made is made anew, the same"
    Path("t/results.csv").write_text("mine")
    refused = xner(*command)
    assert refused.returncode == 2
    assert "--tables t/results.csv: there is such a file" in " ".join(refused.stderr.split())
    done(xner(*command, "--overwrite"))
    assert Path("t/results.csv").read_bytes() == before[Path("t/results.csv")]


def test_what_the_command_refuses(matrix: Path, tmp_path: Path) -> None:
    for arguments, status, message in (
        (("no-such", "-o", "r.html"), 2, "Directory 'no-such' does not exist"),
        (("-o", "r.html"), 2, "Missing argument 'RUN...'"),
        ((matrix / "full",), 2, "Missing option '--output'"),
        ((tmp_path, "-o", "r.html"), 1, "has no run: it lacks recipe.toml"),
        ((matrix / "full", "-o", "r.html", "--tables", matrix / "few"), 2, "few: this is the folder of a run"),
        ((matrix / "full", "-o", "no/r.html"), 1, "the folder"),
    ):
        refused = xner("report", *arguments, cwd=tmp_path)
        assert refused.returncode == status
        assert message in " ".join(refused.stderr.split())
        assert "Traceback" not in refused.stderr
    assert list(tmp_path.iterdir()) == []


# --- In a browser ----------------------------------------------------------------------------------------------------


def test_the_page_in_a_browser(chromium: str, report: Report, tmp_path: Path) -> None:
    write_report(report, tmp_path / "r.html")
    page = browse(chromium, tmp_path, (tmp_path / "r.html").as_uri())
    assert page.text("h1") == ["Results of runs"]
    assert len(page.find("svg")) == 4


@pytest.mark.slow
def test_the_page_can_be_read_on_any_screen(chromium: str, report: Report, tmp_path: Path) -> None:
    write_report(report, tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    for width, dark in ((400, False), (400, True), (1600, True), (1600, False)):
        found = seen(chromium, tmp_path / f"{width}{dark}", page, width=width, dark=dark)
        assert (found["width"], found["overflow"], found["outside"]) == (width, 0, [])
        assert found["contrast"] >= 4.5
        assert (found["background"] < 0.05) == dark
        assert (found["plots"], found["open"]) == (4, 0)


@pytest.mark.slow
def test_long_names_stay_inside(chromium: str, tmp_path: Path) -> None:
    long = "a" * 90 + "語" * 40
    name = f"{long[40:]}{{target}}.conll"
    write_corpus(tmp_path, label=long, name=name)
    data = {"target": str(tmp_path / name), "languages": ("de",)}
    runs = [run(tmp_path, method, f"{long}{method}", **data) for method in METHODS]
    write_report(make_report(runs, samples=20), tmp_path / "r.html")
    found = seen(chromium, tmp_path / "browser", (tmp_path / "r.html").read_text(encoding="utf-8"), width=400)
    assert (found["overflow"], found["outside"]) == (0, [])
