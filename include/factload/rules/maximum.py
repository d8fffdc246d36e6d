"""`max`: the largest value."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from factload.rules.rule import NUMBERS_AND_DATES, Asked, Reason, Rule
from factload.rules.values import BOUND_SCHEMA, parse_value

if TYPE_CHECKING:
    import pyarrow as pa


def _broken(values: pa.Array[Any], largest: Any) -> pa.Array[Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.greater(values, pa.scalar(largest, values.type))


def _require_room(parsed: Asked, written: Asked) -> None:
    if "min" in parsed and parsed["min"] > parsed["max"]:
        raise ValueError(
            f"`min` {written['min']} is above `max` {written['max']}: no value could be between them"
        )


MAXIMUM = Rule(
    name="max",
    text="The largest value, of a number or a date; a row with a larger one is rejected.",
    annotation=Annotated[Any, BOUND_SCHEMA],
    goes_with=NUMBERS_AND_DATES,
    reason=Reason("above_maximum", "The value is larger than the largest that is allowed"),
    parse=partial(parse_value, "max"),
    broken=_broken,
    require_consistent=_require_room,
)
