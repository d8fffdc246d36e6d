"""A server that only speaks PostgreSQL's protocol, or is too old, is refused by its name before anything is made.

None of them can be had here: a real PostgreSQL says what they say of themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from factload import steps
from factload.doctor import examine
from factload.errors import FactloadError, FeedError
from factload.pipeline import run_load
from factload.postgres.server import refusal
from factload.reports.report import read_status
from tests.integration.commands import factload
from tests.integration.place import PERIOD, Place

OTHERS = {
    "CockroachDB CCL v25.2.1 (x86_64-pc-linux-gnu, built 2025/05/28 14:01:10, go1.23.7)": "CockroachDB",
    "PostgreSQL 15.12-YB-2025.1.0.0-b168 on x86_64-pc-linux-gnu, compiled by clang version 17.0.6, 64-bit": "YugabyteDB",
    "PostgreSQL 12.12 (Greenplum Database 7.1.0 build commit:e7c2b1f) on x86_64-pc-linux-gnu, compiled by gcc (GCC) 8.5.0": "Greenplum",
    "PostgreSQL 14.4 (Apache Cloudberry 2.0.0-incubating build dev) on x86_64-pc-linux-gnu, compiled by gcc 11": "Apache Cloudberry",
    "PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2 20041017 (Red Hat 3.4.2-6.fc3), Redshift 1.0.77467": "Amazon Redshift",
    "PostgreSQL 9.5 on x86_64-unknown-linux-gnu (Materialize v0.130.4)": "Materialize",
    "PostgreSQL 13.14.0-RisingWave-2.2.0 (0fb8bc9)": "RisingWave",
    "PostgreSQL 12.3, compiled by Visual C++ build 1914, 64-bit, QuestDB": "QuestDB",
    "CrateDB 5.10.1 (built 3f2a3c1/2025-02-11T09:35:28Z, Linux 5.15 amd64, OpenJDK 23)": "CrateDB",
    "(openGauss 6.0.0 build aee4abd5) compiled at 2024-09-29 18:38:05": "openGauss",
    "PostgreSQL 16.3 (EnterpriseDB Advanced Server 16.3.0) on x86_64-pc-linux-gnu, compiled by gcc 11": "EDB Postgres Advanced Server",
}
# Aurora DSQL's, as far as it is known, and those of whom nobody has heard.
UNHEARD_OF = ["PostgreSQL 16", "PostgreSQL 15.1", "v0.9.3", "SomethingSQL 1.0, for PostgreSQL's clients", ""]
POSTGRESQL = [
    "PostgreSQL 18.4 on x86_64-pc-linux-gnu, compiled by gcc (GCC) 14.2.1 20250110 (Red Hat 14.2.1-7), 64-bit",
    "PostgreSQL 15.18 (Debian 15.18-0+deb12u1) on x86_64-pc-linux-gnu, compiled by gcc (Debian 12.2.0-14) 12.2.0, 64-bit",
    "PostgreSQL 16.4 - Percona Distribution on x86_64-pc-linux-gnu, compiled by gcc (Ubuntu 13.2.0) 13.2.0, 64-bit",
    "PostgreSQL 14.5, compiled by Visual C++ build 1914, 64-bit",
    "PostgreSQL 14.13 (Homebrew) on aarch64-apple-darwin23.4.0, compiled by Apple clang version 15.0.0, 64-bit",
    "PostgreSQL 19beta1 on x86_64-linux, compiled by gcc-14.2.0, 64-bit",
]


@pytest.mark.parametrize("version", POSTGRESQL)
def test_postgresql_is_postgresql_whoever_packed_it(version: str) -> None:
    assert refusal(version) is None


@pytest.mark.parametrize(("version", "name"), OTHERS.items())
def test_others_are_called_by_their_name(version: str, name: str) -> None:
    refused = refusal(version)
    assert refused is not None
    assert refused.code == "database_not_postgresql"
    assert str(refused).startswith(f"the server is {name}: ")


@pytest.mark.parametrize("version", UNHEARD_OF)
def test_what_no_postgresql_would_say_of_itself_is_refused(version: str) -> None:
    refused = refusal(version)
    assert refused is not None
    assert f"the server calls itself {version!r}" in str(refused)


def test_a_server_that_names_itself_only_as_a_connection_is_made(place: Place) -> None:
    refused = refusal(POSTGRESQL[0], frozenset({"crdb_version"}))
    assert refused is not None
    assert "the server is CockroachDB" in str(refused)


def says(place: Place, version: str) -> None:
    """From now on the database's server calls itself so."""
    place.execute(
        f"CREATE OR REPLACE FUNCTION pg_catalog.version() RETURNS text LANGUAGE sql STABLE AS $$SELECT '{version}'$$"
    )


@pytest.mark.parametrize("version", [*list(OTHERS)[:2], "PostgreSQL 16"])
def test_nothing_is_made_on_another_server(place: Place, version: str) -> None:
    place.workbook([("A1", 1)])
    says(place, version)
    fresh = f"{place.url}&application_name=other"  # of a process that hasn't connected yet
    calls: list[Callable[[], Any]] = [
        partial(steps.open_load, place.feed(), PERIOD, database=fresh),
        partial(run_load, place.feed(), PERIOD, database=fresh),
        partial(read_status, fresh, None),
    ]
    said = set()
    for call in calls:
        with pytest.raises(FeedError) as refused:
            call()
        assert refused.value.code == "database_not_postgresql"
        said.add(str(refused.value))
    [answer] = [found for found in examine(fresh) if found.check == "database"]
    assert (answer.state, answer.exit_status) == ("problem", 2)
    assert len(said) == 1
    assert said.pop().startswith(answer.seen.partition(";")[0])
    assert place.rows("SELECT to_regclass('factload.loads'), to_regnamespace('factload')") == [(None, None)]


def test_a_check_and_a_run_say_it_on_the_command_line(place: Place) -> None:
    place.workbook([("A1", 1)])
    says(place, next(iter(OTHERS)))
    for command in ("check", "run"):
        done = factload(command, "sales", "--period", str(PERIOD))
        assert done.returncode == 2
        assert "the server is CockroachDB: it may commit a COPY in pieces" in done.stdout + done.stderr
        assert "Traceback" not in done.stderr


def test_no_line_stays_open_to_a_server_that_was_refused(place: Place) -> None:
    says(place, "PostgreSQL 16")
    with pytest.raises(FactloadError):
        read_status(f"{place.url}&application_name=refused", None)
    database = make_url(place.url).database
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = :d AND application_name = 'factload'"
    assert place.rows(others, d=database) == [(0,)]
