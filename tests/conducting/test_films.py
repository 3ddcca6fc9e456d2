"""Films of conductors become a corpus in the format of ConductorMotion100."""

import itertools
import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from ictus.cli import main
from ictus.conducting.data import films
from ictus.conducting.data.conductor_motion import ConductorMotion
from ictus.corpora import PreparationResult
from ictus.errors import UsageError
from ictus.features import mel128
from ictus.pose.watch import Watch, watch
from ictus.skeleton import get_skeleton
from people_with_sound import clicks, conducting, nobody, use_boxes, write
from pose.people_on_film import BoxEngine

BODY = get_skeleton("conductor-13")


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of 6.2 s for training, and one of 4 s to validate."""
    root = tmp_path_factory.mktemp("films")
    beats = np.arange(0.0, 7, 0.5)
    write(root / "hall" / "long.mp4", conducting(6.2, beats), clicks(6.2, beats))
    write(root / "short.mp4", conducting(4), clicks(4, [1, 2, 3]))
    (root / "videos.csv").write_text("video,split\nlong,train\nshort,val\n")
    return root


def made(root: Path, out: Path, seconds: int = 2, look: Watch | None = None) -> tuple[PreparationResult, list[str]]:
    """Prepare a corpus as the command does; return also what was said."""
    jobs, lines = films.plan_films(root, out, look or partial(watch, engine=BoxEngine()), seconds=seconds)
    done = films.prepare_films(jobs, out)
    lines += films.list_left_out(root, out, {job.name for job in jobs})
    films.finish_corpus(out)
    return done, [*lines, *done.failures]


def test_films_become_takes_in_the_published_format(two: Path, tmp_path: Path) -> None:
    done, lines = made(two, tmp_path)
    assert (done.made, lines) == (5, [])
    assert json.loads((tmp_path / "prepared.json").read_text())["splits"] == {
        "train": {"takes": 3, "hours": round(6 / 3600, 4)},
        "val": {"takes": 2, "hours": round(4 / 3600, 4)},
    }
    item = ConductorMotion(tmp_path, "train", seconds=2)[1]
    motion = np.asarray(item["motion"])
    assert (item["name"], item["mel"].shape, motion.shape) == ("train/1@0", (180, 128), (60, 13, 2))
    shoulders = motion[:, [BODY.index("left_shoulder"), BODY.index("right_shoulder")]]
    hips = motion[:, [BODY.index("left_hip"), BODY.index("right_hip")]].mean(1)
    assert np.median(np.linalg.norm(shoulders[:, 0] - shoulders[:, 1], axis=-1)) == pytest.approx(0.2, abs=1e-3)
    np.testing.assert_allclose(np.median(hips, 0), [0.5, 0.75], atol=1e-3)
    assert (shoulders[:, 0, 0] > shoulders[:, 1, 0]).all()  # seen from the front, the left one on the picture's right
    about = json.loads((tmp_path / "train" / "1" / "about.json").read_text())
    assert about == {"film": "hall/long.mp4", "start": 2, "seconds": 2, "seen": 1.0}


def test_sound_and_motion_are_of_the_same_seconds(two: Path, tmp_path: Path) -> None:
    made(two, tmp_path)
    beats = np.arange(0.0, 7, 0.5)
    for number in range(3):
        take = tmp_path / "train" / str(number)
        mel, whole = np.load(take / "mel.npy"), mel128(clicks(6.2, beats))
        own, true = (np.diff(m[:, 40:60].mean(1)) for m in (mel, whole[180 * number : 180 * (number + 1)]))
        assert np.corrcoef(own, true)[0, 1] > 0.8  # the container's codec changes the rest
        wrist = np.load(take / "motion.npy")[:, BODY.index("right_wrist"), 1]
        assert wrist[15:45].argmax() % 15 in (0, 1, 14)  # lowest on the beats, twice a second


def test_parts_do_not_reach_across_cuts(tmp_path: Path) -> None:
    scenes = [conducting(2.5), conducting(3.3, background=150), conducting(1.2)]
    write(tmp_path / "in" / "a.mp4", itertools.chain(*scenes), clicks(7))
    made(tmp_path / "in", tmp_path / "out")
    starts = [json.loads(file.read_text())["start"] for file in (tmp_path / "out").glob("*/*/about.json")]
    assert sorted(starts) == [0, 3]


def test_a_film_of_short_scenes_alone_is_named(tmp_path: Path) -> None:
    scenes = [conducting(1.5, background=150 * (k % 2)) for k in range(4)]
    write(tmp_path / "in" / "a.mp4", itertools.chain(*scenes), clicks(6))
    done, lines = made(tmp_path / "in", tmp_path / "out")
    assert done.made == 0
    assert any("a.mp4: is cut into scenes shorter than a part" in line for line in lines)


def test_takes_with_nobody_in_sight_are_left_out_and_listed(tmp_path: Path) -> None:
    write(tmp_path / "in" / "a.mp4", itertools.chain(conducting(2.2), nobody(3), conducting(3)), clicks(8.2))
    done, lines = made(tmp_path / "in", tmp_path / "out")
    assert done.made == 2
    (index,) = json.loads((tmp_path / "out" / "films.json").read_text()).values()
    ((start, why),) = index["left_out"]
    assert (start, index["parts"]) == (3, 2)
    assert why.startswith("nobody is seen in ")
    assert f"a.mp4: from 3 s on, {why}; left out" in "".join(lines)
    takes = sorted(folder.name for folder in (tmp_path / "out").glob("*/*/"))
    assert takes == ["0", "1"]


def test_what_is_there_is_kept_and_a_film_more_moves_no_number(two: Path, tmp_path: Path) -> None:
    made(two, tmp_path)
    before = {file: file.stat().st_mtime_ns for file in tmp_path.glob("*/*/*.npy")}

    def refuse(film: Path, fps: float) -> None:
        raise AssertionError(f"{film} was looked at again")

    assert made(two, tmp_path, look=refuse)[0].made == 0  # type: ignore[arg-type]
    more = tmp_path / "more"
    for film in (two / "hall" / "long.mp4", two / "short.mp4", two / "videos.csv"):
        target = more / film.relative_to(two)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(film.read_bytes())
    write(more / "a.mp4", conducting(2.2), clicks(2.2))
    (more / "videos.csv").write_text("video,split\nlong,train\nshort,val\na,train\n")
    assert made(more, tmp_path)[0].made == 1
    assert (tmp_path / "train" / "3" / "motion.npy").is_file()
    assert {file: file.stat().st_mtime_ns for file in before} == before
    with pytest.raises(UsageError, match="another corpus is there"):
        made(two, tmp_path, seconds=3)
    (more / "videos.csv").write_text("video,split\nlong,val\n")
    with pytest.raises(UsageError, match=r"has hall/long\.mp4 in train, and now it is in val"):
        made(more, tmp_path)


def test_without_a_table_names_decide_and_an_empty_split_is_said(tmp_path: Path) -> None:
    write(tmp_path / "in" / "a.mp4", conducting(2.2), clicks(2.2))
    _, lines = made(tmp_path / "in", tmp_path / "out")
    assert any("a videos.csv (video, split) beside them decides" in line for line in lines)


def test_the_command_names_each_bad_film_in_a_line_and_goes_on(
    two: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_boxes(monkeypatch)
    root, out = tmp_path / "in", tmp_path / "out"
    for name in ("hall/long.mp4", "short.mp4", "videos.csv"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes((two / name).read_bytes())
    write(root / "dumb.mp4", conducting(2.2), None)
    write(root / "empty.mp4", nobody(2.2), clicks(2.2))
    write(root / "one.mp4", itertools.islice(conducting(2), 1), clicks(0.04))
    (root / "bad.mp4").write_bytes(b"garbage" * 100)
    command = ["data", "prepare", "conductor-motion", "--data", str(root), "--out", str(out), "--seconds", "2"]
    assert main(command) == 1
    said = capsys.readouterr()
    assert said.out == f"{out}: 5 takes made; train has 3 (0.00 hours), val has 2 (0.00 hours)\n"
    lines = sorted(said.err.splitlines())
    for line, says in zip(
        lines,
        ("bad.mp4: no film", "dumb.mp4: has no sound", "empty.mp4: nobody is seen", "one.mp4: lasts"),
        strict=True,
    ):
        assert f"ictus: {root}/{says}" in line
    assert main([*command[:-1], "0"]) == 2
    assert main([*command, "--person", "tallest"]) == 2
    assert main(["data", "inspect", "conductor-motion", "--data", str(out)]) == 0


@pytest.mark.slow
def test_a_conductor_is_trained_on_two_films_for_ten_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_boxes(monkeypatch)
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        write(Path("in") / f"{name}.mp4", conducting(9, np.arange(0.0, 10, 0.6)), clicks(9, [1, 2, 3]))
    Path("in/videos.csv").write_text("video,split\na,train\nb,val\n")
    assert main(["data", "prepare", "conductor-motion", "--data", "in", "--out", "corpus", "--seconds", "9"]) == 0
    recipe = "task: conducting.baseline\nmodel: cnn-lstm\ncorpus: {seconds: 9}\n"
    Path("ten.yaml").write_text(f"{recipe}training: {{steps: 10, epochs: 10, batch: 1, workers: 0}}\n")
    assert main(["train", "ten.yaml", "--data", "corpus", "--accelerator", "cpu"]) == 0
    assert "10 steps" in capsys.readouterr().out
