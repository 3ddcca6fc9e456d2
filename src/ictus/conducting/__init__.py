"""Art 1: music into the motion of a conductor."""
