"""Shapes of what goes into a network, checked where its layers would take another one without a word."""

from torch import Tensor

from ictus.errors import UsageError


def check_shape(name: str, given: Tensor, *shape: int | str) -> None:
    """Refuse a tensor of another shape.

    Parameters
    ----------
    name : what it is called in the message.
    given : any tensor.
    shape : the length of each axis; a letter stands for any.

    Raises
    ------
    UsageError
        If the tensor has another number of axes, or one of another length.
    """
    fits = given.dim() == len(shape) and all(
        isinstance(wanted, str) or wanted == length for wanted, length in zip(shape, given.shape, strict=True)
    )
    if not fits:
        raise UsageError(f"the {name} has shape {tuple(given.shape)}; ({', '.join(map(str, shape))}) is needed")
