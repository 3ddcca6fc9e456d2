"""The folder of a checkpoint: where it lies, and what it says of itself. Loads no weights and needs no torch."""

import json
import os
from pathlib import Path
from typing import Any

from ictus.errors import ModelError
from ictus.files import readable

CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "README.md"


def locate(name: str | os.PathLike[str]) -> Path:
    """Return a checkpoint's folder, given as a path or as the name of one in ictus/weights.

    Raises
    ------
    ModelError
        If there is neither.
    """
    folder = Path(name)
    if folder.is_dir():
        return folder
    known = {path.name: path for path in shipped_folders()}
    if str(name) in known:
        return known[str(name)]
    if folder.exists():
        raise ModelError(f"{folder}: is a file; give the folder that holds {CONFIG} and {WEIGHTS}")
    hint = f"; shipped are {', '.join(known)}" if known else ""
    raise ModelError(f"{folder}: no such folder{hint}")


def shipped_folders() -> list[Path]:
    """Return the folders of the checkpoints that the package holds, by name."""
    return sorted(path.parent for path in (Path(__file__).parents[1] / "weights").glob(f"*/{CONFIG}"))


def read_config(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Return a checkpoint's config.json as {"class": str, "config": dict, "metadata": dict}; loads no weights.

    Raises
    ------
    ModelError
        If it is missing, no JSON, or not written by this package.
    """
    file = readable(Path(folder) / CONFIG, ModelError)
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{file}: no valid JSON ({' '.join(str(error).split())})") from error
    for key, kind in (("class", str), ("config", dict), ("metadata", dict)):
        if not isinstance(content, dict) or not isinstance(content.get(key), kind):
            raise ModelError(f'{file}: "{key}" is missing or of another type; this is no checkpoint of ictus')
    return {key: content[key] for key in ("class", "config", "metadata")}
