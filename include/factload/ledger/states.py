"""What the state of a load means, and what resumes it, in a sentence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the newest attempt at a load stands. ``staged`` of its ``partitions`` are done."""

    load_id: str
    state: str
    partitions: int
    staged: int
    visible: bool  # an earlier attempt of this load is what readers see

    @property
    def sentence(self) -> str:
        """What it means and what to do next."""
        meaning, remedy = _SENTENCES[self.state]
        readers = "" if self.state == "published" else f"; readers see {self._seen}"
        return f"{meaning.format(done=self._done)}{readers}. {remedy.format(run=self._run)}."

    @property
    def _seen(self) -> str:
        return "what was published before" if self.visible else "nothing of it"

    @property
    def _done(self) -> str:
        if not self.partitions:
            return "not split yet"
        return f"{self.staged} of {self.partitions} partitions are staged"

    @property
    def _run(self) -> str:
        feed, _, period = self.load_id.partition("@")
        return f"`factload run {feed} --period {period}`"


_SENTENCES = {
    "loading": (
        "Under way, or cut short without a word: {done}",
        "If nothing works on it, {run} goes on from there",
    ),
    "reconciled": ("Everything is staged and adds up", "{run} publishes it"),
    "published": ("Published", "Nothing to do; a corrected workbook replaces its rows"),
    "held": (
        "Held, since more rows were rejected than `max_rejects` allows, fewer are left than `min_rows` asks for, or "
        "they differ by more than `max_change` from what was published before, or `witness` says another number",
        "Correct the workbook or the dimension, then {run} loads what that changes; or `factload release` it",
    ),
    "refused": ("Refused, since workbook or rows are unfit", "Correct what the error names; then {run}"),
    "undone": (
        "Undone: a person took its rows back, and nothing stood before",
        "{run} loads it again; `factload undo` once more brings the rows back, as long as they are kept",
    ),
    "failed": ("Ended by a fault: {done}", "{run} goes on from there"),
}
