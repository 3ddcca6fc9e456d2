"""What all commands' options have in common: ranges, checked before work starts, and help without Python's words."""

import functools
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import tyro

from ictus.errors import UsageError
from ictus.limits import FRAME_RATES

_ADDRESS = re.compile(r"((?:https?|ftp|s3|gs)):/+", re.IGNORECASE)


@dataclass(frozen=True)
class Range:
    """The values that an option takes, both ends included: `Annotated[int, Range(1, 240)]`."""

    low: float
    high: float = inf
    above: bool = False  # the lower end itself is none of them

    def check(self, flag: str, value: float) -> None:
        """Raise UsageError, in which the flag and the range are named, if a value is outside; NaN always is."""
        if (self.low < value if self.above else self.low <= value) and value <= self.high and value < inf:
            return
        if self.high < inf:
            which = f"choose between {self.low:.10g} and {self.high:.10g}"
        else:
            which = f"give more than {self.low:g}" if self.above else f"give {self.low:g} or more"
        raise UsageError(f"{flag} {value if isinstance(value, int) else format(value, 'g')}: {which}")


Music = Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="MUSIC")]
Outs = Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(aliases=["-o"], metavar="OUT")]
Meter = Annotated[str, tyro.conf.arg(metavar="auto|N|N/N")]
Split = Literal["all", "train", "val", "test"]
Seed = Annotated[int, Range(0, 2**32 - 1)]
Count = Annotated[int, Range(1, 10**6)]
Workers = Annotated[int, Range(1, 1024)]
Hours = Annotated[float | None, Range(0, above=True)]
FilmRate = Annotated[int, Range(1, 240)]
Person = Annotated[str, tyro.conf.arg(metavar="largest|left|right|N")]
Engine = Literal["blaze", "rtm"]  # of `ictus.pose.engines`
Networks = Annotated[Path | None, tyro.conf.arg(metavar="FOLDER|FILE")]
FrameRate = Annotated[float | None, Range(*FRAME_RATES), tyro.conf.arg(metavar="FPS")]


def _default(value: str) -> str:
    return "" if value in ("", "None", "False", "True") else f"(default: {value})"


quiet = tyro.conf.arg(help_behavior_hint=_default)  # no default that says nothing


def command(run: Callable[..., int]) -> Callable[..., int]:
    """Return a command for tyro: its values are checked before it runs, and its help tells defaults that say something.

    Raises
    ------
    UsageError
        When it is called, if a value is outside its range, or an address in the net stands for a file.
    """
    hints = get_type_hints(run, include_extras=True)
    signature = inspect.signature(run)

    @functools.wraps(run)
    def checked(*values: Any, **options: Any) -> int:
        for name, value in signature.bind(*values, **options).arguments.items():
            _check(f"--{name.replace('_', '-')}", value, hints[name])
        return run(*values, **options)

    del checked.__wrapped__  # where tyro would look for the annotations
    checked.__signature__ = signature  # type: ignore[attr-defined]
    checked.__annotations__ = {
        name: hint if name == "return" else Annotated[hint, quiet] for name, hint in hints.items()
    }
    return checked


def check_values(options: object) -> None:
    """Check the fields of a dataclass of options as `command` does the parameters of a function."""
    for name, hint in get_type_hints(type(options), include_extras=True).items():
        _check(f"--{name.replace('_', '-')}", getattr(options, name), hint)


def _check(flag: str, value: Any, hint: Any) -> None:
    for one in value if isinstance(value, tuple) else (value,):
        if isinstance(one, str | Path) and (found := _ADDRESS.match(str(one))):
            address = f"{found[1]}://{str(one)[found.end() :]}"
            raise UsageError(f"{address}: nothing is downloaded; fetch it yourself, and give the name of the file")
        for limit in getattr(hint, "__metadata__", ()):
            if isinstance(limit, Range) and one is not None:
                limit.check(flag, one)
