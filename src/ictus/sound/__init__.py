"""Art 3: the motion of a performer into the sound of the instrument."""

INSTRUMENTS = ("cello", "violin", "clarinet", "flute", "horn", "trombone")
RATE = 22050  # hertz: what the networks of this art hear and play
MEL_RATE = RATE / 256  # frames of mel80 a second: 86.13
KEYPOINT_RATE = 25  # frames a second of the films from which keypoints are taken
