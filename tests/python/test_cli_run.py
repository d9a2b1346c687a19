"""`xner run` and `xner runs`: what they print, what they refuse, and how they end."""

from __future__ import annotations

import subprocess
import sys
import time
from random import Random
from typing import TYPE_CHECKING

import pytest

import two_sides
from command_line import done, xner
from xner import io
from xner.experiments.recipes import Recipe, recipe_names
from xner.experiments.recipes.results import markdown
from xner.experiments.recipes.running import LOCK
from xner.pipelines.checkpoints import alone
from xner.pipelines.projection_run import Pipeline

if TYPE_CHECKING:
    from pathlib import Path

FILES = ("--source", "en.conll", "--target", "{target}.conll", "--languages", "de,es")
LINKS = ("--links", "links.{source}-{target}.pharaoh")
RUN = ("run", "politov2025/heuristic", *FILES, *LINKS, "--bootstrap", "50")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    two_sides.write(tmp_path)
    return tmp_path


def test_a_run_from_start_to_end(folder: Path) -> None:
    first = done(xner(*RUN, "-o", "runs/one", cwd=folder))
    table = io.read(folder / "runs/one/results.parquet")
    assert first.stdout == markdown(table, by_class=False)
    assert "| micro |" in first.stdout
    assert "| PER   |" not in first.stdout
    assert "de, compat: " in first.stderr
    assert "results written to runs/one/results.md, .csv and .parquet" in first.stderr
    again = done(xner(*RUN, "-o", "runs/one", cwd=folder))
    assert again.stdout == first.stdout
    assert again.stderr.count("taken as it was") == 4
    # The recipe as it ran runs again, from anywhere.
    copy = done(xner("run", folder / "runs/one/recipe.toml", "-o", folder / "runs/copy"))
    assert copy.stdout == first.stdout
    ours = done(xner("run", "politov2025/ngram", *FILES, *LINKS, "--variant", "default", "-o", "runs/two", cwd=folder))
    assert "compat" not in ours.stdout.replace("compat:none", "")
    listed = done(xner("runs", "list", "runs", cwd=folder)).stdout.splitlines()
    assert [line.split()[:2] for line in listed[1:]] == [
        ["runs/copy", "politov2025/heuristic"],
        ["runs/one", "politov2025/heuristic"],
        ["runs/two", "politov2025/ngram"],
    ]
    compared = done(xner("runs", "compare", "runs/one", "runs/two", "--bootstrap", "100", cwd=folder)).stdout
    assert "runs/one:compat" in compared.splitlines()[0]
    assert "differences to runs/one:compat" in compared
    assert compared.splitlines()[-1] == "paired-bootstrap:100|seed:1|confidence:0.95|holm:4"


def test_a_dry_run_writes_nothing(folder: Path) -> None:
    shown = done(xner(*RUN, "--set", "compat.merge_distance=2", "--dry-run", "-o", "run", cwd=folder)).stdout
    assert "recipe: politov2025/heuristic" in shown
    assert "data: en to es: en.conll, es.conll" in shown
    assert "  links: links.en-de.pharaoh" in shown
    assert "stages: link words (files), then project (heuristic), then evaluate" in shown
    assert f"signature: {Pipeline(method='heuristic').signature}" in shown
    assert "merge_distance:2" in shown
    assert "samples=50" in shown
    assert "outputs: 4" in shown
    assert not (folder / "run").exists()


def test_the_help_names_the_recipes() -> None:
    shown = done(xner("run", "--help")).stdout
    assert all(f"  {name}\n" in shown for name in recipe_names())


def test_an_interrupted_run_says_how_to_go_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Pipeline.run
    left = [None, None]

    def dying(self: Pipeline, *args: object, **how: object) -> object:
        if not left:
            raise KeyboardInterrupt
        left.pop()
        return whole(self, *args, **how)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(Pipeline, "run", dying)
    stopped = xner(*RUN, "-o", "run", cwd=folder)
    assert stopped.returncode == 130
    assert "the same command goes on" in stopped.stderr
    assert "not finished" in done(xner("runs", "list", ".", cwd=folder)).stdout
    (folder / "broken").mkdir()
    (folder / "broken/recipe.toml").write_text("[", encoding="utf-8")
    listed = done(xner("runs", "list", ".", cwd=folder))
    assert "cannot be read" in listed.stdout
    assert listed.stderr.startswith("broken/recipe.toml: ")
    monkeypatch.setattr(Pipeline, "run", whole)
    assert done(xner(*RUN, "-o", "run", cwd=folder)).stderr.count("taken as it was") == 2


