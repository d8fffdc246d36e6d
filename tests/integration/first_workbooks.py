"""Workbooks and csv files as people have them, made here so that what they hold is known without reading them.

Each function writes one file and says what a load of it must come to: how many rows, the sums of numbers by header, the
first and last day of dates by header.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl

from tests.workbooks import first_sheet, write_sheets

DAY = date(2026, 11, 5)


@dataclass(frozen=True)
class Made:
    """What was written, and what it holds. ``rejected``: rows that are no data, and must not be loaded."""

    path: Path
    rows: int
    sums: dict[str, Decimal] = field(default_factory=dict)
    days: dict[str, tuple[str, str]] = field(default_factory=dict)
    keys: dict[str, int] = field(default_factory=dict)
    rejected: int = 0
    says: Sequence[str] = ()


Maker = Callable[[Path], Made]
MAKERS: list[Maker] = []


def maker(function: Maker) -> Maker:
    MAKERS.append(function)
    return function


def xlsx(path: Path, **sheets: Sequence[Sequence[Any]]) -> Path:
    return write_sheets(path, {name.replace("_", " "): rows for name, rows in sheets.items()})


def total(values: Sequence[Any]) -> Decimal:
    return sum((Decimal(str(v)) for v in values if v is not None), Decimal(0))


def days(values: Sequence[date]) -> tuple[str, str]:
    return str(min(values)), str(max(values))


def german(number: Decimal | float) -> str:
    return f"{number:,.2f}".translate(str.maketrans(",.", ".,"))


@maker
def retail(inbox: Path) -> Made:
    """A shop's invoices: CamelCase names, returns, customers that are not always known."""
    dice = random.Random(1)  # noqa: S311
    rows = [
        (
            f"{536365 + i // 4}",
            dice.choice(["85123A", "71053", "84406B", "22752"]),
            "WHITE HANGING HEART",
            dice.choice([-2, 6, 8, 12]),
            datetime(2026, 11, 5, 8, 26) + timedelta(minutes=i),
            dice.choice([2.55, 3.39, 2.75, 7.65]),
            None if i % 5 == 0 else 17850 + i % 9,
            "United Kingdom",
        )
        for i in range(200)
    ]
    header = (
        "InvoiceNo",
        "StockCode",
        "Description",
        "Quantity",
        "InvoiceDate",
        "UnitPrice",
        "CustomerID",
        "Country",
    )
    path = xlsx(inbox / "Online Retail_2026-11-05.xlsx", Online_Retail=[header, *rows])
    sums = {"Quantity": total([r[3] for r in rows]), "UnitPrice": total([r[5] for r in rows])}
    return Made(path, 200, sums, keys={"StockCode": 4}, says=("blank in 40 of 200 rows: no dimension",))


@maker
def bank(inbox: Path) -> Made:
    """A German bank's csv: a preamble, semicolons, decimal commas, cp1252."""
    amounts = [Decimal(n * 137 - 40_000) / 100 for n in range(900)]
    booked = [DAY - timedelta(days=n % 28) for n in range(900)]
    lines = ['"Umsatzanzeige";"Girokonto"', '"Zeitraum:";"01.10.2026 - 05.11.2026"', ""]
    lines.append(
        '"Buchungstag";"Begünstigter/Zahlungspflichtiger";"Verwendungszweck";"IBAN";"Betrag";"Währung"'
    )
    lines += [
        f'"{day:%d.%m.%Y}";"Bäckerei Müller, Köln";"Rechnung ""{n}""; danke";"DE{n:020}";"{german(amount)}";"EUR"'
        for n, (day, amount) in enumerate(zip(booked, amounts, strict=True))
    ]
    path = inbox / "umsaetze_20261105.csv"
    path.write_bytes("\r\n".join(lines).encode("cp1252") + b"\r\n")
    return Made(path, 900, {"Betrag": total(amounts)}, {"Buchungstag": days(booked)}, says=("cp1252",))


