"""The environment that make sets up: what uv is told of the machine, and what a person sees meanwhile."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from factload_demo import install
from factload_demo.install import as_pip_is_set_up, signs_of_life


def test_uv_is_told_what_pip_is_configured_with() -> None:
    pip = {
        "global.cert": "/etc/proxy.pem",
        "global.index-url": "https://packages.example/simple",
        "global.extra-index-url": "file:///wheels https://more.example/simple",
    }
    assert as_pip_is_set_up({}, lambda name: pip.get(name, "")) == {
        "UV_SYSTEM_CERTS": "1",
        "UV_HTTP_TIMEOUT": "180",
        "SSL_CERT_FILE": "/etc/proxy.pem",
        "UV_DEFAULT_INDEX": "https://packages.example/simple",
        "UV_INDEX": "https://more.example/simple",
    }


def test_what_the_environment_says_of_uv_stays() -> None:
    said = {
        "UV_SYSTEM_CERTS": "0",
        "UV_INDEX_URL": "https://mine.example/simple",
        "SSL_CERT_FILE": "/mine.pem",
    }
    pip = {"global.cert": "/etc/proxy.pem", "global.index-url": "https://packages.example/simple"}
    assert as_pip_is_set_up(said, lambda name: pip.get(name, "")) == {"UV_HTTP_TIMEOUT": "180"}


def test_a_long_installation_says_that_it_still_works(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(install, "VENV", tmp_path)
    monkeypatch.setattr(install, "_SECONDS_BETWEEN_SIGNS", 0.05)
    with signs_of_life("Installing"):
        time.sleep(0.5)
    first, *signs = capsys.readouterr().out.splitlines()
    assert first == "Installing ..."
    assert len(signs) >= 2
    assert all("MB so far" in sign for sign in signs)


def test_what_installs_the_rest_is_installed_by_its_hashes_too() -> None:
    first, *hashes = install._locked("uv").splitlines()
    assert first.startswith("uv==")
    assert len(hashes) > 1
    assert all(line.strip().startswith("--hash=sha256:") for line in hashes)


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-demo.txt", "requirements-dev.txt"])
def test_the_lock_has_hashes_for_every_package_and_names_no_registry(name: str) -> None:
    lock = (install.PROJECT / name).read_text(encoding="utf-8")
    packages = re.findall(r"^[a-z0-9](?:.*\\\n)*.*$", lock, re.MULTILINE)
    assert packages
    assert [package for package in packages if "==" not in package or "--hash=sha256:" not in package] == []
    assert "://" not in lock
    assert "index-url" not in lock
