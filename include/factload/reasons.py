"""The reasons for rejects: codes, which never change their meaning, and their explanations."""

from __future__ import annotations

from collections.abc import Mapping

from factload.rules import RULES

# Found in a cell, by the reader.
CELLS: Mapping[str, str] = {
    "ragged_row": "The row has more or fewer fields than the header",
    "blank_key": "The key is blank",
    "key_too_long_number": "The key is a number of more than 15 digits, and Excel keeps no more: deliver it as text",
    "blank_value": "The column is required and the cell is blank",
    "not_a_number": "The cell doesn't hold a number",
    "signed_twice": "The number has a sign of its own, and the column beside it says another or the same",
    "unknown_sign": "The column of the number's sign holds none of the words that the feed's `negative` names",
    "number_out_of_range": "The number is too big for the column",
    "number_may_be_cut": "Excel may have cut the last digits of the whole number, beyond 15: deliver it as text",
    "not_an_integer": "The number has a fraction, the column holds whole numbers",
    "not_a_date": "The cell doesn't hold a date that exists, or has a time of day where the column has none, or isn't "
    "the first day of a month where its format is one of months",
    "nonexistent_time": "The clocks of the column's time zone never showed this time: they were put forward over it",
    "ambiguous_time": "The clocks of the column's time zone showed this time twice, as they were put back: deliver it "
    "with its offset",
    "not_a_boolean": "The cell doesn't hold TRUE or FALSE",
    "unstorable_text": "The text holds a character that the database can't store: NUL, a half of a character, or one "
    "that its encoding lacks",
    "text_too_long": "The text is longer than the column allows",
    "error_cell": "The cell shows an error",
    "formula_without_value": "The cell holds a formula whose value was never saved: open and save it in Excel",
    "stale_formula": "The cell holds a formula, and the workbook says that its saved values are out of date: open "
    "and save it in Excel",
    "merged_cell": "The cell is merged with others, and the value stands in the first of them: the feed's "
    "`workbook.merged` says whether it counts here too",
    "rich_value": "The cell holds a linked data type, an image, or an error such as #SPILL!, which only Excel "
    "can show: put a text or a number in its place",
    "ambiguous_cell": "The cell is written in a way that programs read differently: open and save it in Excel",
    **{rule.reason.code: rule.reason.words for rule in RULES},
    "not_exact": "The fact table's column would round the value",
}

# Found among the members of a dimension, by the lookup.
KEYS: Mapping[str, str] = {
    "unmatched_key": "No member of the dimension has this key",
    "no_surrogate_key": "The member with this key has no surrogate key in the dimension",
    "no_member_on_date": "Members of the dimension have this key, but none is valid on the row's date",
    "attributes_disagree": "Rows of the load say different things of the same member: see the feed's `disagree`",
    "key_does_not_fit": "The key can't be stored in the dimension, so no member could be made for it",
}

# Found among the staged rows of a load, before it is reconciled.
LOADS: Mapping[str, str] = {
    "duplicate_value": "An earlier row of the load has the same value, and the feed says that it is unique",
    "duplicate_key": "An earlier row of the load has the same key, and the feed upserts by it",
    "not_unique": "An earlier row of the load has the same values, and the fact table allows them once",
}

REASONS: Mapping[str, str] = {**CELLS, **KEYS, **LOADS}
