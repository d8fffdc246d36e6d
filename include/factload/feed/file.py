"""Feed files: finding them, reading them, and errors that name file, line, field and remedy."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import ValidationError

from factload.errors import FeedError, did_you_mean
from factload.feed.document import feed_error, read_document
from factload.feed.errors import defects
from factload.feed.model import Feed
from factload.settings import settings

_SUFFIXES = (".yaml", ".yml")
_NO_FOLDER = "That folder is not there: set FACTLOAD_HOME to the folder above include/feeds"


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
        folder = settings().feeds
        known = [p.stem for p in feed_files(folder)]
        advice = "Name a feed, or write its file" if folder.is_dir() else _NO_FOLDER
        raise FeedError(
            "feed_unknown",
            f"there is no feed {name}",
            expected=f"a YAML file, or one of {', '.join(known) or '(none)'} in {folder}",
            remedy=did_you_mean(name, known) or advice,
        )
    return read_feed_file(path)


def read_feed_file(path: Path) -> Feed:
    """The feed in one file; raises ``FeedError`` that names each defect with its line.

    Nothing else is raised, whatever the file holds: a folder's other feeds go on when one file is broken.
    """
    try:
        node, document = read_document(path)
        if not isinstance(node, yaml.MappingNode):
            raise feed_error([f"{path}:1: a feed file is a mapping that begins with `feed: NAME`"])
        try:
            return Feed.model_validate(document)
        except ValidationError as error:
            raise feed_error(defects(path, node, error)) from None
    except FeedError:
        raise
    except Exception as error:
        unforeseen = f"{path}:1: can't be read as a feed ({type(error).__name__})"
        raise feed_error([f"{unforeseen}. Take out what was written last, until it can"]) from error
