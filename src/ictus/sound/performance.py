"""A performance: what is given of a player, keypoints and perhaps the film that they are of."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ictus.errors import MotionError, UsageError
from ictus.motion import Motion
from ictus.pose import PoseEstimator, points_of
from ictus.pose.watch import watch
from ictus.sound.data.frame_features import WATCHED_RATE, FrameFeatures
from ictus.sound.data.picture_features import compute_features
from ictus.sound.data.video_index import POSES, keypoints_beside
from ictus.sound.pose_normalization import PoseTrack, fill_gaps, resample_track
from ictus.types import Progress
from ictus.video_io import SUFFIXES as FILM_SUFFIXES
from ictus.video_io import Film, probe

TAKEN = (*POSES, *FILM_SUFFIXES)  # suffixes of performances
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

    @classmethod
    def watch(
        cls, film: Path, engine: PoseEstimator, person: str = "largest", progress: Progress | None = None
    ) -> "Performance":
        """Find a player in a film, whose keypoints nobody has given.

        Parameters
        ----------
        engine, person : as of `ictus.pose.track`.
        progress : called for each picture with the fraction done.

        Raises
        ------
        MotionError
            If nobody is seen.
        IctusError
            If the film cannot be read.
        """
        found = watch(film, WATCHED_RATE, engine=engine, person=person, progress=progress)
        return cls(film, PoseTrack.of(points_of(found, "solos-47"), found.fps), probe(film, silent=True))

    def picture_features(
        self, kinds: Sequence[str], inception: Path | None, report: Callable[[str], None]
    ) -> dict[str, FrameFeatures]:
        """Compute features of the film's pictures, as `ictus.sound.data.picture_features` has them; none without film.

        Parameters
        ----------
        kinds : "rgb", "flow".
        inception : file of BN-Inception's weights; of rgb.
        report : called with a line if the film is damaged; the features end there.

        Raises
        ------
        IctusError
            If there is nothing of which they could be computed.
        """
        if self.film is None or not kinds:
            return {}
        points = resample_track(fill_gaps(self.track).track).points
        return {kind: compute_features(kind, self.film, points, network=inception, report=report) for kind in kinds}

    def motion(self, model: str) -> Motion:
        """Return the player as seen, with gaps filled: a motion of solos-47, which names the model."""
        return replace(fill_gaps(self.track).track.motion(), meta={"model": model, "music": self.file.name})


@dataclass(frozen=True)
class PerformanceFiles:
    """What is given of one player: a file or folder, whether it is a film, and where its keypoints are."""

    file: Path
    film: bool
    keypoints: Path | None


def find_performance_files(paths: Sequence[Path], keypoints: Path | None = None) -> list[PerformanceFiles]:
    """Return what is meant: each file, and of each folder what lies directly in it; a folder of OpenPose is one.

    Parameters
    ----------
    paths : films, files of keypoints, and folders of them.
    keypoints : of the only film, where they do not lie beside it.

    Raises
    ------
    UsageError
        If there is nothing, or keypoints are given for several.
    """
    if not paths:
        raise UsageError("no performance given; name a file of keypoints, a film or a folder of them")
    found: list[PerformanceFiles] = []
    for path in paths:
        if not path.is_dir() or _is_openpose(path):
            found.append(_performance(path))
            continue
        inside = [_performance(p) for p in sorted(path.iterdir()) if p.suffix.lower() in TAKEN or _is_openpose(p)]
        theirs = {one.keypoints for one in inside if one.film}
        inside = [one for one in inside if one.film or one.file not in theirs]
        if not inside:
            raise UsageError(
                f"{path}: no performance in this folder; it may hold films ({' '.join(FILM_SUFFIXES)}) and keypoints "
                f"({' '.join(POSES)}, folders of OpenPose)"
            )
        found += inside
    if keypoints is None:
        return found
    if len(found) != 1 or not found[0].film:
        raise UsageError("keypoints belong to one film; give one film, or lay keypoints of the same name beside each")
    return [PerformanceFiles(found[0].file, True, keypoints)]


def _performance(path: Path) -> PerformanceFiles:
    if path.suffix.lower() not in FILM_SUFFIXES:
        return PerformanceFiles(path, False, path)
    return PerformanceFiles(path, True, keypoints_beside(path))


def _is_openpose(path: Path) -> bool:
    return path.is_dir() and any(path.glob("*_keypoints.json"))
