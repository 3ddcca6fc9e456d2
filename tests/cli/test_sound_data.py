"""`ictus data` of players: films and recitals."""

import json
from pathlib import Path

import numpy as np
import pytest
import tyro

from ictus.cli import sound_data
from ictus.errors import ModelError, UsageError
from ictus.skeleton import get_skeleton
from people_with_sound import clicks, conducting, nobody, use_boxes, write
from sound.raw_films import write_film, write_keypoints
from synthesis.test_player_corpus import scores  # noqa: F401  # a fixture


def run(name: str, *words: object) -> int:
    """Call a command as `ictus data` does."""
    config = (tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff)
    return int(tyro.cli(getattr(sound_data, name), args=[str(word) for word in words], config=config))


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("films")
    for name in ("Cello/abc", "Horn/def"):
        write_film(root / f"{name}.mp4", 4.0, clicks=[0.5, 2.5])
        write_keypoints(root / f"{name}.npy", np.arange(100) / 25)
    (root / "videos.csv").write_text("video,split\nabc,train\ndef,val\n")
    return root


def test_solos_are_prepared_and_inspected(films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, ids = tmp_path / "out", tmp_path / "ids.json"
    ids.write_text(json.dumps({"Cello": ["abc", "other"], "Horn": ["def"]}))
    command = ("prepare_solos", "--data", films, "--out", out, "--seconds", 2, "--films", "--ids", ids)
    assert run(*command, "--instrument", "cello") == 0
    said = capsys.readouterr()
    assert said.out == (
        f"{out}: 2 clips made; train has 2 of 1 video (0.00 hours)\n"
        f"{out}/ids.txt: names 1 video of 2 that are not among the films\n"
    )
    assert (out / "ids.txt").read_text() == "# cello\nother\n"
    (films / "Horn" / "bad.mp4").write_bytes(b"garbage" * 100)
    (films / "Horn" / "bad.npy").write_bytes(b"garbage" * 100)
    assert run(*command) == 1
    said = capsys.readouterr()
    assert "2 clips made; train has 2 of 1 video (0.00 hours), val has 2 of 1 video" in said.out
    (line,) = said.err.splitlines()
    assert line.startswith(f"ictus: {films}/Horn/bad.mp4: ")
    assert (out / "val" / "horn-def-0001" / "film.mp4").is_file()
    assert run("inspect_solos", "--data", out) == 0
    assert "val: horn: 2 clips of 1 video, 0.00 hours, 2 with keypoints, of which 100% seen" in capsys.readouterr().out
    (out / "val" / "horn-def-0001" / "mel.npy").write_bytes(b"garbage")
    assert run("inspect_solos", "--data", out, "--json") == 1
    said = capsys.readouterr()
    facts = json.loads(said.out)
    assert [(share["instrument"], share["clips"]) for share in facts["shares"]] == [("cello", 2), ("horn", 1)]
    assert said.err == f"ictus: {facts['broken'][0]}\n"


def test_features_of_pictures_are_computed(films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, networks = tmp_path / "out", tmp_path / "network.pth"
    command = (
        "prepare_solos",
        "--data",
        films,
        "--out",
        out,
        "--seconds",
        2,
        "--instrument",
        "cello",
        "--features",
        "flow",
    )
    networks.write_bytes(b"garbage" * 100)
    with pytest.raises(ModelError, match=r"network\.pth: no file of tensors, or one that holds code"):
        run(*command, "rgb", "--inception", networks)
    assert not out.exists()
    assert run(*command) == 0
    assert capsys.readouterr().out == f"{out}: 2 clips made; train has 2 of 1 video (0.00 hours)\n"
    flow = np.load(out / "train" / "cello-abc-0001" / "flow.npy")
    assert flow.shape == (43, 166)
    assert flow.any()


@pytest.mark.slow
def test_several_processes_make_the_same(films: Path, tmp_path: Path) -> None:
    for workers in (1, 2):
        run("prepare_solos", "--data", films, "--out", tmp_path / str(workers), "--seconds", 2, "--workers", workers)
    one, two = (
        {str(file.relative_to(tmp_path / name)): file.read_bytes() for file in (tmp_path / name).rglob("*.*")}
        for name in ("1", "2")
    )
    assert len(one) > 10
    assert one == two


def test_recital_is_prepared_and_inspected(
    scores: Path,  # noqa: F811
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    assert run("prepare_players", "--data", scores, "--out", out, "--hours", 0.004, "--split", "train") == 0
    assert capsys.readouterr().out == f"{out}: 1 excerpt made; train has 1\n"
    assert run("inspect_players", "--data", out) == 0
    assert capsys.readouterr().out.startswith("train: cello: 1 clip of 1 video, 0.00 hours, 1 with keypoints, of which")
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "nothing.mid").write_bytes(b"garbage")
    assert run("prepare_players", "--data", bad, "--out", tmp_path / "none", "--hours", 0.004) == 1
    assert "nothing.mid" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["prepare_solos", "--data", "nowhere", "--out", "out"], "nowhere: no such folder"),
        (["prepare_solos", "--data", ".", "--out", "out", "--workers", "0"], "--workers 0"),
        (["prepare_solos", "--data", ".", "--out", "out", "--stretch", "9"], "stretch 9"),
        (["prepare_solos", "--data", ".", "--out", "out", "--ids", "nowhere.json"], "nowhere.json: no such file"),
        (["prepare_solos", "--data", ".", "--out", "out", "--features", "flow", "rgb"], "give the file of them"),
        (["prepare_players", "--data", "nowhere", "--out", "out"], "nowhere: no such folder"),
        (["inspect_solos", "--data", "."], "has none of train/, val/, test/"),
    ],
)
def test_wrong_usage(words: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=says.replace("(", "\\(")):
        run(*words)
    assert not list(tmp_path.iterdir())


