"""What stands around the rows of a sheet: its columns before them, merged cells and drawings after them."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from factload.reports.annotated.edited_part import ATTRIBUTES, MOST_BYTES, EditedPart, require_utf8, unfit
from factload.sheet.inflate import Stream
from factload.sheet.references import corners

CHUNK = 1 << 20
_DATA = re.compile(rb"<((?:[\w.-]+:)?)sheetData(?=[\s/>])" + ATTRIBUTES + rb"(/?)>")
_ENDS = re.compile(rb"</(?:[\w.-]+:)?sheetData\s*>")
_LONGEST_END = 200
_SHEET = re.compile(rb"<(?:[\w.-]+:)?worksheet(?=[\s>])" + ATTRIBUTES + rb">")
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
# What may follow a sheet's link to the drawing of its comments (ECMA-376 part 1, 18.3.1.99).
_AFTER_DRAWING = frozenset(
    ("legacyDrawingHF", "drawingHF", "picture", "oleObjects", "controls", "webPublishItems", "tableParts", "extLst",
     "AlternateContent")
)  # fmt: skip

Corners = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class SheetFrame:
    """``head``: the bytes up to the rows; ``tail``: those after them; ``prefix``: of the names between.

    ``columns``: first and last column of each group, and its style. ``merged``: the ranges of merged cells.
    ``drawing``: the relationship of the drawing that comments are in; None: there is none.
    """

    part: str
    head: bytes
    tail: bytes
    prefix: bytes
    columns: tuple[tuple[int, int, int], ...]
    merged: tuple[Corners, ...]
    drawing: str | None

    def shown(self, places: Iterable[tuple[int, int]]) -> dict[tuple[int, int], tuple[int, int]]:
        """Of these cells (row, column) those that merged ranges hide, each with the cell that is seen in its place."""
        inside = sorted(places) if self.merged else []
        found = {}
        for top, left, bottom, right in self.merged:
            for place in inside[bisect_left(inside, (top, left)) : bisect_right(inside, (bottom, right))]:
                if left <= place[1] <= right:
                    found[place] = top, left
        return found

    def style_of_column(self, column: int) -> int:
        """The style of cells that aren't written."""
        return next((style for first, last, style in self.columns if first <= column <= last), 0)

    def with_drawing(self, relationship: str) -> bytes:
        """The tail, with a link to the drawing of the comments."""
        edited = EditedPart(self.head + self.tail, self.part)
        own = [element for element in edited.elements if element.depth == 1]
        last = next(i for i, element in enumerate(own) if element.name == "sheetData")
        for i in range(last + 1, len(own)):
            if own[i].name not in _AFTER_DRAWING:
                last = i
        name = edited.qualified("legacyDrawing")
        link = b'<%b xmlns:r="%b" r:id="%b"/>' % (name, RELATIONS.encode(), relationship.encode())
        edited.insert(own[last].end, link)
        return edited.result()[len(self.head) :]


def read_frame(stream: Stream, part: str) -> SheetFrame:
    """What stands around the rows of the sheet whose bytes these are. Raises ``WorkbookError``."""
    head, rest, prefix = _head(stream, part)
    tail = _tail(stream, rest, part)
    around = EditedPart(head + tail, part)
    link = around.first("legacyDrawing")
    return SheetFrame(
        part,
        head,
        tail,
        prefix,
        columns=tuple(_group(column.attributes) for column in around.named("col")),
        merged=tuple(
            found for cell in around.named("mergeCell") if (found := corners(cell.attributes["ref"]))
        ),
        drawing=None if link is None else _id_of(link.attributes),
    )


def _group(attributes: dict[str, str]) -> tuple[int, int, int]:
    first, last, style = (attributes.get(name, "0") for name in ("min", "max", "style"))
    return int(first), int(last), int(style)


def _id_of(attributes: dict[str, str]) -> str:
    return next((value for name, value in attributes.items() if name.rpartition(" ")[2] == "id"), "")


def _head(stream: Stream, part: str) -> tuple[bytes, bytes, bytes]:
    """What stands before the rows, what was read of them, and the prefix of their names."""
    data = b""
    while (found := _DATA.search(data)) is None:
        more = stream.read(CHUNK)
        if not more or len(data) > MOST_BYTES:
            raise unfit(f"{part} has no rows where they are expected")
        data += more
    require_utf8(data, part)
    if found[2] or _SHEET.search(data, 0, found.start()) is None:
        raise unfit(f"{part} has no rows")
    return data[: found.end()], data[found.end() :], found[1]


def _tail(stream: Stream, data: bytes, part: str) -> bytes:
    """What follows the rows: little in every real workbook."""
    while (found := _ENDS.search(data)) is None:
        more = stream.read(CHUNK)
        if not more:
            raise unfit(f"{part} has rows without an end")
        data = data[-_LONGEST_END:] + more
    pieces = [data[found.start() :]]
    while piece := stream.read(CHUNK):
        pieces.append(piece)
        if len(pieces) * CHUNK > MOST_BYTES:
            raise unfit(f"more than {MOST_BYTES:,} bytes follow the rows of {part}")
    return b"".join(pieces)
