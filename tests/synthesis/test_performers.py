"""Performers: bodies that stay whole and move as the notes ask."""

from pathlib import Path

import numpy as np
import pytest
from scipy.signal import find_peaks

from ictus.errors import UsageError
from ictus.skeleton import get_skeleton
from ictus.sound import INSTRUMENTS
from ictus.synthesis.players.brass import extension, slide_positions, valves
from ictus.synthesis.players.fingering import choose_fingering
from ictus.synthesis.players.performers import FPS, PLAYERS, PerformedSolo, perform_solo
from ictus.synthesis.players.solo import Solo
from ictus.synthesis.players.strings import CELLO, VIOLIN
from ictus.synthesis.players.woodwinds import CLARINET, CLARINET_LOWEST, FLUTE, FLUTE_LOWEST, fingers_down
from ictus.types import Float64Array


def steady(pitches: list[int], seconds: float = 0.5, loudness: float = 0.6, start: float = 1.0) -> Solo:
    """Notes of one length and loudness, one after another."""
    rows = [(start + seconds * k, 0.95 * seconds, pitch, loudness) for k, pitch in enumerate(pitches)]
    return Solo(np.array(rows), start + seconds * len(pitches) + 1.0)


def tune(instrument: str, seed: int = 0, seconds: float = 8.0) -> Solo:
    """A random tune in an instrument's range."""
    rng, player = np.random.default_rng(seed), PLAYERS[instrument]
    rows, now, pitch = list[tuple[float, float, float, float]](), 0.5, (player.lowest + player.highest) // 2
    while now < seconds - 1.2:
        length = float(rng.choice([0.15, 0.25, 0.5, 1.0]))
        pitch = int(np.clip(pitch + rng.integers(-5, 6), player.lowest, player.highest))
        rows.append((now, 0.9 * length, pitch, rng.uniform(0.3, 0.9)))
        now += length + (0.6 if rng.uniform() < 0.1 else 0.0)
    return Solo(np.array(rows), seconds, rng.uniform(size=len(rows)) < 0.2)


def turns(path: Float64Array, prominence: float) -> Float64Array:
    """Seconds at which a path (T, 3), seen along its main direction, turns back."""
    centred = path - path.mean(0)
    line = centred @ np.linalg.svd(centred, full_matrices=False)[2][0]
    peaks = [find_peaks(sign * line, prominence=prominence)[0] for sign in (1, -1)]
    return np.sort(np.concatenate(peaks)) / FPS


@pytest.fixture(scope="module", params=PLAYERS)
def played(request: pytest.FixtureRequest) -> PerformedSolo:
    return perform_solo(tune(request.param), request.param, seed=4)


def test_everyone_is_there() -> None:
    assert tuple(PLAYERS) == INSTRUMENTS


def test_what_comes_out(played: PerformedSolo) -> None:
    assert played.keypoints.shape == (200, 47, 3)
    assert played.keypoints.dtype == np.float32
    assert np.isfinite(played.keypoints).all()
    assert 0 <= played.keypoints[..., 2].min() <= played.keypoints[..., 2].max() <= 1


def test_bones_keep_their_lengths(played: PerformedSolo) -> None:
    start, end = np.array([bone for bone in get_skeleton("solos-47").bones if 0 not in bone]).T
    lengths = np.linalg.norm(played.positions[:, end] - played.positions[:, start], axis=-1)
    np.testing.assert_allclose(lengths, np.broadcast_to(lengths[0], lengths.shape), atol=1e-9)
    assert 0.012 < lengths.min() < lengths.max() < 0.36


def test_a_human_pose(played: PerformedSolo) -> None:
    places = played.positions
    assert (np.linalg.norm(np.diff(places, axis=0), axis=-1) < 0.5).all()  # metres a frame
    assert (places[:, 1, 0] < places[:, 0, 0]).all()  # its right shoulder is on its right
    assert (np.abs(places[..., 0]) < 1.0).all()
    assert (places[:, [3, 6], 1] < 0.4).all()  # hands are not above the head
    for wrist, hand in ((3, slice(7, 27)), (6, slice(27, 47))):
        assert (np.linalg.norm(places[:, hand] - places[:, [wrist]], axis=-1) < 0.24).all()


def test_seen_from_the_front(played: PerformedSolo) -> None:
    """The player's left is on the right of the picture, and what is low is further down."""
    x, y = played.keypoints[..., 0], played.keypoints[..., 1]
    assert np.median(x[:, 4] - x[:, 1]) > 0
    assert np.median(y[:, [2, 5]]) > np.median(y[:, 0])


