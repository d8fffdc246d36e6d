"""A connection's credentials, as Airflow writes them, become a store's options; and where a store may be named."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import factload
from factload.errors import FeedError
from factload.settings import settings, wrong_settings
from factload.staging import connections
from factload.staging.connections import StoreConnection, options_of

KEYS = {"type": "service_account"}


@pytest.mark.parametrize(
    ("protocol", "text", "options"),
    [
        ("s3", "aws://key:sec%2Fret@/?region_name=eu-west-1", {"key": "key", "secret": "sec/ret", "client_kwargs": {"region_name": "eu-west-1"}}),
        ("s3", "aws://key:s@/?endpoint_url=http%3A%2F%2Fminio%3A9000", {"key": "key", "secret": "s", "endpoint_url": "http://minio:9000"}),
        ("s3", "aws://?profile_name=loads", {"profile": "loads"}),
        ("s3", {"conn_type": "aws", "login": "key", "password": "s", "extra": {"aws_session_token": "t"}}, {"key": "key", "secret": "s", "token": "t"}),
        ("s3", {"conn_type": "aws", "extra": '{"aws_access_key_id": "key", "aws_secret_access_key": "s"}'}, {"key": "key", "secret": "s"}),
        ("gs", {"conn_type": "google_cloud_platform", "extra": {"keyfile_dict": json.dumps(KEYS), "project": "p"}}, {"token": KEYS, "project": "p"}),
        ("gs", "google-cloud-platform://?key_path=%2Fkeys.json", {"token": "/keys.json"}),
        ("abfs", "wasb://account:key@", {"account_name": "account", "account_key": "key"}),
        ("abfs", {"conn_type": "adls", "login": "id", "password": "s", "host": "account.blob.core.windows.net", "extra": {"tenant_id": "t"}}, {"account_name": "account", "tenant_id": "t", "client_id": "id", "client_secret": "s"}),
        ("abfs", {"conn_type": "wasb", "extra": {"connection_string": "c"}}, {"connection_string": "c"}),
    ],
)  # fmt: skip
def test_a_connection_as_airflow_writes_it(
    monkeypatch: pytest.MonkeyPatch, protocol: str, text: Any, options: dict[str, Any]
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_STORE", text if isinstance(text, str) else json.dumps(text))
    assert options_of(protocol, "store") == options


def test_without_a_connection_the_store_s_own_variables_count() -> None:
    assert options_of("s3", "") == {}


def test_who_knows_other_connections_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_others", [])
    connections.also_ask(lambda name: StoreConnection("key", "s") if name == "stored" else None)
    assert options_of("s3", "stored") == {"key": "key", "secret": "s"}
    with pytest.raises(FeedError, match="AIRFLOW_CONN_OTHER in the environment, or a connection"):
        options_of("s3", "other")


@pytest.mark.parametrize(
    ("text", "said"),
    [("no connection", "neither a URI nor JSON"), ("{", "neither a URI nor JSON"), ("aws://?role_arn=arn", "give the worker that role")],
)  # fmt: skip
def test_a_connection_that_can_t_be_used_is_a_sentence_without_secrets(
    monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_STORE", text)
    with pytest.raises(FeedError, match=said) as caught:
        options_of("s3", "store")
    assert caught.value.code == "connection_invalid"


@pytest.mark.parametrize(
    "url", ["s3://bucket", "s3://bucket/a/b=c/", "gs://bucket/a", "abfs://box@account.dfs.core.windows.net/a"]
)
def test_places_in_a_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str) -> None:
    monkeypatch.setenv("FACTLOAD_HOME", str(tmp_path))
    monkeypatch.setenv("FACTLOAD_STAGING", url)
    assert (settings().staging, settings().local) == (url.rstrip("/"), tmp_path / ".staging")
    monkeypatch.setenv("FACTLOAD_CACHE", "cache")
    assert settings().local == tmp_path / "cache"


@pytest.mark.parametrize(
    "url",
    [
        "s3://", "s3:///a", "s3://key:hunter2@bucket/a", "s3://bucket/../a", "s3://bucket//a", "s3://bucket/a?b", "s3://a::s3://b",
        "file:///staging", "memory://a", "http://host/a", "s3://bucket/a b", "s3://bucket/\x1b",
    ],
)  # fmt: skip
def test_what_is_no_place_in_a_store(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("FACTLOAD_STAGING", url)
    [error] = wrong_settings()
    assert (error.code, "hunter2" in str(error), str(error).isprintable()) == ("setting_invalid", False, True)
    with pytest.raises(FeedError):
        settings()


def test_nobody_but_the_store_joins_paths_of_staging() -> None:
    package = Path(factload.__file__).parent
    joined = re.compile(r"\.staging\b\s*(/|\.joinpath|\.glob|\+)|staging\}/")
    found = [
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if joined.search(path.read_text()) and path.parent.name != "staging"
    ]
    assert found == []
