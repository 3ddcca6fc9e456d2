"""The beat network learns by its recipe, on clicks."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from beat_corpus import write_recording

from ictus.beats.dataset import BeatDataset
from ictus.beats.network import BeatNetwork
from ictus.beats.task import BeatTrackerConfig, BeatTrackerTask, pick_peaks
from ictus.config import parse


def batches(samples: BeatDataset, size: int = 4) -> Iterator[dict]:
    for start in range(0, len(samples), size):
        items = [samples[k] for k in range(start, min(start + size, len(samples)))]
        stacked = {key: torch.from_numpy(np.stack([item[key] for item in items])) for key in ("mel", "beats", "places")}
        yield {**stacked, **{key: [item[key] for item in items] for key in ("group", "name")}}


@pytest.mark.parametrize("size", ["debug", "debug-live"])
def test_it_learns_clicks(size: str, tmp_path: Path) -> None:
    for number in range(4):
        write_recording(tmp_path / "train" / str(number), bpm=80 + 17 * number, meter=3 + number % 2, seconds=8)
    write_recording(tmp_path / "val" / "0", bpm=104, meter=4, seconds=8)
    torch.manual_seed(0)
    task = BeatTrackerTask(BeatTrackerConfig(size=size, seconds=7, lr=1e-2), tmp_path)
    optimizer, losses = task.optimizers()["network"], []
    for step in range(60):
        for _, loss, figures in task.losses(next(batches(task.train_set(0))), 0, step):
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(float(figures["loss"]))
    assert np.mean(losses[-5:]) < 0.5 * losses[0]
    task.network.eval()
    with torch.no_grad():
        figures = task.validate(batches)
    assert set(figures) == {"f_measure", "beat_f", "downbeat_f", "beat_f/pop", "loss", "place"}
    assert figures["beat_f"] > 0.7
    task.export(tmp_path / "model", {"epoch": 1})
    assert BeatNetwork.from_pretrained(tmp_path / "model").metadata["epoch"] == 1


def test_peaks_are_the_highest_of_their_surroundings() -> None:
    logits = np.full(60, -5, np.float32)
    logits[[10, 12, 30, 31, 50]] = [1, 2, 3, 3, -0.1]
    assert pick_peaks(logits).tolist() == [12, 30]


def test_recipes_of_earlier_versions_still_work() -> None:
    config = parse(BeatTrackerConfig, {"size": "debug", "retake": {"pace": 0.3}})
    assert config.augmentation.pace == 0.3
