"""Recipes: what a file may say, what a run keeps, and what its results are."""

from __future__ import annotations

import copy
import pickle
import tomllib
from pathlib import Path
from shutil import copytree, rmtree
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import golden
import two_sides
from xner import io, schema
from xner._support.arrow import pylist
from xner._support.toml_tables import toml_text
from xner.alignment.aligner import Aligner
from xner.errors import Error, FormatError, OptionError
from xner.evaluation import bootstrap, evaluate, holm, paired_bootstrap, reach
from xner.experiments import recipes
from xner.experiments.recipes import (
    RESULTS_SCHEMA,
    TIMINGS_SCHEMA,
    Recipe,
    RecipeRun,
    compare_runs,
    list_runs,
    recipe_names,
)
from xner.experiments.recipes import data as recipe_data
from xner.experiments.recipes.recipe import parse_options
from xner.filters.counts import OneWord
from xner.io.sides import read_links, read_pairs
from xner.pipelines.projection_run import Pipeline

if TYPE_CHECKING:
    from collections.abc import Mapping

RECIPE = """
title = "Two variants"

[data]
source = "en.conll"
target = "{target}.conll"
languages = ["de", "es"]

[links]
files = "links.{source}-{target}.pharaoh"

[evaluation]
samples = 50

[variants.heuristic]
method = "heuristic"

[variants.default]
"""
TOY = (
    "[toy]\ntitle = 'Toy'\nlabels = 'IOB2'\nsplits = ['test']\nsource = 'en'\n"
    "languages = {de = 'deu_Latn', en = 'eng_Latn', es = 'spa_Latn'}\n"
    "[[toy.files]]\nwhere = 'a folder'\npath = '{language}.conll'\n"
)
RESULTS = ("results.parquet", "results.csv", "results.md")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the corpus and the recipe `mine.toml`."""
    two_sides.write(tmp_path)
    (tmp_path / "mine.toml").write_text(RECIPE, encoding="utf-8")
    return tmp_path


def recipe(folder: Path) -> Recipe:
    return Recipe.read(folder / "mine.toml")


def micro(run: RecipeRun) -> dict[tuple[str, str], dict[str, Any]]:
    """The rows of all classes, by language and variant."""
    return {(row["language"], row["variant"]): row for row in run.results.to_pylist() if row["class"] == "micro"}


def contents(run: Path) -> dict[str, bytes]:
    """All that must not differ between runs of the same."""
    outputs = {f"outputs/{path.name}": path.read_bytes() for path in (run / "outputs").glob("*.parquet")}
    return {name: (run / name).read_bytes() for name in (*RESULTS, "recipe.toml")} | outputs


@pytest.fixture
def projected(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The outputs that pipelines have been asked for, in order."""
    made: list[str] = []
    whole = Pipeline.run

    def noting(self: Pipeline, table: Any, output: Any = None, **how: Any) -> Any:
        if output is not None:
            made.append(Path(output).name.removesuffix(".parquet"))
        return whole(self, table, output, **how)

    monkeypatch.setattr(Pipeline, "run", noting)
    return made


# --- What a recipe says ----------------------------------------------------------------------------------------------


def test_every_shipped_recipe_can_be_read() -> None:
    assert {"politov2025/heuristic", "politov2025/ngram", "shkalikov2024/align"} <= set(recipe_names())
    for name in recipe_names():
        found = Recipe.read(name)
        assert found.name == name
        assert found.title
        assert found.paper
        assert found.pipelines()
        assert not found.data.changes()
        assert not found.links.changes()


def test_the_recipe_of_the_docstring_is_one(tmp_path: Path) -> None:
    text = str(recipes.__doc__)
    (tmp_path / "shown.toml").write_text(text[text.index("    title =") :], encoding="utf-8")
    found = Recipe.read(tmp_path / "shown.toml")
    assert {name: one.projection.matcher for name, one in found.pipelines().items()} == {
        "greedy": "greedy",
        "exact": "exact",
    }
    assert found.data.folder == str(tmp_path / "ner-evaluation-corpus-europarl")


def test_paths_are_from_the_recipes_folder(folder: Path) -> None:
    found = recipe(folder)
    assert found.name == "mine"
    assert found.data.source == str(folder / "en.conll")
    assert found.data.target == str(folder / "{target}.conll")
    assert found.links.files == (str(folder / "links.{source}-{target}.pharaoh"),)
    assert list(found.pipelines()) == ["heuristic", "default"]


