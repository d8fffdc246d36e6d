"""The credentials of a store: what its package finds in the environment, or those of a connection.

A connection is read as Airflow writes it, a URI or JSON, out of the environment; whoever knows others, as Airflow does,
says so with ``also_ask``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from factload.errors import FeedError
from factload.settings import connection_variable, connection_variables

Options = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoreConnection:
    """A connection's parts, as Airflow calls them; "" for what it doesn't have."""

    login: str = ""
    password: str = ""
    host: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


_others: list[Callable[[str], StoreConnection | None]] = []


def also_ask(known: Callable[[str], StoreConnection | None]) -> None:
    """Have ``known`` asked for connections that the environment doesn't name."""
    if known not in _others:
        _others.append(known)


def options_of(protocol: str, connection_id: str) -> Options:
    """The options of fsspec's file system that a connection's credentials are; none without a connection.

    Raises ``FeedError`` ``connection_unknown``, ``connection_invalid``.
    """
    if not connection_id:
        return {}
    connection = _connection(connection_id)
    try:
        options = {"s3": _s3, "gs": _gs, "abfs": _abfs}[protocol](connection)
    except ValueError as error:
        raise _invalid(connection_id, str(error)) from None
    return {name: value for name, value in options.items() if value}


def _connection(connection_id: str) -> StoreConnection:
    variable, text = connection_variable(connection_id)
    if text:
        try:
            return parsed(text)
        except ValueError:
            raise _invalid(connection_id, f"{variable} is neither a URI nor JSON") from None
    for known in _others:
        if (found := known(connection_id)) is not None:
            return found
    names = " or ".join(connection_variables(connection_id))
    raise FeedError(
        "connection_unknown",
        f"connection {connection_id}, which FACTLOAD_STAGING_CONNECTION names, is not known here",
        expected=f"{names} in the environment, or a connection of this name in Airflow",
        remedy="Set one of them, or leave FACTLOAD_STAGING_CONNECTION out and set the store's own variables",
    )


def parsed(text: str) -> StoreConnection:
    """The connection that a variable's text describes; raises ValueError where it describes none."""
    if text.lstrip().startswith("{"):
        found = json.loads(text)
        extra = found.get("extra") or {}
        extra = json.loads(extra) if isinstance(extra, str) else extra
        login, password, host = (str(found.get(name) or "") for name in ("login", "password", "host"))
        return StoreConnection(login, password, host, extra)
    uri = urlsplit(text)
    if not uri.scheme:
        raise ValueError
    extra = dict(parse_qsl(uri.query))
    extra = json.loads(extra["__extra__"]) if "__extra__" in extra else extra
    login, password = (unquote(part or "") for part in (uri.username, uri.password))
    return StoreConnection(login, password, unquote(uri.hostname or ""), extra)


def _s3(connection: StoreConnection) -> Options:
    extra = connection.extra
    if "role_arn" in extra:
        raise ValueError(
            "it asks for a role (role_arn): give the worker that role itself, or name a profile_name"
        )
    return {
        "key": connection.login or extra.get("aws_access_key_id"),
        "secret": connection.password or extra.get("aws_secret_access_key"),
        "token": extra.get("aws_session_token"),
        "endpoint_url": extra.get("endpoint_url"),
        "profile": extra.get("profile_name"),
        "client_kwargs": {"region_name": extra["region_name"]} if "region_name" in extra else {},
    }


def _gs(connection: StoreConnection) -> Options:
    extra = connection.extra
    keys = extra.get("keyfile_dict")
    return {
        "token": (json.loads(keys) if isinstance(keys, str) else keys) or extra.get("key_path"),
        "project": extra.get("project"),
    }


def _abfs(connection: StoreConnection) -> Options:
    extra = connection.extra
    common = {name: extra.get(name) for name in ("connection_string", "sas_token")}
    if "tenant_id" in extra:
        return common | {
            "account_name": extra.get("account_name") or connection.host.partition(".")[0],
            "tenant_id": extra["tenant_id"],
            "client_id": connection.login,
            "client_secret": connection.password,
        }
    return common | {"account_name": connection.login, "account_key": connection.password}


def _invalid(connection_id: str, why: str) -> FeedError:
    return FeedError(
        "connection_invalid",
        f"connection {connection_id}, which FACTLOAD_STAGING_CONNECTION names, can't be used: {why}",
        expected="a connection as Airflow writes it, as a URI or as JSON",
        remedy="Correct the connection",
    )
