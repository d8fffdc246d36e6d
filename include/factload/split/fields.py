"""Which columns of a sheet a feed reads, and under which names they are in the partition files.

The names carry a prefix, so that no column of a fact table can be taken for one of the file's own.
"""

from __future__ import annotations

from factload.feed.model import Feed
from factload.feed.written_values import SignWords
from factload.sheet.field import SheetField
from factload.sheet.names import spellings
from factload.sheet.signs import Signs
from factload.sql_types import SqlType


def value_field(fact_column: str) -> str:
    """The partition file's column that holds what the sheet says of a column of the fact table."""
    return f"value:{fact_column}"


def key_fields(feed: Feed, dimension: str) -> list[str]:
    """The partition file's columns with the parts of a dimension's business key."""
    return [f"key:{dimension}:{number}" for number in range(len(feed.dimensions[dimension].column))]


def attribute_field(dimension: str, column: str) -> str:
    """The partition file's column with what the sheet says of a member's attribute."""
    return f"attribute:{dimension}:{column}"


def date_field(dimension: str) -> str:
    """The partition file's column with the date as of which a dimension's member is looked for."""
    return f"date:{dimension}"


def sign_field(fact_column: str) -> str:
    """The partition file's column that holds what the sheet says of the sign of a column of the fact table."""
    return f"sign:{fact_column}"


def sheet_fields(feed: Feed) -> list[SheetField]:
    """What is read of the sheet, in the order of the fact table's columns: a row's first defect is its reject."""
    fields: dict[str, SheetField] = {}
    for name, source in feed.fact.columns.items():
        if source.column is not None and source.type is not None:
            column, *aliases = spellings(source.column)
            if source.sign is not None:
                fields[sign_field(name)] = _sign_field(name, source.sign)
            fields[value_field(name)] = SheetField(
                value_field(name),
                column,
                "value",
                source.type,
                source.required,
                source.parse_text,
                feed.text_format_of(name),
                source.rules,
                serials=source.serials,
                timezone=source.timezone,
                aliases=tuple(aliases),
                nulls=feed.nulls_of(source),
                signed_by=sign_field(name) if source.sign is not None else "",
            )
        elif source.dimension is not None:
            dimension = source.dimension
            read = [*_dimension_fields(feed, dimension), *_attribute_fields(feed, dimension)]
            fields |= {field.name: field for field in read}
    return list(fields.values())


def _sign_field(fact_column: str, sign: SignWords) -> SheetField:
    column, *aliases = spellings(sign.column or "")
    name, signs = sign_field(fact_column), Signs(sign.minus, sign.plus)
    return SheetField(name, column, "sign", SqlType("text"), aliases=tuple(aliases), signs=signs)


def _attribute_fields(feed: Feed, name: str) -> list[SheetField]:
    """Those of a dimension's attributes, of the type of its columns where these are known."""
    dimension = feed.dimensions[name]
    fields = []
    for attribute, source in dimension.unmatched.attributes.items():
        column, *aliases = spellings(source.column)
        fields.append(
            SheetField(
                attribute_field(name, attribute),
                column,
                "value",
                source.type or SqlType("text"),
                source.required,
                text_format=feed.key_text_format_of(name),
                aliases=tuple(aliases),
                nulls=feed.nulls_of(dimension),
            )
        )
    return fields


def _dimension_fields(feed: Feed, name: str) -> list[SheetField]:
    dimension = feed.dimensions[name]
    required, written, nulls = dimension.key_required, feed.key_text_format_of(name), feed.nulls_of(dimension)
    fields = [
        SheetField(
            field,
            spellings(names)[0],
            "key",
            SqlType("date" if kind == "date" else "text"),
            required,
            parse_text=kind in ("integer", "decimal") or bool(dimension.date_format),
            text_format=written,
            serials=dimension.serials,
            aliases=spellings(names)[1:],
            nulls=nulls,
            number=kind if kind in ("integer", "decimal") else None,
        )
        for field, names, kind in zip(key_fields(feed, name), dimension.column, dimension.types, strict=True)
    ]
    if dimension.as_of is not None and dimension.as_of.header is not None:
        moment = SqlType("timestamp")
        column, *aliases = spellings(dimension.as_of.header)
        fields.append(
            SheetField(
                date_field(name),
                column,
                "value",
                moment,
                required,
                parse_text=bool(dimension.date_format),
                text_format=written,
                serials=dimension.serials,
                timezone=dimension.as_of.timezone,
                aliases=tuple(aliases),
                nulls=nulls,
            )
        )
    return fields
