"""The help of the commands comes at once: nothing heavy is imported for it."""

import subprocess
import sys

import pytest

import ictus
from ictus.cli import main

HELP = """
import sys
from ictus.cli import main
for words in sys.argv[1:]:
    try:
        main([*words.split(), "--help"])
    except SystemExit as end:
        assert not end.code, words
    heavy = {"torch", "numpy", "cv2", "av", "scipy", "matplotlib", "librosa", "lightning", "yaml", "ictus.sound"}
    found = (heavy | {"ictus.dance", "ictus.synthesis"}) & set(sys.modules)
    assert not found, f"ictus {words} --help imports {found}"
"""


def test_help_imports_nothing_heavy() -> None:
    commands = {
        "conduct": "MUSIC",
        "train": "RECIPE",
        "data prepare synthetic": "--hours",
        "data prepare aist": "--music",
        "data prepare solos": "--stretch",
    }
    done = subprocess.run([sys.executable, "-c", HELP, *commands], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    for said in commands.values():
        assert said in done.stdout
    assert "(default: 720x720)" in done.stdout
    for noise in ("{None}", "(default: )", "(default: None)", "(default: False)"):
        assert noise not in done.stdout


def test_the_version_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"ictus {ictus.__version__}\n"
