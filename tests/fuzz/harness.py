"""Damaged and hostile files for every reader: what each case comes to, and what it costs.

A reader may accept a file or refuse it with one line that names it: an IctusError of bounded length, without control
characters. Another exception, a hang or a crash is a defect; so is a message that is not such a line. Cases are made
from good files by `mutators` and depend on the seed, the reader and their number alone, so that each can be made again:

    make fuzz CASES=100000              as many cases in all; prints a table
    python tests/fuzz/harness.py --only bvh --seed 1 --first 4711 --keep case.bvh     one case, kept as a file

Cases run in a forked child with limits on processor time, real time and address space; one that goes beyond ends the
child, is counted, and another child goes on behind it.
"""

import argparse
import contextlib
import faulthandler
import logging
import os
import resource
import shutil
import signal
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from mutators import mutated, zeros
from readers import READERS, Reader

from ictus.errors import IctusError

SECONDS = 10.0  # of processor time for a case; of real time six times as long, for the machine may be busy
MEMORY = 4 << 30  # bytes of address space beyond what the child begins with
GROWTH = 512 << 20  # bytes by which a reader's memory may grow
LONGEST = 700  # letters of a message beside the name of the file
PLACE = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
FAILURES = ("other", "hang", "crash")


@dataclass
class Tally:
    """What the cases of a reader came to: how many of each outcome, the growth of memory in bytes, and what failed."""

    outcomes: Counter[str] = field(default_factory=Counter)
    growth: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def right(self) -> bool:
        """Whether every case was accepted or refused in a line, within the memory that is allowed."""
        return not any(self.outcomes[kind] for kind in FAILURES) and self.growth < GROWTH


def run(reader: Reader, name: str, cases: range, seed: int = 0) -> Tally:
    """Run cases of a reader in children, one after another."""
    tally, first = Tally(), cases.start
    with tempfile.TemporaryDirectory(dir=PLACE) as folder:
        place = Path(folder)
        (place / "made").mkdir()
        examples = reader.examples(place / "made")
        with contextlib.suppress(IctusError):
            reader.read(place / "made" / reader.file)  # so that what it imports is no growth
        while first < cases.stop:
            (place / "case").mkdir()
            source, sink = os.pipe()
            if not (child := os.fork()):
                _child(reader, name, examples, range(first, cases.stop), seed, place / "case", sink)
            os.close(sink)
            with os.fdopen(source, errors="replace") as lines:
                for line in lines:
                    outcome, growth, detail = line.rstrip("\n").split("\t")
                    if tally.growth < GROWTH <= int(growth):
                        tally.failures.append(f"{name} {first}: memory grew by {int(growth) >> 20} MB")
                    tally.growth = max(tally.growth, int(growth))
                    _count(tally, outcome, f"{name} {first}: {detail}")
                    first += 1
            _, status = os.waitpid(child, 0)
            if status:  # in the middle of a case
                signal_number = os.WTERMSIG(status)
                hang = signal_number in (signal.SIGPROF, signal.SIGALRM)
                _count(tally, "hang" if hang else "crash", f"{name} {first}: ended by signal {signal_number}")
                first += 1
            shutil.rmtree(place / "case")
    return tally


def _count(tally: Tally, outcome: str, line: str) -> None:
    tally.outcomes[outcome] += 1
    if outcome in FAILURES:
        tally.failures.append(line)


