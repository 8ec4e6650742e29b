"""Several processes that train one network: each computes the embeddings of its share of a batch.

Every process then has the embeddings of the whole batch, and computes the loss of the whole batch from them. So a loss may
compare any rows, weigh them or standardise them, and is that of one process but for rounding. What follows for gradients:
a process has those of the network for its own share, which are summed over processes, and those of the task for the whole
batch, which all have alike.

:class:`torch.nn.parallel.DistributedDataParallel` is not used: it averages the losses of shares, and must know once and for
all which parameters have gradients, which freezing and layers of the middle change. It would overlap sending gradients
with computing them; here they are sent together at the end of a step.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

T = TypeVar("T")


@dataclass(frozen=True)
class Share:
    """The rows of a batch that one process computes.

    Attributes
    ----------
    start, stop : int
        The first of them, and the first behind them.
    n_all : int
        Rows of the whole batch.
    """

    start: int
    stop: int
    n_all: int

    @property
    def rows(self) -> slice:
        """What takes the share out of the batch."""
        return slice(self.start, self.stop)


@dataclass(frozen=True)
class Processes:
    """The processes of a training, as one of them sees them.

    Attributes
    ----------
    rank : int
        Number of this process, from 0.
    count : int
    """

    rank: int = 0
    count: int = 1

    @property
    def is_main(self) -> bool:
        """Whether this is the process that writes and speaks."""
        return self.rank == 0

    def share(self, n_rows: int) -> Share:
        """What this process computes of a batch: successive rows, as many as the others have or one more or less.

        Raises
        ------
        ValueError
            If there are fewer rows than processes.
        """
        if n_rows < self.count:
            raise ValueError(f"each of {self.count} processes needs a crop of every batch; got a batch of {n_rows}.")
        bounds = self._bounds(n_rows)
        return Share(bounds[self.rank], bounds[self.rank + 1], n_rows)

    def _bounds(self, n_rows: int) -> list[int]:
        return [rank * n_rows // self.count for rank in range(self.count + 1)]

    def gathered(self, own: Tensor, n_rows: int) -> Tensor:
        """The rows of all processes, of which this one's share has gradients.

        Parameters
        ----------
        own : Tensor of shape (n_own, dimension)
        n_rows : int
            Of the whole batch.

        Returns
        -------
        Tensor of shape (n_rows, dimension)
        """
        if self.count == 1:
            return own
        sizes = [stop - start for start, stop in zip(self._bounds(n_rows), self._bounds(n_rows)[1:])]
        padded = nn.functional.pad(own.detach(), (0, 0, 0, max(sizes) - len(own))).contiguous()
        parts = [torch.empty_like(padded) for _ in range(self.count)]
        dist.all_gather(parts, padded)
        parts = [part[:size] for part, size in zip(parts, sizes, strict=True)]
        parts[self.rank] = own
        return torch.cat(parts)

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace each gradient by its sum over the processes; the same parameters must have one in all of them."""
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        if self.count == 1 or not gradients:
            return
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        dist.all_reduce(flat)
        for gradient, total in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(total.view_as(gradient))

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """The same with the mean: of gradients that are equal but for rounding, which must not drive processes apart."""
        parameters = list(parameters)
        self.sum_gradients(parameters)
        for parameter in parameters:
            if parameter.grad is not None:
                parameter.grad /= self.count

    def agreed(self, value: T) -> T:
        """What the main process has; numbers, texts and what is made of them."""
        if self.count == 1:
            return value
        held = [value]
        dist.broadcast_object_list(held, src=0)
        return held[0]

    @contextmanager
    def main_first(self) -> Iterator[None]:
        """Let the main process do something before the others do; where it fails, they end without a word."""
        is_done = False
        if not self.is_main and not self.agreed(False):
            raise SystemExit(1)
        try:
            yield
            is_done = True
        finally:
            if self.is_main:
                self.agreed(is_done)


@contextmanager
def joined_processes(device_type: str) -> Iterator[Processes]:
    """The processes that ``torchrun`` started, connected for as long as the block lasts; without ``torchrun`` only this one.

    Parameters
    ----------
    device_type : str
        ``"cuda"`` connects through NCCL and gives each process of a machine a GPU of its own, anything else through Gloo.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Processes()
        return
    if device_type == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if device_type == "cuda" else "gloo")
    try:
        yield Processes(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()
