"""The script of the question: ORM objects for the dimension, ORM objects for the facts, all of them kept."""

from __future__ import annotations

import sys
from decimal import Decimal

from openpyxl import load_workbook
from sqlalchemy import ForeignKey, Identity, Numeric, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    """What both tables share."""


class Dimension(Base):
    """A product."""

    __tablename__ = "dim_product"
    primary_synthetic_key: Mapped[int] = mapped_column(primary_key=True)
    business_key: Mapped[str]
    name: Mapped[str | None]


class Fact(Base):
    """A sale."""

    __tablename__ = "fact_sales"
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    dimension_id: Mapped[int] = mapped_column(ForeignKey("dim_product.primary_synthetic_key"))
    metric: Mapped[Decimal] = mapped_column(Numeric(18, 4))
    load_id: Mapped[str]


def main(*workbooks: str, url: str) -> None:
    """Load them."""
    with Session(create_engine(url)) as session:
        dimension_map = {}
        for d in session.query(Dimension):
            dimension_map[d.business_key] = d.primary_synthetic_key

        all_facts = []
        for workbook in workbooks:
            sheet = load_workbook(workbook, read_only=True)["Facts"]
            for number, row in enumerate(sheet.iter_rows(min_row=2, max_col=2, values_only=True), start=1):
                dimension_id = dimension_map[row[0]]
                fact = Fact(dimension_id=dimension_id, metric=row[1], load_id="sales@2026-11-05")
                session.add(fact)
                all_facts.append(fact)
                if number % 20000 == 0:
                    session.flush()
        session.commit()


if __name__ == "__main__":
    main(*sys.argv[1:-1], url=sys.argv[-1])
