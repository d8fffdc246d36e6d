"""From a workbook and an empty database to published rows, with nothing typed but what `factload init` prints."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import yaml

from factload.cli import main
from tests.integration.first_workbooks import MAKERS, Made, Maker
from tests.integration.place import Place


def carried_out(place: Place, made: Made, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """`init`, `init --ddl`, `check`, `run`: the feed that was written, and what it said."""
    output = place.home / "include/feeds/first.yaml"
    assert main(["init", str(made.path), "--output", str(output)]) == 0, capsys.readouterr().err
    printed = capsys.readouterr().err
    assert main(["init", str(made.path), "--table", "fact_first", "--ddl"]) == 0
    place.execute(capsys.readouterr().out)
    period = ["--period", "2026-11-05"] if "--period" in printed else []
    text = output.read_text(encoding="utf-8")
    assert main(["check", "first", *period]) == 0, capsys.readouterr().err + text
    assert main(["run", "first", *period]) == 0, capsys.readouterr().err + text
    feed: dict[str, Any] = yaml.safe_load(text)
    return feed | {"said": text}


@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.__name__)
def test_what_is_proposed_is_loaded_whole(
    maker: Maker, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    place.execute("DROP TABLE fact_sales, dim_product")
    (place.home / "include/feeds/sales.yaml").unlink()
    made = maker(place.home / "inbox")
    feed = carried_out(place, made, capsys)
    columns, dimensions = feed["fact"]["columns"], feed.get("dimensions", {})
    of_header = {c["column"]: name for name, c in columns.items() if "column" in c}
    assert place.rows("SELECT count(*) FROM fact_first") == [(made.rows,)]
    for header, wanted in made.sums.items():
        found = place.rows(f'SELECT sum("{of_header[header]}") FROM fact_first')
        assert Decimal(found[0][0]) == wanted, header
    for header, (first, last) in made.days.items():
        name = of_header[header]
        found = place.rows(f'SELECT min("{name}")::date::text, max("{name}")::date::text FROM fact_first')
        assert found == [(first, last)], header
    for header, wanted_members in made.keys.items():
        [dimension] = [d for d in dimensions.values() if d["column"] == header]
        assert place.rows(f"SELECT count(*) FROM {dimension['table']}") == [(wanted_members,)], header
    rejected = place.rows("SELECT count(*) FROM factload.rejects")
    assert rejected == [(made.rejected,)]
    for words in made.says:
        assert words in str(feed["said"])
