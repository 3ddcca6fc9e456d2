"""Films of players -> the prepared corpus (`ictus.sound.data.dataset`) that the networks of this art learn from.

    <out>/{train,val,test}/<clip>/sound.flac     22,050 Hz, mono
                                 /mel.npy        (T, 80) float16, mel80 of it
                                 /keypoints.npy  (K, 47, 3) float32, 25 a second: x, y, confidence; gaps filled
                                 /rgb.npy, /flow.npy  (N, F) as they were given, or computed, `feature_rate` a second
                                 /film.mp4       pictures and sound, if films are asked for
                                 /about.json     instrument, video, start ...
         /index.json     {clip: {"video", "instrument", "start", "split"}}
         /ids.txt        ids that are wanted and not there, for whatever tool fetches films
         /prepared.json  what it was made of, and how much there is

Clips of ten seconds lie end to end; all of a video are in one split. In the honest mode a second of a clip is a second
of the film. As Solos was published, a clip is stretched: 215 pictures of 25 a second, 8.6 s, are played as ten seconds,
the pitch of the sound kept; frame f of such a film belongs to second f / 21.5. Everything here is in seconds of the
clip, and rates are those of the clip: 25 keypoints a second in both.

A clip's folder is there whole or not at all, and what is there is kept: the same command resumes.
Source: Montesinos, Slizovskaia & Haro, Solos (MMSP 2020); the stretched clips: harukana1435/Senior-Project.
"""

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ictus import video_io
from ictus.audio import Audio
from ictus.corpora import (
    SPLITS,
    PreparationResult,
    begin_preparation,
    finish_preparation,
    save_example,
    write_json,
)
from ictus.errors import IctusError, UsageError
from ictus.files import writing
from ictus.pose.watch import Watch
from ictus.sound import KEYPOINT_RATE, MEL_RATE, RATE
from ictus.sound.data import frame_features
from ictus.sound.data.dataset import find_performances
from ictus.sound.data.frame_features import FEATURE_RATE, FrameFeatures
from ictus.sound.data.picture_features import compute_features
from ictus.sound.data.video_index import FEATURES, Video
from ictus.sound.models.bn_inception import ADVICE
from ictus.video_io import Film

_SHORT = 0.1  # seconds that the last clip may lack of one of its parts: rows of features are rarely whole


@dataclass(frozen=True)
class ClipSettings:
    """How films are cut.

    Attributes
    ----------
    seconds : of a clip.
    stretch : how fast the film is played; 1 is honest, 0.86 as published.
    pictures : write film.mp4.
    keypoint_rate : keypoints a second of the film, where their file says it wrongly or not at all.
    feature_rate : rows of rgb and flow a second of the film, where their file does not say.
    features : what is computed of films that have no file of it: 21.5 rows a second of their clips, or as many as there
        are of the other.
    inception : file of the weights of BN-Inception, of which rgb is computed.

    Raises
    ------
    UsageError
        If a clip is shorter than a second, or has no whole number of pictures; or rgb lacks its network.
    """

    seconds: float = 10.0
    stretch: float = 1.0
    pictures: bool = False
    keypoint_rate: float | None = None
    feature_rate: float = FEATURE_RATE
    features: tuple[Literal["rgb", "flow"], ...] = ()
    inception: Path | None = None

    def __post_init__(self) -> None:
        if not (1 <= self.seconds <= 600 and 0.5 <= self.stretch <= 2):
            raise UsageError(f"clips of {self.seconds:g} s, stretch {self.stretch:g}; choose 1 to 600, and 0.5 to 2")
        for count in (KEYPOINT_RATE * self.seconds, KEYPOINT_RATE * self.seconds * self.stretch):
            if abs(count - round(count)) > 1e-6:
                raise UsageError(
                    f"clips of {self.seconds:g} s, stretch {self.stretch:g}, have {count:g} pictures; "
                    "choose a whole number of them, 25 a second"
                )
        for rate in (self.keypoint_rate or 1, self.feature_rate):
            if not 0 < rate < 1000:
                raise UsageError(f"{rate:g} keypoints or features a second; choose more than 0")
        if "rgb" in self.features and self.inception is None:
            raise UsageError(ADVICE)

    @property
    def about(self) -> dict[str, Any]:
        """What other settings of the same corpus must agree on."""
        return {"seconds": self.seconds, "stretch": self.stretch}


