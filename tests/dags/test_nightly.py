"""A night on a real scheduler: a late workbook, an absent one, a missed hour, a form filled in, a DAG downstream."""

from __future__ import annotations

import re
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from moto.server import ThreadedMotoServer
from s3fs import S3FileSystem
from sqlalchemy import create_engine, func, insert, select
from sqlalchemy.pool import NullPool

from factload.ledger.migrations import is_installed
from factload.ledger.tables import attempts, loads, rejects
from factload_demo import airflow_site, sample
from factload_demo.airflow_api import UNFINISHED, AirflowApi, TaskInstance
from factload_demo.airflow_place import Place
from factload_demo.airflow_site import WHOLE
from factload_demo.errors import ApiError
from factload_demo.setup import PROJECT, connection_uri
from tests.feeds import ABSENT, changed
from tests.forked_tasks import import_before_the_fork

ROWS, MEMBERS = 2_000, 500
SECONDS = 180.0
WAITING = ("awaiting_input", "deferred")
TODAY = datetime.now(UTC).date().isoformat()
MAIL = {"email": ["data@example.com"]}
DAILY = "0 0 * * *"
BUCKET = "nightly"

# Each nightly feed is due at midnight; the scheduler starts that run as soon as it sees the DAG.
FEEDS: dict[str, dict[str, Any]] = {
    "sales": {"schedule": ABSENT},
    "late": {
        "schedule": DAILY,
        "run": {"deadline": "00:00", "notify": MAIL},
        "workbook.missing": {"wait": "2d"},
    },
    "absent": {"schedule": DAILY, "workbook.missing": "skip"},
    "strict": {"schedule": None, "run": {"approval": "1h", "notify": MAIL}, "max_rejects": 0},
    "needed": {"schedule": DAILY, "run": {"notify": MAIL}},
    "stored": {
        "schedule": DAILY,
        "workbook.missing": {"wait": "2d"},
        "workbook.path": f"s3://{BUCKET}/stored_{{period}}.xlsx",
    },
}
DOWNSTREAM = """
from airflow.sdk import DAG, Asset, task
with DAG("downstream", schedule=[Asset("warehouse.fact_sales", uri="x-factload://warehouse/fact_sales")]):
    @task
    def told(triggering_asset_events=None):
        [events] = triggering_asset_events.values()
        return [event.extra for event in events]
    told()
"""
BY_DAY = """
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Asset, PartitionedAssetTimetable
sales = Asset("warehouse.fact_sales", uri="x-factload://warehouse/fact_sales")
with DAG("by_day", schedule=PartitionedAssetTimetable(assets=sales)):
    EmptyOperator(task_id="of_the_day")
"""

pytestmark = pytest.mark.timeout(600)


class Inbox:
    """What a mail server received."""

    def __init__(self) -> None:
        self.mails: list[Message] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.mails.append(message_from_bytes(envelope.content))
        return "250 OK"

    def subjects(self) -> list[str]:
        return sorted(str(mail["Subject"]) for mail in self.mails)

    def text(self, subject: str) -> str:
        [mail] = [mail for mail in self.mails if mail["Subject"] == subject]
        [part] = [part for part in mail.walk() if part.get_content_type() == "text/html"]
        return bytes(part.get_payload(decode=True)).decode()


