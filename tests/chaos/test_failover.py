"""A standby takes the primary's place.

The URL names both servers, and leads to the one that takes changes. What the standby had not been sent is lost, also
where its COMMIT was acknowledged: ledger and facts together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from signal import SIGSTOP

import pytest

from factload import steps
from factload.check.load import check_load
from factload.doctor import examine
from factload.errors import AttemptLost
from factload_demo import postgres as servers
from tests.chaos.faulty_process import Fault, FaultyProcess
from tests.chaos.harness import LOAD, PERIOD, Attempt, Harness, Workbook, place, publish_old, refused
from tests.chaos.reliability import FaultRecord
from tests.chaos.replicated import Pair, replicated, restarted
from tests.chaos.strikes import strike_under
from tests.driver import OPEN, SteppedLoad
from tests.haproxy import haproxy, needs_haproxy, wait_until_it_leads

LOADING = "INSERT INTO factload_staging"


@pytest.fixture(scope="module")
def first() -> Iterator[servers.Server]:
    with servers.throwaway() as server:
        yield server


@pytest.fixture
def pair(first: servers.Server) -> Iterator[Pair]:
    running = restarted(first)
    running.create_database("chaos")
    with replicated(running) as pair:
        yield pair
    restarted(running).drop_database("chaos")


@pytest.fixture
def harness(
    pair: Pair, tmp_path: Path, workbooks: dict[str, Workbook], monkeypatch: pytest.MonkeyPatch
) -> Harness:
    """OLD is published on both; NEW lies in the inbox."""
    harness = place(tmp_path / "a project", pair.url("chaos"), workbooks, monkeypatch)
    publish_old(harness)
    harness.put("new")
    pair.catch_up()
    return harness


@pytest.fixture
def behind_haproxy(harness: Harness, pair: Pair, monkeypatch: pytest.MonkeyPatch) -> Iterator[Harness]:
    """The same with a URL of one host, HAProxy's."""
    with haproxy("chaos", pair.primary, pair.standby) as url:
        monkeypatch.setenv("FACTLOAD_CONN_WAREHOUSE", url)
        yield replace(harness, url=url)


def run_under(harness: Harness, strike: Callable[[], None]) -> None:
    """A run is exact by itself whose server goes away when its attempt is open, and no step of it has begun."""
    with FaultyProcess(harness.whole_run(), Fault(SIGSTOP, before="INSERT INTO factload.steps")) as process:
        assert process.reached()
        strike()
        process.wake()
        assert process.end().error is None
    harness.proves("new")


@pytest.mark.parametrize(
    ("step", "point"),
    [
        pytest.param(
            step,
            point,
            id=f"{step} {what}",
            marks=pytest.mark.fault(f"a standby is promoted {what}", by="SIGKILL to the primary, pg_promote"),
        )
        for step, point, what in (
            ("load_partition 2", LOADING, "as a partition is loaded"),
            ("publish", "COMMIT", "as publish's COMMIT is sent"),
            ("publish", "INSERT INTO factload.steps", "right after publish's COMMIT"),
        )
    ],
)
def test_a_standby_is_promoted_under_a_step(
    harness: Harness, pair: Pair, record: FaultRecord, step: str, point: str
) -> None:
    strike_under(harness, record, step, point, pair.hand_over)


@pytest.mark.fault("a standby is promoted in the middle of a run", by="SIGKILL to the primary, pg_promote")
def test_a_run_goes_on_at_the_promoted_standby(harness: Harness, pair: Pair, record: FaultRecord) -> None:
    run_under(harness, pair.hand_over)
    record.injected(seen="before", end="exact: it takes the load up again by itself")


@needs_haproxy
@pytest.mark.fault(
    "a standby is promoted behind HAProxy, as publish's COMMIT is sent",
    by="SIGKILL to the primary, pg_promote",
)
def test_haproxy_leads_a_retry_to_the_promoted_standby(
    behind_haproxy: Harness, pair: Pair, record: FaultRecord
) -> None:
    def strike() -> None:
        pair.hand_over()
        wait_until_it_leads(behind_haproxy.url)

    strike_under(behind_haproxy, record, "publish", "COMMIT", strike)


