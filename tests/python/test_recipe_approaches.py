"""Ways that labels take in a recipe: projection, by way of another language and back, a model alone."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

import extras

extras.need("spacy")

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import two_sides
from command_line import done, xner
from xner import io, schema
from xner._support.toml_tables import toml_text
from xner.errors import Error, FormatError, OptionError
from xner.experiments.recipes import Recipe, recipe_names
from xner.experiments.recipes.approaches.catalogue import approach_of
from xner.experiments.recipes.approaches.ensemble import SOURCE_PROBABILITIES, carried
from xner.experiments.recipes.approaches.options import APPROACHES

if TYPE_CHECKING:
    from pathlib import Path

NAMES = {"PER": ["Anna", "Boris Beck", "Carla"], "LOC": ["Rome", "New York"], "ORG": ["Acme", "Baker Street Bank"]}
# Word by word; what it does not know, names and brackets among it, stays.
PROGRAM = """
import json, re, sys
words = json.loads(open(sys.argv[1], encoding="utf-8").read())
open(sys.argv[1] + ".calls", "a").write("call\\n")
for line in sys.stdin:
    print(re.sub(r"\\w+", lambda found: words.get(found[0], found[0]), line.rstrip("\\n")))
"""
WORDS = {"ve": "sees", "quiere": "likes", "deja": "leaves", "hoy": "today"}


def save_tagger(folder: Path, names: dict[str, list[str]]) -> None:
    import spacy

    pipeline: Any = spacy.blank("xx")
    ruler = pipeline.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": kind, "pattern": name} for kind, some in names.items() for name in some])
    pipeline.to_disk(folder / "tagger")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    two_sides.write(tmp_path)
    save_tagger(tmp_path, NAMES)
    (tmp_path / "translate.py").write_text(PROGRAM, encoding="utf-8")
    for name, words in (("es-en", WORDS), ("en-es", {one: other for other, one in WORDS.items()})):
        (tmp_path / f"{name}.json").write_text(json.dumps(words), encoding="utf-8")
    return tmp_path


def program(folder: Path, pair: str) -> str:
    return f"command:{sys.executable} {folder / 'translate.py'} {folder / f'{pair}.json'}"


def calls(folder: Path) -> dict[str, int]:
    return {path.name[:5]: len(path.read_text().splitlines()) for path in folder.glob("*.calls")}


def recipe(folder: Path, **variants: dict[str, Any]) -> Recipe:
    data = {"target": str(folder / "{target}.conll"), "languages": "es"}
    options = {"tagger": f"spacy:{folder / 'tagger'}", "cache": str(folder / "cache.sqlite")}
    common: dict[str, Any] = {"approach": "translate-test", "translator": program(folder, "es-en"), "words": "blanks"}
    transfer = {"approach": "model-transfer"}
    found = {
        name: ({**common, **options, **its} if its.get("approach") != "model-transfer" else {**options, **transfer})
        for name, its in variants.items()
    }
    for its in found.values():
        if its["approach"] == "model-transfer":
            del its["cache"]
    return Recipe("mine", variants=found).changed(data=data, evaluation={"samples": 50})


def micro(folder: Path, **variants: dict[str, Any]) -> dict[str, dict[str, Any]]:
    run = recipe(folder, **variants).run(folder / "run")
    return {row["variant"]: row for row in run.results.to_pylist() if row["class"] == "micro"}


BACK = {"back_translate": True}


def test_ways_agree_where_nothing_is_lost(folder: Path) -> None:
    """Translation is word by word and the tagger knows all names, so that each way finds what the tagger finds."""
    back = {**BACK, "back_translator": program(folder, "en-es")}
    rows = micro(folder, there={}, back=back, transfer={"approach": "model-transfer"})
    (gold,) = {row["gold"] for row in rows.values()}
    assert gold < 80  # some gold labels are wrong on purpose
    for name, row in rows.items():
        assert row["predicted"] == 80, name
        assert row["recall"] == 1, name
        assert row["f1"] == pytest.approx(2 * gold / (gold + 80)), name
    assert rows["there"]["to_project"] == rows["there"]["projected"] == 80
    assert rows["transfer"]["to_project"] is None
    assert rows["transfer"]["projected"] is None
    assert rows["transfer"]["signature"].startswith("approach:model-transfer|")
    assert rows["there"]["signature"].startswith("approach:translate-test|")
    assert f"back_translator:{back['back_translator']}" in rows["back"]["signature"]
    outputs = {name: io.read(folder / f"run/outputs/es.{name}.parquet") for name in rows}
    spanish = io.read(folder / "es.conll")["tokens"].to_pylist()
    for name, table in outputs.items():
        assert table["tokens"].to_pylist() == spanish, name
    assert outputs["there"]["source_tokens"][0].as_py()[0] == "today"
    assert outputs["back"]["source_tokens"].to_pylist() == spanish  # words of one language side by side
    assert outputs["back"]["pivot_tokens"][0].as_py()[0] == "today"
    assert schema.SOURCE_TOKENS not in outputs["transfer"].schema.names


def test_nothing_is_done_twice(folder: Path) -> None:
    variants: dict[str, dict[str, Any]] = {
        "one": {},
        "other": {"method": "heuristic"},
        "t": {"approach": "model-transfer"},
    }
    first = recipe(folder, **variants).run(folder / "run")
    assert calls(folder) == {"es-en": 1}
    results = (folder / "run/results.parquet").read_bytes()
    (folder / "cache.sqlite").unlink()
    again = recipe(folder, **variants).run(folder / "run")
    assert all(one.kept for one in again.done)
    assert not any(one.kept for one in first.done)
    assert calls(folder) == {"es-en": 1}
    assert (folder / "run/results.parquet").read_bytes() == results
    third = recipe(folder, **variants).run(folder / "other", resume=False)
    assert third.results.equals(first.results)


def test_runs_share_steps(folder: Path) -> None:
    first = recipe(folder, there={}).run(folder / "run", steps=folder / "shared")
    (folder / "cache.sqlite").unlink()
    other = recipe(folder, back={**BACK, "back_translator": program(folder, "en-es")}, there={"matcher": "greedy"})
    assert str(other.plan()).splitlines()[-4:] == [
        f"model calls: {program(folder, 'es-en')}, translating: 80 sentences",
        f"model calls: spacy:{folder}/tagger, tagging translations: 80 sentences",
        f"model calls: {program(folder, 'en-es')}, translating back: 40 sentences",
        "outputs: 2",
    ]
    assert calls(folder) == {"es-en": 1}
    alone = other.run(folder / "alone")
    before = calls(folder)
    assert before["es-en"] == 2
    (folder / "cache.sqlite").unlink()
    shared = other.changed(variants=["there"]).run(folder / "other", steps=folder / "shared")
    assert calls(folder) == before
    assert shared.results.equals(alone.results.filter(pc.equal(alone.results["variant"], pa.scalar("there"))))
    assert not (folder / "other/steps").exists()
    assert io.read(first.done[0].output)["tokens"].equals(io.read(shared.done[0].output)["tokens"])


def test_what_has_changed_is_done_again(folder: Path) -> None:
    assert micro(folder, t={"approach": "model-transfer"})["t"]["predicted"] == 80
    save_tagger(folder, {"PER": NAMES["PER"]})
    assert micro(folder, t={"approach": "model-transfer"})["t"]["predicted"] == 40


def test_projection_beside_other_ways(folder: Path) -> None:
    """Of a parallel corpus, ways that need the target side alone do not look at the other one."""
    data = {"source": str(folder / "en.conll"), "target": str(folder / "{target}.conll"), "languages": "es"}
    links = {"files": [str(folder / "links.{source}-{target}.pharaoh")]}
    found = recipe(folder, there={}, t={"approach": "model-transfer"})
    both = Recipe("mine", variants={"links": {}, **found.variants}).changed(data=data, links=links)
    plan = str(both.plan())
    assert f"data: en to es: {folder}/en.conll, {folder}/es.conll" in plan
    assert "stages: link words (files), then project (candidates), then evaluate" in plan
    assert f"translate into the source language ({program(folder, 'es-en')}), then tag the translations" in plan
    assert f"  stages: tag the target words (spacy:{folder}/tagger), then evaluate\n" in plan
    run = both.run(folder / "run")
    rows = {row["variant"]: row for row in run.results.to_pylist() if row["class"] == "micro"}
    assert rows["links"]["projected"] == 75  # some links are missing on purpose
    assert rows["there"]["predicted"] == rows["t"]["predicted"] == 80
    alone = recipe(folder, there={}).run(folder / "alone")
    assert io.read(run.done[1].output).equals(io.read(alone.done[0].output))


def test_labelled_sentences_translated_back(folder: Path) -> None:
    data = {"source": str(folder / "en.conll"), "target": str(folder / "{target}.conll"), "languages": "es"}
    options = {"back_translate": True, "translator": program(folder, "en-es"), "cache": str(folder / "c.sqlite")}
    run = Recipe("mine", options=options).changed(data=data).run(folder / "run")
    table = io.read(run.done[0].output)
    assert table["pivot_tokens"].to_pylist() == io.read(folder / "en.conll")["tokens"].to_pylist()
    assert table["source_tokens"].to_pylist() == table["tokens"].to_pylist()
    assert run.results["projected"][0].as_py() == 80


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"approach": "model-transfer"}, "approach='model-transfer' needs `tagger`"),
        ({"approach": "translate-test", "tagger": "m"}, "approach='translate-test' needs `translator`"),
        ({"approach": "translate-test", "translator": "m"}, "approach='translate-test' needs `tagger`"),
        ({"back_translate": True}, "approach='projection' needs `translator`"),
        ({"back_translator": "m"}, "back_translator='m' goes with back_translate"),
        ({"approach": "model-transfer", "tagger": "m", "matcher": "greedy"}, "matcher goes with an approach that proj"),
        (
            {"approach": "model-transfer", "tagger": "m", "back_translate": True},
            "back_translate=True goes with an approach",
        ),
        (
            {"approach": "modeltransfer"},
            "expected one of 'projection', 'translate-test', 'model-transfer', 'ensemble', 'trained-tagger'; did you m",
        ),
        ({"aproach": "projection"}, "did you mean 'approach'"),
        ({"approach": "ensemble", "tagger": "m", "translator": "m"}, "approach='ensemble' needs `members`"),
        ({"approach": "ensemble", "tagger": "m", "members": ["m"]}, "approach='ensemble' needs `translator`"),
        ({"members": ["m"]}, "goes with approach='ensemble'"),
        ({"approach": "trained-tagger"}, "needs `base_model`"),
        ({"epochs": 3}, "epochs goes with approach='trained-tagger': nothing is trained"),
        ({"approach": "trained-tagger", "base_model": "m", "seeds": [1, 1]}, "expected at least one, and each once"),
        (
            {"approach": "trained-tagger", "base_model": "m", "learn_from": "gold", "matcher": "greedy"},
            "matcher goes with an approach that projects, and not with learn_from='gold'",
        ),
        (
            {"approach": "trained-tagger", "base_model": "m", "learn_from": "gold", "tagger": "m"},
            "tagger says nothing with learn_from='gold'",
        ),
        ({"approach": "trained-tagger", "base_model": "m", "learn_from": "teacher"}, "needs `tagger`"),
        (
            {"approach": "trained-tagger", "base_model": "m", "learn_from": "teacher", "tagger": "spacy:m"},
            "gives labels without the probabilities",
        ),
        ({"approach": "trained-tagger", "base_model": "m", "seed": 3}, "unknown option 'seed'; did you mean 'seeds'"),
    ],
)
def test_what_does_not_go_together(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Recipe("mine", options=options)
    path = tmp_path / "mine.toml"
    path.write_text(toml_text({"options": options}), encoding="utf-8")
    with pytest.raises(FormatError, match=re.escape(f"{path}, line ")):
        Recipe.read(path)


def test_an_ensemble(folder: Path) -> None:
    """A member that knows some names alone: certain words win over such as were carried over from a certain tagger."""
    names = {"PER": ["Anna"], "LOC": ["New York"], "ORG": ["Nobody"]}
    save_tagger(folder, names)
    (folder / "tagger").rename(folder / "member")
    save_tagger(folder, NAMES)
    ensemble = {"approach": "ensemble", "members": [f"spacy:{folder / 'member'}"]}
    same = {"approach": "ensemble", "members": [f"spacy:{folder / 'tagger'}"]}
    found = recipe(folder, there={}, same=same, ensemble=ensemble)
    assert "then average, then evaluate" in str(found.plan())
    run = found.run(folder / "run")
    tables = {one.job.variant: io.read(one.output) for one in run.done}
    assert tables["same"]["labels"].to_pylist() == tables["there"]["labels"].to_pylist()
    # Halves tie, and O comes first: what the member does not know is lost, what both know stays.
    known = {word for some in names.values() for name in some for word in name.split()}
    for words, both, full in zip(
        *(tables["ensemble"][name].to_pylist() for name in ("tokens", "labels")),
        tables["there"]["labels"].to_pylist(),
        strict=True,
    ):
        assert both == [label if word in known else "O" for word, label in zip(words, full, strict=True)]
    rows = {row["variant"]: row for row in run.results.to_pylist() if row["class"] == "micro"}
    assert rows["ensemble"]["to_project"] is None
    assert rows["ensemble"]["signature"].startswith("approach:ensemble|")
    again = recipe(folder, there={}, same=same, ensemble=ensemble).run(folder / "run")
    assert all(one.kept for one in again.done)
    assert calls(folder) == {"es-en": 1}


NAMES_OF_LABELS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]


def said(*rows: list[list[float]]) -> pa.Table:
    field = schema.ner_probabilities_field(NAMES_OF_LABELS).with_name(SOURCE_PROBABILITIES)
    table = pa.table([pa.array(rows, field.type)], schema=pa.schema([field]))
    links = pa.array([[(0, 1, 0.9), (1, 2, 0.9), (2, 0, 0.9), (2, 2, 0.1)], []], schema.LINKS_TYPE)
    columns: dict[str, pa.Array[Any]] = {
        schema.SOURCE_TOKENS: pa.array([["Anna", "Beck", "sees"], ["x"]], schema.WORDS_TYPE),
        schema.TOKENS: pa.array([["ve", "Anna", "Beck", "Anna"], ["y", "z"]], schema.WORDS_TYPE),
        schema.SOURCE_ENTITIES: pa.array([[(0, 2, "PER")], []], schema.SOURCE_ENTITIES_TYPE),
        schema.LINKS: links,
        schema.ENTITIES: pa.array([[(1, 3, "PER", 1.0, 1.0, 0)], []], schema.ENTITIES_TYPE),
    }
    for name, column in columns.items():
        table = table.append_column(name, column)
    return table


def test_distributions_are_carried_over() -> None:
    table = said(
        [[0.2, 0.7, 0.0, 0.1, 0.0], [0.4, 0.1, 0.3, 0.0, 0.2], [0.9, 0.05, 0.0, 0.05, 0.0]], [[0.6, 0.2, 0.1, 0.1, 0.0]]
    )
    found = carried(table)
    assert found.names == tuple(NAMES_OF_LABELS)
    assert found.probabilities.tolist() == [
        pytest.approx(one)
        for one in [
            [0.9, 0.05, 0.0, 0.05, 0.0],  # by its link; of "Beck" none counts, as its entity was projected
            [0.3, 0.55, 0.0, 0.15, 0.0],  # the mean of both words of the entity, at its beginning
            [0.3, 0.0, 0.55, 0.0, 0.15],  # and behind it
            [1.0, 0.0, 0.0, 0.0, 0.0],  # no links
            [1.0, 0.0, 0.0, 0.0, 0.0],
            [1.0, 0.0, 0.0, 0.0, 0.0],
        ]
    ]


def test_data_without_another_side(folder: Path) -> None:
    found = recipe(folder, t={"approach": "model-transfer"})
    with pytest.raises(Error, match="there is no target file"):
        found.changed(data={"languages": "fr"}).plan()
    with pytest.raises(OptionError, match="no links of sentences without another side"):
        found.changed(links={"files": ["x.pharaoh"]}).plan()
    toy = folder / "toy.toml"
    toy.write_text(
        "[toy]\ntitle = 'Toy'\nlabels = 'IOB2'\nsplits = ['test']\nlanguages = {es = 'spa_Latn'}\n"
        "[[toy.files]]\nwhere = 'a folder'\npath = '{language}.conll'\n",
        encoding="utf-8",
    )
    by_name = Recipe("mine", variants=found.variants).changed(
        data={"dataset": "toy", "folder": str(folder), "catalogue": str(toy)}
    )
    row = by_name.run(folder / "run").results.to_pylist()[0]
    assert (row["source"], row["language"], row["split"], row["predicted"]) == ("en", "es", "test", 80)


def test_on_the_command_line(folder: Path) -> None:
    recipe_file = folder / "mine.toml"
    recipe_file.write_text(recipe(folder, t={"approach": "model-transfer"}).to_toml(), encoding="utf-8")
    found = done(xner("run", "mine.toml", "--dry-run", cwd=folder))
    assert "tag the target words" in found.stdout + found.stderr
    done(xner("run", "mine.toml", "-o", "out", cwd=folder))
    assert (folder / "out/results.md").is_file()


def test_shipped_ones_are_named_by_their_way() -> None:
    ways = {name: {one.options.approach for one in Recipe.read(name).approaches().values()} for name in recipe_names()}
    assert ways["politov2025/model-transfer"] == {"model-transfer"}
    assert ways["politov2025/translate-test"] == ways["politov2025/back-translation"] == {"translate-test"}
    assert {one for some in ways.values() for one in some} == set(APPROACHES)
    for name in ("easyproject", "labelpigeon", "ensemble", "distillation"):
        assert Recipe.read(name) == Recipe.read(next(one for one in recipe_names() if one.endswith(f"/{name}")))
    with pytest.raises(Error, match="'heuristic' may be politov2025/heuristic or shkalikov2024/heuristic"):
        Recipe.read("heuristic")
    back = Recipe.read("politov2025/back-translation").approaches()["heuristic"]
    assert approach_of(back.to_dict()).signature == back.signature
