"""Pages that the command line makes."""

from pathlib import Path

import pytest

from ictus.cli import main

SMALL = ("--size", "128x128", "--fps", "10")


def test_a_page_beside_other_results(music: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ["-o", f"{out}/show.html", "-o", f"{out}/motion.json", "--theme", "light"]
    assert main(["conduct", str(music), *arguments]) == 0
    text = (out / "show.html").read_text("utf-8")
    assert '<html lang="en" data-theme="light">' in text
    assert "<title>song</title>" in text
    assert 'data-type="audio/webm"' in text
    assert (out / "motion.json").is_file()


def test_a_page_of_any_motion(music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    motion, show = tmp_path / "a.npz", tmp_path / "show.html"
    assert main(["conduct", str(music), "-o", str(motion)]) == 0
    assert main(["convert", str(motion), str(show)]) == 0
    silent = show.stat().st_size
    assert main(["convert", str(motion), str(show), "--music", str(music), "--theme", "light"]) == 0
    assert show.stat().st_size > silent + 10_000
    assert "show.html (conductor-23, 90 frames" in capsys.readouterr().out


def test_only_pages_have_music(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", "a.npz", str(tmp_path / "a.bvh"), "--music", "song.wav"]) == 2
    assert "only a page has music" in capsys.readouterr().err
