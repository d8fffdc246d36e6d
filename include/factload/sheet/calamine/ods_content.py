"""The content of an .ods workbook, as all that read it have it: its bytes, its tables' elements."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping

from factload.sheet.inflate import inflated

CONTENT, _CHUNK = "content.xml", 1 << 18
TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0 "


def content_of(archive: zipfile.ZipFile) -> Iterator[bytes]:
    """The bytes of the content, piece by piece. Raises what ``inflated`` does."""
    with inflated(archive, archive.getinfo(CONTENT)) as stream:
        while data := stream.read(_CHUNK):
            yield data


def times(attributes: Mapping[str, str], name: str, most: int) -> int:
    """How many times something is there, or over how many cells it spans: 1 to ``most``."""
    written = attributes.get(TABLE + name, "1")
    return max(1, min(int(written), most)) if written.isdecimal() and len(written) < 20 else 1
