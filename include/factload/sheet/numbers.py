"""Numbers by their digits: never through a float where the column is exact. ``doubles`` has the rules for noise."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation, Overflow
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from factload.sheet.doubles import without_noise
from factload.sql_types import SqlType
from factload.vectors import Flags, as_flags, characters, fixed, flags, masked, matches, texts

Codes = npt.NDArray[np.uint8]

_COMMON = r"\A-?[0-9]{1,18}(?:\.[0-9]{1,18})?\z"  # fits the working type below with room to round
_WORK = pa.decimal128(38, 18)
_REGULAR = r"\A-?[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]{1,3})?\z"
_SHORT = 16  # characters that Excel's 15 digits and a point fit in
_NOISE = 2.0**-49  # more than twice what ``without_noise`` takes away, as a part of the number
_LEXICAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_LEXICAL_MAX = 400  # digits and exponent of any double fit in far fewer characters
_EXACT = Context(prec=2000, rounding=ROUND_HALF_EVEN)
_MAX_EXPONENT = 400  # beyond every double: 1.8E308, 4.9E-324


def parse_decimal(text: str) -> Decimal | None:
    """The number that the digits say, exactly; None when they are no number, or one no cell can hold."""
    if len(text) > _LEXICAL_MAX or not _LEXICAL.fullmatch(text):
        return None
    try:
        number = _EXACT.create_decimal(text)
    except (InvalidOperation, Overflow):  # an exponent beyond any integer
        return None
    if not number.is_finite() or abs(number.adjusted()) > _MAX_EXPONENT:
        return None
    return number


def plain_text(number: Decimal) -> str:
    """Digits without an exponent, without a trailing fraction of zeros: ``123`` for 123.0, ``1.5``, ``0``."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def rewritten(text: pa.Array[Any], which: Flags, change: Callable[[Decimal], Decimal]) -> pa.Array[Any]:
    """The texts, those of ``which`` that have more digits than Excel shows changed: each distinct one once."""
    long = which & (fixed(pc.binary_length(text), np.int32) > _SHORT)
    if not long.any():
        return text
    encoded = text.filter(flags(long)).dictionary_encode()
    numbers = ((raw, parse_decimal(raw)) for raw in encoded.dictionary.to_pylist())
    changed = texts(raw if number is None else str(change(number)) for raw, number in numbers)
    return pc.replace_with_mask(text, flags(long), changed.take(encoded.indices))


def to_numeric(
    text: pa.Array[Any], declared: SqlType, bad: int, out_of_range: int, typed: Flags
) -> tuple[pa.Array[Any], Codes]:
    """Texts (null where there is none) as decimals of the declared scale, rounded half to even.

    ``typed``: those that stand in a cell as numbers, perhaps with the noise of a double. The second array has, for
    each, 0 or the code ``bad`` (no number) or ``out_of_range``; those are null.
    """
    values, settled = _by_doubles(text, declared)
    open_ = as_flags(text.is_valid()) & ~settled
    codes = np.zeros(len(text), np.uint8)
    if open_.any():
        left = text.filter(flags(open_))
        left = rewritten(
            left,
            typed[open_] & _near_tie(left, declared),
            lambda number: without_noise(number, declared.scale),
        )
        exact, codes[open_] = _by_digits(left, declared, bad, out_of_range)
        values = pc.replace_with_mask(values, flags(open_), exact)
    return values, codes


def _near_tie(text: pa.Array[Any], declared: SqlType) -> Flags:
    """Which texts the noise of a double may bring to another value of the declared scale; or can't be judged."""
    regular = matches(text, _REGULAR)
    doubles = fixed(_only(text, regular).cast(pa.float64()), np.float64)
    with np.errstate(all="ignore"):
        scaled = np.abs(np.where(regular, doubles, 0.0)) * 10.0**declared.scale
        far: Flags = np.abs(scaled - np.floor(scaled) - 0.5) > scaled * _NOISE
    return ~(far & regular)


def _by_doubles(text: pa.Array[Any], declared: SqlType) -> tuple[pa.Array[Any], Flags]:
    """Decimals by way of doubles, and which of them are certain; the others are null.

    A double and its product with a power of ten are each off by at most one part in 2^53, and what ``without_noise``
    takes away is at most five in 2^52. Below 2^43 that is less than 0.011, so whatever isn't that near to a tie
    rounds as its digits do.
    """
    unsettled = np.zeros(len(text), np.bool_)
    target = pa.decimal128(declared.precision, declared.scale)
    if declared.scale > 15:
        return pa.nulls(len(text), target), unsettled
    try:
        numbers = text.cast(pa.float64())
    except pa.ArrowInvalid:  # one at least is no number
        return pa.nulls(len(text), target), unsettled
    doubles = fixed(numbers, np.float64)
    with np.errstate(all="ignore"):  # infinities and the like are not settled
        scaled = doubles * 10.0**declared.scale
        from_tie = np.abs(np.abs(scaled - np.trunc(scaled)) - 0.5)
        certain = (np.abs(scaled) < min(2.0**43, 10.0**declared.precision - 1)) & (from_tie > 0.0125)
        settled: Flags = certain & as_flags(numbers.is_valid())
        pairs = np.zeros((len(text), 2), np.int64)  # a decimal128 is 16 bytes, the lower half first
        pairs[:, 0] = np.where(settled, np.rint(scaled), 0)
        pairs[:, 1] = pairs[:, 0] >> 63
    return masked(pairs, target, settled), settled


