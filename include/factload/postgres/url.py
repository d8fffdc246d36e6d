"""A database's URL: read, or refused in a sentence that holds nothing of it; and printed without its secrets."""

from __future__ import annotations

import re
from urllib.parse import quote_plus

from sqlalchemy import URL
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from factload.errors import FeedError

_EXPECTED = "postgresql://user:password@host:5432/database"
_BACKENDS = ("postgresql", "postgres")
_SHOWN = ("host", "hostaddr", "port", "dbname", "sslmode", "target_session_attrs")
_HIDDEN = "***"
_HOST = r"[\w.-]+:\d{1,5}"
_HOSTS = re.compile(
    rf"(?P<before>[\w+]+://(?:[^@/?]*@)?)(?P<hosts>{_HOST}(?:,{_HOST})+)(?P<path>/[^?@]*)?(?:\?(?P<options>.*))?",
    re.ASCII | re.DOTALL,
)


def read_url(url: str) -> URL:
    """The parts of a PostgreSQL URL, in any of the spellings people use; raises ``FeedError``.

    Of a URL that can't be read no part is told: any of them may be the password.
    """
    try:
        parsed = make_url(_without_hosts(url) or url)
    except (ArgumentError, ValueError):  # a port that is no number, half an IPv6 address
        raise _unreadable("the database's URL can't be read") from None
    if parsed.get_backend_name() not in _BACKENDS:
        raise _unreadable(f"{parsed.drivername} is not PostgreSQL")
    if parsed.port is not None and not 0 < parsed.port < 1 << 16:
        raise _unreadable("the port in the database's URL is out of range", "a port from 1 to 65535")
    if "@" in f"{parsed.host}{parsed.database}":
        # A password with an @ in it: the rest of it would be looked up, and printed, as the host's name.
        raise _unreadable(
            "the database's URL has more than one @",
            f"%40 for an @ in a password or name, %2F for a slash, as in {_EXPECTED}",
        )
    return parsed.set(drivername="postgresql+psycopg2")


def _without_hosts(url: str) -> str | None:
    """The URL with its list of hosts, each with a port, among the options, where SQLAlchemy reads it; None without one.

    libpq takes ``host1:5432,host2:5432``, for a primary and its standbys, in the place of a host.
    """
    found = _HOSTS.fullmatch(url)
    if found is None:
        return None
    hosts = "&".join(f"host={host}" for host in found["hosts"].split(","))
    given = f"&{found['options']}" if found["options"] else ""
    return f"{found['before']}{found['path'] or '/'}?{hosts}{given}"


def _unreadable(seen: str, expected: str = _EXPECTED) -> FeedError:
    return FeedError("database_url", seen, expected=expected)


def shown(url: str) -> str:
    """The URL as it may be printed: without the password, wherever it stands; raises ``FeedError``."""
    parsed = read_url(url)
    query = {name: value if name in _SHOWN else _HIDDEN for name, value in parsed.query.items()}
    rendered = parsed.set(drivername="postgresql", query=query).render_as_string(hide_password=True)
    return rendered.replace(quote_plus(_HIDDEN), _HIDDEN)


def holds_secret(url: str) -> bool:
    """Whether the URL holds something that ``shown`` hides; raises ``FeedError``."""
    parsed = read_url(url)
    return parsed.password is not None or any(name not in _SHOWN for name in parsed.query)
