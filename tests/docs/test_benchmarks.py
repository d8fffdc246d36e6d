"""docs/benchmarks.md says what its run has measured, of all who take part."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from openpyxl import load_workbook

from benchmarks import defects, page, published
from benchmarks.contestants import ALL, BY_NAME, LOAD, PEERS, PROJECT, Contestant
from benchmarks.data import sample, write_ready_rows
from benchmarks.published import PAGE
from benchmarks.tables import TABLES_BY_NAME

DOCUMENT = published.read()
PAGE_TEXT = PAGE.read_text(encoding="utf-8")


def test_the_page_is_made_of_its_results() -> None:
    assert page.filled(PAGE_TEXT, DOCUMENT, page.PARTS) == PAGE_TEXT, "run `python -m benchmarks.published`"


def test_the_page_has_every_part() -> None:
    for part in ("environment", "standing", "contestants", "tables", "loads", "readers", "shapes", "defects"):
        assert f"<!-- measured: {part} -->\n" in PAGE_TEXT


def test_a_figure_changed_by_hand_is_seen() -> None:
    changed = PAGE_TEXT.replace("Measured with", "Measured  with").replace("| Python |", "| Python | 1.0")
    assert page.filled(changed, DOCUMENT, page.PARTS) != changed


def test_results_are_of_contestants_and_tables_that_there_are() -> None:
    assert DOCUMENT["loads"]
    for of_size in DOCUMENT["loads"].values():
        assert set(of_size) <= set(TABLES_BY_NAME)
        for measured in of_size.values():
            assert set(measured["results"]) <= set(BY_NAME)


def test_a_page_without_results_says_what_it_lacks() -> None:
    parts = "".join(f"<!-- measured: {part} -->\n<!-- end -->\n" for part in ("standing", "loads", "defects"))
    shown = page.filled(parts, {"environment": {}}, page.PARTS)
    assert "Not measured yet with these versions: 2,000, 80,000, 800,000, 8,000,000 rows." in shown
    assert "Not tried yet" in shown


def test_what_was_wrong_has_no_time() -> None:
    found = {"runs": 5, "seconds": 1.0, "least": 1.0, "most": 1.0, "cpu": 1.0, "server_cpu": 1.0, "call": 0.0}
    results = {
        "polars_adbc": {**found, "memory_mb": 1.0, "others": 0.0, "ok": True},
        "duckdb": {**found, "seconds": 0.5, "memory_mb": 1.0, "others": 0.0, "ok": False},
    }
    document = {"loads": {"2000": {"bare": {"date": "2026-11-26", "results": results}}}}
    shown = page.filled("<!-- measured: loads -->\n<!-- end -->\n", document, page.PARTS)
    assert "| duckdb" not in shown
    assert "Without a right result, so without a time: duckdb." in shown


@pytest.mark.parametrize("seconds, sentence", [(0.5, "factload is first"), (2.0, "factload is not first")])
def test_who_is_first_is_said(seconds: float, sentence: str) -> None:
    found = {"runs": 5, "least": 1.0, "most": 1.0, "cpu": 1.0, "server_cpu": 1.0, "call": 0.0}
    found |= {"memory_mb": 1.0, "others": 0.0, "ok": True}
    results = {
        "factload_core": {**found, "seconds": seconds},
        "polars_adbc": {**found, "seconds": 1.0},
        "floor": {**found, "seconds": 0.1},
    }
    document = {"loads": {"2000": {"bare": {"date": "2026-11-26", "results": results}}}}
    assert sentence in page.filled("<!-- measured: loads -->\n<!-- end -->\n", document, page.PARTS)


KEYS = {"P0000007": 7, "0012345": 100, "12345": 200}
GOOD = (1_999, Decimal("50.00"), 4_000)
DEFECT = {defect.name: defect for defect in defects.DEFECTS}


@pytest.mark.parametrize(
    "name, facts, said, sentence",
    [
        ("unmatched_key", GOOD, "", "**left out without a word**"),
        ("unmatched_key", GOOD, "unmatched_key", "handed back as `unmatched_key`; the others are loaded"),
        ("unmatched_key", (0, Decimal(0), 0), "KeyError", "stops with `KeyError`; nothing is loaded"),
        ("unmatched_key", (0, Decimal(0), 0), "", "**loads nothing, without a word**"),
        ("unmatched_key", (2_000, Decimal("51.50"), 4_009), "", "**loaded with a key that there isn't**"),
        ("error_cell", (2_000, Decimal("50.00"), 4_007), "", "**loaded with 0 as its measure**"),
        (
            "error_cell",
            (1_199, Decimal("31.00"), 2_000),
            "NotNullViolation",
            "stops with `NotNullViolation`; **1,199 of 2,000 rows are in the table**",
        ),
        ("zeros_in_text", (2_000, Decimal("51.50"), 4_100), "", "loaded as shown"),
        ("zeros_in_text", (2_000, Decimal("51.50"), 4_200), "", "loaded as `12345`"),
        (
            "zeros_in_text",
            (1_999, Decimal("50.01"), 4_000),
            "",
            "ends without a word; **1,999 of 2,000 rows are in the table**",
        ),
    ],
)
def test_what_became_of_a_defect_is_told_by_the_rows(
    name: str, facts: tuple[int, Decimal, int], said: str, sentence: str
) -> None:
    assert defects.sentence_of(DEFECT[name], KEYS, GOOD, facts, said) == sentence


PROGRAMS = [contestant for contestant in ALL if contestant.script]
LOADERS = [contestant for contestant in ALL if contestant.kind == "load"]
OURS = [contestant for contestant in ALL if contestant.kind == "factload"]


class TestContestants:
    @pytest.mark.parametrize("contestant", PROGRAMS, ids=lambda contestant: contestant.name)
    def test_each_peer_is_a_program(self, contestant: Contestant) -> None:
        assert (PEERS / contestant.script).is_file()

    @pytest.mark.parametrize("contestant", LOADERS, ids=lambda contestant: contestant.name)
    def test_all_write_the_same_into_the_load_column(self, contestant: Contestant) -> None:
        assert LOAD in (PEERS / contestant.script).read_text(encoding="utf-8")

    @pytest.mark.parametrize("contestant", OURS, ids=lambda contestant: contestant.name)
    def test_ours_have_the_demo_s_feed_with_their_own_insert_and_mode(
        self, contestant: Contestant, tmp_path: Path
    ) -> None:
        folder = Path(contestant.environment(tmp_path)["FACTLOAD_FEEDS"])
        feed = yaml.safe_load((folder / "sales.yaml").read_text(encoding="utf-8"))
        expected = yaml.safe_load((PROJECT / "include/feeds/sales.yaml").read_text(encoding="utf-8"))
        expected["insert"] = contestant.insert
        expected["fact"]["mode"] = contestant.mode
        assert feed == expected
        assert expected["fact"]["load_column"] == "load_id"

    def test_what_makes_its_partition_loads_no_other_table(self) -> None:
        assert {contestant.name for contestant in ALL if contestant.makes_partitions} == {
            "factload_exchange",
            "factload_exchange_copy",
        }


class TestSamples:
    def test_many_workbooks_have_the_rows_of_one_load(self, tmp_path: Path) -> None:
        made = sample(tmp_path, 1_000, members=50, workbooks=3)
        assert [path.name for path in made.workbooks] == ["01.xlsx", "02.xlsx", "03.xlsx"]
        sheets = [load_workbook(path)["Facts"] for path in made.workbooks]
        rows = [row for sheet in sheets for row in sheet.iter_rows(min_row=2, values_only=True)]
        assert len(rows) == made.rows == 1_000
        assert sum(Decimal(str(row[1])) for row in rows) == made.total

    def test_the_ready_rows_are_those_of_the_workbooks(self, tmp_path: Path) -> None:
        made = sample(tmp_path, 1_000, members=50, workbooks=3)
        keys = {f"P{number:07d}": 7 * number + 1 for number in range(50)}
        total = write_ready_rows(tmp_path / "ready.csv", made, keys, 50)
        with (tmp_path / "ready.csv").open(newline="") as file:
            ready = list(csv.reader(file))
        assert len(ready) == 1_000
        assert sum(Decimal(row[1]) for row in ready) == made.total
        assert sum(int(row[0]) for row in ready) == total
        assert {row[2] for row in ready} == {LOAD}
