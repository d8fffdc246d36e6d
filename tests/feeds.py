"""Feed files that tests change by their keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

ABSENT = object()
"""As a value: the field is taken out of the feed."""


def changed(feed: str, changes: Mapping[str, Any]) -> str:
    """The feed file with other values: ``{"fact.mode": "append_once", "fact.load_column": ABSENT}``.

    A field that is new needs a parent that the feed has. Comments and the order of lines are not kept.
    """
    document = yaml.safe_load(feed)
    for field, value in changes.items():
        *parents, name = field.split(".")
        part = document
        for parent in parents:
            part = part[parent]
        if value is ABSENT:
            del part[name]
        else:
            part[name] = value
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
