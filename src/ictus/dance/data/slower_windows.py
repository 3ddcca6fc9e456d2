"""Windows of prepared dances in the form, and at the frame rate, of the network that learns from them."""

import os
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ictus.dance.data.dataset import AIST, PreparedDance, Windows
from ictus.dance.joints import frames_in_one, slower
from ictus.types import Float32Array


class SlowerWindows(Windows):
    """Windows of a split, {"motion": (L, D), "audio": (L, 35)}.

    Parameters
    ----------
    root, split : see `Windows`; dances in AIST's layout, 60 frames a second.
    form : AIST's frames (L, 219) -> (L, D): `ictus.dance.joints.points_on_stage` or `ictus.dance.moves.moves_of`.
    rate : frames a second of the windows, which divides 60.
    frames, hop : of these frames, as in `Windows`.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: str,
        form: Callable[[Float32Array], Float32Array],
        *,
        rate: int,
        frames: int,
        hop: int,
    ) -> None:
        self.form, self.joined = form, frames_in_one(rate)
        super().__init__(root, split, AIST, frames=frames * self.joined, hop=hop * self.joined)

    def cut(self, dance: PreparedDance, at: int) -> dict[str, Float32Array | str]:
        """Read the window of a dance that begins at a frame, of 60 a second."""
        frames, audio = (dance.read(kind, at, self.frames) for kind in ("motion", "audio"))
        motion = self.form(frames[:: self.joined])
        return {"motion": motion, "audio": slower(audio, self.joined), "name": f"{dance.name}@{at}"}

    def all_frames(self) -> tuple[Tensor, Tensor]:
        """Return motion (T, D) and audio (T, 35) of all dances, in windows without overlap."""
        starts = [(dance, at) for dance in self.dances for at in range(0, dance.frames - self.frames + 1, self.frames)]
        windows = [self.cut(dance, at) for dance, at in starts]
        motion, audio = (
            torch.from_numpy(np.concatenate([np.asarray(window[kind]) for window in windows]))
            for kind in ("motion", "audio")
        )
        return motion, audio
