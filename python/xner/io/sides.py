"""The sides of a parallel corpus, read into one table: labelled sentences, sentences to be labelled, links, scores."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xner import labels, schema
from xner._support.arguments import choose
from xner._support.arrow import flattened, list_lengths, one_array, with_columns
from xner._support.pieces import PIECE_ROWS, WholeNeededError, map_pieces
from xner._support.progress import logger
from xner.errors import DataError, Error
from xner.io._commands import filtered, name_beside
from xner.io.formats import FORMATS, format_of, format_to_read, iter_batches, read
from xner.io.in_step import InStep
from xner.io.layout import AS_TOLD, TABLES, Labelled, Layout, next_of_known_columns, require_words
from xner.io.own_options import OF_SOURCE, OF_TARGET, naming_options
from xner.io.parallel import apart, are_row_numbers, check_order, check_parallel, row_lengths
from xner.io.pharaoh import ON_ERROR, iter_pharaoh, read_pharaoh
from xner.io.text import read_lines
from xner.io.wrong_rows import WrongRows

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Generator, Iterable, Sequence
    from contextlib import AbstractContextManager

    from xner.io.pharaoh import OnError

__all__ = [
    "SCORE_COLUMNS",
    "LinkBounds",
    "add_scores",
    "beside",
    "check_links",
    "labels_as_gold",
    "links_apart",
    "links_pieces",
    "read_links",
    "read_links_unchecked",
    "read_pairs",
    "read_sentence_pairs",
    "read_sentences",
    "read_source",
    "read_target",
    "read_translations",
    "scores_apart",
    "scores_pieces",
    "sentence_pairs_pieces",
    "sentences_pieces",
    "source_columns",
    "source_pieces",
    "target_columns",
    "target_pieces",
    "with_scores",
]

_Piece = TypeVar("_Piece")
_End = TypeVar("_End")

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


def read_sentences(path: str | os.PathLike[str], format: str | None = None, layout: Layout = AS_TOLD) -> pa.Table:
    """Read a file of sentences: `id`, `tokens`, and `labels` or other columns where the format has them."""
    table = layout.read(path, format)
    require_words(table, path)
    return table


def read_sentence_pairs(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    source_format: str | None = None,
    target_format: str | None = None,
    layout: Layout = AS_TOLD,
) -> pa.Table:
    """Read the words of two sides, whose labels do not matter: `source_tokens`, `tokens`, and the target's `id`.

    Args:
        source: sentences.
        target: as many.
        source_format: None goes by the name.
        target_format: likewise.
        layout: of the columns of both files.

    Raises:
        Error: a file cannot be read, or has another number of rows.
    """
    with naming_options(source, OF_SOURCE):
        sides = [read_sentences(source, source_format, layout)]
    with _of_target(target, layout):
        sides.append(read_sentences(target, target_format, layout.of_target))
    check_parallel(*(side.column(schema.TOKENS) for side in sides), source_name=str(source), target_name=str(target))
    return _words_beside(*sides)


def sentence_pairs_pieces(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    source_format: str | None = None,
    target_format: str | None = None,
    layout: Layout = AS_TOLD,
    rows: int,
) -> Generator[pa.Table]:
    """What `read_sentence_pairs` gives, piece by piece.

    Args:
        source: as there, as are the others and the errors; `Layout.reads_pieces` is true of both.
        target: likewise.
        source_format: likewise.
        target_format: likewise.
        layout: likewise.
        rows: of each piece but the last.

    Raises:
        WholeNeededError: a file's first rows do not tell its columns.
    """

    def readers() -> list[Generator[pa.Table]]:
        return [
            _naming(naming_options(source, OF_SOURCE), sentences_pieces(source, source_format, layout, rows)),
            _naming(_of_target(target, layout), sentences_pieces(target, target_format, layout.of_target, rows)),
        ]

    def check(place: int, first: int, count: int) -> None:
        if place and count != first:
            lengths = [np.concatenate([row_lengths(one[schema.TOKENS]) for one in side]) for side in readers()]
            raise apart(dict(zip(map(str, (source, target)), lengths, strict=True)))

    for sides in InStep(readers(), check):
        yield _words_beside(*sides)


def _of_target(path: str | os.PathLike[str], layout: Layout) -> AbstractContextManager[None]:
    """Names, in errors about the file of target sentences, the options that are its own."""
    return naming_options(path, OF_TARGET, shared=layout.shared_columns)


def _naming(
    names: AbstractContextManager[None], pieces: Generator[_Piece, None, _End]
) -> Generator[_Piece, None, _End]:
    """Pieces, whose reader's errors are raised within a context."""
    with names:
        return (yield from pieces)