BAD = {
    "[data]\nlangages = ['de']": "line 2: data.langages: there is no such key; did you mean 'languages'?",
    "[options]\n\nmacher = 'greedy'": "line 3: options.macher: unknown option 'macher'; did you mean 'matcher'",
    "[options]\nmax_words = 'ten'": "line 2: options.max_words: 'ten': expected a whole number from 1 to 2147483647",
    "[options]\nmatcher = 3": "line 2: options.matcher: 3: expected one of 'exact'",
    "[options]\nmemory = 1": "line 2: options.memory: 1: expected True or False",
    "[options]\ntranslate_to = 'de'": "line 2: options.translate_to: translate_to: the languages of the data say it",
    "[options]\nfilters = ['one-wrd']": "line 2: options.filters: ",
    "[variants.a]\nmethod = 'heuristic'\nn = 2": "line 1: variants.a: n=2 goes with method='candidates'",
    "[variants]\n'a b' = {}": "a variant's name has letters, digits, - and _ alone",
    f"[variants.{'a' * 101}]": f"line 1: variants.{'a' * 101}: a variant's name has at most 100 bytes in UTF-8",
    f"a = {'[' * 5000}{']' * 5000}": ": values within values, too deep to be read",
    f"[options]\nn{'.a' * 5000} = 1": ": values within values, too deep to be read",
    "[data]\ndata = 'a'": "line 2: data.data: there is no such key; what is --data on the command line is 'folder'",
    "[evaluation]\nbootstrap = 9": "line 2: evaluation.bootstrap: there is no such key; what is --bootstrap on the",
    "[variants]\na = 1": "line 2: variants.a: expected a table, found the number 1",
    "title = 3": "line 1: title: expected a text, found the number 3",
    "[extra]\na = 1": "line 1: extra: there is no such key; there are name, title",
    "data = 1": "line 1: data: expected a table, found the number 1",
    "[data]\ndataset = 'europarl-nre'": "line 2: data.dataset: there is no data set 'europarl-nre'",
    "[data]\ndataset = 'uner'\nsource = 'a'": "line 1: data: source='",
    "[data]\nlanguages = [1]": "line 2: data.languages: [1]: expected names",
    "[data]\nlanguages = ['a/b']": "line 1: data: languages='a/b': a language's name has letters",
    "[data]\nlanguages = 1": "line 2: data.languages: 1: expected names",
    "[data]\nsource = '{langage}.conll'": "line 2: data.source: '{langage}.conll': there is no field {langage}",
    "[data]\nsource = '{'": "line 2: data.source: '{': ",
    "[data]\nsource = 3": "line 2: data.source: 3: expected a path, in which {source}",
    "[links]\none_based = true": "line 1: links: one_based=True goes with ready links",
    "[options]\nlexicon = '{langage}.tsv'": "line 2: options.lexicon: '{langage}.tsv': there is no field {langage}",
    "[evaluation]\nmode = 'lenent'": "line 2: evaluation.mode: 'lenent': expected one of 'lenient', 'strict'; did you",
    "[evaluation]\nconfidence = 2": "line 2: evaluation.confidence: 2: expected a number",
    "[options": "Expected ']'",
}


@pytest.mark.parametrize("text", BAD)
def test_what_is_wrong_is_named_with_line_and_key(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FormatError) as caught:
        Recipe.read(path)
    assert str(caught.value).startswith(f"{path}")
    assert BAD[text] in str(caught.value)


def test_a_recipe_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Error, match=r"there is no recipe 'politov2025/ngrm' .* did you mean 'politov2025/ngram'"):
        Recipe.read("politov2025/ngrm")
    with pytest.raises(Error, match=r"'.*' is a folder, and a recipe is a TOML file$"):
        Recipe.read(tmp_path)
    (tmp_path / "recipe.toml").write_text("title = 'a run'", encoding="utf-8")
    with pytest.raises(Error, match=r"is a folder, and a recipe is a TOML file; that of its run is '.*recipe.toml'"):
        Recipe.read(tmp_path)
    with pytest.raises(OptionError, match=r"variants='\.\./a': a variant's name has letters, digits, - and _ alone"):
        Recipe("mine", variants={"../a": {}})
    (tmp_path / "latin.toml").write_bytes("title = 'é'".encode("latin-1"))
    with pytest.raises(FormatError, match="not UTF-8"):
        Recipe.read(tmp_path / "latin.toml")


def test_the_text_of_a_recipe_reads_back_as_the_same(folder: Path) -> None:
    options = {"filters": ["one-word", "class-counts:row"], "score": {"align": 1, "characters": 0.5}}
    first = recipe(folder).changed(
        evaluation={"mode": "strict", "ignore": ["PER"], "confidence": 0.9},
        options={f"default.{name}": value for name, value in options.items()}
        | {"heuristic.length_ratio_threshold": None},
    )
    (folder / "deep").mkdir()
    (folder / "deep/again.toml").write_text(first.to_toml(), encoding="utf-8")
    second = Recipe.read(folder / "deep/again.toml")
    assert second == first
    assert pickle.loads(pickle.dumps(first)) == copy.deepcopy(first) == first
    assert second.to_toml() == first.to_toml()
    assert second.pipelines()["heuristic"].projection.length_ratio_threshold is None
    assert second.pipelines()["default"].to_dict()["filters"] == options["filters"]


def test_the_text_of_a_recipe_has_whole_paths_of_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the recipe of a run says the same anywhere; what is no folder here is a model's name."""
    monkeypatch.chdir(tmp_path)
    for name in ("tagger", "base", "cat"):
        (tmp_path / name).mkdir()
    variants: dict[str, dict[str, Any]] = {
        "a": {"approach": "model-transfer", "tagger": "tagger"},
        "b": {"approach": "model-transfer", "tagger": "spacy:tagger"},
        "c": {"approach": "model-transfer", "tagger": "some/tagger"},
        "d": {"approach": "trained-tagger", "learn_from": "gold", "base_model": "base"},
        "e": {"translator": "command:cat", "aligner": ["labse", "awesome-mbert"], "aligner_model": ["labse=base"]},
    }
    found = tomllib.loads(Recipe("mine", variants=variants).to_toml())["variants"]
    assert found == variants | {
        "a": variants["a"] | {"tagger": str(tmp_path / "tagger")},
        "b": variants["b"] | {"tagger": f"spacy:{tmp_path / 'tagger'}"},
        "d": variants["d"] | {"base_model": str(tmp_path / "base")},
        "e": variants["e"] | {"aligner_model": [f"labse={tmp_path / 'base'}"]},
    }


