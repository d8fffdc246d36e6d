"""A checksum of a dimension on both sides of its COPY: members, values of each column, and a sum of their hashes, which
the server computes in the snapshot that was copied.

A bit that flips on the way is a member that no key finds, or another surrogate key, and nothing else would notice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sqlalchemy import Select, collate, func, literal, select, types
from sqlalchemy.engine import Connection

from factload.errors import TransientError
from factload.postgres.encoding import codec_of
from factload.postgres.text_hash import PROBE, SEED, is_ours, text_hashes

_LOW = (1 << 32) - 1


class Arrival:
    """The sums over what has arrived so far, and those over what was sent (``ask``)."""

    def __init__(self, connection: Connection, query: Select[Any]) -> None:
        sent = query.subquery("sent")
        sums = [func.count(column) for column in sent.c] + [_sum(column) for column in sent.c]
        rows, probe, *found = connection.execute(
            select(func.count(), func.max(func.hashtextextended(literal(PROBE), SEED)), *sums).select_from(
                sent
            )
        ).one()
        self._sent = [int(rows), *(int(value or 0) for value in found)]
        # A server that hashes otherwise (another byte order, another encoding of the texts that it has) can be asked
        # for counts and numbers alone.
        self._numbers = [isinstance(column.type, types.Integer) for column in sent.c]
        same_bytes = codec_of(connection) is None
        self._hashes = rows == 0 or (same_bytes and is_ours(probe))
        self._arrived = [0] * len(self._sent)

    def add(self, columns: Sequence[pa.Array]) -> None:
        """Add more members, column by column."""
        self._arrived[0] += len(columns[0])
        for place, values in enumerate(columns, 1):
            valid = values.drop_null()
            self._arrived[place] += len(valid)
            self._arrived[place + len(columns)] += (
                _exact(valid.to_numpy()) if pa.types.is_integer(valid.type) else _exact(text_hashes(valid))
            )

    def require_whole(self, name: str) -> None:
        """Raise ``TransientError`` unless what arrived is what was sent."""
        compared = [True] * (1 + len(self._numbers)) + [number or self._hashes for number in self._numbers]
        if any(
            sent != arrived
            for sent, arrived, is_compared in zip(self._sent, self._arrived, compared, strict=True)
            if is_compared
        ):
            raise garbled(name)


def garbled(name: str) -> TransientError:
    """The error of a dimension whose members are not the ones that the server sent."""
    return TransientError(
        "dimension_garbled",
        f"dimension {name} was changed on its way from the database",
        remedy="Run the load again. If it happens again, check the network to the database, or use TLS",
    )


def _sum(column: Any) -> Any:
    if isinstance(column.type, types.Integer):
        return func.sum(column)
    return func.sum(func.hashtextextended(collate(column, "C"), SEED))


def _exact(values: npt.NDArray[np.int64]) -> int:
    return (int((values >> 32).sum()) << 32) + int((values & _LOW).sum())
