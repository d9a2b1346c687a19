"""Filters: against the reference, one by one in words, and on bad input."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference import filters as reference
from strategies import many
from xner import schema
from xner._support.arrow import pylist
from xner.errors import DataError, Error
from xner.filters.base import DropRow, Filter
from xner.filters.catalogue import FILTERS, parse, to_text, usage
from xner.filters.counts import ClassCounts, LengthRatio, OneWord
from xner.filters.links import Contiguous, Discontinuous, SourceCoverage
from xner.filters.scores import MinMargin, MinScore
from xner.filters.stage import Filters
from xner.filters.summary import FilterCounts, count, show
from xner.filters.words import Affixes, Compound, TrimDeterminers
from xner.projection import Projector

WORDS = ("De", "die", "Ankara", "ankara-si", "Xankara", "da", "e", "'", "-", "'da", "u-", ",", "(", "gen", "")
VALUES: dict[str, st.SearchStrategy[tuple[Any, ...]]] = {
    "length-ratio": st.tuples(st.sampled_from([0.0, 0.5, 0.8, 1.0])) | st.just((0.5, 2.0)),
    "source-coverage": st.tuples(st.sampled_from([0.0, 0.5, 1.0])),
    "contiguous": st.tuples(st.integers(0, 2)),
    "discontinuous": st.tuples(st.sampled_from(["fill", "largest", "split", "drop"]), st.integers(0, 2)),
    "affixes": st.tuples(
        st.sampled_from(["strip", "attach"]), st.sampled_from([(), ("da", "gen")]), st.sampled_from([(), ("e",)])
    ),
    "trim-determiners": st.tuples(st.sampled_from([("nl",), ("de", "nl")]), st.sampled_from([(), ("da", "e")])),
    "compound": st.tuples(st.integers(0, 3)),
    "min-score": st.tuples(st.sampled_from([0.25, 0.5])),
    "min-margin": st.tuples(st.sampled_from([0.25, 0.5])),
}
Chosen = tuple[str, tuple[Any, ...], bool]
chosen: st.SearchStrategy[Chosen] = st.sampled_from(list(FILTERS)).flatmap(
    lambda name: st.tuples(st.just(name), VALUES.get(name, st.just(())), st.booleans())
)


def made(filters: list[Chosen]) -> list[Filter]:
    return [DropRow(FILTERS[name](*values)) if by_row else FILTERS[name](*values) for name, values, by_row in filters]


@st.composite
def rows(draw: st.DrawFn) -> reference.Row:
    """A projected sentence pair: disjoint spans, of any of its source entities."""
    tokens = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=8))
    source = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6))
    cuts = sorted(draw(st.sets(st.integers(0, len(tokens)), min_size=2)) if len(tokens) > 1 else {0, 1})
    spans = [span for span in pairwise(cuts) if draw(st.booleans())]
    first = st.integers(0, len(source) - 1)
    sources = draw(
        st.lists(
            first.flatmap(
                lambda start: st.tuples(
                    st.just(start), st.integers(start + 1, len(source)), st.sampled_from(["X", "Y"])
                )
            ),
            min_size=1 if spans else 0,
            max_size=3,
        )
    )
    number = st.sampled_from([0.0, 0.25, 0.5, 1.0])
    entities = [
        reference.Entity(start, end, draw(st.integers(0, len(sources) - 1)), draw(number), draw(number))
        for start, end in spans
    ]
    link = st.tuples(st.integers(0, len(source) - 1), st.integers(0, len(tokens) - 1))
    links = draw(st.lists(link, max_size=12))
    return reference.Row(tokens, source, sources, links, draw(st.permutations(entities)))


def table_of(values: list[reference.Row]) -> pa.Table:
    columns: dict[str, list[Any]] = {
        schema.TOKENS: [row.tokens for row in values],
        schema.SOURCE_TOKENS: [row.source_tokens for row in values],
        schema.SOURCE_ENTITIES: [
            [{"start": start, "end": end, "label": label} for start, end, label in row.sources] for row in values
        ],
        schema.LINKS: [[{"source": s, "target": t} for s, t in row.links] for row in values],
        schema.ENTITIES: [
            [{**dataclasses.asdict(e), "label": row.sources[e.source][2]} for e in row.entities] for row in values
        ],
        schema.LABELS: [reference.encode(row) for row in values],
    }
    return pa.table({name: pa.array(column, schema.COLUMN_TYPES[name]) for name, column in columns.items()})


@many(3)
@given(values=st.lists(rows(), max_size=5), filters=st.lists(chosen, max_size=4), offset=st.integers(0, 1))
def test_filters_are_the_reference(values: list[reference.Row], filters: list[Chosen], offset: int) -> None:
    found = Filters(made(filters))(table_of(values).slice(offset))
    values = values[offset:]
    for row in values:
        reference.apply(row, filters)
    found.validate(full=True)
    assert found[schema.STATUS].to_pylist() == [row.status for row in values]
    assert found[schema.LABELS].to_pylist() == [reference.encode(row) for row in values]
    for made_, expected in zip(found.to_pylist(), values, strict=True):
        assert made_[schema.ENTITIES] == [
            {
                "start": e.start,
                "end": e.end,
                "label": expected.sources[e.source][2],
                "score": e.score,
                "margin": e.margin,
                "source": e.source,
            }
            for e in expected.entities
        ]
        for name, records in ((schema.DROPPED, expected.dropped), (schema.ADJUSTED, expected.adjusted)):
            assert [(r["source"], r["start"], r["end"], r["reason"]) for r in made_[name]] == records
    counts = count(found)
    assert sum(c.dropped + c.with_row for c in counts.values()) == sum(len(row.dropped) for row in values)
    assert sum(c.adjusted for c in counts.values()) == sum(len(row.adjusted) for row in values)
    assert sum(c.rows for c in counts.values()) == sum(row.status.startswith("row_dropped") for row in values)


@given(values=st.lists(rows(), max_size=5), filters=st.lists(chosen, max_size=4))
def test_dropping_rows_is_every_filter_by_row(values: list[reference.Row], filters: list[Chosen]) -> None:
    table = table_of(values)
    by_row = [(name, options, True) for name, options, _ in filters]
    assert Filters(made(filters), drop="row")(table).equals(Filters(made(by_row))(table))


@many(2)
@given(filters=st.lists(chosen, max_size=3))
def test_texts_are_read_as_they_are_shown(filters: list[Chosen]) -> None:
    expected = made(filters)
    assert [parse(to_text(one)) for one in expected] == expected
    signature = Filters(expected).signature
    assert [parse(part.removeprefix("filter:")) for part in signature.split("|") if part] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("length-ratio", LengthRatio(0.8, None)),
        ("length-ratio=0.5,most=2", LengthRatio(0.5, 2.0)),
        ("length-ratio,most=2", LengthRatio(0.8, 2.0)),
        ("source-coverage=.5:row", DropRow(SourceCoverage(0.5))),
        ("affixes=attach,suffixes=da+de,prefixes=e", Affixes("attach", ("da", "de"), ("e",))),
        ("affixes=strip,prefixes=e", Affixes("strip", (), ("e",))),
        ("compound=2", Compound(2)),
        ("trim-determiners=de+nl,words=dat", TrimDeterminers(("de", "nl"), ("dat",))),
        ("discontinuous=split,gap=1", Discontinuous("split", 1)),
        ("contiguous:row", DropRow(Contiguous())),
        ("class-counts:row", DropRow(ClassCounts())),
        ("one-word", OneWord()),
        ("min-score=0.5", MinScore(0.5)),
        ("min-margin=1e-3", MinMargin(0.001)),
    ],
)
def test_texts(text: str, expected: Filter) -> None:
    assert parse(text) == expected


def test_usage_shows_what_may_be_left_out() -> None:
    assert [usage(kind) for kind in FILTERS.values()] == [
        "length-ratio[=0.8][,most=NUMBER]",
        "source-coverage[=1.0]",
        "contiguous[=0]",
        "discontinuous=fill|largest|split|drop[,gap=0]",
        "class-counts",
        "one-word",
        "trim-punctuation",
        "trim-determiners[=WORD+WORD][,words=WORD+WORD]",
        "affixes=strip|attach[,suffixes=WORD+WORD][,prefixes=WORD+WORD]",
        "compound[=4]",
        "min-score=NUMBER",
        "min-margin=NUMBER",
    ]


ALL_NAMES = (
    "length-ratio, source-coverage, contiguous, discontinuous, class-counts, one-word, trim-punctuation, "
    "trim-determiners, affixes, compound, min-score, min-margin"
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "lenght-ratio=2",
            (
                "filter 'lenght-ratio=2': there is no filter 'lenght-ratio'; did you mean 'length-ratio'? "
                f"The filters are {ALL_NAMES}"
            ),
        ),
        ("xyz", f"filter 'xyz': there is no filter 'xyz'. The filters are {ALL_NAMES}"),
        ("min-score", "filter 'min-score': expected min-score=NUMBER"),
        ("one-word=2", "filter 'one-word=2': expected one-word"),
        ("one-word:rows", "filter 'one-word:rows': expected ':row' or nothing at the end, found ':rows'"),
        ("min-score=1,2", "filter 'min-score=1,2': expected min-score=NUMBER, found ',2'"),
        ("min-score=1,most=2", "filter 'min-score=1,most=2': expected min-score=NUMBER"),
        (
            "length-ratio=1,least=2",
            "filter 'length-ratio=1,least=2': expected length-ratio[=0.8][,most=NUMBER]",
        ),
        ("min-score=high", "filter 'min-score=high': 'high' is not a number"),
        ("contiguous=1.5", "filter 'contiguous=1.5': '1.5' is not a whole number"),
        ("min-margin=-1", "min-margin=-1.0: expected a number from 0 on"),
        ("min-margin=nan", "min-margin=nan: expected a number from 0 on"),
        ("length-ratio=-1", "length-ratio=-1.0: expected a number from 0 on"),
        ("length-ratio,most=-1", "length-ratio most=-1.0: expected a number from 0 on"),
        ("length-ratio=2,most=1", "length-ratio most=1: expected a number above the least ratio, 2"),
        ("source-coverage=2", "source-coverage=2.0: expected a number from 0 to 1"),
        ("contiguous=-1", "contiguous=-1: expected a whole number from 0 to 2147483647"),
        ("discontinuous=merge", "discontinuous='merge': expected one of 'fill', 'largest', 'split', 'drop'"),
        ("discontinuous=fill,gap=-1", "discontinuous gap=-1: expected a whole number from 0 to 2147483647"),
        ("affixes=keep", "affixes='keep': expected one of 'strip', 'attach'"),
        ("trim-determiners", "trim-determiners: name languages (trim-determiners=de) or words"),
        (
            "trim-determiners=de+xx",
            (
                "trim-determiners: no list for 'xx'; there are ca, da, de, el, en, es, fr, hu, it, nl, no, "
                "pt, sv, or words"
            ),
        ),
        ("compound=-1", "compound=-1: expected a whole number from 0 to 2147483647"),
    ],
)
def test_bad_filters(text: str, message: str) -> None:
    with pytest.raises(Error) as error:
        parse(text)
    assert str(error.value) == message


def test_bad_stages() -> None:
    with pytest.raises(Error, match="expected a sequence of filters, not one string"):
        Filters("one-word")
    with pytest.raises(Error, match="drop='both': expected one of 'entity', 'row'"):
        Filters([], drop="both")  # type: ignore[arg-type]  # wrong on purpose


def projected(tokens: str, source: str, entities: list[tuple[int, int, str]], links: list[tuple[int, int]]) -> pa.Table:
    row = reference.Row(tokens.split(), source.split(), entities, links, [])
    return Projector()(table_of([row]))


@pytest.mark.parametrize(
    ("tokens", "source", "links", "filters", "labels"),
    [
        # Turkish: the apostrophe and the case ending are words of their own.
        ("Ankara ' da", "in Ankara", [(1, 0)], ["affixes=attach,suffixes=da"], "B-X I-X I-X"),
        ("Ankara ' da", "in Ankara", [(1, 0), (1, 2)], ["affixes=strip,suffixes=da"], "B-X O O"),
        # Finnish: colon and ending.
        ("EU :n maat", "EU countries", [(0, 0)], ["affixes=attach"], "B-X I-X O"),
        # Zulu: the locative prefix.
        ("e Goli", "in Johannesburg", [(1, 1)], ["affixes=attach,prefixes=e"], "B-X I-X"),
        ("u- Mandela", "the Mandela", [(1, 1), (1, 0)], ["affixes=strip,prefixes=u-"], "O B-X"),
        ("l' Aquila", "the Aquila", [(1, 1), (1, 0)], ["affixes=strip"], "O B-X"),
        # German: half a compound is part of the name.
        ("Mittel- und Osteuropa", "the CEE", [(1, 0), (1, 2)], ["affixes=strip"], "B-X I-X I-X"),
        # What the source entity has as well stays.
        ("McDonald 's", "the McDonald's", [(1, 0), (1, 1)], ["affixes=strip"], "B-X O"),
        # German: a compound is no name, an ending is.
        ("die Merkel-Regierung", "the Merkel", [(1, 1)], ["compound"], "O O"),
        ("Merkels Rede", "the Merkel", [(1, 0)], ["compound"], "B-X O"),
        ("( Madrid )", "the Madrid", [(1, 0), (1, 1), (1, 2)], ["trim-punctuation"], "O B-X O"),
        (". .", "the Madrid", [(1, 0)], ["trim-punctuation"], "O O"),
        ("Die Alpen", "the Alps", [(0, 0), (1, 1)], ["trim-determiners=de"], "O B-X"),
        ("Die Alpen", "the Alps", [(0, 0), (1, 1)], ["trim-determiners=nl"], "B-X I-X"),
        ("L' Aquila", "the Aquila", [(0, 0), (1, 1)], ["trim-determiners,words=l'"], "O B-X"),
        ("New der York", "the York", [(1, 0), (1, 2)], ["discontinuous=split"], "B-X O B-X"),
        ("New der York", "the York", [(1, 0), (1, 2)], ["discontinuous=largest"], "B-X O O"),
        ("New der York", "the York", [(1, 0), (1, 2)], ["discontinuous=fill"], "B-X I-X I-X"),
        ("New der York", "the York", [(1, 0), (1, 2)], ["discontinuous=drop,gap=1"], "B-X I-X I-X"),
        ("New der York", "the York", [(1, 0), (1, 2)], ["one-word"], "O O O"),
    ],
)
def test_what_users_meet(
    tokens: str, source: str, links: list[tuple[int, int]], filters: list[str], labels: str
) -> None:
    place = links[0][0]
    span = min(target for _, target in links), max(target for _, target in links) + 1
    entity = reference.Entity(*span, source=0, score=1.0, margin=1.0)
    table = table_of([reference.Row(tokens.split(), source.split(), [(place, place + 1, "X")], links, [entity])])
    assert Filters(filters)(table)[schema.LABELS].to_pylist() == [labels.split()]


@pytest.mark.parametrize(
    ("policy", "labels"),
    [
        ("fill", "B-X I-X I-X I-X I-X B-Y"),
        ("largest", "O O O B-X I-X B-Y"),
        ("split", "B-X O O B-X I-X B-Y"),
        ("drop", "O O O O O B-Y"),
    ],
)
def test_several_spans_of_one_entity(policy: str, labels: str) -> None:
    """As the heuristic projects it."""
    row = reference.Row(
        ["New", "der", "alten", "York", "City", "Paris"],
        ["New", "York", "City", "Paris"],
        [(0, 3, "X"), (3, 4, "Y")],
        [(0, 0), (1, 3), (2, 4), (3, 5)],
        [],
    )
    table = Projector(method="heuristic", length_ratio_threshold=0)(table_of([row]))
    assert len(table[schema.ENTITIES][0]) == 3
    found = Filters([Discontinuous(policy)])(table)  # type: ignore[arg-type]  # a str of the parameters
    assert found[schema.LABELS].to_pylist() == [labels.split()]


def test_what_lies_between_is_not_filled() -> None:
    entities = [reference.Entity(at, at + 1, source, 1.0, 1.0) for at, source in ((0, 0), (1, 1), (2, 0), (3, 1))]
    row = reference.Row(["a"] * 4, ["x", "y"], [(0, 1, "X"), (1, 2, "Y")], [], entities)
    found = Filters(["discontinuous=fill"])(table_of([row]))
    assert found[schema.LABELS].to_pylist() == [["B-X", "B-Y", "B-X", "B-Y"]]
    assert found[schema.ADJUSTED].to_pylist() == [[]]


def test_rows_without_a_projected_entity_go_for_their_counts() -> None:
    table = projected("a b", "x y", [(0, 1, "X")], [(1, 1)])
    assert table[schema.STATUS].to_pylist() == ["no_match"]
    assert Filters(["class-counts"])(table)[schema.STATUS].to_pylist() == ["no_match"]
    dropped = Filters(["class-counts:row", "one-word:row"])(table)
    assert dropped[schema.STATUS].to_pylist() == ["row_dropped:class-counts"]
    assert count(dropped) == {"class-counts": FilterCounts(rows=1)}
    # A row that is gone has been dropped by what dropped it first.
    again = Filters(["min-score=0", "class-counts:row"])(dropped)
    assert again[schema.STATUS].to_pylist() == ["row_dropped:class-counts"]


def test_untouched_rows_keep_labels_and_status() -> None:
    """Labels that no entities spell, as the published heuristic leaves them, and a status from before."""
    table = projected("a b", "x y", [(0, 1, "X")], [(0, 0)])
    table = table.set_column(table.schema.get_field_index(schema.LABELS), schema.LABELS, pa.array([["B-X", "I-Y"]]))
    table = table.set_column(table.schema.get_field_index(schema.STATUS), schema.STATUS, pa.array(["truncated"]))
    found = Filters(["one-word"])(table)
    assert found[schema.LABELS].to_pylist() == [["B-X", "I-Y"]]
    assert found[schema.STATUS].to_pylist() == ["truncated"]
    assert Filters(["min-score=2"])(table)[schema.LABELS].to_pylist() == [["O", "O"]]


def test_filtering_twice_keeps_both_records_and_projecting_again_none() -> None:
    table = projected("a b", "x y", [(0, 1, "X"), (1, 2, "Y")], [(0, 0), (1, 1)])
    assert len(Filters(["length-ratio=1.5"])(table)[schema.DROPPED][0]) == 2
    first = Filters([Affixes("attach", ("b",))])(projected("a b", "x y", [(0, 1, "X")], [(0, 0)]))
    second = Filters(["one-word"])(first)
    assert [record["reason"] for record in second[schema.ADJUSTED][0].as_py()] == ["affixes"]
    assert [record["reason"] for record in second[schema.DROPPED][0].as_py()] == ["one-word"]
    third = Filters(["one-word"])(second)
    assert third[schema.DROPPED].to_pylist() == second[schema.DROPPED].to_pylist()
    assert third[schema.STATUS].to_pylist() == ["filtered"]
    anew = Projector()(third)
    assert anew[schema.STATUS].to_pylist() == ["ok"]
    assert not {schema.DROPPED, schema.ADJUSTED} & set(anew.schema.names)


def test_null_rows_are_left_alone() -> None:
    table = projected("a b", "x y", [(0, 1, "X")], [(0, 0)])
    types = {name: table.schema.field(name).type for name in table.schema.names}
    nulls = pa.table({name: pa.nulls(1, kind) for name, kind in types.items()})
    found = Filters([name if name in {"one-word", "class-counts"} else "min-score=2" for name in FILTERS])(
        pa.concat_tables([nulls, table])
    )
    assert found[schema.STATUS].to_pylist() == [None, "filtered"]
    assert found[schema.ENTITIES].to_pylist() == [[], []]


def test_counts_are_shown_filter_by_filter() -> None:
    table = projected("a b c", "x y z", [(0, 1, "X"), (1, 2, "Y"), (2, 3, "Y")], [(0, 0), (1, 1), (1, 2)])
    filters = Filters(["trim-punctuation", "one-word", "class-counts:row"])
    counts = count(filters(table), [one.name for one in filters.filters])
    assert counts == {
        "trim-punctuation": FilterCounts(),
        "one-word": FilterCounts(dropped=1),
        "class-counts": FilterCounts(rows=1, with_row=1),
    }
    assert show(counts).splitlines() == [
        "filter            entities dropped  spans adjusted  rows dropped  entities lost with them",
        "trim-punctuation                 0               0             0                        0",
        "one-word                         1               0             0                        0",
        "class-counts                     0               0             1                        1",
    ]


def test_overlapping_entities_are_labelled_as_the_heuristic_does() -> None:
    """Entities that overwrite each other, as `politov2025` makes them: the later one's labels stay."""
    entities = [
        reference.Entity(0, 3, 0, 1.0, 1.0),
        reference.Entity(1, 2, 1, 1.0, 1.0),
        reference.Entity(2, 3, 1, 0.1, 1.0),
    ]
    table = table_of([reference.Row(["a", "b", "c"], ["x", "y"], [(0, 1, "X"), (1, 2, "Y")], [], entities)])
    assert Filters(["min-score=0.5"])(table)[schema.LABELS].to_pylist() == [["B-X", "B-Y", "I-X"]]


