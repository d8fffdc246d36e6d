"""Arrays of bytes, numbers and texts: the vector operations that the fast paths use.

NumPy arrays become Arrow arrays by their buffers, not through ``pyarrow.array``: that would import pandas
wherever it is installed, 50 MB for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]
Positions = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def integers(values: npt.NDArray[Any]) -> pa.Array[Any]:
    """An int32 or int64 array, not copied."""
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [None, pa.py_buffer(values)])


def masked(values: npt.NDArray[Any], kind: pa.DataType, valid: Flags) -> pa.Array[Any]:
    """An array of ``kind`` over fixed-width values, null where not ``valid``."""
    return pa.Array.from_buffers(kind, len(values), [_bits(valid), pa.py_buffer(values)])


def flags(values: Flags) -> pa.Array[Any]:
    """A boolean array."""
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, _bits(values)])


def masked_flags(values: Flags, valid: Flags) -> pa.Array[Any]:
    """A boolean array, null where not ``valid``."""
    return pa.Array.from_buffers(pa.bool_(), len(values), [_bits(valid), _bits(values)])


def as_flags(values: pa.Array[Any]) -> Flags:
    """A boolean array's values; false for null."""
    valid, bits = values.buffers()
    set_ = _unpacked(bits, values.offset, len(values))
    return set_ if valid is None else set_ & _unpacked(valid, values.offset, len(values))


def texts(values: Iterable[str | None]) -> pa.Array[Any]:
    """A string array."""
    builder = pa.lib.StringBuilder()
    for value in values:
        builder.append(value)
    return builder.finish()


EMPTY = texts([""])


def _bits(values: Flags) -> pa.Buffer:
    return pa.py_buffer(np.packbits(values, bitorder="little"))


def _unpacked(buffer: pa.Buffer, offset: int, length: int) -> Flags:
    packed = np.frombuffer(buffer, np.uint8)
    return np.unpackbits(packed, count=offset + length, bitorder="little")[offset:].view(np.bool_)


def one_value(data: bytes) -> pa.Array[Any]:
    """``data`` as a binary array of one element, not copied."""
    offsets = np.array([0, len(data)], np.int32)
    return pa.Array.from_buffers(pa.binary(), 1, [None, pa.py_buffer(offsets), pa.py_buffer(data)])


_BINARY = pa.binary()
_SET_ASIDE = 64 << 20  # bytes


def slices(
    data: bytes,
    starts: Positions,
    ends: Positions,
    kind: pa.DataType = _BINARY,
    order: Positions | None = None,
) -> pa.Array[Any]:
    """``data[start:end]`` for ascending, disjoint pairs, as a binary array, or a string array of what is UTF-8.

    ``order``: which of the pairs stands at each place of the array, their number for an empty value; all of them as
    they are without it.
    """
    count = 2 * len(starts)
    offsets = np.empty(count + 2, np.int32)
    offsets[0:-2:2], offsets[1:-1:2] = starts, ends
    offsets[-2:] = ends[-1] if count else 0
    # Every other piece lies between two slices; the last is empty.
    pieces = pa.Array.from_buffers(kind, count + 1, [None, pa.py_buffer(offsets), pa.py_buffer(data)])
    return taken(pieces, np.arange(0, count, 2) if order is None else 2 * order)


def taken(values: pa.Array[Any], index: Positions) -> pa.Array[Any]:
    """The texts or bytes at these places, as ``values.take`` gives them.

    Arrow first sets memory aside for as many values of mean length: terabytes, where a million blanks and a long text
    are taken of two values. So it takes as many at a time as that bears.
    """
    total = len(values) and _offset(values, len(values)) - _offset(values, 0)
    at_once = _SET_ASIDE * max(len(values), 1) // max(total, 1) + 1
    if len(index) <= at_once:
        return values.take(integers(index))
    parts = [values.take(integers(index[i : i + at_once])) for i in range(0, len(index), at_once)]
    return pa.concat_arrays(parts)


def _offset(values: pa.Array[Any], place: int) -> int:
    return int(np.frombuffer(values.buffers()[1], np.int32)[values.offset + place])


def matches(values: pa.Array[Any], pattern: str) -> Flags:
    """In which values the RE2 pattern is found; false for null."""
    return as_flags(pc.match_substring_regex(values, pattern))


def fixed(values: pa.Array[Any], dtype: type[np.generic]) -> npt.NDArray[Any]:
    """The values of an array of fixed width, not copied; anything where one is null."""
    return np.frombuffer(values.buffers()[1], dtype)[values.offset : values.offset + len(values)]


def decimal_words(values: pa.Array[Any]) -> npt.NDArray[np.uint32]:
    """Decimals as Arrow keeps them, not copied: four words of 32 bits for each, the lowest first."""
    return np.frombuffer(values.buffers()[1], np.uint32).reshape(-1, 4)[
        values.offset : values.offset + len(values)
    ]


def offsets_of(texts: pa.Array[Any]) -> npt.NDArray[np.int32]:
    """Where each text begins in the buffer of their bytes, and where the last one ends; not copied."""
    return np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]


def characters(values: pa.Array[Any]) -> bytes:
    """All texts end to end."""
    offsets = offsets_of(values)
    first, last = offsets[0], offsets[-1]
    return values.buffers()[2].slice(int(first), int(last - first)).to_pybytes() if last > first else b""


def is_empty(values: pa.Array[Any]) -> Flags:
    """Which texts have no characters."""
    empty: Flags = fixed(pc.binary_length(values), np.int32) == 0
    return empty


def first_bytes(values: pa.Array[Any]) -> Bytes:
    """The first byte of every text that has one."""
    offsets = offsets_of(values)
    if not len(values) or offsets[0] == offsets[-1]:
        return np.empty(0, np.uint8)
    starts = offsets[:-1][offsets[:-1] < offsets[1:]]
    return np.frombuffer(values.buffers()[2], np.uint8)[starts]


def outer_bytes(values: pa.Array[Any]) -> tuple[Bytes, Bytes]:
    """The first and the last byte of every text; 0x7F for one that has none."""
    offsets = offsets_of(values)
    filled = offsets[:-1] < offsets[1:]
    outer = np.full((2, len(values)), 0x7F, np.uint8)
    if filled.any():
        data = np.frombuffer(values.buffers()[2], np.uint8)
        outer[0, filled] = data.take(offsets[:-1][filled])
        outer[1, filled] = data.take(offsets[1:][filled] - 1)
    return outer[0], outer[1]


def words(data: bytes) -> Words:
    """The eight bytes at every position of ``data`` but the last seven, as one little-endian number each."""
    return np.ndarray(max(len(data) - 7, 0), np.dtype("<u8"), data, strides=(1,))
