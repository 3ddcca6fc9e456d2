"""`ictus convert`: motion from one format to another, and published checkpoints into folders of this package."""

from pathlib import Path
from typing import Annotated

import tyro

from ictus.cli.console import say
from ictus.errors import UsageError

CHECKPOINTS = (".pt", ".pth", ".pth.tar")


def run(
    source: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="IN")],
    target: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT")],
    /,
) -> int:
    """Convert a motion file, or an official checkpoint.

    Args:
        source: A motion (.npz .npy .json .bvh .glb), or VirtualConductor's published weights (.pt).
        target: A motion file whose suffix names the format, or for weights the folder to make.
    """
    if source.suffix.lower() in CHECKPOINTS:
        from ictus.conducting.official import convert

        if target.suffix or target.is_file():
            raise UsageError(f"{target}: a checkpoint becomes a folder; give a name without a suffix")
        network = convert(source, target)
        parameters = sum(p.numel() for p in network.parameters())
        say(f"{source} -> {target} ({type(network).__name__}, {parameters:,} parameters)")
        return 0
    _convert_motion(source, target)
    return 0


def _convert_motion(source: Path, target: Path) -> None:
    from ictus.conducting.projection import lift, project
    from ictus.formats import SUFFIXES
    from ictus.motion import Motion

    if target.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{target}: no motion format has that suffix; known are {' '.join(SUFFIXES)}")
    motion = Motion.load(source)
    if target.suffix.lower() == ".npy" and motion.skeleton.name == "conductor-23":
        motion = project(motion).resample(30)
    if target.suffix.lower() in (".bvh", ".glb") and motion.skeleton.name == "conductor-13":
        motion = lift(motion)
    motion.save(target)
    say(f"{source} -> {target} ({motion.skeleton.name}, {len(motion)} frames at {motion.fps:g} a second)")
