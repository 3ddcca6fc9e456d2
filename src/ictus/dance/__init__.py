"""Art 2: music into dance."""
