"""Metres: what time signatures say of beats."""

import math
from collections.abc import Sequence

from ictus.errors import UsageError
from ictus.files import short

METERS = (1, 2, 3, 4, 5, 6)  # beats in a bar that the beat network predicts
CONDUCTED = (*METERS, 7)  # and those that arms conduct
_LARGEST = 128  # number above or below the line


def beat_unit(count: int, kind: int) -> tuple[float, int]:
    """Return the quarters of a beat, and into how many parts it is divided where it is slow.

    Quarters in 2/4, 3/4, 4/4; halves in 2/2, 3/2, 4/2; dotted quarters in 6/8, 9/8, 12/8, and one to the bar in 3/8;
    dotted halves in 6/4, 9/4.
    """
    if count % 3 == 0 and (kind >= 8 or (kind == 4 and count > 3)):
        return 12 / kind, 3
    return 4 / kind, 2


def time_signature(counts: Sequence[str], kinds: Sequence[str]) -> tuple[int, int] | None:
    """Return what a time signature adds up to, None if it is none: (5, 8) for 3+2 over 8, (7, 8) for 3/8 and 2/4."""
    try:
        pairs = [(sum(map(int, count.split("+"))), int(kind)) for count, kind in zip(counts, kinds, strict=True)]
    except ValueError:
        return None
    if not pairs or not all(1 <= value <= _LARGEST for pair in pairs for value in pair):
        return None
    kind = math.lcm(*(kind for _, kind in pairs))
    count = sum(count * kind // one for count, one in pairs)
    return (count, kind) if max(count, kind) <= _LARGEST else None


def beats_in_bar(meter: int | str) -> int:
    """Return the beats of a bar as they are conducted: 3 for 3, "3" or "3/4", 2 for "6/8", 5 for "3+2" or "3+2/8".

    Raises
    ------
    UsageError
        If this is no metre, or one for which there is no conducting pattern.
    """
    count, _, kind = str(meter).partition("/")
    time = time_signature([count], [kind or "4"])
    beats = 0 if time is None else time[0] if not kind else round(4 * time[0] / time[1] / beat_unit(*time)[0])
    if beats not in CONDUCTED:
        known = ", ".join(map(str, CONDUCTED))
        raise UsageError(
            f"metre {short(meter)} is not conducted; choose {known}, 3/4, 6/8, 3+2 or the like", option="meter"
        )
    return beats


def groups_in_bar(meter: int | str) -> tuple[int, ...]:
    """Return the beats of each group of a bar of which that is said: (3, 2) of "3+2" and "3+2/8"; else one group."""
    groups = tuple(int(part) for part in str(meter).partition("/")[0].split("+"))
    beats = beats_in_bar(meter)
    return groups if sum(groups) == beats else (beats,)
