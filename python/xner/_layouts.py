"""Arrow arrays as others lay them out: whether their buffers are sound, and the same values in plain layouts.

The core, and `cast` before it, trust offsets and lengths. What comes from a file or from another library is therefore
checked once, where it comes in.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from xner import _core
from xner.errors import Error

__all__ = ["check_buffers", "check_sizes", "narrowed", "plain"]


def check_buffers(array: pa.Array[Any], what: str) -> None:
    """Check all that `array.validate(full=True)` checks, many times as fast for lists of short strings.

    Of a slice, only what it shows is looked at.

    Args:
        array: any.
        what: what errors call it.

    Raises:
        Error: offsets that descend or lead outside, texts that are not UTF-8, numbers of nulls that are not those of
            the bitmap, indices outside of a dictionary, and the like: to read its values could end the process.
    """
    check_sizes(array, what)
    if not _core.check_array(array, what, texts=True):
        _validate(array, what, full=True)


def check_sizes(array: pa.Array[Any], what: str) -> None:
    """The part of `check_buffers` that takes no time: whether buffers are as long as they must be.

    It is enough for what goes to the core as it is, which looks at the rest of what it is handed.
    """
    _validate(array, what, full=False)


def _validate(array: pa.Array[Any], what: str, *, full: bool) -> None:
    try:
        array.validate(full=full)
    except pa.ArrowInvalid as error:
        raise Error(f"{what} is damaged: {error}") from error


def plain(array: Any, *, keep_dictionaries: bool = False) -> pa.Array[Any]:
    """The same values in the layouts that pyarrow's `cast` takes rightly: lists and strings with offsets, structs.

    Lists of other layouts (views, of fixed size) and string views become large ones, whatever the rest is encoded as
    (run ends, dictionaries, extension types) its values. `cast` does not do for views: pyarrow 26 mixes up their rows
    where they come out of slices or chunks.

    Args:
        array: any.
        keep_dictionaries: whether strings that are dictionary-encoded stay that.

    Returns:
        The array as it is where nothing of it changes.
    """
    found: pa.Array[Any] = _plain(array, keep_dictionaries)
    return found


def _plain(array: Any, keep: bool) -> Any:
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        return _plain(array.storage, keep)
    if pa.types.is_run_end_encoded(kind):
        return _plain(pc.run_end_decode(array), keep)  # type: ignore[attr-defined]  # which the stubs lack
    if pa.types.is_dictionary(kind):
        if keep and (pa.types.is_string(kind.value_type) or pa.types.is_large_string(kind.value_type)):
            return array
        return _plain(array.dictionary, keep).take(array.indices)
    if pa.types.is_string_view(kind):
        return array.cast(pa.large_string())
    if pa.types.is_struct(kind):
        return _plain_struct(array, keep)
    if hasattr(kind, "value_type") and not pa.types.is_map(kind):
        return _plain_lists(array, keep)
    return array


def _plain_struct(array: Any, keep: bool) -> Any:
    kind = array.type
    values = [_plain(array.field(index), keep) for index in range(kind.num_fields)]
    if all(value.type == field.type for value, field in zip(values, kind, strict=True)):
        return array
    fields = [field.with_type(value.type) for value, field in zip(values, kind, strict=True)]
    return pa.StructArray.from_arrays(values, fields=fields, mask=array.is_null() if array.null_count else None)


def _plain_lists(array: Any, keep: bool) -> Any:
    kind = array.type
    values = _plain(array.flatten(), keep)
    if (pa.types.is_list(kind) or pa.types.is_large_list(kind)) and values.type == kind.value_type:
        return array
    lengths = pc.list_value_length(array).fill_null(0).cast(pa.int64())
    offsets = pa.concat_arrays([pa.array([0]), pc.cumulative_sum(lengths)])
    return pa.LargeListArray.from_arrays(offsets, values, mask=array.is_null() if array.null_count else None)


def narrowed(array: pa.Array[Any]) -> pa.Array[Any]:
    """The same with offsets of 32 bits throughout, as other readers have them; as it is where they do not suffice."""
    kind = _narrow(array.type)
    if kind == array.type:
        return array
    try:
        return array.cast(kind)
    except pa.ArrowInvalid:
        return array


def _narrow(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_large_string(kind):
        return pa.string()
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_narrow(field.type)) for field in kind])
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(kind.value_field.with_type(_narrow(kind.value_type)))
    return kind
