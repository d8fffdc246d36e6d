"""The rows of a sheet with some cells in other styles, as a stream: rows without such a cell pass as they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping

from factload.reports.annotated.edited_part import ATTRIBUTES, unfit, with_attribute
from factload.reports.annotated.sheet_frame import CHUNK, SheetFrame
from factload.sheet.inflate import Stream
from factload.sheet.limits import Limits
from factload.sheet.references import column_index, column_letters

_ROW_NUMBER = re.compile(rb"""\sr\s*=\s*["']\s*(\d{1,7})\s*["']""")
_CELL_PLACE = re.compile(rb"""\sr\s*=\s*["']\s*([A-Za-z]{1,3})\d{1,7}\s*["']""")
_OWN_LOOK = re.compile(rb"""\scustomFormat\s*=\s*["'](?:1|true)["']""")
_STYLE = re.compile(rb"""\ss\s*=\s*["']\s*(\d{1,9})\s*["']""")


class MarkedRows:
    """Gives a sheet's part back with cells marked.

    ``wanted``: row → the columns to mark. ``marked``: a style → its marked twin.
    """

    def __init__(
        self,
        frame: SheetFrame,
        wanted: Mapping[int, Collection[int]],
        marked: Callable[[int], int],
        limits: Limits,
    ) -> None:
        self._frame, self._wanted, self._marked, self._limits = frame, wanted, marked, limits
        prefix = frame.prefix
        self._tag = re.compile(
            rb"<(?:(/)%bsheetData\s*>|%brow(?=[\s/>])(%b)(/?)>)" % (prefix, prefix, ATTRIBUTES)
        )
        self._close = re.compile(rb"</%brow\s*>" % prefix)
        self._cell = re.compile(rb"<%bc(?=[\s/>])(%b)/?>" % (prefix, ATTRIBUTES))

    def pieces(self, stream: Stream) -> Iterator[bytes]:
        """The bytes up to the end of the rows. ``stream``: the sheet's part from its beginning.

        Raises ``WorkbookError`` where a wanted row isn't found.
        """
        yield stream.read(len(self._frame.head))
        data, at, given, number = b"", 0, 0, 0
        missing = set(self._wanted)
        while True:
            tag = self._tag.search(data, at)
            ended = tag if tag is None or tag[1] or tag[3] else self._close.search(data, tag.end())
            if tag is None or ended is None:
                yield self._plain(data[given:at])
                data = data[at:]
                at = given = 0
                data += self._more(stream, len(data))
                continue
            if tag[1]:
                yield self._plain(data[given : tag.start()])
                break
            said = _ROW_NUMBER.search(tag[2])
            number = int(said[1]) if said else number + 1
            if number in missing:
                missing.remove(number)
                yield self._plain(data[given : tag.start()])
                row = self._plain(data[tag.start() : ended.end()])
                yield self._row(row, tag.end() - tag.start(), number)
                given = ended.end()
            at = ended.end()
        if missing:
            raise unfit(f"{self._frame.part} has no row {min(missing)} of its own")

    def _more(self, stream: Stream, kept: int) -> bytes:
        more = stream.read(CHUNK)
        if not more or kept > self._limits.row_bytes + CHUNK:
            raise unfit(f"{self._frame.part} has a row without an end")
        return more

    def _plain(self, rows: bytes) -> bytes:
        if b"<!" in rows or b"<?" in rows:
            raise unfit(f"{self._frame.part} holds comments or marked text among its rows")
        return rows

    def _row(self, row: bytes, opened: int, number: int) -> bytes:
        """A row with its wanted cells marked; those that aren't written yet are put where they belong."""
        row_tag = row[:opened]
        waiting = sorted(self._wanted[number])
        pieces, at = [], 0
        for column, start, end in self._cells(row, opened):
            while waiting and waiting[0] < column:
                pieces += [row[at:start], self._new(row_tag, number, waiting.pop(0))]
                at = start
            if waiting and waiting[0] == column:
                tag = row[start:end]
                style = _STYLE.search(tag)
                marked = self._marked(int(style[1]) if style else 0)
                pieces += [row[at:start], with_attribute(tag, "s", str(marked))]
                at = end
                waiting.pop(0)
        new = b"".join(self._new(row_tag, number, column) for column in waiting)
        if opened == len(row):
            return b"%b>%b</%brow>" % (row_tag[:-2], new, self._frame.prefix) if new else row
        closing = row.rindex(b"</")
        return b"".join([*pieces, row[at:closing], new, row[closing:]])

    def _cells(self, row: bytes, at: int) -> Iterator[tuple[int, int, int]]:
        """Each cell of a row: its column, and where its start tag stands."""
        column = 0
        for tag in self._cell.finditer(row, at):
            place = _CELL_PLACE.search(tag[1])
            column = column_index(place[1].decode()) if place else column + 1
            yield column, tag.start(), tag.end()

    def _new(self, row_tag: bytes, number: int, column: int) -> bytes:
        """An empty cell that looks as its place does, but for the mark."""
        own = _STYLE.search(row_tag) if _OWN_LOOK.search(row_tag) else None
        style = int(own[1]) if own else self._frame.style_of_column(column)
        place = f"{column_letters(column)}{number}".encode()
        return b'<%bc r="%b" s="%d"/>' % (self._frame.prefix, place, self._marked(style))