def sentences_pieces(
    path: str | os.PathLike[str], format: str | None, layout: Layout, rows: int
) -> Generator[pa.Table]:
    """What `read_sentences` gives, piece by piece, of a file of which `Layout.reads_pieces` is true."""
    for table in layout.pieces(path, format, rows=rows):
        require_words(table, path)
        yield table


def _words_beside(source: pa.Table, target: pa.Table) -> pa.Table:
    columns = {schema.ID: target.column(schema.ID)} if schema.ID in target.schema.names else {}
    sides = {schema.SOURCE_TOKENS: source.column(schema.TOKENS), schema.TOKENS: target.column(schema.TOKENS)}
    return pa.table({**columns, **sides})


def read_source(
    path: str | os.PathLike[str],
    *,
    format: str | None,
    scheme: labels.Scheme,
    mode: labels.Reading,
    layout: Layout = AS_TOLD,
    on_error: OnError = "raise",
    told: Callable[[str], None] = logger.info,
) -> pa.Table:
    """Read the labelled side: `source_tokens` and `source_entities`, and `id`.

    It is the side that the file labels: a projection's output counts by what it projected onto. Where a file has no
    labelled `tokens`, its `source_tokens` and `source_entities` are taken.

    Args:
        path: the file.
        format: None goes by the name.
        scheme: of the labels.
        mode: how strictly they are read.
        layout: of the file's columns.
        on_error: `skip` keeps wrong rows without entities, and says what is wrong with them in the column
            `row_problem`, which has nulls for good ones.
        told: gets a line that says what the labels are.

    Raises:
        Error: the file has neither labels nor entities.
        DataError: labels that `mode` does not allow, that are none, or that contradict the entities beside them.
    """
    wrong = WrongRows(skips=choose("on_error", on_error, ON_ERROR))
    with naming_options(path, OF_SOURCE):
        found = layout.read_labelled(path, format, scheme=scheme, reading=mode, wrong=wrong)
    if found.tags is not None:
        told(f"{path}: {found.tags}")
    table = _with_problems(source_columns(found), wrong)
    wrong.tell(path)
    return table


def source_pieces(
    path: str | os.PathLike[str],
    *,
    format: str | None,
    scheme: labels.Scheme,
    mode: labels.Reading,
    layout: Layout = AS_TOLD,
    on_error: OnError = "raise",
    rows: int,
) -> Generator[pa.Table, None, labels.Tags | None]:
    """What `read_source` gives, piece by piece.

    Args:
        path: as there, as are the others and the errors; `Layout.reads_pieces` is true of it.
        format: likewise.
        scheme: likewise.
        mode: likewise.
        layout: likewise.
        on_error: likewise.
        rows: of each piece but the last.

    Returns:
        What the labels are, once all were read; None where entities count in their place.

    Raises:
        WholeNeededError: what was read holds only for the rows so far.
    """
    says_tags = False
    wrong = WrongRows(skips=choose("on_error", on_error, ON_ERROR))

    def columns(found: Labelled) -> pa.Table:
        nonlocal says_tags
        says_tags = found.tags is not None
        return _with_problems(source_columns(found), wrong)

    pieces = layout.labelled_pieces(path, format, scheme=scheme, reading=mode, rows=rows, wrong=wrong)
    tags = yield from _naming(naming_options(path, OF_SOURCE), map_pieces(columns, pieces))
    wrong.tell(path)
    return tags if says_tags else None


