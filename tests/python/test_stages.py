"""That every stage keeps what stages promise; those that run models are in `test_model_stages.py`."""

from __future__ import annotations

import extras

extras.need("train")

import copy
import pickle
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import pyarrow as pa
import pytest

from stage_checks import check_stage, null_word
from xner import Projector, schema
from xner._support.arrow import pylist
from xner._support.stages import Stage, identity_of, run_stage
from xner.alignment import Aligner, AlignerOptions
from xner.errors import Error, OptionError
from xner.filters import DropRow, Filters
from xner.io import sample


def corpus() -> pa.Table:
    """Some sentence pairs, the last of which are empty on a side."""
    english, german = (sample.load(language).column("tokens").to_pylist()[:8] for language in ("en", "de"))
    return pa.table(
        {
            schema.ID: [f"s{number}" for number in range(10)],
            schema.SOURCE_TOKENS: pa.array([*english, [], ["x"]], schema.WORDS_TYPE),
            schema.TOKENS: pa.array([*german, ["x"], []], schema.WORDS_TYPE),
        }
    )


OTHER_ALIGNERS: dict[str, Any] = {
    "fold": "none",
    "decode": "viterbi",
    "threshold": 0.3,
    "least_association": 0.0,
    "symmetrization": "union",
    "ibm1_iterations": 4,
    "hmm_iterations": 1,
    "diagonal": 1.0,
    "null_probability": 0.2,
    "alpha": 0.003,
    "base_weight": 3.0,
    "null_base_weight": 10.0,
    "prior_weight": 2.0,
    "similarity_floor": 0.3,
    "similarity_power": 3.0,
    "letter_weight": 1.0,
    "kind_weight": 1.5,
    "length_weight": 0.7,
    "cue_halving": 0.6,
    "jump_clip": 7,
    "jump_smoothing": 90.0,
    "romanize": False,
    "lexicon_weight": 2.0,
}


def fitted(rows: int = 8, **options: Any) -> Aligner:
    table = corpus().slice(0, rows)
    return Aligner.fit(table.column(schema.SOURCE_TOKENS), table.column(schema.TOKENS), **options)


def first_letters(token: str) -> str:
    return token[:4]


def test_aligner() -> None:
    assert OTHER_ALIGNERS.keys() == {field.name for field in fields(AlignerOptions)}
    beside: dict[str, Any] = {"symmetrization": {"decode": "viterbi"}}
    others = [fitted(**{name: value}, **beside.get(name, {})) for name, value in OTHER_ALIGNERS.items()]
    table = corpus()
    check_stage(fitted(), table, wrong=null_word(table, schema.TOKENS, 2), others=[*others, fitted(7)])


def test_an_aligner_that_folds_by_a_function() -> None:
    one, other = fitted(fold=first_letters), fitted(fold=(first_letters, str.lower))
    check_stage(one, corpus(), others=[other, fitted(fold="none")], elsewhere=["spawn"])
    assert f"fold:{__name__}.first_letters" in one.signature


def test_an_aligner_with_a_nameless_function_cannot_be_pickled() -> None:
    aligner = fitted(fold=lambda token: token[:3])
    with pytest.raises(OptionError, match=r"fold: .*<lambda> cannot be pickled with its aligner; a funct"):
        pickle.dumps(aligner)
    assert copy.deepcopy(aligner).identity == aligner.identity


def test_equal_aligners_are_one() -> None:
    assert fitted().identity == fitted().identity
    assert fitted().identity != fitted(7).identity


def test_the_aligner_needs_its_columns() -> None:
    with pytest.raises(Error, match=r"the aligner needs the column\(s\) source_tokens"):
        fitted()(corpus().select([schema.TOKENS]))


FILTERS = [
    "length-ratio=0.8",
    "length-ratio=0.7",
    "length-ratio=0.8,most=3",
    "min-score=0.5",
    "min-margin=0.5",
    "class-counts",
    "class-counts:row",
    "contiguous",
    "discontinuous=largest",
    "discontinuous=fill",
    "trim-punctuation",
]


