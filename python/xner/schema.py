"""The columns that stages exchange: names, Arrow types, and checks of tables against them.

A stage is a callable from a record batch to a record batch that adds columns and keeps every row where it is. Word
indices start at 0 and every span is half-open, `[start, end)`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from xner._layouts import check_buffers, check_sizes, narrowed, plain
from xner.errors import Error

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "ADJUSTED",
    "CANDIDATES",
    "CANDIDATES_TYPE",
    "COLUMN_TYPES",
    "DROPPED",
    "ENTITIES",
    "ENTITIES_TYPE",
    "FILTERED",
    "FILTER_RECORDS_TYPE",
    "GOLD_LABELS",
    "HINTS",
    "HINTS_TYPE",
    "ID",
    "LABELS",
    "LINKS",
    "LINKS_TYPE",
    "MARKED_ENTITIES",
    "MARKER_PROBLEM",
    "MISSING_ENTITIES",
    "NER_PROBABILITIES",
    "NER_PROBABILITIES_HALF_TYPE",
    "NER_PROBABILITIES_TYPE",
    "NMT_SCORES",
    "PIVOT_ENTITIES",
    "PIVOT_TOKENS",
    "REVIEWED",
    "REVIEWED_ENTITIES",
    "ROW_DROPPED",
    "ROW_PROBLEM",
    "SOURCE_ENTITIES",
    "SOURCE_ENTITIES_TYPE",
    "SOURCE_TOKENS",
    "STATUS",
    "STATUS_TYPE",
    "TOKENS",
    "TRANSLATION",
    "TRANSLATION_STATUS",
    "WORDS_TYPE",
    "check_column",
    "conform",
    "conform_column",
    "is_left_out",
    "is_row_dropped",
    "ner_label_names",
    "ner_probabilities_field",
    "require_columns",
]


def __dir__() -> list[str]:
    return sorted(__all__)


ID = "id"
TOKENS = "tokens"
SOURCE_TOKENS = "source_tokens"
SOURCE_ENTITIES = "source_entities"
LINKS = "links"
CANDIDATES = "candidates"
HINTS = "hints"
NMT_SCORES = "nmt_scores"
NER_PROBABILITIES = "ner_probabilities"
ENTITIES = "entities"
LABELS = "labels"
GOLD_LABELS = "gold_labels"
STATUS = "status"
DROPPED = "dropped"
ADJUSTED = "adjusted"
TRANSLATION = "translation"
TRANSLATION_STATUS = "translation_status"
MARKED_ENTITIES = "marked_entities"
REVIEWED = "reviewed"
"""Whether people have looked at a row; then its entities are what they say."""
REVIEWED_ENTITIES = "reviewed_entities"
"""What people say the entities of a row to be projected are; null where nobody has looked at it."""
MARKER_PROBLEM = "marker_problem"
ROW_PROBLEM = "row_problem"
"""What is wrong with a row that is to be skipped; null for good ones."""
PIVOT_TOKENS = "pivot_tokens"
PIVOT_ENTITIES = "pivot_entities"

WORDS_TYPE = pa.list_(pa.string())
CANDIDATES_TYPE = pa.list_(pa.struct([("start", pa.int32()), ("end", pa.int32())]))
HINTS_TYPE = pa.list_(
    pa.struct([("source", pa.int32()), ("start", pa.int32()), ("end", pa.int32()), ("score", pa.float32())])
)
SOURCE_ENTITIES_TYPE = pa.list_(pa.struct([("start", pa.int32()), ("end", pa.int32()), ("label", pa.string())]))
LINKS_TYPE = pa.list_(pa.struct([("source", pa.int32()), ("target", pa.int32()), ("score", pa.float32())]))
ENTITIES_TYPE = pa.list_(
    pa.struct(
        [
            ("start", pa.int32()),
            ("end", pa.int32()),
            ("label", pa.string()),
            ("score", pa.float32()),
            ("margin", pa.float32()),
            ("source", pa.int32()),
        ]
    )
)
NER_PROBABILITIES_TYPE = pa.list_(pa.list_(pa.float32()))
"""A tagger's class probabilities, target words by labels. The field's metadata may name the labels: see
`ner_probabilities_field`."""
NER_PROBABILITIES_HALF_TYPE = pa.list_(pa.list_(pa.float16()))
"""The same in half precision, which is read as well."""
FILTER_RECORDS_TYPE = pa.list_(pa.struct([*ENTITIES_TYPE.value_type, ("reason", pa.string())]))
"""Entities that filters dropped or changed, as they were before, and why."""
STATUS_TYPE = pa.dictionary(pa.int32(), pa.string())
FILTERED = "filtered"
"""The status of a row whose entities filters have dropped one by one."""
MISSING_ENTITIES = "missing_entities"
"""The status of a row whose source entities nobody has said; a sentence without any has an empty list of them."""
ROW_DROPPED = "row_dropped:"
"""What the status of a row begins with that a filter has dropped as a whole; the filter's name follows."""

