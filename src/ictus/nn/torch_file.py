"""Named tensors that torch.save wrote (.pt, .pth), read by torch's restricted loader, which executes nothing."""

import io
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from ictus import limits
from ictus.errors import ModelError
from ictus.files import quoted, short, unpacked, unzipping
from ictus.formats import pickled


def read_tensors(file: Path) -> dict[str, Tensor]:
    """Return the tensors of a file by their names.

    Raises
    ------
    ModelError
        If it is damaged, unpacks to too much, or holds anything else; nothing of it has been executed then.
    """
    try:
        _check_size(file)
        with warnings.catch_warnings(action="ignore"):  # about old formats; what matters is raised
            content = torch.load(file, map_location="cpu", weights_only=True)
    except ModelError:
        raise
    except Exception as error:  # a damaged or hostile pickle can fail in any way; nothing of it has been executed
        raise ModelError(f"{file}: no file of tensors, or one that holds code; nothing was executed") from error
    if not isinstance(content, Mapping) or not content:
        raise ModelError(f"{file}: holds a {type(content).__name__}; a table of named tensors is needed")
    for name, tensor in content.items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            raise ModelError(f"{file}: {quoted(name)} is a {type(tensor).__name__}; only named tensors are accepted")
        if tensor.numel() > file.stat().st_size:  # of few numbers, each in many places
            raise ModelError(f"{file}: {short(name)} has more numbers than the file has bytes")
    return dict(content)


def _check_size(file: Path) -> None:
    """Refuse what unpacks to far more than it is, before the reader of PyTorch, which trusts it, does so."""
    if zipfile.is_zipfile(file):
        with unzipping(file) as archive:
            size = sum(member.file_size for member in archive.infolist())
            if size > limits.MEMORY:
                raise ModelError(f"{file}: unpacks to {size / 1e6:.0f} MB, which is too large")
            for name in archive.namelist():
                if name.endswith(".pkl"):
                    pickled.check(io.BytesIO(unpacked(archive, name)))
        return
    with file.open("rb") as source:  # as PyTorch wrote until 1.6: five pickles, and numbers behind them
        for _ in range(5):
            pickled.check(source)
