"""A member's stream gives what zipfile's own gives, or fails where that does."""

from __future__ import annotations

import random
import zipfile
from pathlib import Path

import pytest

from factload.sheet.inflate import BROKEN, inflated

CONTENTS = {
    "empty": b"",
    "short": b"<row/>",
    "even": bytes(3_000_000),  # a thousand to one: much output of little input
    "text": b"".join(b'<c r="A%d"><v>%d</v></c>' % (i, i * i) for i in range(40_000)),
    "noise": random.Random(1).randbytes(300_000),  # noqa: S311 - a sample
}  # fmt: skip


def archived(folder: Path, data: bytes, method: int = zipfile.ZIP_DEFLATED) -> Path:
    path = folder / "a.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("before", b"something")
        archive.writestr("part", data)
    return path


def read(path: Path, sizes: list[int]) -> bytes:
    """The part read by these sizes in turn, to its end."""
    pieces: list[bytes] = []
    with zipfile.ZipFile(path) as archive, inflated(archive, archive.getinfo("part")) as stream:
        for turn in range(10_000_000):
            size = sizes[turn % len(sizes)]
            piece = stream.read(size)
            if size < 0 or len(piece) < size:
                return b"".join([*pieces, piece])
            pieces.append(piece)
    raise AssertionError("no end")


@pytest.mark.parametrize("sizes", [[-1], [1 << 18], [70_000, 13], [4 << 20]], ids=str)
@pytest.mark.parametrize("name", CONTENTS)
def test_every_byte_whatever_the_sizes(tmp_path: Path, name: str, sizes: list[int]) -> None:
    assert read(archived(tmp_path, CONTENTS[name]), sizes) == CONTENTS[name]


def test_a_member_that_is_only_stored(tmp_path: Path) -> None:
    assert read(archived(tmp_path, CONTENTS["text"], zipfile.ZIP_STORED), [1000]) == CONTENTS["text"]


@pytest.mark.parametrize("cut", [30, 1000, 100_000])
def test_one_bit_turned_over(tmp_path: Path, cut: int) -> None:
    path = archived(tmp_path, CONTENTS["noise"])
    data = bytearray(path.read_bytes())
    data[data.index(b"part") + 20 + cut] ^= 4
    path.write_bytes(data)
    with pytest.raises(BROKEN):
        read(path, [1 << 16])


@pytest.mark.parametrize("change", [-1000, 1, 1000])
def test_a_length_that_is_not_the_data_s(tmp_path: Path, change: int) -> None:
    path = archived(tmp_path, CONTENTS["text"])
    with zipfile.ZipFile(path) as archive:
        member = archive.getinfo("part")
        member.file_size += change
        with pytest.raises(BROKEN), inflated(archive, member) as stream:
            while stream.read(1 << 16):
                pass


def test_data_that_breaks_off(tmp_path: Path) -> None:
    path = archived(tmp_path, CONTENTS["noise"])
    with zipfile.ZipFile(path) as archive:
        member = archive.getinfo("part")
        member.compress_size -= 200
        with pytest.raises(BROKEN), inflated(archive, member) as stream:
            while stream.read(1 << 16):
                pass
