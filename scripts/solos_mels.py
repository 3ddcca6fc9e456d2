"""Write mel spectrograms that are stored as one block of bytes as a prepared corpus, whose instruments are not known.

    python scripts/solos_mels.py NPZ SPLITS OUT

NPZ holds "mel_u8", (N, 80, T) uint8, value / 255 = mel80; SPLITS is JSON, {"train": [numbers], "val": [numbers], ...}.
Each split becomes a folder of OUT.
"""

import argparse
import json
from pathlib import Path

import numpy as np


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("npz", type=Path)
    parser.add_argument("splits", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    with np.load(options.npz, allow_pickle=False) as archive:
        mels = archive["mel_u8"]  # (N, 80, T)
    splits = {name: part for name, part in json.loads(options.splits.read_text()).items() if isinstance(part, list)}
    about = {"instrument": None, "video": None, "start": 0.0, "synthetic": False, "source": options.npz.name}
    for split, numbers in splits.items():
        for number in numbers:
            folder = options.out / split / f"{number:05d}"
            folder.mkdir(parents=True, exist_ok=True)
            np.save(folder / "mel.npy", np.ascontiguousarray(mels[number].T), allow_pickle=False)
            (folder / "about.json").write_text(json.dumps(about) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
