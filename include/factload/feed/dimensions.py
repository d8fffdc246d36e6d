"""What a feed file says of its dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema, model_validator

from factload.feed.normalize_steps import NormalizeStep, parse_steps, step_schema
from factload.feed.part import (
    NAMES,
    FeedPart,
    column_name,
    names_schema,
    one_or_more,
    time_zone,
)
from factload.feed.unmatched import UNMATCHED_SCHEMA, Unmatched, unmatched_key
from factload.feed.written_values import DateFormat, Nulls
from factload.sheet.names import ColumnName

KeyType = Literal["text", "date", "integer", "decimal"]


class Normalize(FeedPart):
    """The steps for every part of the key, or for each of its columns apart."""

    every: tuple[NormalizeStep, ...] = ()
    by_column: dict[str, tuple[NormalizeStep, ...]] = Field(default_factory=dict)

    def of(self, column: str) -> tuple[NormalizeStep, ...]:
        """The steps of one column of the business key."""
        return self.by_column.get(column, self.every)

    def __str__(self) -> str:
        every = ", ".join(map(str, self.every))
        return every or "; ".join(f"{c}: {', '.join(map(str, s))}" for c, s in self.by_column.items())


def _normalize(value: object) -> object:
    if isinstance(value, Normalize):
        return value
    if isinstance(value, Mapping):
        return Normalize(by_column={str(column): parse_steps(steps) for column, steps in value.items()})
    return Normalize(every=parse_steps(value))


def _key_columns(value: object, info: ValidationInfo) -> object:
    """The names of each part's column: a list in the feed is of the parts if there are several, else of names."""
    of_parts = len(info.data.get("business_key", ())) > 1
    if isinstance(value, list | tuple) and (of_parts or (len(value) == 1 and not isinstance(value[0], str))):
        return tuple(column_name([part] if isinstance(part, str) else part) for part in value)
    return (column_name(value),)


@dataclass(frozen=True, slots=True)
class InclusiveEnd:
    """The column with the last day, or moment, on which a member is valid."""

    inclusive: str


def _valid_to(value: object) -> object:
    if isinstance(value, Mapping) and set(value) == {"inclusive"} and isinstance(value["inclusive"], str):
        return InclusiveEnd(value["inclusive"])
    if isinstance(value, str | InclusiveEnd):
        return value
    raise ValueError(
        "expected a column of the dimension, or {inclusive: COLUMN} where the last day still belongs to it"
    )


_VALID_TO_SCHEMA = WithJsonSchema(
    {
        "anyOf": [
            {"type": "string"},
            {
                "type": "object",
                "properties": {"inclusive": {"type": "string"}},
                "required": ["inclusive"],
                "additionalProperties": False,
            },
        ],
        "examples": ["valid_to", {"inclusive": "last_day"}],
    }
)


class AsOf(FeedPart):
    """Members with a history (slowly changing, type 2): the one is taken that was valid on a row's date."""

    valid_from: str
    """The dimension's column with the day or moment from which a member is valid; null or `-infinity`: always."""
    valid_to: Annotated[str | InclusiveEnd, BeforeValidator(_valid_to), _VALID_TO_SCHEMA]
    """The column with the day or moment at which validity ends (exclusive); or `{inclusive: COLUMN}`, the last day or
    moment that belongs to it. Null or `infinity`: still valid."""
    date: Annotated[
        ColumnName,
        BeforeValidator(column_name),
        names_schema("Order date", ["Order date", "Ordered"], "period", one={"type": "string"}),
    ] = "period"
    """The sheet's column with the row's date, or a list of names of which each sheet has one; or `period`, the load's
    own."""

    timezone: Annotated[str | None, BeforeValidator(time_zone)] = Field(default=None, examples=["UTC"])
    """The time zone into which dates with an offset or `Z` are converted; without it such rows are rejects."""

    @property
    def header(self) -> ColumnName | None:
        """The sheet's column with the date; none when it is the period."""
        return None if self.date == "period" else self.date

    @property
    def end(self) -> str:
        """The dimension's column with the end of validity."""
        return self.valid_to if isinstance(self.valid_to, str) else self.valid_to.inclusive

    @property
    def is_inclusive(self) -> bool:
        """Whether the end belongs to the time in which a member is valid."""
        return not isinstance(self.valid_to, str)


