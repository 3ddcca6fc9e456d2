"""The choreographer: a network that reproduces its clips, and phrases of them on the beats of any music."""

from pathlib import Path

import numpy as np
import pytest
import torch
from recorded_dances import arm_swings, write
from scipy.spatial.transform import Rotation

from ictus import registry
from ictus.audio import Audio
from ictus.beats import Beats
from ictus.dance.metrics import beat_alignment, foot_skating
from ictus.dance.models.motion_memory import MotionMemory, MotionMemoryConfig, from_columns
from ictus.dance.pipeline import Choreographer
from ictus.dance.tasks.motion_memory import MotionMemoryTask, MotionMemoryTaskConfig
from ictus.errors import AudioError, ModelError, UsageError


def find_beats(audio: Audio) -> Beats:
    beats = np.arange(0.3, audio.duration, 0.55)
    return Beats(beats, np.arange(len(beats)) % 4 + 1, 4, loudness=np.full(len(beats), 0.6))


def no_beats(audio: Audio) -> Beats:
    return Beats(np.zeros(0), np.zeros(0, np.int64), 4)


def silence(seconds: float) -> Audio:
    return Audio(np.zeros((1, round(22050 * seconds)), np.float32), 22050)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> MotionMemory:
    """A network trained on two short dances."""
    folder = tmp_path_factory.mktemp("real")
    for name in ("gBR_sBM_c01_d01_mBR0_ch01", "gWA_sBM_c01_d01_mWA0_ch01"):
        write(folder, **arm_swings(name, seconds=6.0, size=0.9 if "BR" in name else 0.6))
    write(folder, **arm_swings("gJS_sBM_c01_d01_mJS0_ch01", seconds=6.0, size=0.0))  # one who does not move
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002  # as the loop does
    task = MotionMemoryTask(MotionMemoryTaskConfig(size="debug", lr=5e-3), folder)
    optimizer = task.optimizers()["network"]
    before = task.validate(batches)
    for step in range(250):
        for _, loss, _ in task.losses(next(batches(task.train_set(0), 8)), 0, step):
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        after = task.validate(batches)
    assert after["degrees"] < 0.2 * before["degrees"]
    assert after["metres"] < 0.05
    return task.network


def batches(samples, size: int = 64):
    for start in range(0, len(samples), size):
        items = [samples[k] for k in range(start, min(start + size, len(samples)))]
        yield {key: torch.from_numpy(np.stack([item[key] for item in items])) for key in items[0]}


def test_columns_become_rotations() -> None:
    target = Rotation.random(20, random_state=0).as_matrix()
    columns = torch.from_numpy(np.stack([target[..., 0] * 2, target[..., 1] + 0.3 * target[..., 0]], -2))
    np.testing.assert_allclose(from_columns(columns).numpy(), target, atol=1e-12)


def test_what_it_knows(trained: MotionMemory, tmp_path: Path) -> None:
    assert trained.config.genres == ("BR", "WA")  # the one who stands still is not worth it
    trained.save_pretrained(tmp_path)
    again = MotionMemory.from_pretrained(tmp_path)
    for one, other in zip(trained.clips(), again.clips(), strict=True):
        np.testing.assert_array_equal(one.quaternions, other.quaternions)
        assert (one.name, one.genre, *one.times) == (other.name, other.genre, *other.times)
    assert isinstance(registry.dancer(tmp_path), Choreographer)
    with pytest.raises(ModelError, match="as many as there are dances"):
        MotionMemoryConfig(names=("a",))


def test_a_dance_on_the_beat(trained: MotionMemory) -> None:
    dancer = Choreographer(trained, "choreographer", find_beats, genre="break")
    a, b, c = (dancer(silence(20), seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(a.positions, b.positions)
    assert np.abs(a.positions - c.positions).max() > 0.05
    assert (len(a), a.fps, a.skeleton.name, a.meta["genre"]) == (1201, 60, "smpl-24", "BR")
    on, off = (beat_alignment(a, find_beats(silence(20)).times + shift * 0.55) for shift in (0, 0.25))
    assert on > off + 0.2
    assert foot_skating(a).speed < 0.1
    assert dancer.genres == ["BR", "WA"]


def test_without_a_pulse_it_makes_one(trained: MotionMemory) -> None:
    motion = Choreographer(trained, "choreographer", no_beats)(silence(6))
    assert len(motion) == 361
    assert motion.positions.std(axis=0).max() > 0.05


def test_what_it_cannot_do(trained: MotionMemory) -> None:
    dancer = Choreographer(trained, "choreographer", find_beats)
    with pytest.raises(AudioError, match=r"lasts 1\.00 s"):
        dancer(silence(1))
    with pytest.raises(UsageError, match="knows no genre 'polka'"):
        Choreographer(trained, "choreographer", find_beats, genre="polka")
    with pytest.raises(UsageError, match="choreographer cannot be given a stride; fact can"):
        registry.dancer("choreographer", stride=2)


def test_a_folder_without_dances(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no dances"):
        MotionMemoryTask(MotionMemoryTaskConfig(), tmp_path)