def test_keypoints_that_are_missing_are_found_in_the_films(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_boxes(monkeypatch)
    root, out = tmp_path / "in", tmp_path / "out"
    write(root / "Cello" / "abc.mp4", conducting(4.2, [0, 1, 2, 3, 4]), clicks(4.2, [1, 2]))
    write(root / "Cello" / "own.mp4", conducting(4.2), clicks(4.2))
    write_keypoints(root / "Cello" / "own.npy", np.arange(105) / 25)
    write(root / "Horn" / "empty.mp4", nobody(2.2), clicks(2.2))
    command = ("prepare_solos", "--data", root, "--out", out, "--seconds", 2)
    assert run(*command) == 1
    said = capsys.readouterr()
    assert f"{out}: 4 clips made" in said.out
    assert said.err == f"ictus: {root}/Horn/empty.mp4: nobody is seen in its 55 pictures\n"
    (clip,) = out.glob("*/cello-abc-0001")
    keypoints = np.load(clip / "keypoints.npy")
    assert keypoints.shape == (50, 47, 3)
    wrist = keypoints[:, get_skeleton("solos-47").index("right_wrist"), 1]
    assert wrist.argmax() % 25 in (0, 1, 24)  # lowest every second
    (own,) = out.glob("*/cello-own-0000")
    np.testing.assert_allclose(np.load(own / "keypoints.npy")[:, 0, 0], 20, atol=1)  # as the file beside it has it


def test_films_are_left_without_keypoints_where_that_is_wanted_or_nothing_finds_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ICTUS_CACHE", str(tmp_path / "cache"))
    write(tmp_path / "in" / "abc.mp4", conducting(2.2), clicks(2.2))
    command = ("prepare_solos", "--data", tmp_path / "in", "--out", tmp_path / "out", "--seconds", 2)
    assert run(*command) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "there are no keypoints of abc, and finding people in films needs" in line
    assert "`ictus models get blaze`" in line
    assert run(*command, "--no-estimate") == 0
    assert capsys.readouterr().err == ""
    (clip,) = (tmp_path / "out").glob("*/unknown-abc-0000")
    assert (clip / "mel.npy").is_file()
    assert not (clip / "keypoints.npy").exists()
    use_boxes(monkeypatch)
    assert run(*command) == 0
    assert (clip / "keypoints.npy").is_file()
