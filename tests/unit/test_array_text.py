"""The text of a PostgreSQL array, by the rules of https://www.postgresql.org/docs/current/arrays.html."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from factload.fact.staged import slice_key
from factload.postgres.arrays import array_text


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (pa.array([1, None, -3]), "{1,NULL,-3}"),
        (pa.array([Decimal("1.50"), None, Decimal("-0.01")]), "{1.50,NULL,-0.01}"),
        (pa.array(["a", 'b"', "c\\"]).slice(1), '{"b\\"","c\\\\"}'),
        (pa.array(["plain", None, "NULL", ""]), '{"plain",NULL,"NULL",""}'),
        (pa.array(['say "x"', "back\\slash", "a,b", "{c}"]), '{"say \\"x\\"","back\\\\slash","a,b","{c}"}'),
        (pa.array([date(2026, 11, 5), None]), "{2026-11-05,NULL}"),
        (pa.array([datetime(2026, 11, 5, 1, 2, 3, 4000)]), "{2026-11-05 01:02:03.004000}"),
        (pa.array([True, False, None]), "{true,false,NULL}"),
        (pa.array([0.1, 1e-7, 1e22]), "{0.1,1e-7,1e+22}"),
        (pa.array([], pa.string()), "{}"),
        (pa.chunked_array([pa.array(["a"]), pa.array(["b"])]), '{"a","b"}'),
    ],
)
def test_array_text(values: pa.Array, text: str) -> None:
    assert array_text(values) == text


def test_a_slice_key_is_content_and_fits_a_bigint() -> None:
    assert slice_key("f" * 32) == -1
    assert slice_key("7" + "f" * 31) == 2**63 - 1
    assert slice_key("8" + "0" * 31) == -(2**63)
