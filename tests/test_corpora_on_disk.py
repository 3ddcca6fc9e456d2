"""What the corpora of all arts share: folders that are whole or not there, and a signature beside them."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ictus.audio import Audio
from ictus.corpora import (
    CorpusWriteError,
    PreparationResult,
    begin_preparation,
    check_signature,
    collect_results,
    finish_preparation,
    list_unusable,
    open_array,
    remove_unfinished,
    save_example,
    scan_split,
    shorten_list,
)
from ictus.errors import IctusError, UsageError


def test_reading_goes_on_after_a_broken_folder(tmp_path: Path) -> None:
    for name in ("10", "9", "b", "a"):
        (tmp_path / "train" / name).mkdir(parents=True)
    (tmp_path / "train" / "a file").touch()

    def read(folder: Path) -> str:
        if folder.name == "b":
            raise IctusError("b: is broken")
        return folder.name

    assert scan_split(tmp_path, "train", read, "splits") == (("10", "9", "a"), ("b: is broken",))
    by_length = scan_split(tmp_path, "train", read, "splits", lambda path: (len(path.name), path.name))
    assert by_length[0] == ("9", "a", "10")
    with pytest.raises(UsageError, match="val: no such folder; a corpus has splits"):
        scan_split(tmp_path, "val", read, "splits")


def test_what_is_unusable_ends_a_message() -> None:
    assert list_unusable(()) == ""
    assert list_unusable(("b: is broken", "c: too")) == "; unusable: b: is broken (and 1 more)"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "missing"),
        (b"no array", "damaged or no array"),
        (b"", "the file is empty"),
        (np.array(3.0), "a single number, expected an array"),
        (np.array([{}, []], object), "damaged or no array"),
    ],
)
def test_rows_that_cannot_be_opened(tmp_path: Path, content: bytes | np.ndarray | None, says: str) -> None:
    file = tmp_path / "rows.npy"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content is not None:
        np.save(file, content)
    with pytest.raises(IctusError, match=rf"rows\.npy: {says}") as refusal:
        open_array(file)
    assert "\n" not in str(refusal.value)


def test_rows_are_mapped_and_a_file_that_breaks_off_is_refused(tmp_path: Path) -> None:
    rows = np.arange(3000, dtype=np.float32).reshape(-1, 3)
    np.save(tmp_path / "rows.npy", rows)
    opened = open_array(tmp_path / "rows.npy")
    assert isinstance(opened, np.memmap)
    assert (opened == rows).all()
    whole = (tmp_path / "rows.npy").read_bytes()
    (tmp_path / "short.npy").write_bytes(whole[:-1])
    with pytest.raises(IctusError, match=r"short\.npy: damaged"):
        open_array(tmp_path / "short.npy")


def test_a_folder_holds_what_was_given(tmp_path: Path) -> None:
    rows, tone = np.arange(6.0).reshape(2, 3), np.sin(np.arange(2000) / 9)[None].astype(np.float32)
    files = {
        "rows.npy": rows,
        "arrays.npz": {"rows": rows},
        "sound.flac": Audio(tone, 8000),
        "about.json": {"title": "Für Elise"},
        "film.mp4": lambda path: path.write_text("a film"),
    }
    for bits in (16, 24):
        save_example(tmp_path / "train" / "one", files, bits)
        folder = tmp_path / "train" / "one"
        assert sorted(path.name for path in folder.iterdir()) == sorted(files)
        assert (np.load(folder / "rows.npy") == rows).all()
        assert (np.load(folder / "arrays.npz")["rows"] == rows).all()
        assert soundfile.info(folder / "sound.flac").subtype == f"PCM_{bits}"
        assert soundfile.read(folder / "sound.flac")[0] == pytest.approx(tone[0], abs=2.0 ** (1 - bits))
        assert json.loads((folder / "about.json").read_text("utf-8")) == {"title": "Für Elise"}
        assert (folder / "film.mp4").read_text() == "a film"


@pytest.mark.parametrize("raised", [OSError(28, "No space left"), soundfile.LibsndfileError(28), KeyboardInterrupt()])
def test_a_folder_is_whole_or_as_it_was(tmp_path: Path, raised: BaseException) -> None:
    folder, rows = tmp_path / "train" / "one", np.zeros((2, 3))
    save_example(folder, {"rows.npy": rows, "old.npy": rows})
    (tmp_path / ".unfinished" / "train-one").mkdir(parents=True)  # of a run that was killed
    (tmp_path / ".unfinished" / "train-one" / "left.npy").touch()

    def fails(path: Path) -> None:
        raise raised

    expected = KeyboardInterrupt if isinstance(raised, KeyboardInterrupt) else CorpusWriteError
    with pytest.raises(expected) as refusal:
        save_example(folder, {"rows.npy": rows + 1, "film.mp4": fails})
    if expected is CorpusWriteError:
        assert str(refusal.value).startswith(f"{folder}: cannot be written (")
    assert sorted(path.name for path in folder.iterdir()) == ["old.npy", "rows.npy"]
    assert (np.load(folder / "rows.npy") == 0).all()
    save_example(folder, {"rows.npy": rows + 1})
    assert [path.name for path in folder.iterdir()] == ["rows.npy"]
    remove_unfinished(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["train"]


def test_other_errors_stay_as_they_are(tmp_path: Path) -> None:
    def fails(path: Path) -> None:
        raise IctusError("film.webm: breaks off")

    with pytest.raises(IctusError, match=r"^film\.webm: breaks off$") as refusal:
        save_example(tmp_path / "train" / "one", {"film.mp4": fails})
    assert not isinstance(refusal.value, CorpusWriteError)
    assert not list((tmp_path / ".unfinished").iterdir())


def test_signatures_show_where_corpora_differ(tmp_path: Path) -> None:
    file = tmp_path / "corpus" / "made.json"
    content = {"seed": 0, "names": ("a", "ä"), "rate": 0.5}
    assert check_signature(file, content) == {}
    assert json.loads(file.read_text("utf-8")) == {"seed": 0, "names": ["a", "ä"], "rate": 0.5}
    assert check_signature(file, dict(reversed(content.items()))) == {}
    assert check_signature(file, {**content, "seed": 1}) == {"seed": (0, 1)}
    assert check_signature(file, {"seed": 0, "rate": 0.5, "by": "me"}) == {
        "by": (None, "me"),
        "names": (["a", "ä"], None),
    }
    for wrong in ("[]", "{", ""):
        file.write_text(wrong)
        with pytest.raises(UsageError, match=r"made\.json: cannot be read") as refusal:
            check_signature(file, content)
        assert "\n" not in str(refusal.value)


def test_a_prepared_corpus_may_be_closed_and_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / ".unfinished").mkdir()
    begin_preparation(tmp_path, {"corpus": "mine", "seed": 0})
    finish_preparation(tmp_path, {"train": 3})
    assert json.loads((tmp_path / "prepared.json").read_text()) == {"corpus": "mine", "seed": 0, "splits": {"train": 3}}
    assert [path.name for path in tmp_path.iterdir()] == ["prepared.json"]
    begin_preparation(tmp_path, {"corpus": "mine", "seed": 0})
    with pytest.raises(UsageError, match=r"another corpus is there \(corpus, sound\); choose another folder"):
        begin_preparation(tmp_path, {"corpus": "yours", "seed": 0, "sound": True})


def test_results_are_added_and_a_line_is_reported_once() -> None:
    lines, fractions = list[str](), list[float]()
    results = [
        PreparationResult(1),
        PreparationResult(2, ("a", "b")),
        PreparationResult(0, ("b", "c")),
        PreparationResult(1),
    ]
    assert collect_results(iter(results), 4, fractions.append, lines.append) == PreparationResult(4, ("a", "b", "c"))
    assert lines == ["a", "b", "c"]
    assert fractions == [0.25, 0.5, 0.75, 1]
    assert collect_results(results, 4) == PreparationResult(4, ("a", "b", "c"))
    assert collect_results((), 0, fractions.append) == PreparationResult()


def test_many_names_are_cut_short() -> None:
    assert shorten_list(["a"]) == "a"
    assert shorten_list(["a", "b", "c", "d"]) == "a, b, c, d"
    assert shorten_list(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
