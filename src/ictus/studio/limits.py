"""What the studio takes, and how it says what is wrong: one line for people who see no command line."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ictus.errors import IctusError, UsageError


@dataclass(frozen=True)
class Limits:
    """How much a visitor may ask for.

    Attributes
    ----------
    minutes : of music or of a performance.
    megabytes : of a file.
    waiting : how many may stand in the queue; one at a time is served.
    """

    minutes: float = 10.0
    megabytes: int = 200
    waiting: int = 20

    CURE: ClassVar = "close the page and open it again, and there is room"

    def __post_init__(self) -> None:
        if not 0 < self.minutes <= 24 * 60:
            raise UsageError(f"a limit of {self.minutes:g} minutes; give more than 0, and at most a day (1440)")

    @property
    def visitor_megabytes(self) -> int:
        """All that a visitor may have sent: four files of the largest size."""
        return 4 * self.megabytes

    def check(self, seconds: float) -> None:
        """Raise UsageError if something lasts too long."""
        if seconds > 60 * self.minutes:
            raise UsageError(
                f"this lasts longer than the {self.minutes:g} minutes that the studio takes; give a part of it"
            )

    def check_music(self, file: Path) -> None:
        """Raise UsageError if music lasts too long; no more of it is decoded than the limit, and none is kept."""
        from ictus.decoding import blocks

        rate, _, parts = blocks(file, warn=False)
        samples = 0
        for part in parts:
            samples += part.shape[1]
            self.check(samples / rate)


@contextmanager
def show_errors(*files: Path) -> Iterator[None]:
    """Turn what goes wrong into one line on the page, in which files have the names that the visitor knows.

    Raises
    ------
    gradio.Error
        For every error; one that nobody foresaw is printed where the studio runs, too.
    """
    import gradio

    try:
        yield
    except gradio.Error:
        raise
    except (IctusError, OSError, MemoryError) as error:
        line = " ".join((str(error) or type(error).__name__).split())
        for file in files:
            line = line.replace(str(file), file.name)
        raise gradio.Error(line, title="That did not work", print_exception=False) from error
    except Exception as error:
        raise gradio.Error(f"Nobody foresaw this: {type(error).__name__}.", title="That did not work") from error
