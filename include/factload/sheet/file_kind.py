"""The kind of a file, recognised by its bytes."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import IO

from factload.errors import WorkbookError
from factload.sheet.file_errors import hostile
from factload.sheet.inflate import BROKEN, inflated
from factload.sheet.looks import LOOKED_AT, Look, look_of, look_of_streams, names_a_workbook
from factload.sheet.workbook_file import WorkbookFile

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # Compound File Binary: .xls, and encrypted .xlsx (MS-OFFCRYPTO)
_ZIP, _END, _END64, _LOCATOR = b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_END_SIZE, _END64_SIZE, _LOCATOR_SIZE, _MAX_COMMENT = 22, 56, 20, 65_535
_ENTRY = struct.Struct("<28xHHH12x")  # of a directory's entry: the lengths of name, extra field and comment
# OpenDocument 1.3 part 2, 3.4.1: the manifest says which members are encrypted; or there is one, of all in one.
_ODS_MANIFEST, _ODS_WHOLE, _MAX_MANIFEST = "META-INF/manifest.xml", "encrypted-package", 1 << 20
_XLSX_PART = "xl/workbook.xml"
_BYTES_A_MEMBER = 1_000  # a generous central directory entry: names in a workbook are short


class Contents:
    """The bytes of a file, as far as they show its kind.

    Raises WorkbookError, ``workbook_truncated``, for an empty file. ``may_be_csv``: text is taken for a csv file.
    """

    def __init__(self, file: WorkbookFile, *, may_be_csv: bool, max_members: int) -> None:
        self.file, self.may_be_csv, self._max_members = file, may_be_csv, max_members
        self.head = file.stream().read(LOOKED_AT)
        if not self.head:
            expected = "a csv file with a header" if may_be_csv else "an .xlsx workbook"
            raise _refused("truncated", f"{file.name!r} is empty", "Deliver it again", expected)

    @property
    def is_zip(self) -> bool:
        """Whether it begins as a zip archive does."""
        return self.head.startswith(_ZIP)

    @property
    def is_ole(self) -> bool:
        """Whether it is a compound file of Microsoft."""
        return self.head.startswith(_OLE)

    @cached_property
    def look(self) -> Look | None:
        """What a file that is no workbook looks like."""
        return look_of(self.head)

    @cached_property
    def members(self) -> frozenset[str]:
        """The names in a zip archive, in lower case; none in other files, and in an archive that can't be read: the
        reader that opens it says why.

        Raises WorkbookError, ``workbook_encrypted`` among them.
        """
        if not self.is_zip:
            return frozenset()
        refuse_a_broken_zip(self.file, max_members=self._max_members)
        try:
            with zipfile.ZipFile(self.file.stream()) as archive:
                names = frozenset(name.replace("\\", "/").lower() for name in archive.namelist())
                encrypted = _ODS_WHOLE in names or _says_encrypted(archive)
        except (*BROKEN, ValueError, RuntimeError):
            return frozenset()
        if encrypted:
            raise _protected()
        return names


def is_ods(contents: Contents) -> bool:
    """Whether a zip archive is an OpenDocument, whatever its name. Raises WorkbookError."""
    return {"mimetype", "content.xml"} <= contents.members and _XLSX_PART not in contents.members


def is_xlsb(contents: Contents) -> bool:
    """Whether a zip archive is a binary workbook of Excel, whatever its name. Raises WorkbookError."""
    return "xl/workbook.bin" in contents.members and _XLSX_PART not in contents.members


def is_xls(contents: Contents) -> bool:
    """Whether a file may be an .xls workbook. Raises WorkbookError for a compound file that is known to be another."""
    if contents.is_ole:
        refuse_no_xls(contents.file)
    return contents.is_ole


def is_csv(contents: Contents) -> bool:
    """Whether a file that may be csv is no other that is known."""
    return contents.may_be_csv and not (contents.look and contents.look.certain)


def no_workbook(contents: Contents) -> WorkbookError:
    """The refusal of a file that is of no kind."""
    seen = f"{contents.file.name!r} doesn't begin as a workbook does"
    expected = "a csv file" if contents.may_be_csv else "an .xlsx workbook"
    look = contents.look
    if look is None:
        return _refused("not_a_workbook", seen, "Check which file was delivered", expected)
    return _refused("not_a_workbook", f"{seen}: it looks like {look.what}", look.remedy, expected)


def is_named_csv(path: Path | str) -> bool:
    """Whether the name says so: ``.csv``, ``.csv.gz``."""
    return str(path).lower().endswith((".csv", ".csv.gz"))


def refuse_a_broken_zip(file: WorkbookFile, *, max_members: int) -> None:
    """Raise WorkbookError for a zip archive without an end record, or with too large a directory."""
    stream = file.stream()
    begins = stream.seek(max(0, file.size - _LOCATOR_SIZE - _END64_SIZE - _END_SIZE - _MAX_COMMENT))
    tail = stream.read()
    end = tail.rfind(_END)
    if end < 0 or len(tail) - end < _END_SIZE:
        raise _refused("truncated", f"{file.name!r} lacks its end", "Deliver it again, whole")
    length, before = _directory(tail, end)
    if length <= max_members * _BYTES_A_MEMBER:
        stream.seek(max(0, begins + before - length))
        members = _entries(stream.read(length))
        if members <= max_members:
            return
        seen = f"The file holds {members:,} members"
    else:
        seen = f"The file holds members in a directory of {length:,} bytes"
    raise hostile(seen, f"at most {max_members:,} members", "members")


def refuse_no_xls(file: WorkbookFile) -> None:
    """Return unless the OLE container is known to hold something else than an .xls workbook.

    Raises ``workbook_encrypted`` for a workbook of today, encrypted, and ``workbook_not_a_workbook``.
    """
    stream = file.stream()
    data = stream.read(1 << 20)
    stream.seek(max(0, file.size - (1 << 16)))
    data += stream.read()
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise _protected()
    look = look_of_streams(data)
    if look and not any(map(names_a_workbook, _overlapping(file.stream()))):
        raise _refused("not_a_workbook", f"The file is {look.what}", look.remedy)


def _overlapping(file: IO[bytes]) -> Iterator[bytes]:
    before = b""
    while data := file.read(1 << 20):
        yield before + data
        before = data[-64:]


def _says_encrypted(archive: zipfile.ZipFile) -> bool:
    if _ODS_MANIFEST not in archive.namelist():
        return False
    with inflated(archive, archive.getinfo(_ODS_MANIFEST)) as manifest:
        return b"encryption-data" in manifest.read(_MAX_MANIFEST)


def _protected() -> WorkbookError:
    return _refused("encrypted", "The workbook is protected by a password", "Save it without a password")


def _directory(tail: bytes, end: int) -> tuple[int, int]:
    """The length of the archive's directory, and where in ``tail`` it ends, by its last record, which is at ``end``.

    As zipfile reads it: a record for big archives counts only where its locator stands right before the last record,
    and it right before that (APPNOTE.TXT, 4.3.14 to 4.3.16).
    """
    locator, end64 = end - _LOCATOR_SIZE, end - _LOCATOR_SIZE - _END64_SIZE
    if locator < 0 or not tail.startswith(_LOCATOR, locator):
        return struct.unpack_from("<I", tail, end + 12)[0], end
    if end64 < 0 or not tail.startswith(_END64, end64):
        raise _refused(
            "damaged", "The record of the archive's directory is missing", "Deliver it again, whole"
        )
    return struct.unpack_from("<Q", tail, end64 + 40)[0], end64


def _entries(directory: bytes) -> int:
    """How many members a directory lists: counted before zipfile makes an object of each."""
    count, at = 0, 0
    while at + _ENTRY.size <= len(directory):
        at += _ENTRY.size + sum(_ENTRY.unpack_from(directory, at))
        count += 1
    return count


def _refused(what: str, seen: str, remedy: str, expected: str = "an .xlsx workbook") -> WorkbookError:
    return WorkbookError(f"workbook_{what}", seen, expected=expected, remedy=remedy)