def source_columns(found: Labelled) -> pa.Table:
    """What `read_source` takes of a labelled file, or of a piece of it."""
    columns: dict[str, Any] = {
        schema.SOURCE_TOKENS: found.table.column(schema.TOKENS),
        schema.SOURCE_ENTITIES: found.entities,
    }
    if schema.ID in found.table.schema.names:
        columns = {schema.ID: found.table.column(schema.ID), **columns}
    return pa.table(columns)


def read_target(
    path: str | os.PathLike[str], *, format: str | None, layout: Layout = AS_TOLD, on_error: OnError = "raise"
) -> pa.Table:
    """Read the side to be labelled: `tokens`, `id`, what scores need, and labels it may have as `gold_labels`.

    Args:
        path: the file.
        format: None goes by the name.
        layout: of the file's columns.
        on_error: as in `read_source`.

    Raises:
        Error: it has no words.
        DataError: labels that are none.
    """
    wrong = WrongRows(skips=choose("on_error", on_error, ON_ERROR))
    with _of_target(path, layout):
        tagged = layout.of_target.read_tagged(path, format, all_classes=False, wrong=wrong)
        table = _with_problems(target_columns(tagged, path), wrong)
    wrong.tell(path)
    return table


def target_pieces(
    path: str | os.PathLike[str],
    *,
    format: str | None,
    layout: Layout = AS_TOLD,
    on_error: OnError = "raise",
    rows: int,
) -> Generator[pa.Table]:
    """What `read_target` gives, piece by piece.

    Args:
        path: as there, as are the others and the errors; `Layout.reads_pieces` is true of it.
        format: likewise.
        layout: likewise.
        on_error: likewise.
        rows: of each piece but the last.
    """
    wrong = WrongRows(skips=choose("on_error", on_error, ON_ERROR))
    pieces = layout.of_target.tagged_pieces(path, format, rows=rows, wrong=wrong)
    targets = map_pieces(lambda piece: _with_problems(target_columns(piece, path), wrong), pieces)
    yield from _naming(_of_target(path, layout), targets)
    wrong.tell(path)


def _with_problems(table: pa.Table, wrong: WrongRows) -> pa.Table:
    """Rows of a side with a column of what is wrong with them, where wrong ones are skipped."""
    problems = wrong.problems(table.num_rows)
    return table if problems is None else table.append_column(schema.ROW_PROBLEM, problems)


def target_columns(table: pa.Table, path: str | os.PathLike[str]) -> pa.Table:
    """What `read_target` takes of a file, or of a piece of it.

    Raises:
        Error: it has no words.
    """
    require_words(table, path)
    table = labels_as_gold(table)
    return table.select([name for name in _TARGET_COLUMNS if name in table.schema.names])


def labels_as_gold(table: pa.Table) -> pa.Table:
    """A table of sentences to be labelled, whose `labels` are `gold_labels` where it has none of these."""
    if schema.GOLD_LABELS in table.schema.names or schema.LABELS not in table.schema.names:
        return table
    return table.rename_columns([schema.GOLD_LABELS if name == schema.LABELS else name for name in table.schema.names])


