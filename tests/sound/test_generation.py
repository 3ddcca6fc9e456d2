"""What is kept of a split: the same files from any number of processes, in any order, and after a kill."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from threadpoolctl import threadpool_limits

from ictus.cli import evaluate as evaluate_command
from ictus.cli import main
from ictus.errors import IctusError, UsageError
from ictus.sound import INSTRUMENTS
from ictus.sound.ablations import AblatedSoloist
from ictus.sound.data.dataset import WINDOW, find_performances
from ictus.sound.data.samples import PerformanceSample, PerformanceSamples, window_seed
from ictus.sound.evaluation import compare
from ictus.sound.generation import fingerprint, generate_corpus, process_rank, read_generated
from ictus.sound.griffin_lim import griffin_lim
from ictus.sound.models.keypoint_encoder import KeypointEncoder
from ictus.sound.models.soloist import SoloistTransformer
from ictus.sound.pipeline import Soloist
from ictus.types import Float32Array
from sound.small_performances import random_keypoints, write_performance
from sound.small_soloist import save_soloist

FRAMES = 64
COMMAND = "import sys; from ictus.cli import main; sys.exit(main())"
KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from ictus.sound.generation import generate_corpus
from ictus.sound.data.samples import PerformanceSamples

def half(file, array, save=np.save, count=[0], **options):
    save(file, array, **options)
    count[0] += 1
    if count[0] == 4:
        os.truncate(file, 1000)
        os.kill(os.getpid(), signal.SIGKILL)

np.save = half
samples = PerformanceSamples(sys.argv[1], "test", frames=64)
generate_corpus(lambda sample, seed: sample.mel / 2, samples, Path(sys.argv[2]), settings={})
"""


def write(folder: Path, seed: int, frames: int) -> None:
    rng = np.random.default_rng(seed)
    mel, points = rng.uniform(0, 1, (frames, 80)).astype(np.float16), random_keypoints(rng, frames)
    write_performance(folder, [*INSTRUMENTS, "kazoo"][seed], mel=mel, keypoints=points)


def files(folder: Path) -> dict[str, bytes]:
    """All that lies in a folder, hidden or not."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def half(sample: PerformanceSample, seed: int) -> Float32Array:
    return sample.mel / 2


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """As generation itself computes: in another number of threads, sums have other last bits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with threadpool_limits(1):
        yield
    torch.set_num_threads(before)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    for number in (0, 1, 6):
        write(tmp_path / "corpus" / "test" / f"{number:02d}", number, 2 * FRAMES + 5)
    return tmp_path / "corpus"