def _child(
    reader: Reader,
    name: str,
    examples: Sequence[dict[str, bytes]],
    cases: range,
    seed: int,
    place: Path,
    sink: int,
) -> None:
    """Run cases and write a line about each: outcome, growth of memory in bytes, what went wrong."""
    status = 1
    try:
        faulthandler.disable()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # decoders chatter there
        address_space, resident = (int(pages) * resource.getpagesize() for pages in _memory())
        resource.setrlimit(resource.RLIMIT_AS, (address_space + MEMORY,) * 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for case in cases:
            path = write(examples, f"{seed} {name} {case}", place / str(case), reader.file)
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            signal.setitimer(signal.ITIMER_REAL, 6 * SECONDS)
            outcome, detail = outcome_of(reader, path)
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
            growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - resident
            detail = "".join(letter if letter.isprintable() else " " for letter in detail)
            os.write(sink, f"{outcome}\t{growth}\t{detail}\n".encode(errors="replace"))
            shutil.rmtree(place / str(case), ignore_errors=True)
        status = 0
    finally:
        os._exit(status)


def _memory() -> list[str]:
    """Return the pages of address space, and of memory, that this process has."""
    return Path("/proc/self/statm").read_text().split()[:2]


def write(examples: Sequence[dict[str, bytes]], seed: str, folder: Path, file: str) -> Path:
    """Write the case of a seed into a folder; return the path that is read."""
    rng = Random(seed)
    contents = dict(rng.choice((examples[0], *examples)))
    others = [content for example in examples for content in example.values()]
    names = sorted(contents)
    for name in {rng.choice(names) for _ in range(rng.choice((1, 1, 2)))}:
        contents[name] = mutated(contents[name], rng, others)
    if not file and rng.random() < 0.05:
        del contents[rng.choice(names)]
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder / file


def outcome_of(reader: Reader, path: Path) -> tuple[str, str]:
    """Return what reading a file comes to, and what is wrong with that."""
    said: list[str] = []
    with warnings.catch_warnings(), _listening(said):
        warnings.simplefilter("ignore")
        try:
            reader.read(path)
            outcome = "accepted"
        except IctusError as error:
            outcome = "clean"
            said.append(str(error))
            if str(path) not in said[-1]:
                return "other", f"does not name the file: {said[-1][:300]!r}"
        except BaseException as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            return (
                "other",
                f"{type(error).__name__} in {where.name} ({where.filename}:{where.lineno}): {str(error)[:200]}",
            )
    for message in said:
        words = message.replace(str(path), "FILE")
        if not words.isprintable() or len(words) > LONGEST:
            return "other", f"is no short line: {words[:300]!r} ({len(words)} letters)"
    return outcome, ""


@contextlib.contextmanager
def _listening(said: list[str]) -> Iterator[None]:
    """Collect what the package warns of."""
    handler, logger = logging.Handler(), logging.getLogger("ictus")
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def main() -> None:
    parser = argparse.ArgumentParser(description="fuzz all readers of the package")
    parser.add_argument("--cases", type=int, default=100_000, help="in all, over all readers")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--only", action="append", choices=READERS, metavar="READER", help=", ".join(READERS))
    parser.add_argument("--keep", type=Path, help="write the first case there, and run none")
    options = parser.parse_args()
    chosen = options.only or list(READERS)
    if options.keep:
        _keep(chosen[0], options.seed, options.first, options.keep)
        return
    zeros()
    each = -(-options.cases // len(chosen))
    print("| reader | cases | clean | accepted | other | hang | crash | growth, MB |\n|---|" + "---:|" * 7)
    whole, failures = Tally(), []
    for name in chosen:
        tally = run(READERS[name], name, range(options.first, options.first + each), options.seed)
        print(_row(name, tally), flush=True)
        whole.outcomes += tally.outcomes
        whole.growth = max(whole.growth, tally.growth)
        failures += tally.failures
    print(_row("all", whole))
    print(*failures, sep="\n", file=sys.stderr)
    sys.exit(1 if failures else 0)


def _row(name: str, tally: Tally) -> str:
    values = (sum(tally.outcomes.values()), *(tally.outcomes[kind] for kind in ("clean", "accepted", *FAILURES)))
    return f"| {name} | {' | '.join(map(str, (*values, round(tally.growth / 1e6))))} |"


def _keep(name: str, seed: int, case: int, target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=PLACE) as folder:
        (Path(folder) / "made").mkdir()
        path = write(
            READERS[name].examples(Path(folder) / "made"),
            f"{seed} {name} {case}",
            Path(folder) / "case",
            READERS[name].file,
        )
        (shutil.copytree if path.is_dir() else shutil.copy)(path, target)


if __name__ == "__main__":
    main()
