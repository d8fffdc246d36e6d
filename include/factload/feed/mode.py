"""How a feed file writes the modes of publishing. ``fact.modes`` has, for each name of ``MODES``, what it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import WithJsonSchema

from factload.errors import did_you_mean


@dataclass(frozen=True, slots=True)
class Mode:
    """What publishing does with existing rows. ``kind``: its name in ``MODES``; ``keys``: the columns that it finds
    them by, where the feed names any."""

    kind: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """How one mode is written, and what the feed must say beside it.

    ``does``: what it does, for the field reference. ``can_keep``: whether the rows of a load are its own, so that those
    before can be kept. ``needs_load_column``: why it needs a load column; without
    this it needs none. ``keys``: what the columns are that it names; without this it is written as a bare word.
    """

    does: str
    needs_load_column: str = ""
    keys: str = ""
    example: tuple[str, ...] = ()
    can_keep: bool = False

    def written(self, name: str, keys: object) -> Any:
        """The mode as a feed file has it."""
        return {name: keys} if self.keys else name


MODES = {
    "replace": Spelling(
        does="`replace` the rows of this load",
        needs_load_column="finds the rows of a load by a column that holds it",
        can_keep=True,
    ),
    "exchange": Spelling(
        does="`exchange` the partition of this load, in a table that is partitioned by it",
        needs_load_column="tells the rows of a load from others by a column that holds it",
        can_keep=True,
    ),
    "append_once": Spelling(does="`append_once`, never touching existing rows"),
    "upsert": Spelling(
        does="`{upsert: [columns]}`, updating rows with the same values in these columns, which need a unique index",
        keys="columns of a unique key",
        example=("order_id",),
    ),
}
"""Name → spelling, in the order in which they are told."""

_WORDS = [name for name, spelling in MODES.items() if not spelling.keys]
_WITH_KEYS = [name for name, spelling in MODES.items() if spelling.keys]


def publishing_mode(value: object) -> object:
    """A feed file's words as a ``Mode``; raises ``ValueError`` that says which there are."""
    if isinstance(value, Mode):
        return value
    if isinstance(value, str) and value in _WORDS:
        return Mode(value)
    if isinstance(value, dict) and len(value) == 1:
        [(name, keys)] = value.items()
        if name in _WITH_KEYS and _are_columns(keys):
            return Mode(name, tuple(keys))
    expected = f"expected {_one_of([*_WORDS, *(f'{{{name}: [{MODES[name].keys}]}}' for name in _WITH_KEYS)])}"
    if isinstance(value, str):
        near = did_you_mean(value, _WORDS)
        raise ValueError(f"{expected} (found {value!r}){'. ' if near else ''}{near}")
    raise ValueError(expected)


def _are_columns(keys: object) -> bool:
    return (
        isinstance(keys, list)
        and all(isinstance(key, str) for key in keys)
        and 0 < len(keys) == len(set(keys))
    )


def _one_of(choices: list[str], separator: str = ", ") -> str:
    return f"{separator.join(choices[:-1])}{separator}or {choices[-1]}"


MODE_SCHEMA = WithJsonSchema(
    {
        "anyOf": [
            {"enum": _WORDS},
            *(
                {
                    "type": "object",
                    "properties": {
                        name: {
                            "type": "array",
                            "items": {"type": "string"},
                            "minItems": 1,
                            "uniqueItems": True,
                        }
                    },
                    "required": [name],
                    "additionalProperties": False,
                }
                for name in _WITH_KEYS
            ),
        ],
        "description": f"What publishing does: {_one_of([mode.does for mode in MODES.values()], '; ')}.",
        "examples": [mode.written(name, list(mode.example)) for name, mode in MODES.items()],
    }
)
