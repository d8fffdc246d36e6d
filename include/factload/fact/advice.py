"""What a person should know of a fact table that can be loaded as it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Advice:
    """What was seen that makes loads slow, or takes more along than facts, and what to do about it. ``about``: what of
    the table it is."""

    about: str
    seen: str
    remedy: str
