"""Which kind of file some contents are, whatever the file is named."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from factload.errors import WorkbookError
from factload.sheet.file_kind import Contents
from factload.sheet.source import FORMATS
from factload.sheet.workbook_file import opened

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def archive(*members: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as made:
        for member in members:
            made.writestr(member, "")
    return data.getvalue()


def recognised(path: Path, data: bytes, *, may_be_csv: bool = False) -> str | None:
    path.write_bytes(data)
    with opened(path) as file:
        contents = Contents(file, may_be_csv=may_be_csv, max_members=100)
        return next((each.name for each in FORMATS if each.recognises(contents)), None)


@pytest.mark.parametrize("name", ["x.xlsx", "x.ods", "x.csv"])
@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (archive("xl/workbook.xml"), "xlsx"),
        (archive("xl\\workbook.bin"), "xlsb"),
        (archive("XL/Workbook.bin"), "xlsb"),
        (archive("mimetype", "content.xml"), "ods"),
        (archive("content.xml"), "xlsx"),
        (archive("xl/workbook.xml", "xl/workbook.bin"), "xlsx"),
        (archive("xl/workbook.xml", "mimetype", "content.xml"), "xlsx"),
        (archive("xl/workbook.bin", "mimetype", "content.xml"), "ods"),
        (archive("readme.txt"), "xlsx"),
        (OLE + bytes(1000), "xls"),
        (b"K,N\n", None),
        (b"PAR1", None),
    ],
)
def test_the_kind_of_a_file_is_what_its_bytes_are(
    tmp_path: Path, name: str, data: bytes, kind: str | None
) -> None:
    assert recognised(tmp_path / name, data) == kind


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"K,N\n", "csv"),
        (b"\x1f\x8b\x08", "csv"),
        (b"PAR1", None),
        (OLE, "xls"),
        (archive("xl/workbook.xml"), "xlsx"),
    ],
)
def test_only_a_file_of_no_other_kind_is_csv(tmp_path: Path, data: bytes, kind: str | None) -> None:
    assert recognised(tmp_path / "x", data, may_be_csv=True) == kind


def test_each_kind_has_a_name_of_its_own() -> None:
    assert len({each.name for each in FORMATS}) == len(FORMATS)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "workbook_truncated"),
        (archive("xl/workbook.xml")[:-22], "workbook_truncated"),
        (archive("encrypted-package"), "workbook_encrypted"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "workbook_encrypted"),
        (archive(*map(str, range(101))), "workbook_hostile"),
    ],
)
def test_what_no_reader_may_open_is_refused_while_its_kind_is_looked_for(
    tmp_path: Path, data: bytes, code: str
) -> None:
    with pytest.raises(WorkbookError) as caught:
        recognised(tmp_path / "x.xlsx", data)
    assert caught.value.code == code
