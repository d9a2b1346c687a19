"""Reading what several commands take: sentences, labels, parallel sides, links."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import pyarrow as pa

from xner import io, labels, schema
from xner.cli.options.decorators import with_options
from xner.errors import Error

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "FORMAT_NAMES",
    "existing_file",
    "label_options",
    "labels_as_gold",
    "link_flags",
    "output_file",
    "read_links",
    "read_links_unchecked",
    "read_sentence_pairs",
    "read_sentences",
    "read_source",
    "read_target",
    "side_format_options",
    "tuned_option",
]

FORMAT_NAMES = [name for name in io.FORMATS if name != "pharaoh"]

_TARGET_COLUMNS = (
    schema.ID,
    schema.TOKENS,
    schema.CANDIDATES,
    schema.NER_PROBABILITIES,
    schema.NMT_SCORES,
    schema.HINTS,
    schema.GOLD_LABELS,
    schema.TRANSLATION,
    schema.TRANSLATION_STATUS,
    schema.MARKED_ENTITIES,
    schema.MARKER_PROBLEM,
)

F = TypeVar("F", bound="Callable[..., Any]")

existing_file = click.Path(exists=True, dir_okay=False, path_type=Path)
output_file = click.Path(dir_okay=False, writable=True, path_type=Path)


_SIDE_FORMATS = [
    click.option(
        f"--{side}-format",
        type=click.Choice(FORMAT_NAMES),
        help=f"Format of the {side} file; by default its name tells.",
    )
    for side in ("source", "target")
]
_LINK_FLAGS = [
    click.option("--one-based", is_flag=True, help="The links file counts words from 1."),
    click.option("--reverse", is_flag=True, help="The links file says target-source."),
]


_LABEL_OPTIONS = [
    click.option(
        "--scheme",
        type=click.Choice(["IOB1", "IOB2", "BIOES"]),
        default="IOB2",
        show_default=True,
        help="What --read-labels holds the source labels to.",
    ),
    click.option(
        "--read-labels",
        type=click.Choice(["lenient", "strict", "validate"]),
        default="lenient",
        show_default=True,
        help="Lenient reads labels of any scheme; strict ignores what the scheme does not allow; validate stops there.",
    ),
]


def label_options(command: F) -> F:
    """Add `--scheme` and `--read-labels`, which say how source labels are read, to a command."""
    return with_options(_LABEL_OPTIONS, command)


def side_format_options(command: F) -> F:
    """Add `--source-format` and `--target-format` to a command."""
    return with_options(_SIDE_FORMATS, command)


def link_flags(command: F) -> F:
    """Add `--one-based` and `--reverse`, which say how links are read, to a command."""
    return with_options(_LINK_FLAGS, command)


def _use_tuned(context: click.Context, parameter: click.Parameter, path: Path | None) -> None:
    """Make what a file of settings says the defaults of a command's options."""
    if path is None:
        return
    try:
        options = json.loads(path.read_text(encoding="utf-8"))["options"]
        names = set(options)
    except (ValueError, KeyError, TypeError):
        raise click.BadParameter(f"'{path}' holds no settings; `xner tune` writes them", context, parameter) from None
    unknown = sorted(names - {other.name for other in context.command.params})
    if unknown:
        message = f"'{path}' has settings that this command does not take: {', '.join(unknown)}"
        raise click.BadParameter(message, context, parameter)
    context.default_map = {**(context.default_map or {}), **options}


tuned_option = click.option(
    "--tuned",
    type=existing_file,
    is_eager=True,
    expose_value=False,
    callback=_use_tuned,
    help="Settings that `xner tune` has found; options given beside it go first.",
)


def _read(path: Path, format: str | None) -> pa.Table:
    """Read a file; columns of words alone, without labels, are allowed."""
    if io.format_of(path, format) == "conll" and _is_single_column(path):
        return io.read(path, format, label_column=None)
    return io.read(path, format)


