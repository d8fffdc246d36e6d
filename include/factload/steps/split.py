"""``split_workbook``: the load's sheets, cut into partition files."""

from __future__ import annotations

from collections.abc import Callable

from factload.corrections.partitions import in_place
from factload.dimension.attributes import with_attribute_types
from factload.dimension.table import attribute_tables
from factload.fact.members.attributes import settle_attributes
from factload.fact.table import fact_table
from factload.fact.unique import with_a_value
from factload.feed.model import Feed
from factload.ledger import ledger, partitions
from factload.ledger.corrections import read_corrections
from factload.ledger.opening import require_none_of_old
from factload.load import Load, Split
from factload.runtime.retry import again_after_conflict
from factload.runtime.step import step
from factload.split.all_workbooks import split_sources
from factload.split.fields import sheet_fields
from factload.split.recorded import recorded_files
from factload.split.witness import read_witness
from factload.staging import in_use
from factload.staging.store import place_of
from factload.steps.resume import keep_what_is_whole


@again_after_conflict
def split_workbook(
    load: Load, feed: Feed, *, database: str, progress: Callable[[int], None] | None = None
) -> Split:
    """Read every sheet of the load, window by window, into partition files; ``progress`` is told the rows so far.

    Complete partitions of an earlier attempt at the same content are reused.
    """
    with step(load, feed, "split_workbook", "", database) as connection:
        with connection.begin():
            in_use.at_work(connection, load)
            if ledger.fence(connection, load, *ledger.UNFINISHED, "published") == "published":
                return Split(recorded_files(connection, load), ())
            require_none_of_old(load.load_id, load.sources)
            corrections = read_corrections(connection, load.load_id, load.epoch)
            asked = with_a_value(feed, fact_table(connection, feed))
            asked = with_attribute_types(asked, attribute_tables(connection, feed))
        fields, csv = sheet_fields(asked), feed.workbook.csv_dialect
        split = split_sources(
            load.sources,
            sheet=feed.workbook.sheet,
            csv=csv,
            cells=feed.cells,
            fields=fields,
            place=place_of(load),
            rows_per_partition=feed.rows_per_partition,
            progress=progress,
        )
        split = in_place(
            split,
            load.sources,
            corrections,
            fields=fields,
            csv=csv,
            cells=feed.workbook.cells,
            place=place_of(load),
        )
        split = settle_attributes(split, asked, place_of(load))
        witness = read_witness(feed, load.period_date, load.sources, split)
        with connection.begin():
            partitions.record_split(connection, load, split, witness)
            keep_what_is_whole(connection, load, feed)
        return split
