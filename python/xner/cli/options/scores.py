"""The scores of the command line: their options, and the files that they come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from xner import io, schema
from xner.cli.options.decorators import with_options
from xner.cli.options.inputs import existing_file
from xner.errors import Error
from xner.projection.fusion import PRESETS, SCORES, parse_score

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pyarrow as pa

__all__ = ["ScoreSettings", "score_column_options", "score_options"]

F = TypeVar("F", bound="Callable[..., Any]")

_COLUMNS = (schema.NER_PROBABILITIES, schema.NMT_SCORES, schema.HINTS)

_SUM_OPTIONS = [
    click.option(
        "--score",
        default="align",
        show_default=True,
        metavar="NAME|NAME=WEIGHT,...",
        help=f"What spans are chosen by: a known sum ({', '.join(PRESETS)}), or weights of {', '.join(SCORES)}, as "
        "align=1,characters=0.5.",
    ),
]
_COLUMN_OPTIONS = [
    click.option(
        "--scores",
        "files",
        type=existing_file,
        multiple=True,
        help="A file with columns that scores need, row by row (Parquet, Arrow, JSONL): ner_probabilities for ner and "
        "ner_spans, nmt_scores for nmt (`xner score nmt` makes them), hints. May be given several times; the target "
        "file may have them as well.",
    ),
    click.option(
        "--ner-labels",
        help="The labels of ner_probabilities, split by blanks: 'O B-PER I-PER ...'; by default the file names them.",
    ),
    click.option(
        "--ner-alpha",
        type=click.FloatRange(0, min_open=True),
        default=1.15,
        show_default=True,
        help="What a span that the tagger predicts gains with every word after its first.",
    ),
]
_THRESHOLD_OPTIONS = [
    click.option(
        "--ner-threshold",
        type=click.FloatRange(0),
        default=0.05,
        show_default=True,
        help="ner and ner_spans of at most this count as 0.",
    ),
    click.option(
        "--character-threshold",
        type=click.FloatRange(0),
        default=0.7,
        show_default=True,
        help="characters: similarities of at most this count as 0.",
    ),
]


def score_options(command: F) -> F:
    """Add the options of all scores to a command; `ScoreSettings.take` gathers the files."""
    return with_options([*_SUM_OPTIONS, *_COLUMN_OPTIONS, *_THRESHOLD_OPTIONS], command)


def score_column_options(command: F) -> F:
    """Add those of them that say where scores come from."""
    return with_options(_COLUMN_OPTIONS, command)


@dataclass(frozen=True, slots=True)
class ScoreSettings:
    """Where scores come from.

    Attributes:
        files: with columns of them.
    """

    files: tuple[Path, ...]

    @classmethod
    def take(cls, values: dict[str, Any]) -> ScoreSettings:
        """Take what is not the projector's out of a command's values, and bring the rest to its form."""
        if "score" in values:
            values["score"] = parse_score(values["score"])
        values["ner_labels"] = None if values["ner_labels"] is None else tuple(values["ner_labels"].split())
        return cls(values.pop("files"))

    def add_columns(self, table: pa.Table) -> pa.Table:
        """Add the files' columns to a table of as many rows.

        Raises:
            Error: a file without such columns, with one that is there already, or of another number of rows.
        """
        for path in self.files:
            found = io.read(path)
            names = [name for name in _COLUMNS if name in found.schema.names]
            if not names:
                raise Error(f"'{path}' has none of the columns {', '.join(_COLUMNS)}")
            if found.num_rows != table.num_rows:
                raise Error(f"'{path}' has {found.num_rows} rows but there are {table.num_rows} sentence pairs")
            for name in names:
                if name in table.schema.names:
                    raise Error(f"'{path}': there is a column '{name}' already")
                table = table.append_column(found.schema.field(name), found.column(name))
        return table
