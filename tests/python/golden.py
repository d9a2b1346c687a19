"""Rows of the golden files: inputs with the outputs that the references' own programs gave."""

from __future__ import annotations

import gzip
import json
from functools import cache
from typing import TYPE_CHECKING, NotRequired, TypedDict

import pyarrow as pa

from xner import schema

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FILES", "Ngram", "Row", "entities_of", "links_of", "load", "record_batch"]

FILES = ("en-de.grow", "en-de.intersect", "en-es.grow", "en-es.intersect", "synthetic")


class Ngram(TypedDict):
    """Candidates of one length cap: their number, positive scores (absent without any), greedy choice in order."""

    n: int
    nnz: NotRequired[int]
    score_sum: NotRequired[float]
    greedy: list[tuple[int, int, int, float]]


class Row(TypedDict):
    """One sentence pair; see the data's README for the fields."""

    id: str
    tokens: list[str]
    n_source: int
    entities: list[tuple[int, int, str]]
    links: list[tuple[int, int]]
    heuristic: dict[str, list[str]]
    heuristic_thesis: dict[str, list[str]]
    ngram_all: NotRequired[Ngram]
    ngram_max10: NotRequired[Ngram]
    greedy_less_or_equal_2: NotRequired[list[list[int]]]
    greedy_greater_or_equal_1: NotRequired[list[list[int]]]
    exact_objective_all: NotRequired[float]
    exact_objective_max10: NotRequired[float]


@cache
def load(folder: Path, name: str) -> list[Row]:
    """All rows of `projection.{name}.jsonl.gz`, read once."""
    with gzip.open(folder / "golden" / f"projection.{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def entities_of(row: Row) -> list[tuple[int, int, str]]:
    """The source entities as tuples."""
    return [(start, end, label) for start, end, label in row["entities"]]


def links_of(row: Row) -> list[tuple[int, int]]:
    """The links as tuples, in the order that the references saw."""
    return [(source, target) for source, target in row["links"]]


def record_batch(rows: list[Row]) -> pa.RecordBatch:
    """The rows as projection takes them; source words are made up, only their number is known."""
    return pa.record_batch(
        {
            schema.ID: pa.array([row["id"] for row in rows]),
            schema.TOKENS: pa.array([row["tokens"] for row in rows], schema.WORDS_TYPE),
            schema.SOURCE_TOKENS: pa.array([["s"] * row["n_source"] for row in rows], schema.WORDS_TYPE),
            schema.SOURCE_ENTITIES: pa.array(
                [
                    [{"start": start, "end": end, "label": label} for start, end, label in row["entities"]]
                    for row in rows
                ],
                schema.SOURCE_ENTITIES_TYPE,
            ),
            schema.LINKS: pa.array(
                [[{"source": source, "target": target} for source, target in row["links"]] for row in rows],
                pa.list_(pa.struct([("source", pa.int32()), ("target", pa.int32())])),
            ),
        }
    )
