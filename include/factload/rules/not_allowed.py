"""`not_allowed`: values that there may not be."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from factload.rules.allowed import ALLOWED
from factload.rules.rule import EVERY_TYPE, Asked, Rule
from factload.rules.values import list_of_values, parse_values

if TYPE_CHECKING:
    import pyarrow as pa


def _broken(values: pa.Array[Any], forbidden: tuple[Any, ...]) -> pa.Array[Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.is_in(values, value_set=pa.array(forbidden, values.type))


def _require_disjoint(parsed: Asked, _: Asked) -> None:
    if both := set(parsed.get("allowed", ())) & set(parsed["not_allowed"]):
        raise ValueError(f"`allowed` and `not_allowed` both name {min(map(repr, both))}")


NOT_ALLOWED = Rule(
    name="not_allowed",
    text="Values that are not allowed, such as the label of a total; a row with one is rejected.",
    annotation=list_of_values(examples=[["Total", "Grand Total"]]),
    goes_with=EVERY_TYPE,
    reason=ALLOWED.reason,
    parse=partial(parse_values, "not_allowed"),
    broken=_broken,
    require_consistent=_require_disjoint,
    absent=(),
)
