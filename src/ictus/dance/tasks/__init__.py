"""How the dance networks are trained, each by the protocol of ictus.task."""