@maker
def report_server(inbox: Path) -> Made:
    """A report server's export: title, parameters, a column left empty, the header again, subtotals."""
    rows: list[Sequence[Any]] = [
        ("Sales by Region",),
        ("Report Period:", None, "November 2026"),
        ("Printed by:", None, "svc_report"),
        (),
        ("Region", None, "Sales Person", "Order Number", "Order Date", "Net Amount", "Tax"),
    ]
    header, amounts, booked = rows[-1], [], []
    for region in ("North", "South", "East"):
        for n in range(30):
            amounts.append(100 + n * 1.25)
            booked.append(DAY - timedelta(days=n))
            rows.append(
                (region, None, f"Person {n % 4}", f"SO-{region[0]}{n:04}", booked[-1], amounts[-1], 0.19)
            )
        rows.append((f"{region} Total", None, None, None, None, sum(amounts[-30:]), None))
        rows.append(header)
    rows[-1] = ("Grand Total", None, None, None, None, sum(amounts), None)
    path = xlsx(inbox / "report_2026-11-05.xlsx", Report=rows)
    sums = {"Net Amount": total(amounts), "Tax": total([0.19] * 90)}
    return Made(
        path, 90, sums, {"Order Date": days(booked)}, says=("ends: {first: ", "skip_rows: [", ".* Total")
    )


@maker
def survey(inbox: Path) -> Made:
    """A survey's grid: questions longer than a column's name may be, the same beginnings, a question twice."""
    question = "How satisfied were you with each of the following aspects of your latest order"
    header = [
        "Respondent ID",
        "Start Date",
        *(f"{question} [{a}]" for a in ("Price", "Speed", "Care")),
        "Comments",
        "Comments",
    ]
    rows = [
        (11_000_000 + n, datetime(2026, 11, 5, 9, n % 60, 30), n % 5, 5, 1 + n % 3, None, "ok")
        for n in range(60)
    ]
    path = xlsx(inbox / "survey_2026-11-05.xlsx", Responses=[header, *rows])
    sums = {
        f"{question} [Price]": total([r[2] for r in rows]),
        f"{question} [Care]": total([r[4] for r in rows]),
    }
    return Made(path, 60, sums, says=("have the same name",))


@maker
def staff(inbox: Path) -> Made:
    """Staff, behind a cover sheet that looks like a table of its own."""
    cover = [
        ("Headcount report",),
        ("Period", "November 2026"),
        ("Owner", "People & Culture"),
        ("Status", "final"),
    ]
    rows = [
        (f"{n:05}", f"First{n} Last{n}", f"f.last{n}@example.com", date(2015, 1, 1) + timedelta(days=n * 31),
         ("Sales", "IT", "Ops")[n % 3], 1.0 if n % 4 else 0.5, 42_000 + n * 500, n % 7 != 0)
        for n in range(80)
    ]  # fmt: skip
    header = (
        "Employee ID",
        "Name",
        "E-Mail",
        "Hire Date",
        "Department Code",
        "FTE",
        "Annual Salary",
        "Active?",
    )
    path = xlsx(inbox / "hr_2026-11-05.xlsx", Cover=cover, Staff=[header, *rows])
    sums = {"FTE": total([r[5] for r in rows]), "Annual Salary": total([r[6] for r in rows])}
    return Made(path, 80, sums, {"Hire Date": days([r[3] for r in rows])}, {"Department Code": 3})


@maker
def inventory(inbox: Path) -> Made:
    """Stock, with a README sheet first and codes that begin with zeros."""
    readme = [
        ("README",),
        ("Column", "Meaning", "Unit"),
        *((f"c{n}", f"what {n} is", "pcs") for n in range(12)),
    ]
    rows = [(f"{n % 40:06}", f"WH{n % 3}", n * 3, (n * 3) * 1.375, f"{n % 30}%", None) for n in range(120)]
    header = ("Item Code", "Warehouse Code", "On hand [pcs]", "Value (€)", "Share", "Remarks")
    path = xlsx(inbox / "inventory_2026-11-05.xlsx", README=readme, Stock=[header, *rows])
    sums = {"On hand [pcs]": total([r[2] for r in rows]), "Value (€)": total([r[3] for r in rows])}
    sums["Share"] = total([Decimal(n % 30) / 100 for n in range(120)])
    return Made(path, 120, sums, keys={"Item Code": 40, "Warehouse Code": 3}, says=("percent: true",))