@dataclass(frozen=True)
class VideoJob:
    """A video and the corpus that its clips belong to; `watch` finds the player where there are no keypoints."""

    video: Video
    cutting: ClipSettings
    out: Path
    watch: Watch | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of what clips have beside sound and pictures."""
        own = self.video.parts
        return own if self.watch is None or "keypoints" in own else ("keypoints", *own)

    def folder(self, number: int) -> Path:
        """Return where a clip belongs."""
        return self.out / self.video.split / f"{self.video.stem}-{number:04d}"

    def has(self, number: int) -> bool:
        """Return whether a clip is there with all that there is for it now."""
        kinds = {*self.parts, *self.cutting.features}
        names = (*(f"{kind}.npy" for kind in kinds), *(["film.mp4"] if self.cutting.pictures else []))
        folder = self.folder(number)
        return folder.is_dir() and all((folder / name).is_file() for name in names)

    @property
    def done(self) -> bool:
        """Whether all clips are there; the film is not opened for it."""
        try:
            count = json.loads((self.folder(0) / "about.json").read_text("utf-8"))["clips"]
            return all(self.has(number) for number in range(count))
        except (OSError, ValueError, KeyError, TypeError):
            return False


def plan_clips(
    videos: Sequence[Video], cutting: ClipSettings, out: Path, seed: int = 0, watch: Watch | None = None
) -> list[VideoJob]:
    """Sign the corpus and return the videos of which clips are missing.

    Parameters
    ----------
    watch : finds the player in films without keypoints; without it, their clips have none.

    Raises
    ------
    UsageError
        If `out` holds a corpus that was cut otherwise, or a video's clips in another split.
    """
    begin_preparation(out, {"corpus": "solos", **cutting.about, "seed": seed})
    there = {
        folder.name.partition("-")[2].rpartition("-")[0]: f"{split}/{folder.name.rpartition('-')[0]}"
        for split in SPLITS
        if (out / split).is_dir()
        for folder in (out / split).iterdir()
    }
    for video in videos:
        belongs = f"{video.split}/{video.stem}"
        if (lies := there.get(video.name, belongs)) != belongs:
            raise UsageError(f"{out}: has clips of {video.name} as {lies}, and now they are {belongs}; clear them away")
    return [job for job in (VideoJob(video, cutting, out, watch) for video in videos) if not job.done]


def prepare_video(job: VideoJob) -> PreparationResult:
    """Make the clips of a video that are not there; for what fails there is a line."""
    made, failures = 0, list[str]()
    try:
        film = video_io.probe(job.video.film)
        if not film.complete:
            lasts = max(film.seconds, film.sound_seconds)
            failures.append(f"{film.file}: breaks off after {lasts:.1f} of {film.declared:.1f} s; fetch it again")
        parts = load_parts(job.video, film, job.cutting, failures.append, job.watch)
        count = count_clips(film, parts, job.cutting)
        if not failures and not count:
            lasts = min(film.seconds, film.sound_seconds)
            raise IctusError(f"{film.file}: lasts {lasts:.1f} s, less than one clip; choose shorter clips")
        for number, files in cut_clips(job, film, parts, count, whole=not failures):
            save_example(job.folder(number), files)
            made += 1
    except IctusError as error:
        failures.append(str(error))
    return PreparationResult(made, tuple(failures))


def load_parts(
    video: Video, film: Film, cutting: ClipSettings, report: Callable[[str], None], watch: Watch | None = None
) -> dict[str, FrameFeatures]:
    """Read keypoints and features of a video, as far as there are any, and compute what else is asked for.

    Parameters
    ----------
    report : called with a line where the pictures are damaged; what is computed of them ends there.
    watch : finds the player where there are no keypoints.

    Returns
    -------
    All by their names, in seconds of the clips.

    Raises
    ------
    IctusError
        If one is damaged, or does not fit the film.
    """
    parts = {}
    if "keypoints" in video.parts:
        parts["keypoints"] = frame_features.load_keypoints(
            video, film, rate=cutting.keypoint_rate, stretch=cutting.stretch
        )
    elif watch is not None:
        parts["keypoints"] = frame_features.watch_keypoints(film, watch, stretch=cutting.stretch)
    for kind, file in video.features.items():
        parts[kind] = frame_features.load_features(file, kind, film, rate=cutting.feature_rate, stretch=cutting.stretch)
    points = parts["keypoints"].values if "keypoints" in parts else None
    rate = next((parts[kind].rate for kind in video.features), FEATURE_RATE)
    for kind in cutting.features:
        if kind not in parts:
            parts[kind] = compute_features(
                *(kind, film, points), rate=rate, stretch=cutting.stretch, network=cutting.inception, report=report
            )
    if len({parts[kind].rate for kind in FEATURES if kind in parts}) > 1:
        raise IctusError(f"{film.file}: its rgb and flow differ in their rows a second; make them the same")
    return parts


def count_clips(film: Film, parts: Mapping[str, FrameFeatures], cutting: ClipSettings) -> int:
    """Return how many whole clips there are of a film; the shortest of its parts counts."""
    lasts = [min(film.seconds, film.sound_seconds) / cutting.stretch, *(part.seconds for part in parts.values())]
    return int((min(lasts) + _SHORT) / cutting.seconds)


def cut_clips(
    job: VideoJob, film: Film, parts: Mapping[str, FrameFeatures], count: int, *, whole: bool = True
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number of each clip that is missing, and what its folder holds, by the names of its files.

    whole : whether there are no more clips in the film than `count`.

    Raises
    ------
    IctusError
        If the film is damaged.
    """
    from ictus.features import mel80

    cutting = job.cutting
    missing = [number for number in range(count) if not job.has(number)]
    length = round(cutting.seconds * RATE)
    shown = round(cutting.seconds * cutting.stretch * KEYPOINT_RATE)  # pictures of a clip
    sounds = video_io.fixed_blocks(video_io.sound_blocks(film, RATE, cutting.stretch), length)
    pictures = video_io.video_frames(film) if cutting.pictures else iter(())
    for number in range(missing[-1] + 1 if missing else 0):
        samples, reel = next(sounds, np.zeros(0, np.float32)), islice(pictures, shown)
        if len(samples) < length - round(2 * _SHORT * RATE):
            sound_end = (number * cutting.seconds + len(samples) / RATE) * cutting.stretch
            raise IctusError(f"{film.file}: its sound breaks off after {sound_end:.1f} of {film.seconds:.1f} s")
        if number in missing:
            audio = Audio(np.pad(samples, (0, length - len(samples))), RATE)
            start = number * cutting.seconds
            arrays = {kind: part.cut(start, cutting.seconds) for kind, part in parts.items()}
            files: dict[str, Any] = {f"{kind}.npy": array for kind, array in arrays.items()}
            if cutting.pictures:
                files["film.mp4"] = partial(
                    video_io.write_film, frames=reel, fps=KEYPOINT_RATE * cutting.stretch, audio=audio
                )
            about = {
                "instrument": job.video.instrument,
                "video": job.video.name,
                "start": round(start * cutting.stretch, 3),  # in the film
                "stretch": cutting.stretch,
                "synthetic": False,
                "clips": count if whole else None,
                "size": film.size,
                **{"feature_rate": part.rate for kind, part in parts.items() if kind in FEATURES},  # noqa: B035
            }
            yield (
                number,
                {"sound.flac": audio, "mel.npy": mel80(audio).astype(np.float16), **files, "about.json": about},
            )
        deque(reel, 0)  # skip the pictures that were not written


