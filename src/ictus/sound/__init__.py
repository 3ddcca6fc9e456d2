"""Art 3: the motion of a performer into the sound of the instrument.

The networks of this art learn from sound of `RATE` hertz and from keypoints of `KEYPOINT_RATE` frames a second.
"""

from ictus.synthesis.players import INSTRUMENTS, KEYPOINT_RATE, RATE

__all__ = ["INSTRUMENTS", "KEYPOINT_RATE", "MEL_RATE", "RATE"]

MEL_RATE = RATE / 256  # frames of mel80 a second: 86.13
