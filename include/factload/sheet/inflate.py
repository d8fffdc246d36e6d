"""A zip member's bytes as a stream, inflated by ISA-L: a third of the time that zipfile and zlib take.

Nothing is trusted more than ``zipfile`` trusts it: it opens the member first, with its checks of the member's own
header; length and CRC are checked here when the stream ends. Members are stored or deflated, as workbooks' are
(ECMA-376 part 2, annex B.2): ``zipfile`` reads other methods too, and bounds what they inflate to only afterwards.
"""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from isal import igzip_lib, isal_zlib

from factload.sheet.file_errors import hostile
from factload.sheet.limits import Limits

_RAW_DEFLATE = -15  # zlib's name for a stream without a header
_TAKE = 1 << 16  # compressed bytes a step
_ENCRYPTED = 0x1  # of a member's flags
_LOCAL_HEADER = struct.Struct("<26xHH")  # of which the lengths of name and extra field count here
_BROKEN_DEFLATE: type[Exception] = igzip_lib.IsalError  # type: ignore[assignment]  # its stub says an instance
BROKEN = (zipfile.BadZipFile, zlib.error, _BROKEN_DEFLATE, EOFError, NotImplementedError)


class Stream(Protocol):
    """What parts are read through."""

    def read(self, size: int = -1, /) -> bytes:
        """Exactly ``size`` bytes, fewer only at the end; all that are left without a size."""
        ...


def require_bounded(member: zipfile.ZipInfo, named: str, most: int, field: str, limits: Limits) -> None:
    """Raise ``WorkbookError`` for a member that inflates to more than ``most`` bytes, or to too many times its stored
    size. ``named``: what the message calls it; ``field``: the limit that ``most`` is."""
    size, stored = member.file_size, member.compress_size
    if size > most:
        raise hostile(f"{named} inflates to {size:,} bytes", f"at most {most:,}", field)
    if size > limits.ratio_from_bytes and size > limits.ratio * max(stored, 1):
        raise hostile(
            f"{named} inflates from {stored:,} to {size:,} bytes", f"at most {limits.ratio} times", "ratio"
        )


@contextmanager
def inflated(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[Stream]:
    """The member as a stream of its inflated bytes. Opening and reading raise one of ``BROKEN``."""
    if member.header_offset < 0:  # zipfile takes it as it is, and the seek fails
        raise zipfile.BadZipFile("a member begins before the file does")
    if member.flag_bits & _ENCRYPTED:
        raise zipfile.BadZipFile("it is encrypted")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise zipfile.BadZipFile(f"it is compressed by method {member.compress_type}, not by deflate")
    if member.compress_type == zipfile.ZIP_STORED and member.compress_size != member.file_size:
        raise zipfile.BadZipFile("it is stored as it is, and yet of another size")
    try:
        by_zipfile = archive.open(member)
    except UnicodeDecodeError as error:
        raise zipfile.BadZipFile("a member's own header has a name that is no text") from error
    with by_zipfile:
        yield _Deflated(archive, member) if member.compress_type == zipfile.ZIP_DEFLATED else by_zipfile


class _Deflated:
    """A member of raw deflate data, read by position: other streams over the file don't disturb it."""

    def __init__(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
        if archive.fp is None:
            raise zipfile.BadZipFile("the archive is closed")
        self._file = archive.fp.fileno()
        header = os.pread(self._file, _LOCAL_HEADER.size, member.header_offset)
        self._at = member.header_offset + _LOCAL_HEADER.size + sum(_LOCAL_HEADER.unpack(header))
        self._end = self._at + member.compress_size
        self._inflate = isal_zlib.decompressobj(_RAW_DEFLATE)
        self._left, self._crc, self._expected_crc = member.file_size, 0, member.CRC

    def read(self, size: int = -1, /) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        pieces = []
        while wanted > 0:
            piece = self._more(wanted)
            pieces.append(piece)
            wanted -= len(piece)
        if not self._left:
            self._check_end()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _more(self, most: int) -> bytes:
        """At least a byte, ``most`` at most."""
        while True:
            # ISA-L may still hold output of what it took: ask for that before it is given more.
            piece = self._inflate.decompress(self._inflate.unconsumed_tail, most)
            piece = piece or self._inflate.decompress(self._compressed(), most)
            if piece:
                self._left -= len(piece)
                self._crc = isal_zlib.crc32(piece, self._crc)
                return piece

    def _compressed(self) -> bytes:
        if self._inflate.eof:
            raise zipfile.BadZipFile("it is shorter than the archive says")
        data = os.pread(self._file, min(_TAKE, self._end - self._at), self._at)
        if not data:
            raise EOFError("its data breaks off")
        self._at += len(data)
        return data

    def _check_end(self) -> None:
        if self._crc != self._expected_crc:
            raise zipfile.BadZipFile("bad CRC-32")
