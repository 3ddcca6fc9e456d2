"""Annotations: what is known of the beats of a passage, as they are written."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ictus.beats import tactus
from ictus.beats.beats import FASTEST, Beats
from ictus.types import Float64Array, IntArray

COUNTED_FASTEST = 210.0  # beats a minute that people still count one by one


@dataclass(frozen=True)
class BeatAnnotation:
    """The notated beats of a passage, (N,) each, but for the entries.

    Attributes
    ----------
    times : seconds from the passage's beginning, increasing; none within a hold.
    positions : int, place in the bar, 1 is the downbeat.
    meters : int, beats in the bar.
    divisions : int, parts into which a slow beat is divided: 2, or 3 in compound metre.
    tempo : beats a minute up to the next beat.
    loudness : 0 (as soft as this passage gets) to 1 (as loud), of the sound itself.
    articulation : 0 (legato) to 1 (staccato).
    accents : 0 to 1, how much a beat stands out from its neighbours.
    entries : (E,) seconds at which a part begins after a rest.
    duration : seconds of the passage.
    """

    times: Float64Array
    positions: IntArray
    meters: IntArray
    divisions: IntArray
    tempo: Float64Array
    loudness: Float64Array
    articulation: Float64Array
    accents: Float64Array
    entries: Float64Array
    duration: float

    @property
    def steady(self) -> bool:
        """Whether one metre holds throughout."""
        return len(np.unique(np.stack([self.meters, self.divisions]), axis=1).T) == 1

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[np.generic]]) -> "BeatAnnotation":
        """Make an annotation of what `arrays` returned; KeyError if something is missing."""
        known = {field.name: np.asarray(arrays[field.name]) for field in fields(cls)}
        return cls(**{**known, "duration": float(known["duration"])})  # type: ignore[arg-type]

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return everything as arrays by name, for `numpy.savez`."""
        return {field.name: np.asarray(getattr(self, field.name)) for field in fields(self)}

    def conducted(self) -> Beats:
        """Return the beats that a conductor shows.

        The notated ones where their median tempo is at an arm's ease; faster ones are gathered, slower ones divided: in
        three where the metre is compound, so that a slow 6/8 is conducted in six; see `ictus.beats.tactus`.

        Raises
        ------
        IctusError
            If there is no conducting pattern for a metre.
        """
        return self._at_level(FASTEST)

    def counted(self) -> Beats:
        """Return the beats that a listener counts: as conducted, but faster ones are counted, too, up to 210 a minute.

        Whoever taps a quick waltz taps three where a conductor beats one. Raises as `conducted`.
        """
        return self._at_level(COUNTED_FASTEST)

    def _at_level(self, fastest: float) -> Beats:
        beats = Beats(
            self.times,
            self.positions,
            self.meters,
            loudness=self.loudness,
            articulation=self.articulation,
            accents=self.accents,
            duration=self.duration,
        )
        return tactus.conducted(beats, self.divisions, fastest=fastest)
