"""What the dance networks learn, each by the protocol of ictus.task."""