@maker
def line_items(inbox: Path) -> Made:
    """Line items of an ERP: who made the list above it, a total below it."""
    rows = [
        (f"18{n:08}", date(2026, 11, 1 + n % 5), f"00{10000 + n % 7}", "EUR", -50.5 + n, 40 if n % 2 else 50)
        for n in range(50)
    ]
    above = [("Customer Line Items",), ("Created by", "JSMITH"), ("Company Code", 1000), ()]
    header = ("Doc. No.", "Posting Date", "Customer", "Currency", "Amount in local currency", "PK")
    below = [("Total", None, None, "EUR", sum(r[4] for r in rows), None), ("Source: ERP",)]
    path = xlsx(inbox / "fbl5n_2026-11-05.xlsx", Sheet1=[*above, header, *rows, *below])
    sums = {"Amount in local currency": total([r[4] for r in rows])}
    return Made(path, 50, sums, {"Posting Date": ("2026-11-01", "2026-11-05")}, says=("ends: ",))


@maker
def superstore(inbox: Path) -> Made:
    """Superstore's columns: three keys called ID, noise of binary fractions, two lists beside the orders."""
    dice = random.Random(3)  # noqa: S311
    profits = [round(dice.uniform(-50, 90), 4) for _ in range(300)]
    rows = [
        (n + 1, f"CA-2026-{n // 3}", DAY - timedelta(days=n % 300), DAY, "Second Class", f"CG-{n % 40}", f"Name {n % 40}",
         "Consumer", "United States", "Henderson", "Kentucky", None if n == 7 else 42420 + n % 3, "South",
         f"FUR-{n % 90:08}", "Furniture", "Bookcases", f'Bush, 24" {n % 90}', dice.randint(100, 99999) / 100,
         1 + n % 9, (n % 4) / 5, profits[n] if n != 9 else 0.999499999999999)
        for n in range(300)
    ]  # fmt: skip
    header = (
        "Row ID", "Order ID", "Order Date", "Ship Date", "Ship Mode", "Customer ID", "Customer Name", "Segment",
        "Country", "City", "State", "Postal Code", "Region", "Product ID", "Category", "Sub-Category",
        "Product Name", "Sales", "Quantity", "Discount", "Profit",
    )  # fmt: skip
    returns = [("Returned", "Order ID"), *(("Yes", f"CA-2026-{n}") for n in range(80))]
    path = xlsx(
        inbox / "superstore_2026-11-05.xlsx",
        People=[("Person", "Region"), ("A", "West")],
        Returns=returns,
        Orders=[header, *rows],
    )
    sums = {
        "Sales": total([r[17] for r in rows]),
        "Quantity": total([r[18] for r in rows]),
        "Discount": total([r[19] for r in rows]),
        "Profit": total([*profits[:9], Decimal("0.9995"), *profits[10:]]),
    }
    keys = {"Customer ID": 40, "Product ID": 90, "Order ID": 100}
    return Made(path, 300, sums, {"Order Date": days([r[2] for r in rows])}, keys)


