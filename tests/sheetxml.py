"""Workbooks written byte by byte, so that a test says exactly what stands in the file."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

TRANSITIONAL = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELS = "http://schemas.openxmlformats.org/package/2006/relationships"
DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

# Styles of every workbook here: 0 General, 1 a built-in date, 2 a date of one's own, 3 no date but a "d" in quotes,
# 4 a built-in time of day, 5 elapsed time.
STYLES = (
    f'{DECLARATION}<styleSheet xmlns="{TRANSITIONAL}"><numFmts count="3"><numFmt numFmtId="164" '
    'formatCode="yyyy\\-mm\\-dd"/><numFmt numFmtId="165" formatCode="0&quot; days&quot;"/>'
    '<numFmt numFmtId="166" formatCode="[h]:mm"/></numFmts>'
    '<cellXfs count="6"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/>'
    '<xf numFmtId="20"/><xf numFmtId="166"/></cellXfs></styleSheet>'
)

# As Excel writes it into most workbooks: of the same name as the element that says from when dates count.
_EXTENSION = (
    '<extLst><ext uri="{79F54976-1DA5-4618-B147-4CDE4B953A38}" '
    'xmlns:x14="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main">'
    '<x14:workbookPr defaultImageDpi="32767"/></ext></extLst>'
)


# The end of a worksheet part that has a table.
TABLE_PART = f'<tableParts count="1"><tablePart xmlns:r="{_OFFICE}" r:id="rId1"/></tableParts>'


def sheet(rows: str, *, head: str = "", tail: str = "", namespace: str = TRANSITIONAL) -> str:
    """A worksheet part around ``rows``."""
    return (
        f'{DECLARATION}<worksheet xmlns="{namespace}">{head}<sheetData>{rows}</sheetData>{tail}</worksheet>'
    )


def text_row(number: int, texts: Sequence[str]) -> str:
    """A row of inline texts from column A on."""
    cells = "".join(
        f'<c r="{chr(65 + i)}{number}" t="inlineStr"><is><t>{text}</t></is></c>'
        for i, text in enumerate(texts)
    )
    return f'<row r="{number}">{cells}</row>'


def write(
    path: Path,
    sheets: Mapping[str, str | bytes] | str | bytes,
    *,
    strings: str | bytes | None = None,
    date1904: bool = False,
    stale: bool = False,
    tables: Mapping[str, str] | None = None,
    extra: Mapping[str, bytes] | None = None,
) -> Path:
    """A workbook with these worksheet parts by name (one part alone is called Facts). ``tables``: the table part of a
    sheet that ends with ``TABLE_PART``."""
    named = sheets if isinstance(sheets, Mapping) else {"Facts": sheets}
    listed = "".join(f'<sheet name="{name}" sheetId="{i}" r:id="rId{i}"/>' for i, name in enumerate(named, 1))
    relations = "".join(
        f'<Relationship Id="rId{i}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{i}.xml"/>'
        for i, _ in enumerate(named, 1)
    )
    relations += f'<Relationship Id="rIdS" Type="{_OFFICE}/styles" Target="styles.xml"/>'
    if strings is not None:
        relations += f'<Relationship Id="rIdT" Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/>'
    parts: dict[str, str | bytes] = {
        "_rels/.rels": f'<Relationships xmlns="{_RELS}"><Relationship Id="r1" Type="{_OFFICE}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_RELS}">{relations}</Relationships>',
        "xl/workbook.xml": f'{DECLARATION}<workbook xmlns="{TRANSITIONAL}" xmlns:r="{_OFFICE}">'
        f'<workbookPr date1904="{int(date1904)}"/><sheets>{listed}</sheets>'
        f'<calcPr calcId="124519" fullCalcOnLoad="{int(stale)}"/>{_EXTENSION}</workbook>',
        "xl/styles.xml": STYLES,
    }
    for i, (name, part) in enumerate(named.items(), 1):
        parts[f"xl/worksheets/sheet{i}.xml"] = part
        if tables and name in tables:
            parts[f"xl/tables/table{i}.xml"] = tables[name]
            parts[f"xl/worksheets/_rels/sheet{i}.xml.rels"] = (
                f'<Relationships xmlns="{_RELS}"><Relationship Id="rId1" Type="{_OFFICE}/table" '
                f'Target="../tables/table{i}.xml"/></Relationships>'
            )
    if strings is not None:
        parts["xl/sharedStrings.xml"] = strings
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in (parts | dict(extra or {})).items():
            archive.writestr(name, part)
    return path


def shared(items: Sequence[str]) -> str:
    """A shared strings part of these ``si`` contents."""
    return f'{DECLARATION}<sst xmlns="{TRANSITIONAL}">{"".join(f"<si>{item}</si>" for item in items)}</sst>'