COLUMN_TYPES: Mapping[str, pa.DataType] = {
    ID: pa.string(),
    TOKENS: WORDS_TYPE,
    SOURCE_TOKENS: WORDS_TYPE,
    SOURCE_ENTITIES: SOURCE_ENTITIES_TYPE,
    LINKS: LINKS_TYPE,
    CANDIDATES: CANDIDATES_TYPE,
    HINTS: HINTS_TYPE,
    NMT_SCORES: HINTS_TYPE,
    NER_PROBABILITIES: NER_PROBABILITIES_TYPE,
    ENTITIES: ENTITIES_TYPE,
    LABELS: WORDS_TYPE,
    GOLD_LABELS: WORDS_TYPE,
    STATUS: STATUS_TYPE,
    DROPPED: FILTER_RECORDS_TYPE,
    ADJUSTED: FILTER_RECORDS_TYPE,
    TRANSLATION: pa.string(),
    TRANSLATION_STATUS: pa.string(),
    MARKED_ENTITIES: ENTITIES_TYPE,
    REVIEWED_ENTITIES: ENTITIES_TYPE,
    REVIEWED: pa.bool_(),
    MARKER_PROBLEM: pa.string(),
    ROW_PROBLEM: pa.string(),
    PIVOT_TOKENS: WORDS_TYPE,
    PIVOT_ENTITIES: SOURCE_ENTITIES_TYPE,
}


# Types that the core reads besides those of COLUMN_TYPES.
_ALSO_READ: Mapping[str, pa.DataType] = {NER_PROBABILITIES: NER_PROBABILITIES_HALF_TYPE}

_MADE_BY: Mapping[str, str] = {
    CANDIDATES: "a tagger (`xner tag --as candidates`, or `tagger` of a pipeline)",
    NER_PROBABILITIES: "a tagger (`xner tag --as scores`, or `tagger` of a pipeline)",
    NMT_SCORES: "`xner score nmt`",
    LINKS: "an aligner (`xner align`, or `aligner` of a pipeline)",
}
"""What makes a column that people do not write themselves."""

_LABEL_NAMES = b"labels"


def ner_probabilities_field(label_names: Iterable[str], type: pa.DataType = NER_PROBABILITIES_TYPE) -> pa.Field[Any]:
    """The field of a column of NER probabilities that names its labels; Arrow and Parquet files keep the names.

    Args:
        label_names: `O`, `B-X` and `I-X`, in the order of the probabilities.
        type: of the column.
    """
    return pa.field(NER_PROBABILITIES, type, metadata={_LABEL_NAMES: json.dumps(list(label_names)).encode()})