@maker
def financial_sample(inbox: Path) -> Made:
    """Microsoft's Financial Sample: spaces around names, the first fraction of a discount far below."""
    header = (
        "Segment", "Country", " Product ", " Discount Band ", "Units Sold", "Manufacturing Price", "Sale Price",
        "Gross Sales", "Discounts", " Sales", "COGS", "Profit", "Date", "Month Number", "Month Name", "Year",
    )  # fmt: skip
    rows = [
        ("Government", "Canada", " Carretera ", " None ", 1618.5 if n == 0 else 1321 + n, 3, 20, 32370 + n,
         0 if n < 54 else n * 9.25, 32370 + n - (0 if n < 54 else n * 9.25), 16185 + n * 0.5, 16185 + n * 0.25,
         date(2026, 1 + n % 12, 1), 1 + n % 12, "January", "2026")
        for n in range(700)
    ]  # fmt: skip
    path = xlsx(inbox / "financial_2026-11-05.xlsx", Sheet1=[header, *rows])
    sums = {
        h.strip(): total([r[i] for r in rows])
        for i, h in enumerate(header)
        if h.strip() in ("Units Sold", "Discounts", "Sales", "Profit", "COGS", "Month Number")
    }
    return Made(path, 700, sums, {"Date": ("2026-01-01", "2026-12-01")})


@maker
def web_shop(inbox: Path) -> Made:
    """A web shop's export: tabs, ISO moments, a text over two lines."""
    lines = ["order_id\tcreated_at\tcustomer_email\tsku\tqty\ttotal_price\tnote\tgift"]
    amounts = [Decimal(n) / 8 for n in range(250)]
    lines += [
        f'{1000 + n // 2}\t2026-11-05T10:{n % 60:02}:00\tuser{n % 12}@example.com\tSKU-{n % 15}\t{1 + n % 3}\t{a}\t"a, b\nc; d"\t{str(n % 2 == 0).lower()}'
        for n, a in enumerate(amounts)
    ]
    path = inbox / "shop-2026-11-05.tsv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Made(
        path,
        250,
        {"total_price": total(amounts), "qty": total([1 + n % 3 for n in range(250)])},
        keys={"sku": 15, "order_id": 125},
    )


@maker
def utf16_export(inbox: Path) -> Made:
    """What Excel saves as "Unicode text": UTF-16, tabs, numbers as the country writes them."""
    amounts = [Decimal(n * 1234) / 10 for n in range(60)]
    lines = ["Kostenstelle\tBezeichnung\tIst-Kosten\tPlan\tGültig ab"]
    lines += [
        f"{4000 + n % 6:06}\tGröße {n}\t{german(a)}\t{n}\t{DAY - timedelta(days=n):%d.%m.%Y}"
        for n, a in enumerate(amounts)
    ]
    path = inbox / "kosten_2026-11-05.txt"
    path.write_bytes("\r\n".join(lines).encode("utf-16"))
    return Made(
        path,
        60,
        {"Ist-Kosten": total(amounts), "Plan": total(range(60))},
        {"Gültig ab": (str(DAY - timedelta(days=59)), str(DAY))},
    )


@maker
def timesheets(inbox: Path) -> Made:
    """Hours: whole in the first rows, quarters later; the day as a text; a person's subtotal."""
    rows: list[Sequence[Any]] = [
        ("Timesheet Export", None),
        (),
        ("EmpNo", "Day", "ProjectCode", "Hours", "Billable", "Activity"),
    ]
    hours = []
    for n in range(60):
        hours.append(8 if n < 30 else 7.75)
        rows.append(
            (
                1000 + n % 5,
                f"{DAY - timedelta(days=n % 20):%d.%m.%Y}",
                f"P{n % 4}",
                hours[-1],
                n % 2 == 0,
                "Dev",
            )
        )
    path = xlsx(inbox / "timesheets_2026-11-05.xlsx", Export=rows)
    return Made(
        path,
        60,
        {"Hours": total(hours)},
        {"Day": (str(DAY - timedelta(days=19)), str(DAY))},
        {"EmpNo": 5, "ProjectCode": 4},
    )


