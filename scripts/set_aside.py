"""Set works of a corpus aside: their minutes, and each tenth one of the songs, go from train to val.

    python scripts/set_aside.py CORPUS WORK ...

WORK is how the names of its movements begin. Validation then uses other music than training, and other music than the
corpus' own held-out works, which are kept for the end.
"""

import argparse
import json
from pathlib import Path

import numpy as np


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("works", nargs="+")
    options = parser.parse_args()
    aside = options.corpus / "val"
    aside.mkdir(exist_ok=True)
    for folder in sorted((options.corpus / "train").iterdir()):
        with np.load(folder / "beats.npz", allow_pickle=False) as beats:
            about = json.loads(str(beats["about"]))
        tenth = about["group"] == "pop" and folder.name.endswith("9")
        if tenth or about["piece"].startswith(tuple(options.works)):
            folder.rename(aside / folder.name)


if __name__ == "__main__":
    main()
