"""The steps by which a feed says how business keys are spelt; ``normalize`` carries them out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from factload.errors import did_you_mean

_MAX_WIDTH = 200
_NAMES = ("trim", "collapse_spaces", "upper", "lower", "casefold", "nfc", "zero_pad", "strip_prefix")
_ARGUMENTS = {
    "zero_pad": "a width from 1 to 200, such as {zero_pad: 8}",
    "strip_prefix": "a text, such as {strip_prefix: K-}",
}
KNOWN_STEPS = ", ".join(f"{{{name}: …}}" if name in _ARGUMENTS else name for name in _NAMES)


@dataclass(frozen=True, slots=True)
class NormalizeStep:
    """One step. ``argument``: the width of ``zero_pad``, the text of ``strip_prefix``."""

    name: str
    argument: int | str | None = None

    def __str__(self) -> str:
        return self.name if self.argument is None else f"{self.name}: {self.argument}"


def step_schema() -> dict[str, Any]:
    """The JSON Schema of one step of a feed's list."""
    arguments = {
        "zero_pad": {"type": "integer", "minimum": 1, "maximum": _MAX_WIDTH},
        "strip_prefix": {"type": "string", "minLength": 1},
    }
    with_argument = [
        {"type": "object", "properties": {name: kind}, "required": [name], "additionalProperties": False}
        for name, kind in arguments.items()
    ]
    plain = [name for name in _NAMES if name not in arguments]
    with_nothing = {
        "type": "object",
        "properties": {name: {"type": "null"} for name in plain},
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }
    return {"anyOf": [{"enum": plain}, *with_argument, with_nothing]}


def parse_steps(value: object) -> tuple[NormalizeStep, ...]:
    """The steps that a feed's list names, such as ``[trim, {zero_pad: 8}]``; raises ``ValueError`` that teaches."""
    if not isinstance(value, list | tuple):
        raise ValueError(f"expected a list of steps, such as [trim, upper]; there are {KNOWN_STEPS}")
    return tuple(
        step if isinstance(step, NormalizeStep) else _parse_step(i, step) for i, step in enumerate(value)
    )


class StepError(ValueError):
    """What is wrong with one step of a list; ``at`` says with which."""

    def __init__(self, message: str, place: int) -> None:
        super().__init__(message)
        self.at = (place,)


def _parse_step(place: int, value: object) -> NormalizeStep:
    if isinstance(value, Mapping) and len(value) == 1:
        [(name, argument)] = value.items()
    else:
        name, argument = value, None
    if not isinstance(name, str) or name not in _NAMES:
        hint = did_you_mean(str(name), _NAMES) or f"There are {KNOWN_STEPS}"
        raise StepError(f"{name!r} is not a step. {hint}", place)
    fits = {
        "zero_pad": isinstance(argument, int)
        and not isinstance(argument, bool)
        and 1 <= argument <= _MAX_WIDTH,
        "strip_prefix": isinstance(argument, str) and argument != "",
    }.get(name, argument is None)
    if not fits:
        takes = _ARGUMENTS.get(name, "nothing: write it without a colon")
        raise StepError(f"the step {name} takes {takes}", place)
    return NormalizeStep(name, argument)
