"""Draw how a value of validation went in several runs, over their steps; and print where each ended.

    python scripts/curves.py VALUE OUT.png RUN/log.jsonl ...

A control `VALUE/...` of the first run, which never changes, is drawn as a dashed line.
"""

import argparse
import json
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import numpy as np
from matplotlib import pyplot as plt


def validations_of(file: Path) -> list[tuple[int, dict[str, float]]]:
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    return [(row["step"], row["validation"]) for row in rows if "validation" in row]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("value")
    parser.add_argument("out", type=Path)
    parser.add_argument("logs", nargs="+", type=Path)
    options = parser.parse_args()

    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for number, file in enumerate(options.logs):
        found = validations_of(file)
        values = [known[options.value] for _, known in found]
        axes.plot([step for step, _ in found], values, label=file.parent.name)
        sys.stdout.write(f"{file.parent.name}: last {values[-1]:.4g}, best {min(values):.4g}\n")
        for name, value in found[0][1].items() if number == 0 else ():
            constant = len({known[name] for _, known in found}) == 1
            if name.startswith(f"{options.value}/") and constant:
                axes.axhline(value, color="grey", linestyle="--", label=name)
    settled = [y for line in axes.lines for y in np.asarray(line.get_ydata())[-len(line.get_xdata()) * 3 // 4 :]]
    axes.set(xlabel="steps", ylabel=options.value, ylim=(0.99 * min(settled), 1.01 * max(settled)))
    axes.legend(frameon=False, fontsize=8)
    figure.savefig(options.out, dpi=110)


if __name__ == "__main__":
    main()
