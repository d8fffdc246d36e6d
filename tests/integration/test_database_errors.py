"""What the server says is told where it can hold no row; what passes by itself ends with 4, and is tried again."""

from __future__ import annotations

import string
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.engine import make_url

from factload import steps
from factload.errors import (
    Conflict,
    ConnectionLost,
    FactloadError,
    FeedError,
    NotConnected,
    RowsRefused,
    TransientError,
)
from factload.postgres.database import engine_for
from factload.postgres.errors import database_errors
from factload.postgres.tables import reflect
from factload.reports.report import after_failure
from factload.runtime.retry import again_after_conflict
from tests.integration.place import PERIOD, Place

SECRET = "Zq7secret"


def refused(place: Place, *statements: str) -> FactloadError:
    """What the last of these statements comes to."""
    with (
        pytest.raises(FactloadError) as caught,
        database_errors("trying"),
        engine_for(place.url).begin() as connection,
    ):
        for statement in statements:
            connection.execute(text(statement))
    return caught.value


@pytest.mark.parametrize(
    ("statements", "kind", "code", "said"),
    [
        (["SET statement_timeout = 20", "SELECT pg_sleep(5)"], TransientError, "statement_canceled", "statement timeout"),
        (["SELECT pg_cancel_backend(pg_backend_pid())", "SELECT pg_sleep(5)"], TransientError, "statement_canceled", "user request"),
        (["SET TRANSACTION READ ONLY", "DELETE FROM fact_sales"], TransientError, "database_read_only", "cannot execute DELETE"),
        (["SELECT pg_terminate_backend(pg_backend_pid())", "SELECT 1"], ConnectionLost, "database_unreachable", ""),
        (["CREATE SEQUENCE one MAXVALUE 2", "SELECT nextval('one') FROM generate_series(1, 3)"], FeedError, "database_error", 'reached maximum value of sequence "one"'),
        (["CREATE MATERIALIZED VIEW v AS SELECT 1 WITH NO DATA", "SELECT * FROM v"], FeedError, "database_error", 'materialized view "v" has not been populated'),
        (["CREATE TABLE t (a int)", "CREATE VIEW v AS SELECT a FROM t WHERE a < 0 WITH CHECK OPTION", "INSERT INTO v VALUES (7)"], RowsRefused, "database_error", 'check option for view "v"'),
        (["CREATE VIEW v AS SELECT DISTINCT metric FROM fact_sales", "DELETE FROM v"], FeedError, "database_error", 'cannot delete from view "v"'),
        (["CREATE RULE r AS ON INSERT TO fact_sales DO INSTEAD NOTHING", "INSERT INTO fact_sales DEFAULT VALUES RETURNING id"], FeedError, "database_error", "cannot perform INSERT RETURNING"),
        (["SELECT 1 / 0"], RowsRefused, "database_error", "division by zero"),
        (["SELECT 99999999999::bigint::int"], RowsRefused, "database_error", "integer out of range"),
        (["SELECT repeat('a', 9)::varchar(3)", "INSERT INTO fact_sales SELECT 1, 1, 1, 'x' FROM no_such"], FeedError, "table_missing", 'relation "no_such" does not exist'),
        (["SELECT no_such FROM fact_sales"], FeedError, "column_missing", 'column "no_such" does not exist'),
        (["SELECT E'\\\\xff'::bytea::text::int"], RowsRefused, "database_error", "invalid input syntax"),
    ],
)  # fmt: skip
def test_the_server_s_own_words_where_they_hold_no_row(
    place: Place, statements: list[str], kind: type[FactloadError], code: str, said: str
) -> None:
    error = refused(place, *statements)
    assert type(error) is kind
    assert error.code == code
    assert said in str(error)
    assert error.remedy
    assert "\n" not in str(error)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(alphabet=string.printable + "äß☃", min_size=1, max_size=20).filter(lambda t: not t.isspace()),
    st.sampled_from(["bigint", "date", "numeric(4,2)", "boolean", "timestamptz", "uuid", "jsonb", "inet", "int[]", "interval", "bytea"]),
)  # fmt: skip
@example('12"34', "bigint")
@example("99999999999999999999", "bigint")
@example("4711.4711", "numeric(4,2)")
@example('{1,2,"', "int[]")
@example("0x0f", "bytea")
def test_no_value_is_told(place: Place, value: str, kind: str) -> None:
    marked = f"{value}{SECRET}"
    for given_value in (value, marked):
        try:
            with database_errors("trying"), engine_for(place.url).begin() as connection:
                connection.execute(text(f"SELECT CAST(:v AS {kind})"), {"v": given_value.replace(chr(0), "")})
        except FactloadError as error:
            assert SECRET not in str(error)
            assert '"…"' in str(error) or '"' not in error.seen
            assert not any(
                map(str.isdigit, error.seen.partition("while")[0].partition("(")[2].replace("(4,2)", ""))
            )


