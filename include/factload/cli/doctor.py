"""The command that checks whether a machine has what loads need."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from factload.cli.options import add_output_options

if TYPE_CHECKING:
    from factload.cli.options import Commands


def add_commands(commands: Commands) -> None:
    """``doctor``."""
    doctor = commands.add_parser(
        "doctor",
        help="look whether loads would find what they need, and say what to do; leaves everything as it was",
    )
    add_output_options(doctor)
    doctor.set_defaults(command=_doctor)


def _doctor(options: argparse.Namespace) -> int:
    from factload.cli import terminal
    from factload.doctor import examine, exit_status

    findings = examine(options.url)
    if options.json:
        print(json.dumps([finding.to_json() for finding in findings]))
    else:
        terminal.show_findings(findings)
    return exit_status(findings)
