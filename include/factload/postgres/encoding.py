"""Texts for people (labels, messages, rejected cells), spelt so that the database's encoding can hold them.

A database in LATIN1 has no dash between two numbers and no snowman. Labels, messages and the text of rejected cells are
there to be read by people: they are spelt with what there is, ``-`` and ``\\u2603``. Names that identify something are
never respelt: the database refuses those. Nor are the rows themselves: they are rejects (``fact.encodable``).
"""

from __future__ import annotations

from typing import Any

import psycopg2.extensions
import pyarrow as pa
from sqlalchemy.engine import Connection

_NOT_CHECKED = ("UTF8", "SQL_ASCII")
_PLAIN = str.maketrans({"–": "-", "×": "x", "…": "...", "“": '"', "”": '"', "’": "'"})  # noqa: RUF001


def storable(connection: Connection, text: str) -> str:
    """``text``, with what the database's encoding lacks spelt otherwise."""
    codec = codec_of(connection)
    return text if codec is None else _spelt(text, codec)


def storable_column(connection: Connection, texts: pa.Array) -> pa.Array:
    """The same for a column."""
    codec = codec_of(connection)
    if codec is None:
        return texts
    return pa.array(
        [None if text is None else _spelt(text, codec) for text in texts.to_pylist()], pa.string()
    )


def _spelt(text: str, codec: str) -> str:
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return text.translate(_PLAIN).encode(codec, "backslashreplace").decode(codec)
    return text


def codec_of(connection: Connection) -> str | None:
    """Python's name for the database's encoding; ``None`` for one that holds every text."""
    driver: Any = connection.connection.dbapi_connection
    server = driver.info.parameter_status("server_encoding")
    return None if server in _NOT_CHECKED else psycopg2.extensions.encodings.get(server)