@pytest.mark.parametrize(
    ("entity", "message"),
    [
        ({"source": 1}, "row 1 (id 's1'), column 'entities', value 1: the row has no such source entity"),
        ({"source": -1}, "row 1 (id 's1'), column 'entities', value -1: the row has no such source entity"),
        ({"end": 3}, "row 1 (id 's1'), column 'entities', value [0, 3): not a span of the row's tokens"),
        ({"start": None}, "row 1 (id 's1'), column 'entities', value null: an entity needs a start"),
        ({"label": None}, "row 1 (id 's1'), column 'entities', value null: an entity needs a label"),
    ],
)
def test_wrong_entities_are_named(entity: dict[str, Any], message: str) -> None:
    table = projected("a b", "x y", [(0, 1, "X")], [(0, 0)])
    good = pylist(table[schema.ENTITIES])[0][0]
    wrong = table.set_column(
        table.schema.get_field_index(schema.ENTITIES),
        schema.ENTITIES,
        pa.array([[{**good, **entity}]], schema.ENTITIES_TYPE),
    )
    both = pa.concat_tables([table, wrong]).append_column(schema.ID, pa.array(["s0", "s1"]))
    with pytest.raises(DataError) as error:
        Filters(["one-word"])(both)
    assert str(error.value) == message