def read_pairs(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    source_format: str | None = None,
    target_format: str | None = None,
    links: str | os.PathLike[str] | None = None,
    one_based: bool = False,
    reverse: bool = False,
    scores: Sequence[str | os.PathLike[str]] = (),
    scheme: labels.Scheme = "IOB2",
    read_labels: labels.Reading = "lenient",
    layout: Layout = AS_TOLD,
    on_error: OnError = "raise",
    told: Callable[[str], None] = logger.info,
) -> pa.Table:
    """Read a labelled side and the side to be labelled, row by row: what `Projector` and `Pipeline` take.

    Args:
        source: labelled sentences (CoNLL columns, JSONL, Parquet, Arrow).
        target: as many sentences: words split by blanks (.txt), or columns; labels there are gold ones.
        source_format: None goes by the name.
        target_format: likewise.
        links: word links in Pharaoh format, or a file with a column of them; None: there are none yet.
        one_based: whether that file counts words from 1.
        reverse: whether it says target-source.
        scores: files with columns that scores need, row by row.
        scheme: of the source labels.
        read_labels: how strictly they are read: `lenient`, `strict` or `validate`.
        layout: of the columns of both files.
        on_error: `skip` keeps wrong rows, those with another number of labels than of words, with missing words, or
            with entities without a class, and says what is wrong with them in the column `row_problem`, which has nulls
            for good ones; projection gives them the status `invalid` with `on_error="skip"`, and stops at them without.
        told: gets a line that says what the source labels are.

    Returns:
        The columns of both sides; where both have one, the target's, but the source's ids where the target has none.

    Raises:
        Error: numbers of rows differ, ids are in another order, or the source has no labels.
        DataError: labels that `read_labels` does not allow.
    """
    sides = (
        read_source(
            source,
            format=source_format,
            scheme=scheme,
            mode=read_labels,
            layout=layout,
            on_error=on_error,
            told=told,
        ),
        read_target(target, format=target_format, layout=layout, on_error=on_error),
    )
    check_parallel(
        sides[0].column(schema.SOURCE_TOKENS),
        sides[1].column(schema.TOKENS),
        source_name=str(source),
        target_name=str(target),
    )
    takes_source_ids = False
    if all(schema.ID in side.schema.names for side in sides):
        ids = [side.column(schema.ID).to_pylist() for side in sides]
        check_order(*ids, source_name=str(source), target_name=str(target))
        takes_source_ids = are_row_numbers(ids[1])
    table = beside(*sides, takes_source_ids=takes_source_ids)
    if links is not None:
        found = read_links(links, table.num_rows, one_based=one_based, reverse=reverse)
        if not one_based:
            check_links(found, table, links)
        table = table.append_column(schema.LINKS, found)
    return add_scores(table, scores)


def beside(source: pa.Table, target: pa.Table, *, takes_source_ids: bool) -> pa.Table:
    """The columns of two sides of as many rows; where both have one, the target's; of both what is wrong with rows.

    Args:
        source: of `source_columns`.
        target: of `target_columns`.
        takes_source_ids: whether ids are the source's where both have some.
    """
    owners = {name: side for side in (source, target) for name in side.schema.names}
    if takes_source_ids:
        owners[schema.ID] = source
    order = [name for name in schema.COLUMN_TYPES if name in owners]
    fields = [owners[name].schema.field(name) for name in order]
    table = pa.table([owners[name].column(name) for name in order], schema=pa.schema(fields))
    problems = [side.column(schema.ROW_PROBLEM) for side in (source, target) if schema.ROW_PROBLEM in side.schema.names]
    return with_columns(table, {schema.ROW_PROBLEM: pc.coalesce(*problems)}) if problems else table


SCORE_COLUMNS = (schema.NER_PROBABILITIES, schema.NMT_SCORES, schema.HINTS)
"""What files of scores may have."""


def add_scores(table: pa.Table, files: Sequence[str | os.PathLike[str]]) -> pa.Table:
    """Add the columns of scores that files have to a table of as many rows.

    Args:
        table: of sentence pairs.
        files: Parquet, Arrow or JSONL with `ner_probabilities`, `nmt_scores` or `hints`.

    Raises:
        Error: a file without such columns, with one that is there already, or of another number of rows.
    """
    for path in files:
        found = _scores_of(read(path, **_but(SCORE_COLUMNS, path)), path)
        if found.num_rows != table.num_rows:
            raise scores_apart(path, found.num_rows, table.num_rows)
        table = with_scores(table, found, path)
    return table


def scores_pieces(path: str | os.PathLike[str], *, rows: int) -> Generator[pa.Table]:
    """The columns of scores that a file has, piece by piece.

    Args:
        path: as for `add_scores`; `Layout.reads_pieces` is true of it.
        rows: of each piece but the last.

    Raises:
        Error: it has no such column.
        WholeNeededError: the first rows of a file of JSON do not tell its columns.
    """
    batches = iter_batches(path, batch_rows=rows, **_but(SCORE_COLUMNS, path))
    while (batch := next_of_known_columns(batches, format_of(path))) is not None:
        yield _scores_of(pa.Table.from_batches([batch]), path)


