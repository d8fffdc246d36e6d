"""What nobody foresaw becomes one sentence; its traceback goes to a file that only this user can read."""

from __future__ import annotations

import errno
import os
import re
import stat
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest

from factload.errors import FactloadError, FeedError, TransientError, Unforeseen
from factload.last_net import foreseen


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FACTLOAD_HOME", str(tmp_path))
    monkeypatch.setenv("FACTLOAD_STAGING", str(tmp_path / "staging"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def caught(error: BaseException) -> FactloadError:
    try:
        raise error
    except BaseException as raised:
        return foreseen(raised)


def file_of(error: FactloadError) -> Path:
    return Path(re.search(r"in (/\S+\.txt)\.", str(error))[1])  # type: ignore[index]


def test_what_was_foreseen_stays_what_it_is() -> None:
    error = FeedError("code", "seen")
    assert caught(error) is error


def test_the_sentence_says_where_and_the_file_says_what() -> None:
    error = caught(ValueError("the cell holds 1234.56"))
    assert isinstance(error, Unforeseen)
    assert (error.exit_status, error.retry, error.code) == (4, True, "unforeseen")
    assert "ValueError" in str(error)
    assert "1234.56" not in str(error)
    file = file_of(error)
    assert "ValueError: the cell holds 1234.56" in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_the_place_is_the_one_in_the_worker() -> None:
    with ProcessPoolExecutor(1) as pool, pytest.raises(TypeError) as raised:
        pool.submit(_fails).result()
    error = foreseen(raised.value)
    assert "TypeError at factload/errors.py, line " in str(error)
    assert "did_you_mean" in file_of(error).read_text()


def _fails() -> None:
    from factload.errors import did_you_mean

    did_you_mean(None, ["x"])  # type: ignore[arg-type]


def test_without_settings_or_a_disk_it_goes_where_it_can(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACTLOAD_LOCK_TIMEOUT", "for ever")
    assert file_of(caught(KeyError("x"))).parent == home
    monkeypatch.delenv("FACTLOAD_LOCK_TIMEOUT")
    (home / "staging").write_text("a file")
    assert file_of(caught(KeyError("x"))).parent == home
    monkeypatch.setattr("tempfile.tempdir", str(home / "nowhere"))
    assert "could not be written" in str(caught(KeyError("x")))


def test_old_tracebacks_go(home: Path) -> None:
    old = file_of(caught(KeyError("x")))
    then = time.time() - 15 * 86_400
    os.utime(old, (then, then))
    new = file_of(caught(KeyError("y")))
    assert (old.exists(), new.exists()) == (False, True)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MemoryError(), "resources_short"),
        (pa.ArrowMemoryError("malloc of size 8 failed"), "resources_short"),
        (RuntimeError("can't start new thread"), "resources_short"),
        (ImportError("libcrypto.so.3: failed to map segment from shared object"), "resources_short"),
        (OSError(errno.EMFILE, "Too many open files"), "resources_short"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "resources_short"),
        (BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"), "resources_short"),
        (OSError(errno.ENOSPC, "No space left on device"), "disk_full"),
    ],
)
def test_what_has_run_short_is_named(error: BaseException, code: str) -> None:
    named = caught(error)
    assert isinstance(named, TransientError)
    assert named.code == code
    assert "\n" not in str(named)
