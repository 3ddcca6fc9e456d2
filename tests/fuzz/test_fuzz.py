"""Damaged files of every kind: each is read, or refused with one line; nothing hangs, crashes or fills the memory."""

import ctypes
import time
from collections.abc import Callable
from pathlib import Path

import harness
import pytest
from readers import READERS, Reader, text

from ictus.errors import IctusError

CASES = 300


@pytest.mark.parametrize("name", READERS)
def test_damaged_files_are_read_or_refused_in_a_line(name: str) -> None:
    tally = harness.run(READERS[name], name, range(CASES))
    assert tally.right, "\n".join(tally.failures[:20])
    assert sum(tally.outcomes.values()) == CASES


def refuse(message: str) -> Callable[[Path], None]:
    def read(path: Path) -> None:
        raise IctusError(message.format(path))

    return read


@pytest.mark.parametrize(
    ("read", "outcome"),
    [
        (lambda path: None, "accepted"),
        (refuse("{}: is damaged"), "clean"),
        (refuse("it is damaged"), "other"),
        (refuse("{}: \x1b[31m"), "other"),
        (refuse("{}: " + 900 * "x"), "other"),
        (lambda path: 1 / 0, "other"),
        (lambda path: time.sleep(9), "hang"),
        (lambda path: ctypes.string_at(0), "crash"),
    ],
)
def test_outcomes_are_counted(read: Callable[[Path], object], outcome: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness, "SECONDS", 0.1)
    calls = []  # the first is made to warm up, in this process

    def second(path: Path) -> None:
        calls.append(path)
        if len(calls) > 1:
            read(path)

    tally = harness.run(Reader("x.txt", second, text("x.txt", "1 2 3")), "x", range(2))
    assert tally.outcomes == {outcome: 2}
    assert len(tally.failures) == (0 if outcome in ("accepted", "clean") else 2)


def test_growth_is_measured() -> None:
    calls: list[bytes] = []
    grow = Reader("x.txt", lambda path: calls.append(b"x" * (len(calls) * 600 << 20)), text("x.txt", "1"))
    tally = harness.run(grow, "x", range(1))
    assert tally.growth > harness.GROWTH
    assert not tally.right


def test_cases_depend_on_seed_and_number_alone(tmp_path: Path) -> None:
    examples = [{"a": b"1 2 3" * 9, "b": b"4 5 6" * 9}]
    cases = [harness.write(examples, f"0 x {k % 20}", tmp_path / str(k), "a").read_bytes() for k in range(40)]
    assert cases[:20] == cases[20:]
    assert len(set(cases)) > 10