def _is_single_column(path: Path) -> bool:
    """Whether the first word's line of a CoNLL file holds nothing else."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        for line in file:
            fields = line.removeprefix(b"\xef\xbb\xbf").split()
            if fields and not line.startswith((b"#", b"-DOCSTART-")):
                return len(fields) == 1
    return False


def read_sentences(path: Path, format: str | None = None) -> pa.Table:
    """Read a file of sentences: `id`, `tokens`, and `labels` or other columns where the format has them."""
    table = _read(path, format)
    schema.require_columns(table.schema, [schema.TOKENS], f"the file '{path}'")
    return table


def read_source(path: Path, *, format: str | None, scheme: labels.Scheme, mode: labels.Reading) -> pa.Table:
    """Read the labelled side: `source_tokens` and `source_entities`, and `id`.

    A file with a `source_entities` or `entities` column is taken at its word; else its `labels` are read.

    Args:
        path: the file.
        format: None goes by the name.
        scheme: of the labels.
        mode: how strictly they are read.

    Raises:
        Error: the file has neither.
        DataError: labels that `mode` does not allow.
    """
    table = io.read(path, format)
    names = table.schema.names
    tokens = schema.SOURCE_TOKENS if schema.SOURCE_TOKENS in names else schema.TOKENS
    schema.require_columns(table.schema, [tokens], f"the source file '{path}'")
    if schema.SOURCE_ENTITIES in names:
        entities = table.column(schema.SOURCE_ENTITIES)
    elif schema.ENTITIES in names:
        entities = table.column(schema.ENTITIES)
    elif schema.LABELS in names:
        batches = [
            labels.decode_batch(chunk, scheme=scheme, reading=mode) for chunk in table.column(schema.LABELS).chunks
        ]
        entities = pa.chunked_array(batches, type=schema.SOURCE_ENTITIES_TYPE)
    else:
        raise Error(
            f"the source file '{path}' has no labels; it needs a column of them, or a column "
            f"'{schema.LABELS}', '{schema.ENTITIES}' or '{schema.SOURCE_ENTITIES}'"
        )
    columns: dict[str, Any] = {schema.SOURCE_TOKENS: table.column(tokens), schema.SOURCE_ENTITIES: entities}
    if schema.ID in names:
        columns = {schema.ID: table.column(schema.ID), **columns}
    return pa.table(columns)


def read_target(path: Path, *, format: str | None) -> pa.Table:
    """Read the side to be labelled: `tokens`, `id`, what scores need, and labels it may have as `gold_labels`.

    Args:
        path: the file.
        format: None goes by the name.

    Raises:
        Error: it has no words.
    """
    table = _read(path, format)
    schema.require_columns(table.schema, [schema.TOKENS], f"the target file '{path}'")
    table = labels_as_gold(table)
    return table.select([name for name in _TARGET_COLUMNS if name in table.schema.names])


def labels_as_gold(table: pa.Table) -> pa.Table:
    """A table of sentences to be labelled, whose `labels` are `gold_labels` where it has none of these."""
    if schema.GOLD_LABELS in table.schema.names or schema.LABELS not in table.schema.names:
        return table
    return table.rename_columns([schema.GOLD_LABELS if name == schema.LABELS else name for name in table.schema.names])


def read_sentence_pairs(
    source: Path,
    target: Path,
    *,
    source_format: str | None,
    target_format: str | None,
    scheme: labels.Scheme = "IOB2",
    mode: labels.Reading = "lenient",
) -> pa.Table:
    """Read a labelled side and the side to be labelled, row by row.

    Args:
        source: labelled sentences.
        target: as many sentences; labels there are gold ones.
        source_format: None goes by the name.
        target_format: likewise.
        scheme: of the source labels.
        mode: how strictly they are read.

    Returns:
        The columns of both sides; where both have one, the target's.

    Raises:
        Error: numbers of rows differ, or the source has no labels.
        DataError: labels that `mode` does not allow.
    """
    sides = (
        read_source(source, format=source_format, scheme=scheme, mode=mode),
        read_target(target, format=target_format),
    )
    io.check_parallel(
        sides[0].column(schema.SOURCE_TOKENS),
        sides[1].column(schema.TOKENS),
        source_name=str(source),
        target_name=str(target),
    )
    owners = {name: side for side in sides for name in side.schema.names}
    order = [name for name in schema.COLUMN_TYPES if name in owners]
    fields = [owners[name].schema.field(name) for name in order]
    return pa.table([owners[name].column(name) for name in order], schema=pa.schema(fields))


def read_links(path: Path, rows: int, *, one_based: bool, reverse: bool) -> pa.ChunkedArray:
    """Read word links, one row a sentence pair.

    Raises:
        Error: their number of rows is not that of the sentences.
    """
    links = read_links_unchecked(path, one_based=one_based, reverse=reverse)
    if len(links) != rows:
        raise Error(f"'{path}' has links for {len(links)} sentence pairs but there are {rows} sentence pairs")
    return links


def read_links_unchecked(path: Path, *, one_based: bool, reverse: bool, possible: Any = "keep") -> pa.ChunkedArray:
    """Read word links of any number of sentence pairs.

    `one_based`, `reverse` and `possible` are for the Pharaoh format; a table's column `links` is taken as it is.
    """
    names = [io.FORMATS[name].suffixes for name in ("parquet", "arrow", "jsonl")]
    if any(path.name.lower().endswith(suffix) for suffixes in names for suffix in suffixes):
        table = io.read(path)
        schema.require_columns(table.schema, [schema.LINKS], f"the links file '{path}'")
        return table.column(schema.LINKS)
    return pa.chunked_array([io.read_pharaoh(path, one_based=one_based, reverse=reverse, possible=possible)])