@needs_haproxy
@pytest.mark.fault(
    "a standby is promoted behind HAProxy, in the middle of a run", by="SIGKILL to the primary, pg_promote"
)
def test_haproxy_leads_a_run_to_the_promoted_standby(
    behind_haproxy: Harness, pair: Pair, record: FaultRecord
) -> None:
    run_under(behind_haproxy, pair.hand_over)
    record.injected(seen="before", end="exact: it takes the load up again by itself")


@pytest.mark.fault(
    "a standby is promoted that lacks a publication whose COMMIT was acknowledged",
    by="replication cut, SIGKILL to the primary, pg_promote",
)
def test_a_publication_that_is_lost_takes_its_ledger_along(
    harness: Harness, pair: Pair, record: FaultRecord
) -> None:
    attempt = Attempt(harness).until("publish")
    pair.catch_up()
    pair.cut_off()
    attempt.run("publish")
    assert harness.stands() == "new"
    pair.fail_over()
    assert harness.stands() == "old"
    error = refused(attempt.call("clean_staging"))
    assert error.code == "state_changed"
    Attempt(harness).go_on()
    harness.proves("new")
    record.injected(seen="before", end="exact after a retry", error=error)


@pytest.mark.fault(
    "a standby is promoted that lacks an attempt, whose number another one gets",
    by="replication cut, SIGKILL to the primary, pg_promote",
)
@pytest.mark.parametrize("step", ["split_workbook", "publish"])
def test_an_attempt_that_is_lost_writes_nothing_under_the_number_of_another(
    harness: Harness, pair: Pair, record: FaultRecord, step: str
) -> None:
    """Whoever opened it goes on with its own workbook, which is still there, as if nothing had been."""
    pair.cut_off()
    lost = Attempt(harness).until(step)
    pair.fail_over()
    (harness.home / "inbox/another.xlsx").write_bytes(harness.workbooks["corrected"].path.read_bytes())
    opening = partial(steps.open_load, harness.feed, PERIOD, workbook="inbox/another.xlsx")
    other = SteppedLoad(opening, harness.feed, harness.url)
    other.run(OPEN)
    assert other.load.epoch == lost.load.epoch
    error = refused(partial(lost.go_on, step))
    assert isinstance(error, AttemptLost)
    steps.record_failure(lost.load, error, database=harness.url)
    state = "SELECT state FROM factload.attempts WHERE load_id = :load AND epoch = :epoch"
    assert harness.rows(state, load=LOAD, epoch=other.load.epoch) == [("loading",)]
    assert harness.stands() == "old"
    other.go_on("extract_dimension_map")
    assert harness.stands() == "corrected"
    record.injected(seen="before", end="it writes nothing; the other attempt is exact", error=error)


@pytest.mark.fault(
    "a standby is promoted that lacks the attempt of a run",
    by="replication cut, SIGKILL to the primary, pg_promote",
)
def test_a_run_whose_attempt_is_lost_begins_another(
    harness: Harness, pair: Pair, record: FaultRecord
) -> None:
    pair.cut_off()
    run_under(harness, pair.fail_over)
    record.injected(seen="before", end="exact: it opens the load again by itself")


def test_a_standby_is_told_from_a_primary(harness: Harness, pair: Pair) -> None:
    """Reading needs no primary: a check answers on a standby what it answers on the primary, but for what takes a
    temporary table."""
    standby = pair.standby.url("chaos")
    error = refused(lambda: steps.open_load(harness.feed, PERIOD, database=standby))
    assert (error.code, error.retry) == ("database_read_only", True)
    assert "lead to a standby" in str(error)
    [answer] = [found for found in examine(standby) if found.state == "problem"]
    assert (answer.exit_status, answer.seen) == (4, "the server is a standby: it takes no changes")
    here, there = (check_load(harness.feed, PERIOD, database=url).to_json() for url in (harness.url, standby))
    assert {name for name in here if here[name] != there[name]} == {"difference", "warnings"}
    assert here["difference"] is not None
    [warning] = [text for text in there["warnings"] if text not in here["warnings"]]
    assert warning.startswith(
        "what publishing would change is told in numbers, and not row by row: the database takes no changes"
    )
