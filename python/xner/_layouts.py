"""Arrow arrays as others lay them out: whether their buffers are sound, and the same values in plain layouts.

The core, and `cast` before it, trust offsets and lengths. What comes from a file or from another library is therefore
checked once, where it comes in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["check_buffers", "narrowed", "plain"]

_FEW = 200  # values
_SMALL = 4096  # bytes of all buffers, those of a slice are not told apart
# Bytes of UTF-8 within a character, 0x80 to 0xBF, are below this as numbers with a sign.
_CONTINUES = -64


def check_buffers(array: pa.Array[Any], *, texts: bool = True) -> None:
    """Check all that `array.validate(full=True)` checks, several times as fast for lists of short strings.

    Of a slice, only what it shows is looked at.

    Args:
        array: any.
        texts: whether the bytes of texts are to be UTF-8; without that, only what decides where memory is read is
            looked at, which takes a tenth of the time.

    Raises:
        ArrowInvalid: offsets that descend or lead outside, texts that are not UTF-8, numbers of nulls that are not
            those of the bitmap, indices outside of a dictionary, and the like.
    """
    if _is_small(array):
        array.validate(full=True)
        return
    array.validate()
    if not _is_sound(array, texts):
        array.validate(full=True)


def _is_small(array: Any) -> bool:
    """Whether pyarrow's own check takes no time: of few values, or of lists and the like that are all there is."""
    if not array.type.num_fields and not pa.types.is_dictionary(array.type):
        return len(array) < _FEW
    return bool(array.get_total_buffer_size() < _SMALL)


def _is_sound(array: Any, texts: bool) -> bool:
    """Whether an array of which `validate` has checked sizes is sound within; false as well where it is not known."""
    kind = array.type
    if not _counts_its_nulls(array):
        return False
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind):
        return True
    if pa.types.is_struct(kind):
        return all(_is_sound(array.field(index), texts) for index in range(kind.num_fields))
    if pa.types.is_fixed_size_list(kind):
        return _is_sound(array.values.slice(array.offset * kind.list_size, len(array) * kind.list_size), texts)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        offsets = _offsets(array, wide=pa.types.is_large_list(kind))
        if not _ascends(offsets, len(array.values)):
            return False
        return _is_sound(array.values.slice(int(offsets[0]), int(offsets[-1] - offsets[0])), texts)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _texts_are_sound(array, texts)
    return False


def _counts_its_nulls(array: Any) -> bool:
    bitmap = None if pa.types.is_null(array.type) else array.buffers()[0]
    if bitmap is None or not len(array):
        return True
    first, skipped = divmod(array.offset, 8)
    count = -(-(skipped + len(array)) // 8)
    bits = np.unpackbits(np.frombuffer(bitmap, np.uint8, count, first), bitorder="little")
    return bool(array.null_count == len(array) - np.count_nonzero(bits[skipped : skipped + len(array)]))


def _offsets(array: Any, *, wide: bool) -> npt.NDArray[np.signedinteger[Any]]:
    """The offsets of the lists or texts of an array, one more than there are."""
    dtype: np.dtype[Any] = np.dtype(np.int64 if wide else np.int32)
    if not len(array):  # which may have no buffer
        return np.zeros(1, dtype)
    return np.frombuffer(array.buffers()[1], dtype, len(array) + 1, array.offset * dtype.itemsize)


def _ascends(offsets: npt.NDArray[np.signedinteger[Any]], most: int) -> bool:
    return bool(offsets[0] >= 0 and offsets[-1] <= most and (offsets[1:] >= offsets[:-1]).all())


def _texts_are_sound(array: Any, texts: bool) -> bool:
    """Whether offsets ascend and, if asked, all texts are UTF-8: all together, and none begins within a character."""
    offsets = _offsets(array, wide=pa.types.is_large_string(array.type))
    data = array.buffers()[2]
    if not _ascends(offsets, 0 if data is None else data.size):
        return False
    first, last = int(offsets[0]), int(offsets[-1])
    if first == last or not texts:
        return True
    content = np.frombuffer(data, np.uint8)
    if content[first:last].max() < 0x80:
        return True
    ends = pa.py_buffer(np.array([first, last], np.int64).data)
    try:
        pa.Array.from_buffers(pa.large_string(), 1, [None, ends, data]).validate(full=True)
    except pa.ArrowInvalid:
        return False
    # Of empty texts at the end there is no byte; they only cost the slow check where the clipped one is inside of one.
    begins = content.take(offsets[:-1], mode="clip").view(np.int8)
    return not (begins < _CONTINUES).any()


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
