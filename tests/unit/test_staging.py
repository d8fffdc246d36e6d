"""Staging files: whole or absent, never trusted without their checksum."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pyarrow as pa
import pytest

from factload.checksum import sha256_of
from factload.errors import TransientError
from factload.staging import whole as judged
from factload.staging.files import StagingFile, open_table
from factload.staging.folder import FolderPlace

BATCH = pa.record_batch({"row": pa.array([2, 3], pa.int32())})


def committed(folder: Path) -> tuple[Path, str]:
    file = StagingFile(FolderPlace(folder), BATCH.schema)
    file.write(BATCH)
    path, sha256 = file.commit("p.arrow")
    return Path(path), sha256


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    path, sha256 = committed(tmp_path / "new" / "folder")
    assert open_table(str(path), sha256).to_pydict() == {"row": [2, 3]}
    assert [entry.name for entry in path.parent.iterdir()] == ["p.arrow"]


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data[:100] + b"!" + data[101:]])
def test_a_file_cut_short_or_altered_is_noticed(change: object, tmp_path: Path) -> None:
    path, sha256 = committed(tmp_path)
    path.write_bytes(change(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(TransientError) as caught:
        open_table(str(path), sha256)
    assert caught.value.code == "staging_altered"


@pytest.mark.parametrize("settled", [True, False])
def test_a_file_altered_after_it_was_read_is_noticed(
    tmp_path: Path, settled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, sha256 = committed(tmp_path)
    if settled:
        time.sleep(0.15)
    read: list[Path] = []

    def noted(file: Path) -> str:
        read.append(file)
        return sha256_of(file)

    monkeypatch.setattr(judged, "sha256_of", noted)
    for _ in range(3):
        open_table(str(path), sha256)
    assert len(read) == (1 if settled else 3)
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + b"!" + whole[101:])
    with pytest.raises(TransientError, match="not what was written"):
        open_table(str(path), sha256)
    path.write_bytes(whole)
    assert open_table(str(path), sha256).num_rows == 2


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(TransientError) as caught:
        open_table(str(tmp_path / "p.arrow"), "0" * 64)
    assert caught.value.code == "staging_missing"


def test_an_unfinished_file_leaves_nothing(tmp_path: Path) -> None:
    file = StagingFile(FolderPlace(tmp_path), BATCH.schema)
    file.write(BATCH)
    file.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TransientError) as caught:
        StagingFile(FolderPlace(tmp_path / "file" / "below"), BATCH.schema)
    assert caught.value.code == "staging_failed"


def test_what_is_staged_is_for_the_user_that_loads_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        (tmp_path / "shared").mkdir(mode=0o777)
        folder = tmp_path / "shared" / "load" / "7"
        file = StagingFile(FolderPlace(folder), pa.schema([pa.field("n", pa.int64())]))
        file.write(pa.record_batch({"n": pa.array([1])}))
        path = Path(file.commit("one.arrow")[0])
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [stat.S_IMODE(place.stat().st_mode) for place in (folder, folder.parent)] == [0o700, 0o700]
    assert stat.S_IMODE((tmp_path / "shared").stat().st_mode) == 0o777  # of whoever made it