def write_ids(out: Path, ids: Mapping[str, str | None], videos: Iterable[Video]) -> list[str]:
    """Write the ids that are wanted and not there, one a line under their instruments; return them."""
    there = {video.name for video in videos}
    missing = {name: instrument for name, instrument in ids.items() if name not in there}
    lines, last = [], None
    for name, instrument in sorted(missing.items(), key=lambda item: item[1] or ""):
        lines += [f"# {instrument}"] if instrument and instrument != last else []
        lines.append(name)
        last = instrument
    with writing(out / "ids.txt") as temporary:
        temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return list(missing)


def finish_corpus(out: Path) -> dict[str, Any]:
    """Count what is there, write index.json and prepared.json; return {split: {"clips", "videos", "hours"}}."""
    index: dict[str, Any] = {}
    counts: dict[str, Any] = {}
    for split in (name for name in SPLITS if (out / name).is_dir()):
        found = find_performances(out, split).performances
        for clip in found:
            facts = {key: clip.about.get(key) for key in ("video", "instrument", "start")}
            index[clip.folder.name] = {**facts, "split": split}
        hours = sum(clip.frames for clip in found) / MEL_RATE / 3600
        videos = {clip.about.get("video") for clip in found}
        counts[split] = {"clips": len(found), "videos": len(videos), "hours": round(hours, 4)}
    write_json(out / "index.json", index)
    finish_preparation(out, counts)
    return counts
