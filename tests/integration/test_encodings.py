"""Databases and roles that don't speak UTF-8: what they can hold is loaded, what they can't is a reject, or refused by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from tests.integration.commands import PERIOD, factload
from tests.integration.place import TABLES, Place
from tests.workbooks import write_rows

# What each encoding holds beyond ASCII.
ENCODINGS = {"LATIN1": "Müller", "WIN1252": "Müller – 5 €", "SQL_ASCII": "Müller ☃"}


@pytest.fixture(params=ENCODINGS)
def encoded(request: pytest.FixtureRequest, place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """The place, with a database of this encoding."""
    name = f"{place.engine.url.database}_{request.param}".lower()
    engine = create_engine(place.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(
            text(f"CREATE DATABASE {name} ENCODING '{request.param}' LOCALE 'C' TEMPLATE template0")
        )
    url = make_url(place.url).set(database=name).render_as_string(hide_password=False)
    monkeypatch.setenv("FACTLOAD_CONN_WAREHOUSE", url)
    other = replace(
        place,
        url=url,
        engine=create_engine(url, poolclass=NullPool, connect_args={"client_encoding": "utf8"}),
    )
    other.execute(TABLES)
    other.execute("ALTER TABLE fact_sales ADD note text")
    yield other
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def with_notes(place: Place) -> None:
    place.feed_file({"fact.columns.note": {"column": "business_key", "type": "text"}})


def test_what_the_encoding_holds_is_loaded_and_comes_back_as_it_was(
    encoded: Place, request: pytest.FixtureRequest
) -> None:
    held = ENCODINGS[request.node.callspec.params["encoded"]]
    with encoded.engine.begin() as connection:
        connection.execute(text("INSERT INTO dim_product VALUES (8, :key)"), {"key": held})
    with_notes(encoded)
    encoded.workbook([("A1", 1), (held, 2), (f"{held}?", 3), ("☃ nobody", "no number")])
    result = factload("run", "sales", *PERIOD)
    assert (result.returncode, result.stderr) == (0, "")
    with encoded.engine.begin() as connection:
        assert connection.execute(text("SELECT dimension_id, note FROM fact_sales ORDER BY 1")).all() == [
            (1, "A1"),
            (8, held),
        ]
    told = factload("rejects", "sales@2026-11-05", "--json")
    assert (told.returncode, told.stdout.count("\n")) == (0, 2)
    said = " ".join(factload("doctor").stdout.split())
    assert f"the database's encoding is {request.node.callspec.params['encoded']}" in said


def test_a_text_beyond_the_encoding_rejects_its_row(encoded: Place, request: pytest.FixtureRequest) -> None:
    encoding = request.node.callspec.params["encoded"]
    snow = "☃ 漢"
    encoded.feed_file({"fact.columns.note": {"column": "note", "type": "text"}})
    rows = [("business_key", "metric", "note"), ("A1", 1, "plain"), ("B2", 2, snow)]
    write_rows(encoded.home / "inbox/sales_2026-11-05.xlsx", rows)
    checked, result = (factload(command, "sales", *PERIOD) for command in ("check", "run"))
    notes = encoded.rows("SELECT note FROM fact_sales")
    if encoding == "SQL_ASCII":
        assert (checked.returncode, result.returncode, notes) == (0, 0, [("plain",), (snow,)])
        return
    assert "unstorable_text" in checked.stdout
    assert (result.returncode, "☃" in result.stderr, notes) == (0, False, [("plain",)])
    assert encoded.rows("SELECT cell, reason, raw FROM factload.rejects") == [
        ("C3", "unstorable_text", "\\u2603 \\u6f22")
    ]


@pytest.mark.parametrize("encoded", ["LATIN1"], indirect=True)
def test_a_key_beyond_the_encoding_makes_no_member_and_is_compared_all_the_same(encoded: Place) -> None:
    encoded.workbook([("A1", 1), ("☃", 2)])
    encoded.execute("ALTER TABLE dim_product ADD UNIQUE (business_key)")
    for action, reason in (("create", "unstorable_text"), ("reject", "unmatched_key")):
        encoded.feed_file({"dimensions.product.unmatched": action})
        assert factload("run", "sales", *PERIOD, "--reload").returncode == 0
        assert encoded.rows("SELECT cell, reason FROM factload.rejects") == [("A3", reason)]


def test_the_client_s_encoding_is_ours_whatever_role_and_environment_say(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.execute(f"ALTER DATABASE {place.engine.url.database} SET client_encoding = 'LATIN1'")
    monkeypatch.setenv("PGCLIENTENCODING", "SQL_ASCII")
    place.execute("ALTER TABLE fact_sales ADD note text")
    with_notes(place)
    place.execute("INSERT INTO dim_product VALUES (8, 'x')")
    place.workbook([("A1", 1), ("☃", 2), ("x", 3)])
    assert factload("run", "sales", *PERIOD).returncode == 0
    assert place.rows("SELECT raw = U&'\\2603' FROM factload.rejects") == [(True,)]
