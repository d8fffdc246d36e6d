"""The JSON Schema of feed files: what editors complete and explain, and what the field reference is written from."""

from __future__ import annotations

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from factload.feed.documentation import field_texts
from factload.feed.model import Feed


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


def feed_schema() -> dict[str, Any]:
    """The schema (draft 2020-12) of one feed file."""
    return Feed.model_json_schema(schema_generator=_Schema)


def schema_text() -> str:
    """The schema as the published file holds it."""
    return json.dumps(feed_schema(), indent=2, ensure_ascii=False) + "\n"