@pytest.fixture
def samples(corpus: Path) -> PerformanceSamples:
    return PerformanceSamples(corpus, "test", frames=FRAMES, kinds=("keypoints",))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A soloist as its training leaves it, who knows nothing yet."""
    torch.manual_seed(0)
    target = tmp_path_factory.mktemp("runs") / "mine" / "model"
    encoder = KeypointEncoder.from_config("debug")
    sizes = replace(SoloistTransformer.sizes["debug"], keypoints=encoder.features, columns=8, rows=8)
    soloist = SoloistTransformer(sizes)
    for layer in (soloist.projection, soloist.head):  # or all codes are equally likely, whatever it is given
        torch.nn.init.normal_(layer.weight, std=0.1)
    return save_soloist(target, soloist, encoder, movement="encoder")


@pytest.fixture(scope="module")
def soloist(folder: Path) -> AblatedSoloist:
    return AblatedSoloist(Soloist.from_folder(folder))


def test_any_number_of_processes_makes_the_same_files(
    samples: PerformanceSamples, soloist: AblatedSoloist, tmp_path: Path
) -> None:
    def generate(out: Path, *shares: tuple[int, int]) -> list[int]:
        made = [
            generate_corpus(
                *(soloist.plays(samples), samples, out),
                settings={"model": "mine"},
                seed=7,
                kinds=soloist.kinds,
                vocode=griffin_lim,
                rank=rank,
                world=world,
            )
            for rank, world in shares
        ]
        assert not any(one.failed or one.there for one in made)
        return [one.played for one in made]

    assert generate(tmp_path / "one", (0, 1)) == [6]
    assert generate(tmp_path / "two", (1, 2), (0, 2)) == [3, 3]
    assert generate(tmp_path / "three", (2, 4), (0, 4), (3, 4), (1, 4)) == [1, 2, 1, 2]
    one = files(tmp_path / "one")
    names = [f"test/{name}@{frame}" for name in ("00", "01", "06") for frame in (0, FRAMES)]
    parts = ("about.json", "mel.npy", "sound.flac")
    assert sorted(one) == ["generated.json", *(f"{name}/{part}" for name in names for part in parts)]
    assert files(tmp_path / "two") == files(tmp_path / "three") == one
    assert len({one[f"{name}/mel.npy"] for name in names}) == 6


def test_what_is_kept_is_what_was_played(samples: PerformanceSamples, soloist: AblatedSoloist, tmp_path: Path) -> None:
    play = soloist.plays(samples)
    generate_corpus(play, samples, tmp_path / "out", settings={}, seed=3, kinds=soloist.kinds, vocode=griffin_lim)
    for number in range(len(samples)):
        made = tmp_path / "out" / samples[number].name
        mel = np.load(made / "mel.npy")
        assert mel.dtype == np.float16
        np.testing.assert_array_equal(mel, play(samples[number], 3).astype(np.float16))
        np.testing.assert_array_equal(read_generated(tmp_path / "out")(samples[number], 0), mel.astype(np.float32))
        sound, rate = soundfile.read(made / "sound.flac", dtype="float32")
        assert (sound.shape, rate) == ((256 * FRAMES,), 22050)
        np.testing.assert_allclose(sound, griffin_lim(mel.astype(np.float32)).samples[0].clip(-1, 1), atol=1e-6)
    found = find_performances(tmp_path / "out", "test")
    assert not found.broken
    assert [each.instrument for each in found.performances] == [0, 0, 1, 1, 6, 6]
    (tmp_path / "out" / samples[0].name / "mel.npy").unlink()
    with pytest.raises(IctusError, match=r"00@0/mel\.npy: missing"):
        read_generated(tmp_path / "out")(samples[0], 0)


def test_chances_come_from_the_name(
    corpus: Path, samples: PerformanceSamples, soloist: AblatedSoloist, tmp_path: Path
) -> None:
    assert window_seed(0, "test/00@0") == 0x2DFC8B15CA27FADB  # of sha256("0 test/00@0"), for good
    assert len({window_seed(seed, f"test/{name}@0") for seed in range(9) for name in range(9)}) == 81
    play = soloist.plays(samples)
    whole = [play(samples[number], 0) for number in range(6)]
    assert (play(replace(samples[0], name="test/00@1"), 0) != whole[0]).any()
    shutil.rmtree(corpus / "test" / "00")
    fewer = PerformanceSamples(corpus, "test", frames=FRAMES, kinds=("keypoints",))
    assert [fewer[number].name for number in range(4)] == [
        f"test/{name}@{at}" for name in ("01", "06") for at in (0, 64)
    ]
    for number in range(4):
        np.testing.assert_array_equal(soloist.plays(fewer)(fewer[number], 0), whole[number + 2])


def test_resuming_plays_only_what_is_missing(samples: PerformanceSamples, corpus: Path, tmp_path: Path) -> None:
    asked: list[str] = []

    def play(sample: PerformanceSample, seed: int) -> Float32Array:
        asked.append(sample.name)
        if len(asked) == 4:
            raise KeyboardInterrupt
        return half(sample, seed)

    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        generate_corpus(play, samples, out, settings={}, kinds=("keypoints",))
    assert sorted(path.name for path in (out / "test").iterdir()) == ["00@0", "00@64", "01@0"]
    (out / ".unfinished" / "test-01@64").mkdir(parents=True)  # of a run that was killed
    (out / ".unfinished" / "test-01@64" / "sound.flac").write_bytes(b"fLaC")
    os.truncate(out / "test" / "00@64" / "mel.npy", 200)
    points = np.load(corpus / "test" / "01" / "keypoints.npy")
    np.save(corpus / "test" / "01" / "keypoints.npy", points + 1)
    asked += ["", ""]
    fractions: list[float] = []
    made = generate_corpus(play, samples, out, settings={}, kinds=("keypoints",), progress=fractions.append)
    assert asked[6:] == ["test/00@64", "test/01@0", "test/01@64", "test/06@0", "test/06@64"]
    assert (made.played, made.there, made.failed) == (5, 1, ())
    assert fractions == pytest.approx([1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1])
    generate_corpus(half, samples, tmp_path / "anew", settings={}, kinds=("keypoints",))
    assert files(out) == files(tmp_path / "anew")
    assert not (out / ".unfinished").exists()
    with_sound = generate_corpus(half, samples, tmp_path / "sounding", settings={}, vocode=griffin_lim)
    os.truncate(tmp_path / "sounding" / "test" / "06@0" / "sound.flac", 10)
    again = generate_corpus(half, samples, tmp_path / "sounding", settings={}, vocode=griffin_lim)
    assert (with_sound.played, again.played, again.there) == (6, 1, 5)


@pytest.mark.slow
def test_a_kill_leaves_whole_windows_alone(corpus: Path, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(corpus), str(tmp_path / "out")], check=False)
    assert done.returncode == -signal.SIGKILL
    assert sorted(path.name for path in (tmp_path / "out" / "test").iterdir()) == ["00@0", "00@64", "01@0"]
    samples = PerformanceSamples(corpus, "test", frames=FRAMES)
    assert generate_corpus(half, samples, tmp_path / "out", settings={}).played == 3
    generate_corpus(half, samples, tmp_path / "anew", settings={})
    assert files(tmp_path / "out") == files(tmp_path / "anew")


def test_a_folder_takes_nothing_else(samples: PerformanceSamples, corpus: Path, tmp_path: Path) -> None:
    out, settings = tmp_path / "out", {"model": "mine", "sampling": {"top_k": None, "temperature": 1.0}}
    generate_corpus(half, samples, out, settings=settings)
    assert generate_corpus(half, samples, out, settings=dict(reversed(settings.items()))).there == 6
    before = files(out)
    shorter = PerformanceSamples(corpus, "test", frames=32)

    def refused(
        key: str, settings: Mapping[str, object], windows: PerformanceSamples = samples, **others: object
    ) -> None:
        with pytest.raises(
            UsageError, match=rf"out: was played with {key} .*, not .*; choose another folder"
        ) as caught:
            generate_corpus(half, windows, out, settings=settings, **others)
        assert "\n" not in str(caught.value)

    refused("model", {**settings, "model": "other"})
    refused("sampling", {**settings, "sampling": {"top_k": 64, "temperature": 1.0}})
    refused("sampling", {"model": "mine"})
    refused("vocoder", {**settings, "vocoder": "mine"})
    refused("seed", settings, seed=1)
    refused("sound", settings, vocode=griffin_lim)
    refused("frames", settings, shorter)
    assert files(out) == before
    for wrong in ("[]", "{", ""):
        (out / "generated.json").write_text(wrong)
        with pytest.raises(UsageError, match=r"generated\.json: cannot be read"):
            generate_corpus(half, samples, out, settings=settings)
    with pytest.raises(UsageError, match="process 2 of 2"):
        generate_corpus(half, samples, tmp_path / "other", settings={}, rank=2, world=2)


def test_a_bad_window_leaves_the_others_alone(corpus: Path, tmp_path: Path) -> None:
    points = np.load(corpus / "test" / "01" / "keypoints.npy")
    points[20:] = np.nan
    np.save(corpus / "test" / "01" / "keypoints.npy", points)
    samples = PerformanceSamples(corpus, "test", frames=FRAMES, kinds=("keypoints",))

    def play(sample: PerformanceSample, seed: int) -> Float32Array:
        return {"test/00@0": sample.mel[:5], "test/06@0": sample.mel * np.float32(np.nan)}.get(sample.name, sample.mel)

    made = generate_corpus(play, samples, tmp_path / "out", settings={})
    assert (made.played, made.there, len(made.failed)) == (3, 0, 3)
    assert made.failed[0].startswith("test/00@0: a mel of shape (5, 80)")
    assert "01/keypoints.npy: not finite" in made.failed[1]
    assert made.failed[2].startswith("test/06@0: ")
    assert sorted(path.name for path in (tmp_path / "out" / "test").iterdir()) == ["00@64", "01@0", "06@64"]
    (tmp_path / "file").touch()
    with pytest.raises(IctusError, match="file"):
        generate_corpus(half, samples, tmp_path / "file" / "out", settings={})


def test_processes_are_counted_by_torchrun(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert process_rank() == (0, 1)
    monkeypatch.setenv("RANK", "2")
    assert process_rank() == (0, 1)
    monkeypatch.setenv("WORLD_SIZE", "3")
    assert process_rank() == (2, 3)
    for wrong in ("2", "-1", "x"):
        monkeypatch.setenv("WORLD_SIZE", wrong)
        with pytest.raises(UsageError, match="torchrun"):
            process_rank()


def test_a_fingerprint_is_of_the_weights_not_of_the_place(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "moved")
    (tmp_path / "moved" / "README.md").write_text("another card")
    assert fingerprint(tmp_path / "moved") == fingerprint(folder)
    weights = tmp_path / "moved" / "encoder" / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert fingerprint(tmp_path / "moved") != fingerprint(folder)


# --- The command's part ----------------------------------------------------------------------------------------------


def test_the_table_is_of_what_lies_there(
    samples: PerformanceSamples,
    corpus: Path,
    soloist: AblatedSoloist,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    plays = evaluate_command.generate({"a": soloist}, samples, tmp_path)
    assert plays is not None
    assert [path.name for path in tmp_path.iterdir() if path.name != "corpus"] == ["mine"]
    silent = samples[0].name
    np.save(tmp_path / "mine" / silent / "mel.npy", np.zeros((FRAMES, 80), np.float16))
    plays = evaluate_command.generate({"a": soloist}, samples, tmp_path)
    rows = compare({"a": soloist}, samples, ablations=False, kept=plays)
    row = next(row for row in rows if row.name == "a")
    assert "seconds" not in row.values
    for number, figures in enumerate(row.samples):
        assert "seconds" not in figures
        mel = np.load(tmp_path / "mine" / samples[number].name / "mel.npy").astype(np.float32)
        assert figures["l1"] == pytest.approx(np.abs(mel - samples[number].mel).mean(), rel=1e-5)
    assert row.samples[0]["l1"] == pytest.approx(samples[0].mel.mean(), rel=1e-5)
    with pytest.raises(UsageError, match="one name"):
        evaluate_command.generate({"a": soloist, "b": soloist}, samples, tmp_path)
    with pytest.raises(UsageError, match="was played with seed 0, not 1"):
        evaluate_command.generate({"a": soloist}, samples, tmp_path, seed=1)


def test_a_share_of_torchrun(
    *,
    corpus: Path,
    samples: PerformanceSamples,
    soloist: AblatedSoloist,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    points = np.load(corpus / "test" / "01" / "keypoints.npy")
    np.save(corpus / "test" / "01" / "keypoints.npy", points * np.nan)
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert evaluate_command.generate({"a": soloist}, samples, tmp_path / "out") is None
    said = capsys.readouterr()
    assert said.out.endswith("mine: process 2 of 2 played 2 windows; 0 were there\n")
    assert said.err.count("\n") == 1
    assert "01/keypoints.npy: not finite" in said.err
    assert sorted(path.name for path in (tmp_path / "out" / "mine" / "test").iterdir()) == ["00@64", "06@64"]
    monkeypatch.delenv("RANK")
    with pytest.raises(IctusError, match="2 windows could not be played"):
        evaluate_command.generate({"a": soloist}, samples, tmp_path / "out")
    assert len(list((tmp_path / "out" / "mine" / "test").iterdir())) == 4


@pytest.mark.slow
def test_torchrun_and_workers_make_the_files_of_one_process(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        write(tmp_path / "corpus" / "test" / f"{number:02d}", number, WINDOW + 5)

    def words(out: str, *more: str) -> list[str]:
        places = ["--data", str(tmp_path / "corpus"), "--model", str(folder), "--keep", str(tmp_path / out)]
        return ["evaluate", "sound", *places, "--split", "test", "--no-told", "--vocoder", "griffin-lim", *more]

    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--no-python"]
    command = [*torchrun, sys.executable, "-c", COMMAND, *words("two")]
    done = subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": "2"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert sorted(line.partition(": ")[2] for line in done.stdout.splitlines()) == [
        "process 1 of 2 played 2 windows; 0 were there",
        "process 2 of 2 played 1 windows; 0 were there",
    ]
    samples = PerformanceSamples(tmp_path / "corpus", "test", kinds=("keypoints",))
    for out, workers in (("one", 1), ("workers", 2)):
        mine = {"mine": AblatedSoloist(Soloist.from_folder(folder))}
        evaluate_command.generate(mine, samples, tmp_path / out, vocoder="griffin-lim", workers=workers)
    one = files(tmp_path / "one")
    assert len(one) == 10
    assert files(tmp_path / "two") == files(tmp_path / "workers") == one
    assert main(words("two", "--json")) == 0
    row = json.loads(capsys.readouterr().out)[-1]
    assert "seconds" not in row["figures"]
    assert files(tmp_path / "two") == one
    assert main(words("two", "--seed", "1")) == 2
