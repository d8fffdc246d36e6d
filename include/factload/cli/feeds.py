"""The commands that help to write a feed file."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from factload.cli.options import Commands


def add_commands(commands: Commands) -> None:
    """``schema``."""
    schema = commands.add_parser("schema", help="print the JSON Schema of feed files, for editors")
    schema.set_defaults(command=_schema)


def _schema(_: argparse.Namespace) -> int:
    from factload.feed_schema import schema_text

    sys.stdout.write(schema_text())
    return 0
