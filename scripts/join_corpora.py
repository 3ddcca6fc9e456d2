"""Join corpora of beats into one, by links to their examples.

    python scripts/join_corpora.py OUT CORPUS ...

Each CORPUS has train/ and val/ of numbered folders; those of OUT are numbered anew. Links are made anew each time.
"""

import argparse
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("corpora", nargs="+", type=Path)
    options = parser.parse_args()
    for split in ("train", "val"):
        folder = options.out / split
        folder.mkdir(parents=True, exist_ok=True)
        for link in folder.iterdir():
            link.unlink()
        examples = [example for corpus in options.corpora for example in sorted((corpus / split).glob("[0-9]*"))]
        for number, example in enumerate(examples):
            (folder / str(number)).symlink_to(example.resolve(), target_is_directory=True)


if __name__ == "__main__":
    main()
