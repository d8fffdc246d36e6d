"""PostgreSQL's 64-bit hash of texts, a few vector operations for all of an array: what ``hashtextextended`` with seed 0
says of each, on a server whose processor keeps the lowest byte first, and of texts in UTF-8.

Bob Jenkins' lookup3, as src/common/hashfn.c has it (``hash_bytes_extended``). PostgreSQL parts tables by it, so it
stays what it is.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sqlalchemy import func, literal, select
from sqlalchemy.engine import Connection

from factload.postgres.encoding import codec_of
from factload.vectors import offsets_of, words
from factload.vectors import texts as texts_of

SEED = 0

_Halves = npt.NDArray[np.uint32]
_State = tuple[_Halves, _Halves, _Halves]

PROBE = "factload"
_START = 0x9E3779B9 + 3923095
_BLOCK = 12
_LOW = np.uint64(0xFFFFFFFF)
_MIX = (4, 6, 8, 16, 19, 4)
_FINAL = (14, 11, 25, 16, 4, 14, 24)


def text_hashes(texts: pa.Array) -> npt.NDArray[np.int64]:
    """The hash of each of ``texts``; of a null it is that of the empty string."""
    offsets = offsets_of(texts)
    data = texts.buffers()[2]
    # A text's last words may reach over the end of the data.
    word = words((bytes(data) if data is not None else b"") + bytes(3 * 8))
    start = offsets[:-1].astype(np.int64)
    left = np.diff(offsets).astype(np.int64)
    a, b, c = ((left + _START).astype(np.uint32) for _ in range(3))
    while len(at := np.flatnonzero(left >= _BLOCK)):
        place = start[at]
        first, second = word[place], word[place + 8]
        a[at], b[at], c[at] = _mixed(a[at] + _low(first), b[at] + _high(first), c[at] + _low(second))
        start[at] += _BLOCK
        left[at] -= _BLOCK
    first = word[start] & _mask(np.minimum(left, 8))
    second = word[start + 8] & _mask(np.maximum(left - 8, 0))
    # The lowest byte is the length's.
    b, c = _finished(a + _low(first), b + _high(first), c + _low(second << np.uint64(8)))
    return ((b.astype(np.uint64) << np.uint64(32)) | c).view(np.int64)


def server_hashes_alike(connection: Connection) -> bool:
    """Whether the server comes to the same: not one of another byte order, or with another encoding of its texts."""
    said = connection.scalar(select(func.hashtextextended(literal(PROBE), SEED)))
    return codec_of(connection) is None and is_ours(said)


def is_ours(said: int | None) -> bool:
    """Whether this is our hash of ``PROBE`` too."""
    return said == int(text_hashes(texts_of([PROBE]))[0])


def _low(value: npt.NDArray[np.uint64]) -> _Halves:
    return (value & _LOW).astype(np.uint32)


def _high(value: npt.NDArray[np.uint64]) -> _Halves:
    return (value >> np.uint64(32)).astype(np.uint32)


def _mask(number: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """As many of the lowest bytes as ``number`` says, 0 to 8."""
    bits = (np.uint64(8) * number.astype(np.uint64)) % np.uint64(64)
    return np.where(number == 8, ~np.uint64(0), (np.uint64(1) << bits) - np.uint64(1))


def _rotated(value: _Halves, by: int) -> _Halves:
    return (value << np.uint32(by)) | (value >> np.uint32(32 - by))


def _mixed(a: _Halves, b: _Halves, c: _Halves) -> _State:
    for by in _MIX:
        # a -= c; a ^= rot(c, by); c += b; and the same again with the next of the three
        a = (a - c) ^ _rotated(c, by)
        c = c + b
        a, b, c = b, c, a
    return a, b, c


def _finished(a: _Halves, b: _Halves, c: _Halves) -> tuple[_Halves, _Halves]:
    for by in _FINAL:
        # c ^= b; c -= rot(b, by); and the same again with the one before
        c = (c ^ b) - _rotated(b, by)
        a, b, c = b, c, a
    # Seven steps turn the three by one.
    return a, b
