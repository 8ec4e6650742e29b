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
