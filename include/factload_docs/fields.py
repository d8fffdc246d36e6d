"""The field reference, out of the JSON Schema: field, meaning, values, default."""

from __future__ import annotations

import json
from typing import Any

from factload.feed.schema import plain_schema

_Schema = dict[str, Any]


def field_table(model: str) -> str:
    """The fields of one part of a feed file, such as ``FactColumn``; of the whole file for ``Feed``."""
    schema = plain_schema()
    part = schema if model == "Feed" else schema["$defs"][model]
    needed = set(part.get("required", ()))
    rows = [
        f"| `{name}` | {_in_one_line(field['description'])} | {_values(field)} | {_default(field, name in needed)} |"
        for name, field in _described(part, schema["$defs"]).items()
    ]
    return "\n".join(["| field | what it says | values | default |", "| --- | --- | --- | --- |", *rows])


def _in_one_line(text: str) -> str:
    return " ".join(text.split())


def _described(part: _Schema, definitions: dict[str, _Schema]) -> dict[str, _Schema]:
    # A field that is a part of its own may leave its description to that part.
    return {
        name: definitions[field["$ref"].rpartition("/")[2]] | field if "$ref" in field else field
        for name, field in part["properties"].items()
    }


def _values(field: _Schema) -> str:
    if "$ref" in field:
        return "see below"
    if "examples" in field:
        return "such as " + ", ".join(map(_code, field["examples"]))
    kinds = [_kind(kind) for kind in field.get("anyOf", [field]) if kind.get("type") != "null"]
    return " or ".join(dict.fromkeys(kind for kind in kinds if kind))


def _kind(kind: _Schema) -> str:
    if choices := kind.get("enum") or [kind[name] for name in ("const",) if name in kind]:
        return ", ".join(map(_code, choices))
    if "$ref" in kind or "additionalProperties" in kind:
        return "see below"
    if kind["type"] == "array":
        return f"a list: {_kind(kind['items'])}"
    if kind["type"] == "boolean":
        return "`true`, `false`"
    if "minimum" in kind and "maximum" in kind:
        return f"{kind['minimum']:,} to {kind['maximum']:,}"
    return {"string": "text", "integer": "a whole number", "number": "a number", "null": ""}[kind["type"]]


def _default(field: _Schema, needed: bool) -> str:
    if needed:
        return "must be there"
    found = field.get("default")
    return "none" if found is None or found in ([], {}) else _code(found)


def _code(value: object) -> str:
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    return f"`{text}`".replace("|", "\\|")
