"""The steps of a load one after the other in one process, with everything that is asked of the database on a clock.

    python -m benchmarks.costs.protocol_run FEED PERIOD WORKBOOK DATABASE_URL

Protocol is what a plain script would not do: the fence and the ledger's rows, locks and bounds, deleting what an
earlier delivery left, connections and transactions that hold nothing else, the sums over a partition's rows, and the
whole step `reconcile`. Work is what any load does: tables looked at, rows read, looked up, staged, published, the
dimension's COPY. The publishing statement sums in passing what it inserts, and is work; so is all that is done in
Python, but for the sums.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.pool import PoolProxiedConnection

from factload import steps
from factload.feed.file import read_feed
from factload.feed.model import Feed
from factload.load import Load
from factload.memory import save_memory
from factload.postgres.database import engine_for
from factload.steps import load as load_step
from tests.driver import SteppedLoad

# What a statement is for, by the first pattern that its text has. What is known by none of them is protocol.
_WORK = {
    "rows into the staging table": r"^INSERT INTO factload_staging\.",
    "rejects into the ledger": r"^INSERT INTO factload\.rejects",
    "publishing": r"^WITH inserted AS|^DELETE FROM fact_",
    "staging table made and dropped": r"^\s*(CREATE|DROP) TABLE factload_staging\.",
    "tables looked at": r"pg_catalog\.",
}
_PROTOCOL = {
    "rows of earlier deliveries": r"^DELETE FROM factload_staging\.|^DELETE FROM factload\.rejects",
    "rows counted again": r"\sFROM factload_staging\.",
    "locks and bounds": r"set_config|advisory|LOCK TABLE|SAVEPOINT",
    "ledger and fence": r"factload\.",
}


def kind_of(statement: str) -> tuple[str, str]:
    """``work`` or ``protocol``, and what of it."""
    for kind, patterns in (("work", _WORK), ("protocol", _PROTOCOL)):
        for name, pattern in patterns.items():
            if re.search(pattern, statement):
                return kind, name
    return "protocol", "other statements"


class Clock:
    """Seconds by kind and part. In a ``whole`` part everything that is asked of the database is within it."""

    def __init__(self) -> None:
        self.seconds: dict[str, defaultdict[str, float]] = {
            "work": defaultdict(float),
            "protocol": defaultdict(float),
        }
        self._within: str | None = None

    def add(self, kind: str, part: str, seconds: float) -> None:
        """Put some seconds to a part."""
        if self._within is None:
            self.seconds[kind][part] += seconds

    @contextmanager
    def whole(self, part: str) -> Iterator[None]:
        """A block that is protocol from beginning to end."""
        started = time.perf_counter()
        self._within = part
        try:
            yield
        finally:
            self._within = None
            self.add("protocol", part, time.perf_counter() - started)

    def timed(self, part: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """``call``, each time on the clock as protocol."""

        def on_the_clock(*arguments: Any, **named: Any) -> Any:
            started = time.perf_counter()
            try:
                return call(*arguments, **named)
            finally:
                self.add("protocol", part, time.perf_counter() - started)

        return on_the_clock

    def watch(self, engine: Engine) -> None:
        """Time the statements, commits and connections of an engine.

        A commit is work when a statement of its transaction was, and so is a connection.
        """

        def before(connection: Any, cursor: Any, *_: Any) -> None:
            connection.info["began"] = time.perf_counter()

        def after(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
            kind, part = kind_of(statement)
            self.add(kind, part, time.perf_counter() - connection.info["began"])
            if kind == "work":
                connection.info["worked"] = connection.info["works"] = True

        def connect(dialect: Any, record: Any, arguments: Any, named: Any) -> Any:
            started = time.perf_counter()
            made = dialect.connect(*arguments, **named)
            record.info["connecting"] = time.perf_counter() - started
            return made

        def close(_: Any, record: Any) -> None:
            kind = "work" if record.info.pop("worked", False) else "protocol"
            self.add(kind, "connections", record.info.pop("connecting", 0.0))

        do_commit = engine.dialect.do_commit

        def commit(dbapi_connection: PoolProxiedConnection) -> None:
            started = time.perf_counter()
            do_commit(dbapi_connection)
            kind = "work" if dbapi_connection.info.pop("works", False) else "protocol"
            self.add(kind, "commits", time.perf_counter() - started)

        event.listen(engine, "before_cursor_execute", before)
        event.listen(engine, "after_cursor_execute", after)
        event.listen(engine, "do_connect", connect)
        event.listen(engine, "close", close)
        engine.dialect.do_commit = commit  # type: ignore[method-assign]


def run(feed: Feed, period: date, workbook: str, url: str, clock: Clock) -> tuple[Load, int]:
    """All steps in order; the load and the rows that were published."""
    opening = partial(steps.open_load, feed, period, workbook=workbook)
    stepped = SteppedLoad(opening, feed, url)
    for name in stepped.steps:
        with clock.whole(name) if name == "reconcile" else nullcontext():
            stepped.run(name)
    [rows] = stepped.returned["publish"]
    return stepped.load, rows


def main(name: str, period: str, workbook: str, url: str) -> None:
    """Run them, and print the seconds of each part."""
    save_memory()
    feed, clock = read_feed(name), Clock()
    clock.watch(engine_for(url))
    for part, name_of_call in (
        ("sums over the rows", "weighted_totals"),
        ("sums over the rows", "control_totals"),
        ("digests", "digest_of"),
    ):
        setattr(load_step, name_of_call, clock.timed(part, getattr(load_step, name_of_call)))
    started = time.perf_counter()
    _, rows = run(feed, date.fromisoformat(period), workbook, url, clock)
    wall = time.perf_counter() - started
    in_parts = sum(sum(parts.values()) for parts in clock.seconds.values())
    clock.seconds["work"]["Python, and COPY out of the dimension"] = wall - in_parts
    print(json.dumps({"wall": wall, "published": rows, **clock.seconds}))


if __name__ == "__main__":
    main(*sys.argv[1:])
