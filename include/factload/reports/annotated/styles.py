"""The styles of a workbook, with one more for each that a cell may have: the same, on a coloured ground."""

from __future__ import annotations

from factload.reports.annotated.edited_part import EditedPart, Element, unfit, with_attribute

GROUND = "FFFFC7CE"
_MOST = 65_000  # cell formats that Excel opens
_NEW = (
    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    b'<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    b'<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
    b'<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    b'</fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    b'<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    b'<cellXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/></cellXfs></styleSheet>'
)


class MarkedStyles:
    """The styles part with its marked twins. ``result``: its bytes."""

    def __init__(self, data: bytes | None, part: str) -> None:
        """``data``: the part's bytes; None for a workbook without styles."""
        edited = EditedPart(data or _NEW, part)
        fills, formats = edited.first("fills"), edited.first("cellXfs")
        if fills is None or formats is None:
            raise unfit(f"{part} lists no fills, or no formats of cells")
        own = list(edited.named("xf", formats))
        if not own or 2 * len(own) > _MOST:
            raise unfit(f"{part} lists {len(own):,} formats of cells")
        self._count = len(own)
        fill = len(list(edited.named("fill", fills)))
        edited.append(fills, _fill(edited))
        edited.set(fills, "count", str(fill + 1))
        edited.append(formats, b"".join(_marked(edited, xf, fill) for xf in own))
        edited.set(formats, "count", str(2 * len(own)))
        self.result = edited.result()

    def marked(self, style: int) -> int:
        """The marked twin of a cell's style."""
        return self._count + (style if style < self._count else 0)


def _fill(edited: EditedPart) -> bytes:
    fill, pattern, front, back = map(edited.qualified, ("fill", "patternFill", "fgColor", "bgColor"))
    return (
        b"<%b><%b patternType=\"solid\"><%b rgb=\"%b\"/><%b indexed=\"64\"/></%b></%b>"
        % (fill, pattern, front, GROUND.encode(), back, pattern, fill)
    )  # fmt: skip


def _marked(edited: EditedPart, xf: Element, fill: int) -> bytes:
    source, tag = edited.source(xf), xf.opened - xf.start
    return with_attribute(with_attribute(source[:tag], "fillId", str(fill)), "applyFill", "1") + source[tag:]
