"""What a file is by its bytes, before anything trusts them."""

from __future__ import annotations

import os
import struct
import zipfile
from pathlib import Path
from typing import Literal

from factload.errors import WorkbookError
from factload.sheet.inflate import BROKEN, inflated
from factload.sheet.limits import setting_of

FileKind = Literal["zip", "ole", "csv"]

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # Compound File Binary: .xls, and encrypted .xlsx (MS-OFFCRYPTO)
_ZIP, _END, _END64, _LOCATOR = b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_END_SIZE, _END64_SIZE, _LOCATOR_SIZE, _MAX_COMMENT = 22, 56, 20, 65_535
_ENTRY = struct.Struct("<28xHHH12x")  # of a directory's entry: the lengths of name, extra field and comment
# OpenDocument 1.3 part 2, 3.4.1: the manifest says which members are encrypted; or there is one, of all in one.
_ODS_MANIFEST, _ODS_WHOLE, _MAX_MANIFEST = "META-INF/manifest.xml", "encrypted-package", 1 << 20
_BYTES_A_MEMBER = 1_000  # a generous central directory entry: names in a workbook are short


def kind_of(path: Path, *, may_be_csv: bool) -> FileKind:
    """What ``path`` is by its first bytes; a file that is no workbook is csv if it may be.

    Raises WorkbookError: ``workbook_missing``, ``workbook_unreadable``, ``workbook_not_a_workbook``, or
    ``workbook_truncated`` for an empty file.
    """
    try:
        with path.open("rb") as file:
            head = file.read(len(_OLE))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _refused(
            "missing", f"There is no workbook {path.name!r}", "Deliver it, or correct the path"
        ) from error
    except IsADirectoryError as error:
        raise _refused("missing", f"{path.name!r} is a folder", "Correct the path") from error
    except PermissionError as error:
        raise _refused(
            "unreadable", f"{path.name!r} may not be read", "Give this user the right to"
        ) from error
    if not head:
        raise _refused("truncated", f"{path.name!r} is empty", "Deliver it again")
    if head == _OLE:
        return "ole"
    if head.startswith(_ZIP):
        return "zip"
    if may_be_csv:
        return "csv"
    raise _refused(
        "not_a_workbook", f"{path.name!r} doesn't begin as a workbook does", "Check which file was delivered"
    )


def is_named_csv(path: Path | str) -> bool:
    """Whether the name says so: ``.csv``, ``.csv.gz``."""
    return str(path).lower().endswith((".csv", ".csv.gz"))


def refuse_a_broken_zip(path: Path, *, max_members: int) -> None:
    """Return if the zip archive has its end and a bearable directory. Raises WorkbookError."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        begins = file.seek(max(0, size - _LOCATOR_SIZE - _END64_SIZE - _END_SIZE - _MAX_COMMENT))
        tail = file.read()
        end = tail.rfind(_END)
        if end < 0 or len(tail) - end < _END_SIZE:
            raise _refused("truncated", f"{path.name!r} lacks its end", "Deliver it again, whole")
        length, before = _directory(tail, end)
        if length <= max_members * _BYTES_A_MEMBER:
            file.seek(max(0, begins + before - length))
            members = _entries(file.read(length))
            if members <= max_members:
                return
            seen = f"The file holds {members:,} members"
        else:
            seen = f"The file holds members in a directory of {length:,} bytes"
    raise WorkbookError(
        "workbook_hostile",
        seen,
        expected=f"at most {max_members:,} members",
        remedy=f"Ask its sender what it is; if it is meant so, raise the setting {setting_of('members')}",
    )


def is_foreign_zip(path: Path, max_members: int) -> bool:
    """Whether the zip archive is an .xlsb or .ods workbook. Raises WorkbookError, ``workbook_encrypted`` among them."""
    refuse_a_broken_zip(path, max_members=max_members)
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.replace("\\", "/").lower() for name in archive.namelist()}
            encrypted = _ODS_WHOLE in names or _says_encrypted(archive)
    except (*BROKEN, ValueError, RuntimeError):
        return False  # whoever opens it says why
    if encrypted:
        raise _protected()
    is_ods = "mimetype" in names and "content.xml" in names and "xl/workbook.xml" not in names
    return is_ods or ("xl/workbook.bin" in names and "xl/workbook.xml" not in names)


def refuse_encrypted(path: Path) -> None:
    """Return unless the OLE container holds a workbook of today, encrypted. Raises ``workbook_encrypted``."""
    with path.open("rb") as file:
        data = file.read(1 << 20)
        file.seek(max(0, path.stat().st_size - (1 << 16)))
        data += file.read()
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise _protected()


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


def _refused(what: str, seen: str, remedy: str) -> WorkbookError:
    return WorkbookError(f"workbook_{what}", seen, expected="an .xlsx workbook", remedy=remedy)
