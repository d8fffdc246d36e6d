"""`pattern`: a regular expression that the whole text must match."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from factload.rules.rule import TEXT, Reason, Rule
from factload.sql_types import SqlType

if TYPE_CHECKING:
    import pyarrow as pa


def whole_text(expression: str) -> str:
    """The expression that matches a text from its beginning to its end; raises ``ValueError`` for none."""
    # RE2 comes with pyarrow alone, which only a feed that has a pattern waits for.
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = rf"\A(?:{expression})\z"
    try:
        # Alone, as `a)|(b` would fit into the whole; and as the whole, in which `\Qa` has no end.
        for one in (expression, whole):
            pc.match_substring_regex(pa.array([""]), one)
    except pa.ArrowInvalid as error:
        said = str(error).partition(": ")[2] or str(error)
        raise ValueError(f"`pattern` is not a regular expression (RE2): {said}") from None
    return whole


def _parsed(expression: str, _: SqlType) -> str:
    return whole_text(expression)


def _broken(values: pa.Array[Any], whole: str) -> pa.Array[Any]:
    import pyarrow.compute as pc

    return pc.invert(pc.match_substring_regex(values, whole))


PATTERN = Rule(
    name="pattern",
    text="A regular expression (RE2) that a text must match from beginning to end, or its row is rejected.",
    annotation=Annotated[str | None, Field(examples=["[A-Z]{3}-[0-9]+"])],
    goes_with=TEXT,
    reason=Reason("pattern_mismatch", "The text doesn't have the form that is asked for"),
    parse=_parsed,
    broken=_broken,
)
