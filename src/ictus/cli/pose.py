"""`ictus pose`: a film -> the points of a person in it."""

import itertools
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from ictus import io
from ictus.cli.batch import Plan, plan_files, run_batch, shares
from ictus.cli.console import LabelledBar, part
from ictus.cli.options import Engine, FrameRate, Networks, Outs, Person, Range, command
from ictus.errors import UsageError
from ictus.files import counted

if TYPE_CHECKING:
    from ictus.pose import PoseEstimator, Track
    from ictus.types import Progress

_FILMS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi")
Body = Literal["blaze-75", "solos-47", "coco-17", "conductor-13"]
_SHARE = 0.8  # of the time, that finding takes


@command
def run(
    film: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="FILM")],
    /,
    out: Outs = (),
    skeleton: Body = "blaze-75",
    keypoints: Literal["coco", "openpose"] | None = None,
    person: Person = "largest",
    start: Annotated[float, Range(0)] = 0.0,
    end: Annotated[float | None, Range(0, above=True)] = None,
    fps: FrameRate = None,
    engine: Engine = "blaze",
    networks: Networks = None,
    lift: bool = False,
    json: bool = False,
) -> int:
    """Find a person in a film: body and hands in every picture.

    Args:
        film: Films (.mp4 .mov .mkv .webm .avi), or folders of them.
        out: What to make; may be given several times: .npz .npy .json (keypoints), .mp4 (the film with the skeleton
            drawn over it), .html (a page that plays the body in space), .bvh .glb .pkl (the same for other programs). A
            folder takes .npz files. Without it: an .npz beside the film, which `ictus sound` then takes.
        skeleton: Whose points are saved: blaze-75 (body and hands), solos-47 (a player), coco-17 (a body),
            conductor-13 (as ConductorMotion100 has it).
        keypoints: Save COCO-WholeBody (a .json), or OpenPose (a name without suffix: the folder of its files).
        person: Who, where several people are seen: largest, left, right, or a number from the left.
        start: Second of the film to begin at.
        end: Second of the film to end at.
        fps: Frames a second; without it, those of the film.
        engine: What finds people: blaze (MediaPipe's networks), or rtm (RTMPose, if rtmlib is installed; in the plane
            alone).
        networks: Networks of your own: a folder of .tflite files, or a .task file of MediaPipe; of rtm, a folder of
            detection.onnx and pose.onnx.
        lift: Let the lifter say where joints are in space; for dancers who are seen from head to foot.
        json: Report on stdout as JSON.
    """
    from ictus.pose.engines import get_engine
    from ictus.pose.following import Follower

    Follower(person)  # which knows who can be meant
    films = _films(film)
    plans = _plans(films, out, keypoints)
    find = partial(
        _find,
        get_engine(engine, networks),
        skeleton=skeleton,
        keypoints=keypoints,
        person=person,
        lifted=lift,
        start=start,
        end=end,
        fps=fps,
    )
    return run_batch(plans, find, _described, json, given="film", takes=_FILMS)


def _films(paths: Sequence[Path]) -> list[Path]:
    if not paths:
        raise UsageError("no film given; name a film or a folder of them")
    films: list[Path] = []
    for path in paths:
        inside = sorted(p for p in path.iterdir() if p.suffix.lower() in _FILMS) if path.is_dir() else [path]
        if not inside:
            raise UsageError(f"{path}: no films in this folder; it may hold {' '.join(_FILMS)}")
        films += inside
    return films


def _plans(films: Sequence[Path], outs: Sequence[str], keypoints: str | None) -> list[Plan]:
    """Return what shall be made of each film; with OpenPose, a name without suffix is a folder to make."""
    folders = [Path(out) for out in outs if keypoints == "openpose" and not Path(out).suffix]
    files = [out for out in outs if Path(out) not in folders]
    if keypoints == "openpose" and not folders:
        raise UsageError("OpenPose's keypoints are a folder; give its name to -o, without a suffix")
    if folders and len(films) > 1:
        raise UsageError("OpenPose's keypoints are a folder for each film; give one film")
    if keypoints == "coco" and not any(out.lower().endswith(".json") for out in outs):
        raise UsageError("COCO's keypoints are a .json file; name one with -o")
    plans = plan_files(films, files, io.FILES["pose"], ".npz", _FILMS) if files or not folders else [(films[0], [])]
    return [(film, [*planned, *folders]) for film, planned in plans]


def _find(
    engine: "PoseEstimator",
    film: Path,
    outs: Sequence[Path],
    progress: "Progress",
    *,
    skeleton: str,
    keypoints: Literal["coco", "openpose"] | None,
    lifted: bool,
    **options: Any,
) -> dict[str, Any]:
    from ictus.pose import track

    begun = time.perf_counter()
    found = track(film, engine=engine, progress=with_speed(part(progress, 0, _SHARE), progress), **options)
    took = time.perf_counter() - begun
    for out, share in zip(outs, shares(progress, _SHARE, len(outs)), strict=True):
        io.save_track(found, out, skeleton, keypoints, share, lifted=lifted)
    return {"out": [str(out) for out in outs], **described(found), "frames_a_second": round(len(found) / took, 1)}


def with_speed(progress: "Progress", bar: "Progress") -> "Progress":
    """Let a bar say how many frames a second there have been; a track reports progress once for each."""
    begun, frames = time.perf_counter(), itertools.count(1)

    def show(fraction: float) -> None:
        speed = next(frames) / max(time.perf_counter() - begun, 1e-6)
        if isinstance(bar, LabelledBar):
            bar.note(f"{speed:.0f} frames a second")
        progress(fraction)

    return show


def described(track: "Track") -> dict[str, Any]:
    """Return what there is to report of a track."""
    hands = {
        side: round(float((track.confidence[:, track.skeleton.index(f"{side}_hand_wrist")] > 0).mean()), 3)
        for side in ("left", "right")
        if f"{side}_hand_wrist" in track.skeleton.joints
    }
    return {
        "frames": len(track),
        "fps": round(track.fps, 3),
        "seen": round(float(track.seen.mean()), 3),
        "hands": hands,
        "nobody": [[round(first, 2), round(last, 2)] for first, last in track.nobody],
        "cuts": [round(track.start + cut, 2) for cut in track.cuts],
    }


def _described(report: dict[str, Any]) -> str:
    notes = [f"{counted(report['frames'], 'frames')} at {report['fps']:g} a second"]
    notes += [f"somebody in {report['seen']:.0%} of them"]
    notes += [f"{side} hand in {share:.0%}" for side, share in report["hands"].items()]
    if report["nobody"]:
        gaps = [f"{first:.1f}-{last:.1f} s" for first, last in report["nobody"][:5]]
        notes.append(f"nobody at {', '.join(gaps)}{' and more' if len(report['nobody']) > 5 else ''}")
    if report["cuts"]:
        notes.append(f"{counted(len(report['cuts']), 'cuts')}, the first at {report['cuts'][0]:.1f} s")
    outs = ", ".join(report["out"])
    return f"{report['film']} -> {outs} ({'; '.join(notes)}; {report['frames_a_second']:.1f} frames a second)"
