import cv2
import numpy as np
import pytest

from ictus.errors import UsageError
from ictus.render.scene import Scene
from ictus.render.stills import still, strip


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_a_still_is_the_frame_at_its_time(tmp_path, flat, suffix):
    still(flat, 1.0, tmp_path / f"still{suffix}", size=(150, 101), theme="light")
    picture = cv2.imread(str(tmp_path / f"still{suffix}"))
    expected = Scene([flat], size=(150, 101), theme="light").still(1.0)
    assert np.abs(picture.astype(int) - expected).mean() < (0.01 if suffix == ".png" else 3)


def test_times_beyond_the_motion_give_its_ends(flat):
    scene = Scene([flat], size=(80, 80))
    np.testing.assert_array_equal(scene.still(99), scene.still(59 / 30))
    np.testing.assert_array_equal(scene.still(-1), scene.still(0))


def test_a_strip_puts_moments_into_rows(tmp_path, flat):
    strip(flat, [0.1, 0.5, 0.9, 1.3, 1.7], tmp_path / "strip.png", columns=3, size=(90, 80))
    sheet = cv2.imread(str(tmp_path / "strip.png"))
    assert sheet.shape == (160, 270, 3)
    scene = Scene([flat], size=(90, 80))
    np.testing.assert_array_equal(sheet[80:, 90:180], scene.still(1.7))
    np.testing.assert_array_equal(sheet[80:, 180:], scene.backdrop)
    strip(flat, [0.1, 0.5], tmp_path / "row.png", size=(90, 80))
    assert cv2.imread(str(tmp_path / "row.png")).shape == (80, 180, 3)


def test_wrong_calls_are_explained(tmp_path, flat):
    with pytest.raises(UsageError, match=r"cannot save a picture as '\.gif'"):
        still(flat, 0.0, tmp_path / "still.gif")
    with pytest.raises(UsageError, match="at least one time"):
        strip(flat, [], tmp_path / "strip.png")
    assert not list(tmp_path.iterdir())
