"""Workbooks in .ods, written cell by cell."""

from __future__ import annotations

import zipfile
from pathlib import Path

NS = "urn:oasis:names:tc:opendocument:xmlns:"
CALC = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"


def ods(path: Path, rows: str, before: str = "") -> Path:
    content = (
        f'<?xml version="1.0"?>{before}<office:document-content xmlns:office="{NS}office:1.0" xmlns:table="{NS}table:1.0" '
        f'xmlns:text="{NS}text:1.0" xmlns:style="{NS}style:1.0" xmlns:calcext="{CALC}"><office:body><office:spreadsheet><table:table table:name="Facts">{rows}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", f'<m:manifest xmlns:m="{NS}manifest:1.0"/>')
        archive.writestr("content.xml", content)
    return path


def row(*cells: str) -> str:
    return f"<table:table-row>{''.join(cells)}</table:table-row>"


def text(value: str) -> str:
    return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'


def number(value: str) -> str:
    return f'<table:table-cell office:value-type="float" office:value="{value}"><text:p>shown</text:p></table:table-cell>'
