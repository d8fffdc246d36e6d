"""Names: what a column, a table or a file is about, and what to call what is made of it."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date
from itertools import count
from pathlib import Path

from factload.feed.model import MAX_FEED_NAME

IS_KEY = re.compile(r"(?:^|[_ ])(?:key|id|code|no|nr|number|sku|ean|isin|iban)$", re.IGNORECASE)
KEY_END = re.compile(r"[_ ](?:business_key|natural_key|key|id|sk|fk|code|no|nr|number)$", re.IGNORECASE)
IS_FACT = re.compile(r"^(?:fact|fct|f)_", re.IGNORECASE)
_TABLE_START = re.compile(r"^(?:dim|d|fact|f|fct|tbl)_|_(?:dim|fact)$", re.IGNORECASE)
_DATE = re.compile(r"(20\d\d)(-?)([01]\d)\2([0-3]\d)")
_MAX_IDENTIFIER = 63  # PostgreSQL's


def feed_name(workbook: Path) -> str:
    """A name for the feed: the workbook's, without the date in it."""
    words = re.sub(r"[^a-z0-9]+", "_", _DATE.sub(" ", workbook.stem).lower()).strip("_")
    return (words if words[:1].isalpha() else f"feed_{words}".strip("_"))[:MAX_FEED_NAME].rstrip("_")


def period_path(path: str) -> tuple[str, date | None]:
    """The path with ``{period}`` where its name holds a date, and that date."""
    name = Path(path).name
    if not (match := _DATE.search(name)):
        return path, None
    try:
        period = date(int(match[1]), int(match[3]), int(match[4]))
    except ValueError:
        return path, None
    placeholder = "{period}" if match[2] else "{period:%Y%m%d}"
    return str(Path(path).with_name(name[: match.start()] + placeholder + name[match.end() :])), period


def plain(name: str) -> str:
    """A name without case and punctuation."""
    return re.sub(r"[^a-z0-9]+", "", name.lower())


def stem(name: str) -> str:
    """``product`` for product_id, Product Key, dim_product: what a name is about."""
    return re.sub(r"[^a-z0-9]+", "_", KEY_END.sub("", _TABLE_START.sub("", name)).lower()).strip("_")


def identifier(header: str) -> str:
    """A column's name for a header."""
    words = re.sub(r"\W+", "_", header.lower()).strip("_")
    return (words if words[:1].isalpha() else f"column_{words}".rstrip("_"))[:_MAX_IDENTIFIER]


def unused(name: str, taken: Collection[str]) -> str:
    """``name``, numbered from 2 if it is among ``taken``."""
    return next(n for i in count(1) if (n := name if i == 1 else f"{name}_{i}") not in taken)