_ONE_NAME = {"type": "string"}
_KEY_COLUMNS = WithJsonSchema(
    {
        "anyOf": [
            _ONE_NAME,
            {
                "type": "array",
                "items": {"anyOf": [NAMES["items"], NAMES]},
                "minItems": 1,
                "uniqueItems": True,
            },
        ],
        "examples": ["SKU", ["SKU", "Article"], ["Country", "Code"]],
    }
)


def _text_or_texts(*examples: object) -> WithJsonSchema:
    texts = {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True}
    return WithJsonSchema({"anyOf": [{"type": "string"}, texts], "examples": list(examples)})


_TYPE = {"enum": list(get_args(KeyType))}
_TYPES = WithJsonSchema(
    {
        "anyOf": [_TYPE, {"type": "array", "items": _TYPE, "minItems": 1}],
        "examples": ["date", ["text", "date"]],
    }
)
_STEPS = {"type": "array", "items": step_schema()}
_NORMALIZE = WithJsonSchema(
    {
        "anyOf": [_STEPS, {"type": "object", "additionalProperties": _STEPS}],
        "examples": [["trim", "upper"], [{"zero_pad": 8}], {"code": ["trim"]}],
    }
)


class Dimension(FeedPart):
    """One dimension: its table, and the sheet's columns that hold its business key."""

    table: str
    """The dimension's table, `table` or `schema.table`."""
    business_key: Annotated[
        tuple[str, ...], BeforeValidator(one_or_more), _text_or_texts("sku", ["country", "code"])
    ]
    """Its column with the key that the sheet has, or a list of columns that together are the key."""
    surrogate_key: str
    """Its column with the key that goes into the fact table."""
    column: Annotated[tuple[ColumnName, ...], BeforeValidator(_key_columns), _KEY_COLUMNS]
    """The sheet's column with the business key; a list for a list. Each may be a list of names of which each sheet has
    one: `[SKU, Article]`, or `[[Country, Land], Code]` for a list."""
    type: Annotated[tuple[KeyType, ...], BeforeValidator(one_or_more), _TYPES] = Field(
        default=("text",), json_schema_extra={"default": "text"}
    )
    """What the sheet's cells are read as: `text`; `date` for a business key that is one; `integer` or `decimal` for
    numbers, so that `02`, `2 ` and `2.0` are the same key. For a list one for all, or a list."""
    normalize: Annotated[Normalize, BeforeValidator(_normalize), _NORMALIZE] = Field(
        default=Normalize(), json_schema_extra={"default": []}
    )
    """Steps that normalise a key on both sides, applied in this order; or a mapping from columns of the business
    key to steps."""
    unmatched: Annotated[Unmatched, BeforeValidator(unmatched_key), UNMATCHED_SCHEMA] = Field(
        default=Unmatched(), json_schema_extra={"default": "reject"}
    )
    """What happens to a row whose key has no member: `reject` the row; `fail` the load; take the member with that
    surrogate key for the `unknown`, also where the key is blank; or `create` a member, marked in the boolean column
    that `inferred` names. `attributes` maps further columns of the dimension to those of the sheet that fill them when
    a member is made; they are read as the dimension's columns are. Where rows of one load `disagree` about a member,
    all of them are rejects (`reject`, the default), or the `first` or `last` one in the sheets' order counts. A member
    that is there and has something else stays as it is (`on_change: keep`, the default), has what the sheet says as
    soon as the load is published (`on_change: update`), or has a version with that from the load's period on
    (`on_change: new_version`, which goes with `as_of`). With `as_of` a member that is made is always valid."""
    as_of: AsOf | None = None
    """For members with a history: which one is looked up. Without it each key belongs to one member."""
    serials: bool = False
    """Whether a plain number in a date column of the sheet is an Excel serial date. Otherwise it is a reject."""
    date_format: DateFormat | None = None
    """How a text writes a date, in a key of `type: date` and in the column of `as_of.date`; as in `fact.columns`.
    Without it texts are no dates, but in a csv file."""
    nulls: Nulls = None
    """Texts for a key or a date that is not there, as in `fact.columns`."""

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        keys = len(self.business_key)
        if not keys or len(set(self.business_key)) != keys:
            raise ValueError("`business_key` names a column, or several different ones")
        if len(self.column) != keys:
            raise ValueError(
                f"`business_key` has {keys} parts and `column` {len(self.column)}: name the sheet's column of each"
            )
        if len(self.type) not in (1, keys):
            raise ValueError(
                f"`type` is one for all, or one for each of the {keys} parts of the business key"
            )
        if strange := sorted(set(self.normalize.by_column) - set(self.business_key)):
            raise ValueError(f"`normalize` names {strange[0]!r}, which is not a column of `business_key`")
        if self.serials and not self._reads_dates:
            raise ValueError(
                "`serials` goes with columns of dates, and this dimension reads none of the sheet"
            )
        if self.date_format and not self._reads_dates:
            raise ValueError(
                "`date_format` goes with columns of dates, and this dimension reads none of the sheet"
            )
        for column, kind in zip(self.business_key, self.types, strict=True):
            if kind in ("integer", "decimal") and self.normalize.of(column):
                raise ValueError(
                    f"`normalize` goes with texts, and {column!r} is compared as a number: leave out `normalize`, or "
                    f"`type: {kind}`"
                )
        return self

    @model_validator(mode="after")
    def _members_made_have_a_history(self) -> Self:
        if self.unmatched.makes_versions and self.as_of is None:
            raise ValueError(
                "`on_change: new_version` goes with `as_of`, which names the columns that say from when to when a "
                "version is valid"
            )
        if self.unmatched.updates and self.as_of is not None:
            raise ValueError(
                "`on_change: update` does not go with `as_of`: a member with a history has several versions. Say "
                "`new_version`, or `keep`"
            )
        if self.as_of is not None and self.as_of.header is not None and self.unmatched.action == "create":
            raise ValueError(
                "`unmatched: create` goes with `as_of.date: period` alone: what rows say of a member counts from the "
                "load's period on, and rows of other dates would belong to versions of which they say nothing. Leave "
                "out `as_of.date`, or say `reject`, `fail` or `{unknown: …}`"
            )
        return self

    @model_validator(mode="after")
    def _attributes_are_others(self) -> Self:
        for name in self.unmatched.attributes:
            if name in (*self.business_key, self.surrogate_key, self.unmatched.inferred):
                raise ValueError(
                    f"`unmatched.create.attributes` names {name!r}, which `business_key`, `surrogate_key` or "
                    "`inferred` names already"
                )
            if self.as_of is not None and name in (self.as_of.valid_from, self.as_of.end):
                raise ValueError(f"`unmatched.create.attributes` names {name!r}, which `as_of` names already")
        return self

    @property
    def _reads_dates(self) -> bool:
        return "date" in self.type or (self.as_of is not None and self.as_of.header is not None)

    @property
    def types(self) -> tuple[KeyType, ...]:
        """The type of each part of the key."""
        return self.type if len(self.type) == len(self.business_key) else self.type * len(self.business_key)

    @property
    def key_required(self) -> bool:
        """Whether a row without a key is a reject; with a member for the unknown it is not."""
        return self.unmatched.action != "unknown"

    @property
    def map_definition(self) -> tuple[Any, ...]:
        """What decides the dimension's map: dimensions with the same one (two roles of a table) share it."""
        history = self.as_of and (self.as_of.valid_from, self.as_of.end, self.as_of.is_inclusive)
        steps = tuple(self.normalize.of(column) for column in self.business_key)
        return (self.table, self.business_key, self.surrogate_key, self.types, steps, history)
