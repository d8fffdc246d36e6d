"""Every command's help text, as `factload COMMAND --help` prints it."""

from __future__ import annotations

import argparse
import os

from factload.cli import parser

_WIDTH = "100"


def command_help(_: str) -> str:
    """A heading and the help text of `factload` itself and of every command."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = _WIDTH  # where argparse looks for it
    try:
        return "\n\n".join(_section(made) for made in (parser(), *_commands(parser())))
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before


def _commands(made: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    [commands] = (a for a in made._actions if isinstance(a, argparse._SubParsersAction))
    return list(commands.choices.values())


def _section(made: argparse.ArgumentParser) -> str:
    return f"## {made.prog}\n```\n{made.format_help()}```"