@dataclass(frozen=True)
class Night:
    """A running Airflow with the feeds, and a store with a bucket."""

    api: AirflowApi
    warehouse: str
    home: Path
    mails: Inbox
    store: Any
    site: str

    def workbook(self, feed: str, seed: int, period: str = TODAY) -> sample.Expected:
        path = self.home / "inbox" / f"{feed}_{period}.xlsx"
        return sample.make_workbook(path, ROWS, MEMBERS, seed)

    def nightly_run(self, feed: str) -> str:
        """The id of the run that the scheduler made by itself."""
        path = f"/api/v2/dags/load_{feed}/dagRuns"
        wait_for(lambda: bool(self.api.call("GET", path)["dag_runs"]), f"the nightly run of {feed}")
        [run] = self.api.call("GET", path)["dag_runs"]
        assert run["run_type"] == "scheduled"
        return str(run["dag_run_id"])

    def trigger(self, run_id: str, feed: str = "sales", **form: Any) -> str:
        self.api.trigger(f"load_{feed}", run_id, {"period": TODAY, **form})
        return run_id

    def backfill(self, feed: str, first: str, last: str) -> None:
        """Run these days of a feed, from the first to before the last."""
        days = {"from_date": f"{first}T00:00:00Z", "to_date": f"{last}T00:00:00Z"}
        made = self.api.call("POST", "/api/v2/backfills", json={"dag_id": f"load_{feed}", **days})
        path = f"/api/v2/backfills/{made['id']}"
        wait_for(lambda: self.api.call("GET", path)["completed_at"] is not None, "the backfill's end")

    def started_by_day(self) -> Counter[str]:
        """Partition key → runs of the DAG that starts on the fact table's partitions."""
        runs = self.api.call("GET", "/api/v2/dags/by_day/dagRuns", params={"limit": 100})["dag_runs"]
        return Counter(run["partition_key"] for run in runs)

    def told(self, period: str) -> list[dict[str, Any]]:
        """What the asset events of a period's partition say, oldest first."""
        asked = {"limit": 100, "order_by": "timestamp"}
        found = self.api.call("GET", "/api/v2/assets/events", params=asked)["asset_events"]
        return [event["extra"] for event in found if event["partition_key"] == period]

    def kept(self, load_id: str) -> Any:
        """What the state of the fact table's asset keeps of a load."""
        [asset] = self.api.call("GET", "/api/v2/assets", params={"name_pattern": "fact_sales"})["assets"]
        return self.api.call("GET", f"/api/v2/assets/{asset['id']}/state-store/{load_id}")["value"]

    def published(self, load_id: str) -> list[dict[str, Any]]:
        """What the ledger has of each publication of a load, oldest first."""
        a = attempts.c
        query = select(a.load_id, a.published_rows, a.published_totals, a.published_digest, a.epoch)
        ours = (a.load_id == load_id) & (a.state == "published")
        with create_engine(self.warehouse, poolclass=NullPool).connect() as connection:
            found = connection.execute(query.where(ours).order_by(a.epoch)).all()
        return [
            dict(zip(("load_id", "rows", "totals", "digest", "attempt"), row, strict=True)) for row in found
        ]

    def decide(self, run_id: str, choice: str, reason: str, *, asked: int = 1) -> None:
        """What a person does on the page of the task ``release``, once it waits; ``asked``: for the how manyth time."""
        path = f"/api/v2/dags/load_strict/dagRuns/{run_id}/taskInstances/release"
        wait_for(lambda: self.api.call("GET", path)["state"] in WAITING, "the question")
        # Airflow takes an answer for a defect that comes before its scheduler heard that the task has paused.
        heard = re.compile(f"Received executor event with state success .*'release', run_id='{run_id}'")
        log = self.home / "airflow/scheduler.log"
        wait_for(lambda: len(heard.findall(log.read_text())) >= asked, "the scheduler to hear of it")
        answer = {"chosen_options": [choice], "params_input": {"reason": reason}}
        self.api.call("PATCH", f"{path}/-1/hitlDetails", json=answer)

    def ended(self, feed: str, run_id: str) -> str:
        def state() -> str:
            return self.api.run_state(f"load_{feed}", run_id)

        wait_for(lambda: state() not in UNFINISHED, f"the end of {feed}'s run")
        return state()

    def task(self, name: str, feed: str, run_id: str) -> TaskInstance:
        found = self.api.task_instances(f"load_{feed}", run_id)
        return next(instance for instance in found if instance.task_id == name)

    def said(self, feed: str, run_id: str, task: str = "open_load") -> str:
        """What a task logged."""
        return "\n".join(self.api.log(f"load_{feed}", run_id, self.task(task, feed, run_id)))

    def tries(self, feed: str, run_id: str) -> int:
        """How often open_load ran. Its number counts also the times it was scheduled and did not run."""
        path = f"/api/v2/dags/load_{feed}/dagRuns/{run_id}/taskInstances/open_load/tries"
        return len(self.api.call("GET", path)["task_instances"])

    def facts(self, feed: str) -> tuple[int, str]:
        facts = sample.fact_sales
        of_load = select(func.count(), func.sum(facts.c.metric)).where(facts.c.load_id == f"{feed}@{TODAY}")
        with create_engine(self.warehouse, poolclass=NullPool).connect() as connection:
            count, total = connection.execute(of_load).one()
        return count, str(total)

    def known_loads(self) -> set[str]:
        with create_engine(self.warehouse, poolclass=NullPool).connect() as connection:
            if not is_installed(connection):
                return set()
            return {load_id.partition("@")[0] for load_id in connection.scalars(select(loads.c.load_id))}