PLAIN = st.recursive(
    st.text() | st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text(), PLAIN, max_size=4))
def test_toml_reads_back(tables: Mapping[str, Any]) -> None:
    assert tomllib.loads(toml_text(tables)) == tables


def test_options_go_to_all_variants_or_one(folder: Path) -> None:
    found = recipe(folder).changed(options={"threads": 1, "default.max_words": 4})
    pipelines = found.pipelines()
    assert [one.running.threads for one in pipelines.values()] == [1, 1]
    assert pipelines["default"].projection.max_words == 4
    assert recipe(folder).changed(options={"default.n": 2, "n": 1, "heuristic.method": "candidates"}).variants == {
        "heuristic": {"method": "candidates"},
        "default": {"n": 2},
    }
    # What is said of all takes the place of what a variant said.
    again = found.changed(options={"method": "candidates"})
    assert [one.projection.method for one in again.pipelines().values()] == ["candidates", "candidates"]
    assert list(found.changed(variants=["default"]).pipelines()) == ["default"]
    with pytest.raises(OptionError, match=r"variant='defult': 'mine' has heuristic, default; did you mean 'default'\?"):
        found.changed(variants=["defult"])
    with pytest.raises(OptionError, match="variant='other'"):
        found.changed(options={"other.n": 2})
    with pytest.raises(OptionError, match=r"unknown option 'macher'; did you mean 'matcher'"):
        found.changed(options={"macher": "greedy"})
    with pytest.raises(OptionError, match="unknown option 'datset'"):
        found.changed(data={"datset": "uner"})


def test_options_of_all_need_go_with_variants_alone(tmp_path: Path) -> None:
    text = "[options]\nmerge_distance = 2\n[variants.a]\nmethod = 'heuristic'\n"
    path = tmp_path / "a.toml"
    path.write_text(text, encoding="utf-8")
    assert Recipe.read(path).pipelines()["a"].projection.merge_distance == 2
    path.write_text(text + "[variants.b]\n", encoding="utf-8")
    with pytest.raises(FormatError, match=r"line 5: variants.b: merge_distance=2 goes with method='heuristic'"):
        Recipe.read(path)


def test_filters_may_be_objects() -> None:
    found = Recipe("mine", options={"filters": ["one-word", OneWord()]})
    assert tomllib.loads(found.to_toml())["options"]["filters"] == ["one-word", "one-word"]


def test_a_recipe_without_variants_has_one() -> None:
    assert list(Recipe("mine", options={"matcher": "greedy"}).pipelines()) == ["default"]


def test_other_data_take_the_place_of_those_of_the_recipe(folder: Path) -> None:
    by_name = recipe(folder).changed(data={"dataset": "europarl-ner"})
    assert by_name.data.changes() == {"dataset": "europarl-ner"}
    by_path = by_name.changed(data={"source": "a", "target": "b", "languages": "de"})
    assert by_path.data.changes() == {"source": "a", "target": "b", "languages": ("de",)}
    assert by_path.changed(data={"languages": "es"}).data.languages == ("es",)


def test_options_as_texts() -> None:
    texts = ["max_words=10", "compat.matcher=greedy", "filters=one-word", "filters=class-counts:row"]
    assert parse_options([*texts, "length_ratio_threshold=none", "score=align=1,characters=0.5"]) == {
        "max_words": 10,
        "compat.matcher": "greedy",
        "filters": ("one-word", "class-counts:row"),
        "length_ratio_threshold": None,
        "score": {"align": 1, "characters": 0.5},
    }
    several = "seeds='1,2': expected a whole number from 0 on; several values are given one by one"
    with pytest.raises(OptionError, match=several):
        parse_options(["seeds=1,2"])
    for text, message in (("n", "expected NAME=VALUE"), ("nn=1", "unknown option 'nn'"), ("n=x", "n='x'")):
        with pytest.raises(OptionError, match=message):
            parse_options([text])
    with pytest.raises(OptionError, match="n is given twice"):
        parse_options(["n=1", "n=2"])


# --- Data ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "dataset: the recipe names no data"),
        ({"source": "a", "languages": "de"}, "target: the recipe names 'a' alone; name the file of the other side"),
        ({"target": "b", "languages": "de"}, "source: the recipe names 'b' alone; name the file of the other side"),
        ({"source": "a", "target": "b"}, "languages: name those of the target files"),
        (
            {"source": "a", "target": "b", "languages": "de,es"},
            "target: 'b' would be that of de and of es; put {target}",
        ),
        ({"source": "a", "target": "{source}", "languages": "de,es"}, "target: 'en' would be that of de and of es"),
        ({"source": "{source}", "target": "{target}", "languages": "en"}, "target: 'en' is the source file as well"),
        ({"dataset": "no-such"}, "there is no data set 'no-such'"),
        ({"dataset": "masakhaner2"}, "'masakhaner2' has no translations to project from; these data sets have: .*uner"),
        ({"dataset": "europarl-ner", "languages": "en"}, "no other side to project from for 'en', only for de, es, it"),
        ({"dataset": "europarl-ner", "languages": "fr"}, "language='fr': 'europarl-ner' has de, en, es, it"),
        ({"dataset": "xsid", "languages": "de-ba"}, "no other side to project from for 'de-ba'"),
        ({"dataset": "europarl-ner", "split": "train"}, "split='train': 'europarl-ner' has test"),
        ({"dataset": "europarl-ner", "folder": "no-such"}, "'no-such': there is no such folder"),
        ({"source": "a", "target": "b", "languages": "de"}, "there is no source file 'a', for en to de"),
    ],
)
def test_pairs_that_cannot_be_projected(data: dict[str, Any], message: str) -> None:
    with pytest.raises(Error, match=message):
        Recipe.read("politov2025/ngram").changed(data=data).plan()


