"""Films of players become clips in which picture, keypoints and sound stay together."""

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ictus import video_io
from ictus.audio import Audio
from ictus.corpora import PreparationResult, hashed_split, run_jobs
from ictus.errors import IctusError, UsageError
from ictus.features import mel80
from ictus.sound.data import frame_features, video_index
from ictus.sound.data.dataset import MelWindows, find_performances
from ictus.sound.data.inspection import inspect_performances
from ictus.sound.data.preparation import ClipSettings, finish_corpus, plan_clips, prepare_video, write_ids
from sound.raw_films import (
    HEIGHT,
    RATE,
    SIDE,
    SPEED,
    WIDTH,
    clicking,
    moment,
    onsets,
    read_film,
    write_film,
    write_keypoints,
)

CLICKS = (1.0, 2.2, 3.1, 4.9)
WRIST = 3


def uneven(seconds: float = 6.0) -> list[float]:
    """Times of pictures of a film whose rate varies between 12 and 60 a second."""
    times = np.cumsum(np.random.default_rng(0).choice([1 / 60, 1 / 30, 1 / 12], 400))
    return [0.0, *times[times < seconds]]


def made(data: Path, out: Path, cutting: ClipSettings | None = None, **choices: object) -> PreparationResult:
    """Prepare a corpus as the command does."""
    found, _ = video_index.find_videos(data, **choices)  # type: ignore[arg-type]
    done = run_jobs(
        prepare_video,
        plan_clips(found, cutting or ClipSettings(2.0), out),
        progress=lambda fraction: None,
        report=lambda line: None,
    )
    finish_corpus(out)
    return done


