"""A feed file as YAML: its nodes, which know their lines, and its values. Bounded before anything is made of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from factload.errors import FeedError

Where = tuple[str | int, ...]

# Far above any feed, and far below what parsers of nested or repeated parts take a minute or the stack for.
MOST_CHARACTERS = 200_000
MOST_LEVELS = 50
MOST_NODES = 20_000
_DEFECTS_TOLD = 20

_MERGE, _TEXT = "tag:yaml.org,2002:merge", "tag:yaml.org,2002:str"
_TAB = "found character '\\t'"
_TEMPLATE = (
    'Text that begins with { must be in quotes, such as "{period}.xlsx"; templates are not filled in here'
)


def read_document(path: Path) -> tuple[yaml.Node | None, object]:
    """The nodes and the values of the one document in a file; ``None`` and ``None`` if it is empty.

    Raises ``FeedError``, a line for each defect: not readable, not UTF-8, not YAML, too large, nested too deep, a
    field twice, or a value that its YAML type has no room for.
    """
    text = _text_of(path)
    try:
        _require_bounds(path, text)
        loader = yaml.CSafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            return None, None
        # Asked before the values are made: that writes the fields of a merge (`<<`) into its node.
        if misnamed := [*_misnamed(path, node, ())]:
            raise feed_error(misnamed)
        _name_by_text(node)
        return node, _values(path, loader, node)
    except yaml.YAMLError as error:
        raise feed_error([_not_yaml(path, _told_clearly(text, error))]) from None


def feed_error(defects: list[str]) -> FeedError:
    """The error of a feed file with these defects, a line each, as far as a person would read them."""
    told = defects[:_DEFECTS_TOLD]
    if len(defects) > len(told):
        told.append(f"… and {len(defects) - len(told):,} more")
    return FeedError("feed_invalid", "\n".join(told))


def lines_of(node: yaml.Node, at: Where = ()) -> Iterator[tuple[Where, int]]:
    """Every field below a node with its line, counted from 1. A field's line is its key's: the value of a mapping
    starts a line below."""
    yield at, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            for where, line in lines_of(value, (*at, key.value)):
                yield where, key.start_mark.line + 1 if where == (*at, key.value) else line
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from lines_of(item, (*at, index))


def _text_of(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise feed_error([f"{path}:1: can't be read ({error.strerror})"]) from None
    if len(content) > 4 * MOST_CHARACTERS:
        raise feed_error([f"{path}:1: is {len(content):,} bytes long; a feed file has some hundreds"])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise feed_error([f"{path}:{line}: is not UTF-8. Save the file in the encoding UTF-8"]) from None


def _require_bounds(path: Path, text: str) -> None:  # noqa: C901 - a branch for each kind of event, and each bound
    """Walk over YAML's events, which hold nothing, and count what nodes and values would be made of them.

    An alias counts as often as it stands for: a few hundred bytes of aliases of aliases can mean a billion nodes.
    """
    if len(text) > MOST_CHARACTERS:
        raise feed_error([f"{path}:1: is {len(text):,} characters long; a feed file has some hundreds"])
    nodes = 0
    sizes: dict[str, int] = {}
    opened: list[tuple[str | None, int]] = []  # of each part that is open: its anchor, the nodes before it
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                said = f"*{event.anchor} stands for a part that is not written above it"
                raise feed_error([f"{path}:{line}: {said}. Text that begins with * must be in quotes"])
            nodes += sizes[event.anchor]
        elif isinstance(event, yaml.CollectionStartEvent):
            opened.append((event.anchor, nodes))
            nodes += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = opened.pop()
            if anchor is not None:
                sizes[anchor] = nodes - before
        elif isinstance(event, yaml.ScalarEvent):
            nodes += 1
            if event.anchor is not None:
                sizes[event.anchor] = 1
        if len(opened) > MOST_LEVELS:
            raise feed_error([f"{path}:{line}: is nested more than {MOST_LEVELS} levels deep. {_TEMPLATE}"])
        if nodes > MOST_NODES:
            said = f"has more than {MOST_NODES:,} parts, counting every alias (*name) with its contents"
            raise feed_error([f"{path}:{line}: {said}"])


def _misnamed(path: Path, node: yaml.Node, at: Where) -> Iterator[str]:
    """A line for each field whose name is not a text, or is given twice: YAML would silently take the last one."""
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _misnamed(path, item, (*at, index))
    if not isinstance(node, yaml.MappingNode):
        return
    seen: set[str] = set()
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            yield f"{path}:{line}: {_name(at)}: holds fields or a list where a name is expected. {_TEMPLATE}"
            continue
        if key.value in seen:
            yield f"{path}:{line}: {_name((*at, key.value))} is given twice; keep one of them"
        seen.add(key.value)
        yield from _misnamed(path, value, (*at, key.value))


def _name_by_text(node: yaml.Node) -> None:
    """Let every field have the name that is written there: YAML would make `true`, `no` and `2024` values of another
    type."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _name_by_text(item)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.tag != _MERGE:
                key.tag = _TEXT
            _name_by_text(value)