@pytest.mark.parametrize("instrument", PLAYERS)
def test_seeds(instrument: str) -> None:
    solo = tune(instrument, seconds=4.0)
    one, same, other = (perform_solo(solo, instrument, seed=seed).keypoints for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 5


@pytest.mark.parametrize("instrument", PLAYERS)
def test_silence_is_sat_through(instrument: str) -> None:
    assert np.isfinite(perform_solo(Solo(np.zeros((0, 4)), 2.0), instrument).keypoints).all()


@pytest.mark.parametrize("instrument", ["violin", "cello"])
def test_the_bow_turns_at_attacks(instrument: str) -> None:
    solo = steady([62, 62, 64, 64, 62, 62, 64, 64, 62, 62, 64, 62])
    found = turns(perform_solo(solo, instrument, seed=1).positions[:, 3], 0.03)
    distance = np.abs(found[:, None] - solo.onsets).min(0)
    assert (distance[1:] <= 0.06).all()
    inside = (found > 1.2) & (found < 6.8)
    assert inside.sum() == 11  # and nowhere else


def test_no_turn_within_a_slur() -> None:
    pairs = steady([62, 64] * 6)
    bound = Solo(pairs.notes, pairs.duration, np.arange(12) % 2 == 1)
    found = turns(perform_solo(bound, "violin", seed=1).positions[:, 3], 0.03)
    inside = found[(found > 1.2) & (found < 6.8)]
    assert len(inside) == 5
    assert np.abs(inside[:, None] - bound.onsets[2::2]).min(1).max() <= 0.06


def test_loud_notes_take_more_bow() -> None:
    soft, loud = (
        np.ptp(perform_solo(steady([62] * 8, loudness=level), "cello", seed=1).ground_truth["bow"][30:120])
        for level in (0.2, 0.9)
    )
    assert loud > 1.7 * soft


def test_strings_are_stopped_where_physics_says() -> None:
    """An octave above the open string is half way along it, a fifth a third."""
    for pitch, share in ((67, 0.5), (62, 1 / 3)):  # on the G string of a violin, which holds nothing else
        strings = choose_fingering(np.array([pitch]), (55,), VIOLIN.spread)
        assert strings.stopped[0] == pitch - 55
        assert 1 - 2 ** (-strings.stopped[0] / 12) == pytest.approx(share, abs=0.002)
    # The hand of a cellist in the highest notes is far down the neck.
    low, high = (perform_solo(steady([pitch] * 4), "cello", seed=1) for pitch in (59, 71))
    moved = low.positions[50, 6] - high.positions[50, 6]
    length = np.linalg.norm(CELLO.nut - CELLO.bridge)
    first = [choose_fingering(np.array([pitch]), CELLO.strings, CELLO.spread).position[0] for pitch in (59, 71)]
    expected = length * (2 ** (-first[0] / 12) - 2 ** (-first[1] / 12))
    assert moved @ CELLO.axes[0] == pytest.approx(expected, abs=0.03)


def test_a_scale_in_first_position() -> None:
    """Two octaves of G major lie under a violinist's hand."""
    scale = np.array([55, 57, 59, 60, 62, 64, 66, 67, 69, 71, 72, 74, 76, 78, 79])
    chosen = choose_fingering(scale, VIOLIN.strings, VIOLIN.spread)
    assert len(set(chosen.position.tolist())) == 1
    np.testing.assert_array_equal(np.array(VIOLIN.strings)[chosen.string] + chosen.stopped, scale)


def test_long_notes_are_vibrated() -> None:
    notes = np.array([[0.5, 3.0, 64, 0.6], [4.0, 3.0, 62, 0.6]])  # stopped, then the open string
    hand = perform_solo(Solo(notes, 7.5), "violin", seed=1)
    relative = hand.positions[:, 31:47] - hand.positions[:, [4]]
    unrest = np.abs(np.diff(relative, n=2, axis=0)).mean((1, 2))
    assert unrest[30:80].mean() > 2.5 * unrest[115:165].mean()


def test_slide_positions_of_a_trombone() -> None:
    """As in any method: B flat 1, A 2, A flat 3, G 4, G flat 5, F 6 (or 1), E 7; middle C 3, and low C 6."""
    table = {46: 1, 45: 2, 44: 3, 43: 4, 42: 5, 41: 6, 40: 7, 47: 7, 48: 6, 49: 5, 50: 4, 51: 3, 52: 2, 53: 1}
    for pitch, position in table.items():
        assert slide_positions(np.array([pitch])).tolist() == [position]
    assert slide_positions(np.array([60])).tolist() == [3]
    assert extension(np.array([7]))[0] == pytest.approx(0.57, abs=0.01)  # metres


def test_the_slide_arm_follows_the_pitch() -> None:
    solo = steady([46, 40, 45, 41, 44, 42, 46, 43])
    trombone = perform_solo(solo, "trombone", seed=1)
    hands = np.linalg.norm(trombone.positions[:, 7:27].mean(1) - trombone.positions[:, 27:].mean(1), axis=-1)
    middle = np.round((solo.onsets + solo.ends) / 2 * FPS).astype(int)
    positions = [1, 7, 2, 6, 3, 5, 1, 4]
    assert np.corrcoef(hands[middle], positions)[0, 1] > 0.98


def test_valves_of_a_horn() -> None:
    """Sounding pitches on the side in F: F open, E second, E flat first, D both, C sharp second and third, C open."""
    down = valves(np.array([53, 52, 51, 50, 49, 48]))
    np.testing.assert_array_equal(down[:, 1:], [[0, 0, 0], [0, 1, 0], [1, 0, 0], [1, 1, 0], [0, 1, 1], [0, 0, 0]])
    assert valves(np.array([60, 65]))[:, 0].tolist() == [0, 1]


def test_fingering_charts() -> None:
    for chart, player, lowest in (
        (CLARINET, PLAYERS["clarinet"], CLARINET_LOWEST),
        (FLUTE, PLAYERS["flute"], FLUTE_LOWEST),
    ):
        pitches = np.arange(player.lowest, player.highest + 1)
        assert player.lowest == lowest
        assert len(chart) >= len(pitches)
        down = fingers_down(pitches, chart, lowest)
        assert down.shape == (len(pitches), 10)
        assert (np.abs(np.diff(down, axis=0)).sum(1) > 0).mean() > 0.9  # a neighbour is fingered otherwise
        assert down[:7].sum(1).mean() > down[9:13].sum(1).mean() + 2  # low notes cover more
    flute_c = fingers_down(np.array([72]), FLUTE, FLUTE_LOWEST)[0]
    assert flute_c.tolist() == [0, 1, 0, 0, 0, 1, 0, 0, 0, 1]


@pytest.mark.parametrize(("instrument", "pitches"), [("clarinet", [50, 65]), ("flute", [62, 73]), ("horn", [53, 49])])
def test_fingers_move_at_onsets_only(instrument: str, pitches: list[int]) -> None:
    solo = steady(pitches * 4)
    places = perform_solo(solo, instrument, seed=1).positions
    fingers = np.concatenate([places[:, 7:27] - places[:, [3]], places[:, 27:] - places[:, [6]]], axis=1)
    speed = np.linalg.norm(np.diff(fingers, axis=0), axis=-1).mean(1)
    times = (np.arange(len(speed)) + 0.5) / FPS
    until = np.array([(solo.onsets - time)[solo.onsets >= time - 0.03].min(initial=9.0) for time in times])
    playing = (times > 1.2) & (times < 4.4)
    assert speed[playing & (until < 0.07)].mean() > 4 * speed[playing & (until > 0.12)].mean()


@pytest.mark.parametrize("instrument", ["clarinet", "flute", "horn", "trombone"])
def test_winds_breathe_before_they_play(instrument: str) -> None:
    middle = (PLAYERS[instrument].lowest + PLAYERS[instrument].highest) // 2
    places = perform_solo(steady([middle] * 8), instrument, seed=1).positions
    shoulders = places[:, [1, 4], 1].mean(1) - places[:, 0, 1]  # beside the neck, which goes along a little
    assert shoulders[round(1.0 * FPS)] > shoulders[round(0.3 * FPS)] + 0.008
    assert shoulders[round(1.0 * FPS)] > shoulders[round(4.5 * FPS)] + 0.008


def test_confidence_like_that_of_real_keypoints(shared_data: Path) -> None:
    """Its level, how much is lost, and that hands are lost and bodies are not, as in the one real clip there is."""
    real = np.load(shared_data / "solos" / "skeleton_npy_test.npy")[90:1610, 2]
    drawn = np.concatenate(
        [
            perform_solo(tune(name, seconds=4), name, seed=seed).keypoints[..., 2]
            for name in PLAYERS
            for seed in range(6)
        ]
    )
    assert drawn.mean() == pytest.approx(real.mean(), abs=0.1)
    assert (drawn <= 0.2).mean() == pytest.approx((real <= 0.2).mean(), abs=0.1)
    assert (drawn[:, :7] <= 0.2).mean() < 0.06
    assert np.corrcoef(drawn[1:, 15], drawn[:-1, 15])[0, 1] > 0.7


def test_joints_that_are_lost_run_straight() -> None:
    seen = perform_solo(tune("flute"), "flute", seed=3).keypoints
    parents = get_skeleton("solos-47").parents or ()
    lost, checked = seen[..., 2] <= 0.2, 0
    for joint in range(7, 47):
        relative = seen[:, joint, :2] - seen[:, parents[joint], :2]
        inside = lost[:-2, joint] & lost[1:-1, joint] & lost[2:, joint]
        np.testing.assert_allclose(np.diff(relative, n=2, axis=0)[inside], 0, atol=1e-2)  # pixels
        checked += int(inside.sum())
    assert checked > 100


def test_what_cannot_be_played() -> None:
    with pytest.raises(UsageError, match="nobody here plays 'kazoo'"):
        perform_solo(steady([60]), "kazoo")
    with pytest.raises(UsageError, match="transpose"):
        perform_solo(steady([30]), "flute")
    with pytest.raises(UsageError, match="together"):
        Solo(np.array([[0.0, 1.0, 60, 0.5], [0.5, 1.0, 62, 0.5]]), 3.0)
    with pytest.raises(UsageError, match="expected"):
        Solo(np.zeros((3, 2)), 3.0)
    with pytest.raises(UsageError, match="two frames"):
        perform_solo(Solo(np.zeros((0, 4)), 0.01), "flute")