@pytest.mark.slow
def test_a_run_that_is_killed_at_any_moment_ends_with_the_same_bytes(folder: Path) -> None:
    two_sides.write(folder, rows=4000)
    command = [*RUN, "--set", "aligner=builtin", "-o"]
    done(xner(*command, "whole", cwd=folder))
    random = Random(7)
    for _ in range(10):
        process = subprocess.Popen(
            [sys.executable, "-m", "xner", *command, "run"],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(random.uniform(0.3, 3))
        process.kill()
        process.wait()
    done(xner(*command, "run", cwd=folder))
    names = sorted(path.name for path in (folder / "whole/outputs").glob("*.parquet"))
    assert len(names) == 4
    for name in ("results.parquet", "results.csv", "results.md", *(f"outputs/{one}" for one in names)):
        assert (folder / "run" / name).read_bytes() == (folder / "whole" / name).read_bytes(), name


FILES_BAD = {
    "key.toml": ("[data]\ndatset = 'uner'\n", "key.toml, line 2: data.datset: there is no such key; did you mean"),
    "type.toml": ("[options]\nmax_words = 'ten'\n", "type.toml, line 2: options.max_words: 'ten': expected a whole"),
    "option.toml": ("[options]\nmacher = 'exact'\n", "option.toml, line 2: options.macher: unknown option 'macher'"),
    "set.toml": ("[data]\ndataset = 'unr'\n", "set.toml, line 2: data.dataset: there is no data set 'unr'"),
    "missing.toml": (
        "[data]\nsource = 'no.conll'\ntarget = 'no.txt'\nlanguages = ['de']\n",
        "there is no source file 'no.conll', for en to de",
    ),
    "broken.toml": ("[data\n", "broken.toml: "),
    "pair.toml": (
        "[options]\napproach = 'model-transfer'\ntagger = 'm'\nmatcher = 'greedy'\n",
        "pair.toml, line 1: options: matcher goes with an approach that projects, and not with approach='model-trans",
    ),
}


@pytest.mark.parametrize("name", FILES_BAD)
def test_bad_recipes(folder: Path, name: str) -> None:
    text, message = FILES_BAD[name]
    (folder / name).write_text(text, encoding="utf-8")
    run = xner("run", name, "-o", "run", cwd=folder)
    assert run.returncode == 1
    assert run.stderr.startswith(f"xner: {message}")
    assert run.stderr.count("\n") == 1
    assert not (folder / "run").exists()


@pytest.mark.needs("models")
def test_a_recipe_whose_model_is_missing(folder: Path) -> None:
    recipe = "[options]\napproach = 'model-transfer'\ntagger = './no-model'\n"
    (folder / "missing.toml").write_text(recipe, encoding="utf-8")
    run = xner("run", "missing.toml", *FILES, "-o", "run", cwd=folder)
    assert run.returncode == 1
    told = "xner: cannot load the token-classification model './no-model': there is no such folder\n"
    assert run.stderr.endswith(told)
    assert run.stderr.count("no-model") == 1


def test_a_recipe_that_reads_what_it_writes(folder: Path) -> None:
    (folder / "mine.toml").write_text("[variants.one]\n", encoding="utf-8")
    done(xner("run", "mine.toml", *FILES, "-o", "run", cwd=folder))
    (folder / "run/models").mkdir()
    transfer = ("--set", "approach=model-transfer", "--target", "{target}.conll", "--languages", "de")
    for arguments, place in (
        ((*FILES[:2], "--target", "run/outputs/{target}.one.parquet", *FILES[4:]), "run/outputs/de.one.parquet"),
        ((*FILES, "--links", "run/outputs/{target}.one.parquet"), "run/outputs/de.one.parquet"),
        ((*transfer, "--set", "tagger=run/models"), "run/models"),
        ((*transfer, "--set", f"tagger=spacy:{folder}/run/models"), f"{folder}/run/models"),
    ):
        refused = xner("run", "mine.toml", *arguments, "-o", "run", "--overwrite", cwd=folder)
        assert refused.returncode == 1
        told = f"xner: '{place}' is in 'run', and the run would read what it writes: name another folder for the run\n"
        assert refused.stderr == told
    # From within, `greedy` would be a file of the folder, if there were one.
    again = ("--source", "../en.conll", "--target", "../{target}.conll", "--languages", "de", "--set", "matcher=greedy")
    done(xner("run", "../mine.toml", *again, "-o", ".", "--overwrite", cwd=folder / "run"))


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("politov2025/ngrm",), 1, "there is no recipe 'politov2025/ngrm' and no such file"),
        (("politov2025/ngram",), 2, "--dataset: the recipe names no data; name a data set, or files"),
        (("politov2025/ngram", "--dataset", "unr"), 1, "there is no data set 'unr'"),
        (("politov2025/ngram", "--dataset", "europarl-ner", "--languages", "en"), 2, "no other side to project from"),
        (("politov2025/ngram", "--dataset", "europarl-ner", "--languages", "fr"), 2, "'europarl-ner' has de, en, es"),
        (("politov2025/ngram", "--dataset", "wikiann"), 2, "'wikiann' has no translations to project from"),
        (("politov2025/ngram", "--dataset", "uner", "--data", "no-such"), 1, "'no-such': there is no such folder"),
        (
            ("politov2025/ngram", "--dataset", "uner", "--source", "a"),
            2,
            "--source='a' goes with data by path, without the name",
        ),
        (("politov2025/ngram", *FILES, "--links", "no.{target}"), 1, "there is no file of links 'no.de', for en to de"),
        (("politov2025/ngram", *FILES, "--links", "{langage}"), 2, "there is no field {langage}, only {source}"),
        (("politov2025/ngram", *FILES, "--one-based"), 2, "--one-based goes with ready links"),
        (("politov2025/ngram", *FILES, "--set", "macher=greedy"), 2, "unknown option 'macher'; did you mean 'matcher'"),
        (("politov2025/ngram", *FILES, "--set", "max_words=ten"), 2, "max_words='ten': expected a whole number"),
        (("politov2025/ngram", *FILES, "--set", "greedy"), 2, "'greedy': expected NAME=VALUE"),
        (("politov2025/ngram", *FILES, "--set", "method=heuristic"), 2, "goes with method='candidates'"),
        (("politov2025/ngram", *FILES, "--variant", "compt"), 2, "did you mean 'compat'?"),
    ],
)
def test_bad_use(folder: Path, arguments: tuple[str, ...], status: int, message: str) -> None:
    run = xner("run", *arguments, "-o", "run", cwd=folder)
    assert run.returncode == status, run.stderr
    assert message in " ".join(run.stderr.split())
    assert "Traceback" not in run.stderr
    assert not (folder / "run").exists()


