from types import SimpleNamespace

import numpy as np
import pytest
import torch
from toy_tasks import Points

from ictus.errors import MotionError, UsageError
from ictus.training.data import TrainLoader, in_order
from ictus.training.recipe import Training


def loader(rank=0, world=1, **training):
    fabric = SimpleNamespace(global_rank=rank, world_size=world, device=torch.device("cpu"))
    return TrainLoader(Training(**{"batch": 8, "workers": 0, **training}), fabric)


def flat(steps):
    return [(part["name"], part["x"].tolist()) for parts in steps for part in parts]


def test_batches_do_not_depend_on_the_workers(corpus):
    points = Points(corpus / "train.npy", noise=1.0)
    alone, several = loader(), loader(workers=2)
    for epoch in (0, 1):
        torch.manual_seed(epoch)  # nor on what was drawn before
        assert flat(alone.epoch(points, epoch, 0)) == flat(several.epoch(points, epoch, 0))


def test_epochs_differ_in_order_and_in_noise(corpus):
    points = Points(corpus / "train.npy", noise=1.0)
    first, second, other = loader(), loader(), loader(seed=1)
    a, b, c = flat(first.epoch(points, 0, 0)), flat(second.epoch(points, 1, 0)), flat(other.epoch(points, 0, 0))
    assert a[0][0] != b[0][0]
    assert a[0][0] != c[0][0]
    assert len({name for names, _ in a for name in names}) == 48  # whole batches, no sample twice
    rows = [{n: x for names, xs in run for n, x in zip(names, xs, strict=True)} for run in (a, b, c)]
    common = next(name for name in rows[0] if name in rows[1] and name in rows[2])
    assert rows[0][common] != rows[1][common]
    assert rows[0][common] != rows[2][common]


def test_an_epoch_can_begin_anywhere(corpus):
    points = Points(corpus / "train.npy", noise=1.0)
    whole = list(loader().epoch(points, 3, 0))
    assert len(whole) == loader().steps(points) == 6
    assert flat(loader().epoch(points, 3, 4)) == flat(whole[4:])
    assert flat(loader().epoch(points, 3, 6)) == []


def test_processes_and_parts_share_a_batch_between_them(corpus):
    points = Points(corpus / "train.npy", noise=1.0)
    whole = list(loader().epoch(points, 0, 0))
    shares = [list(loader(rank, 2, accumulate=2).epoch(points, 0, 0)) for rank in (0, 1)]
    for step, [batch] in enumerate(whole):
        parts = [part for share in shares for part in share[step]]
        assert [len(part["name"]) for part in parts] == [2, 2, 2, 2]
        rows = {n: x for part in parts for n, x in zip(part["name"], part["x"].tolist(), strict=True)}
        assert rows == dict(zip(batch["name"], batch["x"].tolist(), strict=True))


def test_loading_processes_live_as_long_as_the_set(corpus):
    class Whose(Points):
        def __getitem__(self, index):
            import os

            return {"process": os.getpid()}

    points, load = Whose(corpus / "train.npy"), loader(workers=1)
    first, second = ({p["process"][0].item() for [p] in load.epoch(points, epoch, 0)} for epoch in (0, 1))
    (third,) = {p["process"][0].item() for [p] in load.epoch(Whose(corpus / "train.npy"), 2, 0)}
    assert first == second != {third}


def test_validation_is_whole_and_in_order(corpus):
    points = Points(corpus / "val.npy", noise=1.0)
    batches = list(in_order(points, Training(workers=0), 3, pin=False))
    assert [batch["name"] for batch in batches] == [[f"row-{i}" for i in rows] for rows in ([0, 1, 2], [3, 4, 5], [6])]
    several = list(in_order(points, Training(workers=2), 3, pin=False))
    assert all(torch.equal(a["x"], b["x"]) for a, b in zip(batches, several, strict=True))


def test_samples_without_a_name_get_their_number(corpus):
    [batch] = in_order([{"x": 1.0}, {"x": 2.0}], Training(workers=0), 3, pin=False)
    assert batch["name"] == ["0", "1"]


@pytest.mark.parametrize("workers", [0, 1])
def test_an_error_in_a_sample_is_one_line(corpus, workers):
    points = Points(corpus / "train.npy")
    points.rows[11, 0] = 666
    with pytest.raises(MotionError) as caught:
        list(loader(workers=workers).epoch(points, 0, 0))
    message = str(caught.value)
    del caught  # which would keep the loading process alive
    assert message == "row-11: holds 666; mend the file"


def test_sets_that_are_too_small(corpus):
    points = Points(corpus / "train.npy")
    points.rows = points.rows[:3]
    with pytest.raises(UsageError, match="has 3 samples, fewer than a batch of 8"):
        loader().steps(points)
    points.rows = np.zeros((0, 5), np.float32)
    with pytest.raises(UsageError, match="train set is empty"):
        loader().steps(points)
    with pytest.raises(UsageError, match="validation set is empty"):
        next(in_order(points, Training(workers=0), 3, pin=False))
