"""The command line: what it prints, what it ends with, and what it says of bad input, in one line."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.feeds import ABSENT, SALES, changed
from tests.integration.commands import PERIOD, factload, program
from tests.integration.place import Place
from tests.workbooks import first_sheet


def report_of(result: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def test_run_reports_what_was_published(place: Place) -> None:
    place.workbook([("A1", 1.5), ("B2", 2), ("nobody", 3)])
    result = program("run", "sales", *PERIOD, "--json")
    assert (result.returncode, result.stderr) == (0, "")
    report = report_of(result)
    assert set(report) >= {
        "feed", "period", "load_id", "state", "error", "rows", "rejects", "control_totals", "seconds", "peak_rss_mb"
    }  # fmt: skip
    assert report["state"] == "published"
    assert report["error"] is None
    assert report["workers"] == {socket.gethostname(): 1}
    assert report["rows"] == {"source": 3, "blank": 0, "rejected": 1, "staged": 2, "published": 2}
    assert report["rejects"] == {"unmatched_key": 1}
    assert report["control_totals"] == {"metric": {"source": "3.5000", "published": "3.5000"}}
    assert set(report["seconds"]) == set(report["peak_rss_mb"]) == {
        "open_load", "extract_dimension_map", "split_workbook", "load_partition", "reconcile", "publish", "clean_staging"
    }  # fmt: skip


def test_run_for_people_has_no_bars_in_a_pipe(place: Place) -> None:
    place.workbook([("A1", 1.5), ("nobody", 3)])
    result = program("run", "sales", *PERIOD)
    assert (result.returncode, result.stderr) == (0, "")
    assert "source 2 = blank 0 + rejected 1 + staged 1;  published 1" in result.stdout
    assert "\x1b" not in result.stdout


def test_check_says_what_would_happen_and_writes_nothing(place: Place) -> None:
    place.workbook([("A1", 1.5), ("nobody", 3)])
    result = factload("check", "sales", *PERIOD, "--json")
    assert result.returncode == 0
    assert report_of(result)["state"] == "ready"
    assert report_of(result)["rows"] == {"source": 2, "blank": 0, "rejected": 1, "staged": 1, "published": 0}
    assert place.rows("SELECT 1 FROM pg_namespace WHERE nspname LIKE 'factload%'") == []
    assert sorted(p.name for p in place.home.iterdir()) == ["inbox", "include"]


def test_check_ends_as_the_load_would(place: Place) -> None:
    place.workbook([("A1", 1.5), ("nobody", 3), ("no one", 4)])
    place.feed_file({"max_rejects": "50%"})
    result = factload("check", "sales", *PERIOD, "--json")
    assert (result.returncode, report_of(result)["state"]) == (3, "held")
    assert "2 of 3 rows would be rejected" in result.stderr


def test_status_and_rejects(place: Place, tmp_path: Path) -> None:
    place.workbook([("A1", 1.5), ("+cmd()", 3), ("<script>", 4), ("A1", "n/a")])
    place.feed_file({"max_rejects": "50%"})
    assert factload("run", "sales", *PERIOD).returncode == 3
    [line] = json.loads(factload("status", "--json").stdout)
    assert (line["load_id"], line["state"], line["rejected"]) == ("sales@2026-11-05", "held", 3)
    assert "sales@2026-11-05" in factload("status", "sales").stdout

    listed = factload("rejects", "sales@2026-11-05").stdout.splitlines()
    name = "inbox/sales_2026-11-05.xlsx"
    assert [row.split("\t")[:7] for row in listed[1:]] == [
        [name, "Facts", "3", "Facts!A3", "business_key", "+cmd()", "unmatched_key"],
        [name, "Facts", "4", "Facts!A4", "business_key", "<script>", "unmatched_key"],
        [name, "Facts", "5", "Facts!B5", "metric", "n/a", "not_a_number"],
    ]
    target = tmp_path / "rejects.xlsx"
    assert factload("rejects", "sales@2026-11-05", "--xlsx", str(target)).stdout.startswith("3 rejected rows")
    sheet = first_sheet(openpyxl.load_workbook(target))
    assert [cell.value for cell in sheet[2]][1:5] == [3, name, "Facts", 3]
    cell = sheet["A2"]
    assert (cell.value, cell.data_type) == ("+cmd()", "s")


def _no_such_feed(place: Place) -> tuple[str, ...]:
    return ("run", "sale", *PERIOD)


def _typo(place: Place) -> tuple[str, ...]:
    path = place.feed_file()
    path.write_text(path.read_text().replace("normalize", "normalise"))
    return ("run", "sales", *PERIOD)


def _no_workbook(place: Place) -> tuple[str, ...]:
    return ("run", "sales", "--period", "2030-01-01")


def _outside(place: Place) -> tuple[str, ...]:
    return ("run", "sales", *PERIOD, "--workbook", "/etc/hostname")


def _no_sheet(place: Place) -> tuple[str, ...]:
    place.workbook([("A1", 1)], sheet="Other")
    return ("run", "sales", *PERIOD)


def _no_header(place: Place) -> tuple[str, ...]:
    place.feed_file({"fact.columns.metric.column": "amount"})
    return ("run", "sales", *PERIOD)


def _no_table(place: Place) -> tuple[str, ...]:
    place.feed_file({"fact.table": "fact_sale"})
    return ("run", "sales", *PERIOD)


def _no_fact_column(place: Place) -> tuple[str, ...]:
    place.feed_file({"fact.columns.dimension_id": ABSENT, "fact.columns.dimension": {"dimension": "product"}})
    return ("run", "sales", *PERIOD)


def _no_key_column(place: Place) -> tuple[str, ...]:
    place.feed_file({"dimensions.product.business_key": "key"})
    return ("run", "sales", *PERIOD)


def _wrong_type(place: Place) -> tuple[str, ...]:
    place.feed_file({"fact.columns.metric.type": "numeric(20,4)"})
    return ("run", "sales", *PERIOD)


def _not_a_workbook(place: Place) -> tuple[str, ...]:
    (place.home / "inbox/sales_2026-11-05.xlsx").write_text("business_key,metric\nA1,1\n")
    return ("run", "sales", *PERIOD)


def _truncated(place: Place) -> tuple[str, ...]:
    path = place.home / "inbox/sales_2026-11-05.xlsx"
    path.write_bytes(path.read_bytes()[:2_000])
    return ("run", "sales", *PERIOD)


def _encrypted(place: Place) -> tuple[str, ...]:
    # An OLE container with an EncryptedPackage, which is what Excel makes of a workbook with a password.
    name = "EncryptedPackage".encode("utf-16-le")
    path = place.home / "inbox/sales_2026-11-05.xlsx"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1_016) + name + bytes(3_000))
    return ("run", "sales", *PERIOD)


def _database_down(place: Place) -> tuple[str, ...]:
    return ("run", "sales", *PERIOD, "--url", "postgresql://nobody@127.0.0.1:1/none")


def _not_postgresql(place: Place) -> tuple[str, ...]:
    return ("run", "sales", *PERIOD, "--url", "sqlite:///x.db")


# Before a load is opened, as it is opened, in a worker: each ends the command in a way of its own.
_TYPED = (_no_such_feed, _database_down, _no_header)


@pytest.mark.parametrize(
    ("spoil", "status", "message"),
    [
        (_no_such_feed, 2, "Did you mean sales?"),
        (_typo, 2, "sales.yaml:10: dimensions.product.normalise: is not a field here. Did you mean normalize?"),
        (_no_workbook, 3, "there is no workbook"),
        (_outside, 3, "outside the allowed roots"),
        (_no_sheet, 3, "Other"),
        (_no_header, 3, "amount"),
        (_no_table, 2, "there is no table fact_sale in the database"),
        (_no_fact_column, 2, "table fact_sales has no column dimension, which fact.columns.dimension names"),
        (_no_key_column, 2, "table dim_product has no column key, which dimensions.product.business_key names"),
        (_wrong_type, 2, "fact.columns.metric is declared numeric(20,4), and fact_sales.metric is numeric(18, 4)"),
        (_not_a_workbook, 3, "doesn't begin as a workbook does"),
        (_truncated, 3, "lacks its end"),
        (_encrypted, 3, "protected by a password"),
        (_database_down, 4, "the database did not answer"),
        (_not_postgresql, 2, "sqlite is not PostgreSQL"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_with_the_right_status_and_changes_nothing(
    place: Place, spoil: Any, status: int, message: str
) -> None:
    place.workbook([("A1", 1)])
    place.execute("INSERT INTO fact_sales (dimension_id, metric, load_id) VALUES (1, 9, 'other')")
    call = program if spoil in _TYPED else factload
    result = call(*spoil(place), "--json")
    assert result.returncode == status, result.stderr
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert "Traceback" not in result.stderr
    report = report_of(result)
    assert report["error"]["message"] in result.stderr
    assert report["state"] == ("refused" if status == 3 else "failed")
    assert place.facts() == [(1, "9.0000", "other")]


def test_usage_errors_end_with_2() -> None:
    for arguments in (("run",), ("run", "sales", "--period", "yesterday"), ("walk",)):
        result = program(*arguments)
        assert result.returncode == 2
        assert "Traceback" not in result.stderr


def test_help_is_for_newcomers() -> None:
    text = program("--help").stdout
    for word in ("check", "run", "status", "rejects", "exit status"):
        assert word in text


def test_status_asks_the_named_database_where_there_is_no_feed_file(place: Place) -> None:
    place.workbook([("A1", 1.5)])
    assert factload("run", "sales", *PERIOD).returncode == 0
    elsewhere = place.home / "elsewhere"
    elsewhere.mkdir()
    result = factload("status", FACTLOAD_HOME=str(elsewhere))
    assert (result.returncode, result.stderr) == (0, "")
    assert "sales@2026-11-05" in result.stdout

    unnamed = factload("status", FACTLOAD_HOME=str(elsewhere), FACTLOAD_CONN_WAREHOUSE="")
    assert (unnamed.returncode, unnamed.stdout) == (2, "")
    assert f"there is no feed file in {elsewhere}/include/feeds, so no database to ask" in unnamed.stderr


def test_status_shows_the_other_feeds_beside_one_that_is_broken_or_has_no_connection(place: Place) -> None:
    place.workbook([("A1", 1.5)])
    assert factload("run", "sales", *PERIOD).returncode == 0
    feeds = place.home / "include/feeds"
    (feeds / "broken.yaml").write_text("feed: broken", encoding="utf-8")
    other = changed(SALES, {"feed": "other", "fact.connection": "nowhere"})
    (feeds / "other.yaml").write_text(other, encoding="utf-8")
    result = factload("status")
    assert result.returncode == 2
    assert "sales@2026-11-05" in result.stdout
    assert "broken.yaml:1: workbook: is missing" in result.stderr
    assert "connection nowhere is not known here" in result.stderr
    assert [line["load_id"] for line in json.loads(factload("status", "--json").stdout)] == [
        "sales@2026-11-05"
    ]


def test_status_says_of_one_feed_alone_that_it_has_no_loads(place: Place) -> None:
    place.workbook([("A1", 1.5)])
    assert factload("run", "sales", *PERIOD).returncode == 0
    feeds = place.home / "include/feeds"
    (feeds / "other.yaml").write_text(changed(SALES, {"feed": "other"}), encoding="utf-8")
    assert factload("status", "other").stdout == "The ledger has no loads of other.\n"


def test_the_version_is_told_by_the_command_and_by_the_module() -> None:
    by_module = subprocess.run(
        [sys.executable, "-m", "factload", "--version"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert program("--version").stdout == by_module.stdout == f"factload {version('factload')}\n"
