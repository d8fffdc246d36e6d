"""What changes something is asked for by this page alone, or by who holds a token: no other site's page gets that far.

Airflow's cookie goes with every request of the browser, whoever's page sends it. A method that forms don't have, and a
kind of content that they can't send, make the browser ask first; what it says of the sender is looked at besides.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from airflow.configuration import conf
from fastapi import Depends, HTTPException, Request

_KIND = "application/octet-stream"
_REFUSAL = {
    "code": "other_site",
    "message": "The request comes from another site's page. Open the Loads page anew.",
}


def _require_same_site(request: Request) -> None:
    sender = request.headers.get("sec-fetch-site")
    if sender is not None and sender != "same-origin":
        raise HTTPException(403, _REFUSAL)
    origin = request.headers.get("origin")
    if sender is None and origin is not None and urlsplit(origin).netloc not in _own_hosts(request):
        raise HTTPException(403, _REFUSAL)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _KIND:
        raise HTTPException(415, {"code": "other_kind", "message": f"Expected: content of the kind {_KIND}."})


def _own_hosts(request: Request) -> set[str]:
    """Where Airflow is to be found: as it was asked here, and as it is called from outside."""
    return {request.headers.get("host", ""), urlsplit(conf.get("api", "base_url", fallback="")).netloc}


SAME_SITE = Depends(_require_same_site)
