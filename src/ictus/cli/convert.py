"""`ictus convert`: motion from one format to another, and published checkpoints into folders of this package."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from ictus.cli.batch import check_kind, picture_size
from ictus.cli.console import progress_bar, say
from ictus.cli.options import command
from ictus.errors import IctusError, MotionError, UsageError
from ictus.files import counted

if TYPE_CHECKING:
    from ictus.motion import Motion

PAGE = ".html"


@command
def run(
    source: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="IN")],
    target: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT")],
    /,
    body: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None,
    points: Literal["coco-17", "melody-21"] | None = None,
    keypoints: Literal["coco", "openpose"] | None = None,
    size: Annotated[str, tyro.conf.arg(metavar="WxH")] = "1280x720",
    fps: float | None = None,
    music: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None,
    theme: Literal["dark", "light"] = "dark",
) -> int:
    """Convert a motion file, or an official checkpoint.

    Args:
        source: A motion (.npz .npy .json .bvh .glb, AIST++'s .pkl); points of a dancer in space are posed where a
            format or an option asks for joints that turn. Or VirtualConductor's published weights (.pt), or
            FACT's, which TensorFlow has written as an .npz (ictus.dance.models.convert_checkpoint says how).
        target: A motion file whose suffix names the format, or an .html page that plays the motion; for weights, or
            OpenPose's keypoints, the folder to make.
        body: Give the dancer (smpl-24) other measures: a file of 24 joint offsets in metres (.json .npz).
        points: Save the points of another body as they move with the dancer.
        keypoints: Save what a camera in front sees, in pixels: coco (one .json) or openpose (a folder of them).
        size: Size of the picture that the keypoints lie in.
        fps: Frames a second; the motion is resampled.
        music: The sound of a page.
        theme: Colours of a page.
    """
    if music is not None and target.suffix.lower() != PAGE:
        raise UsageError(f"{target}: only a page has music; give a name that ends in {PAGE}")
    from ictus.formats import SUFFIXES
    from ictus.registry import checkpoint_converter

    if not source.is_dir():
        check_kind(source, (*SUFFIXES, ".pt", ".pth"))
    convert = checkpoint_converter(source)
    if convert is None:
        motion = _convert_motion(source, target, body=body, points=points, keypoints=keypoints, size=size, fps=fps)
        if target.suffix.lower() == PAGE:
            from ictus.render.page import page

            with progress_bar(target.name) as progress:
                page(motion, music, target, theme=theme, progress=progress)
        frames = counted(len(motion), "frames")
        say(f"{source} -> {target} ({motion.skeleton.name}, {frames} at {motion.fps:g} a second)")
        return 0
    if body or points or keypoints or fps:
        raise UsageError(f"{source}: is a checkpoint; --body, --points, --keypoints and --fps are for motions")
    if target.suffix or target.is_file():
        raise UsageError(f"{target}: a checkpoint becomes a folder; give a name without a suffix")
    network = convert(source, target)
    parameters = sum(p.numel() for p in network.parameters())
    say(f"{source} -> {target} ({type(network).__name__}, {parameters:,} parameters)")
    return 0


def _convert_motion(
    source: Path,
    target: Path,
    *,
    body: Path | None,
    points: str | None,
    keypoints: Literal["coco", "openpose"] | None,
    size: str,
    fps: float | None,
) -> "Motion":
    """Make the file, unless it is a page; return what is in it."""
    from ictus.dance.body import load_body, with_body
    from ictus.formats import SUFFIXES
    from ictus.io import save_keypoints
    from ictus.motion import Motion
    from ictus.retargeting import fitted
    from ictus.retargeting.body_conversion import convert

    suffix = target.suffix.lower()
    if keypoints is None and suffix not in (*SUFFIXES, PAGE):
        raise UsageError(f"{target}: no motion format has that suffix; known are {' '.join((*SUFFIXES, PAGE))}")
    if keypoints and (suffix != ".json" if keypoints == "coco" else suffix or target.is_file()):
        raise UsageError(f"{target}: " + ("coco is one .json file" if keypoints == "coco" else "openpose is a folder"))
    picture = picture_size(size)
    measures = None if body is None else load_body(body)
    try:
        motion = Motion.load(source)
    except IctusError as error:
        if not _is_of_keypoints(source, picture):
            raise
        raise MotionError(
            f"{source}: holds a player's keypoints, which are no motion; `ictus sound` takes them, and of the film "
            "`ictus pose FILM -o NAME.npz` makes a motion"
        ) from error
    try:
        if measures is not None:
            motion = with_body(fitted(motion, ["smpl-24"]), measures)
        if points is not None and points != motion.skeleton.name:
            motion = convert(fitted(motion, ["smpl-24"]), points)
        motion = motion if fps is None else motion.resample(fps)
        if keypoints:
            motion = save_keypoints(motion, target, keypoints, picture)
    except MotionError as error:
        raise MotionError(f"{source}: {error}") from error
    if not keypoints and suffix != PAGE:
        motion = motion.fitted_for(target)
        motion.save(target)
    return motion


def _is_of_keypoints(source: Path, picture: tuple[int, int]) -> bool:
    from ictus.formats import read_keypoints

    try:
        read_keypoints(source, picture)
    except IctusError:
        return False
    return True
