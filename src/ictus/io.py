"""What comes out as a file: under each suffix a film, a page, a motion or a sound, whatever it takes to make it."""

from pathlib import Path
from typing import TYPE_CHECKING

from ictus.render.render_options import FILM, SHOWN, RenderOptions

if TYPE_CHECKING:
    from ictus.audio import Audio
    from ictus.motion import Motion
    from ictus.registry import Command
    from ictus.sound.performance import Performance
    from ictus.sound.pipeline import SoloistResult
    from ictus.types import Progress

FILES: dict["Command", tuple[str, ...]] = {  # what each command can make
    "conduct": (*SHOWN, ".npz", ".npy", ".json", ".bvh", ".glb"),
    "dance": (*SHOWN, ".npz", ".json", ".pkl", ".bvh", ".glb"),
    "sound": (*SHOWN, ".wav", ".flac", ".mp3", ".ogg"),
}


def save_motion(motion: "Motion", music: "Audio | Path", out: Path, look: RenderOptions, progress: "Progress") -> None:
    """Save what a conductor or dancer made: a film, a page, or a file of motion, as the suffix says.

    Raises
    ------
    IctusError
        If the music cannot be read, the format cannot hold the motion, or the file cannot be written.
    """
    suffix = out.suffix.lower()
    if suffix in SHOWN:
        look.show(motion, music, out, progress)
        return
    motion.save(out)


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
        from ictus.sound.data.video_io import video_frames, write_film

        rate = performance.film.rate
        write_film(out, video_frames(performance.film, rate), rate, played.audio)
    else:
        figure = performance.motion(model)
        options = RenderOptions(min(round(figure.fps), 60), (600, 600), theme)
        options.show(figure, played.audio, out, progress)
