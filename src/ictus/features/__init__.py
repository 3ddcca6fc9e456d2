"""Features: sound -> frames. One file each; every one is a published definition with a frame rate of its own.

A feature is called with an `Audio` and gives float32 (T, F); `feature.frame_rate` says how many frames make a second.
"""

from ictus.features.mel80 import mel80
from ictus.features.mel81 import mel81
from ictus.features.mel128 import mel128
from ictus.features.melody16 import melody16
from ictus.features.rhythm35 import rhythm35

__all__ = ["mel80", "mel81", "mel128", "melody16", "rhythm35"]
