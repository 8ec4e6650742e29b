"""What every task has in common."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from torch import Tensor, nn


class Task(nn.Module):
    """From embeddings of rows to a loss in training and to figures in validation.

    Truths are buffers that no checkpoint holds; they move to the device with the task.
    """

    def begin(self, embed: Callable[[np.ndarray], Tensor]) -> None:
        """Set parameters by what the network gives before the first step; does nothing by itself.

        ``embed`` takes positions in the training set and gives their embeddings.
        """

    def loss(self, embedding: Tensor, rows: Tensor) -> dict[str, Tensor]:
        """The loss as ``"loss"``, and its parts for the log.

        Parameters
        ----------
        embedding : Tensor of shape (n, dimension)
        rows : Tensor of shape (n,), int64
            Positions in the training set.
        """
        raise NotImplementedError

    def metrics(self, embedding: Tensor, rows: Tensor) -> dict[str, float]:
        """Figures of the validation part, among them ``"score"``: what training makes small, and ends by."""
        raise NotImplementedError

    def outcomes(self, embedding: Tensor, rows: Tensor) -> dict[str, Tensor]:
        """Numbers of each row, float64 of shape (n,), whose mean is the figure of that name; none by itself.

        Figures of pairs, such as an EER, are no means over rows.
        """
        return {}

    def keep(self, name: str, truth: Tensor) -> None:
        """Keep what is true of every row."""
        self.register_buffer(name, truth, persistent=False)
