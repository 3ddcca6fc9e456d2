import io
import sys

import pytest
from matplotlib.figure import Figure

from ictus.training.log import Log, TrainingBar
from ictus.training.progress import Progress


class Stream(io.StringIO):
    def __init__(self, terminal):
        super().__init__()
        self.terminal = terminal

    def isatty(self):
        return self.terminal


@pytest.mark.parametrize(("terminal", "shown"), [(True, True), (False, True), (True, False)])
def test_the_bar_shows_speed_and_time_left_on_a_terminal_only(monkeypatch, terminal, shown):
    monkeypatch.setattr(sys, "stderr", stream := Stream(terminal))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with TrainingBar(total=200, done=50, shown=shown) as bar:
        bar.show(100, "epoch 2/4", 123.4)
    text = stream.getvalue()
    if terminal and shown:
        for part in ("epoch 2/4", "100/200", "123 samples/s", "left"):
            assert part in text
    else:
        assert text == ""


def test_a_log_goes_on_where_it_was_kept(tmp_path):
    with Log(tmp_path) as log:
        log.write(Progress(step=1), "train", {"loss": float("inf")}, **{"lr/a": 0.5})
        size = log.size
        log.write(Progress(step=2), "train", {"ä": 2.0})
    with Log(tmp_path, size, 1) as log:
        log.write(Progress(epoch=1, step=3, seconds=1.23456), "validation", {"error": 0.1}, best=True)
        assert log.size == (tmp_path / "log.jsonl").stat().st_size
    assert (tmp_path / "log.jsonl").read_text().splitlines() == [
        '{"epoch": 0, "step": 1, "seconds": 0.0, "train": {"loss": null}, "lr/a": 0.5}',
        '{"epoch": 1, "step": 3, "seconds": 1.235, "validation": {"error": 0.1}, "best": true}',
    ]


def test_pictures_are_files(tmp_path):
    with Log(tmp_path) as log:
        log.draw(Progress(epoch=12), {"music/layer 1": Figure(figsize=(1, 1))})
    (file,) = (tmp_path / "pictures").rglob("*.png")
    assert file.relative_to(tmp_path / "pictures").as_posix() == "epoch-0012/music-layer 1.png"
    assert file.read_bytes().startswith(b"\x89PNG")


def test_without_tensorboard_the_rest_is_written(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)  # importing it is an ImportError
    with Log(tmp_path) as log:
        log.write(Progress(step=1), "train", {"loss": 1.0})
        log.draw(Progress(), {"line": Figure(figsize=(1, 1))})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.jsonl", "pictures"]
