"""Names of columns, tables and files: what they suggest, and new names derived from them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from datetime import date
from itertools import count
from pathlib import Path

from factload.feed.model import MAX_FEED_NAME

IS_FACT = re.compile(r"^(?:fact|fct|f)_", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=\d)(?=[A-Z][a-z])")
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"})
_TABLE_START, _TABLE_END = {"dim", "d", "fact", "f", "fct", "tbl"}, {"dim", "fact"}
_KEY_ENDS = {  # they say nothing of what a key is of
    *("key", "id", "code", "no", "nr", "number", "num", "nummer", "numero", "kennung", "ref", "reference"),
    *("sk", "fk", "business", "natural"),
}
_KEY_WORDS = (_KEY_ENDS - {"sk", "fk", "business", "natural"}) | {
    *("matricule", "sku", "ean", "upc", "gtin", "isin", "iban", "bic"),
}
_KEY_FIRST = {
    "code",
    "no",
    "nr",
    "n",
    "numero",
    "ref",
    "reference",
}  # as French has it: code client, N° client
_GLUED = re.compile(r"(?<=\w{3})(?:nummer|nr)$")  # Kundennummer
# Called like keys, but of nothing that has members.
_COUNTED = {
    *("row", "line", "month", "week", "year", "day", "quarter", "hour", "page", "period", "seq", "sequence"),
    *("quantity", "qty", "count", "menge", "anzahl", "quantite"),
    *("house", "room", "floor", "pos", "position", "lfd", "zeile", "monat", "woche", "jahr", "seite", "haus"),
}
_NUMBERED_ROWS = [["no"], ["nr"], ["num"], ["number"], ["n"], ["nummer"]]
_EVENTS = {  # they have a number of their own, and happen once
    *(
        "order",
        "invoice",
        "transaction",
        "document",
        "doc",
        "booking",
        "receipt",
        "ticket",
        "voucher",
        "payment",
    ),
    *(
        "entry",
        "record",
        "claim",
        "case",
        "shipment",
        "delivery",
        "event",
        "session",
        "request",
        "response",
        "trip",
        "load",
    ),
    *(
        "respondent",
        "resp",
        "po",
        "txn",
        "bestell",
        "bestellung",
        "auftrag",
        "auftrags",
        "rechnung",
        "rechnungs",
    ),
    *("beleg", "buchung", "buchungs", "liefer", "lieferschein", "vorgang", "vorgangs", "commande", "facture"),
}
_DIGITS_ALONE = re.compile(  # their sum says nothing, and zeros before them count
    r"\b(?:zip|postal|postcode|plz|phone|telephone|telefon|tel|mobile|handy|fax|ssn|vat|isbn)\b|postleitzahl"
)
_MONEY = re.compile(
    r"\b(?:amount|debit|credit|soll|haben|price|cost|costs|sales|revenue|profit|total|fee|fees|tax|value|balance|discounts?|payments?|salary|"
    r"wage|budget|spend|margin|rate|hours|weight|gross|net|cogs|betrag|preis|umsatz|kosten|summe|saldo|wert|gehalt|"
    r"stunden|montant|prix|cout|solde|salaire|taux)\b|(?:betrag|preis|umsatz|kosten|saldo|wert|stunden)$"
)
_DAYS = re.compile(
    r"\b(?:date|day|datum|tag|jour|on|since|from|to|due|created|updated|modified|opened|closed|posted|booked|paid|"
    r"shipped|delivered|hired|born|dob|start|end|begin|von|bis|ab|seit|faellig)\b|(?:datum|date|tag)$"
)
_MAX_IDENTIFIER = 63  # bytes: PostgreSQL's
# Every table of PostgreSQL has these already: https://www.postgresql.org/docs/current/ddl-system-columns.html
_SYSTEM = {"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"}
_DATES = (  # in a file's name, with the format of each
    (re.compile(r"(?<!\d)(?P<Y>20\d\d)(?P<s>[-_.]?)(?P<m>[01]\d)(?P=s)(?P<d>[0-3]\d)(?!\d)"), "%Y{s}%m{s}%d"),
    (re.compile(r"(?<!\d)(?P<d>[0-3]\d)(?P<s>[-_.])(?P<m>[01]\d)(?P=s)(?P<Y>20\d\d)(?!\d)"), "%d{s}%m{s}%Y"),
    (re.compile(r"(?<!\d)(?P<Y>20\d\d)(?P<s>[-_.])(?P<m>[01]\d)(?!\d)"), "%Y{s}%m"),
)


def feed_name(stem_of_file: str) -> str:
    """A name for the feed: the file's, without the date in it."""
    dated = _dated(stem_of_file)
    text = stem_of_file if dated is None else f"{stem_of_file[: dated[1]]} {stem_of_file[dated[2] :]}"
    name = "_".join(re.findall(r"[a-z0-9]+", words(text)))
    return (name if name[:1].isalpha() else f"feed_{name}".strip("_"))[:MAX_FEED_NAME].rstrip("_")


