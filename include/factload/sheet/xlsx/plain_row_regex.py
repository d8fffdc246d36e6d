"""What *plain* sheet XML is: a regular expression that must match every byte of a row.

It covers what the common programs write. In what it matches, ``<`` stands only where a tag begins, the first
letter of a tag's name tells the tag, and the attributes of a cell stand in one of two orders; the fast reader
(:mod:`factload.sheet.xlsx.fast_path`) relies on that and on nothing else.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from factload.vectors import Positions, flags, matches, one_value, slices

_GAP = r"[ \t\n]*"
# Names that begin with "xml" say how all that is within is to be read (xml:space, xmlns).
_NAME = (
    r"(?:[A-Za-wyz0-9:][A-Za-z0-9:]*|x(?:[A-Za-ln-z0-9:][A-Za-z0-9:]*)?|xm(?:[A-Za-km-z0-9:][A-Za-z0-9:]*)?)"
)
_ATTRIBUTES = rf'(?: {_NAME}="[^"<>&\r]*")*'
# Character data: no markup, no control characters, no carriage return (XML reads it as a line feed).
TEXT = r"(?:[^<>&\x00-\x08\x0b-\x1f]|&(?:amp|lt|gt|quot|apos|#[0-9]+|#x[0-9a-fA-F]+);)*"
PRESERVE = ' xml:space="preserve"'
_SPACE = f"(?:{PRESERVE})?"
_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_STYLE = r'(?: s="[0-9]{1,7}")?'
_FORMULA = rf"(?:<f{_ATTRIBUTES}(?: ?/>|>{TEXT}</f>))?"


def _typed(name: str) -> str:
    return rf'(?:{_STYLE} t="{name}"| t="{name}" s="[0-9]{{1,7}}")'


_CELL = (
    r'<c r="[A-Z]{1,3}[0-9]{1,7}"(?:'
    rf'{_STYLE}(?: t="n")?(?:>{_FORMULA}<v>{_NUMBER}</v></c>| ?/>|></c>)'
    rf"|{_typed('s')}(?:><v>[0-9]{{1,9}}</v></c>| ?/>)"
    rf"|{_typed('inlineStr')}><is><t{_SPACE}>{TEXT}</t></is></c>"
    rf"|{_typed('str')}>{_FORMULA}<v{_SPACE}>{TEXT}</v></c>"
    rf"|{_typed('b')}>{_FORMULA}<v>[01]</v></c>"
    rf"|{_typed('e')}>{_FORMULA}<v>#[A-Z0-9/!?_]+</v></c>"
    rf"|{_typed('d')}>{_FORMULA}<v>[-0-9T:.Z+]+</v></c>"
    r")"
)
_OPEN = rf'<row r="[0-9]{{1,7}}"{_ATTRIBUTES}'
_ROW = rf"{_GAP}(?:{_OPEN} ?/>{_GAP})*{_OPEN}>{_GAP}(?:{_CELL}{_GAP})*</row>"
_ALL_ROWS = rf"\A(?:{_ROW})*\z"
_ONE_ROW = rf"\A{_ROW}\z"
_ITEM = rf"{_GAP}<si>(?:<t{_SPACE}>{TEXT}</t>)</si>"
_ALL_ITEMS = rf"\A(?:{_ITEM})*\z"


def split_plain(xml: bytes, ends: Positions) -> tuple[bytes, bytes]:
    """Divide a window, whose rows end at ``ends``, into its plain rows and the others, each in order."""
    if matches(one_value(xml), _ALL_ROWS)[0]:
        return xml, b""
    rows = slices(xml, np.concatenate([[0], ends[:-1]]), ends)
    plain = matches(rows, _ONE_ROW)
    return _joined(rows.filter(flags(plain))), _joined(rows.filter(flags(~plain)))


def items_are_plain(xml: bytes) -> bool:
    """Whether a piece of the shared strings is nothing but plain items."""
    return bool(matches(one_value(xml), _ALL_ITEMS)[0])


def _joined(rows: pa.BinaryArray) -> bytes:
    return b"".join(rows.to_pylist())
