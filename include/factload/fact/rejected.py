"""Rows of a partition file as rejects, at the cells of the columns that are to blame."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from factload.sheet.reject import NOTED, reject_table
from factload.split.places import header_of, letter_of
from factload.vectors import Flags, flags


def rejected(rows: pa.Table, fields: Sequence[str], reason: str | pa.Array) -> pa.Table:
    """These rows of a partition file in ``sheet.reject.REJECT_SCHEMA``. ``fields``: what is read from the columns to
    blame; the cell is the first one's."""
    return reject_table(
        rows["row"].combine_chunks(),
        column=header_of(rows, fields),
        reason=reason,
        letter=letter_of(rows, fields[0]),
        raw=_shown(rows, fields),
    )


def with_rejects(rows: pa.Table, which: Flags, fields: Sequence[str], reason: str) -> pa.Table:
    """All rows of a partition file, of which ``which`` are rejects from here on, as if its reader had noted them."""
    found = rejected(rows.filter(flags(which)), fields, reason)
    for name in NOTED:
        column = pc.replace_with_mask(rows[name].combine_chunks(), flags(which), found[name].combine_chunks())
        rows = rows.set_column(rows.schema.get_field_index(name), rows.schema.field(name), column)
    return rows


def _shown(rows: pa.Table, fields: Sequence[str]) -> pa.Array:
    """What each row has in these fields, one after another; of one field null where it is blank."""
    texts = [pc.cast(rows[field].combine_chunks(), pa.string()) for field in fields]
    if len(texts) == 1:
        return texts[0]
    return pc.binary_join_element_wise(*texts, ", ", null_handling="replace", null_replacement="")
