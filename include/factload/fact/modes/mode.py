"""What a mode must say and do: everything in which one way of publishing differs from another."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Table
from sqlalchemy.engine import Connection

from factload.errors import FeedError
from factload.fact.advice import Advice
from factload.fact.modes.publishing import Published, Publishing
from factload.fact.once_only import OnceOnly
from factload.fact.staging_table import make_staging, staging_table
from factload.fact.taking_out import TakingBack
from factload.feed.fact import Fact
from factload.feed.model import Feed
from factload.load import Load
from factload.reconcile.counts import Reconciliation


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


def _any_place(_: Connection, __: Feed, ___: Table, ____: str, _____: date) -> Iterable[FeedError]:
    return ()


def _nothing_once(_: Fact) -> Sequence[OnceOnly]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishingMode:
    """One mode. What is not given is as for a plain INSERT of staged rows.

    What it needs of the fact table, beside its columns:

    ``commands``: the commands that it runs on the table, beside SELECT: the rights that it needs, and what a view must
    take. ``forbidden_rules``: the rules that the table must not have. ``defects``: why a table whose columns fit can't
    be published to all the same; ``place_defects``: why one load can't, by its identity and period. ``advice``: what
    a person should know of a table that can be loaded as it is.

    How it publishes:

    ``staging_table``: the table that the rows of a load are staged in; ``make_staging``: create it unless it is there
    and fits, and say whether it was created. ``once_only``: the values that rows of a load must not have twice.
    ``complete``: what is made of the staging table once the last row is in (``publish.complete_staging``).
    ``publish``: make the staged rows fact rows, of which it is given the proof. ``publish_slices``: the same, begun
    while the last rows are still being staged, where that comes to the same (``publish.publish_slices``).
    ``reads_back``: both return the digest of these rows; where they don't, they are those of the staging table, whose
    digest ``reconcile`` takes.

    ``take_back``: take out the rows of a load that stand, and bring back those before, for an undo. Without it rows
    can't be taken back.

    What becomes of rows that the load published before:

    ``replaces``: they belong to the load alone, are found by the load column, and the next publication replaces them.
    ``repeatable``: the load can be published again with other rows. ``takes_over``: it writes over rows that other
    loads published, which are its own then.
    """

    commands: tuple[str, ...]
    publish: Callable[[Publishing, Reconciliation], Published]
    forbidden_rules: Callable[[Fact], ForbiddenRules | None] = _no_rules
    defects: Callable[[Connection, Feed, Table], Iterable[FeedError]] = _no_defects
    place_defects: Callable[[Connection, Feed, Table, str, date], Iterable[FeedError]] = _any_place
    advice: Sequence[Callable[[Connection, Feed, Table], Advice | None]] = ()
    staging_table: Callable[[Load, Feed, Table], Table] = staging_table
    make_staging: Callable[[Connection, Load, Feed, Table, Table], bool] = make_staging
    once_only: Callable[[Fact], Sequence[OnceOnly]] = _nothing_once
    publish_slices: (
        Callable[[Publishing, Iterable[Collection[int]], Callable[[], None]], Published] | None
    ) = None
    complete: Callable[[Connection, Load, Table, Table, Callable[[], object]], None] | None = None
    take_back: Callable[[TakingBack], None] | None = None
    reads_back: bool = True
    replaces: bool = False
    repeatable: bool = True
    takes_over: bool = False

    def advice_on(self, connection: Connection, feed: Feed, fact: Table) -> Iterator[Advice]:
        """What a person should know of the fact table."""
        return filter(None, (advice(connection, feed, fact) for advice in self.advice))

    @property
    def rights(self) -> tuple[str, ...]:
        """The rights on the fact table that the connection's user needs."""
        return ("SELECT", *self.commands)