def clips(out: Path) -> list[Path]:
    return sorted(path.parent for path in out.glob("*/*/about.json"))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two players, one of them with keypoints of 25 a second, the other without any; six seconds each."""
    root = tmp_path_factory.mktemp("films")
    write_film(root / "Cello" / "abc.mp4", clicks=CLICKS)
    write_keypoints(root / "Cello" / "abc.npy", np.arange(150) / 25)
    write_film(root / "DoubleBass" / "-x_y.mp4", clicks=CLICKS)
    return root


@pytest.mark.parametrize(
    ("name", "choices"),
    [
        ("plain.mp4", {}),
        ("american.mp4", {"fps": 30000 / 1001}),
        ("uneven.mp4", {"times": uneven()}),
        ("sound_late.mp4", {"sound_from": 0.7}),
        ("pictures_late.mkv", {"pictures_from": 0.5, "sound_from": 0.3}),
    ],
)
def test_films_are_read_by_time(tmp_path: Path, name: str, choices: dict[str, object]) -> None:
    film = video_io.probe(write_film(tmp_path / name, clicks=CLICKS, **choices))  # type: ignore[arg-type]
    assert film.seconds == pytest.approx(6, abs=0.1)
    assert film.size == (WIDTH, HEIGHT)
    shown = [moment(picture.to_ndarray(format="rgb24")) for picture in video_io.video_frames(film)]
    assert len(shown) == round(film.seconds * 25)
    late = np.array(shown) - np.arange(len(shown)) / 25
    assert np.abs(late).max() <= np.diff(film.times).max() / 2 + 0.005  # the nearest picture that there is
    assert abs(late.mean()) < 0.003
    sound = np.concatenate(list(video_io.sound_blocks(film)))
    np.testing.assert_allclose(onsets(sound, 22050), CLICKS, atol=0.002)
    (one,) = [
        number for number, block in enumerate(video_io.fixed_blocks(video_io.sound_blocks(film), 22050)) if number == 2
    ]
    piece = list(video_io.fixed_blocks(video_io.sound_blocks(film), 22050))[one]
    np.testing.assert_array_equal(piece, sound[2 * 22050 : 3 * 22050])


@pytest.mark.parametrize("stretch", [0.86, 1.25])
def test_stretched_sound_keeps_its_pitch_and_its_time(stretch: float) -> None:
    times = np.arange(0.5, 9.5, 0.7)
    blocks = np.array_split(clicking(10, times.tolist()), 37)
    slow = np.concatenate(list(video_io.time_stretched([*blocks, np.zeros(0, np.float32)], RATE, stretch)))
    assert len(slow) / RATE == pytest.approx(10 / stretch, abs=0.03)
    np.testing.assert_allclose(onsets(slow, RATE), times / stretch, atol=0.012)
    tone = np.abs(np.fft.rfft(slow[round((times[2] + 0.1) / stretch * RATE) :][:16384] * np.hanning(16384)))
    assert np.argmax(tone) * RATE / 16384 == pytest.approx(330, abs=3)


@pytest.mark.parametrize(("stretch", "pictures"), [(1.0, 50), (0.86, 43)])
def test_picture_keypoints_and_sound_stay_together(corpus: Path, tmp_path: Path, stretch: float, pictures: int) -> None:
    out = tmp_path / "out"
    done = made(corpus, out, ClipSettings(2.0, stretch, pictures=True), instruments=["cello"])
    assert done == PreparationResult(3)
    folders = clips(out)
    assert [folder.name for folder in folders] == [f"cello-abc-{number:04d}" for number in range(3)]
    for number, folder in enumerate(folders):
        begin = 2 * stretch * number  # in the film
        about = json.loads((folder / "about.json").read_text())
        assert about["start"] == pytest.approx(begin)
        expected = [(click - begin) / stretch for click in CLICKS if 0 <= click - begin < 2 * stretch]
        times, moments, clicks = read_film(folder / "film.mp4")
        assert len(times) == pictures
        np.testing.assert_allclose(np.diff(times), 1 / (25 * stretch), atol=1e-3)
        np.testing.assert_allclose(moments, begin + times * stretch, atol=0.02)  # half a picture of the film's 30
        np.testing.assert_allclose(clicks, expected, atol=0.012)
        samples, rate = soundfile.read(folder / "sound.flac", dtype="float32")
        assert (rate, samples.shape) == (22050, (44100,))
        np.testing.assert_allclose(onsets(samples, rate), expected, atol=0.012)
        np.testing.assert_allclose(np.load(folder / "mel.npy"), mel80(Audio(samples, rate)), atol=0.02)
        points = np.load(folder / "keypoints.npy")
        assert points.shape == (50, 47, 3)
        seen_at = (points[:, WRIST, 0] - SIDE) / SPEED
        np.testing.assert_allclose(seen_at, begin + np.arange(50) / 25 * stretch, atol=1e-4)
    found = find_performances(out, folders[0].parent.name, ("keypoints",))
    assert [one.instrument for one in found.performances] == [0, 0, 0]
    assert not found.broken


def test_keypoints_of_each_picture_of_an_uneven_film(tmp_path: Path) -> None:
    times = uneven()
    film = video_io.probe(write_film(tmp_path / "a.mp4", times=times))
    path = write_keypoints(tmp_path / "a.npz", times, mediapipe=True)
    video = video_index.Video("a", "cello", "train", film.file, path)
    found = frame_features.load_keypoints(video, film)
    wrist = (found.values[:, WRIST, 0] - SIDE) / SPEED  # in pixels: the film's size is known
    seconds = np.arange(len(wrist)) / 25
    assert found.rate == 25
    assert len(wrist) == pytest.approx(film.seconds * 25, abs=2)
    inside = seconds <= times[-1] - 0.05  # beyond the last it stays
    np.testing.assert_allclose(wrist[inside], seconds[inside], atol=0.01)


def test_keypoints_of_all_videos_in_one_array(corpus: Path, tmp_path: Path) -> None:
    own = np.load(write_keypoints(tmp_path / "own.npy", np.arange(150) / 25))
    rest = np.ones((20, 3, 47), np.float32)
    np.concatenate([rest, own, rest]).tofile(tmp_path / "skeleton.npy")
    (tmp_path / "skeleton_dict.json").write_text(json.dumps({"-x_y": [20, 170], "_counter": 190}))
    found, lines = video_index.find_videos(corpus, skeletons=tmp_path / "skeleton.npy")
    assert not lines
    bass = next(video for video in found if video.name == "-x_y")
    assert (bass.instrument, bass.keypoints) == ("double bass", None)
    film = video_io.probe(bass.film)
    np.testing.assert_allclose(frame_features.load_keypoints(bass, film).values[:, WRIST, 0], own[:, 0, WRIST])
    missing = bass.__class__("other", None, "train", bass.film, None, bass.skeletons)
    with pytest.raises(IctusError, match="no video 'other'"):
        frame_features.load_keypoints(missing, film)


def test_keypoints_that_do_not_belong_are_refused(corpus: Path, tmp_path: Path) -> None:
    film = video_io.probe(corpus / "Cello" / "abc.mp4")
    for count in (100, 240):
        path = write_keypoints(tmp_path / f"{count}.npy", np.arange(count) / 25)
        video = video_index.Video("abc", "cello", "train", film.file, path)
        with pytest.raises(IctusError, match=f"{count} rows.*keypoint rate"):
            frame_features.load_keypoints(video, film)
    assert len(frame_features.load_keypoints(video, film, rate=40).values) == 150


def test_features(corpus: Path, tmp_path: Path) -> None:
    film = video_io.probe(corpus / "Cello" / "abc.mp4")
    values = np.random.default_rng(0).random((129, 1024)).astype(np.float32)
    np.save(tmp_path / "a.npy", values)
    np.savez(tmp_path / "a.npz", rgb=values, flow=2 * values, fps=21.5)
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(values))
    for suffix in (".npy", ".npz", ".pkl"):
        found = frame_features.load_features(tmp_path / f"a{suffix}", "flow", film, rate=21.5, stretch=0.5)
        assert found.rate == 10.75
        np.testing.assert_array_equal(found.values, 2 * values if suffix == ".npz" else values)
        np.testing.assert_array_equal(found.cut(4.0, 4.0), found.values[43:86])
    np.testing.assert_array_equal(found.cut(8.0, 4.1), [*found.values[86:], found.values[-1]])
    with pytest.raises(IctusError, match=r"a\.npy: 129 rows, 25 a second, last 5\.2 s, but the film 6\.5 s"):
        frame_features.load_features(
            tmp_path / "a.npy", "rgb", video_io.Film(film.file, film.times, 6.5, 6.5, 0.0, (2, 2)), rate=25
        )
    np.save(tmp_path / "b.npy", values[:, :64])
    with pytest.raises(IctusError, match=r"b\.npy: rgb is float32 of shape \(129, 64\)"):
        frame_features.load_features(tmp_path / "b.npy", "rgb", film)
    (tmp_path / "c.pkl").write_bytes(pickle.dumps(Path("x")))
    with pytest.raises(IctusError, match=r"c\.pkl: is refused"):
        frame_features.load_features(tmp_path / "c.pkl", "rgb", film)
    (tmp_path / "d.npz").write_bytes(b"PK")
    with pytest.raises(IctusError, match=r"d\.npz: is no NumPy archive"):
        frame_features.load_features(tmp_path / "d.npz", "rgb", film)


def test_each_bad_film_is_a_line_and_the_others_go_on(corpus: Path, tmp_path: Path) -> None:
    data, out = tmp_path / "films", tmp_path / "out"
    good = shutil.copytree(corpus / "Cello", data / "Cello") / "abc.mp4"
    write_film(data / "Cello" / "mute.mp4", 2.0, sound=False)
    write_film(data / "Cello" / "short.mp4", 1.0)
    (data / "Cello" / "garbage.mp4").write_bytes(bytes(range(256)) * 40)
    (data / "Cello" / "empty.mp4").touch()
    (data / "Cello" / "cut.mp4").write_bytes(good.read_bytes()[:9000])
    soundfile.write(tmp_path / "tone.wav", np.zeros(44100), 44100)
    shutil.move(tmp_path / "tone.wav", data / "Cello" / "blind.mp4")
    shutil.copy(good, data / "Cello" / "lost.mp4")
    (data / "Cello" / "lost.npy").write_bytes(b"nothing")
    done = made(data, out)
    assert done.made == 3
    expected = {
        "mute.mp4": "has no sound",
        "short.mp4": "lasts 1.0 s",
        "garbage.mp4": "no film",
        "empty.mp4": "empty",
        "cut.mp4": "breaks off after 0.2 of 6.0 s",
        "blind.mp4": "has no pictures",
        "lost.npy": "no NumPy array",
    }
    assert len(done.failures) == len(expected)
    for name, says in expected.items():
        (line,) = [line for line in done.failures if line.startswith(str(data / "Cello" / name))]
        assert says in line
        assert "\n" not in line


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_a_film_that_breaks_off_gives_what_there_is(tmp_path: Path, suffix: str) -> None:
    whole = write_film(tmp_path / f"whole{suffix}", clicks=CLICKS)
    content, film = whole.read_bytes(), tmp_path / "films" / f"a{suffix}"
    film.parent.mkdir()
    film.write_bytes(content[: len(content) * 2 // 3])
    done = made(film.parent, tmp_path / "out")
    assert done.made in (1, 2)
    assert len(done.failures) == 1
    assert done.failures[0].startswith(f"{film}: breaks off after ")
    for number, clip in enumerate(clips(tmp_path / "out")):
        samples, rate = soundfile.read(clip / "sound.flac")
        expected = [click - 2 * number for click in CLICKS if 0 <= click - 2 * number < 2]
        np.testing.assert_allclose(onsets(samples, rate), expected, atol=0.002)
    film.write_bytes(content)
    assert made(film.parent, tmp_path / "out") == PreparationResult(3 - done.made)


def test_what_is_there_is_kept_and_what_is_missing_made(corpus: Path, tmp_path: Path) -> None:
    data, out = shutil.copytree(corpus, tmp_path / "films"), tmp_path / "out"
    assert made(data, out).made == 6
    content = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in out.glob("*/*/*")}
    assert made(data, out).made == 0
    lost = next(path for path in clips(out) if path.name == "cello-abc-0001")
    shutil.rmtree(lost)
    (data / "DoubleBass" / "-x_y.mp4").write_bytes(b"its clips are all there: it is not opened")
    assert made(data, out) == PreparationResult(1)
    for path, (was, when) in content.items():
        assert path.read_bytes() == was
        assert path.parent == lost or path.stat().st_mtime_ns == when
    shutil.copy(corpus / "DoubleBass" / "-x_y.mp4", data / "DoubleBass")
    write_keypoints(data / "DoubleBass" / "-x_y.npy", np.arange(150) / 25)
    assert made(data, out) == PreparationResult(3)  # their keypoints have come
    assert all((path / "keypoints.npy").is_file() for path in clips(out))
    assert made(data, out, ClipSettings(2.0, pictures=True)) == PreparationResult(6)
    (lost / "film.mp4").unlink()
    assert made(data, out, ClipSettings(2.0, pictures=True)) == PreparationResult(1)
    assert read_film(lost / "film.mp4")[1][0] == pytest.approx(2.0, abs=0.02)  # not the film's first pictures
    assert not (out / ".unfinished").exists()
    index = json.loads((out / "index.json").read_text())
    assert index["double_bass--x_y-0002"]["start"] == 4.0
    assert {clip["video"]: clip["instrument"] for clip in index.values()} == {"abc": "cello", "-x_y": "double bass"}
    with pytest.raises(UsageError, match=r"another corpus is there \(seconds, stretch"):
        made(data, out, ClipSettings(4.0, 0.86))


def test_videos_are_split_whole_and_for_good(corpus: Path, tmp_path: Path) -> None:
    names = [f"video{number}" for number in range(4000)]
    splits = [hashed_split(name) for name in names]
    for split, share in {"train": 0.8, "val": 0.1, "test": 0.1}.items():
        assert splits.count(split) / len(names) == pytest.approx(share, abs=0.02)
    assert splits != [hashed_split(name, seed=1) for name in names]
    assert [hashed_split(name) for name in ("3HgbEKrbA9s", "hSPeJm9-XF4")] == ["val", "test"]
    table = tmp_path / "table.csv"
    table.write_text("video,instrument,split\nabc,,test\n-x_y,Violin,val\n")
    out = tmp_path / "out"
    made(corpus, out, table=table)
    assert {path.parent.name + "/" + path.name[:-5] for path in clips(out)} == {"test/cello-abc", "val/violin--x_y"}
    table.write_text("video,split\nabc,train\n")
    with pytest.raises(UsageError, match="clips of abc as test/cello-abc, and now they are train/cello-abc"):
        made(corpus, out, table=table, instruments=["cello"])
    table.write_text("video,split\nabc,training\n")
    with pytest.raises(UsageError, match="abc is in split 'training'"):
        made(corpus, out, table=table)


def test_folders_are_looked_through(corpus: Path, tmp_path: Path) -> None:
    found, lines = video_index.find_videos(corpus)
    assert [(video.name, video.instrument, video.parts) for video in found] == [
        ("-x_y", "double bass", ()),
        ("abc", "cello", ("keypoints",)),
    ]
    assert lines == [f"{corpus}: 1 videos have keypoints, but not -x_y"]
    with pytest.raises(UsageError, match="no such folder"):
        video_index.find_videos(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="no films in it"):
        video_index.find_videos(tmp_path)
    with pytest.raises(UsageError, match="none of its 2 films shows tuba"):
        video_index.find_videos(corpus, instruments=["tuba"])
    flat = tmp_path / "flat"
    for name in ("one.mp4", "two.webm", "._one.mp4", "two.mp4.part"):
        write_film(tmp_path / "x.mp4", 0.2)
        flat.mkdir(exist_ok=True)
        shutil.copy(tmp_path / "x.mp4", flat / name)
    (flat / "one_rgb.pkl").touch()
    (flat / "one_feat.npz").touch()
    (flat / "two").mkdir()
    (flat / "videos.csv").write_text("video,instrument\none,Horn\n")
    one, two = video_index.find_videos(flat)[0]
    assert (one.instrument, two.instrument, two.stem) == ("horn", None, "unknown-two")
    assert one.features == {"rgb": flat / "one_rgb.pkl", "flow": flat / "one_feat.npz"}
    assert two.keypoints == flat / "two"


def test_ids_that_are_wanted(corpus: Path, tmp_path: Path) -> None:
    ids = tmp_path / "ids.json"
    ids.write_text(json.dumps({"Cello": ["abc", "def"], "DoubleBass": ["ghi"], "Tuba": {"jkl": [[0, 9]]}}))
    found, _ = video_index.find_videos(corpus)
    assert write_ids(tmp_path, video_index.read_ids(ids), found) == ["def", "ghi", "jkl"]
    assert (tmp_path / "ids.txt").read_text().split("\n") == [
        *("# cello", "def", "# double bass", "ghi", "# tuba", "jkl", ""),
    ]
    assert video_index.read_ids(ids, ["double bass"]) == {"ghi": "double bass"}
    (tmp_path / "ids.txt").write_text("abc\nxyz\n")
    assert video_index.read_ids(tmp_path / "ids.txt") == {"abc": None, "xyz": None}
    ids.write_text("3")
    with pytest.raises(UsageError, match="no list of ids"):
        video_index.read_ids(ids)


@pytest.mark.parametrize("choice", [{"seconds": 0.5}, {"stretch": 3}, {"seconds": 5, "stretch": 0.86}])
def test_clips_that_cannot_be_cut(choice: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="choose"):
        ClipSettings(**choice)  # type: ignore[arg-type]


def test_corpora_are_inspected(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    made(corpus, out)
    shares = {share.instrument: share for share in inspect_performances(out).shares}
    cello, bass = shares["cello"], shares["double bass"]
    assert (cello.clips, cello.videos, cello.with_keypoints, cello.seen) == (3, 1, 3, 1.0)
    assert (bass.clips, bass.with_keypoints, bass.seen) == (3, 0, None)
    assert cello.hours == pytest.approx(6 / 3600, rel=0.01)
    of_cello = [path for path in clips(out) if path.name.startswith("cello")]
    points = np.load(of_cello[0] / "keypoints.npy")
    points[:, :, 2] = 0.2  # all of them filled
    np.save(of_cello[0] / "keypoints.npy", points)
    np.save(of_cello[1] / "keypoints.npy", points[:, :40])
    np.save(of_cello[2] / "mel.npy", np.full((172, 80), np.nan, np.float16))
    (next(path for path in clips(out) if path not in of_cello) / "about.json").unlink()
    other = next(split for split in ("train", "val", "test") if split != of_cello[0].parent.name)
    shutil.copytree(of_cello[0], out / other / "cello-copy-0000")
    found = inspect_performances(out)
    lines_of = {str(path): [line for line in found.broken if line.startswith(str(path))] for path in of_cello}
    assert [len(lines) for lines in lines_of.values()] == [0, 1, 1]
    assert any("in more than one split: abc" in line for line in found.broken)
    assert len(found.broken) == 4
    assert sum(share.with_keypoints for share in found.shares) == 2
    assert all(share.seen == 0 for share in found.shares if share.with_keypoints)


def test_real_films(shared_data: Path, tmp_path: Path) -> None:
    """Mels of mono films are those that were published with them; features keep their rows."""
    source = shared_data / "specvqgan_clips"
    if not source.is_dir():
        pytest.skip("needs ../shared/data/specvqgan_clips")
    films_of = {"Drum": "drum_video_02480", "Harp": "harp_6zlMP_kQ_-w_30000_40000"}
    for instrument, name in films_of.items():
        (tmp_path / instrument).mkdir()
        for suffix in (".mp4", "_feat.npz"):
            shutil.copy(source / (name + suffix), tmp_path / instrument)
    assert made(tmp_path, tmp_path / "out", ClipSettings()) == PreparationResult(2)
    for clip in clips(tmp_path / "out"):
        name = json.loads((clip / "about.json").read_text())["video"]
        mel, shipped = np.load(clip / "mel.npy"), np.load(source / f"{name}_mel.npy").T
        assert np.abs(mel[:850] - shipped[:850]).mean() < (0.003 if name.startswith("drum") else 0.025)
        with np.load(source / f"{name}_feat.npz") as archive:
            np.testing.assert_array_equal(np.load(clip / "rgb.npy"), archive["rgb"][:215])
        window = MelWindows(tmp_path / "out", clip.parent.name, kinds=("rgb", "flow"))[0]
        assert window["mel"].shape == (80, 848)  # type: ignore[union-attr]
