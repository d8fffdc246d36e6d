"""A connection that Airflow keeps gives staging its credentials."""

from __future__ import annotations

import json

import pytest

from factload.airflow.connection import store_connection


def test_a_connection_of_airflow_as_a_store_s_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    written = {
        "conn_type": "aws",
        "login": "key",
        "password": "secret",
        "extra": {"endpoint_url": "http://minio:9000"},
    }
    monkeypatch.setenv("AIRFLOW_CONN_STORE", json.dumps(written))
    found = store_connection("store")
    assert found is not None
    assert (found.login, found.password, found.extra) == ("key", "secret", written["extra"])


def test_a_connection_that_airflow_does_not_have() -> None:
    assert store_connection("nowhere") is None
