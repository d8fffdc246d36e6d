"""`allowed`: the values that there may be."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from factload.rules.rule import EVERY_TYPE, Reason, Rule
from factload.rules.values import list_of_values, parse_values

if TYPE_CHECKING:
    import pyarrow as pa


def _broken(values: pa.Array[Any], allowed: tuple[Any, ...]) -> pa.Array[Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    known = pc.is_in(values, value_set=pa.array(allowed, values.type))
    return pc.and_(pc.invert(known), pc.is_valid(values))


ALLOWED = Rule(
    name="allowed",
    text="The values that are allowed; a row with another one is rejected. "
    "Blank cells are not checked: use `required`.",
    annotation=list_of_values(examples=[["EUR", "USD"]]),
    goes_with=EVERY_TYPE,
    reason=Reason("not_allowed", "The value is not one of those that are allowed"),
    parse=partial(parse_values, "allowed"),
    broken=_broken,
    absent=(),
)
