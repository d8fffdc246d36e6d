"""Which column of the sheet each field of a partition file was read from: noted in the file's schema."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from factload.sheet.pivot import CELL, place_in
from factload.sheet.placing import Placing
from factload.sheet.references import column_letters
from factload.vectors import fixed, integers, texts

Places = Mapping[bytes, bytes]
_OF_ITS_CELL = ""  # as the letter of a field that is read from another column in each row
_CELLS = b"columns that become rows"


def places(placing: Placing) -> dict[bytes, bytes]:
    """What a schema's metadata say: of each field the letters of its column, and its name; of columns that become rows
    those of each."""
    noted = {}
    for field, index in zip(placing.fields, placing.placed, strict=True):
        noted[field.name.encode()] = (column_letters(index) if index > 0 else _OF_ITS_CELL).encode()
        noted[_header(field.name)] = field.column.encode()
    if pivot := placing.pivot:
        columns = [(column_letters(i), name) for i, name in zip(pivot.columns, pivot.names, strict=True)]
        noted[_CELLS] = json.dumps(columns).encode()
    return noted


def letter_of(rows: pa.Table, field: str) -> str | pa.Array[Any]:
    """The letters of the field's column, such as ``B``; where columns become rows perhaps those of each of a partition
    file's ``rows``."""
    letters = rows.schema.metadata[field.encode()].decode()
    return letters if letters != _OF_ITS_CELL else _of_cells(rows, 0)


def letter_at(noted: Places, field: str, number: int) -> str:
    """The same for one row, by its ``number``, which is that of its cell where columns become rows."""
    letters = noted[field.encode()].decode()
    if letters != _OF_ITS_CELL:
        return letters
    return str(json.loads(noted[_CELLS])[place_in(number)[1]][0])


def header_of(rows: pa.Table, fields: Sequence[str]) -> str | pa.Array[Any]:
    """What the columns of these fields are called, one after another; where columns become rows perhaps as one text for
    each of a partition file's ``rows``."""
    noted = rows.schema.metadata
    return one_after_another(
        [
            noted[_header(field)].decode() if noted[field.encode()] else _of_cells(rows, 1)
            for field in _told_once(noted, fields)
        ]
    )


def one_after_another(parts: Sequence[str | pa.Array[Any]]) -> str | pa.Array[Any]:
    """Names as one text; as one for each row where some of the names are the rows' own."""
    told = [part for part in parts if isinstance(part, str)]
    if len(told) == len(parts):
        return ", ".join(told)
    return pc.binary_join_element_wise(*parts, ", ") if len(parts) > 1 else parts[0]


def headers_in(noted: Places, fields: Sequence[str]) -> list[str]:
    """All that :func:`header_of` may say."""
    told = _told_once(noted, fields)
    if all(noted[field.encode()] for field in told):
        return [", ".join(noted[_header(field)].decode() for field in told)]
    return [
        ", ".join(noted[_header(field)].decode() if noted[field.encode()] else name for field in told)
        for _, name in json.loads(noted[_CELLS])
    ]


def _told_once(noted: Places, fields: Sequence[str]) -> list[str]:
    """The fields without those after the first that are read from the column of each row's cell."""
    of_cells = [field for field in fields if not noted[field.encode()]]
    return [field for field in fields if field not in of_cells[1:]]


def _of_cells(rows: pa.Table, part: int) -> pa.Array[Any]:
    told = texts(column[part] for column in json.loads(rows.schema.metadata[_CELLS]))
    return told.take(integers(place_in(fixed(rows[CELL].combine_chunks(), np.int32))[1]))


def _header(field: str) -> bytes:
    return f"header:{field}".encode()
