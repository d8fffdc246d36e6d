"""Feed files: finding them, reading them, and errors that name file, line, field and remedy."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import ValidationError

from factload.errors import FeedError, did_you_mean
from factload.feed.errors import defects, not_yaml, repeated
from factload.feed.model import Feed
from factload.settings import settings

_SUFFIXES = (".yaml", ".yml")


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
            remedy=did_you_mean(name, known) or "Name a feed, or write its file",
        )
    return read_feed_file(path)


def read_feed_file(path: Path) -> Feed:
    """The feed in one file; raises ``FeedError`` that names each defect with its line."""
    node, document = _document(path)
    if not isinstance(node, yaml.MappingNode):
        raise _feed_error([f"{path}:1: a feed file is a mapping that begins with `feed: NAME`"])
    try:
        return Feed.model_validate(document)
    except ValidationError as error:
        raise _feed_error(defects(path, node, error)) from None


def _document(path: Path) -> tuple[yaml.Node | None, object]:
    """A YAML file as nodes, which know their lines, and as values. Raises ``FeedError`` (twice, not YAML)."""
    try:
        text = path.read_text(encoding="utf-8")
        loader = yaml.CSafeLoader(text)
        try:
            node = loader.get_single_node()
            # Asked before the values are made: that writes the fields of a merge (`<<`) into its node.
            if node and (twice := repeated(path, node)):
                raise _feed_error(twice)
            return node, loader.construct_document(node) if node else None
        except yaml.YAMLError:
            yaml.safe_load(text)  # the slow one says more clearly what is wrong
            raise
    except (yaml.YAMLError, ValueError) as error:  # ValueError: not UTF-8, or a date that doesn't exist
        raise _feed_error([not_yaml(path, error)]) from None


def _feed_error(defects: list[str]) -> FeedError:
    return FeedError("feed_invalid", "\n".join(defects))
