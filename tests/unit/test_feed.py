"""Feed files: what is accepted, and what is said of those that are not."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from factload.errors import FeedError
from factload.feed.file import read_feed, read_feed_file
from factload.split.fields import sheet_fields, value_field

DEMO = Path(__file__).parents[2] / "include/feeds/sales.yaml"


@pytest.fixture
def feed_text() -> str:
    return DEMO.read_text(encoding="utf-8")


def read(tmp_path: Path, text: str) -> str:
    """The message of the error that a feed file with this text ends with, without the folder."""
    path = tmp_path / "sales.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FeedError) as caught:
        read_feed_file(path)
    return str(caught.value).replace(f"{tmp_path}/", "")


def test_reading_a_feed_loads_no_numeric_library() -> None:
    """Airflow's processor of DAG files reads all feeds every few seconds."""
    program = (
        "import sys; from pathlib import Path; from factload.feed.file import read_feed_file; "
        "read_feed_file(Path(sys.argv[1])); "
        "print([name for name in ('numpy', 'pyarrow', 'sqlalchemy') if name in sys.modules])"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(DEMO.parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", program, str(DEMO)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_the_demo_feed_is_what_it_says() -> None:
    feed = read_feed_file(DEMO)
    assert feed.fact.columns["metric"].type is not None
    assert str(feed.fact.columns["metric"].type) == "numeric(18,4)"
    assert feed.workbook.for_period(date(2026, 11, 5)) == "inbox/sales_2026-11-05.xlsx"
    assert feed.load_id(date(2026, 11, 5)) == "sales@2026-11-05"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("normalize:", "normalise:", "sales.yaml:14: dimensions.product.normalise: is not a field here. Did you mean normalize?"),
        ("  sheet: Facts", "  shet: Facts", "sales.yaml:6: workbook.shet: is not a field here. Did you mean sheet?"),
        ("numeric(18,4)", "number", "sales.yaml:21: fact.columns.metric.type: 'number' is not a type a feed can declare"),
        ("numeric(18,4)", "numeric(50,4)", "precision is 1 to 38"),
        ("mode: replace", "mode: replaced", "sales.yaml:22: fact.mode: expected replace, exchange, append_once, or {upsert: [columns of a unique key]} (found 'replaced')"),
        ("max_rejects: 0.5%", "max_rejects: few", "sales.yaml:24: max_rejects: expected a number of rows such as 100, or a share of them such as 0.5%"),
        ("max_rejects: 0.5%", "max_rejects: 120%", "sales.yaml:24: max_rejects: expected a number of rows"),
        ("rows_per_chunk: 20000", "rows_per_chunk: many", "sales.yaml:26: rows_per_chunk: expected a whole number (found 'many')"),
        ("rows_per_chunk: 20000", "rows_per_chunk: 1", "expected at least 100 (found 1)"),
        ("{dimension: product}", "{dimension: prodct}", "fact.columns.dimension_id: names dimension 'prodct', which `dimensions` does not have"),
        ("{dimension: product}", "{dimension: product, column: x}", "filled by one of `dimension: NAME`, `column: HEADER`"),
        ('type: "numeric(18,4)", ', "", "`type` is missing"),
        ("load_column: load_id", "load_column: metric", "fact.columns may not name it"),
        ("{period}", "{date}", "{date} is not known here; only {period} is"),
        ("{period}", "{period.year}", "{period.year} is not known here"),
        ("{period}", "}", "a { or } stands alone"),
        ("{period}", "{period:>20}", "what follows `period` is not a format of dates"),
        ("{period}", "{period:%Q}", "what follows `period` is not a format of dates"),
        ("{period}", "{period!r}", "what follows `period` is not a format of dates"),
        ("feed: sales", "feed: Sales 2", "a feed's name is lower-case letters"),
        ("  table: fact_sales", "  table: fact_sales\n  table: other", "sales.yaml:19: fact.table is given twice; keep one of them"),
        ("workbook:", "workbook: [", "not YAML"),
    ],
)  # fmt: skip
def test_a_defect_is_named_with_file_line_field_and_remedy(
    tmp_path: Path, feed_text: str, old: str, new: str, message: str
) -> None:
    assert old in feed_text
    assert message in read(tmp_path, feed_text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  sheet: Facts", "  csv: {delimiter: ab}", "workbook.csv: `delimiter` is one ASCII character"),
        ("  sheet: Facts", "  csv: {delimiter: 7}", "workbook.csv.delimiter"),
        ("  sheet: Facts", "  csv: {quote: \",\"}", "workbook.csv: `delimiter` and `quote` are the same character"),
        ("  sheet: Facts", "  csv: {encoding: utf8000}", "workbook.csv: 'utf8000' is not a text encoding"),
        ("  sheet: Facts", "  csv: {encoding: rot13}", "'rot13' is not a text encoding"),
        ("  sheet: Facts", "  csv: {thousands: \".\"}", "workbook.csv: `decimal` and `thousands` are the same"),
        ("required: true", "parse_text: true, thousands: \".\"", "fact.columns.metric: `decimal` and `thousands` are the same"),
        ("required: true", "decimal: \",\"", "fact.columns.metric: says how numbers are written in text"),
        ("required: true", "parse_text: true, decimal: \";\"", "fact.columns.metric.decimal"),
        ("numeric(18,4)\", required: true", "date\", date_format: \"%d.%m.%Y\"", "says how dates are written in text"),
        ("numeric(18,4)\", required: true", "date\", parse_text: true, date_format: \"dd.mm.yyyy\"", "expected %d, %m (or %b, %B) and %Y"),
        ("required: true", "parse_text: true, date_format: \"%d.%m.%Y\"", "`date_format` goes with a date or a timestamp"),
        ("numeric(18,4)\", required: true", "text\", parse_text: true", "`parse_text` is for numbers, dates and booleans"),
        ("numeric(18,4)\", required: true", "date\", decimal: \",\"", "`decimal` and `thousands` go with a number"),
        ("numeric(18,4)\", required: true", "text\", serials: true", "`serials` goes with a number or a date"),
        ("required: true", "timezone: UTC", "`timezone` goes with a date or a timestamp"),
        ("numeric(18,4)\", required: true", "timestamp\", timezone: Berlin", "fact.columns.metric.timezone: expected a name of the IANA time zone database"),
        ("    normalize:", "    serials: true\n    normalize:", "`serials` goes with columns of dates, and this dimension reads none"),
    ],
)  # fmt: skip
def test_how_texts_are_written_is_checked(
    tmp_path: Path, feed_text: str, old: str, new: str, message: str
) -> None:
    assert old in feed_text
    assert message in read(tmp_path, feed_text.replace(old, new, 1))


