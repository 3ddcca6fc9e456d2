"""Features: sound -> frames. One file each; every one is a published definition with a frame rate of its own.

A feature is called with an `Audio` and gives float32 (T, F); `feature.frame_rate` says how many frames make a second.
"""

from ictus.features.mel128 import mel128

__all__ = ["mel128"]
