"""Gestures and body: the ictus is on the beat, the path is smooth, the arm is an arm, no two are alike."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import find_peaks

from ictus.beats.beats import Beats
from ictus.conducting.gestures import conduct
from ictus.conducting.patterns import PATTERNS, drawn
from ictus.conducting.pipeline import Maestro
from ictus.errors import UsageError
from ictus.kinematics import bone_lengths
from ictus.motion import Motion
from ictus.retargeting import conductor_body
from ictus.retargeting.conductor_body import BODY, embody

METERS = sorted(set(map(sum, PATTERNS)))


def music(
    meter: int = 4, bpm: float = 100, count: int = 40, loud: float = 0.6, short: float = 0.4, rubato: float = 0.0
) -> Beats:
    place = np.arange(count)
    steps = 60 / bpm * (1 + rubato * np.sin(place / 5))
    times = 1.0 + np.concatenate([[0], np.cumsum(steps[:-1])])
    return Beats(
        times,
        place % meter + 1,
        meter,
        loudness=np.full(count, loud),
        articulation=np.full(count, short),
        accents=(place % meter == 0) * 0.5,
        duration=float(times[-1]) + 2,
    )


def joint(motion: Motion, name: str) -> np.ndarray:
    return motion.positions[:, motion.skeleton.index(name)].astype(np.float64)


@pytest.mark.parametrize("meter", METERS)
@pytest.mark.parametrize(
    ("bpm", "rubato", "loud", "short"),
    [(54, 0.1, 0.1, 0.0), (54, 0.1, 1.0, 1.0), (100, 0.2, 0.1, 0.0), (148, 0.05, 1.0, 1.0)],
)
def test_every_beat_is_a_low_point_and_every_low_point_a_beat(
    meter: int, bpm: float, rubato: float, loud: float, short: float
) -> None:
    beats = music(meter, bpm, loud=loud, short=short, rubato=rubato)
    fps = 240
    height = conduct(beats, np.arange(int(beats.duration * fps)) / fps, seed=3).right[:, 1]
    spread = np.subtract(*np.percentile(height, [95, 5]))
    low = find_peaks(-height, prominence=0.1 * spread, distance=fps // 5)[0] / fps
    error = np.abs(low[:, None] - beats.times).min(0)
    assert error.max() < 0.02, f"beat {error.argmax()} is missed by {error.max():.3f} s"
    assert np.median(error) < 0.005
    spurious = low[np.abs(low[:, None] - beats.times).min(1) > 0.05]
    assert len(spurious) <= 1  # the hand may sink once more when all is over


def test_the_lead_moves_the_hand_and_not_the_beats() -> None:
    beats = music()
    plain = Maestro(fps=120).perform(beats, beats.duration)
    early = Maestro(fps=120, lead=0.1).perform(beats, beats.duration)
    a, b = joint(plain, "right_wrist")[12:1000], joint(early, "right_wrist")[:988]
    np.testing.assert_allclose(a, b, atol=0.02)
    assert plain.meta["beats"] == early.meta["beats"]


def test_acceleration_is_continuous_but_at_the_ictus() -> None:
    beats = music(bpm=90, short=0.2, rubato=0.1)
    fps = 1000
    times = np.arange(int(beats.duration * fps)) / fps
    gestures = conduct(beats, times, seed=1)
    for hand in (gestures.right, gestures.left):
        acceleration = np.diff(hand, 2, axis=0) * fps**2
        jump = np.abs(np.diff(acceleration, axis=0)).max(1)
        near = np.abs(times[1:-2, None] - beats.times).min(1) < 0.004
        assert jump[~near].max() < 1.5  # metres a second squared from one millisecond to the next


def test_sharpness_follows_articulation() -> None:
    def kink(short: float) -> float:
        """Change of the hand's speed within 10 ms of an ictus, metres a second."""
        beats = music(short=short)
        height = conduct(beats, np.arange(int(beats.duration * 200)) / 200, seed=0).right[:, 1]
        at = np.round(beats.times * 200).astype(int)[:-1]
        return float(np.mean((height[at + 2] - height[at]) + (height[at - 2] - height[at])) * 100)

    assert kink(1.0) > 2 * kink(0.0) > 0


def test_size_follows_loudness() -> None:
    def reach(loud: float) -> float:
        motion = Maestro().perform(music(loud=loud), 20)
        return float(np.ptp(joint(motion, "right_wrist")[:, 1]))

    assert reach(1.0) > 2.5 * reach(0.05)


