"""Broken feed files, and the whole message that each ends with."""

from __future__ import annotations

from pathlib import Path

import pytest

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
    ("mode: replace", "mode: upsert", "sales.yaml:22: fact.mode: expected replace, append_once, or {upsert: *columns of a unique key*} (found 'upsert')."),
    ("mode: replace", "mode: {upsert: [metric, other]}", "sales.yaml:22: fact.mode: names 'other', which `columns` does not fill."),
    ("mode: replace", "mode: {upsert: []}", "sales.yaml:22: fact.mode: expected replace, append_once, or {upsert: *columns of a unique key*}."),
    ("unmatched: reject", "unmatched: skip", "sales.yaml:15: dimensions.product.unmatched: expected `reject`*`fail`* (found 'skip')."),
    ("[trim]", "[trim, uper]", "sales.yaml:14: dimensions.product.normalize.1: 'uper' is not a step. Did you mean upper?"),
    ("[trim]", "trim", "sales.yaml:14: dimensions.product.normalize: expected a list of steps, such as [trim, upper]; there are trim, *nfc* (found 'trim')."),
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
    ("  table: fact_sales", "  table: fact_sales\n  table: other", "sales.yaml:19: fact.table stands twice; keep one."),
    # not YAML at all
    ("    table: dim_product", "\ttable: dim_product", "sales.yaml:10: not YAML: found character '\\t' that cannot start any token. Indent with spaces: YAML takes no tabs."),
    ("    table: dim_product", "   table: dim_product", "sales.yaml:11: not YAML: mapping values are not allowed here. Text with a colon goes into quotes; fields of one part are indented alike."),
    ('"inbox/sales_{period}.xlsx"', "{period}.xlsx", "sales.yaml:5: not YAML: expected <block end>, but found '<scalar>'. Is a { or [ left open? Text that begins with one goes into quotes, such as \"{period}.xlsx\"."),
    # parts that don't fit each other
    ("{dimension: product}", "{dimension: prodct}", "sales.yaml:20: fact.columns.dimension_id: names dimension 'prodct', which `dimensions` does not have. Did you mean product?"),
    ("{dimension: product}", "{value: 1}", "sales.yaml:9: dimensions.product: fills no column of the fact table."),
    ("load_column: load_id", "load_column: metric", "sales.yaml:23: fact.load_column: is filled by the load itself; fact.columns may not name it."),
    # rules that no value can be judged by
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
