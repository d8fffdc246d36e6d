"""The JSON Schema of feed files: what editors complete and explain, and what the field reference is written from."""

from __future__ import annotations

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from factload.feed.documentation import field_texts
from factload.feed.model import Feed
from factload.feed.periods import BY_PERIOD, FROM, NEVER_WITHOUT, Place

_NOTES = ("description", "default", "examples")


class _Schema(GenerateJsonSchema):
    """With the text of each field; without the titles that repeat its name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def model_schema(self, schema: Any) -> dict[str, Any]:
        made = super().model_schema(schema)
        for name, text in field_texts(schema["cls"]).items():
            made["properties"][name].setdefault("description", text)
        return made

    def generate(self, schema: Any, mode: JsonSchemaMode = "validation") -> dict[str, Any]:
        made = super().generate(schema, mode=mode)
        for definition in [made, *made.get("$defs", {}).values()]:
            definition.pop("title", None)
        return {"$schema": self.schema_dialect, "title": "A feed file of factload", **made}


def plain_schema() -> dict[str, Any]:
    """The schema of a feed without ranges of periods."""
    return Feed.model_json_schema(schema_generator=_Schema)


def feed_schema() -> dict[str, Any]:
    """The schema (draft 2020-12) of one feed file."""
    schema = plain_schema()
    for place in BY_PERIOD:
        part = _part_at(schema, place[:-1])
        part["properties"][place[-1]] = _or_by_period(part["properties"][place[-1]], place)
    return schema


def _part_at(schema: dict[str, Any], place: Place) -> dict[str, Any]:
    part = schema
    for name in place:
        part = part["additionalProperties"] if name == "*" else part["properties"][name]
        refs = [kind["$ref"] for kind in (part, *part.get("anyOf", ())) if "$ref" in kind]
        part = schema["$defs"][refs[0].rpartition("/")[2]] if refs else part
    return part


def _or_by_period(field: dict[str, Any], place: Place) -> dict[str, Any]:
    """The field's schema, or entries that say from which period on they count."""
    name = place[-1]
    value = {word: said for word, said in field.items() if word not in _NOTES}
    said = value if place in NEVER_WITHOUT else {"anyOf": [value, {"type": "null"}]}
    entry = {
        "type": "object",
        "properties": {FROM: {"type": "string", "format": "date"}, name: said},
        "required": [name],
        "additionalProperties": False,
    }
    later = {**entry, "required": [FROM, name]}
    entries = {"type": "array", "prefixItems": [entry], "items": later, "minItems": 1}
    return {word: said for word, said in field.items() if word in _NOTES} | {"anyOf": [value, entries]}


def schema_text() -> str:
    """The schema as the published file holds it."""
    return json.dumps(feed_schema(), indent=2, ensure_ascii=False) + "\n"
