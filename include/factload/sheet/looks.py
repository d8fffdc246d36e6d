"""What a file that is not a workbook looks like, so that errors can say what was delivered."""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection
from dataclasses import dataclass

LOOKED_AT = 4096  # bytes
_SAVE = "Open it in Excel or LibreOffice, save it as .xlsx, and deliver that"
_UNPACK = "Unpack it, and deliver the workbook in it"
_AGAIN = "Check which file was delivered"
_AS_CSV = "If it is a csv file, name it .csv, or say how it is written under `workbook.csv` in the feed file"


@dataclass(frozen=True, slots=True)
class Look:
    """``what`` the file looks like, and what to do. ``certain``: no csv file begins so."""

    what: str
    remedy: str
    certain: bool = True


_BYTES = {
    b"%PDF": Look("a PDF document", _AGAIN),
    b"{\\rtf": Look("a document in rich text format", _AGAIN),
    b"\x89PNG": Look("a picture", _AGAIN),
    b"\xff\xd8\xff": Look("a picture", _AGAIN),
    b"GIF8": Look("a picture", _AGAIN),
    b"PK\x05\x06": Look("an empty zip archive", "Deliver it again"),
    b"PK\x07\x08": Look("a part of a zip archive that was split", "Deliver it in one piece"),
    b"Rar!": Look("a RAR archive", _UNPACK),
    b"7z\xbc\xaf\x27\x1c": Look("a 7z archive", _UNPACK),
    b"BZh": Look("a file compressed by bzip2", _UNPACK),
    b"\xfd7zXZ\x00": Look("a file compressed by xz", _UNPACK),
    b"\x28\xb5\x2f\xfd": Look("a file compressed by zstandard", _UNPACK),
    b"SQLite format 3": Look("an SQLite database", _AGAIN),
    b"PAR1": Look("a Parquet file", _AGAIN),
    b"\x09\x00\x04\x00": Look("a workbook of Excel 2", _SAVE),
    b"\x09\x02\x06\x00": Look("a workbook of Excel 3", _SAVE),
    b"\x09\x04\x06\x00": Look("a workbook of Excel 4", _SAVE),
}
_GZIP = Look(
    "a file compressed by gzip",
    "Unpack it; if it is a csv file, it is read as it is, named .csv.gz",
    certain=False,
)
_HTML = Look("an HTML page, as some programs call .xls", _SAVE)
_TEXTS = (
    (re.compile(r"urn:schemas-microsoft-com:office:spreadsheet|progid=.Excel\.Sheet"),
     Look("an XML Spreadsheet of Excel 2003", _SAVE)),
    (re.compile(r"urn:oasis:names:tc:opendocument"), Look("a flat OpenDocument file (.fods)", _SAVE)),
    (re.compile(r"(?i)\A\s*(?:<\?xml[^>]*>)?\s*(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html|head|body|meta|table|style)\b",
                re.DOTALL), _HTML),
    (re.compile(r"(?i)\AMIME-Version:|\A(?:[\w-]+: [^\n]*\n)*Content-Type: multipart/"),
     Look("a web archive (MHTML)", _SAVE)),
    (re.compile(r"\AID;P"), Look("a file in Excel's SYLK format", _SAVE)),
    (re.compile(r"\A\s*(?:<\?xml|<[A-Za-z][\w:.-]*(?:\s[^<>]*)?>)"), Look("an XML document", _AGAIN)),
    (re.compile(r"\A\s*(?:\{\s*[\"}]|\[\s*[\[{\"\d\]-])"), Look("a JSON document", _AGAIN, certain=False)),
)  # fmt: skip
_MEMBERS = {
    "word/document.xml": Look("a Word document", _AGAIN),
    "ppt/presentation.xml": Look("a PowerPoint presentation", _AGAIN),
    "index/document.iwa": Look(
        "a spreadsheet of Apple Numbers", "Export it from Numbers as .xlsx, and deliver that"
    ),
}
_WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".csv", ".csv.gz")
_STREAMS = {
    "WordDocument": Look("a Word document", _AGAIN),
    "PowerPoint Document": Look("a PowerPoint presentation", _AGAIN),
    "__substg1.0_": Look("a message of Outlook", "Take the workbook out of it, and deliver that"),
}
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
_BOMS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16", codecs.BOM_UTF8: "utf-8-sig"}


def look_of_members(names: Collection[str]) -> Look:
    """What a zip archive without a workbook in it looks like, by the names of its members in lower case."""
    for member, look in _MEMBERS.items():
        if member in names:
            return look
    if any(name.endswith(_WORKBOOKS) for name in names):
        return Look("a zip archive that holds a workbook", _UNPACK)
    return Look("a zip archive without a workbook in it", _AGAIN)


def names_a_workbook(data: bytes) -> bool:
    """Whether a piece of an OLE container holds the name of the stream that a workbook is."""
    return any(name.encode("utf-16-le") in data for name in ("Workbook", "Book"))


def look_of_streams(data: bytes) -> Look | None:
    """What an OLE container looks like by the names of its streams, unless a workbook's is among them."""
    if names_a_workbook(data):
        return None
    return next((look for name, look in _STREAMS.items() if name.encode("utf-16-le") in data), None)


def look_of(head: bytes) -> Look | None:
    """What a file looks like that begins with ``head``; None for what is not known."""
    for beginning, look in _BYTES.items():
        if head.startswith(beginning):
            return look
    if head.startswith(b"\x1f\x8b"):
        return _GZIP
    encoding = next((name for bom, name in _BOMS.items() if head.startswith(bom)), "utf-8")
    text = head.decode(encoding, "replace")
    for pattern, look in _TEXTS:
        if pattern.search(text):
            return look
    if _CONTROL.search(text) or not text.strip():
        return None
    return Look("a text file", _AS_CSV, certain=False)
