"""What a scan is asked for, in the words of a feed file: the same fields, the same types, the same errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from factload.errors import FeedError
from factload.feed.document import Where
from factload.feed.errors import told
from factload.feed.model import Feed

_COLUMNS = ("fact", "columns")
_EXAMPLE = 'columns={"Order date": "date", "Amount": "numeric(18,2)"}'


def asked_for(name: str, columns: Mapping[str, Any], workbook: Mapping[str, Any]) -> Feed:
    """A feed of these columns, whose rows go nowhere. ``name``: the file's; ``workbook``: the fields below a feed's
    ``workbook``.

    Raises ``FeedError`` ``scan_invalid``, a sentence for each argument that is wrong.
    """
    if not isinstance(columns, Mapping) or not columns or not all(isinstance(name, str) for name in columns):
        raise _invalid(["`columns` doesn't map names to types"], f"a mapping such as {_EXAMPLE}")
    named = {header: {"column": header, **_fields(header, asked)} for header, asked in columns.items()}
    braces_kept = name.replace("{", "{{").replace("}", "}}")
    written = {
        "feed": "scan",
        "workbook": {"path": braces_kept, **workbook},
        "fact": {"connection": "none", "table": "none", "mode": "append_once", "columns": named},
    }
    try:
        feed = Feed.model_validate(written)
    except ValidationError as error:
        raise _invalid(
            [_sentence(where, said) for where, said in told(error, set(_places(written)))]
        ) from None
    wrong = [name for name, column in feed.fact.columns.items() if column.column is None or column.unique]
    if wrong:
        raise _invalid(
            [f"`columns[{header!r}]` is not read of one row alone" for header in wrong],
            "a type, or a mapping with `type` and the fields of a fact column that go with one row: not `dimension`, "
            "`value`, `period`, `provenance` or `unique`",
        )
    return feed


def _fields(name: object, asked: object) -> Mapping[str, Any]:
    if isinstance(asked, str):
        return {"type": asked}
    if isinstance(asked, Mapping):
        return asked
    raise _invalid([f"`columns[{name!r}]` is neither a type nor a mapping"], _EXAMPLE)


def _places(value: object, at: Where = ()) -> Iterator[Where]:
    """Every field that was given, as YAML's nodes tell it of a feed file."""
    yield at
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from _places(below, (*at, key))
    elif isinstance(value, list | tuple):
        for index, below in enumerate(value):
            yield from _places(below, (*at, index))


def _sentence(where: Where, said: str) -> str:
    if where[:2] == _COLUMNS and len(where) > 2:
        below = "".join(f".{part}" for part in where[3:])
        return f"`columns[{where[2]!r}]{below}` {said}"
    return f"`{'.'.join(map(str, where[1:]))}` {said}"


def _invalid(defects: list[str], expected: str = "") -> FeedError:
    return FeedError(
        "scan_invalid",
        "; ".join(defects),
        expected=expected,
        remedy="docs/feeds.md has every field of `workbook` and of a fact column",
    )
