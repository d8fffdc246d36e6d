"""How many records carry a value, found apart from the readers: what ``source`` is, in every reconciliation.

A record carries a value when a field of it is not empty: when it holds anything but delimiters and empty quotes.
"""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
import pyarrow.compute as pc

from factload.sheet.delimited.dialect import CsvDialect
from factload.vectors import one_value


def count_valued(data: bytes, dialect: CsvDialect) -> int:
    """How many of some whole records carry a value, by the look of the bytes.

    Quoted texts that are not empty become a letter first; what is left has a record on each line.
    """
    if dialect.quote and dialect.quote.encode() in data:
        data = pc.replace_substring_regex(one_value(data), _quoted(dialect), r"\1x")[0].as_py()
    array = np.frombuffer(data, np.uint8)
    telling = _telling(dialect)[array]
    ends = np.flatnonzero(array == ord("\n"))
    starts = np.concatenate([[0], ends[:-1] + 1])
    if not len(ends):
        return 0
    return int(np.maximum.reduceat(telling, starts).sum())


@lru_cache
def _quoted(dialect: CsvDialect) -> str:
    delimiter, quote = re.escape(dialect.delimiter), re.escape(dialect.quote)
    return rf"(\A|[{delimiter}\r\n]){quote}(?:[^{quote}]|{quote}{quote})+{quote}"


@lru_cache
def _telling(dialect: CsvDialect) -> np.typing.NDArray[np.uint8]:
    """For each byte whether it is a value's: 1 or 0."""
    telling = np.ones(256, np.uint8)
    telling[[ord(mark) for mark in dialect.delimiter + dialect.quote + "\r\n"]] = 0
    return telling
