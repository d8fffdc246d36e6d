"""The columns that a rejects workbook adds to the sheet's own, and what they prove of a row that comes back.

``IDENTITY`` says which row of the load a row stands for; ``PROOF`` that it was this load, this delivery of the
workbook, and what the whole row held when it was written. Nothing here imports openpyxl: steps of a load do without.
"""

from __future__ import annotations

import hashlib
import json

from factload.corrections.shown_cells import FORM
from factload.ledger.corrections import sha256_of_row
from factload.sheet.rows import Row

IDENTITY = ("factload workbook", "factload sheet", "factload row")
SAID = ("factload reason", "what it means")
PROOF = ("factload load", "factload delivery", "factload digest")
ADDED = (*IDENTITY, *SAID, *PROOF)


def proof_of(load_id: str, workbook: str, workbook_sha256: str, sheet: str, row: Row) -> str:
    """The digest of a row as it is written: 32 hex digits."""
    parts = (FORM, load_id, workbook, workbook_sha256, sheet, row.number, sha256_of_row(row))
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
