"""Corpora: the same whatever way they are made, whole or not there, and val never in train."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from ictus.errors import IctusError, UsageError
from ictus.scores.reader import read
from ictus.synthesis import music_corpus
from ictus.synthesis.music_corpus import (
    AnnotatedExcerpt,
    MusicCorpusSplit,
    make_music_corpus,
    plan_music_corpus,
    score_excerpt,
)
from ictus.synthesis.rendering import SynthesisOptions
from ictus.synthesis.score_collection import find_pieces
from tiny_scores import waltz
from tiny_soundfont import save_soundfont


def files(excerpt: AnnotatedExcerpt) -> dict[str, Any]:
    """Keep a little of the sound, and the annotation."""
    return {"sound.npy": excerpt.audio.samples[0, ::100], "beats.npz": excerpt.archive()}


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    folder = tmp_path / "scores"
    folder.mkdir()
    for k in range(4):
        (folder / f"waltz_{k}.musicxml").write_text(waltz(60 + 4 * k, tempo=126 + k))
    (folder / "splits.csv").write_text("movement_id,split\nwaltz_0,train\nwaltz_1,train\nwaltz_2,val\nwaltz_3,val\n")
    return folder


def run(wanted: list[MusicCorpusSplit], workers: int = 1) -> tuple[int, list[str], list[float]]:
    lines: list[str] = []
    done: list[float] = []
    made = make_music_corpus(wanted, files, workers=workers, progress=done.append, report=lines.append)
    return made, lines, done


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.npy"))}


def test_all_works_of_a_composer_are_in_one_split(tmp_path: Path) -> None:
    rows = []
    for k in range(60):
        (tmp_path / f"song_{k:02}.mid").touch()
        rows.append(f"song_{k:02},Composer {k % 12}\n")
    (tmp_path / "scores.csv").write_text("score_id,composer\n" + "".join(rows))
    splits = [piece.split for piece in find_pieces(tmp_path)]
    assert splits == splits[:12] * 5
    assert len(set(splits)) > 1


def test_pieces_are_split_by_table(scores: Path) -> None:
    assert [(p.name, p.split) for p in find_pieces(scores)] == [
        *(("waltz_0", "train"), ("waltz_1", "train"), ("waltz_2", "val"), ("waltz_3", "val")),
    ]


def test_pieces_are_split_by_name_and_seed(tmp_path: Path) -> None:
    for k in range(300):
        (tmp_path / f"{k}.mid").write_bytes(b"x")
    by_seed = [[p.split for p in find_pieces(tmp_path, seed)] for seed in (0, 0, 1)]
    assert by_seed[0] == by_seed[1] != by_seed[2]
    assert [by_seed[0].count(split) / 300 for split in ("train", "val", "test")] == pytest.approx(
        [0.8, 0.1, 0.1], abs=0.06
    )


def test_recordings_that_pass_are_found(scores: Path) -> None:
    np.savez(scores / "waltz_0.alignment.npz", recordings=np.array(["11", "12", "13"]))
    rows = "recording_id,movement_id,passes\n11,waltz_0,1\n12,waltz_0,0\n13,waltz_0,1\n11,waltz_1,1\n"
    (scores / "recordings.csv").write_text(rows)
    pieces = {piece.name: piece for piece in find_pieces(scores)}
    assert pieces["waltz_0"].recordings == (0, 2)
    assert pieces["waltz_1"].recordings == ()


def test_hours_are_shared_out(scores: Path, tmp_path: Path) -> None:
    wanted = plan_music_corpus(scores, tmp_path / "out", hours=1.5)
    assert {plan.split: plan.count for plan in wanted} == {"train": 80, "val": 10}
    assert [plan.count for plan in plan_music_corpus(scores, tmp_path / "out", hours=0.5, split="val")] == [30]


def test_val_pieces_stay_in_val(scores: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(plan_music_corpus(scores, out, hours=3 / 60))
    for split, allowed in (("train", {"waltz_0", "waltz_1"}), ("val", {"waltz_2", "waltz_3"})):
        found = {_about(folder)["piece"] for folder in (out / split).iterdir()}
        assert found
        assert found <= allowed


def _about(folder: Path) -> dict[str, Any]:
    with np.load(folder / "beats.npz", allow_pickle=False) as file:
        return dict(json.loads(str(file["about"])))


def test_the_same_in_one_go_in_pieces_and_in_parallel(scores: Path, tmp_path: Path) -> None:
    once = tmp_path / "once"
    assert run(plan_music_corpus(scores, once, hours=3 / 60, split="train"))[0] == 3
    bit, rest = tmp_path / "bits", plan_music_corpus(scores, tmp_path / "bits", hours=3 / 60, split="train")
    assert run(plan_music_corpus(scores, bit, hours=1 / 60, split="train"))[0] == 1
    made, lines, done = run(rest, workers=2)
    assert (made, lines, done[-1]) == (2, [], 1.0)
    assert content(once) == content(bit)
    assert len(content(once)) == 3
    assert run(rest)[0] == 0


def test_another_seed_is_another_corpus(scores: Path, tmp_path: Path) -> None:
    for seed in (0, 1):
        run(plan_music_corpus(scores, tmp_path / str(seed), hours=1 / 60, split="train", seed=seed))
    assert content(tmp_path / "0") != content(tmp_path / "1")
    with pytest.raises(UsageError, match="another seed"):
        plan_music_corpus(scores, tmp_path / "0", hours=1, seed=1)
    (scores / "more.mxl").write_bytes(b"x")
    with pytest.raises(UsageError, match="other scores"):
        plan_music_corpus(scores, tmp_path / "0", hours=1)


def sounding(excerpt: AnnotatedExcerpt) -> dict[str, Any]:
    return {**files(excerpt), "music.flac": excerpt.audio.mono()}


def test_a_corpus_of_many_sounds(scores: Path, tmp_path: Path) -> None:
    pytest.importorskip("fluidsynth", reason="needs the scores extra and libfluidsynth", exc_type=ImportError)
    options = SynthesisOptions((save_soundfont(tmp_path / "tiny.sf2"),), piano=0.5, music=True)
    once, bits = tmp_path / "once", tmp_path / "bits"
    for out, counts in ((once, (4,)), (bits, (1, 4))):
        for count in counts:
            wanted = plan_music_corpus(scores, out, hours=count / 60, split="train", options=options)
            make_music_corpus(wanted, sounding, workers=1, progress=lambda _: None, report=print)
    assert content(once) == content(bits)
    about = [_about(once / "train" / str(k)) for k in range(4)]
    assert {one["group"] for one in about} == {"orchestral", "piano"}
    assert {one["soundfont"] for one in about} == {None, "tiny.sf2"}
    assert all(one["parts"] == 1 for one in about if one["group"] == "piano")
    sound, rate = soundfile.read(once / "train" / "0" / "music.flac")
    assert (sound.shape, rate) == ((60 * 22050,), 22050)
    assert soundfile.info(once / "train" / "0" / "music.flac").subtype == "PCM_16"
    with pytest.raises(UsageError, match="other sounds"):
        plan_music_corpus(scores, once, hours=1)


def test_onsets_are_where_the_annotation_has_beats(scores: Path, tmp_path: Path) -> None:
    pytest.importorskip("fluidsynth", reason="needs the scores extra and libfluidsynth", exc_type=ImportError)
    librosa = pytest.importorskip("librosa")
    piece = find_pieces(scores)[0]
    options, renderers = SynthesisOptions((save_soundfont(tmp_path / "tiny.sf2"),), piano=1.0), set()
    for seed in (0, 2):
        made = score_excerpt(piece, read(piece.file), (0.0, 1.0), np.random.default_rng(seed), options)
        mono = made.audio.samples.mean(0)
        onsets = librosa.onset.onset_detect(y=mono, sr=made.audio.rate, hop_length=256, units="time")
        times = made.annotation.times[(made.annotation.times > 0.5) & (made.annotation.times < 59)]
        nearest = np.abs(onsets[:, None] - times).min(0)
        assert np.median(nearest) < 0.03
        assert (nearest < 0.07).mean() > 0.9
        renderers.add(made.about["renderer"])
    assert len(renderers) == 2


def test_scores_that_cannot_be_used_are_reported_once(scores: Path, tmp_path: Path) -> None:
    (scores / "waltz_0.musicxml").write_text("no score")
    (scores / "waltz_1.musicxml").write_text(waltz(4))
    (scores / "fine.mxl").write_text(waltz(60))
    (scores / "splits.csv").write_text("movement_id,split\nwaltz_0,train\nwaltz_1,train\nfine,train\n")
    made, lines, _ = run(plan_music_corpus(scores, tmp_path / "out", hours=6 / 60, split="train"))
    assert made == 6
    assert len(lines) == 2
    assert any("waltz_0.musicxml: no MusicXML" in line for line in lines)
    assert any("waltz_1.musicxml: is shorter than a minute" in line for line in lines)


def test_when_no_score_can_be_used(scores: Path, tmp_path: Path) -> None:
    for file in scores.glob("*.musicxml"):
        file.write_text("nothing")
    made, lines, _ = run(plan_music_corpus(scores, tmp_path / "out", hours=2 / 60, split="val"))
    assert made == 0
    assert lines[-1] == "val: none of the 2 scores can be used"


def test_a_killed_run_leaves_no_half_folder(scores: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    wanted = plan_music_corpus(scores, out, hours=2 / 60, split="train")

    def interrupted(save: Callable[..., None]) -> Callable[..., None]:
        def savez(*args: Any, **arrays: Any) -> None:
            save(*args, **arrays)
            raise KeyboardInterrupt

        return savez

    with monkeypatch.context() as patch:
        patch.setattr(music_corpus.np, "savez", interrupted(np.savez))
        with pytest.raises(KeyboardInterrupt):
            run(wanted)
    assert not list((out / "train").glob("*") if (out / "train").exists() else [])
    assert run(wanted)[0] == 2
    assert not (out / ".unfinished").exists()


def test_a_place_that_cannot_be_written_to(scores: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    wanted = plan_music_corpus(scores, tmp_path / "out", hours=1 / 60, split="train")
    (tmp_path / "out" / "train").write_text("in the way")
    with pytest.raises(IctusError, match="cannot be written"):
        run(wanted)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"hours": 0}, "hours"),
        ({"hours": 1e9}, "hours"),
        ({"hours": 1, "split": "test"}, "belongs to test"),
    ],
)
def test_plans_that_make_no_sense(scores: Path, tmp_path: Path, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        plan_music_corpus(scores, tmp_path / "out", **arguments)


def test_folders_without_scores(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        find_pieces(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="no scores in it"):
        find_pieces(tmp_path)


def test_tables_without_their_columns(scores: Path) -> None:
    (scores / "splits.csv").write_text("name,part\nwaltz_0,train\n")
    with pytest.raises(UsageError, match="movement_id"):
        find_pieces(scores)


def test_songs_stand_beside_scores(scores: Path, tmp_path: Path) -> None:
    once, bits = tmp_path / "once", tmp_path / "bits"
    for out, counts in ((once, (6,)), (bits, (3, 6))):
        for count in counts:
            wanted = plan_music_corpus(
                scores, out, hours=count / 60, split="train", seed=1, options=SynthesisOptions(songs=0.5)
            )
            run(wanted)
    assert content(once) == content(bits)
    about = [_about(folder) for folder in (once / "train").iterdir()]
    assert {one["group"] for one in about} == {"orchestral", "pop"}
    assert all(one["style"] in one["piece"] for one in about if one["group"] == "pop")
    with pytest.raises(UsageError, match="other sounds"):
        plan_music_corpus(scores, once, hours=1, split="train", seed=1, options=SynthesisOptions())
    with pytest.raises(UsageError, match="songs 2"):
        SynthesisOptions(songs=2)


def test_varied_music_is_slower_and_faster(scores: Path) -> None:
    piece = find_pieces(scores)[0]
    score = read(piece.file)

    def spread(options: SynthesisOptions) -> float:
        made = [score_excerpt(piece, score, (0, 1), np.random.default_rng(seed), options) for seed in range(4)]
        return float(np.std([np.log(np.median(np.diff(one.annotation.times))) for one in made]))

    assert spread(SynthesisOptions(varied=True)) > 1.3 * spread(SynthesisOptions())
