"""From a film to a track and a motion, with an engine that needs no network."""

import logging
import struct
from pathlib import Path

import numpy as np
import pytest

from ictus.errors import IctusError, MotionError, UsageError
from ictus.pose import estimate, track
from pose.people_on_film import BODY, SIZE, BoxEngine, picture, walking, write_people

NOSE = BODY.index("nose")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_people(tmp_path_factory.mktemp("film") / "walk.mp4", walking(50))


def test_a_walk_is_followed_from_the_first_picture_to_the_last(film: Path) -> None:
    found = track(film, engine=BoxEngine())
    assert len(found) == 50
    assert found.fps == pytest.approx(25)
    assert (found.size, found.cuts, found.nobody) == (SIZE, (), [])
    np.testing.assert_allclose(found.points[:, NOSE, 0], 25 + np.arange(50), atol=1.5)
    np.testing.assert_allclose(found.confidence[:, NOSE], 0.9, rtol=1e-6)
    assert found.world is not None


def test_a_motion_of_solos(film: Path) -> None:
    motion = estimate(film, engine=BoxEngine())
    assert (motion.skeleton.name, motion.positions.shape) == ("solos-47", (50, 47, 2))
    assert motion.meta["film"] == "walk.mp4"


def test_a_part_at_another_rate(film: Path) -> None:
    found = track(film, engine=BoxEngine(), start=0.4, end=1.2, fps=12.5)
    assert (len(found), found.fps, found.start) == (10, 12.5, 0.4)
    np.testing.assert_allclose(found.points[:, NOSE, 0], 35 + 2 * np.arange(10), atol=2)


def test_a_film_of_varying_rate_keeps_its_time(tmp_path: Path) -> None:
    times = np.cumsum(np.where(np.arange(50) % 2, 0.02, 0.06))
    times -= times[0]
    pictures = [picture([(10 + round(25 * t), 20, 40 + round(25 * t), 80)]) for t in times]
    found = track(write_people(tmp_path / "vfr.mp4", pictures, times=times.tolist()), engine=BoxEngine())
    shown = 25 + 25 * np.arange(len(found)) / found.fps
    assert np.abs(found.points[:, NOSE, 0] - shown).max() < 2.5


def test_a_film_that_is_to_be_turned(film: Path, tmp_path: Path) -> None:
    """The telephone's display matrix: a quarter with the clock."""

    def matrix(*numbers: int) -> bytes:
        return struct.pack(">9i", *(n << (30 if place % 3 == 2 else 16) for place, n in enumerate(numbers)))

    content, plain = film.read_bytes(), matrix(1, 0, 0, 0, 1, 0, 0, 0, 1)
    place = content.index(plain, content.index(b"tkhd"))
    turned = tmp_path / "turned.mp4"
    turned.write_bytes(content[:place] + matrix(0, 1, 0, -1, 0, 0, 0, 0, 1) + content[place + len(plain) :])
    found = track(turned, engine=BoxEngine())
    assert found.size == SIZE[::-1]
    down = found.points[:, NOSE, 1]
    assert down[-1] - down[0] == pytest.approx(49, abs=3)  # what walked to the right walks down
    assert np.ptp(found.points[:, NOSE, 0]) < 2


def test_short_gaps_are_filled_and_long_ones_are_named(film: Path, tmp_path: Path) -> None:
    found = track(film, engine=BoxEngine(lambda number: number in (5, 6, 7)))
    assert found.nobody == []
    np.testing.assert_allclose(found.points[5:8, NOSE, 0], [30, 31, 32], atol=1.5)
    np.testing.assert_allclose(found.confidence[5:8, NOSE], 0.2)
    found = track(film, engine=BoxEngine(lambda number: 10 <= number < 30), start=0.2)
    assert found.nobody == [pytest.approx((0.6, 1.4))]
    assert not found.confidence[10:30].any()


def test_points_beside_the_picture_are_guesses(tmp_path: Path) -> None:
    """What is seen of a body at the edge is not all of it."""
    film = write_people(tmp_path / "edge.mp4", (picture([(140, 20, 160, 96)]) for _ in range(10)))
    found = track(film, engine=BoxEngine(wider=2))
    outside = (found.points < 0).any(-1) | (found.points >= SIZE).any(-1)
    assert outside.any()
    assert found.confidence[outside].max() <= 0.2 + 1e-6
    np.testing.assert_allclose(found.confidence[~outside], 0.9, rtol=1e-6)


