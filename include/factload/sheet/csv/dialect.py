"""How a csv file is written: declared by the feed, never guessed."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

_NOT_FOR_FILES = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "utf-7"}
_SAMPLE = 'k,m;"x"\r\n'


@dataclass(frozen=True, slots=True)
class CsvDialect:
    """``delimiter`` and ``quote`` are one ASCII character each; ``quote`` "" means that nothing is quoted.

    Within quotes a quote is written twice (RFC 4180). A byte order mark at the beginning is no text.
    """

    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'

    def __post_init__(self) -> None:
        for name, value in (("delimiter", self.delimiter), ("quote", self.quote)):
            if not _is_mark(value) and not (name == "quote" and not value):
                raise ValueError(
                    f"`{name}` is one ASCII character that is no letter or digit, such as , ; | or a tab"
                )
        if self.delimiter == self.quote:
            raise ValueError("`delimiter` and `quote` are the same character")
        if not _is_text_encoding(self.encoding):
            raise ValueError(
                f"{self.encoding!r} is not a text encoding; use utf-8, utf-16, cp1252, iso-8859-15, shift_jis, "
                "or any other that Python knows"
            )

    @property
    def is_utf8(self) -> bool:
        """Whether the bytes are read as they are."""
        return codecs.lookup(self.encoding).name in ("utf-8", "utf-8-sig", "ascii")


def _is_mark(value: str) -> bool:
    return (
        len(value) == 1 and value.isascii() and (value.isprintable() or value == "\t") and not value.isalnum()
    )


def _is_text_encoding(name: str) -> bool:
    try:
        codec = codecs.lookup(name)
        return codec.name not in _NOT_FOR_FILES and _SAMPLE.encode(name).decode(name) == _SAMPLE
    except (LookupError, UnicodeError, ValueError):
        return False
