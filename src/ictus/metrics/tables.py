"""Tables of results: a row for each model and control."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ictus.metrics.bootstrap import Interval


@dataclass(frozen=True)
class Row:
    """The results of one model or control.

    Attributes
    ----------
    name : of the model or control.
    values : metric -> (value, low, high), with the 95 % interval over performances (bootstrap).
    samples : one dict a sample: its name, and its own part in each metric that is a mean over samples.
    """

    name: str
    values: Mapping[str, Interval]
    samples: Sequence[Mapping[str, float | str]]
