"""What the Loads page takes from elsewhere is what VENDORED.md says, and the page asks no other address for anything."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

STATIC = Path(__file__).resolve().parents[2] / "include/factload/airflow/loads_page/static"
VENDOR = STATIC / "vendor"
LISTED = re.findall(
    r"^\| `([^`]+)` \|.*`([^`]+)` \|.*\| `([0-9a-f]{64})` \|$",
    (VENDOR / "VENDORED.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)


def test_every_vendored_file_is_listed_with_its_digest_and_has_its_licence() -> None:
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VENDOR.glob("*.js")}
    assert {name: digest for name, _, digest in LISTED} == digests
    assert len(list(VENDOR.glob("*.LICENSE"))) == len(digests)


def test_the_page_s_own_files_name_no_other_address_and_make_no_markup_of_text() -> None:
    own = [path for path in STATIC.rglob("*") if path.is_file() and path.parent != VENDOR]
    for path in own:
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|url\(|@import", text), path.name
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text), (
            path.name
        )
