"""What a run leaves when it is cut short around its ends: the next run takes it away, or finds nothing to do."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from factload import steps
from factload.errors import Superseded
from factload.load import Load
from factload.staging.store import place_of
from tests.integration.commands import PERIOD as OPTIONS
from tests.integration.commands import doctor, factload
from tests.integration.opened import Opened
from tests.integration.place import PERIOD, Place

pytestmark = pytest.mark.timeout(180)


def published_and_not_cleaned(place: Place) -> Opened:
    place.workbook([("A1", 1), ("B2", 2)])
    opened = Opened(place, place.feed())
    opened.load_all()
    opened.reconcile()
    opened.publish()
    return opened


def test_a_load_that_was_killed_before_it_was_cleaned_is_cleaned_by_the_next_run(place: Place) -> None:
    opened = published_and_not_cleaned(place)
    place.execute(
        "UPDATE factload.attempts SET opened_at = now() - interval '1 hour', ended_at = now() - interval '1 hour'"
    )
    place.execute("UPDATE factload.steps SET finished_at = now() - interval '1 hour'")
    left = doctor()[1]["left-overs"]
    assert "`factload run sales --period 2026-11-05` removes it" in left["remedy"]
    assert factload("run", "sales", *OPTIONS).returncode == 0
    assert doctor()[1]["left-overs"]["seen"] == "none"
    assert place.rows("SELECT to_regclass(:name)", name=opened.staging) == [(None,)]
    assert not place_of(opened.load).folder.exists()
    assert place.rows("SELECT count(*) FROM factload.attempts") == [(1,)]


def test_a_published_load_is_left_alone_where_nothing_may_be_written(place: Place) -> None:
    published_and_not_cleaned(place)
    place.execute(f"ALTER DATABASE {place.engine.url.database} SET default_transaction_read_only = on")
    again = factload("run", "sales", *OPTIONS)
    assert again.returncode == 0
    assert "published 2" in again.stdout
    reload = factload("run", "sales", *OPTIONS, "--reload")
    assert reload.returncode == 4
    assert "the database takes no changes" in reload.stderr
    status, found = doctor()
    assert status == 4
    assert found["database"]["seen"] == "default_transaction_read_only is on: it takes no changes"


def test_an_attempt_that_another_took_over_has_ended(place: Place) -> None:
    place.workbook([("A1", 1)])
    first = Opened(place, place.feed())
    place.load(reload=True)
    states = "SELECT epoch, state, error_code, ended_at IS NOT NULL FROM factload.attempts ORDER BY 1"
    assert place.rows(states) == [(1, "failed", "superseded", True), (2, "published", None, True)]
    with pytest.raises(Superseded):
        first.reconcile()


def test_who_misses_its_files_is_told_of_the_newer_attempt(place: Place) -> None:
    """A newer attempt removes the folders before its own: no disk is at fault."""
    place.workbook([("A1", 1)] * 5_000)
    feed = place.feed()
    load = steps.open_load(feed, PERIOD, database=place.url)
    newer: list[Load] = []

    def taken_over(_: int) -> None:
        if not newer:
            newer.append(steps.open_load(feed, PERIOD, database=place.url, reload=True))

    with pytest.raises(Superseded, match=r"attempt 1 at .* is no longer the newest \(that is 2\)"):
        steps.split_workbook(load, feed, database=place.url, progress=taken_over)


# The signal comes so long after the command has begun: before that it is Python's own.
TOLD_TO_STOP = """
import os, signal, sys, threading, time
from factload.__main__ import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts in the background is born deaf to it
after, begun = float(sys.argv.pop(1)), threading.Event()
def stop():
    begun.wait()
    time.sleep(after)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=stop, daemon=True).start()
begun.set()
sys.exit(main())
"""
# Python can't raise in a callback: what Ctrl-C raises there is swallowed.
TOLD_IN_A_CALLBACK = """
import signal, sys
from factload.__main__ import main
signal.signal(signal.SIGINT, signal.default_int_handler)
class Told:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)
class Imports:
    def find_spec(self, name, path=None, target=None):
        if name == "factload.errors":
            Told()
sys.meta_path.insert(0, Imports())
sys.exit(main())
"""


@pytest.mark.parametrize("after", [0.01, 0.05, 0.15, 0.3, 0.6])
def test_stop_is_one_line_from_the_first_moment_on(place: Place, after: float) -> None:
    place.workbook([("A1", 1)])
    for command in (("run", "sales", *OPTIONS), ("status",)):
        ended = subprocess.run(
            [sys.executable, "-c", TOLD_TO_STOP, str(after), *command],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert "Traceback" not in ended.stderr
        assert ended.returncode in (0, 4), ended.stderr
        if ended.returncode == 4:
            assert ended.stderr.count("\n") == 1
            assert "interrupted" in ended.stderr


def test_stop_in_a_callback_of_an_import_is_one_line_too() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", TOLD_IN_A_CALLBACK, "--version"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, ended.stderr) == (4, "factload: interrupted. Run the command again.\n")


@pytest.mark.parametrize("files", [10, 14, 16])
def test_too_few_open_files_is_one_line(place: Place, files: int) -> None:
    place.workbook([("A1", 1)])
    limit = (files, files)
    ended = subprocess.run(
        # Not the script: in a folder with a space that is a shell's, which needs a file of its own.
        [sys.executable, "-m", "factload", "run", "sales", *OPTIONS],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, limit),
    )
    assert ended.returncode == 4, ended.stderr
    assert ended.stderr.startswith("factload: ")
    assert ended.stderr.count("\n") == 1