@maker
def french_sales(inbox: Path) -> Made:
    """French headers and numbers: spaces between thousands, a comma, brackets for what is negative."""
    amounts = [Decimal(n * 12345) / 100 for n in range(80)]
    lines = ["N° client;Référence article;Libellé;Quantité;Montant HT;Écart;Date de facture"]
    lines += [
        f"C{n % 10:04};R{n % 20};Œuvre d'été n°{n};{n};{f'{a:,.2f}'.replace(',', chr(160)).replace('.', ',')};({n},00);{DAY - timedelta(days=n):%d/%m/%Y}"
        for n, a in enumerate(amounts)
    ]
    path = inbox / "ventes_2026-11-05.csv"
    path.write_bytes("\n".join(lines).encode("cp1252"))
    return Made(
        path,
        80,
        {"Montant HT": total(amounts), "Quantité": total(range(80)), "Écart": -total(range(80))},
        {"Date de facture": (str(DAY - timedelta(days=79)), str(DAY))},
        {"N° client": 10},
        says=("negative: parentheses",),
    )


@maker
def keys_alone(inbox: Path) -> Made:
    """Nothing but keys."""
    rows = [(f"C{n % 9}", f"P{n % 4}", f"S{n % 2}") for n in range(40)]
    path = xlsx(inbox / "keys_2026-11-05.xlsx", Links=[("Customer ID", "Product ID", "Store Id"), *rows])
    return Made(path, 40, keys={"Customer ID": 9, "Product ID": 4, "Store Id": 2})


@maker
def texts_alone(inbox: Path) -> Made:
    """Nothing but texts, and a column without a name."""
    rows = [
        (f"Ticket {n}", f"Somebody wrote {n}", f"City {n}", f"x{n}", f"Status {n}", f"more {n}")
        for n in range(30)
    ]
    path = xlsx(
        inbox / "tickets_2026-11-05.xlsx", T=[("Subject", "Text", None, "Tag", "Status", "Rest"), *rows]
    )
    return Made(path, 30, says=("it has no name in C1",))


@maker
def two_hundred_columns(inbox: Path) -> Made:
    """A wide sheet, with names that PostgreSQL keeps for itself."""
    header = ["ID", "order", "user", "select", "xmin", "load_id", "row", *(f"Metric {n}" for n in range(193))]
    rows = [(n % 10, "a", "b", "c", 1, "trip", n, *(n * m / 4 for m in range(193))) for n in range(25)]
    path = xlsx(inbox / "wide_2026-11-05.xlsx", Wide=[header, *rows])
    return Made(
        path,
        25,
        {f"Metric {m}": total([n * m / 4 for n in range(25)]) for m in (0, 1, 99, 192)}
        | {"row": total(range(25))},
    )


@maker
def mixed_column(inbox: Path) -> Made:
    """Numbers and a few other things in one column, errors in another, texts that are numbers in a third."""
    rows = [
        (f"K{n % 5}", n if n % 10 else "n/a", "#N/A" if n % 3 == 0 else n, f"{n}.5", n / 3) for n in range(90)
    ]
    path = xlsx(
        inbox / "mixed_2026-11-05.xlsx", S=[("Machine Code", "Reading", "Ratio", "Level", "Third"), *rows]
    )
    return Made(
        path,
        90,
        {
            "Level": total([Decimal(n) + Decimal("0.5") for n in range(90)]),
            "Reading": total([n for n in range(90) if n % 10]),
        },
        keys={"Machine Code": 5},
        says=('nulls: ["n/a"]', "show errors"),
    )


@maker
def months_across(inbox: Path) -> Made:
    """Years as names of columns, a single row of data: each year becomes a row."""
    path = xlsx(inbox / "plan.xlsx", Plan=[("Region", 2024, 2025, 2026), ("North", 1.5, 2, 3)])
    return Made(path, 3, {"year": Decimal(2024 + 2025 + 2026), "amount": Decimal("6.5")})


@maker
def comma_csv(inbox: Path) -> Made:
    """An American csv, in gzip, with numbers in quotes and dates that the month begins."""
    import gzip

    amounts = [Decimal(n * 100_001) / 100 for n in range(45)]
    lines = ["Account Number,Posted,Memo,Debit,Credit"]
    lines += [
        f'{4_000_123 + n % 3},{n % 12 + 1}/{n % 28 + 1}/2026,"Smith, J.","{a:,.2f}",'
        for n, a in enumerate(amounts)
    ]
    path = inbox / "ledger_2026-11-05.csv.gz"
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return Made(
        path, 45, {"Debit": total(amounts)}, {"Posted": ("2026-01-01", "2026-12-24")}, {"Account Number": 3}
    )


