"""A job of the studio: one at a time for a visitor, and only for as long as somebody waits for it."""

from collections.abc import Callable
from dataclasses import dataclass

from ictus.studio.visitors import Visitor
from ictus.types import Progress


@dataclass(frozen=True)
class RunningJob:
    """Whose it is, in which tab of the browser, and what shows the fraction done and a word of what is being done."""

    visitor: Visitor
    tab: str
    show: Callable[..., object]

    def reporter(self, what: str, start: float, end: float) -> Progress:
        """Give the progress of a part of the work; it raises RefusedError when nobody waits any more."""

        def report(fraction: float) -> None:
            self.visitor.go_on()
            self.show(start + (end - start) * fraction, desc=what)

        report(0.0)
        return report
