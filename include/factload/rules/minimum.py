"""`min`: the smallest value."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from factload.rules.rule import NUMBERS_AND_DATES, Reason, Rule
from factload.rules.values import BOUND_SCHEMA, parse_value

if TYPE_CHECKING:
    import pyarrow as pa


def _broken(values: pa.Array[Any], smallest: Any) -> pa.Array[Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.less(values, pa.scalar(smallest, values.type))


MINIMUM = Rule(
    name="min",
    text="The smallest value, of a number or a date; a row with a smaller one is rejected.",
    annotation=Annotated[Any, BOUND_SCHEMA],
    goes_with=NUMBERS_AND_DATES,
    reason=Reason("below_minimum", "The value is smaller than the smallest that is allowed"),
    parse=partial(parse_value, "min"),
    broken=_broken,
)