def _name(where: Where) -> str:
    return ".".join(map(str, where)) or "the feed"


def _values(path: Path, loader: yaml.CSafeLoader, node: yaml.Node) -> object:
    try:
        return loader.construct_document(node)
    except yaml.YAMLError:
        raise
    except Exception:
        # PyYAML hands a value to Python's own types, which raise what they like: 2026-02-30 is a ValueError.
        raise feed_error(
            [*_unfit_values(path, node, ())] or [f"{path}:1: holds a value without room"]
        ) from None


def _unfit_values(path: Path, node: yaml.Node, at: Where) -> Iterator[str]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _unfit_values(path, key, at)
            yield from _unfit_values(path, value, (*at, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _unfit_values(path, item, (*at, index))
    else:
        try:
            yaml.SafeLoader("").construct_object(node, deep=True)
        except Exception:
            kind = {"timestamp": "date or time", "int": "number", "float": "number"}.get(
                node.tag.rpartition(":")[2], "value"
            )
            said = f"{node.value!r} looks like a {kind}, and is not a valid one. Correct it, or put text in quotes"
            yield f"{path}:{node.start_mark.line + 1}: {_name(at)}: {said}"


def _told_clearly(text: str, error: yaml.YAMLError) -> yaml.YAMLError:
    """The same error in the words of PyYAML's own parser, which says more clearly what is wrong than libyaml."""
    try:
        for _ in yaml.parse(text, Loader=yaml.SafeLoader):
            pass
    except yaml.YAMLError as clearer:
        return clearer
    return error


def _not_yaml(path: Path, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = mark.line + 1 if mark else 1
    problem = getattr(error, "problem", None) or "a character that no text may hold"
    whole = str(error)
    hint = ""
    if _TAB in problem:
        hint = ". Indent with spaces: YAML does not allow tabs"
    elif "while scanning an alias" in whole or "undefined alias" in problem:
        hint = '. Text that begins with * must be in quotes, such as "*/5 2 * * *"'
    elif "cannot start any token" in problem:
        hint = ". Text that begins with this character must be in quotes"
    elif "could not determine a constructor" in problem or "while scanning a tag" in whole:
        hint = ". Text that begins with ! must be in quotes"
    elif "another document" in problem:
        hint = ". A feed file is one document: leave out the line of three dashes"
    elif "while parsing a flow" in whole or ("<block end>" in problem and "<scalar>" in problem):
        hint = '. Is a { or [ left open? Text that begins with one must be in quotes, such as "{period}.xlsx"'
    elif "<block end>" in problem:
        hint = ". Fields of one part have the same indentation"
    elif "mapping values are not allowed" in problem or "could not find expected ':'" in problem:
        hint = ". Text with a colon must be in quotes; fields of one part have the same indentation"
    return f"{path}:{line}: not YAML: {problem}{hint}"