def ner_label_names(field: pa.Field[Any]) -> tuple[str, ...] | None:
    """The label names in the metadata of a field of NER probabilities, None where it has none.

    Raises:
        Error: they are not a JSON list of strings.
    """
    text = (field.metadata or {}).get(_LABEL_NAMES)
    if text is None:
        return None
    try:
        names = json.loads(text)
    except ValueError:
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Error(f"column '{field.name}': its metadata give as labels {text!r}; expected a JSON list of strings")
    return tuple(names)


def is_row_dropped(status: pa.Array[Any] | pa.ChunkedArray[Any]) -> pa.Array[Any] | pa.ChunkedArray[Any]:
    """Whether a filter has dropped each row as a whole, by its `status`; a missing one says no."""
    if isinstance(status, pa.Array):
        status = plain(status)
    return pc.starts_with(status.cast(pa.string()), ROW_DROPPED).fill_null(False)


def is_left_out(table: pa.Table) -> Any:
    """Whether rows are none to learn from: a filter has dropped them as a whole, or nobody has labelled them.

    Args:
        table: with `status`, and perhaps `reviewed`: rows that people have looked at are labelled.

    Returns:
        A column of booleans.
    """
    status = table.column(STATUS).cast(pa.string())
    unlabelled: Any = pc.equal(status, pa.scalar(MISSING_ENTITIES)).fill_null(False)
    if REVIEWED in table.schema.names:
        unlabelled = pc.and_not(unlabelled, table.column(REVIEWED).fill_null(pa.scalar(False)))
    return pc.or_(is_row_dropped(table.column(STATUS)), unlabelled)


def require_columns(schema: pa.Schema, columns: Iterable[str], what: str) -> None:
    """Check that a table has columns.

    Args:
        schema: the table's schema.
        columns: names that must be there.
        what: who needs them, for the message ("projection", "the viewer").

    Raises:
        Error: columns are missing; the message names them and those that are there.
    """
    columns = list(columns)
    missing = [column for column in columns if column not in schema.names]
    twice = sorted({column for column in columns if schema.names.count(column) > 1})
    if twice:
        raise Error(f"{what}: the table has more than one column {', '.join(map(repr, twice))}")
    if missing:
        have = ", ".join(schema.names) or "none"
        makers = "".join(f"; {_MADE_BY[column]} makes '{column}'" for column in missing if column in _MADE_BY)
        raise Error(f"{what} needs the column(s) {', '.join(missing)}; the table has: {have}{makers}")


