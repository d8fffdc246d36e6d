"""What a workbook in a zip must be before calamine sees it: bounded, and well-formed."""

from __future__ import annotations

import zipfile

from factload.sheet.file_errors import damaged
from factload.sheet.file_kind import refuse_a_broken_zip
from factload.sheet.inflate import BROKEN, inflated, require_bounded
from factload.sheet.limits import Limits
from factload.sheet.workbook_file import WorkbookFile
from factload.sheet.xml_reader import XmlReader

_ODS_ROWS = "content.xml"
_CHUNK = 1 << 18


def inflated_size(file: WorkbookFile, limits: Limits) -> int:
    """The inflated size of all parts together. Raises WorkbookError."""
    refuse_a_broken_zip(file, max_members=limits.members)
    with zipfile.ZipFile(file.stream()) as archive:
        parts = archive.infolist()
        for info in parts:
            require_bounded(info, "A part", limits.sheet_bytes, "sheet_bytes", limits)
        _require_well_formed(archive)
    return sum(info.file_size for info in parts)


def _require_well_formed(archive: zipfile.ZipFile) -> None:
    """Raise if an .ods workbook's content is not well-formed XML: calamine never ends on a table without an end."""
    if _ODS_ROWS not in archive.namelist():
        return
    reader = XmlReader(_ODS_ROWS)
    try:
        with inflated(archive, archive.getinfo(_ODS_ROWS)) as stream:
            while data := stream.read(_CHUNK):
                reader.feed(data)
    except BROKEN as error:
        raise damaged(f"{_ODS_ROWS} can't be inflated ({error})") from error
    reader.feed(b"", final=True)
