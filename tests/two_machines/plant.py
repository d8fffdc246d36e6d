"""What two machines share: PostgreSQL, a broker, an S3 server, Airflow; and a Celery worker on each."""

from __future__ import annotations

import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import psutil
from sqlalchemy import create_engine, func, select
from sqlalchemy.pool import NullPool

from factload.ledger.tables import partitions
from factload_demo import airflow_site, sample
from factload_demo.airflow_api import UNFINISHED, AirflowApi
from factload_demo.airflow_place import Place, environment_of
from factload_demo.postgres import throwaway
from factload_demo.processes import end_family, family, spawn
from factload_demo.setup import PROJECT, connection_uri
from tests.feeds import changed
from tests.line import Line, hang_up, received
from tests.s3_server import S3Server, refusal, s3_server
from tests.two_machines.network import Machine

DAG_ID = "load_sales"
WORKBOOK = "shared/inbox/sales_{period}.xlsx"
DATABASE, BROKER, STORE, AIRFLOW = 5432, 6399, 8399, 8499  # the ports at which a machine finds them
_BROKER_HERE = 6398
_SECONDS_A_LOAD = 900.0


class Door(Line):
    """Where a machine finds one of our servers, which listen on this machine alone.

    ``refuses``: it answers 503 to what is asked; ``waits``: seconds before whatever is sent.
    """

    def __init__(self, machine: Machine, port: int, server: str | int) -> None:
        self.refuses = False
        self.waits = 0.0
        self._server = server
        super().__init__(socket.create_server((machine.host, port)))

    def _serve(self, client: socket.socket) -> None:
        with client, self._reach() as server:
            threading.Thread(target=_answers, args=(server, client), daemon=True).start()
            with suppress(OSError):
                while sent := received(client):
                    time.sleep(self.waits)
                    if self.refuses:
                        client.sendall(refusal("503 Slow Down", "SlowDown"))
                        break
                    server.sendall(sent)
            hang_up(client)
            hang_up(server)

    def _reach(self) -> socket.socket:
        if isinstance(self._server, int):
            return socket.create_connection(("127.0.0.1", self._server))
        server = socket.socket(socket.AF_UNIX)
        server.connect(self._server)
        return server


def _answers(server: socket.socket, client: socket.socket) -> None:
    with suppress(OSError):
        while answer := received(server):
            client.sendall(answer)
    hang_up(client)


@dataclass
class Worker:
    """The Celery worker of a machine, which can be killed and started again."""

    machine: Machine
    store: Door
    command: list[str]
    environment: dict[str, str]
    log: Path
    _process: psutil.Popen | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it; it takes some seconds until it asks for tasks."""
        self._process = spawn(
            self.command, log=self.log, attached=signal.SIGTERM, env=self.environment, cwd=self.log.parent
        )

    def runs(self) -> bool:
        """Whether it is there."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """End it at once, with all its tasks, as a machine ends that loses its power."""
        if self._process is not None:
            for process in family([self._process.pid]):
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            self._process = None

    def stop(self) -> None:
        """End it in peace."""
        if self._process is not None:
            end_family([self._process.pid], grace_seconds=5.0)


@dataclass
class Plant:
    """All of it, running."""

    api: AirflowApi
    home: Path
    warehouse: str
    workers: list[Worker]
    store: S3Server

    def workbook(self, period: date, rows: int, members: int, seed: int) -> sample.Expected:
        """Put the workbook of a period into the shared inbox, and into the store."""
        name = WORKBOOK.format(period=period)
        path = self.home / name
        expected = sample.make_workbook(path, rows, members, seed)
        self.store.files().put_file(str(path), f"factload/{name}")
        return expected

    def start(self, period: date) -> str:
        """Start a load; the id of its run."""
        run_id = f"{period}-{time.time():.0f}"
        self.api.trigger(DAG_ID, run_id, {"period": str(period), "reload": True})
        return run_id

    def unfinished(self, run_id: str) -> bool:
        """Whether the run goes on."""
        return self.api.run_state(DAG_ID, run_id) in UNFINISHED

    def ended(self, run_id: str) -> str:
        """How the run ended; the state that it is in where it takes too long, or has no worker any more."""
        deadline = time.monotonic() + _SECONDS_A_LOAD
        while self.unfinished(run_id) and time.monotonic() < deadline and any(map(Worker.runs, self.workers)):
            time.sleep(0.5)
        return self.api.run_state(DAG_ID, run_id)

    def facts(self, period: date) -> tuple[int, str]:
        """Count and exact sum of the period's fact rows."""
        facts = sample.fact_sales
        of_load = select(func.count(), func.sum(facts.c.metric)).where(facts.c.load_id == f"sales@{period}")
        with create_engine(self.warehouse, poolclass=NullPool).connect() as connection:
            count, total = connection.execute(of_load).one()
        return count, str(total)

    def staged_by(self, period: date) -> dict[str, int]:
        """Host name → partitions of the period's load."""
        query = (
            select(partitions.c.worker, func.count())
            .where(partitions.c.load_id == f"sales@{period}")
            .group_by(partitions.c.worker)
        )
        with create_engine(self.warehouse, poolclass=NullPool).connect() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}