def test_a_cut_to_another_player(tmp_path: Path) -> None:
    """The other scene is light all over but for its player's frame, so that it is another picture."""
    scenes = [*walking(30), *(picture([(100, 5, 150, 95)], background=150) for _ in range(30))]
    found = track(write_people(tmp_path / "cut.mp4", scenes), engine=BoxEngine())
    assert found.cuts == pytest.approx((1.2,))
    assert abs(found.points[29, NOSE, 0] - 54) < 2
    assert abs(found.points[30, NOSE, 0] - 125) < 2


def test_of_several_people_the_one_that_is_asked_for(tmp_path: Path) -> None:
    film = write_people(tmp_path / "two.mp4", walking(30, still=[(110, 5, 155, 90)]))
    assert track(film, engine=BoxEngine(), person="left").points[-1, NOSE, 0] < 70
    assert track(film, engine=BoxEngine(), person="largest").points[-1, NOSE, 0] > 110
    with pytest.raises(MotionError, match="nobody is seen"):
        track(film, engine=BoxEngine(), person="3")
    with pytest.raises(UsageError, match="no person is called"):
        track(film, engine=BoxEngine(), person="tallest")


def test_progress_comes_with_every_picture(film: Path) -> None:
    said: list[float] = []
    track(film, engine=BoxEngine(), progress=said.append)
    assert len(said) == 50
    assert said == sorted(said)
    assert said[-1] == 1


def test_one_picture(tmp_path: Path) -> None:
    found = track(write_people(tmp_path / "one.mp4", walking(1)), engine=BoxEngine())
    assert found.points.shape == (1, 75, 2)


def test_grey_pictures(tmp_path: Path) -> None:
    import av

    path = tmp_path / "grey.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "gray"
        for pixels in walking(10):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels[..., 0], format="gray")))
        container.mux(stream.encode(None))
    assert len(track(path, engine=BoxEngine())) == 10


def test_nobody_in_the_film(tmp_path: Path) -> None:
    film = write_people(tmp_path / "empty.mp4", (picture([]) for _ in range(10)))
    with pytest.raises(MotionError, match=r"empty\.mp4: nobody is seen in its 10 pictures"):
        track(film, engine=BoxEngine())


def test_damage_in_the_middle_is_said_and_what_follows_is_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    film = write_people(tmp_path / "hurt.mp4", walking(100))
    content = bytearray(film.read_bytes())
    start = content.index(b"mdat") + (content.index(b"moov") - content.index(b"mdat")) // 3
    content[start : start + 600] = bytes(600)
    film.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        found = track(film, engine=BoxEngine())
    assert len(found) == 100
    assert abs(found.points[-1, NOSE, 0] - 124) < 2


def test_a_film_that_breaks_off(tmp_path: Path) -> None:
    film = write_people(tmp_path / "cut.mkv", walking(100))
    film.write_bytes(film.read_bytes()[: film.stat().st_size * 2 // 3])
    found = track(film, engine=BoxEngine())
    assert 40 < len(found) < 90


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": 3.0}, "lasts 2.00 s; there is nothing in it from 3 s on"),
        ({"start": 1.0, "end": 0.5}, "there is nothing"),
        ({"engine": "eyes"}, "no engine is called 'eyes'; known are blaze, rtm"),
    ],
)
def test_what_cannot_be_done_is_said(film: Path, options: dict[str, object], message: str) -> None:
    with pytest.raises(IctusError, match=message):
        track(film, **{"engine": BoxEngine(), **options})  # type: ignore[arg-type]


def test_sound_alone_is_no_film(tmp_path: Path) -> None:
    from ictus.audio import Audio

    Audio(np.zeros((1, 4000), np.float32), 8000).save(tmp_path / "a.wav")
    with pytest.raises(IctusError, match="has no pictures"):
        track(tmp_path / "a.wav", engine=BoxEngine())
    (tmp_path / "text.mp4").write_text("no film")
    with pytest.raises(IctusError, match=r"text\.mp4: no film or sound that can be read"):
        track(tmp_path / "text.mp4", engine=BoxEngine())
