"""What a feed says of a row whose key no member has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, WithJsonSchema

from factload.errors import did_you_mean
from factload.feed.part import NAMES, FeedPart, column_name
from factload.sheet.names import ColumnName
from factload.sql_types import SqlType

Disagree = Literal["reject", "first", "last"]
OnChange = Literal["keep", "update", "new_version"]
_ACTIONS = ("reject", "fail", "create")
_CREATE = ("inferred", "attributes", "disagree", "on_change")
_UPDATED_AT_MOST = 50  # the server builds an object of at most so many names and values
_UNMATCHED = (
    "`reject`, `fail`, `create`, `{create: {inferred: COLUMN, attributes: {COLUMN: HEADER}}}`, or `{unknown: SURROGATE "
    "KEY}`"
)
UNMATCHED_SCHEMA = WithJsonSchema(
    {
        "anyOf": [
            {"enum": list(_ACTIONS)},
            {
                "type": "object",
                "properties": {"unknown": {"type": ["integer", "string"]}},
                "required": ["unknown"],
                "additionalProperties": False,
            },
            {
                "type": "object",
                "properties": {
                    "create": {
                        "type": "object",
                        "properties": {
                            "inferred": {"type": "string"},
                            "attributes": {
                                "type": "object",
                                "minProperties": 1,
                                "additionalProperties": {"anyOf": [{"type": "string"}, NAMES]},
                            },
                            "disagree": {"enum": list(get_args(Disagree))},
                            "on_change": {"enum": list(get_args(OnChange))},
                        },
                        "minProperties": 1,
                        "dependentRequired": {"disagree": ["attributes"], "on_change": ["attributes"]},
                        "additionalProperties": False,
                    }
                },
                "required": ["create"],
                "additionalProperties": False,
            },
        ],
        "examples": [
            "reject",
            "fail",
            {"unknown": -1},
            "create",
            {"create": {"inferred": "is_inferred", "attributes": {"name": "Customer Name"}}},
            {"create": {"attributes": {"name": "Customer Name"}, "on_change": "update"}},
        ],
    }
)


class Attribute(FeedPart):
    """A column of a dimension that the sheet fills when a member is made.

    ``type``, ``required``: what the dimension's own column asks for, once its table is looked at.
    """

    column: Annotated[ColumnName, BeforeValidator(column_name)]
    type: SqlType | None = None
    required: bool = False


class Unmatched(FeedPart):
    """What becomes of a row whose key no member has.

    ``member``: the surrogate key of the member that stands for ``unknown``. Of ``create``: ``inferred`` is the
    dimension's boolean column that marks what was made; ``attributes``, by their columns of the dimension, are what
    the sheet says of a member; ``disagree``: what becomes of rows that say different things of the same one;
    ``on_change``: what becomes of a member of which the sheet says something else than it has.
    """

    action: Literal["reject", "fail", "unknown", "create"] = "reject"
    member: int | str | None = None
    inferred: str | None = None
    attributes: dict[str, Attribute] = Field(default_factory=dict)
    disagree: Disagree = "reject"
    on_change: OnChange = "keep"

    @property
    def updates(self) -> bool:
        """Whether members that are there are brought up to date."""
        return self.on_change == "update"

    @property
    def makes_versions(self) -> bool:
        """Whether members that are there get a new version."""
        return self.on_change == "new_version"


def unmatched_key(value: object) -> object:
    """What a feed says under `unmatched`, as ``Unmatched`` is made of it; raises ``ValueError`` that teaches."""
    if isinstance(value, Unmatched):
        return value
    if isinstance(value, str):
        if value in _ACTIONS:
            return {"action": value}
        if value == "unknown":
            raise ValueError("`unknown` names a member by its surrogate key, such as {unknown: -1}")
        if near := did_you_mean(value, _ACTIONS):
            raise ValueError(f"expected {_UNMATCHED}. {near}")
    if isinstance(value, Mapping) and len(value) == 1:
        [(action, argument)] = value.items()
        if action == "unknown" and isinstance(argument, int | str) and not isinstance(argument, bool):
            return {"action": "unknown", "member": argument}
        if action == "create" and isinstance(argument, Mapping) and argument:
            return _creation(argument)
    raise ValueError(f"expected {_UNMATCHED}")


def _creation(asked: Mapping[Any, Any]) -> dict[str, Any]:
    """What `create` asks for, as ``Unmatched`` has it."""
    if strange := [name for name in asked if name not in _CREATE]:
        near = did_you_mean(str(strange[0]), _CREATE)
        raise ValueError(f"`create` has no field {strange[0]!r}. {near or 'There are ' + ', '.join(_CREATE)}")
    attributes = asked.get("attributes", {})
    if not isinstance(attributes, Mapping) or not all(isinstance(name, str) for name in attributes):
        raise ValueError(
            "`attributes` maps columns of the dimension to columns of the sheet, such as {name: Customer Name}"
        )
    for name, column in attributes.items():
        if not isinstance(column, str | list | tuple):
            raise ValueError(
                f"`attributes.{name}` names a column of the sheet, or is a list of names of which the sheet has one"
            )
    if "attributes" in asked and not attributes:
        raise ValueError("`attributes` is empty: name a column of the dimension, or leave it out")
    _require_known(asked, attributes)
    if "inferred" in asked and not isinstance(asked["inferred"], str):
        raise ValueError("`inferred` names a column of the dimension")
    columns = {name: {"column": column} for name, column in attributes.items()}
    return {"action": "create", **asked, **({"attributes": columns} if columns else {})}


def _require_known(asked: Mapping[Any, Any], attributes: Mapping[str, Any]) -> None:
    """Raise ``ValueError`` where `disagree` or `on_change` is none of its words, or has no `attributes` to speak of."""
    if "disagree" in asked and not attributes:
        raise ValueError(
            "`disagree` goes with `attributes`: without them rows have nothing to disagree about"
        )
    if asked.get("disagree", "reject") not in get_args(Disagree):
        raise ValueError("`disagree` is `reject`, `first` or `last`")
    if "on_change" in asked and not attributes:
        raise ValueError("`on_change` goes with `attributes`: without them a member has nothing that changes")
    on_change = asked.get("on_change", "keep")
    if on_change not in get_args(OnChange):
        raise ValueError("`on_change` is `keep`, `update` or `new_version`")
    if on_change != "keep" and len(attributes) > _UPDATED_AT_MOST:
        raise ValueError(
            f"`on_change: {on_change}` goes with at most {_UPDATED_AT_MOST} `attributes`, and there are "
            f"{len(attributes)}"
        )