@pytest.mark.parametrize(("end", "value"), [(3, "[0, 3)"), (0, "[0, 0)")])
def test_wrong_source_entities_are_named_where_their_words_are_looked_at(end: int, value: str) -> None:
    entity = reference.Entity(0, 1, source=0, score=1.0, margin=1.0)
    table = table_of([reference.Row(["a"], ["x", "y"], [(0, end, "X")], [], [entity])])
    with pytest.raises(DataError) as error:
        Filters(["trim-punctuation"])(table)
    assert str(error.value) == f"row 0, column 'source_entities', value {value}: not a span of the row's source_tokens"


@pytest.mark.parametrize("scores", ["null", "absent"])
def test_entities_without_scores_are_filtered_by_what_they_have(scores: str) -> None:
    table = projected("a b", "x y", [(0, 1, "X")], [(0, 0)])
    [entity] = pylist(table[schema.ENTITIES])[0]
    kept = {name: entity[name] for name in ("start", "end", "label", "source")} | {"margin": None}
    fields = [field for field in schema.ENTITIES_TYPE.value_type if scores == "null" or field.name != "score"]
    column = pa.array([[kept]], pa.list_(pa.struct(fields)))
    table = table.set_column(table.schema.get_field_index(schema.ENTITIES), schema.ENTITIES, column)
    found = Filters(["one-word"])(table)
    assert found[schema.ENTITIES].to_pylist() == [[{**kept, "score": None}]]
    for filter_ in ("min-score=0", "min-margin=0"):
        [record] = pylist(Filters([filter_])(table)[schema.DROPPED])[0]
        assert record == {**kept, "score": None, "reason": filter_.removesuffix("=0")}


def test_no_rows() -> None:
    table = projected("a b", "x y", [(0, 1, "X")], [(0, 0)]).slice(0, 0)
    found = Filters([name for name in FILTERS if not name.startswith(("min-", "affixes", "discontinuous", "trim-d"))])(
        table
    )
    assert found.num_rows == 0
    assert found.schema.field(schema.DROPPED).type == schema.FILTER_RECORDS_TYPE
    assert count(found) == count(table) == {}
    assert count(found, ["one-word"]) == {"one-word": FilterCounts()}


def test_missing_columns_are_named() -> None:
    table = projected("a b", "x y", [(0, 1, "X")], [(0, 0)])
    with pytest.raises(Error, match=r"filtering needs the column\(s\) links"):
        Filters(["contiguous"])(table.drop_columns([schema.LINKS]))