@maker
def totals_in_every_column(inbox: Path) -> Made:
    """Sums below and between the rows, in every column, as a pivot table has them; its months become rows."""
    rows = [(f"Region {n % 7}", f"Item {n}", n, n * 2.5, n * 3) for n in range(70)]
    sums = [("North Total", "", 35 * 69, 1.5, 2), ("Grand Total", "all", 35 * 69, 2.5 * 35 * 69, 3 * 35 * 69)]
    path = xlsx(
        inbox / "pivot_2026-11-05.xlsx",
        P=[("Region", "Item", "Jan", "Feb", "Mar"), *rows[:40], sums[0], *rows[40:], sums[1]],
    )
    return Made(
        path,
        3 * 70,
        {"amount": total([amount for row in rows for amount in row[2:]])},
        says=('ends: {first: "Grand Total"}', "skip_rows: "),
    )


@maker
def staff_by_hand(inbox: Path) -> Made:
    """A list kept by hand: notes beside it, gaps, spaces, zip codes, a tick column, a comment at the end."""
    rows: list[Sequence[Any]] = [
        ("Staff list 2026",),
        ("as of", date(2026, 11, 5)),
        (None, "Pers.-Nr.", "Name ", "PLZ", "Eintritt", "Std./Woche", "aktiv", None),
    ]
    for n in range(40):
        rows.append(
            (
                None,
                100 + n,
                f" Name {n}",
                f"{1000 + n * 7:05}",
                f"{1 + n % 28}.{1 + n % 12}.2020",
                38.5 if n % 3 else "20,0",
                "x" if n % 2 else None,
                "?" if n == 3 else None,
            )
        )
        if n % 10 == 9:
            rows.append(())
    rows += [(), ("Ask Jane before changing this list",)]
    path = xlsx(inbox / "Personal_2026-11.xlsx", Liste=rows)
    return Made(path, 40, {}, {"Eintritt": ("2020-01-01", "2020-12-24")}, says=("it has no name in H3",))


@maker
def labels_merged_over_rows(inbox: Path) -> Made:
    """Regions and a bonus, each in cells that are merged over several rows."""
    rows = [
        (f"Region {n // 5}" if n % 5 == 0 else None, f"Person {n}", n * 1.5, 100 if n % 5 == 0 else None)
        for n in range(40)
    ]
    path = xlsx(inbox / "merged_2026-11-05.xlsx", M=[("Region", "Person", "Amount", "Bonus"), *rows])
    workbook = openpyxl.load_workbook(path)
    for first in range(2, 42, 5):
        for column in "AD":
            first_sheet(workbook).merge_cells(f"{column}{first}:{column}{first + 4}")
    workbook.save(path)
    return Made(
        path, 40, {"Amount": total([r[2] for r in rows])}, says=("merged: repeat", "whether they count once")
    )


@maker
def totals_by_formula(inbox: Path) -> Made:
    """Formulas as XlsxWriter writes them, with values that the workbook itself calls out of date."""
    import xlsxwriter

    path = inbox / "formulas_2026-11-05.xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        sheet = workbook.add_worksheet("Data")
        sheet.write_row(0, 0, ["Item Code", "Qty", "Price", "Amount"])
        for n in range(1, 31):
            sheet.write_row(n, 0, [f"I{n % 3}", n, n * 0.5])
            sheet.write_formula(n, 3, f"=B{n + 1}*C{n + 1}", None, n * n * 0.5)
    return Made(
        path,
        30,
        {"Qty": total(range(31)), "Price": total([n * 0.5 for n in range(31)])},
        says=("out of date",),
    )
