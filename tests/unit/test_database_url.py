"""A database's URL: read, refused without a word of it, and shown without its secrets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factload.errors import FeedError
from factload.postgres.url import holds_secret, read_url, shown

SECRET = "tOps3cret"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://u:{SECRET}@host:54x2/db",
        f"postgresql://u:{SECRET}@host:/db:5432x",
        f"postgresql://u:{SECRET}@[::1/db",
        f"postgresql://u:{SECRET}@host:99999/db",
        f"postgresql://u:{SECRET}@host:0/db",
        f"postgresql://u:pa@{SECRET}@host/db",
        f"postgresql://u:p@ss/{SECRET}@host/db",
        f"postgresql://u:p@{SECRET}@h1:5432,h2:5432/db",
        f"postgresql://u:{SECRET}@h1:5432,h2/db",
        f"mysql://u:{SECRET}@host/db",
        f"{SECRET}",
        "",
    ],
)
def test_a_url_that_can_not_be_read_is_refused_without_a_word_of_it(url: str) -> None:
    with pytest.raises(FeedError) as caught:
        read_url(url)
    assert caught.value.code == "database_url"
    assert caught.value.exit_status == 2
    assert SECRET not in str(caught.value)
    assert "ss" not in str(caught.value).replace("password", "")


@given(st.text(max_size=60))
def test_any_text_is_a_url_or_refused(text: str) -> None:
    for url in (text, f"postgresql://{text}", f"postgresql://u:p@h{text}"):
        try:
            read_url(url)
            shown(url)
        except FeedError as error:
            assert error.code == "database_url"


@pytest.mark.parametrize(
    ("url", "as_shown", "secret"),
    [
        (f"postgresql://u:{SECRET}@h:5433/db", "postgresql://u:***@h:5433/db", True),
        (f"postgresql://u@h/db?password={SECRET}", "postgresql://u@h/db?password=***", True),
        (f"postgresql://u@h/db?options={SECRET}", "postgresql://u@h/db?options=***", True),
        ("postgresql+psycopg2://u@/db?host=/tmp/x", "postgresql://u@/db?host=%2Ftmp%2Fx", False),
        ("postgres://u@h/db?sslmode=require", "postgresql://u@h/db?sslmode=require", False),
        (
            f"postgresql://u:{SECRET}@h1:5432,h2.x:5433/db?target_session_attrs=read-write",
            "postgresql://u:***@/db?host=h1%3A5432&host=h2.x%3A5433&target_session_attrs=read-write",
            True,
        ),
        ("postgresql://u@h1,h2/db", "postgresql://u@h1,h2/db", False),
        (f"postgresql://u:%40{SECRET}@[::1]:5432/db", "postgresql://u:***@[::1]:5432/db", True),
    ],
)
def test_a_url_is_shown_without_what_may_be_secret(url: str, as_shown: str, secret: bool) -> None:
    assert shown(url) == as_shown
    assert holds_secret(url) == secret
