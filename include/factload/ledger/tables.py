"""The ledger's tables, as the newest version has them. ``ledger`` says what is done with them.

``loads``       one row a load: which attempt is the newest, and what is published
``attempts``    one row an epoch: its workbooks, its state, its counts, its error
``partitions``  one row a partition of one content (workbook and feed): what was counted, what was staged
``rejects``     one row a rejected row
``corrections`` one row a row that a person corrected: the cells that they changed
``member_changes`` one row a member, or version of one, that a load's last change changed: what it had, and has since
``member_versions`` one row a version of a member that a load made, or whose place it took: which load that is
``kept``        one row a load whose previous rows are kept, so that they can come back: where, and until when
``steps``       one row a step that ran: when, and how much memory its process held at most
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB

LEDGER_SCHEMA = "factload"
STAGING_SCHEMA = "factload_staging"

metadata = MetaData(schema=LEDGER_SCHEMA)

loads = Table(
    "loads",
    metadata,
    Column("load_id", Text, primary_key=True),
    Column("feed", Text, nullable=False),
    Column("period", Date, nullable=False),
    Column("target", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("published_epoch", Integer),
    Index("loads_by_feed", "feed", "period"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("load_id", Text, ForeignKey(loads.c.load_id), primary_key=True),
    Column("epoch", Integer, primary_key=True),
    Column("state", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("workbook", Text, nullable=False),
    Column("workbook_sha256", Text, nullable=False),
    Column("workbook_bytes", BigInteger, nullable=False),
    Column("sources", JSONB, nullable=False, server_default="[]"),
    Column("source_rows", BigInteger, nullable=False, server_default="0"),
    Column("blank_rows", BigInteger, nullable=False, server_default="0"),
    Column("rejected_rows", BigInteger, nullable=False, server_default="0"),
    Column("staged_rows", BigInteger, nullable=False, server_default="0"),
    Column("published_rows", BigInteger, nullable=False, server_default="0"),
    Column("source_totals", JSONB, nullable=False, server_default="{}"),
    Column("published_totals", JSONB, nullable=False, server_default="{}"),
    Column("warnings", JSONB, nullable=False, server_default="[]"),
    Column("error_code", Text),
    Column("error_message", Text),
    Column("opened_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("ended_at", DateTime(timezone=True)),
    Column("released_by", Text),
    Column("released_at", DateTime(timezone=True)),
    Column("release_reason", Text),
    Column("mode", Text, nullable=False, server_default="replace"),
    Column("corrections", Text, nullable=False, server_default=""),
    Column("target", Text),  # the fact table, as the feed called it; unknown of attempts before version 4
    Column("load_column", Text),
    Column("left_out_rows", JSONB, nullable=False, server_default="{}"),  # reason → rows
    Column(
        "witness", JSONB, nullable=False, server_default="[]"
    ),  # what the owner's number says, then compared
    Column("worked_at", DateTime(timezone=True)),  # a step began, more than an hour after the sign before it
    Column("feed_fingerprint", Text),  # this and what follows is unknown of attempts before version 6
    Column("factload_version", Text),
    Column("published_digest", Text),
    Column("published_columns", JSONB),  # as ``verify.published.PublishedColumn`` has them
    Column("hash_probe", Text),
    Column("verified_at", DateTime(timezone=True)),
    Column("verified_as", Text),
    Column("undoes", Integer),  # the attempt whose rows this one took back
    Column("undone_by", Text),
    Column("undo_reason", Text),
    # dimension → {"updated", "left", "added"}: members that have something else now, those that keep what a newer
    # period says of them, and new versions
    Column("member_counts", JSONB, nullable=False, server_default="{}"),
)

partitions = Table(
    "partitions",
    metadata,
    Column("load_id", Text, ForeignKey(loads.c.load_id), primary_key=True),
    Column("content", Text, primary_key=True),
    Column("partition_id", Text, primary_key=True),
    Column("label", Text, nullable=False),
    Column("sheet", Text, nullable=False),
    Column("first_row", Integer, nullable=False),
    Column("last_row", Integer, nullable=False),
    Column("source_rows", Integer, nullable=False),
    Column("blank_rows", Integer, nullable=False),
    Column("rejected_rows", Integer),
    Column("staged_rows", Integer),
    Column("totals", JSONB),
    Column("staged_from", Text),
    Column("loaded_epoch", Integer),
    Column("workbook", Text, nullable=False, server_default=""),
    Column("weighted", JSONB),
    Column("unknown_rows", JSONB, nullable=False, server_default="{}"),
    Column("created_members", JSONB, nullable=False, server_default="{}"),
    Column("left_out_rows", JSONB, nullable=False, server_default="{}"),
    Column("file_sha256", Text),  # of the partition file that the newest attempt made
    Column("delivered_totals", JSONB, nullable=False, server_default="{}"),
    Column("worker", Text),  # the host that staged its rows; unknown of those before version 7
)

rejects = Table(
    "rejects",
    metadata,
    Column("load_id", Text, ForeignKey(loads.c.load_id), nullable=False),
    Column("content", Text, nullable=False),
    Column("partition_id", Text, nullable=False),
    Column("sheet", Text, nullable=False),
    Column("row", Integer, nullable=False),
    Column("cell", Text),
    Column("column", Text, nullable=False),
    Column("raw", Text),
    Column("reason", Text, nullable=False),
    Column("workbook", Text, nullable=False, server_default=""),
    Column("duplicate_of", Text),
    Index("rejects_by_partition", "load_id", "content", "partition_id", "row"),
    Index("rejects_in_order", "load_id", "content", "workbook", "sheet", "row"),  # a page at a time
)

corrections = Table(
    "corrections",
    metadata,
    Column("load_id", Text, ForeignKey(loads.c.load_id), primary_key=True),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("workbook", Text, primary_key=True),
    Column("sheet", Text, primary_key=True),
    Column("row", Integer, primary_key=True, autoincrement=False),
    Column("workbook_sha256", Text, nullable=False),
    Column("row_sha256", Text, nullable=False),
    Column("cells", Text, nullable=False),  # JSON in ASCII: jsonb holds no NUL, a LATIN1 database no é as é
    Column("corrected_in", Text, nullable=False),
    Column("taken_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

kept = Table(
    "kept",
    metadata,
    Column("load_id", Text, ForeignKey(loads.c.load_id), primary_key=True),
    Column("epoch", Integer, nullable=False),  # the attempt that took these rows out of the fact table
    Column("of_epoch", Integer, nullable=False),  # the attempt that published them
    Column("table_name", Text, nullable=False),  # in the staging schema
    Column("keep_until", DateTime(timezone=True), nullable=False),
)

member_changes = Table(
    "member_changes",
    metadata,
    Column("load_id", Text, ForeignKey(loads.c.load_id), primary_key=True),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("dimension", Text, primary_key=True),
    Column("surrogate", Text, primary_key=True),
    Column("table_name", Text, nullable=False),
    Column("before", JSONB, nullable=False),  # column → value; none of a version that was made
    Column("after", JSONB, nullable=False),
    Column("valid_before", JSONB),  # {"from", "to"}, of a version; so is what follows
    Column("valid_after", JSONB),
)

member_versions = Table(
    "member_versions",
    metadata,
    # The load that the version begins with, or that took the place of one that no load made.
    Column("load_id", Text, ForeignKey(loads.c.load_id), primary_key=True),
    Column("dimension", Text, primary_key=True),
    Column("surrogate", Text, primary_key=True),
    Column("unsaid", Boolean, nullable=False, server_default="false"),  # the load's rows say so no more
    Column("began", Text),  # when the version began whose place was taken
    Index("member_versions_by_member", "dimension", "surrogate"),
)

steps = Table(
    "steps",
    metadata,
    Column("step_run", BigInteger, Identity(always=True), primary_key=True),
    Column("load_id", Text, ForeignKey(loads.c.load_id), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("step", Text, nullable=False),
    Column("item", Text, nullable=False, server_default=""),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("finished_at", DateTime(timezone=True), nullable=False),
    Column("peak_rss_mb", Float, nullable=False),
    Index("steps_by_load", "load_id", "epoch"),
)

# One row: the version of everything above. A change here belongs into ``ledger_migrations`` as well.
schema_version = Table("schema_version", metadata, Column("version", Integer, primary_key=True))