@contextmanager
def running(
    folder: Path, machines: list[Machine], rows_per_partition: int, *, shared: bool
) -> Iterator[Plant]:
    """The plant; ``shared``: staging and workbooks lie in a folder that both machines have, and not in the store."""
    home = folder / "home"
    shared_folder, nothing = home / "shared", folder / "nothing"
    for made in (shared_folder / "inbox", home / "include/feeds", folder / "s3", folder / "redis", nothing):
        made.mkdir(parents=True)
    feed = (PROJECT / "include/feeds/sales.yaml").read_text()
    feed = changed(
        feed, {"rows_per_partition": rows_per_partition, "run": {"retries": 20}, "workbook.path": WORKBOOK}
    )
    (home / "include/feeds/sales.yaml").write_text(feed)
    with ExitStack() as stack:
        database = stack.enter_context(throwaway())
        store = stack.enter_context(s3_server(folder / "s3"))
        store.files().mkdir("factload")
        broker = spawn(
            ["redis-server", "--port", str(_BROKER_HERE), "--bind", "127.0.0.1", "--save", ""],
            log=folder / "redis/log",
            attached=signal.SIGTERM,
        )
        stack.callback(end_family, [broker.pid], grace_seconds=2.0)
        warehouse = database.create_database("warehouse")
        place = Place(
            project=PROJECT,
            folder=folder / "airflow",
            metadata_url=database.create_database("airflow"),
            variables=_variables(home, shared=shared)
            | _addresses("127.0.0.1", _BROKER_HERE, database.url("airflow"))
            | {"AIRFLOW_CONN_WAREHOUSE": connection_uri(warehouse)},
            port=0,
        )
        site = stack.enter_context(airflow_site.running(place))
        port = int(site.url.rpartition(":")[2])
        workers = []
        for machine in machines:
            stack.enter_context(machine.running())
            stack.enter_context(Door(machine, DATABASE, str(database.socket_dir / ".s.PGSQL.5432")))
            stack.enter_context(Door(machine, BROKER, _BROKER_HERE))
            stack.enter_context(Door(machine, AIRFLOW, port))
            door = stack.enter_context(Door(machine, STORE, store.port))
            own = folder / machine.name
            own.mkdir()
            worker = Worker(
                machine,
                door,
                _command(machine, hidden=nothing if shared else shared_folder),
                environment_of(place, port) | _of_machine(machine, store, own),
                own / "worker.log",
            )
            stack.callback(worker.stop)
            worker.start()
            workers.append(worker)
        yield Plant(AirflowApi(site), home, warehouse, workers, store)


def _variables(home: Path, *, shared: bool) -> dict[str, str]:
    airflow = {
        "CORE__EXECUTOR": "CeleryExecutor",
        "CELERY__WORKER_CONCURRENCY": "2",
        "CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT": "86400",
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "2",
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "3",
        "SCHEDULER__TASK_QUEUED_TIMEOUT": "60",
        "SCHEDULER__NUM_STUCK_IN_QUEUED_RETRIES": "20",
    }
    where = (
        {"FACTLOAD_STAGING": str(home / "shared/staging"), "FACTLOAD_ALLOWED_ROOTS": "shared/inbox"}
        if shared
        else {
            "FACTLOAD_STAGING": "s3://factload/staging",
            "FACTLOAD_WORKBOOKS": "s3://factload",
            "FACTLOAD_ALLOWED_ROOTS": "s3://factload/shared/inbox",
        }
    )
    return (
        {f"AIRFLOW__{name}": value for name, value in airflow.items()} | where | {"FACTLOAD_HOME": str(home)}
    )


def _addresses(host: str, broker: int, metadata_url: str) -> dict[str, str]:
    return {
        "AIRFLOW__CELERY__BROKER_URL": f"redis://{host}:{broker}/0",
        "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{metadata_url}",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata_url,
    }


def _of_machine(machine: Machine, store: S3Server, own: Path) -> dict[str, str]:
    """What differs on that machine: where it finds the servers, and folders of its own."""
    there = f"postgres@{machine.host}:{DATABASE}"
    return (
        _addresses(machine.host, BROKER, f"postgresql+psycopg2://{there}/airflow")
        | dict(store.variables())
        | {
            "AIRFLOW_CONN_WAREHOUSE": f"postgresql://{there}/warehouse",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://{machine.host}:{AIRFLOW}/execution/",
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(own / "logs"),
            "AWS_ENDPOINT_URL": f"http://{machine.host}:{STORE}",
            "FACTLOAD_CACHE": str(own / "cache"),
            "NO_PROXY": machine.host,
            "no_proxy": machine.host,
        }
    )


def _command(machine: Machine, *, hidden: Path) -> list[str]:
    celery = [sys.executable, "-m", "airflow", "celery", "worker", "--skip-serve-logs"]
    return machine.inside(str(hidden), [*celery, "--celery-hostname", machine.name])
