"""Feed files: finding them, reading them, and errors that name file, line, field and remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from factload.errors import FeedError
from factload.feed import Dimension, Fact, FactColumn, Feed, WorkbookPart
from factload.settings import settings

_SUFFIXES = (".yaml", ".yml")
_LineOf = dict[tuple[str | int, ...], int]


def feed_files(folder: Path | None = None) -> list[Path]:
    """The feed files of ``folder`` (default: the settings'), by name."""
    place = folder or settings().feeds
    return sorted(p for p in place.glob("*") if p.suffix in _SUFFIXES) if place.is_dir() else []


def read_feed(name: str) -> Feed:
    """The feed called ``name`` in the feeds folder, or in the YAML file at that path.

    Raises ``FeedError``: no such feed, or what is wrong in it, a line for each defect.
    """
    path = Path(name)
    if path.suffix not in _SUFFIXES:
        path = next((p for p in feed_files() if p.stem == name), path)
    if not path.is_file():
        known = [p.stem for p in feed_files()]
        raise FeedError(
            "feed_unknown",
            f"there is no feed {name}",
            expected=f"a YAML file, or one of {', '.join(known) or '(none)'} in {settings().feeds}",
            remedy=_did_you_mean(name, known) or "Name a feed, or write its file",
        )
    return read_feed_file(path)


def read_feed_file(path: Path) -> Feed:
    """The feed in one file; raises ``FeedError`` that names each defect with its line."""
    try:
        document = path.read_text(encoding="utf-8")
        node = yaml.compose(document, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _feed_error([f"{path}:{line}: not YAML: {error.problem}"]) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _feed_error([f"{path}:1: not YAML: {type(error).__name__}"]) from None
    if not isinstance(node, yaml.MappingNode):
        raise _feed_error([f"{path}:1: a feed file is a mapping that begins with `feed: NAME`"])
    lines = dict(_lines(node, ()))
    if repeated := list(_repeated(node, ())):
        raise _feed_error([f"{path}:{line}: {field} stands twice; keep one" for line, field in repeated])
    try:
        return Feed.model_validate(yaml.safe_load(document))
    except ValidationError as error:
        raise _feed_error([_describe(path, lines, defect) for defect in error.errors()]) from None


def _feed_error(defects: list[str]) -> FeedError:
    return FeedError("feed_invalid", "\n".join(defects))


def _lines(node: yaml.Node, at: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], int]]:
    yield at, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            for where, line in _lines(value, (*at, key.value)):
                # A field's line is its key's: the value of a mapping starts a line below.
                yield where, key.start_mark.line + 1 if where == (*at, key.value) else line
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _lines(item, (*at, index))


def _repeated(node: yaml.Node, at: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    if not isinstance(node, yaml.MappingNode):
        return
    seen: set[str] = set()
    for key, value in node.value:
        if key.value in seen:
            yield key.start_mark.line + 1, ".".join((*at, key.value))
        seen.add(key.value)
        yield from _repeated(value, (*at, key.value))


def _describe(path: Path, lines: _LineOf, defect: Any) -> str:
    where: tuple[str | int, ...] = tuple(part for part in defect["loc"])
    known = where
    while known and known not in lines:
        known = known[:-1]
    field = ".".join(map(str, where)) or "the feed"
    message = defect["msg"].removeprefix("Value error, ")
    if defect["type"] == "extra_forbidden":
        names = sorted(_model_at(where[:-1]).model_fields)
        message = "is not a field of a feed file. " + (
            _did_you_mean(str(where[-1]), names) or f"Here there are {', '.join(names)}"
        )
    elif defect["type"] == "missing":
        message = "is missing"
    elif defect["type"] == "none_required":
        message = "is not supported; leave it out"
    else:
        found = defect["input"]
        if isinstance(found, str | int | float | bool) or found is None:
            message = f"{message} (found {found!r})"
    return f"{path}:{lines.get(known, 1)}: {field}: {message}"


_MODELS: dict[str, type[BaseModel]] = {"workbook": WorkbookPart, "dimensions": Dimension, "fact": Fact}


def _model_at(where: tuple[str | int, ...]) -> type[BaseModel]:
    if not where:
        return Feed
    return FactColumn if len(where) > 1 and where[:2] == ("fact", "columns") else _MODELS[str(where[0])]


def _did_you_mean(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {close[0]}?" if close else ""
