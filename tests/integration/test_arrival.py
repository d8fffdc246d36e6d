"""A dimension is used only as the server sent it: counted and summed in the same snapshot."""

from __future__ import annotations

import random
from typing import IO, Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import ARRAY, Text, cast, create_engine, func, select
from sqlalchemy.pool import NullPool

from factload.dimension import extract
from factload.errors import FactloadError, TransientError
from factload.postgres.text_hash import text_hashes
from tests.integration.place import Place


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60), max_size=30
    )
)
def test_texts_are_hashed_as_postgresql_hashes_them(module_database: str, values: list[str]) -> None:
    values += ["", "a" * 11, "a" * 12, "a" * 13, "a" * 24, "é" * 7]
    engine = create_engine(module_database, poolclass=NullPool)
    each = (
        func.unnest(cast(values, ARRAY(Text))).table_valued("value", with_ordinality="place").render_derived()
    )
    with engine.connect() as connection:
        query = select(func.hashtextextended(each.c.value, 0)).order_by(each.c.place)
        assert text_hashes(pa.array(values, pa.string())).tolist() == list(connection.scalars(query))
    assert (
        text_hashes(pa.array(["x", *values], pa.string()).slice(1)).tolist()
        == text_hashes(pa.array(values, pa.string())).tolist()
    )


MEMBERS = """
INSERT INTO dim_product (primary_synthetic_key, business_key) SELECT 1000 + n, 'P' || n FROM generate_series(1, 500) n;
INSERT INTO dim_product (primary_synthetic_key, business_key) VALUES (90, 'with "quotes", a comma'), (91, E'two\\nlines'), (-92, 'é漢');
"""


def altered(monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    """What COPY sends is changed on its way."""
    whole = extract._copy_to

    def copy(connection: Any, query: Any, file: IO[bytes]) -> None:
        whole(connection, query, file)
        file.seek(0)
        sent = change(file.read())
        file.seek(0)
        file.truncate()
        file.write(sent)

    monkeypatch.setattr(extract, "_copy_to", copy)


def test_what_arrived_whole_is_used(place: Place) -> None:
    place.execute(MEMBERS)
    place.workbook([("P1", 1), ("P500", 2)])
    place.load()
    assert [row[0] for row in place.facts()] == [1001, 1500]


@pytest.mark.parametrize("seed", range(6))
def test_a_bit_that_flips_on_the_way_is_noticed(
    place: Place, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    place.execute(MEMBERS)
    place.workbook([("P1", 1)])
    dice = random.Random(seed)  # noqa: S311

    def flip(sent: bytes) -> bytes:
        at = dice.randrange(len(sent))
        return sent[:at] + bytes([sent[at] ^ (1 << dice.randrange(8))]) + sent[at + 1 :]

    altered(monkeypatch, flip)
    with pytest.raises(TransientError, match="was changed on its way from the database"):
        place.load()


@pytest.mark.parametrize(
    "change",
    [
        lambda sent: sent[: sent.rindex(b"\n", 0, -1) + 1],  # the last member is missing
        lambda sent: sent + sent[: sent.index(b"\n") + 1],  # the first comes twice
        lambda _: b"",
    ],
    ids=["cut", "doubled", "nothing"],
)
def test_members_that_are_missing_or_doubled_are_noticed(
    place: Place, monkeypatch: pytest.MonkeyPatch, change: Any
) -> None:
    place.execute(MEMBERS)
    place.workbook([("P1", 1)])
    altered(monkeypatch, change)
    with pytest.raises(FactloadError, match="changed on its way"):
        place.load()
