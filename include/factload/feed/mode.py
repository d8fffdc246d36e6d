"""What publishing does with rows that are there already: the words of a feed file for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import WithJsonSchema

from factload.errors import did_you_mean


@dataclass(frozen=True, slots=True)
class Mode:
    """What publishing does with rows that are there already. ``keys``: the columns that an upsert finds them by."""

    kind: Literal["replace", "append_once", "upsert"]
    keys: tuple[str, ...] = ()


def publishing_mode(value: object) -> object:
    """A feed file's words as a ``Mode``; raises ``ValueError`` that says which there are."""
    if isinstance(value, Mode):
        return value
    if value in ("replace", "append_once"):
        return Mode(value)
    keys = value.get("upsert") if isinstance(value, dict) and len(value) == 1 else None
    if (
        isinstance(keys, list)
        and all(isinstance(key, str) for key in keys)
        and 0 < len(keys) == len(set(keys))
    ):
        return Mode("upsert", tuple(keys))
    expected = "expected replace, append_once, or {upsert: [columns of a unique key]}"
    if isinstance(value, str):
        near = did_you_mean(value, ["replace", "append_once"])
        raise ValueError(f"{expected} (found {value!r}){'. ' if near else ''}{near}")
    raise ValueError(expected)


MODE_SCHEMA = WithJsonSchema(
    {
        "anyOf": [
            {"enum": ["replace", "append_once"]},
            {
                "type": "object",
                "properties": {
                    "upsert": {
                        "type": "array",
                        "items": {"type": "string"},
                        "minItems": 1,
                        "uniqueItems": True,
                    }
                },
                "required": ["upsert"],
                "additionalProperties": False,
            },
        ],
        "examples": ["replace", "append_once", {"upsert": ["order_id"]}],
    }
)
