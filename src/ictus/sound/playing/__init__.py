"""Playing: how the bodies of six kinds of soloists move when they play given notes."""
