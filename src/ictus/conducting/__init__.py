"""Art 1: music into the motion of a conductor."""

RATE = 22050  # hertz: no conductor's features need more, so music may be decoded at this rate at once
