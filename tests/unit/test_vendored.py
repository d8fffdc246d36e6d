"""What the Loads page takes from elsewhere is what VENDORED.md says, and the page asks no other address for anything."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
STATIC = PROJECT / "include/factload/airflow/loads_page/static"
VENDOR = STATIC / "vendor"
LISTED = re.findall(
    r"^\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|$",
    (VENDOR / "VENDORED.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)
PACKAGES = re.findall(
    r"^\| ([a-z0-9-]+) \| ([\d.]+) \| \w+ \|$",
    (VENDOR / "VENDORED.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)
LOCK = json.loads((PROJECT / "package-lock.json").read_text(encoding="utf-8"))["packages"]


def test_every_vendored_file_is_listed_with_its_digest_and_has_its_licence() -> None:
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VENDOR.glob("*.js")}
    assert dict(LISTED) == digests
    assert len(list(VENDOR.glob("*.LICENSE"))) == len(digests)


def test_every_bundled_package_is_listed_in_the_version_that_is_locked_and_has_its_licence() -> None:
    licences = (VENDOR / "d3.LICENSE").read_text(encoding="utf-8")
    assert len(PACKAGES) == 8
    for name, version in PACKAGES:
        assert LOCK[f"node_modules/{name}"]["version"] == version, name
        assert f"\n{name} {version}\n" in licences, name


def test_the_lock_pins_every_package_by_digest_and_names_no_place_to_get_it_from() -> None:
    packages = {name: package for name, package in LOCK.items() if name}
    assert [name for name, package in packages.items() if not package.get("integrity")] == []
    assert [name for name, package in packages.items() if "resolved" in package] == []


def test_the_page_s_own_files_name_no_other_address_and_make_no_markup_of_text() -> None:
    own = [path for path in STATIC.rglob("*") if path.is_file() and path.parent != VENDOR]
    for path in own:
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        text = re.sub(
            r'^/\*\* @import \{ [\w, ]+ \} from "\.[^"]*" \*/$', "", text, flags=re.MULTILINE
        )  # of types
        assert not re.search(r"https?://|url\(|@import", text), path.name
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text), (
            path.name
        )
