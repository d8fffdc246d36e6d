"""Names of columns that are periods: months, quarters, weeks, years, as English, German and French sheets have them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

from factload.sheet.block import Column, Kind
from factload.sheet.text_format import TextFormat
from factload.sheet.text_values import read_text
from factload.sql_types import SqlType
from factload.vectors import texts

PeriodKind = Literal["day", "week", "month", "quarter", "year"]

FINEST_FIRST: tuple[PeriodKind, ...] = ("day", "week", "month", "quarter", "year")
_LANGUAGES = tuple(
    tuple(names.split())
    for names in (
        "january february march april may june july august september october november december",
        "jan feb mar apr may jun jul aug sep oct nov dec",
        "jan feb mar apr may june july aug sept oct nov dec",
        "januar februar märz april mai juni juli august september oktober november dezember",
        "jänner februar märz april mai juni juli august september oktober november dezember",
        "jan feb mär apr mai jun jul aug sep okt nov dez",
        "jan feb mrz apr mai jun jul aug sep okt nov dez",
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "janv févr mars avr mai juin juil août sept oct nov déc",
    )
)
_MONTHS = {name: number for names in _LANGUAGES for number, name in enumerate(names, 1)}
_A_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_YEAR = "(?:19|20)[0-9]{2}"
_THIS_YEAR = rf"(?:[ ./_-]?(?P<year>{_YEAR}|'?[0-9]{{2}}))?"  # behind a period's own name, perhaps
_NUMBER = "(?P<number>0?[1-9]|1[0-2])"
_WRITTEN: tuple[tuple[PeriodKind, str], ...] = (
    ("month", rf"(?P<month>{_A_MONTH})\.?{_THIS_YEAR}"),
    ("month", rf"(?P<year>{_YEAR})[-/._]?(?P<number>0[1-9]|1[0-2])"),
    ("month", rf"(?P<year>{_YEAR})-(?P<number>0[1-9]|1[0-2])-01"),  # a cell with a date
    ("month", rf"{_NUMBER}[-/.](?P<year>{_YEAR})"),
    ("month", rf"(?:m|month |monat |mois ){_NUMBER}"),
    ("quarter", rf"(?:q|qtr |quarter |quartal )(?P<number>[1-4]){_THIS_YEAR}"),
    ("quarter", rf"(?P<year>{_YEAR})[ -]?q(?P<number>[1-4])"),
    ("quarter", rf"(?P<number>[1-4])q{_THIS_YEAR}"),
    ("week", r"(?:w|wk|kw|cw|week|woche) ?(?P<number>0?[1-9]|[1-4][0-9]|5[0-3])"),
    ("week", rf"(?P<year>{_YEAR})-?w(?P<number>0[1-9]|[1-4][0-9]|5[0-3])"),
    ("year", rf"(?:fy ?)?(?P<year>{_YEAR})"),
    ("year", r"fy ?(?P<year>[0-9]{2})"),
    ("year", rf"(?P<year>{_YEAR}) \[yr(?P=year)\]"),
)
_SHAPES = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _WRITTEN)
_SUM = re.compile(
    r"(?:(?:grand|row|full|whole) )?(?:totals?|sum|summe|gesamt|gesamtjahr|jahressumme|somme|ytd|year to date|fy|year|"
    r"jahr|année|annual|\u00f8|avg|average|mean|durchschnitt|mittelwert|moyenne)(?: (?:19|20)?[0-9]{2})?",
    re.IGNORECASE,
)
_FORMATS = (
    *(f"{month}{mark}{year}" for month in ("%b", "%B") for mark in (" ", "-", "", " '", "'", "/", ".", ". ", "_")
      for year in ("%y", "%Y")),
    *(f"%Y{mark}%m" for mark in ("-", "/", ".", "_", "")),
    *(f"%m{mark}%Y" for mark in ("/", "-", ".")),
)  # fmt: skip
_A_SIGN = re.compile(r"[^\w\s'/-]")


@dataclass(frozen=True, slots=True)
class PeriodName:
    """A column's name as a period. ``told``: which it is, of its kind; ``dated``: it names a year, so that sheets of
    other years have others."""

    kind: PeriodKind
    told: tuple[str, int]
    dated: bool
    month: str = ""

    def form(self, name: str, *, padded: bool) -> str:
        """What names look like (RE2) that are spelt as ``name`` is: with its marks, and digits where it has digits."""
        before, month, after = name.partition(self.month) if self.month else (name, "", "")
        # After week 9 comes week 10, and no quarter after the fourth.
        fewest = 1 if self.kind in ("quarter", "year") else 2
        parts = (_of_digits(text, padded, fewest) for text in (before, after))
        return (_MONTH if month else "").join(parts)


_MONTH = "\x00"  # in a form, until it is known how the months are spelt


def period_named(name: str) -> PeriodName | None:
    """The period that a column's name is; None where it is another name."""
    for kind, shape in _SHAPES:
        if match := shape.fullmatch(name):
            parts = match.groupdict()
            month, year = parts.get("month") or "", parts.get("year") or ""
            number = _MONTHS[month.lower()] if month else int(parts.get("number") or 0)
            return PeriodName(kind, (year, number), bool(year), month)
    return None


