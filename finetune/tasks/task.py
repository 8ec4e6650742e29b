"""What every task has in common."""

from __future__ import annotations

from torch import Tensor, nn


class Task(nn.Module):
    """From embeddings of rows to a loss in training and to figures in validation.

    Truths are buffers that no checkpoint holds; they move to the device with the task.
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

    def keep(self, name: str, truth: Tensor) -> None:
        """Keep what is true of every row."""
        self.register_buffer(name, truth, persistent=False)