def test_links_that_are_not_there(folder: Path) -> None:
    found = recipe(folder).changed(links={"files": [str(folder / "{dataset}.{source}.{target}")]})
    with pytest.raises(Error, match=r"there is no file of links '.*\*.conll.en.de', for en to de"):
        found.plan()


def test_each_language_has_lessons_of_its_own(folder: Path) -> None:
    """Else a tagger for one language would learn another one."""
    training = {"training_source": str(folder / "en.conll"), "training_target": str(folder / "de.conll")}
    taught = {"approach": "trained-tagger", "base_model": "none"}
    data = recipe(folder).changed(data=training).data
    for its in ({}, {"learn_from": "gold"}):
        with pytest.raises(OptionError, match=r"training_target: '.*de.conll' would be that of de and of es"):
            Recipe("m", data=data, options=taught | its).plan()


def test_a_side_without_labels_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = read_pairs(folder / "en.conll", folder / "de.conll")
    monkeypatch.setattr(recipe_data, "load", lambda *_, **__: whole.drop_columns([schema.SOURCE_ENTITIES]))
    found = Recipe("mine").changed(data={"dataset": "masakhaner2-lafand", "folder": str(folder), "languages": "lug"})
    with pytest.raises(Error, match="the side 'en' of 'masakhaner2-lafand' has no labels to project"):
        found.run(folder / "run")


def test_a_data_set_by_name_is_that_of_its_files(folder: Path) -> None:
    (folder / "more.toml").write_text(TOY, encoding="utf-8")
    toy = {"dataset": "toy", "folder": str(folder), "catalogue": str(folder / "more.toml")}
    by_name = recipe(folder).changed(data=toy)
    assert [str(one) for one in by_name.plan().pairs] == ["en to de", "en to es"]
    run = by_name.changed(data={"languages": ["spa_Latn"]}).run(folder / "by-name")
    other = recipe(folder).run(folder / "by-path")
    assert {key: row["f1"] for key, row in micro(run).items()} == {
        key: row["f1"] for key, row in micro(other).items() if key[0] == "es"
    }
    row = micro(run)["es", "default"]
    assert (row["dataset"], row["split"], row["source"]) == ("toy", "test", "en")


# --- Runs ------------------------------------------------------------------------------------------------------------


def test_the_results_are_those_of_the_pipeline(folder: Path) -> None:
    run = recipe(folder).run(folder / "run")
    assert run.results.schema == RESULTS_SCHEMA
    assert run.timings.schema == TIMINGS_SCHEMA
    assert io.read(folder / "run/results.parquet").equals(run.results)
    table = read_pairs(folder / "en.conll", folder / "de.conll")
    links = read_links(folder / "links.en-de.pharaoh", table.num_rows, one_based=False, reverse=False)
    direct = Pipeline(method="heuristic").run(table, links=[links])
    scores = evaluate(table[schema.GOLD_LABELS], direct.table[schema.LABELS])
    intervals = bootstrap(scores, samples=50)
    row = micro(run)["de", "heuristic"]
    assert (row["precision"], row["recall"], row["f1"]) == (scores.precision, scores.recall, scores.f1)
    assert (row["f1_low"], row["f1_high"]) == (intervals.micro.f1.low, intervals.micro.f1.high)
    assert (row["gold"], row["predicted"]) == (scores.support, scores.predicted)
    assert row["projection_ratio"] == scores.projection_ratio
    assert (row["to_project"], row["projected"]) == (direct.entities, direct.projected)
    assert row["signature"] == direct.signature
    assert row["evaluation"] == intervals.signature
    perfect = reach(pylist(table[schema.SOURCE_ENTITIES]), table[schema.GOLD_LABELS])
    assert (row["upper_bound"], row["all_projected"]) == (perfect.upper_bound(), perfect.all_projected())
    assert row["f1"] < row["all_projected"] < row["upper_bound"] == 1
    margins = [one["margin"] for entities in pylist(direct.table[schema.ENTITIES]) for one in entities]
    assert row["mean_margin"] == pytest.approx(sum(margins) / len(margins))
    classes = {one["class"]: one for one in run.results.to_pylist() if one["variant"] == "heuristic"}
    assert sorted(classes) == ["LOC", "ORG", "PER", "micro"]
    of_german = [one for one in run.results.to_pylist() if (one["language"], one["variant"]) == ("de", "heuristic")]
    for key in ("gold", "predicted", "to_project", "projected"):
        assert sum(one[key] for one in of_german[1:]) == of_german[0][key]
    assert of_german[1]["f1"] == scores.per_class["LOC"].f1
    assert 0 < row["f1"] < 1


