"""What the character data of a sheet's texts says: white space, escapes, runs.

Sources: XML 1.0, 2.10 (``xml:space`` holds for everything within, until it is said anew); ECMA-376 part 1, 18.4.8 (si),
22.9.2.19 (_xHHHH_).
"""

from __future__ import annotations

import re

from factload.sheet.file_errors import hostile
from factload.sheet.unstorable import marked

_SPACE = "http://www.w3.org/XML/1998/namespace space"
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
XML_SPACE = " \t\r\n"


class KeptSpace:
    """Whether the white space within the element that is open is kept. Tell it of every element's start and end."""

    def __init__(self) -> None:
        self._within = [False]

    @property
    def kept(self) -> bool:
        return self._within[-1]

    def open(self, attributes: dict[str, str]) -> None:
        written = attributes.get(_SPACE)
        self._within.append(self.kept if written is None else written == "preserve")

    def close(self) -> None:
        self._within.pop()


def settle_text(text: str, preserve: bool) -> str:
    """The text Excel shows for the character data ``text`` of a ``t`` or ``v`` element.

    Without ``xml:space="preserve"`` Excel drops the white space at both ends; ``_xHHHH_`` is a character
    (UTF-16 code unit) that XML could not hold.
    """
    if not preserve:
        text = text.strip(XML_SPACE)
    if "_x" not in text:
        return text
    decoded = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    # Two escaped halves of one character come together.
    return marked(decoded.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass"))


class TextItem:
    """Collects the text of an ``si`` or ``is`` element: runs joined, phonetic runs dropped."""

    def __init__(self, max_chars: int) -> None:
        self._max, self.size = max_chars, 0
        self.parts: list[str] = []
        self._run: list[str] | None = None
        self._preserve = False
        self._phonetic = 0

    def start(self, tag: str, keep_space: bool) -> None:
        if tag == "rPh":
            self._phonetic += 1
        elif tag == "t" and not self._phonetic:
            self._run, self._preserve = [], keep_space

    def end(self, tag: str) -> None:
        if tag == "rPh":
            self._phonetic -= 1
        elif tag == "t" and self._run is not None:
            self.parts.append(settle_text("".join(self._run), self._preserve))
            self._run = None

    def data(self, text: str) -> None:
        if self._run is not None:
            self.size += len(text)
            if self.size > self._max:
                raise hostile(
                    "A cell's text is longer than the limit",
                    f"at most {self._max:,} characters",
                    "text_chars",
                )
            self._run.append(text)
