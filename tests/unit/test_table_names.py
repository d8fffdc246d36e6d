"""What a table's name in a feed file says: SQL's own quoting, without its folding of case."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factload.postgres.tables import split_name


@pytest.mark.parametrize(
    ("name", "schema", "table"),
    [
        ("t", None, "t"),
        ("s.t", "s", "t"),
        ("s.t.u", "s", "t.u"),
        ('"a.b"', None, "a.b"),
        ('"a.b".c', "a.b", "c"),
        ('a."b.c"', "a", "b.c"),
        ('"a""b.c"', None, 'a"b.c'),
        ('"a.b"c', None, '"a.b"c'),
    ],
)
def test_a_dot_within_quotes_parts_nothing(name: str, schema: str | None, table: str) -> None:
    assert split_name(name) == (schema, table)


@given(schema=st.none() | st.text(min_size=1), table=st.text(min_size=1))
def test_whatever_is_quoted_is_taken_as_it_stands(schema: str | None, table: str) -> None:
    def quoted(part: str) -> str:
        return '"' + part.replace('"', '""') + '"'

    name = quoted(table) if schema is None else f"{quoted(schema)}.{quoted(table)}"
    assert split_name(name) == (schema, table)