@pytest.fixture(scope="module")
def store() -> Iterator[tuple[str, str]]:
    """Where a server of the S3 protocol listens, and the key and secret it takes."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}", "for-tests"
    server.stop()


@pytest.fixture(scope="module")
def night(
    airflow_database: Callable[[str], str],
    module_database: str,
    tmp_path_factory: pytest.TempPathFactory,
    store: tuple[str, str],
) -> Iterator[Night]:
    home = tmp_path_factory.mktemp("night")
    feeds, dags = home / "include/feeds", home / "dags"
    feeds.mkdir(parents=True)
    dags.mkdir()
    (home / "inbox").mkdir()
    text = (PROJECT / "include/feeds/sales.yaml").read_text()
    for name, own in FEEDS.items():
        common = {"feed": name, "workbook.path": f"inbox/{name}_{{period}}.xlsx", "max_rejects": "10%"}
        (feeds / f"{name}.yaml").write_text(changed(text, common | own))
    (dags / "load_feeds.py").symlink_to(PROJECT / "dags/load_feeds.py")
    (dags / "downstream.py").write_text(DOWNSTREAM)
    (dags / "by_day.py").write_text(BY_DAY)
    sample.make_dimension(module_database, MEMBERS)
    endpoint, key = store
    bucket = S3FileSystem(key=key, secret=key, endpoint_url=endpoint)
    bucket.mkdir(BUCKET)
    mails = Inbox()
    server = Controller(mails, hostname="127.0.0.1", port=free_port())
    server.start()
    smtp = (
        f"smtp://127.0.0.1:{server.port}/?disable_ssl=true&disable_tls=true&from_email=factload%40example.com"
    )
    place = Place(
        project=PROJECT,
        folder=home / "airflow",
        metadata_url=airflow_database("night"),
        variables={
            "AIRFLOW_CONN_WAREHOUSE": connection_uri(module_database),
            "AIRFLOW_CONN_SMTP_DEFAULT": smtp,
            "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "True",
            "FACTLOAD_HOME": str(home),
            "FACTLOAD_ALLOWED_ROOTS": f"inbox,s3://{BUCKET}",
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": key,
        },
        dags=dags,
        port=0,
    )
    import_before_the_fork(place.folder)
    airflow_site.note_migrated(place)
    try:
        with airflow_site.running(place, WHOLE) as site:
            yield Night(AirflowApi(site), module_database, home, mails, bucket, site.url)
    finally:
        server.stop()


def test_a_late_workbook_is_waited_for_without_a_slot(night: Night) -> None:
    run_id = night.nightly_run("late")
    wait_for(lambda: night.task("open_load", "late", run_id).state == "deferred", "the wait to begin")
    pool = night.api.call("GET", "/api/v2/pools/factload_warehouse")
    assert (pool["slots"], pool["include_deferred"]) == (16, False)
    wait_for(lambda: "late: not published by 00:00" in night.mails.subjects(), "the mail about the hour")

    expected = night.workbook("late", seed=1)

    assert night.ended("late", run_id) == "success"
    assert night.facts("late") == (expected.staged, expected.control_total)


def test_a_late_object_is_waited_for_and_loaded(night: Night, tmp_path: Path) -> None:
    run_id = night.nightly_run("stored")
    wait_for(lambda: night.task("open_load", "stored", run_id).state == "deferred", "the wait to begin")
    expected = sample.make_workbook(tmp_path / "stored.xlsx", ROWS, MEMBERS, seed=5)

    night.store.put_file(str(tmp_path / "stored.xlsx"), f"{BUCKET}/stored_{TODAY}.xlsx")

    assert night.ended("stored", run_id) == "success"
    assert night.facts("stored") == (expected.staged, expected.control_total)
    assert f"s3://{BUCKET}/stored_{TODAY}.xlsx" in night.said("stored", run_id)


def test_an_absent_workbook_is_skipped_where_the_feed_says_so(night: Night) -> None:
    run_id = night.nightly_run("absent")
    assert night.ended("absent", run_id) == "success"
    states = {
        instance.task_id: instance.state for instance in night.api.task_instances("load_absent", run_id)
    }
    assert set(states.values()) == {"skipped"}
    assert "absent" not in night.known_loads()


def test_an_absent_workbook_fails_at_once_and_somebody_is_told(night: Night) -> None:
    run_id = night.nightly_run("needed")
    assert night.ended("needed", run_id) == "failed"
    assert night.tries("needed", run_id) == 1
    assert "there is no workbook" in night.said("needed", run_id)
    links = f"/api/v2/dags/load_needed/dagRuns/{run_id}/taskInstances/open_load/links"
    [link] = night.api.call("GET", links)["extra_links"].values()
    assert f"{night.site}/dags/load_needed/runs/" in link
    assert link.endswith("/plugin/load-of-run")
    wait_for(lambda: "needed: a load failed" in night.mails.subjects(), "the mail about the failure")
    mail = night.mails.text("needed: a load failed")
    assert "there is no workbook" in mail
    assert f'href="{night.site}/dags/load_needed/runs/' in mail
    assert "/plugin/load-of-run" in mail


def test_a_dry_run_reports_and_changes_nothing(night: Night) -> None:
    night.workbook("sales", seed=2)
    run_id = night.trigger("dry", dry_run=True)
    assert night.ended("sales", run_id) == "success"
    said = night.said("sales", run_id)
    assert "sales@" in said
    assert f"source {ROWS:,} = blank" in said
    assert "Nothing was written" in said
    assert "sales" not in night.known_loads()
    assert night.facts("sales")[0] == 0


def test_a_held_load_waits_for_a_persons_word(night: Night) -> None:
    night.workbook("strict", seed=4)
    run_id = night.trigger("refused", "strict")
    night.decide(run_id, "Leave it held", "ask the owner")
    assert night.ended("strict", run_id) == "failed"
    said = night.said("strict", run_id, "release")
    assert f"admin decided to leave strict@{TODAY} held: ask the owner" in said
    assert night.facts("strict")[0] == 0
    assert "strict: a load is held" in night.mails.subjects()


def test_a_released_load_is_published(night: Night) -> None:
    expected = night.workbook("strict", seed=4)
    run_id = night.trigger("released", "strict")
    night.decide(run_id, "Publish as it is", " ")
    night.decide(run_id, "Publish as it is", "known test keys", asked=2)
    assert night.ended("strict", run_id) == "success"
    assert night.facts("strict") == (expected.staged, expected.control_total)
    with create_engine(night.warehouse, poolclass=NullPool).connect() as connection:
        of_load = select(attempts.c.state, attempts.c.released_by, attempts.c.release_reason)
        found = connection.execute(
            of_load.where(attempts.c.load_id == f"strict@{TODAY}").order_by(attempts.c.epoch)
        )
        assert [tuple(row) for row in found] == [
            ("held", None, None),
            ("published", "admin", "known test keys"),
        ]


def test_a_run_that_a_person_marks_failed_ends_failed(night: Night) -> None:
    night.workbook("strict", seed=6)
    run_id = night.trigger("marked", "strict")
    wait_for(lambda: night.task("release", "strict", run_id).state in WAITING, "the question")
    path = f"/api/v2/dags/load_strict/dagRuns/{run_id}"
    night.api.call("PATCH", path, json={"state": "failed"})
    assert night.ended("strict", run_id) == "failed"
    states = {found.task_id: found.state for found in night.api.task_instances("load_strict", run_id)}
    assert (states["release"], states["publish"], states["clean_staging"]) == ("failed", "skipped", "skipped")


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"period": "yesterday"}, "'yesterday' is not a 'date'"),
        ({"insert": "fast"}, "'fast' is not one of"),
        ({"workbook": "a\nb"}, "does not match"),
        ({"reload": "perhaps"}, "'perhaps' is not of type 'boolean'"),
    ],
)
def test_what_the_form_refuses_never_starts(night: Night, form: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ApiError, match=sentence):
        night.trigger("refused", **form)


def test_a_workbook_elsewhere_is_refused_in_a_sentence(night: Night) -> None:
    run_id = night.trigger("elsewhere", workbook="/etc/passwd")
    assert night.ended("sales", run_id) == "failed"
    assert night.tries("sales", run_id) == 1
    *_, last = [
        line for line in night.said("sales", run_id).splitlines() if not line.endswith("::endgroup::")
    ]
    assert last.startswith("error: ")
    assert "lies outside the allowed roots" in last


def test_a_published_load_starts_the_dags_downstream(night: Night) -> None:
    expected = night.workbook("sales", seed=3)
    assert night.ended("sales", night.trigger("real", insert="copy")) == "success"
    path = "/api/v2/dags/downstream/dagRuns"

    def told() -> list[dict[str, Any]]:
        ended = [run for run in night.api.call("GET", path)["dag_runs"] if run["state"] == "success"]
        values = [f"{path}/{run['dag_run_id']}/taskInstances/told/xcomEntries/return_value" for run in ended]
        return [event for value in values for event in night.api.call("GET", value)["value"]]

    [proof] = night.published(f"sales@{TODAY}")
    assert proof["rows"] == expected.staged
    # Other feeds' loads start it too: one run may have come of several, and the first to end of another's.
    wait_for(lambda: proof | {"period": TODAY} in told(), "the DAG downstream to be told of this load")


def test_a_dag_partitioned_by_day_runs_once_for_each_published_content(night: Night) -> None:
    replayed, corrected = "2026-10-01", "2026-10-02"
    night.workbook("absent", 11, replayed)
    night.workbook("absent", 12, corrected)
    night.backfill("absent", replayed, "2026-10-03")
    add_member(night.warehouse, f"absent@{replayed}")
    expected = night.workbook("absent", 13, corrected)
    night.trigger("replay", "absent", period=replayed, replay=True)
    night.trigger("corrected", "absent", period=corrected)
    assert {night.ended("absent", run) for run in ("replay", "corrected")} == {"success"}
    clear = {"task_ids": ["publish"], "only_failed": False, "dag_run_id": "replay", "dry_run": False}
    night.api.call("POST", "/api/v2/dags/load_absent/clearTaskInstances", json=clear)
    night.trigger("as_it_is", "absent", period=corrected, reload=True)
    assert {night.ended("absent", run) for run in ("replay", "as_it_is")} == {"success"}

    wait_for(lambda: night.started_by_day()[replayed] == 2, "the run after the replay")
    wait_for(lambda: night.started_by_day()[corrected] == 2, "the run after the correction")
    first, then, again = night.published(f"absent@{corrected}")
    assert night.told(corrected) == [one | {"period": corrected} for one in (first, then)]
    assert then["totals"] == {"metric": expected.control_total}
    assert again == then | {"attempt": again["attempt"]}
    assert night.kept(f"absent@{corrected}") == then | {"period": corrected}
    assert len(night.told(replayed)) == 2


def add_member(url: str, load_id: str) -> None:
    """Give the dimension the member that a rejected row of the load asked for."""
    of_load = (rejects.c.load_id == load_id) & (rejects.c.reason == "unmatched_key")
    with create_engine(url, poolclass=NullPool).begin() as connection:
        key = connection.scalars(select(rejects.c.raw).where(of_load).limit(1)).one()
        connection.execute(insert(sample.dim_product).values(business_key=key, name="late"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited {SECONDS:.0f} s for {what}"
        time.sleep(1.0)  # Airflow's answer takes it some of the processor that its tasks need
