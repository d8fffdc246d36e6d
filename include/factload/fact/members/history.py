"""What the versions of a member must be, given what published loads say of it: a plan for one member.

A version begins with what a load says, and goes on until another load says something else; the first one also counts
for the time before. Versions that no load of the feed made (``Version.owner`` is None) stay what they are, but for the
time that loads speak of. Rows of other loads are never changed: so a version that such rows belong to keeps what it
has, and at most its time is another.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise

ALWAYS, FOREVER = datetime.min, datetime.max
_DAY = timedelta(days=1)


class VersionsOverlap(ValueError):
    """Two versions of the member are valid at the same time."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """A load that may say something of members. ``period``: the midnight that begins it; ``published``: whether readers
    see its rows."""

    load_id: str
    period: datetime
    published: bool = True


@dataclass(frozen=True, slots=True)
class Version:
    """A version. ``key``: its surrogate key as text, None of one that is to be made; ``ends``: the moment from which it
    is no longer valid; ``said``: a number for what it has, equal for equal attributes; ``owner``: the load of this feed
    that it begins with; ``began``: of one that no load made, when it began before the load ``replaced_by`` said
    something else of that very moment."""

    key: str | None
    begins: datetime
    ends: datetime
    said: int
    owner: Speaker | None = None
    began: datetime | None = None
    replaced_by: Speaker | None = None

    @property
    def lasts(self) -> bool:
        """Whether it is valid at any time."""
        return self.begins < self.ends

    @property
    def state(self) -> tuple[datetime, datetime, int, str | None]:
        """All that a change may change."""
        return self.begins, self.ends, self.said, None if self.owner is None else self.owner.load_id

    def valid_at(self, moment: datetime) -> bool:
        """Whether it is valid then."""
        return self.begins <= moment < self.ends


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a version. ``before``: as it is, None of one that is made; ``like``: the version whose other
    columns it gets then; ``aside``: of one that is to begin at another moment, a free one where it has no time
    meanwhile, as another may still begin then."""

    before: Version | None
    after: Version
    like: str | None = None
    aside: datetime | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of rows that belong to versions. ``newer``: version → the published loads of newer periods that
    have such rows; ``complete``: whether such loads were looked for, as there are any; ``held``: of the versions that
    ``load`` or an unpublished one made, those that rows of others belong to, published or kept to come back."""

    newer: Mapping[str, Collection[Speaker]] = field(default_factory=dict)
    complete: bool = False
    held: Collection[str] = ()


@dataclass(slots=True)
class _Mark:
    """From ``at`` on the member has ``said``, None for no version at all. ``version``: the one that says so now."""

    at: datetime
    said: int | None
    owner: Speaker | None = None
    version: Version | None = None

    def order(self, load: Speaker) -> tuple[datetime, bool, bool, bool]:
        """By it the marks of one moment stand so that the first counts: what ``load`` says now, then what rows say,
        then what a version says that no load made."""
        of_load = self.version is None and self.owner is not None and self.owner.load_id == load.load_id
        return self.at, not of_load, self.version is not None, self.owner is not None


@dataclass(slots=True)
class _Segment:
    """A time with one version to be. ``candidates``: the keys of those that are it now, for a part of the time at
    least; ``anchored``: whether rows of other loads may belong to one of them."""

    begins: datetime
    said: int | None
    owner: Speaker | None
    anchored: bool
    candidates: list[str] = field(default_factory=list)
    ends: datetime = FOREVER
    key: str | None = None


def planned(versions: Sequence[Version], load: Speaker, said: int | None, known: Known) -> list[Change]:
    """The changes that make the versions of a member what they must be once ``load`` says ``said`` of it, or nothing
    (None).

    ``versions``: all that there are of the member. Raises ``VersionsOverlap``.
    """
    standing = sorted((v for v in versions if v.lasts), key=lambda version: version.begins)
    if any(first.ends > second.begins for first, second in pairwise(standing)):
        raise VersionsOverlap
    own = [] if said is None else [_Mark(load.period, said, load)]
    marks = [
        *_standing_marks(standing, load),
        *_replaced(versions, load),
        *_spoken(standing, versions, known),
        *own,
    ]
    if all(mark.said is None for mark in marks):
        return []
    segments = [one for one in _segments(marks, standing, load, known) if one.said is not None]
    _choose(segments, versions, load, known)
    return list(_changes(segments, versions, standing, load))


def _standing_marks(standing: Sequence[Version], load: Speaker) -> Iterator[_Mark]:
    """What is said by the versions that stand: those of ``load``, and of loads that aren't published, say nothing,
    unless there is no other version to take their time."""
    before: Version | None = None
    for number, version in enumerate(standing):
        after_gap = before is not None and before.ends < version.begins
        if before is not None and after_gap:
            yield _Mark(before.ends, None)
        owner = version.owner
        alone = after_gap or (number == 0 and _before_gap(standing))
        if owner is None:
            yield _Mark(version.begins, version.said, None, version)
        elif (owner.published and owner.load_id != load.load_id) or alone:
            at = (
                owner.period
                if version.begins == ALWAYS and version.valid_at(owner.period)
                else version.begins
            )
            yield _Mark(at, version.said, owner, version)
        before = version


def _replaced(versions: Sequence[Version], load: Speaker) -> Iterator[_Mark]:
    """What versions say that no load made, and whose time ``load`` took, or one that is published no more."""
    for version in versions:
        by = version.replaced_by
        if version.began is None or by is None or version.lasts:
            continue
        if not by.published or by.load_id == load.load_id:
            yield _Mark(version.began, version.said, None, version)


def _before_gap(standing: Sequence[Version]) -> bool:
    return len(standing) > 1 and standing[0].ends < standing[1].begins


def _spoken(standing: Sequence[Version], versions: Sequence[Version], known: Known) -> Iterator[_Mark]:
    """What the rows of newer periods say, at times at which there is a version."""
    for version in versions:
        for speaker in known.newer.get(version.key or "", ()):
            if any(one.valid_at(speaker.period) for one in standing):
                yield _Mark(speaker.period, version.said, speaker)


def _decisive(marks: Sequence[_Mark], load: Speaker) -> list[_Mark]:
    """The marks in their order, one for each moment."""
    decisive: list[_Mark] = []
    for mark in sorted(marks, key=lambda mark: mark.order(load)):
        last = decisive[-1] if decisive else None
        if last is None or last.at != mark.at:
            decisive.append(mark)
        elif last.said == mark.said and last.version is None and mark.version is not None:
            # It says so already, and stays what it is.
            decisive[-1] = mark
    return decisive


def _segments(marks: list[_Mark], standing: Sequence[Version], load: Speaker, known: Known) -> list[_Segment]:
    segments: list[_Segment] = []
    for mark in _decisive(marks, load):
        last = segments[-1] if segments else None
        anchored = mark.version is not None and (not known.complete or mark.version.key in known.newer)
        if (
            last is None
            or last.said != mark.said
            or (mark.version is not None and mark.version.owner is None)
            or (anchored and last.anchored)
        ):
            segments.append(_Segment(mark.at, mark.said, mark.owner, anchored=anchored))
            last = segments[-1]
        last.anchored |= anchored
        if mark.version is not None and mark.version.key is not None:
            last.candidates.append(mark.version.key)
    segments[0].begins = standing[0].begins
    for segment, following in pairwise(segments):
        segment.ends = following.begins
    segments[-1].ends = standing[-1].ends
    return segments


def _choose(segments: Sequence[_Segment], versions: Sequence[Version], load: Speaker, known: Known) -> None:
    """Say which version each segment is to be: one that says it, or one that only rows of ``load`` belong to."""
    # One that has its time is taken before one that has none now.
    free = {v.key: v for v in sorted(versions, key=lambda version: not version.lasts)}
    for segment in segments:
        of_others = (free[key] for key in segment.candidates if key in free)
        fit = [version for version in of_others if (version.owner is None) == (segment.owner is None)]
        fit += [version for version in free.values() if _may_become(version, segment, load)]
        segment.key = next((version.key for version in fit if version.said == segment.said), None)
        free.pop(segment.key, None)
    for segment in segments:
        if segment.key is None and segment.owner is not None and segment.owner.load_id == load.load_id:
            fit = [version for version in free.values() if _may_change(version, load, known)]
            segment.key = fit[0].key if fit else None
            free.pop(segment.key, None)


def _may_become(version: Version, segment: _Segment, load: Speaker) -> bool:
    """Whether one that says the same, though not at this time, may be the segment's: nobody but a load that is gone, or
    says so again, made it."""
    owner = version.owner
    if owner is None or segment.owner is None:
        return False
    return owner.load_id in (load.load_id, segment.owner.load_id) or not owner.published


def _may_change(version: Version, load: Speaker, known: Known) -> bool:
    """Whether no rows but those of ``load`` belong to the version, so that it can get what they say."""
    owner = version.owner
    if owner is None or version.key in known.held:
        return False
    return owner.load_id == load.load_id or (version.lasts and not owner.published)


def _changes(
    segments: Sequence[_Segment], versions: Sequence[Version], standing: Sequence[Version], load: Speaker
) -> Iterator[Change]:
    by_key = {version.key: version for version in versions}
    taken = {segment.key for segment in segments}
    begun = {segment.begins for segment in segments}
    free = _free_days(load.period, begun.union(*((version.begins, version.began) for version in versions)))
    for segment in segments:
        after = Version(segment.key, segment.begins, segment.ends, segment.said or 0, segment.owner)
        if segment.key is None:
            yield Change(None, after, _like(after, standing, versions, load).key)
            continue
        before = by_key[segment.key]
        if before.state != after.state:
            yield Change(before, after, aside=next(free) if before.begins != after.begins else None)
    for version in versions:
        if version.key in taken or not (version.lasts or version.begins in begun):
            continue
        day = next(free)
        after = replace(version, begins=day, ends=day)
        if version.owner is None and version.lasts:
            after = replace(after, began=version.begins, replaced_by=load)
        yield Change(version, after)


def _free_days(day: datetime, used: Collection[datetime | None]) -> Iterator[datetime]:
    """Days, from ``day`` backwards, on which no version of the member begins."""
    while True:
        if day not in used:
            yield day
        day -= _DAY


def _like(made: Version, standing: Sequence[Version], versions: Sequence[Version], load: Speaker) -> Version:
    """The version whose other columns one that is made gets: the one that is valid now when it begins, unless it gets
    all its columns of another that says the same."""
    now = next((version for version in standing if version.valid_at(made.begins)), standing[0])
    same = (version for version in versions if version.said == made.said)
    told = made.owner is not None and made.owner.load_id == load.load_id
    return now if told or now.said == made.said else next(same, now)
