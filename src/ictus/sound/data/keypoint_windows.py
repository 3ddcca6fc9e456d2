"""Windows of keypoints with the player's instrument, what the keypoint encoder learns from; no sound is needed.

<root>/{train,val,test}/<name>/keypoints.npy  (K, 47, 3) float, 25 fps: x and y, confidence; without gaps
                              /about.json     {"instrument": "cello", ...}
"""

from pathlib import Path

import numpy as np

from ictus.corpora import list_unusable, scan_split
from ictus.errors import IctusError, UsageError
from ictus.sound import INSTRUMENTS
from ictus.sound.data.dataset import FEATURE_SHAPES, open_features, read_about
from ictus.types import Float32Array


class KeypointWindows:
    """Windows of a split: {"keypoints": (frames, 47, 3), "instrument": number, "name": "train/NAME@FRAME"}.

    Folders without keypoints, or without an instrument that is known, are left out; `broken` has a line for each that
    is damaged.

    Parameters
    ----------
    root, split : folder of the prepared corpus, and "train", "val" or "test".
    frames, hop : length of a window, and frames from one to the next.

    Raises
    ------
    UsageError
        If there is no such split, or no window in it.
    """

    def __init__(self, root: Path, split: str, frames: int, hop: int) -> None:
        found, self.broken = scan_split(root, split, _contents, "train/, val/ and test/")
        self.frames = frames
        self.places = [  # folder, instrument, first frame
            (folder, instrument, first)
            for folder, instrument, length in found
            if instrument is not None
            for first in range(0, length - frames + 1, hop)
        ]
        if not self.places:
            nothing = f"holds no {frames} frames of keypoints whose instrument is known"
            raise UsageError(f"{root / split}: {nothing}{list_unusable(self.broken)}")

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> dict[str, Float32Array | np.int64 | str]:
        """Read one window.

        Raises
        ------
        IctusError
            If its numbers are not finite; the message names the file.
        """
        folder, instrument, first = self.places[index]
        file = folder / "keypoints.npy"
        points = np.array(open_features(file, FEATURE_SHAPES["keypoints"])[first : first + self.frames], np.float32)
        if not np.isfinite(points).all():
            raise IctusError(f"{file}: not finite between frames {first} and {first + self.frames}")
        name = f"{folder.parent.name}/{folder.name}@{first}"
        return {"keypoints": points, "instrument": np.int64(instrument), "name": name}


def _contents(folder: Path) -> tuple[Path, int | None, int]:
    """Return a folder, the number of its instrument, None where that is not known, and its frames of keypoints."""
    file = folder / "keypoints.npy"
    if not file.exists():
        return folder, None, 0
    name, frames = read_about(folder).get("instrument"), len(open_features(file, FEATURE_SHAPES["keypoints"]))
    return folder, INSTRUMENTS.index(name) if name in INSTRUMENTS else None, frames
