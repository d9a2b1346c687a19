"""Recipes: which data are projected, by what options, and how the labels are scored, in a small TOML file.

    recipe = Recipe.read("politov2025/ngram").changed(data={"dataset": "europarl-ner", "folder": "clone"})
    run = recipe.run("ngram")  # a folder that resumes, with one tidy table of results
    print(compare_runs(["ngram", "heuristic"]))

`recipe_names()` are those of published methods. A file of one's own, whose paths are from its folder:

    title = "Greedy against exact"

    [data]  # of DataOptions: a data set by name, or files by pattern
    dataset = "europarl-ner"
    folder = "ner-evaluation-corpus-europarl"
    languages = ["de", "es"]

    [links]  # of LinksOptions; without, the built-in aligner, or those that the options name
    files = "links.{source}-{target}.pharaoh"

    [evaluation]  # of EvaluationOptions
    samples = 10000

    [options]  # of xner.Pipeline, for all variants
    max_words = 10

    [variants.greedy]  # in what each differs
    matcher = "greedy"

    [variants.exact]
"""

from __future__ import annotations

from xner._support.faces import listing
from xner.experiments.recipes.data import Pair
from xner.experiments.recipes.options import FIELDS, DataOptions, EvaluationOptions, LinksOptions
from xner.experiments.recipes.recipe import Plan, Recipe, recipe_names
from xner.experiments.recipes.results import RESULTS_SCHEMA, TIMINGS_SCHEMA
from xner.experiments.recipes.running import Done, Job, RecipeRun
from xner.experiments.recipes.runs import COMPARISON_SCHEMA, KnownRun, RunComparison, compare_runs, list_runs

__all__ = [
    "COMPARISON_SCHEMA",
    "FIELDS",
    "RESULTS_SCHEMA",
    "TIMINGS_SCHEMA",
    "DataOptions",
    "Done",
    "EvaluationOptions",
    "Job",
    "KnownRun",
    "LinksOptions",
    "Pair",
    "Plan",
    "Recipe",
    "RecipeRun",
    "RunComparison",
    "compare_runs",
    "list_runs",
    "recipe_names",
]

__dir__ = listing(__all__)
