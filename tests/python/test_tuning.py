"""Tuning: the space of settings, the search with held-out folds, and trials on the package's sample."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xner import Aligner, Error, Projector, evaluate, labels, schema
from xner.experiments.tuning import Tuning, scores_for, tune
from xner.experiments.tuning.search import f1, search
from xner.experiments.tuning.space import Option, Space, filter_options, projection_options, score_options
from xner.experiments.tuning.trials import LinkSource, ProjectionTrials, filters_of, projector_options
from xner.filters.stage import Filters
from xner.io import sample
from xner.projection import Memory, project_with_memory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xner.experiments.tuning.search import Counts
    from xner.experiments.tuning.space import Setting

FULL = Space([*projection_options(memory=True), *score_options(["ner", "characters", "hints"]), *filter_options()])
SMALL = Space(
    [
        Option("a", (0, 1, 2, 3)),
        Option("b", ("x", "y", "z")),
        Option("c", (False, True), lambda setting: bool(setting["b"] == "y")),
    ]
)


# The space


@given(st.integers(0, 1000))
def test_draws_and_neighbours_are_settings_in_which_all_that_is_changed_matters(seed: int) -> None:
    generator = np.random.default_rng(seed)
    setting = FULL.draw(generator)
    assert list(setting) == [option.name for option in FULL.options]
    assert FULL.normal(setting) == setting
    relevant = FULL.relevant(setting)
    assert set(FULL.changes(setting)) <= set(relevant)
    neighbours = list(FULL.neighbours(setting))
    assert setting not in neighbours
    assert all(FULL.normal(one) == one for one in neighbours)
    assert len({tuple(one.values()) for one in neighbours}) == len(neighbours)
    expected = sum(len(option.values) - 1 for option in FULL.options if option.name in relevant)
    assert len(neighbours) == expected


def test_what_does_not_matter_has_its_default() -> None:
    setting = FULL.normal({**FULL.default, "method": "heuristic", "matcher": "greedy", "merge_distance": 3})
    assert FULL.changes(setting) == {"method": "heuristic", "merge_distance": 3}
    assert FULL.distance(FULL.default) == (0,) * (len(FULL.options) + 1)
    assert FULL.distance(setting)[0] == 2


def test_wrong_spaces() -> None:
    with pytest.raises(Error, match="option 'a' is there twice"):
        Space([Option("a", (1,)), Option("a", (2,))])
    with pytest.raises(Error, match="option 'a' has no values"):
        Space([Option("a", ())])


# The search, with counts that are made up


class MadeUp:
    """Trials of which each sentence finds an entity or not, by a chance that depends on the setting."""

    def __init__(self, chances: dict[tuple[Any, ...], float], sentences: int, seed: int = 0) -> None:
        self.chances = chances
        self.luck = {key: np.random.default_rng([seed, i]).random(sentences) for i, key in enumerate(chances)}
        self.tried: list[tuple[Any, ...]] = []

    def __call__(self, settings: Sequence[Setting]) -> Iterator[Counts]:
        for setting in settings:
            key = tuple(setting.values())
            self.tried.append(key)
            found = (self.luck[key] < self.chances[key]).astype(np.int32)
            yield np.stack([found, np.zeros_like(found), 1 - found], axis=1)


def every_setting(space: Space) -> list[tuple[Any, ...]]:
    seen = {tuple(space.default.values()): space.default}
    queue = [space.default]
    while queue:
        for other in space.neighbours(queue.pop()):
            if tuple(other.values()) not in seen:
                seen[tuple(other.values())] = other
                queue.append(other)
    return sorted(seen, key=str)


KEYS = every_setting(SMALL)


def test_the_best_setting_is_found() -> None:
    assert len(KEYS) == 4 * 4
    chances = dict.fromkeys(KEYS, 0.3) | {(2, "y", True): 0.9}
    trials = MadeUp(chances, 200)
    found = search(SMALL, trials, 200, budget=100, folds=4)
    assert tuple(found.settings[found.chosen].values()) == (2, "y", True)
    assert {tuple(found.settings[number].values()) for number in found.chosen_without} == {(2, "y", True)}
    assert found.settings[0] == SMALL.default
    assert sorted(trials.tried, key=str) == KEYS, "each setting is tried once, and no more than there are"
    assert np.bincount(found.folds).tolist() == [50] * 4
    assert found.held_out.tolist() == found.counts[found.chosen].tolist()


@pytest.mark.parametrize("budget", [1, 2, 5, 9])
def test_no_more_settings_are_tried_than_wanted(budget: int) -> None:
    trials = MadeUp(dict.fromkeys(KEYS, 0.5), 40)
    seen: list[tuple[str, int, int]] = []
    found = search(SMALL, trials, 40, budget=budget, folds=2, progress=lambda *step: seen.append(step))
    assert len(trials.tried) == len(found.settings) == len(found.counts) == budget
    assert seen == [("settings", done, budget) for done in range(1, budget + 1)]


@given(st.integers(0, 200))
def test_the_search_goes_by_its_seed_alone(seed: int) -> None:
    one, other = (
        search(SMALL, MadeUp(dict.fromkeys(KEYS, 0.5), 30), 30, budget=12, folds=3, seed=seed) for _ in range(2)
    )
    assert one.settings == other.settings
    assert (one.chosen, one.chosen_without) == (other.chosen, other.chosen_without)


@pytest.mark.slow
@given(st.integers(0, 200))
def test_what_is_chosen_without_a_fold_does_not_depend_on_it(seed: int) -> None:
    trials = MadeUp(dict.fromkeys(KEYS, 0.5), 60, seed)
    before = search(SMALL, trials, 60, budget=50, folds=3)
    for fold in range(3):
        changed = MadeUp(trials.chances, 60, seed)
        for key, luck in changed.luck.items():
            changed.luck[key] = np.where(before.folds == fold, 1 - luck, luck)
        after = search(SMALL, changed, 60, budget=50, folds=3)
        assert (after.folds == before.folds).all()
        assert after.settings[after.chosen_without[fold]] == before.settings[before.chosen_without[fold]], (
            "the fold's own labels were looked at"
        )


def test_the_held_out_figure_is_not_fooled_by_luck() -> None:
    """With settings that are all the same, choosing gains on the sentences chosen on, and nothing elsewhere."""
    gains, held_out = [], []
    for seed in range(30):
        found = search(SMALL, MadeUp(dict.fromkeys(KEYS, 0.5), 40, seed), 40, budget=50)
        default = float(f1(found.counts[0].sum(axis=0)))
        gains.append(float(f1(found.counts[found.chosen].sum(axis=0))) - default)
        held_out.append(float(f1(found.held_out.sum(axis=0))) - default)
    assert min(gains) >= 0
    assert np.mean(gains) > 0.1
    assert abs(np.mean(held_out)) < 0.05


def test_among_equals_the_default_is_chosen() -> None:
    found = search(SMALL, MadeUp(dict.fromkeys(KEYS, 1.0), 20), 20, budget=50)
    assert found.settings[found.chosen] == SMALL.default


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"folds": 1}, "folds=1: expected a whole number from 2"),
        ({"budget": 0}, "trials=0: expected a whole number from 1"),
        ({"folds": 5, "sentences": 4}, "4 sentences cannot be split into 5 folds"),
    ],
)
def test_wrong_searches(options: dict[str, Any], message: str) -> None:
    arguments = {"sentences": 20, **options}
    with pytest.raises(Error, match=message):
        search(SMALL, MadeUp(dict.fromkeys(KEYS, 0.5), 20), arguments.pop("sentences"), **arguments)


def test_f1_of_nothing_is_nothing() -> None:
    assert f1(np.array([[0, 0, 0], [2, 1, 1]])).tolist() == [0, 2 / 3]


# Trials


@pytest.fixture(scope="module")
def table() -> pa.Table:
    english, german = sample.load("en"), sample.load("de")
    return pa.table(
        {
            "tokens": german["tokens"],
            "source_tokens": english["tokens"],
            "source_entities": pa.chunked_array([labels.decode_batch(chunk) for chunk in english["labels"].chunks]),
            "gold_labels": german["labels"],
        }
    )


@pytest.fixture(scope="module")
def aligner(table: pa.Table) -> Aligner:
    return Aligner.fit(table["source_tokens"], table["tokens"])


def by_hand(table: pa.Table, aligner: Aligner, setting: Setting) -> pa.Table:
    """The same as a trial, with the public parts."""
    decoding = {name: setting[name] for name in ("decode", "threshold", "symmetrization")}
    links = aligner.align(table["source_tokens"], table["tokens"], **decoding)
    projector = Projector(**projector_options(setting))
    linked = table.append_column("links", links)
    done = project_with_memory(linked, projector, Memory()) if setting["memory"] else projector(linked)
    return Filters(filters_of(setting))(done)


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 3])
def test_trials_are_what_the_public_parts_do(table: pa.Table, aligner: Aligner, threads: int) -> None:
    source = LinkSource(table["source_tokens"], table["tokens"], aligner)
    space = Space(
        [*source.options, *projection_options(memory=True), *score_options(["characters"]), *filter_options()]
    )
    generator = np.random.default_rng(5)
    settings = [space.default, *(space.draw(generator) for _ in range(12))]
    trials = ProjectionTrials(table, source, threads=threads)
    assert len({setting["method"] for setting in settings}) == 2
    for setting, counts in zip(settings, trials(settings), strict=True):
        scores = evaluate(table["gold_labels"], by_hand(table, aligner, setting)["labels"])
        assert counts.sum(axis=0).tolist() == [scores.micro.tp, scores.micro.fp, scores.micro.fn]
        assert counts.shape == (170, 3)


def test_tuning_says_what_it_found(table: pa.Table, aligner: Aligner) -> None:
    source = LinkSource(table["source_tokens"], table["tokens"], aligner)
    tuning = tune(table, source, trials=40, folds=3, samples=50)
    assert isinstance(tuning, Tuning)
    assert len(tuning.search.settings) == 40
    scores = evaluate(table["gold_labels"], by_hand(table, aligner, tuning.setting)["labels"])
    assert tuning.tuned_on.f1 == pytest.approx(scores.f1)
    assert tuning.tuned_on.f1 >= tuning.default.f1
    assert tuning.gain.value == pytest.approx(tuning.held_out.f1 - tuning.default.f1)
    shown = json.loads(tuning.to_json())
    assert shown["options"] == tuning.project_options()
    assert shown["f1"]["held_out"]["f1"] == tuning.held_out.f1
    assert "tune:40|folds:3|seed:1|sentences:170" in tuning.signature
    changed = {option.name: option.value for option in tuning.options}
    assert changed == tuning.space.changes(tuning.setting)
    for option in tuning.options:
        assert 0 <= option.folds <= 3
        assert option.value != option.default


def test_options_depend_on_where_links_come_from(table: pa.Table, aligner: Aligner) -> None:
    sides = table["source_tokens"], table["tokens"]
    links = pa.chunked_array([aligner.align(*sides)])
    assert [option.name for option in LinkSource(*sides, None, [links]).options] == []
    both = LinkSource(*sides, aligner, [links])
    assert [option.name for option in both.options] == ["decode", "threshold", "symmetrization", "combine"]
    assert both.options[1].values[0] == aligner.options.threshold
    with pytest.raises(Error, match="expected an aligner or links"):
        LinkSource(*sides)


def test_scores_go_by_the_columns(table: pa.Table) -> None:
    assert scores_for(table) == ["characters"]
    hints = pa.array([[]] * table.num_rows, schema.HINTS_TYPE)
    assert scores_for(table.append_column("hints", hints)) == ["characters", "hints"]


def test_hints_count_by_default_and_replace_the_memory(table: pa.Table, aligner: Aligner) -> None:
    hinted = table.append_column("hints", pa.array([[]] * table.num_rows, schema.HINTS_TYPE))
    source = LinkSource(table["source_tokens"], table["tokens"], aligner)
    tuning = tune(hinted, source, trials=1, folds=2, samples=10)
    assert "memory" not in tuning.setting
    assert tuning.project_options()["score"] == "align=1,hints=1"


def test_missing_gold_labels(table: pa.Table, aligner: Aligner) -> None:
    source = LinkSource(table["source_tokens"], table["tokens"], aligner)
    with pytest.raises(Error, match="gold_labels"):
        tune(table.drop_columns(["gold_labels"]), source)
