"""Rejected rows from reject to fact: sent out, corrected, replayed, loaded again, loaded by a changed feed, delivered again.

The whole fact table is compared at each step.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from factload.check.load import check_load
from factload.errors import RowsRefused
from factload.feed.file import read_feed_file
from factload.feed.model import Feed
from factload.progress import Quiet
from factload.reports.report import read_report
from tests.integration.place import PERIOD, Place
from tests.integration.resaved import corrected, resaved, write_ods

LOAD = "sales@2026-11-05"
COLUMNS = """
feed: sales
workbook:
  path: "inbox/{file}"{described}
dimensions:
  product: {{table: dim_product, business_key: business_key, surrogate_key: primary_synthetic_key, column: key}}
fact:
  connection: warehouse
  table: fact_sales
  columns:
    dimension_id: {{dimension: product}}
    metric: {{column: amount, type: "numeric(18,4)", required: true{more}}}
    sold: {{column: sold, type: date}}
    note: {{column: note, type: text}}
    source_row: {{provenance: row}}
  mode: replace
  load_column: load_id
max_rejects: 100%
"""
Facts = list[tuple[Any, ...]]


class Journey:
    """One feed, its deliveries, and what is in the fact table after each step."""

    def __init__(self, place: Place, file: str, described: str = "") -> None:
        self.place, self.file, self.described = place, file, described
        place.execute("ALTER TABLE fact_sales ADD sold date, ADD note text, ADD source_row bigint")

    def feed(self, more: str = "") -> Feed:
        path = self.place.home / "include/feeds/sales.yaml"
        path.write_text(COLUMNS.format(file=self.file, described=self.described, more=more), encoding="utf-8")
        return read_feed_file(path)

    def facts(self) -> Facts:
        return self.place.rows(
            "SELECT source_row, dimension_id, metric::text, sold::text, note FROM fact_sales ORDER BY source_row, 2, 3"
        )

    def rejects(self) -> list[tuple[Any, ...]]:
        return [(r.row, r.cell, r.raw, r.reason) for r in self.place.rejects()]

    def sent_back(self, name: str, changes: dict[tuple[int, str], Any]) -> str:
        """The rejects, written, corrected, and saved as ``name``."""
        return self.place.sent_back(self.feed(), name, changes)

    def attempts(self) -> int:
        return int(self.place.rows("SELECT count(*) FROM factload.attempts")[0][0])

    def warnings(self) -> Sequence[str]:
        return read_report(self.place.url, LOAD).warnings


CSV = "key;amount;sold;note\r\n" + "".join(
    f"{line}\r\n"
    for line in (
        "A1;1,5;2026-11-01;fine",
        "nobody;1234,56;2026-11-02;\u0001ctl _x0041_",
        "B2;much;2026-11-03;=1+1",
        'A1;-7,25;03.11.2026;"two\nlines"',
        "nobody;;2026-11-05;",
        "00123;9;2026-11-06;007",
    )
)
CSV_FIRST: Facts = [
    (2, 1, "1.5000", "2026-11-01", "fine"),
    (8, 3, "9.0000", "2026-11-06", "007"),
]


@pytest.mark.parametrize("kind", ["xlsx", "xls", "ods", "csv"])
def test_the_rejects_of_a_csv_feed(kind: str, place: Place) -> None:
    journey = Journey(place, "sales.csv", '\n  csv: {delimiter: ";", decimal: ","}')
    delivery = place.home / "inbox/sales.csv"
    delivery.write_bytes(CSV.encode())

    # reject
    place.load(journey.feed())
    assert journey.facts() == CSV_FIRST
    assert journey.rejects() == [
        (3, "A3", "nobody", "unmatched_key"),
        (4, "B4", "much", "not_a_number"),
        (5, "C5", "03.11.2026", "not_a_date"),
        (7, "B7", None, "blank_value"),
    ]

    # correct and replay: typed as numbers and dates where the kind of file has them, as text in a csv file
    typed = kind != "csv"
    first = journey.sent_back(
        f"first.{kind}",
        {
            (3, "key"): "B2",
            (4, "amount"): 2.5 if typed else "2,5",
            (5, "sold"): datetime(2026, 11, 3) if typed else "2026-11-03",
            (7, "amount"): 4 if typed else "4",
        },
    )
    place.replay(journey.feed(), first)
    second = [
        CSV_FIRST[0],
        (3, 2, "1234.5600", "2026-11-02", "\u0001ctl _x0041_"),
        (4, 2, "2.5000", "2026-11-03", "=1+1"),
        (5, 1, "-7.2500", "2026-11-03", "two\nlines"),
        CSV_FIRST[1],
    ]
    assert journey.facts() == second
    assert journey.rejects() == [(7, "A7", "nobody", "unmatched_key")]
    assert read_report(place.url, LOAD).rows["source"] == 6

    # once more, and the nightly run: nothing changes
    place.replay(journey.feed(), first)
    attempts = journey.attempts()
    place.load(journey.feed())
    assert (journey.facts(), journey.attempts()) == (second, attempts)

    # what is still wrong comes back as it was corrected so far; only the rest is to be corrected
    place.replay(journey.feed(), journey.sent_back(f"second.{kind}", {(7, "key"): "A1"}))
    third = [*second[:4], (7, 1, "4.0000", "2026-11-05", None), CSV_FIRST[1]]
    assert journey.facts() == third
    assert journey.rejects() == []

    # reload, without the workbooks that came back
    for path in (place.home / "inbox").glob("*.*"):
        if path != delivery:
            path.unlink()
    place.load(journey.feed(), reload=True)
    assert journey.facts() == third

    # a changed feed: its new rule is for corrected rows as well
    place.load(journey.feed(more=", min: 0"))
    assert journey.facts() == [row for row in third if not row[2].startswith("-")]
    assert journey.rejects() == [(5, "B5", "-7,25", "below_minimum")]
    place.load(journey.feed())
    assert journey.facts() == third

    # another delivery: a row that is gone or another takes its correction along, the others keep theirs
    delivery.write_bytes(CSV.replace("B2;much", "B2;8").replace("nobody;;", "A1;6;").encode())
    place.load(journey.feed())
    assert journey.facts() == [
        *third[:2],
        (4, 2, "8.0000", "2026-11-03", "=1+1"),
        third[3],
        (7, 1, "6.0000", "2026-11-05", None),
        third[5],
    ]
    assert journey.warnings() == [
        "the corrections of sales.csv sales row 4, sales.csv sales row 7 were left out: the workbook no longer has these rows"
    ]


ODS: list[tuple[Any, ...]] = [
    ("key", "amount", "sold", "note", "unread"),
    ("A1", 1.5, datetime(2026, 11, 1), "fine", 1),
    ("nobody", 0.1, datetime(2026, 11, 2), "a  b", True),
    ("B2", "n/a", datetime(2026, 11, 3), "_x0041_", "kept"),
    (123, 12, "soon", "x", None),
    ("nobody", 3, None, None, None),
]


@pytest.mark.parametrize("kind", ["xlsx", "ods"])
def test_the_rejects_of_an_ods_feed(kind: str, place: Place) -> None:
    journey = Journey(place, "sales.ods", "\n  sheet: Facts")
    delivery = place.home / "inbox/sales.ods"
    write_ods(delivery, ODS)

    place.load(journey.feed())
    first = (2, 1, "1.5000", "2026-11-01", "fine")
    assert journey.facts() == [first]
    assert [reject[:1] + reject[3:] for reject in journey.rejects()] == [
        (3, "unmatched_key"),
        (4, "not_a_number"),
        (5, "not_a_date"),
        (6, "unmatched_key"),
    ]

    sent = journey.sent_back(
        f"first.{kind}",
        {(3, "key"): "A1", (4, "amount"): 2, (5, "sold"): datetime(2026, 11, 4), (6, "key"): "no one"},
    )
    place.replay(journey.feed(), sent)
    second = [
        first,
        (3, 1, "0.1000", "2026-11-02", "a  b"),
        (4, 2, "2.0000", "2026-11-03", "_x0041_"),
        (5, 5, "12.0000", "2026-11-04", "x"),
    ]
    assert journey.facts() == second
    assert journey.rejects() == [(6, "A6", "no one", "unmatched_key")]
    checked = check_load(journey.feed(), PERIOD, database=place.url, progress=Quiet())
    assert (checked.state, checked.rejects) == ("ready", {"unmatched_key": 1})

    (place.home / sent).unlink()
    place.load(journey.feed(), reload=True)
    assert journey.facts() == second
    place.load(journey.feed(more=", max: 5"))
    assert journey.facts() == second[:3]
    place.load(journey.feed())
    assert journey.facts() == second

    # another delivery, with a row more above the others: the corrections follow their rows
    write_ods(delivery, [ODS[0], ("B2", 100, None, None, None), *ODS[1:]])
    place.load(journey.feed())
    moved = [(row + 1, *others) for row, *others in second]
    assert journey.facts() == [(2, 2, "100.0000", None, None), *moved]
    assert journey.rejects() == [(7, "A7", "no one", "unmatched_key")]
    place.replay(journey.feed(), journey.sent_back(f"second.{kind}", {(7, "key"): "A1"}))
    assert journey.facts() == [(2, 2, "100.0000", None, None), *moved, (7, 1, "3.0000", None, None)]
    with pytest.raises(RowsRefused, match=r"another delivery of the workbook: Facts row 2[.] "):
        write_ods(delivery, [*ODS, ("A1", 1, None, None, None), ("nobody", 1, None, None, None)])
        place.load(journey.feed())
        place.replay(journey.feed(), f"inbox/second.{kind}")
    # the row whose correction was taken is another now
    write_ods(delivery, [*ODS[:-1], ("nobody", 999, None, None, None)])
    place.load(journey.feed())
    assert journey.facts() == second
    assert journey.rejects() == [(6, "A6", "nobody", "unmatched_key")]


def test_a_csv_row_of_too_many_fields_is_set_right_and_a_cleared_one_is_blank(place: Place) -> None:
    journey = Journey(place, "sales.csv")
    (place.home / "inbox/sales.csv").write_text(
        "key,amount,sold,note\nA1,1,2026-11-01,fine\nA1,2,2026-11-02,one, two\nB2,3\nnobody,4,,\n",
        encoding="utf-8",
    )
    place.load(journey.feed())
    seen: list[Any] = []

    def set_right(sheet: list[list[Any]]) -> None:
        corrected({(3, "note"): "one, two", (4, "note"): "no date", (5, "key"): None, (5, "amount"): None})(
            sheet
        )
        seen.extend(row[sheet[0].index("what it means")] for row in sheet[1:3])

    path = journey.sent_back("rejects.xlsx", {})
    resaved(place.home / "rejects.xlsx", place.home / path, set_right)
    assert [meaning.partition(": ")[2] for meaning in seen] == ["A1,2,2026-11-02,one, two", "B2,3"]
    place.replay(journey.feed(), path)
    assert journey.facts() == [
        (2, 1, "1.0000", "2026-11-01", "fine"),
        (3, 1, "2.0000", "2026-11-02", "one, two"),
        (4, 2, "3.0000", None, "no date"),
    ]
    assert journey.rejects() == []
    assert read_report(place.url, LOAD).rows == {
        "source": 4, "blank": 1, "rejected": 0, "staged": 3, "published": 3
    }  # fmt: skip
