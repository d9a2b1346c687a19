"""How files of sentences are laid out, and reading them so: which column holds words, which one labels, of what names.

What is read is looked at before anything else is done with it: labels that are none, rows whose words and labels differ
in number, columns of text that are taken for sentences, and labels that contradict the entities beside them are errors.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal, cast, get_args

import pyarrow as pa
import pyarrow.compute as pc

from xner import labels, schema
from xner._layouts import plain
from xner._support.arguments import choose, did_you_mean
from xner._support.arrow import chunked, flattened, is_lists, one_array, pylist
from xner._support.pieces import PIECE_ROWS, WholeNeededError, behind
from xner._support.progress import logger
from xner._support.sentences import with_values
from xner.errors import DataError, Error, FormatError, OptionError
from xner.io._classes import named
from xner.io._columns import label_columns, label_named, survey, words_named
from xner.io._lines import open_bytes
from xner.io.conll import LANGUAGE_PREFIX, is_treebank_without_labels, lines_of_row
from xner.io.formats import format_of, format_to_read, iter_batches, read
from xner.io.other_files import of_tool
from xner.io.wrong_rows import WrongRows, wrong_classes, wrong_rows
from xner.labels.tags import OUTSIDE, check_renamed, class_remarks, tell_tags

if TYPE_CHECKING:
    import os
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence

__all__ = [
    "AS_TOLD",
    "LABELS_FROM",
    "Labelled",
    "LabelsFrom",
    "Layout",
    "classes_of",
    "next_of_known_columns",
    "require_words",
]

LabelsFrom = Literal["labels", "entities"]
LABELS_FROM: Final[tuple[LabelsFrom, ...]] = get_args(LabelsFrom)

_TOKEN_NAMES = ("tokens", "words")
_LABEL_NAMES = ("labels", "ner_tags", "tags")
_AT_WORD = re.compile(r" at word (\d+)$")  # which the core says of a label
_LOOKED_AT = 200  # lines of a text that may be columns
_OF_SEVERAL_PEOPLE = ("label-studio", "argilla")
TABLES = ("jsonl", "parquet", "arrow")
"""Formats whose columns have names and types."""
_IN_PIECES = ("conll", "text", *TABLES)


@dataclass(frozen=True, slots=True)
class Labelled:
    """Sentences with entities.

    Attributes:
        table: the file's, its words as `tokens`.
        entities: list<struct<start, end, label>>, a list a row.
        tags: what its labels are; None where the entities come from a column of entities.
    """

    table: pa.Table
    entities: pa.ChunkedArray[Any]
    tags: labels.Tags | None


@dataclass(frozen=True, slots=True)
class Layout:
    """How the files of a run are laid out; what is None is told from the file.

    Attributes:
        token_column: of words: a number from 0, or from -1 for the last, in files of columns; a name in those whose
            first line has names, and in tables.
        label_column: of labels, likewise.
        target_token_column: of words in the file of target sentences, where that is laid out otherwise.
        target_label_column: of labels there.
        comment: how comments begin in files of columns; empty for files without.
        empty_token: what to read for a word that is missing in a file of columns.
        strip_prefix: whether words have a language and a colon before them (WikiANN's `de:Bonn`), which is left out.
        class_names: of labels that are numbers, in order.
        class_map: other names of classes, by the file's; `O` for those that do not count.
        labels_from: which column decides where a table has labels and entities that contradict each other.
        span_layer: of spans, in WebAnno's and INCEpTION's TSV; None is that of named entities.
        span_feature: of the layer, which has the class.
        annotator: whose annotations count in Label Studio's and Argilla's files, where several people do not agree.

    Raises:
        OptionError: a value that means nothing.
    """

    token_column: int | str | None = None
    label_column: int | str | None = None
    target_token_column: int | str | None = None
    target_label_column: int | str | None = None
    comment: str | None = None
    empty_token: str | None = None
    strip_prefix: bool = False
    class_names: Sequence[str] = ()
    class_map: Mapping[str, str] = field(default_factory=dict)
    labels_from: LabelsFrom | None = None
    span_layer: str | None = None
    span_feature: str | None = None
    annotator: str | None = None

    def __post_init__(self) -> None:
        if self.labels_from is not None:
            choose("labels_from", self.labels_from, dict.fromkeys(LABELS_FROM))
        if self.token_column is not None and self.token_column == self.label_column:
            raise OptionError(f"token_column={self.token_column!r}: this is the column of labels")

    @property
    def decides(self) -> LabelsFrom | None:
        """Which column decides where labels and entities contradict each other: a column of labels that is named."""
        return self.labels_from if self.labels_from is not None or self.label_column is None else "labels"

    @property
    def of_target(self) -> Layout:
        """How the file of target sentences is laid out: as the others, but for columns of its own."""
        if self.target_token_column is None and self.target_label_column is None:
            return self
        return replace(self, token_column=self.target_token_column, label_column=self.target_label_column)

    @property
    def shared_columns(self) -> list[str]:
        """Which of `token_column` and `label_column` are given and hold for the file of target sentences as well."""
        given = {"token_column": self.token_column, "label_column": self.label_column}
        return [name for name, value in given.items() if value is not None] if self.of_target is self else []

    def read(
        self, path: str | os.PathLike[str], format: str | None = None, *, wrong: WrongRows | None = None
    ) -> pa.Table:
        """A file's table: its words as `tokens`, its labels, if it has any, as `labels`, in its own spelling.

        Args:
            path: the file.
            format: a name of `io.FORMATS`; None goes by the file's name.
            wrong: what to do with wrong rows; None raises at the first one.

        Raises:
            FormatError: content that does not follow the format.
            DataError: a row with another number of labels than of words, or labels that are numbers without names.
            Error: a column that there is not, or a text that is in fact columns.
        """
        kind = format_to_read(path, format)
        if kind == "conll":
            return self._read_columns(path, format)
        if kind == "text":
            _refuse_columns(path)
            return read(path, format)
        options = {**self._options(kind, path), **_lenient(kind, wrong)}
        with self._proposing(path, kind):
            table = read(path, format, **options)
        return self._checked(table, path, wrong)

    def _next_batch(
        self, batches: Iterator[pa.RecordBatch], path: str | os.PathLike[str], kind: str
    ) -> pa.RecordBatch | None:
        with self._proposing(path, kind):
            return next_of_known_columns(batches, kind)

    @contextmanager
    def _proposing(self, path: str | os.PathLike[str], kind: str) -> Iterator[None]:
        """Says in errors about a table's form which other columns look right, or which tool's file it is."""
        try:
            yield
        except FormatError as error:
            others = self.other_columns(path, kind, error) if kind in TABLES else {}
            named = " and ".join(f"`{name}={column}`" for name, column in others.items())
            remedy = f"; {named} reads that in its place" if named else ""
            if kind == "jsonl" and "expected an object" in str(error):
                remedy = of_tool(path)
            raise FormatError(f"{error}{remedy}") if remedy else error from None

    def other_columns(self, path: str | os.PathLike[str], kind: str, error: FormatError) -> dict[str, str]:
        """Columns of a table that look like those of words and of labels, where those of the usual names are none.

        Args:
            path: the file.
            kind: its format: Parquet, Arrow or JSONL.
            error: what its reader says of its form.

        Returns:
            Values of `token_column` and `label_column`, where these were not given and the error is about them.
        """
        try:
            found = next(iter_batches(path, kind, batch_rows=_LOOKED_AT, as_found=schema.COLUMN_TYPES)).schema
        except Error:
            return {}
        others: dict[str, str] = {}
        for option, usual, known in (
            ("token_column", schema.TOKENS, _other_words),
            ("label_column", schema.LABELS, _other_labels),
        ):
            name = known(found) if getattr(self, option) is None and f"'{usual}'" in str(error) else None
            others |= {} if name is None else {option: name}
        return others

    def _checked(self, table: pa.Table, path: str | os.PathLike[str], wrong: WrongRows | None = None) -> pa.Table:
        """A table as it was read, with the usual names of columns and labels that are texts."""
        table = self._renamed(table, path)
        for name in (schema.LABELS, schema.GOLD_LABELS):
            if name in table.schema.names:
                table = self._with_names(table, name, path)
        wrong = wrong or WrongRows()
        with _naming_others(None if self.label_column is not None else _other_labels(table.schema)):
            wrong.take(wrong_rows(table, known=self.class_map, without_words=wrong.skips))
        table = wrong.emptied(table)
        wrong.take(self._contradicted(table, path))
        return wrong.emptied(table)

    def _contradicted(self, table: pa.Table, path: str | os.PathLike[str]) -> Iterator[DataError]:
        """Where the labels that are read, or the entities, are not those of another column of labels.

        Columns of projections are known apart: `labels` are those that were projected.
        """
        names = table.schema.names
        read_ = next((name for name in (schema.LABELS, schema.ENTITIES) if name in names), None)
        told = self.label_column if read_ == schema.LABELS else self.decides
        if read_ is None or told is not None or {schema.STATUS, schema.TOKENS} & set(names) != {schema.TOKENS}:
            return
        for other in _LABEL_NAMES:
            if other == schema.LABELS or other not in names:
                continue
            spelled = _spans_of_labels(self._with_names_if_known(table[other]), other)
            found = table[read_] if read_ == schema.ENTITIES else _spans_of_labels(table[read_], read_, only_tags=False)
            if spelled is not None and found is not None:
                option = "label_column=labels" if read_ == schema.LABELS else "labels_from=entities"
                decides = f"`label_column={other}` or `{option}` decides"
                yield from _disagreements((other, spelled), (read_, found), table=table, path=path, remedy=decides)

    def _with_names_if_known(self, column: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
        """Labels as texts, if they are numbers and these have names."""
        if not self.class_names or not (is_lists(column.type) and pa.types.is_integer(column.type.value_type)):
            return column
        return pa.chunked_array([named(one_array(column), list(self.class_names), schema.LABELS)])

    def contradictions(self, table: pa.Table, path: str | os.PathLike[str]) -> Iterator[DataError]:
        """Rows whose labels do not say what the entities beside them say, where no option says which decide.

        Args:
            table: of `read_tagged`.
            path: of the file.
        """
        if self.decides is None and {schema.TOKENS, schema.LABELS, schema.ENTITIES} <= set(table.schema.names):
            spelled = _spans_of_labels(table[schema.LABELS], schema.LABELS, only_tags=False)
            if spelled is not None:
                sides = (schema.LABELS, spelled), (schema.ENTITIES, table[schema.ENTITIES])
                yield from _disagreements(*sides, table=table, path=path, remedy=_LABELS_FROM_DECIDES)

    def reads_pieces(self, path: str | os.PathLike[str], format: str | None = None) -> bool:
        """Whether `pieces` can read a file: one of a format for many rows, whose labels are no numbers to be named."""
        return not self.class_names and format_to_read(path, format) in _IN_PIECES

    def has_numbers(self, path: str | os.PathLike[str], format: str | None = None) -> bool:
        """Whether a file's labels are numbers, so far as its first rows tell; so they may be where these have none.

        Args:
            path: the file.
            format: as for `read`, as are the errors.
        """
        kind = format_to_read(path, format)
        batch = next(iter_batches(path, format, batch_rows=_LOOKED_AT, **self._options(kind, path)))
        table = pa.Table.from_batches([batch])
        table = table if kind == "conll" else self._renamed(table, path)
        columns = [table[name] for name in (schema.LABELS, schema.GOLD_LABELS) if name in table.schema.names]
        return any(_are_numbers(one_array(column)) for column in columns)

    def pieces(
        self,
        path: str | os.PathLike[str],
        format: str | None = None,
        *,
        rows: int = PIECE_ROWS,
        wrong: WrongRows | None = None,
    ) -> Generator[pa.Table]:
        """What `read` gives, piece by piece.

        Args:
            path: a file of which `reads_pieces` is true.
            format: as for `read`, as are the errors.
            rows: of each piece but the last; there is at least one.
            wrong: as in `read`; has what is wrong with the rows of the piece that was read last.

        Raises:
            DataError: as `read`; rows are counted from the file's first one.
            WholeNeededError: the file's first rows do not tell its columns.
        """
        kind = format_to_read(path, format)
        wrong = wrong or WrongRows()
        first = 0
        if kind == "conll":
            for table in self._column_pieces(path, format, rows):
                wrong.begin(first)
                first += table.num_rows
                yield table
                del table
            return
        if kind == "text":
            _refuse_columns(path)
        options = {**self._options(kind, path), **_lenient(kind, wrong)}
        batches = iter_batches(path, format, batch_rows=rows, **options)
        while (batch := self._next_batch(batches, path, kind)) is not None:
            table, rows_read = pa.Table.from_batches([batch]), batch.num_rows
            del batch  # what is handed on is not held here as well
            wrong.begin(first)
            with behind(first):
                table = table if kind == "text" else self._checked(table, path, wrong)
            yield table
            del table
            first += rows_read

    def tagged_pieces(
        self,
        path: str | os.PathLike[str],
        format: str | None = None,
        *,
        rows: int = PIECE_ROWS,
        wrong: WrongRows | None = None,
    ) -> Generator[pa.Table]:
        """What `read_tagged` gives, likewise."""
        tags = labels.TagsSoFar(schema.LABELS, self.class_map, all_classes=False)
        first = 0
        with self.naming_lines(path, format):
            for table in self.pieces(path, format, rows=rows, wrong=wrong):
                piece = table
                if schema.ENTITIES in table.schema.names:
                    place = table.schema.names.index(schema.ENTITIES)
                    piece = table.set_column(place, schema.ENTITIES, self.mapped(table[schema.ENTITIES]))
                if schema.LABELS in table.schema.names:
                    with behind(first), _explaining(path, table):
                        column = tags.read(table[schema.LABELS], _ids(table))
                    piece = piece.set_column(table.schema.names.index(schema.LABELS), schema.LABELS, column)
                    del column
                first += table.num_rows
                del table
                yield piece
                del piece
            with _explaining(path):
                _say(path, tags.all().remarks())

    def labelled_pieces(
        self,
        path: str | os.PathLike[str],
        format: str | None = None,
        *,
        scheme: labels.Scheme = "IOB2",
        reading: labels.Reading = "lenient",
        rows: int = PIECE_ROWS,
        wrong: WrongRows | None = None,
    ) -> Generator[Labelled, None, labels.Tags]:
        """What `read_labelled` gives, likewise, and in the end what all tags are."""
        seen = _Seen(labels.TagsSoFar(schema.LABELS, self.class_map, only_tags=reading == "lenient"))
        first = 0
        with self.naming_lines(path, format):
            for table in self.pieces(path, format, rows=rows, wrong=wrong):
                with behind(first):
                    found = self._labelled(table, path, scheme, reading, wrong=wrong, seen=seen)
                first += table.num_rows
                del table
                yield found
                del found
            with _explaining(path):
                return seen.all(path, self.class_map)

    def read_tagged(
        self,
        path: str | os.PathLike[str],
        format: str | None = None,
        *,
        all_classes: bool = True,
        wrong: WrongRows | None = None,
    ) -> pa.Table:
        """As `read`; labels, if there are any, are spelled in the usual way, classes of labels and entities renamed.

        Args:
            path: the file.
            format: a name of `io.FORMATS`; None goes by the file's name.
            all_classes: whether the file must have every class of `class_map`.
            wrong: as in `read`.

        Raises:
            DataError: a label that is none; or see `read`.
            OptionError: a class to rename that there is not.
        """
        table = self.read(path, format, wrong=wrong)
        names = table.schema.names
        if all_classes and self.class_map:
            check_renamed(self.class_map, self.classes_in(table))
        if schema.ENTITIES in names:
            place = names.index(schema.ENTITIES)
            table = table.set_column(place, schema.ENTITIES, self.mapped(table[schema.ENTITIES]))
        if schema.LABELS in names:
            with self.naming_lines(path, format):
                column, tags = self.tags_of(table, schema.LABELS, path, all_classes=False)
            _say(path, tags.remarks())
            table = table.set_column(names.index(schema.LABELS), schema.LABELS, column)
        return table

    @staticmethod
    def classes_in(table: pa.Table) -> set[str]:
        """The classes that the labels and entities of a table have, by the names that they have there."""
        found: set[str] = set()
        for name in (schema.LABELS, schema.GOLD_LABELS):
            if name in table.schema.names:
                found |= set(labels.read_tags(table[name], name)[1].classes)
        for name in (schema.ENTITIES, schema.SOURCE_ENTITIES):
            if name in table.schema.names:
                found |= set(classes_of(table[name]))
        return found

    def read_labelled(
        self,
        path: str | os.PathLike[str],
        format: str | None = None,
        *,
        scheme: labels.Scheme = "IOB2",
        reading: labels.Reading = "lenient",
        wrong: WrongRows | None = None,
    ) -> Labelled:
        """A file of sentences with entities: those of its `tokens`, or of its `source_tokens` if it has no others.

        Args:
            path: the file.
            format: a name of `io.FORMATS`; None goes by the file's name.
            scheme: of its labels, for `reading`.
            reading: how strictly labels are read: as in `labels.decode`.
            wrong: as in `read`.

        Raises:
            Error: there are neither labels nor entities; or see `read`.
            DataError: a label that is none, or labels that contradict the entities; or see `read`.
        """
        table = self.read(path, format, wrong=wrong)
        with self.naming_lines(path, format):
            return self._labelled(table, path, scheme, reading, wrong=wrong)

    def labelled(
        self,
        table: pa.Table,
        path: str | os.PathLike[str],
        *,
        scheme: labels.Scheme = "IOB2",
        reading: labels.Reading = "lenient",
        all_classes: bool = True,
    ) -> Labelled:
        """What `read_labelled` makes of a table that was read already.

        Args:
            table: of `read`.
            path: of the file, for errors.
            scheme: as in `read_labelled`, as are the errors.
            reading: likewise.
            all_classes: as in `tags_of`.
        """
        with self.naming_lines(path):
            return self._labelled(table, path, scheme, reading, all_classes=all_classes)

    @contextmanager
    def naming_lines(self, path: str | os.PathLike[str], format: str | None = None) -> Iterator[None]:
        """Names the line of the file in errors about labels, where the file's sentences go over several lines.

        Args:
            path: the file.
            format: as for `read`.
        """
        try:
            yield
        except DataError as error:
            if error.row < 0 or error.column != schema.LABELS or (format or _format_by_name(path)) != "conll":
                raise
            lines = lines_of_row(path, error.row, **self._column_options(path))
            if not lines:
                raise
            row = self._labels_of_row(path, format, error.row)
            word = _AT_WORD.search(error.value)
            found = (at for at, tag in enumerate(row) if error.value in {tag, repr(tag)})
            place = next(found, None) if word is None else int(word[1])
            where = f"the sentence from line {lines[0]} on" if place is None else f"line {lines[place]}"
            reason = f"{where} of '{path}': {error.reason}"
            raise DataError(error.row, error.column, error.value, reason, row_id=error.row_id) from None

    def _labels_of_row(self, path: str | os.PathLike[str], format: str | None, row: int) -> list[str]:
        """The labels of a sentence of a file of columns."""
        for batch in iter_batches(path, format, **self._column_options(path)):
            if row < batch.num_rows:
                labels_: list[str] = pylist(batch.column(schema.LABELS).slice(row, 1))[0]
                return labels_
            row -= batch.num_rows
        return []

    def _labelled(
        self,
        table: pa.Table,
        path: str | os.PathLike[str],
        scheme: labels.Scheme = "IOB2",
        reading: labels.Reading = "lenient",
        *,
        all_classes: bool = True,
        wrong: WrongRows | None = None,
        seen: _Seen | None = None,
    ) -> Labelled:
        wrong = wrong or WrongRows()
        names = table.schema.names
        is_labelled = schema.TOKENS in names and (schema.LABELS in names or schema.ENTITIES in names)
        if not is_labelled and schema.SOURCE_ENTITIES in names:
            words = schema.SOURCE_TOKENS if schema.SOURCE_TOKENS in names else schema.TOKENS
            schema.require_columns(table.schema, [words], f"the file '{path}'")
            left = [name for name in names if name not in {schema.TOKENS, schema.SOURCE_TOKENS, schema.SOURCE_ENTITIES}]
            sides = {schema.TOKENS: table[words], schema.ENTITIES: table[schema.SOURCE_ENTITIES]}
            table = pa.table({**{name: table[name] for name in left}, **sides})
            names = table.schema.names
        if not table.num_rows and schema.TOKENS not in names:
            raise Error(f"'{path}' has no rows")
        require_words(table, path)
        has = [name for name in (schema.LABELS, schema.ENTITIES) if name in names]
        if not has:
            raise Error(
                f"'{path}' has no labels; it needs a column of them (`label_column` names it), or a column "
                f"'{schema.LABELS}', '{schema.ENTITIES}' or '{schema.SOURCE_ENTITIES}'; its columns are "
                f"{', '.join(names) or 'none'}"
            )
        found: dict[str, pa.ChunkedArray[Any]] = {}
        tags = None
        if schema.LABELS in has:
            if seen is None:
                column, tags = self.tags_of(table, schema.LABELS, path, reading=reading, all_classes=all_classes)
                _say(path, tags.remarks())
            else:
                with _explaining(path, table):
                    column = seen.read(table[schema.LABELS], _ids(table))
                tags = seen.tags.so_far
            # What is no tag of any scheme is judged as it stands.
            judged = table[schema.LABELS] if reading != "lenient" and tags.spelling == "plain" else column
            found[schema.LABELS] = _decoded(judged, scheme, reading, wrong)
            table = table.set_column(names.index(schema.LABELS), schema.LABELS, column)
        if schema.ENTITIES in has:
            if seen is not None:
                seen.note(table[schema.ENTITIES], self.class_map)
            elif all_classes and schema.LABELS not in has:
                check_renamed(self.class_map, classes_of(table[schema.ENTITIES]))
            found[schema.ENTITIES] = self.mapped(table[schema.ENTITIES])
            known = self.class_map
            wrong.take(wrong_classes(table, found[schema.ENTITIES], schema.ENTITIES, blanks=False, known=known))
            if seen is None:
                _say(path, class_remarks(classes_of(found[schema.ENTITIES])))
        if len(found) == 2 and self.decides is None:
            wrong.take(_disagreements(*found.items(), table=table, path=path, remedy=_LABELS_FROM_DECIDES))
        chosen = self.decides or (schema.ENTITIES if schema.ENTITIES in found else schema.LABELS)
        if chosen not in found:
            raise OptionError(f"labels_from={chosen!r}: '{path}' has no such column")
        entities = wrong.emptied(pa.table({schema.ENTITIES: _spans_alone(found[chosen])}))[schema.ENTITIES]
        return Labelled(table, entities, tags if chosen == schema.LABELS else None)

    def read_for_scores(self, path: str | os.PathLike[str], format: str | None = None) -> pa.Table:
        """A file's table whose `labels` and `gold_labels` can be compared: usual spelling, classes renamed.

        Where there are entities and no labels, or `labels_from` says so, these are written as labels.

        Raises:
            DataError: a label that is none, labels that contradict the entities beside them; or see `read`.
        """
        table = self.read(path, format)
        with self.naming_lines(path, format):
            return self._for_scores(table, path)

    def pieces_for_scores(
        self,
        path: str | os.PathLike[str],
        format: str | None = None,
        *,
        rows: int = PIECE_ROWS,
        classes: set[str] | None = None,
    ) -> Generator[pa.Table]:
        """What `read_for_scores` gives, piece by piece.

        Args:
            path: as for `pieces`, as are the others and the errors.
            format: likewise.
            rows: likewise.
            classes: gets the classes of the file, by their names there, if some have others in `class_map`.
        """
        seen = _Seen(labels.TagsSoFar(schema.LABELS, self.class_map, all_classes=False), all_classes=False)
        gold = labels.TagsSoFar(schema.GOLD_LABELS, self.class_map, all_classes=False)
        first = 0
        with self.naming_lines(path, format):
            for table in self.pieces(path, format, rows=rows):
                if classes is not None and self.class_map:
                    classes |= self.classes_in(table)
                with behind(first):
                    found = self._for_scores(table, path, seen, gold)
                first += table.num_rows
                del table
                yield found
                del found
            with _explaining(path):
                gold.all()
                seen.all(path, self.class_map)

    def _for_scores(
        self,
        table: pa.Table,
        path: str | os.PathLike[str],
        seen: _Seen | None = None,
        gold: labels.TagsSoFar | None = None,
    ) -> pa.Table:
        names = table.schema.names
        if schema.GOLD_LABELS in names:
            if gold is None:
                column, _ = self.tags_of(table, schema.GOLD_LABELS, path, all_classes=False)
            else:
                with _explaining(path, table):
                    column = gold.read(table[schema.GOLD_LABELS], _ids(table))
            table = table.set_column(names.index(schema.GOLD_LABELS), schema.GOLD_LABELS, column)
        if schema.LABELS not in names and (schema.ENTITIES not in names or schema.TOKENS not in names):
            return table
        if schema.TOKENS not in names:
            if seen is None:
                column, tags = self.tags_of(table, schema.LABELS, path, all_classes=False)
                _say(path, tags.remarks())
            else:
                with _explaining(path, table):
                    column = seen.read(table[schema.LABELS], _ids(table))
            return table.set_column(names.index(schema.LABELS), schema.LABELS, column)
        found = self._labelled(table, path, all_classes=False, seen=seen)
        if schema.LABELS in names and self.labels_from != schema.ENTITIES:
            return table.set_column(names.index(schema.LABELS), schema.LABELS, found.table[schema.LABELS])
        written = labels.encode_batch(found.entities, table[schema.TOKENS])
        if schema.LABELS in names:
            return table.set_column(names.index(schema.LABELS), schema.LABELS, written)
        return table.append_column(schema.LABELS, written)

    def tags_of(
        self,
        table: pa.Table,
        column: str,
        path: str | os.PathLike[str],
        *,
        reading: labels.Reading = "lenient",
        all_classes: bool = True,
    ) -> tuple[pa.Array[Any], labels.Tags]:
        """A column of labels in the usual spelling, its classes renamed, and what its tags are.

        Args:
            table: that has the column.
            column: its name.
            path: of the file, for errors.
            reading: what is not `lenient` takes other things than labels too, and judges them itself.
            all_classes: whether the column must have every class of `class_map`.

        Raises:
            DataError: a label that is none; the message says what was found.
        """
        with _explaining(path, table):
            found = table[column]
            renamed = self.class_map
            if not all_classes:
                known = labels.read_tags(found, column)[1].classes
                renamed = {old: new for old, new in renamed.items() if old in known}
            return labels.read_tags(found, column, class_map=renamed, only_tags=reading == "lenient")

    def mapped(self, entities: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
        """Entities with renamed classes, without those that do not count."""
        if not self.class_map:
            return entities
        rows: list[list[dict[str, Any]] | None] = []
        for row in entities.to_pylist():
            if row is None:  # nobody has said what there is
                rows.append(None)
                continue
            renamed = [{**one, "label": self.class_map.get(one["label"], one["label"])} for one in row]
            rows.append([one for one in renamed if one["label"] != labels.tags.OUTSIDE])
        return pa.chunked_array([pa.array(rows, entities.type)])

    def _options(self, kind: str, path: str | os.PathLike[str]) -> dict[str, Any]:
        """What of this the reader of a format takes."""
        if kind == "conll":
            return self._column_options(path)
        given: dict[str, Any] = {}
        if kind in TABLES:
            chosen = {schema.TOKENS: self.token_column, schema.LABELS: self.label_column}
            others = [name for name, wanted in chosen.items() if isinstance(wanted, str) and wanted != name]
            given = {"as_found": others} if others else {}
        elif kind == "webanno":
            given = {"layer": self.span_layer, "feature": self.span_feature}
        elif kind in _OF_SEVERAL_PEOPLE:
            given = {"annotator": self.annotator}
        return {name: value for name, value in given.items() if value is not None}

    def _column_options(self, path: str | os.PathLike[str]) -> dict[str, Any]:
        """What of this the reader of columns takes."""
        given: dict[str, Any] = {
            "token_column": self.token_column,
            "label_column": self.label_column,
            "comment_prefix": self.comment,
            "empty_token": self.empty_token,
        }
        given = {name: value for name, value in given.items() if value is not None}
        if self.label_column is None and (
            (self.token_column is None and _is_single_column(path)) or is_treebank_without_labels(path)
        ):
            given["label_column"] = None
        return given | ({"strip_prefix": True} if self.strip_prefix else {})

    def _read_columns(self, path: str | os.PathLike[str], format: str | None) -> pa.Table:
        table = read(path, format, **self._column_options(path))
        # Hardly a file's first sentences have words with languages alone if not all have.
        if not self.strip_prefix and _languages(table.slice(0, _LOOKED_AT)) is not None:
            _refuse_languages(_languages(table), path)
        return self._with_numbers_named(table)

    def _column_pieces(self, path: str | os.PathLike[str], format: str | None, rows: int) -> Iterator[pa.Table]:
        languages: set[str] | None = None if self.strip_prefix else set()
        for batch in iter_batches(path, format, batch_rows=rows, **self._column_options(path)):
            table = pa.Table.from_batches([batch])
            del batch
            if languages is not None and _languages(table.slice(0, _LOOKED_AT)) is not None:
                found = _languages(table)
                languages = None if found is None else languages | found
            else:
                languages = None
            yield table
            del table
        _refuse_languages(languages, path)

    def _with_numbers_named(self, table: pa.Table) -> pa.Table:
        """A table whose labels are names, if they are numbers and these have names."""
        if not self.class_names or schema.LABELS not in table.schema.names:
            return table
        column = one_array(table[schema.LABELS])
        if not all(tag.isdecimal() for tag in pylist(pc.unique(pc.list_flatten(column)))):
            return table
        numbers = pa.array([[int(tag) for tag in row] for row in pylist(column)], pa.list_(pa.int64()))
        place = table.schema.names.index(schema.LABELS)
        return table.set_column(place, schema.LABELS, named(numbers, list(self.class_names), schema.LABELS))

    def _renamed(self, table: pa.Table, path: str | os.PathLike[str]) -> pa.Table:
        """A table whose columns of words and of labels have the usual names."""
        asked = ((schema.TOKENS, self.token_column, _TOKEN_NAMES), (schema.LABELS, self.label_column, _LABEL_NAMES))
        for usual, wanted, known in asked:
            names = table.schema.names
            if isinstance(wanted, int):
                raise OptionError(f"{usual[:-1]}_column={wanted}: '{path}' is a table; its columns have names")
            if wanted is not None and wanted not in names:
                raise Error(
                    f"'{path}' has no column {wanted!r}{did_you_mean(wanted, names)}; it has {', '.join(names)}"
                )
            others = [name for name in known if name in names]
            is_told = usual in names or (usual == schema.LABELS and schema.ENTITIES in names)
            name = wanted if wanted is not None else usual if is_told or not others else others[0]
            if name != usual and name in names:
                if usual in names:
                    table = table.drop_columns([usual])
                table = table.rename_columns([usual if one == name else one for one in table.schema.names])
                table = table.set_column(
                    table.schema.names.index(usual), usual, self._lists(table[usual], usual, name, path)
                )
        return table

    @staticmethod
    def _lists(
        column: pa.ChunkedArray[Any], usual: str, name: str, path: str | os.PathLike[str]
    ) -> pa.ChunkedArray[Any]:
        """A column which is to be one of words or labels, as lists of texts, or of the numbers of labels.

        Raises:
            FormatError: it has something else.
        """
        if usual == schema.LABELS and is_lists(column.type) and pa.types.is_integer(column.type.value_type):
            return column
        try:
            chunks = [schema.conform_column(chunk, usual, checked=True, narrow=True) for chunk in column.chunks]
        except Error:
            tool = of_tool(path) if usual == schema.TOKENS else ""
            what = f"column '{name}' holds {column.type}, where lists of texts are expected, a list a sentence"
            raise FormatError(f"'{path}': {what}{tool}") from None
        return chunked(chunks, schema.WORDS_TYPE)

    def _with_names(self, table: pa.Table, name: str, path: str | os.PathLike[str]) -> pa.Table:
        """A table whose labels are texts, by the names of their numbers."""
        column = table[name]
        if not (is_lists(column.type) and pa.types.is_integer(column.type.value_type)):
            return table
        if not self.class_names:
            first = next((value for row in column.to_pylist() for value in row or ()), "")
            raise DataError(
                0, name, str(first), f"'{path}' has numbers for labels; `class_names` says what they are, in order"
            )
        place = table.schema.names.index(name)
        return table.set_column(place, name, named(one_array(column), list(self.class_names), name))


AS_TOLD: Final = Layout()
"""Everything is told from the file."""


_said: set[tuple[str, str]] = set()


def _say(path: str | os.PathLike[str], remarks: Iterable[str]) -> None:
    """Say once of a file what is odd about its labels."""
    for remark in remarks:
        if (str(path), remark) not in _said:
            _said.add((str(path), remark))
            logger.warning("%s: %s", path, remark)


def classes_of(entities: pa.Array[Any] | pa.ChunkedArray[Any]) -> list[str]:
    """The classes that a column of entities has, in the order in which they come first."""
    names = pc.struct_field(flattened(plain(one_array(entities))), "label")
    return [name for name in pylist(pc.unique(names)) if name is not None]


@dataclass(slots=True)
class _Seen:
    """What the labels and entities of a file are that comes piece by piece.

    Attributes:
        tags: of its labels.
        all_classes: whether it must have every class that is to be renamed.
        has_labels: whether it has some.
        classes: of its entities, in the order in which they come first, and what each becomes.
    """

    tags: labels.TagsSoFar
    all_classes: bool = True
    has_labels: bool = False
    classes: dict[str, str] = field(default_factory=dict)

    def read(self, column: pa.ChunkedArray[Any], ids: pa.ChunkedArray[Any] | None) -> pa.Array[Any]:
        """The next piece of labels in the usual spelling."""
        self.has_labels = True
        return self.tags.read(column, ids)

    def note(self, entities: pa.ChunkedArray[Any], class_map: Mapping[str, str]) -> None:
        """Note the classes of the next piece of entities."""
        self.classes |= {one: class_map.get(one, one) for one in classes_of(entities) if one not in self.classes}

    def all(self, path: str | os.PathLike[str], class_map: Mapping[str, str]) -> labels.Tags:
        """What the tags are, once all pieces were read; says what is odd about them, and about classes.

        Raises:
            DataError: as `TagsSoFar.all`.
            OptionError: a class to rename that there is not.
        """
        if self.has_labels:
            tags = self.tags.all()
            _say(path, tags.remarks())
        else:
            tags = tell_tags(())
            if self.all_classes:
                check_renamed(class_map, self.classes)
        _say(path, class_remarks([one for one in dict.fromkeys(self.classes.values()) if one != OUTSIDE]))
        return tags


def _are_numbers(labels_: pa.Array[Any]) -> bool:
    """Whether lists hold numbers, or texts that are such; true of empty ones."""
    if not is_lists(labels_.type) or pa.types.is_integer(labels_.type.value_type):
        return is_lists(labels_.type)
    return all(str(tag).isdecimal() for tag in pylist(pc.unique(flattened(plain(labels_)))))


def _decoded(column: Any, scheme: labels.Scheme, reading: labels.Reading, wrong: WrongRows) -> pa.ChunkedArray[Any]:
    """The spans that labels spell; rows whose labels `reading` does not allow are noted.

    Raises:
        DataError: there is such a row, and none are skipped.
    """
    lists = one_array(column)
    if reading != "validate" or not wrong.skips:
        return pa.chunked_array([labels.decode_batch(lists, scheme=scheme, reading=reading)])
    chunks: list[pa.Array[Any]] = []
    place = 0
    while place < len(lists):
        some = lists.slice(place, _JUDGED_ROWS)
        try:
            chunks.append(labels.decode_batch(some, scheme=scheme, reading=reading))
            place += len(some)
        except DataError as error:
            wrong.take([error.behind(place)])
            good = some.slice(0, error.row)
            chunks += [labels.decode_batch(good, scheme=scheme, reading=reading), _NO_SPANS]
            place += error.row + 1
    decoded: pa.ChunkedArray[Any] = pa.chunked_array(cast("Any", chunks), cast("Any", schema.SOURCE_ENTITIES_TYPE))
    return decoded


_JUDGED_ROWS = 1000  # at once: as many are decoded again after each wrong one
_NO_SPANS: Final[pa.Array[Any]] = pa.nulls(1, schema.SOURCE_ENTITIES_TYPE)


def _lenient(kind: str, wrong: WrongRows | None) -> dict[str, Any]:
    """Options of a format's reader, so that it takes rows that are to be skipped."""
    return {"missing_words": True} if kind == "jsonl" and wrong is not None and wrong.skips else {}


def next_of_known_columns(batches: Iterator[pa.RecordBatch], kind: str) -> pa.RecordBatch | None:
    """The next batch of a file; None after the last one.

    Raises:
        WholeNeededError: lines of JSON have fields, or values, that the first ones did not have; or are wrong.
    """
    try:
        return next(batches, None)
    except FormatError:
        if kind == "jsonl":
            raise WholeNeededError from None
        raise


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _lists_of_texts(found: pa.Schema) -> list[str]:
    """The names of columns that hold lists of texts."""
    return [one.name for one in found if is_lists(one.type) and _is_text(one.type.value_type)]


def _other_words(found: pa.Schema) -> str | None:
    """The column beside `tokens` that looks like one of words as well; None where there is none, or several."""
    named = [name for name in _lists_of_texts(found) if words_named(name) and name != schema.TOKENS]
    return named[0] if len(named) == 1 else None


def _other_labels(found: pa.Schema) -> str | None:
    """The column beside `labels` that looks like one of labels as well; None where there is none."""
    return label_named(name for name in _lists_of_texts(found) if name not in {schema.LABELS, schema.GOLD_LABELS})


@contextmanager
def _naming_others(other: str | None) -> Iterator[None]:
    """Says in errors about labels which other column looks like one of them."""
    try:
        yield
    except DataError as error:
        if other is None or error.column != schema.LABELS:
            raise
        reason = f"{error.reason}; `label_column={other}` reads others"
        raise DataError(error.row, error.column, error.value, reason, row_id=error.row_id) from None


def require_words(table: pa.Table, path: str | os.PathLike[str]) -> None:
    """That a file has a column of words.

    Args:
        table: of `Layout.read`.
        path: of the file.

    Raises:
        Error: it has not, or several; the message says what the file looks like.
    """
    names = table.schema.names
    if schema.TOKENS in names:
        schema.require_columns(table.schema, [schema.TOKENS], f"the file '{path}'")
        return
    its = f"its columns are {', '.join(names) or 'none'}{of_tool(path)}"
    raise Error(f"'{path}' has no column of words ('{schema.TOKENS}'), which `token_column` names; {its}")


def _ids(table: pa.Table) -> pa.ChunkedArray[Any] | None:
    return table[schema.ID] if schema.ID in table.schema.names else None


@contextmanager
def _explaining(path: str | os.PathLike[str], table: pa.Table | None = None) -> Iterator[None]:
    """Says in errors about the tags of a table which row it is, and what may be done about them."""
    try:
        yield
    except DataError as error:
        ids = None if table is None or error.row < 0 else _ids(table)
        row_id = error.row_id if ids is None else ids[error.row].as_py()
        remedy = f"`label_column` names it, if another column of '{path}' has the labels"
        if (number := error.value.strip("'")).isdecimal():
            as_outside = f"`class_map={number}=O` that this one stands for {OUTSIDE}"
            remedy = f"`class_names` says what numbers are, {as_outside}; {remedy}"
        raise DataError(error.row, error.column, error.value, f"{error.reason}; {remedy}", row_id=row_id) from None


def _format_by_name(path: str | os.PathLike[str]) -> str:
    """The format that a file's name tells; empty where it tells none."""
    try:
        return format_of(path)
    except Error:
        return ""


def _refuse_columns(path: str | os.PathLike[str]) -> None:
    """That a file of text is one of sentences.

    Raises:
        Error: its lines are columns, or its words carry tags.
    """
    with open_bytes(path) as file:
        lines = [line for line, _ in zip(file, range(_LOOKED_AT), strict=False)]
    split = [line.decode(errors="replace").split() for line in lines]
    words = [fields for fields in split if fields]
    width = len(words[0]) if words else 0
    if width > 1 and len(words) > 1 and all(len(fields) == width for fields in words):
        found = label_columns(survey([words]))
        if found and found[0].number > 0:
            raise Error(
                f"'{path}' is read as text, a sentence a line, but its lines are columns of words and labels "
                f"({found[0]}); the format 'conll' reads them so"
            )
    inline = [part.rpartition("|") for fields in words for part in fields]
    tags = tell_tags(tag for _, bar, tag in inline if bar)
    if inline and all(word and tag for word, _, tag in inline) and tags.has_outside and not tags.doubt(len(inline)):
        shown = "|".join((inline[0][0], inline[0][2]))
        raise Error(f"'{path}' is read as text, but its words carry tags ({shown}); the format 'inline' reads them so")


def _is_single_column(path: str | os.PathLike[str]) -> bool:
    """Whether the first word's line of a CoNLL file holds nothing else."""
    with open_bytes(path) as file:
        for line in file:
            fields = line.removeprefix(b"\xef\xbb\xbf").split()
            if fields and not line.startswith((b"#", b"-DOCSTART-")):
                return len(fields) == 1
    return False


_LABELS_FROM_DECIDES: Final = "`labels_from` decides: labels or entities"


def _spans_of_labels(column: pa.ChunkedArray[Any], name: str, *, only_tags: bool = True) -> pa.ChunkedArray[Any] | None:
    """The spans that labels spell; None where they are hardly labels."""
    try:
        spelled, _ = labels.read_tags(column, name, only_tags=only_tags)
        return pa.chunked_array([labels.decode_batch(spelled)])
    except DataError:
        return None


def _disagreements(
    labels_: tuple[str, pa.ChunkedArray[Any]],
    others: tuple[str, pa.ChunkedArray[Any]],
    *,
    table: pa.Table,
    path: str | os.PathLike[str],
    remedy: str,
) -> Iterator[DataError]:
    """Where labels do not say what a column beside them says, so far as labels can: of entities that overlap, some.

    Args:
        labels_: the name of the column of labels, and the spans that they spell.
        others: the name of the other column, and its spans.
        table: that has both.
        path: of the file.
        remedy: ends the message.
    """
    (name, spelled), (other, stored) = labels_, others
    if _spans_alone(spelled).combine_chunks().equals(_spans_alone(stored).combine_chunks()):
        return
    pairs = zip(_spans(spelled), _spans(stored), strict=True)
    for row, (by_labels, by_others) in enumerate(pairs):
        if by_labels == by_others:
            continue
        clashing = {one for one in by_others for two in by_others if one != two and _overlap(one, two)}
        odd = sorted((by_labels - by_others) | (by_others - by_labels - clashing))
        if odd:
            start, end, label = odd[0]
            row_id = str(table[schema.ID][row].as_py()) if schema.ID in table.schema.names else None
            column, second = (name, other) if odd[0] in by_labels else (other, name)
            reason = f"the column '{second}' of '{path}' does not say so; {remedy}"
            yield DataError(row, column, f"{label} [{start}, {end})", reason, row_id=row_id)


def _spans_alone(entities: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
    """Entities without what else was known of them: scores, margins, sources."""
    fields = [field.name for field in schema.SOURCE_ENTITIES_TYPE.value_type]
    chunks = []
    for chunk in entities.chunks:
        flat = pc.list_flatten(chunk)
        spans = pa.StructArray.from_arrays([pc.struct_field(flat, name) for name in fields], names=fields)
        chunks.append(with_values(chunk, spans).cast(schema.SOURCE_ENTITIES_TYPE))
    return chunked(chunks, schema.SOURCE_ENTITIES_TYPE)


def _spans(entities: pa.ChunkedArray[Any]) -> list[set[tuple[int, int, str]]]:
    return [{(one["start"], one["end"], one["label"]) for one in row or ()} for row in entities.to_pylist()]


def _overlap(one: tuple[int, int, str], other: tuple[int, int, str]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _languages(table: pa.Table) -> set[str] | None:
    """What stands before every word, if it is a language and a colon; None where a word has none."""
    if schema.TOKENS not in table.schema.names or not is_lists(table[schema.TOKENS].type):
        return None
    words = pc.list_flatten(table[schema.TOKENS])
    if not pc.all(pc.match_substring_regex(words, LANGUAGE_PREFIX), min_count=0).as_py():
        return None
    return {word.partition(":")[0] + ":" for word in pylist(pc.unique(words))}


def _refuse_languages(before: set[str] | None, path: str | os.PathLike[str]) -> None:
    """That words are not those of WikiANN, with a language before each.

    Raises:
        Error: they are.
    """
    if before:
        shown = ", ".join(sorted(before)[:3])
        raise Error(f"'{path}': all words begin with {shown}, as in WikiANN; `strip_prefix` leaves it out")
