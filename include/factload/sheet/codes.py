"""A reason's number in the arrays of one block."""

from __future__ import annotations

from factload.reasons import CELLS

# The number of each reason, and back; 0 is no reason. No file and no other process gets one.
CODES = {reason: code for code, reason in enumerate(CELLS, start=1)}
REASON_OF = {code: reason for reason, code in CODES.items()}