def test_patterns_go_where_the_school_says() -> None:
    """Seen by the conductor, whose right is -x: 3 goes out on 2; 4 goes in on 2 and out on 3; the last beat rises."""
    for meter, places in ((3, {1: "out"}), (4, {1: "in", 2: "out"}), (6, {2: "in", 4: "out"})):
        beats = music(meter, 80, count=8 * meter)
        path = conduct(beats, np.round(beats.times * 100) / 100, seed=0).right
        right = -path[:, 0].reshape(-1, meter).mean(0)
        for beat, side in places.items():
            assert (right[beat] > right[0] + 0.05) if side == "out" else (right[beat] < right[0] - 0.05)
        times = np.arange(int(beats.times[-1] * 100)) / 100
        height = conduct(beats, times, seed=0).right[:, 1]
        peaks = [
            height[(times > a) & (times < b)].max() for a, b in zip(beats.times[:-1], beats.times[1:], strict=True)
        ]
        rising = np.array(peaks[: 7 * meter]).reshape(-1, meter).mean(0)
        assert rising.argmax() == meter - 1


@pytest.mark.parametrize("meter", METERS)
def test_the_arm_is_an_arm(meter: int) -> None:
    beats = music(meter, 110, loud=1.0)
    motion = Maestro(fps=60).perform(beats, beats.duration, seed=5)
    lengths = bone_lengths(BODY, motion.positions)
    assert np.ptp(lengths, axis=0).max() < 1e-5
    for side, out in (("left", 1.0), ("right", -1.0)):
        shoulder, elbow, wrist = (joint(motion, f"{side}_{name}") for name in ("shoulder", "elbow", "wrist"))
        upper, fore = elbow - shoulder, wrist - elbow
        bend = np.degrees(
            np.arccos((upper * fore).sum(1) / np.linalg.norm(upper, axis=1) / np.linalg.norm(fore, axis=1))
        )
        assert bend.min() > 5, "an elbow never locks"
        assert bend.max() < 160, "nor folds flat"
        # A human elbow bends forwards and inwards: it points down, outwards or back of the line from shoulder to wrist.
        along = (wrist - shoulder) / np.linalg.norm(wrist - shoulder, axis=1, keepdims=True)
        height = upper - (upper * along).sum(1, keepdims=True) * along
        assert ((height @ np.array([0.55 * out, -0.8, -0.3])) > 0).all()
        assert wrist[:, 2].min() > 0.05, "hands stay in front of the body"
    left, right = joint(motion, "left_wrist"), joint(motion, "right_wrist")
    assert (left[:, 0] - right[:, 0]).min() > 0.05, "hands do not cross"


def test_hands_reach_what_they_aim_at() -> None:
    beats = music(loud=0.9)
    times = np.arange(0, 20, 1 / 60)
    gestures = conduct(beats, times, seed=2)
    error = np.linalg.norm(embody(gestures, 60)[0][:, BODY.index("right_wrist")] - gestures.right, axis=1)
    assert np.percentile(error, 95) < 0.005
    assert error.max() < 0.03


def test_long_performances_are_posed_piece_by_piece_without_seams(monkeypatch) -> None:
    gestures = conduct(music(loud=0.9), np.arange(0, 20, 1 / 60), seed=2)
    whole = embody(gestures, 60)
    monkeypatch.setattr(conductor_body, "_PIECE", 113)
    for one, other in zip(whole, embody(gestures, 60), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-6)


def test_fermata_and_silence() -> None:
    early, late = 1 + 0.6 * np.arange(8), 12 + 0.6 * np.arange(8)
    times = np.concatenate([early, late])
    beats = Beats(times, np.arange(16) % 4 + 1, 4, duration=20)
    motion = Maestro(fps=60).perform(beats, 20)
    wrist = joint(motion, "right_wrist")
    speed = np.linalg.norm(np.diff(wrist, axis=0), axis=1) * 60
    resting = slice(int(6.5 * 60), 11 * 60)
    assert speed[resting].max() < 0.05, "the hand waits through the silence"
    preparing = slice(int(11.45 * 60), int(11.95 * 60))
    assert np.ptp(wrist[preparing, 1]) > 0.05, "and prepares the new entry"
    assert speed[(19 * 60) :].max() < 0.05, "and rests at the end"


def test_a_fermata_is_held_and_cut_off() -> None:
    """The hand stays high while the last note sounds, stops it with a stroke of its own, and only then rests."""
    times, held = 1 + 0.6 * np.arange(8), 4.0
    beats = Beats(times, np.arange(8) % 4 + 1, 4, duration=12, holds=held * (np.arange(8) == 7))
    wrist = joint(Maestro(fps=60).perform(beats, 12), "right_wrist")
    speed = np.linalg.norm(np.diff(wrist, axis=0), axis=1) * 60
    last, end = round(times[-1] * 60), round((times[-1] + held) * 60)
    holding = slice(last + 36, end - 36)
    assert wrist[holding, 1].min() > wrist[last, 1] + 0.02, "it stays above its last beat"
    assert 0.002 < speed[holding].mean() < 0.08, "nearly still, but alive"
    stop = end - 12 + int(wrist[end - 12 : end + 12, 1].argmin())
    assert abs(stop - end) <= 2, "the cut-off's lowest point is the end of the sound"
    assert wrist[end - 36 : end, 1].max() > wrist[stop, 1] + 0.08, "after a lift that can be seen"
    assert wrist[-1, 1] < wrist[holding, 1].min() - 0.02, "and the hand is lowered"
    assert speed[end + 150 :].max() < 0.05


