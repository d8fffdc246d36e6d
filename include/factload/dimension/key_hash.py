"""A 64-bit hash of every text of an array, eight bytes at a time, a few vector operations for all of them.

It orders the dimension map, so that a lookup is a binary search in a memory-mapped file instead of a hash table
that every task builds anew. It decides nothing: keys that are found by it are compared as they are. Not meant to
withstand an attacker; the worst that colliding keys could do is make the map be ordered by another salt.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from factload.vectors import offsets_of, words

Hashes = npt.NDArray[np.uint64]

# Two odd numbers with well-mixed bits, of the finalizer of MurmurHash3: https://github.com/aappleby/smhasher
_FIRST = np.uint64(0xFF51AFD7ED558CCD)
_SECOND = np.uint64(0xC4CEB9FE1A85EC53)
_SHIFT = np.uint64(33)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_WORD = 8


def hash_keys(keys: pa.Array, salt: int = 0) -> Hashes:
    """The hash of each of ``keys`` (strings); of a null it is that of the empty string."""
    offsets = offsets_of(keys)
    data = keys.buffers()[2]
    # A key's last word may reach over the end of the data.
    padded = (bytes(data) if data is not None else b"") + bytes(_WORD)
    word = words(padded)
    start = offsets[:-1].astype(np.int64)
    left = np.diff(offsets).astype(np.int64)
    hashes = left.astype(np.uint64) * _FIRST + np.uint64(salt)
    all_keys = np.arange(len(left))
    while len(all_keys):
        longer = left > 0
        all_keys, start, left = all_keys[longer], start[longer], left[longer]
        unused = np.uint64(8) * (_WORD - np.minimum(left, _WORD)).astype(np.uint64)
        hashes[all_keys] = _mixed(hashes[all_keys] ^ (word[start] & (_ALL >> unused)))
        start, left = start + _WORD, left - _WORD
    return hashes


def _mixed(value: Hashes) -> Hashes:
    value = (value ^ (value >> _SHIFT)) * _FIRST
    value = (value ^ (value >> _SHIFT)) * _SECOND
    return value ^ (value >> _SHIFT)