def _fits(found: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether the core reads `found` as it is: 32- or 64-bit offsets, links with or without a score."""
    if pa.types.is_string(wanted):
        return bool(pa.types.is_string(found) or pa.types.is_large_string(found))
    if pa.types.is_list(wanted):
        return (pa.types.is_list(found) or pa.types.is_large_list(found)) and _fits(found.value_type, wanted.value_type)
    if pa.types.is_struct(wanted):
        if not pa.types.is_struct(found):
            return False
        fields = {field.name: field.type for field in found}
        return all(
            _fits(fields[field.name], field.type) if field.name in fields else field.name == "score" for field in wanted
        )
    return bool(found == wanted)


_SEEN: dict[str, list[pa.DataType]] = {}
"""By column, types of it that fitted: to compare whole types takes a tenth of the time of looking into them."""
_MOST_SEEN = 8


def _fits_column(found: pa.DataType, name: str) -> bool:
    """Whether the core reads a column of this type as it is."""
    seen = _SEEN.setdefault(name, [])
    if any(found.equals(one) for one in seen):
        return True
    wanted = COLUMN_TYPES[name]
    fits = _fits(found, wanted) or _fits(found, _ALSO_READ.get(name, wanted))
    if fits and len(seen) < _MOST_SEEN:
        seen.append(found)
    return fits


def _castable(found: pa.DataType, wanted: pa.DataType) -> pa.DataType:
    """The type to cast to: `wanted`, less the optional fields that `found` does not have.

    Raises:
        ArrowTypeError: it lacks others, or has numbers where texts are wanted.
    """
    if pa.types.is_list(wanted) and hasattr(found, "value_type"):
        return pa.list_(_castable(found.value_type, wanted.value_type))
    if pa.types.is_struct(wanted) and pa.types.is_struct(found):
        fields = {field.name: field.type for field in found}
        missing = [field.name for field in wanted if field.name not in fields and field.name != "score"]
        if missing:  # which pyarrow's cast would fill with nulls
            raise pa.ArrowTypeError(f"no field {', '.join(missing)}")
        return pa.struct(
            [(field.name, _castable(fields[field.name], field.type)) for field in wanted if field.name in fields]
        )
    if pa.types.is_string(wanted) and (pa.types.is_primitive(found) or pa.types.is_boolean(found)):
        raise pa.ArrowTypeError("numbers are no texts")  # which pyarrow's cast would write out
    return wanted


def check_column(array: pa.Array[Any], column: str) -> None:
    """Check that an array is sound that comes from elsewhere: see `xner._layouts.check_buffers`.

    Args:
        array: the column.
        column: what errors call it.

    Raises:
        Error: it is damaged; to read its values could end the process.
    """
    check_buffers(array, f"column '{column}'")


def conform_column(
    array: pa.Array[Any],
    name: str,
    column: str | None = None,
    *,
    checked: bool = False,
    narrow: bool = False,
    for_core: bool = False,
) -> pa.Array[Any]:
    """Bring a column to a type that the core reads.

    Args:
        array: the column.
        name: of the column of `COLUMN_TYPES` whose type it is to have.
        column: what errors call it; None for `name`.
        checked: whether `check_column` has seen it already.
        narrow: whether offsets of 64 bits become those of 32, as far as these suffice, so that columns of all readers
            go together.
        for_core: whether the column goes to the core before anything else reads it, which then looks at its
            offsets; the bytes of texts are none of its business.

    Raises:
        Error: it cannot be read as that type, or is damaged.
    """
    fits = _fits_column(array.type, name)
    if fits and for_core:
        check_sizes(array, f"column '{column or name}'")
    elif not checked:
        check_column(array, column or name)
    if not fits:
        try:
            array = _cast(array, name)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
            expected = f"expected {COLUMN_TYPES[name]}, found {array.type}"
            raise Error(f"column '{column or name}': {expected} ({error})") from error
    return narrowed(array) if narrow else array


def _cast(array: pa.Array[Any], name: str) -> pa.Array[Any]:
    """A column in the type of `COLUMN_TYPES`; whole numbers are names of rows, but no words."""
    wanted = COLUMN_TYPES[name]
    values = plain(array)
    if pa.types.is_dictionary(wanted):
        return values.cast(_castable(values.type, wanted.value_type)).dictionary_encode().cast(wanted)
    if name == ID and pa.types.is_integer(values.type):
        return values.cast(wanted)
    return values.cast(_castable(values.type, wanted))


def conform(
    batch: pa.RecordBatch,
    columns: Iterable[str],
    *,
    checked: bool = False,
    narrow: bool = False,
    for_core: bool = False,
) -> pa.RecordBatch:
    """Select columns of a batch and bring them to types that the core reads.

    Columns that fit already, with 32- or 64-bit offsets, are passed on without a copy; others (views, columns encoded
    by dictionaries or run ends, int64 indices, float64 scores, fixed-size lists) are cast.

    Args:
        batch: any record batch.
        columns: names of columns of `COLUMN_TYPES` that `batch` has.
        checked: as in `conform_column`.
        narrow: likewise.
        for_core: likewise.

    Returns:
        A batch of these columns, in this order.

    Raises:
        Error: a column cannot be read as the type that `COLUMN_TYPES` gives for it, or is damaged.
    """
    names = list(columns)
    arrays = [
        conform_column(batch.column(name), name, checked=checked, narrow=narrow, for_core=for_core) for name in names
    ]
    return pa.RecordBatch.from_arrays(arrays, names=names)