def test_an_output_is_asked_for(folder: Path) -> None:
    run = xner(*RUN, cwd=folder)
    assert run.returncode == 2
    assert "--output is missing: the folder of the run; or --dry-run" in run.stderr


def test_nothing_is_loaded_from_the_hub_without_asking(folder: Path) -> None:
    run = xner("run", "politov2025/ngram", "--dataset", "uner", "--languages", "de", "-o", "run", cwd=folder)
    assert run.returncode == 2
    assert "licence: CC BY-SA 4.0" in run.stderr
    assert "--yes loads" in run.stderr


def test_a_folder_of_something_else_is_refused(folder: Path) -> None:
    refused = xner(*RUN, "-o", ".", cwd=folder)
    assert refused.returncode == 1
    assert "'.' has files and no run: name another folder, or overwrite it" in refused.stderr
    done(xner(*RUN, "-o", "run", cwd=folder))
    other = xner(*RUN, "--seed", "2", "-o", "run", cwd=folder)
    assert "'run' has a run with other evaluation" in other.stderr
    done(xner(*RUN, "--seed", "2", "-o", "run", "--overwrite", cwd=folder))


def test_runs_that_are_not_there(folder: Path) -> None:
    assert "there are no runs in '.'" in done(xner("runs", "list", ".", cwd=folder)).stderr
    assert xner("runs", "list", "no-such", cwd=folder).returncode == 2
    compared = xner("runs", "compare", ".", cwd=folder)
    assert compared.returncode == 1
    assert "'.' has no run: it lacks recipe.toml; `xner run RECIPE -o FOLDER` makes one" in compared.stderr
    assert xner("runs", "compare", cwd=folder).returncode == 2


def test_one_run_at_a_time_has_a_folder(folder: Path) -> None:
    (folder / "run").mkdir()
    with alone(folder / "run", folder / "run" / LOCK):
        refused = xner(*RUN, "-o", "run", cwd=folder)
    assert refused.returncode == 1
    assert "'run' is being written by process " in refused.stderr
    # What a run has left that was killed before its recipe was in its place is no other file.
    (folder / "run" / LOCK).write_text("")
    (folder / "run" / ".recipe.toml.0123456789ab.tmp").write_text("")
    done(xner(*RUN, "-o", "run", cwd=folder))
    assert not [path for path in (folder / "run").iterdir() if path.name.startswith(".")]


def test_what_is_given_takes_the_place_of_what_the_file_says(folder: Path) -> None:
    (folder / "mine.toml").write_text(
        "[data]\nsource = 'en.conll'\ntarget = '{target}.conll'\nlanguages = 'de'\n[evaluation]\nsamples = 50\n",
        encoding="utf-8",
    )
    done(xner("run", "mine.toml", *LINKS, "--languages", "es", "--ignore", "LOC,PER", "-o", "run", cwd=folder))
    found = Recipe.read(folder / "run/recipe.toml")
    assert found.name == "mine"
    assert found.data.languages == ("es",)
    assert found.evaluation.ignore == ("LOC", "PER")
    assert found.evaluation.samples == 50


def test_a_log_that_is_a_link_is_refused(folder: Path) -> None:
    (folder / "precious").write_text("x")
    done(xner(*RUN, "-o", "runs/one", cwd=folder))
    (folder / "runs/one/log.txt").unlink()
    (folder / "runs/one/log.txt").symlink_to(folder / "precious")
    run = xner(*RUN, "-o", "runs/one", cwd=folder)
    assert run.returncode == 1
    assert "log.txt" in run.stderr
    assert (folder / "precious").read_text() == "x"
