"""A performance: what is given of a player, keypoints and perhaps the film that they are of."""

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ictus.errors import MotionError
from ictus.motion import Motion
from ictus.sound.data.video_io import Film, probe
from ictus.sound.pose_normalization import PoseTrack, fill_gaps

_APART = 0.5  # seconds by which a film and its keypoints may differ in length


@dataclass(frozen=True)
class Performance:
    """What is given of a player.

    Attributes
    ----------
    file : the film, or else the keypoints.
    film : what was filmed, if there is a film.
    """

    file: Path
    track: PoseTrack
    film: Film | None = None

    @classmethod
    def load(cls, keypoints: Path, film: Path | None = None, fps: float | None = None) -> "Performance":
        """Read a player's keypoints, and probe the film that they are of, if there is one.

        Parameters
        ----------
        fps : of the keypoints; None: the film's or that in their file, whichever fits.

        Raises
        ------
        MotionError
            If the keypoints cannot be read, hold no frame rate, or are not as long as the film.
        IctusError
            If the film cannot be read.
        """
        if film is None:
            return cls(keypoints, PoseTrack.load(keypoints, fps))
        probed = probe(film, silent=True)
        tracks = [PoseTrack.load(keypoints, fps or probed.rate, probed.size)]
        if fps is None:
            with suppress(MotionError):  # most formats hold no rate
                tracks.append(PoseTrack.load(keypoints, None, probed.size))
        track = min(tracks, key=lambda one: abs(one.duration - probed.seconds))
        if abs(track.duration - probed.seconds) > _APART:
            raise MotionError(
                f"{film}: lasts {probed.seconds:.2f} s, and its keypoints {keypoints} last {track.duration:.2f} s "
                f"({len(track)} frames at {track.fps:g} a second); give those of this film, or their frames per second"
            )
        return cls(film, track, probed)

    def motion(self, model: str) -> Motion:
        """Return the player as seen, with gaps filled: a motion of solos-47, which names the model."""
        return replace(fill_gaps(self.track).track.motion(), meta={"model": model, "music": self.file.name})
