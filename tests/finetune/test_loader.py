import numpy as np
import torch

from finetune.loader import BatchLoader


def test_batches_hold_the_rows_asked_for_in_their_order():
    pixels = np.random.default_rng(0).integers(0, 256, (9, 6, 5, 3), np.uint8)
    rows = [np.array([3, 3, 0]), np.array([8]), np.array([1, 2]), np.array([7, 0])]
    batches = list(BatchLoader(pixels, torch.device("cpu")).batches(iter(rows)))
    assert [batch.dtype for batch in batches] == [torch.uint8] * 4
    for batch, some in zip(batches, rows, strict=True):
        np.testing.assert_array_equal(batch.numpy(), pixels[some].transpose(0, 3, 1, 2))


def test_no_more_than_a_few_batches_are_gathered_ahead():
    taken = []

    def rows():
        for i in range(50):
            taken.append(i)
            yield np.array([0])

    next(BatchLoader(np.zeros((1, 2, 2, 3), np.uint8), torch.device("cpu")).batches(rows()))
    assert len(taken) <= 3


def test_crops_are_changed_for_their_step_and_not_where_none_is_given():
    def add(crops, rows, step):
        crops += np.uint8(10 * step) + rows.astype(np.uint8)[:, None, None, None]

    pixels = np.zeros((9, 4, 4, 3), np.uint8)
    loader = BatchLoader(pixels, torch.device("cpu"), add)
    tasks = [(np.array([i % 9, 3]), i) for i in range(12)]
    for batch, (rows, step) in zip(loader.changed_batches(iter(tasks)), tasks, strict=True):
        assert batch[:, 0, 0, 0].tolist() == [10 * step + row for row in rows]
    (plain,) = loader.batches([np.array([3])])
    assert not plain.any() and not pixels.any()
