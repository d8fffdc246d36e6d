"""An independent count of the records that carry a value: ``source``, the left side of the reconciliation.

A record carries a value when a field of it is not empty: when it holds anything but delimiters and empty quotes.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pyarrow.compute as pc

from factload.sheet.csv.dialect import CsvDialect
from factload.vectors import one_value


def count_valued(data: bytes, dialect: CsvDialect) -> int:
    """How many of some whole records carry a value, by the look of the bytes.

    Where every line begins or ends with a value's byte, no more is looked at. Where every line has an even
    number of quotes, each is a record of its own; one of delimiters and quotes alone is looked into. Otherwise quoted
    texts that are not empty become a letter first.
    """
    array = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(array == ord("\n"))
    if not len(ends):
        return 0
    starts = np.concatenate([[0], ends[:-1] + 1])
    tells = _telling(dialect)
    telling = (tells.take(array.take(starts)) | tells.take(array.take(ends - 1, mode="clip"))).view(np.bool_)
    if not telling.all():
        telling = np.maximum.reduceat(tells[array], starts).astype(np.bool_)
    if not dialect.quote or dialect.quote.encode() not in data:
        return int(telling.sum())
    quotes = np.add.reduceat((array == ord(dialect.quote)).view(np.uint8), starts, dtype=np.int32)
    if (quotes & 1).any():
        return count_valued(_settled(data, dialect), replace(dialect, quote=""))
    doubtful = ~telling & (quotes > 0)
    lines = b"".join(data[starts[i] : ends[i] + 1] for i in np.flatnonzero(doubtful))
    hidden = count_valued(_settled(lines, dialect), replace(dialect, quote="")) if lines else 0
    return int(telling.sum()) + hidden


def _settled(data: bytes, dialect: CsvDialect) -> bytes:
    """The records with every quoted text as a letter, or as nothing if it is empty: each on a line of its own."""
    filled: bytes = pc.replace_substring_regex(one_value(data), _quoted(dialect), r"\1x")[0].as_py()
    return filled.replace(dialect.quote.encode(), b"")


@lru_cache
def _quoted(dialect: CsvDialect) -> str:
    delimiter, quote = re.escape(dialect.delimiter), re.escape(dialect.quote)
    return rf"(\A|[{delimiter}\r\n]){quote}(?:[^{quote}]|{quote}{quote})+{quote}"


@lru_cache
def _telling(dialect: CsvDialect) -> np.typing.NDArray[np.uint8]:
    """For each byte 1 if it belongs to a value, else 0."""
    telling = np.ones(256, np.uint8)
    telling[[ord(mark) for mark in dialect.delimiter + dialect.quote + "\r\n"]] = 0
    return telling
