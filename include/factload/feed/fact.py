"""What a feed says of the fact table: where it is, what fills its columns, and what publishing does with its rows."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from factload.errors import did_you_mean
from factload.feed.columns import FactColumn
from factload.feed.mode import MODE_SCHEMA, MODES, Mode, publishing_mode
from factload.feed.part import CrossFieldError, FeedPart
from factload.settings import database_url_holds_password


class Fact(FeedPart):
    """The fact table, and what fills its columns."""

    connection: str
    """An Airflow connection id; without Airflow `FACTLOAD_CONN_<ID>` or `AIRFLOW_CONN_<ID>` holds its URL. It may
    also be a URL without a password: many people read feed files."""
    table: str
    """The fact table, `table` or `schema.table`."""
    columns: dict[str, FactColumn] = Field(min_length=1)
    """What fills each column of the fact table, by the column's name."""
    mode: Annotated[Mode, BeforeValidator(publishing_mode), MODE_SCHEMA] = Field(
        default=Mode("replace"), json_schema_extra={"default": "replace"}
    )
    """What publishing does with existing rows. (The reference has the texts of ``mode.MODES`` here.)"""
    load_column: str | None = Field(default=None, examples=["load_id"])
    """A column of the fact table that holds the load's identity, such as `sales@2026-11-05`: as text, or as a uuid or
    bigint derived from it. `replace` finds its rows by it; the other modes don't need one."""

    @model_validator(mode="after")
    def _no_password_is_written_down(self) -> Self:
        if database_url_holds_password(self.connection):
            raise CrossFieldError(
                "is a URL that holds a password, and many people read feed files: name a connection here, "
                "and keep its URL in Airflow or in `FACTLOAD_CONN_<ID>`",
                "connection",
            )
        return self

    @model_validator(mode="after")
    def _mode_has_what_it_needs(self) -> Self:
        needs_load_column = MODES[self.mode.kind].needs_load_column
        if needs_load_column and self.load_column is None:
            raise ValueError(
                f"`load_column` is missing: mode `{self.mode.kind}` {needs_load_column}, such as `sales@2026-11-05`"
            )
        for key in self.mode.keys:
            source = self.columns.get(key)
            if source is None:
                near = did_you_mean(key, list(self.columns))
                raise CrossFieldError(
                    f"names {key!r}, which `columns` does not fill. {near}".rstrip(), "mode"
                )
            if source.column is not None and not source.required:
                raise CrossFieldError(
                    f"mode `{self.mode.kind}` names {key!r}: say `required: true` there, a key is never blank",
                    "columns",
                    key,
                )
        return self

    @property
    def measures(self) -> list[str]:
        """The columns that have a control total: exact numbers out of the sheet."""
        return [n for n, c in self.columns.items() if c.type is not None and c.type.is_exact_number]