def projected() -> pa.Table:
    """Sentence pairs with entities of all kinds."""
    table = fitted()(corpus()).drop_columns([schema.STATUS])
    spans = [
        [{"start": 0, "end": 1, "label": "PER"}] if words else [] for words in table[schema.SOURCE_TOKENS].to_pylist()
    ]
    table = table.append_column(schema.SOURCE_ENTITIES, pa.array(spans, schema.SOURCE_ENTITIES_TYPE))
    return Projector()(table).drop_columns([schema.STATUS])


def test_filters() -> None:
    table = projected()
    entities = pylist(table.column(schema.ENTITIES))
    entities[1][0]["source"] = 7
    at = table.schema.get_field_index(schema.ENTITIES)
    wrong = table.set_column(at, schema.ENTITIES, pa.array(entities, schema.ENTITIES_TYPE))
    others = [Filters([text]) for text in FILTERS] + [Filters(FILTERS[::-1])]
    check_stage(Filters(FILTERS), table, wrong=wrong, others=others)
    assert repr(Filters(["min-score=0.5"])) == "Filters(['min-score=0.5'])"


OTHER_PROJECTORS: tuple[dict[str, Any], ...] = (
    {"matcher": "greedy"},
    {"constraint": "=", "n": 2},
    {"n": 2},
    {"candidates": "ngram"},
    {"min_words": 2},
    {"max_words": 3},
    {"stop_words": ["."]},
    {"stop_words": []},
    {"count": "words"},
    {"ties": "first"},
    {"compat": "shkalikov2024"},
    {"score": {"align": 2.0}},
    {"score": "align_characters"},
    {"score": "align_characters", "character_threshold": 0.5},
    {"method": "heuristic"},
    {"method": "heuristic", "merge_distance": 2},
    {"method": "heuristic", "top_k": 1},
    {"on_error": "skip"},
)


def test_projector() -> None:
    table = projected().drop_columns([schema.ENTITIES, schema.LABELS])
    others = [Projector(**options) for options in OTHER_PROJECTORS]
    entities = pylist(table.column(schema.SOURCE_ENTITIES))
    entities[2][0]["end"] = 999
    at = table.schema.get_field_index(schema.SOURCE_ENTITIES)
    wrong = table.set_column(at, schema.SOURCE_ENTITIES, pa.array(entities, schema.SOURCE_ENTITIES_TYPE))
    check_stage(Projector(), table, wrong=wrong, others=others)
    check_stage(Projector(score={"align": 1, "characters": 0.5}, stop_words=["x"]), table, elsewhere=["spawn"])
    assert Projector(threads=2).identity == Projector().identity, "threads change nothing"


@dataclass(frozen=True)
class Own:
    """A filter of somebody else's."""

    least: int = 2
    name: ClassVar[str] = "own"
    columns: ClassVar[tuple[str, ...]] = ()

    def apply(self, entities: Any) -> None:
        """Keep all."""


def test_filters_of_others_say_their_options_too() -> None:
    check_stage(Filters([Own()]), projected(), others=[Filters([Own(3)]), Filters([DropRow(Own())])], elsewhere=[])
    assert Filters([Own(3)]).signature == "filter:own=3"


def test_the_protocol_is_met() -> None:
    stages: list[Stage] = [fitted(), Filters([]), Projector()]
    assert stages


def test_identities_depend_on_everything() -> None:
    found = {identity_of("a"), identity_of("b"), identity_of("a", 1), identity_of("a", [1]), identity_of("a", {"x": 1})}
    assert len(found) == 5
    assert identity_of("a", {"x": 1, "y": 2}) == identity_of("a", {"y": 2, "x": 1})


def test_an_empty_table_is_one_batch() -> None:
    table = pa.table({"a": pa.array([], pa.int32())})
    done = run_stage(lambda batch: batch.append_column("b", batch.column("a")), table)
    assert done.schema.names == ["a", "b"]
