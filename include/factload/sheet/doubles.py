"""What Excel shows for a number that the file holds with all digits of a double.

Excel shows 15 significant digits, and writes 17: ``1.1000000000000001`` for 1.1, ``11.000000000000002`` for what
``=1.1*10`` comes to. Other programs write the shortest text that reads as the same double. Both are told from exact
decimals by what a double's own text would be; Excel's seventeenth digit is now and then the next one.
"""

from __future__ import annotations

import math
from decimal import Decimal

DIGITS = 15
_WRITTEN = 17  # digits of a double in Excel's files
_OFF = Decimal("1.5")  # half of the last digit for the rounding, and one for Excel's
_NOISE = 4  # doubles between the value that is meant and the one that a few sums and products came to
TOO_LONG = 10**DIGITS
_EVERY_WHOLE = 2**53  # up to here every whole number is a double


def significant_digits(number: Decimal) -> int:
    """How many digits the number has between its first and its last that is not zero."""
    return len("".join(map(str, number.as_tuple().digits)).strip("0")) or 1


def as_excel_shows(number: Decimal) -> Decimal:
    """A fraction that was written as a double, to 15 significant digits; every other number unchanged."""
    if significant_digits(number) <= DIGITS or _is_whole(number) or not _is_a_doubles(number):
        return number
    return Decimal(f"{float(number):.{DIGITS}g}")


def without_noise(number: Decimal, scale: int) -> Decimal:
    """The number that an exact column of ``scale`` takes, before it is rounded.

    It is what Excel shows, if nothing is lost by it: if the digits beyond the fifteenth are no more than the noise of
    a double, and the text is Excel's own or its noise would decide to which side a half is rounded.
    """
    shown = as_excel_shows(number)
    if shown == number or not _is_noise(number, shown):
        return number
    excels_own = number == Decimal(f"{float(number):.17g}")
    return shown if excels_own or abs(shown.scaleb(scale) % 1) == Decimal("0.5") else number


def is_too_long_a_key(number: Decimal) -> bool:
    """Whether digits of the key may be lost: Excel keeps 15 and replaces further typed digits by zeros."""
    shown = as_excel_shows(number)
    if abs(shown) >= TOO_LONG or significant_digits(shown) > DIGITS:
        return True
    return shown != number and not _is_noise(number, shown)


def may_be_cut(number: Decimal) -> bool:
    """Whether this whole number may be what Excel, or a double, has left of another one.

    Of ``1234567890123456``, typed, Excel keeps ``1234567890123450``; beyond 2^53 a double has no room for each whole
    number, and is written with 17 digits. What has more digits than that was written by a program that keeps them all.
    """
    if abs(number) < TOO_LONG or not _is_whole(number):
        return False
    return significant_digits(number) <= (_WRITTEN if abs(number) > _EVERY_WHOLE else DIGITS)


def shown_text(raw: str, *, certain: bool) -> str | None:
    """``as_excel_shows`` of a fraction as text, at once; None where only its digits can tell.

    ``certain``: where nothing is lost by it, as of a key.
    """
    try:
        double = float(raw)
    except ValueError:
        return None
    # Comparing costs more than all the rest; Excel's own text comes first.
    if "." not in raw or (raw != f"{double:.17g}" and raw != repr(double)):
        return None
    shown = f"{double:.{DIGITS}g}"
    if "e" in shown or (certain and abs(double - float(shown)) > _NOISE * math.ulp(double)):
        return None
    return shown


def _is_whole(number: Decimal) -> bool:
    return number == number.to_integral_value()


def _is_a_doubles(number: Decimal) -> bool:
    """Whether programs write a double this way: with 17 digits, or the shortest text that identifies it."""
    if significant_digits(number) > _WRITTEN:
        return False
    double = float(number)
    last_digit = Decimal(1).scaleb(number.adjusted() - (_WRITTEN - 1))
    return abs(number - Decimal(double)) <= _OFF * last_digit or number == Decimal(repr(double))


def _is_noise(number: Decimal, shown: Decimal) -> bool:
    double = float(number)
    return abs(double - float(shown)) <= _NOISE * math.ulp(double)
