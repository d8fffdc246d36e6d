"""What a workbook in a zip must be before it is read: bounded, and well-formed."""

from __future__ import annotations

import zipfile

from factload.sheet.calamine.ods_content import CONTENT, content_of
from factload.sheet.file_errors import damaged
from factload.sheet.file_kind import refuse_a_broken_zip
from factload.sheet.inflate import BROKEN, require_bounded
from factload.sheet.limits import Limits
from factload.sheet.workbook_file import WorkbookFile
from factload.sheet.xml_reader import XmlReader


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
    """Raise if an .ods workbook's content is not well-formed XML: those who read it stop at a table's end."""
    if CONTENT not in archive.namelist():
        return
    reader = XmlReader(CONTENT)
    try:
        for data in content_of(archive):
            reader.feed(data)
    except BROKEN as error:
        raise damaged(f"{CONTENT} can't be inflated ({error})") from error
    reader.feed(b"", final=True)
