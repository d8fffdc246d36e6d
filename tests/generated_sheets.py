"""Sheets that hypothesis makes: the same cells written plainly (the fast reader's) and oddly (the exact reader's)."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from datetime import datetime
from html import escape
from types import MappingProxyType
from typing import Any

from hypothesis import strategies as st

from tests import expected, sheetxml

FIELDS = [
    expected.field("k", "text", key=True),
    expected.field("m", "numeric(12,3)", required=True),
    expected.field("t", "varchar(12)"),
    expected.field("w", "timestamp"),
    expected.field("d", "date"),
    expected.field("b", "boolean"),
    expected.field("n", "integer"),
    expected.field("x", "double precision"),
    expected.field("g", "bigint"),
    expected.field("s", "numeric(30,6)", serials=True),
    expected.field("y", "date", serials=True),
    expected.field("z", "text", required=True),
]
NAMES = [one.column for one in FIELDS]
PLACED = list(range(1, len(FIELDS) + 1))
SHARED = ["alpha", " spaced ", "", "R&D", "x_x0041_y", "00123", "日本", "_x005F_x0041_", "line\nfeed"]

texts = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="￾￿"), max_size=8
)
odd_texts = st.sampled_from(
    [
        "007",
        " both ",
        "tab\there",
        "_x000D_",
        "_xD83D__xDE00_",
        "_xDE00__xD83D_",
        "a_x0000_b",
        "_xFFFE_",
        "_x00",
        "&amp;",
        "a>b",
        "  ",
        "\u00a0\u200b",
        "#N/A",
    ]
)
integers = st.integers(-(10**12), 10**12).map(str)
decimals = st.decimals(-(10**8), 10**8, places=5).map(lambda d: f"{d:f}")
floats = st.floats(allow_nan=False, allow_infinity=False, width=64).map(repr)
ties = st.integers(-99999, 99999).map(lambda n: f"{n}.0005")
serials = st.one_of(st.integers(0, 70), st.integers(40_000, 60_000)).map(str)
moments = st.integers(0, 86_399_999).map(lambda ms: repr(45_000 + ms / 86_400_000))
times = st.floats(0, 3).map(repr)
# As Excel writes what was typed, and what a calculation missed by a hair; whole numbers beyond what a double holds.
doubles = st.builds(
    lambda number, steps: f"{float(number) + steps * math.ulp(float(number)):.17g}",
    decimals,
    st.integers(-6, 6),
)
long_numbers = st.one_of(
    st.integers(-(2**63), 2**63).map(str),
    st.integers(10**14, 10**16).map(lambda n: str(n * 10)),
    st.integers(2**53, 2**63).map(lambda n: f"{float(n):.16E}"),
    st.decimals(-(10**12), 10**12, places=7).map(lambda d: f"{d:f}"),
)
numbers = st.one_of(
    *(integers, decimals, floats, ties, serials, moments, times, doubles, long_numbers),
    st.sampled_from(["0", "-0", "1E5", "60", "1e-7", "45292.9999999", "45292.999994", "45292.000005"]),
)
fractions = st.text("0123456789", min_size=1, max_size=20).map(lambda digits: f".{digits}")
dates = st.one_of(
    st.datetimes(datetime(1000, 1, 1)).map(lambda d: d.replace(microsecond=0).isoformat()),
    st.builds(
        lambda d, fraction: f"{d.replace(microsecond=0).isoformat()}{fraction}",
        st.datetimes(datetime(1899, 12, 30), datetime(1900, 4, 1)),
        fractions,
    ),
    st.sampled_from(
        ["12:00:00.000", "PT12H20M0.000S", "23:59:59.9999999", "PT30H", "1899-12-31", "1900-02-28"]
    ),
)

cells = st.one_of(
    st.tuples(st.just("number"), numbers, st.integers(0, 5)),
    st.tuples(st.just("inline"), texts | odd_texts, st.booleans()),
    st.tuples(st.just("str"), texts | odd_texts, st.booleans()),
    st.tuples(st.just("shared"), st.integers(0, len(SHARED) - 1), st.integers(0, 1)),
    st.tuples(st.just("boolean"), st.sampled_from("01"), st.none()),
    st.tuples(st.just("error"), st.sampled_from(["#DIV/0!", "#N/A", "#REF!"]), st.none()),
    st.tuples(st.just("iso"), dates, st.none()),
    st.tuples(st.just("formula"), st.sampled_from(["", "<v></v>", "<v/>"]), st.none()),
    st.tuples(st.just("computed"), numbers, st.integers(0, 5)),
    st.tuples(st.just("empty"), st.integers(0, 3), st.none()),
    st.tuples(st.just("wrong"), texts | odd_texts, st.sampled_from(["str", "n", "b"])),
    st.tuples(st.just("picture"), st.just("#VALUE!"), st.none()),
    st.tuples(st.just("rich"), st.lists(texts, min_size=1, max_size=3), st.none()),
)
sheet_rows = st.lists(
    st.tuples(
        st.integers(0, 3), st.dictionaries(st.integers(1, len(FIELDS) + 2), cells, max_size=len(FIELDS))
    ),
    max_size=25,
)


def written(kind: str, value: Any, option: object, reference: str) -> str:
    """A cell in the plain way of its kind."""
    keep = ' xml:space="preserve"' if option is True else ""
    style = f' s="{option}"' if isinstance(option, int) and option and option is not True else ""
    if kind == "rich":
        runs = "".join(f"<r><rPr><b/></rPr><t>{escape(str(run))}</t></r>" for run in value)
        return f'<c{reference} t="inlineStr"><is>{runs}<rPh sb="0" eb="1"><t>no</t></rPh></is></c>'
    body = escape(str(value), quote=False)
    return {
        "number": f"<c{reference}{style}><v>{body}</v></c>",
        "inline": f'<c{reference} t="inlineStr"><is><t{keep}>{body}</t></is></c>',
        "str": f'<c{reference} t="str"><f>A1&amp;""</f><v{keep}>{body}</v></c>',
        "shared": f'<c{reference}{style} t="s"><v>{body}</v></c>',
        "boolean": f'<c{reference} t="b"><v>{body}</v></c>',
        "error": f'<c{reference} t="e"><v>{body}</v></c>',
        "iso": f'<c{reference} t="d"><v>{body}</v></c>',
        "wrong": f'<c{reference} t="{option}"><is><t>{body}</t></is></c>',
        "picture": f'<c{reference} t="e" vm="1"><v>{body}</v></c>',
        "formula": f"<c{reference}><f>SUM(A1:A2)</f>{value}</c>",
        "computed": f'<c{reference}{style}><f t="shared" si="0"/><v>{body}</v></c>',
        "empty": f'<c{reference} s="{body}"/>',
    }[kind]


def oddly(cell: str, chance: random.Random) -> str:
    """The same cell in another legal way."""
    way = chance.randrange(6)
    if way == 0:
        return cell.replace("<v>", "<!-- a comment --><v>")
    if way == 1:
        return cell.replace('"', "'")
    if way == 2 and "<t>" in cell and "&" not in cell:
        return cell.replace("<t>", "<t><![CDATA[").replace("</t>", "]]></t>")
    if way == 3:
        return cell.replace("<c ", "<c  ").replace("/>", " />")
    if way == 4:
        return cell.replace("</c>", "\n</c>")
    return cell


def sheet_xml(
    rows: list,  # type: ignore[type-arg]
    dialect: str,
    oddness: float,
    seed: int,
    titles: int = 0,
    above: Mapping[int, str] = MappingProxyType({}),
) -> str:
    """The rows below their header, which has so many ``titles`` above it; ``above``: what the row right above it has,
    by column."""
    chance = random.Random(seed)  # noqa: S311
    out = [sheetxml.text_row(number, ["a title"]) for number in range(1, titles + 1)]
    if above:
        out[-1] = sheetxml.text_row(titles, [above.get(at, "") for at in range(1, max(above) + 1)])
    number = titles + 1
    out.append(sheetxml.text_row(number, NAMES))
    for gap, row in rows:
        number += 1 + (0 if dialect == "no r" else gap)
        odd = chance.random() < oddness
        parts = []
        following = 1
        for column, (kind, value, option) in sorted(row.items()):
            letter = chr(64 + column)
            if dialect == "no r":
                parts += ["<c/>"] * (column - following)
                reference = ""
            else:
                reference = f' r="{letter.lower() if dialect == "lower r" else letter}{number}"'
            following = column + 1
            cell = written(kind, value, option, reference)
            parts.append(oddly(cell, chance) if odd else cell)
        here = "" if dialect == "no r" else f' r="{number}"'
        if not parts and chance.random() < 0.5:
            out.append(f"<row{here}/>")
        else:
            out.append(f'<row{here} spans="1:14">{"".join(parts)}</row>')
        if dialect == "pretty":
            out.append("\n  ")
    return "".join(out)


REWRITTEN = {
    "strict": {sheetxml.TRANSITIONAL: sheetxml.STRICT},
    "kept space": {"<worksheet ": '<worksheet xml:space="preserve" '},
    "kept space in rows": {' spans="1:14"': ' xml:space="preserve"', '"str">': '"str" xml:space="default">'},
    "dimension": {"<sheetData>": '<dimension ref="A1:B2"/><sheetData>'},
}


def in_dialect(xml: str, dialect: str) -> str | bytes:
    if dialect == "utf-16":
        return xml.replace("UTF-8", "UTF-16").encode("utf-16")
    if dialect == "latin":
        return xml.replace("UTF-8", "ISO-8859-1").encode("iso-8859-1", "xmlcharrefreplace")
    for written, otherwise in REWRITTEN.get(dialect, {}).items():
        xml = xml.replace(written, otherwise)
    return xml


DIALECTS = [
    "plain",
    "no r",
    "lower r",
    "pretty",
    "utf-16",
    "latin",
    "strict",
    "kept space",
    "kept space in rows",
    "dimension",
]
