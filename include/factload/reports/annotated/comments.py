"""Comments of a sheet, and the drawing of their boxes: a part of each, which a sheet that has some goes on with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from factload.reports.annotated.edited_part import EditedPart, Element, unfit
from factload.sheet.references import column_letters

_AUTHOR = "factload"
_THREAD = "tc="  # an author that stands for a thread of comments, which Excel shows in this one's place
_READ_AS_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_NOT_IN_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SHAPE = re.compile(rb"_x0000_s(\d{1,9})")
_LAST_COLUMN = 16_383
_NEW_COMMENTS = (
    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    b'<comments xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><authors/><commentList/></comments>'
)
_NAMES = (
    b' xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office"'
    b' xmlns:x="urn:schemas-microsoft-com:office:excel"'
)
_NEW_DRAWING = (
    b'<xml%b><o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data="1"/></o:shapelayout></xml>' % _NAMES
)
_TYPE = b"_x0000_t202"
_SHAPE_TYPE = (
    b'<v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe">'
    b'<v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>'
)
_BOX = (
    '<v:shape id="_x0000_s{id}" type="#_x0000_t202" '
    'style="position:absolute;margin-left:59pt;margin-top:1.5pt;width:144pt;height:60pt;z-index:1;visibility:hidden" '
    'fillcolor="#ffffe1" o:insetmode="auto"><v:fill color2="#ffffe1"/><v:shadow color="black" obscured="t"/>'
    '<v:path o:connecttype="none"/><v:textbox style="mso-direction-alt:auto"><div style="text-align:left"></div>'
    '</v:textbox><x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/>'
    "<x:Anchor>{left}, 15, {top}, 2, {right}, 31, {bottom}, 1</x:Anchor><x:AutoFill>False</x:AutoFill>"
    "<x:Row>{row}</x:Row><x:Column>{column}</x:Column></x:ClientData></v:shape>"
)


@dataclass(frozen=True, slots=True)
class Comment:
    """What is said of a cell; both numbers count from 1."""

    row: int
    column: int
    words: str

    @property
    def cell(self) -> str:
        """Its address in the sheet."""
        return f"{column_letters(self.column)}{self.row}"


@dataclass(frozen=True, slots=True)
class Commented:
    """Both parts with the comments. ``threads``: cells whose thread of comments hides what is said of them."""

    comments: bytes
    drawing: bytes
    threads: int


def with_comments(
    said: Sequence[Comment], comments: bytes | None, drawing: bytes | None, part: str
) -> Commented:
    """The two parts of a sheet, None for one that it hasn't got, with what is ``said``.

    A comment that a cell has already is kept, and gets one more paragraph. Raises ``WorkbookError``.
    """
    edited = EditedPart(comments or _NEW_COMMENTS, part)
    own = {element.attributes.get("ref", ""): element for element in edited.named("comment")}
    added = [one for one in said if one.cell not in own]
    listed = _only(edited, "commentList", part)
    author = _author(edited, part)
    edited.append(listed, b"".join(_comment(edited, one, author) for one in added))
    threads = 0
    authors = [_text(edited, element) for element in edited.named("author")]
    for one in said:
        if (element := own.get(one.cell)) is not None:
            by = element.attributes.get("authorId", "")
            threads += by.isdecimal() and int(by) < len(authors) and authors[int(by)].startswith(_THREAD)
            _go_on(edited, element, one, part)
    return Commented(edited.result(), _boxes(added, drawing or _NEW_DRAWING, part), threads)


def _only(edited: EditedPart, name: str, part: str) -> Element:
    found = edited.first(name)
    if found is None:
        raise unfit(f"{part} has no {name}")
    return found


def _author(edited: EditedPart, part: str) -> int:
    """The number of the author that the comments are by."""
    count = len(list(edited.named("author")))
    edited.append(_only(edited, "authors", part), _element(edited, "author", _AUTHOR))
    return count


def _text(edited: EditedPart, element: Element) -> str:
    source = edited.source(element)
    return source[source.find(b">") + 1 :].decode("utf-8", "replace")


def _element(edited: EditedPart, name: str, text: str) -> bytes:
    tag = edited.qualified(name)
    plain = _NOT_IN_XML.sub("�", _READ_AS_ESCAPE.sub("_x005F_", text))
    space = b' xml:space="preserve"' if name == "t" else b""
    return b"<%b%b>%b</%b>" % (tag, space, escape(plain).encode(), tag)


def _comment(edited: EditedPart, said: Comment, author: int) -> bytes:
    comment, text = edited.qualified("comment"), edited.qualified("text")
    words = _run(edited, said.words)
    return b'<%b ref="%b" authorId="%d"><%b>%b</%b></%b>' % (
        comment, said.cell.encode(), author, text, words, text, comment
    )  # fmt: skip


def _run(edited: EditedPart, words: str) -> bytes:
    run = edited.qualified("r")
    return b"<%b>%b</%b>" % (run, _element(edited, "t", words), run)


def _go_on(edited: EditedPart, comment: Element, said: Comment, part: str) -> None:
    """One more paragraph for a comment, after its own runs."""
    text = next(edited.named("text", comment), None)
    if text is None:
        raise unfit(f"{part} has a comment without a text")
    words = _run(edited, f"\n{_AUTHOR}: {said.words}")
    inside = [element for element in edited.elements if element.parent is text]
    shown = [element for element in inside if element.name in ("t", "r")]
    if shown and shown[-1].name == "t":  # plain text, which has no runs beside it
        run = edited.qualified("r")
        edited.insert(shown[-1].start, b"<%b>" % run)
        edited.insert(shown[-1].end, b"</%b>" % run + words)
    elif shown:
        edited.insert(shown[-1].end, words)
    elif inside:
        edited.insert(inside[0].start, words)
    else:
        edited.append(text, words)


def _boxes(added: Sequence[Comment], drawing: bytes, part: str) -> bytes:
    """The drawing with a hidden box for each comment. Excel's own is not always well-formed: its end has to do."""
    end = drawing.rfind(b"</xml>")
    if end < 0:
        raise unfit(f"the drawing that goes with {part} is not as Excel writes it")
    first = max((int(number) for number in _SHAPE.findall(drawing)), default=1024) + 1
    boxes = "".join(
        _BOX.format(
            id=first + i,
            left=min(one.column, _LAST_COLUMN - 2),
            right=min(one.column + 2, _LAST_COLUMN),
            top=max(one.row - 2, 0),
            bottom=max(one.row - 2, 0) + 4,
            row=one.row - 1,
            column=one.column - 1,
        )
        for i, one in enumerate(added)
    ).encode()
    shapes = (b"" if b'id="%b"' % _TYPE in drawing else _SHAPE_TYPE) + boxes
    if any(name not in drawing for name in _NAMES.split()):
        shapes = re.sub(rb"<v:(shape|shapetype) ", rb"<v:\1%b " % _NAMES, shapes)
    return drawing[:end] + shapes + drawing[end:]
