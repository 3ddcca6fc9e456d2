"""The examples run as they are, make what they say, and stay short."""

import contextlib
import io
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ictus.audio import Audio
from ictus.motion import Motion
from ictus.registry import shipped

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Run an example by the start of its name; all of them in one empty folder, of which `out` comes back."""
    folder = tmp_path_factory.mktemp("examples")

    def one(start: str) -> Path:
        script = next(path for path in EXAMPLES if path.name.startswith(start))
        before, said = sys.argv, io.StringIO()
        sys.argv = [str(script)]
        try:
            with contextlib.chdir(folder), contextlib.redirect_stdout(said):
                runpy.run_path(str(script), run_name="__main__")
        finally:
            sys.argv = before
        assert [path.name for path in folder.iterdir()] == ["out"]
        (folder / "out" / f"{start}.txt").write_text(said.getvalue())
        return folder / "out"

    return one


def test_there_are_six_and_each_has_at_most_forty_lines() -> None:
    assert [path.name[:2] for path in EXAMPLES] == ["01", "02", "03", "04", "05", "06"]
    assert all(len(path.read_text().splitlines()) <= 40 for path in EXAMPLES)


@pytest.mark.slow
def test_conduct(run: Callable[[str], Path]) -> None:
    out = run("01")
    music, film, motion = (out / f"ode_to_joy{suffix}" for suffix in (".wav", ".mp4", ".bvh"))
    assert abs(Audio.load(film).duration - Audio.load(music).duration) < 0.2
    assert abs(Motion.load(motion).duration - Audio.load(music).duration) < 0.2


@pytest.mark.slow
def test_batch_goes_on_after_a_broken_file(run: Callable[[str], Path]) -> None:
    out = run("02")
    made = {path.name for path in (out / "batch").iterdir() if path.is_file()}
    assert made == {"rock.bvh", "rock.mp4", "waltz.bvh", "waltz.mp4"}
    assert "left out: " in (out / "02.txt").read_text()
    assert abs(Motion.load(out / "batch/rock.bvh").duration - 12) < 0.1


@pytest.mark.slow
def test_train_and_evaluate(run: Callable[[str], Path]) -> None:
    out = run("03")
    assert {path.name for path in (out / "train/run/model").iterdir()} >= {"config.json", "model.safetensors"}
    out = run("04")
    said = (out / "04.txt").read_text()
    assert [line.split("  ")[0] for line in said.splitlines()[1:5]] == [
        *("ground truth", "shuffled pairs", "just trained", "cnn-lstm"),
    ]
    assert "nan" not in said


@pytest.mark.slow
def test_dance(run: Callable[[str], Path]) -> None:
    out = run("05") / "dance"
    dances = [Motion.load(out / f"dance{suffix}") for suffix in (".bvh", ".glb", ".pkl")]
    for dance in dances:
        assert dance.fps == 60
        assert abs(dance.duration - Audio.load(out / "song.wav").duration) < 0.1
        np.testing.assert_allclose(dance.positions, dances[0].positions, atol=1e-3)


@pytest.mark.slow
def test_sound(run: Callable[[str], Path]) -> None:
    if "soloist" not in {model.name for model in shipped()}:
        pytest.skip("needs the weights of the soloist, which are not shipped yet")
    out = run("06") / "sound"
    sound = Audio.load(out / "player.wav")
    assert abs(sound.duration - 5) < 0.01
    assert np.abs(sound.samples).max() > 0.01
    assert abs(Audio.load(out / "player.mp4").duration - 5) < 0.1
