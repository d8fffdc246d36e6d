"""What in the database would stop a load, seen before any row is read: the fact table, the dimensions, and what the
load has published already.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Engine, Table

from factload.check.findings import Problems
from factload.dimension.extract import extract_dimension_map
from factload.dimension.inferred import WouldBeMembers
from factload.dimension.lookup import Members, open_members
from factload.dimension.table import check_dimension
from factload.fact.modes.registry import mode_of
from factload.fact.once_only import OnceOnly
from factload.fact.rights import require_rights
from factload.fact.standing import require_place, require_repeatable, require_within_reach
from factload.fact.surrogates import require_surrogates_fit
from factload.fact.table import fact_table
from factload.fact.unique import once_only
from factload.feed.model import Feed
from factload.ledger.corrections import Correction, read_corrections, sha256_of_corrections
from factload.ledger.migrations import VERSION, installed_version
from factload.ledger.opening import Before, Publication, last_publication, published_before
from factload.load import SourceFile, content_of, sha256_of_sources
from factload.postgres.encoding import codec_of
from factload.postgres.errors import database_errors
from factload.staging.store import Place


@dataclass(slots=True)
class Target:
    """Where a load's rows would go, as far as it can be seen.

    ``fact``: nothing where the table has defects; ``codec``: of the database's encoding, if that doesn't hold every
    text; ``last``: what was published of the load; ``before``: what it is compared with; ``corrections``: the rows of
    the load that people have corrected.
    """

    fact: Table | None = None
    codec: str | None = None
    once: Sequence[OnceOnly] = ()
    last: Publication | None = None
    before: Before | None = None
    corrections: Sequence[Correction] = ()
    members: dict[str, Members] = field(default_factory=dict)

    def require_open(self, feed: Feed, period: date, sources: Sequence[SourceFile]) -> None:
        """Raise ``FeedError`` where these workbooks can't take the place of what is published."""
        corrected = sha256_of_corrections(self.corrections)
        content = content_of(sha256_of_sources(sources), feed.fingerprint, corrected)
        if self.last is not None and self.last.content != content:
            require_repeatable(self.last, feed.load_id(period), feed)


def look_at(
    engine: Engine, feed: Feed, period: date, place: Place, problems: Problems, would_be: WouldBeMembers
) -> Target:
    """The fact table, the dimensions that can be read, each in its own file, and the last publication; what is wrong
    with them is noted."""
    target = Target()
    would_be.members = target.members
    with database_errors("reading the feed's tables"), closing(engine.connect()) as connection:
        target.codec = codec_of(connection)
        with problems.noted():
            target.fact = fact_table(connection, feed)
            target.once = once_only(connection, feed, target.fact)
            for advice in mode_of(feed.fact).advice_on(connection, feed, target.fact):
                problems.warnings.append(f"{advice.seen}. {advice.remedy}")
            require_place(connection, feed.load_id(period), period, feed, target.fact)
            if installed_version(connection) == VERSION:  # else the first load makes or migrates it
                load_id = feed.load_id(period)
                target.last = last_publication(connection, load_id)
                target.before = published_before(connection, feed.feed, load_id, period)
                target.corrections = read_corrections(connection, load_id)
                require_within_reach(connection, load_id, feed, target.fact, target.last)
        for name, dimension in feed.dimensions.items():
            with problems.noted():
                would_be.tables[name] = check_dimension(connection, name, dimension)
                same = target.members.get(feed.map_of[name])
                target.members[name] = same or open_members(
                    extract_dimension_map(connection, name, dimension, place)
                )
        with problems.noted():
            require_rights(connection, feed)
        if target.fact is not None:
            with problems.noted():
                require_surrogates_fit(connection, feed, target.fact, would_be.tables)
    return target
