"""Procedural players: how the bodies of six kinds of soloists move when they play given notes, and how it sounds."""

INSTRUMENTS = ("cello", "violin", "clarinet", "flute", "horn", "trombone")
RATE = 22050  # hertz of the sound
KEYPOINT_RATE = 25  # frames a second of the keypoints
