"""What a shell completes after `factload`: a script for it, made of the commands and their options."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import Any

SHELLS = ("bash", "zsh")
_FILES = {"feed", "workbook", "output", "xlsx"}


class PrintCompletion(argparse.Action):
    """Prints the completion script for a shell, and ends the program."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """See the class; ``values`` is the shell's name."""
        import shtab  # only here: no other command waits for its import

        for action in _actions(parser):
            if action.dest in _FILES and not isinstance(action, argparse._StoreTrueAction):
                action.complete = shtab.FILE  # type: ignore[attr-defined]  # where shtab looks for it
        sys.stdout.write(shtab.complete(parser, str(values)) + "\n")
        parser.exit()


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)