def test_before_the_first_beat_there_is_a_preparation() -> None:
    beats = replace(music(bpm=100), times=music(bpm=100).times + 2)
    wrist = joint(Maestro(fps=60).perform(beats, beats.duration), "right_wrist")
    assert np.ptp(wrist[: int(2.3 * 60)], axis=0).max() < 0.01
    assert np.ptp(wrist[int(2.4 * 60) : int(3.0 * 60), 1]) > 0.08


def test_no_two_bars_and_no_two_seeds_are_alike_but_equal_seeds_are() -> None:
    beats = music(count=60)
    one, same, other = (Maestro().perform(beats, beats.duration, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.positions, same.positions)
    difference = np.linalg.norm(joint(one, "right_wrist") - joint(other, "right_wrist"), axis=1)
    assert np.sqrt((difference**2).mean()) > 0.02
    bars = joint(one, "right_wrist")[30 : 30 + 72 * 12].reshape(12, 72, 3)
    apart = np.linalg.norm(bars[:, None] - bars[None], axis=-1).mean(-1) + np.eye(12)
    assert apart.min() > 0.004


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_hardly_any_beats(count: int) -> None:
    beats = Beats(1 + np.arange(count) * 0.5, np.arange(count) % 4 + 1, 4)
    motion = Maestro().perform(beats, 4.0)
    assert len(motion) == 120


def test_a_first_beat_at_the_very_start() -> None:
    beats = Beats(np.arange(20) * 0.5, np.arange(20) % 4 + 1, 4)
    motion = Maestro().perform(beats, 11.0)
    assert np.isfinite(motion.positions).all()


def changing(meters: list[int], bpm: float = 96, loud: float = 0.6) -> Beats:
    positions = np.concatenate([np.arange(meter) + 1 for meter in meters])
    times = 1.0 + np.arange(len(positions)) * 60 / bpm
    return Beats(times, positions, meters, loudness=np.full(len(times), loud), duration=float(times[-1]) + 2)


def test_each_bar_has_the_pattern_of_its_own_metre() -> None:
    meters = [3, 3, 5, 4, 4, 7, 2, 6, 1, 3, 5, 4] * 2
    beats, fps = changing(meters), 240
    right = conduct(beats, np.arange(int(beats.duration * fps)) / fps, seed=3).right
    there = np.round(beats.times * fps).astype(int)
    low = find_peaks(-right[:, 1], prominence=0.03, distance=fps // 5)[0] / fps
    assert np.abs(low[:, None] - beats.times).min(0).max() < 0.02
    wanted, seen = -drawn(beats).right, right[there, 0]
    inner = beats.meters > 2
    assert np.corrcoef(wanted[inner], seen[inner])[0, 1] > 0.9
    as_one = drawn(beats.in_one_meter()).right  # control: the pattern of one metre throughout
    assert np.corrcoef(-as_one[inner], seen[inner])[0, 1] < 0.7


def test_another_metre_is_prepared() -> None:
    steady, turning = changing([3] * 8), changing([3] * 4 + [5] * 2 + [3])
    last = 11  # the beat before the bar of five
    fps = 120
    frames = np.arange(int(1 + 14 * 60 / 96) * fps) / fps
    rise = [
        conduct(one, frames, seed=3).right[round(one.times[last] * fps) : round(one.times[last + 1] * fps), 1].max()
        for one in (steady, turning)
    ]
    assert rise[1] > rise[0] + 0.02


@pytest.mark.parametrize(("heads", "groups"), [((0, 2), (2, 3)), ((0, 3), (3, 2)), ((0,), (3, 2))])
def test_bars_of_five_are_grouped_as_their_accents_are(heads: tuple[int, ...], groups: tuple[int, ...]) -> None:
    beats = changing([5] * 6)
    accented = replace(beats, accents=np.isin(beats.positions - 1, heads) * 0.6)
    np.testing.assert_array_equal(drawn(accented).right, np.tile(PATTERNS[groups].right, 6))


def test_metres_without_a_pattern_are_refused() -> None:
    with pytest.raises(UsageError, match="metre 8"):
        Maestro().perform(changing([4, 8]), 4.0)
