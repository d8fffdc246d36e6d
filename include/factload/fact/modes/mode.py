"""What a mode must say and do: everything in which one way of publishing differs from another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Table
from sqlalchemy.engine import Connection

from factload.errors import FeedError
from factload.fact.modes.publishing import Publishing, Written
from factload.fact.once_only import OnceOnly
from factload.fact.staging_table import staging_table
from factload.feed.model import Fact, Feed
from factload.load import Load
from factload.postgres.locks import LockMode


@dataclass(frozen=True, slots=True)
class ForbiddenRules:
    """The rules on a table (``INSERT``, ``UPDATE``) that PostgreSQL refuses a mode's statements for. ``allowed``: what
    a message says that it allows instead."""

    commands: tuple[str, ...]
    allowed: str


def _no_rules(_: Fact) -> ForbiddenRules | None:
    return None


def _no_defects(_: Connection, __: Feed, ___: Table) -> Iterable[FeedError]:
    return ()


def _nothing_once(_: Fact) -> Sequence[OnceOnly]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishingMode:
    """One mode. What is not given is as for a plain INSERT of staged rows.

    What it needs of the fact table, beside its columns:

    ``commands``: the commands that it runs on the table, beside SELECT: the rights that it needs, and what a view must
    take. ``lock``: how it locks the table. ``forbidden_rules``: the rules that the table must not have.
    ``defects``: why a table whose columns fit can't be published to all the same.

    How it publishes:

    ``staging_table``: the table that the rows of a load are staged in. ``once_only``: the values that rows of a load
    must not have twice. ``publish``: bring the staged rows into the fact table and read them back.

    What becomes of rows that the load published before:

    ``replaces``: they belong to the load alone, are found by the load column, and the next publication replaces them.
    ``repeatable``: the load can be published again with other rows.
    """

    commands: tuple[str, ...]
    publish: Callable[[Publishing], Written]
    lock: LockMode = "ROW EXCLUSIVE"
    forbidden_rules: Callable[[Fact], ForbiddenRules | None] = _no_rules
    defects: Callable[[Connection, Feed, Table], Iterable[FeedError]] = _no_defects
    staging_table: Callable[[Load, Feed, Table], Table] = staging_table
    once_only: Callable[[Fact], Sequence[OnceOnly]] = _nothing_once
    replaces: bool = False
    repeatable: bool = True

    @property
    def rights(self) -> tuple[str, ...]:
        """The rights on the fact table that the connection's user needs."""
        return ("SELECT", *self.commands)