def _by_digits(
    text: pa.Array[Any], declared: SqlType, bad: int, out_of_range: int
) -> tuple[pa.Array[Any], Codes]:
    target = pa.decimal128(declared.precision, declared.scale)
    bound = Decimal(10) ** (declared.precision - declared.scale)

    def one(raw: str) -> tuple[Decimal | None, int]:
        number = parse_decimal(raw)
        if number is None:
            return None, bad
        rounded = number.quantize(Decimal(1).scaleb(-declared.scale), context=_EXACT)
        return (rounded, 0) if abs(rounded) < bound else (None, out_of_range)

    if declared.scale > 17 or not 0 < declared.precision - declared.scale <= 18:
        return _by_one(text, target, one)
    common = matches(text, _COMMON)
    rounded = pc.round(_only(text, common).cast(_WORK), declared.scale, round_mode="half_to_even")
    codes = np.zeros(len(text), np.uint8)
    try:
        values = rounded.cast(target)
    except pa.ArrowInvalid:  # one at least doesn't fit
        fits = as_flags(pc.less(pc.abs(rounded), pa.scalar(bound, _wide(bound))))
        codes[common & ~fits] = out_of_range
        values = _only(rounded, fits).cast(target)
    return _patch(values, codes, text, ~common, target, one)


def to_integer(
    text: pa.Array[Any], declared: SqlType, bad: int, not_whole: int, out_of_range: int
) -> tuple[pa.Array[Any], Codes]:
    """Texts as int64 within the declared width; a number with a fraction has the code ``not_whole``."""
    high = 1 << (declared.bits - 1)

    def one(raw: str) -> tuple[int | None, int]:
        number = parse_decimal(raw)
        if number is None:
            return None, bad
        if number != number.to_integral_value():
            return None, not_whole
        return (int(number), 0) if -high <= number < high else (None, out_of_range)

    try:
        values, common = _decimal_integers(text), np.ones(len(text), np.bool_)
    except pa.ArrowInvalid:  # one at least is written otherwise
        common = matches(text, r"\A-?[0-9]{1,18}\z")
        values = _only(text, common).cast(pa.int64())
    codes = np.zeros(len(text), np.uint8)
    if declared.bits < 64:
        beyond = as_flags(pc.or_(pc.greater(values, high - 1), pc.less(values, -high)))
        codes[beyond] = out_of_range
        values = _only(values, ~beyond)
    return _patch(values, codes, text, ~common, pa.int64(), one)


def _decimal_integers(text: pa.Array[Any]) -> pa.Array[Any]:
    """Texts as int64. Raises ArrowInvalid when one is no integer; Arrow alone would take ``0x1F`` for one."""
    held = characters(text)
    if b"x" in held or b"X" in held:
        raise pa.ArrowInvalid("perhaps hexadecimal")
    return text.cast(pa.int64())


def to_double(text: pa.Array[Any], bad: int, out_of_range: int) -> tuple[pa.Array[Any], Codes]:
    """Texts as the nearest doubles."""

    def one(raw: str) -> tuple[float | None, int]:
        number = parse_decimal(raw)
        if number is None:
            return None, bad
        return (
            (float(number), 0) if abs(number) < Decimal("1.797693134862315808E308") else (None, out_of_range)
        )

    common = matches(text, r"\A-?[0-9]{1,30}(?:\.[0-9]{1,30})?\z")
    values = _only(text, common).cast(pa.float64())
    return _patch(values, np.zeros(len(text), np.uint8), text, ~common, pa.float64(), one)


def _wide(bound: Decimal) -> pa.DataType:
    return pa.decimal128(len(bound.as_tuple().digits) + int(bound.as_tuple().exponent), 0)


def _only(values: pa.Array[Any], which: Flags) -> pa.Array[Any]:
    """The values, null where not ``which``."""
    return values if which.all() else pc.if_else(flags(which), values, pa.nulls(1, values.type)[0])


def _by_one(
    text: pa.Array[Any], target: pa.DataType, one: Callable[[str], tuple[Any, int]]
) -> tuple[pa.Array[Any], Codes]:
    nothing = pa.nulls(len(text), target)
    return _patch(nothing, np.zeros(len(text), np.uint8), text, np.ones(len(text), np.bool_), target, one)


def _patch(
    values: pa.Array[Any],
    codes: Codes,
    text: pa.Array[Any],
    which: Flags,
    target: pa.DataType,
    one: Callable[[str], tuple[Any, int]],
) -> tuple[pa.Array[Any], Codes]:
    """``values`` with those of ``which`` converted one by one: the few that are written in an uncommon way."""
    which = which & as_flags(text.is_valid())
    if which.any():
        results = [one(raw) for raw in text.filter(flags(which)).to_pylist()]
        codes[which] = [code for _, code in results]
        values = pc.replace_with_mask(values, flags(which), pa.array([v for v, _ in results], target))
    return values, codes
