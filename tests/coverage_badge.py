"""The README's badge: how much of the package the tests run, as `make coverage` has just measured it.

CI runs this after the tests. Where the badge is more than two points off, it is drawn again, which is said.
"""

import io
import re
import sys
from pathlib import Path

from coverage import Coverage

BADGE = Path(__file__).parents[1] / "docs/images/coverage.svg"
APART = 2.0  # points by which the figure may be off: what runs depends a little on the data and libraries at hand


def drawn(percent: int) -> str:
    """Return the badge as SVG."""
    places = ((33, "coverage"), (86, f"{percent} %"))
    words = "".join(f'<text x="{x}" y="14" text-anchor="middle">{word}</text>' for x, word in places)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="106" height="20" role="img" '
        f'aria-label="coverage: {percent} %">'
        '<rect width="106" height="20" rx="3" fill="#333"/>'
        '<path d="M66 0h37a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3H66z" fill="#2d6a4f"/>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">{words}</g></svg>\n'
    )


def shown(badge: Path) -> int | None:
    """Return the figure of a badge, or None if there is none."""
    found = re.search(r"coverage: (\d+) %", badge.read_text()) if badge.is_file() else None
    return int(found[1]) if found else None


def renewed(badge: Path, percent: float) -> str | None:
    """Draw a badge again if it is too far off, and return what to say of that; None where it is right."""
    before = shown(badge)
    if before is not None and abs(percent - before) <= APART:
        return None
    badge.write_text(drawn(round(percent)))
    return f"{badge}: the tests run {percent:.1f} %, it said {before}; `make coverage` has drawn it again: commit it"


if __name__ == "__main__":
    measured = Coverage()
    measured.load()
    if said := renewed(BADGE, measured.report(file=io.StringIO())):
        sys.stderr.write(said + "\n")
