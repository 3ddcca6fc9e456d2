import json

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from ictus import limits
from ictus.errors import MotionError
from ictus.formats import json as json_format
from ictus.motion import Motion
from ictus.skeleton import get_skeleton


@pytest.fixture
def content(tmp_path, swing, random_body):
    """What a valid file holds."""
    swing(random_body(3), 2, meta={"seed": 1}).save(tmp_path / "x.json")
    return json.loads((tmp_path / "x.json").read_text())


def load(tmp_path, content):
    (tmp_path / "y.json").write_text(json.dumps(content))
    return Motion.load(tmp_path / "y.json")


def test_the_file_says_what_it_is(tmp_path, swing):
    motion = swing(get_skeleton("conductor-23"), 3, meta={"seed": 1})
    motion.save(tmp_path / "x.json")
    content = json.loads((tmp_path / "x.json").read_text("ascii"))
    assert list(content)[:3] == ["format", "version", "fps"]
    assert (content["format"], content["version"], content["fps"]) == ("ictus-motion", 1, 30)
    assert content["skeleton"]["joints"] == list(motion.skeleton.joints)
    assert content["skeleton"]["rest"][0] == [0.0, 0.95, 0.0]
    np.testing.assert_allclose(content["positions"], motion.positions, rtol=0, atol=6e-7)
    turns = Rotation.from_quat(np.reshape(content["rotations"], (-1, 4))).as_matrix()
    np.testing.assert_allclose(turns.reshape(motion.rotations.shape), motion.rotations, rtol=0, atol=3e-6)


def test_each_frame_has_a_line_of_its_own(tmp_path, swing, random_body):
    def lines(frames):
        swing(random_body(3), frames).save(tmp_path / "x.json")
        return (tmp_path / "x.json").read_text().splitlines()

    assert len(lines(11)) == len(lines(1)) + 3 * 10  # positions, root, rotations
    assert max(map(len, lines(11))) < 300


def test_optional_parts_may_be_missing(tmp_path, content):
    for key in ("rotations", "root", "meta"):
        del content[key]
    motion = load(tmp_path, content)
    assert (motion.rotations, motion.root, motion.meta) == (None, None, {})


def test_a_byte_order_mark_is_skipped(tmp_path, content):
    (tmp_path / "y.json").write_text(json.dumps(content), encoding="utf-8-sig")
    assert len(Motion.load(tmp_path / "y.json")) == 2


@pytest.mark.parametrize(
    ("keys", "value", "complaint"),
    [
        (("format",), "other", "no motion"),
        (("version",), 2, "version 2"),
        (("fps",), "30", "fps"),
        (("fps",), True, "fps"),
        (("fps",), 0, "fps"),
        (("fps",), 10**400, "fps"),
        (("meta",), [], "meta"),
        (("positions",), None, "missing"),
        (("positions",), [[[0, 0], [0]]], "regular list"),
        (("positions", 0, 0), {}, "regular list"),
        (("positions", 0, 0, 0), 10**400, "regular list"),
        (("positions", 0, 0, 0), None, "not finite"),
        (("positions", 0, 0, 0), 1e300, "not finite"),
        (("positions",), [1, 2], "1 levels, expected 3"),
        (("positions",), [], "1 levels, expected 3"),
        (("positions",), [[[0, 0, 0]] * 2] * 2, "needs .frames, 3"),
        (("root",), [[0, 0, 0]], "root has shape"),
        (("rotations", 0, 0), [0, 0, 0, 0], "unit quaternions"),
        (("rotations", 0, 0), [0, 0, 0, 2], "unit quaternions"),
        (("rotations",), [[[0, 0, 1]] * 3] * 2, "unit quaternions"),
        (("skeleton",), None, "skeleton"),
        (("skeleton", "name"), 1, "skeleton"),
        (("skeleton", "joints"), ["a", "a", "b"], "same name"),
        (("skeleton", "joints"), [1, 2, 3], "skeleton"),
        (("skeleton", "bones"), [[0, 1, 2]], "skeleton"),
        (("skeleton", "bones"), [[0, 9]], "a bone names a joint"),
        (("skeleton", "parents"), [-1, 2, 0], "parent"),
        (("skeleton", "parents"), [-1, -1, 0], "parent"),
        (("skeleton", "mirror"), [1, 2, 0], "mirror"),
        (("skeleton", "rest"), [[0, 0, 0]], "rest"),
        (("skeleton", "rest", 0, 0), "x", "skeleton"),
    ],
)
def test_a_malformed_motion_is_refused(tmp_path, content, keys, value, complaint):
    place = content
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    with pytest.raises(MotionError, match=complaint):
        load(tmp_path, content)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[" * 100_000, "no valid JSON"),
        ('{"a": ' * 100_000, "no valid JSON"),
        ("9" * 10_000, "no valid JSON"),
        ('{"format": NaN}', "NaN"),
        ("{", "line 1"),
        ("\n\n{,", "line 3"),
        ("null", "no motion"),
        ('{"people": []}', "no motion"),
    ],
)
def test_other_json_is_refused(tmp_path, text, complaint):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(MotionError, match=complaint):
        Motion.load(tmp_path / "x.json")


def test_other_encodings_are_refused(tmp_path, content):
    (tmp_path / "x.json").write_text(json.dumps(content), encoding="utf-16")
    with pytest.raises(MotionError, match="UTF-8"):
        Motion.load(tmp_path / "x.json")


def test_a_long_motion_is_read_frame_by_frame(tmp_path, swing, random_body, monkeypatch):
    motion = swing(random_body(3), 20, meta={"positions": [[1]], "text": '"root": ['})
    motion.save(tmp_path / "x.json")
    whole = Motion.load(tmp_path / "x.json")
    monkeypatch.setattr(limits, "MEMORY", (tmp_path / "x.json").stat().st_size)
    with pytest.raises(MotionError, match="too many values"):
        Motion.load(tmp_path / "x.json")
    monkeypatch.setattr(json_format, "_LONG", 0)
    by_frames = Motion.load(tmp_path / "x.json")
    for part in ("positions", "rotations", "root"):
        np.testing.assert_array_equal(getattr(by_frames, part), getattr(whole, part))
    assert (by_frames.skeleton, by_frames.meta, by_frames.fps) == (whole.skeleton, whole.meta, whole.fps)
