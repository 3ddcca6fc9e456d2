"""One network of a .tflite file, run by LiteRT: arrays in, arrays out."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ictus.errors import IctusError, ModelError
from ictus.files import short
from ictus.types import Float32Array

_MARK = b"TFL3"  # at byte 4 of every .tflite


class Network:
    """A network as a function: float32 (1, H, W, 3) -> its outputs, in their order.

    It keeps its memory from call to call, so that two threads need two of them.

    Parameters
    ----------
    content : of a .tflite file.
    name : of the file, for messages.
    shapes : of the input and of each output, as they must be.
    threads : of the processor, that work on one call.

    Raises
    ------
    IctusError
        If LiteRT is not installed.
    ModelError
        If the content is no .tflite, or one of other shapes.
    """

    def __init__(self, content: bytes, name: str, shapes: tuple[tuple[int, ...], ...], threads: int = 1) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise IctusError(
                "finding people in films needs LiteRT, which is not installed; type: pip install 'ictus[pose]'"
            ) from error
        check(content, name)
        try:
            with _quiet():
                self._interpreter: Any = Interpreter(model_content=content, num_threads=threads)
                self._interpreter.allocate_tensors()
            self._input = self._interpreter.get_input_details()[0]
            self._outputs = [one["index"] for one in self._interpreter.get_output_details()]
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{name}: a damaged network ({short(error)}); fetch it again") from error
        if self.shapes != shapes:
            raise ModelError(f"{name}: another network (its arrays are {self.shapes}, not {shapes}); give another file")

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of the input and of each output."""
        details = [self._input, *self._interpreter.get_output_details()]
        return tuple(tuple(int(n) for n in one["shape"]) for one in details)

    def __call__(self, picture: Float32Array) -> list[Float32Array]:
        """Run the network."""
        self._interpreter.set_tensor(self._input["index"], picture)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]


def check(content: bytes, name: str) -> None:
    """Raise ModelError if a file's content is no network in TensorFlow Lite's format."""
    if content[4:8] != _MARK:
        raise ModelError(f"{name}: is no network in TensorFlow Lite's format (.tflite); give another file")


@contextmanager
def _quiet() -> Iterator[None]:
    """Let what LiteRT says of itself go nowhere: it writes to stderr, past Python, and cannot be told not to."""
    try:
        kept = os.dup(2)
    except OSError:  # closed
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