def periods_named(names: Sequence[str]) -> dict[str, PeriodName]:
    """The names that are periods. Dates are days, unless all of them are first days of months."""
    found = {name: period for name in names if (period := period_named(name))}
    days = {name: period for name in names if (period := day_named(name))}
    return found | days if any(name not in found for name in days) else found


def day_named(name: str) -> PeriodName | None:
    """The day that a column's name is, as a cell with a date shows it; None where it is none."""
    try:
        day = date.fromisoformat(name) if len(name) == len("2026-01-01") else None
    except ValueError:
        day = None
    return PeriodName("day", (name, day.toordinal()), dated=True) if day else None


def is_sum_of_periods(name: str) -> bool:
    """Whether a column is called like the sum or the mean of periods beside it: Total, YTD, FY 2026, Ø."""
    return _SUM.fullmatch(name.strip(" .:")) is not None


def pattern_of(names: Sequence[str]) -> str | None:
    """A regular expression (RE2) for names spelt as these periods are, of other years and months too; None where they
    are not all spelt in one way."""
    named = periods_named(names)
    periods = [(name, named[name]) for name in names if name in named]
    if len(periods) < len(names):
        return None
    exact, loose = ({p.form(name, padded=padded) for name, p in periods} for padded in (True, False))
    if len(loose) != 1:
        return None
    [form] = exact if len(exact) == 1 else loose
    months = [period.month for _, period in periods]
    return form if _MONTH not in form else _with_months(form, months)


def is_whole_year(names: Sequence[str]) -> bool:
    """Whether these are all the months or quarters of a year, and say of none which."""
    periods = [period for name in names if (period := period_named(name))]
    numbers = [period.told[1] for period in periods]
    of_a_year = {"month": 12, "quarter": 4}.get(periods[0].kind, 0) if periods else 0
    whole = list(range(1, of_a_year + 1))
    return bool(whole) and not any(p.dated for p in periods) and sorted(numbers) == whole


def month_format(names: Sequence[str]) -> str | None:
    """The one format of a feed in which all of these names are months of a year; None where there is none such."""
    fitting = [form for form in _FORMATS if _are_months(names, form)]
    fitting = [
        form for form in fitting if form.replace("%B", "%b") not in fitting or "%B" not in form
    ]  # May is both
    return fitting[0] if len(fitting) == 1 else None


def _are_months(names: Sequence[str], form: str) -> bool:
    months = read_text(
        Column(np.full(len(names), Kind.TEXT, np.uint8), texts(names)), SqlType("date"), TextFormat(date=form)
    )
    if not (months.kind == Kind.ISO_DATE).all():
        return False
    found = {tuple(day.split("-")[:2]) for day in months.text.to_pylist()}
    years, of_year = {year for year, _ in found}, {month for _, month in found}
    # Jan 1, Jan 2, Jan 3 are days.
    return all("01" <= month <= "12" for month in of_year) and (
        "%y" not in form or len(years) <= len(of_year)
    )


def _with_months(form: str, months: Sequence[str]) -> str | None:
    for spelt in (str.title, str.lower, str.upper):
        for language in _LANGUAGES:
            known = [spelt(name) for name in language]
            if set(months) <= set(known):
                return form.replace(_MONTH, f"(?:{'|'.join(known)})")
    return None


def _of_digits(text: str, padded: bool, alone: int) -> str:
    """The text as a pattern, with any digits for its digits: as many, or one or two for two unless ``padded``. A digit
    that stands by itself is one of up to ``alone``."""
    found = []
    for part in re.split("([0-9]+)", text):
        if part.isdigit():
            loose = len(part) < 3 and (not padded or len(part) < alone)
            count = "{1,2}" if loose else f"{{{len(part)}}}" if len(part) > 1 else ""
            found.append(f"[0-9]{count}")
        else:
            found.append(_A_SIGN.sub(r"\\\g<0>", part))
    return "".join(found)