@pytest.mark.parametrize("state", ["P0001", "23514", "22023", "40001", "55000", "ZZ999"])
def test_what_a_function_raises_is_its_author_s_text(place: Place, state: str) -> None:
    place.execute(
        f"CREATE FUNCTION no() RETURNS int LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'row {SECRET}' "
        f"USING ERRCODE = '{state}', DETAIL = '{SECRET}', HINT = '{SECRET}', CONSTRAINT = '{SECRET}'; END$$"
    )
    error = refused(place, "SELECT no()")
    assert "raised by no()" in str(error)
    assert SECRET not in str(error)
    assert (error.retry, type(error)) == ((state == "40001"), Conflict if state == "40001" else type(error))


def test_a_deadlock_is_tried_again(place: Place) -> None:
    place.execute("CREATE TABLE t AS SELECT n, 0 AS done FROM generate_series(1, 2) n")
    met = threading.Barrier(2)
    tries = []

    @again_after_conflict
    def both(first: int, second: int) -> None:
        tries.append(first)
        with database_errors("updating"), engine_for(place.url).begin() as connection:
            add = text("UPDATE t SET done = done + 1 WHERE n = :n")
            connection.execute(add, {"n": first})
            if len(tries) <= 2:
                met.wait(20)
            connection.execute(add, {"n": second})

    other = threading.Thread(target=both, args=(2, 1))
    other.start()
    both(1, 2)
    other.join()
    assert place.rows("SELECT DISTINCT done FROM t") == [(2,)]
    assert len(tries) == 3


@pytest.mark.parametrize("level", ["serializable", "repeatable read"])
def test_the_server_s_default_isolation_is_not_ours(place: Place, level: str) -> None:
    place.execute(f"ALTER DATABASE {place.engine.url.database} SET default_transaction_isolation = '{level}'")
    with engine_for(place.url).begin() as connection:
        assert connection.scalar(text("SHOW transaction_isolation")) == "read committed"
    assert place.rows("SHOW transaction_isolation") == [(level,)]
    place.workbook([("A1", 1)] * 5)
    place.load()
    assert len(place.facts()) == 5


@pytest.fixture
def guarded(place: Place) -> Iterator[Place]:
    """A server-wide role of this test alone."""
    role = f"guarded_{place.engine.url.database}"
    place.execute(f"CREATE ROLE {role} LOGIN")
    yield place
    place.execute(f"DROP OWNED BY {role}")
    place.execute(f"DROP ROLE {role}")


def changed(url: str, **parts: object) -> str:
    return make_url(url).set(**parts).render_as_string(hide_password=False)  # type: ignore[arg-type]


def test_a_login_that_is_refused_is_not_a_database_that_is_away(guarded: Place) -> None:
    url = guarded.url
    role = f"guarded_{guarded.engine.url.database}"
    query = dict(make_url(url).query)
    refusals = {
        changed(url, username="nobody_here"): "database_login",
        changed(url, database="no_such_database"): "database_missing",
        changed(url, query={**query, "bogus": "1"}): "database_url",
        changed(url, query={**query, "sslmode": "perhaps"}): "database_url",
        changed(url, query={**query, "options": "-c no_such=1"}): "database_url",
    }
    guarded.execute(f"ALTER ROLE {role} NOLOGIN")
    refusals[changed(url, username=role)] = "database_login"
    for refused_url, code in refusals.items():
        with pytest.raises(FeedError) as caught, database_errors("trying"):
            engine_for(refused_url).connect()
        assert (caught.value.code, caught.value.exit_status) == (code, 2)
    guarded.execute(f"ALTER ROLE {role} LOGIN CONNECTION LIMIT 0")
    with pytest.raises(ConnectionLost, match="too many connections"), database_errors("trying"):
        engine_for(changed(url, username=role)).connect()
    with pytest.raises(NotConnected), database_errors("trying"):
        engine_for(changed(url, query={"host": "/no/such/folder"})).connect()


def test_a_report_of_a_failure_is_this_one_s(place: Place) -> None:
    """An older attempt ended with the same code, and other words."""
    place.workbook([("A1", 1)])
    feed = place.feed()
    load = steps.open_load(feed, PERIOD, database=place.url)
    steps.record_failure(load, FeedError("database_error", "the older one"), database=place.url)
    newer = FeedError("database_error", "the newer one")
    assert after_failure(place.url, feed, "sales", PERIOD, newer).error == {
        "code": "database_error",
        "message": "the newer one.",
    }
    older = after_failure(place.url, feed, "sales", PERIOD, FeedError("database_error", "the older one"))
    assert older.error == {"code": "database_error", "message": "the older one."}
    assert older.rows["source"] == 0


@contextmanager
def dropping(place: Place, table: str) -> Iterator[threading.Thread]:
    stop = threading.Event()

    def again_and_again() -> None:
        while not stop.is_set():
            place.execute(f"CREATE TABLE {table} (a int)")
            place.execute(f"DROP TABLE {table}")

    thread = threading.Thread(target=again_and_again)
    thread.start()
    try:
        yield thread
    finally:
        stop.set()
        thread.join()


def test_a_table_that_goes_while_it_is_looked_at_is_missing(place: Place) -> None:
    with dropping(place, "coming"), engine_for(place.url).connect() as connection:
        for _ in range(30):
            try:
                assert [c.name for c in reflect(connection, "coming", {}).columns] in ([], ["a"])
            except FeedError as error:
                assert error.code == "table_missing"
            connection.rollback()