def test_how_numbers_are_written_in_text(tmp_path: Path, feed_text: str) -> None:
    path = tmp_path / "sales.yaml"
    csv = '  csv: {delimiter: ";", decimal: ",", thousands: "."}'
    path.write_text(feed_text.replace("  sheet: Facts", csv).replace("required: true", 'thousands: " "'))
    written = read_feed_file(path).text_format_of("metric")
    assert (written.decimal, written.thousands) == (",", " ")


def test_every_defect_of_a_file_is_named_at_once(tmp_path: Path, feed_text: str) -> None:
    broken = feed_text.replace("normalize:", "normalise:").replace("max_rejects: 0.5%", "max_rejects: few")
    assert len(read(tmp_path, broken).splitlines()) == 2


def test_a_feed_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(FeedError, match=r"there is no feed sale\..*Did you mean sales\?"):
        read_feed("sale")


def test_what_decides_rows_changes_the_fingerprint_and_nothing_else_does(
    tmp_path: Path, feed_text: str
) -> None:
    def fingerprint(old: str, new: str) -> str:
        path = tmp_path / "sales.yaml"
        path.write_text(feed_text.replace(old, new))
        return read_feed_file(path).fingerprint

    same = fingerprint("", "")
    assert fingerprint("parallelism: 4", "parallelism: 2") == same
    assert fingerprint('"0 2 * * *"', '"0 3 * * *"') == same
    assert fingerprint("rows_per_partition: 100000", "rows_per_partition: 50000") == same
    assert fingerprint("normalize: [trim]", "normalize: [trim, upper]") != same
    assert fingerprint("sheet: Facts", "sheet: Other") != same
    assert fingerprint("numeric(18,4)", "numeric(18,2)") != same


@pytest.mark.parametrize(
    ("limit", "rejected", "source", "exceeded"),
    [
        ("0.5%", 5, 1000, False),
        ("0.5%", 6, 1000, True),
        ("0", 0, 10, False),
        ("0", 1, 10, True),
        ("10", 10, 10, False),
        ("10", 11, 100000, True),
        ("100%", 10, 10, False),
    ],
)
def test_the_reject_limit(
    tmp_path: Path, feed_text: str, limit: str, rejected: int, source: int, exceeded: bool
) -> None:
    path = tmp_path / "sales.yaml"
    path.write_text(feed_text.replace("max_rejects: 0.5%", f"max_rejects: {limit}"))
    limits = read_feed_file(path).max_rejects
    assert bool(limits.exceeded({"unmatched_key": rejected}, source)) is exceeded


@pytest.mark.parametrize(
    ("written", "sheet"),
    [("Facts", "Facts"), ("0", 0), ('"*"', "*"), ("[North, 1]", ("North", 1)), ("[Facts]", ("Facts",))],
)
def test_a_sheet_is_a_name_an_index_a_list_or_all(
    tmp_path: Path, feed_text: str, written: str, sheet: object
) -> None:
    path = tmp_path / "sales.yaml"
    path.write_text(feed_text.replace("sheet: Facts", f"sheet: {written}", 1))
    assert read_feed_file(path).workbook.sheet == sheet


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("sheet: Facts", "sheet: []", "workbook.sheet: expected a sheet's name, its index from 0, a list of these"),
        ("sheet: Facts", "sheet: -1", "workbook.sheet: expected a sheet's name"),
        ("sheet: Facts", "sheet: true", "workbook.sheet: expected a sheet's name"),
        ("sheet: Facts", "sheet: [Facts, 1.5]", "workbook.sheet: expected a sheet's name"),
        ("sheet: Facts", 'sheet: [Facts, "*"]', "workbook.sheet: expected a sheet's name"),
        ("sheet: Facts", "sheet: [Facts, Facts]", "workbook.sheet: a sheet is in the list twice"),
    ],
)  # fmt: skip
def test_a_sheet_that_is_none_of_these_is_refused(
    tmp_path: Path, feed_text: str, old: str, new: str, message: str
) -> None:
    assert message in read(tmp_path, feed_text.replace(old, new, 1))


def test_what_the_sheet_s_fields_are_told(tmp_path: Path, feed_text: str) -> None:
    path = tmp_path / "sales.yaml"
    path.write_text(
        feed_text.replace(
            '"numeric(18,4)", required: true', "timestamp, serials: true, timezone: Europe/Berlin"
        )
    )
    [field] = [one for one in sheet_fields(read_feed_file(path)) if one.name == value_field("metric")]
    assert (field.serials, field.timezone) == (True, "Europe/Berlin")
