"""`ictus dance`, as a person types it."""

import json
from pathlib import Path

import av
import pytest
import torch

from ictus.cli import main
from ictus.dance.models.fact import FACT, FACTConfig
from ictus.motion import Motion

SMALL = ("--size", "128x128", "--fps", "10")


@pytest.fixture(scope="module")
def dancer(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An untrained FACT with two starts."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("dancer")
    FACT(FACTConfig(219, 16, 2, 32, 1, 1, 2, relative=True, starts=("BR", "WA"))).save_pretrained(folder)
    return str(folder)


def test_a_film_and_all_formats(music: Path, dancer: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outs = [tmp_path / "out" / f"x{suffix}" for suffix in (".mp4", ".npz", ".json", ".pkl", ".bvh", ".glb")]
    arguments = [word for out in outs for word in ("-o", str(out))]
    assert main(["dance", str(music), "--model", dancer, *SMALL, "--genre", "waack", "--json", *arguments]) == 0
    (report,) = json.loads(capsys.readouterr().out)
    assert (report["genre"], report["seconds"], len(report["out"])) == ("WA", 3.0, 6)
    with av.open(str(outs[0])) as film:
        assert {stream.type for stream in film.streams} == {"video", "audio"}
    motions = [Motion.load(out) for out in outs[1:]]
    assert {motion.skeleton.name for motion in motions[:3]} == {"smpl-24"}
    assert motions[0].meta["music"] == music.name
    for motion in motions[1:]:
        assert abs(motion.positions - motions[0].positions).max() < 2e-3


def test_two_dancers_share_a_film_and_have_a_file_each(
    music: Path, dancer: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outs = ["-o", str(tmp_path / "x.mp4"), "-o", str(tmp_path / "x.bvh")]
    assert main(["dance", str(music), "--model", dancer, *SMALL, "--dancers", "2", "--mirror", "--json", *outs]) == 0
    (report,) = json.loads(capsys.readouterr().out)
    assert [Path(out).name for out in report["out"]] == ["x.mp4", "x-1.bvh", "x-2.bvh"]
    left, right = (Motion.load(tmp_path / f"x-{number}.bvh") for number in (1, 2))
    assert right.positions[0, 0, 0] - left.positions[0, 0, 0] > 1
    assert not (tmp_path / "x.bvh").exists()


def test_a_seed_motion_from_a_file(music: Path, dancer: str, tmp_path: Path) -> None:
    assert main(["dance", str(music), "--model", dancer, "-o", str(tmp_path / "a.pkl")]) == 0
    given = ["--seed-motion", str(tmp_path / "a.pkl")]
    assert main(["dance", str(music), "--model", dancer, *given, "-o", str(tmp_path / "b.npz")]) == 0
    assert Motion.load(tmp_path / "b.npz").meta["genre"] is None


def test_who_dances_by_default(music: Path, tmp_path: Path) -> None:
    for name, asked in (("choreographer", []), ("fact", ["--stride", "20"])):
        assert main(["dance", str(music), "-o", str(tmp_path / "a.npz"), *asked]) == 0
        assert Motion.load(tmp_path / "a.npz").meta["model"] == name


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (["--model", "maestro"], "conducts, and does not dance", 1),
        (["--model", "nobody"], "models by name", 1),
        (["--seed-motion", "none.pkl"], "none.pkl: no such file", 1),
        (["--genre", "polka"], "knows no genre 'polka'", 2),
        (["--stride", "50"], "stride 50", 2),
        (["-o", "x.npy"], "cannot make a file with '.npy'", 2),
        (["--size", "big"], "--size big", 2),
    ],
)
def test_bad_input(
    arguments: list[str], words: str, code: int, music: Path, dancer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [] if "--model" in arguments else ["--model", dancer]
    assert main(["dance", str(music), *given, *arguments]) == code
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_one_bad_file_stops_nothing(
    music: Path, dancer: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (music.parent / "broken.wav").write_bytes(b"no sound")
    assert main(["dance", str(music.parent), "--model", dancer, "-o", str(tmp_path / ".npz")]) == 1
    captured = capsys.readouterr()
    assert "broken.wav" in captured.err
    assert "song.wav -> " in captured.out