def _but(columns: Iterable[str], path: str | os.PathLike[str]) -> dict[str, Any]:
    """Options of the reader of a table of which only some columns are needed: others may be anything."""
    return {"as_found": schema.COLUMN_TYPES.keys() - {*columns}} if format_to_read(path) in TABLES else {}


def _scores_of(table: pa.Table, path: str | os.PathLike[str]) -> pa.Table:
    names = [name for name in SCORE_COLUMNS if name in table.schema.names]
    if not names:
        raise Error(f"'{path}' has none of the columns {', '.join(SCORE_COLUMNS)}")
    return table.select(names)


def scores_apart(path: str | os.PathLike[str], count: int, rows: int) -> Error:
    """What is raised where a file of scores is of another number of sentence pairs."""
    return Error(f"'{path}' has {count} rows but there are {rows} sentence pairs")


def with_scores(table: pa.Table, scores: pa.Table, path: str | os.PathLike[str]) -> pa.Table:
    """Sentence pairs with the columns of scores of a file.

    Args:
        table: the pairs.
        scores: of as many rows.
        path: of their file.

    Raises:
        Error: the pairs have such a column already.
    """
    for field, column in zip(scores.schema, scores.columns, strict=True):
        if field.name in table.schema.names:
            raise Error(f"'{path}': there is a column '{field.name}' already")
        table = table.append_column(field, column)
    return table


def read_translations(path: str | os.PathLike[str]) -> pa.Table:
    """Read running text, row by row: `translation`, and `translation_status` where a file has it.

    Args:
        path: text with one translation a line, or a table with the column `translation`.

    Raises:
        Error: the table has no such column.
    """
    if format_to_read(path) == "text":
        return pa.table({schema.TRANSLATION: pa.array(read_lines(path), pa.string())})
    table = read(path)
    schema.require_columns(table.schema, [schema.TRANSLATION], f"the file of translations '{path}'")
    return table.select([one for one in (schema.TRANSLATION, schema.TRANSLATION_STATUS) if one in table.schema.names])


def read_links(
    path: str | os.PathLike[str], rows: int, *, one_based: bool, reverse: bool, on_error: OnError = "raise"
) -> pa.ChunkedArray[Any]:
    """Read word links, one row a sentence pair; with `on_error="skip"`, null for a line that holds something else.

    Raises:
        Error: their number of rows is not that of the sentences.
    """
    links = read_links_unchecked(path, one_based=one_based, reverse=reverse, on_error=on_error)
    if len(links) != rows:
        raise links_apart(path, len(links), rows)
    return links


def links_apart(path: str | os.PathLike[str], count: int, rows: int) -> Error:
    """What is raised where a file of links is of another number of sentence pairs.

    Args:
        path: the file.
        count: its rows.
        rows: those of the sentences.
    """
    hint = ""
    if count > rows and _are_blank_from(path, rows):
        command = filtered(path, f"head -n {rows}", name_beside(path, "cut"))
        hint = f"; the last lines are blank: `{command}` leaves them out"
    return Error(f"'{path}' has links for {count} sentence pairs but there are {rows} sentence pairs{hint}")


def _are_blank_from(path: str | os.PathLike[str], row: int) -> bool:
    """Whether the rows of a file of links from one on are empty."""
    first = 0
    with suppress(WholeNeededError):
        for links in links_pieces(path, one_based=False, reverse=False, on_error="skip", rows=PIECE_ROWS):
            if pc.sum(pc.list_value_length(links.slice(max(0, row - first)))).as_py():
                return False
            first += len(links)
        return True
    return False


def check_links(links: pa.ChunkedArray[Any], table: pa.Table, path: str | os.PathLike[str]) -> None:
    """That links are not counted from 1, as a file of them may be; other wrong ones are found later.

    Args:
        links: a list a row.
        table: the sentence pairs, `source_tokens` and `tokens`.
        path: of the file of links.

    Raises:
        DataError: some are outside of their sentences, and none would be if words were counted from 1.
    """
    bounds = LinkBounds(path)
    bounds.look_at(links, table)
    bounds.check()