def period_path(path: str) -> tuple[str, date | None]:
    """The path as a feed writes it, with ``{period}`` where its name holds a date, and that date."""
    folder, name = Path(path).parent, Path(path).name
    before = _literal(str(folder)) + "/" if str(folder) != "." else ""
    if (dated := _dated(name)) is None:
        return before + _literal(name), None
    placeholder, begins, ends, period = dated
    return f"{before}{_literal(name[:begins])}{placeholder}{_literal(name[ends:])}", period


def _literal(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _dated(name: str) -> tuple[str, int, int, date] | None:
    """The placeholder for the date in a file's name, where it begins and ends, and the date."""
    for pattern, written in _DATES:
        for match in pattern.finditer(name):
            parts = match.groupdict()
            try:
                period = date(int(parts["Y"]), int(parts["m"]), int(parts.get("d") or 1))
            except ValueError:
                continue
            placeholder = f"{{period:{written.format(s=parts['s'])}}}"
            return placeholder.replace("{period:%Y-%m-%d}", "{period}"), match.start(), match.end(), period
    return None


def words(name: str) -> str:
    """The words of a name in lower case, in plain letters where there are such: CustomerID, Größe → groesse."""
    text = _CAMEL.sub(" ", unicodedata.normalize("NFC", name)).translate(_GERMAN).replace("#", " no ")
    letters = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(re.findall(r"[^\W_]+", unicodedata.normalize("NFC", letters).lower()))


def plain(name: str) -> str:
    """A name without case and punctuation."""
    return words(name).replace(" ", "")


def is_key(header: str) -> bool:
    """Whether a column is called like a key of something that may have members: Customer ID, StockCode, Kundennr."""
    found = words(header).split()
    if not found or is_counted(header) or is_digits_alone(header):
        return False
    french = len(found) > 1 and found[0] in _KEY_FIRST
    return found[-1] in _KEY_WORDS or french or bool(_GLUED.search(found[-1]))


def is_counted(header: str) -> bool:
    """Whether a column is called like a number of something that is counted: Row ID, Month Number."""
    found = words(header).split()
    return found in _NUMBERED_ROWS or (len(found) > 1 and stem(header).split("_")[-1] in _COUNTED)


def is_of_an_event(header: str) -> bool:
    """Whether a column is called like the key of something that happens once: Order No, Belegnr."""
    return stem(header).split("_")[-1] in _EVENTS


def is_digits_alone(header: str) -> bool:
    """Whether a column is called like something that is written in digits and is no number: Postal Code, Phone."""
    return bool(_DIGITS_ALONE.search(words(header)))


def is_bare_key(header: str) -> bool:
    """Whether a name says that a column holds keys, and nothing of what: ID, Code."""
    return words(header) in _KEY_ENDS


def may_have_fractions(header: str) -> bool:
    """Whether a column is called like something that has fractions sooner or later: amounts, prices, hours."""
    return bool(_MONEY.search(words(header)))


def is_called_a_date(header: str) -> bool:
    """Whether a column is called like a day."""
    return bool(_DAYS.search(words(header)))


def stem(name: str) -> str:
    """``product`` for product_id, Product Key, dim_product, ProductCode: what a name is about."""
    found = words(name).split()
    if len(found) > 1 and found[0] in _TABLE_START:
        found = found[1:]
    if len(found) > 1 and found[-1] in _TABLE_END:
        found = found[:-1]
    while len(found) > 1 and found[-1] in _KEY_ENDS:
        found = found[:-1]
    if len(found) > 1 and found[0] in _KEY_FIRST:
        found = found[1:]
    return "_".join([*found[:-1], _GLUED.sub("", found[-1])]) if found else ""


def has_key_end(name: str) -> bool:
    """Whether a column's name says that it refers to something: product_id, product_sk."""
    found = words(name).split()
    return len(found) > 1 and found[-1] in _KEY_ENDS


def identifier(header: str) -> str:
    """A column's name for a header."""
    name = words(header).replace(" ", "_")
    return _cut(name if name[:1].isalpha() else f"column_{name}".rstrip("_"), _MAX_IDENTIFIER)


def unused(name: str, taken: Collection[str]) -> str:
    """``name``, numbered from 2 if it is among ``taken``, or is a name that every table has; no longer than may be."""
    for i in count(1):
        end = "" if i == 1 else f"_{i}"
        made = _cut(name, _MAX_IDENTIFIER - len(end)) + end
        if made not in taken and made not in _SYSTEM:
            return made
    raise AssertionError("unreachable")


def _cut(name: str, most: int) -> str:
    """The name's beginning, of so many bytes at most."""
    return name.encode()[:most].decode("utf-8", "ignore").rstrip("_")