def test_a_run_folder_has_it_all(folder: Path) -> None:
    run = recipe(folder).run(folder / "run")
    assert Recipe.read(folder / "run/recipe.toml") == recipe(folder)
    assert {"libraries", "machine"} <= set((folder / "run/versions.json").read_text().split('"'))
    assert "es, default: " in (folder / "run/log.txt").read_text()
    assert {one["stage"] for one in run.timings.to_pylist()} == {"projecting", "other", "all"}
    assert "second" not in (folder / "run/results.md").read_text() + (folder / "run/results.csv").read_text()
    assert sorted(one.output.name for one in run.done) == sorted(
        f"{language}.{variant}.parquet" for language in two_sides.LANGUAGES for variant in ("default", "heuristic")
    )


def test_a_run_in_another_folder_has_the_same_bytes(folder: Path) -> None:
    recipe(folder).run(folder / "one")
    recipe(folder).run(folder / "two")
    assert contents(folder / "one") == contents(folder / "two")


def test_what_is_done_is_not_done_again(folder: Path, projected: list[str]) -> None:
    recipe(folder).run(folder / "run")
    before = contents(folder / "run")
    assert projected == ["de.heuristic", "de.default", "es.heuristic", "es.default"]
    projected.clear()
    again = recipe(folder).run(folder / "run")
    assert projected == []
    assert all(one.kept for one in again.done)
    assert contents(folder / "run") == before
    recipe(folder).run(folder / "run", resume=False)
    assert len(projected) == 4
    assert contents(folder / "run") == before


@pytest.mark.parametrize("stopped", range(4))
def test_a_killed_run_goes_on(
    folder: Path, projected: list[str], monkeypatch: pytest.MonkeyPatch, stopped: int
) -> None:
    recipe(folder).run(folder / "whole")
    projected.clear()
    noting = Pipeline.run

    def dying(self: Pipeline, *args: Any, **how: Any) -> Any:
        if len(projected) == stopped:
            raise KeyboardInterrupt
        return noting(self, *args, **how)

    monkeypatch.setattr(Pipeline, "run", dying)
    with pytest.raises(KeyboardInterrupt):
        recipe(folder).run(folder / "run")
    assert not list_runs(folder / "run")[0].is_finished
    assert "interrupted: KeyboardInterrupt" in (folder / "run/log.txt").read_text()
    monkeypatch.setattr(Pipeline, "run", noting)
    recipe(folder).run(folder / "run")
    assert projected == ["de.heuristic", "de.default", "es.heuristic", "es.default"]  # none twice
    assert contents(folder / "run") == contents(folder / "whole")


