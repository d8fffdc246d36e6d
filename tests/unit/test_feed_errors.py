"""Broken feed files, and the whole message that each ends with."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factload.errors import FeedError
from factload.feed.file import read_feed_file

DEMO = (Path(__file__).parents[2] / "include/feeds/sales.yaml").read_text(encoding="utf-8")

# what stands in the demo feed, what stands there instead, and every line that is said of it
BROKEN = [
    # a field that there isn't
    ("normalize:", "normalise:", "sales.yaml:14: dimensions.product.normalise: is not a field here. Did you mean normalize?"),
    ("  missing: fail", "  colour: red", "sales.yaml:7: workbook.colour: is not a field here. There are *path, sheet*"),
    ("  table: fact_sales", "  tabel: fact_sales", "sales.yaml:18: fact.tabel: is not a field here. Did you mean table?"),
    ("dimensions:", "dimension:", "sales.yaml:8: dimension: is not a field here. Did you mean dimensions?"),
    # a field that is missing
    ("feed: sales ", "", "sales.yaml:3: feed: is missing. The feed's name: lower-case letters, digits and `_`, a letter first."),
    ("  load_column: load_id\n", "", "sales.yaml:16: fact: `load_column` is missing: mode `replace` finds the rows of a load by a column that holds it, such as `sales@2026-11-05`."),
    ('type: "numeric(18,4)", ', "", "sales.yaml:21: fact.columns.metric: `type` is missing: a column of the sheet is read as a declared SQL type."),
    ("{dimension: product}", "{}", "sales.yaml:20: fact.columns.dimension_id: *a fact column is filled by *"),
    # a value that is not one of those there are
    ("mode: replace", "mode: replaced", "sales.yaml:22: fact.mode: expected *replace* (found 'replaced'). Did you mean replace?"),
    ("mode: replace", "mode: upsert", "sales.yaml:22: fact.mode: expected replace, exchange, append_once, or {upsert: *columns of a unique key*} (found 'upsert')."),
    ("mode: replace", "mode: {upsert: [metric, other]}", "sales.yaml:22: fact.mode: names 'other', which `columns` does not fill."),
    ("mode: replace", "mode: {upsert: []}", "sales.yaml:22: fact.mode: expected replace, exchange, append_once, or {upsert: *columns of a unique key*}."),
    ("unmatched: reject", "unmatched: skip", "sales.yaml:15: dimensions.product.unmatched: expected `reject`*`fail`* (found 'skip')."),
    ("[trim]", "[trim, uper]", "sales.yaml:14: dimensions.product.normalize.1: 'uper' is not a step. Did you mean upper?"),
    ("[trim]", "trim", "sales.yaml:14: dimensions.product.normalize: expected a list of steps, such as [trim, upper]; there are trim, *nfc* (found 'trim')."),
    ('"numeric(18,4)"', "timestamptz", "sales.yaml:21: fact.columns.metric: `timezone` is missing: a timestamptz is a moment, and the sheet tells it by the clocks of some zone, such as Europe/Berlin."),
    ('"numeric(18,4)"', "string", "sales.yaml:21: fact.columns.metric.type: 'string' is not a type a feed can declare; did you mean text or varchar(40)?"),
    ('"numeric(18,4)"', '"numeric(50,4)"', "sales.yaml:21: fact.columns.metric.type: 'numeric(50,4)': precision is 1 to 38 and scale at most precision."),
    ("required: true", 'required: "yes"', "sales.yaml:21: fact.columns.metric.required: expected true or false (found 'yes')."),
    ("feed: sales ", "feed: Sales 2 ", "sales.yaml:2: feed: a feed's name is lower-case letters, digits and _, at most 40, a letter first (found 'Sales 2')."),
    # a number out of its bounds
    ("max_rejects: 0.5%", "max_rejects: 120%", "sales.yaml:24: max_rejects: expected a number of rows such as 100, or a share of them such as 0.5%* (found '120%')."),
    ("rows_per_chunk: 20000", "rows_per_chunk: 1", "sales.yaml:26: rows_per_chunk: expected at least 100 (found 1)."),
    ("parallelism: 4", "parallelism: four", "sales.yaml:27: parallelism: expected a whole number (found 'four')."),
    # what YAML made of it
    ("    table: dim_product", "    table: no", "sales.yaml:10: dimensions.product.table: expected text (found False). YAML reads no, yes, dates and numbers as such: put text like them into quotes."),
    ("    table: dim_product", "    table:", "sales.yaml:10: dimensions.product.table: expected text (found nothing)."),
    ("workbook:\n", "workbook: inbox/sales.xlsx\nother:\n", "sales.yaml:4: workbook: expected fields below it: path, sheet* (found 'inbox/sales.xlsx')\nsales.yaml:5: other: is not a field here. There are feed, *"),
    ("  product:\n", "  - product:\n", "sales.yaml:8: dimensions: expected fields below it, each `name: ...` (found a list)."),
    ('"numeric(18,4)"', "numeric(18,4)", 'sales.yaml:21: fact.columns.metric.type: *\nsales.yaml:21: fact.columns.metric.4): is half of a text that a comma cut in two: put it into quotes, such as type: "numeric(18,4)".'),
    ("  table: fact_sales", "  table: fact_sales\n  table: other", "sales.yaml:19: fact.table is given twice; keep one of them."),
    # not YAML at all
    ("    table: dim_product", "\ttable: dim_product", "sales.yaml:10: not YAML: found character '\\t' that cannot start any token. Indent with spaces: YAML does not allow tabs."),
    ("    table: dim_product", "   table: dim_product", "sales.yaml:11: not YAML: mapping values are not allowed here. Text with a colon must be in quotes; fields of one part have the same indentation."),
    ('"inbox/sales_{period}.xlsx"', "{period}.xlsx", "sales.yaml:5: not YAML: expected <block end>, but found '<scalar>'. Is a { or [ left open? Text that begins with one must be in quotes, such as \"{period}.xlsx\"."),
    ("{dimension: product}", "{{ product }}", "sales.yaml:20: fact.columns.dimension_id: holds fields or a list where a name is expected. Text that begins with { must be in quotes, such as \"{period}.xlsx\"; templates are not filled in here."),
    ("  table: fact_sales", "  ? [a, b]\n  : fact_sales", "sales.yaml:18: fact: holds fields or a list where a name is expected. *"),
    ("max_rejects: 0.5%", "run: {start: 2026-02-30}", "sales.yaml:24: run.start: '2026-02-30' looks like a date or time, and is not a valid one. Correct it, or put text in quotes."),
    ("max_rejects: 0.5%", "max_rejects: *limit", "sales.yaml:24: *limit stands for a part that is not written above it. Text that begins with * must be in quotes."),
    ("feed: sales ", "schedule: * 2 * * *\nfeed: sales ", "sales.yaml:2: not YAML: *Text that begins with * must be in quotes, such as \"*/5 2 * * *\"."),
    ("feed: sales ", "schedule: @daily\nfeed: sales ", "sales.yaml:2: not YAML: found character '@' that cannot start any token. Text that begins with this character must be in quotes."),
    ("  table: fact_sales", "    table: fact_sales", "sales.yaml:*: not YAML: *. Fields of one part have the same indentation."),
    ("feed: sales ", "--- \na: 1\n---\nfeed: sales ", "sales.yaml:4: not YAML: *A feed file is one document: leave out the line of three dashes."),
    # parts that don't fit each other
    ("{dimension: product}", "{dimension: prodct}", "sales.yaml:20: fact.columns.dimension_id: names dimension 'prodct', which `dimensions` does not have. Did you mean product?"),
    ("{dimension: product}", "{value: 1}", "sales.yaml:9: dimensions.product: fills no column of the fact table."),
    ("load_column: load_id", "load_column: metric", "sales.yaml:23: fact.load_column: is filled by the load itself; fact.columns may not name it."),
    # what nobody may read
    ("connection: warehouse", "connection: postgresql://u:S3CRET@db/wh", "sales.yaml:17: fact.connection: is a URL that holds a password, and many people read feed files: name a connection here, and keep its URL in Airflow or in `FACTLOAD_CONN_<ID>`."),
    ("connection: warehouse", "connection: postgresql://u:p/w@rd@db/wh", "sales.yaml:17: fact.connection: is a URL that holds a password, and many *`FACTLOAD_CONN_<ID>`."),
    ("connection: warehouse", "connection: postgresql://u@db/wh?sslmode=require&Password=S3CRET", "sales.yaml:17: fact.connection: is a URL that holds a password, and many *`FACTLOAD_CONN_<ID>`."),
    # rules that no value can be judged by
    # how texts are written
    ("required: true", "negative: trailing", "sales.yaml:21: fact.columns.metric: says how numbers are written in text, but no text is read as such: add `parse_text: true`."),
    ("required: true", 'nulls: ["-", NULL]', 'sales.yaml:21: fact.columns.metric.nulls: expected texts, such as ["-", "N/A"]: put each into quotes, as YAML reads NULL, yes, no and numbers as such.'),
    ("required: true", 'nulls: ["-", " - "]', "sales.yaml:21: fact.columns.metric.nulls: the text '-' is in the list twice."),
    ("required: true", 'true: ["x"]', "sales.yaml:21: fact.columns.metric: `true` and `false` go with a boolean."),
    ("required: true", "percent: true, strip: [x]", "sales.yaml:21: fact.columns.metric: `percent` goes without `strip`: *"),
    ("required: true", 'strip: ["-"]', "sales.yaml:21: fact.columns.metric.strip: '-' may be a part of a number itself: expected what stands beside one, such as a currency."),
    ("required: true", "strip: [–]", "sales.yaml:21: fact.columns.metric.strip: '–' may be a part of a number itself: *"),
    ("required: true", "strip: [\N{MINUS SIGN}]", "sales.yaml:21: fact.columns.metric.strip: '\N{MINUS SIGN}' may be a part of a number itself: *"),
    ("required: true", "parse_text: true, negative: {minus: [S], plus: [S]}", "sales.yaml:21: fact.columns.metric.negative: 'S' would be plus and minus: expected each word on one side."),
    ("required: true", "parse_text: true, negative: {minus: [S], plus: [–]}", "sales.yaml:21: fact.columns.metric.negative: '–' looks like a minus, and stands under `plus`."),
    ("required: true", "parse_text: true, negative: {plus: [S]}", "sales.yaml:21: fact.columns.metric.negative.minus: is missing. *"),
    ("required: true", "parse_text: true, negative: {minus: [-]}", "sales.yaml:21: fact.columns.metric.negative.minus: '-' may be a part of a number itself: *"),
    ("required: true", "parse_text: true, negative: {minus: [H]}, strip: [H]", "sales.yaml:21: fact.columns.metric: 'H' can be read in two ways beside a number: *"),
    ("required: true", "parse_text: true, negative: {minus: [Dr], plus: [Dr.]}", "sales.yaml:21: fact.columns.metric: 'Dr.' can be read in two ways beside a number: *"),
    ("required: true", "parse_text: true, negative: behind", "sales.yaml:21: fact.columns.metric.negative: expected leading or trailing or parentheses or fields below it: column, minus, plus (found 'behind')."),
    ("required: true", "negative: {column: Metric, minus: [S]}", "sales.yaml:21: fact.columns.metric: `negative.column` is the number's own column: expected the one that says its sign."),
    ("required: true", 'negative: {column: S/H, minus: [S], plus: ["-"]}', "sales.yaml:21: fact.columns.metric.negative: '-' looks like a minus, and stands under `plus`."),
    ("required: true", 'negative: {column: " ", minus: [S]}', "sales.yaml:21: fact.columns.metric.negative.column: expected a column's name (found ' ')."),
    ("  missing: fail", "  csv: {negative: {column: S/H, minus: [S]}}", "sales.yaml:7: workbook.csv.negative: has a column of its own for the signs, and all numbers of the file *"),
    ('"numeric(18,4)", required: true', 'timestamp, parse_text: true, date_format: "%b %y"', "sales.yaml:21: fact.columns.metric: `date_format` has a month and no day, which goes with `type: date`."),
    ("required: true", 'strip: [Fr, "Fr."]', "sales.yaml:21: fact.columns.metric.strip: 'Fr.' and 'Fr' differ in what may be a decimal mark: keep one of them."),
    ('"numeric(18,4)", required: true', 'boolean, parse_text: true, true: ["0"]', "sales.yaml:21: fact.columns.metric: '0' would be true and false: expected each word on one side, `true` or `false`."),
    ("unmatched: reject", "type: integer", "sales.yaml:9: dimensions.product: `normalize` goes with texts, and 'business_key' is compared as a number: leave out `normalize`, or `type: integer`."),
    ("unmatched: reject", 'date_format: "%d.%m.%Y"', "sales.yaml:9: dimensions.product: `date_format` goes with columns of dates, and this dimension reads none of the sheet."),
    ("unmatched: reject", "as_of: {valid_from: a, valid_to: {exclusive: b}}", "sales.yaml:15: dimensions.product.as_of.valid_to: expected a column of the dimension, or {inclusive: COLUMN} where the last day still belongs to it."),
    ("required: true", "min: ten", "sales.yaml:21: fact.columns.metric: `min` 'ten' is no value of a column of type numeric(18,4)."),
    ("required: true", "pattern: x", "sales.yaml:21: fact.columns.metric: `pattern` goes with text, and this column is numeric(18,4)."),
    ("max_rejects: 0.5%", "max_rejects: {unmatched: 5}", "sales.yaml:24: max_rejects: 'unmatched' is neither total nor a reason why rows are rejected. Did you mean unmatched_key?"),
    ("{period}", "{date}", "sales.yaml:5: workbook.path: {date} is not known here; only {period} is, *(found 'inbox/sales_{date}.xlsx')."),
]  # fmt: skip


def message(tmp_path: Path, document: str) -> str:
    """What is said of a feed file with this text, without the folder."""
    path = tmp_path / "sales.yaml"
    path.write_text(document, encoding="utf-8")
    with pytest.raises(FeedError) as caught:
        read_feed_file(path)
    return str(caught.value).replace(f"{tmp_path}/", "")


def agrees(said: str, told: str) -> bool:
    """Whether a message is the one in the table; ``*`` there stands for what other features may add to a list."""
    place = 0
    for piece in told.split("*"):
        place = said.find(piece, place) + len(piece)
        if place < len(piece):
            return False
    return said.startswith(told.partition("*")[0]) and (told.endswith("*") or place == len(said))


@pytest.mark.parametrize(
    ("old", "new", "told"), BROKEN, ids=[f"{old.strip()} to {new.strip()}" for old, new, _ in BROKEN]
)
def test_a_broken_feed_file_is_told_how_to_be_right(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert DEMO.count(old) >= 1
    said = message(tmp_path, DEMO.replace(old, new, 1))
    assert agrees(said, told), said


@pytest.mark.parametrize("document", ["", "- a list", "only text"])
def test_what_is_no_feed_file_at_all(tmp_path: Path, document: str) -> None:
    assert (
        message(tmp_path, document) == "sales.yaml:1: a feed file is a mapping that begins with `feed: NAME`."
    )


def test_there_are_twenty_and_more() -> None:
    assert len({told for _, _, told in BROKEN}) >= 20


def test_a_file_in_another_encoding_is_told_the_line_and_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "sales.yaml"
    path.write_bytes((DEMO + "# grün\n").encode("latin-1"))
    with pytest.raises(
        FeedError, match=r"sales\.yaml:\d+: is not UTF-8. Save the file in the encoding UTF-8\.$"
    ):
        read_feed_file(path)


def test_a_byte_order_mark_is_no_defect(tmp_path: Path) -> None:
    path = tmp_path / "sales.yaml"
    path.write_text(DEMO, encoding="utf-8-sig")
    assert read_feed_file(path).feed == "sales"


def _aliases_of_aliases(levels: int) -> str:
    lines = ["a: &l0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"b{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (_aliases_of_aliases(12), "has more than 20,000 parts, counting every alias (*name) with its contents"),
        (_aliases_of_aliases(60), "has more than 20,000 parts"),
        ("feed: &a [*a]\n", "*a stands for a part that is not written above it"),
        ("dimensions: &a\n  x: *a\n", "*a stands for a part that is not written above it"),
        ("feed: " + "[" * 60 + "]" * 60, "is nested more than 50 levels deep"),
        ("feed: " + "[" * 100_000, "is nested more than 50 levels deep"),
        ("feed: " + "{a: " * 5_000 + "}" * 5_000, "is nested more than 50 levels deep"),
        ("".join(f"{' ' * n}a:\n" for n in range(60)), "is nested more than 50 levels deep"),
        ("a" * 300_000 + ": 1\n", "is 300,004 characters long; a feed file has some hundreds"),
        ("é" * 900_000, "is 1,800,000 bytes long; a feed file has some hundreds"),
        ("feed: sales\n" + "".join(f"f{n}: 1\n" for n in range(2_000)), "… and "),
    ],
)  # fmt: skip
def test_what_would_take_a_parser_minutes_or_the_stack_is_refused_at_once(
    tmp_path: Path, document: str, told: str
) -> None:
    said = message(tmp_path, document)
    assert told in said
    assert len(said) < 20_000


_SCALARS = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=12),
    st.sampled_from(["{{ x }}", "{a: b}", "*a", "&a x", "!!int x", "!!timestamp y", "2026-13-45", "1e999", "~", "<<", "? x", "- y", "|", ">", "%", "@", "`", ".inf", "0x", "0b", "1:99:99"]),
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_a_feed_file_holds_it_is_a_feed_or_a_feed_error(tmp_path: Path, data: st.DataObject) -> None:
    lines = DEMO.splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        name, colon, value = lines[at].partition(": ")
        other = data.draw(_SCALARS)
        lines[at] = data.draw(
            st.sampled_from(
                [f"{name}{colon}{other}", f"{other}{colon}{value}", other, f"{name}:\n  {other}: {value}"]
            )
        )
    path = tmp_path / "sales.yaml"
    path.write_text("\n".join(lines), encoding="utf-8", errors="replace")
    try:
        read_feed_file(path)
    except FeedError as error:
        assert error.__cause__ is None, f"unforeseen: {error.__cause__!r} of {lines}"


def test_a_feed_file_that_cannot_be_opened_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nowhere")
    for name, told in (("folder", "Is a directory"), ("gone", "No such file or directory")):
        with pytest.raises(FeedError, match=rf"{name}\.yaml:1: can't be read \({told}\)"):
            read_feed_file(tmp_path / f"{name}.yaml")
