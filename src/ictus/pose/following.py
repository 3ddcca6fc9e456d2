"""Who is meant, of several people in a film: chosen once, and then followed by overlap."""

import numpy as np

from ictus.errors import UsageError
from ictus.pose.region import overlap
from ictus.types import FloatArray

_SAME = 0.15  # the overlap of two boxes from which on they are of one person
_PATIENCE = 30  # pictures in which a person who is lost is waited for, before another may be chosen


class Follower:
    """Follows one person through pictures.

    Parameters
    ----------
    person : "largest", "left" or "right" in the picture, or a number from the left, from 1 on. That is asked when a
        person is chosen: at the first sight, after a cut, and when the one before has been lost for a while.

    Raises
    ------
    UsageError
        If it is something else.
    """

    def __init__(self, person: str = "largest") -> None:
        self.person = str(person)
        if self.person not in ("largest", "left", "right") and not (self.person.isdecimal() and int(self.person) > 0):
            raise UsageError(f"no person is called {self.person!r}; choose largest, left, right or a number from 1 on")
        self._last: FloatArray | None = None
        self._lost = 0

    def forget(self) -> None:
        """Choose anew: the scene is another."""
        self._last = None

    def at(self, box: FloatArray) -> None:
        """Take note of where the person is: a box (4,) left, top, right, bottom."""
        self._last, self._lost = np.asarray(box), 0

    def __call__(self, boxes: FloatArray) -> int | None:
        """Return which of the boxes (N, 4) of a picture is of the person; None if none is."""
        boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
        found = self._nearest(boxes) if self._last is not None else self._chosen(boxes)
        if found is None:
            self._lost += 1
            if self._lost > _PATIENCE:
                self.forget()
        else:
            self.at(boxes[found])
        return found

    def _nearest(self, boxes: FloatArray) -> int | None:
        if not len(boxes) or self._last is None:
            return None
        shared = overlap(self._last, boxes)
        return int(shared.argmax()) if shared.max() >= _SAME else None

    def _chosen(self, boxes: FloatArray) -> int | None:
        number = int(self.person) if self.person.isdecimal() else 1
        if len(boxes) < number:
            return None
        if self.person == "largest":
            return int(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1).argmax())
        from_left = np.argsort(boxes[:, 0] + boxes[:, 2], kind="stable")
        return int(from_left[-1 if self.person == "right" else number - 1])
