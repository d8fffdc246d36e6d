"""An XML part that is changed in places: bytes are put in, and the others stay as they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from factload.errors import WorkbookError
from factload.sheet.xml_reader import XmlReader, is_utf8

MOST_BYTES = 8 << 20  # real ones are far smaller; each element takes memory
OTHERWISE = "Leave out --annotated: the rejected rows are then written into a workbook of their own"
# Between a tag's name and its end, quoted text that holds an end of tag too.
ATTRIBUTES = rb"""(?:[^<>"']|"[^"<]*"|'[^'<]*')*?"""
_TAG = re.compile(rb"<([^\s/>]+)" + ATTRIBUTES + rb"(/?)>")


@dataclass(slots=True)
class Element:
    """Where an element stands in the bytes. ``name``: without its vocabulary; ``opened``: where its content begins.

    ``closing``: where its end tag begins, None for one without; ``depth``: 0 for the root.
    """

    name: str
    vocabulary: str
    attributes: dict[str, str]
    depth: int
    parent: Element | None
    start: int
    opened: int = 0
    closing: int | None = None
    end: int = 0


class EditedPart:
    """A part that fits into memory. Changes are told by elements as they were read, and made together at the end.

    Raises ``WorkbookError`` for a part that is not well-formed, not in UTF-8, or large.
    """

    def __init__(self, data: bytes, part: str) -> None:
        if len(data) > MOST_BYTES:
            raise unfit(f"{part} has {len(data):,} bytes, more than {MOST_BYTES:,}")
        require_utf8(data, part)
        self._data, self._part = data, part
        self._changes: list[tuple[int, int, bytes]] = []
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self._reader = XmlReader(part, start=self._start, end=self._end)
        self._reader.feed(data, final=True)
        self.root = self.elements[0]

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        vocabulary, _, local = name.rpartition(" ")
        parent = self._open[-1] if self._open else None
        at = self._reader.position
        found = Element(local, vocabulary, attributes, len(self._open), parent, at)
        self.elements.append(found)
        self._open.append(found)

    def _end(self, _: str) -> None:
        element = self._open.pop()
        at = self._reader.position
        tag = _TAG.match(self._data, element.start)
        if tag is None:
            raise unfit(f"{self._part} holds a tag that can't be taken apart")
        element.opened = tag.end()
        if tag[2]:
            element.end = element.opened
        else:
            element.closing = at
            element.end = self._data.index(b">", at) + 1

    def named(self, name: str, below: Element | None = None) -> Iterator[Element]:
        """The elements of this name in the root's vocabulary, or those right below one."""
        for element in self.elements:
            if (
                element.name == name
                and element.vocabulary == self.root.vocabulary
                and (below is None or element.parent is below)
            ):
                yield element

    def first(self, name: str) -> Element | None:
        """The first element of this name."""
        return next(self.named(name), None)

    def source(self, element: Element) -> bytes:
        """The element as it was read."""
        return self._data[element.start : element.end]

    def qualified(self, name: str) -> bytes:
        """The name of an element in the root's vocabulary, with the prefix that the part writes for it."""
        return prefix_of(self._data, self.root.start) + name.encode()

    def insert(self, at: int, xml: bytes) -> None:
        """Put ``xml`` in at a position of the bytes as they were read."""
        self._changes.append((at, at, xml))

    def append(self, element: Element, xml: bytes) -> None:
        """Put ``xml`` in as the last that an element holds."""
        if element.closing is not None:
            self.insert(element.closing, xml)
            return
        name = _TAG.match(self._data, element.start)[1]  # type: ignore[index]  # matched when it was read
        self._changes.append((element.opened - 2, element.opened, b">" + xml + b"</" + name + b">"))

    def set(self, element: Element, name: str, value: str) -> None:
        """Give an element's attribute another value, or the attribute itself."""
        tag = self._data[element.start : element.opened]
        start, end, written = _attribute(tag, name, value)
        self._changes.append((element.start + start, element.start + end, written))

    def result(self) -> bytes:
        """The part with all changes."""
        pieces, at = [], 0
        for start, end, xml in sorted(self._changes, key=lambda change: change[:2]):
            pieces += [self._data[at:start], xml]
            at = end
        return b"".join([*pieces, self._data[at:]])


def with_attribute(tag: bytes, name: str, value: str) -> bytes:
    """A start tag with this attribute."""
    start, end, written = _attribute(tag, name, value)
    return tag[:start] + written + tag[end:]


def prefix_of(data: bytes, at: int) -> bytes:
    """The prefix of the tag that begins there, with its colon; nothing where it has none."""
    tag = _TAG.match(data, at)
    before, colon, _ = tag[1].rpartition(b":") if tag else (b"", b"", b"")
    return before + colon


def require_utf8(data: bytes, part: str) -> None:
    """Raise ``WorkbookError`` for a part in another encoding."""
    if not is_utf8(data):
        raise unfit(f"{part} is not in UTF-8")


def unfit(seen: str) -> WorkbookError:
    """The refusal of a workbook whose cells can't be marked, though they can be read."""
    return WorkbookError(
        "annotated_unfit",
        f"the cells of this workbook can't be marked: {seen}",
        expected="an .xlsx or .xlsm workbook as Excel saves it",
        remedy=OTHERWISE,
    )


def _attribute(tag: bytes, name: str, value: str) -> tuple[int, int, bytes]:
    """Where in a start tag what is to be written."""
    written = f" {name}={quoteattr(value)}".encode()
    found = re.compile(rb"""\s""" + name.encode() + rb"""\s*=\s*(?:"[^"]*"|'[^']*')""").search(tag)
    if found:
        return found.start(), found.end(), written
    at = len(tag) - (2 if tag.endswith(b"/>") else 1)
    return at, at, written