def test_a_run_that_another_one_has_begun_has_no_results(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe(folder).changed(data={"languages": "de"}).run(folder / "run")

    def dying(self: Pipeline, *args: Any, **how: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(Pipeline, "run", dying)
    with pytest.raises(KeyboardInterrupt):
        recipe(folder).run(folder / "run")
    assert not list((folder / "run").glob("results.*"))
    assert not list_runs(folder)[0].is_finished


def test_what_has_changed_is_done_again(folder: Path, projected: list[str]) -> None:
    recipe(folder).run(folder / "run")
    projected.clear()
    links = folder / "links.en-es.pharaoh"
    links.write_text(links.read_text().replace("2-2", "2-1"))
    recipe(folder).run(folder / "run")
    assert projected == ["es.heuristic", "es.default"]
    projected.clear()
    german = folder / "de.conll"
    german.write_text(german.read_text().replace("Rome", "Rom"), encoding="utf-8")
    recipe(folder).run(folder / "run")
    assert projected == ["de.heuristic", "de.default"]
    projected.clear()
    (folder / "run/outputs/es.default.parquet").write_bytes(b"damaged")
    (folder / "run/outputs/de.default.json").write_text("[]")
    recipe(folder).run(folder / "run")
    assert projected == ["de.default", "es.default"]
    fresh = recipe(folder).run(folder / "fresh")
    assert fresh.results.equals(io.read(folder / "run/results.parquet"))


def test_links_are_made_once_for_all_variants(
    folder: Path, projected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted: list[int] = []
    fit = Aligner.fit.__func__  # type: ignore[attr-defined]  # a class method

    def noting(cls: type[Aligner], *args: Any, **how: Any) -> Aligner:
        fitted.append(1)
        found: Aligner = fit(cls, *args, **how)
        return found

    monkeypatch.setattr(Aligner, "fit", classmethod(noting))
    aligned = Recipe("mine", data=recipe(folder).data, variants=recipe(folder).variants)
    run = aligned.run(folder / "run")
    assert len(fitted) == 2
    assert {"fit", "projecting"} < {one["stage"] for one in run.timings.to_pylist()}
    first = contents(folder / "run")
    # Another variant takes the links that are there.
    aligned.changed(options={"default.max_words": 3}).run(folder / "run", overwrite=True)
    assert len(fitted) == 2
    assert projected[4:] == ["de.default", "es.default"]
    assert contents(folder / "run") != first
    table = read_pairs(folder / "en.conll", folder / "de.conll")
    assert (
        io.read(folder / "run/outputs/de.heuristic.parquet")
        .select(["labels"])
        .equals(Pipeline(method="heuristic").run(table).table.select(["labels"]).replace_schema_metadata(None))
    )


def test_each_pair_fills_in_its_options(folder: Path) -> None:
    for language, word in (("de", "sieht"), ("es", "ve")):
        (folder / f"en-{language}.tsv").write_text(f"sees\t{word}\n", encoding="utf-8")
    (folder / "own.toml").write_text(
        "[data]\nsource = 'en.conll'\ntarget = '{target}.conll'\nlanguages = ['de', 'es']\n"
        "[options]\nlexicon = '{source}-{target}.tsv'\ntarget_language = '{target}'\n",
        encoding="utf-8",
    )
    plan = Recipe.read(folder / "own.toml").plan()
    german, spanish = (job.approach.pipeline for job in plan.jobs)
    assert german.aligning.lexicon == (f"{folder}/en-de.tsv",)
    assert spanish.aligning.lexicon == (f"{folder}/en-es.tsv",)
    assert (german.running.target_language, spanish.running.target_language) == ("deu_Latn", "spa_Latn")
    run = Recipe.read(folder / "own.toml").run(folder / "run")
    assert "lexicon: 1 of 1 pairs of words are in the sentences" in (folder / "run/log.txt").read_text()
    signatures = {row["language"]: row["signature"] for row in run.results.to_pylist()}
    assert f"lexicon:{folder}/en-de.tsv#" in signatures["de"]
    assert f"lexicon:{folder}/en-es.tsv#" in signatures["es"]
    with pytest.raises(OptionError, match=r"lexicon='\{langage\}': there is no field"):
        Recipe("mine", options={"lexicon": "{langage}"})


def test_a_folder_holds_one_run(folder: Path, projected: list[str]) -> None:
    german = recipe(folder).changed(data={"languages": "de"})
    german.run(folder / "run")
    assert set(micro(recipe(folder).run(folder / "run"))) == {
        (language, variant) for language in ("de", "es") for variant in ("default", "heuristic")
    }
    assert projected == ["de.heuristic", "de.default", "es.heuristic", "es.default"]  # the first language is kept
    # Nor is a variant done again that was run with others.
    recipe(folder).changed(variants=["default"]).run(folder / "run")
    assert len(projected) == 4
    other = recipe(folder).changed(options={"threads": 1}, evaluation={"seed": 3})
    with pytest.raises(Error, match="has a run with other evaluation and options: name another folder"):
        other.run(folder / "run")
    other.run(folder / "run", overwrite=True)
    with pytest.raises(Error, match="has files and no run"):
        other.run(folder)
    (folder / "empty").mkdir()
    assert len(german.run(folder / "empty").done) == 2


def test_without_gold_labels_there_are_counts_alone(folder: Path) -> None:
    for language in two_sides.LANGUAGES:
        lines = (folder / f"{language}.conll").read_text(encoding="utf-8").split("\n\n")
        words = [" ".join(line.split("\t")[0] for line in one.strip().splitlines()) for one in lines]
        (folder / f"{language}.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    run = recipe(folder).changed(data={"target": str(folder / "{target}.txt")}).run(folder / "run")
    row = micro(run)["de", "default"]
    assert row["f1"] is row["gold"] is row["evaluation"] is row["projection_ratio"] is None
    assert row["predicted"] == row["projected"] > 0
    with_gold = micro(recipe(folder).run(folder / "gold"))["de", "default"]
    assert [row[key] for key in ("projected", "to_project")] == [with_gold[key] for key in ("projected", "to_project")]
    found = compare_runs([folder / "run"])
    assert found.table["note"].to_pylist()[1] == "there are no gold labels"
    assert "there are no gold labels" in str(found)


def test_ignored_classes_do_not_count(folder: Path) -> None:
    run = recipe(folder).changed(evaluation={"ignore": ["PER"]}).run(folder / "run")
    assert {one["class"] for one in run.results.to_pylist()} == {"micro", "LOC", "ORG"}
    of_german = [one for one in run.results.to_pylist() if (one["language"], one["variant"]) == ("de", "default")]
    assert sum(one["projected"] for one in of_german[1:]) == of_german[0]["projected"]
    told: list[str] = []
    unknown = recipe(folder).changed(evaluation={"ignore": ["PER", "Loc"]})
    assert unknown.run(folder / "other", told=told.append).results["f1"] == run.results["f1"]
    assert [one for one in told if one.startswith("ignore:")] == [
        "ignore: no entity is of the class Loc; there are LOC, ORG, PER"
    ]


def test_the_plan_says_what_would_be_done(folder: Path) -> None:
    text = str(recipe(folder).changed(options={"default.filters": ["one-word"]}, evaluation={"seed": 7}).plan())
    assert f"data: en to de: {folder}/en.conll, {folder}/de.conll" in text
    assert f"  links: {folder}/links.en-es.pharaoh" in text
    assert "  stages: link words (files), then project (heuristic), then evaluate" in text
    assert "  stages: link words (files), then project (candidates), then filter (1), then evaluate" in text
    assert "  options: filters=['one-word']" in text
    assert f"  signature: {Pipeline(method='heuristic').signature}" in text
    assert "evaluation: samples=50, seed=7" in text
    assert text.endswith("outputs: 4")
    aligned = Recipe("mine", data=recipe(folder).data, options={"aligner": ["builtin", "labse"]})
    assert "link words (builtin, labse)" in str(aligned.plan())
    assert not (folder / "run").exists()


# --- Data that are translated ----------------------------------------------------------------------------------------


def translating(place: Path, **data: Any) -> Recipe:
    """A recipe whose target sentences are running text, translated elsewhere."""
    for language in two_sides.LANGUAGES:
        words: Any = io.read(place / f"{language}.conll")["tokens"].to_pylist()
        (place / f"{language}.txt").write_text("\n".join(map(" ".join, words)) + "\n", encoding="utf-8")
    (place / "toy.toml").write_text(TOY, encoding="utf-8")
    options = {"translations": str(place / "{target}.txt"), "words": "blanks"}
    found = Recipe("mine", options=options, variants={"default": {}, "heuristic": {"method": "heuristic"}})
    return found.changed(data={"languages": "de,es", **data})


def test_sentences_that_are_translated(folder: Path) -> None:
    found = translating(folder, source=str(folder / "en.conll"))
    plan = str(found.plan())
    assert f"data: en to de: {folder}/en.conll\n" in plan
    assert f"translate ({folder}/{{target}}.txt), then link words (builtin), then project (candidates)" in plan
    run = found.run(folder / "run")
    row = micro(run)["es", "default"]
    assert row["f1"] is None
    assert row["to_project"] == 80
    assert row["projected"] > 70
    table = io.read(folder / "run/outputs/es.default.parquet")
    assert table["tokens"].to_pylist() == io.read(folder / "es.conll")["tokens"].to_pylist()
    assert len(list((folder / "run/steps").iterdir())) == 2  # variants share them
    assert all(one.kept for one in found.run(folder / "run").done)
    assert Recipe.read(folder / "run/recipe.toml") == found
    by_name = translating(folder, dataset="toy", folder=str(folder), catalogue=str(folder / "toy.toml"))
    same = by_name.run(folder / "by-name")
    key = ("es", "default")
    assert [micro(same)[key][one] for one in ("source", "split")] == ["en", "test"]
    assert micro(same)[key]["projected"] == row["projected"]
    # Of a language with another side of its own, the words and the gold labels are taken.
    (pair,) = by_name.changed(data={"source_language": "de", "languages": "es"}).plan().pairs
    assert pair.load().schema.names == ["id", "source_tokens", "source_entities"]


def test_variants_that_link_otherwise_share_what_comes_before(folder: Path) -> None:
    found = translating(folder, source=str(folder / "en.conll"))
    found = Recipe("mine", data=found.data, options=found.options, variants={"a": {}, "b": {"decode": "viterbi"}})
    run = found.run(folder / "run")
    log = (folder / "run/log.txt").read_text(encoding="utf-8")
    assert log.count(" translation: taken from ") == 2
    assert " links: taken from " not in log
    for one in run.done:
        alone = found.changed(variants=[one.job.variant]).run(folder / one.job.variant)
        assert (alone.folder / "outputs" / one.output.name).read_bytes() == one.output.read_bytes()


def test_what_does_not_go_with_translation(folder: Path) -> None:
    source = str(folder / "en.conll")
    found = translating(folder, source=source)
    for changed, message in (
        (found.changed(data={"languages": ()}), "languages: name those to translate into"),
        (found.changed(data={"languages": "klingon"}), "klingon"),
        (found.changed(data={"target": source}), "target: has the translations"),
        (found.changed(links={"files": source}), "files: there are no links"),
        (found.changed(data={"languages": "it"}), "there is no file of translations '.*/it.txt', for en to it"),
        (translating(folder), "dataset: the recipe names no data"),
        (translating(folder, dataset="europarl-ner", source_language="fr"), "language='fr': 'europarl-ner' has"),
        (
            Recipe("mine", variants={"a": {"translator": "m"}, "b": {}}, data=found.data),
            "translator: all variants translate, or none does",
        ),
        (
            recipe(folder).changed(data={"dataset": "europarl-ner", "source_language": "de"}),
            "source_language: the data set tells it",
        ),
    ):
        with pytest.raises(Error, match=message):
            changed.plan()


# --- Runs, listed and compared ---------------------------------------------------------------------------------------


def test_runs_are_compared_with_the_first(folder: Path) -> None:
    whole = recipe(folder)
    whole.changed(variants=["heuristic"]).run(folder / "one")
    whole.changed(variants=["default"]).run(folder / "two")
    found = compare_runs([folder / "one", folder / "two"], samples=200, seed=5)
    rows = {(row["language"], row["variant"]): row for row in found.table.to_pylist()}
    expected = []
    for language in two_sides.LANGUAGES:
        tables = [io.read(folder / f"{run}/outputs/{language}.{one}.parquet") for run, one in
                  (("two", "default"), ("one", "heuristic"))]  # fmt: skip
        scores = [evaluate(table[schema.GOLD_LABELS], table[schema.LABELS]) for table in tables]
        expected.append(paired_bootstrap(scores[0], scores[1], samples=200, seed=5).f1)
        assert rows[language, "heuristic"]["difference"] is None
    for language, difference, adjusted in zip(
        two_sides.LANGUAGES, expected, holm([one.p_value for one in expected]), strict=True
    ):
        row = rows[language, "default"]
        assert row["difference"] == difference.value
        assert (row["difference_low"], row["difference_high"]) == (difference.interval.low, difference.interval.high)
        assert (row["p_value"], row["p_adjusted"]) == (difference.p_value, adjusted)
    text = str(found)
    assert f"{folder}/one:heuristic" in text.splitlines()[0]
    assert text.splitlines()[3].startswith("mean ")
    assert text.endswith("paired-bootstrap:200|seed:5|confidence:0.95|holm:2")
    assert compare_runs([folder / "one", folder / "two"], samples=200, seed=5).table.equals(found.table)


def test_runs_of_other_sentences_are_not_compared(folder: Path) -> None:
    recipe(folder).run(folder / "one")
    recipe(folder).changed(evaluation={"ignore": ["LOC"]}).run(folder / "ignoring")
    recipe(folder).changed(data={"languages": "de"}).run(folder / "german")
    german = folder / "de.conll"
    german.write_text(german.read_text(encoding="utf-8").replace("Rome", "Rom"), encoding="utf-8")
    recipe(folder).run(folder / "other")

    def notes(*names: str) -> list[str]:
        rows = compare_runs([folder / name for name in names], samples=20).table.to_pylist()
        return [row["note"] for row in rows if row["variant"] == "default" and row["run"] == str(folder / names[-1])]

    assert notes("one", "other") == ["other sentences or gold labels than the first's", None]
    assert notes("one", "ignoring") == ["scored otherwise than the first"] * 2
    assert notes("german", "one") == [None, "the first run does not have it"]


def test_what_cannot_be_compared(folder: Path) -> None:
    recipe(folder).changed(variants=["default"]).run(folder / "run")
    with pytest.raises(Error, match="there is nothing to compare"):
        compare_runs([folder / "run"])
    with pytest.raises(Error, match="there is nothing to compare"):
        compare_runs([folder / "run", folder / "run"])
    with pytest.raises(Error, match=r"has no run: it lacks recipe.toml; `xner run RECIPE -o FOLDER` makes one"):
        compare_runs([folder])
    (folder / "unfinished").mkdir()
    (folder / "unfinished/recipe.toml").write_text("")
    with pytest.raises(Error, match="has no results"):
        compare_runs([folder / "unfinished"])
    (folder / "run/outputs/es.default.json").unlink()
    with pytest.raises(Error, match=r"es.default.parquet' is not what its run has written"):
        compare_runs([folder / "run"])
    (folder / "run/outputs/de.default.parquet").unlink()
    with pytest.raises(Error, match="lacks its output"):
        compare_runs([folder / "run"])


def test_runs_are_listed(folder: Path) -> None:
    assert list_runs(folder) == []
    recipe(folder).run(folder / "some/run")
    (found,) = list_runs(folder)
    assert found.folder == folder / "some/run"
    assert (found.recipe, found.languages, found.variants) == ("mine", ("de", "es"), ("heuristic", "default"))
    assert found.is_finished
    results = (folder / "some/run/results.parquet").read_bytes()
    (folder / "some/run/results.parquet").unlink()
    assert not list_runs(folder)[0].is_finished
    for name, content, problem in (
        ("recipe.toml", b"name", "other/recipe.toml: Expected '='"),
        ("results.parquet", b"none", "other/results.parquet: not a usable Parquet file"),
    ):
        other = copytree(folder / "some/run", folder / "other")
        (other / "results.parquet").write_bytes(results)
        (other / name).write_bytes(content)
        broken, unfinished = list_runs(folder)
        assert problem in broken.problem
        assert not broken.is_finished
        assert (unfinished.folder, unfinished.problem) == (found.folder, "")
        rmtree(other)
    with pytest.raises(Error, match="there is no such folder"):
        list_runs(folder / "no-such")


# --- The published programs' own outputs -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["grow", pytest.param("intersect", marks=pytest.mark.slow)])
def test_recorded_outputs_of_the_published_program(test_data: Path, tmp_path: Path, kind: str) -> None:
    data = {"dataset": "europarl-ner", "folder": str(test_data / "europarl-ner"), "languages": "de,es"}
    links = {"files": str(test_data / "golden" / f"projection.{{source}}-{{target}}.{kind}.jsonl.gz")}
    runs = {
        name: Recipe.read(f"politov2025/{name}").changed(data=data, links=links).run(tmp_path / name)
        for name in ("ngram", "heuristic")
    }
    for language in ("de", "es"):
        rows = golden.load(test_data, f"en-{language}.{kind}")
        table = io.read(runs["ngram"].folder / f"outputs/{language}.compat.parquet")
        gold = table[schema.GOLD_LABELS]
        expected = evaluate(gold, [_labels(row, "ngram_max10") for row in rows])
        found = micro(runs["ngram"])[language, "compat-max10"]
        assert found["f1"] == pytest.approx(expected.f1, abs=1e-9)
        assert found["precision"] == pytest.approx(expected.precision, abs=1e-9)
        # Without a limit, the recorded rows are fewer: theirs are the same, label by label.
        for row, labels in zip(rows, table[schema.LABELS].to_pylist(), strict=True):
            assert "ngram_all" not in row or labels == _labels(row, "ngram_all")
        heuristic = evaluate(gold, [row["heuristic"]["d1_t0.8"] for row in rows])
        found = micro(runs["heuristic"])[language, "compat"]
        assert found["f1"] == pytest.approx(heuristic.f1, abs=1e-9)
        assert micro(runs["ngram"])[language, "default"]["f1"] > 0.88


def _labels(row: golden.Row, key: str) -> list[str]:
    """The labels that the published program's choice makes."""
    labels = ["O"] * len(row["tokens"])
    ngram: Any = row.get(key, {"greedy": []})
    for entity, start, end, _ in ngram["greedy"]:
        name = row["entities"][entity][2]
        labels[start:end] = [f"B-{name}", *[f"I-{name}"] * (end - start - 1)]
    return labels
