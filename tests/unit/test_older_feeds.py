"""Feed files that were written for an older factload mean today what they meant then.

Each folder of ``older_feeds`` holds feed files of one version, its JSON Schema, and ``meanings.json``: what that version read
in each file, every default filled in, and the fingerprint by which it knew a load that was published already.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from factload.feed.document import read_document
from factload.feed.file import read_feed_file
from factload.feed.schema import feed_schema

VERSIONS = sorted((Path(__file__).parent / "older_feeds").iterdir())
FILES = [path for version in VERSIONS for path in sorted(version.glob("*.yaml"))]


def meaning(path: Path) -> dict[str, Any]:
    meanings: dict[str, dict[str, Any]] = json.loads((path.parent / "meanings.json").read_text("utf-8"))
    return meanings[path.stem]


def schema_of(version: Path) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((version / "feed.schema.json").read_text("utf-8"))
    return schema


def still_says(then: Any, now: Any) -> bool:
    """Whether what was read then is read now; fields that have come since may stand beside it."""
    if isinstance(then, dict):
        return isinstance(now, dict) and all(k in now and still_says(v, now[k]) for k, v in then.items())
    if isinstance(then, list):
        return isinstance(now, list) and len(then) == len(now) and all(map(still_says, then, now))
    return bool(then == now)


def as_json(value: Any) -> Any:
    """A share is a decimal today, and was a float."""
    return float(value) if isinstance(value, Decimal) else str(value)


def fields(schema: dict[str, Any], part: dict[str, Any], at: str = "") -> Iterator[tuple[str, Any]]:
    """Every field of a part of a feed and of the parts in it, such as ``fact.columns.*.type``, with its default."""
    for choice in part.get("anyOf", ()):
        yield from fields(schema, choice, at)
    if isinstance(part.get("additionalProperties"), dict):
        yield from fields(schema, part["additionalProperties"], f"{at}*.")
    if "$ref" in part:
        part = schema["$defs"][part["$ref"].rsplit("/", 1)[-1]]
    elif at:
        return
    for name, field in part["properties"].items():
        yield f"{at}{name}", field.get("default")
        yield from fields(schema, field, f"{at}{name}.")


def occurring(value: Any, at: str = "") -> Iterator[str]:
    """The fields that a feed file fills, with ``*`` for the name of a dimension or of a column."""
    if isinstance(value, dict):
        for name, inner in value.items():
            named_by_team = at in ("dimensions.", "fact.columns.")
            here = f"{at}{'*' if named_by_team else name}"
            yield here
            yield from occurring(inner, f"{here}.")


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_feed_file_of_an_older_version_means_what_it_meant(path: Path) -> None:
    feed = read_feed_file(path)
    now = json.loads(json.dumps(feed.model_dump(), default=as_json))
    assert still_says(meaning(path)["says"], now)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_what_an_older_version_published_is_not_loaded_again_for_the_update_alone(path: Path) -> None:
    assert read_feed_file(path).fingerprint == meaning(path)["fingerprint"]


@pytest.mark.parametrize("version", VERSIONS, ids=lambda path: path.name)
def test_no_field_of_an_older_version_is_gone_or_has_another_default(version: Path) -> None:
    then, now = schema_of(version), dict(fields(feed_schema(), feed_schema()))
    was = dict(fields(then, then))
    assert [name for name in was if name not in now] == []
    assert {name: default for name, default in was.items() if now[name] != default} == {}


@pytest.mark.parametrize("version", VERSIONS, ids=lambda path: path.name)
def test_the_files_that_are_kept_use_every_field_of_their_version(version: Path) -> None:
    schema = schema_of(version)
    used = {name for path in version.glob("*.yaml") for name in occurring(read_document(path)[1])}
    assert {name for name, _ in fields(schema, schema)} - used == set()
