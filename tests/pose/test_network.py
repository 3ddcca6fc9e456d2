"""One network: what LiteRT refuses, and what is said without LiteRT."""

import sys

import numpy as np
import pytest

from ictus.errors import IctusError, ModelError
from ictus.pose.blaze import SHAPES
from ictus.pose.network import Network
from ictus.pose.networks import Networks


def test_without_litert_it_is_said_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(IctusError, match=r"pip install 'ictus\[pose\]'"):
        Network(b"\0\0\0\0TFL3", "x", ())


@pytest.mark.parametrize(
    ("content", "message"), [(b"GIF89a, no network", "is no network"), (b"\x1c\0\0\0TFL3" + 64 * b"\7", "damaged")]
)
def test_what_is_no_network_is_refused_in_a_line(content: bytes, message: str) -> None:
    pytest.importorskip("ai_edge_litert", reason="needs LiteRT (pip install 'ictus[pose]')")
    with pytest.raises(ModelError, match=f"x: .*{message}") as caught:
        Network(content, "x", ())
    assert "\n" not in str(caught.value)


def test_networks_have_the_shapes_that_they_must_have(fetched: Networks) -> None:
    for name, content in fetched.files.items():
        assert Network(content, name, SHAPES[name]).shapes == SHAPES[name]
    with pytest.raises(ModelError, match="another network"):
        Network(fetched.files["palm_detection"], "x", SHAPES["pose_detection"])


def test_a_network_is_a_function(fetched: Networks) -> None:
    recrop = Network(fetched.files["hand_recrop"], "x", SHAPES["hand_recrop"])
    crops = np.random.default_rng(0).random((2, 1, 256, 256, 3), np.float32)
    first = recrop(crops[0])[0].copy()
    assert not np.array_equal(recrop(crops[1])[0], first)
    np.testing.assert_array_equal(recrop(crops[0])[0], first)
