"""`ictus evaluate dance` on a corpus in small."""

import json
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from ictus import registry
from ictus.cli import main
from ictus.dance import evaluation
from ictus.dance.data.samples import DanceSamples, positions_of_frames
from ictus.dance.frames import padded, rest, unpadded
from ictus.dance.models.fact import FACT
from ictus.metrics import bootstrap
from ictus.motion import Motion
from ictus.skeleton import get_skeleton

from .conftest import pulse

SMPL = get_skeleton("smpl-24")


def write_dance(folder: Path, number: int, frames: int = 300) -> None:
    rng = np.random.default_rng(number)
    time = np.arange(frames) / 60
    waves = rng.normal(0, 0.2, (24, 3)) * np.sin(2 * np.pi * (1 + number / 4) * time)[:, None, None]
    motion = np.tile(rest().numpy(), (frames, 1))
    motion[:, 3:] = Rotation.from_rotvec(waves.reshape(-1, 3)).as_matrix().reshape(frames, -1)
    audio = rng.normal(0, 0.1, (frames, 35))
    audio[:, 33:] = (np.arange(frames) % (30 + 5 * number) == 0)[:, None]
    folder.mkdir(parents=True)
    np.save(folder / "motion.npy", motion.astype(np.float32))
    np.save(folder / "audio.npy", audio.astype(np.float32))


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(bootstrap, "_DRAWS", 20)
    for number, split in enumerate(("val", "val", "val", "train", "train")):
        write_dance(tmp_path / "corpus" / split / f"gBR_{number}", number)
    return tmp_path / "corpus"


@pytest.fixture
def fact(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    FACT.from_config("debug").save_pretrained(tmp_path / "fact" / "model")
    return tmp_path / "fact" / "model"


def test_a_table_of_dancers(corpus: Path, fact: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables = [word for suffix in ("json", "md", "csv") for word in ("-o", str(tmp_path / f"table.{suffix}"))]
    show = ["--show", str(tmp_path / "shown"), "--shown", "2"]
    command = ["evaluate", "dance", "--data", str(corpus), "--model", str(fact), "--reference", "train", *tables, *show]
    assert main(command) == 0
    said = capsys.readouterr()
    assert "3 dances of up to 20 s; FID from 2 whole ones of" in said.out
    assert "beat_bailando: BeatAlign" in said.out
    assert "too few for the covariance" in said.err
    rows = json.loads((tmp_path / "table.json").read_text())
    assert [row["model"] for row in rows] == [
        *("ground truth", *evaluation.BEAT_CONTROLS, *evaluation.CONTROLS),
        str(fact),
    ]
    assert set(rows[-1]["figures"]) | {"fsr"} == set(evaluation.MEANING)  # for fsr, a foot must stand
    assert len((tmp_path / "table.csv").read_text().splitlines()) == 1 + 8 * 3
    assert "| fid_k_fact | fid_g_fact | dist_k_fact | dist_g_fact | beat_fact |" in (tmp_path / "table.md").read_text()
    assert sorted(path.name for path in (tmp_path / "shown").iterdir()) == ["val-gBR_0.png", "val-gBR_1.png"]


def test_fact_goes_on_from_the_true_dance(corpus: Path, fact: Path) -> None:
    sample = DanceSamples(corpus, "val")[0]
    made = evaluation.dance_generator(registry.dancer(fact), "fact")(sample, 0)
    network = FACT.from_pretrained(fact)
    seed = padded(torch.from_numpy(sample.motion[None, :120]), network.config.pose)
    audio = torch.from_numpy(sample.audio[None])
    frames = network.generate(seed, audio, stride=20, orthonormalise=True, to_end=True)
    assert made.shape == sample.positions.shape
    np.testing.assert_array_equal(made[:120], sample.positions[:120])
    np.testing.assert_allclose(made[120:], positions_of_frames(unpadded(frames)[0].numpy()), atol=1e-6)


def test_others_dance_to_the_music(corpus: Path) -> None:
    given: list[tuple[float, int]] = []

    def dance(audio, *, seed: int = 0) -> Motion:
        given.append((audio.duration, seed))
        return Motion(np.tile(SMPL.rest, (150, 1, 1)), 30.0, SMPL)

    sample = DanceSamples(corpus, "val", seconds=2)[0]
    pulse(10).save(sample.folder / "music.flac")
    made = evaluation.dance_generator(dance, "somebody")(sample, 3)
    assert given == [(pytest.approx(4), zlib.crc32(f"3 {sample.name}".encode()))]
    assert made.shape == (300, 24, 3)  # at 60 fps


def test_a_broken_dance_is_complained_of(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (corpus / "val" / "gBR_1" / "motion.npy").write_bytes(b"no array")
    assert main(["evaluate", "dance", "--data", str(corpus), "--protocol", "bailando", "--json"]) == 1
    said = capsys.readouterr()
    assert "gBR_1/motion.npy: damaged or no array" in said.err
    assert said.err.count("left out") == 1
    rows = json.loads(said.out)
    assert len(rows[0]["samples"]) == 2


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--model", "nowhere"], 1, "nowhere: no such folder"),
        (["--model", "plain"], 1, "plain: conducts, and does not dance"),
        (["--model", "m2s-net"], 1, "makes no motion from music"),
        (["--split", "test"], 2, "no such folder"),
        (["--reference", "test"], 2, "no such folder"),
        (["--seconds", "0"], 2, "0 seconds"),
        (["-o", "table.xls"], 2, "table.xls"),
    ],
)
def test_refuses(words: list[str], code: int, says: str, corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "dance", "--data", str(corpus), *words]) == code
    said = capsys.readouterr().err
    assert says in said
    assert "Traceback" not in said


def test_dancers_to_music_need_sound_and_a_body(
    corpus: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    flat = Motion(np.zeros((150, 13, 2)), 30.0, get_skeleton("conductor-13"))
    monkeypatch.setattr(registry, "dancer", lambda name: lambda audio, *, seed: flat)
    command = ["evaluate", "dance", "--data", str(corpus), "--model", "somebody"]
    assert main(command) == 2
    assert "gBR_0/music.flac: missing, and somebody dances to sound" in capsys.readouterr().err
    for folder in (corpus / "val").iterdir():
        pulse(6).save(folder / "music.flac")
    assert main(command) == 2
    assert "somebody moves conductor-13; dances are compared as smpl-24" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        *("conducting --reference train", "conducting --protocol fact", "conducting --unseeded"),
        *("dance --protocol beats", "dance --judge m2s-net", "dance --seeds 2", "sound --critic x", "beats --judge x"),
    ],
)
def test_every_art_has_its_own_options(command: str, corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    art, *words = command.split()
    with pytest.raises(SystemExit) as stopped:
        main(["evaluate", art, "--data", str(corpus), *words])
    assert stopped.value.code == 2
    assert words[0] in capsys.readouterr().err
