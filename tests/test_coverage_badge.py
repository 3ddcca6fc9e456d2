"""The README's badge is drawn, never typed, and drawn again only where it is off."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from coverage_badge import BADGE, drawn, renewed, shown


def test_the_readme_shows_what_was_drawn() -> None:
    percent = shown(BADGE)
    assert percent is not None
    assert BADGE.read_text() == drawn(percent), "make coverage draws the badge; nobody types it"
    assert "docs/images/coverage.svg" in (BADGE.parents[2] / "README.md").read_text()


def test_a_badge_is_an_image_that_says_its_figure() -> None:
    image = ElementTree.fromstring(drawn(87))
    assert image.tag.endswith("svg")
    assert "87 %" in [text.text for text in image.iter() if text.tag.endswith("text")]


@pytest.mark.parametrize(("percent", "after"), [(85.0, 87), (88.9, 87), (84.9, 85), (89.6, 90)])
def test_only_a_badge_that_is_off_is_drawn_again(tmp_path: Path, percent: float, after: int) -> None:
    badge = tmp_path / "coverage.svg"
    badge.write_text(drawn(87))
    said = renewed(badge, percent)
    assert (said is None) == (after == 87)
    assert shown(badge) == after


def test_a_missing_badge_is_drawn(tmp_path: Path) -> None:
    said = renewed(tmp_path / "coverage.svg", 91.4)
    assert said is not None
    assert "\n" not in said
    assert shown(tmp_path / "coverage.svg") == 91
