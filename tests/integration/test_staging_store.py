"""Staging in an object store: whole loads through a real server, workers that share nothing else, and what goes wrong."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pytest
from moto.server import ThreadedMotoServer

from factload import steps
from factload.checksum import sha256_of
from factload.errors import FactloadError, FeedError, TransientError
from factload.load import DimensionMap, PartitionFile
from factload.staging import objects
from factload.staging.files import StagingFile, open_table
from factload.staging.store import place_of, staging_store
from tests.chaos.faulty_process import FaultyProcess, wait_for
from tests.integration.commands import PERIOD as OPTIONS
from tests.integration.commands import doctor, factload, program
from tests.integration.opened import LOAD, Opened
from tests.integration.place import PERIOD, Place
from tests.s3_server import Fault, FaultyLine, S3Server, use

ROWS = [("A1", 10), ("B2", 20), ("nobody", 1)]
FACTS = [(1, "10.0000", LOAD), (2, "20.0000", LOAD)]
MANY = [("A1" if i % 2 else "B2", i) for i in range(5_000)]  # three partitions
_numbers = itertools.count(1)


@pytest.fixture
def url(s3: S3Server, place: Place, monkeypatch: pytest.MonkeyPatch) -> str:
    """A place in the store of this test alone, where staging lies; the environment says nothing else of it."""
    url = s3.hold_staging("staging", monkeypatch)
    use(s3.variables(), monkeypatch)
    return url


@pytest.fixture
def bucket(s3: S3Server, url: str) -> Any:
    """The store as somebody else sees it."""
    return s3.files()


def left(bucket: Any, url: str) -> list[str]:
    """The objects below the URL; this server shows empty folders, too."""
    return [name for name in bucket.find(url) if "@" in name or "doctor" in name]


def another_worker(place: Place, monkeypatch: pytest.MonkeyPatch) -> Path:
    """From here on this process works as one on another machine: its own folder is empty."""
    folder = place.home / f"worker-{next(_numbers)}"
    monkeypatch.setenv("FACTLOAD_CACHE", str(folder))
    return folder


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".lock")]


def test_the_environment_is_all_that_a_load_needs(place: Place, url: str, bucket: Any) -> None:
    place.workbook(ROWS)
    ended = program("run", "sales", *OPTIONS)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert place.facts() == FACTS
    assert left(bucket, url) == []
    again = factload("run", "sales", *OPTIONS)
    assert (again.returncode, "published 2" in again.stdout) == (0, True)


def test_an_object_s_name_holds_the_digest_of_its_content(place: Place, url: str, bucket: Any) -> None:
    place.workbook(MANY)
    opened = Opened(place, place.feed())
    made: list[PartitionFile | DimensionMap] = [*opened.split.partitions, *opened.maps]
    assert sorted(left(bucket, url)) == sorted(file.path.removeprefix("s3://") for file in made)
    for file in made:
        assert file.path.startswith(f"{url}/{LOAD}/{opened.load.epoch}/")
        assert file.sha256[:32] in file.path.rpartition("/")[2]
        assert bucket.cat_file(file.path) == (Path(place.home) / ".staging/cache" / file.sha256).read_bytes()


def test_workers_that_share_nothing_but_store_and_database(
    place: Place, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.workbook([*MANY, ("A1", 7), ("A1", 7)])
    load = Opened(place, place.feed())
    for step in (
        "load_partition 1",
        "load_partition 2",
        "load_partition 3",
        "reconcile",
        "publish",
        "clean_staging",
    ):
        another_worker(place, monkeypatch)
        load.run(step)
    assert place.rows("SELECT count(*), sum(metric)::int FROM fact_sales") == [(5_002, 12_497_514)]


def test_the_cell_of_a_duplicate_is_shown_by_any_worker(
    place: Place, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.workbook([("A1", 1), ("B2", 2), ("A1", 1)])
    load = Opened(place, place.feed({"fact.columns.metric.unique": True, "max_rejects": 5}))
    load.load_all()
    another_worker(place, monkeypatch)
    load.go_on("reconcile")
    assert place.rows("SELECT cell, raw FROM factload.rejects") == [("B4", "1")]


def test_a_map_is_fetched_once_a_worker_by_whichever_process_is_first(
    place: Place, s3: S3Server, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.workbook(MANY)
    with FaultyLine(s3) as line:
        use(line.variables, monkeypatch)
        load = Opened(place, place.feed())
        folder = another_worker(place, monkeypatch)
        line.asked.clear()
        calls = [load.call(f"load_partition {number}") for number in (1, 2, 3)]
        processes = [FaultyProcess(call) for call in calls]
        assert [process.end().error for process in processes] == [None] * 3
    [frozen] = load.maps
    name = frozen.path.rpartition("/")[2]
    assert len([asked for asked in line.asked if asked.startswith("GET") and name in asked]) == 1
    fetched = {frozen.sha256, *(partition.sha256 for partition in load.split.partitions)}
    assert {path.name for path in files_in(folder)} == fetched


def test_a_worker_s_folder_is_bounded_and_loads_go_on_without_what_it_let_go(
    place: Place, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACTLOAD_CACHE_BYTES", "1")
    place.workbook(MANY)
    load = Opened(place, place.feed())
    for step in load.steps:
        if step.startswith(("load_partition", "reconcile", "publish")):
            load.run(step)
            assert len(files_in(place.home / ".staging")) == 1
    assert place.rows("SELECT count(*), sum(metric)::int FROM fact_sales") == [(5_000, 12_497_500)]


def test_what_was_used_last_stays(place: Place, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place.workbook(MANY)
    load = Opened(place, place.feed())
    first, second, third = load.split.partitions
    monkeypatch.setenv(
        "FACTLOAD_CACHE_BYTES",
        str(sum(Path(place.home, ".staging/cache", p.sha256).stat().st_size for p in (first, second))),
    )
    folder = another_worker(place, monkeypatch)
    for partition in (first, second, first, third):
        open_table(partition.path, partition.sha256)
    assert {path.name for path in files_in(folder)} == {first.sha256, third.sha256}


def changed(bucket: Any, path: str) -> None:
    whole = bucket.cat_file(path)
    bucket.pipe_file(path, whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:])


def cut_short(bucket: Any, path: str) -> None:
    bucket.pipe_file(path, bucket.cat_file(path)[:-100])


def gone(bucket: Any, path: str) -> None:
    bucket.rm_file(path)


@pytest.mark.parametrize("harm", [changed, cut_short, gone])
@pytest.mark.parametrize("file", ["partition", "map"])
def test_a_damaged_object_is_noticed_and_mended_by_writing_it_again(
    place: Place,
    url: str,
    bucket: Any,
    monkeypatch: pytest.MonkeyPatch,
    harm: Callable[[Any, str], None],
    file: str,
) -> None:
    place.workbook(ROWS)
    load = Opened(place, place.feed())
    harm(bucket, load.split.partitions[0].path if file == "partition" else load.maps[0].path)
    another_worker(place, monkeypatch)
    with pytest.raises(TransientError) as caught:
        load.load_partition(0)
    assert caught.value.code == ("staging_missing" if harm is gone else "staging_altered")
    load.run("extract_dimension_map")
    load.run("split_workbook")
    another_worker(place, monkeypatch)
    load.go_on("load_partition")
    assert place.facts() == FACTS


def test_a_damaged_file_of_the_worker_is_fetched_again(place: Place, url: str) -> None:
    place.workbook(ROWS)
    load = Opened(place, place.feed())
    for path in files_in(place.home / ".staging"):
        path.write_bytes(b"damaged" + path.read_bytes()[7:])
    load.go_on("load_partition")
    assert place.facts() == FACTS


def put_large(load: Any) -> None:
    """A file of 24 MB, which is put in pieces."""
    file = StagingFile(place_of(load), pa.schema([("n", pa.int64())]))
    file.write(pa.record_batch({"n": np.arange(3_000_000)}))
    file.commit("large.{sha256}.arrow")


@pytest.mark.parametrize("size", ["small", "large"])
def test_killed_in_an_upload_leaves_nothing_that_is_taken_for_whole(
    place: Place, s3: S3Server, url: str, bucket: Any, monkeypatch: pytest.MonkeyPatch, size: str
) -> None:
    place.workbook(ROWS)
    load = Opened(place, place.feed())
    gone(bucket, load.split.partitions[0].path)
    with FaultyLine(s3, "silent", verb="PUT", times=1) as line:
        use(line.variables, monkeypatch)
        call = load.call("split_workbook") if size == "small" else partial(put_large, load.load)
        with FaultyProcess(call):
            wait_for(lambda: line.struck == 1, "an upload to begin")
            time.sleep(0.3)
    assert [name for name in left(bucket, url) if "map_" not in name] == []
    load.run("split_workbook")
    another_worker(place, monkeypatch)
    load.go_on("load_partition")
    assert place.facts() == FACTS
    assert left(bucket, url) == []


@pytest.mark.parametrize(
    ("fault", "verb", "times"),
    [
        ("refused", "PUT", 2), ("refused", "GET", 3), ("request cut", "PUT", 1), ("answer cut", "PUT", 1),
        ("answer cut", "GET", 2), ("slow", "", 2),
    ],
)  # fmt: skip
def test_a_store_that_fails_for_a_while_stops_no_load(
    place: Place, s3: S3Server, url: str, monkeypatch: pytest.MonkeyPatch, fault: Fault, verb: str, times: int
) -> None:
    place.workbook(ROWS)
    with FaultyLine(s3, fault, verb=verb, times=times) as line:
        use(line.variables, monkeypatch)
        load = Opened(place, place.feed())
        another_worker(place, monkeypatch)
        load.go_on("load_partition")
        assert line.struck == times
    assert place.facts() == FACTS


def refused(call: Callable[[], Any]) -> FactloadError:
    with pytest.raises(FactloadError) as caught:
        call()
    assert "secret" not in str(caught.value)
    return caught.value


def test_a_store_that_stays_away_is_worth_a_retry(
    place: Place, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("factload.staging.store_errors.PATIENCE_SECONDS", 1.0)
    monkeypatch.setattr(objects, "_PATIENCE_WITH_REMOVAL", 0.1)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    place.workbook(ROWS)
    error = refused(lambda: Opened(place, place.feed()))
    assert (error.code, error.retry) == ("store_unreachable", True)
    assert f"the store of {url} failed" in str(error)


def test_a_store_that_hangs_is_given_up(
    place: Place, s3: S3Server, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("factload.staging.store_errors.PATIENCE_SECONDS", 1.0)
    monkeypatch.setattr(objects, "_UPLOAD_SECONDS", 0.5)
    place.workbook(ROWS)
    with FaultyLine(s3, "silent", verb="PUT", times=1_000) as line:
        use(line.variables, monkeypatch)
        error = refused(lambda: Opened(place, place.feed()))
    assert (error.code, error.retry) == ("store_unreachable", True)


@pytest.mark.parametrize(
    ("variables", "code", "said"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "store_forbidden", "refuses these credentials"),
        ({"AWS_ACCESS_KEY_ID": "nobody"}, "store_forbidden", "refuses these credentials"),
        ({"AWS_ACCESS_KEY_ID": "reader", "AWS_SECRET_ACCESS_KEY": "reader-secret"}, "store_forbidden", "or what they ask for"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "true"}, "store_forbidden", "no credentials"),
        ({"FACTLOAD_STAGING_CONNECTION": "elsewhere"}, "connection_unknown", "AIRFLOW_CONN_ELSEWHERE"),
        ({"FACTLOAD_STAGING": "gs://staging/x"}, "protocol_unknown", "gcsfs"),
        ({"FACTLOAD_STAGING": "ftp://staging/x"}, "setting_invalid", "s3://, gs://, abfs://"),
    ],
)  # fmt: skip
def test_wrong_settings_are_a_sentence(
    place: Place, url: str, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], code: str, said: str
) -> None:
    place.workbook(ROWS)
    use(variables, monkeypatch)
    error = refused(lambda: Opened(place, place.feed()))
    assert (error.code, error.retry, said in str(error)) == (code, False, True)
    status, found = doctor()
    assert status == 2
    assert found["staging store" if code != "setting_invalid" else "setting"]["state"] == "problem"


def test_a_bucket_that_is_not_there(place: Place, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)  # the other one makes it
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("FACTLOAD_STAGING", "s3://nowhere/staging")
    try:
        place.workbook(ROWS)
        error = refused(lambda: Opened(place, place.feed()))
        assert (error.code, "there is no bucket for s3://nowhere/staging" in str(error)) == (
            "store_missing",
            True,
        )
        assert "there is no bucket" in doctor()[1]["staging store"]["seen"]
    finally:
        server.stop()


def test_clocks_that_differ_are_named(
    place: Place, s3: S3Server, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultyLine(s3, "another clock", times=1_000) as line:
        use(line.variables, monkeypatch)
        place.workbook(ROWS)
        error = refused(lambda: Opened(place, place.feed()))
    assert (error.code, error.retry, "clock" in str(error)) == ("store_clock", True, True)


def test_the_doctor_tries_the_store_and_leaves_nothing(place: Place, url: str, bucket: Any) -> None:
    place.workbook(ROWS)
    status, found = doctor()
    assert status == 0
    assert found["staging store"]["seen"].endswith("what is there is not created again")
    assert left(bucket, url) == []
    place.load()
    assert doctor()[1]["left-overs"]["seen"] == "none"


def test_the_doctor_names_the_right_that_is_missing(
    place: Place, s3: S3Server, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(s3.variables("reader"), monkeypatch)
    assert "does not let these credentials write objects" in doctor()[1]["staging store"]["seen"]


def test_credentials_of_a_connection(
    place: Place, s3: S3Server, url: str, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = s3.variables()
    for name in variables:
        monkeypatch.delenv(name)
    key, secret = variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"]
    endpoint = variables["AWS_ENDPOINT_URL"].replace(":", "%3A").replace("/", "%2F")
    monkeypatch.setenv("FACTLOAD_STAGING_CONNECTION", "store")
    monkeypatch.setenv("AIRFLOW_CONN_STORE", f"aws://{key}:{secret}@/?endpoint_url={endpoint}")
    place.workbook(ROWS)
    assert factload("run", "sales", *OPTIONS).returncode == 0
    assert place.facts() == FACTS


def test_what_nobody_came_back_for_is_swept_from_the_store_and_nothing_younger(
    place: Place, url: str, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.workbook(ROWS)
    load = Opened(place, place.feed())
    place.workbook(ROWS, PERIOD.replace(day=6))
    for aged in ("attempts SET opened_at = opened_at", "steps SET finished_at = finished_at"):
        place.execute(f"UPDATE factload.{aged} - interval '15 days'")
    next_load = partial(steps.open_load, place.feed(), PERIOD.replace(day=6), database=place.url)
    next_load()
    assert len(left(bucket, url)) == 2  # of another database, perhaps: the objects are young
    later = SimpleNamespace(time=lambda: time.time() + 15 * 86_400)
    monkeypatch.setattr(objects, "time", later)
    next_load()
    assert [name for name in left(bucket, url) if LOAD in name] == []
    load.run("extract_dimension_map")
    load.run("split_workbook")
    load.go_on("load_partition")
    assert place.rows("SELECT count(*) FROM fact_sales") == [(2,)]


def test_neither_staging_nor_workbooks_need_a_shared_disk(
    place: Place, url: str, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = f"s3://staging/inbox-{next(_numbers)}"
    bucket.put_file(str(place.workbook(ROWS)), f"{root}/sales_{PERIOD}.xlsx")
    monkeypatch.setenv("FACTLOAD_ALLOWED_ROOTS", root)
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    load = Opened(place, place.feed({"workbook.path": f"{root}/sales_{{period}}.xlsx"}))
    another_worker(place, monkeypatch)
    load.run("split_workbook")
    bucket.put_file(str(place.workbook([("A1", 99)])), f"{root}/sales_{PERIOD}.xlsx")
    another_worker(place, monkeypatch)
    assert refused(lambda: load.run("split_workbook")).code == "workbook_changed"
    load.go_on("load_partition")
    assert place.facts() == FACTS


def test_files_of_an_earlier_attempt_go_as_the_next_one_opens(place: Place, url: str, bucket: Any) -> None:
    place.workbook(ROWS)
    Opened(place, place.feed())
    newer = Opened(place, place.feed())
    assert {name.split("/")[3] for name in left(bucket, url)} == {str(newer.load.epoch)}


def test_a_store_that_is_away_when_staging_is_removed_stops_no_published_load(
    place: Place, s3: S3Server, url: str, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "_PATIENCE_WITH_REMOVAL", 0.5)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    place.workbook(ROWS)
    with FaultyLine(s3, "refused", verb="POST", times=1_000) as line:
        use(line.variables, monkeypatch)
        assert place.load().load_id == LOAD
    assert place.facts() == FACTS
    assert len(left(bucket, url)) == 2
    assert place.load().already_published  # and takes it away
    assert len(left(bucket, url)) == 2


def test_two_that_put_the_same_both_find_it_whole(place: Place, url: str) -> None:
    place.workbook(ROWS)
    load = Opened(place, place.feed())
    [partition] = load.split.partitions
    with ThreadPoolExecutor(2) as both:
        splits = list(both.map(lambda _: load.call("split_workbook")(), range(2)))
    assert [split.partitions for split in splits] == [(partition,)] * 2
    assert sha256_of(staging_store().open(partition.path, partition.sha256)) == partition.sha256


def test_a_store_that_can_t_be_asked_to_create_once_is_written_all_the_same(
    place: Place, s3: S3Server, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.workbook(ROWS)
    with FaultyLine(s3, "no condition", verb="PUT", times=1) as line:
        use(line.variables, monkeypatch)
        place.load()
        assert line.struck == 1
    assert place.facts() == FACTS


def test_a_file_of_another_store_is_not_asked_for(place: Place, url: str) -> None:
    with pytest.raises(FeedError, match="the same FACTLOAD_STAGING on all workers"):
        open_table("s3://elsewhere/tests/file.arrow", "0" * 64)
