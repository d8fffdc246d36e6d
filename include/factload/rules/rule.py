"""What a rule on the values of a column is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from factload.sql_types import Kind, SqlType

if TYPE_CHECKING:
    import pyarrow as pa


class Kinds(NamedTuple):
    """Kinds of types that a rule goes with, and what a feed's author calls them."""

    kinds: tuple[Kind, ...]
    words: str


NUMBERS_AND_DATES = Kinds(("numeric", "integer", "double", "date", "timestamp"), "numbers and dates")
TEXT = Kinds(("text",), "text")
EVERY_TYPE = Kinds(get_args(Kind), "every type")


class Reason(NamedTuple):
    """Why a row is rejected: a code, which never changes its meaning, and what it says in plain words."""

    code: str
    words: str


Asked = Mapping[str, Any]
"""What one column asks: the name of a rule → its value. Rules that the column doesn't have are not in it."""


def _no_contradiction(_: Asked, __: Asked) -> None:
    return None


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A field of a fact column in a feed file, and which values of the sheet break what it asks for.

    Blank cells keep every rule: whether there may be any, the field ``required`` says.
    """

    name: str
    """The field's name in feed files."""
    text: str
    """The field's documentation, a sentence or two."""
    annotation: Any
    """What pydantic accepts in the field, and its JSON Schema."""
    goes_with: Kinds
    """The types of columns that may have it."""
    reason: Reason
    """What the rows that break it are rejected for."""
    parse: Callable[[Any, SqlType], Any]
    """The field's value for a column of a type, as ``broken`` wants it: hashable. Raises ``ValueError`` for a value by
    which nothing could be judged."""
    broken: Callable[[pa.Array[Any], Any], pa.Array[Any]]
    """For each of the column's values, which are typed: whether it breaks the rule. Null, for a blank, is no."""
    require_consistent: Callable[[Asked, Asked], None] = _no_contradiction
    """Raises ``ValueError`` where this rule and others of the same column leave no value. It gets what all of them ask
    for, parsed, and as it is written."""
    absent: Any = None
    """The field's default, which asks for nothing: None, or () for a list."""
