"""A person's points drawn over the film that they are of."""

from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np

from ictus.audio import Audio
from ictus.pose.person_track import Track
from ictus.types import AnyArray, Float32Array, Progress
from ictus.video_io import Film, probe, sound_blocks, video_frames, write_film

_RATE = 44_100  # samples a second of the sound
_LEFT, _RIGHT, _MIDDLE = (255, 140, 40), (60, 170, 255), (245, 245, 245)  # RGB, of the person's sides
_EDGE = (20, 20, 20)
_SHOWN = 0.2  # the confidence beyond which a point is drawn
_SHIFT = 4  # bits of a pixel's fraction, for OpenCV
_WIDTH = 1 / 300  # of lines, by the picture's larger side


def film_overlay(track: Track, out: Path, progress: Progress | None = None) -> None:
    """Write the film (.mp4) with its sound and the skeleton over its pictures.

    Raises
    ------
    IctusError
        If the film is damaged, or cannot be written.
    """
    film = probe(track.film or out, silent=True)
    write_film(out, _pictures(track, film, progress), track.fps, film_sound(track))


def draw(picture: AnyArray, track: Track, frame: int) -> None:
    """Draw a frame of a track over its picture (H, W, 3) uint8 RGB, in place: lines whose colours say the side."""
    points, sure = track.points[frame], track.confidence[frame]
    width = max(1, round(max(picture.shape[:2]) * _WIDTH))
    for edge in (True, False):
        for a, b in track.skeleton.bones:
            if min(sure[a], sure[b]) > _SHOWN:
                fine = "_hand_" in track.skeleton.joints[a] or track.skeleton.joints[a][-1].isdigit()
                thick = max(1, round(width * (0.6 if fine else 1)))
                colour = _EDGE if edge else _colour(track.skeleton.joints[b])
                cv2.line(picture, _pixel(points[a]), _pixel(points[b]), colour, thick + 2 * edge, cv2.LINE_AA, _SHIFT)


def _pixel(point: Float32Array) -> tuple[int, int]:
    x, y = np.clip(np.round(point.astype(np.float64) * (1 << _SHIFT)), -(2**30), 2**30).astype(int).tolist()
    return x, y


def _colour(joint: str) -> tuple[int, int, int]:
    return _LEFT if joint.startswith("left") else _RIGHT if joint.startswith("right") else _MIDDLE


def _pictures(track: Track, film: Film, progress: Progress | None) -> Iterator[av.VideoFrame]:
    end = track.start + track.duration
    frames = video_frames(film, track.fps, start=track.start, end=end, damaged=lambda time: None)
    for number, frame in zip(range(len(track)), frames, strict=False):
        picture = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
        draw(picture, track, number)
        yield av.VideoFrame.from_ndarray(picture, format="rgb24")
        if progress:
            progress((number + 1) / len(track))


def film_sound(track: Track) -> Audio | None:
    """Return the sound of the film in which a track was found, for as long as the track lasts; None if it is silent."""
    film = probe(track.film, silent=True) if track.film else None
    if film is None or not film.sound_seconds:
        return None
    first, last = (round(_RATE * time) for time in (track.start, track.start + track.duration))
    kept, done = [np.zeros(0, np.float32)], 0
    for block in sound_blocks(film, _RATE):
        kept.append(block[max(first - done, 0) : max(last - done, 0)])
        done += len(block)
        if done >= last:
            break
    return Audio(np.concatenate(kept)[None], _RATE)
