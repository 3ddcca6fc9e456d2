"""What metres are taken for."""

import pytest

from ictus.beats.meter import beats_in_bar, groups_in_bar, time_signature
from ictus.conducting.pipeline import Maestro
from ictus.errors import UsageError


@pytest.mark.parametrize(
    ("meter", "beats"),
    [
        *((3, 3), ("4", 4), ("3/4", 3), ("4/4", 4), ("2/2", 2), ("6/8", 2), ("9/8", 3), ("12/8", 4), ("3/8", 1)),
        *(("6", 6), ("6/4", 2), ("5/4", 5), ("3+2", 5), ("3+2/8", 5), (7, 7), ("7/8", 7), ("2+2+3/8", 7)),
    ],
)
def test_beats_in_a_bar(meter: int | str, beats: int) -> None:
    assert beats_in_bar(meter) == beats == Maestro(meter=meter).meter


@pytest.mark.parametrize("meter", [0, 8, "11/8", "x", "", "3/0", "3/4/5", "-3", "2.5", "9" * 5000])
def test_other_metres_are_refused_before_work_starts(meter: int | str) -> None:
    with pytest.raises(UsageError, match="is not conducted; choose 1, 2") as caught:
        Maestro(meter=meter)
    assert len(str(caught.value)) < 300


def test_time_signatures_are_summed() -> None:
    assert time_signature(["3", "2"], ["8", "4"]) == (7, 8)
    assert time_signature(["3+2"], ["8"]) == (5, 8)
    for counts, kinds in ((["2.5"], ["4"]), (["3"], []), ([], []), (["1000000000"], ["4"]), (["3"], ["0"])):
        assert time_signature(counts, kinds) is None


def test_groups_of_a_bar() -> None:
    assert groups_in_bar("3+2/8") == (3, 2)
    assert groups_in_bar("2+2+3") == (2, 2, 3)
    assert groups_in_bar("3+3/8") == (2,), "a bar of two beats, and no groups of them"
    assert groups_in_bar(5) == (5,)
