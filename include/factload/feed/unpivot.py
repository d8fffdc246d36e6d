"""What a feed says of columns that become rows: months beside each other, each with its amount."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from factload.feed.part import CrossFieldError, FeedPart, sequence
from factload.rules.pattern import whole_text
from factload.sheet.choices import MOST_UNPIVOTED, UnpivotChoice
from factload.sheet.names import ColumnName, as_seen, is_same, spellings, whole_pattern


class Unpivot(FeedPart):
    """Columns of the sheet that become rows: one row of the sheet makes one for each of them."""

    columns: Annotated[tuple[str, ...], BeforeValidator(sequence)] = Field(
        default=(), examples=[["Jan", "Feb", "Mar"]], max_length=MOST_UNPIVOTED
    )
    """Their names. All of them must be in each sheet."""
    pattern: str | None = Field(default=None, examples=["20[0-9][0-9]-[0-9][0-9]"])
    """Or a regular expression (RE2) that their whole names match, and no other column's; at least one must."""
    name: str = Field(examples=["month"], json_schema_extra={"pattern": r"\S"})
    """What `fact.columns` and `dimensions` call the name of such a column: `column: month`. It is read as a text in a
    cell is with `parse_text`, as a value of the declared type; where its cell holds a date, as that date."""
    value: str = Field(examples=["amount"], json_schema_extra={"pattern": r"\S"})
    """What they call what stands in its cells: `column: amount`."""
    above: str | None = Field(default=None, examples=["year"], json_schema_extra={"pattern": r"\S"})
    """What they call the text in the row right above the header, if that is one of names, too: a year above its months.
    Where nothing stands above a column, it is what stands there to its left, as in merged cells."""
    blanks: Literal["skip", "keep"] = "skip"
    """What becomes of blank cells: no row (`skip`), or a row like that of any other cell (`keep`), unless all that is
    read of the sheet's row is blank."""

    @model_validator(mode="after")
    def _columns_and_names(self) -> Self:
        if bool(self.columns) == (self.pattern is not None):
            raise ValueError(
                "expected `columns: [NAME, ...]` or `pattern`, one of them: which columns become rows"
            )
        if self.pattern is not None:
            whole_text(self.pattern)
        own = [name for name in (self.name, self.value, self.above) if name is not None]
        names = [*own, *self.columns]
        if not all(name.strip() for name in names):
            raise ValueError("expected names that are not blank")
        seen: set[str] = set()
        for name in names:
            folded = as_seen(name).casefold()
            if folded in seen:
                raise ValueError(f"has {name!r} twice: its columns, `name`, `value` and `above` differ")
            seen.add(folded)
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """What of it is read out of names of columns."""
        return (self.name,) if self.above is None else (self.name, self.above)

    @property
    def made(self) -> dict[str, str]:
        """What of it is read as columns are: its field → the name."""
        found = {"name": self.name, "value": self.value, "above": self.above}
        return {field: name for field, name in found.items() if name is not None}

    def _is_made(self, name: str) -> bool:
        return any(is_same(name, made) for made in self.made.values())

    def require_read(self, columns: Iterable[ColumnName]) -> None:
        """Raise ``CrossFieldError`` unless the ``columns`` that the feed reads have all of these among them, and others
        by which a header is found."""
        read = [name for names in columns for name in spellings(names)]
        for field, name in self.made.items():
            if not any(is_same(name, one) for one in read):
                raise CrossFieldError(
                    f"is {name!r}, and nothing reads it: expected `column: {name}` in `fact.columns` or `dimensions`",
                    *("workbook", "unpivot", field),
                )
        if self.pattern is not None and all(self._is_made(name) for name in read):
            raise CrossFieldError(
                "needs another column that the feed reads, by whose name the header is found",
                *("workbook", "unpivot", "pattern"),
            )

    @property
    def choice(self) -> UnpivotChoice:
        """What the reader is told."""
        pattern = whole_pattern(self.pattern) if self.pattern is not None else ""
        return UnpivotChoice(
            self.columns, pattern, self.name, self.value, self.above or "", keep_blanks=self.blanks == "keep"
        )
