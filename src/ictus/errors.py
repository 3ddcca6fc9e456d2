"""What can go wrong, in words for the person at the keyboard.

Every message says what was given, what is wrong with it and what to do. The command line prints it as one line; it is
never followed by a traceback.
"""


class IctusError(Exception):
    """User error: the base of all errors that this package raises on purpose.

    Attributes
    ----------
    option : what has to be given otherwise, such as "data" or "out": the command line adds the flag of that name.
    """

    def __init__(self, message: str, *, option: str | None = None) -> None:
        super().__init__(message)
        self.option = option


class UsageError(IctusError):
    """The command or call is wrong in itself, whatever the files hold (exit code 2)."""


class AudioError(IctusError):
    """Sound that cannot be read, written or worked on."""


class MotionError(IctusError):
    """A motion, or a file of motion, that is malformed."""


class ModelError(IctusError):
    """A checkpoint that is missing, damaged or of another kind."""