class LinkBounds:
    """Whether the links of a file, which may come piece by piece, are counted from 1.

    Args:
        path: of the file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = path
        self._rows = 0
        self._may_be_one_based = True
        self._first_outside: DataError | None = None

    def look_at(self, links: pa.ChunkedArray[Any] | pa.Array[Any], table: pa.Table) -> None:
        """Look at the next rows.

        Args:
            links: a list a row.
            table: their sentence pairs, `source_tokens` and `tokens`.
        """
        first, self._rows = self._rows, self._rows + len(links)
        column = one_array(links)
        flat = flattened(column)
        if not len(flat) or not self._may_be_one_based:
            return
        source, target = (pc.struct_field(flat, name).to_numpy(zero_copy_only=False) for name in ("source", "target"))
        row = pc.list_parent_indices(column).to_numpy(zero_copy_only=False)
        sides = (table.column(name) for name in (schema.SOURCE_TOKENS, schema.TOKENS))
        words = [list_lengths(one_array(side))[row] for side in sides]
        fits = min(source.min(), target.min()) >= 1 and (source <= words[0]).all() and (target <= words[1]).all()
        self._may_be_one_based = bool(fits)
        outside = (source >= words[0]) | (target >= words[1])
        if self._first_outside is None and fits and outside.any():
            at = int(np.argmax(outside))
            place = int(row[at])
            remedy = f"no link of '{self._path}' is of a word 0: `one_based` reads words counted from 1"
            reason = f"the word is not there; {remedy}"
            row_id = str(table[schema.ID][place].as_py()) if schema.ID in table.schema.names else None
            value = f"{source[at]}-{target[at]}"
            self._first_outside = DataError(first + place, schema.LINKS, value, reason, row_id=row_id)

    def check(self) -> None:
        """What can be said once all rows were looked at.

        Raises:
            DataError: some links are outside of their sentences, and none would be if words were counted from 1.
        """
        if self._may_be_one_based and self._first_outside is not None:
            raise self._first_outside


def read_links_unchecked(
    path: str | os.PathLike[str],
    *,
    one_based: bool,
    reverse: bool,
    possible: Any = "keep",
    on_error: OnError = "raise",
) -> pa.ChunkedArray[Any]:
    """Read word links of any number of sentence pairs.

    All options are for the Pharaoh format; a table's column `links` is taken as it is.
    """
    if is_table_of_links(path):
        table = read(path, **_but([schema.LINKS], path))
        schema.require_columns(table.schema, [schema.LINKS], f"the links file '{path}'")
        return table.column(schema.LINKS)
    how: Any = {"one_based": one_based, "reverse": reverse, "possible": possible, "on_error": on_error}
    return pa.chunked_array([read_pharaoh(path, **how)])


def links_pieces(
    path: str | os.PathLike[str], *, one_based: bool, reverse: bool, on_error: OnError, rows: int
) -> Generator[pa.Array[Any]]:
    """What `read_links_unchecked` gives, piece by piece.

    Args:
        path: the file.
        one_based: as there, as are the others.
        reverse: likewise.
        on_error: likewise.
        rows: of each piece but the last.

    Raises:
        WholeNeededError: the first rows of a file of JSON do not tell its columns.
    """
    if is_table_of_links(path):
        kind = format_of(path)
        batches = iter_batches(path, batch_rows=rows, **_but([schema.LINKS], path))
        while (batch := next_of_known_columns(batches, kind)) is not None:
            schema.require_columns(batch.schema, [schema.LINKS], f"the links file '{path}'")
            yield batch.column(schema.LINKS)
        return
    for batch in iter_pharaoh(path, one_based=one_based, reverse=reverse, on_error=on_error, batch_rows=rows):
        yield batch.column(schema.LINKS)


def is_table_of_links(path: str | os.PathLike[str]) -> bool:
    """Whether a file of links is a table, by its name, and not one in Pharaoh format."""
    suffixes = tuple(suffix for name in ("parquet", "arrow", "jsonl") for suffix in FORMATS[name].suffixes)
    return Path(path).name.lower().removesuffix(".gz").endswith(suffixes)
