"""Networks that were fetched, for the tests that need them."""

import pytest

from ictus.errors import IctusError
from ictus.pose import networks


@pytest.fixture(scope="session")
def fetched() -> networks.Networks:
    """The networks in the user's cache."""
    pytest.importorskip("ai_edge_litert", reason="needs LiteRT (pip install 'ictus[pose]')")
    try:
        return networks.load()
    except IctusError:
        pytest.skip("needs the networks (ictus models get blaze)")
