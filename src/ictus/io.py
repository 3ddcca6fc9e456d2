"""What comes out as a file: under each suffix a film, a page, a motion or a sound, whatever it takes to make it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ictus.render.render_options import FILM, PAGE, SHOWN, RenderOptions

if TYPE_CHECKING:
    from ictus.audio import Audio
    from ictus.motion import Motion
    from ictus.pose import Track
    from ictus.registry import Command
    from ictus.sound.performance import Performance
    from ictus.sound.pipeline import SoloistResult
    from ictus.sound.played_notes import PlayedNotes
    from ictus.types import Float32Array, Progress

FILES: dict["Command", tuple[str, ...]] = {  # what each command can make
    "conduct": (*SHOWN, ".npz", ".npy", ".json", ".bvh", ".glb"),
    "dance": (*SHOWN, ".npz", ".json", ".pkl", ".bvh", ".glb"),
    "sound": (*SHOWN, ".wav", ".flac", ".mp3", ".ogg"),
    "pose": (*SHOWN, ".npz", ".npy", ".json", ".bvh", ".glb", ".pkl"),
}
NOTE_FILES = (PAGE, ".wav", ".flac", ".mp3", ".ogg", ".mid")  # what played notes can become

_MARGIN = 0.05  # of the picture's shorter side, around keypoints


def save_motion(
    motion: "Motion | Sequence[Motion]", music: "Audio | Path", out: Path, look: RenderOptions, progress: "Progress"
) -> list[Path]:
    """Save what a conductor or dancers made: a film, a page, or a file of motion, as the suffix says.

    Several are together on the stage of a film or page, and have a file of motion each, numbered from 1.

    Returns
    -------
    The files that were written.

    Raises
    ------
    IctusError
        If the music cannot be read, the format cannot hold the motion, or the file cannot be written.
    """
    suffix = out.suffix.lower()
    if suffix in SHOWN:
        look.show(motion, music, out, progress)
        return [out]
    motions = motion if isinstance(motion, Sequence) else [motion]
    names = [f"-{number}" for number in range(1, len(motions) + 1)] if len(motions) > 1 else [""]
    files = [out.with_name(f"{out.stem}{name}{out.suffix}") for name in names]
    for one, file in zip(motions, files, strict=True):
        one.save(file)
    return files


def save_sound(
    played: "SoloistResult", performance: "Performance", model: str, out: Path, theme: str, progress: "Progress"
) -> None:
    """Save what was played: sound; the film with its new sound; or the player's figure, as a film or a page.

    Parameters
    ----------
    model : who played; a page says so.
    theme : colours of the figure's stage, "dark" or "light".

    Raises
    ------
    IctusError
        If the film is damaged, or the file cannot be written.
    """
    suffix = out.suffix.lower()
    if suffix not in SHOWN:
        played.audio.save(out)
    elif performance.film is not None and suffix == FILM:
        from ictus.video_io import video_frames, write_film

        rate = performance.film.rate
        write_film(out, video_frames(performance.film, rate), rate, played.audio)
    else:
        figure = performance.motion(model)
        options = RenderOptions(min(round(figure.fps), 60), (600, 600), theme)
        options.show(figure, played.audio, out, progress)


def save_notes(played: "PlayedNotes", out: Path, soundfont: Path | None, seed: int, progress: "Progress") -> None:
    """Save played notes: their sound, .mid, or a page with a piano roll, as the suffix (one of `NOTE_FILES`) says.

    Parameters
    ----------
    soundfont, seed : as of `ictus.sound.voice.voice_blocks`.

    Raises
    ------
    IctusError
        If the SoundFont cannot be played, or the file cannot be written.
    """
    from ictus.sound.notes_midi import save_midi
    from ictus.sound.piano_roll import save_piano_roll
    from ictus.sound.voice import save_voice

    suffix = out.suffix.lower()
    if suffix == ".mid":
        save_midi(played, out)
    elif suffix == PAGE:
        save_piano_roll(played, out)
    else:
        save_voice(played, out, soundfont, seed, progress)
    progress(1.0)


def save_track(
    track: "Track",
    out: Path,
    skeleton: str,
    keypoints: Literal["coco", "openpose"] | None,
    progress: "Progress",
    *,
    lifted: bool = False,
) -> None:
    """Save what was found of a person in a film.

    A film with the skeleton drawn over it; a page, or a file of motion, of the body in space; or keypoints.

    Parameters
    ----------
    skeleton, keypoints : as of `ictus.pose.files.save_keypoints`.
    lifted : as of `ictus.pose.space.in_space`.

    Raises
    ------
    IctusError
        If the engine has not found what the format holds, or the file cannot be written.
    """
    suffix = out.suffix.lower()
    if suffix == FILM:
        from ictus.render.film_overlay import film_overlay

        film_overlay(track, out, progress)
    elif suffix in (PAGE, ".bvh", ".glb", ".pkl"):
        from ictus.dance.foot_cleanup import clean_feet, smooth_rotations
        from ictus.pose.space import feet_seen, in_space
        from ictus.render.film_overlay import film_sound

        motion = in_space(track, lifted=lifted)
        motion = clean_feet(motion) if feet_seen(track) else smooth_rotations(motion)
        if suffix == PAGE:
            RenderOptions().show(motion, film_sound(track), out, progress)
        else:
            motion.save(out)
    else:
        from ictus.pose.files import save_keypoints as save

        save(track, out, skeleton, keypoints)


def save_keypoints(
    motion: "Motion", target: Path, form: Literal["coco", "openpose"], size: tuple[int, int]
) -> "Motion":
    """Save what a camera in front sees of a motion: keypoints in pixels, the body within the picture, as large as fits.

    Parameters
    ----------
    target : a .json file for "coco", a folder for "openpose".
    size : of the picture, in pixels.

    Returns
    -------
    The motion on the body that a detector of people finds.

    Raises
    ------
    MotionError
        If the format cannot hold this body.
    """
    from ictus.files import writing
    from ictus.formats import MotionData, coco, openpose

    motion = _detected(motion)
    data = MotionData(motion.skeleton, motion.fps, _in_picture(motion, size))
    if form == "openpose":
        openpose.write(target, data)
    else:
        with writing(target) as temporary:
            coco.write(temporary, data, size)
    return motion


def _in_picture(motion: "Motion", size: tuple[int, int]) -> "Float32Array":
    """Return pixels (T, J, 2): the body from the front, as large as it fits into the middle of a picture."""
    import numpy as np

    seen = motion.positions[..., :2] * np.array([1, -1 if motion.positions.shape[2] == 3 else 1], np.float32)
    low, high = seen.min((0, 1)), seen.max((0, 1))
    room = np.array(size, np.float32) - 2 * _MARGIN * min(size)
    scale = (room / np.maximum(high - low, 1e-6)).min()
    return np.asarray((seen - (low + high) / 2) * scale + np.array(size) / 2, np.float32)


def _detected(motion: "Motion") -> "Motion":
    """Return the body that a detector of people finds in a picture of this one, if there is such a body."""
    from ictus.retargeting import fitted
    from ictus.retargeting.body_conversion import convert
    from ictus.retargeting.pose_fitting import POSABLE
    from ictus.retargeting.projection import project

    if motion.skeleton.name == "conductor-23":
        return project(motion)
    if motion.skeleton.name in ("smpl-24", *POSABLE) and motion.skeleton.name != "coco-17":
        return convert(fitted(motion, ["smpl-24"]), "coco-17")
    return motion
