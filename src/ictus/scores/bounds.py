"""What a score may ask for, and how what it cannot mean is told.

Every reader of scores checks what a file says against these before it loops over it or holds it; the longest scores
known (an act of an opera, Beethoven's ninth symphony) stay several times below.
"""

import logging
from pathlib import Path

from ictus.errors import IctusError
from ictus.files import short

QUARTERS = 20_000  # of a piece as it is played
MOST = {
    **{"quarters": QUARTERS, "bars": 20_000, "beats": 100_000, "notes": 300_000, "parts": 300, "marks": 50_000},
    **{"tracks": 1000, "tempi": 200_000},  # of MIDI files
}
SECONDS = 12 * 3600
TEMPI = (3.0, 3000.0)  # quarters a minute

_log = logging.getLogger(__name__)


class Problems:
    """What a file says but cannot mean: it is passed over, and told in one line of the log."""

    def __init__(self) -> None:
        self.first, self.count = "", 0

    def add(self, text: str, *values: object) -> None:
        """Take down a problem: where it is, and what is wrong, with `values` in its braces."""
        self.first = self.first or text.format(*map(short, values))
        self.count += 1

    def warn(self, path: Path) -> None:
        """Write one line to the log, if there was a problem."""
        more = f", and {self.count - 1} more like it" if self.count > 1 else ""
        if self.count:
            _log.warning("%s: %s; passed over%s; correct it where it was written", path, self.first, more)


def content(path: Path, most: int) -> bytes:
    """Return what a file holds, if that is no more than `most` bytes.

    Raises
    ------
    IctusError
        If it is more; nothing has been read then.
    """
    if path.stat().st_size > most:
        raise IctusError(f"has more than {most >> 20} MiB; no piece is as long")
    return path.read_bytes()


def number(text: str | None, low: float, high: float) -> float | None:
    """Return the number that a text is, or None if it is none from `low` to `high`."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if low <= value <= high else None


def check_size(**counts: float) -> None:
    """Raise IctusError if there is more of anything (see `MOST`) than pieces have."""
    for what, count in counts.items():
        if not count <= MOST[what]:
            raise IctusError(f"has more than {MOST[what]} {what}; no piece has as many: export it again, or cut it")
