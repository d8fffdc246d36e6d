"""Arithmetic on amounts that keeps every digit: Python's own operators round to 28 of them."""

from __future__ import annotations

from decimal import Context

# As many digits as a number of PostgreSQL may have (131,072 before the point and 16,383 behind it), and sums of them.
EXACT = Context(prec=150_000)
